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

from connectors.contract import Connector, Context, Counts, Item, Kind, RequestBudget, ShowsQueries, Unlimited
from connectors.errors import Malformed, RateLimited, SourceError, Unavailable
from connectors.gdelt import PLUGIN, GdeltOptions
from connectors.gdelt_names import country_code, language_code
from connectors.gdelt_parse import articles_of, items_of
from connectors.testing import Case, ContractSuite, FakePlatform, Reply, Request
from connectors.testing.platform import NOW
from connectors.testing.suite import Pulls
from tests.fakes.damaging import damaged_copies
from tests.fakes.gdelt import FakeGdelt

CASE = Case(plugin=PLUGIN, fake=FakeGdelt, many=600)


class TestGdelt(ContractSuite):
    case = CASE


class With(Pulls):
    """Pulls with other keywords and options than the suite's."""

    def __init__(self, fake: FakePlatform, *terms: str, **options: Any) -> None:
        super().__init__(CASE, fake)
        self.terms, self.options = terms or ("acme",), {"pause_seconds": 0, **options}

    def open(self, budget: RequestBudget | None = None) -> Connector:
        known = self.context(budget or Unlimited())
        context = Context(self.terms, known.now, known.stop, known.http, known.log, known.budget)
        return PLUGIN.open(GdeltOptions(base_url=self.fake.base_url, **self.options), context)

    def queries(self) -> list[str]:
        connector = self.open()
        assert isinstance(connector, ShowsQueries)
        return list(connector.queries())


@pytest.fixture
def fake() -> Iterator[FakeGdelt]:
    fake = FakeGdelt()
    yield fake
    fake.close()


# --- one request in five seconds


def test_a_pull_asks_once_and_the_next_ones_go_on(fake: FakeGdelt) -> None:
    fake.publish(600)
    pulls = With(fake, pause_seconds=5)
    for number in range(1, 30):
        pulls.pull()
        assert len(fake.loopback.requests) == number
        pulls.now += timedelta(minutes=15)
    assert set(pulls.stored) == fake.expected()


def test_news_comes_while_the_past_is_still_being_read(fake: FakeGdelt) -> None:
    fake.publish(3_000)
    pulls = With(fake, pause_seconds=5)
    pulls.pull()
    (news,) = fake.publish(1, at=NOW + timedelta(minutes=5))
    for _ in range(3):
        pulls.now += timedelta(minutes=15)
        pulls.pull()
    assert fake.external_id(news) in pulls.stored
    assert len(pulls.stored) < 1_000


def test_asked_again_within_five_seconds_it_says_how_long_to_wait(fake: FakeGdelt) -> None:
    pulls = With(fake, pause_seconds=5)
    pulls.pull()
    pulls.now += timedelta(seconds=2)
    with pytest.raises(RateLimited) as caught:
        pulls.pull()
    assert caught.value.retry_after == timedelta(seconds=3)
    assert len(fake.loopback.requests) == 1


def test_searches_take_turns(fake: FakeGdelt) -> None:
    pulls = With(
        fake, *(f"a rather long keyword of the brand number {number}" for number in range(10)), pause_seconds=5
    )
    queries = pulls.queries()
    assert len(queries) > 2
    for _ in queries:
        pulls.pull()
        pulls.now += timedelta(minutes=15)
    assert [request.query["query"] for request in fake.loopback.requests] == queries


# --- windows


def test_more_than_250_articles_in_half_an_hour_are_a_gap(fake: FakeGdelt) -> None:
    fake.publish(300, every=timedelta(seconds=1))
    pulls = With(fake)
    pulls.read_seconds = pulls.total_seconds = 60.0  # its fake takes its time over hundreds of articles
    pulls.pull()
    gaps = [page.gap for page in pulls.pages if page.gap]
    assert gaps
    assert all(gap.since and gap.until and gap.until - gap.since <= timedelta(minutes=30) for gap in gaps)


@pytest.mark.parametrize(
    "state",
    [3, {}, {"high": "x", "open": []}, {"high": 1.0, "open": [[1]]}, {"high": 1.0, "open": [[2, 1]]}, {"high": True}],
)
def test_a_damaged_cursor_begins_anew(fake: FakeGdelt, state: Any) -> None:
    fake.publish(5)
    pulls = With(fake)
    pulls.cursor = {"places": {"acme": state}, "asked": "x"}
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


# --- searches


@pytest.mark.parametrize(
    ("terms", "query"),
    [
        (("acme",), "acme"),
        (("acme phone",), '"acme phone"'),
        (("acme", "acme phone"), '(acme OR "acme phone")'),
        (('the "acme" (tm)',), '"the acme tm"'),
        (("acme-phone",), '"acme-phone"'),
    ],
)
def test_keywords_are_joined_into_one_search(fake: FakeGdelt, terms: tuple[str, ...], query: str) -> None:
    assert With(fake, *terms).queries() == [query]


def test_languages_and_countries_are_filters(fake: FakeGdelt) -> None:
    pulls = With(fake, languages=["de", "English"], countries=["US"])
    assert pulls.queries() == ["acme (sourcelang:german OR sourcelang:english) sourcecountry:unitedstates"]
    assert With(fake, query="acme theme:TECH", countries=["Germany"]).queries() == [
        "acme theme:TECH sourcecountry:germany"
    ]


@pytest.mark.parametrize("wrong", [{"languages": ["klingon"]}, {"countries": ["XX"]}, {"query": "ab"}])
def test_what_gdelt_does_not_know_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        GdeltOptions(**wrong)


