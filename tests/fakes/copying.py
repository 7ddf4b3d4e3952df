"""Items that are copies of each other, for tests: said, brought, and which of them are left out."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from connectors.contract import Author, Item, Kind, Page
from monitor.app import App, watched
from monitor.collect import store_page
from monitor.config import parse
from storage import sources
from storage.records import Claim
from storage.tables import ITEM
from tests.fakes.storing import LEASE, NOW, Shop

RELEASE = "Acme opens a new factory for its phones in the north of the country and hires three hundred people this year"
ONCE = {"duplicates": "once"}
PER_AUTHOR = {"duplicates": "once per author"}


def said(external_id: str, text: str, *, author: str | None = None, hours: float = 0, **more: Any) -> Item:
    """An item, published so many hours after the first."""
    by = None if author is None else Author(author)
    at = NOW - timedelta(days=60) + timedelta(hours=hours)
    return Item(external_id, more.pop("kind", Kind.MENTION), at, text=text, author=by, **more)


def app_on(
    shop: Shop,
    monitor: Mapping[str, Any] | None = None,
    brand: Mapping[str, Any] | None = None,
    second: Mapping[str, Any] | None = None,
) -> App:
    """The program with the brand Acme and two sources, which choose as given."""
    source = {"type": "sample", "brands": ["Acme", "Rival"], "match": "keywords", "options": {"stream": "forum"}}
    known = [{"name": "Acme", **(brand or {})}, {"name": "Rival"}]
    both = [{"name": "first", **source}, {"name": "second", **source, **(second or {})}]
    settings = parse({"monitor": dict(monitor or {}), "brands": known, "sources": both})
    entries = [sources.SourceEntry(one.name, "sample", "sample") for one in settings.sources]
    ids = sources.sync(shop.database, ["Acme", "Rival"], entries, NOW)
    brands = {brand.name: watched(brand, ids[brand.name]) for brand in settings.brands}
    return App(settings, shop.database, lambda: NOW, "me", brands, NOW)


def brought(app: App, *found: Item, name: str = "first") -> None:
    """A page stored as a pull stores it."""
    claim = sources.claim_source(app.database, app.owner, {name: NOW}, NOW, LEASE, only_due=False)
    assert isinstance(claim, Claim)
    store_page(app, app.settings.source(name), claim, Page(found, None))
    sources.give_back(app.database, claim)


def left_out(shop: Shop) -> list[str]:
    """The ids of Acme's items that are left out as copies."""
    return sorted(
        row["external_id"] for row in shop.rows(ITEM) if row["brand_id"] == 1 and row["uncounted"] == "duplicate"
    )


def number(shop: Shop, external_id: str) -> int:
    return int(shop.row(ITEM, external_id=external_id, brand_id=1)["id"])
