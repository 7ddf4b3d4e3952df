"""PURE  How unusual is one period? Volume against what is expected, drops against the weeks before, silence. Source: METRICS 5.

Like with like: a period is judged by the sources that were read throughout it and whose history is long enough, and what is
usual is learned from the same sources. A gap is never a zero, and a source that is new raises no alert by what it adds.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final, NamedTuple

from monitor.config.watching import AlertKind
from monitor.metrics.change import Change, Verdict, compare
from monitor.metrics.expected import HISTORY, LEAST_HISTORY, Expected, Slot, together, usual
from monitor.metrics.intervals import mover
from monitor.metrics.ratings import RatingTally
from monitor.sums import rating_tally, tally_of
from storage.records import Sums

BEFORE: Final = timedelta(weeks=4)
"""What a drop is measured against."""
LONGEST: Final = timedelta(days=7)
"""A score or mean of few items is taken over so many days at most."""
STEADY: Final = 0.7
"""A source is judged by if it was read throughout this share of its history's periods."""
GOES_ON: Final = 10.0
"""An episode goes on as long as a period is no more than so many times as likely as what begins one."""


class Period(NamedTuple):
    """A local day or hour, with its weekday (0 is Monday) and hour (0 for days)."""

    start: datetime
    end: datetime
    weekday: int
    hour: int


