"""Every recorded answer goes through, whole and damaged; API v4, of which none is recorded, in the fake's shape."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Connector, CountsFollowers, Page, Refreshes
from connectors.errors import NotThere, SourceError
from connectors.lemmy import PLUGIN
from connectors.testing import Case, FakePlatform, Reply, Request
from connectors.testing.suite import Pulls
from tests.fakes.damaging import damaged_copies
from tests.fakes.lemmy import FakeLemmy, FakeLemmy1

LONG_AGO = datetime(2019, 1, 1, tzinfo=UTC)


class Replay(FakePlatform):
    """Answers everything with one body."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.status, self.version = b"", 200, "v3"

    def options(self) -> Mapping[str, Any]:
        return {
            "server": "lemmy.example",
            "communities": ["technology"],
            "posts": True,
            "comments": False,
            "version": self.version,
        }

    def respond(self, request: Request) -> Reply:
        return Reply(self.body, self.status)


def recorded() -> dict[str, tuple[int, bytes]]:
    folder = Path(os.environ.get("RECORDED_DATA", "/nowhere")) / "payloads" / "lemmy"
    if not folder.is_dir():
        pytest.skip("recorded data not present")
    rows = json.loads((folder / "index.json").read_text())
    return {row["file"]: (row["status"], (folder / row["file"]).read_bytes()) for row in rows}


@pytest.fixture
def replay() -> Iterator[Replay]:
    replay = Replay()
    yield replay
    replay.close()


def opened(replay: Replay) -> Connector:
    return Pulls(Case(plugin=PLUGIN, fake=lambda: replay), replay).open()


def pull(replay: Replay) -> list[Page]:
    connector = opened(replay)
    try:
        return list(connector.fetch(None, LONG_AGO))
    finally:
        connector.close()


def use_everything(replay: Replay) -> int:
    """Do with the answer whatever a connector does; how much came of it."""
    connector = opened(replay)
    assert isinstance(connector, Refreshes)
    assert isinstance(connector, CountsFollowers)
    came = 0
    for use in (
        lambda: connector.fetch(None, LONG_AGO),
        lambda: connector.refresh(["https://lemmy.example/post/7"]),
        connector.followers,
    ):
        with suppress(SourceError):
            came += len(list(use()))
    connector.close()
    return came


@pytest.mark.recorded
def test_the_recorded_posts_arrive_once_and_the_removed_one_stays_out(replay: Replay) -> None:
    replay.status, replay.body = recorded()["c_v3_search_posts_page1.json"]
    pages = pull(replay)
    first = [item.external_id for item in pages[0].items]
    assert first == ["https://lemmy.example/post/7", "https://lemmy.example/post/9"]
    assert not [entry for page in pages for entry in page.skipped]
    assert pages[0].items[0].text == "Long story, **short**: avoid Acme & friends"
    assert pages[0].items[1].published_at.tzinfo is UTC


@pytest.mark.recorded
def test_the_recorded_empty_search_is_no_fault(replay: Replay) -> None:
    replay.status, replay.body = recorded()["c_v3_search_empty.json"]
    assert [list(page.items) for page in pull(replay)] == [[]]


@pytest.mark.recorded
def test_the_recorded_refusal_is_not_there(replay: Replay) -> None:
    replay.status, replay.body = recorded()["c_error_400.json"]
    with pytest.raises(NotThere):
        pull(replay)


@pytest.mark.recorded
def test_damaged_answers_raise_nothing_but_the_fates(replay: Replay) -> None:
    came = 0
    for seed, (_, (status, body)) in enumerate(sorted(recorded().items())):
        for damaged in damaged_copies(body, 75, seed):
            replay.status, replay.body = status, damaged
            came += use_everything(replay)
    assert came > 100


@pytest.mark.parametrize("version", [FakeLemmy, FakeLemmy1], ids=["v3", "v4"])
@pytest.mark.parametrize("path", ["post/list", "resolve_object", "community"])
def test_damaged_answers_of_each_version_raise_nothing_but_the_fates(
    replay: Replay, version: type[FakeLemmy], path: str
) -> None:
    fake = version()
    fake.publish(3)
    query = {"limit": "50", "page": "1", "q": "https://lemmy.example/post/1", "name": "technology"}
    body = fake.answer(path, query).body
    fake.close()
    replay.version = fake.version
    came = 0
    for damaged in damaged_copies(body, 75, seed=3):
        replay.body = damaged
        came += use_everything(replay)
    assert came > 0
