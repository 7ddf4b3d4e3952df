from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

import connectors
from connectors.contract import Author, Connector, Context, Counts, Item, Kind, Rating, Reply, RequestBudget, Unlimited
from connectors.errors import NotThere, SourceError, Unavailable
from connectors.http_json import PLUGIN, HttpJson
from connectors.http_json_options import HttpJsonOptions
from connectors.testing import Case, ContractSuite, FakePlatform, Request
from connectors.testing import Reply as Answer
from connectors.testing.platform import NOW
from connectors.testing.suite import Pulls
from tests.fakes.damaging import damaged_copies
from tests.fakes.http_json import (
    FIELDS,
    PREFIX,
    TOKEN,
    URL,
    FakeByCursor,
    FakeByLink,
    FakeByPage,
    FakeList,
    FakeUnordered,
)

CASE = Case(plugin=PLUGIN, fake=FakeByCursor)
ONE_PAGE = "the API has one page, so that no pull can be cut off within it"
NO_PLACE = (
    "nobody knows where an entry of an unordered list stands later: a pull cut off begins anew, and a gap says so"
)


class TestByCursor(ContractSuite):
    case = CASE


class TestByPage(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeByPage)


class TestByLink(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeByLink)


class TestOnePage(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeList, many=40, not_applicable={"stopping_after_any_page": ONE_PAGE})


class TestUnordered(ContractSuite):
    case = Case(
        plugin=PLUGIN,
        fake=FakeUnordered,
        not_applicable={"stopping_after_any_page": NO_PLACE, "small_budget": NO_PLACE},
    )


class Api(FakePlatform):
    """Answers by what ``answer`` says; asked with the options given."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, Any] = {"url": "https://api.example/say", "fields": FIELDS, "prefix": ""}
        self.answer: Any = []

    def options(self) -> Mapping[str, Any]:
        return self.told

    def respond(self, request: Request) -> Answer:
        found = self.answer(request) if callable(self.answer) else self.answer
        return found if isinstance(found, Answer) else Answer.of_json(found)


class Told(Pulls):
    """Pulls with options on top of the fake's, and other keywords."""

    def __init__(self, fake: FakePlatform, terms: tuple[str, ...] = ("acme",), **options: Any) -> None:
        super().__init__(Case(plugin=PLUGIN, fake=lambda: fake), fake)
        self.terms, self.more = terms, options

    def open(self, budget: RequestBudget | None = None) -> Connector:
        known = self.context(budget or Unlimited())
        context = Context(self.terms, known.now, known.stop, known.http, known.log, known.budget)
        told = {"base_url": self.fake.base_url, **self.fake.options(), **self.more}
        return HttpJson(HttpJsonOptions.model_validate(told), context)

    @property
    def gaps(self) -> list[str]:
        return [page.gap.reason for page in self.pages if page.gap]

    @property
    def skipped(self) -> list[tuple[str, str]]:
        return [(entry.what, entry.why) for page in self.pages for entry in page.skipped]


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    yield api
    api.close()


@pytest.fixture(params=[FakeByCursor, FakeByPage, FakeByLink])
def fake(request: pytest.FixtureRequest) -> Iterator[FakePlatform]:
    fake: FakePlatform = request.param()
    yield fake
    fake.close()


def entry(number: int = 1, **changes: Any) -> dict[str, Any]:
    return {"id": number, "written": {"at": "2026-10-31T10:00:00Z"}, "body": "fine", **changes}


# ------------------------------------------------------------------------------------------------ what comes


