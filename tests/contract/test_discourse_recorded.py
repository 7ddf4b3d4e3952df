"""Every recorded answer goes through, whole and damaged."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Connector, Page, Refreshed, Refreshes
from connectors.discourse import PLUGIN
from connectors.discourse_parse import Forum, item_of, skip
from connectors.errors import NotThere, RateLimited, SourceError, Unavailable
from connectors.testing import Case, FakePlatform, Reply, Request
from connectors.testing.suite import Pulls
from tests.fakes.damaging import damaged_copies
from tests.fakes.discourse import FakeDiscourseSearch

LONG_AGO = datetime(2012, 1, 1, tzinfo=UTC)
POST = "forum.example/11"


@dataclass(frozen=True)
class Recorded:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Replay(FakePlatform):
    """Answers everything with one body, but single posts with ``post`` if there is one."""

    def __init__(self) -> None:
        super().__init__()
        self.reply, self.mode = Reply(), "everything"
        self.post: bytes | None = None

    def options(self) -> Mapping[str, Any]:
        return {"forum": "https://forum.example", "mode": self.mode}

    def respond(self, request: Request) -> Reply:
        return Reply(self.post) if self.post is not None and request.path.startswith("/posts/") else self.reply

    def serve(self, body: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        self.reply = Reply(body, status, headers or {})


def recorded() -> dict[str, Recorded]:
    folder = Path(os.environ.get("RECORDED_DATA", "/nowhere")) / "payloads" / "discourse"
    if not folder.is_dir():
        pytest.skip("recorded data not present")
    rows = json.loads((folder / "index.json").read_text())
    return {row["file"]: Recorded(row["status"], row["headers"], (folder / row["file"]).read_bytes()) for row in rows}


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
    came = 0
    for mode in ("everything", "search"):
        replay.mode = mode
        connector = opened(replay)
        assert isinstance(connector, Refreshes)
        with suppress(SourceError):
            came += sum(len(page.items) + len(page.skipped) for page in connector.fetch(None, LONG_AGO))
        with suppress(SourceError):
            came += len(list(connector.refresh([POST])))
        connector.close()
    return came


@pytest.mark.recorded
def test_the_recorded_latest_posts_arrive_once(replay: Replay) -> None:
    replay.serve(recorded()["posts_before.json"].body)
    pages = pull(replay)
    brought = [item for page in pages for item in page.items]
    assert [item.external_id for item in brought] == [f"forum.example/{number}" for number in (14, 10, 2)]
    assert brought[0].text == "hi there. hi there. hi there."
    assert {item.published_at.year for item in brought} == {2020}
    assert not [entry for page in pages for entry in page.skipped]


@pytest.mark.recorded
def test_the_recorded_post_is_read_again(replay: Replay) -> None:
    replay.serve(recorded()["post.json"].body)
    connector = opened(replay)
    assert isinstance(connector, Refreshes)
    (seen,) = connector.refresh([POST])
    assert isinstance(seen, Refreshed)
    assert seen.counts is not None
    assert (seen.counts.likes, seen.counts.comments, seen.gone) == (0, 0, False)


@pytest.mark.recorded
def test_every_post_of_the_recorded_topic_is_an_item() -> None:
    posts = json.loads(recorded()["topic.json"].body)["post_stream"]["posts"]
    items = [item_of(post, Forum("https://forum.example"), "A title") for post in posts]
    assert len({item.external_id for item in items}) == len(posts) == 4
    assert [bool(item.text) for item in items] == [True, True, False, True]  # one is a picture


@pytest.mark.recorded
def test_the_old_shape_of_a_search_is_refused(replay: Replay) -> None:
    replay.mode = "search"
    replay.serve(recorded()["search.json"].body)
    with pytest.raises(Unavailable):
        pull(replay)


@pytest.mark.recorded
def test_the_recorded_refusals_have_their_fates(replay: Replay) -> None:
    answers = recorded()
    slow, gone = answers["c_error_429.json"], answers["c_error_404.json"]
    replay.serve(slow.body, slow.status)
    with pytest.raises(RateLimited) as caught:
        pull(replay)
    assert caught.value.retry_after == timedelta(seconds=12)
    replay.serve(gone.body, gone.status)
    with pytest.raises(NotThere):
        pull(replay)
    connector = opened(replay)
    assert isinstance(connector, Refreshes)
    assert list(connector.refresh([POST])) == [Refreshed(POST, None, gone=True)]


@pytest.mark.recorded
def test_answers_whole_and_damaged_raise_nothing_but_the_fates(replay: Replay) -> None:
    came = 0
    for seed, (_, answer) in enumerate(sorted(recorded().items())):
        for body in (answer.body, *damaged_copies(answer.body, 25, seed)):
            replay.serve(body, answer.status, answer.headers)
            came += use_everything(replay)
    assert came > 100


def test_damaged_searches_and_posts_raise_nothing_but_the_fates(replay: Replay) -> None:
    fake = FakeDiscourseSearch()
    seeds = fake.publish(3)
    found, replay.post = json.dumps(fake.found("acme", 1)).encode(), json.dumps(fake.post(seeds[0])).encode()
    fake.close()
    came = 0
    for damaged in damaged_copies(found, 80, seed=5):
        replay.serve(damaged)
        came += use_everything(replay)
    replay.serve(found)
    for damaged in damaged_copies(replay.post, 80, seed=6):
        replay.post = damaged
        came += use_everything(replay)
    assert came > 100


def test_a_search_that_always_has_more_ends(replay: Replay) -> None:
    fake = FakeDiscourseSearch()
    (seed,) = fake.publish(1)
    found = fake.found("acme", 1)
    found["grouped_search_result"]["more_full_page_results"] = True
    replay.mode, replay.post = "search", json.dumps(fake.post(seed)).encode()
    fake.close()
    replay.serve(json.dumps(found).encode())
    assert {item.external_id for page in pull(replay) for item in page.items} == {fake.external_id(seed)}
    assert len(replay.loopback.requests) < 100


def test_a_skip_names_a_post_and_not_what_stands_in_it() -> None:
    assert skip({"id": 7, "cooked": "secret"}, ValueError("secret")).what == "post 7"
    assert "secret" not in skip({"id": 7}, ValueError("secret")).why
