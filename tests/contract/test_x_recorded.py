"""Every recorded answer goes through, whole and damaged."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.contract import Connector, CountsFollowers, Page, Refreshes
from connectors.errors import AccessDenied, RateLimited, SourceError
from connectors.testing import Case
from connectors.testing.suite import Pulls
from connectors.x import PLUGIN
from tests.fakes.damaging import damaged_copies
from tests.fakes.replay import Replay, recorded
from tests.fakes.x import FakeX

LONG_AGO = datetime(2007, 1, 1, tzinfo=UTC)


class XReplay(Replay):
    token = 0

    def options(self) -> Mapping[str, Any]:
        return {"bearer_token": f"a-token-{self.token}", "accounts": ["acme"], "refreshes_per_day": 10**9}


@pytest.fixture
def replay() -> Iterator[XReplay]:
    replay = XReplay()
    yield replay
    replay.close()


def opened(replay: XReplay) -> Connector:
    XReplay.token += 1
    return Pulls(Case(plugin=PLUGIN, fake=lambda: replay), replay).open()


def pull(replay: XReplay) -> list[Page]:
    connector = opened(replay)
    try:
        return list(connector.fetch(None, LONG_AGO))
    finally:
        connector.close()


def use_everything(replay: XReplay) -> int:
    """Do with the answer whatever a connector does; how much came of it."""
    came = 0
    connector = opened(replay)
    assert isinstance(connector, Refreshes)
    assert isinstance(connector, CountsFollowers)
    with suppress(SourceError):
        came += sum(len(page.items) for page in connector.fetch(None, LONG_AGO))
    with suppress(SourceError):
        came += len(list(connector.refresh(["1", "2"])))
    with suppress(SourceError):
        came += len(list(connector.followers()))
    with suppress(SourceError):
        connector.check()
    connector.close()
    return came


@pytest.mark.recorded
def test_every_post_of_every_recorded_listing_arrives_once(replay: XReplay) -> None:
    came = 0
    for name, (status, body) in recorded("x").items():
        said = json.loads(body)
        posts = said.get("data") if isinstance(said, dict) and status == 200 else None
        if not isinstance(posts, list) or not all("text" in post for post in posts) or "sender_id" in posts[0]:
            continue
        replay.body, replay.status = body, status
        pages = pull(replay)
        brought = Counter(item.external_id for page in pages for item in page.items)
        damaged = {entry.what for page in pages for entry in page.skipped}
        firsts = {min(post.get("edit_history_tweet_ids", [post["id"]]), key=int) for post in posts}
        lost = firsts - set(brought) - {what.removeprefix("post ") for what in damaged}
        assert not lost, name
        assert set(brought.values()) <= {1}, name
        came += len(brought)
    assert came > 100


@pytest.mark.recorded
def test_a_suspended_author_is_known_by_id_alone(replay: XReplay) -> None:
    replay.status, replay.body = recorded("x")["c_partial_errors_200.json"]
    (item,) = (item for page in pull(replay) for item in page.items)
    assert item.author is not None
    assert (item.author.id, item.author.name, item.counts.views) == ("9", None, 99)


@pytest.mark.recorded
def test_the_recorded_refusals_have_their_fates(replay: XReplay) -> None:
    bodies = recorded("x")
    replay.status, replay.body = bodies["c_error_403_not_enrolled.json"]
    with pytest.raises(AccessDenied, match="project"):
        pull(replay)
    for name in ("tweets_data_rate_limit_exceeded_error.json", "users_data_rate_limit_exceeded_error.json"):
        for status in (200, 429):
            replay.body, replay.status = bodies[name][1], status
            with pytest.raises(RateLimited):
                pull(replay)


@pytest.mark.recorded
def test_answers_whole_and_damaged_raise_nothing_but_the_fates(replay: XReplay) -> None:
    came = 0
    for seed, (_, (status, body)) in enumerate(sorted(recorded("x").items())):
        for copy in (body, *damaged_copies(body, 3, seed)):
            replay.body, replay.status = copy, status
            came += use_everything(replay)
    assert came > 100


def test_damaged_posts_raise_nothing_but_the_fates(replay: XReplay) -> None:
    fake = FakeX()
    posts = [fake.post(seed) for seed in fake.publish(3)]
    fake.close()
    whole = {"data": posts, "includes": {"users": [{"id": "99", "username": "a"}]}, "meta": {"next_token": "t"}}
    came = 0
    for copy in damaged_copies(json.dumps(whole).encode(), 70, seed=3):
        replay.body = copy
        came += use_everything(replay)
    assert came > 100
