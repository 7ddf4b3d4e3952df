"""The plain statements of a daemon that is asleep, on both back ends, by the drivers alone."""

from __future__ import annotations

import signal
import sqlite3
from dataclasses import asdict
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from monitor.sleep import Bed, fall_asleep
from monitor.sleeper import SIGNALS, Child, Night, Store, hand_over, taken_over
from storage import asleep, outbox, parties, sources
from storage.engine import open_database
from storage.records import Outcome, Planned
from tests.fakes.storing import NOW, OLD, Shop, item

OWNER = "it's-100%:7:ab"


@pytest.fixture
def store(shop: Shop) -> Store:
    return Store(**asdict(asleep.statements(shop.database, OWNER)))


def test_what_comes_up_is_seen_and_what_others_say_of_themselves_is_not(shop: Shop, store: Store) -> None:
    connection = store.open()
    seen = [store.seen(connection)]

    def changed() -> bool:
        seen.append(store.seen(connection))
        return seen[-1] != seen[-2]

    assert not changed()
    parties.announce(shop.database, "other:1:x", NOW, {})
    assert not changed()
    claim = shop.claimed()
    shop.save(claim, item())
    assert changed(), "an item"
    sources.finish_pull(shop.database, claim, Outcome(NOW + timedelta(hours=1)), NOW)
    sources.pause(shop.database, "south", "Ann", "a rest")
    assert changed(), "a source that rests"
    sources.resume(shop.database, "south", NOW)
    assert changed(), "a source that goes on"
    with shop.database.engine.begin() as writing:
        outbox.queue_notice(writing, "rule", "angry", None, {}, {"mail": "key"}, NOW)
    assert changed(), "a notice to be sent"
    assert outbox.plan_digest(shop.database, "daily", Planned(NOW, "2026-11-19", OLD, NOW), None)
    assert changed(), "a digest to be built"
    connection.close()


def test_what_the_sleeper_is_to_know_comes_through_memory_whole(store: Store) -> None:
    child = Child(4711, 5, 12.5, ["python", "-m", "monitor"])
    night = Night(1.5, store, ("1", "None"), [("a", (1, 2, 3)), ("b", None)], [], child, "text", True, ["/x"], b"\x00")
    assert taken_over(hand_over(night)) == night


def test_whoever_is_told_to_end_while_falling_asleep_stays_awake_and_hears_signals(store: Store) -> None:
    night = Night(1.5, store, (), [], [], None, "text", False, [], b"")
    fall_asleep(night, Bed([], "text"), lambda: True)
    assert not signal.pthread_sigmask(signal.SIG_BLOCK, ()) & set(SIGNALS)


def test_a_sleeper_renews_its_own_line_alone_and_takes_it_away(shop: Shop, store: Store) -> None:
    for owner in (OWNER, "other:1:x"):
        parties.announce(shop.database, owner, NOW, {})
    before = {one.owner: one.seen_at for one in parties.running(shop.database)}
    connection = store.open()
    connection.execute(store.beat)
    after = {one.owner: one.seen_at for one in parties.running(shop.database)}
    assert after[OWNER] - before[OWNER] < timedelta(minutes=1)
    assert after[OWNER] > before[OWNER]
    assert after["other:1:x"] == before["other:1:x"]
    connection.execute(store.leave)
    connection.close()
    assert [one.owner for one in parties.running(shop.database)] == ["other:1:x"]


def test_what_is_due_next_is_of_the_own_sources_and_channels(shop: Shop) -> None:
    def due(*channels: str) -> datetime | None:
        return asleep.next_due(shop.database, ["north"], channels)

    sources.finish_pull(shop.database, shop.claimed(), Outcome(NOW + timedelta(hours=2)), NOW)
    with shop.database.engine.begin() as writing:
        outbox.queue_notice(writing, "rule", "angry", None, {}, {"mail": "key"}, NOW + timedelta(hours=1))
    assert due() == NOW + timedelta(hours=2)
    assert due("mail") == NOW + timedelta(hours=1)
    sources.pause(shop.database, "north", "Ann", "a rest")
    assert due() is None


def test_a_store_that_is_gone_is_not_made_anew(tmp_path: Path) -> None:
    file = tmp_path / "gone.db"
    database = open_database(f"sqlite:///{file}")
    store = Store(**asdict(asleep.statements(database, OWNER)))
    database.close()
    with pytest.raises(sqlite3.OperationalError):
        store.open()
    assert not file.exists()
