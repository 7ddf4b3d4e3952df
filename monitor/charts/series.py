"""PURE  What charts over time share: the stretches side by side, gaps behind them, dated events; and short names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any, Final

from monitor.charts.chart import GAP, INK, QUIET, TEXT, UNWATCHED, axis
from monitor.digest import escape, times
from monitor.figures import BrandFigures, Day, WindowFigure

MOST_LABELS: Final = 6
NAME: Final = 26
"""Characters of a name in a chart."""


def across(values: Sequence[dict[str, Any]]) -> dict[str, Any]:
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


def width(values: Sequence[dict[str, Any]]) -> float:
    return max(1.0, min(22.0, 0.72 * 400 / len({row["index"] for row in values})))


def gaps(values: Sequence[dict[str, Any]], x: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Days in which something was not read, behind everything else; fainter the time before anything was watched, which is no gap."""
    early = [row["index"] for row in values if row["unwatched"]]
    if early:
        yield {
            "data": {"values": [{"from": min(early) - 0.5, "to": max(early) + 0.5}]},
            "mark": {"type": "rect", "color": UNWATCHED},
            "encoding": {"x": {**x, "field": "from"}, "x2": {"field": "to"}},
        }
        yield _named(min(early), "not watched yet", {"color": QUIET, "align": "left", "dx": -4}, x)
    missing = [row["index"] for row in values if row["gap"]]
    if missing:
        yield {
            "transform": [{"filter": "datum.gap"}, {"aggregate": [{"op": "count", "as": "n"}], "groupby": ["index"]}],
            "mark": {"type": "rule", "size": 400 / len({row["index"] for row in values}), "color": GAP},
            "encoding": {"x": x, "y": {"value": 0}, "y2": {"value": {"expr": "height"}}},
        }
        yield _named(min(missing), "gap", {"color": "#7a4d00"}, x)


def _named(at: int, text: str, look: Mapping[str, Any], x: dict[str, Any]) -> dict[str, Any]:
    """The name of a mark, at its first day."""
    return {
        "data": {"values": [{"index": at, "text": text}]},
        "mark": {"type": "text", "fontSize": TEXT - 1, "baseline": "bottom", **look},
        "encoding": {"x": x, "y": {"value": TEXT}, "text": {"field": "text"}},
    }


def events(brand: BrandFigures, x: dict[str, Any], window: WindowFigure) -> Iterator[dict[str, Any]]:
    """Dated events, each a line with its name beside; names of neighbours stand under each other."""
    edges = [day.start for day in brand.series]
    for row, (at, text) in enumerate(dated(brand, window)):
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


def dated(brand: BrandFigures, window: WindowFigure) -> list[tuple[datetime, str]]:
    """Events within the window, with their words made harmless."""
    found = getattr(brand, "annotations", [])
    return [(one.at, short_name(one.text)) for one in found if window.start <= one.at < window.end]


def gap_words(series: Sequence[Day], zone: tzinfo, window: WindowFigure) -> Iterator[str]:
    early = [stretch_label(day.start, zone, window) for day in series if day.unwatched]
    if early:
        yield f"nothing was watched yet {f'on {early[0]}' if len(early) == 1 else f'from {early[0]} to {early[-1]}'}"
    missing = [stretch_label(day.start, zone, window) for day in series if day.gap]
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        yield f"something was not read on {', '.join(missing[:3])}{more}"


def stretch_label(at: datetime, zone: tzinfo, window: WindowFigure) -> str:
    local = at.astimezone(zone)
    if window.end - window.start <= timedelta(hours=50):
        return f"{local:%H:%M}"
    return f"{local.day} {times.MONTHS[local.month - 1][:3]}"


def short_name(text: str) -> str:
    return escape.cap(escape.name(text), NAME)
