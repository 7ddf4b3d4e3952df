"""One figure over time: by local day or hour, each stretch with how many items it rests on, its likely range, and its gaps.

From sums alone, so that the cost does not grow with the store; intervals take the items as independent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from monitor import sums as s
from monitor.app import App
from monitor.coverage import coverage_of
from monitor.schedule import Window, days
from storage import queries
from storage.records import Sums

By = Literal["day", "hour"]
FigureName = Literal[
    "social.score", "social.positive", "social.neutral", "social.negative", "social.total",
    "reviews.score", "reviews.positive", "reviews.neutral", "reviews.negative", "reviews.total",
    "reviews.rating.mean", "reviews.rating.count", "volume.mentions", "volume.reviews", "volume",
]  # fmt: skip
MOST: Final = 5_000
"""Stretches of one series."""
HOUR: Final = timedelta(hours=1)
_KINDS: Final = {"social": ("mention",), "reviews": ("review",), "volume": ("mention", "review")}
_COLUMNS: Final = (
    *s.MOOD,
    *("rated", "stars_sum", "stars_squares", "verdicts", "recommended"),
    *(f"stars_{cell}" for cell in range(1, 6)),
)


class TooManyStretches(ValueError):
    """The window has more stretches than a series holds; says what to ask instead."""


@dataclass(frozen=True, slots=True)
class Point:
    """A stretch. ``n``: items that the value rests on; ``low`` and ``high`` only of scores and means; ``gap``: something is missing."""

    start: datetime
    end: datetime
    value: float | None
    n: int
    low: float | None
    high: float | None
    gap: bool
    unwatched: bool = False
    """Nothing was watched yet."""


def timeline(app: App, brand: str, window: Window, figure: FigureName, by: By) -> list[Point]:
    """A figure of a brand, stretch by stretch. :class:`TooManyStretches` where that would be too long."""
    parts = _parts(window, by)
    found = queries.sums_by_slice(app.database, brand, [(part.start, part.end) for part in parts], _COLUMNS)
    reach = coverage_of(app, brand, window)
    points = (
        _point(part, figure, _of_kinds(found, number, figure), gap=reach.has_gap(part.start, part.end))
        for number, part in enumerate(parts)
    )
    return [replace(one, unwatched=reach.is_unwatched(one.end)) for one in points]


def _parts(window: Window, by: By) -> Sequence[Window]:
    if window.length > MOST * (HOUR if by == "hour" else 24 * HOUR):
        raise TooManyStretches(f"by={by}: more than {MOST:,} {by}s; ask for a shorter window, or by=day")
    if by == "day":
        return days(window, window.zone)
    edges = [window.start + HOUR * number for number in range(-(-window.length // HOUR))]
    return [replace(window, start=start, end=min(start + HOUR, window.end)) for start in edges]


def _of_kinds(found: Mapping[tuple[int, str], Sums], number: int, figure: str) -> Sums:
    kinds = ("mention",) if figure == "volume.mentions" else ("review",) if figure == "volume.reviews" else None
    chosen = kinds or _KINDS[figure.partition(".")[0]]
    return s.total({("", kind): found[number, kind] for kind in chosen if (number, kind) in found}, *chosen)


def _point(part: Window, figure: str, sums: Sums, *, gap: bool) -> Point:
    name = figure.rpartition(".")[2]
    if figure.startswith("volume"):
        count = s.tally_of(sums).volume
        return Point(part.start, part.end, count, count, None, None, gap)
    if figure.startswith("reviews.rating"):
        stars = s.rating_tally(sums)
        span = stars.interval() if name == "mean" else None
        value = stars.mean if name == "mean" else stars.count
        low, high = (span.low, span.high) if span else (None, None)
        return Point(part.start, part.end, value, stars.count, low, high, gap)
    mood = s.figure(s.tally_of(sums))
    limits = (mood.low, mood.high) if name == "score" else (None, None)
    return Point(part.start, part.end, getattr(mood, name), mood.total, *limits, gap)
