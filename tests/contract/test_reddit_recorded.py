"""Every recorded answer of Reddit goes through PRAW and the connector, served by a loopback server."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Page, Unlimited
from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, SourceError, Unavailable
from connectors.testing import Reply
from tests.contract.reddit_source import Source
from tests.fakes.reddit import ReplayedReddit

pytestmark = pytest.mark.recorded

FATES = {AccessDenied, RateLimited, Unavailable, Malformed, NotThere}
LONG_AGO = datetime(2005, 1, 1, tzinfo=UTC)
PROMPTLY_SECONDS = 3
KEPT_HEADERS = ("content-type", "location", "retry-after")


@dataclass(frozen=True)
class Recorded:
    """One recorded answer."""

    name: str
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def children(self) -> list[Any] | None:
        """The entries of a listing; ``None`` if it is none."""
        good = self.status == 200 and isinstance(self.data, dict) and self.data.get("kind") == "Listing"
        return self.data["data"]["children"] if good else None


def answers() -> list[Recorded]:
    if "RECORDED_DATA" not in os.environ:
        pytest.skip("recorded data not present")
    folder = Path(os.environ["RECORDED_DATA"]) / "payloads" / "reddit"
    rows = json.loads((folder / "index.json").read_text())
    return [Recorded(row["file"], row["status"], _headers(row), (folder / row["file"]).read_bytes()) for row in rows]


def _headers(row: Any) -> dict[str, str]:
    wanted = {name: value for name, value in row["headers"].items() if name in KEPT_HEADERS or "ratelimit" in name}
    return {name.title(): value for name, value in wanted.items()}


@pytest.fixture
def fake() -> Iterator[ReplayedReddit]:
    fake = ReplayedReddit()
    yield fake
    fake.close()


def test_no_recorded_listing_loses_or_doubles_an_item(fake: ReplayedReddit) -> None:
    listings = [answer for answer in answers() if answer.children is not None]
    for answer in listings:
        fake.reply = Reply(answer.body, answer.status, answer.headers)
        pages = fetched(fake)
        brought = Counter(item.external_id for page in pages for item in page.items)
        assert brought == Counter(names_of(answer.children or [])), answer.name
        assert len(pages[0].skipped) == len(answer.children or []) - len(brought), answer.name
    assert len(listings) > 20


def test_no_post_or_comment_anywhere_in_the_recordings_is_lost(fake: ReplayedReddit) -> None:
    """Replies within threads and answers to "more" are put into listings of their own."""
    total = 0
    for answer in answers():
        things = list({thing["data"]["name"]: thing for thing in things_in(answer.data)}.values())
        for start in range(0, len(things), 100):
            part = things[start : start + 100]
            fake.reply = Reply.of_json({"kind": "Listing", "data": {"children": part, "after": None}})
            items = [item for page in fetched(fake) for item in page.items]
            assert [item.external_id for item in items] == names_of(part), answer.name
            assert all(item.title or item.text or item.author is None for item in items), answer.name
            assert all(item.url and item.url.startswith("https://www.reddit.com/") and item.place for item in items)
            total += len(part)
    assert total > 1000


def test_every_other_recorded_answer_is_one_of_the_fates(fake: ReplayedReddit) -> None:
    others = [answer for answer in answers() if answer.children is None]
    for answer in others:
        fake.reply = Reply(answer.body, answer.status, answer.headers)
        started = time.monotonic()
        with pytest.raises(SourceError) as caught:
            fetched(fake)
        assert type(caught.value) in FATES, answer.name
        assert time.monotonic() - started < PROMPTLY_SECONDS, answer.name
    assert len(others) > 40


def test_every_recorded_answer_in_place_of_a_token_is_one_of_the_fates(fake: ReplayedReddit) -> None:
    for answer in answers():
        reply = Reply(answer.body, answer.status, answer.headers)
        fake.sign_in = lambda reply=reply: reply  # type: ignore[misc]
        with pytest.raises(SourceError) as caught:
            fetched(fake)
        assert type(caught.value) in FATES, answer.name


def test_every_recorded_thing_is_refreshed_once(fake: ReplayedReddit) -> None:
    for answer in answers():
        names = list(dict.fromkeys(thing["data"]["name"] for thing in things_in(answer.data)))[:100]
        things = {thing["data"]["name"]: thing for thing in things_in(answer.data)}
        fake.reply = Reply.of_json({"kind": "Listing", "data": {"children": [things[name] for name in names]}})
        fresh = list(Source(fake).open().refresh(names))
        assert [entry.external_id for entry in fresh] == names, answer.name
        assert all(entry.gone is (entry.counts is None) for entry in fresh)


def test_recorded_communities_tell_their_subscribers(fake: ReplayedReddit) -> None:
    communities = [t5 for answer in answers() for t5 in things_in(answer.data, kinds=("t5",))][:100]
    fake.reply = Reply.of_json({"kind": "Listing", "data": {"children": communities}})
    readings = list(Source(fake, subreddits=["acme"]).open().followers())
    told = [t5["data"]["subscribers"] for t5 in communities if t5["data"].get("subscribers") is not None]
    assert [reading.count for reading in readings] == told
    assert len(told) > 30


def fetched(fake: ReplayedReddit) -> list[Page]:
    source = Source(fake, subreddits=["acme"], comments=False)
    source.now = datetime(2026, 11, 1, tzinfo=UTC)
    connector = source.open(Unlimited())
    try:
        return list(connector.fetch(None, LONG_AGO))
    finally:
        connector.close()


def names_of(children: Sequence[Any]) -> list[str]:
    return [child["data"]["name"] for child in children if child["kind"] in ("t1", "t3")]


def things_in(data: Any, kinds: Sequence[str] = ("t1", "t3")) -> Iterator[Any]:
    """Each post and comment, however deep."""
    if isinstance(data, dict):
        if data.get("kind") in kinds and isinstance(data.get("data"), dict):
            yield data
        data = list(data.values())
    if isinstance(data, list):
        for entry in data:
            yield from things_in(entry, kinds)
