"""PURE  Walking a newest-first listing that can seek, so that a pull cut off anywhere is taken up where it ended.

The state of a walk is ``{high, low, floor}`` in the platform's own time (any ordered number: seconds, an id):

- ``floor``: everything up to here has been read by an earlier sweep;
- ``high``: the newest thing seen when the sweep under way began;
- ``low``: how far down that sweep has come; ``None`` when none is under way.

A pull first finishes the sweep under way (from ``low`` down to ``floor``), then makes a new one from the top. A quota or a
crash that ends every pull early therefore still comes to the end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from connectors.contract import Item, JsonValue, Skipped


@dataclass(frozen=True, slots=True)
class Walk:
    """Where a walk stands. ``overlap`` is re-read below ``floor`` each sweep, for what was indexed late."""

    floor: float
    high: float | None = None
    low: float | None = None

    @classmethod
    def from_json(cls, state: object, *, since: float) -> Walk:
        """The walk that a cursor holds, or a new one down to ``since``; a damaged state starts anew, which loses nothing."""
        if not isinstance(state, Mapping):
            return cls(floor=since)
        floor, high, low = (_number(state.get(key)) for key in ("floor", "high", "low"))
        if floor is None or (low is not None and high is None):
            return cls(floor=since)
        return cls(floor, high, low)

    def to_json(self) -> dict[str, JsonValue]:
        return {"floor": self.floor, "high": self.high, "low": self.low}

    @property
    def under_way(self) -> bool:
        return self.low is not None

    def down_to(self, newest: float, oldest: float) -> Walk:
        """The walk after a page that spanned ``oldest``..``newest``."""
        high = newest if self.high is None else max(self.high, newest)
        return replace(self, high=high, low=oldest if self.low is None else min(self.low, oldest))

    def finished(self) -> Walk:
        """The walk after its sweep reached the floor, or the listing's end."""
        return Walk(floor=self.floor if self.high is None else max(self.floor, self.high))


@dataclass(frozen=True, slots=True)
class Step:
    """One page of a listing: what it holds, its span in the platform's time (``None`` when empty), and whether it was the last."""

    items: Sequence[Item]
    newest: float | None
    oldest: float | None
    last: bool
    skipped: Sequence[Skipped] = ()


Read = Callable[[float | None, float], Iterator[Step]]
"""``read(top, bottom)`` lists what lies between ``top`` (``None``: from the newest) and ``bottom``, newest first, ends included."""


def sweep(walk: Walk, overlap: float, read: Read) -> Iterator[tuple[Step, Walk]]:
    """Each page with the walk after it: the sweep under way first, then a new one from the top."""
    if walk.under_way:
        for step in read(walk.low, walk.floor - overlap):
            walk = _after(walk, step)
            yield step, walk
            if step.last:
                break
    for step in read(None, walk.floor - overlap):
        walk = _after(walk, step)
        yield step, walk
        if step.last:
            break


def down(page: Callable[[float | None, int], Step], top: float | None) -> Iterator[Step]:
    """Reads a listing that takes an upper bound in time, ends included, and a page number, from 1 on: ``page(top, number)``.

    It goes down from the oldest of each page, so that nothing shifts when something is published or deleted meanwhile; pages
    are counted only within an instant that fills them. A platform that shows the same page for ever ends it without a last
    step: what lies below is read by the next pull.
    """
    number, before = 1, None
    while True:
        step = page(top, number)
        shown = ([item.external_id for item in step.items], [entry.what for entry in step.skipped])
        if shown == before and not step.last:
            return
        yield step
        if step.last:
            return
        if step.oldest is not None and step.oldest != top:
            top, number, before = step.oldest, 1, None
        else:
            number, before = number + 1, shown


def _after(walk: Walk, step: Step) -> Walk:
    if step.newest is not None and step.oldest is not None:
        walk = walk.down_to(step.newest, step.oldest)
    return walk.finished() if step.last else walk


def _number(value: object) -> float | None:
    sound = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return value if sound else None  # type: ignore[return-value]
