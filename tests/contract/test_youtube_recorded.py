"""Every recorded answer goes through, whole and damaged."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Connector, CountsFollowers, Page, Refreshes
from connectors.errors import AccessDenied, SourceError
from connectors.testing import Case, FakePlatform, Reply, Request
from connectors.testing.suite import Pulls
from connectors.youtube import PLUGIN
from tests.fakes.damaging import damaged_copies
from tests.fakes.youtube import FILM, KEY, OWN, FakeChannel, FakeYouTube

LONG_AGO = datetime(2005, 1, 1, tzinfo=UTC)
SERVED = {
    "search": "search",
    "videos": "videos",
    "comment_threads": "commentThreads",
    "comments": "comments",
    "channels": "channels",
    "channel": "channels",
    "playlist": "playlistItems",
    "activities": "playlistItems",
}
"""What a recorded file's name begins with, and the resource that answers so."""


class Replay(FakePlatform):
    """Answers one resource with one body, once (the first page), and the others with an empty list."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.status, self.resource, self.again = b"", 200, "search", False

    def options(self) -> Mapping[str, Any]:
        searched = {"query": "acme"} if self.resource in ("search", "videos") else {"videos": [FILM]}
        return {"api_key": KEY, "channels": [OWN], **searched, "search_hours": 0, "daily_units": 10**7}

    def respond(self, request: Request) -> Reply:
        resource = request.path.strip("/")
        if self.status != 200 or (resource == self.resource and (self.again or "pageToken" not in request.query)):
            return Reply(self.body, self.status)
        if self.resource == "videos" and resource == "search":
            return Reply.of_json({"kind": "youtube#searchListResponse", "items": [{"id": {"videoId": FILM}}]})
        if self.resource == "search" and resource == "videos":
            return Reply.of_json({"kind": "youtube#videoListResponse", "items": [self._video(request)]})
        return Reply.of_json({"kind": "youtube#emptyListResponse", "items": []})

    def _video(self, request: Request) -> Mapping[str, Any]:
        first = request.query["id"].split(",")[0]
        return {"id": first, "snippet": {"publishedAt": "2020-01-01T00:00:00Z", "title": "Acme"}}


def recorded() -> dict[str, tuple[int, bytes]]:
    folder = Path(os.environ.get("RECORDED_DATA", "/nowhere")) / "payloads" / "youtube"
    if not folder.is_dir():
        pytest.skip("recorded data not present")
    rows = json.loads((folder / "index.json").read_text())
    return {row["file"]: (row["status"] or 400, (folder / row["file"]).read_bytes()) for row in rows}


def resource_of(name: str) -> str:
    return next((resource for start, resource in SERVED.items() if name.startswith(start)), "search")


@pytest.fixture
def replay() -> Iterator[Replay]:
    replay = Replay()
    yield replay
    replay.close()


def opened(replay: FakePlatform) -> Connector:
    return Pulls(Case(plugin=PLUGIN, fake=lambda: replay), replay).open()


def pull(replay: Replay, name: str) -> list[Page]:
    replay.status, replay.body = recorded()[name]
    replay.resource = resource_of(name)
    connector = opened(replay)
    try:
        return list(connector.fetch(None, LONG_AGO))
    finally:
        connector.close()


def ids(pages: list[Page]) -> Counter[str]:
    return Counter(item.external_id for page in pages for item in page.items)


def use_everything(replay: FakePlatform, cursor: Any = None) -> int:
    """Do with the answer whatever a connector does; how much came of it."""
    connector = opened(replay)
    assert isinstance(connector, Refreshes)
    assert isinstance(connector, CountsFollowers)
    came = 0
    for use in (
        lambda: connector.fetch(cursor, LONG_AGO),
        lambda: connector.refresh([f"video:{FILM}", "comment:Ugx1", "comment:Ugx1.r"]),
        connector.followers,
    ):
        with suppress(SourceError):
            came += sum(len(one.items) if isinstance(one, Page) else 1 for one in use())
    connector.close()
    return came


@pytest.mark.recorded
@pytest.mark.parametrize(
    "name", ["videos_videos_chart_paged_1.json", "videos_videos_chart_paged_2.json", "videos_videos_info_single.json"]
)
def test_every_recorded_video_arrives_once(replay: Replay, name: str) -> None:
    pages = pull(replay, name)
    entries = json.loads(recorded()[name][1])["items"]
    assert set(ids(pages)) == {f"video:{entry['id']}" for entry in entries}
    assert not [entry for page in pages for entry in page.skipped]


@pytest.mark.recorded
@pytest.mark.parametrize("kind", ["single", "by_channel", "multi"])
def test_every_recorded_comment_arrives_plain(replay: Replay, kind: str) -> None:
    name = f"comment_threads_comment_thread{'' if kind == 'single' else 's'}_{kind}.json"
    pages = pull(replay, name)
    entries = json.loads(recorded()[name][1])["items"]
    came = {item.external_id: item for page in pages for item in page.items}
    assert set(came) == {f"comment:{entry['id']}" for entry in entries}
    for entry in entries:
        said = entry["snippet"]["topLevelComment"]["snippet"]
        item = came[f"comment:{entry['id']}"]
        assert item.text == said["textOriginal"].strip()
        assert item.author is not None
        assert item.author.id == said["authorChannelId"]["value"]
        assert item.counts.likes == said["likeCount"]
    assert not [entry for page in pages for entry in page.skipped]


@pytest.mark.recorded
def test_every_recorded_reply_is_read(replay: Replay) -> None:
    seen = 0
    for name in ("comments_comments_by_parent_paged_1.json", "comments_comments_by_parent_paged_2.json"):
        replay.status, replay.body = recorded()[name]
        replay.resource = "comments"
        connector = opened(replay)
        pending: Any = {"Ugw5zYU6n9pmIgAZWvN4AaABAg": {"video": FILM, "count": 3, "token": None}}
        pages = list(connector.fetch({"pending": pending}, LONG_AGO))
        connector.close()
        assert not [entry for page in pages for entry in page.skipped]
        assert set(ids(pages).values()) == {1}
        seen += len(ids(pages))
    assert seen == 3


@pytest.mark.recorded
def test_every_video_of_a_recorded_search_is_asked_for_once(replay: Replay) -> None:
    for name in ("search_search_by_developer.json", "search_search_by_keywords_p1.json", "search_search_channels.json"):
        replay.loopback.requests.clear()
        pull(replay, name)
        asked = [one.query["id"].split(",") for one in replay.loopback.requests if one.path == "/videos"]
        entries = json.loads(recorded()[name][1])["items"]
        wanted = [entry["id"]["videoId"] for entry in entries if "videoId" in entry["id"]]
        assert [number for some in asked for number in some] == wanted


@pytest.mark.recorded
def test_the_recorded_refusals_have_their_fates(replay: Replay) -> None:
    with pytest.raises(AccessDenied, match="key is not valid"):
        pull(replay, "error_response.json")
    assert ids(pull(replay, "c_empty_search.json")) == Counter()


@pytest.mark.recorded
def test_the_recorded_refusal_of_comments_is_no_failure() -> None:
    fake = FakeChannel()
    fake.refuse["commentThreads"] = (
        403,
        json.loads(recorded()["c_error_403_comments_disabled.json"][1])["error"]["errors"][0]["reason"],
    )
    connector = opened(fake)
    assert not [page for page in connector.fetch(None, LONG_AGO) if page.gap or page.items]
    connector.close()
    fake.close()


@pytest.mark.recorded
def test_damaged_answers_raise_nothing_but_the_fates(replay: Replay) -> None:
    came = 0
    for seed, (name, (status, body)) in enumerate(sorted(recorded().items())):
        replay.status, replay.resource = status, resource_of(name)
        for damaged in damaged_copies(body, 5, seed):
            replay.body = damaged
            came += use_everything(replay)
    assert came > 300


@pytest.mark.parametrize("path", ["search", "videos", "commentThreads", "comments", "channels", "playlistItems"])
def test_damaged_answers_of_the_fake_raise_nothing_but_the_fates(replay: Replay, path: str) -> None:
    fake = FakeYouTube() if path in ("search", "videos") else FakeChannel()
    fake.publish(4)
    fake.replies = 4
    query = {"id": "v0000000001,v0000000002"} if path == "videos" else {"maxResults": "50", "parentId": "Ugx00000001"}
    body = getattr(fake, f"_{path}")(query).body
    fake.close()
    replay.resource = path
    for damaged in damaged_copies(body, 60, seed=5):
        replay.body = damaged
        use_everything(replay, {"pending": {"Ugx1": {"video": None, "count": 9, "token": None}}})
    assert len(replay.loopback.requests) > 60


def test_damaged_cursors_raise_nothing_but_the_fates() -> None:
    fake = FakeChannel()
    fake.publish(4)
    fake.replies = 4
    connector = opened(fake)
    cursor = [page.cursor for page in connector.fetch(None, LONG_AGO)][-2]
    connector.close()
    for damaged in damaged_copies(json.dumps(cursor).encode(), 100, seed=7):
        with suppress(ValueError):
            held = json.loads(damaged)
            assert use_everything(fake, held if isinstance(held, dict) else None) >= 0
    fake.close()
