"""``sources --healthy``, by which a container is judged: is anybody at work?"""

from __future__ import annotations

from datetime import timedelta

from monitor.app import utc_now
from monitor.daemon import horizons
from monitor.health import is_alive
from storage import sources
from tests.fakes.newsroom import Open

LONG = timedelta(hours=3)


def test_sources_that_nobody_ever_tries_are_not_healthy_for_ever(newsroom: Open) -> None:
    room = newsroom()
    assert is_alive(room.app)
    room.now += LONG
    assert not is_alive(room.app)


def test_sources_that_nobody_tries_any_more_are_not_healthy(newsroom: Open) -> None:
    room = newsroom()
    room.pull()
    assert is_alive(room.app)
    room.now += LONG
    assert not is_alive(room.app)


def test_a_first_pull_may_take_hours(newsroom: Open) -> None:
    room = newsroom()
    room.now = utc_now() + timedelta(days=1)  # leases go by the clock of the machine
    lease = timedelta(days=2)
    assert sources.claim_source(room.app.database, "worker", horizons(room.app), room.now, lease) is not None
    room.now += LONG
    assert is_alive(room.app)
