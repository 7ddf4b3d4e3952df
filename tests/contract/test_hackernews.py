from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import (
    Author,
    Connector,
    Context,
    Counts,
    Item,
    Kind,
    RequestBudget,
    ShowsQueries,
    Skipped,
    Unlimited,
)
from connectors.hackernews import PLUGIN, HackerNewsOptions, item_of
from connectors.testing import Case, ContractSuite, Reply, Request
from connectors.testing.platform import NOW
from connectors.testing.suite import Pulls
from tests.fakes.hackernews import FIRST_ID, FakeHackerNews

CASE = Case(plugin=PLUGIN, fake=FakeHackerNews)


class TestHackerNews(ContractSuite):
    case = CASE


@pytest.fixture
def fake() -> Iterator[FakeHackerNews]:
    fake = FakeHackerNews()
    yield fake
    fake.close()


@pytest.fixture
def pulls(fake: FakeHackerNews) -> Pulls:
    return Pulls(CASE, fake)


class WithMore(FakeHackerNews):
    """Shows one more hit, whatever it is."""

    def __init__(self, more: object) -> None:
        super().__init__()
        self._more = more

    def respond(self, request: Request) -> Reply:
        answer = json.loads(super().respond(request).body)
        return Reply.of_json(answer | {"hits": [self._more, *answer["hits"]]})


class Terms(Pulls):
    """Pulls with other keywords and options than the suite's."""

    def __init__(self, fake: FakeHackerNews, terms: tuple[str, ...], **options: Any) -> None:
        super().__init__(CASE, fake)
        self.terms, self.options = terms, options

    def open(self, budget: RequestBudget | None = None) -> Connector:
        known = self.context(budget or Unlimited())
        context = Context(self.terms, known.now, known.stop, known.http, known.log, known.budget)
        return PLUGIN.open(HackerNewsOptions(base_url=self.fake.base_url, **self.options), context)


def asked(fake: FakeHackerNews, name: str) -> list[str]:
    return [request.query[name] for request in fake.loopback.requests]


def hit(**changes: Any) -> dict[str, Any]:
    sound = {"objectID": "42", "created_at_i": 1_790_841_600, "author": "q", "_tags": ["story"], "title": "Acme"}
    return sound | changes


# --- searching


def test_beyond_a_thousand_hits_the_query_slides_down_in_time(pulls: Pulls, fake: FakeHackerNews) -> None:
    fake.publish(2_345, every=timedelta(minutes=10))
    pulls.pull()
    assert set(pulls.stored) == fake.expected()
    assert max(map(int, asked(fake, "page"))) == 9
    assert len({bounds for bounds in asked(fake, "numericFilters") if "<=" in bounds}) == 2


def test_a_hundred_and_fifty_hits_in_one_second_all_arrive(pulls: Pulls, fake: FakeHackerNews) -> None:
    fake.publish(150, every=timedelta(0))
    fake.publish(120)
    pulls.until_settled(lambda: pulls.pull(pages=2))


def test_a_slide_that_ends_within_a_crowded_second_loses_nothing(pulls: Pulls, fake: FakeHackerNews) -> None:
    at = NOW - timedelta(days=3)
    fake.publish(300, at=at - timedelta(minutes=1), every=timedelta(minutes=1))
    fake.publish(150, at=at, every=timedelta(0))
    fake.publish(950, at=at + timedelta(minutes=951), every=timedelta(minutes=1))
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_a_slide_whose_last_page_is_damaged_goes_on(pulls: Pulls, fake: FakeHackerNews) -> None:
    seeds = fake.publish(1_200, every=timedelta(minutes=5))
    for seed in seeds[-1_000:-900]:
        fake.damage(seed)
    pulls.pull()
    assert fake.expected() == set(pulls.stored)
    assert sum(len(page.skipped) for page in pulls.pages) >= 100


def test_two_terms_keep_two_walks(fake: FakeHackerNews) -> None:
    pulls = Terms(fake, ("acme", "acme phone"))
    fake.publish(150)
    pulls.pull()
    assert set(pulls.cursor["searches"]) == {"acme", '"acme phone"'}  # type: ignore[index, arg-type]
    assert asked(fake, "query") == ["acme", "acme", '"acme phone"', '"acme phone"']


def test_a_new_term_is_read_from_the_beginning_and_the_old_one_goes_on(fake: FakeHackerNews) -> None:
    fake.publish(150, every=timedelta(hours=3))
    pulls = Terms(fake, ("acme",))
    pulls.pull()
    fake.loopback.requests.clear()
    pulls.terms = ("acme", "rival")
    pulls.pull()
    assert asked(fake, "query") == ["acme", "rival", "rival"]


@pytest.mark.parametrize(
    ("term", "query"),
    [
        ("acme", "acme"),
        ("acme phone", '"acme phone"'),
        ("  acme ", "acme"),
        ('the "acme" phone', '"the  acme  phone"'),
        ("C++", '"C++"'),
        ("-acme", '"-acme"'),
        ("münchen", "münchen"),
    ],
)
def test_a_keyword_is_sent_as_a_phrase(fake: FakeHackerNews, term: str, query: str) -> None:
    connector = Terms(fake, (term,)).open()
    assert isinstance(connector, ShowsQueries)
    assert list(connector.queries()) == [query]


def test_keywords_that_hold_nothing_or_the_same_are_not_searched(fake: FakeHackerNews) -> None:
    connector = Terms(fake, ("acme", '"acme"', '""', " ")).open()
    assert isinstance(connector, ShowsQueries)
    assert list(connector.queries()) == ["acme"]


