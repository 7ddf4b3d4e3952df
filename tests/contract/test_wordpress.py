from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import Author, Item, Kind
from connectors.errors import NotThere, SourceError, Unavailable
from connectors.testing import Case, ContractSuite
from connectors.testing.platform import NOW
from connectors.testing.suite import SINCE, Pulls
from connectors.wordpress import PLUGIN, WordPressOptions, comment_of
from connectors.wordpress_wire import link_or_none, site_of, utc
from tests.fakes.damaging import damaged_copies
from tests.fakes.replay import Replay
from tests.fakes.wordpress import FakeWordPress

CASE = Case(plugin=PLUGIN, fake=FakeWordPress)
SITE = "https://blog.example"


class TestWordPress(ContractSuite):
    case = CASE


class ReplayWordPress(Replay):
    def options(self) -> dict[str, Any]:
        return {"site": SITE}


@pytest.fixture
def fake() -> Iterator[FakeWordPress]:
    fake = FakeWordPress()
    yield fake
    fake.close()


@pytest.fixture
def pulls(fake: FakeWordPress) -> Pulls:
    return Pulls(CASE, fake)


@pytest.fixture
def replay() -> Iterator[ReplayWordPress]:
    replay = ReplayWordPress()
    yield replay
    replay.close()


# --- asking


def test_an_idle_pull_asks_once_and_for_what_is_new_only(pulls: Pulls, fake: FakeWordPress) -> None:
    fake.publish(250, every=timedelta(hours=2))
    pulls.pull()
    fake.loopback.requests.clear()
    pulls.pull()
    assert [request.query["after"] for request in fake.loopback.requests] == ["2026-10-28T11:50:00Z"]


@pytest.mark.parametrize("clock", [timedelta(hours=-12), timedelta(hours=14)], ids=str)
def test_a_site_that_filters_by_its_own_clock_loses_nothing(
    pulls: Pulls, fake: FakeWordPress, clock: timedelta
) -> None:
    fake.clock = clock
    fake.publish(40, every=timedelta(hours=12))
    pulls.pull()
    fake.publish(10, every=timedelta(minutes=1))
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_a_site_without_the_filter_is_read_down_to_what_is_known(pulls: Pulls, fake: FakeWordPress) -> None:
    fake.heeds_after = False
    fake.publish(500, every=timedelta(hours=2))
    pulls.pull()
    fake.loopback.requests.clear()
    pulls.pull()
    assert len(fake.loopback.requests) == 1


def test_a_cache_that_drops_the_number_of_pages_loses_nothing(pulls: Pulls, fake: FakeWordPress) -> None:
    fake.tells_pages = False
    fake.publish(250)
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_a_comment_that_waited_two_days_for_a_moderator_is_found(pulls: Pulls, fake: FakeWordPress) -> None:
    waiting = fake.publish(1, at=NOW - timedelta(days=2))[0]
    fake.hidden = {waiting.number}
    fake.publish(150, every=timedelta(minutes=1))
    pulls.pull()
    assert fake.external_id(waiting) not in pulls.stored
    fake.hidden = set()
    pulls.pull()
    assert fake.external_id(waiting) in pulls.stored


def test_a_comment_from_the_future_does_not_hide_what_comes(pulls: Pulls, fake: FakeWordPress) -> None:
    fake.publish(1, at=NOW + timedelta(days=900))
    pulls.pull()
    fake.publish(5)
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_a_page_shown_again_and_again_is_a_gap(pulls: Pulls, fake: FakeWordPress) -> None:
    fake.publish(250)
    fake.repeat_last_page = True
    pulls.pull()
    assert [page.gap is not None for page in pulls.pages] == [False, True]


def test_the_brand_s_own_comments_are_no_mentions(fake: FakeWordPress) -> None:
    comment = fake.entry(fake.publish()[0])
    item = comment_of(comment, SITE, frozenset({"jo & co"}))
    assert item is not None
    assert item.kind is Kind.POST


# --- what a comment becomes


