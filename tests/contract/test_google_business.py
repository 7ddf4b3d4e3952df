from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import Connector, Context, Kind, RequestBudget, ShowsStanding, StandingReading, Unlimited
from connectors.errors import AccessDenied, NotThere, SourceError
from connectors.google_business import PLUGIN, GoogleBusinessOptions
from connectors.google_business_parse import Location, original_of, rating_of, review_of
from connectors.testing import Case, ContractSuite, Reply
from connectors.testing.platform import NOW
from connectors.testing.suite import Pulls
from tests.fakes.damaging import damaged_copies
from tests.fakes.google_business import MAPS, FakeGoogleBusiness
from tests.fakes.replay import Replay, recorded

CASE = Case(plugin=PLUGIN, fake=FakeGoogleBusiness, kind=Kind.REVIEW)
REVIEWS = "/accounts/1/locations/2/reviews"


class TestGoogleBusiness(ContractSuite):
    case = CASE


class Source(Pulls):
    """Pulls with other options than the suite's."""

    def __init__(self, fake: FakeGoogleBusiness, **options: Any) -> None:
        super().__init__(CASE, fake)
        self.options = {**fake.options(), **options}

    def open(self, budget: RequestBudget | None = None) -> Connector:
        context: Context = self.context(budget or Unlimited())
        return PLUGIN.open(GoogleBusinessOptions(base_url=self.fake.base_url, **self.options), context)


@pytest.fixture
def fake() -> Iterator[FakeGoogleBusiness]:
    fake = FakeGoogleBusiness()
    yield fake
    fake.close()


def standings(source: Source) -> list[StandingReading]:
    connector = source.open()
    assert isinstance(connector, ShowsStanding)
    return list(connector.standing())


# --- tokens


def test_a_token_is_used_until_it_ends(fake: FakeGoogleBusiness) -> None:
    fake.publish(3)
    source = Source(fake)
    source.pull()
    source.pull()
    assert fake.tokens_given == 1
    source.now = NOW + timedelta(minutes=59)
    source.pull()
    assert fake.tokens_given == 2


def test_a_revoked_token_is_asked_for_anew_once(fake: FakeGoogleBusiness) -> None:
    fake.publish(3)
    source = Source(fake)
    source.pull()
    fake.revoked.add("ya29.the-token-1")
    fake.publish(1)
    source.pull()
    assert set(source.stored) == fake.expected()
    fake.revoked.update(f"ya29.the-token-{number}" for number in range(20))
    with pytest.raises(AccessDenied):
        source.pull()
    assert fake.tokens_given == 3


def test_a_grant_taken_back_is_access_denied(fake: FakeGoogleBusiness) -> None:
    with pytest.raises(AccessDenied, match="invalid_grant"):
        Source(fake, refresh_token="another").pull()


def test_secrets_go_to_the_tokens_address_alone(fake: FakeGoogleBusiness) -> None:
    fake.publish(3)
    Source(fake).pull()
    for request in fake.loopback.requests:
        if request.path != "/token":
            assert not [s for s in fake.secrets()[:2] if s in f"{request.headers}{request.query}{request.body!r}"]


def test_a_token_answer_that_redirects_is_not_followed(fake: FakeGoogleBusiness) -> None:
    fake.answers["/token"] = Reply(b"", 307, {"Location": f"{fake.base_url}/elsewhere"})
    with pytest.raises(SourceError):
        Source(fake).pull()
    assert fake.paths == ["/token"]


# --- locations


def test_every_location_is_read_and_told_apart(fake: FakeGoogleBusiness) -> None:
    fake.titles = {"2": "Acme Café", "3": "Acme Café"}
    fake.elsewhere.update(fake.publish(4))
    fake.publish(5)
    source = Source(fake)
    source.pull()
    assert set(source.stored) == fake.expected()
    assert {item.place for item in source.stored.values()} == {"Acme Café (2)", "Acme Café (3)"}
    assert [(r.place, r.mean, r.count) for r in standings(source)] == [
        ("Acme Café (2)", 4.5, 5),
        ("Acme Café (3)", 4.5, 4),
    ]


