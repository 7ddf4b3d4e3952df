"""What is handed in is stored once, beside any pull, and its sender is told what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import select, update

from monitor.app import App, build
from monitor.collect import pull
from monitor.config import parse
from monitor.coverage import coverage_of
from monitor.health import Health, health_of_sources, is_alive
from monitor.pushing import (
    MAX_BYTES,
    Busy,
    Handed,
    NoSuchSource,
    NothingUsable,
    NotKnown,
    Replayed,
    TooMuch,
    hand_in,
)
from monitor.schedule import span
from monitor.steering import CannotSteer, pull_soon
from storage import receiving, sources
from storage.party_tables import RECEIVED
from storage.tables import ITEM, PULL, SOURCE
from tests.fakes.senders import SECRET, Sent, signed
from tests.fakes.storing import NOW, crash_everywhere

TWICE = "The new phone of acme is on sale in every shop of the town since this morning"
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
GOOD = {"id": "1", "text": "I love my acme phone", "published_at": "2026-11-20T09:00:00Z"}


class World:
    """A store with a source that is sent to, and one of another type; its clock is the test's."""

    def __init__(self, url: str, every: str | None = None, **options: Any) -> None:
        self.now = NOW
        hook = {"name": "shop", "type": "webhook", "brand": "Acme", "options": {"secret": SECRET, **options}}
        if every:
            hook["every"] = every
        read = {"name": "lemmy", "type": "lemmy", "brand": "Acme", "options": {"server": "lemmy.example"}}
        resting = {**hook, "name": "old shop", "enabled": False}
        data = {"monitor": {"database": url}, "brands": [{"name": "Acme"}], "sources": [hook, read, resting]}
        self.app: App = build(parse(data), now=lambda: self.now)

    def send(self, what: Any, key: str | None = None) -> Handed:
        return self.take(signed(what, self.now, key))

    def take(self, sent: Sent, name: str = "shop") -> Handed:
        return hand_in(self.app, name, sent.body, sent.headers)

    def rows(self, table: Any) -> list[dict[str, Any]]:
        query = select(table).order_by(*table.primary_key.columns)
        return self.app.database.read(lambda connection: [dict(row) for row in connection.execute(query).mappings()])

    def health(self, name: str = "shop") -> Health:
        return next(one for one in health_of_sources(self.app) if one.name == name)

    def heartbeat(self) -> None:
        claim = sources.claim_source(self.app.database, "me", {"shop": NOW}, self.now, MINUTE, only_due=False)
        assert claim is not None
        assert pull(self.app, claim, Event()).fate is None

    def gaps(self, start: datetime, end: datetime) -> list[str]:
        reach = coverage_of(self.app, "Acme", span(start, end, self.app.settings.monitor.zone))
        return [gap.reason for gap in reach.gaps if gap.source == "shop"]


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    world = World(database_url)
    yield world
    world.app.close()


def test_what_is_sent_is_scored_and_stored(world: World) -> None:
    handed = world.send([GOOD, {"id": "2", "text": "awful", "rating": 1}], key="first")
    assert handed == Handed("shop", seen=2, new=2)
    (one, two) = world.rows(ITEM)
    assert (one["external_id"], one["platform"], one["label"], one["kind"]) == (
        "shop:1", "webhook", "positive", "mention"
    )  # fmt: skip
    assert (two["external_id"], two["label"], two["kind"]) == ("shop:2", "negative", "review")
    (line,) = world.rows(PULL)
    assert (line["ok"], line["seen"], line["new"], line["ended_at"]) == (True, 2, 2, NOW)


def test_the_same_under_the_same_key_is_answered_as_the_first_time(world: World) -> None:
    first = world.send([GOOD, {"id": "9"}], key="once")
    world.now += HOUR
    again = world.send([GOOD, {"id": "9"}], key="once")
    assert again == replace(first, repeated=True)
    assert (again.new, again.skipped) == (1, 1)
    assert len(world.rows(PULL)) == 1


def test_an_edit_under_another_key_is_taken(world: World) -> None:
    world.send(GOOD, key="a")
    assert world.send({**GOOD, "text": "I hate my acme phone"}, key="b") == Handed("shop", seen=1, changed=1)
    assert [row["label"] for row in world.rows(ITEM)] == ["negative"]


def test_a_copy_of_what_was_signed_is_refused_under_another_key_and_answered_without_one(world: World) -> None:
    sent = signed(GOOD, NOW, "mine")
    world.take(sent)
    with pytest.raises(Replayed):
        world.take(sent.but(Idempotency_Key="theirs"))
    assert world.take(Sent(sent.body, {k: v for k, v in sent.headers.items() if k != "Idempotency-Key"})).repeated


