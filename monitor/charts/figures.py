"""PURE  A brand's figures -> charts. Days and hours stand side by side by their number, so that no time zone is drawn wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from monitor.charts.chart import (
    EXPECTED,
    GAP,
    INK,
    NEGATIVE,
    NEUTRAL,
    POSITIVE,
    QUIET,
    TEXT,
    UNSCORED,
    Chart,
    axis,
    framed,
)
from monitor.digest import escape, times
from monitor.digest.numbers import count, gained, plural, score, stars
from monitor.figures import BrandFigures, Day, Followers, Sentiment, WindowFigure

MOST_LABELS: Final = 6
MOST_ROWS: Final = 8
NAME: Final = 26
"""Characters of a name in a chart."""
_ORDER: Final = ("positive", "neutral", "negative", "not scored")
_COLOURS: Final = (POSITIVE, NEUTRAL, NEGATIVE, UNSCORED)


def charts_of(brand: BrandFigures, window: WindowFigure, zone: tzinfo) -> list[Chart]:
    """The charts that say something of these figures, in the order they are shown."""
    made = (
        score_chart(brand, window, zone),
        volume_chart(brand, window, zone),
        stars_chart(brand),
        engagement_chart(brand),
        followers_chart(brand),
        sources_chart(brand, window, zone),
    )
    return [chart for chart in made if chart is not None]


# --------------------------------------------------------------------------------------------------- score


def score_chart(brand: BrandFigures, window: WindowFigure, zone: tzinfo) -> Chart | None:
    """The score by day or hour, with the range it likely lies in, gaps and dated events."""
    leading = "reviews" if brand.reviews.total > brand.social.total else "social"
    known = [day for day in brand.series if _score(day, leading).score is not None]
    if len(known) < 2:
        return None
    values = [_score_row(number, day, leading, zone, window) for number, day in enumerate(brand.series)]
    x = _x(values)
    layers = [
        *_gaps(values, x),
        {
            "mark": {"type": "rule", "color": QUIET, "strokeDash": [3, 3]},
            "encoding": {"y": {"datum": 0}},
        },
        {
            "transform": [{"filter": "isValid(datum.low)"}],
            "mark": {"type": "rule", "size": _width(values), "color": POSITIVE, "opacity": 0.22},
            "encoding": {"x": x, "y": {"field": "low", "type": "quantitative"}, "y2": {"field": "high"}},
        },
        {
            "transform": [{"filter": "isValid(datum.score)"}],
            "mark": {"type": "line", "color": POSITIVE, "strokeWidth": 2},
            "encoding": {
                "x": x,
                "y": {
                    "field": "score",
                    "type": "quantitative",
                    "scale": {"domain": [-1, 1]},
                    "axis": axis(values=[-1, -0.5, 0, 0.5, 1], format="+.1f"),
                },
            },
        },
        {
            "transform": [{"filter": "isValid(datum.score)"}],
            "mark": {"type": "point", "size": 42, "color": POSITIVE, "strokeWidth": 1.5, "opacity": 1},
            "encoding": {
                "x": x,
                "y": {"field": "score", "type": "quantitative"},
                "fill": {"condition": {"test": "isValid(datum.low)", "value": POSITIVE}, "value": "#ffffff"},
            },
        },
        *_events(brand, x, window),
    ]
    noun = "reviews" if leading == "reviews" else "mentions"
    return Chart(
        "score",
        f"Score of {noun}, with its likely range",
        _score_alt(brand, known, leading, noun, zone, window),
        framed(210, layers, values),
    )


def _score(day: Day, leading: str) -> Sentiment:
    return day.reviews if leading == "reviews" else day.social


def _score_row(number: int, day: Day, leading: str, zone: tzinfo, window: WindowFigure) -> dict[str, Any]:
    figure = _score(day, leading)
    return {
        "index": number,
        "label": _label(day.start, zone, window),
        "score": figure.score,
        "low": figure.low,
        "high": figure.high,
        "n": figure.total,
        "gap": day.gap,
    }


def _score_alt(
    brand: BrandFigures, known: Sequence[Day], leading: str, noun: str, zone: tzinfo, window: WindowFigure
) -> str:
    lowest = min(known, key=lambda day: _score(day, leading).score or 0)
    highest = max(known, key=lambda day: _score(day, leading).score or 0)
    first, last = (_score(day, leading).score for day in (known[0], known[-1]))
    parts = [
        f"Score of {noun} from {_label(known[0].start, zone, window)} ({score(first)}) to"
        f" {_label(known[-1].start, zone, window)} ({score(last)}): lowest {score(_score(lowest, leading).score)} on"
        f" {_label(lowest.start, zone, window)}, highest {score(_score(highest, leading).score)} on"
        f" {_label(highest.start, zone, window)}",
        *(f"{text} on {_label(at, zone, window)}" for at, text in _annotations(brand, window)),
        *_gap_words(brand.series, zone, window),
    ]
    return "; ".join(parts) + "."


# -------------------------------------------------------------------------------------------------- volume


def volume_chart(brand: BrandFigures, window: WindowFigure, zone: tzinfo) -> Chart | None:
    """Items by day or hour, stacked by label, with what is usual where that is known."""
    if sum(day.volume for day in brand.series) == 0 or len(brand.series) < 2:
        return None
    days = [(number, day, _label(day.start, zone, window)) for number, day in enumerate(brand.series)]
    values = [row for number, day, label in days for row in _volume_rows(number, day, label)]
    x = _x(values)
    layers = [
        *_gaps(values, x),
        {
            "transform": [{"filter": "isValid(datum.part)"}],
            "mark": {"type": "bar", "size": _width(values)},
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
        *_events(brand, x, window),
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
    common = {"index": number, "label": label, "gap": day.gap, "expected": _usual(day)}
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
        f"{plural(total, 'item')} by label; most on {_label(busiest.start, zone, window)}: {count(busiest.volume)}",
        *([f"a dashed line shows what is usual, about {sum(usual) / len(usual):.0f} each"] if usual else []),
        *_gap_words(brand.series, zone, window),
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
                rows.append({"source": _name(one.source), "part": name, "items": amount})
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
        {"account": _name(one.account), "items": one.count, "colour": "#4b5b76", "told": _followed(one)}
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
    values: list[dict[str, Any]] = [
        {"source": _name(name), "from": 0.0, "to": whole, "state": "read"} for name in shown
    ]
    for gap in gaps:
        if gap.source in shown:
            start, end = (max(0.0, min(whole, (at - window.start) / timedelta(hours=1))) for at in (gap.start, gap.end))
            values.append({"source": _name(gap.source), "from": start, "to": end, "state": "not read"})
    layer = {
        "mark": {"type": "bar", "size": 14},
        "encoding": {
            "y": {
                "field": "source",
                "type": "nominal",
                "sort": [_name(name) for name in shown],
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
        f"{_name(gap.source)} was not read from {times.moment(gap.start, zone)} to {times.moment(gap.end, zone)}"
        for gap in gaps[:5]
    )
    return Chart("sources", "What was read", f"{told}.", framed(24 * len(shown) + 40, [layer], values))


# -------------------------------------------------------------------------------------------------- common


def _x(values: Sequence[dict[str, Any]]) -> dict[str, Any]:
    numbers = {row["index"]: row["label"] for row in values}
    step = max(1, -(-len(numbers) // MOST_LABELS))
    named = {number: label for number, label in numbers.items() if number % step == 0}
    words = " : ".join(f"datum.value === {number} ? '{label}'" for number, label in named.items())
    return {
        "field": "index",
        "type": "quantitative",
        "scale": {"domain": [-0.5, len(numbers) - 0.5], "nice": False},
        "axis": axis(grid=False, values=list(named), labelExpr=f"{words} : ''", labelFlush=False),
    }


def _width(values: Sequence[dict[str, Any]]) -> float:
    return max(1.0, min(22.0, 0.72 * 400 / len({row["index"] for row in values})))


def _gaps(values: Sequence[dict[str, Any]], x: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Days in which something was not read, behind everything else."""
    if any(row["gap"] for row in values):
        wide = 400 / len({row["index"] for row in values})
        yield {
            "transform": [{"filter": "datum.gap"}, {"aggregate": [{"op": "count", "as": "n"}], "groupby": ["index"]}],
            "mark": {"type": "rule", "size": wide, "color": GAP},
            "encoding": {"x": x, "y": {"value": 0}, "y2": {"value": {"expr": "height"}}},
        }
        first = min(row["index"] for row in values if row["gap"])
        yield {
            "data": {"values": [{"index": first, "text": "gap"}]},
            "mark": {"type": "text", "fontSize": TEXT - 1, "color": "#7a4d00", "baseline": "bottom"},
            "encoding": {"x": x, "y": {"value": TEXT}, "text": {"field": "text"}},
        }


