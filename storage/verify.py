"""Proof that the rollups are right: every one is computed again from the items and compared."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, Table, bindparam, select, union
from sqlalchemy.sql.elements import ColumnElement

from storage.engine import Database
from storage.rollups import GAINS, ITEM_SUMS, Key, gain_sums, item_sums, recompute
from storage.tables import COUNT_HISTORY, ITEM, ROLLUP


@dataclass(frozen=True, slots=True)
class Difference:
    """A rollup figure that is not what the items say; ``stored`` is ``None`` where the row is missing."""

    key: Key
    column: str
    stored: int | None
    true: int


def verify(database: Database, *, repair: bool = False) -> list[Difference]:
    """Every rollup figure that differs from its items; with ``repair`` they are mended in the same transaction."""

    def work(connection: Connection) -> list[Difference]:
        found = [difference for series in _series(connection) for difference in _differences(connection, series)]
        if repair:
            recompute(connection, anew={difference.key for difference in found})
        return found

    return database.write(work) if repair else database.read(work)


_SERIES: Final = ("brand_id", "source_id", "kind")
_COLUMNS: Final = (*ITEM_SUMS, *GAINS)
Figures = dict[int, Sequence[int]]
"""Values by bucket. One series fits into memory, all of them might not."""


def _series(connection: Connection) -> list[Any]:
    """Every (brand, source, kind) there is."""
    found = union(*(select(*(table.c[name] for name in _SERIES)) for table in (ITEM, ROLLUP)))
    return sorted(tuple(row) for row in connection.execute(found))


def _differences(connection: Connection, series: tuple[int, int, str]) -> Iterator[Difference]:
    sums, gains, stored = (_figures(connection, query, series) for query in (_TRUE_SUMS, _TRUE_GAINS, _STORED))
    nothing, no_gain = (0,) * len(ITEM_SUMS), (0,) * len(GAINS)
    for bucket in sorted({*sums, *gains, *stored}):
        right = (*sums.get(bucket, nothing), *gains.get(bucket, no_gain))
        row: Sequence[int | None] = stored.get(bucket) or (None,) * len(right)
        for name, there, true in zip(_COLUMNS, row, right, strict=True):
            if (there or 0) != true:
                yield Difference(Key(*series, bucket), name, there, true)


def _figures(connection: Connection, query: Select[Any], series: tuple[int, int, str]) -> Figures:
    rows = connection.execute(query, dict(zip(_SERIES, series, strict=True)))
    return {bucket: tuple(int(value or 0) for value in values) for bucket, *values in rows}


def _of_one_series(query: Select[Any], table: Table, bucket: ColumnElement[int], names: Sequence[str]) -> Select[Any]:
    chosen = query.with_only_columns(bucket, *(query.selected_columns[name] for name in names))
    return chosen.where(*(table.c[name] == bindparam(name) for name in _SERIES))


_TRUE_SUMS: Final = _of_one_series(item_sums(), ITEM, ITEM.c.bucket, ITEM_SUMS)
_TRUE_GAINS: Final = _of_one_series(gain_sums(), ITEM, COUNT_HISTORY.c.bucket, GAINS)
_STORED: Final = _of_one_series(select(ROLLUP), ROLLUP, ROLLUP.c.bucket, _COLUMNS)
