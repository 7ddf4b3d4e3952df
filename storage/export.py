"""Items out of the store in bulk: one consistent state, read bit by bit, so that memory does not grow with what is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select, text
from sqlalchemy.sql.elements import ColumnElement

from storage.changes import changed_since
from storage.engine import Database
from storage.tables import BRAND, ITEM
from storage.views import ITEMS, JOINED

CHUNK: Final = 1_000
"""Rows that are in memory at once."""

COLUMNS: Final = ITEMS
"""What a row has, in this order; times come as aware UTC, ``attributes`` as a mapping or ``None``."""

Row = Sequence[Any]


@dataclass(frozen=True, slots=True)
class Selection:
    """Which items: of these brands (none: of all), published in ``[since, until)``, changed since the point of a token."""

    brands: Sequence[str] = ()
    since: datetime | None = None
    until: datetime | None = None
    changed_since: str | None = None


def read(database: Database, wanted: Selection) -> Iterator[Sequence[Row]]:
    """The items in the order of their ids, whether they count or not, in chunks; all of one state of the store.

    ``StorageError`` for a token that is not of this store.
    """
    with database.refusals_named(), database.readonly.begin() as connection:
        be_patient(connection)
        query = (
            select(*(column.value.label(column.name) for column in COLUMNS))
            .select_from(JOINED)
            .where(*_conditions(connection, wanted))
            .order_by(ITEM.c.id)
            .execution_options(stream_results=True, yield_per=CHUNK)
        )
        yield from connection.execute(query).partitions()


def be_patient(connection: Connection) -> None:
    """This transaction may lie idle on a server for an hour: while whoever takes the rows is at work with them."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = '1h'"))


def _conditions(connection: Connection, wanted: Selection) -> Iterator[ColumnElement[bool]]:
    if wanted.brands:
        yield BRAND.c.name.in_(wanted.brands)
    if wanted.since is not None:
        yield ITEM.c.published_at >= wanted.since
    if wanted.until is not None:
        yield ITEM.c.published_at < wanted.until
    if wanted.changed_since is not None:
        yield changed_since(connection, wanted.changed_since)
