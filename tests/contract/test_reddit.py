from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import Unlimited
from connectors.errors import AccessDenied, NotThere, RateLimited, SourceError, Unavailable
from connectors.reddit import PLUGIN, Reddit
from connectors.reddit_options import RedditOptions
from connectors.reddit_walk import OVERLAP
from connectors.testing import Case, ContractSuite, Reply
from connectors.testing.platform import NOW
from connectors.testing.suite import SINCE, LimitedBudget
from tests.contract.reddit_source import Source
from tests.fakes.reddit import CLIENT_ID, SECRET, FakeReddit, FakeRedditPlaces, FakeRedditTogether, Place, refusal


class TestRedditSearch(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeReddit, many=180)


class TestRedditPlaces(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeRedditPlaces, many=450)


class TestRedditTogether(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeRedditTogether, many=450)


@pytest.fixture
def fake() -> Iterator[FakeReddit]:
    fake = FakeReddit()
    yield fake
    fake.close()


@pytest.fixture
def places() -> Iterator[FakeRedditPlaces]:
    fake = FakeRedditPlaces()
    yield fake
    fake.close()


# What it walks


def test_a_deleted_anchor_loses_nothing(fake: FakeReddit) -> None:
    fake.publish(220)
    source = Source(fake)
    for pages in (1, 2):
        source.pull(pages=pages)
        fake.deleted.add(str(source.state("search all acme")["after"]))
    source.pull()
    assert set(source.stored) >= fake.expected()


def test_a_ceiling_is_a_gap_between_what_was_known_and_what_is_shown(fake: FakeReddit) -> None:
    known = fake.publish(5, at=NOW - timedelta(days=2))
    source = Source(fake)
    source.pull()
    fake.publish(300, every=timedelta(seconds=30))
    source.pull()
    [gap] = source.gaps
    assert gap.since == known[-1].at
    assert gap.until == fake.newest_first()[249].at
    assert "pull more often" in gap.reason


def test_an_idle_pull_asks_once_for_each_listing(places: FakeRedditPlaces) -> None:
    places.publish(300)
    source = Source(places)
    source.pull()
    places.loopback.requests.clear()
    source.pull()
    assert sorted(places.paths) == ["/r/acme/comments/", "/r/acme/new", "/r/phones/comments/", "/r/phones/new"]


def test_a_budget_for_one_listing_a_pull_reaches_all_in_turn(places: FakeRedditPlaces) -> None:
    places.publish(60)
    source = Source(places)

    def limited() -> None:
        with pytest.raises(RateLimited):
            source.pull(budget=LimitedBudget(2))

    source.until_settled(limited)


def test_what_is_older_than_the_first_pull_reaches_is_left_out(fake: FakeReddit) -> None:
    fake.publish(3, at=SINCE - timedelta(seconds=OVERLAP + 60))
    [young] = fake.publish(1)
    assert [item.external_id for item in Source(fake).pull()] == [fake.external_id(young)]


def test_a_time_in_the_future_does_not_hide_what_comes_before_it(fake: FakeReddit) -> None:
    fake.publish(1, at=NOW + timedelta(days=300))
    source = Source(fake)
    source.pull()
    fake.publish(150, at=NOW + timedelta(hours=5), every=timedelta(minutes=1))
    source.now = NOW + timedelta(hours=5)
    source.pull()
    assert set(source.stored) == fake.expected()


def test_a_damaged_cursor_starts_anew(fake: FakeReddit) -> None:
    fake.publish(5)
    damaged: list[Any] = [
        {"listings": 7},
        {"listings": {"search all acme": 7}},
        {"listings": {"search all acme": {"floor": "x", "turn": "y"}}},
        {"listings": {"search all acme": {"floor": 1.0, "after": 4, "pages": "x"}}},
    ]
    for cursor in damaged:
        source = Source(fake)
        source.cursor = cursor
        source.pull()
        assert set(source.stored) == fake.expected()


def test_nothing_but_damaged_entries_comes_to_an_end(fake: FakeReddit) -> None:
    for seed in fake.publish(150):
        fake.damage(seed)
    source = Source(fake)
    source.pull(pages=1)
    fake.deleted.add(str(source.state("search all acme")["after"]))
    assert source.pull() == []
    assert len(source.pages) < 6


def test_what_left_the_options_leaves_the_cursor(places: FakeRedditPlaces) -> None:
    places.publish(10)
    source = Source(places)
    source.pull()
    source.options = {"subreddits": ["phones"], "comments": False}
    source.pull()
    assert source.cursor is not None
    assert source.cursor["listings"] == {"new phones": source.state("new phones")}


def test_each_term_is_searched_and_several_words_are_quoted(fake: FakeReddit) -> None:
    options = RedditOptions.model_validate({"client_id": "x", "client_secret": "y", "subreddits": ["all", "acme"]})
    context = replace(Source(fake).context(Unlimited()), terms=("acme", "acme phone", "not"))
    assert Reddit(options, context).queries() == [
        "acme",
        '"acme phone"',
        '"not"',
        "r/acme: new posts",
        "r/acme: new comments",
    ]


def test_a_query_searches_the_named_subreddits_too(places: FakeRedditPlaces) -> None:
    places.publish(20)
    source = Source(places, subreddits=["phones"], query="acme", posts=False, comments=False)
    brought = source.pull()
    assert {item.place for item in brought} == {"r/phones"}
    [request] = [request for request in places.loopback.requests if request.method == "GET"]
    assert request.query["restrict_sr"] == "true"