def test_a_query_of_one_s_own_is_sent_as_written(fake: FakeHackerNews) -> None:
    pulls = Terms(fake, ("acme",), query='"acme phone" -cartoon')
    pulls.pull()
    assert asked(fake, "query") == ['"acme phone" -cartoon']


def test_acne_is_not_acme(pulls: Pulls, fake: FakeHackerNews) -> None:
    pulls.pull()
    assert asked(fake, "typoTolerance") == ["false"]


@pytest.mark.parametrize(
    ("options", "tags"), [({}, "(story,comment)"), ({"comments": False}, "(story)"), ({"stories": False}, "(comment)")]
)
def test_stories_and_comments_are_chosen(fake: FakeHackerNews, options: dict[str, bool], tags: str) -> None:
    Terms(fake, ("acme",), **options).pull()
    assert asked(fake, "tags") == [tags]


def test_neither_stories_nor_comments_is_refused() -> None:
    with pytest.raises(ValidationError, match="set one of them to true"):
        HackerNewsOptions(stories=False, comments=False)


def test_an_empty_query_is_refused() -> None:
    with pytest.raises(ValidationError, match="query"):
        HackerNewsOptions(query="")


@pytest.mark.parametrize("cursor", [{}, {"searches": 3}, {"searches": {"acme": "x"}}, {"other": 1}])
def test_a_damaged_cursor_begins_anew(pulls: Pulls, fake: FakeHackerNews, cursor: dict[str, Any]) -> None:
    fake.publish(150)
    pulls.cursor = cursor
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


# --- what a hit becomes


def test_a_story_becomes_an_item() -> None:
    story = hit(
        title="Show HN: Acme &amp; co", url="https://acme.example", points=7, num_comments=2, story_text="<p>a<p>b"
    )
    assert item_of(story) == Item(
        external_id="42",
        kind=Kind.MENTION,
        published_at=datetime(2026, 10, 1, 8, tzinfo=UTC),
        title="Show HN: Acme & co",
        text="a\n\nb",
        url="https://news.ycombinator.com/item?id=42",
        author=Author("q", "q"),
        counts=Counts(likes=7, comments=2),
        place="Hacker News",
        attributes={"type": "story", "link": "https://acme.example"},
    )


def test_a_comment_becomes_an_item_with_its_story() -> None:
    item = item_of(
        hit(_tags=["comment"], title=None, comment_text="It&#x27;s &lt;fine&gt;", story_title="Acme &gt; Rival")
    )
    assert (item.title, item.text, item.parent_title) == (None, "It's <fine>", "Acme > Rival")
    assert item.attributes == {"type": "comment"}


def test_an_author_s_name_has_its_entities_resolved() -> None:
    assert item_of(hit(author="a&amp;b")).author == Author("a&b", "a&b")


@pytest.mark.parametrize(
    "name", ["points", "num_comments", "story_text", "title", "url", "author", "story_title", "_tags"]
)
def test_a_null_is_unknown_and_no_fault(name: str) -> None:
    item = item_of(hit(**{name: None}))
    assert item.external_id == "42"
    assert item.counts == Counts()


@pytest.mark.parametrize(
    "damage",
    [
        {"objectID": None},
        {"objectID": ""},
        {"objectID": "x" * 501},
        {"created_at_i": None},
        {"created_at_i": "yesterday"},
        {"created_at_i": 1e30},
        {"created_at_i": float("nan")},
        {"author": 7},
        {"title": ["x"]},
    ],
)
def test_a_damaged_hit_is_skipped_and_the_rest_stays(damage: dict[str, Any]) -> None:
    stored, skipped = _pulled_beside(hit(**damage))
    assert stored == {str(FIRST_ID + 1), str(FIRST_ID + 2)}
    assert len(skipped) == 1


@pytest.mark.parametrize("broken", [None, 7, "x", [], {}])
def test_a_hit_of_any_shape_is_skipped(broken: object) -> None:
    stored, skipped = _pulled_beside(broken)
    assert stored == {str(FIRST_ID + 1), str(FIRST_ID + 2)}
    assert [entry.what for entry in skipped] == ["a hit without an id"]


def _pulled_beside(more: object) -> tuple[set[str], list[Skipped]]:
    fake = WithMore(more)
    try:
        fake.publish(2)
        pulls = Pulls(CASE, fake)
        pulls.pull()
        return set(pulls.stored), [entry for page in pulls.pages for entry in page.skipped]
    finally:
        fake.close()


# --- links


@pytest.mark.parametrize(
    ("link", "query"),
    [
        ("https://hn.algolia.com/?q=acme", "acme"),
        ("https://hn.algolia.com/?dateRange=all&page=0&query=acme%20phone&sort=byDate", "acme phone"),
        ("http://hn.algolia.com/?q=acme+phone", "acme phone"),
        ("https://hn.algolia.com/?q=%22acme%20phone%22%20-cartoon", '"acme phone" -cartoon'),
        ("https://hn.algolia.com/api/v1/search_by_date?query=m%C3%BCnchen&tags=story", "münchen"),
    ],
)
def test_a_link_to_a_search_is_recognised(link: str, query: str) -> None:
    assert PLUGIN.recognise(link) == {"query": query}


@pytest.mark.parametrize(
    "link",
    [
        "https://news.ycombinator.com/item?id=1",
        "https://hn.algolia.com/",
        "https://hn.algolia.com/?q=",
        "https://example.com/?u=https://hn.algolia.com/?q=acme",
        "https://hn.algolia.com.evil.example/?q=acme",
        "ftp://hn.algolia.com/?q=acme",
        "http://[",
        "",
    ],
)
def test_other_links_are_not(link: str) -> None:
    assert PLUGIN.recognise(link) is None
