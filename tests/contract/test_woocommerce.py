from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import Author, Item, Kind, Page, Rating
from connectors.errors import AccessDenied, NotThere, SourceError
from connectors.testing import Case, ContractSuite, Reply
from connectors.testing.suite import Pulls
from connectors.woocommerce import PLUGIN, WooCommerceOptions, review_of
from tests.fakes.damaging import damaged_copies
from tests.fakes.replay import Replay, recorded
from tests.fakes.wordpress import KEY, SECRET, FakeWooCommerce

CASE = Case(plugin=PLUGIN, fake=FakeWooCommerce, kind=Kind.REVIEW)
SHOP = "https://shop.example"
LONG_AGO = datetime(2011, 9, 27, tzinfo=UTC)


class TestWooCommerce(ContractSuite):
    case = CASE


class ReplayShop(Replay):
    def options(self) -> dict[str, Any]:
        return {"site": SHOP, "consumer_key": KEY, "consumer_secret": SECRET}


@pytest.fixture
def fake() -> Iterator[FakeWooCommerce]:
    fake = FakeWooCommerce()
    yield fake
    fake.close()


@pytest.fixture
def pulls(fake: FakeWooCommerce) -> Pulls:
    return Pulls(CASE, fake)


@pytest.fixture
def replay() -> Iterator[ReplayShop]:
    replay = ReplayShop()
    yield replay
    replay.close()


def all_pages(replay: Replay) -> list[Page]:
    connector = Pulls(CASE, replay).open()
    try:
        return list(connector.fetch(None, LONG_AGO))
    finally:
        connector.close()


# --- asking


def test_only_approved_reviews_are_asked_for(pulls: Pulls, fake: FakeWooCommerce) -> None:
    pulls.pull()
    assert [request.query["status"] for request in fake.loopback.requests] == ["approved"]


def test_the_key_stands_in_no_address(pulls: Pulls, fake: FakeWooCommerce) -> None:
    fake.publish(150)
    pulls.pull()
    assert not [pair for request in fake.loopback.requests for pair in request.pairs if pair[1] in (KEY, SECRET)]


def test_a_wrong_secret_is_refused(fake: FakeWooCommerce) -> None:
    pulls = Pulls(CASE, fake)
    options = WooCommerceOptions.model_validate(
        {"site": SHOP, "consumer_key": KEY, "consumer_secret": "cs_x", "base_url": fake.base_url}
    )
    with pytest.raises(AccessDenied):
        PLUGIN.open(options, pulls.context(_Free())).check()


class _Free:
    def take(self, units: int = 1) -> None:
        """Nothing to count."""


def test_a_shop_without_tls_is_refused() -> None:
    with pytest.raises(ValidationError, match="TLS only"):
        WooCommerceOptions.model_validate(
            {"site": "http://shop.example", "consumer_key": KEY, "consumer_secret": SECRET}
        )


def test_a_redirect_to_another_host_does_not_get_the_key(replay: ReplayShop) -> None:
    elsewhere = ReplayShop()
    elsewhere.body = b"[]"
    path = "/wp-json/wc/v3/products/reviews"
    replay.prelude[path] = Reply(b"", 302, {"Location": f"{elsewhere.base_url}{path}"})
    all_pages(replay)
    elsewhere.close()
    assert ["authorization" in request.headers for request in elsewhere.loopback.requests] == [False]


# --- what a review becomes


def raw(**changes: Any) -> dict[str, Any]:
    sound = {"id": 9, "product_id": 31, "date_created_gmt": "2026-10-01T08:00:00", "review": "<p>Nice</p>", "rating": 4}
    return sound | changes


def test_a_review_becomes_an_item(fake: FakeWooCommerce) -> None:
    seed = fake.publish(4)[3]
    assert review_of(fake.entry(seed), SHOP) == Item(
        external_id="shop.example/4",
        kind=Kind.REVIEW,
        published_at=seed.at,
        text=seed.text,
        url="https://shop.example/product/acme-phone/#comment-4",
        author=Author("shop.example/Jo", "Jo"),
        rating=Rating(4),
        place="Acme phone",
        attributes={"product_id": "31", "verified": "true"},
    )


