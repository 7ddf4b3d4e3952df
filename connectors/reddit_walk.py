"""PURE  Walking a newest-first listing that cannot seek by time, so that a pull cut off anywhere is taken up where it ended.

Reddit goes on below a thing that it is given by name (``after``), shows about 1,000 entries, and answers with an empty
page once the named thing is deleted. A sweep therefore keeps its floor until it is through, and starts anew from the top
when its thread is lost; lost twice at the same place, that is the end of the listing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from enum import Enum, auto

from connectors.contract import Cursor, JsonValue
from connectors.reddit_parse import Batch, is_fullname

PAGE_SIZE = 100
PAGES_AT_MOST = 40
"""A sweep of more pages than this is led in a circle."""
LOSSES_AT_MOST = 5
"""How often a sweep starts anew before it is given up as cut off."""
OVERLAP = timedelta(hours=1).total_seconds()
"""Re-read below the watermark, for what was indexed or approved late."""
LATEST = 1e12
"""No time of publishing is later, in seconds since 1970."""
NEARLY = 0.9
"""Ceilings are round figures: from this share of one on, a listing's end is taken for the ceiling."""


class End(Enum):
    """Why a sweep is over."""

    FLOOR = auto()  # it met what an earlier one has read
    BOTTOM = auto()  # there is no more
    CUT = auto()  # there is more, which Reddit does not show


@dataclass(frozen=True, slots=True)
class Sweep:
    """Where a listing stands; times are seconds since 1970.

    ``floor``: everything up to here has been read; ``high``: the newest that the sweep under way has seen; ``after``: the
    name below which it goes on (``None``: at the top); ``low`` and ``pages``: how far it has come from the top;
    ``lost_at`` and ``losses``: how far down its thread was lost, and how often.
    """

    floor: float
    high: float | None = None
    low: float | None = None
    after: str | None = None
    pages: int = 0
    lost_at: float | None = None
    losses: int = 0

    @classmethod
    def from_json(cls, state: object, *, since: float) -> Sweep:
        """The sweep that a cursor holds, or a new one down to ``since``; a damaged state starts anew, which loses nothing."""
        if not isinstance(state, Mapping):
            return cls(floor=since)
        floor, high, low, lost_at = (_number(state.get(key)) for key in ("floor", "high", "low", "lost_at"))
        if floor is None:
            return cls(floor=since)
        after, pages, losses = state.get("after"), _whole(state.get("pages")), _whole(state.get("losses"))
        if not isinstance(after, str) or not is_fullname(after):
            return cls(floor, high, lost_at=lost_at, losses=losses)
        return cls(floor, high, low, after, pages, lost_at, losses)

    def to_json(self) -> dict[str, JsonValue]:
        return {key: value for key, value in asdict(self).items() if value or key == "floor"}

    @property
    def under_way(self) -> bool:
        return self.after is not None

    @property
    def bottom(self) -> float:
        return self.floor - OVERLAP


@dataclass(frozen=True, slots=True)
class Step:
    """The sweep to go on with, why the one before is over, if it is, and how low that had come."""

    sweep: Sweep
    end: End | None
    low: float | None


def advance(sweep: Sweep, batch: Batch, *, ceiling: int, now: float) -> Step:
    """One page further. ``ceiling``: about how many entries Reddit shows of this listing; ``now`` in seconds since 1970."""
    here = _read(sweep, batch)
    if _thread_lost(sweep, batch) and _worth_another(here):
        return Step(_anew(here), None, here.low)
    end = _end(sweep, here, batch, ceiling)
    return Step(here if end is None else _finished(here, now), end, here.low)


def _read(sweep: Sweep, batch: Batch) -> Sweep:
    return replace(
        sweep,
        high=max((x for x in (sweep.high, batch.newest) if x is not None), default=None),
        low=min((x for x in (sweep.low, batch.last) if x is not None), default=None),
        after=batch.after,
        pages=sweep.pages + 1,
    )


def _thread_lost(sweep: Sweep, batch: Batch) -> bool:
    return sweep.after is not None and batch.size == 0 and batch.after is None


def _worth_another(here: Sweep) -> bool:
    return here.low is not None and here.low != here.lost_at and here.losses < LOSSES_AT_MOST


def _anew(here: Sweep) -> Sweep:
    lost_at = min(x for x in (here.low, here.lost_at) if x is not None)
    return Sweep(here.floor, here.high, lost_at=lost_at, losses=here.losses + 1)


def _end(before: Sweep, here: Sweep, batch: Batch, ceiling: int) -> End | None:
    if batch.last is not None and batch.last <= before.bottom:
        return End.FLOOR
    repeated = batch.after is not None and batch.after == before.after
    if batch.after is not None and not repeated and here.pages < PAGES_AT_MOST:
        return None
    seen = before.pages * PAGE_SIZE + batch.size
    above_floor = here.low is not None and here.low > here.floor
    broken_off = batch.after is not None or here.losses >= LOSSES_AT_MOST or seen >= NEARLY * ceiling
    return End.CUT if above_floor and broken_off else End.BOTTOM


def _finished(here: Sweep, now: float) -> Sweep:
    """The next sweep's start. A time of publishing that lies in the future must not hide what comes until then."""
    return Sweep(floor=here.floor if here.high is None else max(here.floor, min(here.high, now)))


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if abs(value) < LATEST else None


class Book:
    """The cursor under way: where each listing stands, and who has waited longest for a turn.

    A pull that its budget cuts short starts next time with what it did not come to, so that none starves.
    """

    def __init__(self, cursor: Cursor | None, since: float) -> None:
        entries = (cursor or {}).get("listings")
        self._read = entries if isinstance(entries, Mapping) else {}
        self._since = since
        self._sweeps: dict[str, Sweep] = {}
        self._turns = {key: turn for key in self._read if (turn := self._turn_of(key))}

    def sweep(self, key: str, *, otherwise: float | None = None) -> Sweep:
        """Where this listing stands; a new one goes down to ``otherwise`` (default: where the pull reaches)."""
        if key not in self._sweeps:
            floor = self._since if otherwise is None else otherwise
            self._sweeps[key] = Sweep.from_json(self._read.get(key), since=floor)
        return self._sweeps[key]

    def note(self, key: str, sweep: Sweep) -> None:
        self._sweeps[key] = sweep

    def had_turn(self, key: str) -> None:
        self._turns[key] = 1 + max(self._turns.values(), default=0)

    def turn(self, key: str) -> int:
        """Lower is due sooner."""
        return self._turns.get(key, 0)

    def cursor(self, keys: Iterable[str]) -> Cursor:
        """Where these listings stand; the others are forgotten."""
        known = {key: self.sweep(key) for key in keys if key in self._sweeps or key in self._read}
        return {"listings": {key: {**sweep.to_json(), "turn": self.turn(key)} for key, sweep in known.items()}}

    def _turn_of(self, key: str) -> int:
        entry = self._read.get(key)
        turn = entry.get("turn") if isinstance(entry, Mapping) else None
        return turn if isinstance(turn, int) else 0
