"""Which programs run on this store, as they say themselves: each keeps a line that it renews, and takes it away at its end."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, select, update

from storage.engine import Database
from storage.leases import clock
from storage.party_tables import DAEMON

STALE: Final = timedelta(minutes=3)
"""Who has not been heard of for so long is taken for gone."""
FORGOTTEN: Final = timedelta(minutes=30)
"""After so long its line is taken away. One that was only held up says so again."""


@dataclass(frozen=True, slots=True)
class Running:
    """A program that runs on this store. ``settings``: what it has said of its configuration."""

    owner: str
    started_at: datetime
    seen_at: datetime
    settings: Mapping[str, Any]


def announce(database: Database, owner: str, started_at: datetime, settings: Mapping[str, Any]) -> None:
    """Say that this program runs, and by what configuration; lines of programs long gone are taken away."""

    def work(connection: Connection) -> None:
        now = clock(connection)
        connection.execute(delete(DAEMON).where(DAEMON.c.seen_at < now - FORGOTTEN, DAEMON.c.owner != owner))
        line = {"seen_at": now, "settings": dict(settings)}
        if connection.execute(update(DAEMON).where(DAEMON.c.owner == owner).values(line)).rowcount == 0:
            connection.execute(insert(DAEMON).values(owner=owner, started_at=started_at, **line))

    database.write(work)


def beat(database: Database, owner: str) -> bool:
    """Say that this program still runs. ``False``: its line is gone (another took it away), it has to announce itself anew."""

    def work(connection: Connection) -> bool:
        renewed = update(DAEMON).where(DAEMON.c.owner == owner).values(seen_at=clock(connection))
        return connection.execute(renewed).rowcount == 1

    return database.write(work)


def leave(database: Database, owner: str) -> None:
    """Say that this program ends."""
    database.write(lambda connection: connection.execute(delete(DAEMON).where(DAEMON.c.owner == owner)))


def running(database: Database) -> list[Running]:
    """The programs that run now, the one that has run longest first."""

    def work(connection: Connection) -> list[Running]:
        heard = DAEMON.c.seen_at >= clock(connection) - STALE
        query = select(DAEMON).where(heard).order_by(DAEMON.c.started_at, DAEMON.c.owner)
        rows = connection.execute(query).all()
        return [Running(row.owner, row.started_at, row.seen_at, row.settings or {}) for row in rows]

    return database.read(work)
