from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from connectors.contract import Author, Counts, Kind, Refreshed, Refreshes, ShowsQueries
from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, SourceError, Unavailable
from connectors.stackexchange import PLUGIN
from connectors.testing import Case, ContractSuite, Reply, Request
from connectors.testing.platform import NOW
from connectors.testing.suite import SINCE
from tests.contract.stackexchange_source import Source
from tests.fakes.stackexchange import FIRST, FakeQuestions, FakeStackExchange, FakeTagged


class TestStackExchangeSearch(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeStackExchange)


class TestStackExchangeTag(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeTagged)


class TestStackExchangeQuestions(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeQuestions)


@pytest.fixture
def fake() -> Iterator[FakeStackExchange]:
    fake = FakeStackExchange()
    yield fake
    fake.close()


@pytest.fixture
def tagged() -> Iterator[FakeTagged]:
    fake = FakeTagged()
    yield fake
    fake.close()


@pytest.fixture
def questions() -> Iterator[FakeQuestions]:
    fake = FakeQuestions()
    yield fake
    fake.close()


def asked(fake: FakeStackExchange) -> list[str]:
    """The methods asked for since the last time, and forgets them."""
    paths = [request.path.strip("/") for request in fake.loopback.requests]
    fake.loopback.requests.clear()
    return paths


def limited(source: Source) -> timedelta | None:
    with pytest.raises(RateLimited) as caught:
        source.pull()
    return caught.value.retry_after


def refused(source: Source) -> SourceError:
    with pytest.raises(SourceError) as caught:
        source.pull()
    return caught.value


def gaps(source: Source) -> list[str]:
    return [page.gap.reason for page in source.pages if page.gap]


# --- what it is told to wait for


def test_a_backoff_is_waited_for_and_what_came_with_it_is_kept(questions: FakeQuestions) -> None:
    questions.publish(250)
    questions.backoff = {"search/advanced": 30}
    source = Source(questions)
    assert limited(source) == timedelta(seconds=30)
    assert len(source.stored) == 100
    assert len(asked(questions)) == 1
    source.now += timedelta(seconds=29)
    assert limited(source) == timedelta(seconds=1)
    assert asked(questions) == []
    for _ in range(4):
        source.now += timedelta(seconds=30)
        try:
            source.pull()
        except RateLimited:
            continue
    assert set(source.stored) == questions.expected()


def test_a_backoff_holds_for_its_method_only(fake: FakeStackExchange) -> None:
    fake.publish(10)
    fake.backoff = {"search/excerpts": 10}
    source = Source(fake)
    source.pull()
    assert set(source.stored) == fake.expected()


def test_where_several_are_to_be_waited_for_the_longest_is_told(fake: FakeStackExchange) -> None:
    fake.publish(150)
    fake.backoff = {"search/excerpts": 10, "questions/{ids}": 99}
    assert limited(Source(fake)) == timedelta(seconds=99)


def test_a_spent_quota_is_waited_for_until_midnight_utc(questions: FakeQuestions) -> None:
    questions.publish(250)
    questions.quota_remaining = 0
    source = Source(questions)
    assert limited(source) == timedelta(hours=12)
    assert len(source.stored) == 100
    asked(questions)
    assert limited(source) == timedelta(hours=12)
    assert asked(questions) == []
    source.options["key"] = "a-new-key"
    questions.quota_remaining = 9_000
    source.pull()
    assert set(source.stored) == questions.expected()


