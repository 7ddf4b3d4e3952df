"""Which brands an item belongs to; an author who takes a brand's name out of an item takes it out of the figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import event, update

from connectors.contract import Item, Kind, Page
from monitor.app import App, watched
from monitor.collect import store_page
from monitor.config import parse
from storage import sources
from storage.listing import items
from storage.records import Claim, ItemFilter, PageValues, Saved
from storage.tables import ITEM, REVISION
from storage.verify import verify
from tests.fakes.storing import NOW, OLD, Shop

LATER = NOW + timedelta(hours=1)


def said(external_id: str, text: str | None, *, kind: Kind = Kind.MENTION, at: int = 0) -> Item:
    return Item(external_id, kind, OLD, text=text, updated_at=OLD + timedelta(minutes=at))


def app_on(shop: Shop, match: str = "keywords") -> App:
    """The program with the brands Acme and Rival, and two sources of sample data that serve both."""
    source = {"type": "sample", "brands": ["Acme", "Rival"], "match": match, "options": {"stream": "forum"}}
    known = [{"name": "Acme"}, {"name": "Rival"}]
    settings = parse({"brands": known, "sources": [{"name": name, **source} for name in ("first", "second")]})
    entries = [sources.SourceEntry(one.name, "sample", "sample") for one in settings.sources]
    ids = sources.sync(shop.database, ["Acme", "Rival"], entries, NOW)
    brands = {brand.name: watched(brand, ids[brand.name]) for brand in settings.brands}
    return App(settings, shop.database, lambda: NOW, "me", brands, NOW)


def brought(app: App, *found: Item, name: str = "first") -> tuple[PageValues, Saved]:
    """A page stored as a pull stores it."""
    claim = sources.claim_source(app.database, app.owner, {name: OLD}, NOW, app.lease, only_due=False)
    assert isinstance(claim, Claim)
    done = store_page(app, app.settings.source(name), claim, Page(found, None))
    sources.give_back(app.database, claim)
    return done


def counted(shop: Shop, brand: str = "Acme") -> list[tuple[str, str | None]]:
    return [(one.external_id, one.text) for one in items(shop.database, ItemFilter(brand=brand), limit=100)]


def reasons(shop: Shop) -> list[tuple[int, str, str | None, str | None]]:
    rows = ((row["brand_id"], row["external_id"], row["text"], row["uncounted"]) for row in shop.rows(ITEM))
    return sorted(rows, key=lambda row: row[:2])


def test_an_item_whose_author_takes_the_name_out_counts_no_more_and_keeps_its_new_words(shop: Shop) -> None:
    app = app_on(shop)
    brought(app, said("a", "Acme is awful"), said("b", "Acme is fine"))
    page, saved = brought(app, said("a", "It is awful", at=1), said("b", "Acme is fine"), said("c", "nothing"))
    assert (page.unmatched, saved) == (2, Saved(new=0, changed=1))
    assert reasons(shop) == [(1, "a", "It is awful", "excluded"), (1, "b", "Acme is fine", None)]
    assert counted(shop) == [("b", "Acme is fine")]
    assert [row["text"] for row in shop.rows(REVISION)] == ["Acme is awful"]
    assert items(shop.database, ItemFilter(search="awful", uncounted="excluded"), limit=9)[0].text == "It is awful"
    assert verify(shop.database) == []


def test_an_item_whose_author_puts_the_name_back_counts_again(shop: Shop) -> None:
    app = app_on(shop)
    for at, text in enumerate(("Acme is awful", "awful", "I mean Acme")):
        brought(app, said("a", text, at=at))
    assert counted(shop) == [("a", "I mean Acme")]
    assert verify(shop.database) == []


def test_an_emptied_item_counts_no_more(shop: Shop) -> None:
    app = app_on(shop)
    brought(app, said("a", "Acme is awful"))
    brought(app, said("a", None, at=1))
    assert reasons(shop) == [(1, "a", None, "excluded")]


def test_an_item_that_names_the_other_brand_now_is_moved_in_the_figures(shop: Shop) -> None:
    app = app_on(shop)
    brought(app, said("a", "Acme is awful"))
    page, _ = brought(app, said("a", "Rival is awful", at=1))
    assert page.unmatched == 0
    assert reasons(shop) == [(1, "a", "Rival is awful", "excluded"), (2, "a", "Rival is awful", None)]
    assert verify(shop.database) == []


def test_what_never_named_the_brand_is_not_stored(shop: Shop) -> None:
    page, saved = brought(app_on(shop), said("a", "nothing"), said("b", "Acmeology"))
    assert (page.items, page.unmatched, saved) == ([], 2, Saved())


def test_what_was_erased_stays_so(shop: Shop) -> None:
    app = app_on(shop)
    brought(app, said("a", "Acme is awful"))
    shop.database.write(lambda connection: connection.execute(update(ITEM).values(erased_at=NOW)))
    page, _ = brought(app, said("a", "awful", at=1))
    assert page.items == []


def test_changed_keywords_alone_do_not_undo_history_in_a_pull(shop: Shop) -> None:
    """That is for a rematch: the author has changed nothing."""
    app = app_on(shop)
    brought(app, said("a", "Acme is awful"))
    acme = app.settings.brand("Acme").model_copy(update={"keywords": ["acme corp"]})
    brought(replace(app, brands={**app.brands, "Acme": watched(acme, 1)}), said("a", "Acme is awful"))
    assert counted(shop) == [("a", "Acme is awful")]


def test_another_source_that_sees_the_item_takes_no_words_from_it(shop: Shop) -> None:
    app = app_on(shop)
    brought(app, said("a", "Acme is awful"))
    brought(app, said("a", "cut short ...", at=1), name="second")
    assert counted(shop) == [("a", "Acme is awful")]


def test_own_posts_and_what_counts_by_nature_need_not_name_the_brand(shop: Shop) -> None:
    app = app_on(shop)
    brought(app, said("post", "news", kind=Kind.POST))
    brought(app, said("post", "newer", kind=Kind.POST, at=1))
    assert [row[3] for row in reasons(shop)] == [None, None]
    everything = app_on(shop, match="all")
    page, _ = brought(everything, said("b", "nothing"))
    assert [(entry["brand_id"], entry["uncounted"]) for entry in page.items] == [(1, None), (2, None)]


def test_a_page_asks_the_store_once_for_each_brand_however_many_items_name_none(shop: Shop) -> None:
    app = app_on(shop)
    asked = _statements(app, [said(str(n), "nothing") for n in range(200)])
    assert sum("external_id IN" in one or "external_id = ANY" in one for one in asked) == 2
    named = _statements(app, [said("x", "Acme and Rival")])
    assert not any("external_id" in one and "FROM item" in one and "erased_at IS NULL" in one for one in named)


def _statements(app: App, found: Sequence[Item]) -> list[str]:
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(statement)

    event.listen(app.database.engine, "before_cursor_execute", note)
    try:
        brought(app, *found)
    finally:
        event.remove(app.database.engine, "before_cursor_execute", note)
    return asked