def test_every_field_is_where_it_is_said_to_be(api: Api) -> None:
    told = {
        "external_id": "key.id",
        "published_at": "at",
        "updated_at": "edited",
        "title": "head",
        "text": "parts[].text | join(' ', @)",
        "url": "link",
        "language": '`"de"`',
        "author": {"id": "who.id", "name": "who.name", "followers": "who.fans"},
        "rating": {"value": "stars", "worst": "`0`", "best": "top"},
        "likes": "up",
        "shares": "shared",
        "comments": "length(answers)",
        "views": "seen",
        "reply": {"text": "answers[?by == 'us'].text | [0]", "at": "answers[?by == 'us'].at | [0]"},
        "place": "app",
        "parent_title": "thread",
        "attributes": {"country": "land", "verified": "sure", "tags": "tags"},
    }
    api.told |= {"fields": told, "kind": "review", "html": True, "items": "page.all", "prefix": "app:"}
    said = {
        "id": 7,
        "who": {"id": 12, "name": "A &amp; B", "fans": "1,200"},
        "at": 1_790_841_600,
        "edited": 1_790_841_600_000,
    }
    answers = [{"by": "us", "text": "<p>Sorry</p>", "at": "Thu, 01 Oct 2026 12:00:00 +0200"}]
    texts = {
        "head": "<b>Hm</b>",
        "parts": [{"text": "one"}, {"text": "<i>two</i>"}],
        "thread": "T",
        "app": "Shop",
        "link": "/r/7",
    }
    rest = {
        "stars": "7.5",
        "top": 10,
        "up": -3,
        "shared": 0,
        "seen": None,
        "land": "DE",
        "sure": True,
        "tags": ["a", 2],
    }
    api.answer = {"page": {"all": [{"key": said, **said, **texts, **rest, "answers": answers}]}}
    pulls = Told(api)
    (item,) = pulls.pull()
    at = datetime(2026, 10, 1, 8, tzinfo=UTC)
    assert item == Item(
        external_id="app:7",
        kind=Kind.REVIEW,
        published_at=at,
        updated_at=at,
        title="Hm",
        text="one two",
        url=f"{api.base_url}/r/7",
        language="de",
        author=Author("12", "A & B", 1200),
        rating=Rating(7.5, 0, 10),
        counts=Counts(likes=-3, shares=0, comments=1, views=None),
        reply=Reply("Sorry", datetime(2026, 10, 1, 10, tzinfo=UTC)),
        place="Shop",
        parent_title="T",
        attributes={"country": "DE", "verified": "true", "tags": "a, 2"},
    )


@pytest.mark.parametrize(
    ("time_format", "written"),
    [
        (None, "2026-10-01T10:00:00+02:00"),
        (None, 1_790_841_600),
        (None, "1790841600000"),
        ("iso8601", "2026-10-01 08:00"),
        ("epoch", "1790841600.0"),
        ("epoch_ms", 1_790_841_600_000),
        ("rfc2822", "Thu, 01 Oct 2026 08:00:00 GMT"),
        ("%d.%m.%y %H Uhr", "01.10.26 08 Uhr"),
    ],
)
def test_times_are_read_as_they_are_written(api: Api, time_format: str | None, written: object) -> None:
    api.answer = [entry(written={"at": written})]
    pulls = Told(api, time_format=time_format)
    assert [item.published_at for item in pulls.pull()] == [datetime(2026, 10, 1, 8, tzinfo=UTC)]


def test_times_without_a_zone_are_of_the_zone_that_is_told(api: Api) -> None:
    api.answer = [entry(written={"at": "2026-10-01T10:00:00"})]
    assert [item.published_at.hour for item in Told(api, timezone="Europe/Berlin").pull()] == [8]


def test_what_is_not_found_is_unknown_and_without_id_or_time_it_is_skipped(api: Api) -> None:
    api.answer = [
        {"id": 1, "written": {"at": "2026-10-31T10:00:00Z"}},
        entry(2, written=None),
        entry(id=None),
        entry(4, written={"at": "soon"}),
        "entry",
        None,
        entry(7, votes="many", by={"a": 1}),
    ]
    pulls = Told(api)
    assert [(item.external_id, item.text, item.author, item.counts) for item in pulls.pull()] == [
        ("1", None, None, Counts()),
        ("7", "fine", None, Counts()),
    ]
    assert pulls.skipped == [
        ("entry 2 (2)", "published_at: empty"),
        ("entry 3", "external_id: empty"),
        ("entry 4 (4)", "published_at: not a time that is understood; see time_format"),
        ("entry 5", "external_id: empty"),
        ("entry 6", "external_id: empty"),
    ]


