"""What each word of a brand catches of what is stored, and what would change if all were decided anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import event, update

from monitor import marking
from monitor.app import App, watched
from monitor.config import parse
from monitor.judging import beyond_words
from monitor.keyword_rules import BrandRules, RuleCount, rules_in, rules_of
from monitor.keyword_trials import would_catch
from monitor.rematching import rematch
from storage.engine import Database
from storage.recent import newest_first
from storage.tables import ITEM
from tests.fakes.fresh import excluding, fresh
from tests.fakes.storing import NOW, OLD, Shop, item


def app_on(shop: Shop, **brand: object) -> App:
    settings = parse(
        {
            "brands": [{"name": "Acme", **brand}],
            "sources": [{"name": "north", "type": "sample", "brand": "Acme", "options": {"stream": "forum"}}],
        }
    )
    known = {"Acme": watched(settings.brand("Acme"), 1)}
    return App(settings, shop.database, lambda: NOW, "me", known, NOW)


def stored(shop: Shop, *texts: str) -> None:
    shop.pull(*(item(f"i{n}", text=text) for n, text in enumerate(texts)))


def counts(found: BrandRules) -> dict[str, tuple[int, int, int]]:
    return {one.text: (one.items, one.counted, one.alone) for one in found.rules}


def test_each_word_tells_what_it_catches_and_what_rests_on_it_alone(shop: Shop) -> None:
    stored(
        shop,
        "acme phone",  # named by one, required by one
        "acme and akme phone tablet",  # by both
        "akme tablet, a toy",  # left out by toy alone
        "acme phone toy cartoon",  # by both
        "acme says nothing more",  # required words missing
        "a toy phone",  # names nobody any more
    )
    app = app_on(shop, keywords=["acme", "akme"], required=["phone", "tablet"], exclude=["toy", "cartoon*", "never"])
    rematch(app)
    (found,) = rules_of(app)
    assert counts(found) == {
        "acme": (4, 2, 1),
        "akme": (2, 1, 0),
        "phone": (4, 2, 1),
        "tablet": (2, 1, 0),
        "toy": (3, 0, 1),
        "cartoon*": (1, 0, 0),
        "never": (0, 0, 0),
    }
    assert [one.kind for one in found.rules] == ["keyword"] * 2 + ["required"] * 2 + ["exclude"] * 3
    assert (found.decided, found.counting, found.would_count, found.stale) == (6, 2, 2, False)


def test_a_query_tells_what_it_leaves_out_itself(shop: Shop) -> None:
    stored(shop, "acme phone", "acme tablet", "acme phone toy", "acme phone corp", "acme phone toy corp", "acme")
    app = app_on(shop, query="acme AND (phone OR tablet) NOT toy", exclude=["corp"])
    (found,) = rules_of(app)
    assert found.rules == (
        RuleCount("query", app.settings.brand("Acme").query or "", items=3, counted=3, alone=3, excluded=2),
        RuleCount("exclude", "corp", items=2, counted=2, alone=1),
    )


def test_a_brand_without_keywords_is_named_by_its_name(shop: Shop) -> None:
    stored(shop, "Acme", "ACME's")
    assert counts(rules_of(app_on(shop))[0]) == {"Acme": (2, 2, 2)}
    assert counts(rules_of(app_on(shop, case_sensitive=True))[0]) == {"Acme": (1, 1, 1)}


def test_what_would_change_is_what_a_rematch_then_changes(database: Database, tmp_path: Path) -> None:
    app = excluding(fresh(Shop(database, brands=("Fresh", "Rival")), tmp_path), ["vegetable"])
    (before, rival) = rules_of(app)
    assert (before.counting, before.would_count, before.in_, before.out) == (100, 63, 0, 37)
    assert (rival.extent.looked_at, rival.stale) == (0, False)
    result = rematch(app)
    assert (result.changed, result.brands[0].counted_after) == (37, 63)
    (after, _) = rules_of(app)
    assert (after.counting, after.stale) == (63, False)
    assert (rules_of(excluding(app, []))[0].in_, counts(after)["vegetable"]) == (37, (37, 0, 37))


def test_marks_mutes_own_posts_and_erased_items_are_reckoned_with(shop: Shop) -> None:
    shop.pull(
        item("marked", text="acme toy"),
        item("post", kind="post", text="toy"),
        item("gone", text=None),
        item("plain", text="acme toy"),
    )
    ids = {row["external_id"]: row["id"] for row in shop.rows(ITEM)}
    app = app_on(shop, exclude=["toy"])
    marking.mark(app, [ids["marked"]], "not_about_us")
    shop.database.write(
        lambda connection: connection.execute(update(ITEM).where(ITEM.c.id == ids["gone"]).values(erased_at=NOW))
    )
    (found,) = rules_of(app)
    assert (found.counting, found.would_count, found.out) == (3, 2, 1)
    assert (found.decided, counts(found)["toy"]) == (2, (2, 1, 2))


def test_a_store_too_big_for_the_time_is_looked_at_from_its_newest_items(shop: Shop) -> None:
    rows = (item(f"i{n}", text="acme", published_at=OLD - timedelta(minutes=n)) for n in range(2_500))
    shop.pull(*rows)
    (found,) = rules_of(app_on(shop), seconds=0)
    assert (found.extent.looked_at, found.extent.stored, found.extent.complete) == (1_000, 2_500, False)
    assert found.extent.since == OLD - timedelta(minutes=999)
    (whole,) = rules_of(app_on(shop), seconds=600)
    assert (whole.extent.looked_at, whole.extent.complete, whole.counting) == (2_500, True, 2_500)


def test_items_come_newest_first_each_once_whatever_the_chunk(shop: Shop) -> None:
    shop.pull(*(item(f"i{n}", published_at=OLD - timedelta(hours=n // 3)) for n in range(10)))
    for size in (1, 3, 4, 10, 11):
        found = [entry.item.id for chunk in newest_first(shop.database, 1, size) for entry in chunk]
        assert found == [3, 2, 1, 6, 5, 4, 9, 8, 7, 10]


@pytest.mark.parametrize("known", [True, False])
def test_a_store_is_looked_at_without_being_written_to(shop: Shop, known: bool) -> None:
    stored(shop, "acme")
    brand = "Acme" if known else "Newcomer"
    settings = parse({"brands": [{"name": brand}]})
    statements: list[str] = []
    event.listen(shop.database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    assert [one.counting for one in rules_in(settings, shop.database)] == ([1] if known else [])
    assert not [one for one in statements if one.split()[0] in ("INSERT", "UPDATE", "DELETE")]


def test_what_no_keyword_decides_about_is_told_with_its_source(shop: Shop) -> None:
    stored(shop, "acme phone", "a toy")
    shop.pull(item("own", kind="post", text="look at our toy"))
    sources = [{"name": "north", "type": "sample", "brand": "Acme", "options": {"stream": "forum"}}]
    words = {"name": "Acme", "exclude": ["toy"]}
    by_words = app_on(shop, exclude=["toy"])
    everything = replace(by_words, settings=parse({"brands": [words], "sources": [{**sources[0], "match": "all"}]}))
    assert rules_of(by_words)[0].beyond == {"north": 1}
    assert rules_of(everything)[0].beyond == {"north": 3}
    trial = would_catch(everything, "Acme", ["phone"])
    assert (trial.excluded, trial.beyond) == (0, {"north": 3})
    assert rematch(everything, dry_run=True).brands[0].beyond == {"north": 3}
    assert beyond_words(trial.beyond) == (
        'no keyword decides about 3 more, own posts and what counts by nature or by match = "all": north 3'
    )
    assert beyond_words({str(n): 9 - n for n in range(7)}).endswith("4 5, 2 more sources")
