"""The first run: what to do next, and what a link would bring, before anything is stored."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response

from connectors.errors import SourceError
from connectors.registry import BrokenConnector
from monitor import links, preview
from monitor.config.given import parsed
from monitor.digest import escape
from monitor.matching import Keywords
from monitor.preview import NotUnderstood, Preview, Target
from monitor.web.guards import Here, submitted, visitor
from monitor.web.house import House
from monitor.web.page import render
from storage import listing
from storage.records import ItemFilter

router = APIRouter(include_in_schema=False)
LOOKED_AT: Final = 10
Text = Annotated[str, Form(max_length=2_000)]


@dataclass(frozen=True, slots=True)
class Found:
    """What became of a link: a preview, or why there is none. ``command`` adds it."""

    link: str
    keyword: str
    title: str = ""
    note: str | None = None
    preview: Preview | None = None
    why: str | None = None
    command: str | None = None


@router.get("/welcome", dependencies=[Depends(visitor)])
def welcome(request: Request, house: Here) -> Response:
    """What there is so far, what to do next, and a field for a link."""
    return _page(request, house, None)


@router.post("/welcome", dependencies=[Depends(submitted)])
def look(request: Request, house: Here, link: Text = "", keyword: Text = "") -> Response:
    """What a link would bring; nothing is stored."""
    named = request.app.state.is_local
    return _page(request, house, _found(house, link.strip(), keyword.strip(), may_name_private_hosts=named))


def _page(request: Request, house: House, found: Found | None) -> Response:
    stored = listing.count_items(house.app.database, ItemFilter(uncounted="all"), 1) > 0
    settings = house.settings
    return render(
        request, "welcome.html", status=200 if found is None or found.why is None else 422, title="First steps",
        found=found, stored=stored, brands=settings.brands, sources=settings.enabled_sources, digests=settings.digests,
        config=settings.path.name if settings.path else "config.toml",
    )  # fmt: skip


def _found(house: House, link: str, keyword: str, *, may_name_private_hosts: bool) -> Found:
    """Links alone: whoever looks at this from afar may not read files and databases of this machine."""
    nothing = Found(link, keyword)
    try:
        if not _is_web_link(link):
            raise NotUnderstood("that is no link; paste the address of a page, a feed, an app, a forum, a channel")
        target = preview.understand(link, house.now)
        keywords = Keywords.compile([keyword]) if keyword else None
        target = target if may_name_private_hosts else replace(target, named=frozenset())
        return _looked(house, target, keywords, replace(nothing, title=target.plugin.title, note=target.note))
    except SourceError as error:
        return replace(nothing, why=f"it cannot be read: {error}")
    except (NotUnderstood, BrokenConnector, ValueError) as error:
        return replace(nothing, why=str(error))


def _is_web_link(link: str) -> bool:
    known = [one.link for one in links.readings(links.tidied(link))]
    return bool(known) and all(urlsplit(one).scheme in ("http", "https") for one in known) and not Path(link).exists()


def _looked(house: House, target: Target, keywords: Keywords | None, found: Found) -> Found:
    options = parsed(target.plugin.options, dict(target.options), target.plugin.name)
    if isinstance(options, list):
        wants = f" {target.plugin.notes}" if target.plugin.capabilities.needs_credentials else ""
        return replace(found, why="; ".join(map(str, options)) + wants, command=_command(found.link))
    seen = preview.look(
        target, options, house.now, name=found.keyword, keywords=keywords, limit=LOOKED_AT, profile=house.app.profile
    )
    return replace(found, preview=seen, command=_command(found.link))


def _command(link: str) -> str:
    return f"sentiment-monitor add {shlex.quote(escape.clean(link, 500) or '')}"