def raw(**changes: Any) -> dict[str, Any]:
    sound = {"id": 9, "date_gmt": "2026-10-01T08:00:00", "content": {"rendered": "<p>a &lt;b&gt;</p>"}}
    return sound | changes


def test_a_comment_becomes_an_item(fake: FakeWordPress) -> None:
    seed = fake.publish()[0]
    assert comment_of(fake.entry(seed) | {"parent": 3}, SITE) == Item(
        external_id="blog.example/1",
        kind=Kind.MENTION,
        published_at=seed.at,
        text=seed.text,
        url="https://blog.example/post/#comment-1",
        author=Author("blog.example/Jo & Co", "Jo & Co"),
        place="blog.example",
        parent_title="Acme – a test",
        attributes={"type": "reply", "post": "7"},
    )


def test_a_bare_comment_is_enough() -> None:
    item = comment_of(raw(post=4), SITE)
    assert item is not None
    assert (item.text, item.url, item.author) == ("a <b>", "https://blog.example/?p=4#comment-9", None)


def test_who_has_an_account_is_known_by_its_number() -> None:
    item = comment_of(raw(author=5, author_name="Jo"), SITE)
    assert item is not None
    assert item.author == Author("blog.example/u/5", "Jo")


@pytest.mark.parametrize("changes", [{"status": "hold"}, {"status": "spam"}, {"type": "pingback"}], ids=str)
def test_what_nobody_said_or_may_see_is_left_out(changes: dict[str, Any]) -> None:
    assert comment_of(raw(**changes), SITE) is None


@pytest.mark.parametrize(
    "changes",
    [
        {"id": "9"},
        {"id": True},
        {"id": 0},
        {"date_gmt": None},
        {"date_gmt": "soon"},
        {"date_gmt": "0001-01-01T00:00:00+14:00"},
        {"content": None},
    ],
    ids=str,
)
def test_a_damaged_comment_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        comment_of(raw(**changes), SITE)


def test_a_time_without_a_zone_is_utc() -> None:
    assert utc("2026-10-01T08:00:00") == datetime(2026, 10, 1, 8, tzinfo=UTC)
    assert utc("2026-10-01T08:00:00+02:00") == datetime(2026, 10, 1, 6, tzinfo=UTC)


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ("blog.example", "https://blog.example"),
        ("HTTP://Blog.Example:8080/", "http://blog.example:8080"),
        ("https://blog.example/en/news//", "https://blog.example/en/news"),
    ],
)
def test_a_site_is_named_by_its_address(given: str, address: str) -> None:
    assert site_of(given) == address


@pytest.mark.parametrize(
    "given", ["", "ftp://blog.example", "blog example", "https://u:p@blog.example", "https://blog.example/../x", "a?b"]
)
def test_what_is_no_site_is_refused(given: str) -> None:
    with pytest.raises(ValidationError, match="site"):
        WordPressOptions(site=given)


@pytest.mark.parametrize("link", ["javascript:alert(1)", "https://", "https://[", "https://a b", 7, None])
def test_what_is_no_web_address_is_no_link(link: object) -> None:
    assert link_or_none(link) is None


# --- other answers


@pytest.mark.parametrize("body", [b"{}", b"null", b"7"])
def test_what_is_no_list_is_unavailable(replay: ReplayWordPress, body: bytes) -> None:
    replay.body = body
    with pytest.raises(Unavailable, match="no list"):
        Pulls(CASE, replay).open().check()


def test_a_site_without_the_interface_is_not_there(replay: ReplayWordPress) -> None:
    replay.status = 404
    with pytest.raises(NotThere, match="REST API"):
        Pulls(CASE, replay).open().check()


def test_damaged_answers_raise_nothing_but_the_fates(replay: ReplayWordPress, fake: FakeWordPress) -> None:
    body = json.dumps([fake.entry(seed) for seed in fake.publish(8)]).encode()
    connector = Pulls(CASE, replay).open()
    came = 0
    for damaged in damaged_copies(body, 400):
        replay.body = damaged
        with suppress(SourceError):
            came += sum(len(page.items) for page in connector.fetch(None, SINCE))
    connector.close()
    assert came > 1_000
