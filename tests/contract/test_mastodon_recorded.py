"""Every recorded answer of Mastodon, and damaged copies of them, go through the connector, served by a loopback server."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Page, Unlimited
from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, SourceError, Unavailable
from connectors.mastodon import PLUGIN, Mastodon
from connectors.mastodon_options import MastodonOptions
from connectors.mastodon_parse import time_of
from connectors.testing import Case, FakePlatform, Reply, Request
from connectors.testing.suite import Pulls
from tests.fakes.damaging import damaged_copies
from tests.fakes.mastodon import HOST, FakeMastodon

pytestmark = pytest.mark.recorded

FATES = (AccessDenied, RateLimited, Unavailable, Malformed, NotThere)
STATUSES = {401: AccessDenied, 403: AccessDenied, 404: NotThere, 422: AccessDenied, 429: RateLimited}
LONG_AGO = datetime(2015, 1, 1, tzinfo=UTC)
COPIES = 2
"""Damaged copies of each recorded answer."""


@dataclass(frozen=True)
class Recorded:
    name: str
    status: int
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)


class Replay(FakePlatform):
    """Answers everything with one body."""

    reply = Reply()

    def respond(self, request: Request) -> Reply:
        return self.reply


@pytest.fixture
def replay() -> Iterator[Replay]:
    replay = Replay()
    yield replay
    replay.close()


def answers() -> list[Recorded]:
    if "RECORDED_DATA" not in os.environ:
        pytest.skip("recorded data not present")
    folder = Path(os.environ["RECORDED_DATA"]) / "payloads" / "mastodon"
    rows = json.loads((folder / "index.json").read_text())
    return [Recorded(row["file"], row["status"], (folder / row["file"]).read_bytes()) for row in rows]


def outcome_of(call: Callable[[], list[Any]]) -> list[Any] | SourceError:
    try:
        return call()
    except SourceError as error:
        return error


def opened(replay: Replay, **options: Any) -> Mastodon:
    pulls = Pulls(Case(plugin=PLUGIN, fake=lambda: replay), replay)
    given = {"server": f"https://{HOST}", "base_url": replay.base_url, "hashtags": ["acme"], **options}
    return Mastodon(MastodonOptions.model_validate(given), pulls.context(Unlimited()))


def fetched(replay: Replay, **options: Any) -> list[Page]:
    connector = opened(replay, **options)
    try:
        return list(connector.fetch(None, LONG_AGO))
    finally:
        connector.close()


def statuses_in(data: Any) -> Iterator[dict[str, Any]]:
    """Each status, however deep, but none within another."""
    if isinstance(data, dict) and {"content", "account", "visibility", "id"} <= set(data):
        yield data
        return
    for entry in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
        yield from statuses_in(entry)


def wanted(status: dict[str, Any]) -> bool:
    return (
        status["visibility"] in ("public", "unlisted")
        and not status["account"].get("noindex")
        and status["reblog"] is None
    )


def test_no_recorded_status_is_lost_or_doubled_or_altered(replay: Replay) -> None:
    total = 0
    for answer in answers():
        statuses = {status["id"]: status for status in statuses_in(answer.data)}
        if not statuses:
            continue
        replay.reply = Reply.of_json(list(statuses.values()))
        pages = fetched(replay)
        items = {item.external_id: item for page in pages for item in page.items}
        assert Counter(item.external_id for page in pages for item in page.items) == Counter(
            f"{HOST}/{number}" for number, status in statuses.items() if wanted(status)
        ), answer.name
        assert not [entry for page in pages for entry in page.skipped], answer.name
        for number, status in statuses.items():
            if f"{HOST}/{number}" in items:
                item = items[f"{HOST}/{number}"]
                assert item.published_at == time_of(status["created_at"])
                assert item.counts.likes == status["favourites_count"]
                assert "<p>" not in (item.text or "")
                assert bool(item.text) or not status["content"].strip("</p>"), answer.name
        total += len(items)
    assert total > 100


def test_every_recorded_answer_is_statuses_or_one_of_the_fates(replay: Replay) -> None:
    for answer in answers():
        replay.reply = Reply(answer.body, answer.status)
        outcome = outcome_of(lambda: fetched(replay))
        if answer.status != 200:
            assert isinstance(outcome, STATUSES[answer.status]), answer.name
        elif not isinstance(answer.data, list):
            assert isinstance(outcome, Unavailable), answer.name
        elif not isinstance(outcome, FATES):
            told = sum(1 for entry in answer.data if next(statuses_in(entry), None) is entry and wanted(entry))
            assert sum(len(page.items) for page in outcome) == told, answer.name


def test_every_recorded_search_gives_its_statuses(replay: Replay) -> None:
    for answer in answers():
        if isinstance(answer.data, dict) and "statuses" in answer.data:
            replay.reply = Reply(answer.body)
            pages = fetched(replay, hashtags=[], access_token="x")
            assert sum(len(page.items) for page in pages) == sum(map(wanted, statuses_in(answer.data["statuses"])))


def test_every_recorded_account_tells_its_followers(replay: Replay) -> None:
    told = []
    for answer in answers():
        if isinstance(answer.data, dict) and "followers_count" in answer.data:
            replay.reply = Reply(answer.body)
            told += [reading.count for reading in opened(replay, accounts=["acme"]).followers()]
            assert told[-1] == answer.data["followers_count"]
    assert len(told) >= 3


def test_damaged_answers_never_come_to_anything_but_the_fates(replay: Replay) -> None:
    ways: list[dict[str, Any]] = [
        {},
        {"hashtags": [], "access_token": "x"},
        {"hashtags": [], "accounts": ["acme"], "boosts": True},
    ]
    for number, answer in enumerate(answers()):
        for body in damaged_copies(answer.body, COPIES, seed=number):
            replay.reply = Reply(body, answer.status)
            for options in ways:
                outcome = outcome_of(lambda options=options: fetched(replay, **options))  # type: ignore[misc]
                assert isinstance(outcome, (list, *FATES)), answer.name


def test_damaged_answers_refresh_none_but_what_was_asked_for(replay: Replay) -> None:
    fake = FakeMastodon()
    seeds = fake.publish(3)
    told = json.dumps([fake.status(seed) for seed in seeds]).encode()
    names = [fake.external_id(seed) for seed in seeds]
    fake.close()
    for body in damaged_copies(told, 150):
        replay.reply = Reply(body)
        outcome = outcome_of(lambda: list(opened(replay).refresh(names)))
        assert isinstance(outcome, FATES) or [entry.external_id for entry in outcome] == names
