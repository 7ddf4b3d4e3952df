from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import Author, Connector, Counts, Gap, Item, Kind, Page, Rating
from connectors.contract import Reply as Answered
from connectors.errors import AccessDenied, NotThere, RateLimited, SourceError, Unavailable
from connectors.googleplay import PLUGIN, GooglePlayOptions
from connectors.googleplay_parse import review_of
from connectors.testing import Case, ContractSuite, Reply, Request
from connectors.testing.platform import NOW
from connectors.testing.suite import SINCE, Pulls
from tests.fakes.damaging import damaged_copies
from tests.fakes.googleplay import PACKAGE, FakeGooglePlay, refusal
from tests.fakes.keys import curve_key, pem
from tests.fakes.replay import Replay, recorded

CASE = Case(plugin=PLUGIN, fake=FakeGooglePlay, kind=Kind.REVIEW)


class TestGooglePlay(ContractSuite):
    case = CASE


class Says(FakeGooglePlay):
    """Answers whoever has a token in one way, or the asking for a token itself."""

    def __init__(self, reply: Reply, *, to_token: bool = False) -> None:
        super().__init__()
        self._reply, self._to_token = reply, to_token

    def respond(self, request: Request) -> Reply:
        return self._reply if (request.path == "/token") is self._to_token else super().respond(request)


class ReplayPlay(Replay, FakeGooglePlay):
    def respond(self, request: Request) -> Reply:
        return FakeGooglePlay.respond(self, request) if request.path == "/token" else super().respond(request)


@pytest.fixture
def fake() -> Iterator[FakeGooglePlay]:
    fake = FakeGooglePlay()
    yield fake
    fake.close()


@pytest.fixture
def pulls(fake: FakeGooglePlay) -> Pulls:
    return Pulls(CASE, fake)


@pytest.fixture
def replay() -> Iterator[ReplayPlay]:
    replay = ReplayPlay()
    yield replay
    replay.close()


def all_pages(platform: Replay) -> list[Page]:
    with opened(platform) as connector:
        return list(connector.fetch(None, SINCE))


@contextmanager
def opened(platform: Replay) -> Iterator[Connector]:
    connector = Pulls(Case(plugin=PLUGIN, fake=lambda: platform), platform).open()
    try:
        yield connector
    finally:
        connector.close()


def checked(fake: FakeGooglePlay) -> None:
    connector = Pulls(CASE, fake).open()
    try:
        connector.check()
    finally:
        connector.close()
        fake.close()


# --- tokens


def test_one_token_serves_a_pull(pulls: Pulls, fake: FakeGooglePlay) -> None:
    fake.publish(250)
    pulls.pull()
    assert [request.path for request in fake.loopback.requests].count("/token") == 1


def test_a_token_about_to_end_is_renewed(pulls: Pulls, fake: FakeGooglePlay) -> None:
    fake.lives = 100
    fake.publish(250)
    pulls.pull()
    assert [request.path for request in fake.loopback.requests].count("/token") == 3


@pytest.mark.parametrize(
    ("reply", "fate"),
    [
        (Reply.of_json({"error": "invalid_grant"}, 400), AccessDenied),
        (Reply.of_json({"error": {"odd": 1}}, 401), AccessDenied),
        (Reply(b"", 302, {"Location": "http://127.0.0.1:9/token"}), SourceError),
        (Reply.of_json({}), Unavailable),
        (Reply.of_json({"access_token": "a b"}), Unavailable),
        (Reply.of_json([]), Unavailable),
        (Reply(b"", 429, {"Retry-After": "9"}), RateLimited),
    ],
)
def test_a_token_that_is_not_given_has_its_fate(reply: Reply, fate: type[SourceError]) -> None:
    with pytest.raises(fate):
        checked(Says(reply, to_token=True))


@pytest.mark.parametrize(
    "key",
    [
        {"type": "authorized_user"},
        {"private_key": "no key"},
        {"private_key": None},
        {"client_email": ""},
        {"token_uri": "http://127.0.0.1:1/token"},
        {"token_uri": "http://["},
        {"token_uri": "file:///etc/passwd"},
        {"private_key": pem(curve_key())},
    ],
    ids=lambda key: next(iter(key)),
)
def test_a_key_file_that_makes_no_sense_is_refused_without_asking(fake: FakeGooglePlay, key: dict[str, Any]) -> None:
    fake.key = key
    with pytest.raises(AccessDenied, match="service_account"):
        Pulls(CASE, fake).open().check()
    assert fake.loopback.requests == []


def test_what_is_no_json_is_refused_without_showing_it(fake: FakeGooglePlay) -> None:
    options = GooglePlayOptions(package=PACKAGE, service_account="/etc/secret.json", base_url=fake.base_url)
    connector = PLUGIN.open(options, Pulls(CASE, fake).context(_Free()))
    with pytest.raises(AccessDenied, match="whole contents") as caught:
        connector.check()
    assert "secret" not in str(caught.value)


