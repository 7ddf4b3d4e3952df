from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import (
    Connector,
    Context,
    Counts,
    Refreshed,
    Refreshes,
    RequestBudget,
    ShowsQueries,
    Unlimited,
)
from connectors.discourse import PLUGIN, DiscourseOptions
from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited
from connectors.testing import Case, ContractSuite, Reply
from connectors.testing.platform import NOW
from connectors.testing.suite import LimitedBudget, Pulls
from tests.fakes.discourse import KEY, LATER, FakeDiscourse, FakeDiscourseSearch, refusal

CASE = Case(plugin=PLUGIN, fake=FakeDiscourse)


class TestDiscourse(ContractSuite):
    case = CASE


class TestDiscourseSearch(ContractSuite):
    # A search brings one post a request, which 60 pulls of three requests can do for no more.
    case = Case(plugin=PLUGIN, fake=FakeDiscourseSearch, many=45)


@pytest.fixture
def fakes() -> Iterator[list[FakeDiscourse]]:
    made: list[FakeDiscourse] = []
    yield made
    for fake in made:
        fake.close()


@pytest.fixture
def fake(fakes: list[FakeDiscourse]) -> FakeDiscourse:
    fakes.append(FakeDiscourse())
    return fakes[0]


@pytest.fixture
def searched(fakes: list[FakeDiscourse]) -> FakeDiscourse:
    fakes.append(FakeDiscourseSearch())
    return fakes[0]


class Told(Pulls):
    """Pulls with other keywords and options than the suite's."""

    def __init__(self, fake: FakeDiscourse, *terms: str, **options: Any) -> None:
        super().__init__(CASE, fake)
        self.terms, self.options = terms or ("acme",), options

    def open(self, budget: RequestBudget | None = None) -> Connector:
        known = self.context(budget or Unlimited())
        context = Context(self.terms, known.now, known.stop, known.http, known.log, known.budget)
        options = {"base_url": self.fake.base_url, **self.fake.options(), **self.options}
        return PLUGIN.open(DiscourseOptions.model_validate(options), context)


def asked(fake: FakeDiscourse) -> list[str]:
    return [f"{request.path} {' '.join(request.query.values())}".strip() for request in fake.loopback.requests]


# --- everything new


@pytest.mark.parametrize("before", ["below", "from", "window"])
def test_every_version_s_meaning_of_before_brings_all_once(fake: FakeDiscourse, before: str) -> None:
    fake.before = before
    fake.publish(240)
    pulls = Told(fake)
    brought = [item.external_id for item in pulls.pull()]
    assert sorted(brought) == sorted(fake.expected())


@pytest.mark.parametrize("before", ["below", "from", "window"])
def test_a_hole_of_private_posts_is_passed(fake: FakeDiscourse, before: str) -> None:
    fake.before = before
    fake.publish(400, every=timedelta(minutes=1))
    fake.private = set(range(100, 300))
    pulls = Told(fake)
    pulls.pull()
    assert set(pulls.stored) == {fake.external_id(seed) for seed in fake.seeds if seed.number not in fake.private}


def test_an_idle_pull_reads_a_hundred_posts_again(fake: FakeDiscourse) -> None:
    fake.publish(400)
    pulls = Told(fake)
    pulls.pull()
    fake.loopback.requests.clear()
    pulls.pull()
    assert len(fake.loopback.requests) == 3


@pytest.mark.parametrize("before", ["below", "from", "window"])
def test_a_forum_whose_numbers_begin_high_comes_to_an_end(fake: FakeDiscourse, before: str) -> None:
    fake.before = before
    fake.publish(2_000, at=NOW - timedelta(days=9), every=timedelta(0))
    fake.private = set(range(1, 1_901))
    fake.publish(150)
    pulls = Told(fake)
    for _ in range(40):
        pulls.pull(pages=1)
    assert isinstance(pulls.cursor, dict)
    assert pulls.cursor["stream"]["floor"] == LATER + 2_150
    assert len(pulls.stored) == 250


def test_the_first_pull_reaches_back_to_its_limit_and_no_further(fake: FakeDiscourse) -> None:
    fake.publish(500, every=timedelta(days=1))
    Told(fake).pull()
    assert asked(fake) == ["/posts.json", f"/posts.json {LATER + 451}"]


def test_a_first_pull_cut_off_keeps_how_far_it_was_to_reach(fake: FakeDiscourse) -> None:
    fake.publish(120, every=timedelta(hours=7))
    pulls = Told(fake)
    pulls.pull(pages=1)
    assert isinstance(pulls.cursor, dict)
    assert pulls.cursor["since"] == (NOW - timedelta(days=30)).timestamp()


