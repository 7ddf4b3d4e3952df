"""Three daemons on one database: one is killed, one stopped past its lease and resumed; everything happens once."""

from __future__ import annotations

import signal
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from threading import Event
from typing import Any

import pytest
from sqlalchemy import func, select

from connectors.testing.loopback import Loopback, Reply, Request
from storage.engine import Database, open_database
from storage.leases import clock
from storage.tables import DELIVERY, DIGEST, ITEM, PULL, SOURCE
from storage.verify import verify
from tests.e2e.conftest import Home
from tests.e2e.forking import Forked

pytestmark = pytest.mark.long

STREAMS = ("reddit", "mastodon", "forum", "news")
EVERY_SECONDS = 10
HEAD = """
[monitor]
timezone = "Europe/Berlin"
database = "{database}"
first_fetch = "12w"
lease = "3s"
workers = 2

[[brands]]
name = "Larkspur"

[[digests]]
name = "daily"
schedule = "daily at 08:00"
channels = ["hook"]

[[digests]]
name = "weekly"
schedule = "weekly on monday at 08:00"
period = "week"
channels = ["hook"]

[[channels]]
name = "hook"
type = "webhook"
url = "{hook}"
"""
SOURCE_TABLE = """
[[sources]]
name = "{name}"
type = "sample"
brand = "Larkspur"
every = "10s"
options = {{ stream = "{name}" }}
"""
SLOW = """
[[sources]]
name = "slow"
type = "feeds"
brand = "Larkspur"
options = {{ url = "{url}/feed" }}
"""


FEED = b"""<rss version="2.0"><channel><title>Slow news</title>
<item><guid>1</guid><title>Larkspur at last</title><pubDate>Mon, 02 Nov 2026 10:00:00 GMT</pubDate></item>
</channel></rss>"""


class SlowFeed:
    """A feed that answers only once it is told to."""

    def __init__(self) -> None:
        self.asked, self.may_answer = Event(), Event()
        self.server = Loopback(self._respond)

    def _respond(self, _request: Request) -> Reply:
        self.asked.set()
        self.may_answer.wait(60)
        return Reply(FEED, headers={"Content-Type": "application/rss+xml"})

    def close(self) -> None:
        self.may_answer.set()
        self.server.close()


def test_each_turn_and_each_digest_happens_once_whatever_befalls_the_daemons(home: Home, database_url: str) -> None:
    taken: list[Request] = []
    hook = Loopback(lambda request: taken.append(request) or Reply())  # type: ignore[func-returns-value]
    feed = SlowFeed()
    sources = "".join(SOURCE_TABLE.format(name=name) for name in STREAMS) + SLOW.format(url=feed.server.url)
    home.write(HEAD.format(database=database_url, hook=hook.url) + sources)
    database = open_database(database_url)
    daemons = [home.start("run", "--log-format", "json") for _ in range(3)]
    try:
        _until(lambda: feed.asked.is_set() and _turns(database) >= 1, daemons)
        sleeper = _holder(database, "slow", daemons)
        victim, survivor = (daemon for daemon in daemons if daemon is not sleeper)
        sleeper.send_signal(signal.SIGSTOP)  # in the middle of a pull
        victim.kill()
        _until(lambda: str(survivor.pid) in _owner(database, "slow"), [survivor])
        feed.may_answer.set()
        _until(lambda: _turn(database, "slow") == 1 and _turns(database) >= 2, [survivor])
        sleeper.send_signal(signal.SIGCONT)
        turns = _turns(database)
        _until(lambda: _turns(database) >= turns + 1 and _all_sent(database), [sleeper, survivor])
        for daemon in (sleeper, survivor):
            daemon.send_signal(signal.SIGTERM)
        said = [daemon.communicate(timeout=20)[1] for daemon in (sleeper, survivor)]
        assert [daemon.returncode for daemon in (sleeper, survivor)] == [0, 0]
        assert "pull taken over source=slow" in said[0]
    finally:
        for daemon in daemons:
            daemon.kill()
            daemon.communicate()
        hook.close()
        feed.close()
    _assert_everything_happened_once(database, taken)
    database.close()


def _assert_everything_happened_once(database: Database, taken: list[Request]) -> None:
    assert verify(database) == []
    rows = _read(database, select(SOURCE.c.name, SOURCE.c.turn, SOURCE.c.lease_owner, SOURCE.c.id))
    for _, turn, owner, number in rows:
        assert owner is None
        pulls = _read(
            database,
            select(PULL.c.begun_at, PULL.c.ended_at)
            .where(PULL.c.source_id == number, PULL.c.ok)
            .order_by(PULL.c.begun_at),
        )
        assert len(pulls) == turn  # a pull that was taken over ends no turn
        gaps = [(later[0] - earlier[1]).total_seconds() for earlier, later in pairwise(pulls)]
        assert all(gap >= EVERY_SECONDS * 0.9 - 0.1 for gap in gaps)
    assert sorted(_read(database, select(DIGEST.c.name, DIGEST.c.state))) == [("daily", "sent"), ("weekly", "sent")]
    keys = Counter(request.headers["idempotency-key"] for request in taken)
    assert sorted(keys) == sorted(key for (key,) in _read(database, select(DELIVERY.c.key)))
    assert set(keys.values()) == {1}
    (count,), (distinct,) = (
        _read(database, query)[0]
        for query in (select(func.count()).select_from(ITEM), select(func.count(ITEM.c.external_id.distinct())))
    )
    assert count == distinct > 300


def _owner(database: Database, source: str) -> str:
    ((owner,),) = _read(database, select(SOURCE.c.lease_owner).where(SOURCE.c.name == source))
    return owner or ""


def _holder(database: Database, source: str, daemons: list[Forked]) -> Forked:
    return next(daemon for daemon in daemons if f":{daemon.pid}:" in _owner(database, source))


def _turn(database: Database, source: str) -> int:
    return _read(database, select(SOURCE.c.turn).where(SOURCE.c.name == source))[0][0]  # type: ignore[no-any-return]


def _turns(database: Database) -> int:
    """How many turns every one of the quick sources has had."""
    return min(
        (turn for name, turn in _read(database, select(SOURCE.c.name, SOURCE.c.turn)) if name != "slow"), default=0
    )


def _all_sent(database: Database) -> bool:
    states = [state for (state,) in _read(database, select(DIGEST.c.state))]
    held = _read(database, select(DELIVERY.c.lease_until).where(DELIVERY.c.lease_until > _now(database)))
    return states == ["sent", "sent"] and not held


def _now(database: Database) -> Any:
    return database.read(clock)


def _read(database: Database, query: Any) -> list[Any]:
    return database.read(lambda connection: [tuple(row) for row in connection.execute(query)])


def _until(what: Callable[[], bool], alive: list[Forked]) -> None:
    end = time.monotonic() + 90
    while not what():
        assert all(daemon.poll() is None for daemon in alive), [daemon.communicate()[1] for daemon in alive]
        assert time.monotonic() < end, "not within a minute and a half"
        time.sleep(0.1)
