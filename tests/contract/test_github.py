from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.contract import Counts, CountsFollowers, Kind, Page, Refreshed, Refreshes, ShowsQueries
from connectors.errors import AccessDenied, NotThere, RateLimited, SourceError, Unavailable
from connectors.github import PLUGIN
from connectors.testing import Case, ContractSuite, Reply, Request
from connectors.testing.platform import NOW
from connectors.testing.suite import SINCE, LimitedBudget
from tests.contract.github_source import Source
from tests.fakes.github import PLACE, STARS, FakeGitHub, FakeGitHubDiscussions, FakeGitHubSearch


class TestGitHub(ContractSuite):
    case = Case(
        plugin=PLUGIN, fake=FakeGitHub, not_applicable={"refresh": "without a token GitHub tells nothing by number"}
    )


class TestGitHubSearch(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeGitHubSearch)


class TestGitHubDiscussions(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeGitHubDiscussions)


class Scripted(FakeGitHub):
    """Answers some paths as told, all others as the fake does."""

    def __init__(self, **replies: Reply) -> None:
        super().__init__()
        self.replies: dict[str, Reply] = replies

    def respond(self, request: Request) -> Reply:
        return self.replies.get(request.path) or super().respond(request)


@pytest.fixture
def fake() -> Iterator[Scripted]:
    fake = Scripted()
    yield fake
    fake.close()


@pytest.fixture
def found() -> Iterator[FakeGitHubSearch]:
    fake = FakeGitHubSearch()
    yield fake
    fake.close()


@pytest.fixture
def discussions() -> Iterator[FakeGitHubDiscussions]:
    fake = FakeGitHubDiscussions()
    yield fake
    fake.close()


def asked(fake: FakeGitHub, end: str) -> list[Request]:
    return [request for request in fake.loopback.requests if request.path.endswith(end)]


def gaps(source: Source) -> list[str]:
    return [page.gap.reason for page in source.pages if page.gap]


def refused(source: Source) -> SourceError:
    with pytest.raises(SourceError) as caught:
        source.pull()
    return caught.value


# --- walking


def test_more_changes_in_a_second_than_a_page_holds_all_arrive(fake: Scripted) -> None:
    fake.publish(500, every=timedelta(0))
    fake.publish(150)
    source = Source(fake)
    source.until_settled(lambda: source.pull(pages=2))
    assert not gaps(source)


def test_beyond_a_thousand_results_a_search_slides_on_in_time(found: FakeGitHubSearch) -> None:
    found.publish(2_345, every=timedelta(minutes=10))
    source = Source(found)
    source.pull()
    assert set(source.stored) == found.expected()
    assert not gaps(source)


def test_more_than_a_thousand_results_in_a_second_are_a_gap_and_the_rest_arrives(found: FakeGitHubSearch) -> None:
    found.publish(1_200, at=NOW - timedelta(days=2), every=timedelta(0))
    later = found.publish(30)
    source = Source(found)
    source.pull()
    assert "more than 1,000 changes within a second" in gaps(source)[0]
    assert {found.external_id(seed) for seed in later} <= set(source.stored)
    assert len(source.stored) >= 1_000 + 30


def test_what_changes_under_a_walk_is_met_at_its_end(fake: Scripted) -> None:
    seeds = fake.publish(400)
    source = Source(fake, kinds=["issues"])
    source.pull(pages=1)
    moved = source.stored[fake.external_id(seeds[0])]
    old = fake.issue
    fake.issue = lambda seed: (  # type: ignore[method-assign]
        old(seed) | ({"updated_at": "2026-11-01T11:59:00Z", "body_text": "acme, edited"} if seed == seeds[0] else {})
    )
    source.pull()
    edited = source.stored[fake.external_id(seeds[0])]
    assert (edited.published_at, edited.text) == (moved.published_at, "acme, edited")
    assert edited.updated_at is not None
    assert len(source.stored) == 200


def test_an_idle_pull_is_answered_by_304(fake: Scripted) -> None:
    fake.publish(30)
    source = Source(fake)
    for _ in range(2):
        source.pull()
    before = len(source.pages)
    source.pull()
    assert all("if-none-match" in request.headers for request in fake.loopback.requests[-2:])
    assert len(source.pages) == before
    fake.publish(2, at=NOW - timedelta(minutes=1))
    source.pull()
    assert set(source.stored) == fake.expected()


