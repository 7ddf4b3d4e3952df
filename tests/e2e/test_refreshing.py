"""Engagement over time: a Lemmy server's posts are liked for a week, and one of them is deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from threading import Event
from typing import Any

import pytest

from connectors.testing import Reply, Seed
from connectors.testing.platform import NOW
from monitor.app import App, build, utc_now
from monitor.collect import Pulled
from monitor.config import parse
from monitor.daemon import pull_now
from monitor.schedule import REREAD_AT
from storage.tables import COUNT_HISTORY, ITEM, SOURCE
from storage.verify import verify
from tests.e2e.conftest import Home
from tests.fakes.lemmy import FakeLemmy
from tests.fakes.storing import Shop
from tests.fakes.x import FakeX

BORN = NOW - timedelta(minutes=1)


class Forum(FakeLemmy):
    """``busy``: newer posts have pushed all others out of its listings; ``refusal``: what it says instead of showing one."""

    busy = False
    refusal: Reply | None = None

    def shown(self, what: str) -> list[Seed]:
        return [] if self.busy else super().shown(what)

    def resolved(self, address: str) -> Reply:
        return self.refusal or super().resolved(address)

    @property
    def looked_up(self) -> int:
        return sum(request.path.endswith("resolve_object") for request in self.loopback.requests)


class Watch:
    """A daemon's source, pulled when a test says so."""

    def __init__(self, url: str, source: dict[str, Any], **monitor: Any) -> None:
        self.now = NOW
        known = {"name": "watched", "brand": "Acme", **source}
        data = {"monitor": {"database": url, **monitor}, "brands": [{"name": "Acme"}], "sources": [known]}
        self.app: App = build(parse(data), now=lambda: self.now)
        self.shop = Shop(self.app.database, (), ())

    def pull(self, age: timedelta = timedelta(minutes=1)) -> Pulled:
        """Pull when the posts are so old."""
        self.now = BORN + age
        (done,) = pull_now(self.app, ["watched"], Event())
        return done


@pytest.fixture
def forum() -> Iterator[Forum]:
    forum = Forum()
    yield forum
    forum.close()


@pytest.fixture
def watch(forum: Forum, database_url: str) -> Iterator[Watch]:
    watch = Watch(database_url, lemmy(forum))
    yield watch
    watch.app.close()


def lemmy(forum: Forum, **source: Any) -> dict[str, Any]:
    return {"type": "lemmy", "options": {"base_url": forum.base_url, **forum.options()}, **source}


def test_likes_that_come_in_for_a_week_are_seen_as_growth_when_they_came(forum: Forum, watch: Watch) -> None:
    seeds = forum.publish(3, at=BORN, every=timedelta(0))
    assert (watch.pull().new, watch.pull().refreshed) == (3, 0)
    forum.busy = True
    for number, step in enumerate(REREAD_AT, start=1):
        forum.like(seeds[0], 10 * number)
        assert watch.pull(step - timedelta(seconds=30)).refreshed == 0
        done = watch.pull(step)
        assert (done.fate, done.refreshed, done.gone) == (None, 3, 0)
    rows = {row["external_id"]: row for row in watch.shop.rows(ITEM)}
    liked = rows[forum.external_id(seeds[0])]
    assert (liked["likes"], liked["refreshes"], liked["refresh_at"]) == (-2 + 210, 6, None)
    history = [row for row in watch.shop.rows(COUNT_HISTORY) if row["item_id"] == liked["id"]]
    assert [row["likes"] for row in history] == [-2, 10, 20, 30, 40, 50, 60]
    assert [row["at"] for row in history[1:]] == [BORN + step for step in REREAD_AT]
    assert watch.pull(timedelta(days=40)).refreshed == 0
    assert verify(watch.app.database) == []