class _Free:
    def take(self, units: int = 1) -> None:
        """Nothing to count."""


# --- asking


@pytest.mark.parametrize(
    ("reply", "fate"),
    [
        (refusal(401, "authError"), AccessDenied),
        (refusal(403, "permissionDenied"), AccessDenied),
        (refusal(403, "accessNotConfigured"), AccessDenied),
        (refusal(403, "quotaExceeded"), RateLimited),
        (refusal(429, "rateLimitExceeded"), RateLimited),
        (refusal(404, "applicationNotFound"), NotThere),
        (refusal(503, "backendError"), Unavailable),
        (Reply.of_json({"error": {"code": 500}}), Unavailable),
        (Reply.of_json([]), Unavailable),
    ],
)
def test_a_refusal_has_its_fate(reply: Reply, fate: type[SourceError]) -> None:
    with pytest.raises(fate):
        checked(Says(reply))


def test_a_first_pull_tells_that_only_a_week_is_given_and_the_next_does_not(pulls: Pulls, fake: FakeGooglePlay) -> None:
    pulls.pull()
    assert [page.gap for page in pulls.pages] == [
        Gap("Google Play gives only reviews of the last week", SINCE, NOW - timedelta(days=7))
    ]
    pulls.now = NOW + timedelta(minutes=10)
    pulls.pull()
    assert pulls.pages[-1].gap is None


@pytest.mark.parametrize("asked", ["x", True, -1, 1e300, float("nan"), []])
def test_a_damaged_cursor_begins_anew(pulls: Pulls, fake: FakeGooglePlay, asked: Any) -> None:
    fake.publish(5)
    pulls.cursor = {"sweep": {"floor": "x", "at": 7}, "asked": asked}
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_after_ten_days_of_silence_three_days_are_missed(pulls: Pulls, fake: FakeGooglePlay) -> None:
    fake.publish(5)
    pulls.pull()
    fake.now = pulls.now = NOW + timedelta(days=10)
    pulls.pull()
    assert pulls.pages[-1].gap == Gap("Google Play gives only reviews of the last week", NOW, NOW + timedelta(days=3))


def test_a_list_without_order_is_read_to_its_end(pulls: Pulls, fake: FakeGooglePlay) -> None:
    fake.publish(350, every=timedelta(minutes=20))
    pulls.pull()
    fake.shuffled = True
    fake.publish(30)
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_an_edited_review_comes_again_under_its_id(pulls: Pulls, fake: FakeGooglePlay) -> None:
    seed = fake.publish(5, at=NOW - timedelta(days=3))[2]
    fake.publish(300)
    pulls.pull()
    fake.edited[seed.number] = NOW
    pulls.pull(pages=1)
    assert pulls.stored[fake.external_id(seed)].updated_at == NOW


def test_a_page_token_that_is_no_longer_taken_begins_anew(pulls: Pulls, fake: FakeGooglePlay) -> None:
    fake.publish(250)
    pulls.pull(pages=1)
    fake.refused_tokens = True
    with suppress(SourceError):
        pulls.pull()
    fake.refused_tokens = False
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


# --- what a review becomes


def raw(**changes: Any) -> dict[str, Any]:
    comment = {"text": "Acme\tFine & <good>", "lastModified": {"seconds": "1790841600"}, "starRating": 4} | changes
    return {"reviewId": "gp:A", "comments": [{"userComment": comment}]}


def test_a_review_becomes_an_item() -> None:
    review = raw(
        reviewerLanguage="pt_BR",
        device="heroqltevzw",
        androidOsVersion=23,
        appVersionCode=1440,
        appVersionName="2.1",
        thumbsUpCount=7,
        thumbsDownCount=1,
        deviceMetadata={"productName": "heroqltevzw (Galaxy S7)", "manufacturer": "Samsung"},
    )
    review["authorName"] = "Jo"
    review["comments"].append({"developerComment": {"text": "Thanks!", "lastModified": {"seconds": "1790845200"}}})
    at = datetime(2026, 10, 1, 8, tzinfo=UTC)
    assert review_of(review, PACKAGE) == Item(
        external_id="gp:A",
        kind=Kind.REVIEW,
        published_at=at,
        updated_at=at,
        title="Acme",
        text="Fine & <good>",
        url=f"https://play.google.com/store/apps/details?id={PACKAGE}&reviewId=gp%3AA",
        language="pt-BR",
        author=Author("Jo", "Jo"),
        rating=Rating(4),
        counts=Counts(likes=7),
        reply=Answered("Thanks!", at + timedelta(hours=1)),
        place=PACKAGE,
        attributes={
            "app_version": "2.1",
            "device": "heroqltevzw (Galaxy S7)",
            "manufacturer": "Samsung",
            "language": "pt_BR",
            "android_sdk": "23",
            "thumbs_down": "1",
        },
    )


