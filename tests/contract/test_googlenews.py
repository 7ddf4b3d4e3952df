from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import Connector, Context, Item, Kind, RequestBudget, Unlimited
from connectors.errors import SourceError, Unavailable
from connectors.googlenews import PLUGIN, GoogleNewsOptions
from connectors.testing import Case, ContractSuite, FakePlatform, Reply, Request
from connectors.testing.platform import NOW
from connectors.testing.suite import Pulls
from tests.fakes.damaging import damaged_copies
from tests.fakes.googlenews import FakeGoogleNews

CASE = Case(plugin=PLUGIN, fake=FakeGoogleNews, many=90)


class TestGoogleNews(ContractSuite):
    case = CASE


class With(Pulls):
    """Pulls with other keywords and options than the suite's."""

    def __init__(self, fake: FakePlatform, *terms: str, **options: Any) -> None:
        super().__init__(CASE, fake)
        self.terms, self.options = terms or ("acme",), options

    def open(self, budget: RequestBudget | None = None) -> Connector:
        known = self.context(budget or Unlimited())
        context = Context(self.terms, known.now, known.stop, known.http, known.log, known.budget)
        return PLUGIN.open(GoogleNewsOptions(base_url=self.fake.base_url, **self.options), context)


class Replay(FakePlatform):
    """Answers everything with one body."""

    def __init__(self) -> None:
        super().__init__()
        self.body = b""

    def respond(self, request: Request) -> Reply:
        return Reply(self.body, 200, {"Content-Type": "application/xml; charset=utf-8"})


@pytest.fixture
def fake() -> Iterator[FakeGoogleNews]:
    fake = FakeGoogleNews()
    yield fake
    fake.close()


@pytest.fixture
def replay() -> Iterator[Replay]:
    replay = Replay()
    yield replay
    replay.close()


def asked(fake: FakePlatform, *names: str) -> list[tuple[str, ...]]:
    return [tuple(request.query[name] for name in names) for request in fake.loopback.requests]


def feed(entries: str) -> bytes:
    return f'<?xml version="1.0"?><rss version="2.0"><channel><title>x</title>{entries}</channel></rss>'.encode()


# --- searching


def test_each_keyword_is_searched_in_each_edition(fake: FakeGoogleNews) -> None:
    With(fake, "acme", "acme phone", editions=["en-US", "de-DE", "fr-CA", "zh-Hant-TW"], query=None).pull()
    assert asked(fake, "hl", "gl", "ceid")[:4] == [
        ("en-US", "US", "US:en"),
        ("de", "DE", "DE:de"),
        ("fr-CA", "CA", "CA:fr"),
        ("zh-Hant-TW", "TW", "TW:zh-Hant"),
    ]
    assert [query.rpartition(" ")[0] for (query,) in asked(fake, "q")] == ["acme"] * 4 + ['"acme phone"'] * 4


def test_a_search_covers_the_time_since_the_last_one(fake: FakeGoogleNews) -> None:
    pulls = With(fake)
    for wait in (timedelta(0), timedelta(minutes=30), timedelta(days=10)):
        pulls.now += wait
        pulls.pull()
    assert [query for (query,) in asked(fake, "q")] == ["acme when:31d", "acme when:7h", "acme when:11d"]


def test_a_feed_that_is_cut_off_is_read_again_for_the_same_time(replay: Replay) -> None:
    replay.body = feed(
        "<item><guid>1</guid><title>Acme - A</title><pubDate>Sun, 01 Nov 2026 10:00:00 GMT</pubDate></item>"
    )[:-16]
    pulls = With(replay)
    pulls.pull()
    pulls.pull()
    assert [query for (query,) in asked(replay, "q")] == ["acme when:31d"] * 2
    assert set(pulls.stored) == {"1"}


@pytest.mark.parametrize("state", [3, {}, {"until": "x"}, {"until": True}, {"until": -5}, {"until": 1e300}])
def test_a_damaged_cursor_begins_anew(fake: FakeGoogleNews, state: Any) -> None:
    fake.publish(5)
    pulls = With(fake)
    pulls.cursor = {"places": {"en-US acme": state}}
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_a_consent_page_is_no_feed(replay: Replay) -> None:
    replay.body = b"<!doctype html><html><body>Before you continue</body></html>"
    with pytest.raises(Unavailable, match="no feed"):
        With(replay).pull()


# --- what an entry becomes


