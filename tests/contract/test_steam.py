from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import Author, Counts, Item, Kind, Rating, Reply, ShowsStanding, StandingReading
from connectors.errors import NotThere, RateLimited, Unavailable
from connectors.steam import PLUGIN, SteamOptions
from connectors.steam_parse import listing_of, review_of
from connectors.testing import Case, ContractSuite
from connectors.testing.platform import NOW
from connectors.testing.suite import LimitedBudget, Pulls
from tests.fakes.steam import APP_ID, FIRST_ID, FakeSteam, FakeSteamStore

CASE = Case(plugin=PLUGIN, fake=FakeSteam, kind=Kind.REVIEW)


class TestSteam(ContractSuite):
    case = CASE


class TestSteamStore(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeSteamStore, kind=Kind.REVIEW)


@pytest.fixture
def fake() -> Iterator[FakeSteam]:
    fake = FakeSteam()
    yield fake
    fake.close()


@pytest.fixture
def pulls(fake: FakeSteam) -> Pulls:
    return Pulls(CASE, fake)


def asked(fake: FakeSteam) -> list[dict[str, Any]]:
    return [json.loads(request.query["input_json"]) for request in fake.loopback.requests]


def review(**changes: Any) -> dict[str, Any]:
    sound = {
        "recommendationid": "42",
        "author": {"steamid": "76561198014536130"},
        "language": "german",
        "review": "Gut",
        "timestamp_created": 1_790_841_600,
        "timestamp_updated": 1_790_841_600,
        "voted_up": True,
    }
    return sound | changes


# --- what is asked


def test_all_reviews_are_asked_for_in_the_order_of_their_edits(pulls: Pulls, fake: FakeSteam) -> None:
    pulls.pull()
    assert asked(fake) == [
        {
            "appid": int(APP_ID),
            "filter": 2,
            "languages": ["all"],
            "purchase_type": 1,
            "review_type": 0,
            "filter_offtopic_activity": False,
            "num_per_page": 100,
        }
    ]


def test_the_store_is_asked_in_its_own_words() -> None:
    fake = FakeSteamStore()
    fake.publish(120)
    try:
        Pulls(CASE, fake).pull()
    finally:
        fake.close()
    first, second = (request.query for request in fake.loopback.requests[:2])
    assert first == {
        "json": "1",
        "filter": "updated",
        "language": "all",
        "purchase_type": "all",
        "review_type": "all",
        "filter_offtopic_activity": "0",
        "num_per_page": "100",
        "cursor": "*",
    }
    assert second["cursor"].startswith("+")


def test_a_cursor_with_signs_of_its_own_arrives_whole(pulls: Pulls, fake: FakeSteam) -> None:
    seeds = fake.publish(101)
    pulls.pull()
    assert asked(fake)[1]["cursor"] == fake.token(seeds[1])


def test_an_edited_verdict_is_found_and_keeps_its_date(pulls: Pulls, fake: FakeSteam) -> None:
    seeds = fake.publish(150)
    pulls.pull()
    fake.edited[seeds[3].number] = NOW + timedelta(minutes=5)
    pulls.now = NOW + timedelta(minutes=10)
    pulls.pull()
    item = pulls.stored[fake.external_id(seeds[3])]
    assert (item.published_at, item.updated_at) == (seeds[3].at, NOW + timedelta(minutes=5))


def test_an_idle_pull_is_one_request(pulls: Pulls, fake: FakeSteam) -> None:
    fake.publish(250)
    pulls.pull()
    fake.loopback.requests.clear()
    pulls.pull()
    assert len(fake.loopback.requests) == 1


def test_the_first_pull_reaches_back_to_its_limit_and_no_further(pulls: Pulls, fake: FakeSteam) -> None:
    fake.publish(500, every=timedelta(days=1))
    pulls.pull()
    assert len(fake.loopback.requests) == 1


def test_several_languages_are_one_question(pulls: Pulls, fake: FakeSteam) -> None:
    fake.languages = ["English", "german", "german"]
    fake.publish(3)
    fake.spoken = {1: "german", 2: "french"}
    pulls.pull()
    assert asked(fake)[0]["languages"] == ["english", "german"]
    assert set(pulls.stored) == {str(FIRST_ID + 1), str(FIRST_ID + 3)}


def test_of_several_languages_the_store_s_others_are_left_out() -> None:
    fake = FakeSteamStore()
    fake.languages = ["english", "german"]
    fake.publish(3)
    fake.spoken = {1: "german", 2: "french"}
    pulls = Pulls(CASE, fake)
    try:
        pulls.pull()
    finally:
        fake.close()
    assert set(pulls.stored) == {str(FIRST_ID + 1), str(FIRST_ID + 3)}


