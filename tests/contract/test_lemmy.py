from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import (
    Connector,
    Context,
    Counts,
    CountsFollowers,
    FollowerReading,
    Kind,
    Refreshed,
    Refreshes,
    RequestBudget,
    ShowsQueries,
    Unlimited,
)
from connectors.errors import AccessDenied, NotThere, RateLimited
from connectors.lemmy import PLUGIN, LemmyOptions
from connectors.testing import Case, ContractSuite
from connectors.testing.platform import NOW
from connectors.testing.suite import Pulls
from tests.fakes.lemmy import SERVER, FakeLemmy, FakeLemmy1

CASE = Case(plugin=PLUGIN, fake=FakeLemmy)
EITHER = pytest.mark.parametrize("version", [FakeLemmy, FakeLemmy1], ids=["v3", "v4"])


class FakeCommunity(FakeLemmy1):
    """A server of whose one community everything is read."""

    def __init__(self) -> None:
        super().__init__()
        self.communities = ["technology@lemmy.example"]


class TestLemmy(ContractSuite):
    case = CASE


class TestLemmy1(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeLemmy1)


class TestLemmyCommunity(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeCommunity)


@pytest.fixture
def fakes() -> Iterator[list[FakeLemmy]]:
    made: list[FakeLemmy] = []
    yield made
    for fake in made:
        fake.close()


@pytest.fixture
def fake(fakes: list[FakeLemmy]) -> FakeLemmy:
    fakes.append(FakeLemmy())
    return fakes[0]


class Told(Pulls):
    """Pulls with other keywords and options than the suite's."""

    def __init__(self, fake: FakeLemmy, *terms: str, **options: Any) -> None:
        super().__init__(CASE, fake)
        self.terms, self.options = terms or ("acme",), options

    def open(self, budget: RequestBudget | None = None) -> Connector:
        known = self.context(budget or Unlimited())
        context = Context(self.terms, known.now, known.stop, known.http, known.log, known.budget)
        options = {"base_url": self.fake.base_url, **self.fake.options(), **self.options}
        return PLUGIN.open(LemmyOptions.model_validate(options), context)


def asked(fake: FakeLemmy) -> list[tuple[str, dict[str, str]]]:
    return [(request.path, dict(request.query)) for request in fake.loopback.requests]


# --- what is asked


def test_0_19_is_searched_page_by_page(fake: FakeLemmy) -> None:
    fake.publish(120)
    Told(fake, 'the "acme" phone').pull()
    posts = {"sort": "New", "q": "the acme phone", "type_": "Posts", "listing_type": "All", "limit": "50"}
    assert asked(fake) == [
        ("/api/v4/site", {}),
        *(("/api/v3/search", {**posts, "page": str(page)}) for page in (1, 2, 3)),
        *(("/api/v3/search", {**posts, "type_": "Comments", "page": str(page)}) for page in (1, 2, 3)),
    ]


def test_1_0_is_searched_by_tokens(fakes: list[FakeLemmy]) -> None:
    fake = FakeLemmy1()
    fakes.append(fake)
    fake.publish(120)
    Told(fake, local_only=True).pull()
    common = {"sort": "new", "type_": "local", "search_term": "acme", "limit": "50"}
    assert asked(fake)[:3] == [
        ("/api/v4/site", {}),
        ("/api/v4/post/list", {**common, "time_range_seconds": "0"}),
        ("/api/v4/post/list", {**common, "time_range_seconds": "0", "page_cursor": "P21"}),
    ]
    assert ("/api/v4/comment/list", common) in asked(fake)


def test_a_known_version_costs_no_question(fake: FakeLemmy) -> None:
    Told(fake, version="v3", comments=False).pull()
    assert [path for path, _ in asked(fake)] == ["/api/v3/search"]


