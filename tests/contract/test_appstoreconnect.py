from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.appstoreconnect import PLUGIN, AppStoreConnectOptions
from connectors.appstoreconnect_parse import cursor_of, review_of
from connectors.contract import Author, Item, Kind, Page, Rating, Unlimited
from connectors.contract import Reply as Answered
from connectors.errors import AccessDenied, NotThere, RateLimited, SourceError
from connectors.territories import two_letters
from connectors.testing import Case, ContractSuite, Reply, Request
from connectors.testing.platform import NOW
from connectors.testing.suite import Pulls
from tests.fakes.appstoreconnect import APP_ID, FakeAppStoreConnect, refusal
from tests.fakes.damaging import damaged_copies
from tests.fakes.keys import curve_key, pem, rsa_key
from tests.fakes.replay import Replay, recorded

CASE = Case(plugin=PLUGIN, fake=FakeAppStoreConnect, many=500, kind=Kind.REVIEW)
LONG_AGO = datetime(2008, 7, 10, tzinfo=UTC)


class TestAppStoreConnect(ContractSuite):
    case = CASE


class Says(FakeAppStoreConnect):
    """Answers everything in one way."""

    def __init__(self, reply: Reply) -> None:
        super().__init__()
        self._reply = reply

    def respond(self, request: Request) -> Reply:
        return self._reply


class ReplayApple(Replay):
    def options(self) -> dict[str, Any]:
        return {"app_id": APP_ID, "key_id": "2X9R4HXF34", "private_key": pem(curve_key())}


@pytest.fixture
def fake() -> Iterator[FakeAppStoreConnect]:
    fake = FakeAppStoreConnect()
    yield fake
    fake.close()


@pytest.fixture
def pulls(fake: FakeAppStoreConnect) -> Pulls:
    return Pulls(CASE, fake)


@pytest.fixture
def replay() -> Iterator[ReplayApple]:
    replay = ReplayApple()
    yield replay
    replay.close()


def all_pages(platform: Replay) -> list[Page]:
    connector = Pulls(Case(plugin=PLUGIN, fake=lambda: platform), platform).open()
    try:
        return list(connector.fetch(None, LONG_AGO))
    finally:
        connector.close()


# --- asking


def test_a_token_is_signed_once_and_renewed_before_it_ends(pulls: Pulls, fake: FakeAppStoreConnect) -> None:
    fake.publish(450)
    connector = pulls.open()
    pages = connector.fetch(None, fake.seeds[0].at)
    next(pages)
    next(pages)
    pulls.now += timedelta(minutes=14)
    next(pages)
    connector.close()
    tokens = [request.headers["authorization"] for request in fake.loopback.requests]
    assert tokens[0] == tokens[1] != tokens[2]


def test_an_individual_key_needs_no_issuer(fake: FakeAppStoreConnect, pulls: Pulls) -> None:
    fake.issuer = None
    fake.publish(3)
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_a_key_with_its_line_breaks_written_out_is_taken(fake: FakeAppStoreConnect) -> None:
    options = {**fake.options(), "base_url": fake.base_url, "private_key": pem(curve_key()).replace("\n", "\\n")}
    connector = PLUGIN.open(AppStoreConnectOptions(**options), Pulls(CASE, fake).context(Unlimited()))
    connector.check()


@pytest.mark.parametrize("key", ["", "no key", "-----BEGIN PRIVATE KEY-----\nMIGT\n-----END PRIVATE KEY-----", "rsa"])
def test_what_is_no_key_is_refused_without_showing_it(fake: FakeAppStoreConnect, key: str) -> None:
    given = pem(rsa_key()) if key == "rsa" else key
    options = AppStoreConnectOptions(**{**fake.options(), "base_url": fake.base_url, "private_key": given})
    with pytest.raises(AccessDenied, match=r"whole contents of the \.p8 file") as caught:
        PLUGIN.open(options, Pulls(CASE, fake).context(Unlimited())).check()
    assert "MIGT" not in str(caught.value)
    assert fake.loopback.requests == []


def test_a_next_page_on_another_host_is_not_opened_and_gives_a_gap(pulls: Pulls, fake: FakeAppStoreConnect) -> None:
    fake.publish(450)
    fake.next_host = "https://api.appstoreconnect.apple.com.evil.example"
    pulls.pull()
    assert len(pulls.stored) == 200
    assert [page.gap is not None for page in pulls.pages] == [True]
    fake.next_host = None
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_a_cursor_that_is_no_longer_taken_begins_anew(pulls: Pulls, fake: FakeAppStoreConnect) -> None:
    fake.publish(150)
    pulls.pull()
    fake.publish(290)
    pulls.pull(pages=1)
    assert pulls.cursor is not None
    fake.refused_cursors = True
    with suppress(SourceError):
        pulls.pull()
    fake.refused_cursors = False
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_a_reply_that_comes_later_is_found(pulls: Pulls, fake: FakeAppStoreConnect) -> None:
    fake.replies = False
    key = fake.external_id(fake.publish(5)[4])
    pulls.pull()
    assert pulls.stored[key].reply is None
    fake.replies = True
    fake.publish(3, at=NOW)
    pulls.pull()
    assert pulls.stored[key].reply is not None


