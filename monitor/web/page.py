"""A template -> a page: one frame around all of them, times in the reader's zone, words of others made harmless."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlencode
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from monitor.digest import escape, numbers, sentences, times, words
from monitor.web.access import Visitor
from monitor.web.asked import CHOICES, Asked, Unasked, instant, window_named
from monitor.web.bundle import engine_version
from monitor.web.chosen import REASONS
from monitor.web.guards import SESSION, VISIT, house_of, is_secure
from monitor.web.house import House
from storage.engine import StorageError

STATIC: Final = Path(__file__).parent / "static"
ZONE: Final = "sm_zone"
FLASH: Final = "sm_said"
TEXT: Final = 4_000
"""Characters of an item's text that a page shows."""

NAVIGATION: Final = (
    ("/overview", "Overview", "overview"),
    ("/mentions", "Mentions", "mentions"),
    ("/reviews", "Reviews", "reviews"),
    ("/topics", "Topics", "topics"),
    ("/authors", "Authors", "authors"),
    ("/competitors", "Competitors", "competitors"),
    ("/alerts", "Alerts", "alerts"),
    ("/digests", "Digests", "digests"),
    ("/audit", "Audit", "audit"),
    ("/keywords", "Keywords", "keywords"),
    ("/sources", "Sources", "sources"),
    ("/settings", "Settings", "settings"),
)


def render(
    request: Request, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **fields: Any
) -> HTMLResponse:
    """A page from ``templates/``. It gets ``fields`` beside what every page has: visitor, form_token, zone, navigation, brands."""
    house = house_of(request)
    visitor: Visitor | None = getattr(request.state, "visitor", None)
    context = {
        "request": request,
        "path": request.url.path,
        "visitor": visitor,
        "form_token": house.signer.form_token(visitor) if visitor and visitor.nonce else "",
        "zone": zone_of(request),
        "days_zone": house.settings.monitor.zone,
        "navigation": NAVIGATION,
        "all_brands": [brand.name for brand in house.settings.brands],
        "config_fault": house.fault if visitor else None,  # it names what stands in the configuration
        "flash": _flash(request),
        "theme": request.cookies.get("sm_theme") if request.cookies.get("sm_theme") in ("light", "dark") else None,
        "now": house.now(),
        "in_view": None,
        "carried": _carried(request, house, fields.get("in_view")),
        **fields,
    }
    answer = HTMLResponse(environment().get_template(template).render(context), status, headers)
    _set_cookies(request, answer)
    return answer


def _carried(request: Request, house: House, in_view: Asked | None) -> str:
    """The brand and window that links to other pages keep; of a page without any, those that its address brought along."""
    if in_view is not None:
        return in_view.query()
    brand = request.query_params.get("brand")
    known = {"brand": brand} if brand in house.app.brands else {}
    return urlencode({**known, **_window_carried(request, house)})


def _window_carried(request: Request, house: House) -> Mapping[str, str]:
    """The window as the address has it; nothing where it has none that makes sense. A single end is the page's own."""
    given = request.query_params
    if given.get("since") and given.get("until"):
        try:
            window, _ = window_named(house.app, given)
        except Unasked:
            return {}
        return {"since": instant(window.start), "until": instant(window.end)}
    return {"window": given["window"]} if given.get("window") in CHOICES else {}


def _set_cookies(request: Request, answer: HTMLResponse) -> None:
    if FLASH in request.cookies:
        answer.delete_cookie(FLASH, path="/")
    fresh = getattr(request.state, "new_visit", None)
    if fresh:
        answer.set_cookie(VISIT, fresh, httponly=True, samesite="lax", secure=is_secure(request))


def sign_in(request: Request, answer: RedirectResponse, session: str, seconds: int) -> None:
    """Keep a session in the reader's browser."""
    answer.set_cookie(SESSION, session, max_age=seconds, httponly=True, samesite="lax", secure=is_secure(request))


def back(request: Request, to: str, said: str, *, bad: bool = False) -> RedirectResponse:
    """After something was done: to a page of ours, which says once what it was, if there is something to say."""
    answer = RedirectResponse(own_path(to), 303)
    if not said:
        return answer
    answer.set_cookie(
        FLASH, _told(said, bad=bad), max_age=60, httponly=True, samesite="strict", secure=is_secure(request)
    )
    return answer


def _told(said: str, *, bad: bool) -> str:
    """Words for a cookie, which may have 4,096 bytes; some letters take twelve."""
    for limit in (500, 300):
        told = urlencode({"said": said[:limit].encode("utf-8", "replace"), **({"bad": "1"} if bad else {})})
        if len(told) <= 3_800:
            break
    return told


def own_path(to: str) -> str:
    """``to`` if it leads to a page of ours, else the first page: nobody is sent elsewhere."""
    fine = to.startswith("/") and not to.startswith(("//", "/\\")) and to.isprintable() and "\\" not in to
    return to if fine else "/"


def _flash(request: Request) -> Mapping[str, Any] | None:
    found = parse_qs(request.cookies.get(FLASH, "").strip('"'))
    return {"text": found["said"][0], "bad": "bad" in found} if "said" in found else None


def zone_of(request: Request) -> tzinfo:
    """The reader's zone, as their browser told it; else that of the configuration."""
    told = unquote(request.cookies.get(ZONE, ""))
    try:
        return ZoneInfo(told) if told and len(told) < 60 else house_of(request).settings.monitor.zone
    except (KeyError, ValueError, OSError, StorageError):
        return house_of(request).settings.monitor.zone


@cache
def environment() -> Environment:
    """The templates, with everything escaped and nothing undefined."""
    made = Environment(
        loader=PackageLoader("monitor.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "count": numbers.count, "gained": numbers.gained, "score": numbers.score, "percent_of": numbers.percent,
        "stars": numbers.stars, "rate": numbers.rate, "plural": numbers.plural,
        "clean": _clean, "name": escape.name, "json_in_page": json_in_page, "away": escape.link,
    }  # fmt: skip
    made.globals |= {
        "words": words,
        "sentences": sentences,
        "times": times,
        "static": static,
        "moment": moment,
        "query": urlencode,
        "engine_version": engine_version(),
        "window_choices": CHOICES,
        "reasons": REASONS,
    }
    return made


def _clean(text: str | None, limit: int = TEXT) -> str:
    return escape.clean(text, limit) or ""


def json_in_page(value: Any) -> Markup:
    """JSON for a ``<script type="application/json">``: nothing in it can end the element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    safe = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(safe.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))  # noqa: S704 - just made harmless


def moment(at: datetime | None, zone: tzinfo) -> Markup:
    """A time as people read it, with the exact one for machines."""
    if at is None:
        return Markup('<span class="quiet">never</span>')
    return Markup('<time datetime="{}">{}</time>').format(at.isoformat(), times.moment(at, zone))


@cache
def static(name: str) -> str:
    """The address of a file of ours; it changes with the file, so that browsers may keep it for good."""
    mark = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={mark}"