def test_what_was_published_before_the_reach_is_not_brought(fake: Scripted) -> None:
    old = fake.publish(1, at=SINCE - timedelta(days=400))[0]
    issue = fake.issue(old) | {"updated_at": "2026-10-31T00:00:00Z"}
    fake.replies[f"/repos/{PLACE}/issues"] = Reply.of_json([issue])
    source = Source(fake)
    source.pull()
    assert source.stored == {}


def test_a_broken_stream_lets_the_others_go_first_next_time(fake: Scripted) -> None:
    fake.publish(20)
    fake.replies[f"/repos/{PLACE}/issues"] = Reply(b"<html>", 502)
    source = Source(fake)
    assert isinstance(refused(source), Unavailable)
    with pytest.raises(Unavailable):
        source.pull()
    assert set(source.stored) == {name for name in fake.expected() if "/comment/" in name}


def test_a_small_budget_reaches_every_stream_in_time(fake: Scripted) -> None:
    fake.publish(400)
    source = Source(fake, repositories=[PLACE, "acme/other", "acme/third"])
    fake.replies = {
        f"/repos/acme/{name}/issues{end}": Reply.of_json([]) for name in ("other", "third") for end in ("", "/comments")
    }

    def limited() -> None:
        try:
            source.pull(budget=LimitedBudget(2))
        except RateLimited:
            return

    source.until_settled(limited)
    for _ in range(6):
        limited()
    assert asked(fake, "third/issues/comments")


@pytest.mark.parametrize(
    "cursor",
    [
        {},
        {"streams": 3},
        {"streams": {f"issues {PLACE}": "x"}, "next": 7, "titles": [1]},
        {"streams": {f"issues {PLACE}": {}}},
    ],
)
def test_a_damaged_cursor_begins_anew(fake: Scripted, cursor: dict[str, Any]) -> None:
    fake.publish(150)
    source = Source(fake)
    source.cursor = cursor
    source.pull()
    assert set(source.stored) == fake.expected()


def test_a_change_that_lies_in_the_future_hides_nothing(fake: Scripted) -> None:
    fake.publish(1, at=NOW + timedelta(days=300))
    source = Source(fake, kinds=["issues"])
    source.pull()
    fake.publish(5, at=NOW - timedelta(minutes=5))
    source.pull()
    assert set(source.stored) == {name for name in fake.expected() if "/comment/" not in name}


# --- what comes


def test_pull_requests_and_comments_on_them_come_only_when_wanted(fake: Scripted) -> None:
    fake.publish(10)
    fake.pull_requests = [NOW - timedelta(hours=1)]
    plain, all_ = Source(fake), Source(fake, pull_requests=True)
    plain.pull()
    all_.pull()
    assert set(plain.stored) == fake.expected()
    assert set(all_.stored) - set(plain.stored) == {f"{PLACE}#100000", f"{PLACE}#100000/comment/1"}
    assert all_.stored[f"{PLACE}#100000"].attributes["type"] == "pull_request"


def test_a_comment_bears_the_title_of_its_issue_even_when_the_issue_came_earlier(fake: Scripted) -> None:
    fake.publish(2)
    source = Source(fake)
    source.pull()
    late = fake.publish(2, at=NOW - timedelta(minutes=1))[1]
    source.pull()
    assert source.stored[fake.external_id(late)].parent_title == "Issue 1"


def test_what_own_people_write_is_an_own_post(fake: Scripted) -> None:
    fake.publish(4)
    source = Source(fake, own=["SomeOne"])
    assert {item.kind for item in source.pull()} == {Kind.POST}


def test_the_search_asks_for_issues_and_for_pull_requests_apart(found: FakeGitHubSearch) -> None:
    found.publish(3)
    found.pull_requests = [NOW - timedelta(hours=1)]
    source = Source(found, "acme", "acme phone", "OR")
    connector = source.open()
    assert isinstance(connector, ShowsQueries)
    assert list(connector.queries())[:4] == [
        "acme in:title,body is:issue",
        "acme in:title,body is:pull-request",
        '"acme phone" in:title,body is:issue',
        '"acme phone" in:title,body is:pull-request',
    ]
    assert connector.queries()[4].startswith('"OR" ')
    source.pull()
    assert set(source.stored) == found.expected() | {f"{PLACE}#100000"}