def test_an_empty_forum_is_no_fault(fake: FakeDiscourse) -> None:
    assert Told(fake).pull() == []


def test_what_is_no_one_s_word_stays_out(fake: FakeDiscourse) -> None:
    fake.publish(3)
    fake.types = {1: 3, 2: 2}
    pulls = Told(fake)
    pulls.pull()
    assert set(pulls.stored) == {fake.external_id(fake.seeds[2])}
    assert not [entry for page in pulls.pages for entry in page.skipped]


@pytest.mark.parametrize(
    "cursor",
    [{}, {"stream": 3}, {"stream": {"floor": "x"}}, {"stream": {"floor": 0, "high": 1e30, "low": 1e30}}, {"since": []}],
)
def test_a_damaged_cursor_begins_anew(fake: FakeDiscourse, cursor: dict[str, Any]) -> None:
    fake.publish(150)
    pulls = Told(fake)
    pulls.cursor = cursor
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_a_forum_for_members_needs_its_key(fake: FakeDiscourse) -> None:
    fake.members_only = True
    fake.publish(1)
    with pytest.raises(AccessDenied):
        Told(fake, api_key=None, api_username=None).pull()
    pulls = Told(fake)
    pulls.pull()
    assert set(pulls.stored) == fake.expected()
    assert {request.headers.get("api-username") for request in fake.loopback.requests} == {None, "watcher"}


def test_the_forum_stands_for_what_is_asked(fake: FakeDiscourse) -> None:
    connector = Told(fake).open()
    assert isinstance(connector, ShowsQueries)
    assert list(connector.queries()) == ["everything new in forum.example"]


# --- searching


def test_a_search_asks_for_the_latest_since_the_day_before(searched: FakeDiscourse) -> None:
    searched.publish(1)
    Told(searched, "acme phone").pull()
    assert asked(searched) == [
        '/search.json "acme phone" order:latest after:2026-10-01 1',
        f"/posts/{LATER + 1}.json",
    ]


def test_a_query_of_one_s_own_is_sent_as_written(searched: FakeDiscourse) -> None:
    Told(searched, query="acme #support").pull()
    assert asked(searched) == ["/search.json acme #support order:latest after:2026-10-01 1"]


def test_a_search_brings_whole_posts_with_their_topic(searched: FakeDiscourse) -> None:
    (seed,) = searched.publish(2)[1:]
    pulls = Told(searched)
    pulls.pull()
    item = pulls.stored[searched.external_id(seed)]
    assert (item.text, item.title, item.parent_title) == (seed.text, None, "A topic & more")


def test_a_search_tells_of_a_topic_its_newest_post_only(searched: FakeDiscourse) -> None:
    seeds = searched.publish(3)
    searched.same_topic = {1, 2, 3}
    pulls = Told(searched)
    pulls.pull()
    assert set(pulls.stored) == {searched.external_id(seeds[-1])}


def test_beyond_ten_pages_a_search_slides_down_by_days(searched: FakeDiscourse) -> None:
    searched.search_size = 5
    searched.publish(120, every=timedelta(hours=4))
    pulls = Told(searched)
    pulls.pull()
    assert set(pulls.stored) == searched.expected()
    assert not [page.gap for page in pulls.pages if page.gap]


def test_more_than_ten_pages_in_a_day_are_a_gap(searched: FakeDiscourse) -> None:
    searched.search_size = 5
    searched.publish(120, every=timedelta(minutes=1), at=NOW - timedelta(hours=1))
    pulls = Told(searched)
    pulls.pull()
    gaps = [page.gap for page in pulls.pages if page.gap]
    assert gaps
    assert "10 pages" in gaps[0].reason


def test_a_post_that_went_since_is_passed_over(searched: FakeDiscourse) -> None:
    searched.publish(3)
    searched.refused = {f"/posts/{LATER + 2}.json": refusal("not_found", 404)}
    pulls = Told(searched)
    pulls.pull()
    assert set(pulls.stored) == {f"forum.example/{LATER + 1}", f"forum.example/{LATER + 3}"}


def test_a_search_that_is_refused_is_a_gap_and_the_others_go_on(searched: FakeDiscourse) -> None:
    searched.publish(2)
    searched.refused = {"hp ": refusal("invalid_parameters", 400)}
    pulls = Told(searched, "hp", "acme")
    pulls.pull()
    assert set(pulls.stored) == searched.expected()
    assert next(page.gap.reason for page in pulls.pages if page.gap).endswith("perhaps too short: hp")
    with pytest.raises(Malformed):
        Told(searched, "hp").pull()