def _events(brand: BrandFigures, x: dict[str, Any], window: WindowFigure) -> Iterator[dict[str, Any]]:
    """Dated events, each a line with its name beside; names of neighbours stand under each other."""
    edges = [day.start for day in brand.series]
    for row, (at, text) in enumerate(_annotations(brand, window)):
        number = sum(edge <= at for edge in edges) - 1
        late = number > len(edges) * 0.5
        data = {"values": [{"index": number, "text": text}]}
        mark = {"align": "right" if late else "left", "dx": -5 if late else 5, "baseline": "top"}
        place = {"y": {"value": 1 + row % 3 * (TEXT + 3)}}
        yield {"data": data, "mark": {"type": "rule", "color": INK, "strokeWidth": 1}, "encoding": {"x": x}}
        yield {
            "data": data,
            "mark": {"type": "text", "fontSize": TEXT - 1, **mark},
            "encoding": {"x": x, **place, "text": {"field": "text"}},
        }


def _annotations(brand: BrandFigures, window: WindowFigure) -> list[tuple[datetime, str]]:
    """Events within the window, with their words made harmless."""
    found = getattr(brand, "annotations", [])
    return [(one.at, _name(one.text)) for one in found if window.start <= one.at < window.end]


def _gap_words(series: Sequence[Day], zone: tzinfo, window: WindowFigure) -> Iterator[str]:
    missing = [_label(day.start, zone, window) for day in series if day.gap]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        yield f"something was not read on {', '.join(missing[:3])}{more}"


def _label(at: datetime, zone: tzinfo, window: WindowFigure) -> str:
    local = at.astimezone(zone)
    if window.end - window.start <= timedelta(hours=50):
        return f"{local:%H:%M}"
    return f"{local.day} {times.MONTHS[local.month - 1][:3]}"


def _name(text: str) -> str:
    return escape.cap(escape.name(text), NAME)
