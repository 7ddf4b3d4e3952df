"""Every page that a person can open, so that new ones are looked at, too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from fastapi.routing import APIRoute
from playwright.sync_api import Page
from sqlalchemy import text

from monitor.app import App
from monitor.web import pages
from monitor.web.site import routers
from tests.web.serving import Dashboard

FIRST: Final[Mapping[str, str]] = {
    "items": "SELECT max(id) FROM item WHERE text IS NOT NULL",
    "authors": "SELECT max(author_id) FROM item",
    "audit": "SELECT max(id) FROM audit_sample",
    "digests": "SELECT max(id) FROM digest WHERE report IS NOT NULL",
    "alerts": "SELECT max(id) FROM alert",
    "sources": "SELECT min(name) FROM source",
}
"""One of those that a page's address names by its first part."""
OWN: Final = ("/static/", "/favicon.ico")


def documents(dashboard: Dashboard) -> list[str]:
    """The addresses of all pages over what is stored; parts of pages come with them, files are no pages. Looked for once."""
    if dashboard.url not in _SEEN:
        _SEEN[dashboard.url] = _documents(dashboard)
    return _SEEN[dashboard.url]


_SEEN: Final[dict[str, list[str]]] = {}


def _documents(dashboard: Dashboard) -> list[str]:
    found = sorted({route.path for router in routers(pages) for route in router.routes if _is_asked(route)})
    filled = [_filled(path, dashboard.app) for path in found if not path.startswith(OWN) and "{form}" not in path]
    return [path for path in filled if path is not None and _is_document(dashboard, path)]


def settled(page: Page) -> None:
    """Wait until the parts that come after the page are there."""
    page.wait_for_function("() => !document.querySelector('[data-load][aria-busy]')")


def _is_asked(route: object) -> bool:
    return isinstance(route, APIRoute) and "GET" in route.methods


def _filled(path: str, app: App) -> str | None:
    wanted = FIRST.get(path.split("/")[1])
    if "{" not in path or wanted is None:
        return path if "{" not in path else None
    first = app.database.read(lambda connection: connection.execute(text(wanted)).scalar())
    return None if first is None else re.sub(r"\{\w+(?::\w+)?\}", str(first), path, count=1)


def _is_document(dashboard: Dashboard, path: str) -> bool:
    answer = dashboard.client.get(path, follow_redirects=False)
    assert answer.status_code < 500, path
    kind, saved = answer.headers.get("content-type", ""), answer.headers.get("content-disposition", "")
    return (
        answer.status_code == 200
        and kind.startswith("text/html")
        and "attachment" not in saved
        and "<html" in answer.text
    )