@EITHER
def test_communities_are_read_whole(fakes: list[FakeLemmy], version: type[FakeLemmy]) -> None:
    fake = version()
    fakes.append(fake)
    fake.publish(4)
    pulls = Told(fake, communities=["https://lemmy.example/c/technology"])
    pulls.pull()
    assert set(pulls.stored) == fake.expected()
    listed = [query for path, query in asked(fake) if path.endswith("/list")]
    assert {query["community_name"] for query in listed} == {"technology@lemmy.example"}
    assert not any("search_term" in query or "q" in query for query in listed)


def test_a_missing_community_is_a_gap_and_the_others_are_read(fake: FakeLemmy) -> None:
    fake.publish(4)
    pulls = Told(fake, communities=["nowhere", "technology"])
    for _ in range(2):
        pulls.stored.clear()
        pulls.pull()
        assert set(pulls.stored) == fake.expected()
    gaps = [page.gap for page in pulls.pages if page.gap]
    assert gaps[0].reason == "not there: comments !nowhere, posts !nowhere"


def test_no_community_at_all_is_not_there(fake: FakeLemmy) -> None:
    with pytest.raises(NotThere, match="no such community"):
        Told(fake, communities=["nowhere"]).pull()


def test_a_pinned_old_post_does_not_end_the_listing(fake: FakeLemmy) -> None:
    fake.publish(1, at=NOW - timedelta(days=900))
    fake.pinned = {1}
    fake.publish(250)
    pulls = Told(fake)
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_a_deletion_between_two_pulls_shifts_pages_and_loses_nothing(fake: FakeLemmy) -> None:
    seeds = fake.publish(250)
    pulls = Told(fake)
    pulls.pull(pages=1)
    fake.gone = {seed.number for seed in seeds[-60:]}
    fake.seeds = [seed for seed in seeds if seed.number not in fake.gone]
    pulls.until_settled(lambda: pulls.pull(pages=2))


def test_a_token_that_is_refused_begins_anew(fakes: list[FakeLemmy]) -> None:
    fake = FakeLemmy1()
    fakes.append(fake)
    fake.publish(250)
    pulls = Told(fake)
    pulls.pull(pages=1)
    fake.refused_tokens = True
    fake.loopback.requests.clear()
    pulls.pull(pages=1)
    assert ["page_cursor" in query for path, query in asked(fake) if path.endswith("list")] == [True, False]


def test_a_server_that_moves_to_1_0_is_read_on(fakes: list[FakeLemmy]) -> None:
    old, new = FakeLemmy(), FakeLemmy1()
    fakes += [old, new]
    pulls = Told(old)
    old.publish(250)
    pulls.pull(pages=1)
    new.publish(250)
    pulls.fake = new
    pulls.pull()
    assert set(pulls.stored) == new.expected()


@pytest.mark.parametrize("cursor", [{}, {"listings": 3}, {"listings": {"posts acme": "x"}}])
def test_a_damaged_cursor_begins_anew(fake: FakeLemmy, cursor: dict[str, Any]) -> None:
    fake.publish(150)
    pulls = Told(fake)
    pulls.cursor = cursor
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


@pytest.mark.parametrize(
    ("terms", "queries"), [((" acme ", "acme", '""'), ["acme"]), (("acme  phone",), ["acme phone"])]
)
def test_keywords_are_sent_bare(fake: FakeLemmy, terms: tuple[str, ...], queries: list[str]) -> None:
    connector = Told(fake, *terms).open()
    assert isinstance(connector, ShowsQueries)
    assert list(connector.queries()) == queries


def test_communities_stand_for_what_is_asked(fake: FakeLemmy) -> None:
    connector = Told(fake, communities=["technology"]).open()
    assert isinstance(connector, ShowsQueries)
    assert list(connector.queries()) == ["everything new in technology"]


# --- refusals


@pytest.mark.parametrize(
    ("error", "fate"),
    [("rate_limit_error", RateLimited), ("too_many_requests", RateLimited), ("instance_is_private", AccessDenied)],
)
def test_lemmy_says_in_the_body_what_is_wrong(fake: FakeLemmy, error: str, fate: type[Exception]) -> None:
    fake.said = {"error": error}
    with pytest.raises(fate):
        Told(fake, version="v3").pull()


