"""The history matched anew: changed keywords, exclusions and mutes applied to what is stored.

Read a chunk in the order of the unique key, decide without holding anything, write what differs with its rollups in one
transaction. A run cut off anywhere is gone on with by the next one, which finds what was done to be right already.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from monitor.app import App
from monitor.judging import Judge, judge
from monitor.likeness import Rechosen
from storage import marks, mutes
from storage.marks import Changed, Decided, Seen
from storage.reasons import EXCLUDED, Mutes

EXAMPLES: Final = 3
ROUNDS: Final = 5
"""So often an item is read again whose words change while it is decided about."""

NO_LONGER_NAMED: Final = "(the brand is not named)"
"""Stands for an exclusion where an item names the brand no longer."""

Progress = Callable[[int], None]
"""Told after each chunk: items looked at."""


@dataclass(frozen=True, slots=True)
class Example:
    """An item that counts otherwise now; ``by``: the exclusion that was found in it."""

    id: int
    title: str | None
    text: str | None
    by: str | None


@dataclass(frozen=True, slots=True)
class Shift:
    """Items of a brand that were not counted for one reason (``None``: counted) and are not for another now."""

    brand: str
    before: str | None
    after: str | None
    count: int
    examples: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class BrandTotals:
    """A brand's items that were looked at: how many counted before and after, and how many each exclusion catches.

    ``beyond``: how many of them no keyword decides about, by source.
    """

    brand: str
    items: int
    counted_before: int
    counted_after: int
    caught: Mapping[str, int]
    beyond: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rematched:
    """What a rematch came to, or in a dry run would come to. ``overtaken``: left to the next run, since their words changed."""

    dry_run: bool
    items: int
    changed: int
    overtaken: int
    brands: tuple[BrandTotals, ...]
    shifts: tuple[Shift, ...]


def rematch(
    app: App,
    brands: Sequence[str] | None = None,
    since: datetime | None = None,
    *,
    dry_run: bool = False,
    size: int = marks.CHUNK,
    progress: Progress = lambda _: None,
) -> Rematched:
    """Decide anew of every stored item of these brands (all without any) whether it counts; from ``since`` on, if given.

    Copies go by what else counts when they are looked at; what the same run lets count or not besides is heeded at its end,
    which a dry run cannot foresee.
    What a person called not about us stays so. Brands that left the configuration are not touched.
    """
    names = {app.brands[name].id: name for name in (app.brands if brands is None else brands)}
    run = _Run(app, judge(app), Rechosen(app, names, dry_run=dry_run), dry_run, names)
    for chunk in marks.walk(app.database, list(names), marks.published_since(since), size):
        run.take(chunk)
        progress(run.items.total())
    run.end()
    return run.ended()


@dataclass
class _Run:
    """Counts, chunk by chunk."""

    app: App
    judge: Judge
    copies: Rechosen
    dry_run: bool
    names: Mapping[int, str]
    items: Counter[int] = field(default_factory=Counter)
    counted: Counter[int] = field(default_factory=Counter)
    caught: dict[int, Counter[str]] = field(default_factory=dict)
    beyond: dict[int, Counter[int]] = field(default_factory=dict)
    shifts: dict[tuple[int, str | None, str | None], list[Example]] = field(default_factory=dict)
    counts: Counter[tuple[int, str | None, str | None]] = field(default_factory=Counter)
    overtaken: int = 0

    def take(self, chunk: Sequence[Seen]) -> None:
        """A chunk of items, decided about and written."""
        by = {item.id: self._look_at(item) for item in chunk}
        self.copies.look_at(chunk[0].brand_id, [item.id for item in chunk])
        changed, left = self._write(chunk)
        self.overtaken += len(left)
        known = {item.id: item for item in chunk}
        for change in changed:
            self._count(change, known[change.id], by[change.id])

    def end(self) -> None:
        """What became of copies by all that changed."""
        changed = [change for change in self.copies.ended() if change.brand_id in self.names]
        known = {item.id: item for item in marks.items_of(self.app.database, [change.id for change in changed])}
        for change in changed:
            self._count(change, known[change.id], None)

    def _look_at(self, item: Seen) -> str | None:
        excluded, by = self.judge.verdict(item)
        self.items[item.brand_id] += 1
        self.counted[item.brand_id] += item.uncounted is None
        if item.erased_at is None and not self.judge.heeds_words(item):
            self.beyond.setdefault(item.brand_id, Counter())[item.source_id] += 1
        if excluded:
            self.caught.setdefault(item.brand_id, Counter())[by or NO_LONGER_NAMED] += 1
        return by

    def _write(self, chunk: Sequence[Seen]) -> tuple[list[Changed], Sequence[int]]:
        news = self._news(chunk, mutes.in_force(self.app.database))
        if self.dry_run:
            return [change for _, change in news], ()
        changed = list[Changed]()
        decided = [one for one, _ in news]
        for _ in range(ROUNDS):
            done = marks.settle(self.app.database, decided, self.app.now())
            changed.extend(done.changed)
            if not done.overtaken:
                return changed, ()
            decided = [self._decided(item) for item in marks.items_of(self.app.database, done.overtaken)]
        return changed, done.overtaken

    def _news(self, chunk: Iterable[Seen], muted: Mutes) -> list[tuple[Decided, Changed]]:
        """The items that count otherwise now, and how."""
        found = ((item, self._decided(item)) for item in chunk)
        changes = (
            (one, Changed(item.id, item.brand_id, item.uncounted, marks.reason_of(item, one, muted)))
            for item, one in found
        )
        return [(one, change) for one, change in changes if change.before != change.after]

    def _decided(self, item: Seen) -> Decided:
        return Decided(item, self.judge.verdict(item)[0], self.copies.is_copy(item))

    def _count(self, change: Changed, item: Seen, by: str | None) -> None:
        key = (change.brand_id, change.before, change.after)
        self.counts[key] += 1
        examples = self.shifts.setdefault(key, [])
        if len(examples) < EXAMPLES:
            examples.append(Example(item.id, item.title, item.text, by if change.after == EXCLUDED else None))

    def ended(self) -> Rematched:
        shifts = [
            Shift(self.names[brand_id], before, after, self.counts[brand_id, before, after], tuple(examples))
            for (brand_id, before, after), examples in self.shifts.items()
        ]
        shifts.sort(key=lambda shift: (shift.brand, -shift.count, shift.before or "", shift.after or ""))
        return Rematched(
            dry_run=self.dry_run,
            items=self.items.total(),
            changed=self.counts.total(),
            overtaken=self.overtaken,
            brands=tuple(self._totals(brand_id) for brand_id in sorted(self.names, key=self.names.__getitem__)),
            shifts=tuple(shifts),
        )

    def _totals(self, brand_id: int) -> BrandTotals:
        moved = sum(
            n * ((after is None) - (before is None)) for (of, before, after), n in self.counts.items() if of == brand_id
        )
        counted = self.counted[brand_id]
        caught = dict(self.caught.get(brand_id, Counter()).most_common())
        beyond = self.judge.named(self.beyond.get(brand_id, Counter()))
        return BrandTotals(self.names[brand_id], self.items[brand_id], counted, counted + moved, caught, beyond)
