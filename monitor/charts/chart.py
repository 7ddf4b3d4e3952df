"""What charts are made of: colours, fonts, and the frame that all of them stand in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

SCHEMA: Final = "https://vega.github.io/schema/vega-lite/v5.json"
WIDTH: Final = 500
"""Of the whole picture, in CSS pixels: shown at 360 on a phone its letters have 10 pixels still."""

POSITIVE, NEUTRAL, NEGATIVE, UNSCORED = "#2f74b8", "#c9d0d9", "#e0762a", "#e6eaef"
"""Blue and orange are told apart by everybody, and by their lightness in grey."""
INK, QUIET, GRID, GAP, EXPECTED = "#1c2430", "#566173", "#e6eaef", "#f3dfb8", "#1c2430"
UNWATCHED: Final = "#f4f6f8"
FONT: Final = "Liberation Sans, Arial, Helvetica, sans-serif"
TEXT: Final = 14


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart: ``name`` is fit for a file, ``alt`` says in words what it shows, ``spec`` is Vega-Lite with its data in it."""

    name: str
    title: str
    alt: str
    spec: Mapping[str, Any]


def framed(height: int, layers: Sequence[Mapping[str, Any]], values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Layers over one set of values, in the common look."""
    return {
        "$schema": SCHEMA,
        "width": WIDTH - 60,
        "height": height,
        "padding": 8,
        "autosize": {"type": "fit", "contains": "padding"},
        "background": "#ffffff",
        "data": {"values": list(values)},
        "layer": list(layers),
        "config": config(),
    }


def config() -> dict[str, Any]:
    """The look that all charts share."""
    return {
        "font": FONT,
        "view": {"stroke": None},
        "axis": {
            "labelFontSize": TEXT,
            "labelColor": QUIET,
            "titleFontSize": TEXT,
            "titleColor": QUIET,
            "titleFontWeight": "normal",
            "gridColor": GRID,
            "domain": False,
            "ticks": False,
            "labelPadding": 6,
        },
        "legend": {
            "labelFontSize": TEXT,
            "labelColor": INK,
            "title": None,
            "orient": "bottom",
            "symbolType": "square",
            "symbolSize": 120,
            "columnPadding": 14,
        },
        "text": {"fontSize": TEXT, "color": INK},
    }


def axis(**given: Any) -> dict[str, Any]:
    """An axis without a title unless one is given."""
    return {"title": None, **given}