# --- lists that end early


def test_a_list_that_ends_early_is_a_gap_and_is_read_again(pulls: Pulls, fake: FakeSteam) -> None:
    fake.publish(250)
    fake.ends_early = 100
    pulls.pull()
    (gap,) = [page.gap for page in pulls.pages if page.gap]
    assert gap.missing == 150
    assert len(pulls.stored) == 100
    fake.ends_early = None
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_a_list_that_ends_early_between_pulls_loses_nothing(pulls: Pulls, fake: FakeSteam) -> None:
    fake.publish(50, at=NOW - timedelta(days=5))
    pulls.pull()
    fake.publish(250, every=timedelta(minutes=1))
    fake.ends_early = 100
    pulls.pull()
    fake.ends_early = None
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_a_total_that_never_fits_is_believed_no_more_after_a_while(pulls: Pulls, fake: FakeSteam) -> None:
    fake.publish(150)
    fake.total = 400
    for _ in range(3):
        pulls.pull()
    assert len([page.gap for page in pulls.pages if page.gap]) == 2
    fake.loopback.requests.clear()
    pulls.pull()
    assert len(fake.loopback.requests) == 1


def test_a_total_slightly_off_is_no_gap(pulls: Pulls, fake: FakeSteam) -> None:
    fake.publish(150)
    fake.total = 152
    pulls.pull()
    assert not [page.gap for page in pulls.pages if page.gap]


def test_a_cursor_that_is_refused_begins_anew(pulls: Pulls, fake: FakeSteam) -> None:
    fake.publish(250)
    pulls.pull(pages=1)
    fake.refused_cursors = True
    fake.loopback.requests.clear()
    pulls.pull(pages=1)
    assert [entry.get("cursor") is None for entry in asked(fake)] == [False, True]


def test_an_app_without_reviews_is_no_fault(pulls: Pulls) -> None:
    pulls.open().check()
    assert pulls.pull() == []


# --- what is not there


@pytest.mark.parametrize("shape", [FakeSteam, FakeSteamStore])
def test_an_unknown_app_is_not_there(shape: type[FakeSteam]) -> None:
    fake = shape()
    fake.there = False
    connector = Pulls(CASE, fake).open()
    assert isinstance(connector, ShowsStanding)
    try:
        for call in (connector.check, lambda: list(connector.fetch(None, NOW)), lambda: list(connector.standing())):
            with pytest.raises(NotThere):
                call()
    finally:
        connector.close()
        fake.close()


def test_an_empty_answer_for_an_app_that_was_read_is_a_fault_of_the_moment(pulls: Pulls, fake: FakeSteam) -> None:
    fake.publish(3)
    pulls.pull()
    fake.there = False
    with pytest.raises(Unavailable):
        pulls.pull()


@pytest.mark.parametrize(
    "cursor", [{}, {"sweep": 3}, {"sweep": {"floor": "x"}}, {"read": -1, "total": "x", "short": []}]
)
def test_a_damaged_cursor_begins_anew(pulls: Pulls, fake: FakeSteam, cursor: dict[str, Any]) -> None:
    fake.publish(150)
    pulls.cursor = cursor
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_a_budget_of_one_request_a_pull_completes(pulls: Pulls, fake: FakeSteam) -> None:
    fake.publish(450, every=timedelta(minutes=1))
    for _ in range(5):
        with suppress(RateLimited):
            pulls.pull(budget=LimitedBudget(1))
    assert set(pulls.stored) == fake.expected()


# --- what a review becomes


def test_a_review_becomes_an_item() -> None:
    told = review(
        review="[h1]Gut[/h1]\r\n[list]\n[*]5 < 6 [b]fett[/b]\n[/list][url=https://a.example]da[/url] [not a mark]",
        timestamp_updated=1_790_841_700,
        votes_up=7,
        votes_funny=1,
        comment_count=2,
        weighted_vote_score="0.523",
        steam_purchase=True,
        received_for_free=False,
        written_during_early_access=True,
        developer_response="[b]Thanks[/b]",
        timestamp_dev_responded=1_790_842_000,
        author={"steamid": "76561198014536130", "playtime_at_review": 90, "playtime_forever": 27630},
    )
    assert review_of(told, "440") == Item(
        external_id="42",
        kind=Kind.REVIEW,
        published_at=datetime(2026, 10, 1, 8, tzinfo=UTC),
        updated_at=datetime(2026, 10, 1, 8, 1, 40, tzinfo=UTC),
        text="Gut\n\n5 < 6 fett\n\nda [not a mark]",
        url="https://steamcommunity.com/profiles/76561198014536130/recommended/440/",
        language="de",
        author=Author("76561198014536130"),
        rating=Rating(1, worst=0, best=1),
        counts=Counts(likes=7, comments=2),
        reply=Reply("Thanks", datetime(2026, 10, 1, 8, 6, 40, tzinfo=UTC)),
        place="Steam app 440",
        attributes={
            "language": "german",
            "votes_funny": "1",
            "weighted_vote_score": "0.523",
            "hours_at_review": "1.5",
            "hours_in_all": "460.5",
            "steam_purchase": "true",
            "received_for_free": "false",
            "early_access": "true",
        },
    )


