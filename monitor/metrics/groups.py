"""PURE  Items sorted into groups (a source, a place, a topic): each group's labels, design effect and change."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from typing import TypeVar

from monitor.metrics.change import Change, compare, settle
from monitor.metrics.clusters import labels_by_cluster
from monitor.metrics.intervals import design_effect
from monitor.metrics.sentiment import Tally

Name = TypeVar("Name", bound=Hashable)


@dataclass(slots=True)
class Group:
    """The labels of some items of one window, by source; filled item by item."""

    _signs: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    _unscored: Counter[str] = field(default_factory=Counter)

    def add(self, source: str, cluster: int, sign: int | None) -> None:
        """An item: the cluster it is in, and its label as 1, 0, -1; ``None`` is unscored."""
        if sign is None:
            self._unscored[source] += 1
        else:
            self._signs[source].append((cluster, sign))

    @property
    def tally(self) -> Tally:
        """All sources together."""
        return sum(self.by_source().values(), Tally())

    def by_source(self) -> dict[str, Tally]:
        return {source: self._tally(source) for source in {*self._signs, *self._unscored}}

    def deff(self, sources: Set[str] | None = None) -> float | None:
        """The design effect of the score over these sources (default: all); ``None`` with fewer than two clusters."""
        return design_effect(labels_by_cluster(self._entries(sources)))

    def _entries(self, sources: Set[str] | None) -> Iterator[tuple[int, int]]:
        for source, signs in self._signs.items():
            if sources is None or source in sources:
                yield from signs

    def _tally(self, source: str) -> Tally:
        found = Counter(sign for _, sign in self._signs.get(source, ()))
        return Tally(found[1], found[-1], found[0], self._unscored[source])


EMPTY = Group()


def change_of(now: Group, before: Group, complete: Set[str]) -> tuple[Change, list[str]]:
    """The change of a group's score over the sources complete in both windows, and which these are. Source: METRICS 2.4."""
    found = compare(
        now.by_source(),
        before.by_source(),
        complete,
        deff_now=now.deff(complete),
        deff_before=before.deff(complete),
    )
    return found.change, sorted(complete & {*now.by_source(), *before.by_source()})


def changes_of(
    now: Mapping[Name, Group], before: Mapping[Name, Group], names: Iterable[Name], complete: Set[str]
) -> dict[Name, Change]:
    """The changes of several groups tested at once, under control of false discoveries. Source: METRICS 2.4."""
    return settle({name: change_of(now.get(name, EMPTY), before.get(name, EMPTY), complete)[0] for name in names})
