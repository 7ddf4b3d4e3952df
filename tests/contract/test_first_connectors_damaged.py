"""Damaged answers, files and cursors of the first connectors: nothing but the fates, and nothing whole is lost or doubled."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from connectors.contract import Connector, Kind, Page, Unlimited
from connectors.errors import SourceError
from connectors.feeds import PLUGIN as FEEDS
from connectors.hackernews import PLUGIN as HACKERNEWS
from connectors.testing import Case, FakePlatform, Reply, Request
from connectors.testing.suite import Pulls
from monitor.samples import PLUGIN as SAMPLE
from tests.contract import test_appstore_recorded as appstore
from tests.contract import test_feeds_recorded as feeds
from tests.contract import test_hackernews_recorded as hackernews
from tests.contract import test_reddit_recorded as reddit
from tests.contract.reddit_source import Source
from tests.fakes.appstore import PATH, FakeAppStore
from tests.fakes.damaging import damaged_copies
from tests.fakes.feeds import FakeAtom, FakeFeed, FakeJsonFeed
from tests.fakes.files import Source as FileSource
from tests.fakes.hackernews import FakeHackerNews
from tests.fakes.reddit import FakeReddit, ReplayedReddit

LONG_AGO = datetime(2006, 1, 1, tzinfo=UTC)
Entries = Mapping[str, Any]


def brought(connector: Connector, since: datetime = LONG_AGO) -> tuple[Counter[str], bool]:
    """What a pull brings, by identity, and whether it came to its end; no exception but a fate gets through."""
    found: Counter[str] = Counter()
    try:
        for page in connector.fetch(None, since):
            found.update(_ids(page))
    except SourceError:
        return found, False
    finally:
        connector.close()
    return found, True


def _ids(page: Page) -> Iterable[str]:
    return (item.external_id for item in page.items)


def entries_of(body: bytes, *path: str) -> list[Any]:
    """The list that stands at ``path`` in a JSON body; none where there is no such list."""
    try:
        found = json.loads(body)
        for key in path:
            found = found[key]
    except (ValueError, KeyError, TypeError, IndexError):
        return []
    return found if isinstance(found, list) else []


def assert_whole_ones_came_once(found: Counter[str], ended: bool, there: Entries, damaged: Iterable[Any]) -> int:
    """Of a damaged answer's entries those that are as they were came, each once; how many."""
    assert set(found.values()) <= {1}
    whole = {name for name, entry in there.items() if any(entry == one for one in damaged)}
    assert not ended or whole <= set(found)
    return len(whole) if ended else 0


# ---------------------------------------------------------------------------------------------------------- answers


@pytest.mark.recorded
def test_damaged_answers_of_hacker_news() -> None:
    came = 0
    for seed, recorded in enumerate(hackernews._recorded()):
        there = {hit["objectID"]: hit for hit in entries_of(recorded.body, "hits") if "objectID" in hit}
        for copy in damaged_copies(recorded.body, 80, seed):
            replay = hackernews.Replay(hackernews.Recorded(recorded.name, recorded.path, recorded.status, copy))
            found, ended = brought(Pulls(Case(plugin=HACKERNEWS, fake=lambda it=replay: it), replay).open())  # type: ignore[misc]
            replay.close()
            came += assert_whole_ones_came_once(found, ended, there, entries_of(copy, "hits"))
    assert came > 100


class DamagedAppStore(FakeAppStore):
    """Serves one body as the first page in the form that is damaged, and in the other form what was whole."""

    def __init__(self, at: Any, whole: list[dict[str, Any]]) -> None:
        super().__init__()
        self._at, self._whole = at, whole
        self.countries = [at[1]]
        self.body = b""
        self.form = "json"

    def options(self) -> dict[str, Any]:
        return {"app_id": self._at[3], "countries": self.countries}

    def respond(self, request: Request) -> Reply:
        found = PATH.fullmatch(request.path)
        if found is None:
            return Reply.of_json({"resultCount": 1, "results": [{"trackName": "Something"}]})
        if found[2] != "1":
            return Reply.of_json({"feed": {}}) if found[4] == "json" else appstore._as_xml([])
        if found[4] == self.form:
            return Reply(self.body)
        return appstore._as_xml(self._whole) if found[4] == "xml" else Reply.of_json({"feed": {"entry": self._whole}})


