"""Who was asked too often is asked later, and a store that fails is left alone for a while; neither is the source's failure."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event

import pytest

from connectors.testing import Fault, Reply, Request
from connectors.testing.loopback import RETRY_AFTER_SECONDS
from connectors.testing.platform import NOW
from monitor import digests
from monitor.app import App, build
from monitor.collect import Pulled, pull
from monitor.config import parse
from monitor.daemon import horizons
from monitor.health import health_of_sources
from monitor.troubles import LONGEST_PAUSE, SAID_AGAIN, Troubles
from storage import sources
from storage.engine import StorageError, StoreAway
from tests.fakes.hackernews import FakeHackerNews
from tests.fakes.newsroom import Open

EVERY = timedelta(hours=4)


class Busy(FakeHackerNews):
    """Says that it was asked too often, and not until when."""

    silent = False

    def respond(self, request: Request) -> Reply:
        return Reply(b"slow down", 429) if self.silent else super().respond(request)


class Room:
    """One source of a platform, and the clock."""

    def __init__(self, fake: Busy, database: str) -> None:
        self.now = NOW
        source = {"name": "news", "type": "hackernews", "brand": "Acme", "every": "4h"}
        data = {
            "monitor": {"database": database},
            "brands": [{"name": "Acme"}],
            "sources": [{**source, "options": {"base_url": fake.base_url}}],
        }
        self.app: App = build(parse(data), now=lambda: self.now)

    def pull_when_due(self) -> tuple[Pulled, timedelta]:
        """The pull, and how long it was waited for afterwards; the clock stands at the next turn then."""
        claim = sources.claim_source(self.app.database, "me", horizons(self.app), self.now, timedelta(minutes=2))
        assert claim is not None
        pulled = pull(self.app, claim, Event())
        (state,) = sources.states(self.app.database)
        waited, self.now = state.next_run_at - self.now, state.next_run_at
        return pulled, waited

    @property
    def failures(self) -> int:
        return sources.states(self.app.database)[0].failures

    def health(self) -> tuple[str, str]:
        (health,) = health_of_sources(self.app)
        return health.state, health.words


@pytest.fixture
def fake() -> Iterator[Busy]:
    fake = Busy()
    fake.publish(3)
    yield fake
    fake.close()


@pytest.fixture
def room(fake: Busy, database_url: str) -> Iterator[Room]:
    room = Room(fake, database_url)
    yield room
    room.app.close()


def test_a_platform_that_was_asked_too_often_is_asked_when_it_said(room: Room, fake: Busy) -> None:
    for _ in range(5):
        fake.fail(Fault.TOO_MANY)
        pulled, waited = room.pull_when_due()
        assert pulled.fate == "ratelimited"
        assert timedelta(seconds=RETRY_AFTER_SECONDS) <= waited <= timedelta(minutes=11)
        assert room.failures == 0
        assert room.health()[0] == "limited"
    assert room.pull_when_due()[0].fate is None
    assert room.health()[0] == "fine"


def test_one_that_does_not_say_when_is_left_for_a_whole_interval(room: Room, fake: Busy) -> None:
    fake.silent = True
    for _ in range(5):
        _, waited = room.pull_when_due()
        assert 0.9 * EVERY <= waited <= 1.1 * EVERY
    assert (room.failures, room.health()[0]) == (0, "limited")


def test_other_failures_count_as_before(room: Room, fake: Busy) -> None:
    waits = []
    for _ in range(4):
        fake.fail(Fault.BUSY)
        waits.append(room.pull_when_due()[1])
    assert waits == sorted(waits)
    assert room.failures == 4
    state, words = room.health()
    assert state == "failing"
    assert "4 times in a row" in words


def test_a_limit_between_failures_neither_adds_to_them_nor_forgives_them(room: Room, fake: Busy) -> None:
    for fault, failures in ((Fault.BUSY, 1), (Fault.TOO_MANY, 1), (Fault.BUSY, 2), (Fault.TOO_MANY, 2)):
        fake.fail(fault)
        room.pull_when_due()
        assert room.failures == failures


def test_no_digest_is_begun_once_the_program_stops(newsroom: Open) -> None:
    room = newsroom()
    assert room.pull() is None
    digests.plan(room.app)
    stop = Event()
    stop.set()
    assert digests.build_due(room.app, stop) == 0
    assert [row["state"] for row in room.digests] == ["due"]
    assert digests.build_due(room.app, Event()) == 1


class Said:
    """Troubles on a clock of its own, and what they said."""

    def __init__(self, app: App, caplog: pytest.LogCaptureFixture) -> None:
        self.seconds = 1000.0
        self.troubles = Troubles(app, lambda: self.seconds)
        self._log = caplog

    @property
    def lines(self) -> list[str]:
        return [record.getMessage() for record in self._log.records if record.name.endswith(".store")]

    def rest(self) -> float:
        """How long the store is left alone from now on, in seconds."""
        begun = self.seconds
        while self.troubles.resting:
            self.seconds += 1
        return self.seconds - begun


def test_a_store_that_fails_is_left_alone_ever_longer_and_told_of_now_and_again(
    newsroom: Open, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    said = Said(newsroom().app, caplog)
    assert not said.troubles.resting
    rests = []
    for _ in range(8):
        said.troubles.met(StoreAway("the disk is full"))
        said.troubles.met(StoreAway("the disk is full"))  # of two threads that meet it at once
        rests.append(said.rest())
    assert rests == [2, 4, 8, 16, 32, 60, 60, 60]
    assert rests[-1] == LONGEST_PAUSE.total_seconds()
    assert said.lines == ["the disk is full"]
    said.troubles.met(StorageError("something else"))
    assert said.lines == ["the disk is full", "something else"]
    said.seconds += SAID_AGAIN.total_seconds()
    said.troubles.met(StorageError("something else"))
    assert said.lines[2:] == ["something else"]
    said.troubles.over()
    said.troubles.over()
    assert said.lines[3:] == ["works again"]
    assert not said.troubles.resting


def test_a_path_beside_the_store_is_all_that_a_mark_is(newsroom: Open, tmp_path: Path) -> None:
    from storage.soundness import mark, mark_of, prove

    app = newsroom().app
    assert app.database.file is not None
    mark(app.database, NOW)
    assert mark_of(app.database.file) == "the file was found damaged at 2026-11-01 12:00Z"
    assert (tmp_path / "store.db.damaged").exists()
    prove(app.database)
    assert mark_of(app.database.file) is None
