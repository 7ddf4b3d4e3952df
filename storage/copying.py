"""A whole store into another, empty one, in either direction between SQLite and PostgreSQL; memory does not grow with it.

It is read as one state, and written in one transaction: a copy that is cut off leaves the other store empty. Every table's
rows are counted and summed up on both sides before it is kept.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Table, func, select, text

from storage import schema, search
from storage.bulk import insert_rows
from storage.engine import Database, StorageError, open_database
from storage.export import be_patient
from storage.leases import clock
from storage.party_tables import ALL_TABLES, DAEMON
from storage.people_tables import EXPORT_POINT, ITEM_CHANGE

CHUNK: Final = 1_000
"""Rows that are in memory at once."""

Told = Callable[[str, int, int], None]
"""Is told a table's name, how many of its rows are over there, and of how many."""

_LEFT_OUT: Final = (EXPORT_POINT, ITEM_CHANGE, DAEMON)
"""They speak of one database's own transactions, where exports from the copy begin anew, and of who is running on it."""


@dataclass(frozen=True, slots=True)
class _Sum:
    """What tells whether a table has arrived: how many rows, and a checksum in which their order does not matter."""

    rows: int = 0
    checksum: int = 0


def tables() -> list[Table]:
    """What is copied, each table after those that it refers to."""
    return [table for table in ALL_TABLES.sorted_tables if table not in _LEFT_OUT]


def copy(source: Database, target: Database, told: Told = lambda *_: None) -> dict[str, int]:
    """Copy everything; how many rows of each table. What is written to ``source`` meanwhile is not in the copy.

    ``StorageError``: ``source`` is not of this program's version, ``target`` is not empty, or what arrived differs.
    """
    found = schema.version(source)
    if found != schema.HEAD:
        raise StorageError(f"database: its tables are of version {found or 'none'}; run: sentiment-monitor db upgrade")
    if schema.version(target) not in (None, schema.HEAD):
        raise StorageError("--to: holds a store of another version; name a database that is empty")
    schema.upgrade(target)
    with source.refusals_named(), source.readonly.begin() as here:
        return target.write(lambda there: _copy(here, there, told))


def to_file(source: Database, target: Path, told: Told = lambda *_: None) -> None:
    """A consistent copy of any store as an SQLite file. ``StorageError`` if ``target`` exists or cannot be made."""
    if target.exists():
        raise StorageError(f"db backup: {target} exists; name another file")
    partial = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        made = open_database(f"sqlite:///{partial}")
        try:
            copy(source, made, told)
            _one_file(made)
        finally:
            made.close()
        partial.rename(target)
    except OSError as error:
        raise StorageError(f"db backup: {target} cannot be written ({error.strerror}); name another file") from error
    finally:
        for file in (partial, *(partial.with_name(f"{partial.name}{end}") for end in ("-wal", "-shm"))):
            with suppress(OSError):
                file.unlink()


def in_use(database: Database) -> list[str]:
    """Who is pulling, building or sending right now, as far as the store knows."""

    def work(connection: Connection) -> list[str]:
        leased = [table for table in tables() if "lease_until" in table.c]
        held = (select(t.c.lease_owner).where(t.c.lease_until > clock(connection)) for t in leased)
        return sorted({owner for query in held for owner in connection.scalars(query) if owner})

    return database.read(work)


def _one_file(database: Database) -> None:
    """All that is written stands in the file itself."""
    with database.refusals_named(), database.engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.execute("PRAGMA journal_mode=DELETE")


# ------------------------------------------------------------------------------------------------- the steps


def _copy(here: Connection, there: Connection, told: Told) -> dict[str, int]:
    be_patient(here)
    be_patient(there)
    _have_alone(there)
    _refuse_filled(there)
    sent = {table.name: _send(here, there, table, told) for table in tables()}
    for table in tables():
        if _arrived(there, table) != sent[table.name]:
            raise StorageError(f"{table.name}: what arrived is not what was sent; nothing was kept, start again")
    _go_on_counting(there)
    search.rebuild(there)
    return {name: total.rows for name, total in sent.items()}


def _have_alone(there: Connection) -> None:
    """Nobody else begins to fill it; who wants to waits, and then finds it filled."""
    if there.dialect.name == "postgresql":
        names = ", ".join(f'"{table.name}"' for table in tables())
        there.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))


def _refuse_filled(there: Connection) -> None:
    for table in ALL_TABLES.sorted_tables:
        if there.execute(select(text("1")).select_from(table).limit(1)).first() is not None:
            raise StorageError(
                f"database: the store to be filled is not empty (it has rows of {table.name}); move it away or name another"
            )


def _send(here: Connection, there: Connection, table: Table, told: Told) -> _Sum:
    total = here.execute(select(func.count()).select_from(table)).scalar_one()
    done = _Sum()
    for rows in _chunks(here, table):
        insert_rows(there, table, [dict(row._mapping) for row in rows])
        done = _added(done, rows)
        told(table.name, done.rows, total)
    return done


def _arrived(there: Connection, table: Table) -> _Sum:
    done = _Sum()
    for rows in _chunks(there, table):
        done = _added(done, rows)
    return done


def _chunks(connection: Connection, table: Table) -> Iterator[Any]:
    streamed = select(table).execution_options(stream_results=True, yield_per=CHUNK)
    return iter(connection.execute(streamed).partitions())


def _added(total: _Sum, rows: Any) -> _Sum:
    checksum = total.checksum
    for row in rows:
        digest = blake2b(repr(tuple(row)).encode(), digest_size=16).digest()
        checksum = (checksum + int.from_bytes(digest)) % (1 << 128)
    return _Sum(total.rows + len(rows), checksum)


def _go_on_counting(there: Connection) -> None:
    """PostgreSQL's sequences go on after the highest number; SQLite looks for it by itself."""
    if there.dialect.name != "postgresql":
        return
    for table in tables():
        sequence = _sequence(there, table)
        highest = there.execute(select(func.max(table.c.id))).scalar() if sequence is not None else None
        if highest is not None:
            there.execute(text("SELECT setval(:sequence, :highest)"), {"sequence": sequence, "highest": highest})
    there.execute(text("ANALYZE"))


def _sequence(there: Connection, table: Table) -> str | None:
    """What numbers a table's rows."""
    if table.name == "item":
        return "item_id_seq"
    if "id" not in table.c:
        return None
    named = there.execute(text("SELECT pg_get_serial_sequence(:table, 'id')"), {"table": table.name})
    found: str | None = named.scalar()
    return found