def test_an_older_shop_tells_less() -> None:
    item = review_of(raw(), SHOP)
    assert item is not None
    assert item.url == "https://shop.example/?p=31#comment-9"
    assert item.place == "shop.example product 31"
    assert item.author is None


@pytest.mark.parametrize("rating", [0, None])
def test_no_stars_are_no_rating(rating: int | None) -> None:
    item = review_of(raw(rating=rating), SHOP)
    assert item is not None
    assert item.rating is None


@pytest.mark.parametrize("status", ["hold", "spam", "unspam", "trash", "untrash"])
def test_what_is_not_approved_is_left_out(status: str) -> None:
    assert review_of(raw(status=status), SHOP) is None


@pytest.mark.parametrize(
    "changes",
    [{"id": None}, {"product_id": "x"}, {"date_created_gmt": 7}, {"rating": 6}, {"rating": "5"}, {"rating": False}],
    ids=str,
)
def test_a_damaged_review_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        review_of(raw(**changes), SHOP)


# --- recorded answers


@pytest.mark.recorded
def test_every_recorded_review_arrives_once(replay: ReplayShop) -> None:
    wanted = {number: one for _, body in recorded("woocommerce").values() for number, one in _reviews(body)}
    assert len(wanted) >= 8
    replay.body = json.dumps(list(wanted.values())).encode()
    pages = all_pages(replay)
    sound = {f"shop.example/{number}" for number, review in wanted.items() if "{{" not in review["date_created_gmt"]}
    arrived = [item.external_id for page in pages for item in page.items]
    assert sorted(arrived) == sorted(sound)
    assert sum(len(page.skipped) for page in pages) == len(wanted) - len(sound)


@pytest.mark.recorded
def test_the_recorded_list_arrives_as_plain_text(replay: ReplayShop) -> None:
    replay.status, replay.body = recorded("woocommerce")["reviews-all-without-data.json"]
    items = [item for page in all_pages(replay) for item in page.items]
    assert len(items) == 2
    assert items[0].published_at == datetime(2019, 8, 20, 6, 6, 29, tzinfo=UTC)
    assert not [item for item in items if item.text is None or "<p>" in item.text]
    assert not [item for item in items if "@" in repr(item)]


@pytest.mark.recorded
@pytest.mark.parametrize("file", ["c_error_404_no_route.json", "docs_product_reviews_0.json", "reviews-single.json"])
def test_recorded_answers_that_are_no_list_have_a_fate(replay: ReplayShop, file: str) -> None:
    status, replay.body = recorded("woocommerce")[file]
    replay.status = 404 if "404" in file else status
    with pytest.raises(NotThere if "404" in file else SourceError):
        all_pages(replay)


@pytest.mark.recorded
def test_damaged_recorded_answers_raise_nothing_but_the_fates(replay: ReplayShop) -> None:
    assert _came_of_damaged(replay, recorded("woocommerce"), 60) > 30


def test_damaged_answers_raise_nothing_but_the_fates(replay: ReplayShop, fake: FakeWooCommerce) -> None:
    body = json.dumps([fake.entry(seed) for seed in fake.publish(8)]).encode()
    assert _came_of_damaged(replay, {"fake": (200, body)}, 400) > 1_000


def _reviews(body: bytes) -> Iterator[tuple[int, dict[str, Any]]]:
    """The reviews in a body: alone, in a list, or under ``data`` or the parts of a batch, as other interfaces have them."""
    yield from _found(json.loads(body))


def _found(value: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    if isinstance(value, dict) and "date_created_gmt" in value:
        yield value["id"], value
    elif isinstance(value, dict | list):
        for entry in value.values() if isinstance(value, dict) else value:
            yield from _found(entry)


def _came_of_damaged(replay: ReplayShop, answers: dict[str, tuple[int, bytes]], count: int) -> int:
    came = 0
    connector = Pulls(CASE, replay).open()
    for seed, (status, body) in enumerate(answers.values()):
        for damaged in damaged_copies(body, count, seed):
            replay.status, replay.body = status, damaged
            with suppress(SourceError):
                came += sum(len(page.items) for page in connector.fetch(None, LONG_AGO))
    connector.close()
    return came