@pytest.mark.parametrize(
    ("text", "title", "body"),
    [
        ("Acme\tFine", "Acme", "Fine"),
        ("\tFine", None, "Fine"),
        ("Fine", None, "Fine"),
        ("\tGut\tSehr gut", "Gut", "Sehr gut"),
        ("Acme\tone\ttwo", "Acme", "one\ttwo"),
        ("Acme\t", None, "Acme"),
        ("", None, None),
        (None, None, None),
        (7, None, None),
    ],
)
def test_title_and_text_are_split_at_the_tab(text: object, title: str | None, body: str | None) -> None:
    item = review_of(raw(text=text), PACKAGE)
    assert (item.title, item.text) == (title, body)


def test_of_several_comments_of_the_user_the_latest_counts() -> None:
    review = raw()
    newer = {"text": "worse", "lastModified": {"seconds": "1790841700"}, "starRating": 1}
    review["comments"].insert(0, {"userComment": newer})
    item = review_of(review, PACKAGE)
    assert (item.text, item.rating) == ("worse", Rating(1))


@pytest.mark.parametrize(
    "changes",
    [
        {"lastModified": {}},
        {"lastModified": {"seconds": "soon"}},
        {"lastModified": {"seconds": "9" * 12}},
        {"starRating": 0},
        {"starRating": 6},
        {"starRating": "5"},
        {"starRating": True},
    ],
    ids=str,
)
def test_a_damaged_review_is_none(changes: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        review_of(raw(**changes), PACKAGE)


@pytest.mark.parametrize("package", ["acme", "com..acme", "com.acme/../x", "", "1com.acme", "com.acme?x", "com.ä"])
def test_what_is_no_package_is_refused(package: str) -> None:
    with pytest.raises(ValidationError, match="package"):
        GooglePlayOptions(package=package, service_account="{}")


@pytest.mark.parametrize(
    ("link", "package"),
    [
        ("https://play.google.com/store/apps/details?id=com.example.app&hl=de", "com.example.app"),
        ("https://play.google.com/store/apps/details?id=acme", None),
        ("https://play.google.com/store/books/details?id=com.example.app", None),
        ("https://play.google.com.evil.example/store/apps/details?id=com.example.app", None),
        ("http://[", None),
        ("", None),
    ],
)
def test_a_link_to_an_app_is_recognised(link: str, package: str | None) -> None:
    assert PLUGIN.recognise(link) == ({"package": package} if package else None)


# --- recorded answers


@pytest.mark.recorded
def test_the_recorded_reviews_arrive(replay: ReplayPlay) -> None:
    replay.status, replay.body = recorded("googleplay", "c_publisher")["c_publisher_reviews_list.json"]
    first = all_pages(replay)[0]
    assert [item.external_id for item in first.items] == ["gp:AOqpTOFpm0yF", "gp:B"]
    assert not first.skipped
    replied, unnamed = first.items
    assert replied.reply is not None
    assert replied.language == "en-US"
    assert (unnamed.author, unnamed.title) == (None, "Gut")


@pytest.mark.recorded
def test_the_recorded_refusal_has_its_fate(replay: ReplayPlay) -> None:
    replay.status, replay.body = recorded("googleplay", "c_publisher")["c_publisher_error_401.json"]
    with pytest.raises(AccessDenied):
        all_pages(replay)


@pytest.mark.recorded
def test_damaged_recorded_answers_raise_nothing_but_the_fates(replay: ReplayPlay) -> None:
    assert _came_of_damaged(replay, recorded("googleplay"), 50) > 30


def test_damaged_answers_raise_nothing_but_the_fates(replay: ReplayPlay, fake: FakeGooglePlay) -> None:
    body = json.dumps({"reviews": [fake.review(seed) for seed in fake.publish(10)]}).encode()
    assert _came_of_damaged(replay, {"fake": (200, body)}, 200) > 500


def test_damaged_tokens_raise_nothing_but_the_fates() -> None:
    body = json.dumps({"access_token": "x", "expires_in": 3599, "token_type": "Bearer"}).encode()
    for damaged in damaged_copies(body, 30):
        with suppress(SourceError):
            checked(Says(Reply(damaged), to_token=True))


def _came_of_damaged(replay: ReplayPlay, answers: dict[str, tuple[int, bytes]], count: int) -> int:
    """How many items came; one connector for all, since the reading of its key takes a tenth of a second."""
    came = 0
    with opened(replay) as connector:
        for seed, (status, body) in enumerate(answers.values()):
            for damaged in damaged_copies(body, count, seed):
                replay.status, replay.body = status, damaged
                with suppress(SourceError):
                    came += sum(len(page.items) for page in connector.fetch(None, SINCE))
    return came