# --- reading again


@EITHER
def test_counts_are_read_again_and_what_is_gone_is_told(fakes: list[FakeLemmy], version: type[FakeLemmy]) -> None:
    fake = version()
    fakes.append(fake)
    names = [fake.external_id(seed) for seed in fake.publish(4)]
    fake.gone, fake.withdrawn = {3}, {4: "removed"}
    connector = Told(fake).open()
    assert isinstance(connector, Refreshes)
    assert list(connector.refresh(names)) == [
        Refreshed(names[0], Counts(likes=-2, comments=3)),
        Refreshed(names[1], Counts(likes=-2, comments=3)),
        Refreshed(names[2], None, gone=True),
        Refreshed(names[3], None, gone=True),
    ]


def test_a_missing_page_means_nothing_for_the_items(fake: FakeLemmy) -> None:
    fake.publish(1)
    fake.version = "v5"
    connector = Told(fake, version="v3").open()
    assert isinstance(connector, Refreshes)
    with pytest.raises(NotThere):
        list(connector.refresh([f"https://{SERVER}/post/1"]))


@EITHER
def test_subscribers_of_communities_are_counted(fakes: list[FakeLemmy], version: type[FakeLemmy]) -> None:
    fake = version()
    fakes.append(fake)
    connector = Told(fake, communities=["technology"]).open()
    assert isinstance(connector, CountsFollowers)
    assert list(connector.followers()) == [FollowerReading("technology@lemmy.example", 1234, NOW)]


def test_the_brand_s_own_posts_are_told_apart(fake: FakeLemmy) -> None:
    fake.publish(2)
    pulls = Told(fake, own=["@Sam@lemmy.example"])
    pulls.pull()
    assert {item.kind for item in pulls.stored.values()} == {Kind.POST}


# --- options and links


@pytest.mark.parametrize(
    "given", ["lemmy.example", "https://Lemmy.example", "https://lemmy.example/c/x", " lemmy.example/ "]
)
def test_a_server_is_a_name_or_an_address(given: str) -> None:
    assert LemmyOptions(server=given).server == "https://lemmy.example"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("technology", "technology"),
        ("!tech@a.example", "tech@a.example"),
        ("https://b.example/c/tech", "tech@b.example"),
        ("https://b.example/c/tech@a.example", "tech@a.example"),
    ],
)
def test_a_community_is_a_name_or_a_link(given: str, name: str) -> None:
    assert LemmyOptions.model_validate({"server": "a.example", "communities": [given]}).communities == (name,)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"server": ""},
        {"server": "ftp://a.example"},
        {"server": "a b"},
        {"server": "a.example", "communities": ["a b"]},
        {"server": "a.example", "posts": False, "comments": False},
        {"server": "a.example", "communities": ["a"], "query": "b"},
        {"server": "a.example", "version": "v5"},
    ],
)
def test_other_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LemmyOptions.model_validate(options)


@pytest.mark.parametrize(
    ("link", "options"),
    [
        ("https://lemmy.world/c/technology", {"server": "lemmy.world", "communities": ["technology@lemmy.world"]}),
        ("https://lemmy.world/c/tech@lemmy.ml", {"server": "lemmy.world", "communities": ["tech@lemmy.ml"]}),
        (
            "https://programming.dev/search?q=acme%20phone&type=All",
            {"server": "programming.dev", "query": "acme phone"},
        ),
        ("https://lemmy.ml/", {"server": "lemmy.ml"}),
    ],
)
def test_links_are_recognised(link: str, options: dict[str, Any]) -> None:
    found = PLUGIN.recognise(link)
    assert found == options
    LemmyOptions.model_validate(found)


@pytest.mark.parametrize(
    "link",
    [
        "https://www.youtube.com/c/acme",
        "https://example.com/search?q=acme",
        "https://lemmy.world/u/sam",
        "http://[",
        "",
    ],
)
def test_other_links_are_not(link: str) -> None:
    assert PLUGIN.recognise(link) is None