def test_the_publisher_leaves_the_title_and_the_link_stays(fake: FakeGoogleNews) -> None:
    fake.publish(1, at=NOW - timedelta(hours=1))
    assert With(fake).pull() == [
        Item(
            external_id="CBMi000001",
            kind=Kind.MENTION,
            published_at=NOW - timedelta(hours=1),
            title="acme makes me think, number 1",
            url="https://news.google.com/rss/articles/CBMi000001?oc=5",
            language="en-US",
            place="The Daily Planet",
            attributes={"type": "article", "edition": "en-US"},
        )
    ]


@pytest.mark.parametrize(
    ("title", "split"),
    [
        ("Acme - a story - The Post", ("Acme - a story", "The Post")),
        ("Acme", ("Acme", "x")),
        (" - The Post", ("- The Post", "x")),
    ],
)
def test_without_a_source_the_publisher_is_behind_the_last_dash(
    replay: Replay, title: str, split: tuple[str, str]
) -> None:
    date = "<pubDate>Sun, 01 Nov 2026 10:00:00 GMT</pubDate>"
    replay.body = feed(f"<item><guid>1</guid><title>{title}</title>{date}</item>")
    (item,) = With(replay).pull()
    assert (item.title, item.place) == split


# --- options and links


@pytest.mark.parametrize("wrong", [{"editions": ["german"]}, {"editions": ["de"]}, {"editions": []}, {"query": ""}])
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GoogleNewsOptions(**wrong)


@pytest.mark.parametrize(
    ("link", "options"),
    [
        (
            "https://news.google.com/search?q=acme%20phone%20when%3A1d&hl=de&gl=DE&ceid=DE%3Ade",
            {"query": "acme phone", "editions": ["de-DE"]},
        ),
        ("https://news.google.com/rss/search?q=acme", {"query": "acme"}),
    ],
)
def test_a_link_to_a_search_is_recognised(link: str, options: dict[str, Any]) -> None:
    assert PLUGIN.recognise(link) == options
    GoogleNewsOptions(**options)


@pytest.mark.parametrize(
    "link",
    [
        "https://news.google.com/",
        "https://news.google.com/search?q=when:1d",
        "https://news.google.com.evil.example/search?q=acme",
        "http://[",
        "",
    ],
)
def test_other_links_are_not(link: str) -> None:
    assert PLUGIN.recognise(link) is None


# --- recorded answers


def recorded() -> dict[str, bytes]:
    folder = Path(os.environ.get("RECORDED_DATA", "/nowhere")) / "payloads" / "googlenews"
    if not folder.is_dir():
        pytest.skip("recorded data not present")
    return {row["file"]: (folder / row["file"]).read_bytes() for row in json.loads((folder / "index.json").read_text())}


@pytest.mark.recorded
def test_every_recorded_article_arrives_once(replay: Replay) -> None:
    replay.body = recorded()["c_search_en.xml"]
    pulls = With(replay)
    brought = {item.external_id: item for item in pulls.pull()}
    assert set(brought) == {"CBMiAAA", "CBMiBBB"}
    assert brought["CBMiAAA"].title == 'Acme & Co - a "turnaround" story'
    assert brought["CBMiAAA"].place == "Reuters"
    assert brought["CBMiAAA"].published_at == datetime(2026, 9, 2, 1, tzinfo=UTC)
    assert not [entry for page in pulls.pages for entry in page.skipped]


@pytest.mark.recorded
def test_the_recorded_empty_search_is_no_fault(replay: Replay) -> None:
    replay.body = recorded()["c_empty.xml"]
    assert With(replay).pull() == []


@pytest.mark.recorded
def test_damaged_answers_raise_nothing_but_the_fates(replay: Replay) -> None:
    came = 0
    for seed, (_, body) in enumerate(sorted(recorded().items())):
        for replay.body in damaged_copies(body, 150, seed):
            with suppress(SourceError):
                came += len(With(replay).pull())
    assert came > 100


def test_damaged_answers_of_the_fake_raise_nothing_but_the_fates(fake: FakeGoogleNews, replay: Replay) -> None:
    fake.publish(4)
    query = {"q": "acme when:2d", "hl": "en-US", "gl": "US", "ceid": "US:en"}
    body = fake.respond(Request("GET", "/rss/search", query, {}, b"")).body
    came = 0
    for replay.body in damaged_copies(body, 75, seed=3):
        with suppress(SourceError):
            came += len(With(replay).pull())
    assert came > 100
