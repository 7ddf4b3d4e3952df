"""Items read again: what is due, what a reading changes, and that all of it is stored or nothing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from storage import refreshing, sources
from storage.leases import LeaseLost
from storage.records import Claim
from storage.refreshing import Due, Reading, Reread
from storage.sources import SourceEntry
from storage.tables import AUTHOR, COUNT_HISTORY, ITEM, METADATA, ROLLUP, SOURCE
from storage.verify import verify
from tests.fakes.storing import NOW, OLD, Shop, author, crash_everywhere, dump, item

AT = NOW + timedelta(minutes=15)
NEXT = NOW + timedelta(hours=1)


def due_item(external_id: str = "a", **given: Any) -> Any:
    return item(external_id, **{"published_at": NOW, "refresh_at": AT, **given})


def due_ids(shop: Shop, claim: Claim, at: Any = AT, limit: int = 100) -> list[str]:
    return [one.external_id for one in refreshing.due(shop.database, claim, at, limit)]


def reread(shop: Shop, *readings: Reading, at: Any = AT, claim: Claim | None = None, **given: Any) -> Reread:
    return refreshing.save_readings(shop.database, claim or shop.claimed(), readings, at, **given)


def likes(external_id: str, count: int | None, **given: Any) -> Reading:
    return Reading(external_id, {"likes": count}, next_at=NEXT, **given)


# ------------------------------------------------------------------------------------------------- what is due


def test_what_has_been_due_longest_comes_first_and_each_id_once(shop: Shop) -> None:
    items = [due_item("late"), due_item("soon", refresh_at=NEXT), due_item("never", refresh_at=None)]
    first = due_item("first", refresh_at=NOW)
    shop.pull(*items, first, due_item("late", brand_id=2))
    claim = shop.claimed()
    assert refreshing.due(shop.database, claim, AT, 100) == [Due("first", NOW), Due("late", NOW)]
    assert due_ids(shop, claim, limit=1) == ["first"]
    assert due_ids(shop, claim, NOW - timedelta(seconds=1)) == []


def test_another_source_s_items_are_not_due(shop: Shop) -> None:
    shop.pull(due_item("south's"), name="south")
    assert due_ids(shop, shop.claimed()) == []


def test_items_of_the_platform_that_a_source_read_before_are_not_asked_of_the_new_one(shop: Shop) -> None:
    shop.pull(due_item())
    sources.sync(shop.database, shop.brands, [SourceEntry("north", "blog", "blog")], NOW)
    claim = shop.claimed()
    assert due_ids(shop, claim) == []
    assert reread(shop, likes("a", 5), claim=claim) == Reread(read=1)
    assert shop.row(ITEM)["likes"] is None


def test_what_is_due_is_found_by_its_index(shop: Shop) -> None:
    explain = "EXPLAIN QUERY PLAN" if shop.database.is_sqlite else "EXPLAIN"
    query = "SELECT external_id FROM item WHERE source_id = 1 AND refresh_at <= '2026-11-20' ORDER BY refresh_at, id LIMIT 9"

    def plan(connection: Any) -> str:
        if not shop.database.is_sqlite:  # which reads an empty table from end to end
            connection.execute(text("SET LOCAL enable_seqscan = off"))
        return str(connection.execute(text(f"{explain} {query}")).all())

    assert "ix_item_refresh" in shop.database.write(plan)


# ------------------------------------------------------------------------------------------------- what a reading changes


def test_growth_goes_into_the_history_the_sums_and_the_item(shop: Shop) -> None:
    shop.pull(due_item(likes=3, comments=1))
    assert reread(shop, Reading("a", {"likes": 10, "comments": 1}, next_at=NEXT)) == Reread(read=1, changed=1)
    row = shop.row(ITEM)
    assert (row["likes"], row["comments"], row["counted_at"], row["changed_at"]) == (10, 1, AT, AT)
    assert (row["refresh_at"], row["refreshes"]) == (NEXT, 1)
    assert [(one["at"], one["likes"]) for one in shop.rows(COUNT_HISTORY)] == [(NOW, 3), (AT, 7)]
    assert [one["likes_gained"] for one in shop.rows(ROLLUP)] == [3, 7]
    assert shop.rows(ROLLUP)[0]["likes_sum"] == 10
    assert verify(shop.database) == []


def test_an_unchanged_count_moves_nothing_but_the_time_it_was_true(shop: Shop) -> None:
    shop.pull(due_item(likes=3))
    before = dump(shop, ROLLUP, COUNT_HISTORY)
    assert reread(shop, likes("a", 3)) == Reread(read=1)
    row = shop.row(ITEM)
    assert (row["counted_at"], row["changed_at"], row["refresh_at"], row["refreshes"]) == (AT, NOW, NEXT, 1)
    assert dump(shop, ROLLUP, COUNT_HISTORY) == before


def test_from_unknown_to_known_is_no_growth_and_from_known_to_unknown_no_change(shop: Shop) -> None:
    shop.pull(due_item(likes=3))
    assert reread(shop, Reading("a", {"likes": None, "views": 40}, next_at=NEXT)).changed == 1
    row = shop.row(ITEM)
    assert (row["likes"], row["views"]) == (3, 40)
    assert sum(one["views"] for one in shop.rows(COUNT_HISTORY)) == 0
    assert verify(shop.database) == []


def test_counts_may_fall(shop: Shop) -> None:
    shop.pull(due_item(likes=3))
    reread(shop, likes("a", -2))
    assert [one["likes"] for one in shop.rows(COUNT_HISTORY)] == [3, -5]
    assert verify(shop.database) == []


def test_an_item_of_two_brands_is_read_once_for_both(shop: Shop) -> None:
    shop.pull(due_item(likes=1), due_item(brand_id=2, likes=1, uncounted="excluded"))
    assert reread(shop, likes("a", 4)) == Reread(read=1, changed=1)
    assert [(row["likes"], row["refresh_at"]) for row in shop.rows(ITEM)] == [(4, NEXT), (4, NEXT)]
    assert {row["brand_id"]: row["likes_gained"] for row in shop.rows(ROLLUP) if row["likes_gained"]}[1] == 3
    assert verify(shop.database) == []


def test_a_reading_older_than_the_stored_one_changes_nothing(shop: Shop) -> None:
    shop.pull(due_item(likes=9, counted_at=NEXT))
    claim = shop.claimed()
    assert reread(shop, likes("a", 4), claim=claim) == Reread(read=1)
    assert reread(shop, Reading("a", gone=True, next_at=NEXT), claim=claim).gone == 0
    row = shop.row(ITEM)
    assert (row["likes"], row["counted_at"], row["erased_at"]) == (9, NEXT, None)
    assert verify(shop.database) == []


def test_what_the_platform_is_silent_about_stays_and_is_asked_again_at_its_next_step(shop: Shop) -> None:
    shop.pull(due_item(likes=3))
    assert reread(shop, Reading("a", next_at=NEXT)) == Reread()
    row = shop.row(ITEM)
    assert (row["likes"], row["counted_at"], row["erased_at"]) == (3, NOW, None)
    assert (row["refresh_at"], row["refreshes"]) == (NEXT, 0)


def test_after_the_last_step_an_item_is_not_due_any_more(shop: Shop) -> None:
    shop.pull(due_item())
    claim = shop.claimed()
    reread(shop, Reading("a", {"likes": 1}, next_at=None), claim=claim)
    assert due_ids(shop, claim, NOW + timedelta(days=999)) == []


def test_the_same_readings_twice_are_as_good_as_once(shop: Shop) -> None:
    shop.pull(due_item(likes=3))
    claim = shop.claimed()
    reread(shop, likes("a", 8), claim=claim)
    before = dump(shop, *METADATA.sorted_tables, without=("lease_until",))
    assert reread(shop, likes("a", 8), claim=claim) == Reread(read=1)
    assert dump(shop, *METADATA.sorted_tables, without=("lease_until",)) == before


def test_a_pull_that_sees_an_item_again_does_not_move_its_next_reading(shop: Shop) -> None:
    shop.pull(due_item(likes=3))
    shop.pull(due_item(likes=5, counted_at=AT, text="edited", refresh_at=NEXT))
    assert shop.row(ITEM)["refresh_at"] == AT


# ------------------------------------------------------------------------------------------------- what is gone


def test_what_is_gone_becomes_a_tombstone_in_every_brand_and_stays_one(shop: Shop) -> None:
    gone = [due_item("gone", likes=4, author_id=7), due_item("gone", brand_id=2, author_id=7)]
    shop.pull(*gone, due_item("here"), authors=[author(7, name="Ann")])
    claim = shop.claimed()
    assert reread(shop, Reading("gone", gone=True), likes("here", 2), claim=claim) == Reread(2, 1, 1)
    erased = [row for row in shop.rows(ITEM) if row["erased_at"] is not None]
    assert [(row["text"], row["erased_at"], row["refresh_at"], row["label"]) for row in erased] == [
        (None, AT, None, "positive")
    ] * 2
    assert not [row for row in shop.rows(AUTHOR) if row["name"] == "Ann"]
    shop.save(claim, *gone, at=NEXT)
    assert len(shop.rows(ITEM)) == 3
    assert not [row for row in shop.rows(ITEM) if row["external_id"] == "gone"]
    assert due_ids(shop, claim, NEXT) == ["here"]
    assert verify(shop.database) == []


def test_ids_of_which_nothing_is_stored_are_harmless(shop: Shop) -> None:
    shop.pull(due_item())
    before = dump(shop, ITEM, ROLLUP)
    assert reread(shop, likes("strange", 5), Reading("stranger", gone=True)) == Reread(read=2)
    assert dump(shop, ITEM, ROLLUP) == before


# ------------------------------------------------------------------------------------------------- all or nothing


@pytest.fixture
def begun(shop: Shop) -> Shop:
    authors = [author(7, name="Ann")]
    shop.pull(due_item("grown", likes=1), due_item("gone", likes=2, author_id=7), due_item("silent"), authors=authors)
    shop.pull(due_item("grown", brand_id=2, likes=1, published_at=OLD))
    return shop


BATCH = (likes("grown", 6), Reading("gone", gone=True), Reading("silent", next_at=NEXT))


def everything(shop: Shop) -> Callable[[], object]:
    return lambda: dump(shop, *METADATA.sorted_tables, without=("lease_until",))


def test_a_crash_anywhere_stores_nothing_of_the_batch(begun: Shop) -> None:
    claim, state = begun.claimed(), everything(begun)
    before = state()

    def nothing_is_stored() -> None:
        assert state() == before
        assert verify(begun.database) == []

    crashes = crash_everywhere(
        begun.database, lambda: reread(begun, *BATCH, claim=claim, cursor={"spent": 3}), nothing_is_stored
    )
    assert crashes >= 12
    assert begun.row(SOURCE, name="north")["cursor"] == {"spent": 3}
    assert [row["likes"] for row in begun.rows(ITEM) if row["external_id"] == "grown"] == [6, 6]
    assert verify(begun.database) == []


def test_whoever_lost_the_source_stores_nothing(begun: Shop) -> None:
    claim = begun.claimed()
    sources.release_all(begun.database, "me")
    begun.claimed(owner="other")
    state = everything(begun)
    before = state()
    with pytest.raises(LeaseLost):
        reread(begun, *BATCH, claim=claim)
    with pytest.raises(LeaseLost):
        sources.save_cursor(begun.database, claim, {"spent": 3})
    assert state() == before


def test_a_cursor_is_kept_beside_the_readings_or_left_alone(begun: Shop) -> None:
    claim = begun.claimed()
    sources.save_cursor(begun.database, claim, {"page": 1})
    reread(begun, *BATCH, claim=claim)
    assert begun.row(SOURCE, name="north")["cursor"] == {"page": 1}
    reread(begun, claim=claim, cursor={"page": 2})
    assert begun.row(SOURCE, name="north")["cursor"] == {"page": 2}


# -------------------------------------------------------------------------------------------- what has no turn yet


def test_items_without_a_turn_are_found_and_given_one_once(shop: Shop) -> None:
    mine = [item(name, published_at=NOW, refresh_at=None) for name in ("a", "b")]
    shop.pull(*mine, item("old", published_at=OLD, refresh_at=None), due_item("due"))
    shop.pull(item("south's", published_at=NOW, refresh_at=None), name="south")
    claim = shop.claimed()
    since = NOW - timedelta(hours=1)
    found = refreshing.unscheduled(shop.database, claim, since, 100)
    assert [at for _, at in found] == [NOW, NOW]
    first = found[0][0]
    assert refreshing.unscheduled(shop.database, claim, since, 1) == found[:1]
    assert refreshing.unscheduled(shop.database, claim, since, 100, after=first) == found[1:]
    refreshing.schedule(shop.database, {first: NEXT})
    refreshing.schedule(shop.database, {first: AT})
    assert shop.row(ITEM, id=first)["refresh_at"] == NEXT
    assert refreshing.unscheduled(shop.database, claim, since, 100) == found[1:]