def test_a_query_of_one_s_own_stands_in_brackets_where_it_says_or(found: FakeGitHubSearch) -> None:
    connector = Source(found, query="acme OR rival", pull_requests=False).open()
    assert isinstance(connector, ShowsQueries)
    assert list(connector.queries()) == ["(acme OR rival) is:issue"]


def test_a_search_that_ran_out_of_time_is_asked_again(found: FakeGitHubSearch) -> None:
    found.publish(5)
    complete = found._found
    found._found = lambda *_: Reply.of_json({"incomplete_results": True, "items": []})  # type: ignore[method-assign]
    source = Source(found, pull_requests=False)
    assert isinstance(refused(source), Unavailable)
    found._found = complete  # type: ignore[method-assign]
    source.pull()
    assert set(source.stored) == found.expected()


# --- discussions


class Busy(FakeGitHubDiscussions):
    """One discussion with 120 comments of 60 replies each, of which a page holds 50."""

    def _discussion(self, number: int, before: int | None = None) -> dict[str, Any]:
        last = 120 if before is None else before
        comments = [self._comment(n) for n in range(max(0, last - 50), last)]
        info = {"hasPreviousPage": last > 50, "startCursor": str(last - 50)}
        return super()._discussion(number) | {"comments": {"totalCount": 120, "pageInfo": info, "nodes": comments}}

    def _comment(self, n: int) -> dict[str, Any]:
        node = self._node(self.seeds[0]) | {"databaseId": n + 1}
        return node | {"replies": {"totalCount": 60, "pageInfo": {"hasPreviousPage": n == 7}, "nodes": []}}


def test_all_comments_of_a_busy_discussion_come_and_hidden_replies_are_a_gap() -> None:
    fake = Busy()
    try:
        fake.publish(1)
        source = Source(fake)
        source.pull()
    finally:
        fake.close()
    assert len(source.stored) == 121
    assert source.stored[f"{PLACE}/discussion/1/comment/1"].counts.comments == 60
    assert len(gaps(source)) == 1


def test_a_damaged_opening_leaves_its_comments(discussions: FakeGitHubDiscussions) -> None:
    opening = discussions.publish(3)[0]
    discussions.damage(opening)
    source = Source(discussions)
    source.pull()
    assert set(source.stored) == discussions.expected()
    assert len(source.stored) == 2


def test_a_place_to_go_on_from_that_is_not_taken_any_more_begins_anew(discussions: FakeGitHubDiscussions) -> None:
    discussions.publish(90)
    source = Source(discussions)
    source.pull(pages=1)
    answer, lost = discussions._latest, {"type": "INVALID_CURSOR_ARGUMENTS", "message": "not a valid cursor"}
    discussions._latest = lambda after: (  # type: ignore[method-assign]
        Reply.of_json({"data": None, "errors": [lost]})
        if after and len(discussions.loopback.requests) < 3
        else answer(after)
    )
    source.pull()
    assert set(source.stored) == discussions.expected()


@pytest.mark.parametrize(
    ("answer", "fate"),
    [
        ({"data": {"repository": None}, "errors": [{"type": "NOT_FOUND", "path": ["repository"]}]}, NotThere),
        ({"data": {"repository": None}, "errors": [{"type": "FORBIDDEN", "path": ["repository"]}]}, AccessDenied),
        ({"errors": [{"type": "INSUFFICIENT_SCOPES"}]}, AccessDenied),
        ({"errors": [{"type": "RATE_LIMITED"}]}, RateLimited),
        ({"errors": [{"message": "Something went wrong"}]}, Unavailable),
        ({"data": {"repository": {"discussions": None}}}, Unavailable),
        ({"data": None}, Unavailable),
        ([], Unavailable),
    ],
)
def test_each_error_of_graphql_maps_to_its_fate(
    discussions: FakeGitHubDiscussions, answer: Any, fate: type[SourceError]
) -> None:
    discussions._latest = lambda after: Reply.of_json(answer)  # type: ignore[method-assign]
    assert type(refused(Source(discussions))) is fate


