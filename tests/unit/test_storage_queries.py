"""What is read is what was stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from storage import queries
from storage.queries import Window
from storage.records import GapValues, ItemFilter, ItemValues, StoredItem, Sums
from storage.tables import ITEM
from tests.conftest import BACKENDS, store_of_its_own
from tests.fakes.storing import NOW, OLD, Shop, author, item

QUARTER = timedelta(minutes=15)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ORDERS = ("newest", "negative", "positive", "engaged")


def made_up(count: int = 300) -> Iterator[tuple[str, ItemValues]]:
    """(source, item), over ten days across the autumn clock change in Berlin."""
    random = Random(7)
    begin = datetime(2026, 10, 20, tzinfo=NOW.tzinfo)
    for number in range(count):
        label = random.choice(["positive", "negative", "neutral", None])
        likes = random.choice([None, 0, random.randrange(-5, 100)])
        yield (
            random.choice(["north", "south"]),
            item(
                f"{number:04}",
                brand_id=random.choice([1, 1, 2]),
                kind=random.choice(["mention", "mention", "review", "post"]),
                published_at=begin + random.randrange(10 * 24 * 4) * QUARTER + timedelta(seconds=random.randrange(900)),
                label=label,
                compound=None if label is None else random.randrange(-10_000, 10_001),
                likes=likes,
                comments=random.choice([None, 3]),
                stars=random.choice([None, 45_000]),
                uncounted=random.choice([None, None, None, "muted"]),
            ),
        )


@pytest.fixture(scope="module", params=BACKENDS)
def lasting(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A store of the tests that change nothing."""
    with store_of_its_own(request, request.param) as database:
        yield stocked_with_all(Shop(database))


@pytest.fixture
def stocked(shop: Shop) -> Shop:
    return stocked_with_all(shop)


def stocked_with_all(shop: Shop) -> Shop:
    found = list(made_up())
    for name in ("north", "south"):
        shop.pull(*(entry for source, entry in found if source == name), name=name)
    return shop


def figures(items: Iterable[ItemValues]) -> Counter[str]:
    """A few figures of these items, one by one."""
    sums: Counter[str] = Counter()
    for entry in items:
        if entry["uncounted"] is not None:
            sums[entry["uncounted"]] += 1
            continue
        sums[entry["label"] or "unscored"] += 1
        sums["compound_sum"] += entry["compound"] or 0
        sums["likes_sum"] += entry["likes"] or 0
        sums["likes_known"] += entry["likes"] is not None
        sums["stars_squares"] += (entry["stars"] or 0) ** 2
    return sums


NAMES = (
    "positive",
    "negative",
    "neutral",
    "unscored",
    "muted",
    "compound_sum",
    "likes_sum",
    "likes_known",
    "stars_squares",
)


def same(found: Sums, wanted: Counter[str]) -> bool:
    return all(found[name] == wanted[name] for name in NAMES)


@pytest.mark.parametrize("start", [OLD - 99 * DAY, datetime(2026, 10, 22, 3, 15, tzinfo=NOW.tzinfo)])
@pytest.mark.parametrize("length", [99 * DAY, 3 * DAY + QUARTER])
def test_sums_by_source_are_those_of_the_items(lasting: Shop, start: datetime, length: timedelta) -> None:
    end = start + length
    found = queries.sums_by_source(lasting.database, "Acme", (start, end))
    wanted: dict[tuple[str, str], list[ItemValues]] = {}
    for source, entry in made_up():
        if entry["brand_id"] == 1 and start <= entry["published_at"] < end:
            wanted.setdefault((source, entry["kind"]), []).append(entry)
    assert list(found) == sorted(wanted)
    assert all(same(found[key], figures(wanted[key])) for key in wanted)


def slices_of(name: str) -> list[Window]:
    berlin = ZoneInfo("Europe/Berlin")
    days = [datetime(2026, 10, 21 + number, tzinfo=berlin).astimezone(NOW.tzinfo) for number in range(9)]
    hours = [days[3] + number * HOUR for number in range(49)]
    if name == "with holes, and one empty":
        return [(days[0], days[1]), (days[3], days[4]), (days[4], days[4]), (days[4], days[6]), (days[6], days[7])]
    edges = days if name == "local days, one of 25 hours" else hours
    return list(pairwise(edges))


