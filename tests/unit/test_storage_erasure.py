"""What is erased is gone and stays gone; the figures stay."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from storage import erasure, queries
from storage.people_tables import MUTE
from storage.tables import AUTHOR, COUNT_HISTORY, ITEM, NOTE, REVISION, ROLLUP
from storage.verify import verify
from tests.fakes.storing import NOW, OLD, Shop, author, crash_everywhere, dump, item

LATER = NOW + timedelta(hours=1)
WORDS = ("title", "text", "url", "author_name", "parent_title", "fingerprint", "refresh_at")


def told(external_id: str = "a", **given: Any) -> Any:
    """A review with all that can be said of it."""
    values = {
        "kind": "review",
        "title": "Sadly",
        "url": f"https://forum.example/{external_id}",
        "author_id": 7,
        "author_name": "Mabel Thorn",
        "parent_title": "Mabel's thread",
        "reply_text": "Dear Mabel",
        "reply_at": OLD,
        "place": "forum",
        "attributes": {"country": "de", "profile": "mabel"},
        "fingerprint": "f" * 32,
        "refresh_at": LATER,
        "rating_value": 2.0,
        "stars": 20_000,
        "star_cell": 2,
        "likes": 3,
    }
    return item(external_id, **{**values, **given})


def erase(shop: Shop, *external_ids: str, reason: str = erasure.ASKED, **more: Any) -> int:
    ids = [row["id"] for row in shop.rows(ITEM) if row["external_id"] in external_ids]
    return shop.database.write(lambda connection: erasure.erase(connection, ids, LATER, reason=reason, **more))


def sums(shop: Shop) -> Any:
    return dump(shop, ROLLUP, without=["changes"])


def test_words_and_names_go_and_figures_stay(shop: Shop) -> None:
    shop.pull(told(), authors=[author(7, name="Mabel Thorn", followers=5)])
    before, figures = shop.row(ITEM), sums(shop)
    assert erase(shop, "a") == 1
    after = shop.row(ITEM)
    assert {after[name] for name in WORDS} == {None}
    assert (after["reply_text"], after["attributes"], after["place"]) == ("", {"country": "de"}, "forum")
    assert (after["erased_at"], after["changed_at"]) == (LATER, LATER)
    gone = {*WORDS, "reply_text", "attributes", "erased_at", "changed_at", "external_id", "author_id"}
    assert {name: after[name] for name in after if name not in gone} == {
        name: before[name] for name in before if name not in gone
    }
    assert sums(shop) == figures
    assert verify(shop.database) == []


def test_nothing_that_is_stored_holds_the_name_the_id_or_the_words(shop: Shop) -> None:
    shop.pull(told(), authors=[author(7, name="Mabel Thorn")])
    shop.pull(told(text="I have changed my mind", updated_at=NOW), authors=[author(7)], at=NOW)
    erase(shop, "a")
    stored = str(dump(shop, ITEM, REVISION, AUTHOR, COUNT_HISTORY, NOTE))
    for word in ("Mabel", "mabel", "u7", "love", "mind", "Sadly", "'a'", "https"):
        assert word not in stored


def test_revisions_keep_their_rating_and_lose_their_words(shop: Shop) -> None:
    shop.pull(told(rating_value=5.0), authors=[author(7)])
    shop.pull(told(text="Broken now", updated_at=NOW), authors=[author(7)])
    erase(shop, "a")
    (kept,) = shop.rows(REVISION)
    assert (kept["title"], kept["text"], kept["rating_value"], kept["label"]) == (None, None, 5.0, "positive")


def test_the_caches_learn_of_an_erasure(shop: Shop) -> None:
    shop.pull(item())
    before = shop.row(ROLLUP)["changes"]
    erase(shop, "a")
    assert shop.row(ROLLUP)["changes"] > before


def test_the_items_of_one_author_stay_one_authors(shop: Shop) -> None:
    shop.pull(told("a"), told("b"), told("c", author_id=8), authors=[author(7), author(8)])
    erase(shop, "a", "b", "c")
    first, second, third = (row["author_id"] for row in shop.rows(ITEM))
    assert first == second
    assert len({first, third, 7, 8}) == 4
    assert {row["name"] for row in shop.rows(AUTHOR)} == {None}
    assert len(shop.rows(AUTHOR)) == 2


def test_each_act_gives_an_author_another_number_unless_it_goes_on(shop: Shop) -> None:
    shop.pull(*(told(name) for name in "abcd"), authors=[author(7)])
    clusters: dict[int, int] = {}
    erase(shop, "a", clusters=clusters)
    erase(shop, "b", clusters=clusters)
    erase(shop, "c")
    erase(shop, "d")
    numbers = [row["author_id"] for row in shop.rows(ITEM)]
    assert numbers[0] == numbers[1]
    assert len(set(numbers)) == 3


def test_what_goes_for_its_age_keeps_its_clusters_over_many_acts(shop: Shop) -> None:
    shop.pull(told("a"), told("b"), authors=[author(7)])
    erase(shop, "a", reason=erasure.OLD)
    erase(shop, "b", reason=erasure.OLD)
    first, second = (row["author_id"] for row in shop.rows(ITEM))
    assert first == second != 7


def test_an_author_goes_with_his_last_item_and_stays_for_the_others(shop: Shop) -> None:
    shop.pull(told("a"), told("b"), authors=[author(7, name="Mabel Thorn")])
    erase(shop, "a")
    assert shop.row(AUTHOR, id=7)["name"] == "Mabel Thorn"
    erase(shop, "b")
    assert 7 not in {row["id"] for row in shop.rows(AUTHOR)}


def test_a_muted_author_stays_muted(shop: Shop) -> None:
    shop.pull(told(), authors=[author(7)])
    mute = {"author_id": 7, "shown": "Mabel Thorn", "at": NOW}
    shop.database.write(lambda connection: connection.execute(insert(MUTE), mute))
    erase(shop, "a")
    assert 7 in {row["id"] for row in shop.rows(AUTHOR)}


@pytest.mark.parametrize("place", ["u/Mabel Thorn", "U7's corner"])
def test_a_place_that_names_its_author_goes(shop: Shop, place: str) -> None:
    shop.pull(told(place=place), authors=[author(7)])
    erase(shop, "a")
    assert shop.row(ITEM)["place"] is None


def test_a_second_erasure_does_nothing(shop: Shop) -> None:
    shop.pull(told(), authors=[author(7)])
    erase(shop, "a")
    before = dump(shop, ITEM, AUTHOR, ROLLUP)
    number = shop.row(ITEM)["id"]
    again = shop.database.write(
        lambda connection: erasure.erase(connection, [number, number], LATER, reason=erasure.GONE)
    )
    assert again == 0
    assert dump(shop, ITEM, AUTHOR, ROLLUP) == before


def test_an_unknown_reason_is_refused(shop: Shop) -> None:
    shop.pull(item())
    with pytest.raises(ValueError, match='reason: "mood" is none of gone, asked, old'):
        erase(shop, "a", reason="mood")


# ------------------------------------------------------------------------------------------------- pulled again


def pulled_again(shop: Shop, items: Sequence[Any], name: str = "north") -> None:
    """Every change that a pull can bring."""
    shop.pull(*items, name=name, at=LATER, authors=[author(7, name="Mabel Thorn")])


@pytest.mark.parametrize("name", ["north", "south"])
def test_no_later_pull_brings_an_erased_item_back(shop: Shop, name: str) -> None:
    shop.pull(told(), authors=[author(7, name="Mabel Thorn")])
    erase(shop, "a")
    before = dump(shop, ITEM, AUTHOR, ROLLUP, REVISION, COUNT_HISTORY)
    pulled_again(shop, [told(text="Anew", likes=99, updated_at=LATER, counted_at=LATER)], name)
    assert dump(shop, ITEM, AUTHOR, ROLLUP, REVISION, COUNT_HISTORY) == before
    assert verify(shop.database) == []


def test_what_comes_along_with_an_erased_item_is_stored(shop: Shop) -> None:
    shop.pull(told(), authors=[author(7)])
    erase(shop, "a")
    pulled_again(shop, [told("a"), told("b"), told("c", author_id=None)])
    assert [row["external_id"] for row in shop.rows(ITEM)][1:] == ["b", "c"]
    assert shop.row(AUTHOR, id=7)["name"] == "Mabel Thorn"  # who wrote another item


def test_an_erased_item_is_known_by_its_brand_only(shop: Shop) -> None:
    shop.pull(told(), authors=[author(7)])
    erase(shop, "a")
    shop.pull(told(brand_id=2), authors=[author(7)])
    assert [row["brand_id"] for row in shop.rows(ITEM)] == [1, 2]


def test_a_crash_at_any_point_erases_wholly_or_not_at_all(shop: Shop) -> None:
    shop.pull(told("a"), told("b"), authors=[author(7, name="Mabel Thorn")])
    before = dump(shop, ITEM, AUTHOR, ROLLUP, NOTE)

    def nothing_changed() -> None:
        assert dump(shop, ITEM, AUTHOR, ROLLUP, NOTE) == before

    assert crash_everywhere(shop.database, lambda: erase(shop, "a", "b"), nothing_changed) > 5
    after = dump(shop, ITEM, AUTHOR)

    def still_gone() -> None:
        assert dump(shop, ITEM, AUTHOR) == after

    claim = shop.claimed()
    again = {"authors": [author(7, name="Mabel Thorn")], "at": LATER}
    assert crash_everywhere(shop.database, lambda: shop.save(claim, told("a"), told("b"), **again), still_gone) > 5
    still_gone()
    assert queries.stats(shop.database)["items"] == [{"brand": "Acme", "kind": "review", "count": 2}]


def test_a_store_without_erasures_pays_one_look_a_page(shop: Shop) -> None:
    shop.pull(item("a"))
    assert [row for row in shop.rows(NOTE) if row["name"].startswith("erasure")] == []
    found = shop.database.read(lambda connection: erasure.tombstones(connection, 1, "forum", ["a"]))
    assert found == set()


def test_two_stores_have_two_keys() -> None:
    assert erasure.tombstone(b"1" * 32, "forum", "a") != erasure.tombstone(b"2" * 32, "forum", "a")
    assert erasure.tombstone(b"1" * 32, "forum", "a") != erasure.tombstone(b"1" * 32, "forums", "a")