@pytest.mark.parametrize(
    ("reply", "fate", "wait"),
    [
        (
            (502, "throttle_violation", "too many requests from this IP, more requests available in 72034 seconds"),
            RateLimited,
            72034,
        ),
        ((502, "throttle_violation", "more requests available in 1 second"), RateLimited, 1),
        ((502, "throttle_violation", "more requests available in 99999999 seconds"), RateLimited, 86400),
        ((502, "throttle_violation", "Violation of backoff parameter"), RateLimited, None),
        ((500, "internal_error", "x"), Unavailable, None),
        ((503, "temporarily_unavailable", "x"), Unavailable, None),
        ((400, "bad_parameter", "No site found for name `acme`"), NotThere, None),
        ((400, "bad_parameter", "`key` doesn't match a known application"), AccessDenied, None),
        ((400, "bad_parameter", "sort"), Malformed, None),
        ((403, "access_denied", "x"), AccessDenied, None),
        ((405, "key_required", "x"), AccessDenied, None),
        ((404, "no_method", "x"), Malformed, None),
    ],
)
def test_each_refusal_maps_to_its_fate_though_all_are_400(
    fake: FakeStackExchange, reply: tuple[int, str, str], fate: type[SourceError], wait: int | None
) -> None:
    fake.loopback._respond = lambda _: fake.refuse(*reply)
    error = refused(Source(fake))
    assert type(error) is fate
    if isinstance(error, RateLimited):
        assert error.retry_after == (None if wait is None else timedelta(seconds=wait))


@pytest.mark.parametrize(
    "waits", [7, {"questions": "x"}, {"search/excerpts": 1e30}, {"search/excerpts": float("inf")}, {"x": True}]
)
def test_a_damaged_wait_is_not_waited_for(fake: FakeStackExchange, waits: Any) -> None:
    fake.publish(3)
    source = Source(fake)
    source.cursor = {"waits": waits}
    source.pull()
    assert set(source.stored) == fake.expected()


# --- walking


def test_an_idle_pull_asks_once(fake: FakeStackExchange, tagged: FakeTagged) -> None:
    for world, path in ((fake, "search/excerpts"), (tagged, "questions")):
        world.publish(30, at=NOW - timedelta(minutes=20))
        source = Source(world)
        source.pull()
        asked(world)
        source.pull()
        assert asked(world) == [path]


def test_what_changed_lately_is_read_again(fake: FakeStackExchange) -> None:
    fake.publish(2, at=NOW - timedelta(minutes=2))
    source = Source(fake)
    source.pull()
    asked(fake)
    source.pull()
    assert asked(fake) == ["search/excerpts", f"questions/{FIRST + 1}", f"answers/{FIRST + 2}"]


def test_an_edit_is_found(fake: FakeStackExchange) -> None:
    seed = fake.publish(1, at=NOW - timedelta(days=2))[0]
    source = Source(fake)
    source.pull()
    at = int((NOW - timedelta(minutes=1)).timestamp())
    excerpt, question = fake.excerpt, fake.question
    fake.excerpt = lambda seed: excerpt(seed) | {"last_activity_date": at}  # type: ignore[method-assign]
    fake.question = lambda seed: question(seed) | {"last_edit_date": at, "body": "Acme is fine now"}  # type: ignore[method-assign]
    source.pull()
    item = source.stored[fake.external_id(seed)]
    assert (item.text, item.published_at) == ("Acme is fine now", seed.at)
    assert item.updated_at == NOW - timedelta(minutes=1)


def test_a_new_answer_to_a_question_from_before_the_reach_is_found_under_a_tag(tagged: FakeTagged) -> None:
    tagged.publish(1, at=SINCE - timedelta(days=900))
    tagged.publish(1, at=NOW - timedelta(days=1))
    source = Source(tagged)
    source.pull()
    assert set(source.stored) == {f"stackoverflow/a/{FIRST + 2}"}
    assert source.stored[f"stackoverflow/a/{FIRST + 2}"].parent_title == 'Why "slow" 1?'


def test_what_was_deleted_after_the_search_saw_it_is_not_brought(fake: FakeStackExchange) -> None:
    fake.publish(4)
    whole = fake._by_number
    fake._by_number = lambda request, parts, numbers: whole(request, parts, numbers - {FIRST + 1, FIRST + 2})  # type: ignore[method-assign]
    source = Source(fake)
    source.pull()
    assert set(source.stored) == {f"stackoverflow/q/{FIRST + 3}", f"stackoverflow/a/{FIRST + 4}"}


def test_more_changes_in_a_second_than_a_page_holds_all_arrive(questions: FakeQuestions) -> None:
    questions.publish(250, every=timedelta(0))
    questions.publish(120)
    source = Source(questions)
    source.until_settled(lambda: source.pull(pages=2))
    assert not gaps(source)


