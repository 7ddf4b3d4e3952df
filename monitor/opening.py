"""A figure's path -> what it is, and the items it is made of: so many, or adding up to so much, as the report says.

``social.negative``, ``breakdowns.place.r/phones.reviews.total``, ``series.2026-11-13.social.negative``: what a report calls by a
name stands in the path under that name. A path leads to an :class:`~storage.records.ItemFilter`; only what the store cannot be
asked for (topics, drivers, places) reads the window's items first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

from monitor import figures as f
from monitor.app import App
from monitor.formulas import FORMULAS, Formula, formula_name, why_unopened
from monitor.leaves import Number, leaves
from monitor.opening_ways import Lost, MadeOf, Target, Ways
from monitor.report import build_report
from monitor.schedule import Window
from storage import listing, measuring
from storage.records import ItemFilter

SHOWN: Final = 5


class NotAFigure(ValueError):
    """No figure has this path; says which come near."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A figure, opened. ``value`` is what the report says; ``total`` how many items it is made of.

    ``wanted`` finds these; ``None`` with the reason in ``why`` where a figure is not made of items.
    """

    path: str
    formula: Formula
    value: Number | None
    made_of: str
    wanted: ItemFilter | None
    total: int | None
    why: str | None = None


def open_figure(
    app: App, brand: str, window: Window, path: str, numbers: Callable[[], Mapping[str, Number]] | None = None
) -> Opened:
    """Any number of the report about a brand over ``window``, whose edges lie on quarters of an hour.

    ``numbers``: the report's, where they are at hand (:func:`monitor.leaves.leaves`). ``NotAFigure`` where there is none of
    this path.
    """
    numbers = numbers or (lambda: _numbers(app, brand, window))
    name = formula_name(path)
    if name is None:
        raise NotAFigure(_nearest(path, numbers()))
    if (why := why_unopened(name)) is not None:
        return _unopened(path, name, numbers(), why)
    try:
        target = Ways(app, brand, window).target(path)
    except Lost as error:
        raise NotAFigure(str(error) or _nearest(path, numbers())) from error
    total = listing.count_items(app.database, target.wanted)
    value = _measured(app, target, total)
    if target.made_of is MadeOf.RATIO:
        value = numbers().get(path)
    return Opened(path, FORMULAS[name], value, target.words, target.wanted, total)


def _unopened(path: str, name: str, numbers: Mapping[str, Number], why: str) -> Opened:
    if path not in numbers:
        raise NotAFigure(_nearest(path, numbers))
    return Opened(path, FORMULAS[name], numbers[path], "no items", None, None, why)


def _measured(app: App, target: Target, total: int) -> Number | None:
    """What the items come to; ``None`` for ratios, and for a sum of what is known of no item."""
    database, wanted = app.database, target.wanted
    match target.made_of:
        case MadeOf.ITEMS:
            return total
        case MadeOf.SUM:
            return measuring.total(database, wanted, target.counts) if total else None
        case MadeOf.GROWTH:
            return measuring.growth_of(database, wanted)
        case MadeOf.AUTHORS:
            return measuring.authors(database, wanted) if target.value is None else target.value
        case MadeOf.FOLLOWERS:
            return measuring.followers(database, wanted) if total else None
        case MadeOf.RATIO:
            return None


def _numbers(app: App, brand: str, window: Window) -> dict[str, Number]:
    report: f.Report = build_report(app, [brand], window)
    return leaves(report.brands[0], window)


def _nearest(path: str, numbers: Mapping[str, Number]) -> str:
    near = get_close_matches(path, numbers, SHOWN, 0.5) or ["social.negative", "reviews.total", "volume.mentions"]
    return f'no figure "{path}" in this window; there are: {", ".join(near)}'
