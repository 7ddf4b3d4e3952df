"""PURE  Did the score really move? Two windows compared, like with like."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from enum import StrEnum
from math import erfc, sqrt
from typing import TypeVar

from monitor.metrics.intervals import Interval, mover, score_interval
from monitor.metrics.sentiment import Tally

ALPHA = 0.05
LEAST_ITEMS = 20
LEAST_POLAR = 5

Key = TypeVar("Key")


class Verdict(StrEnum):
    """What may be said of a change. Source: METRICS 2.4."""

    UP = "up"
    DOWN = "down"
    NO_CLEAR_CHANGE = "no clear change"
    TOO_FEW = "too few to tell"
    SOURCES_CHANGED = "sources changed"


@dataclass(frozen=True, slots=True)
class Change:
    """``delta`` = score now minus score before, in [-2, 2], with its 95 % interval for display; ``None`` is unknown.

    The verdict rests on ``p`` alone (two-sided), never on the interval; ``p`` is ``None`` where there are too few to tell.
    """

    delta: float | None
    low: float | None
    high: float | None
    p: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Part:
    """How much of a change comes from the mix of sources, and how much from within them. They add up to the change."""

    mix: float
    within: float

    def __add__(self, other: Part) -> Part:
        return Part(self.mix + other.mix, self.within + other.within)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A change over the sources that were complete in both windows, its split, and the sources with items left out."""

    change: Change
    split: Part | None
    by_source: Mapping[str, Part]
    left_out: frozenset[str]


def change(
    now: Tally,
    before: Tally,
    *,
    deff_now: float | None = 1.0,
    deff_before: float | None = 1.0,
    alpha: float = ALPHA,
) -> Change:
    """The change of the score between two windows; an unknown design effect (``None``) leaves too few to tell.

    Speaks from 20 items in each window and 5 positive and 5 negative in both together, all counted over the design
    effects; there the test's real size is .04-.08 at ``alpha`` .05. Source: METRICS 2.4.
    """
    score_now, score_before = now.score, before.score
    if score_now is None or score_before is None:
        return Change(None, None, None, None, Verdict.TOO_FEW)
    delta = score_now - score_before
    shown = _shown(now, before, deff_now, deff_before)
    low, high = (shown.low, shown.high) if shown else (None, None)
    p = _p_value(now, before, deff_now, deff_before)
    return Change(delta, low, high, p, _verdict(delta, p, alpha))


def compare(
    now: Mapping[str, Tally],
    before: Mapping[str, Tally],
    complete: Set[str],
    *,
    deff_now: float | None = 1.0,
    deff_before: float | None = 1.0,
    alpha: float = ALPHA,
) -> Comparison:
    """The change of the score, like with like: ``now`` and ``before`` by source, ``complete`` those without a gap in both.

    Other sources are left out of both windows and named. *Sources changed* is the verdict where the mix of sources moved
    the score beyond chance and either moved it more than the sources themselves did, or hides what they did (alone, they
    would give another verdict); and where no source is left to compare. Source: METRICS 2.4.
    """
    compared = sorted(source for source in complete if _n(now, source) or _n(before, source))
    left_out = frozenset(source for source in now.keys() | before.keys() if source not in complete)
    left_out = frozenset(source for source in left_out if _n(now, source) or _n(before, source))
    total = change(
        _pooled(now, compared), _pooled(before, compared), deff_now=deff_now, deff_before=deff_before, alpha=alpha
    )
    if total.delta is None:
        verdict = Verdict.SOURCES_CHANGED if left_out and not compared else total.verdict
        return Comparison(replace(total, verdict=verdict), None, {}, left_out)
    strata = _strata(now, before, compared)
    parts = {stratum.source: stratum.part for stratum in strata}
    split = sum(parts.values(), Part(0.0, 0.0))
    if total.p is not None and _mix_tells(strata, split, total.verdict, deff_now or 1.0, deff_before or 1.0, alpha):
        total = replace(total, verdict=Verdict.SOURCES_CHANGED)
    return Comparison(total, split, parts, left_out)


def settle(changes: Mapping[Key, Change], alpha: float = ALPHA) -> dict[Key, Change]:
    """Changes of many series tested at once, their p-values and verdicts under control of false discoveries.

    Series with too few to tell are no tests and stay as they are. Source: METRICS 2.4.
    """
    tested = {key: one.p for key, one in changes.items() if one.p is not None}
    adjusted = dict(zip(tested, control(list(tested.values())), strict=True))
    return {key: _settled(one, adjusted[key], alpha) if key in adjusted else one for key, one in changes.items()}