# --- answers


@pytest.mark.parametrize(
    ("said", "fate"),
    [
        ("Please limit requests to one every 5 seconds or contact us.", RateLimited),
        ("Your query was too short or too long.", Malformed),
        ("The specified phrase is too short.", Malformed),
        ("One or more of your keywords were too common.", Malformed),
        ("Timespan is too short.", Malformed),
        ("Something else", Unavailable),
        ("", Unavailable),
        ("<html>keyword</html>", Unavailable),
        ("[]", Unavailable),
        ('{"articles": 3}', Unavailable),
    ],
)
def test_plain_words_with_status_200_have_their_fate(fake: FakeGdelt, said: str, fate: type[SourceError]) -> None:
    fake.says = said
    for use in (lambda: With(fake).pull(), lambda: With(fake).open().check()):
        with pytest.raises(fate) as caught:
            use()
        assert type(caught.value) is fate


@pytest.mark.parametrize("written", [r"a \d b", r"C:\x", r"\u12", r"good \\ one", r"quote \" here", r"caf\u00e9"])
def test_escapes_that_are_none_are_repaired(written: str) -> None:
    body = f'{{"articles": [{{"title": "{written}", "t": "a\tb"}}]}}'
    (article,) = articles_of(body.encode())
    assert article["title"] == {
        r"good \\ one": r"good \ one",
        r"quote \" here": 'quote " here',
        r"caf\u00e9": "café",
    }.get(written, written)


def test_an_article_becomes_an_item() -> None:
    article = {
        "url": "https://news.example/a",
        "title": "Acme &amp; partners , a deal !",
        "seendate": "20260821T194500Z",
        "domain": "news.example",
        "language": "Russian",
        "sourcecountry": "United States",
    }
    assert items_of([article, article]) == (
        [
            Item(
                external_id="https://news.example/a",
                kind=Kind.MENTION,
                published_at=datetime(2026, 8, 21, 19, 45, tzinfo=UTC),
                title="Acme & partners, a deal!",
                url="https://news.example/a",
                language="ru",
                counts=Counts(),
                place="news.example",
                attributes={"type": "article", "country": "US"},
            )
        ],
        [],
    )


@pytest.mark.parametrize("damage", [{"url": None}, {"url": "x"}, {"url": 7}, {"seendate": "2026"}, {"title": 5}])
def test_a_damaged_article_is_skipped(damage: dict[str, Any]) -> None:
    items, skipped = items_of([{"url": "https://a.example/1", "seendate": "20260821T194500Z", **damage}, None])
    assert (items, len(skipped)) == ([], 2)


@pytest.mark.parametrize(
    ("name", "code"), [("English", "en"), ("Norwegian Nynorsk", "nn"), ("Martian", None), (7, None)]
)
def test_languages_have_codes(name: object, code: str | None) -> None:
    assert language_code(name) == code


@pytest.mark.parametrize(("name", "code"), [("United Kingdom", "GB"), ("Bosnia-Herzegovina", "BA"), (None, None)])
def test_countries_have_codes(name: object, code: str | None) -> None:
    assert country_code(name) == code


# --- recorded answers


class Replay(FakePlatform):
    """Answers everything with one body."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.status = b"", 200

    def respond(self, request: Request) -> Reply:
        return Reply(self.body, self.status)


@pytest.fixture
def replay() -> Iterator[Replay]:
    replay = Replay()
    yield replay
    replay.close()


def recorded() -> dict[str, bytes]:
    folder = Path(os.environ.get("RECORDED_DATA", "/nowhere")) / "payloads" / "gdelt"
    if not folder.is_dir():
        pytest.skip("recorded data not present")
    return {row["file"]: (folder / row["file"]).read_bytes() for row in json.loads((folder / "index.json").read_text())}


@pytest.mark.recorded
def test_every_recorded_article_arrives_once(replay: Replay) -> None:
    replay.body = recorded()["c_artlist.json"]
    pulls = With(replay)
    brought = pulls.pull()
    addresses = {article["url"] for article in json.loads(replay.body)["articles"]}
    assert sorted(item.external_id for item in brought) == sorted(addresses)
    assert {item.language for item in brought} == {"en", "ru"}
    assert not [entry for page in pulls.pages for entry in page.skipped]


@pytest.mark.recorded
def test_the_recorded_empty_answer_and_refusal_have_their_fates(replay: Replay) -> None:
    replay.body = recorded()["c_empty_object.json"]
    assert With(replay).pull() == []
    replay.body = recorded()["c_error_200_text.txt"]
    with pytest.raises(Malformed):
        With(replay).pull()


@pytest.mark.recorded
def test_damaged_answers_raise_nothing_but_the_fates(replay: Replay) -> None:
    came = 0
    for seed, (_, body) in enumerate(sorted(recorded().items())):
        for replay.body in damaged_copies(body, 100, seed):
            with suppress(SourceError):
                came += len(With(replay).pull())
    assert came > 100


def test_damaged_answers_of_the_fake_raise_nothing_but_the_fates(fake: FakeGdelt, replay: Replay) -> None:
    fake.publish(4)
    query = {"startdatetime": "20200101000000", "enddatetime": "20270101000000", "maxrecords": "250"}
    body = fake.respond(Request("GET", "/api/v2/doc/doc", query, {}, b"")).body
    came = 0
    for replay.body in damaged_copies(body, 100, seed=3):
        with suppress(SourceError):
            came += len(With(replay).pull())
    assert came > 100
