"""URL -> engine: the settings under which SQLite and PostgreSQL keep their promises."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError

from storage.refusals import StorageError as StorageError
from storage.refusals import StoreAway as StoreAway
from storage.refusals import StoreDamaged as StoreDamaged
from storage.refusals import StoreUnmade as StoreUnmade
from storage.refusals import Subject, bug, refusal

T = TypeVar("T")

BUSY_SECONDS: Final = 30.0
"""How long a writer waits for another; an address may say otherwise (``?timeout=5``)."""

IDLE_SECONDS: Final = 120
"""How long a server lets a transaction of ours lie idle: a program that was stopped in the middle of one holds up all others."""

ATTEMPTS: Final = 8
_PASSING_SQLSTATES: Final = frozenset({"40001", "40P01"})
_PRAGMAS: Final = (  # journal_mode=WAL stays with the file: storage.schema sets it, once the file is known to be ours
    "PRAGMA synchronous=NORMAL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA secure_delete=FAST",  # what is replaced is overwritten; storage.erasure turns it up for freed pages
    "PRAGMA journal_size_limit=67108864",
    "PRAGMA cache_size=-32768",
    "PRAGMA wal_autocheckpoint=8000",  # 32 MB: pages that many transactions change are written into the file once
)


@dataclass(frozen=True, slots=True)
class Database:
    """An engine that writes, and the same for reading, which on SQLite never waits for a writer."""

    engine: Engine
    readonly: Engine
    wait_seconds: float = BUSY_SECONDS
    found: list[StorageError] = field(default_factory=list, repr=False, compare=False)
    """What this process found damaged: nothing is written from then on."""

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
        if self.found:
            raise self.found[0]
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
            said = refusal(error, self.subject)
            if isinstance(said, StoreDamaged):
                self.found.append(said)
            if said is None and self.is_sqlite:
                raise
            if said is None or not self.is_sqlite:
                # The server's own words may hold the row it refused, and a cause is printed with the error.
                raise said or StorageError(f"{self.shown}: {bug(error)}") from None
            raise said from error

    @property
    def shown(self) -> str:
        """The address, without what may be secret in it."""
        return self.engine.url.set(query={}).render_as_string(hide_password=True)

    @property
    def damage(self) -> str | None:
        """What is wrong with the file, once this process has met it: from then on nothing is written."""
        return str(self.found[0]) if self.found else None

    @property
    def subject(self) -> Subject:
        return Subject(self.shown, self.file, self.wait_seconds)

    def _once(self, work: Callable[[Connection], T]) -> T:
        with self.engine.begin() as connection:
            return work(connection)

    def rest(self) -> None:
        """Close the connections to a file that nobody uses: each keeps pages of it in memory."""
        if self.is_sqlite:
            self.engine.dispose()

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
        wait_seconds = _wait_seconds(parsed)
        engine = _sqlite(parsed, wait_seconds)
        return Database(engine, engine.execution_options(readonly=True), wait_seconds)
    if parsed.get_backend_name() == "postgresql":
        engine = _postgresql(parsed)
        # Several statements see one state of the store, as they do in an SQLite transaction.
        return Database(engine, engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True))
    raise StorageError(f"database: {parsed.get_backend_name()} is not supported; use sqlite or postgresql+psycopg")


def is_unmade(url: str) -> bool:
    """Is this the address of an SQLite file that is not there yet? Nothing is made by asking."""
    file = file_of(url)
    return file is not None and not file.exists()


def file_of(url: str) -> Path | None:
    """The file that the address of an SQLite store names; ``None`` for a server, and for what is no address."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        return None
    return Path(parsed.database) if parsed.get_backend_name() == "sqlite" and parsed.database else None


def _wait_seconds(url: URL) -> float:
    given = url.query.get("timeout", BUSY_SECONDS)
    try:
        return max(0.0, float(given if isinstance(given, str | float) else given[-1]))
    except ValueError as error:
        raise StorageError("database: timeout is no number of seconds; write ?timeout=30") from error


def _sqlite(url: URL, wait_seconds: float) -> Engine:
    if not url.database or url.database == ":memory:" or url.database.startswith("file:"):
        raise StorageError('database: names no file; write "sqlite:///var/monitor.db"')
    folder = Path(url.database).parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(f"database: folder {folder} cannot be made ({error.strerror}); choose another") from error
    chosen = url.set(drivername="sqlite")
    engine = create_engine(
        chosen, hide_parameters=True, connect_args={"timeout": wait_seconds, "check_same_thread": False}
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
    return create_engine(_addressed(url), hide_parameters=True, pool_pre_ping=True)


_SESSION: Final = (
    f"-c timezone=utc -c lock_timeout={BUSY_SECONDS:g}s -c idle_in_transaction_session_timeout={IDLE_SECONDS}s"
)
_CONNECTION: Final = {"connect_timeout": "10", "keepalives_idle": "30", "tcp_user_timeout": "30000"}
"""A server that has gone without a word is noticed (``tcp_user_timeout`` in ms)."""


def _addressed(url: URL) -> URL:
    """The address with our settings of a connection, where it has none of its own; a password where none is printed."""
    given = {name: value if isinstance(value, str) else value[-1] for name, value in url.query.items()}
    password = given.pop("password", None)
    options = f"{_SESSION} {given.pop('options', '')}".rstrip()
    chosen = url.set(drivername="postgresql+psycopg", query={**_CONNECTION, **given, "options": options})
    return chosen if password is None else chosen.set(password=password)


def _passes(error: DBAPIError) -> bool:
    return isinstance(error, IntegrityError) or getattr(error.orig, "sqlstate", None) in _PASSING_SQLSTATES


def _shown(url: str) -> str:
    """An address without what may be a password in it."""
    return url.split("@")[-1].partition("?")[0][:100]
