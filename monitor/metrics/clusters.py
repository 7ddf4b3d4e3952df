"""PURE  Which items are not independent: those of one author, and those with the same text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence


def clusters(items: Iterable[Sequence[Hashable | None]]) -> list[int]:
    """The cluster of each item, as a number; items are joined, over any number of steps, by what they have in common.

    ``items``: per item what joins it to others, by kind (author, fingerprint of its text); ``None`` joins nothing.
    Source: METRICS 2.3.
    """
    parents: list[int] = []
    first: dict[tuple[int, Hashable], int] = {}
    for number, ties in enumerate(items):
        parents.append(number)
        for kind, tie in enumerate(ties):
            if tie is None:
                continue
            other = first.setdefault((kind, tie), number)
            if other != number:
                _join(parents, other, number)
    return [_root(parents, number) for number in range(len(parents))]


def labels_by_cluster(entries: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """(cluster, label as 1, 0, -1) gathered for :func:`monitor.metrics.intervals.design_effect`."""
    found: dict[int, list[int]] = defaultdict(list)
    for cluster, label in entries:
        found[cluster].append(label)
    return found


def _join(parents: list[int], one: int, other: int) -> None:
    roots = sorted((_root(parents, one), _root(parents, other)))
    parents[roots[1]] = roots[0]


def _root(parents: list[int], number: int) -> int:
    """The cluster's first item; the way there is shortened as it is gone."""
    while parents[number] != number:
        parents[number] = parents[parents[number]]
        number = parents[number]
    return number