def test_a_listing_that_always_fails_does_not_keep_the_others_waiting(places: FakeRedditPlaces) -> None:
    places.publish(60)
    source = Source(places, subreddits=["broken", "acme", "phones"], comments=False)
    places.answers["/r/broken/new"] = Reply(b"", 500)
    for _ in range(2):
        with pytest.raises(Unavailable):
            source.pull()
    assert set(source.stored) == {name for name in places.expected() if name.startswith("t3")}


# Subreddits that do not answer


def test_one_bad_subreddit_of_several_is_a_gap(places: FakeRedditPlaces) -> None:
    places.publish(40)
    source = Source(places, subreddits=["nope", "acme", "phones"])
    source.pull()
    assert set(source.stored) == places.expected()
    assert {gap.reason.split(":")[0] for gap in source.gaps} == {"r/nope"}
    assert all(gap.since == SINCE and gap.until == NOW for gap in source.gaps)


@pytest.mark.parametrize(
    "reply", [refusal(403, "private"), refusal(404, "banned"), Reply(b"", 302, {"Location": "/subreddits/search"})]
)
def test_a_bad_subreddit_in_a_multi_leaves_the_others_readable(places: FakeRedditPlaces, reply: Reply) -> None:
    places.publish(40)
    places.places["bad"] = Place(reply=reply)
    source = Source(places, subreddits=["acme+bad+phones"])
    source.pull()
    assert set(source.stored) == places.expected()
    assert {gap.reason.split(":")[0] for gap in source.gaps} == {"r/bad"}
    places.publish(6, at=NOW + timedelta(minutes=50))
    source.now = NOW + timedelta(hours=1)
    source.pull()
    assert set(source.stored) == places.expected()


def test_a_multi_that_answers_again_goes_on_where_its_members_stood(places: FakeRedditPlaces) -> None:
    places.publish(40)
    places.places["bad"] = Place(reply=refusal(403, "private"))
    source = Source(places, subreddits=["acme+bad"], comments=False)
    source.pull()
    places.places["bad"] = Place()
    places.loopback.requests.clear()
    source.pull()
    assert places.paths == ["/r/acme+bad/new"]


@pytest.mark.parametrize("subreddits", [["bad"], ["bad", "worse"], ["bad+worse"]])
@pytest.mark.parametrize(
    ("reply", "fate"), [(refusal(403, "private"), AccessDenied), (refusal(404, "banned"), NotThere)]
)
def test_nothing_but_bad_subreddits_is_their_fate(
    places: FakeRedditPlaces, subreddits: list[str], reply: Reply, fate: type[SourceError]
) -> None:
    places.places["bad"] = places.places["worse"] = Place(reply=reply)
    with pytest.raises(fate, match="r/bad") as caught:
        Source(places, subreddits=subreddits).pull()
    assert type(caught.value) is fate


def test_refused_credentials_are_asked_with_once(places: FakeRedditPlaces) -> None:
    with pytest.raises(AccessDenied, match="client_id"):
        Source(places, client_secret="another").pull()
    assert len(places.loopback.requests) == 1


# Checking, options, links


def test_check_names_the_subreddit_that_is_not_there(places: FakeRedditPlaces) -> None:
    Source(places).open().check()
    with pytest.raises(NotThere, match=r"r/nope: answered 302.*spelling"):
        Source(places, subreddits=["acme+nope"]).open().check()


def test_check_without_a_keyword_still_proves_the_credentials(fake: FakeReddit) -> None:
    fake.sign_in = lambda: Reply.of_json({"error": "invalid_grant"})
    with pytest.raises(AccessDenied, match="client_secret"):
        Source(fake).open().check()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"subreddits": ["../x"]}, "not a subreddit's name"),
        ({"subreddits": ["a b"]}, "not a subreddit's name"),
        ({"subreddits": ["popular"]}, "of its own"),
        ({"subreddits": ["all+acme"]}, "stands alone"),
        ({"subreddits": ["acme", "Acme+phones"]}, "named twice"),
        ({"subreddits": []}, "at least 1"),
        ({"subreddits": ["acme"], "posts": False, "comments": False}, "nothing to bring"),
        ({"user_agent": "short"}, "at least 7"),
        ({"user_agent": "one line\nand another"}, "printable"),
        ({"client_secret": ""}, "at least 1"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        RedditOptions.model_validate({"client_id": CLIENT_ID, "client_secret": SECRET, **options})


def test_a_subreddit_may_be_written_as_people_write_it() -> None:
    given = {"client_id": CLIENT_ID, "client_secret": SECRET, "subreddits": ["r/acme", "/r/Phones/", "u_someone+a_b"]}
    assert RedditOptions.model_validate(given).subreddits == ("acme", "Phones", "u_someone+a_b")


@pytest.mark.parametrize(
    ("link", "options"),
    [
        ("https://www.reddit.com/r/acme", {"subreddits": ["acme"]}),
        ("https://old.reddit.com/r/acme/new/", {"subreddits": ["acme"]}),
        ("https://reddit.com/r/acme+phones/?sort=new", {"subreddits": ["acme+phones"]}),
        ("https://www.reddit.com/search/?q=acme%20phone&sort=new", {"query": "acme phone"}),
        ("https://www.reddit.com/r/acme/search?q=phone", {"subreddits": ["acme"], "query": "phone"}),
        ("https://www.reddit.com/r/acme/comments/abc/title/", None),
        ("https://www.reddit.com/r/acme.rss", None),
        ("https://www.reddit.com/r/acme/new/.rss", None),
        ("https://www.reddit.com/search/", None),
        ("https://notreddit.com/r/acme", None),
        ("https://www.reddit.com.example/r/acme", None),
        ("r/acme", None),
    ],
)
def test_links_to_subreddits_and_searches_are_recognised(link: str, options: dict[str, Any] | None) -> None:
    assert PLUGIN.recognise(link) == options