def test_ids_of_two_addresses_never_meet(api: Api) -> None:
    api.answer = [entry()]
    del api.told["prefix"]
    assert [item.external_id for item in Told(api).pull()] == ["api.example@4f3a9b6b:1"]


def test_a_page_instead_of_json_is_a_matter_of_the_settings(api: Api) -> None:
    api.answer = Answer(b"<html>Sign in</html>", headers={"Content-Type": "text/html"})
    for use in (Told(api).pull, Told(api).open().check):
        with pytest.raises(Unavailable, match=r"not JSON \(text/html\); look at url, and whether it wants a token"):
            use()


@pytest.mark.parametrize("answer", [{"error": "no"}, {"list": None}, {"list": {"a": 1}}, "x", 7, None])
def test_an_answer_without_its_list_is_no_empty_list(api: Api, answer: object) -> None:
    api.answer = answer
    for use in (Told(api, items="list").pull, Told(api, items="list").open().check):
        with pytest.raises(Unavailable, match="look at the option items"):
            use()


def test_a_list_that_is_left_out_when_it_is_empty_can_be_said_to_be_so(api: Api) -> None:
    api.answer = {"count": 0}
    assert Told(api, items="list || `[]`").pull() == []


# ------------------------------------------------------------------------------------------------ asking


def test_places_are_filled_in_wherever_they_stand(api: Api) -> None:
    options = {
        "url": "https://api.example/in/{term}?from={since}&keep=1",
        "params": {"page": "{page}", "deep": [1, True], "q": "is:new {term}"},
        "since_format": "epoch",
        "paging": "page",
        "overlap_minutes": 0,
    }
    Told(api, terms=("a b/ü",), **options).pull()
    (request,) = api.loopback.requests
    since = int((NOW - timedelta(days=30)).timestamp())
    assert request.path == "/in/a%20b%2F%C3%BC"
    assert request.pairs == [
        *[("from", str(since)), ("keep", "1"), ("page", "1"), ("deep", "1"), ("deep", "true"), ("q", "is:new a b/ü")],
    ]


def test_a_body_keeps_numbers_and_leaves_out_what_has_no_value(api: Api) -> None:
    body = {
        "size": 10,
        "from": "{offset}",
        "after": "{term}",
        "query": "query($n: Int) { all(first: $n) { id } }",
        "list": ["{since}"],
    }
    Told(api, method="POST", body=body, paging="offset", page_size=10).pull()
    (request,) = api.loopback.requests
    assert json.loads(request.body) == {**body, "from": 0, "after": "acme", "list": ["2026-10-02T10:00:00Z"]}
    assert request.headers["content-type"] == "application/json"


def test_each_term_is_a_search_with_a_place_of_its_own(api: Api) -> None:
    api.answer = lambda request: [entry(request.query["q"])]
    pulls = Told(api, terms=("acme", "rival", "acme "), url="https://api.example/say?q={term}")
    connector = pulls.open()
    assert isinstance(connector, HttpJson)
    assert connector.queries() == ["acme", "rival"]
    pulls.pull()
    assert set(pulls.stored) == {"acme", "rival"}
    assert pulls.cursor is not None
    assert len(pulls.cursor["places"]) == 2  # type: ignore[arg-type]


def test_a_term_that_is_refused_is_a_gap_while_the_others_go_on(api: Api) -> None:
    api.answer = lambda request: [entry()] if request.path == "/acme" else Answer(b"", 404)
    pulls = Told(api, terms=("rival", "acme"), url="https://api.example/{term}")
    assert len(pulls.pull()) == 1
    assert len(pulls.gaps) == 1
    with pytest.raises(NotThere):
        Told(api, terms=("rival",), url="https://api.example/{term}").pull()


# ------------------------------------------------------------------------------------------------ paging


