"""Bringing a store's tables to the program's own version. Alembic is loaded only when there is something to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, inspect, text

from storage import views
from storage.engine import Database, StorageError, StoreUnmade
from storage.party_tables import ALL_TABLES
from storage.soundness import refuse_unsound

HEAD: Final = "0003"
"""The newest revision this program knows; a test holds it equal to the scripts'."""

_KNOWN: Final = ("0001", "0002", "0003")
_LOCK_KEY: Final = 7_305_101  # an arbitrary number that all daemons on one PostgreSQL server agree on


def version(database: Database) -> str | None:
    """The store's revision; ``None`` for an empty store. ``StorageError`` for a database that is something else's."""
    return database.read(_version)


def upgrade(database: Database, *, make: bool = True) -> str | None:
    """Bring the tables to :data:`HEAD`, under a lock, an SQLite file after a backup beside it; what it was before.

    ``StorageError`` for a store that a newer program has written, and for a database that is something else's; unless it may
    ``make`` the tables, ``StoreUnmade`` for an empty one, which is left so.
    """
    refuse_unsound(database)
    before = version(database)
    if before not in (None, *_KNOWN):
        raise StorageError(
            f"database: its tables are of version {before}, newer than this program's {HEAD}; upgrade the program"
        )
    if before is None and not make:
        raise StoreUnmade(f"{database.shown}: there is no store")
    if database.is_sqlite:
        _write_ahead(database)
    if before == HEAD:
        return before
    if before is not None and database.file is not None:
        _backup(database, database.file)
    _migrate(database)
    return before


def backup(database: Database, target: Path) -> None:
    """A consistent copy of an SQLite store, made while it is in use. ``StorageError`` if ``target`` exists or cannot be made."""
    if not database.is_sqlite:
        raise StorageError("db backup: copies SQLite files; for PostgreSQL use pg_dump")
    if target.exists():
        raise StorageError(f"db backup: {target} exists; name another file")
    partial = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy(database, partial)
        partial.rename(target)
    except OSError as error:
        raise StorageError(f"db backup: {target} cannot be written ({error.strerror}); name another file") from error
    finally:
        with suppress(OSError):
            partial.unlink()


def _copy(database: Database, target: Path) -> None:
    target.touch(exist_ok=False)  # what cannot be written is told from what cannot be read
    with database.refusals_named(), database.engine.connect() as connection:
        _raw(connection).execute("VACUUM INTO ?", (str(target),))


def _version(connection: Connection) -> str | None:
    """Is the database ours, and of what version? Nothing is written to one that is not."""
    there = inspect(connection)
    tables = set(there.get_table_names())
    if "alembic_version" in tables and "brand" in tables:
        found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        return found
    tables.update(there.get_view_names())
    ours = {*ALL_TABLES.tables, *views.VIEWS, "alembic_version"}
    strangers = tables if connection.dialect.name == "sqlite" else tables & ours
    if strangers:
        raise StorageError(f"database: has tables of something else ({min(strangers)}); name another")
    return None


def _backup(database: Database, file: Path) -> None:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    backup(database, file.with_name(f"{file.name}.{stamp}-{os.getpid()}.bak"))


def _write_ahead(database: Database) -> None:
    """Readers and the writer do not wait for each other; the file remembers it, and its copies may not."""
    with database.refusals_named(), database.engine.connect() as connection:
        _raw(connection).execute("PRAGMA journal_mode=WAL")


def _migrate(database: Database) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "storage:migrations")

    def run(connection: Connection) -> None:
        if not database.is_sqlite:
            connection.execute(text("SET LOCAL lock_timeout = 0"))  # another daemon's upgrade may take its time
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        config.attributes["connection"] = connection
        views.drop(connection)
        command.upgrade(config, "head")  # which does nothing if another daemon was faster
        views.create(connection)

    if database.is_sqlite:
        _without_foreign_keys(database, run)
    else:
        database.write(run)


def _without_foreign_keys(database: Database, run: Callable[[Connection], None]) -> None:
    """Batch migrations replace tables; with foreign keys on, that would delete every row that refers to them."""
    with database.refusals_named(), database.engine.connect() as connection:
        _raw(connection).execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                run(connection)
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                if broken is not None:
                    raise StorageError("database: rows would lose what they refer to; the upgrade was undone")
        finally:
            _raw(connection).execute("PRAGMA foreign_keys=ON")


def _raw(connection: Connection) -> Any:
    """The driver's own connection, outside of any transaction."""
    return connection.connection.driver_connection
