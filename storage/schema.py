"""Bringing a store's tables to the program's own version. Alembic is loaded only when there is something to do."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, inspect, text

from storage.engine import Database, StorageError

HEAD: Final = "0001"
"""The newest revision this program knows; a test holds it equal to the scripts'."""

_KNOWN: Final = ("0001",)
_LOCK_KEY: Final = 7_305_101  # an arbitrary number that all daemons on one PostgreSQL server agree on


def version(database: Database) -> str | None:
    """The store's revision; ``None`` for an empty store."""
    return database.read(_version)


def upgrade(database: Database) -> str | None:
    """Bring the tables to :data:`HEAD`, under a lock, an SQLite file after a backup beside it; what it was before.

    ``StorageError`` for a store that a newer program has written.
    """
    before = version(database)
    if before == HEAD:
        return before
    if before is not None and before not in _KNOWN:
        raise StorageError(
            f"database: its tables are of version {before}, newer than this program's {HEAD}; upgrade it"
        )
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
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(target.name + ".part")
    partial.unlink(missing_ok=True)
    with database.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("VACUUM INTO ?", (str(partial),))
    shutil.move(partial, target)


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _backup(database: Database, file: Path) -> None:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    backup(database, file.with_name(f"{file.name}.{stamp}.bak"))


def _migrate(database: Database) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "storage:migrations")

    def run(connection: Connection) -> None:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})
        if _version(connection) == HEAD:
            return  # another daemon was faster
        config.attributes["connection"] = connection
        command.upgrade(config, "head")

    if database.is_sqlite:
        _without_foreign_keys(database, run)
    else:
        database.write(run)


def _without_foreign_keys(database: Database, run: object) -> None:
    """Batch migrations replace tables; with foreign keys on, that would delete every row that refers to them."""
    assert callable(run)
    with database.engine.connect() as connection:
        raw = connection.connection.driver_connection
        assert raw is not None
        raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with connection.begin():
                run(connection)
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").first()
                if broken is not None:
                    raise StorageError("database: rows would lose what they refer to; the upgrade was undone")
        finally:
            raw.execute("PRAGMA foreign_keys=ON")
