"""PURE  A brand's figures -> charts. Days and hours stand side by side by their number, so that no time zone is drawn wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta, tzinfo
from typing import Any, Final

from monitor.charts import series
from monitor.charts.chart import (
    EXPECTED,
    INK,
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    TEXT,
    UNSCORED,
    Chart,
    axis,
    framed,
)
from monitor.charts.scores import leading, score_chart
from monitor.digest import times
from monitor.digest.numbers import count, gained, plural, stars
from monitor.figures import BrandFigures, Day, Followers, WindowFigure

MOST_ROWS: Final = 8
_ORDER: Final = ("positive", "neutral", "negative", "not scored")
_COLOURS: Final = (POSITIVE, NEUTRAL, NEGATIVE, UNSCORED)


def charts_of(brand: BrandFigures, window: WindowFigure, zone: tzinfo) -> list[Chart]:
    """The charts that say something of these figures, in the order they are shown."""
    made = (
        score_chart(brand, window, zone, leading(brand)),
        volume_chart(brand, window, zone),
        stars_chart(brand),
        engagement_chart(brand),
        followers_chart(brand),
        sources_chart(brand, window, zone),
    )
    return [chart for chart in made if chart is not None]


# -------------------------------------------------------------------------------------------------- volume


def volume_chart(brand: BrandFigures, window: WindowFigure, zone: tzinfo) -> Chart | None:
    """Items by day or hour, stacked by label, with what is usual where that is known."""
    if sum(day.volume for day in brand.series) == 0 or len(brand.series) < 2:
        return None
    days = [(number, day, series.stretch_label(day.start, zone, window)) for number, day in enumerate(brand.series)]
    values = [row for number, day, label in days for row in _volume_rows(number, day, label)]
    x = series.across(values)
    layers = [
        *series.gaps(values, x),
        {
            "transform": [{"filter": "isValid(datum.part)"}],
            "mark": {"type": "bar", "size": series.width(values)},
            "encoding": {
                "x": x,
                "y": {
                    "field": "items",
                    "type": "quantitative",
                    "stack": True,
                    "axis": axis(tickMinStep=1, tickCount=4),
                },
                "color": {
                    "field": "part",
                    "type": "nominal",
                    "scale": {"domain": _ORDER, "range": _COLOURS},
                    "sort": _ORDER,
                },
                "order": {"field": "rank", "type": "quantitative"},
            },
        },
        *_expected_layer(values, x),
        *series.events(brand, x, window),
    ]
    return Chart("volume", "Items, by label", _volume_alt(brand, zone, window), framed(210, layers, values))


def _volume_rows(number: int, day: Day, label: str) -> Iterator[dict[str, Any]]:
    both = (day.social, day.reviews)
    sizes = (
        sum(one.positive for one in both),
        sum(one.neutral for one in both),
        sum(one.negative for one in both),
        sum(one.unscored for one in both),
    )
    common = {"index": number, "label": label, "gap": day.gap, "unwatched": day.unwatched, "expected": _usual(day)}
    for rank, (part, size) in enumerate(zip(_ORDER, sizes, strict=True)):
        yield {**common, "part": part, "rank": rank, "items": size}


def _usual(day: Day) -> float | None:
    usual = getattr(day, "expected", None)
    return None if usual is None else float(usual.mean)


def _expected_layer(values: Sequence[dict[str, Any]], x: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if any(value["expected"] is not None for value in values):
        yield {
            "transform": [{"filter": "isValid(datum.expected) && datum.rank === 0"}],
            "mark": {"type": "line", "color": EXPECTED, "strokeDash": [5, 4], "strokeWidth": 1.5},
            "encoding": {"x": x, "y": {"field": "expected", "type": "quantitative"}},
        }


def _volume_alt(brand: BrandFigures, zone: tzinfo, window: WindowFigure) -> str:
    busiest = max(brand.series, key=lambda day: day.volume)
    total = sum(day.volume for day in brand.series)
    usual = [one for day in brand.series if (one := _usual(day)) is not None]
    parts = [
        f"{plural(total, 'item')} by label; most on {series.stretch_label(busiest.start, zone, window)}: {count(busiest.volume)}",
        *([f"a dashed line shows what is usual, about {sum(usual) / len(usual):.0f} each"] if usual else []),
        *series.gap_words(brand.series, zone, window),
    ]
    return "; ".join(parts) + "."


# --------------------------------------------------------------------------------------- stars, engagement


def stars_chart(brand: BrandFigures) -> Chart | None:
    """How many reviews have how many stars."""
    rating = brand.reviews.rating
    if not rating.count:
        return None
    values: list[dict[str, Any]] = [
        {"stars": f"{cell} ★", "items": rating.histogram.get(str(cell), 0), "colour": colour}
        for cell, colour in zip((5, 4, 3, 2, 1), (POSITIVE, POSITIVE, NEUTRAL, NEGATIVE, NEGATIVE), strict=True)
    ]
    told = ", ".join(f"{row['items']} with {row['stars'].split()[0]}" for row in values)
    alt = f"Stars of {plural(rating.count, 'review')}: {told}; mean {stars(rating.mean)}."
    return Chart("stars", "Stars", alt, framed(150, _bars("stars", values), values))


def engagement_chart(brand: BrandFigures) -> Chart | None:
    """Likes, shares and comments by source, mentions and own posts together."""
    rows: list[dict[str, Any]] = []
    for one in brand.by_source:
        for name, amount in (
            ("likes", one.engagement.likes),
            ("shares", one.engagement.shares),
            ("comments", one.engagement.comments),
        ):
            if amount and amount > 0:
                rows.append({"source": series.short_name(one.source), "part": name, "items": amount})
    totals: dict[str, int] = {}
    for row in rows:
        totals[row["source"]] = totals.get(row["source"], 0) + row["items"]
    leading = sorted(totals, key=lambda name: (-totals[name], name))[:MOST_ROWS]
    values = [row for row in rows if row["source"] in leading]
    if not values:
        return None
    layer = {
        "mark": {"type": "bar", "size": 15},
        "encoding": {
            "y": {"field": "source", "type": "nominal", "sort": leading, "axis": axis(labelLimit=190)},
            "x": {"field": "items", "type": "quantitative", "axis": axis(tickCount=4, format="~s")},
            "color": {
                "field": "part",
                "type": "nominal",
                "sort": ["likes", "shares", "comments"],
                "scale": {"domain": ["likes", "shares", "comments"], "range": ["#4b5b76", "#93a1b8", "#c9a84e"]},
            },
        },
    }
    told = ", ".join(f"{name} {count(totals[name])}" for name in leading)
    return Chart(
        "engagement",
        "Likes, shares and comments",
        f"Engagement by source: {told}.",
        framed(24 * len(leading) + 70, [layer], values),
    )


def followers_chart(brand: BrandFigures) -> Chart | None:
    """Followers of each account at the window's end, with their change."""
    leading = sorted(brand.followers, key=lambda one: (-one.count, one.account))[:MOST_ROWS]
    if not leading:
        return None
    values: list[dict[str, Any]] = [
        {"account": series.short_name(one.account), "items": one.count, "colour": "#4b5b76", "told": _followed(one)}
        for one in leading
    ]
    bars = _bars("account", values)
    bars[1]["encoding"]["text"] = {"field": "told"}
    told = ", ".join(f"{row['account']} {row['told']}" for row in values)
    return Chart("followers", "Followers", f"Followers by account: {told}.", framed(30 * len(values), bars, values))


