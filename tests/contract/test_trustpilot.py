from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import Author, Connector, Counts, Item, Kind, Page, Rating, ShowsStanding, StandingReading
from connectors.contract import Reply as Answered
from connectors.errors import AccessDenied, NotThere, SourceError
from connectors.testing import Case, ContractSuite
from connectors.testing.platform import NOW
from connectors.testing.suite import Pulls
from connectors.trustpilot import PLUGIN, TrustpilotOptions
from connectors.trustpilot_parse import review_of
from tests.fakes.damaging import damaged_copies
from tests.fakes.replay import Replay, recorded
from tests.fakes.trustpilot import COMPANY, DOMAIN, KEY, UNIT, FakeTrustpilot

CASE = Case(plugin=PLUGIN, fake=FakeTrustpilot, kind=Kind.REVIEW)
LONG_AGO = datetime(2010, 1, 1, tzinfo=UTC)


class TestTrustpilot(ContractSuite):
    case = CASE


class ReplayTrustpilot(Replay):
    def options(self) -> dict[str, Any]:
        return {"business_unit": UNIT, "api_key": KEY}


@pytest.fixture
def fake() -> Iterator[FakeTrustpilot]:
    fake = FakeTrustpilot()
    yield fake
    fake.close()


@pytest.fixture
def pulls(fake: FakeTrustpilot) -> Pulls:
    return Pulls(CASE, fake)


@pytest.fixture
def replay() -> Iterator[ReplayTrustpilot]:
    replay = ReplayTrustpilot()
    yield replay
    replay.close()


def opened(replay: Replay) -> Connector:
    return Pulls(Case(plugin=PLUGIN, fake=lambda: replay), replay).open()


def all_pages(replay: Replay) -> list[Page]:
    connector = opened(replay)
    try:
        return list(connector.fetch(None, LONG_AGO))
    finally:
        connector.close()


# --- asking


def test_the_company_is_looked_for_once(pulls: Pulls, fake: FakeTrustpilot) -> None:
    fake.publish(250)
    pulls.pull()
    pulls.pull()
    paths = [request.path for request in fake.loopback.requests]
    assert paths.count("/v1/business-units/find") == 1


def test_a_company_known_by_its_id_is_not_looked_for(pulls: Pulls, fake: FakeTrustpilot) -> None:
    fake.named = UNIT
    fake.publish(3)
    pulls.pull()
    assert [request.path for request in fake.loopback.requests] == [f"/v1/business-units/{UNIT}/reviews"]
    assert set(pulls.stored) == fake.expected()


def test_an_id_kept_for_another_domain_is_forgotten(pulls: Pulls, fake: FakeTrustpilot) -> None:
    pulls.cursor = {"unit": {"www.rival.example": "0" * 24}}
    fake.publish(3)
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_an_unknown_company_is_not_there(pulls: Pulls, fake: FakeTrustpilot) -> None:
    fake.named = "www.nobody.example"
    with pytest.raises(NotThere, match=r"www\.nobody\.example"):
        pulls.pull()


def test_without_links_a_full_page_has_one_after_it(pulls: Pulls, fake: FakeTrustpilot) -> None:
    fake.links = False
    fake.publish(250)
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_a_page_shown_again_and_again_is_a_gap(pulls: Pulls, fake: FakeTrustpilot) -> None:
    fake.publish(250)
    fake.repeat_last_page = True
    pulls.pull()
    assert [page.gap is not None for page in pulls.pages] == [False, True]
    fake.repeat_last_page = False
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_the_standing_is_the_trustscore(fake: FakeTrustpilot) -> None:
    connector = Pulls(CASE, fake).open()
    assert isinstance(connector, ShowsStanding)
    assert list(connector.standing()) == [StandingReading("Trustpilot: Acme", 4.4, 1234, NOW)]


@pytest.mark.parametrize(
    ("changes", "mean", "count"),
    [
        ({"numberOfReviews": {"total": 0}, "score": {"trustScore": 0}}, None, 0),
        ({"score": None, "trustScore": 3.5}, 3.5, 1234),
        ({"score": {"trustScore": "4"}, "numberOfReviews": 7}, None, 7),
    ],
)
def test_a_standing_that_is_not_told_is_unknown(
    fake: FakeTrustpilot, changes: dict[str, Any], mean: float | None, count: int
) -> None:
    fake.company = COMPANY | changes
    connector = Pulls(CASE, fake).open()
    assert isinstance(connector, ShowsStanding)
    assert [(reading.mean, reading.count) for reading in connector.standing()] == [(mean, count)]


# --- what a review becomes