@dataclass(frozen=True, slots=True)
class Track:
    """One source over the periods: sums by the number of a period, and the numbers in which it was not read throughout.

    ``watched_from``: its first good pull; what was published before came as a backfill. ``known_until``: read up to there.
    """

    name: str
    sums: Mapping[int, Sums]
    gaps: Collection[int] = frozenset()
    watched_from: datetime | None = None
    known_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """When an alert fires. ``alpha``: how unlikely by chance; the others: how large it must be."""

    kind: AlertKind
    alpha: float
    min_count: int
    min_ratio: float = 1.5
    min_drop: float = 0.0
    cool_down: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a period comes to. ``goes_on``: too unusual to end an episode; ``whole``: over, and read by all that is judged.

    ``limit``: what it was judged by: what is usual, and the count from which it fires.
    """

    period: Period
    fires: bool
    goes_on: bool
    whole: bool
    figures: Mapping[str, Any]
    limit: tuple[Expected, int] | None = None
    alpha: float = 0.0

    @property
    def chance(self) -> float:
        """How often such a period fires though nothing happened."""
        if self.limit is None:
            return self.alpha
        expected, least = self.limit
        return min(expected.p(least), expected.p(expected.most(self.alpha) + 1))


Effects = Callable[[datetime, datetime, datetime, Collection[str]], tuple[float | None, float | None]]
"""Design effects of a score from ``start`` to ``end`` and from ``before`` to ``start``, over these sources."""


def independent(_before: datetime, _start: datetime, _end: datetime, _names: Collection[str]) -> tuple[float, float]:
    """Items are not looked at one by one."""
    return 1.0, 1.0


@dataclass
class Series:
    """Periods without a hole between them, in order, and the sources over them."""

    periods: Sequence[Period]
    tracks: Sequence[Track]
    now: datetime
    _summed: dict[tuple[str, ...], list[Sums]] = field(default_factory=dict, init=False)
    _known: dict[str, list[int]] = field(default_factory=dict, init=False)

    def first(self, at: datetime) -> int:
        """The number of the first period that begins at ``at`` or after."""
        return bisect_left(self.periods, at, key=lambda period: period.start)

    def judged_by(self, number: int, *, live: bool) -> tuple[str, ...]:
        """The sources by which a period is judged."""
        return tuple(track.name for track in self.tracks if self._fit(track, number, live=live))

    def _fit(self, track: Track, number: int, *, live: bool) -> bool:
        period = self.periods[number]
        if live and (track.watched_from is None or track.watched_from > period.start):
            return False
        if number in track.gaps and period.end <= self.now:
            return False
        known = self._known_numbers(track)
        low, high = bisect_left(known, self.first(period.start - HISTORY)), bisect_left(known, number)
        if low == high or period.start - self.periods[known[low]].start < LEAST_HISTORY:
            return False
        return high - low >= STEADY * (number - known[low])

    def _known_numbers(self, track: Track) -> list[int]:
        if track.name not in self._known:
            gaps = frozenset(track.gaps)
            self._known[track.name] = [number for number in range(len(self.periods)) if number not in gaps]
        return self._known[track.name]

    def sums(self, names: tuple[str, ...]) -> list[Sums]:
        """The sums of these sources together, by period."""
        if names not in self._summed:
            chosen = [track.sums for track in self.tracks if track.name in names]
            self._summed[names] = [
                _added([one[number] for one in chosen if number in one]) for number in range(len(self.periods))
            ]
        return self._summed[names]

    def known(self, names: Collection[str], number: int) -> bool:
        """Were all of these read throughout the period?"""
        return not any(number in track.gaps for track in self.tracks if track.name in names)

    def is_whole(self, names: Collection[str], number: int) -> bool:
        """Is the period over, and have all of these been read beyond it?"""
        end = self.periods[number].end
        mine = (track.known_until for track in self.tracks if track.name in names)
        return end <= self.now and all(known is not None and known >= end for known in mine)


def _added(parts: Sequence[Sums]) -> Sums:
    if len(parts) < 2:
        return parts[0] if parts else Sums()
    names = {name for part in parts for name in part.values}
    return Sums({name: sum(part[name] for part in parts) for name in names})


def look(
    series: Series,
    rule: Rule,
    number: int,
    unusual: Collection[int],
    effects: Effects = independent,
    *,
    live: bool = False,
) -> Finding | None:
    """What a period comes to; ``None`` where it cannot be judged. ``unusual``: periods that nothing is learned from.

    ``live``: only sources count that were watched by then, not those whose items of that time came later as a backfill.
    """
    names = series.judged_by(number, live=live)
    if not names:
        return None
    if rule.kind in ("volume", "negative_volume"):
        return _crowd(series, rule, number, names, unusual)
    if not series.is_whole(names, number):
        return None
    if rule.kind == "source_silent":
        return _silence(series, rule, number, names, unusual)
    return _drop(series, rule, number, names, unusual, effects)


# ------------------------------------------------------------------------------------------------- volume


def history(
    series: Series, number: int, names: tuple[str, ...], unusual: Collection[int], count: Callable[[Sums], int]
) -> list[Slot]:
    """The periods before one, as what is usual is learned from them."""
    sums, first = series.sums(names), series.first(series.periods[number].start - HISTORY)
    return [
        Slot(one.start, one.weekday, one.hour, count(sums[at]), at not in unusual and series.known(names, at))
        for at, one in enumerate(series.periods[first:number], first)
    ]


def counted(sums: Sums) -> int:
    """All counted items, labelled or not."""
    return tally_of(sums).volume


def _negative(sums: Sums) -> int:
    return sums["negative"]


def _crowd(series: Series, rule: Rule, number: int, names: tuple[str, ...], unusual: Collection[int]) -> Finding | None:
    """More than chance brings? A period that is still running may say so early: more can only come."""
    count = _negative if rule.kind == "negative_volume" else counted
    period = series.periods[number]
    found = usual(history(series, number, names, unusual, count), period.start)
    if found is None:
        return None
    expected, seen = found.of(period.weekday, period.hour), count(series.sums(names)[number])
    least = max(rule.min_count, ceil(rule.min_ratio * expected.mean))
    p = expected.p(seen)
    unlikely = p < GOES_ON * rule.alpha
    figures = _figures(period, names) | {
        "seen": seen,
        "expected": expected.mean,
        "low": expected.least() if unlikely else None,
        "high": expected.most() if unlikely else None,
        "p": p,
        "ratio": seen / expected.mean if expected.mean else None,
        "size": seen / max(expected.mean, 0.5),
    }
    return Finding(
        period,
        fires=p < rule.alpha and seen >= least,
        goes_on=unlikely and seen >= rule.min_ratio * expected.mean,
        whole=series.is_whole(names, number),
        figures=figures,
        limit=(expected, least),
        alpha=rule.alpha,
    )


def _figures(period: Period, names: Iterable[str]) -> dict[str, Any]:
    return {"start": period.start.isoformat(), "end": period.end.isoformat(), "sources": list(names)}


# ------------------------------------------------------------------------------------------------- silence


def _silence(
    series: Series, rule: Rule, number: int, names: tuple[str, ...], unusual: Collection[int]
) -> Finding | None:
    """Nothing for so long that chance does not explain it?"""
    sums, period = series.sums(names), series.periods[number]
    first = number
    while first > 0 and counted_all(sums[first]) == 0 and counted_all(sums[first - 1]) == 0:
        first -= 1
    seen = counted_all(sums[number])
    quiet = [one for one in range(first, number + 1) if series.known(names, one)] if seen == 0 else [number]
    found = usual(history(series, first, names, unusual, counted_all), series.periods[first].start)
    if found is None:
        return None
    spans = [series.periods[at] for at in quiet]
    expected = together([found.of(one.weekday, one.hour) for one in spans])
    if expected is None:
        return None
    p = expected.p_none
    fires = seen == 0 and p < rule.alpha and expected.mean >= rule.min_count
    figures = _figures(series.periods[first], names) | {
        "end": period.end.isoformat(),
        "seen": seen,
        "expected": expected.mean,
        "p": p,
        "size": expected.mean,
    }
    return Finding(period, fires, seen == 0, whole=True, figures=figures, alpha=p if expected.mean else 0.0)


def counted_all(sums: Sums) -> int:
    """All that a source brought, not counted items included: it is the source that is looked at."""
    return counted(sums) + sum(tally_of(sums).uncounted.values())


# ------------------------------------------------------------------------------------------------- drops


def _drop(
    series: Series,
    rule: Rule,
    number: int,
    names: tuple[str, ...],
    unusual: Collection[int],
    effects: Effects,
) -> Finding | None:
    """A score or a mean of stars clearly below that of the four weeks before?"""
    first = _stretch(series, rule, number, names)
    if first is None:
        return None
    low = series.first(series.periods[first].start - BEFORE)
    before = [at for at in range(low, first) if at not in unusual and series.known(names, at)]
    now = [at for at in range(first, number + 1) if series.known(names, at)]
    test = _stars if rule.kind == "rating_drop" else _score
    found = test(series, rule, names, now, before, effects)
    if found is None:
        return None
    change, figures = found
    p = 1.0 if change.p is None or (change.delta or 0) >= 0 else change.p
    large = change.delta is not None and change.delta <= -rule.min_drop
    clear = change.verdict is not Verdict.SOURCES_CHANGED
    figures = _figures(series.periods[number], names) | figures
    figures |= {"start": series.periods[first].start.isoformat(), "p": change.p, "size": -(change.delta or 0)}
    return Finding(
        series.periods[number],
        fires=p < rule.alpha and large and clear,
        goes_on=p < GOES_ON * rule.alpha and large,
        whole=True,
        figures=figures,
        alpha=rule.alpha / 2,
    )


def _stretch(series: Series, rule: Rule, number: int, names: tuple[str, ...]) -> int | None:
    """Where the shortest stretch begins that ends with this period and has enough items; ``None`` if none has."""
    sums, n = series.sums(names), 0
    last = series.periods[number]
    for first in range(number, -1, -1):
        if last.end - series.periods[first].start > LONGEST + timedelta(hours=2):
            return None
        if series.known(names, first):
            n += sums[first]["rated"] if rule.kind == "rating_drop" else tally_of(sums[first]).n
        if n >= rule.min_count:
            return first
    return None


def _score(
    series: Series, rule: Rule, names: tuple[str, ...], now: Sequence[int], before: Sequence[int], effects: Effects
) -> tuple[Change, dict[str, Any]] | None:
    """Source: METRICS 2.4. Items are looked at one by one only where their sums alone would fire."""
    here, there = (
        {track.name: tally_of(_over(track, numbers)) for track in series.tracks if track.name in names}
        for numbers in (now, before)
    )
    if not now or not before:
        return None
    change = compare(here, there, set(names), alpha=rule.alpha).change
    if change.p is not None and change.p < rule.alpha and (change.delta or 0) <= -rule.min_drop:
        start, end = series.periods[now[0]].start, series.periods[now[-1]].end
        deffs = effects(series.periods[before[0]].start, start, end, names)
        change = compare(here, there, set(names), alpha=rule.alpha, deff_now=deffs[0], deff_before=deffs[1]).change
    tallies = [sum(one.values(), tally_of(Sums())) for one in (here, there)]
    return change, _told(change, tallies[0].n, tallies[0].score, tallies[1].score)


def _told(change: Change, seen: int, score: float | None, before: float | None) -> dict[str, Any]:
    size = {"delta": change.delta, "low": change.low, "high": change.high}
    return {"seen": seen, "score": score, "before": before, **size}


def _over(track: Track, numbers: Sequence[int]) -> Sums:
    return _added([track.sums[number] for number in numbers if number in track.sums])


def _stars(
    series: Series, _rule: Rule, names: tuple[str, ...], now: Sequence[int], before: Sequence[int], _effects: Effects
) -> tuple[Change, dict[str, Any]] | None:
    """The change of the mean, from the intervals of both means. Source: METRICS 3, 2.4 (MOVER)."""
    sums = series.sums(names)
    here, there = (sum((rating_tally(sums[at]) for at in numbers), RatingTally()) for numbers in (now, before))
    if here.mean is None or there.mean is None:
        return None
    delta = here.mean - there.mean
    shown = _difference(here, there, 0.95)
    change = Change(delta, shown[0], shown[1], _p_of(here, there, delta), Verdict.NO_CLEAR_CHANGE)
    return change, _told(change, here.count, here.mean, there.mean)


def _difference(here: RatingTally, there: RatingTally, level: float) -> tuple[float, float]:
    one, other = here.interval(level), there.interval(level)
    assert one is not None and other is not None, "both have ratings"  # noqa: PT018
    found = mover(here.mean or 0.0, one, there.mean or 0.0, other)
    return found.low, found.high


def _p_of(here: RatingTally, there: RatingTally, delta: float) -> float:
    """The chance at which the interval of the change just reaches no change, to a few per cent of itself."""
    low, high = -40.0, 0.0  # powers of two
    while high - low > 0.05:
        middle = (low + high) / 2
        span = _difference(here, there, 1 - 2.0**middle)
        apart = span[1] < 0 if delta < 0 else span[0] > 0
        low, high = (low, middle) if apart else (middle, high)
    return float(2.0**high)
