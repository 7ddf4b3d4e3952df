"""The overview of a brand: what is known at once, and what is read from the items after it."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request
from fastapi.responses import RedirectResponse, Response

from monitor.charts import charts_of
from monitor.report import build_report
from monitor.web.asked import InView
from monitor.web.guards import Here, visitor
from monitor.web.page import render

router = APIRouter(include_in_schema=False)


@router.get("/", dependencies=[Depends(visitor)])
def first() -> Response:
    return RedirectResponse("/overview", 303)


@router.get("/overview")
def overview(request: Request, house: Here, asked: InView) -> Response:
    """The scores, at once; the rest is loaded after them."""
    report = build_report(house.app, [asked.brand], asked.window, items=False)
    return render(
        request,
        "overview.html",
        title=asked.brand,
        in_view=asked,
        report=report,
        brand=report.brands[0],
        charts=charts_of(report.brands[0], report.window, house.settings.monitor.zone),
    )
