"""Topics and drivers, authors, competitors: what is read from the window's items, after the page has come."""

from __future__ import annotations

from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse, Response

from monitor import people
from monitor.digest import groups
from monitor.digest.links import links
from monitor.report import build_report
from monitor.web.asked import InView
from monitor.web.guards import Here
from monitor.web.page import render, zone_of
from monitor.web.problems import not_found
from monitor.web.view import BASE, before_words, block_of, here
from storage import authors as stored

router = APIRouter(include_in_schema=False)
LARGEST: Final = 2**63
LISTS: Final = (
    ("engaged", "Most engaged with", "Their items received the most likes, shares and comments in this time."),
    ("followed", "Most followed", "They have the most followers, as far as these are known."),
    ("rising", "Writing more than before", "They wrote more than in the time before."),
    ("falling", "Writing less than before", "They wrote less than in the time before."),
)


@router.get("/topics")
def topics(request: Request, house: Here, asked: InView, whole: bool = False) -> Response:
    """What people talk about: the configured topics, what drives complaints and praise, where it is said."""
    fields = _read(request, house, asked) if whole else {}
    return render(request, "topics.html", title="Topics", in_view=asked, whole=whole, **fields)


@router.get("/topics/items")
def topics_part(request: Request, house: Here, asked: InView) -> Response:
    return render(request, "topics_items.html", title="", in_view=asked, **_read(request, house, asked))


@router.get("/authors")
def authors(
    request: Request, house: Here, asked: InView, who: Annotated[str, Query(max_length=500)] = "", whole: bool = False
) -> Response:
    """Who speaks; with ``who``, the authors of that name."""
    matches = people.found(house.app, who.strip()) if who.strip() else []
    if len(matches) == 1:
        return RedirectResponse(f"/authors/{matches[0].id}?{asked.query()}", 303)
    fields = _read(request, house, asked) if whole else {}
    return render(
        request, "authors.html", title="Authors", in_view=asked, who=who, matches=matches[:50], whole=whole,
        lists=LISTS, **fields,
    )  # fmt: skip


@router.get("/authors/items")
def authors_part(request: Request, house: Here, asked: InView) -> Response:
    fields = _read(request, house, asked)
    return render(request, "authors_items.html", title="", in_view=asked, lists=LISTS, **fields)


@router.get("/authors/{number}")
def author(request: Request, house: Here, asked: InView, number: int) -> Response:
    """One author's whole history."""
    profile = stored.profile(house.app.database, number) if 0 <= number < LARGEST else None
    if profile is None:
        raise not_found("there is no such author; those that were erased are nobody")
    history = people.history_of(house.app, profile, asked.brands)
    title = profile.name or "An author"
    return render(request, "author.html", title=title, in_view=asked, profile=profile, history=history)


@router.get("/competitors")
def competitors(request: Request, house: Here, asked: InView, whole: bool = False) -> Response:
    """A brand beside its competitors: at once what counts tell, then whether the scores clearly differ."""
    fields = _beside(house, asked, items=whole)
    return render(request, "competitors.html", title="Competitors", in_view=asked, whole=whole, **fields)


@router.get("/competitors/items")
def competitors_part(request: Request, house: Here, asked: InView) -> Response:
    fields = _beside(house, asked, items=True)
    return render(request, "competitors_items.html", title="", in_view=asked, whole=False, **fields)


def _beside(house: Here, asked: InView, *, items: bool) -> dict[str, Any]:
    rivals = next(brand.competitors for brand in house.settings.brands if brand.name == asked.brand)
    names = [asked.brand, *(name for name in rivals if name in asked.brands)]
    report = build_report(house.app, names, asked.window, items=items)
    versus = groups.versus(report.brands[0], links(BASE, report.window), with_voice=False) if items else None
    return {"report": report, "versus": versus, "here": here}


def _read(request: Request, house: Here, asked: InView) -> dict[str, Any]:
    zone = zone_of(request)
    report = build_report(house.app, [asked.brand], asked.window)
    block, before = block_of(report, zone), before_words(report, zone)
    return {"report": report, "brand": report.brands[0], "block": block, "before": before, "here": here}