def test_a_cap_on_pages_gives_a_gap_and_the_next_pull_goes_on(fake: FakePlatform) -> None:
    fake.publish(230)
    pulls = Told(fake, max_pages=3)
    pulls.pull()
    assert len(pulls.stored) == 150
    assert pulls.gaps == ["stopped after max_pages = 3 pages; the next pull goes on from there"]
    for _ in range(3):
        pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_an_unordered_list_longer_than_the_cap_says_so_with_every_pull() -> None:
    fake = FakeUnordered()
    fake.publish(230)
    pulls = Told(fake, max_pages=3)
    pulls.pull()
    pulls.pull()
    assert pulls.gaps == ["the list has more than max_pages = 3 pages; what follows is not read"] * 2
    fake.close()


def test_no_secret_stands_in_a_cursor_that_keeps_a_link() -> None:
    fake = FakeByLink()
    fake.publish(230)
    pulls = Told(fake)
    pulls.pull(pages=2)
    assert "start=" in json.dumps(pulls.cursor)
    assert TOKEN not in json.dumps(pulls.cursor)
    pulls.pull()
    assert set(pulls.stored) == fake.expected()
    fake.close()


@pytest.mark.parametrize(
    "link", ["https://evil.example/next", "//evil.example/", "ftp://api.example/", "http://[::1", "file:///etc/passwd"]
)
def test_a_link_that_leads_away_is_not_followed(api: Api, link: str) -> None:
    api.answer = {"list": [entry()], "next": link}
    pulls = Told(api, items="list", paging="link", next="next", token=TOKEN)
    pulls.pull()
    assert len(api.loopback.requests) == 1
    assert len(pulls.gaps) == 1


@pytest.mark.parametrize("link", ["?n=2", "/say?n=2", "https://api.example/say?n=2", "http://api.example:80/say?n=2"])
def test_a_link_that_stays_with_the_api_is_followed(api: Api, link: str) -> None:
    api.answer = lambda request: {"list": [entry(request.query.get("n", "1"))], "next": None if request.query else link}
    pulls = Told(api, items="list", paging="link", next="next")
    pulls.pull()
    assert set(pulls.stored) == {"1", "2"}


def test_a_cursor_that_is_not_known_any_more_begins_anew() -> None:
    fake = FakeByCursor()
    fake.publish(120)
    pulls = Told(fake)
    pulls.pull(pages=1)
    whole = fake.respond
    fake.loopback._respond = lambda request: (
        Answer(b"", 400) if request.query.get("after") == "50" and not seen else whole(request)
    )
    seen: list[int] = []
    pulls.pull(pages=1)
    seen.append(1)
    pulls.pull()
    assert set(pulls.stored) == fake.expected()
    fake.close()


def test_a_page_that_is_refused_is_a_gap_and_what_came_before_is_kept(api: Api) -> None:
    api.answer = lambda request: (
        [entry(int(request.query["page"]))] if request.query["page"] < "3" else Answer(b"", 400)
    )
    pulls = Told(api, params={"page": "{page}"}, paging="page")
    pulls.pull()
    assert set(pulls.stored) == {"1", "2"}
    assert pulls.gaps == ["page 3 was refused; if the list ends there, set page_size or more"]


def test_pages_that_are_all_the_same_are_a_gap(api: Api) -> None:
    api.answer = [entry()]
    pulls = Told(api, params={"page": "{page}"}, paging="page")
    pulls.pull()
    assert len(api.loopback.requests) == 2
    assert pulls.gaps == ["the same page came again and again; look at paging"]


def test_an_entry_of_the_future_does_not_hide_what_comes_until_then() -> None:
    fake = FakeByCursor()
    fake.publish(1, at=datetime(2090, 1, 1, tzinfo=UTC))
    pulls = Told(fake)
    pulls.pull()
    fake.publish(120, at=NOW + timedelta(hours=1), every=timedelta(seconds=10))
    pulls.now = NOW + timedelta(hours=2)
    pulls.pull()
    assert set(pulls.stored) == fake.expected()
    fake.close()