def test_more_changes_in_a_second_than_may_be_leafed_through_are_a_gap(questions: FakeQuestions) -> None:
    later = questions.publish(2_700, at=NOW - timedelta(days=1), every=timedelta(0))[:0]
    later += questions.publish(10)
    questions.publish(10, at=NOW - timedelta(days=2))
    source = Source(questions)
    source.pull()
    assert len(source.stored) >= 2_500 + 20
    assert len(gaps(source)) == 1
    assert max(int(request.query["page"]) for request in questions.loopback.requests) == 25


def test_more_answers_than_may_be_leafed_through_are_a_gap(tagged: FakeTagged) -> None:
    tagged.publish(2)
    tagged.answers = lambda: tagged.seeds[1:] * 2_600  # type: ignore[method-assign]
    source = Source(tagged)
    source.pull()
    assert gaps(source) == ["[acme]: more answers than are shown"]


@pytest.mark.parametrize("row", [{}, {"last_activity_date": "x"}, {"last_activity_date": 10**11}])
def test_a_listing_that_shows_the_same_page_for_ever_ends(questions: FakeQuestions, row: dict[str, Any]) -> None:
    seed = questions.publish(1)[0]
    body = {"items": [questions.question(seed) | row] * 100, "has_more": True}
    questions.loopback._respond = lambda _: Reply.of_json(body)
    Source(questions).pull()
    assert len(questions.loopback.requests) < 60


def test_a_search_that_cannot_be_answered_lets_the_others_go_first_next_time(fake: FakeStackExchange) -> None:
    fake.publish(4)
    answer = fake.respond

    def respond(request: Request) -> Reply:
        return Reply(b"<html>", 500) if request.query.get("q") == "broken" else answer(request)

    fake.loopback._respond = respond
    source = Source(fake, "broken", "acme")
    assert isinstance(refused(source), Unavailable)
    assert source.stored == {}
    with pytest.raises(Unavailable):
        source.pull()
    assert set(source.stored) == fake.expected()


@pytest.mark.parametrize(
    "cursor",
    [{}, {"searches": 3}, {"searches": {"acme": "x"}, "next": 7}, {"searches": {"acme": {"known": 1, "horizon": "x"}}}],
)
def test_a_damaged_cursor_begins_anew(fake: FakeStackExchange, cursor: dict[str, Any]) -> None:
    fake.publish(150)
    source = Source(fake)
    source.cursor = cursor
    source.pull()
    assert set(source.stored) == fake.expected()


# --- what is asked


@pytest.mark.parametrize(
    ("options", "path", "params"),
    [
        ({}, "search/excerpts", {"q": "acme"}),
        ({"answers": False}, "search/advanced", {"q": "acme", "filter": "withbody"}),
        ({"questions": False}, "search/excerpts", {"q": "acme"}),
        ({"tagged": ["acme;python"]}, "questions", {"tagged": "acme;python", "filter": "withbody"}),
        ({"tagged": ["acme"], "query": "slow"}, "search/excerpts", {"tagged": "acme", "q": "slow"}),
    ],
)
def test_what_is_asked_follows_from_the_options(
    fake: FakeStackExchange, options: dict[str, Any], path: str, params: dict[str, str]
) -> None:
    Source(fake, **options).pull()
    request = fake.loopback.requests[0]
    assert request.path == f"/{path}"
    assert {name: request.query.get(name) for name in ("q", "tagged", "filter") if name in request.query} == params
    assert request.query["key"] == "a-secret-key"


def test_only_answers_come_where_only_they_are_wanted(fake: FakeStackExchange, tagged: FakeTagged) -> None:
    for world in (fake, tagged):
        world.publish(10)
        source = Source(world, questions=False)
        source.pull()
        assert set(source.stored) == {world.external_id(seed) for seed in world.answers()}