@pytest.mark.recorded
@pytest.mark.parametrize("form", ["json", "xml"])
def test_damaged_answers_of_the_app_store(form: str) -> None:
    recorded = [entry for entry in appstore._recorded() if entry[1] == 200]
    if not recorded:
        pytest.skip("recorded data not present")
    came = 0
    for seed, (path, _, body) in enumerate(recorded):
        whole = entries_of(body, "feed", "entry")
        replay = DamagedAppStore(PATH.fullmatch(path), whole)
        replay.form = form
        there = {entry["id"]["label"]: entry for entry in whole}
        served = body if form == "json" else appstore._as_xml(whole).body
        for copy in damaged_copies(served, 60, seed):
            replay.body = copy
            case = Case(plugin=registry.plugin("appstore"), fake=lambda it=replay: it, kind=Kind.REVIEW)  # type: ignore[misc]
            found, ended = brought(Pulls(case, replay).open())
            damaged = entries_of(copy, "feed", "entry") if form == "json" else []
            came += assert_whole_ones_came_once(found, ended, there, damaged)
            came += form == "xml" and bool(found)
        replay.close()
    assert came > 20


@pytest.mark.recorded
def test_damaged_answers_of_reddit() -> None:
    fake, came = ReplayedReddit(), 0
    for seed, answer in enumerate(reddit.answers()):
        children = [child for child in answer.children or [] if child.get("kind") in ("t1", "t3")]
        there = {child["data"]["name"]: child for child in children}
        for copy in damaged_copies(answer.body, 4 if answer.children else 2, seed):
            fake.reply = Reply(copy, answer.status, answer.headers)
            source = Source(fake, subreddits=["acme"], comments=False)
            found, ended = brought(source.open(Unlimited()), datetime(2005, 1, 1, tzinfo=UTC))
            came += assert_whole_ones_came_once(found, ended, there, entries_of(copy, "data", "children"))
    fake.close()
    assert came > 100


@pytest.mark.recorded
def test_damaged_feeds(tmp_path: Path) -> None:
    fake, read = FakeFeed(), 0
    for seed, path in enumerate(feeds.documents()[::3]):
        for copy in damaged_copies(path.read_bytes(), 2, seed):
            (there := tmp_path / path.name).write_bytes(copy)
            outcome = feeds.outcome(fake, there)
            assert len(outcome.first) == len(outcome.stored), path.name
            assert outcome.refused or outcome.stored_again == outcome.stored, path.name
            if not outcome.refused and path.suffix != ".json":
                cut = 1  # the last entry may have lost its end: it is read once it is whole
                assert feeds.distinct(there) - cut <= len(outcome.first) <= feeds.distinct(there), path.name
                read += len(outcome.first)
    fake.close()
    assert read > 200


@pytest.mark.parametrize("kind", [FakeFeed, FakeAtom, FakeJsonFeed])
def test_damaged_feeds_of_each_form(kind: type[FakeFeed]) -> None:
    fake = kind()
    fake.publish(12)
    body = fake.body()
    read = 0
    for copy in damaged_copies(body, 75, seed=5):
        fake.document = copy
        found, _ = brought(Pulls(Case(plugin=FEEDS, fake=kind), fake).open())
        assert set(found.values()) <= {1}
        read += len(found)
    fake.close()
    assert read > 150


# ------------------------------------------------------------------------------------------------------------- files