def test_a_review_becomes_an_item() -> None:
    at = datetime(2026, 10, 1, 8, tzinfo=UTC)
    review = {
        "id": "5972071bfba87f08a8227ee9",
        "consumer": {"id": "c1", "displayName": "Jo", "displayLocation": "Kiel", "numberOfReviews": 2},
        "businessUnit": {"displayName": "Acme"},
        "stars": 2,
        "title": "",
        "text": "Slow & <late>",
        "language": "en",
        "createdAt": "2026-10-01T08:00:00Z",
        "updatedAt": "2026-10-02T08:00:00Z",
        "companyReply": {"text": "Sorry!", "createdAt": "2026-10-03T08:00:00Z", "updatedAt": None},
        "isVerified": False,
        "numberOfLikes": 9,
        "status": "active",
    }
    assert review_of(review) == Item(
        external_id="5972071bfba87f08a8227ee9",
        kind=Kind.REVIEW,
        published_at=at,
        updated_at=at + timedelta(days=1),
        text="Slow & <late>",
        url="https://www.trustpilot.com/reviews/5972071bfba87f08a8227ee9",
        language="en",
        author=Author("c1", "Jo"),
        rating=Rating(2),
        counts=Counts(likes=9),
        reply=Answered("Sorry!", at + timedelta(days=2)),
        place="Trustpilot: Acme",
        attributes={
            "verified": "false",
            "language": "en",
            "location": "Kiel",
            "author_reviews": "2",
            "status": "active",
        },
    )


@pytest.mark.parametrize("name", ["acme", "acme example.com", "../x", "", "https://acme.example/review/x"])
def test_what_is_no_company_is_refused(name: str) -> None:
    with pytest.raises(ValidationError, match="business_unit"):
        TrustpilotOptions.model_validate({"business_unit": name, "api_key": "x"})


@pytest.mark.parametrize(
    ("link", "domain"),
    [
        ("https://www.trustpilot.com/review/www.acme.example", DOMAIN),
        ("https://de.trustpilot.com/review/www.Acme.example?page=2", DOMAIN),
        ("https://www.trustpilot.com/categories/bank", None),
        ("https://www.trustpilot.com.evil.example/review/acme.example", None),
        ("http://[", None),
    ],
)
def test_a_link_to_a_company_is_recognised(link: str, domain: str | None) -> None:
    assert PLUGIN.recognise(link) == ({"business_unit": domain} if domain else None)


# --- recorded answers


@pytest.mark.recorded
def test_the_recorded_reviews_arrive_once(replay: ReplayTrustpilot) -> None:
    replay.status, replay.body = recorded("trustpilot")["c_reviews_page1.json"]
    pages = all_pages(replay)
    assert [item.external_id for item in pages[0].items] == ["5972071bfba87f08a8227ee9", "b2"]
    assert pages[0].items[1].reply is not None
    assert not any(page.skipped for page in pages)
    assert len(pages) == 2


@pytest.mark.recorded
def test_the_recorded_empty_page_is_no_fault(replay: ReplayTrustpilot) -> None:
    replay.status, replay.body = recorded("trustpilot")["c_empty.json"]
    assert [len(page.items) for page in all_pages(replay)] == [0]


@pytest.mark.recorded
def test_the_recorded_refusal_has_its_fate(replay: ReplayTrustpilot) -> None:
    replay.status, replay.body = recorded("trustpilot")["c_error_401.json"]
    with pytest.raises(AccessDenied):
        all_pages(replay)


@pytest.mark.recorded
def test_damaged_recorded_answers_raise_nothing_but_the_fates(replay: ReplayTrustpilot) -> None:
    assert _came_of_damaged(replay, recorded("trustpilot"), 150) > 100


def test_damaged_answers_raise_nothing_but_the_fates(replay: ReplayTrustpilot, fake: FakeTrustpilot) -> None:
    body = json.dumps({"reviews": [fake.review(seed) for seed in fake.publish(10)], "links": []}).encode()
    answers = {"reviews": (200, body), "company": (200, json.dumps(COMPANY).encode())}
    assert _came_of_damaged(replay, answers, 150) > 500


def _came_of_damaged(replay: ReplayTrustpilot, answers: dict[str, tuple[int, bytes]], count: int) -> int:
    came = 0
    connector = opened(replay)
    assert isinstance(connector, ShowsStanding)
    for seed, (status, body) in enumerate(answers.values()):
        for damaged in damaged_copies(body, count, seed):
            replay.status, replay.body = status, damaged
            with suppress(SourceError):
                came += sum(len(page.items) for page in connector.fetch(None, LONG_AGO))
            with suppress(SourceError):
                came += len(list(connector.standing()))
    connector.close()
    return came
