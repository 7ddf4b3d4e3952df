"""Rollups are recomputed for what was touched, in the transaction that touched it: exactly right, whatever came late.

Sums of differences were wrong as soon as two pulls met; recomputing under the rollup rows' lock is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, and_, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement

from storage.tables import (
    BUCKET_SECONDS,
    COUNT_HISTORY,
    COUNTS,
    ITEM,
    ROLLUP,
    ROLLUP_KEY,
    ROLLUP_VALUES,
    UNCOUNTED,
)

CHUNK = 400
"""Buckets in one statement."""


class Key(NamedTuple):
    """One rollup row."""

    brand_id: int
    source_id: int
    kind: str
    bucket: int


def bucket_of(moment: datetime) -> int:
    """The 15-minute slot of an aware time."""
    return int(moment.timestamp() // BUCKET_SECONDS)


def recompute(connection: Connection, published: Iterable[Key], grown: Iterable[Key] = ()) -> None:
    """Bring rollups up to date: ``published`` rows from their items, ``grown`` rows from their count history."""
    published, grown = sorted(set(published)), sorted(set(grown))
    touched = sorted({*published, *grown})
    if not touched:
        return
    _ensure(connection, touched)
    if connection.dialect.name == "postgresql":
        _lock(connection, touched)
    for group in _grouped(published):
        _overwrite(connection, item_sums().where(_items_of(*group)), ITEM_SUMS)
    for group in _grouped(grown):
        connection.execute(update(ROLLUP).where(_rows_of(*group)).values(dict.fromkeys(GAINS, 0)))
        _overwrite(connection, gain_sums().where(_growth_of(*group)), GAINS)


GAINS: Sequence[str] = [f"{count}_gained" for count in COUNTS]
ITEM_SUMS: Sequence[str] = [name for name in ROLLUP_VALUES if name not in GAINS]


def item_sums() -> Select[Any]:
    """Every item-born figure by rollup key: what a rollup row must hold."""
    return select(*(ITEM.c[name] for name in ROLLUP_KEY), *_item_columns()).group_by(
        *(ITEM.c[name] for name in ROLLUP_KEY)
    )


def gain_sums() -> Select[Any]:
    """Growth of the counted items by the bucket in which it was seen."""
    keys = (ITEM.c.brand_id, ITEM.c.source_id, ITEM.c.kind, COUNT_HISTORY.c.bucket)
    sums = (func.sum(COUNT_HISTORY.c[count]).label(f"{count}_gained") for count in COUNTS)
    joined = COUNT_HISTORY.join(ITEM, ITEM.c.id == COUNT_HISTORY.c.item_id)
    return select(*keys, *sums).select_from(joined).where(ITEM.c.uncounted.is_(None)).group_by(*keys)


def _item_columns() -> Iterator[ColumnElement[Any]]:
    c = ITEM.c
    counted = c.uncounted.is_(None)

    def how_many(*conditions: ColumnElement[bool]) -> ColumnElement[Any]:
        return func.count().filter(and_(counted, *conditions))

    def total(column: ColumnElement[Any]) -> ColumnElement[Any]:
        return func.coalesce(func.sum(column).filter(counted), 0)

    for label in ("positive", "negative", "neutral"):
        yield how_many(c.label == label).label(label)
    yield how_many(c.label.is_(None)).label("unscored")
    yield how_many(c.compound.is_not(None)).label("compound_n")
    for reason in UNCOUNTED:
        yield func.count().filter(c.uncounted == reason).label(reason)
    yield how_many(c.stars.is_not(None)).label("rated")
    for cell in range(1, 6):
        yield how_many(c.star_cell == cell).label(f"stars_{cell}")
    verdict = and_(c.rating_value.is_not(None), c.stars.is_(None))
    yield how_many(verdict).label("verdicts")
    yield how_many(verdict, c.rating_label == "positive").label("recommended")
    yield how_many(c.reply_text.is_not(None)).label("replied")
    yield total(c.compound).label("compound_sum")
    yield total(c.stars).label("stars_sum")
    yield total(c.stars * c.stars).label("stars_squares")
    for count in COUNTS:
        yield total(c[count]).label(f"{count}_sum")
        yield how_many(c[count].is_not(None)).label(f"{count}_known")


def _ensure(connection: Connection, keys: Sequence[Key]) -> None:
    statement = _dialect(connection).insert(ROLLUP).on_conflict_do_nothing()
    connection.execute(statement, [key._asdict() for key in keys])


def _lock(connection: Connection, keys: Sequence[Key]) -> None:
    for group in _grouped(keys):
        connection.execute(select(ROLLUP.c.bucket).where(_rows_of(*group)).order_by(ROLLUP.c.bucket).with_for_update())


def _overwrite(connection: Connection, sums: Select[Any], names: Sequence[str]) -> None:
    order = [column.name for column in sums.selected_columns]
    insert = _dialect(connection).insert(ROLLUP).from_select(order, sums)
    connection.execute(
        insert.on_conflict_do_update(index_elements=list(ROLLUP_KEY), set_={n: insert.excluded[n] for n in names})
    )


Group = tuple[int, int, str, list[int]]


def _grouped(keys: Iterable[Key]) -> Iterator[Group]:
    for (brand, source, kind), group in groupby(keys, key=lambda key: key[:3]):
        buckets = [key.bucket for key in group]
        for start in range(0, len(buckets), CHUNK):
            yield brand, source, kind, buckets[start : start + CHUNK]


def _items_of(brand: int, source: int, kind: str, buckets: list[int]) -> ColumnElement[bool]:
    c = ITEM.c
    return and_(c.brand_id == brand, c.source_id == source, c.kind == kind, c.bucket.in_(buckets))


def _growth_of(brand: int, source: int, kind: str, buckets: list[int]) -> ColumnElement[bool]:
    c = ITEM.c
    return and_(c.brand_id == brand, c.source_id == source, c.kind == kind, COUNT_HISTORY.c.bucket.in_(buckets))


def _rows_of(brand: int, source: int, kind: str, buckets: list[int]) -> ColumnElement[bool]:
    c = ROLLUP.c
    return and_(c.brand_id == brand, c.source_id == source, c.kind == kind, c.bucket.in_(buckets))


def _dialect(connection: Connection) -> Any:
    return postgresql if connection.dialect.name == "postgresql" else sqlite
