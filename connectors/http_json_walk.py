"""PURE  Going through a listing of whatever order and paging, so that what was stored up to a cursor is never lost.

- newest first: from the top down to what is known (and ``overlap`` below it); a sweep cut off goes on at its page, and a new
  one follows from the top.
- oldest first: from the top, or from ``{since}`` where the API takes it, to the end; a sweep cut off goes on at its page.
- unordered: as oldest first, but a sweep cut off begins anew, since nobody knows where an entry will stand then.

What is known moves up only when a sweep has come to its end.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, TypeGuard

from connectors.contract import Item, JsonValue, Skipped
from connectors.errors import Malformed, NotThere

Place: TypeAlias = "str | int | None"
"""A page: its token or link, its number (from 1), or ``None`` for the first one."""
Order: TypeAlias = Literal["newest first", "oldest first", "unordered"]
TOKEN = 4000
"""Characters that a token or link may have."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One page. Times in seconds since 1970, by which it is sorted: ``newest`` and ``oldest`` of all, ``last`` of the lowest
    sound entry (``None`` without any). ``next``: the page after it, ``None`` at the end; ``cut``: why the listing ended too
    early, so that the sweep counts for nothing.
    """

    items: Sequence[Item]
    skipped: Sequence[Skipped] = ()
    newest: float | None = None
    oldest: float | None = None
    last: float | None = None
    next: str | int | None = None
    cut: str | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """``overlap`` in seconds is read again below what is known; ``now``: seconds since 1970."""

    order: Order
    overlap: float
    now: Callable[[], float]


@dataclass(frozen=True, slots=True)
class Sweep:
    """All up to ``floor`` is read; ``known``: that is the time of an entry, not where the first pull began. While a sweep is
    under way ``begun`` is when that was, ``high`` the newest it saw and ``at`` the page to go on with."""

    floor: float
    known: bool = False
    high: float | None = None
    begun: float | None = None
    at: str | int | None = None

    @classmethod
    def from_json(cls, state: object, *, since: float) -> Sweep:
        """What a cursor holds, or a new sweep down to ``since``; a damaged state begins anew, which loses nothing."""
        held = state if isinstance(state, Mapping) else {}
        floor, high, begun, at = (held.get(key) for key in ("floor", "high", "begun", "at"))
        if not _sound(floor):
            return cls(since)
        known = held.get("known") is True
        if not _sound(begun) or isinstance(at, bool) or not isinstance(at, str | int) or len(str(at)) > TOKEN:
            return cls(float(floor), known)
        return cls(float(floor), known, float(high) if _sound(high) else None, float(begun), at)

    def to_json(self) -> dict[str, JsonValue]:
        return {"floor": self.floor, "known": self.known, "high": self.high, "begun": self.begun, "at": self.at}

    def anew(self) -> Sweep:
        return Sweep(self.floor, self.known)

    def after(self, leaf: Leaf, rules: Rules) -> Sweep:
        """The sweep after one page; its ``at`` is ``None`` once it has come to its end."""
        begun = rules.now() if self.begun is None else self.begun
        high = self._high(leaf, begun, rules.order)
        if leaf.next is not None and leaf.cut is None and not self._reached(leaf, rules):
            return replace(self, high=high, begun=begun, at=leaf.next)
        if leaf.cut is not None or high is None:
            return self.anew()
        return Sweep(max(self.floor, high), known=self.known or high >= self.floor)

    def _high(self, leaf: Leaf, begun: float, order: Order) -> float | None:
        """The newest that a sweep in this order may count as known. An entry of the future would hide what comes until then."""
        if leaf.newest is None or (order == "newest first" and self.high is not None):
            return self.high
        newest = min(leaf.newest, begun)
        return newest if self.high is None else max(self.high, newest)

    def _reached(self, leaf: Leaf, rules: Rules) -> bool:
        return rules.order == "newest first" and leaf.last is not None and leaf.last < self.floor - rules.overlap


Read: TypeAlias = Callable[[Place, Sweep], Leaf]


def go_through(sweep: Sweep, rules: Rules, read: Read) -> Iterator[tuple[Leaf, Sweep]]:
    """Each page with the sweep after it. A page that the API does not know any more begins anew from the top."""
    if sweep.at is not None and rules.order != "unordered":
        started = sweep.at
        try:
            for leaf, after in _one(sweep, rules, read):
                sweep = after
                yield leaf, sweep
        except (Malformed, NotThere):
            if sweep.at != started:
                raise
        else:
            if rules.order == "oldest first":
                return
    yield from _one(sweep.anew(), rules, read)


def _one(sweep: Sweep, rules: Rules, read: Read) -> Iterator[tuple[Leaf, Sweep]]:
    at = sweep.at - 1 if isinstance(sweep.at, int) and sweep.at > 1 else sweep.at
    seen: set[Place] = set()
    shown: tuple[str, ...] = ()
    while True:
        leaf = _ended(_read(read, at, sweep, under_way=bool(seen)), at, seen, shown)
        seen.add(at)
        shown = _names(leaf)
        sweep = sweep.after(leaf, rules)
        yield leaf, sweep
        if sweep.at is None:
            return
        at = sweep.at


def _read(read: Read, at: Place, sweep: Sweep, *, under_way: bool) -> Leaf:
    """One page. A number beyond what the API shows ends the listing, and nobody knows whether too early."""
    try:
        return read(at, sweep)
    except (Malformed, NotThere):
        if not under_way or not isinstance(at, int):
            raise
        return Leaf((), cut=f"page {at} was refused; if the list ends there, set page_size or more")


def _ended(leaf: Leaf, at: Place, seen: set[Place], shown: tuple[str, ...]) -> Leaf:
    """The page; ended where the API leads back to where we were, or shows the page before once more."""
    if leaf.next is None or leaf.cut is not None:
        return leaf
    if leaf.next == at:
        return replace(leaf, next=None)  # some say so that the list is over
    if leaf.next in seen:
        return replace(leaf, next=None, cut="the pages lead round in a circle")
    if shown and shown == _names(leaf):
        return replace(leaf, next=None, cut="the same page came again and again; look at paging")
    return leaf


def _names(leaf: Leaf) -> tuple[str, ...]:
    return tuple(item.external_id for item in leaf.items)


def _sound(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