def test_only_the_locations_wanted_are_read(fake: FakeGoogleBusiness) -> None:
    fake.titles = {"2": "Acme", "3": "Other"}
    fake.elsewhere.update(fake.publish(4))
    fake.publish(5)
    source = Source(fake, account="accounts/1", locations=("locations/3",))
    source.pull()
    assert {item.place for item in source.stored.values()} == {"Other"}
    assert "/accounts" not in fake.paths


def test_locations_are_asked_for_once_a_day(fake: FakeGoogleBusiness) -> None:
    source = Source(fake)
    for hours in (0, 1, 23, 25):
        source.now = NOW + timedelta(hours=hours)
        source.pull()
    assert fake.paths.count("/accounts/1/locations") == 2


def test_a_location_that_is_not_there_is_said(fake: FakeGoogleBusiness) -> None:
    with pytest.raises(NotThere, match="location 77"):
        Source(fake, locations=("77",)).pull()
    fake.titles = {}
    with pytest.raises(NotThere, match="at all"):
        Source(fake).open().check()


def test_a_refused_location_is_a_gap_while_the_others_go_on(fake: FakeGoogleBusiness) -> None:
    fake.titles = {"2": "Acme", "3": "Other"}
    fake.elsewhere.update(fake.publish(4))
    fake.answers[REVIEWS] = Reply.of_json({"error": {"code": 403}}, 403)
    source = Source(fake)
    source.pull()
    assert set(source.stored) == fake.expected()
    assert [page.gap.reason[:4] for page in source.pages if page.gap] == ["Acme"]


def test_a_project_that_was_not_approved_is_access_denied(fake: FakeGoogleBusiness) -> None:
    detail = {"reason": "RATE_LIMIT_EXCEEDED", "metadata": {"quota_limit_value": "0"}}
    fake.answers["/accounts"] = Reply.of_json({"error": {"code": 429, "details": [detail]}}, 429)
    with pytest.raises(AccessDenied, match="approve"):
        Source(fake).pull()


def test_an_api_that_is_off_says_how_to_mend_it(fake: FakeGoogleBusiness) -> None:
    fake.answers["/accounts"] = Reply.of_json({"error": {"details": [{"reason": "SERVICE_DISABLED"}]}}, 403)
    with pytest.raises(AccessDenied, match="enable"):
        Source(fake).pull()


def test_the_standing_of_a_location_without_reviews_is_unknown(fake: FakeGoogleBusiness) -> None:
    (reading,) = standings(Source(fake))
    assert (reading.place, reading.mean, reading.count) == ("Acme Café", None, None)


# --- reviews


def test_an_edit_is_found_and_stays_the_same_review(fake: FakeGoogleBusiness) -> None:
    seed, *_ = fake.publish(60, every=timedelta(hours=6))
    source = Source(fake)
    source.pull()
    later = fake.publish(1, at=NOW + timedelta(minutes=1))[0]
    fake.changes[later.number] = lambda review: review.update(
        reviewId=f"AbF{seed.number}", createTime=seed.at.isoformat(), starRating="ONE"
    )
    source.now = NOW + timedelta(minutes=5)
    source.pull()
    item = source.stored[fake.external_id(seed)]
    assert item.published_at == seed.at
    assert item.updated_at == later.at
    assert item.rating is not None
    assert item.rating.value == 1


def test_an_answer_comes_with_its_review(fake: FakeGoogleBusiness) -> None:
    (seed,) = fake.publish(1)
    source = Source(fake)
    source.pull()
    fake.changes[seed.number] = lambda review: review.update(
        reviewReply={"comment": "Thanks", "updateTime": "2026-11-01T12:00:00Z"}
    )
    source.pull()
    (item,) = source.stored.values()
    assert item.reply is not None
    assert (item.reply.text, item.reply.at) == ("Thanks", NOW)
    assert item.url == MAPS


@pytest.mark.parametrize(
    ("text", "original"),
    [
        ("Just so", "Just so"),
        ("(Translated by Google) Very good\n\n(Original)\nSehr gut", "Sehr gut"),
        ("Sehr gut\n\n(Translated by Google)\nVery good", "Sehr gut"),
        ("(Translated by Google) Very good", "Very good"),
        ("(Translated by Google)", None),
        (None, None),
    ],
)
def test_the_original_is_kept(text: str | None, original: str | None) -> None:
    assert original_of(text) == original


