"""A daemon with nothing to do: its process shrinks, hears whatever comes up, and ends when it is told to."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.e2e.conftest import Home
from tests.e2e.forking import Forked
from tests.e2e.test_live_configuration import Told, until

pytestmark = pytest.mark.long

LIMIT_MB = 80
CONFIG = """
[monitor]
database = "sqlite:///store.db"
log_level = "debug"
include = ["more/*.toml"]
[[brands]]
name = "Larkspur"
[[sources]]
name = "shop"
type = "files"
brand = "Larkspur"
every = "1h"
options = { path = "shop.csv" }
[web]
enabled = true
port = 0
"""
DIGEST = """
[[digests]]
name = "daily"
schedule = "0 8 * * *"
period = "day"
channels = []
"""


class Daemon:
    """A daemon under way, seen from outside."""

    def __init__(self, process: Forked) -> None:
        self.process, self.told = process, Told(process)
        self._nights = 0

    def falls_asleep(self) -> None:
        self._nights += 1
        until(lambda: self.told.text.count("asleep until") >= self._nights and self.is_asleep, lambda: self.told.text)

    @property
    def is_asleep(self) -> bool:
        return b"sleeper.py" in Path(f"/proc/{self.process.pid}/cmdline").read_bytes() and self.megabytes < LIMIT_MB

    @property
    def megabytes(self) -> float:
        found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{self.process.pid}/status").read_text())
        assert found is not None
        return int(found[1]) / 1024


@pytest.fixture
def daemons(home: Home) -> Iterator[Callable[[], Daemon]]:
    made: list[Daemon] = []

    def start() -> Daemon:
        made.append(Daemon(home.start("run")))
        return made[-1]

    yield start
    for one in made:
        one.process.kill()
        one.process.wait()


def items(home: Home) -> int:
    with closing(sqlite3.connect(home.folder / "store.db")) as connection:
        return int(connection.execute("SELECT count(*) FROM item").fetchone()[0])


def reviews(home: Home, *texts: str) -> None:
    rows = [f"{number},{text},2026-11-02T10:00:00Z" for number, text in enumerate(texts)]
    (home.folder / "shop.csv").write_text("\n".join(["id,text,published_at", *rows, ""]))


def test_it_shrinks_and_comes_back_for_whatever_somebody_does(home: Home, daemons: Callable[[], Daemon]) -> None:
    home.write(CONFIG)
    reviews(home, "Larkspur is lovely")
    daemon = daemons()
    daemon.falls_asleep()
    assert items(home) == 1
    started = home.json("sources")["daemons"][0]

    reviews(home, "Larkspur is lovely", "Larkspur crashes")
    home.run("sources", "pull", "shop")
    until(lambda: items(home) == 2, lambda: daemon.told.text)
    assert not daemon.is_asleep
    daemon.falls_asleep()

    # Files that turn faulty while it sleeps: it goes on by what it knew.
    home.write(CONFIG.replace('name = "shop"', 'nam = "shop"'))
    daemon.told.waits_for("going on with the one before")
    reviews(home, "Larkspur is lovely", "Larkspur crashes", "Larkspur it is")
    with closing(sqlite3.connect(home.folder / "store.db")) as store, store:
        store.execute("UPDATE source SET next_run_at = '2026-11-02 10:00:00.000000' WHERE name = 'shop'")
    until(lambda: items(home) == 3, lambda: daemon.told.text)
    (home.folder / "more").mkdir()
    (home.folder / "more/digest.toml").write_text(DIGEST)
    home.write(CONFIG)
    daemon.told.waits_for("configuration taken up: digest daily added")
    daemon.falls_asleep()

    now = home.json("sources")["daemons"][0]
    assert (now["owner"], now["started_at"]) == (started["owner"], started["started_at"])
    (dashboard,) = children_of(daemon.process.pid)
    daemon.process.send_signal(signal.SIGTERM)
    assert daemon.process.wait(20) == 0
    assert not Path(f"/proc/{dashboard}").exists()
    assert "stopped cut_off=0" in daemon.told.text
    assert home.json("sources")["daemons"] == []


def test_it_wakes_up_when_its_dashboard_ends_and_starts_another(home: Home, daemons: Callable[[], Daemon]) -> None:
    home.write(CONFIG)
    reviews(home, "Larkspur is lovely")
    daemon = daemons()
    daemon.falls_asleep()
    daemon.told.waits_for("dashboard: http")
    (first,) = children_of(daemon.process.pid)
    os.kill(first, signal.SIGKILL)
    daemon.told.waits_for("the dashboard ended code=-9")
    until(lambda: daemon.told.text.count("dashboard: http") == 2, lambda: daemon.told.text)
    (second,) = children_of(daemon.process.pid)
    assert second != first
    daemon.process.send_signal(signal.SIGINT)
    assert daemon.process.wait(20) == 0
    assert not Path(f"/proc/{second}").exists()


def children_of(pid: int) -> list[int]:
    threads = Path(f"/proc/{pid}/task").glob("*/children")
    return [int(one) for thread in threads for one in thread.read_text().split()]
