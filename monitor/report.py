"""Brands and a window -> Report: every figure, read once. The only source of figures for all outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from monitor import figures as f
from monitor.app import App
from monitor.coverage import Reach, coverage_of
from monitor.metrics.change import Comparison, compare
from monitor.metrics.engagement import CountTally, EngagementTally, engagement_rate, follower_total
from monitor.metrics.intervals import score_interval
from monitor.metrics.ratings import RatingTally
from monitor.metrics.sentiment import Tally, variants
from monitor.schedule import Window, comparison, days, trailing
from storage import queries
from storage.records import ItemFilter, StoredItem, Sums
from storage.tables import COUNTS, SCALE, UNCOUNTED

TOP = 5
TRAILING_DAYS = 90
FEW = 30
"""Under so many items a window's own score says little. Source: METRICS 2.6."""

MOOD = ("positive", "negative", "neutral", "unscored")
BySource = Mapping[tuple[str, str], Sums]


def build_report(app: App, brands: Sequence[str], window: Window, *, before: Window | None = None) -> f.Report:
    """Every figure of these brands over ``window``, compared with ``before`` (default: METRICS 1)."""
    other = before or comparison(window)
    return f.Report(
        generated_at=app.now(),
        window=_window(window),
        compared_with=_window(other),
        brands=[_Brand(app, name, window, other).figures() for name in brands],
    )


@dataclass
class _Brand:
    """One brand's part of a report, read from the store piece by piece."""

    app: App
    name: str
    window: Window
    other: Window

    def figures(self) -> f.BrandFigures:
        now, before = self._sums(self.window), self._sums(self.other)
        reach = coverage_of(self.app, self.name, self.window)
        complete = reach.complete_sources & coverage_of(self.app, self.name, self.other).complete_sources
        followers = self._followers()
        social = _with_change(_sentiment(now, "mention"), _compared(now, before, "mention", complete))
        reviews = _with_change(self._reviews(now), _compared(now, before, "review", complete))
        return f.BrandFigures(
            brand=self.name,
            competitor_of=[b.name for b in self.app.settings.brands if self.name in b.competitors],
            social=social,
            reviews=reviews,
            engagement=_engagement_of_brand(now, followers),
            followers=followers,
            volume=_volume(now, before),
            by_source=[_source(now, source) for source in sorted({source for source, _ in now})],
            series=self._series(reach),
            top_items=self._top(),
            coverage=reach.figures(self._foreign()),
            trailing=self._trailing() if min(social.total, reviews.total) < FEW else None,
        )

    def _sums(self, window: Window) -> BySource:
        return queries.sums_by_source(self.app.database, self.name, (window.start, window.end))

    def _foreign(self) -> dict[str, int]:
        return queries.unscored_by_language(self.app.database, self.name, (self.window.start, self.window.end))

    def _reviews(self, now: BySource) -> f.Reviews:
        sums = _total(now, "review")
        tally = _ratings(sums)
        interval = tally.interval()
        rating = f.Rating(
            mean=tally.mean,
            low=interval.low if interval else None,
            high=interval.high if interval else None,
            count=tally.count,
            histogram={str(cell): count for cell, count in tally.histogram.items()},
            csat=tally.csat,
            standing=self._standing(),
        )
        return f.Reviews(**_sentiment(now, "review").model_dump(), rating=rating, replied=sums["replied"])

    def _standing(self) -> list[f.Standing]:
        own = self._served()
        found = queries.standings(self.app.database, self.window.end)
        return [
            f.Standing(source=source, place=place, mean=mean, best=best, count=count, seen_at=seen)
            for source, place, mean, _worst, best, count, seen in found
            if source in own
        ]

    def _followers(self) -> list[f.Followers]:
        own = self._served()
        at_start = {
            (source, account): count
            for source, account, count, _ in queries.followers(self.app.database, self.window.start)
        }
        return [
            f.Followers(
                source=source,
                account=account,
                count=count,
                change=count - at_start[source, account] if (source, account) in at_start else None,
                seen_at=seen,
            )
            for source, account, count, seen in queries.followers(self.app.database, self.window.end)
            if source in own
        ]

    def _served(self) -> set[str]:
        return {source.name for source in self.app.settings.sources if self.name in source.served}

    def _series(self, reach: Reach) -> list[f.Day]:
        slices = _slices(self.window)
        spans = [(part.start, part.end) for part in slices]
        found = queries.sums_by_slice(self.app.database, self.name, spans, [*MOOD, *UNCOUNTED])
        return [_day(part, number, found, reach) for number, part in enumerate(slices)]

    def _trailing(self) -> f.Trailing:
        window = trailing(self.window.end, TRAILING_DAYS, self.window.zone)
        sums = self._sums(window)
        return f.Trailing(days=TRAILING_DAYS, social=_sentiment(sums, "mention"), reviews=_sentiment(sums, "review"))

    def _top(self) -> f.TopItems:
        base = ItemFilter(brand=self.name, since=self.window.start, until=self.window.end)
        public = replace(base, kinds=("mention", "review"))

        def quotes(wanted: ItemFilter, order: str, keep: Callable[[StoredItem], bool] = lambda _: True) -> Any:
            found = queries.items(self.app.database, wanted, order=order, limit=TOP)
            return [quote(item) for item in found if keep(item)]

        return f.TopItems(
            negative=quotes(replace(public, labels=("negative",)), "negative"),
            positive=quotes(replace(public, labels=("positive",)), "positive"),
            engaged=quotes(public, "engaged", lambda item: queries.sort_key(item, "engaged")[0] > 0),
            unanswered=quotes(replace(base, kinds=("review",), labels=("negative",), unanswered=True), "newest"),
        )