@pytest.mark.parametrize(
    ("reply", "fate"),
    [
        (refusal(401, "NOT_AUTHORIZED"), AccessDenied),
        (refusal(403, "FORBIDDEN_ERROR"), AccessDenied),
        (refusal(403, "FORBIDDEN.REQUIRED_AGREEMENTS_MISSING_OR_EXPIRED"), AccessDenied),
        (refusal(404, "NOT_FOUND"), NotThere),
        (Reply(b"", 403), AccessDenied),
    ],
)
def test_a_refusal_has_its_fate(reply: Reply, fate: type[SourceError]) -> None:
    fake = Says(reply)
    with pytest.raises(fate):
        Pulls(CASE, fake).open().check()
    fake.close()


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        ({"X-Rate-Limit": "user-hour-lim:3500;user-hour-rem:0;"}, timedelta(hours=1)),
        ({"X-Rate-Limit": "user-hour-lim:3500;user-hour-rem:0;", "Retry-After": "7"}, timedelta(seconds=7)),
        ({"X-Rate-Limit": "user-hour-lim:3500;user-hour-rem:05;"}, None),
        ({}, None),
    ],
)
def test_a_spent_quota_tells_how_long_to_wait(headers: dict[str, str], wait: timedelta | None) -> None:
    fake = Says(Reply.of_json({"errors": [{"code": "RATE_LIMIT_EXCEEDED"}]}, 429, headers))
    with pytest.raises(RateLimited) as caught:
        Pulls(CASE, fake).open().check()
    fake.close()
    assert caught.value.retry_after == wait


# --- what a review becomes


def test_a_review_becomes_an_item(fake: FakeAppStoreConnect) -> None:
    seed = fake.publish(5)[4]
    replies = {"r5": fake.reply(seed)}
    assert review_of(fake.review(seed), APP_ID, replies) == Item(
        external_id="00000193-f7fb-5203-538a-000000000005",
        kind=Kind.REVIEW,
        published_at=seed.at,
        title="Acme",
        text=seed.text,
        author=Author("someone", "someone"),
        rating=Rating(1),
        reply=Answered("Thank you, 5!", seed.at + timedelta(hours=2)),
        place=f"App Store app {APP_ID}",
        attributes={"country": "DE", "territory": "DEU", "reply_state": "published"},
    )


@pytest.mark.parametrize(
    ("territory", "country"), [("DEU", "DE"), ("XKS", "XK"), ("GBR", "GB"), ("ZZZ", None), (7, None)]
)
def test_a_territory_becomes_a_country(territory: object, country: str | None) -> None:
    assert two_letters(territory) == country


@pytest.mark.parametrize(
    ("link", "token"),
    [
        ("https://api.example/v1/x?cursor=A.B%3D&limit=200", "A.B="),
        ("https://API.example/v1/x?cursor=A", "A"),
        ("https://api.example:444/v1/x?cursor=A", None),
        ("https://api.example@evil.example/v1/x?cursor=A", None),
        ("https://api.example/v1/x", None),
        ("http://[", None),
    ],
)
def test_the_next_page_is_taken_from_the_same_host_only(link: str, token: str | None) -> None:
    assert cursor_of(link, "api.example") == token


@pytest.mark.parametrize(
    "options",
    [
        {"app_id": "acme"},
        {"app_id": "0"},
        {"key_id": "../x"},
        {"issuer_id": "nobody"},
        {"private_key": None},
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], fake: FakeAppStoreConnect) -> None:
    with pytest.raises(ValidationError, match=next(iter(options))):
        AppStoreConnectOptions(**{**fake.options(), **options})


def test_an_app_is_known_by_its_address(fake: FakeAppStoreConnect) -> None:
    link = "https://apps.apple.com/de/app/acme-phone/id6777469778?mt=8"
    assert AppStoreConnectOptions(**{**fake.options(), "app_id": link}).app_id == APP_ID


# --- recorded answers


@pytest.mark.recorded
def test_the_recorded_review_arrives(replay: ReplayApple) -> None:
    replay.status, replay.body = recorded("appstore", "c_asc_")["c_asc_customer_reviews.json"]
    pages = all_pages(replay)
    assert [len(page.items) for page in pages] == [1]
    item = pages[0].items[0]
    assert item.attributes["country"] == "CN"
    assert item.published_at == datetime(2026, 7, 10, 15, 10, 55, tzinfo=UTC)
    assert item.reply is None
    assert not pages[0].skipped


@pytest.mark.recorded
@pytest.mark.parametrize(
    ("file", "fate"),
    [
        ("asc_error_response.json", NotThere),
        ("asc_error_response_with_links.json", AccessDenied),
        ("c_asc_error_401.json", AccessDenied),
    ],
)
def test_the_recorded_refusals_have_their_fates(replay: ReplayApple, file: str, fate: type[SourceError]) -> None:
    replay.status, replay.body = (recorded("appstore", "asc_") | recorded("appstore", "c_asc_"))[file]
    with pytest.raises(fate):
        all_pages(replay)


@pytest.mark.recorded
def test_damaged_recorded_answers_raise_nothing_but_the_fates(replay: ReplayApple) -> None:
    answers = recorded("appstore", "asc_") | recorded("appstore", "c_asc_")
    assert _came_of_damaged(replay, answers, 200) > 20


def test_damaged_answers_raise_nothing_but_the_fates(replay: ReplayApple, fake: FakeAppStoreConnect) -> None:
    seeds = fake.publish(10)
    body = {"data": [fake.review(seed) for seed in seeds], "included": [fake.reply(seeds[4])], "links": {"next": "x"}}
    assert _came_of_damaged(replay, {"fake": (200, json.dumps(body).encode())}, 300) > 500


def _came_of_damaged(replay: ReplayApple, answers: dict[str, tuple[int, bytes]], count: int) -> int:
    came = 0
    for seed, (status, body) in enumerate(answers.values()):
        for damaged in damaged_copies(body, count, seed):
            replay.status, replay.body = status, damaged
            with suppress(SourceError):
                came += sum(len(page.items) for page in all_pages(replay))
    return came
