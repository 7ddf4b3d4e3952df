"""Reading a source's items again: in batches, bounded, and no failure of the pull."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from connectors.contract import Counts, Cursor, Page, Refreshed
from connectors.errors import AccessDenied, Malformed, RateLimited, SourceError, Unavailable
from monitor import refreshing
from monitor.app import App, build
from monitor.config import parse
from monitor.refreshing import AT_MOST, BATCH, reread, rereads_until
from storage import ingest, sources
from storage.health import failed_readings
from storage.leases import LeaseLost
from storage.records import Claim, Outcome, PageValues
from storage.refreshing import Reread
from storage.tables import ITEM, SOURCE
from tests.fakes.storing import LEASE, NOW, OLD, Shop, item

AT = NOW + timedelta(minutes=20)


class Platform:
    """A connector that has five likes for everything asked of it. ``before``: what happens before the answer of this number;
    ``silent``: of these it says nothing."""

    def __init__(self, before: Callable[[int], None] = lambda _: None, silent: Sequence[str] = ()) -> None:
        self.asked: list[list[str]] = []
        self.answered = 0
        self._before = before
        self._silent = silent

    def refresh(self, ids: Sequence[str]) -> Iterator[Refreshed]:
        self.asked.append(list(ids))
        for name in ids:
            self._before(self.answered + 1)
            self.answered += 1
            if name not in self._silent:
                yield Refreshed(name, Counts(likes=5, shares=-1))

    def check(self) -> None: ...

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        yield from ()

    def close(self) -> None: ...


class Thrifty(Platform):
    """One that counts its answers in its cursor."""

    def remember(self, ahead: int = 0) -> Cursor | None:
        return {"spent": self.answered + ahead}


class World:
    """A Lemmy source with items that are due; its clock is the test's."""

    def __init__(self, url: str, **monitor: Any) -> None:
        self.now = AT
        source = {"name": "lemmy", "type": "lemmy", "brand": "Acme", "options": {"server": "lemmy.example"}}
        data = {"monitor": {"database": url, **monitor}, "brands": [{"name": "Acme"}], "sources": [source]}
        self.app: App = build(parse(data), now=lambda: self.now)
        self.claim = self.claimed("me")

    def claimed(self, owner: str) -> Claim:
        claim = sources.claim_source(self.app.database, owner, {"lemmy": OLD}, self.now, LEASE, only_due=False)
        assert claim is not None
        return claim

    def store(self, count: int) -> None:
        items = [
            item(f"{n:05}", published_at=NOW, likes=1, refresh_at=AT - timedelta(seconds=count - n))
            for n in range(count)
        ]
        ingest.save_page(self.app.database, self.claim, PageValues(items=items), NOW)

    def reread(self, connector: Platform, stop: Event | None = None) -> Reread:
        return reread(self.app, self.claim, connector, stop or Event())

    def due(self) -> list[str]:
        return sorted(row["external_id"] for row in self.rows() if row["refresh_at"] <= self.now)

    def rows(self) -> list[dict[str, Any]]:
        return Shop(self.app.database, (), ()).rows(ITEM)

    def cursor(self) -> Any:
        return Shop(self.app.database, (), ()).row(SOURCE, name="lemmy")["cursor"]


@pytest.fixture
def world(tmp_path: Path, migrated_file: Path) -> Iterator[World]:
    world = World(f"sqlite:///{shutil.copyfile(migrated_file, tmp_path / 'store.db')}")
    yield world
    world.app.close()


def raising(number: int, error: SourceError) -> Callable[[int], None]:
    def before(answer: int) -> None:
        if answer == number:
            raise error

    return before


def test_what_is_due_is_read_in_batches_and_due_again_at_its_next_step(world: World) -> None:
    world.store(BATCH + 20)
    platform = Platform()
    assert world.reread(platform) == Reread(BATCH + 20, BATCH + 20, 0)
    assert [len(ids) for ids in platform.asked] == [BATCH, 20]
    assert {(row["likes"], row["shares"], row["refresh_at"]) for row in world.rows()} == {
        (5, None, NOW + timedelta(hours=1))
    }
    assert world.reread(platform) == Reread()
    assert len(platform.asked) == 2


def test_of_a_flood_a_pull_reads_a_part_the_longest_due_first(world: World) -> None:
    world.store(AT_MOST + 30)
    assert world.reread(Platform()).read == AT_MOST
    assert world.due() == [f"{n:05}" for n in range(AT_MOST, AT_MOST + 30)]


def test_a_stop_ends_it_after_the_batch_under_way(world: World) -> None:
    world.store(3 * BATCH)
    stop = Event()
    assert world.reread(Platform(lambda answer: stop.set() if answer == BATCH + 1 else None), stop).read == 2 * BATCH
    assert len(world.due()) == BATCH


def test_a_slow_platform_gets_half_of_the_interval(world: World) -> None:
    world.store(3 * BATCH)

    def slowly(_: int) -> None:
        world.now += timedelta(minutes=8) / BATCH

    assert world.reread(Platform(slowly)).read == BATCH


