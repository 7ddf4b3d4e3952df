"""Sums of rollups -> figures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from monitor import figures as f
from monitor.metrics.change import Change, Comparison
from monitor.metrics.engagement import CountTally, EngagementTally, engagement_rate, follower_total
from monitor.metrics.intervals import score_interval
from monitor.metrics.ratings import RatingTally, overall_csat
from monitor.metrics.sentiment import Tally, variants
from storage.records import Sums
from storage.tables import COUNTS, SCALE, UNCOUNTED

MOOD: Final = ("positive", "negative", "neutral", "unscored")
BySource = Mapping[tuple[str, str], Sums]
"""Rollup sums by (source, kind)."""

UNREAD: Final = object()
"""Items were not looked at one by one: the interval takes them as independent."""


def total(sums: BySource, *kinds: str, source: str | None = None) -> Sums:
    """The sums of these kinds, of one source or of all."""
    chosen = [one for (name, kind), one in sums.items() if kind in kinds and source in (None, name)]
    names = {name for one in chosen for name in one.values}
    return Sums({name: sum(one[name] for one in chosen) for name in names})


def labelled(*windows: BySource) -> int:
    """About how many items there are to be read one by one."""
    return sum(one[name] for sums in windows for one in sums.values() for name in MOOD)


def tally_of(sums: Sums) -> Tally:
    """Labels counted."""
    uncounted = {reason: sums[reason] for reason in UNCOUNTED if sums[reason]}
    return Tally(sums["positive"], sums["negative"], sums["neutral"], sums["unscored"], uncounted)


def tallies(sums: BySource, kind: str) -> dict[str, Tally]:
    """Labels counted, by source."""
    return {source: tally_of(one) for (source, found), one in sums.items() if found == kind}


def sentiment(sums: Sums, deff: Any = UNREAD) -> f.Sentiment:
    """The score with its variants."""
    known = sums["compound_n"]
    mean_compound = sums["compound_sum"] / SCALE / known if known else None
    tally = tally_of(sums)
    others = variants(tally, mean_compound)
    named = {name: getattr(others, name) for name in others.__slots__}
    return figure(tally, deff).model_copy(update={"variants": named})


def figure(tally: Tally, deff: Any = UNREAD) -> f.Sentiment:
    """The score of these labels with its interval."""
    interval = score_interval(tally, 1.0 if deff is UNREAD else deff)
    return f.Sentiment(
        score=tally.score,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        positive=tally.positive,
        negative=tally.negative,
        neutral=tally.neutral,
        total=tally.n,
        unscored=tally.unscored,
        uncounted=dict(tally.uncounted),
        deff=None if deff is UNREAD else deff,
    )


def comparison(found: Comparison, compared: Iterable[str]) -> f.Change:
    """A change with its split, what was compared and what was not."""
    split = found.split
    parts = {"mix": split.mix if split else None, "within": split.within if split else None}
    return change(found.change, compared).model_copy(update={**parts, "left_out": sorted(found.left_out)})


def change(found: Change, compared: Iterable[str] = ()) -> f.Change:
    """A change as a report names it."""
    return f.Change(
        delta=found.delta,
        low=found.low,
        high=found.high,
        p=found.p,
        verdict=found.verdict.value,
        compared=list(compared),
    )


# ------------------------------------------------------------------------------------------------- ratings


def rating_tally(sums: Sums) -> RatingTally:
    """Stars and verdicts added up."""
    return RatingTally(
        count=sums["rated"],
        sum=sums["stars_sum"] / SCALE,
        sum_of_squares=sums["stars_squares"] / SCALE**2,
        cells=(sums["stars_1"], sums["stars_2"], sums["stars_3"], sums["stars_4"], sums["stars_5"]),
        yes=sums["recommended"],
        no=sums["verdicts"] - sums["recommended"],
    )


def rating(sums: BySource, velocity: float | None, standing: list[f.Standing]) -> f.Rating:
    """Stars of the reviews. Source: METRICS 3."""
    tally = rating_tally(total(sums, "review"))
    by_source = {source: rating_tally(one) for (source, kind), one in sums.items() if kind == "review"}
    interval = tally.interval()
    return f.Rating(
        mean=tally.mean,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        count=tally.count,
        histogram={str(cell): count for cell, count in tally.histogram.items()},
        csat=tally.csat,
        csat_as_written=tally.csat_as_written,
        csat_by_source={name: one.csat for name, one in sorted(by_source.items()) if one.csat is not None},
        csat_overall=overall_csat((one.csat, one.answers) for one in by_source.values()),
        velocity=velocity,
        standing=standing,
    )


# ---------------------------------------------------------------------------------------------- engagement


def engagement(sums: Sums) -> f.Engagement:
    """Likes, shares, comments and views of some items."""
    return f.Engagement(**_counts(sums))


def engagement_of_brand(sums: BySource, followers: Iterable[f.Followers], reach: f.Reach | None) -> f.EngagementOfBrand:
    """Mentions and own posts apart. Source: METRICS 4."""
    own = total(sums, "post")
    everyone = follower_total({f"{one.source}/{one.account}": one.count for one in followers})
    rate = engagement_rate(_engaged(own), everyone)
    return f.EngagementOfBrand(
        mentions=engagement(total(sums, "mention")),
        own=f.OwnEngagement(**_counts(own), posts=_engaged(own).items, rate=rate),
        reach=reach,
    )


def _engaged(sums: Sums) -> EngagementTally:
    items = sum(sums[name] for name in MOOD)
    counts = {name: CountTally(sums[f"{name}_sum"], sums[f"{name}_known"]) for name in COUNTS}
    return EngagementTally(items, **counts)


def _counts(sums: Sums) -> dict[str, Any]:
    tally = _engaged(sums)
    return {
        **{name: getattr(tally, name).total for name in COUNTS},
        "items": tally.items,
        "known": {name: getattr(tally, name).known for name in COUNTS},
        "gained": {name: sums[f"{name}_gained"] for name in COUNTS},
    }
