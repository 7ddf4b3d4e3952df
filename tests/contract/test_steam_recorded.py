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

from connectors.contract import Connector, Kind, Page, ShowsStanding
from connectors.errors import NotThere, SourceError
from connectors.steam import PLUGIN
from connectors.testing import Case, FakePlatform, Reply, Request
from connectors.testing.suite import Pulls
from tests.fakes.damaging import damaged_copies

LONG_AGO = datetime(2003, 1, 1, tzinfo=UTC)
pytestmark = pytest.mark.recorded


class Replay(FakePlatform):
    """Serves bodies one after the other, the last one again and again; ``wrapped`` as the Web API has them."""

    def __init__(self) -> None:
        super().__init__()
        self.wrapped = False
        self._bodies = [b""]

    def serve(self, *bodies: bytes) -> None:
        self._bodies = list(bodies)
        self.loopback.requests.clear()

    def options(self) -> Mapping[str, Any]:
        return {"app_id": "295270", "api": "successor" if self.wrapped else "store"}

    def respond(self, request: Request) -> Reply:
        body = self._bodies[min(len(self.loopback.requests), len(self._bodies)) - 1]
        return Reply(b'{"response":' + body + b"}" if self.wrapped else body)


def recorded() -> dict[str, bytes]:
    folder = Path(os.environ.get("RECORDED_DATA", "/nowhere")) / "payloads" / "steam"
    if not folder.is_dir():
        pytest.skip("recorded data not present")
    return {row["file"]: (folder / row["file"]).read_bytes() for row in json.loads((folder / "index.json").read_text())}


@pytest.fixture
def replay() -> Iterator[Replay]:
    replay = Replay()
    yield replay
    replay.close()


def opened(replay: Replay) -> Connector:
    return Pulls(Case(plugin=PLUGIN, fake=lambda: replay, kind=Kind.REVIEW), replay).open()


def pull(replay: Replay) -> list[Page]:
    connector = opened(replay)
    try:
        return list(connector.fetch(None, LONG_AGO))
    finally:
        connector.close()


@pytest.mark.parametrize("wrapped", [False, True])
def test_every_recorded_review_arrives_once(replay: Replay, wrapped: bool) -> None:
    bodies = recorded()
    pages = [body for name, body in sorted(bodies.items()) if name.startswith("appreviews")]
    replay.wrapped = wrapped
    replay.serve(*pages, bodies["c_last_page_empty.json"])
    brought = Counter(item.external_id for page in pull(replay) for item in page.items)
    reviews = [review for page in pages for review in json.loads(page)["reviews"]]
    assert brought == Counter(str(review["recommendationid"]) for review in reviews)
    assert len(brought) > 100


def test_the_recorded_refusal_is_not_there(replay: Replay) -> None:
    replay.serve(recorded()["c_error_success2.json"])
    with pytest.raises(NotThere):
        pull(replay)


def test_damaged_answers_raise_nothing_but_the_fates(replay: Replay) -> None:
    bodies = recorded()
    survived = 0
    for seed, (_, body) in enumerate(sorted(bodies.items())):
        for damaged in damaged_copies(body, 25, seed):
            replay.serve(damaged, bodies["c_last_page_empty.json"])
            with suppress(SourceError):
                survived += bool(pull(replay))
    assert survived > 20


def test_damaged_answers_tell_no_false_standing(replay: Replay) -> None:
    (body,) = (body for name, body in recorded().items() if name == "appreviews_295270_page0.json")
    small = json.dumps(json.loads(body) | {"reviews": []}).encode()
    means: set[float | None] = set()
    for damaged in damaged_copies(small, 150, seed=7):
        replay.serve(damaged)
        connector = opened(replay)
        assert isinstance(connector, ShowsStanding)
        with suppress(SourceError):
            means.update(reading.mean for reading in connector.standing())
        connector.close()
    assert len(means) > 1
    assert all(mean is None or 0 <= mean <= 1 for mean in means)