@pytest.mark.parametrize(("word", "value"), [("ONE", 1), ("THREE", 3), ("FIVE", 5)])
def test_ratings_are_words(word: str, value: int) -> None:
    rating = rating_of(word)
    assert rating is not None
    assert rating.value == value
    assert rating_of("STAR_RATING_UNSPECIFIED") is None


@pytest.mark.parametrize("reviewer", [None, {}, {"displayName": "A Google user"}, {"isAnonymous": True}])
def test_who_gives_no_name_is_nobody(reviewer: object) -> None:
    review = {"reviewId": "a", "createTime": "2026-11-01T12:00:00Z", "reviewer": reviewer, "starRating": "TWO"}
    item = review_of(review, Location("accounts/1", "2"))
    assert (item.author, item.text, item.place) == (None, None, "Google location 2")


@pytest.mark.parametrize("wrong", [{"account": "mine"}, {"locations": ["x"]}, {"client_id": ""}])
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GoogleBusinessOptions.model_validate({"client_id": "a", "client_secret": "b", "refresh_token": "c", **wrong})


# --- recorded and damaged


class GoogleReplay(Replay):
    def __init__(self) -> None:
        super().__init__()
        self.prelude = {
            "/token": Reply.of_json({"access_token": "ya29", "expires_in": 3599}),
            "/accounts": Reply.of_json({"accounts": [{"name": "accounts/1"}]}),
            "/accounts/1/locations": Reply.of_json({"locations": [{"name": "locations/2", "title": "Acme"}]}),
        }

    def options(self) -> dict[str, Any]:
        return {"client_id": "a", "client_secret": "b", "refresh_token": "c"}


@pytest.fixture
def replay() -> Iterator[GoogleReplay]:
    replay = GoogleReplay()
    yield replay
    replay.close()


def use_everything(replay: GoogleReplay) -> int:
    connector = Pulls(Case(plugin=PLUGIN, fake=lambda: replay, kind=Kind.REVIEW), replay).open()
    assert isinstance(connector, ShowsStanding)
    came = 0
    with suppress(SourceError):
        for page in connector.fetch(None, datetime(2010, 1, 1, tzinfo=UTC)):
            came += len(page.items)
    with suppress(SourceError):
        assert all(r.mean is None or 1 <= r.mean <= 5 for r in connector.standing())
    connector.close()
    return came


@pytest.mark.recorded
def test_the_recorded_reviews_arrive_once(replay: GoogleReplay) -> None:
    replay.status, replay.body = recorded("google_places")["c_gbp_reviews_list.json"]
    source = Pulls(Case(plugin=PLUGIN, fake=lambda: replay, kind=Kind.REVIEW), replay)
    source.pull()
    first, second = source.stored.values()
    assert (first.external_id, first.text, first.rating and first.rating.value) == ("2/AbF", "Great", 5)
    assert first.reply is not None
    assert (second.author, second.rating, second.text) == (None, None, None)


@pytest.mark.recorded
def test_recorded_answers_whole_and_damaged_raise_nothing_but_the_fates(replay: GoogleReplay) -> None:
    came = 0
    for seed, (_, (status, body)) in enumerate(sorted(recorded("google_places").items())):
        for copy in (body, *damaged_copies(body, 12, seed)):
            replay.body, replay.status = copy, status
            came += use_everything(replay)
    assert came > 10


def test_damaged_answers_of_every_kind_raise_nothing_but_the_fates(replay: GoogleReplay) -> None:
    fake = FakeGoogleBusiness()
    reviews = {"reviews": [fake.review(seed) for seed in fake.publish(3)], "averageRating": 4.5, "totalReviewCount": 3}
    fake.close()
    replay.body = json.dumps(reviews).encode()
    came = 0
    for path in ("", "/token", "/accounts", "/accounts/1/locations"):
        kept = replay.prelude.get(path)
        for copy in damaged_copies(kept.body if kept else replay.body, 50, seed=len(path)):
            if kept:
                replay.prelude[path] = Reply(copy)
            else:
                replay.prelude[REVIEWS] = Reply(copy)
            came += use_everything(replay)
        replay.prelude.pop(REVIEWS, None)
        if kept:
            replay.prelude[path] = kept
    assert came > 100
