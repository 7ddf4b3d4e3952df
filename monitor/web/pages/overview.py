"""The overview of a brand: what is known at once, and what is read from the items after it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from monitor.formulas import FORMULAS
from monitor.report import build_report
from monitor.web.asked import Asked, InView
from monitor.web.guards import Here, visitor
from monitor.web.house import House
from monitor.web.page import render, zone_of
from monitor.web.view import before_words, block_of, here, plotted
from storage import listing
from storage.records import ItemFilter

router = APIRouter(include_in_schema=False)


@router.get("/", dependencies=[Depends(visitor)])
def first(house: Here) -> Response:
    """To the overview, or, where there is nothing yet, to what to do first."""
    nothing = not house.settings.brands or listing.count_items(house.app.database, ItemFilter(uncounted="all"), 1) == 0
    return RedirectResponse("/welcome" if nothing else "/overview", 303)


@router.get("/overview")
def overview(request: Request, house: Here, asked: InView, whole: bool = False) -> Response:
    """Scores, volume, ratings, engagement, sources at once; ``whole``: everything, for readers without script."""
    fields = _fields(request, house, asked, items=whole)
    return render(request, "overview.html", title=asked.brand, in_view=asked, whole=whole, **fields)


@router.get("/overview/items")
def items_part(request: Request, house: Here, asked: InView) -> Response:
    """What is read from the window's items: exact ranges, drivers, quotes, topics, breakdowns."""
    return render(request, "overview_items.html", title="", in_view=asked, **_fields(request, house, asked, items=True))


def _fields(request: Request, house: House, asked: Asked, *, items: bool) -> dict[str, Any]:
    zone, days_zone = zone_of(request), house.settings.monitor.zone
    report = build_report(house.app, [asked.brand], asked.window, items=items)
    return {
        "report": report,
        "brand": report.brands[0],
        "block": block_of(report, zone),
        "before": before_words(report, zone),
        "charts": plotted(report, asked, days_zone),
        "formulas": FORMULAS,
        "here": here,
        "exact": items,
    }
