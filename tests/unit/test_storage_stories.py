"""What is kept about single items, read for showing."""

from __future__ import annotations

from datetime import timedelta

from storage import listing, marks, stories
from storage.records import ItemFilter
from storage.stories import Revision, Step, Word
from tests.fakes.storing import NOW, OLD, Shop, author, item


def number(shop: Shop) -> int:
    return listing.items(shop.database, ItemFilter())[0].id


def test_what_people_said_of_an_item_is_told_with_who_and_when(shop: Shop) -> None:
    shop.pull(item("a", author_id=7), authors=[author(7, followers=12)])
    key = number(shop)
    marks.correct(shop.database, key, "negative", "Ann", NOW)
    marks.mark(shop.database, [key], "done", None, NOW)
    for name in ("to answer", "bug"):
        marks.tag(shop.database, [key], name, "Ben", NOW)
    told = stories.stories(shop.database, [key, 999])[key]
    assert (told.author_id, told.author_known_as, told.followers) == (7, "u7", 12)
    assert told.corrected == Word("negative", "Ann", NOW)
    assert told.marks == {"done": Word("done", None, NOW)}
    assert told.tags == (Word("bug", "Ben", NOW), Word("to answer", "Ben", NOW))


def test_nothing_is_told_of_what_is_not_there(shop: Shop) -> None:
    assert stories.stories(shop.database, []) == {}
    assert stories.stories(shop.database, [1]) == {}
    assert (stories.revisions(shop.database, 1), stories.growth(shop.database, 1)) == ([], [])


def test_what_an_item_said_before_and_how_it_grew_are_told_in_order(shop: Shop) -> None:
    later, last = NOW + timedelta(hours=1), NOW + timedelta(hours=2)
    young = {"published_at": NOW - timedelta(hours=1)}
    shop.pull(item("a", text="one", likes=1, **young))
    shop.pull(item("a", text="two", likes=4, updated_at=later, counted_at=later, **young), at=later)
    shop.pull(item("a", text="three", likes=4, views=9, updated_at=last, counted_at=last, **young), at=last)
    key = number(shop)
    assert [(one.replaced_at, one.text) for one in stories.revisions(shop.database, key)] == [
        (last, "two"),
        (later, "one"),
    ]
    assert isinstance(stories.revisions(shop.database, key)[0], Revision)
    grown = stories.growth(shop.database, key)
    assert [(one.likes, one.at) for one in grown[:2]] == [(1, NOW), (3, later)]
    assert isinstance(grown[0], Step)


def test_orders_that_no_index_has_give_the_same_pages_as_sorting_all(shop: Shop) -> None:
    shop.pull(
        *(
            item(f"i{n}", compound=n % 3 * 1_000, likes=n % 4, published_at=OLD + timedelta(minutes=n))
            for n in range(12)
        )
    )
    for order in ("negative", "positive", "engaged"):
        whole = listing.items(shop.database, ItemFilter(), order=order, limit=50)
        paged, after = list[int](), None
        while chunk := listing.items(shop.database, ItemFilter(), order=order, limit=5, after=after):
            paged += [one.id for one in chunk]
            after = listing.sort_key(chunk[-1], order)
        assert paged == [one.id for one in whole]
        keys = [listing.sort_key(one, order) for one in whole]
        assert keys == sorted(keys, reverse=order != "negative")