REFUSED = [
    (NotKnown, 401, signed(GOOD, NOW, secret="another secret"), "shop"),
    (NotKnown, 401, signed(GOOD, NOW - HOUR), "shop"),
    (NoSuchSource, 404, signed(GOOD, NOW), "shops"),
    (NoSuchSource, 404, signed(GOOD, NOW), "old shop"),
    (NoSuchSource, 404, signed(GOOD, NOW), "lemmy"),
    (TooMuch, 413, signed([GOOD] * 1_001, NOW), "shop"),
    (TooMuch, 413, signed(b" " * 2_000_000, NOW), "shop"),
    (TooMuch, 413, Sent(b" " * (MAX_BYTES + 1)), "shop"),
]


def test_what_is_refused_leaves_nothing_behind(world: World) -> None:
    for refusal, status, sent, name in REFUSED:
        with pytest.raises(refusal) as caught:
            world.take(sent, name)
        assert caught.value.status == status
        assert SECRET not in str(caught.value)
    assert (world.rows(ITEM), world.rows(PULL), world.rows(RECEIVED)) == ([], [], [])


def test_what_cannot_be_read_is_told_and_counted_and_may_come_again_mended(world: World) -> None:
    damaged: list[Any] = [b"{", b"", {"id": "3"}, ["x"], [{"text": "hi", "published_at": "soon"}]]
    for what in damaged:
        with pytest.raises(NothingUsable) as caught:
            world.send(what, key="one")
        assert (caught.value.status, caught.value.handed.skipped) == (422, 1)
    (line,) = world.rows(PULL)
    assert (line["skipped"], line["new"], len(line["skips"])) == (5, 0, 5)
    assert world.health().state == "waiting"
    assert world.send(GOOD, key="one").new == 1


def test_nothing_at_all_is_taken_as_such(world: World) -> None:
    assert world.send([]) == Handed("shop")


def test_a_running_pull_is_neither_waited_for_nor_taken_over(world: World) -> None:
    claim = sources.claim_source(world.app.database, "other", {"shop": NOW}, NOW, MINUTE)
    assert claim is not None
    assert world.send(GOOD).new == 1
    sources.renew(world.app.database, claim)  # still its own
    assert world.health().state == "pulling"


def test_a_crash_anywhere_stores_all_or_nothing(world: World) -> None:
    sent = signed(GOOD, NOW, "key")

    def check() -> None:
        counts = {len(world.rows(ITEM)), len(world.rows(PULL))}
        assert counts in ({0}, {1})
        assert len(world.rows(RECEIVED)) == 3 * counts.pop()

    crash_everywhere(world.app.database, lambda: world.take(sent), check)
    assert len(world.rows(ITEM)) == 1


def test_the_same_sent_by_many_at_once_is_stored_once(world: World) -> None:
    sent = [signed(GOOD, NOW + timedelta(seconds=number), "key") for number in range(6)]
    found: list[Handed] = []
    threads = [Thread(target=lambda one=one: found.append(world.take(one))) for one in sent]  # type: ignore[misc]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.new for one in found] == [1] * 6
    assert sorted(one.repeated for one in found) == [False] + [True] * 5
    assert len(world.rows(PULL)) == 1


def test_much_that_comes_one_by_one_is_one_line_of_the_log(world: World) -> None:
    for number in range(4):
        world.send({**GOOD, "id": number})
        world.now += 6 * MINUTE
    assert [(line["pages"], line["new"]) for line in world.rows(PULL)] == [(3, 3), (1, 1)]


def test_keys_are_forgotten_after_a_while(world: World) -> None:
    world.send(GOOD, key="old")
    world.now += receiving.KEPT + MINUTE
    world.send(GOOD, key="new")
    assert {row["key"][:6] for row in world.rows(RECEIVED)} == {"id new", "last", "seal " + _seal(world)}


def _seal(world: World) -> str:
    (seal,) = (row["key"] for row in world.rows(RECEIVED) if row["key"].startswith("seal "))
    return seal[5:6]


def test_a_source_that_somebody_paused_asks_to_be_tried_later(world: World) -> None:
    sources.pause(world.app.database, "shop", "ana", "moving house")
    with pytest.raises(Busy, match="moving house") as caught:
        world.send(GOOD)
    assert caught.value.status == 503


def test_a_source_that_became_another_meanwhile_is_none(world: World) -> None:
    world.app.database.write(lambda connection: connection.execute(update(SOURCE).values(type="feeds")))
    with pytest.raises(NoSuchSource):
        world.send(GOOD)


