"""URL -> engine: the settings under which SQLite and PostgreSQL keep their promises."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, OperationalError

T = TypeVar("T")

BUSY_SECONDS: Final = 30
ATTEMPTS: Final = 8
_PASSING_SQLSTATES: Final = frozenset({"40001", "40P01"})
_PRAGMAS: Final = (  # journal_mode=WAL stays with the file: storage.schema sets it, once the file is known to be ours
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA journal_size_limit=67108864",
    "PRAGMA cache_size=-32768",
)


class StorageError(Exception):
    """The store cannot be opened, read or written; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Database:
    """An engine that writes, and the same for reading, which on SQLite never waits for a writer."""

    engine: Engine
    readonly: Engine

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @property
    def file(self) -> Path | None:
        """The SQLite file; ``None`` for a server."""
        name = self.engine.url.database
        return Path(name) if self.is_sqlite and name else None

    def write(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` in one transaction, again if another writer was faster. ``StorageError`` if the store refuses."""
        with self.refusals_named():
            for attempt in range(1, ATTEMPTS):
                try:
                    return self._once(work)
                except DBAPIError as error:
                    if not _passes(error):
                        raise
                time.sleep(0.005 * 2**attempt)
            return self._once(work)

    def read(self, work: Callable[[Connection], T]) -> T:
        """Run ``work`` on one consistent view of the store. ``StorageError`` if the store refuses."""
        with self.refusals_named(), self.readonly.begin() as connection:
            return work(connection)

    @contextmanager
    def refusals_named(self) -> Iterator[None]:
        """What the store refuses in here is raised as ``StorageError``, in words that say what to do."""
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            remedy = _remedy(error)
            if remedy is None and not self.is_sqlite:
                # The server's own words hold the row it refused, and a cause is printed with the error.
                raise StorageError(f"{self._shown}: {_bug(error)}") from None
            if remedy is None:
                raise
            raise StorageError(f"{self._shown}: {remedy}") from error

    @property
    def _shown(self) -> str:
        return self.engine.url.render_as_string(hide_password=True)

    def _once(self, work: Callable[[Connection], T]) -> T:
        with self.engine.begin() as connection:
            return work(connection)

    def close(self) -> None:
        self.engine.dispose()


def open_database(url: str) -> Database:
    """Open (not create tables in) the database at ``url``; an SQLite file's folder is made. ``StorageError`` if it cannot be."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise StorageError(
            f'database: "{_shown(url)}" is no database address; write "sqlite:///var/monitor.db"'
        ) from error
    if parsed.get_backend_name() == "sqlite":
        engine = _sqlite(parsed)
        return Database(engine, engine.execution_options(readonly=True))
    if parsed.get_backend_name() == "postgresql":
        engine = _postgresql(parsed)
        # Several statements see one state of the store, as they do in an SQLite transaction.
        return Database(engine, engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True))
    raise StorageError(f"database: {parsed.get_backend_name()} is not supported; use sqlite or postgresql+psycopg")


def is_unmade(url: str) -> bool:
    """Is this the address of an SQLite file that is not there yet? Nothing is made by asking."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return False
    return parsed.get_backend_name() == "sqlite" and bool(parsed.database) and not Path(str(parsed.database)).exists()


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise StorageError('database: names no file; write "sqlite:///var/monitor.db"')
    folder = Path(url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"database: folder {folder} cannot be made ({error.strerror}); choose another") from error
    chosen = url.set(drivername="sqlite")
    engine = create_engine(
        chosen, hide_parameters=True, connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False}
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(dbapi: Any, _record: object) -> None:
    dbapi.isolation_level = None  # transactions are begun by _begin_sqlite, not guessed by the driver
    for pragma in _PRAGMAS:
        dbapi.execute(pragma)


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that starts to write after it has read fails as soon as another has written.
    readonly = connection.get_execution_options().get("readonly")
    connection.exec_driver_sql("BEGIN" if readonly else "BEGIN IMMEDIATE")


def _postgresql(url: URL) -> Engine:
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        raise StorageError('database: PostgreSQL needs psycopg; pip install "sentiment-monitor[postgres]"') from error
    chosen = url.set(drivername="postgresql+psycopg")
    return create_engine(chosen, hide_parameters=True, pool_pre_ping=True, connect_args={"options": "-c timezone=utc"})


def _passes(error: DBAPIError) -> bool:
    return isinstance(error, IntegrityError) or getattr(error.orig, "sqlstate", None) in _PASSING_SQLSTATES


_SQLITE_REMEDIES: Final = {
    "readonly": "the file cannot be written; give this user the right to write it and its folder",
    "disk is full": "the disk is full; nothing was lost, free some space",
    "disk I/O error": "the disk failed to read or write; look at it, and at the space and the rights it has",
    "locked": f"another process held the file for {BUSY_SECONDS} s; end it, or wait",
    "unable to open": "the file cannot be opened; look at its path and rights",
    "malformed": "the file is damaged and was not touched; restore a backup (db backup)",
    "not a database": "this file is not a database and was not touched; name another",
    "no such table": "the tables are missing; run: sentiment-monitor db upgrade",
}
_POSTGRESQL_REMEDIES: Final = {
    "25006": "the database is read-only; name the server that takes writes",
    "42501": "this user lacks a right; let it own the database's tables",
    "42P01": "the tables are missing; run: sentiment-monitor db upgrade",
    "53100": "the server's disk is full; nothing was lost, free some space",
}


def _remedy(error: Exception) -> str | None:
    """What to do about a refusal; ``None`` where there is nothing but to mend the program."""
    original = getattr(error, "orig", error)
    if isinstance(original, sqlite3.Error):
        text = str(original)
        unknown = text if isinstance(original, sqlite3.OperationalError) else None
        return next((remedy for mark, remedy in _SQLITE_REMEDIES.items() if mark in text), unknown)
    found = _POSTGRESQL_REMEDIES.get(getattr(original, "sqlstate", None) or "")
    if found is None and isinstance(error, OperationalError):
        return "the database server cannot be used now; is it up, and are database, user and password right?"
    return found


def _bug(error: Exception) -> str:
    original = getattr(error, "orig", error)
    state = getattr(original, "sqlstate", None)
    return f"the server refused a statement ({type(original).__name__}, {state}); this is a bug, report it"


def _shown(url: str) -> str:
    """An address without what may be a password in it."""
    return url.split("@")[-1][:100]