def test_a_changed_address_begins_anew() -> None:
    fake = FakeByCursor()
    fake.publish(120)
    first = Told(fake)
    first.pull()
    other = Told(fake, url=f"{URL}?q={{term}}&after={{cursor}}&lang=de", prefix=PREFIX)
    other.cursor = first.cursor
    other.pull()
    assert set(other.stored) == fake.expected()
    fake.close()


def test_damaged_cursors_raise_nothing_but_the_fates(fake: FakePlatform) -> None:
    fake.publish(130)
    pulls = Told(fake)
    pulls.pull(pages=2)
    whole = json.dumps(pulls.cursor).encode()
    came = 0
    for copy in damaged_copies(whole, 25, seed=4):
        with suppress(ValueError):
            held = json.loads(copy)
            pulls.cursor = held if isinstance(held, dict) else None
        with suppress(SourceError):
            came += len(pulls.pull(pages=3))
    assert came > 100


# ------------------------------------------------------------------------------------------------ bounds

DEEP: Any = "x"
for _ in range(150):
    DEEP = [DEEP, {"id": DEEP}] if len(str(DEEP)) < 2000 else [DEEP]
HOSTILE = [
    DEEP,
    10**4000,
    -(10**300),
    1e308,
    float("nan"),
    float("inf"),
    "9" * 5000,
    "\x00\ud800",
    [],
    {},
    True,
    [None] * 2000,
]
WILD = {
    "external_id": "not_null(id, sum(n), avg(n), to_string(@))",
    "published_at": "to_number(t) || max(n) || ceil(n[0])",
    "text": "join(',', sort(n)) || reverse(t) || to_string(t)",
    "title": "sort_by(n, &a)[0].b || merge(t, n)",
    "likes": "abs(floor(t)) || length(n)",
    "rating": "avg(n[?@ > `1`])",
    "url": "t[].t[].t[] | [0]",
}


def test_wild_expressions_on_hostile_bodies_end_in_items_or_skips(api: Api) -> None:
    entries = [{"id": a, "t": b, "n": [a, b, c]} for a in HOSTILE for b in HOSTILE for c in HOSTILE[:4]]
    api.answer = Answer(json.dumps(entries).encode())
    pulls = Told(api, fields=WILD)
    began = time.monotonic()
    items = pulls.pull()
    assert time.monotonic() - began < 20
    assert len(items) + len(pulls.skipped) > 100


def test_a_page_of_a_million_entries_is_cut_and_said_to_be(api: Api) -> None:
    api.answer = Answer(b"[" + b"{}," * 1_000_000 + b"{}]")
    pulls = Told(api)
    pulls.read_seconds, pulls.total_seconds = 10, 20
    began = time.monotonic()
    pulls.pull()
    assert time.monotonic() - began < 10
    assert pulls.gaps == ["a page has more than 10,000 entries; ask for fewer at once"]


# ------------------------------------------------------------------------------------------------ configuration

