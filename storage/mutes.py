"""Authors and sites whose items do not count.

A page that is being stored must not miss a mute that is set meanwhile, nor keep one that is taken back: whoever stores items
or decides anew whether they count reads the mutes under a shared lock, whoever changes the mutes has that lock alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, text
from sqlalchemy.sql.elements import ColumnElement

from storage.engine import Database
from storage.people_tables import MUTE
from storage.reasons import Mute, Mutes
from storage.tables import AUTHOR

_LOCK_KEY: Final = 0x6D757465
"""Of PostgreSQL's advisory lock; SQLite has one writer at a time."""
_NAMES: Final = tuple(Mute.__slots__)
_ALL: Final = select(*(MUTE.c[name] for name in _NAMES)).order_by(MUTE.c.id)


def listed(database: Database) -> list[Mute]:
    """Every mute, in the order in which they were set."""
    return database.read(_all)


def in_force(database: Database) -> Mutes:
    """The mutes as they are now, for looking only."""
    return Mutes.of(listed(database))


def in_force_until_commit(connection: Connection) -> Mutes:
    """The mutes, which nobody changes until this transaction ends. To be asked before any item is touched."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock_shared(:key)"), {"key": _LOCK_KEY})
    return Mutes.of(_all(connection))


def mute(database: Database, wanted: Mute, at: datetime) -> bool:
    """Let the author or site count no more in what is stored from now on. ``False`` if that is so already."""

    def work(connection: Connection) -> bool:
        _alone(connection)
        if connection.execute(select(MUTE.c.id).where(_same(wanted)).limit(1)).first() is not None:
            return False
        connection.execute(insert(MUTE), {**asdict(wanted), "shown": wanted.shown[:200], "at": at})
        return True

    return database.write(work)


def unmute(database: Database, wanted: Mute) -> bool:
    """Let the author or site count again in what is stored from now on. ``False`` if it was not muted."""

    def work(connection: Connection) -> bool:
        _alone(connection)
        return connection.execute(delete(MUTE).where(_same(wanted))).rowcount > 0

    return database.write(work)


def find_authors(
    database: Database, wanted: str, others: Iterable[str] = (), limit: int = 20
) -> list[tuple[int, str, str, str | None]]:
    """The authors of this name, platform's id (or one of ``others``) or number: (number, platform, platform's id, name)."""
    c, plain = AUTHOR.c, wanted.removeprefix("@")
    names = (wanted, plain, f"@{plain}")
    same = [c.external_id.in_((*names, *others)), c.name.in_(names), func.lower(c.name) == plain.lower()]
    if wanted.isascii() and wanted.isdecimal() and int(wanted) < 2**63:
        same.append(c.id == int(wanted))
    query = select(c.id, c.platform, c.external_id, c.name).where(or_(*same)).order_by(c.platform, c.id).limit(limit)
    return database.read(lambda connection: [tuple(row) for row in connection.execute(query)])


def _alone(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})


def _all(connection: Connection) -> list[Mute]:
    return [Mute(**row) for row in connection.execute(_ALL).mappings()]


def _same(wanted: Mute) -> ColumnElement[bool]:
    given: Sequence[tuple[str, object]] = [(name, getattr(wanted, name)) for name in ("brand_id", "author_id", "site")]
    return and_(*(MUTE.c[name].is_(None) if value is None else MUTE.c[name] == value for name, value in given))
