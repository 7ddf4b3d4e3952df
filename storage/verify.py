"""Proof that the rollups are right: every one is computed again from the items and compared; so are the sums of longer spans."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import add
from typing import Any, Final

from sqlalchemy import Connection, Select, Table, bindparam, select, union
from sqlalchemy.sql.elements import ColumnElement

from storage.engine import Database
from storage.rollups import GAINS, ITEM_SUMS, Key, gain_sums, item_sums, recompute
from storage.tables import COUNT_HISTORY, ITEM, ROLLUP, ROLLUP_SPAN, SPAN_SIZES


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
_NOTHING: Final = (0,) * len(_COLUMNS)
Figures = Mapping[int, Sequence[int]]
"""Values by bucket. One series fits into memory, all of them might not."""


def _series(connection: Connection) -> list[Any]:
    """Every (brand, source, kind) there is."""
    found = union(*(select(*(table.c[name] for name in _SERIES)) for table in (ITEM, ROLLUP)))
    return sorted(tuple(row) for row in connection.execute(found))


def _differences(connection: Connection, series: tuple[int, int, str]) -> Iterator[Difference]:
    sums, gains, stored = (_figures(connection, query, series) for query in (_TRUE_SUMS, _TRUE_GAINS, _STORED))
    nothing, no_gain = (0,) * len(ITEM_SUMS), (0,) * len(GAINS)
    right = {at: (*sums.get(at, nothing), *gains.get(at, no_gain)) for at in {*sums, *gains}}
    yield from _compared(series, stored, right)
    spans = _spans(connection, series)
    for size in SPAN_SIZES:
        yield from _compared(series, spans.get(size, {}), _summed(right, size), size)


def _compared(series: tuple[int, int, str], stored: Figures, right: Figures, size: int = 1) -> Iterator[Difference]:
    """What differs; the key of a longer span's figure is that of its first bucket."""
    of_size = "" if size == 1 else f" of {size} buckets"
    for slot in sorted({*stored, *right}):
        if stored.get(slot) == right.get(slot, _NOTHING):
            continue
        row: Sequence[int | None] = stored.get(slot) or (None,) * len(_COLUMNS)
        for name, there, true in zip(_COLUMNS, row, right.get(slot, _NOTHING), strict=True):
            if (there or 0) != true:
                yield Difference(Key(*series, slot * size), f"{name}{of_size}", there, true)


def _summed(figures: Figures, size: int) -> Figures:
    found = dict[int, Sequence[int]]()
    for bucket, values in figures.items():
        found[bucket // size] = tuple(map(add, found.get(bucket // size, _NOTHING), values))
    return found


def _figures(connection: Connection, query: Select[Any], series: tuple[int, int, str]) -> Figures:
    rows = connection.execute(query, dict(zip(_SERIES, series, strict=True)))
    return {bucket: _whole(values) for bucket, *values in rows}


def _spans(connection: Connection, series: tuple[int, int, str]) -> Mapping[int, Figures]:
    """What is stored of longer spans, by their size."""
    found = dict[int, dict[int, Sequence[int]]]()
    for slot, *values, size in connection.execute(_STORED_SPANS, dict(zip(_SERIES, series, strict=True))):
        found.setdefault(size, {})[slot] = _whole(values)
    return found


def _whole(values: Sequence[Any]) -> Sequence[int]:
    return tuple([int(value) if value else 0 for value in values])


def _of_one_series(query: Select[Any], table: Table, bucket: ColumnElement[int], names: Sequence[str]) -> Select[Any]:
    chosen = query.with_only_columns(bucket, *(query.selected_columns[name] for name in names))
    return chosen.where(*(table.c[name] == bindparam(name) for name in _SERIES))


_TRUE_SUMS: Final = _of_one_series(item_sums(), ITEM, ITEM.c.bucket, ITEM_SUMS)
_TRUE_GAINS: Final = _of_one_series(gain_sums(), ITEM, COUNT_HISTORY.c.bucket, GAINS)
_STORED: Final = _of_one_series(select(ROLLUP), ROLLUP, ROLLUP.c.bucket, _COLUMNS)
_STORED_SPANS: Final = _of_one_series(select(ROLLUP_SPAN), ROLLUP_SPAN, ROLLUP_SPAN.c.slot, _COLUMNS).add_columns(
    ROLLUP_SPAN.c.size
)