def test_a_limit_on_searches_keeps_no_keyword_waiting_for_ever(searched: FakeDiscourse) -> None:
    pulls = Told(searched, "acme", "rival", "phone")
    for _ in range(3):
        with suppress(RateLimited):
            pulls.pull(budget=LimitedBudget(2))
    assert [line.split()[1] for line in asked(searched)] == ["acme", "rival", "phone", "acme", "rival", "phone"]


def test_keywords_become_phrases(searched: FakeDiscourse) -> None:
    connector = Told(searched, " acme ", "acme", 'the "acme"  phone', '""').open()
    assert isinstance(connector, ShowsQueries)
    assert list(connector.queries()) == ["acme", '"the acme phone"']


# --- refusals


@pytest.mark.parametrize(
    ("body", "headers", "seconds"),
    [
        ({"extras": {"wait_seconds": 12}}, {"Retry-After": "99"}, 12),
        ({"extras": {"wait_seconds": "soon"}}, {"Retry-After": "99"}, 99),
        ({"extras": {"wait_seconds": 1e12}}, {}, 86_400),
        ({"message": "Slow down"}, {}, None),
    ],
)
def test_how_long_to_wait_stands_in_the_body(
    fake: FakeDiscourse, body: dict[str, Any], headers: dict[str, str], seconds: int | None
) -> None:
    fake.refused = {"/posts.json": Reply.of_json(body, 429, headers)}
    with pytest.raises(RateLimited) as caught:
        Told(fake).pull()
    assert caught.value.retry_after == (None if seconds is None else timedelta(seconds=seconds))


# --- reading again


def test_counts_are_read_again_and_what_is_gone_is_told(fake: FakeDiscourse) -> None:
    names = [fake.external_id(seed) for seed in fake.publish(3)]
    fake.gone, fake.private = {2}, {3}
    connector = Told(fake).open()
    assert isinstance(connector, Refreshes)
    assert list(connector.refresh([*names, "other.example/1"])) == [
        Refreshed(names[0], Counts(likes=4, comments=3)),
        Refreshed(names[1], None, gone=True),
    ]


def test_a_forum_that_denies_everything_says_so(fake: FakeDiscourse) -> None:
    fake.publish(1)
    fake.private = {1}
    connector = Told(fake).open()
    assert isinstance(connector, Refreshes)
    with pytest.raises(AccessDenied):
        list(connector.refresh([f"forum.example/{LATER + 1}"]))


def test_a_missing_page_means_nothing_for_the_posts(fake: FakeDiscourse) -> None:
    fake.refused = {"/posts/": Reply(b"<html>not found</html>", 404)}
    connector = Told(fake).open()
    assert isinstance(connector, Refreshes)
    with pytest.raises(NotThere):
        list(connector.refresh([f"forum.example/{LATER + 1}"]))


# --- options and links


@pytest.mark.parametrize(
    ("given", "forum"),
    [
        ("meta.discourse.org", "https://meta.discourse.org"),
        ("https://Meta.discourse.org/", "https://meta.discourse.org"),
        ("https://a.example/forum/", "https://a.example/forum"),
        ("https://a.example/forum/t/some-topic/12/3", "https://a.example/forum"),
        ("http://localhost:4200", "http://localhost:4200"),
    ],
)
def test_a_forum_is_an_address_or_a_link_into_it(given: str, forum: str) -> None:
    assert DiscourseOptions(forum=given).forum == forum


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"forum": ""},
        {"forum": "ftp://a.example"},
        {"forum": "http://["},
        {"forum": "a b"},
        {"forum": "a.example", "query": "acme"},
        {"forum": "a.example", "mode": "search", "query": "ab"},
        {"forum": "a.example", "api_username": "x"},
    ],
)
def test_other_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        DiscourseOptions.model_validate(options)


def test_the_key_shows_nowhere() -> None:
    assert KEY not in repr(DiscourseOptions.model_validate({"forum": "a.example", "api_key": KEY}))


@pytest.mark.parametrize(
    ("link", "forum"),
    [
        ("https://community.acme.example/t/it-is-down/123/4", "https://community.acme.example"),
        ("https://acme.example/forum/t/it-is-down/123", "https://acme.example/forum"),
        ("https://meta.discourse.org/c/bug/1", "https://meta.discourse.org"),
        ("https://meta.discourse.org/latest", "https://meta.discourse.org"),
        ("https://acme.discourse.group/", "https://acme.discourse.group"),
    ],
)
def test_links_into_forums_are_recognised(link: str, forum: str) -> None:
    assert PLUGIN.recognise(link) == {"forum": forum}


@pytest.mark.parametrize(
    "link", ["https://acme.example/", "https://www.youtube.com/c/acme", "ftp://meta.discourse.org", "http://[", ""]
)
def test_other_links_are_not(link: str) -> None:
    assert PLUGIN.recognise(link) is None
