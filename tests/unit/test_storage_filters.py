"""Each filter finds what it says, alone and with others, on both back ends; pages go on in every order."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from storage import erasure
from storage.listing import ORDERS, count_items, items, key_of, sort_key, token_of
from storage.people_tables import MARK, TAG
from storage.records import ItemFilter
from storage.search_tree import Term
from storage.tables import ITEM
from tests.conftest import BACKENDS, store_of_its_own
from tests.fakes.storing import NOW, OLD, Shop, author, item

DAY = timedelta(days=1)
QUOTED = 'the "odd" key.[0]'


@pytest.fixture(scope="module", params=BACKENDS)
def various(request: pytest.FixtureRequest) -> Iterator[Shop]:
    """A store that nobody changes."""
    with store_of_its_own(request, request.param) as database:
        yield filled(Shop(database))


@pytest.fixture
def changeable(shop: Shop) -> Shop:
    return filled(shop)


def filled(shop: Shop) -> Shop:
    shop.pull(
        item("plain", text="the plain one", author_id=7, author_name="Ann"),
        item("german", text="der eine", language="de", attributes={"country": "DE", "app_version": "4.2"}),
        item("odd", text="the odd one", language="en", attributes={QUOTED: "yes", "country": "DE'"}),
        item("liked", text="the liked one", likes=50, shares=1, views=900, place="r/Phones"),
        item("discussed", text="the discussed one", comments=60, views=5, author_name="@Ann"),
        item("hidden", text="the hidden one", uncounted="muted", likes=99),
        item("silent", text=None, author_id=8, author_name="Ben", scorer="stars/1"),
        item("review", text="the review", kind="review", stars=10_000, published_at=OLD - DAY, scorer="vader/12"),
        item("answered", text="the answered one", kind="review", stars=45_000, reply_text="thanks", title=""),
        item("unread", text=None, title="the title alone", kind="review", stars=30_000, scorer=None),
        authors=[author(7, name="Anna"), author(8, name="Ben")],
    )
    shop.pull(item("rival's", brand_id=2, text="the rival one", place="r/phones"), name="south")
    numbers = {row["external_id"]: row["id"] for row in shop.rows(ITEM)}
    with shop.database.engine.begin() as connection:
        for name, tag in (("plain", "press"), ("plain", "urgent"), ("liked", "press")):
            connection.execute(insert(TAG).values(item_id=numbers[name], name=tag, at=NOW))
        for name, what in (("plain", "done"), ("hidden", "not_about_us")):
            connection.execute(insert(MARK).values(item_id=numbers[name], what=what, at=NOW))
    return shop


def find(shop: Shop, **wanted: Any) -> set[str]:
    found = [entry.external_id for entry in items(shop.database, ItemFilter(**wanted), limit=1_000)]
    assert len(found) == len(set(found)) == count_items(shop.database, ItemFilter(**wanted))
    return set(found)


EVERYTHING = {
    *("plain", "german", "odd", "liked", "discussed", "silent", "review", "answered", "unread", "rival's"),
}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"brands": ["Rival"]}, {"rival's"}),
        ({"brands": ["Rival", "Acme"]}, EVERYTHING),
        ({"brands": ["Nobody"]}, set()),
        ({"brand": "Acme", "brands": ["Rival"]}, set()),
        ({"languages": ["de"]}, {"german"}),
        ({"languages": ["de", "en"]}, {"german", "odd"}),
        ({"languages": ["unknown"]}, EVERYTHING - {"german", "odd"}),
        ({"author": "Ann"}, {"plain", "discussed"}),
        ({"author": "ANNA"}, {"plain"}),
        ({"author": "@ann"}, {"plain", "discussed"}),
        ({"author": "u8"}, {"silent"}),
        ({"author": "nobody"}, set()),
        ({"place": "r/phones"}, {"liked", "rival's"}),
        ({"place": "r/phone"}, set()),
        ({"attributes": [("country", "DE")]}, {"german"}),
        ({"attributes": [("country", "DE"), ("app_version", "4.2")]}, {"german"}),
        ({"attributes": [("country", "DE"), ("app_version", "4")]}, set()),
        ({"attributes": [(QUOTED, "yes")]}, {"odd"}),
        ({"attributes": [("country", "DE'")]}, {"odd"}),
        ({"attributes": [("$.country", "DE")]}, set()),
        ({"at_least": [("engagement", 51)]}, {"liked", "discussed"}),
        ({"at_least": [("engagement", 52)]}, {"discussed"}),
        ({"at_least": [("likes", 50)]}, {"liked"}),
        ({"at_least": [("shares", 1)]}, {"liked"}),
        ({"at_least": [("comments", 1)]}, {"discussed"}),
        ({"at_least": [("views", 5), ("comments", 1)]}, {"discussed"}),
        ({"at_least": [("likes", 0)]}, {"liked"}),
        ({"scorer": "vader"}, EVERYTHING - {"silent", "unread"}),
        ({"scorer": "vader/1"}, EVERYTHING - {"silent", "unread", "review"}),
        ({"scorer": "vad"}, set()),
        ({"tags": ["press"]}, {"plain", "liked"}),
        ({"tags": ["press", "urgent"]}, {"plain"}),
        ({"done": True}, {"plain"}),
        ({"done": False}, EVERYTHING - {"plain"}),
        ({"has_text": False}, {"silent", "unread"}),
        ({"has_text": True}, EVERYTHING - {"silent", "unread"}),
        ({"unanswered": True}, {"review", "unread"}),
        ({"stars_at_least": 3, "stars_at_most": 4.5}, {"answered", "unread"}),
        ({"search": "the one", "uncounted": "all"}, set()),
        ({"search": Term("one"), "uncounted": "muted"}, {"hidden"}),
        ({"search": "the", "tags": ["press"], "at_least": [("likes", 1)]}, {"liked"}),
        ({"search": "the", "kinds": ["review"], "stars_at_least": 3}, {"answered", "unread"}),
        ({"search": "the", "brand": "Rival", "author": "x"}, set()),
    ],
)
def test_a_filter_finds_what_fits(various: Shop, wanted: dict[str, Any], found: set[str]) -> None:
    assert find(various, **wanted) == found


@pytest.mark.parametrize("bad", ["\x00", "a\ud800"])
@pytest.mark.parametrize(
    "name", ["brand", "author", "place", "scorer", "brands", "sources", "tags", "languages", "attributes"]
)
def test_what_no_store_can_hold_is_found_nowhere(various: Shop, name: str, bad: str) -> None:
    given: Any = {"attributes": [("country", bad)]}.get(
        name, bad if name in ("brand", "author", "place", "scorer") else [bad]
    )
    assert find(various, **{name: given}) == set()


def test_an_erased_item_has_no_author_no_words_and_no_answer_to_come(changeable: Shop) -> None:
    ids = [row["id"] for row in changeable.rows(ITEM) if row["external_id"] in ("plain", "review")]
    changeable.database.write(lambda connection: erasure.erase(connection, ids, NOW, reason="asked"))
    assert find(changeable, author="Ann") == {"discussed"}
    assert find(changeable, search="plain") == set()
    assert find(changeable, unanswered=True) == {"unread"}


# ------------------------------------------------------------------------------------------------------- pages


@pytest.mark.parametrize("search", [None, "the"])
@pytest.mark.parametrize("order", ORDERS)
def test_pages_by_token_make_the_whole_list_in_order(various: Shop, order: str, search: str | None) -> None:
    wanted = ItemFilter(search=search)
    whole = items(various.database, wanted, order=order, limit=100)
    keys = [sort_key(entry, order) for entry in whole]
    assert keys == sorted(keys, reverse=order not in ("oldest", "negative"))
    visited, token = [], None
    while page := items(various.database, wanted, order=order, limit=2, after=token and key_of(token, order)):
        visited += page
        token = token_of(page[-1], order)
    assert visited == whole


def test_reviews_without_an_answer_come_first(various: Shop) -> None:
    found = [entry.external_id for entry in items(various.database, ItemFilter(), order="unanswered", limit=3)]
    assert found == ["unread", "review", "rival's"]


def written(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    ("token", "why"),
    [
        ("", "is no token"),
        ("!", "is no token"),
        ("é", "is no token"),
        ("\ud800", "is no token"),
        (written("engaged", 1, 1), "another order"),
        (written("newest", "2026-01-01T00:00:00+00:00"), "is no token"),
        (written("newest", "2026-01-01T00:00:00", 1), "is no token"),
        (written("newest", "yesterday", 1), "is no token"),
        (written("newest", 1, 1), "is no token"),
        (written("newest", "2026-01-01T00:00:00+00:00", True), "is no token"),
        (written("newest", "2026-01-01T00:00:00+00:00", 2**63), "is no token"),
        (base64.b64encode(b"[" * 100_000).decode(), "is no token"),
        (base64.b64encode(b"1").decode(), "is no token"),
        (base64.b64encode(b"[]").decode(), "is no token"),
    ],
)
def test_what_is_no_token_is_refused(token: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        key_of(token, "newest")


@given(st.text() | st.binary().map(lambda data: base64.urlsafe_b64encode(data).decode()), st.sampled_from(ORDERS))
def test_any_other_text_is_refused_with_a_reason(token: str, order: str) -> None:
    with pytest.raises(ValueError, match=r"token|order"):
        key_of(token, order)
