"""PURE  Leafing through a newest-first listing that gives page tokens or page numbers, so that a pull cut off goes on later.

Like :mod:`connectors.walk`, for platforms that cannot seek by time: ``at`` keeps the token of the next page. Page numbers
shift when something is deleted, so the page before is read again.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias, TypeGuard

from connectors.contract import Item, JsonValue, Skipped
from connectors.errors import Malformed, NotThere

Place: TypeAlias = "str | int | None"
"""A page: its token, its number, or ``None`` for the first one."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One page. Times in seconds since 1970: ``newest`` of all, ``last`` of the lowest sound entry (``None`` without any).

    ``next``: the page after it, ``None`` at the end; ``cut``: the listing ended too early, so it counts for nothing.
    """

    items: Sequence[Item]
    skipped: Sequence[Skipped]
    newest: float | None
    last: float | None
    next: str | int | None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Sweep:
    """How far a listing is read: all down to ``floor``; while a sweep is under way ``high`` is what was newest when it
    began and ``at`` the page to go on with; ``rounds`` counts finished sweeps."""

    floor: float
    high: float | None = None
    at: str | int | None = None
    rounds: int = 0

    @classmethod
    def from_json(cls, state: object, *, since: float) -> Sweep:
        """What a cursor holds, or a new sweep down to ``since``; a damaged state begins anew, which loses nothing."""
        held = state if isinstance(state, Mapping) else {}
        floor, high, at, rounds = (held.get(key) for key in ("floor", "high", "at", "rounds"))
        if not _sound(floor):
            return cls(floor=since)
        whole = rounds if isinstance(rounds, int) and not isinstance(rounds, bool) and rounds >= 0 else 0
        if isinstance(at, bool) or not isinstance(at, str | int):
            return cls(float(floor), rounds=whole)
        return cls(float(floor), float(high) if _sound(high) else None, at, whole)

    def to_json(self) -> dict[str, JsonValue]:
        return {"floor": self.floor, "high": self.high, "at": self.at, "rounds": self.rounds}

    @property
    def turn(self) -> tuple[bool, int]:
        """Of several listings the one cut off goes first, or it might be cut off for ever; then who was read least often."""
        return self.at is None, self.rounds

    def anew(self) -> Sweep:
        return Sweep(self.floor, rounds=self.rounds)

    def after(self, leaf: Leaf, overlap: float) -> Sweep:
        """The sweep after one page; its ``at`` is ``None`` once it has come to its end."""
        high = leaf.newest if self.high is None else self.high
        reached = leaf.last is not None and leaf.last < self.floor - overlap
        if leaf.next is not None and not reached:
            return replace(self, high=high, at=leaf.next)
        floor = self.floor if leaf.cut or high is None else max(self.floor, high)
        return Sweep(floor, rounds=self.rounds + 1)


Read: TypeAlias = Callable[[Place, Sweep], Leaf]


def leaf_through(sweep: Sweep, overlap: float, read: Read) -> Iterator[tuple[Leaf, Sweep]]:
    """Each page with the sweep after it: the sweep under way first, then a new one from the top.

    ``overlap`` (seconds) is re-read below the floor, for what was indexed late. A token that the platform does not take any
    more begins anew from the top.
    """
    if sweep.at is not None:
        try:
            for leaf, after in _one(sweep, overlap, read):
                sweep = after
                yield leaf, sweep
        except (Malformed, NotThere):
            if sweep.at is None:
                raise
    yield from _one(sweep.anew(), overlap, read)


def _one(sweep: Sweep, overlap: float, read: Read) -> Iterator[tuple[Leaf, Sweep]]:
    at = sweep.at - 1 if isinstance(sweep.at, int) and sweep.at > 1 else sweep.at
    seen: set[Place] = set()
    while True:
        leaf = read(at, sweep)
        seen.add(at)
        if leaf.next in seen:
            leaf = replace(leaf, next=None)
        sweep = sweep.after(leaf, overlap)
        yield leaf, sweep
        if sweep.at is None:
            return
        at = sweep.at


def _sound(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
