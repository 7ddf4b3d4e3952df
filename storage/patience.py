"""Reads that give up in time: for people who wait for a page, where an answer that takes long is no answer."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from storage.engine import Database

T = TypeVar("T")
_STEPS: Final = 20_000
"""SQLite looks at the clock after so many of its steps: about every millisecond."""
_CANCELLED: Final = "57014"
"""PostgreSQL's code for a statement that took too long."""


class TookTooLong(Exception):
    """The read was given up."""


@dataclass(frozen=True)
class Hurried(Database):
    """The same store; each read ends with :class:`TookTooLong` after ``seconds`` (on PostgreSQL: each statement of it)."""

    seconds: float = 1.0

    def read(self, work: Callable[[Connection], T]) -> T:
        def limited(connection: Connection) -> T:
            with _limited(connection, self.seconds):
                return work(connection)

        return Database.read(self, limited)


def hurried(database: Database, seconds: float) -> Hurried:
    """``database`` for reads that may take so long."""
    return Hurried(database.engine, database.readonly, database.wait_seconds, database.found, seconds)


@contextmanager
def _limited(connection: Connection, seconds: float) -> Iterator[None]:
    undo = _set(connection, seconds)
    try:
        yield
    except DBAPIError as error:
        if _is_given_up(error):
            raise TookTooLong from error
        raise
    finally:
        undo()


def _set(connection: Connection, seconds: float) -> Callable[[], None]:
    """Let what runs on this connection end in time; returns what takes that back."""
    if connection.dialect.name != "sqlite":
        connection.execute(text(f"SET LOCAL statement_timeout = {max(1, round(seconds * 1_000))}"))
        return lambda: None  # it ends with the transaction
    driver: Any = connection.connection.driver_connection
    ends_at = time.monotonic() + seconds
    driver.set_progress_handler(lambda: time.monotonic() > ends_at, _STEPS)
    return lambda: driver.set_progress_handler(None, 0)


def _is_given_up(error: DBAPIError) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", None)
    return code == sqlite3.SQLITE_INTERRUPT or getattr(error.orig, "sqlstate", None) == _CANCELLED
