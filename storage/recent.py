"""A brand's items with what decides about them, the last published first: what can be looked at for as long as time allows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Row, Select, func, literal, select, tuple_

from storage.engine import Database
from storage.marks import Seen
from storage.tables import ITEM

CHUNK: Final = 1_000
"""Items that are read at once."""


class Recent(NamedTuple):
    """An item and what its place in the figures rests on."""

    item: Seen
    published_at: datetime
    fingerprint: str | None


def newest_first(database: Database, brand_id: int, size: int = CHUNK) -> Iterator[list[Recent]]:
    """All items of a brand in chunks, erased ones too, each chunk read when it is asked for."""
    order = (ITEM.c.published_at, ITEM.c.id)
    query = select(*_COLUMNS).where(ITEM.c.brand_id == brand_id).order_by(*(one.desc() for one in order)).limit(size)
    after: Recent | None = None
    while True:
        chunk = _read(database, query if after is None else query.where(tuple_(*order) < _place(after)))
        if chunk:
            yield chunk
        if len(chunk) < size:
            return
        after = chunk[-1]


def count_all(database: Database, brand_id: int) -> int:
    """How many items of a brand are stored, erased ones too."""
    query = select(func.count()).select_from(ITEM).where(ITEM.c.brand_id == brand_id)
    return database.read(lambda connection: connection.execute(query).scalar_one())


_COLUMNS: Final = (*(ITEM.c[name] for name in Seen.__slots__), ITEM.c.published_at, ITEM.c.fingerprint)


def _place(last: Recent) -> Any:
    return tuple_(literal(last.published_at, ITEM.c.published_at.type), literal(last.item.id))


def _read(database: Database, query: Select[Any]) -> list[Recent]:
    return database.read(lambda connection: [_recent(row) for row in connection.execute(query)])


def _recent(row: Row[Any]) -> Recent:
    values: tuple[Any, ...] = tuple(row)
    return Recent(Seen(*values[:-2]), *values[-2:])
