"""PURE  The score by day or hour as a chart. Days and hours stand side by side by their number, so that no time zone is drawn wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, Final, Literal

from monitor.charts import series
from monitor.charts.chart import POSITIVE, QUIET, Chart, axis, framed
from monitor.digest.numbers import score
from monitor.figures import BrandFigures, Day, Sentiment, WindowFigure

FEW: Final = 5
"""Items on which a day's score rests at least, where it is drawn as part of the line."""
Kind = Literal["social", "reviews"]


def leading(brand: BrandFigures) -> Kind:
    """The kind of which there is more to tell."""
    return "reviews" if brand.reviews.total > brand.social.total else "social"


def score_chart(brand: BrandFigures, window: WindowFigure, zone: tzinfo, kind: Kind) -> Chart | None:
    """The score of a kind by day or hour, with the range it likely lies in, gaps and dated events.

    What rests on fewer than :data:`FEW` items is a hollow point beside the line: such scores jump.
    """
    known = [day for day in brand.series if _score(day, kind).score is not None]
    if len(known) < 2:
        return None
    values = [_score_row(number, day, kind, zone, window) for number, day in enumerate(brand.series)]
    x, least = series.across(values), FEW if sum(row["n"] >= FEW for row in values) > 1 else 1
    _number_runs(values, least)
    told = f"datum.n >= {least}"
    layers = [
        *series.gaps(values, x),
        {
            "mark": {"type": "rule", "color": QUIET, "strokeDash": [3, 3]},
            "encoding": {"y": {"datum": 0}},
        },
        {
            "transform": [{"filter": "isValid(datum.low)"}],
            "mark": {"type": "rule", "size": series.width(values), "color": POSITIVE},
            "encoding": {
                "x": x,
                "y": {"field": "low", "type": "quantitative"},
                "y2": {"field": "high"},
                "opacity": {"condition": {"test": told, "value": 0.24}, "value": 0.08},
            },
        },
        {
            "transform": [{"filter": told}],
            "mark": {"type": "line", "color": POSITIVE, "strokeWidth": 2},
            "encoding": {
                "x": x,
                "y": {
                    "field": "score",
                    "type": "quantitative",
                    "scale": {"domain": [-1, 1]},
                    "axis": axis(values=[-1, -0.5, 0, 0.5, 1], format="+.1f"),
                },
                "detail": {"field": "run", "type": "nominal"},
            },
        },
        {
            "transform": [{"filter": "isValid(datum.score)"}],
            "mark": {"type": "point", "size": 42, "color": POSITIVE, "strokeWidth": 1.5},
            "encoding": {
                "x": x,
                "y": {"field": "score", "type": "quantitative"},
                "fill": {"condition": {"test": told, "value": POSITIVE}, "value": "#ffffff"},
                "opacity": {"condition": {"test": told, "value": 1}, "value": 0.55},
            },
        },
        *series.events(brand, x, window),
    ]
    noun = "reviews" if kind == "reviews" else "mentions"
    return Chart(
        "score" if kind == leading(brand) else f"score of {noun}",
        f"Score of {noun}, with its likely range",
        _score_alt(brand, known, kind, noun, zone, window),
        framed(210, layers, values),
    )


def _number_runs(values: Sequence[dict[str, Any]], least: int) -> None:
    """The line joins neighbours alone: across what is not known it would tell of what nobody saw."""
    run = 0
    for row in values:
        run += row["n"] < least
        row["run"] = run


def _score(day: Day, kind: str) -> Sentiment:
    return day.reviews if kind == "reviews" else day.social


def _score_row(number: int, day: Day, kind: str, zone: tzinfo, window: WindowFigure) -> dict[str, Any]:
    figure = _score(day, kind)
    return {
        "index": number,
        "label": series.stretch_label(day.start, zone, window),
        "score": figure.score,
        "low": figure.low,
        "high": figure.high,
        "n": figure.total,
        "gap": day.gap,
        "unwatched": day.unwatched,
    }


def _score_alt(
    brand: BrandFigures, known: Sequence[Day], kind: str, noun: str, zone: tzinfo, window: WindowFigure
) -> str:
    lowest = min(known, key=lambda day: _score(day, kind).score or 0)
    highest = max(known, key=lambda day: _score(day, kind).score or 0)
    first, last = (_score(day, kind).score for day in (known[0], known[-1]))
    parts = [
        f"Score of {noun} from {series.stretch_label(known[0].start, zone, window)} ({score(first)}) to"
        f" {series.stretch_label(known[-1].start, zone, window)} ({score(last)}): lowest {score(_score(lowest, kind).score)} on"
        f" {series.stretch_label(lowest.start, zone, window)}, highest {score(_score(highest, kind).score)} on"
        f" {series.stretch_label(highest.start, zone, window)}",
        *(f"{text} on {series.stretch_label(at, zone, window)}" for at, text in series.dated(brand, window)),
        *series.gap_words(brand.series, zone, window),
    ]
    return "; ".join(parts) + "."
