"""Asking another database, reading only and for a bounded time; its refusals become fates."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection, Engine, NullPool, create_engine, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, SQLAlchemyError

from connectors.errors import AccessDenied, Malformed, NotThere, SourceError, Unavailable
from connectors.tidy import storable

CONNECT_SECONDS = 10
_STEPS = 20_000
"""Steps of SQLite's machine between two looks at the clock."""
_NO_ENTRY = re.compile(
    r"password authentication failed|no password supplied|role .* does not exist|permission denied|pg_hba\.conf|"
    r"access denied|login failed|authentication failed",
    re.IGNORECASE,
)
_NO_DATABASE = re.compile(r"database .* does not exist|unknown database|no such table", re.IGNORECASE)
_WRONG_QUERY = re.compile(
    r"no such (?:column|function)|syntax error|readonly database|not authorized|wrong number", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Result:
    """What came: the columns' names, and the rows as tuples."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]


class Asking:
    """A database of somebody else's. Each question is a transaction of its own that writes nothing."""

    def __init__(self, url: URL, seconds: int, stop: Event) -> None:
        self._url, self._seconds, self._stop = url, seconds, stop
        self._engine: Engine = create_engine(_addressed(url), poolclass=NullPool, hide_parameters=True)

    @property
    def is_sqlite(self) -> bool:
        return self._url.get_backend_name() == "sqlite"

    @property
    def shown(self) -> str:
        """What a message may name: the host or the file's name, nothing that could be a secret."""
        name = Path(self._url.database or "").name if self.is_sqlite else self._url.host
        return name or self._url.get_backend_name()

    def ask(self, query: str, values: Mapping[str, Any], most: int) -> Result:
        """At most ``most`` rows. Raises a fate, in which no row and no secret stands."""
        if self.is_sqlite and not Path(self._url.database or "").exists():
            raise NotThere(f"{self.shown}: there is no such file; look at the option url")
        try:
            with self._engine.connect() as connection:
                _PREPARE.get(connection.dialect.name, _leave_as_it_is)(connection, self._seconds, self._stop)
                found = connection.execute(text(query), values)
                return Result(list(found.keys()), [tuple(row) for row in found.fetchmany(most)])
        except DBAPIError as error:  # its words may hold a row or the address, hence without its cause
            raise fate_of(error, self.shown, self._seconds) from None
        except (SQLAlchemyError, ValueError, TypeError, ArithmeticError) as error:
            kind = type(error).__name__
            raise Malformed(
                f"{self.shown}: the query cannot be asked so ({kind}); look at query and key_type"
            ) from None

    def close(self) -> None:
        self._engine.dispose()


def _addressed(url: URL) -> URL:
    """The address with what makes it read only and bounded, as far as an address can."""
    if url.get_backend_name() == "sqlite":
        file = quote(str(Path(url.database or "").absolute()))
        return URL.create("sqlite", database=f"file:{file}", query={**url.query, "mode": "ro", "uri": "true"})
    if url.get_backend_name() == "postgresql" and "connect_timeout" not in url.query:
        return url.update_query_dict({"connect_timeout": str(CONNECT_SECONDS)})
    return url


Prepare = Callable[[Connection, int, Event], None]


def _sqlite(connection: Connection, seconds: int, stop: Event) -> None:
    raw: Any = connection.connection.driver_connection
    end = time.monotonic() + seconds
    raw.text_factory = lambda piece: piece.decode("utf-8", "replace")
    raw.set_progress_handler(lambda: int(stop.is_set() or time.monotonic() > end), _STEPS)


def _postgresql(connection: Connection, seconds: int, _stop: Event) -> None:
    # As statements, not as the session's options: those are refused by some poolers.
    connection.exec_driver_sql("SET TRANSACTION READ ONLY")
    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {seconds * 1000}")
    connection.exec_driver_sql("SET LOCAL TIME ZONE 'UTC'")


def _mysql(connection: Connection, _seconds: int, _stop: Event) -> None:
    connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")


def _leave_as_it_is(_connection: Connection, _seconds: int, _stop: Event) -> None:
    """Of other databases nothing is known; nothing is ever committed."""


_PREPARE: Mapping[str, Prepare] = {
    "sqlite": _sqlite,
    "postgresql": _postgresql,
    "mysql": _mysql,
    "mariadb": _mysql,
}


# ---------------------------------------------------------------------------------------------------- refusals


def fate_of(error: DBAPIError, shown: str, seconds: int) -> SourceError:
    """What a database's refusal means for the source."""
    state = getattr(error.orig, "sqlstate", None) or ""
    said = str(error.orig)
    if state == "57014" or said == "interrupted":
        return Unavailable(
            f"{shown}: the query took longer than {seconds} s; is there an index on the key? Trying again later"
        )
    if state.startswith("28") or state == "42501" or _NO_ENTRY.search(said):
        return AccessDenied(f"{shown}: refuses access; look at name, password and rights in the option url")
    if state in ("42P01", "3D000", "3F000") or _NO_DATABASE.search(said):
        return NotThere(f"{shown}: there is no such {_thing(state, said)}; look at the options query and url")
    if state == "25006" or "readonly database" in said:
        return Malformed(f"{shown}: the query writes, which it may not; give a SELECT")
    if state.startswith("42") or _WRONG_QUERY.search(said):
        return Malformed(f"{shown}: the query is not understood ({_first_line(said)}); look at the option query")
    if "not a database" in said:
        return Malformed(f"{shown}: is no SQLite database; look at the option url")
    if state.startswith("22"):
        return Malformed(
            f"{shown}: the query fails at a value ({type(error.orig).__name__}); look at query and key_type"
        )
    if not state and not isinstance(error, OperationalError | InterfaceError):
        return Malformed(f"{shown}: the query fails ({type(error.orig).__name__}); look at the option query")
    return Unavailable(f"{shown}: cannot be read now ({type(error.orig).__name__}); trying again later")


def _thing(state: str, said: str) -> str:
    if found := re.search(r'(?:no such table: |relation ")([\w.$]{1,80})', said):
        return f'table "{found[1]}"'
    return "database" if state == "3D000" or "database" in said.lower() else "table or schema"


def _first_line(said: str) -> str:
    """What a parser says: names and signs of the query, never a row."""
    return storable(said.strip().partition("\n")[0])[:160]