def test_each_keyword_is_searched_once_as_a_phrase(fake: FakeStackExchange) -> None:
    connector = Source(fake, "acme", "acme phone", '"acme"', '"', "C++").open()
    assert isinstance(connector, ShowsQueries)
    assert list(connector.queries()) == ["acme", '"acme phone"', '"C++"']
    tags = Source(fake, tagged=["acme;python", "acme-sdk"], query="slow").open()
    assert isinstance(tags, ShowsQueries)
    assert list(tags.queries()) == ["slow [acme] [python]", "slow [acme-sdk]"]


def test_without_a_key_none_is_sent(fake: FakeStackExchange) -> None:
    Source(fake, key=None).pull()
    assert all("key" not in request.query for request in fake.loopback.requests)


# --- what comes


def test_a_question_and_its_answer_become_items(fake: FakeStackExchange) -> None:
    fake.publish(2)
    source = Source(fake)
    source.pull()
    question, answer = source.stored[f"stackoverflow/q/{FIRST + 1}"], source.stored[f"stackoverflow/a/{FIRST + 2}"]
    assert (question.title, question.place) == ('Why "slow" 1?', "stackoverflow.com")
    assert question.author == answer.author == Author("stackoverflow/22", "Ana & Co")
    assert question.counts == Counts(likes=-3, comments=1, views=910)
    assert question.url == f"https://stackoverflow.com/questions/{FIRST + 1}/why"
    assert question.attributes == {
        "type": "question",
        "tags": "acme, python",
        "state": "open",
        "reputation": "4521",
        "licence": "CC BY-SA 4.0",
    }
    assert (answer.title, answer.parent_title) == (None, 'Why "slow" 1?')
    assert answer.counts == Counts(likes=-3)
    assert answer.url == f"https://stackoverflow.com/a/{FIRST + 2}"
    assert (answer.attributes["type"], answer.attributes["state"]) == ("answer", "accepted")


def test_what_own_people_write_is_an_own_post(fake: FakeStackExchange) -> None:
    fake.publish(2)
    assert {item.kind for item in Source(fake, own=[22]).pull()} == {Kind.POST}


# --- reading again


def test_posts_are_read_again_a_hundred_a_request(fake: FakeStackExchange) -> None:
    seeds = fake.publish(300)
    connector = Source(fake).open()
    assert isinstance(connector, Refreshes)
    ids = [fake.external_id(seed) for seed in seeds]
    fresh = {
        entry.external_id: entry for entry in connector.refresh([*ids, ids[0], "stackoverflow/q/7", "other", "x/q/0"])
    }
    assert set(fresh) == {*ids, "stackoverflow/q/7"}
    assert fresh[ids[0]] == Refreshed(ids[0], Counts(likes=-3, comments=1, views=910))
    assert fresh[ids[1]] == Refreshed(ids[1], Counts(likes=-3))
    assert fresh["stackoverflow/q/7"] == Refreshed("stackoverflow/q/7", None, gone=True)
    assert len(fake.loopback.requests) == 4


def test_a_damaged_answer_says_nothing_is_gone(fake: FakeStackExchange) -> None:
    fake.loopback._respond = lambda _: Reply.of_json({"items": [{"question_id": None}]})
    connector = Source(fake).open()
    assert isinstance(connector, Refreshes)
    assert list(connector.refresh(["stackoverflow/q/1"])) == []


def test_check_tells_a_bad_site_and_a_bad_key(fake: FakeStackExchange) -> None:
    Source(fake).open().check()
    with pytest.raises(NotThere, match="site"):
        Source(fake, site="nowhere").open().check()
    fake.loopback._respond = lambda _: fake.refuse(400, "bad_parameter", "`key` doesn't match a known application")
    with pytest.raises(AccessDenied, match="key"):
        Source(fake).open().check()


def test_an_answer_packed_by_gzip_is_read_and_a_torn_one_is_unavailable(fake: FakeStackExchange) -> None:
    body = gzip.compress(json.dumps({"items": [], "has_more": False}).encode())
    headers = {"Content-Encoding": "gzip"}
    fake.loopback._respond = lambda _: Reply(body, 200, headers)
    assert Source(fake).pull() == []
    fake.loopback._respond = lambda _: Reply(body[:-9], 200, headers)
    assert isinstance(refused(Source(fake)), Unavailable)