def _followed(one: Followers) -> str:
    return count(one.count) if one.change is None else f"{count(one.count)} ({gained(one.change)})"


def _bars(field: str, values: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    order = [row[field] for row in values]
    y = {"field": field, "type": "nominal", "sort": order, "axis": axis(labelColor=INK)}
    most = max(row["items"] for row in values)
    x = {"field": "items", "type": "quantitative", "axis": None, "scale": {"domain": [0, most * 1.3 or 1]}}
    return [
        {
            "mark": {"type": "bar", "size": 18},
            "encoding": {"y": y, "x": x, "color": {"field": "colour", "type": "nominal", "scale": None}},
        },
        {
            "mark": {"type": "text", "align": "left", "dx": 6, "fontSize": TEXT},
            "encoding": {"y": y, "x": x, "text": {"field": "items", "type": "quantitative", "format": ","}},
        },
    ]


# ------------------------------------------------------------------------------------------------- sources


def sources_chart(brand: BrandFigures, window: WindowFigure, zone: tzinfo) -> Chart | None:
    """When each source was read, and where it has a gap; only where one has."""
    gaps = brand.coverage.gaps
    if not gaps:
        return None
    whole = (window.end - window.start) / timedelta(hours=1)
    names = sorted({one.source for one in brand.by_source} | {gap.source for gap in gaps})
    failing = [name for name in names if any(gap.source == name for gap in gaps)]
    shown = [*failing, *(name for name in names if name not in failing)][:MOST_ROWS]
    begun = {one.source: (one.since - window.start) / timedelta(hours=1) for one in brand.coverage.begun}
    values: list[dict[str, Any]] = [
        {
            "source": series.short_name(name),
            "from": max(0.0, min(whole, begun.get(name, 0.0))),
            "to": whole,
            "state": "read",
        }
        for name in shown
    ]
    for gap in gaps:
        if gap.source in shown:
            start, end = (max(0.0, min(whole, (at - window.start) / timedelta(hours=1))) for at in (gap.start, gap.end))
            values.append({"source": series.short_name(gap.source), "from": start, "to": end, "state": "not read"})
    layer = {
        "mark": {"type": "bar", "size": 14},
        "encoding": {
            "y": {
                "field": "source",
                "type": "nominal",
                "sort": [series.short_name(name) for name in shown],
                "axis": axis(labelLimit=190),
            },
            "x": {"field": "from", "type": "quantitative", "scale": {"domain": [0, whole]}, "axis": None},
            "x2": {"field": "to"},
            "color": {
                "field": "state",
                "type": "nominal",
                "scale": {"domain": ["read", "not read"], "range": [UNSCORED, NEGATIVE]},
            },
        },
    }
    told = "; ".join(
        f"{series.short_name(gap.source)} was not read from {times.moment(gap.start, zone)} to {times.moment(gap.end, zone)}"
        for gap in gaps[:5]
    )
    return Chart("sources", "What was read", f"{told}.", framed(24 * len(shown) + 40, [layer], values))