def _window(window: Window) -> f.WindowFigure:
    return f.WindowFigure(
        start=window.start, end=window.end, timezone=window.zone.key, period=window.period, label=window.label
    )


def _slices(window: Window) -> list[Window]:
    """Local days, or hours for a window of two days or less."""
    if window.length > timedelta(hours=50):
        return days(window, window.zone)
    hours = int(window.length / timedelta(hours=1))
    edges = [window.start + timedelta(hours=number) for number in range(hours)]
    return [replace(window, start=start, end=min(start + timedelta(hours=1), window.end)) for start in edges]


def _day(part: Window, number: int, found: Mapping[tuple[int, str], Sums], reach: Reach) -> f.Day:
    tallies = {kind: _tally(found.get((number, kind), Sums())) for kind in ("mention", "review")}
    return f.Day(
        start=part.start,
        social=_figure(tallies["mention"]),
        reviews=_figure(tallies["review"]),
        volume=tallies["mention"].volume + tallies["review"].volume,
        gap=reach.has_gap(part.start, part.end),
    )


# --------------------------------------------------------------------------------------------- sums -> figures


def _total(sums: BySource, *kinds: str, source: str | None = None) -> Sums:
    chosen = [s for (name, kind), s in sums.items() if kind in kinds and source in (None, name)]
    names = {name for one in chosen for name in one.values}
    return Sums({name: sum(one[name] for one in chosen) for name in names})


def _tally(sums: Sums) -> Tally:
    uncounted = {reason: sums[reason] for reason in UNCOUNTED if sums[reason]}
    return Tally(sums["positive"], sums["negative"], sums["neutral"], sums["unscored"], uncounted)


def _sentiment(sums: BySource, kind: str, source: str | None = None) -> f.Sentiment:
    chosen = _total(sums, kind, source=source)
    known = chosen["compound_n"]
    return _figure(_tally(chosen), chosen["compound_sum"] / SCALE / known if known else None, with_variants=True)


def _figure(tally: Tally, mean_compound: float | None = None, *, with_variants: bool = False) -> f.Sentiment:
    interval = score_interval(tally)
    others = variants(tally, mean_compound) if with_variants else None
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
        variants={name: getattr(others, name) for name in others.__slots__} if others else {},
    )


def _compared(now: BySource, before: BySource, kind: str, complete: set[str]) -> f.Change:
    found = compare(_by_source(now, kind), _by_source(before, kind), complete)
    return _change(found, sorted(complete & {source for source, k in {*now, *before} if k == kind}))


def _by_source(sums: BySource, kind: str) -> dict[str, Tally]:
    return {source: _tally(one) for (source, k), one in sums.items() if k == kind}


def _change(found: Comparison, compared: list[str]) -> f.Change:
    change, split = found.change, found.split
    return f.Change(
        delta=change.delta,
        low=change.low,
        high=change.high,
        p=change.p,
        verdict=change.verdict.value,
        mix=split.mix if split else None,
        within=split.within if split else None,
        compared=compared,
    )


