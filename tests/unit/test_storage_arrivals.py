"""What is new waits for the rules: written with its page, taken away by whoever fires."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Connection

from storage import arrivals, ingest, sources
from storage.people_tables import ARRIVAL, FIRING
from storage.records import PageValues
from storage.sources import SourceEntry
from storage.tables import ITEM
from tests.fakes.storing import NOW, OLD, Shop, author, crash_everywhere, item

SINCE = NOW - timedelta(hours=24)
LATER = NOW + timedelta(minutes=5)


def fresh(name: str = "new", **given: Any) -> Any:
    return item(name, **{"published_at": NOW - timedelta(hours=1), **given})


def rated(value: float, name: str = "new", **given: Any) -> Any:
    return fresh(name, rating_value=value, rating_worst=1, rating_best=5, stars=round(value * 10_000), **given)


def waiting(shop: Shop) -> list[tuple[str, str]]:
    """(external id, version) of each arrival."""
    names = {row["id"]: row["external_id"] for row in shop.rows(ITEM)}
    return sorted((names[row["item_id"]], row["version"]) for row in shop.rows(ARRIVAL))


def test_what_is_published_since_waits_and_nothing_else(shop: Shop) -> None:
    edge = fresh("edge", published_at=SINCE)
    before = fresh("before", published_at=SINCE - timedelta(seconds=1))
    shop.pull(fresh(), edge, before, fresh("excluded", uncounted="excluded"), arrivals_since=SINCE)
    assert waiting(shop) == [("edge", ""), ("new", "")]


def test_without_a_bound_nothing_waits(shop: Shop) -> None:
    shop.pull(rated(1))
    shop.pull(rated(2), at=LATER)
    assert waiting(shop) == []


def test_each_rating_waits_once_and_other_changes_do_not(shop: Shop) -> None:
    shop.pull(rated(1), arrivals_since=SINCE)
    for change in (rated(1, text="edited"), rated(1, likes=5), rated(3), rated(1), rated(3)):
        shop.pull(change, at=LATER, arrivals_since=SINCE)
    assert waiting(shop) == [("new", "1/5"), ("new", "3/5")]


@pytest.mark.parametrize(("edited", "waits"), [(None, True), (SINCE, True), (SINCE - timedelta(seconds=1), False)])
def test_an_old_item_rated_anew_waits_unless_that_was_long_ago(shop: Shop, edited: Any, *, waits: bool) -> None:
    shop.pull(rated(1, published_at=OLD))
    shop.pull(rated(5, published_at=OLD, updated_at=edited), at=LATER, arrivals_since=SINCE)
    assert waiting(shop) == ([("new", "5/5")] if waits else [])


def test_another_source_s_reading_rates_nothing_anew(shop: Shop) -> None:
    shop.pull(rated(1))
    shop.pull(rated(5), name="south", at=LATER, arrivals_since=SINCE)
    assert waiting(shop) == []


def test_a_page_and_what_of_it_is_news_are_stored_together(shop: Shop) -> None:
    claim = shop.claimed()
    page = PageValues([fresh(), rated(2, "other")], arrivals_since=SINCE)

    def nothing_is_there() -> None:
        assert (shop.rows(ITEM), shop.rows(ARRIVAL)) == ([], [])

    crash_everywhere(shop.database, lambda: ingest.save_page(shop.database, claim, page, NOW), nothing_is_there)
    assert waiting(shop) == [("new", ""), ("other", "2/5")]


def test_rules_see_an_item_as_people_do(shop: Shop) -> None:
    whole = rated(2, author_id=7, attributes={"country": "DE"}, reply_text="Sorry", compound=-5_000)
    shop.pull(whole, authors=[author(7, name="Ann", followers=9)], arrivals_since=SINCE)
    (one,) = arrivals.waiting(shop.database, tags=True)
    seen = one.item
    assert (seen.brand, seen.source, seen.stars, seen.compound, seen.author, seen.followers) == (
        "Acme", "north", 2.0, -0.5, "Ann", 9,
    )  # fmt: skip
    assert (seen.attributes, seen.replied, seen.erased, seen.tags, seen.version) == (
        {"country": "DE"}, True, False, (), "2/5",
    )  # fmt: skip
    assert one.key == (seen.id, "2/5")


def test_an_arrival_is_taken_and_a_firing_noted_once(shop: Shop) -> None:
    shop.pull(fresh(), arrivals_since=SINCE)
    key = arrivals.waiting(shop.database)[0].key

    def take(connection: Connection) -> tuple[set[arrivals.Key], set[arrivals.Key]]:
        arrivals.alone(connection)
        return arrivals.take(connection, [key]), arrivals.fire(connection, "angry", [key], NOW)

    assert shop.database.write(take) == ({key}, {key})
    assert shop.database.write(take) == (set(), set())
    assert len(shop.rows(FIRING)) == 1
    assert arrivals.fired_since(shop.database, NOW) == {"angry": 1}


def test_a_rule_is_known_from_the_first_time_on_and_anew_after_it_was_forgotten(shop: Shop) -> None:
    def known(names: list[str], minutes: int, *, forget: bool = False) -> list[int]:
        at = NOW + timedelta(minutes=minutes)
        found = shop.database.write(lambda c: arrivals.known_since(c, names, at, forget=forget))
        return [int((found[name] - NOW).total_seconds()) // 60 for name in names]

    assert known(["a", "b"], 1) == [1, 1]
    assert known(["b"], 2) == [1]
    assert known(["a"], 3, forget=True) == [1]
    assert known(["a", "b"], 4) == [1, 4]


def test_when_a_source_was_first_pulled_is_remembered_until_it_is_another(shop: Shop) -> None:
    shop.pull(fresh())
    assert asked_since(shop, minutes=9) == NOW
    sources.sync(shop.database, ["Acme"], [SourceEntry("north", "feeds", "feeds")], NOW)
    assert asked_since(shop, minutes=9) == NOW + timedelta(minutes=9)


def asked_since(shop: Shop, minutes: int) -> datetime:
    at = NOW + timedelta(minutes=minutes)
    claim = sources.claim_source(shop.database, "me", {"north": OLD}, at, timedelta(minutes=2), only_due=False)
    assert claim is not None
    sources.give_back(shop.database, claim)
    return claim.asked_since
