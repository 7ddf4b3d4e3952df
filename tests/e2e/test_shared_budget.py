"""Three daemons share one account: the platform never sees more requests than its budget, and everything arrives once."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Lock

import pytest
from sqlalchemy import func, select

from connectors.testing.loopback import Loopback, Reply, Request
from storage.engine import Database, open_database
from storage.tables import ITEM, PULL
from storage.verify import verify
from tests.e2e.conftest import Home

pytestmark = pytest.mark.long

SOURCES, ITEMS, PAGE = ("north", "south", "east", "west", "middle"), 300, 100
LIMITS = {3.0: 5, 10.0: 14}
"""Requests allowed, by seconds: the first is short enough to be waited out, the second ends pulls."""
TRAVEL_SECONDS = 1.0
"""So much later than another may a request arrive that was allowed at the same time."""
HEAD = """
[monitor]
database = "{database}"
workers = 3
[[brands]]
name = "Larkspur"
[[accounts]]
name = "shared"
type = "hackernews"
requests = ["5/3s", "14/10s"]
"""
SOURCE = """
[[sources]]
name = "{name}"
type = "hackernews"
account = "shared"
brand = "Larkspur"
options = {{ base_url = "{url}/{name}" }}
"""


class Platform:
    """A search with a place of its own for each source; it notes when it was asked."""

    def __init__(self) -> None:
        self.asked: list[float] = []
        self._lock = Lock()
        self._begun = datetime.now(UTC).replace(microsecond=0)
        self.server = Loopback(self._respond)

    def _respond(self, request: Request) -> Reply:
        with self._lock:
            self.asked.append(time.monotonic())
        name, page = request.path.split("/")[1], int(request.query.get("page", 0))
        numbers = range(page * PAGE, min(ITEMS, (page + 1) * PAGE))
        return Reply.of_json({"hits": [self._hit(SOURCES.index(name), number) for number in numbers]})

    def _hit(self, place: int, number: int) -> dict[str, object]:
        at = self._begun - timedelta(minutes=10 + number)
        title = f"Larkspur is great, number {number}"
        known: dict[str, object] = {
            "_tags": ["story"],
            "title": title,
            "url": None,
            "points": 1,
            "num_comments": 0,
            "author": "someone",
        }
        return known | {"objectID": str(1_000_000 * (place + 1) - number), "created_at_i": int(at.timestamp())}


def test_three_daemons_never_overspend_the_budget_of_their_account(home: Home, database_url: str) -> None:
    platform = Platform()
    sources = "".join(SOURCE.format(name=name, url=platform.server.url) for name in SOURCES)
    home.write(HEAD.format(database=database_url) + sources)
    database = open_database(database_url)
    daemons = [home.start("run", "--log-format", "json") for _ in range(3)]
    try:
        end = time.monotonic() + 90
        while _stored(database) < len(SOURCES) * ITEMS:
            assert all(daemon.poll() is None for daemon in daemons), [daemon.communicate()[1] for daemon in daemons]
            assert time.monotonic() < end, f"{_stored(database)} items within a minute and a half"
            time.sleep(0.2)
        for daemon in daemons:
            daemon.send_signal(signal.SIGTERM)
        said = [daemon.communicate(timeout=20)[1] for daemon in daemons]
    finally:
        for daemon in daemons:
            daemon.kill()
            daemon.communicate()
        platform.server.close()
    for seconds, allowed in LIMITS.items():
        assert _most_within(platform.asked, seconds - TRAVEL_SECONDS) <= allowed
    assert _stored(database) == len(SOURCES) * ITEMS
    assert verify(database) == []
    assert {fate for (fate,) in database.read(lambda connection: list(connection.execute(select(PULL.c.fate))))} <= {
        None,
        "ratelimited",
    }
    assert sum(_pulled(lines) for lines in said) >= 2, "more than one daemon was at work"
    database.close()


def _most_within(times: Sequence[float], seconds: float) -> int:
    """The most requests in any stretch of so many seconds."""
    return max(sum(start <= at < start + seconds for at in times) for start in times)


def _stored(database: Database) -> int:
    return database.read(lambda connection: connection.execute(select(func.count()).select_from(ITEM)).scalar_one())


def _pulled(lines: str) -> bool:
    """Did this daemon pull anything?"""
    return any("source=" in json.loads(line)["message"] for line in lines.splitlines() if line.startswith("{"))
