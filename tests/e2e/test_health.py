"""``sources --healthy``, by which a container is judged: is anybody at work?"""

from __future__ import annotations

from datetime import timedelta

from monitor.app import utc_now
from monitor.daemon import horizons
from monitor.health import is_alive, is_heard_of
from storage import parties, sources
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


def test_the_daemon_of_this_machine_is_heard_of_until_it_leaves(newsroom: Open) -> None:
    app = newsroom().app
    here, away = f"{app.owner.partition(':')[0]}:1:ab", "elsewhere:1:cd"
    parties.announce(app.database, away, app.now(), {})
    assert not is_heard_of(app)
    parties.announce(app.database, here, app.now(), {})
    assert is_heard_of(app)
    parties.leave(app.database, here)
    assert not is_heard_of(app)