SOUND: dict[str, Any] = {"url": "https://api.example/say", "fields": FIELDS}


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"url": "api.example"}, "is no address"),
        ({"url": "https://{term}.example/"}, "is no address"),
        ({"url": "https://me:secret@api.example/"}, "give username and password"),
        ({"url": "https://api.example/{trem}"}, "{trem}: no such place"),
        ({"items": "a["}, "`a[` is no JMESPath expression (look at character 3)"),
        (
            {"fields": {**FIELDS, "text": "first-name"}},
            "text: `first-name` is no JMESPath expression (look at character 6)",
        ),
        ({"fields": {**FIELDS, "text": "lenght(a)"}}, "text: no function lenght()"),
        ({"fields": {**FIELDS, "text": "length(a, b)"}}, "text: length() takes 1 values, not 2"),
        ({"fields": {**FIELDS, "text": "(" * 900 + "a" + ")" * 900}}, "text: is nested too deeply"),
        ({"fields": {**FIELDS, "txet": "a"}}, "txet: no such field"),
        ({"fields": {**FIELDS, "author": {"nmae": "a"}}}, "author.nmae: no such field"),
        ({"fields": {**FIELDS, "text": 3}}, "text: is no text"),
        ({"fields": {"external_id": "id", "text": "a"}}, "published_at: is needed"),
        ({"fields": {"external_id": "id", "published_at": "a"}}, 'add text = "..."'),
        ({"fields": "id"}, "is no table"),
        ({"time_format": "sometimes"}, "no way of writing times"),
        ({"timezone": "Mars"}, "no such time zone"),
        ({"since_format": "day"}, "no way of writing times"),
        ({"body": {}}, "with POST only"),
        ({"username": "me"}, "give both"),
        ({"token": "a", "username": "b", "password": "c"}, "leave one out"),
        ({"query": "acme"}, "there is no place for it"),
        ({"paging": "page"}, 'paging = "page" needs {page}'),
        ({"params": {"p": "{page}"}}, '{page} is filled in with paging = "page" only'),
        ({"paging": "cursor", "params": {"c": "{cursor}"}}, "needs next"),
        ({"paging": "offset", "params": {"o": "{offset}"}}, "needs page_size"),
        ({"paging": "link", "method": "POST"}, "with GET only"),
        ({"next": "a"}, "next is used with"),
        ({"headers": {"X": "a\nb"}}, "cannot be sent"),
        ({"params": {"a": {"b": 1}}}, "give nested data as body"),
        ({"rating_worst": 5}, "turn them round"),
    ],
)
def test_wrong_options_are_refused_by_name(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(words)):
        HttpJsonOptions.model_validate({**SOUND, **changed})


def test_fields_may_be_written_flat_or_nested() -> None:
    flat = {
        "external_id": "id",
        "published_at": "at",
        "text": "t",
        "author.name": "a",
        "reply.text": "r",
        "attributes.x": "x",
    }
    nested = {
        "external_id": "id",
        "published_at": "at",
        "text": "t",
        "author": "a",
        "reply": "r",
        "attributes": {"x": "x"},
    }
    read = [HttpJsonOptions.model_validate({**SOUND, "fields": fields}).fields for fields in (flat, nested)]
    assert read == [flat, flat]


def test_only_this_connector_knows_jmespath() -> None:
    root = Path(connectors.__file__).parent.parent
    files = [file for folder in ("connectors", "monitor", "storage") for file in (root / folder).rglob("*.py")]
    knowing = {file.name for file in files if re.search(r"(?m)^\s*(?:import|from) jmespath", file.read_text("utf-8"))}
    assert knowing == {"http_json_paths.py"}


# ------------------------------------------------------------------------------------------------ the law of cursors


def test_what_shows_up_late_is_found_on_a_later_page_within_the_overlap() -> None:
    fake = FakeByCursor()
    fake.publish(120, every=timedelta(minutes=1))
    pulls = Told(fake)
    pulls.pull()
    fake.publish(1, at=fake.newest_first()[0].at - timedelta(minutes=90))
    pulls.pull()
    assert set(pulls.stored) == fake.expected()
    fake.close()


def test_pages_that_shift_when_something_is_deleted_lose_nothing() -> None:
    fake = FakeByPage()
    fake.publish(230)
    pulls = Told(fake)
    pulls.pull(pages=2)
    del fake.seeds[-10:]
    pulls.pull()
    assert fake.expected() <= set(pulls.stored)
    fake.close()


def test_a_listing_that_was_cut_and_an_unordered_one_under_way_count_for_nothing(api: Api) -> None:
    api.answer = lambda request: (
        [entry(int(request.query["page"]))] if request.query["page"] < "3" else Answer(b"", 400)
    )
    cut = Told(api, params={"page": "{page}"}, paging="page")
    cut.pull()
    fake = FakeUnordered()
    fake.publish(120)
    unordered = Told(fake)
    unordered.pull(pages=1)
    for pulls in (cut, unordered):
        assert pulls.cursor is not None
        (state,) = pulls.cursor["places"].values()  # type: ignore[union-attr]
        assert (state["floor"], state["known"], state["at"]) == ((NOW - timedelta(days=30)).timestamp(), False, None)  # type: ignore[call-overload,index]
    fake.close()
