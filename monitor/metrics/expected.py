"""PURE  How much is usual: the expected volume of a day or hour, and how unlikely what was seen is. Source: METRICS 5.

Counts of talk are overdispersed (one story brings many items), so that chance is judged by a negative binomial whose dispersion
is taken from the history itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import exp, lgamma, log, log1p, sqrt
from typing import Final, NamedTuple

HISTORY: Final = timedelta(weeks=8)
LEAST_HISTORY: Final = timedelta(weeks=2)
LEAST_FACTOR: Final = 0.05
"""No weekday or hour is taken for wholly silent: one item in it would be without bound unlikely."""
SHRINK: Final = 1.0
"""Slots of the average kind that each factor is mixed with: a factor from a few slots strays."""
BAND: Final = 0.025
"""What is left out at each end of the usual band."""
SMALLEST: Final = 1e-300
"""Chances below are none: so near to 0 a product may never reach it."""


class Slot(NamedTuple):
    """A local day or hour: its weekday (0 is Monday), its hour (0 for days), its items, and whether it is known and usual.

    ``known`` is false where a source had a gap, or in an alerted period: nothing is learned from it.
    """

    start: datetime
    weekday: int
    hour: int
    items: int
    known: bool = True


@dataclass(frozen=True, slots=True)
class Expected:
    """What is usual for a slot. ``phi``: variance over mean of the history, at least 1; ``slots``: how many it rests on."""

    mean: float
    phi: float
    slots: int

    def p(self, count: int) -> float:
        """How often so much or more would come by chance. Source: METRICS 5."""
        return at_least(count, self.mean, self.phi)

    @property
    def p_none(self) -> float:
        """How often nothing at all would come by chance."""
        return exp(-self.mean * (log(self.phi) / (self.phi - 1) if self.phi > 1 + 1e-9 else 1.0))

    def most(self, alpha: float = BAND) -> int:
        """The most that chance brings, but for a share ``alpha`` of the slots: the top of the usual band."""
        step = max(1, int(sqrt(self.mean * self.phi)))
        low = high = int(self.mean)
        while self.p(high + 1) > alpha:
            low, high = high, high + step
        while low > 0 and self.p(low) <= alpha:
            low, high = max(0, low - step), low
        while low < high:
            middle = (low + high) // 2
            low, high = (low, middle) if self.p(middle + 1) <= alpha else (middle + 1, high)
        return low

    def least(self, alpha: float = BAND) -> int:
        """The least that chance brings, but for a share ``alpha`` of the slots: the bottom of the usual band."""
        low, high = 0, self.most(0.5)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if 1 - self.p(middle) <= alpha else (low, middle - 1)
        return low


@dataclass(frozen=True, slots=True)
class Usual:
    """What a history says of any slot: ``level x weekday factor x hour factor``. Source: METRICS 5."""

    level: float
    phi: float
    slots: int
    weekdays: Mapping[int, float] = field(default_factory=dict)
    hours: Mapping[int, float] = field(default_factory=dict)

    def of(self, weekday: int, hour: int = 0) -> Expected:
        """What is usual on this weekday, at this hour; one that the history does not hold is taken for an average one."""
        mean = self.level * self.weekdays.get(weekday, 1.0) * self.hours.get(hour, 1.0)
        return Expected(mean, self.phi, self.slots)


def usual(history: Sequence[Slot], at: datetime) -> Usual | None:
    """What is usual from ``at`` on, after the slots of the 8 weeks before; ``None`` under two weeks of known history.

    Source: METRICS 5.
    """
    known = [one for one in history if one.known and at - HISTORY <= one.start < at]
    if not known or at - min(one.start for one in known) < LEAST_HISTORY:
        return None
    level = sum(one.items for one in known) / len(known)
    if level == 0:
        return Usual(0.0, 1.0, len(known))
    weekdays = _factors([(one.weekday, one.items / level) for one in known])
    hours = _factors([(one.hour, one.items / (level * weekdays[one.weekday])) for one in known])
    means = [level * weekdays[one.weekday] * hours[one.hour] for one in known]
    phi = _phi([one.items for one in known], means, len(weekdays) + len(hours) - 1)
    return Usual(level, phi, len(known), weekdays, hours)


def expected(history: Sequence[Slot], slot: Slot) -> Expected | None:
    """What is usual for ``slot`` after the slots before it; ``None`` under two weeks of known history. Source: METRICS 5."""
    found = usual(history, slot.start)
    return None if found is None else found.of(slot.weekday, slot.hour)


def together(parts: Sequence[Expected]) -> Expected | None:
    """What is usual for several slots in one; ``None`` of none."""
    if not parts:
        return None
    mean = sum(part.mean for part in parts)
    phi = sum(part.phi * part.mean for part in parts) / mean if mean else 1.0
    return Expected(mean, phi, min(part.slots for part in parts))


def at_least(count: int, mean: float, phi: float) -> float:
    """P(Y >= count) for a negative binomial of this mean and variance ``phi * mean``; Poisson where ``phi`` is 1.

    Source: METRICS 5 (``nbinom.sf(y - 1, r, r / (r + mu))`` with ``r = mu / (phi - 1)``).
    """
    if count <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    r = mean / (phi - 1) if phi > 1 + 1e-9 else None
    term = exp(_log_pmf(count, mean, r))
    if term <= SMALLEST:
        return 1.0 if count <= mean else 0.0
    if count <= mean:  # the lower tail is the shorter one
        return max(0.0, min(1.0, 1.0 - _below(count, mean, r, term)))
    tail, k = 0.0, count
    while term > SMALLEST:
        tail += term
        if term < tail * 1e-15:
            break
        term *= _ratio(k, mean, r)
        k += 1
    return min(1.0, tail)


def _below(count: int, mean: float, r: float | None, term: float) -> float:
    """P(Y < count), summed downwards from the term at ``count``."""
    total = 0.0
    for k in range(count - 1, -1, -1):
        term /= _ratio(k, mean, r)
        total += term
        if term < total * 1e-15:
            break
    return total


def _ratio(k: int, mean: float, r: float | None) -> float:
    """P(k + 1) / P(k)."""
    return mean / (k + 1) if r is None else (k + r) / (k + 1) * mean / (r + mean)


def _log_pmf(k: int, mean: float, r: float | None) -> float:
    if r is None:
        return k * log(mean) - mean - lgamma(k + 1)
    q = mean / (r + mean)
    return lgamma(k + r) - lgamma(r) - lgamma(k + 1) + r * log1p(-q) + k * log(q)


def _factors(relative: Sequence[tuple[int, float]]) -> dict[int, float]:
    """The mean of each kind's relative counts, drawn a little towards 1."""
    sums: dict[int, float] = {}
    sizes: dict[int, int] = {}
    for kind, value in relative:
        sums[kind] = sums.get(kind, 0.0) + value
        sizes[kind] = sizes.get(kind, 0) + 1
    return {kind: max(LEAST_FACTOR, (sums[kind] + SHRINK) / (sizes[kind] + SHRINK)) for kind in sums}


def _phi(counts: Sequence[int], means: Sequence[float], fitted: int) -> float:
    """Pearson's chi-squared over its degrees of freedom, at least 1. Source: METRICS 5."""
    freedom = len(counts) - fitted
    if freedom < 1:
        return 1.0
    return max(1.0, sum((y - mean) ** 2 / mean for y, mean in zip(counts, means, strict=True)) / freedom)