def test_a_bare_review_is_sound() -> None:
    item = review_of(review(voted_up=False, review="", author=None, language="klingon"), "440")
    assert (item.rating, item.text, item.author, item.url, item.language) == (Rating(0, 0, 1), None, None, None, None)
    assert item.counts == Counts()
    assert item.updated_at is None


@pytest.mark.parametrize(
    ("score", "told"), [("0.5", "0.5"), (0.5, "0.5"), (0, "0"), (None, None), (True, None), ([], None)]
)
def test_the_weighted_score_is_a_string_or_a_number(score: object, told: str | None) -> None:
    assert review_of(review(weighted_vote_score=score), "440").attributes.get("weighted_vote_score") == told


def test_a_name_in_the_address_is_no_number() -> None:
    item = review_of(review(author={"steamid": "some_one", "personaname": "Some One"}), "440")
    assert item.url == "https://steamcommunity.com/id/some_one/recommended/440/"
    assert item.author == Author("some_one", "Some One")


@pytest.mark.parametrize(
    "damage",
    [
        {"recommendationid": None},
        {"recommendationid": "../1"},
        {"timestamp_created": None},
        {"timestamp_created": True},
        {"timestamp_created": 1e30},
        {"timestamp_created": float("nan")},
        {"timestamp_updated": 1e30},
        {"voted_up": None},
        {"voted_up": "true"},
    ],
)
def test_a_damaged_review_is_refused(damage: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError)):
        review_of(review(**damage), "440")


@pytest.mark.parametrize("answer", [None, [], "x", {"response": 3}, {"success": 1}, {"success": 8, "reviews": []}])
def test_an_answer_of_another_shape_is_unavailable(answer: object) -> None:
    with pytest.raises(Unavailable):
        listing_of(answer)


# --- standing


def test_the_standing_is_the_share_of_positive_verdicts(pulls: Pulls, fake: FakeSteam) -> None:
    fake.publish(8)
    connector = pulls.open()
    assert isinstance(connector, ShowsStanding)
    assert list(connector.standing()) == [StandingReading(f"Steam app {APP_ID}", 0.25, 8, NOW, worst=0, best=1)]


def test_without_verdicts_the_standing_has_no_mean(pulls: Pulls) -> None:
    connector = pulls.open()
    assert isinstance(connector, ShowsStanding)
    (reading,) = connector.standing()
    assert (reading.mean, reading.count) == (None, 0)


# --- options and links


@pytest.mark.parametrize("given", ["440", 440, "https://store.steampowered.com/app/440/Team_Fortress_2/", " 440 "])
def test_an_app_is_named_by_digits_or_a_link(given: object) -> None:
    assert SteamOptions.model_validate({"app_id": given}).app_id == "440"


@pytest.mark.parametrize(
    "options", [{"app_id": "x"}, {"app_id": "0"}, {"app_id": ""}, {}, {"app_id": 1, "languages": ["x!"]}]
)
def test_other_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        SteamOptions.model_validate(options)


@pytest.mark.parametrize(
    "link",
    [
        "https://store.steampowered.com/app/440/Team_Fortress_2/",
        "http://store.steampowered.com/app/440?l=german",
        "https://steamcommunity.com/app/440/reviews/",
        "store.steampowered.com/app/440",
    ],
)
def test_a_link_to_an_app_is_recognised(link: str) -> None:
    assert PLUGIN.recognise(link) == {"app_id": "440"}


@pytest.mark.parametrize(
    "link",
    [
        "https://store.steampowered.com/bundle/440",
        "https://store.steampowered.com/app/440x",
        "https://evil.example/?u=https://store.steampowered.com/app/440",
        "https://store.steampowered.com.evil.example/app/440",
        "",
    ],
)
def test_other_links_are_not(link: str) -> None:
    assert PLUGIN.recognise(link) is None