def control(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted so that calling those below alpha keeps the false discovery rate under alpha, in their order.

    Source: METRICS 2.4; Benjamini, Hochberg 1995, Journal of the Royal Statistical Society B 57, 289-300.
    """
    count = len(p_values)
    adjusted = [1.0] * count
    least = 1.0
    for rank, index in zip(
        range(count, 0, -1), sorted(range(count), key=p_values.__getitem__, reverse=True), strict=True
    ):
        least = min(least, p_values[index] * count / rank)
        adjusted[index] = least
    return adjusted


def _shown(now: Tally, before: Tally, deff_now: float | None, deff_before: float | None) -> Interval | None:
    one, other = score_interval(now, deff_now), score_interval(before, deff_before)
    if one is None or other is None:
        return None
    return mover(now.score or 0.0, one, before.score or 0.0, other)


def _p_value(now: Tally, before: Tally, deff_now: float | None, deff_before: float | None) -> float | None:
    """The two-sided p of no change, from counts over the design effects; ``None`` where the test has no say."""
    if deff_now is None or deff_before is None:
        return None
    n_now, n_before = now.n / deff_now, before.n / deff_before
    positive = now.positive / deff_now + before.positive / deff_before
    negative = now.negative / deff_now + before.negative / deff_before
    if min(n_now, n_before) < LEAST_ITEMS or min(positive, negative) < LEAST_POLAR:
        return None
    n = n_now + n_before
    variance = (positive + negative) / n - ((positive - negative) / n) ** 2
    gap = (now.positive - now.negative) / now.n - (before.positive - before.negative) / before.n
    return _two_sided(gap, variance * (1 / n_now + 1 / n_before))


def _two_sided(gap: float, variance: float) -> float:
    if variance <= 0:
        return 1.0
    return erfc(abs(gap) / sqrt(2 * variance))


def _verdict(delta: float, p: float | None, alpha: float) -> Verdict:
    if p is None:
        return Verdict.TOO_FEW
    if p >= alpha:
        return Verdict.NO_CLEAR_CHANGE
    return Verdict.UP if delta > 0 else Verdict.DOWN


def _settled(one: Change, p: float, alpha: float) -> Change:
    if one.verdict is Verdict.SOURCES_CHANGED or one.delta is None:
        return replace(one, p=p)
    return replace(one, p=p, verdict=_verdict(one.delta, p, alpha))


@dataclass(frozen=True, slots=True)
class _Stratum:
    """One source in both windows: its counts, and its share of each window."""

    source: str
    now: Tally
    before: Tally
    share_now: float
    share_before: float

    @property
    def share(self) -> float:
        return (self.share_now + self.share_before) / 2

    @property
    def score(self) -> float:
        """Its mean score; of one window where the other has no item, so that a source's silence is all mix."""
        known = [tally.score for tally in (self.now, self.before) if tally.score is not None]
        return sum(known) / len(known)

    @property
    def part(self) -> Part:
        """Source: Kitagawa 1955, Journal of the American Statistical Association 50, 1168-1194."""
        gap = 0.0 if self.now.score is None or self.before.score is None else self.now.score - self.before.score
        return Part(mix=(self.share_now - self.share_before) * self.score, within=self.share * gap)

    def within_variance(self, deff_now: float, deff_before: float) -> float:
        """The variance of ``part.within`` if the source's score had not changed."""
        if not self.now.n or not self.before.n:
            return 0.0
        both = self.now + self.before
        variance = (both.positive + both.negative) / both.n - (both.score or 0.0) ** 2
        return self.share**2 * variance * (deff_now / self.now.n + deff_before / self.before.n)


def _strata(now: Mapping[str, Tally], before: Mapping[str, Tally], compared: Sequence[str]) -> list[_Stratum]:
    n_now, n_before = _pooled(now, compared).n, _pooled(before, compared).n
    return [
        _Stratum(
            source,
            now.get(source, Tally()),
            before.get(source, Tally()),
            _n(now, source) / n_now,
            _n(before, source) / n_before,
        )
        for source in compared
    ]


def _mix_tells(
    strata: Sequence[_Stratum], split: Part, verdict: Verdict, deff_now: float, deff_before: float, alpha: float
) -> bool:
    """Whether the mix of sources, not the sources, makes what is seen (see :func:`compare`)."""
    n_now, n_before = sum(one.now.n for one in strata), sum(one.before.n for one in strata)
    mean = sum(one.share * one.score for one in strata)
    between = sum(one.share * (one.score - mean) ** 2 for one in strata)
    if _two_sided(split.mix, between * (deff_now / n_now + deff_before / n_before)) >= alpha:
        return False
    within_p = _two_sided(split.within, sum(one.within_variance(deff_now, deff_before) for one in strata))
    return abs(split.mix) > abs(split.within) or _verdict(split.within, within_p, alpha) is not verdict


def _pooled(tallies: Mapping[str, Tally], sources: Sequence[str]) -> Tally:
    return sum((tallies[source] for source in sources if source in tallies), Tally())


def _n(tallies: Mapping[str, Tally], source: str) -> int:
    return tallies[source].n if source in tallies else 0
