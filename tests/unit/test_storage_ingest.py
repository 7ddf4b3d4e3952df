"""What a page of items does to the store."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import update

from storage import ingest, sources
from storage.leases import LeaseLost
from storage.records import GapValues, PageValues, Saved
from storage.tables import AUTHOR, COUNT_HISTORY, GAP, ITEM, PULL, REVISION, ROLLUP, SOURCE
from storage.verify import verify
from tests.fakes.storing import NOW, OLD, Shop, author, dump, item

LATER = NOW + timedelta(hours=1)
FRESH = NOW - timedelta(hours=2)


def rollup(shop: Shop, column: str) -> int:
    """The sum of a figure over all rollups, which are proved right on the way."""
    assert verify(shop.database) == []
    return sum(row[column] for row in shop.rows(ROLLUP))


# --------------------------------------------------------------------------------------------------- new, seen again


def test_a_new_item_is_stored_with_its_source_and_counted(shop: Shop) -> None:
    assert shop.pull(item("a", likes=3), item("b", label="negative")) == Saved(new=2)
    row = shop.row(ITEM, external_id="a")
    assert (row["source_id"], row["platform"], row["first_seen_at"], row["published_at"]) == (1, "forum", NOW, OLD)
    assert (row["scorer_label"], row["erased_at"]) == ("positive", None)
    assert (rollup(shop, "positive"), rollup(shop, "negative"), rollup(shop, "likes_sum")) == (1, 1, 3)


def test_seeing_an_item_again_unchanged_writes_nothing(shop: Shop) -> None:
    given = {"likes": 3, "attributes": {"country": "DE"}, "published_at": FRESH, "rating_value": 4.5}
    tables = (ITEM, REVISION, COUNT_HISTORY, ROLLUP)
    shop.pull(item("a", **given))
    before = dump(shop, *tables)
    assert shop.pull(item("a", **given, counted_at=LATER), at=LATER) == Saved()
    assert dump(shop, *tables) == before


def test_an_edit_leaves_a_revision_and_counts_with_its_new_label(shop: Shop) -> None:
    shop.pull(item("a", text="I love it", language="en"))
    worse = {"label": "negative", "text_label": "negative", "compound": -7_000, "language": "de"}
    assert shop.pull(item("a", text="I hate it", updated_at=LATER, **worse), at=LATER) == Saved(changed=1)
    row = shop.row(ITEM)
    assert (row["text"], row["label"], row["scorer_label"], row["compound"]) == (
        "I hate it",
        "negative",
        "negative",
        -7_000,
    )
    assert (row["changed_at"], row["updated_at"], row["language"]) == (LATER, LATER, "de")
    kept = shop.row(REVISION)
    assert (kept["text"], kept["label"], kept["replaced_at"]) == ("I love it", "positive", LATER)
    assert (rollup(shop, "positive"), rollup(shop, "negative"), rollup(shop, "compound_sum")) == (0, 1, -7_000)


def test_a_changed_rating_is_an_edit(shop: Shop) -> None:
    stars = {"kind": "review", "rating_best": 5.0, "rating_worst": 1.0}
    shop.pull(item("a", rating_value=5.0, stars=50_000, star_cell=5, rating_label="positive", **stars))
    now = {"rating_value": 1.0, "stars": 10_000, "star_cell": 1, "rating_label": "negative", "label": "negative"}
    shop.pull(item("a", **stars, **now))
    assert shop.row(REVISION)["rating_value"] == 5.0
    assert (rollup(shop, "stars_1"), rollup(shop, "stars_5"), rollup(shop, "stars_sum")) == (1, 0, 10_000)


def test_a_persons_label_stays_over_an_edit(shop: Shop) -> None:
    shop.pull(item("a", text="fine"))
    with shop.database.engine.begin() as connection:
        connection.execute(update(ITEM).values(label="neutral", label_by="person"))
    shop.pull(item("a", text="I hate it", label="negative", text_label="negative"))
    row = shop.row(ITEM)
    assert (row["label"], row["label_by"]) == ("neutral", "person")
    assert (row["scorer_label"], row["text_label"]) == ("negative", "negative")
    assert shop.row(REVISION)["label"] == "neutral"


def test_an_older_state_of_an_item_changes_nothing_but_newer_counts(shop: Shop) -> None:
    shop.pull(item("a", text="new words", updated_at=LATER))
    for older in (item("a", text="old words", updated_at=NOW), item("a", text="first words", likes=1)):
        shop.pull(older)
    assert (shop.row(ITEM)["text"], shop.row(ITEM)["likes"]) == ("new words", 1)
    assert shop.rows(REVISION) == []


def test_details_change_without_a_revision(shop: Shop) -> None:
    shop.pull(item("a", kind="review"))
    answered = {"reply_text": "Thank you", "reply_at": LATER, "attributes": {"verified": "yes"}, "place": "Phones"}
    assert shop.pull(item("a", kind="review", **answered), at=LATER) == Saved(changed=1)
    assert {name: shop.row(ITEM)[name] for name in answered} == answered
    assert (shop.rows(REVISION), rollup(shop, "replied")) == ([], 1)


def test_another_sources_sighting_changes_only_counts(shop: Shop) -> None:
    shop.pull(item("a", text="the first words", likes=1))
    sighting = item("a", text="other words", label="negative", place="elsewhere", likes=5, counted_at=LATER)
    assert shop.pull(sighting, name="south") == Saved(changed=1)
    row = shop.row(ITEM)
    assert (row["text"], row["label"], row["place"], row["source_id"], row["likes"]) == (
        "the first words", "positive", None, 1, 5,
    )  # fmt: skip
    assert {r["source_id"] for r in shop.rows(ROLLUP)} == {1}
    assert rollup(shop, "likes_gained") == 4


def test_one_post_naming_two_brands_is_an_item_of_each(shop: Shop) -> None:
    assert shop.pull(item("a"), item("a", brand_id=2, label="negative")) == Saved(new=2)
    assert {(row["brand_id"], row["label"]) for row in shop.rows(ITEM)} == {(1, "positive"), (2, "negative")}
    assert {(row["brand_id"], row["positive"], row["negative"]) for row in shop.rows(ROLLUP)} == {(1, 1, 0), (2, 0, 1)}


def test_an_item_twice_on_a_page_is_stored_once_as_it_came_last(shop: Shop) -> None:
    pages = [[item("a", likes=1), item("b"), item("a", likes=3)], [item("a", likes=5), item("a", likes=9)]]
    saved = [shop.pull(*page) for page in pages]
    assert saved == [Saved(new=2), Saved(changed=1)]
    assert (shop.row(ITEM, external_id="a")["likes"], rollup(shop, "likes_gained")) == (9, 6)


def test_uncounted_items_are_kept_and_not_counted(shop: Shop) -> None:
    reasons = ("excluded", "muted", "duplicate", "not_about_us")
    shop.pull(*(item(reason, uncounted=reason, likes=9, published_at=FRESH) for reason in reasons))
    assert len(shop.rows(ITEM)) == 4
    assert [rollup(shop, reason) for reason in reasons] == [1, 1, 1, 1]
    assert [rollup(shop, name) for name in ("positive", "likes_sum", "likes_gained", "compound_n")] == [0, 0, 0, 0]


@pytest.mark.parametrize(("before", "after"), [(None, "excluded"), ("excluded", None)])
def test_an_edit_that_counts_or_uncounts_an_item_takes_its_growth_along(
    shop: Shop, before: str | None, after: str | None
) -> None:
    first = {"published_at": FRESH, "uncounted": before}
    shop.pull(item("a", likes=5, **first), item("other", likes=100, **first))
    shop.pull(item("a", likes=8, counted_at=LATER, **first))
    shop.pull(item("a", text="edited", likes=9, counted_at=LATER, published_at=FRESH, uncounted=after))
    assert rollup(shop, "likes_gained") == (100 if before is None else 9)


@pytest.mark.parametrize("reason", ["duplicate", "not_about_us"])
def test_an_edit_does_not_undo_what_a_person_decided(shop: Shop, reason: str) -> None:
    shop.pull(item("a", uncounted=reason))
    shop.pull(item("a", text="edited"))
    assert shop.row(ITEM)["uncounted"] == reason


def test_an_erased_item_stays_as_it_is(shop: Shop) -> None:
    shop.pull(item("a", likes=1, published_at=FRESH))
    with shop.database.engine.begin() as connection:
        connection.execute(update(ITEM).values(text=None, author_name=None, erased_at=NOW))
    before = dump(shop, ITEM, COUNT_HISTORY, REVISION)
    assert shop.pull(item("a", likes=50, author_name="Ann", counted_at=LATER)) == Saved()
    assert dump(shop, ITEM, COUNT_HISTORY, REVISION) == before


# ------------------------------------------------------------------------------------------------ counts and growth


def test_counts_that_are_not_told_do_not_replace_known_ones(shop: Shop) -> None:
    shop.pull(item("a", likes=3, shares=2))
    assert shop.pull(item("a", likes=None, shares=4, counted_at=LATER)) == Saved(changed=1)
    assert (shop.row(ITEM)["likes"], shop.row(ITEM)["shares"]) == (3, 4)


def test_a_count_of_nought_is_known(shop: Shop) -> None:
    shop.pull(item("a", likes=0), item("b"))
    assert (rollup(shop, "likes_known"), rollup(shop, "likes_sum")) == (1, 0)


def test_an_older_reading_of_counts_is_ignored(shop: Shop) -> None:
    shop.pull(item("a", likes=9, counted_at=LATER))
    assert shop.pull(item("a", likes=2, counted_at=NOW)) == Saved()
    assert shop.row(ITEM)["likes"] == 9


@pytest.mark.parametrize(
    ("age", "gained"), [(timedelta(hours=24), 7), (timedelta(hours=24, seconds=1), 0), (timedelta(0), 7)]
)
def test_a_first_reading_is_growth_only_within_a_day_of_publication(shop: Shop, age: timedelta, gained: int) -> None:
    shop.pull(item("a", published_at=NOW - age, likes=7))
    assert rollup(shop, "likes_gained") == gained
    assert len(shop.rows(COUNT_HISTORY)) == (1 if gained else 0)


def test_growth_is_kept_where_it_was_seen_and_may_be_negative(shop: Shop) -> None:
    shop.pull(item("a", likes=10, comments=1))
    shop.pull(item("a", likes=4, comments=3, counted_at=LATER))
    (kept,) = shop.rows(COUNT_HISTORY)
    assert (kept["at"], kept["likes"], kept["comments"], kept["shares"]) == (LATER, -6, 2, 0)
    assert {(row["bucket"] * 900, row["likes_gained"]) for row in shop.rows(ROLLUP)} == {
        (int(OLD.timestamp()), 0),
        (int(LATER.timestamp()), -6),
    }
    assert rollup(shop, "comments_gained") == 2


def test_from_unknown_to_known_is_no_growth(shop: Shop) -> None:
    shop.pull(item("a", published_at=FRESH))
    shop.pull(item("a", published_at=FRESH, likes=500, counted_at=LATER))
    assert (rollup(shop, "likes_gained"), rollup(shop, "likes_sum"), shop.rows(COUNT_HISTORY)) == (0, 500, [])


def test_growth_seen_twice_at_one_instant_is_added_up(shop: Shop) -> None:
    for likes in (1, 2, 5):
        shop.pull(item("a", published_at=FRESH, likes=likes))
    assert ([row["likes"] for row in shop.rows(COUNT_HISTORY)], rollup(shop, "likes_gained")) == ([5], 5)


# ------------------------------------------------------------------------------------------------------- beside items


def test_authors_are_kept_with_what_was_last_told_of_them(shop: Shop) -> None:
    shop.pull(item("a", author_id=7), authors=[author(7, name="Ann", followers=10), author(9, name="Bo", followers=3)])
    shop.pull(item("a"), authors=[author(7, followers=12, seen_at=LATER), author(9, name="Bob", seen_at=LATER)])
    shop.pull(item("a"), authors=[author(7, seen_at=LATER + timedelta(days=1))])
    ann, bob = shop.rows(AUTHOR)
    assert (ann["name"], ann["followers"], ann["seen_at"]) == ("Ann", 12, LATER)
    assert (bob["name"], bob["followers"], bob["seen_at"]) == ("Bob", 3, LATER)


def test_a_gap_is_kept_once(shop: Shop) -> None:
    for number in range(3):
        shop.pull(item(str(number)), gap=GapValues(OLD, NOW, "too many", missing=5))
    (gap,) = shop.rows(GAP)
    assert (gap["source_id"], gap["since"], gap["until"], gap["missing"]) == (1, OLD, NOW, 5)


def test_a_gap_told_again_with_a_later_end_grows(shop: Shop) -> None:
    for until in (NOW, LATER, NOW):
        shop.pull(gap=GapValues(OLD, until, "the feed has 900 entries"))
    shop.pull(gap=GapValues(OLD, NOW, "another reason"))
    assert [(gap["until"], gap["reason"]) for gap in shop.rows(GAP)] == [
        (LATER, "the feed has 900 entries"),
        (NOW, "another reason"),
    ]


def test_a_page_without_items_moves_the_cursor_and_is_logged(shop: Shop) -> None:
    shop.pull(cursor={"page": 2}, skips=[("x", "no date")], unmatched=4)
    assert shop.row(SOURCE, name="north")["cursor"] == {"page": 2}
    log = shop.row(PULL)
    assert (log["pages"], log["unmatched"], log["skipped"], log["skips"]) == (1, 4, 1, [["x", "no date"]])


def test_a_page_without_a_cursor_leaves_it_where_it_was(shop: Shop) -> None:
    shop.pull(item("a"), cursor={"page": 2})
    shop.pull(item("b"), cursor=None)
    assert shop.claimed().cursor == {"page": 2}


def test_the_log_adds_up_pages_and_keeps_the_first_skips(shop: Shop) -> None:
    claim = shop.claimed()
    for page in range(3):
        skips = [(f"item {page}/{number} " + "x" * 200, "why " * 100) for number in range(9)]
        shop.save(claim, item("a"), item(str(page)), skips=skips)
    log = shop.row(PULL)
    assert (log["pages"], log["seen"], log["new"], log["changed"], log["skipped"]) == (3, 6, 4, 0, 27)
    assert len(log["skips"]) == ingest.SKIPS_KEPT
    assert log["skips"][0][0].startswith("item 0/0")
    assert {(len(what), len(why)) for what, why in log["skips"]} == {(100, 200)}


def test_a_lost_lease_stores_nothing(shop: Shop) -> None:
    lost = shop.claimed(owner="me")
    sources.release_all(shop.database, "me")
    winner = shop.claimed(owner="other")
    tables = (ITEM, AUTHOR, ROLLUP, PULL, SOURCE, GAP)
    before = dump(shop, *tables)
    page = PageValues([item("a", author_id=7)], [author(7)], {"page": 9}, 1, gap=GapValues(OLD, NOW, "x"))
    with pytest.raises(LeaseLost):
        ingest.save_page(shop.database, lost, page, NOW)
    assert dump(shop, *tables) == before
    assert shop.save(winner, item("a")) == Saved(new=1)


def test_a_saved_page_prolongs_the_lease(shop: Shop) -> None:
    claim = shop.claimed()
    first = shop.row(SOURCE, name="north")["lease_until"]
    shop.save(claim, item("a"))
    assert shop.row(SOURCE, name="north")["lease_until"] > first


def test_thousands_of_items_fit_on_one_page(shop: Shop) -> None:
    many = [item(f"{number:05}", published_at=OLD + timedelta(minutes=number)) for number in range(5_500)]
    assert shop.pull(*many) == Saved(new=5_500)
    assert shop.pull(*many) == Saved()
    assert rollup(shop, "positive") == 5_500