def test_an_enterprise_server_s_graphql_lies_beside_its_rest_api(discussions: FakeGitHubDiscussions) -> None:
    source = Source(discussions, base_url=f"{discussions.base_url}/api/v3")
    assert isinstance(refused(source), NotThere)
    assert [request.path for request in discussions.loopback.requests] == ["/api/graphql"]


# --- limits and refusals


def limit(status: int, headers: dict[str, str], message: str = "") -> Reply:
    return Reply.of_json({"message": message}, status, headers)


LATER = str(int((NOW + timedelta(days=3)).timestamp()))
RESET = str(int((NOW + timedelta(minutes=25)).timestamp()))


@pytest.mark.parametrize(
    ("reply", "wait"),
    [
        (limit(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": RESET}), timedelta(minutes=25)),
        (limit(429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": RESET}), timedelta(minutes=25)),
        (limit(403, {"Retry-After": "60", "X-RateLimit-Remaining": "14"}), timedelta(minutes=1)),
        (limit(403, {}, "You have exceeded a secondary rate limit."), timedelta(minutes=1)),
        (limit(403, {}, "You have triggered an abuse detection mechanism."), timedelta(minutes=1)),
        (limit(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "soon"}), timedelta(minutes=1)),
        (limit(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": LATER}), timedelta(days=1)),
        (limit(403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1000"}), timedelta(minutes=1)),
    ],
)
def test_a_limit_that_is_reached_tells_when_to_come_back(fake: Scripted, reply: Reply, wait: timedelta) -> None:
    fake.replies[f"/repos/{PLACE}/issues"] = reply
    error = refused(Source(fake))
    assert isinstance(error, RateLimited)
    assert error.retry_after == wait


def test_a_403_that_is_no_limit_is_a_missing_right(fake: Scripted) -> None:
    for end in ("", "/comments"):
        fake.replies[f"/repos/{PLACE}/issues{end}"] = limit(
            403, {"X-RateLimit-Remaining": "58"}, "Resource not accessible"
        )
    assert isinstance(refused(Source(fake)), AccessDenied)


def test_after_the_last_request_none_is_sent(fake: Scripted) -> None:
    fake.publish(3)
    spent = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": RESET}
    fake.replies[f"/repos/{PLACE}/issues"] = Reply.of_json([fake.issue(fake.seeds[0])], headers=spent)
    source = Source(fake)
    error = refused(source)
    assert isinstance(error, RateLimited)
    assert error.retry_after == timedelta(minutes=25)
    assert len(fake.loopback.requests) == 1
    assert len(source.stored) == 1


@pytest.mark.parametrize("status", [404, 410, 451])
def test_one_repository_that_is_not_there_is_a_gap_while_the_others_go_on(fake: Scripted, status: int) -> None:
    fake.publish(10)
    for end in ("", "/comments"):
        fake.replies[f"/repos/acme/gone/issues{end}"] = Reply.of_json({"message": "Not Found"}, status)
    source = Source(fake, repositories=["acme/gone", PLACE])
    source.pull()
    assert set(source.stored) == fake.expected()
    assert [reason.split(":")[0] for reason in gaps(source)] == ["acme/gone, issues", "acme/gone, comments"]


def test_a_search_that_github_does_not_take_is_a_gap_while_the_others_go_on(fake: Scripted) -> None:
    fake.publish(10)
    fake.replies["/search/issues"] = Reply.of_json({"message": "Validation Failed"}, 422)
    source = Source(fake, query="repo:gone/gone")
    assert not source.options.get("search")
    source.pull()
    assert set(source.stored) == fake.expected()
    assert len(gaps(source)) == 1


def test_a_renamed_repository_is_followed_and_keeps_its_token_to_itself(
    fake: Scripted, found: FakeGitHubSearch
) -> None:
    fake.publish(6)
    for end in ("", "/comments"):
        fake.replies[f"/repos/acme/old/issues{end}"] = _moved(f"/repos/{PLACE}/issues{end}")
        fake.replies[f"/repos/acme/stolen/issues{end}"] = _moved(f"{found.base_url}/steal")
    source = Source(fake, repositories=["acme/old"], token="ghp_secret")
    fake.replies[f"/repos/{PLACE}/issues"] = Reply.of_json([fake.issue(seed) for seed in fake.seeds[::2]])
    fake.replies[f"/repos/{PLACE}/issues/comments"] = Reply.of_json([fake.comment(seed) for seed in fake.seeds[1::2]])
    source.pull()
    assert set(source.stored) == fake.expected()
    assert isinstance(refused(Source(fake, repositories=["acme/stolen"], token="ghp_secret")), Unavailable)
    assert found.loopback.requests == []


def _moved(where: str) -> Reply:
    return Reply.of_json({"message": "Moved Permanently"}, 301, {"Location": where})


# --- reading again, followers, check


def test_issues_and_discussions_are_read_again_by_number(found: FakeGitHubSearch) -> None:
    counts = {"reactions": {"totalCount": 5}, "comments": {"totalCount": 4}}
    missing = {"type": "NOT_FOUND", "path": ["n1", "found"]}
    answer = {
        "data": {"n0": {"found": counts}, "n1": {"found": None}, "n2": {"found": counts}, "n3": None},
        "errors": [missing],
    }
    found.loopback._respond = lambda _: Reply.of_json(answer)
    connector = Source(found).open()
    assert isinstance(connector, Refreshes)
    ids = ["a/b#1", "a/b#1/comment/7", "a/b#2", "a/b/discussion/3", "hidden/c#4", "a/b#1", 'a"/b#1']
    assert list(connector.refresh(ids)) == [
        Refreshed("a/b#1", Counts(likes=5, comments=4)),
        Refreshed("a/b#2", None, gone=True),
        Refreshed("a/b/discussion/3", Counts(likes=5, comments=4)),
    ]
    query = json.loads(found.loopback.requests[0].body)["query"]
    assert 'n2: repository(owner: "a", name: "b") { found: discussion(number: 3)' in query


def test_a_hundred_and_twenty_are_read_again_in_three_requests(found: FakeGitHubSearch) -> None:
    found.loopback._respond = lambda _: Reply.of_json({"data": {}})
    connector = Source(found).open()
    assert isinstance(connector, Refreshes)
    assert list(connector.refresh([f"a/b#{n}" for n in range(1, 121)])) == []
    assert len(found.loopback.requests) == 3


def test_without_a_token_nothing_is_read_again(fake: Scripted) -> None:
    connector = Source(fake).open()
    assert isinstance(connector, Refreshes)
    assert list(connector.refresh(["a/b#1"])) == []
    assert fake.loopback.requests == []


def test_followers_are_the_stars_and_a_missing_repository_is_passed_over(fake: Scripted) -> None:
    connector = Source(fake, repositories=["acme/gone", PLACE]).open()
    assert isinstance(connector, CountsFollowers)
    assert [(one.account, one.count, one.at) for one in connector.followers()] == [(PLACE, STARS, NOW)]
    alone = Source(fake, repositories=["acme/gone"]).open()
    assert isinstance(alone, CountsFollowers)
    with pytest.raises(NotThere):
        list(alone.followers())


def test_check_asks_for_each_repository_and_one_search(fake: Scripted) -> None:
    fake.replies["/search/issues"] = Reply.of_json({"items": []})
    Source(fake, "acme", "rival", search=True).open().check()
    assert [request.path for request in fake.loopback.requests] == [f"/repos/{PLACE}", "/search/issues"]
    with pytest.raises(NotThere):
        Source(fake, repositories=["acme/gone"]).open().check()


@pytest.mark.parametrize("changes", [{}, {"updated_at": "nonsense"}, {"updated_at": "2999-01-01T00:00:00Z"}])
def test_a_listing_that_shows_the_same_full_page_for_ever_ends(changes: dict[str, str]) -> None:
    row = FakeGitHub.issue
    fake = Scripted()
    try:
        seed = fake.publish(1)[0]
        rows = [row(fake, seed) | changes | {"number": n} for n in range(1, 101)]
        fake.replies[f"/repos/{PLACE}/issues"] = Reply.of_json(rows, headers={"Link": '<x>; rel="next"'})
        source = Source(fake, kinds=["issues"])
        pages: list[Page] = list(source.open().fetch(None, datetime.fromisoformat("2026-10-01T00:00:00+00:00")))
    finally:
        fake.close()
    assert len({item.external_id for page in pages for item in page.items}) <= 100
    assert any(page.gap for page in pages)