def _with_change(figure: Any, change: f.Change) -> Any:
    return figure.model_copy(update={"change": change})


def _ratings(sums: Sums) -> RatingTally:
    return RatingTally(
        count=sums["rated"],
        sum=sums["stars_sum"] / SCALE,
        sum_of_squares=sums["stars_squares"] / SCALE**2,
        cells=(sums["stars_1"], sums["stars_2"], sums["stars_3"], sums["stars_4"], sums["stars_5"]),
        yes=sums["recommended"],
        no=sums["verdicts"] - sums["recommended"],
    )


def _counted(sums: Sums) -> EngagementTally:
    items = sum(sums[name] for name in MOOD)
    counts = {name: CountTally(sums[f"{name}_sum"], sums[f"{name}_known"]) for name in COUNTS}
    return EngagementTally(items, **counts)


def _engagement(sums: Sums) -> f.Engagement:
    return f.Engagement(**_engagement_values(sums))


def _engagement_values(sums: Sums) -> dict[str, Any]:
    tally = _counted(sums)
    return {
        **{name: getattr(tally, name).total for name in COUNTS},
        "items": tally.items,
        "known": {name: getattr(tally, name).known for name in COUNTS},
        "gained": {name: sums[f"{name}_gained"] for name in COUNTS},
    }


def _engagement_of_brand(sums: BySource, followers: Iterable[f.Followers]) -> f.EngagementOfBrand:
    own = _total(sums, "post")
    total = follower_total({f"{one.source}/{one.account}": one.count for one in followers})
    return f.EngagementOfBrand(
        mentions=_engagement(_total(sums, "mention")),
        own=f.OwnEngagement(
            **_engagement_values(own), posts=_counted(own).items, rate=engagement_rate(_counted(own), total)
        ),
    )


def _volume(now: BySource, before: BySource) -> f.Volume:
    return f.Volume(
        mentions=_tally(_total(now, "mention")).volume,
        reviews=_tally(_total(now, "review")).volume,
        before=_tally(_total(before, "mention", "review")).volume,
    )


def _source(sums: BySource, source: str) -> f.SourceFigures:
    both = _total(sums, "mention", "review", source=source)
    return f.SourceFigures(
        source=source,
        social=_sentiment(sums, "mention", source),
        reviews=_sentiment(sums, "review", source),
        engagement=_engagement(_total(sums, "mention", "review", "post", source=source)),
        volume=_tally(both).volume,
    )


# ----------------------------------------------------------------------------------------------------- items


def quote(item: StoredItem) -> f.Quote:
    """An item as a report names it, with its words."""
    return f.Quote(
        id=item.id,
        source=item.source,
        kind=item.kind,
        published_at=item.published_at,
        label=item.label,
        score=item.compound,
        stars=item.stars,
        likes=item.likes,
        shares=item.shares,
        comments=item.comments,
        title=item.title,
        text=item.text,
        author=item.author,
        place=item.place,
        url=item.url,
    )


WORDS = ("title", "text", "author", "place", "url")


def without_words(report: f.Report) -> dict[str, Any]:
    """The report as it is stored: quotes keep their ids only, so that what is erased later is gone from it, too."""
    data = report.model_dump(mode="json", by_alias=True)
    for brand in data["brands"]:
        for quotes in brand["top_items"].values():
            for entry in quotes:
                entry.update(dict.fromkeys(WORDS))
    return data


def with_words(app: App, stored: Any) -> f.Report:
    """A stored report with its quotes' present words."""
    report = f.Report.model_validate(stored)
    ids = [q.id for brand in report.brands for quotes in _all_quotes(brand.top_items) for q in quotes]
    found = queries.items_by_id(app.database, ids)

    def told(entry: f.Quote) -> f.Quote:
        item = found.get(entry.id)
        return entry if item is None else entry.model_copy(update={name: getattr(item, name) for name in WORDS})

    def full(top: f.TopItems) -> f.TopItems:
        parts = {name: [told(entry) for entry in getattr(top, name)] for name in type(top).model_fields}
        return f.TopItems(**parts)

    brands = [brand.model_copy(update={"top_items": full(brand.top_items)}) for brand in report.brands]
    return report.model_copy(update={"brands": brands})


def _all_quotes(top: f.TopItems) -> list[list[f.Quote]]:
    return [top.negative, top.positive, top.engaged, top.unanswered]