def test_what_was_deleted_upstream_becomes_a_tombstone_that_no_later_pull_brings_back(
    forum: Forum, watch: Watch
) -> None:
    seeds = forum.publish(3, at=BORN, every=timedelta(0))
    watch.pull()
    forum.take_down(seeds[1])
    done = watch.pull(timedelta(minutes=15))
    assert (done.refreshed, done.gone) == (3, 1)
    forum.gone.clear()
    again = watch.pull(timedelta(minutes=30))
    assert (again.seen, again.new, again.refreshed) == (3, 0, 0)
    (tombstone,) = (row for row in watch.shop.rows(ITEM) if row["erased_at"] is not None)
    assert tombstone["erased_at"] == BORN + timedelta(minutes=15)
    assert [tombstone[name] for name in ("title", "text", "url", "author_name", "refresh_at")] == [None] * 5
    assert len(watch.shop.rows(ITEM)) == 3
    assert watch.pull(timedelta(hours=1)).refreshed == 2
    assert verify(watch.app.database) == []


@pytest.mark.parametrize("status", [429, 503])
def test_a_platform_that_refuses_costs_the_pull_nothing_and_is_asked_again_by_the_next(
    forum: Forum, watch: Watch, status: int
) -> None:
    seeds = forum.publish(3, at=BORN, every=timedelta(0))
    watch.pull()
    forum.refusal = Reply(b"", status)
    forum.publish(1, at=BORN + timedelta(minutes=20))
    refused = watch.pull(timedelta(minutes=21))
    assert (refused.fate, refused.new, refused.refreshed) == (None, 1, 0)
    forum.refusal = None
    forum.like(seeds[0], 4)
    assert watch.pull(timedelta(minutes=25)).refreshed == 3
    assert verify(watch.app.database) == []


def test_where_it_is_switched_off_nothing_is_asked_again(forum: Forum, database_url: str) -> None:
    watch = Watch(database_url, lemmy(forum, refresh=False))
    try:
        forum.publish(2, at=BORN)
        watch.pull()
        assert [watch.pull(step).refreshed for step in REREAD_AT] == [0] * len(REREAD_AT)
        assert forum.looked_up == 0
        assert {row["refresh_at"] for row in watch.shop.rows(ITEM)} == {None}
    finally:
        watch.app.close()


def test_what_reading_again_cost_is_stored_with_the_source(database_url: str) -> None:
    x = FakeX()
    watch = Watch(database_url, {"type": "x", "options": {"base_url": x.base_url, **x.options()}})
    try:
        x.publish(3, at=BORN, every=timedelta(seconds=1))
        watch.pull()
        assert watch.pull(timedelta(minutes=16)).refreshed == 3
        cursor = watch.shop.row(SOURCE, name="watched")["cursor"]
        assert cursor["rereads"] == {"day": "2026-11-01", "posts": 3}
        assert watch.pull(timedelta(minutes=20)).refreshed == 0
        assert watch.shop.row(SOURCE, name="watched")["cursor"]["rereads"] == {"day": "2026-11-01", "posts": 3}
    finally:
        watch.app.close()
        x.close()


def test_pull_says_what_was_read_again_and_what_is_gone(forum: Forum, home: Home) -> None:
    database = f"sqlite:///{home.folder / 'store.db'}"
    watch = Watch(database, lemmy(forum))
    born = utc_now() - timedelta(minutes=30)  # the command goes by the clock of the machine
    seeds = forum.publish(3, at=born, every=timedelta(0))
    watch.pull(born - BORN)
    watch.app.close()
    forum.take_down(seeds[0])
    options = f'base_url = "{forum.base_url}", server = "lemmy.example"'
    home.write(
        f'[monitor]\ndatabase = "{database}"\n[[brands]]\nname = "Acme"\n'
        f'[[sources]]\nname = "watched"\ntype = "lemmy"\nbrand = "Acme"\noptions = {{ {options} }}\n'
    )
    assert "3 read again (1 gone)" in home.run("pull").stderr
