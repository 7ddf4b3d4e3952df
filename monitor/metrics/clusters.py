"""PURE  Which items are not independent: those of one author, and those with the same text."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field


@dataclass(slots=True)
class Joined:
    """Things by number, joined step by step."""

    _parents: list[int] = field(default_factory=list)

    @classmethod
    def of(cls, count: int) -> Joined:
        """So many things, each alone."""
        return cls(list(range(count)))

    def add(self) -> int:
        """One more thing, alone: its number."""
        self._parents.append(len(self._parents))
        return len(self._parents) - 1

    def join(self, one: int, other: int) -> None:
        """These two, and all that either is joined to, are together from now on."""
        roots = sorted((self.root(one), self.root(other)))
        self._parents[roots[1]] = roots[0]

    def root(self, number: int) -> int:
        """The first of those that it is joined to; the way there is shortened as it is gone."""
        parents = self._parents
        while parents[number] != number:
            parents[number] = parents[parents[number]]
            number = parents[number]
        return number

    def roots(self) -> list[int]:
        """The root of each."""
        return [self.root(number) for number in range(len(self._parents))]


def clusters(items: Iterable[Sequence[Hashable | None]]) -> list[int]:
    """The cluster of each item, as a number; items are joined, over any number of steps, by what they have in common.

    ``items``: per item what joins it to others, by kind (author, family of its text); ``None`` joins nothing.
    Source: METRICS 2.3.
    """
    joined = Joined()
    first: dict[tuple[int, Hashable], int] = {}
    for ties in items:
        number = joined.add()
        for kind, tie in enumerate(ties):
            if tie is None:
                continue
            other = first.setdefault((kind, tie), number)
            if other != number:
                joined.join(other, number)
    return joined.roots()


def labels_by_cluster(entries: Iterable[tuple[int, int]]) -> dict[int, list[int]]:
    """(cluster, label as 1, 0, -1) gathered for :func:`monitor.metrics.intervals.design_effect`."""
    found: dict[int, list[int]] = defaultdict(list)
    for cluster, label in entries:
        found[cluster].append(label)
    return found