def test_a_store_that_cannot_write_asks_to_be_tried_later(tmp_path: Any, migrated_file: Any) -> None:
    file = tmp_path / "store.db"
    file.write_bytes(migrated_file.read_bytes())
    world, other = World(f"sqlite:///{file}?timeout=0"), World(f"sqlite:///{file}")
    with other.app.database.engine.begin(), pytest.raises(Busy):
        world.send(GOOD)
    assert world.send(GOOD).new == 1
    for one in (world, other):
        one.app.close()


# ---------------------------------------------------------------------------------------------- how it is shown


def test_a_source_that_only_receives_is_never_late_and_says_when_something_came(world: World) -> None:
    assert (world.health().state, world.health().words) == ("waiting", "nothing was sent yet")
    world.now += 2 * HOUR
    assert world.health().state == "waiting"
    world.send(GOOD)
    world.now += 5 * HOUR
    assert (world.health().state, world.health().words) == ("fine", "something came 5 h ago")
    assert world.health().next_run_at is None
    assert world.gaps(world.now - HOUR, world.now) == []


def test_with_a_rhythm_silence_is_a_gap_and_is_said(database_url: str) -> None:
    world = World(database_url, every="1h")
    world.send(GOOD)
    world.now += 2 * HOUR
    world.heartbeat()
    assert (world.health().state, world.gaps(NOW, world.now)) == ("fine", [])
    world.now += 2 * HOUR
    world.heartbeat()
    assert world.health().state == "late"
    assert world.health().words.startswith("nothing came for 4 h, expected every 60 min; does the sender still send?")
    assert world.gaps(NOW, world.now) == ["nothing came since"]
    world.send(GOOD)
    assert (world.health().state, world.gaps(world.now, world.now + MINUTE)) == ("fine", [])
    world.app.close()


def test_pulling_a_source_that_only_receives_brings_nothing_and_no_gap(world: World) -> None:
    world.heartbeat()
    assert world.gaps(NOW, NOW + MINUTE) == []
    assert is_alive(world.app)
    world.send(GOOD)
    world.now += MINUTE
    world.heartbeat()
    assert world.health().words == "something came 1 min ago"


def test_nothing_personal_and_no_secret_is_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    world.send([GOOD, {"id": "secret words", "published_at": "x", "text": "secret words"}])
    with pytest.raises(NotKnown):
        world.take(signed(GOOD, NOW, secret="wrong wrong"))
    said = json.dumps([record.getMessage() for record in caplog.records])
    assert not any(word in said for word in (SECRET, "secret words", "love"))


def test_copies_among_what_is_handed_in_are_decided_at_once(database_url: str) -> None:
    world = World(database_url)
    monitor = world.app.settings.monitor.model_copy(update={"duplicates": "once"})
    world.app = replace(world.app, settings=world.app.settings.model_copy(update={"monitor": monitor}))
    world.send([{**GOOD, "id": str(number), "text": TWICE} for number in range(3)])
    found = world.app.database.read(lambda connection: connection.execute(select(ITEM.c.uncounted)).scalars().all())
    assert sorted(found, key=str) == [None, "duplicate", "duplicate"]
    world.app.database.close()


def test_how_old_the_newest_item_is_is_told_to_the_minute_whatever_grew_since(world: World) -> None:
    at = NOW - timedelta(minutes=7, seconds=20)
    world.send({**GOOD, "published_at": at.isoformat()}, key="a")
    world.now += HOUR
    world.send({**GOOD, "published_at": at.isoformat(), "likes": 9}, key="b")
    assert world.health().newest_item_at == at


def test_where_to_send_is_told_with_the_header_and_never_the_secret(world: World) -> None:
    told = world.health().sent_to
    assert told == (
        "POST http://127.0.0.1:8350/api/v1/sources/shop/items, signed with the secret: the signature in X-Signature, "
        "the time in X-Timestamp; the dashboard takes it, which is off: set enabled = true under [web]"
    )
    assert world.health("lemmy").sent_to is None


def test_what_rests_is_listed_last_even_if_it_was_never_read(world: World) -> None:
    (*_, last) = health_of_sources(world.app)
    assert (last.name, last.state, last.words) == ("old shop", "resting", "rests (enabled = false)")


def test_what_is_sent_to_cannot_be_pulled(world: World) -> None:
    with pytest.raises(CannotSteer, match="shop: is not pulled, others send to it: http"):
        pull_soon(world.app, "shop")
