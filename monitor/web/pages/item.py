"""One item: all that is known about it, why it has its label, and what is nearly the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.responses import Response

from monitor import explaining
from monitor.app import App
from monitor.explaining import Explained, explained
from monitor.likeness import copies_of
from monitor.scoring.registry import ScorerError
from monitor.web.access import Visitor
from monitor.web.guards import Here, Reader
from monitor.web.page import render
from monitor.web.problems import not_found
from monitor.web.rows import is_cut, paragraphs, rows
from storage import listing
from storage.records import StoredItem
from storage.stories import Step, growth, revisions
from storage.tables import COUNTS

router = APIRouter(include_in_schema=False)

COPIES: Final = 30
SENTENCES: Final = 60
"""Sentences of an explanation that are shown."""
STEPS: Final = 40
"""Rows of a table of growth."""
LARGEST: Final = 2**63


@dataclass(frozen=True, slots=True)
class Growth:
    """How one count grew as far as it was seen: its last value, the steps, and a line in a box of 100 by 24."""

    name: str
    last: int
    points: str


@router.get("/items/{number:int}")
def item(request: Request, house: Here, visitor: Reader, number: int) -> Response:
    """All about one item."""
    found = _item(house.app, visitor, number)
    steps = growth(house.app.database, number)
    return render(
        request,
        "item.html",
        title=f"Item {number}",
        carried=urlencode({"brand": found.brand}) if found.brand in house.app.brands else "",
        row=rows(house.app, [found])[0],
        paragraphs=list(paragraphs(found.text)),
        replied=list(paragraphs(found.reply_text)),
        is_cut=is_cut(found.text),
        revisions=[(one, list(paragraphs(one.text))) for one in revisions(house.app.database, number)],
        steps=steps[-STEPS:],
        growth=grown(found, steps),
        **_why(house.app, found),
    )


@router.get("/items/{number:int}/why")
def why(request: Request, house: Here, visitor: Reader, number: int) -> Response:
    """Why it has its label, word by word; a part of a page."""
    return render(request, "items_why.html", **_why(house.app, _item(house.app, visitor, number)))


@router.get("/items/{number:int}/copies")
def copies(request: Request, house: Here, visitor: Reader, number: int) -> Response:
    """What says nearly the same; a part of a page."""
    _item(house.app, visitor, number)
    found = copies_of(house.app, number, COPIES)
    return render(request, "items_copies.html", rows=rows(house.app, found), most=COPIES)


def _item(app: App, visitor: Visitor, number: int) -> StoredItem:
    found = listing.items_by_id(app.database, [number]).get(number) if number < LARGEST else None
    if found is None or not visitor.may_see(found.brand):
        raise not_found(f"there is no item {number}; it may have been deleted")
    return found


def _why(app: App, found: StoredItem) -> dict[str, Any]:
    """What the template of an explanation is given."""
    told: Explained | None = None
    fault: str | None = None
    try:
        told = explained(app, found)
    except ScorerError as error:
        fault = str(error)
    return {"told": told, "why_fault": fault, "explaining": explaining, "sentences_shown": SENTENCES, "exact": exact}


def exact(value: float) -> str:
    """A part of a sum with as many digits as it has, four at most, so that the parts add up: ``+1.9``, ``−3.306``."""
    text = f"{round(value, 4) + 0.0:+.4f}".rstrip("0").rstrip(".")
    return "0" if text in ("+0", "-0") else text.replace("-", "−")


def grown(found: StoredItem, steps: Sequence[Step]) -> list[Growth]:
    """Each count that grew, reckoned back from its last value."""
    counted = [(name, getattr(found, name)) for name in COUNTS]
    return [_growth(name, last, steps) for name, last in counted if last and any(getattr(s, name) for s in steps)]


def _growth(name: str, last: int, steps: Sequence[Step]) -> Growth:
    gains = [getattr(step, name) for step in steps]
    values = [last - sum(gains[place + 1 :]) for place in range(len(gains))]
    values, times = [values[0] - gains[0], *values], [steps[0].at, *(step.at for step in steps)]
    return Growth(name, last, _line(times, values))


def _line(times: Sequence[datetime], values: Sequence[int]) -> str:
    """The points of a line in a box of 100 by 24."""
    wide = (times[-1] - times[0]).total_seconds() or 1
    low, high = min(0, *values), max(1, *values)
    points = (
        (100 * (at - times[0]).total_seconds() / wide, 23 - 22 * (value - low) / (high - low))
        for at, value in zip(times, values, strict=True)
    )
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