@pytest.mark.recorded
@pytest.mark.parametrize("name", ["reviews.jsonl", "reviews_array.json", "reviews_comma.csv", "reviews_cp1252.tsv"])
def test_damaged_files(tmp_path: Path, name: str) -> None:
    from tests.contract import test_files_recorded as files

    body = files.recorded(f"payloads/import/{name}").read_bytes()
    path, came = tmp_path / name, 0
    for copy in damaged_copies(body, 60, seed=6):
        path.write_bytes(copy)
        source = files.at_rest(path)
        with suppress(SourceError):
            found = Counter(item.external_id for item in source.pull())
            assert set(found.values()) <= {1}
            came += len(found)
            assert source.pull() == [], "a second look brings nothing"
    assert came > 100


@pytest.mark.recorded
def test_a_damaged_line_of_a_file_costs_no_other(tmp_path: Path) -> None:
    from tests.contract import test_files_recorded as files

    lines = files.recorded("payloads/import/reviews.jsonl").read_bytes().splitlines()
    rows = {json.loads(line)["id"]: line for line in lines}
    path = tmp_path / "reviews.jsonl"
    for seed in range(60):
        number = seed % len(lines)
        (copy,) = damaged_copies(lines[number], 1, seed)
        there = [*lines[:number], copy.replace(b"\n", b" "), *lines[number + 1 :]]
        path.write_bytes(b"\n".join(there) + b"\n")
        source: FileSource = files.at_rest(path)
        found = Counter(item.external_id.partition(":")[2] for item in source.pull())
        assert set(found.values()) <= {1}
        assert {name for name, line in rows.items() if line in there} <= set(found)


# ----------------------------------------------------------------------------------------------------------- cursors


class NoPlatform(FakePlatform):
    """The sample data ask nobody."""

    def options(self) -> Mapping[str, Any]:
        return {"stream": "reddit"}


class SamplePulls(Pulls):
    def open(self, budget: Any = None) -> Connector:
        return SAMPLE.open(SAMPLE.options.model_validate(self.fake.options()), self.context(budget or Unlimited()))


CASES: Mapping[str, type[FakePlatform]] = {
    "hackernews": FakeHackerNews,
    "appstore": FakeAppStore,
    "feeds": FakeFeed,
    "reddit": FakeReddit,
    "sample": NoPlatform,
}


@pytest.fixture
def pulls(request: pytest.FixtureRequest) -> Iterator[Pulls]:
    name = request.param
    fake = CASES[name]()
    fake.publish(60)
    kind = SamplePulls if name == "sample" else Pulls
    yield kind(Case(plugin=registry.plugin(name), fake=CASES[name]), fake)
    fake.close()


@pytest.mark.parametrize("pulls", CASES, indirect=True)
def test_damaged_cursors_raise_nothing_but_the_fates(pulls: Pulls) -> None:
    pulls.pull()
    assert pulls.cursor is not None
    came = 0
    for copy in damaged_copies(json.dumps(pulls.cursor).encode(), 60, seed=8):
        try:
            held = json.loads(copy)
        except ValueError:
            continue
        if isinstance(held, dict):
            pulls.cursor = held
            with suppress(SourceError):
                found = Counter(item.external_id for item in pulls.pull(pages=3))
                came += len(found)
    assert came > 0


def test_damaged_cursors_of_files(tmp_path: Path) -> None:
    path = tmp_path / "reviews.jsonl"
    lines = [{"id": str(n), "text": "fine", "date": "2026-10-01T10:00:00Z"} for n in range(20)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    source = FileSource(path)
    source.now = datetime.now(UTC) + timedelta(hours=1)
    assert len(source.pull()) == 20
    whole = json.dumps(source.cursor).encode()
    came = 0
    for copy in damaged_copies(whole, 100, seed=9):
        with suppress(ValueError):
            held = json.loads(copy)
            if isinstance(held, dict):
                source.cursor = held
                with suppress(SourceError):
                    came += len(source.pull())
    assert came > 0