@pytest.mark.parametrize("name", ["local days, one of 25 hours", "hours", "with holes, and one empty"])
def test_sums_by_slice_are_those_of_the_items(lasting: Shop, name: str) -> None:
    slices = slices_of(name)
    found = queries.sums_by_slice(lasting.database, "Acme", slices, NAMES)
    seen = 0
    for number, (start, end) in enumerate(slices):
        for kind in ("mention", "review", "post"):
            inside = [
                entry
                for _, entry in made_up()
                if entry["brand_id"] == 1 and entry["kind"] == kind and start <= entry["published_at"] < end
            ]
            assert ((number, kind) in found) == bool(inside)
            assert not inside or same(found[number, kind], figures(inside))
            seen += len(inside)
    assert seen > 30


def test_a_window_that_ends_now_has_what_was_published_just_now(shop: Shop) -> None:
    now = NOW + timedelta(minutes=7)
    shop.pull(item("a", published_at=now - timedelta(seconds=1)))
    window, next_window = (now - DAY, now), (now, now + DAY)
    assert queries.sums_by_source(shop.database, "Acme", window)["north", "mention"]["positive"] == 1
    assert queries.sums_by_source(shop.database, "Acme", next_window) == {}


def test_an_unknown_brand_and_no_slices_have_no_sums(lasting: Shop) -> None:
    assert queries.sums_by_source(lasting.database, "Nobody", (OLD, NOW)) == {}
    assert queries.sums_by_slice(lasting.database, "Acme", [], NAMES) == {}


# ----------------------------------------------------------------------------------------------------------- items


def ids(found: Iterable[StoredItem]) -> list[str]:
    return [entry.external_id for entry in found]


def find(shop: Shop, **wanted: Any) -> list[str]:
    found = ids(queries.items(shop.database, ItemFilter(**wanted), limit=1_000))
    assert len(found) == queries.count_items(shop.database, ItemFilter(**wanted))
    return sorted(found)


