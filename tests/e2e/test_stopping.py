"""How commands end when they are told to: nothing new is begun, and what was claimed is given back."""

from __future__ import annotations

import signal
import sqlite3
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import pytest

from monitor.daemon import Daemon
from storage import outbox
from tests.e2e.conftest import Home
from tests.fakes.newsroom import Newsroom, Open

NEVER_SECONDS = 3600.0
"""Between two ticks: the second one is that of the stop."""


@pytest.fixture(autouse=True)
def _signals_as_before() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_daemon_that_is_stopped_begins_no_further_digest(newsroom: Open, tmp_path: Path) -> None:
    room = newsroom({"name": "files", "type": "file", "folder": str(tmp_path / "digests")})
    room.pull()
    daemon = Daemon(room.app, NEVER_SECONDS)
    stopper = Thread(target=_stop_a_day_later, args=(room, daemon))
    stopper.start()
    daemon.run()
    stopper.join()
    planned = outbox.last_planned(room.app.database, "daily")
    assert planned is not None
    assert planned.period == "2026-11-19"


def _stop_a_day_later(room: Newsroom, daemon: Daemon) -> None:
    """Once the digest of yesterday is sent, the next one comes due in the very moment of the stop."""
    while not any(row["state"] == "sent" for row in outbox.deliveries(room.app.database, 1)):
        Event().wait(0.1)
    Event().wait(0.1)  # until the loop waits for its next tick
    room.now += timedelta(days=1)
    daemon.stop()


def test_a_round_that_is_terminated_gives_its_sources_back(example: Home) -> None:
    process = example.start("run", "--once")
    try:
        while not _pages(example.folder / "var/monitor.db"):
            assert process.poll() is None, process.communicate()
            Event().wait(0.02)
        process.terminate()
        _, log = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 128 + signal.SIGTERM, log
    assert "Traceback" not in log
    with sqlite3.connect(example.folder / "var/monitor.db") as store:
        assert store.execute("SELECT count(*) FROM source WHERE lease_owner IS NOT NULL").fetchone() == (0,)


def _pages(store: Path) -> int:
    """How many pages were read so far; none while there is no store yet."""
    try:
        with sqlite3.connect(f"file:{store}?mode=ro", uri=True) as connection:
            return int(connection.execute("SELECT coalesce(sum(pages), 0) FROM pull").fetchone()[0])
    except sqlite3.OperationalError:
        return 0
