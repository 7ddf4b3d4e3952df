"""Audits: draw a sample, label it key by key without seeing the scorer's word, watch accuracy and audited score grow."""

from __future__ import annotations

import secrets
from typing import Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response

from monitor import auditing
from monitor.digest import numbers
from monitor.metrics.audit import ANSWERS, FEW, Share
from monitor.web.asked import InView
from monitor.web.guards import Here, Reader, Submitted, visitor
from monitor.web.house import House
from monitor.web.page import back, render
from monitor.web.problems import Refused, not_found
from storage import audits
from storage.audits import Sample, Sampled

router = APIRouter(include_in_schema=False)
LARGEST: Final = 10_000
KEYS: Final = (("positive", "Positive", "p"), ("neutral", "Neutral", "u"), ("negative", "Negative", "n"))


@router.get("/audit")
def samples(request: Request, house: Here, asked: InView) -> Response:
    """The samples of a brand, and the form that draws another."""
    found = audits.samples(house.app.database, asked.brand)
    return render(request, "audit.html", title="Audit", in_view=asked, samples=found, usual=auditing.SIZE)


@router.post("/audit")
def draw(request: Request, house: Here, asked: InView, form: Submitted) -> Response:
    """Draw a sample of the window in view, and begin."""
    size, kind = _size(str(form.get("size", auditing.SIZE))), str(form.get("kind", "")) or None
    if kind not in (None, "mention", "review"):
        raise Refused(422, f"kind {kind}: there are mention and review")
    drawn = auditing.draw(house.app, asked.brand, asked.window, size, secrets.randbits(32), kind=kind)
    if drawn is None:
        return back(request, f"/audit?{asked.query()}", "No text was scored in this time; choose another.", bad=True)
    return back(
        request, f"/audit/{drawn.id}", f"{numbers.plural(drawn.size, 'item')} drawn of {numbers.count(drawn.frame)}."
    )


@router.get("/audit/{number}")
def sheet(request: Request, house: Here, who: Reader, number: int, at: int | None = None) -> Response:
    """One item of a sample, to be labelled: the next that this person has not, or (``at``) any."""
    sample = _sample(house, number)
    found = auditing.sheet(house.app, sample, who.name)
    if at is not None and 0 <= at < len(found.items):
        found.at = at
    return render(
        request, "audit_sheet.html", title=f"Audit {number}", sample=sample, sheet=found, item=found.shown,
        said=found.said.get(found.shown.id) if found.shown else None, keys=KEYS,
    )  # fmt: skip


@router.get("/audit/{number}/figures", dependencies=[Depends(visitor)])
def figures(request: Request, house: Here, number: int) -> Response:
    """What the sample says so far; a part of a page."""
    found = auditing.report(house.app, _sample(house, number))
    return render(request, "audit_figures.html", title="", found=found, few=FEW, share_words=share_words)


@router.post("/audit/{number}")
def say(request: Request, house: Here, number: int, who: Reader, form: Submitted) -> Response:
    """A person's word on an item, then the next one."""
    sample = _sample(house, number)
    answer = str(form.get("answer", ""))
    if answer not in ANSWERS:
        raise Refused(422, f"answer {answer[:40]}: there are {', '.join(ANSWERS)}")
    item = _item(house, sample, str(form.get("item", "")))
    auditing.say(house.app, sample, item, who.name, answer)
    return back(request, f"/audit/{number}", "")


def share_words(one: Share) -> str:
    """``71 % (likely 64 % to 77 %) of 200``."""
    span = one.interval
    if one.share is None or span is None:
        return "–"
    said = f"{numbers.percent(one.count, one.n)} (likely {numbers.percent(span.low, 1)} to {numbers.percent(span.high, 1)})"
    return f"{said} of {numbers.count(round(one.n))}"


def _sample(house: House, number: int) -> Sample:
    found = audits.sample(house.app.database, number) if 0 < number < 2**31 else None
    if found is None:
        raise not_found(f"there is no sample {number}; the samples stand on the Audit page")
    return found


def _item(house: House, sample: Sample, told: str) -> Sampled:
    there = auditing.sheet(house.app, sample, "").items
    found = next((one for one in there if str(one.id) == told), None)
    if found is None:
        raise Refused(422, "item: is not one of this sample that can be labelled")
    return found


def _size(told: str) -> int:
    if not told.isdecimal() or not 1 <= int(told[:9]) <= LARGEST:
        raise Refused(422, f"size: is not between 1 and {LARGEST:,}")
    return int(told)