@pytest.mark.parametrize(
    "error",
    [RateLimited("spent", timedelta(hours=1)), Unavailable("502"), AccessDenied("no")],
    ids=lambda e: type(e).__name__,
)
def test_a_refusal_ends_it_and_what_was_not_answered_stays_due(
    world: World, error: SourceError, caplog: pytest.LogCaptureFixture
) -> None:
    world.store(2 * BATCH)
    caplog.set_level("INFO")
    assert world.reread(Platform(raising(31, error))) == Reread(30, 30, 0)
    assert len(world.due()) == 2 * BATCH - 30
    (refused, told) = [record.getMessage() for record in caplog.records if record.name.endswith("refreshing")]
    assert refused == f"not read again source=lemmy fate={type(error).__name__.lower()} error={error}"
    assert told == "reread source=lemmy read=30 changed=30 gone=0"
    failing = [reading.what for found in failed_readings(world.app.database).values() for reading in found]
    assert failing == ([] if isinstance(error, RateLimited) else ["refresh"])
    assert world.reread(Platform()).read == 2 * BATCH - 30
    assert failed_readings(world.app.database) == {}


def test_a_batch_that_makes_no_sense_to_the_platform_does_not_hold_up_the_others(world: World) -> None:
    world.store(2 * BATCH)
    refusals = [Malformed("400")]

    def refusing_once(_: int) -> None:
        if refusals:
            raise refusals.pop()

    assert world.reread(Platform(refusing_once)).read == BATCH
    assert world.due() == []


def test_after_a_failure_the_next_pull_begins_with_another_batch(world: World) -> None:
    world.store(2 * BATCH)
    world.reread(Platform(raising(1, Unavailable("500"))))
    sources.finish_pull(world.app.database, world.claim, Outcome(world.now), world.now)
    world.claim = world.claimed("me")
    platform = Platform(raising(BATCH + 1, Unavailable("500")))
    assert world.reread(platform).read == BATCH
    assert platform.asked[0][0] == f"{BATCH:05}"


def test_what_the_platform_is_silent_about_is_neither_gone_nor_due(world: World) -> None:
    world.store(3)
    assert world.reread(Platform(silent=["00001"])) == Reread(2, 2, 0)
    assert [row["likes"] for row in world.rows()] == [5, 1, 5]
    assert world.due() == []


def test_what_was_spent_is_stored_with_every_batch_even_if_nothing_was_answered(world: World) -> None:
    world.store(2 * BATCH)
    platform = Thrifty(raising(BATCH + 1, RateLimited("spent")))
    world.reread(platform)
    assert world.cursor() == {"spent": BATCH}


def test_what_a_batch_may_cost_is_stored_before_it_is_asked_for(world: World) -> None:
    world.store(BATCH + 30)
    stored: list[Any] = []
    world.reread(Thrifty(lambda _: stored.append(world.cursor()["spent"])))
    assert stored == [BATCH] * BATCH + [BATCH + 30] * 30


def test_a_connector_that_counts_nothing_leaves_the_cursor_alone(world: World) -> None:
    sources.save_cursor(world.app.database, world.claim, {"page": 4})
    world.store(1)
    world.reread(Platform())
    assert world.cursor() == {"page": 4}
    assert refreshing.memory_of(Platform()) is None


def test_a_source_that_was_taken_over_is_left_to_the_other(world: World) -> None:
    world.store(BATCH)

    def taken_over(answer: int) -> None:
        if answer == 1:
            sources.release_all(world.app.database, "me")

    with pytest.raises(LeaseLost):
        world.reread(Platform(taken_over))
    assert len(world.due()) == BATCH


@pytest.mark.parametrize(
    ("monitor", "source", "until"),
    [
        ({}, {}, timedelta(days=7)),
        ({"refresh": "1d"}, {}, timedelta(days=1)),
        ({"refresh": False}, {}, timedelta(0)),
        ({"refresh": "0s"}, {"refresh": "3d"}, timedelta(days=3)),
        ({}, {"refresh": False}, timedelta(0)),
        ({}, {"type": "hackernews", "options": {}}, timedelta(0)),
    ],
)
def test_the_age_is_the_source_s_or_the_monitor_s_and_nothing_where_the_platform_has_no_such_thing(
    tmp_path: Path, migrated_file: Path, monitor: dict[str, Any], source: dict[str, Any], until: timedelta
) -> None:
    url = f"sqlite:///{shutil.copyfile(migrated_file, tmp_path / 'store.db')}"
    known = {"name": "one", "type": "lemmy", "brand": "Acme", "options": {"server": "lemmy.example"}, **source}
    data = {"monitor": {"database": url, **monitor}, "brands": [{"name": "Acme"}], "sources": [known]}
    app = build(parse(data))
    try:
        assert rereads_until(app, app.settings.source("one")) == until
    finally:
        app.close()


def test_what_was_stored_before_it_was_switched_on_has_its_turns_as_well(tmp_path: Path, migrated_file: Path) -> None:
    url = f"sqlite:///{shutil.copyfile(migrated_file, tmp_path / 'store.db')}"
    off = World(url, refresh=False)
    ages = {"young": timedelta(minutes=10), "days": timedelta(days=2), "old": timedelta(days=8)}
    items = [item(name, published_at=AT - age, likes=1, refresh_at=None) for name, age in ages.items()]
    ingest.save_page(off.app.database, off.claim, PageValues(items=items), NOW)
    assert off.reread(Platform()) == Reread()
    assert {row["refresh_at"] for row in off.rows()} == {None}
    sources.finish_pull(off.app.database, off.claim, Outcome(AT), AT)
    off.app.close()

    on = World(url)
    assert on.reread(Platform()) == Reread()
    turns = {row["external_id"]: row["refresh_at"] for row in on.rows()}
    assert turns == {"young": AT + timedelta(minutes=5), "days": AT + timedelta(days=1), "old": None}
    on.now += timedelta(minutes=6)
    assert on.reread(Platform()).read == 1
    on.app.close()