@pytest.fixture(scope="module", params=BACKENDS)
def various(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A store that nobody changes."""
    with store_of_its_own(request, request.param) as database:
        yield filled(Shop(database))


def filled(shop: Shop) -> Shop:
    shop.pull(
        item("love"),
        item("hate", label="negative", compound=-9_000, published_at=OLD - DAY),
        item("foreign", label=None, compound=None, unscored="language", language="fi"),
        item("nameless", label=None, compound=None, unscored="language"),
        item("muted", uncounted="muted", likes=7),
        item("bad", kind="review", stars=10_000, rating_value=1.0, likes=50, comments=2, reply_text="Sorry"),
        item("good", kind="review", stars=45_000, rating_value=4.5, shares=9, attributes={"country": "DE"}),
    )
    shop.pull(item("rival's", brand_id=2), name="south")
    return shop


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["bad", "foreign", "good", "hate", "love", "nameless", "rival's"]),
        ({"brand": "Rival"}, ["rival's"]),
        ({"brand": "Nobody"}, []),
        ({"sources": ["south"]}, ["rival's"]),
        ({"kinds": ["review"]}, ["bad", "good"]),
        ({"labels": ["negative"]}, ["hate"]),
        ({"labels": ["unscored"]}, ["foreign", "nameless"]),
        ({"labels": ["unscored", "negative"]}, ["foreign", "hate", "nameless"]),
        ({"until": OLD}, ["hate"]),
        ({"since": OLD, "brand": "Acme"}, ["bad", "foreign", "good", "love", "nameless"]),
        ({"uncounted": "muted"}, ["muted"]),
        ({"uncounted": "excluded"}, []),
        (
            {"uncounted": "all", "sources": ["north"], "kinds": ["mention"]},
            ["foreign", "hate", "love", "muted", "nameless"],
        ),
        ({"stars_at_most": 1.0}, ["bad"]),
        ({"stars_at_least": 4.5}, ["good"]),
        ({"unanswered": True}, ["good"]),
        ({"search": "SAYS HATE"}, ["hate"]),
    ],
)
def test_a_filter_finds_what_fits(various: Shop, wanted: dict[str, Any], found: list[str]) -> None:
    assert find(various, **wanted) == found


@pytest.mark.parametrize("term", ["100%", "a_b", "it's", '"so"', "back\\slash", "/slash", "ZZ"])
def test_a_plain_text_is_searched_as_one_phrase(shop: Shop, term: str) -> None:
    shop.pull(
        item("yes", text=f"well {term} indeed"),
        item("title", title=term, text=None),
        item("no", text="1000 b a, s it; zzz sos slashes"),
    )
    assert find(shop, search=term) == ["title", "yes"]


def test_orders_sort_as_their_names_say(various: Shop) -> None:
    first = {order: ids(queries.items(various.database, ItemFilter(brand="Acme"), order=order))[0] for order in ORDERS}
    assert (first["negative"], first["engaged"]) == ("hate", "bad")
    assert ids(queries.items(various.database, ItemFilter(), order="newest"))[-1] == "hate"


@pytest.mark.parametrize("brand", ["Acme", None])
@pytest.mark.parametrize("order", ORDERS)
def test_paging_visits_each_item_once_while_new_ones_arrive(stocked: Shop, order: str, brand: str | None) -> None:
    wanted = ItemFilter(brand=brand)
    there = ids(queries.items(stocked.database, wanted, order=order, limit=1_000))
    visited: list[str] = []
    after = None
    while page := queries.items(stocked.database, wanted, order=order, limit=31, after=after):
        visited += ids(page)
        after = queries.sort_key(page[-1], order)
        fresh = [item(f"new {len(visited)} {n}", published_at=NOW - n * DAY, likes=n * 40) for n in range(3)]
        stocked.pull(*fresh)
    assert [name for name in visited if not name.startswith("new")] == there
    assert len(visited) == len(set(visited))


def test_a_stored_item_comes_back_as_it_went_in(shop: Shop) -> None:
    given = {
        "title": "Zwölf 🎉", "text": "line\nline", "url": "https://e.example/1", "language": "de", "likes": 2**40, "views": 0,
        "reply_at": NOW, "place": "r/phones", "attributes": {"country": "DE"}, "author_name": "Ann", "fingerprint": "f",
    }  # fmt: skip
    shop.pull(item("a", **given, stars=45_000, compound=-4_321))
    (found,) = queries.items(shop.database, ItemFilter())
    assert {name: getattr(found, name) for name in given if name not in ("author_name", "fingerprint")} == {
        name: value for name, value in given.items() if name not in ("author_name", "fingerprint")
    }
    assert (found.brand, found.source, found.author, found.stars, found.compound) == (
        "Acme",
        "north",
        "Ann",
        4.5,
        -0.4321,
    )
    assert found.published_at == OLD
    assert found.published_at.utcoffset() == timedelta(0)
    assert queries.items_by_id(shop.database, [found.id, 99]) == {found.id: found}
    assert queries.items_by_id(shop.database, []) == {}


def test_an_author_is_named_by_the_item_or_by_what_is_known_of_him_and_not_once_erased(shop: Shop) -> None:
    shop.pull(
        item("a", author_id=7), item("b", author_id=7, author_name="Then"), item("c"), authors=[author(7, name="Now")]
    )
    assert [entry.author for entry in queries.items(shop.database, ItemFilter())] == [None, "Then", "Now"]
    with shop.database.engine.begin() as connection:
        connection.execute(update(ITEM).values(erased_at=NOW))
    assert {entry.author for entry in queries.items(shop.database, ItemFilter())} == {None}


def test_what_no_scorer_reads_is_counted_by_language(various: Shop) -> None:
    found = queries.unscored_by_language(various.database, "Acme", (OLD, NOW))
    assert found == {"fi": 1, "unknown": 1}
    assert queries.unscored_by_language(various.database, "Acme", (NOW, NOW + DAY)) == {}


# ----------------------------------------------------------------------------------------------------- the store itself


def test_gaps_are_found_where_they_touch_the_window(shop: Shop) -> None:
    shop.pull(gap=GapValues(OLD, OLD + HOUR, "quota", missing=3))
    shop.pull(gap=GapValues(NOW, NOW + HOUR, "deep"), name="south")
    assert queries.gaps(shop.database, (OLD + HOUR, NOW)) == []
    assert queries.gaps(shop.database, (OLD, NOW)) == [("north", GapValues(OLD, OLD + HOUR, "quota", 3))]
    assert [name for name, _ in queries.gaps(shop.database, (OLD, NOW + DAY))] == ["north", "south"]


def test_the_log_of_pulls_is_read_newest_first(shop: Shop) -> None:
    for name in ("north", "south", "north"):
        shop.pull(item("a"), name=name)
    assert [row["source"] for row in queries.pulls(shop.database)] == ["north", "south", "north"]
    assert [(row["id"], row["seen"]) for row in queries.pulls(shop.database, "north", limit=1)] == [(3, 1)]


def test_the_store_is_counted(various: Shop) -> None:
    found = queries.stats(various.database)
    assert [tuple(row.values()) for row in found["items"]] == [
        ("Acme", "mention", 5),
        ("Acme", "review", 2),
        ("Rival", "mention", 1),
    ]
    assert (found["first"], found["last"], found["pulls"], found["authors"]) == (OLD - DAY, OLD, 2, 0)


def test_an_empty_store_is_counted(shop: Shop) -> None:
    assert queries.stats(shop.database)["first"] is None
