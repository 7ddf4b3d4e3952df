"""Many rows at once. For a wide table SQLAlchemy takes more than twice as long to prepare the values as SQLite to store them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache, lru_cache, partial
from operator import itemgetter
from typing import Any, cast

from sqlalchemy import JSON, Connection, Table, insert
from sqlalchemy.dialects import sqlite
from sqlmodel import UTCDateTime

Process = Callable[[Any], Any]


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert ``rows``, which all have the same columns, with what SQLAlchemy would make of their values."""
    if not rows:
        return
    if connection.dialect.name != "sqlite":
        connection.execute(insert(table), cast(Sequence[dict[str, Any]], rows))
    else:
        statement, processes = _prepared(table, tuple(rows[0]))
        columns = [_column(rows, name, process) for name, process in processes]
        connection.exec_driver_sql(statement, list(zip(*columns, strict=True)))


def _column(rows: Sequence[Mapping[str, Any]], name: str, process: Process | None) -> Iterable[Any]:
    values = map(itemgetter(name), rows)
    return values if process is None else [None if value is None else process(value) for value in values]


@cache
def _prepared(table: Table, names: tuple[str, ...]) -> tuple[str, list[tuple[str, Process | None]]]:
    dialect = sqlite.dialect(paramstyle="qmark")
    compiled = insert(table).compile(dialect=dialect, column_keys=list(names))
    return str(compiled), [(name, _process(table, name, dialect)) for name in compiled.positiontup or ()]


def _process(table: Table, name: str, dialect: Any) -> Process | None:
    kind = table.c[name].type
    process = kind.dialect_impl(dialect).bind_processor(dialect)
    if process is not None and isinstance(kind, UTCDateTime):
        return lru_cache(maxsize=64)(_as_kept)  # three of an item's times are the page's own
    if process is not None and isinstance(kind, JSON):
        return partial(_as_json, process)
    return process


def _as_json(process: Process, value: Any) -> Any:
    return "{}" if value == {} else process(value)  # most items have no attributes


def _as_kept(at: datetime) -> str:
    """What SQLAlchemy makes of an aware time for SQLite, in a third of the time. ``ValueError`` for one without a zone."""
    if at.tzinfo is None:
        raise ValueError("a time without its zone cannot be stored")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds")
