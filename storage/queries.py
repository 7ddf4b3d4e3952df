"""Reads: frozen records out of the store. Figures come from rollups, so their cost does not grow with the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, TextClause, and_, bindparam, func, select, text
from sqlalchemy.sql.elements import ColumnElement

from storage import spans
from storage.engine import Database
from storage.listing import count_items as count_items
from storage.listing import items as items
from storage.listing import items_by_id as items_by_id
from storage.listing import sort_key as sort_key
from storage.records import GapValues, Sums
from storage.rollups import first_bucket
from storage.spans import Shape
from storage.tables import (
    AUTHOR,
    BRAND,
    FOLLOWER_READING,
    GAP,
    ITEM,
    PULL,
    ROLLUP,
    ROLLUP_VALUES,
    SOURCE,
    STANDING_READING,
)

Window = tuple[datetime, datetime]
"""Start and end, the end not included. Figures from rollups go by quarters of an hour: an edge within one is moved to its end."""


def sums_by_source(database: Database, brand: str, window: Window) -> dict[tuple[str, str], Sums]:
    """Rollup sums of a brand's window by (source, kind)."""
    low, high = first_bucket(window[0]), first_bucket(window[1])
    if low >= high:
        return {}
    wanted = spans.repeated(0, low, high, high - low)
    query, given = _by_source(spans.shape_of(wanted)), spans.values(brand, wanted)
    return database.read(
        lambda connection: {
            (name, kind): _sums(values, ROLLUP_VALUES) for name, kind, *values in connection.execute(query, given)
        }
    )


def sums_by_slice(
    database: Database, brand: str, slices: Sequence[Window], names: Sequence[str]
) -> dict[tuple[int, str], Sums]:
    """Rollup sums of a brand by (index of the slice, kind), for the columns named."""

    def work(connection: Connection) -> dict[tuple[int, str], Sums]:
        found: dict[tuple[int, str], Sums] = {}
        for run in _runs(slices):
            wanted = spans.repeated(*run)
            query = _by_slice(spans.shape_of(wanted), tuple(names))
            rows = connection.execute(query, spans.values(brand, wanted))
            found.update({(number, kind): _sums(values, names) for number, kind, *values in rows})
        return found

    return database.read(work)


def sums_by_source_and_slice(
    database: Database, brand: str, slices: Sequence[Window], kinds: Sequence[str], names: Sequence[str]
) -> dict[tuple[int, str], Sums]:
    """Rollup sums of a brand's items of these kinds by (index of the slice, source), for the columns named."""

    def work(connection: Connection) -> dict[tuple[int, str], Sums]:
        found: dict[tuple[int, str], Sums] = {}
        sources = {row.id: row.name for row in connection.execute(select(SOURCE.c.id, SOURCE.c.name))}
        for run in _runs(slices):
            wanted = spans.repeated(*run)
            query = _by_source_and_slice(spans.shape_of(wanted), tuple(names))
            rows = connection.execute(query, {**spans.values(brand, wanted), "kinds": list(kinds)})
            found.update({(number, sources[source]): _sums(values, names) for number, source, *values in rows})
        return found

    return database.read(work)


def _runs(slices: Sequence[Window]) -> Iterator[tuple[int, int, int, int]]:
    """Neighbours of equal length as one: (index of the first, first bucket, bucket after the last, buckets in each).

    Finding the slice of a bucket by a division is fifty times as fast over a year as by comparing it with every slice.
    """
    edges = [(number, first_bucket(start), first_bucket(end)) for number, (start, end) in enumerate(slices)]
    known = [(number, low, high, high - low) for number, low, high in edges if low < high]
    for (length, _), group in groupby(known, key=lambda span: (span[3], span[1] - span[0] * span[3])):
        run = list(group)
        yield run[0][0], run[0][1], run[-1][2], length


@cache
def _by_source(shape: Shape) -> TextClause:
    sums = f"SELECT source_id, kind, {_summed(ROLLUP_VALUES)} FROM ({spans.rows(shape, ROLLUP_VALUES)}) AS found"  # noqa: S608 - our own names
    return text(
        f"SELECT source.name, sums.kind, {', '.join(f'sums.{name}' for name in ROLLUP_VALUES)} FROM source"  # noqa: S608
        f" JOIN ({sums} GROUP BY source_id, kind) AS sums ON sums.source_id = source.id ORDER BY source.name, sums.kind"
    )


@cache
def _by_slice(shape: Shape, names: tuple[str, ...]) -> TextClause:
    rows = spans.rows(shape, names)
    return text(f"SELECT slice, kind, {_summed(names)} FROM ({rows}) AS found GROUP BY slice, kind")  # noqa: S608


@cache
def _by_source_and_slice(shape: Shape, names: tuple[str, ...]) -> TextClause:
    rows = spans.rows(shape, names)
    query = f"SELECT slice, source_id, {_summed(names)} FROM ({rows}) AS found WHERE kind IN :kinds GROUP BY slice, source_id"  # noqa: S608
    return text(query).bindparams(bindparam("kinds", expanding=True))


def _summed(names: Iterable[str]) -> str:
    return ", ".join(f"sum({name}) AS {name}" for name in names)


def _sums(values: Iterable[Any], names: Iterable[str]) -> Sums:
    return Sums(dict(zip(names, map(int, values), strict=True)))


def _brand_id(name: str) -> ColumnElement[int]:
    return select(BRAND.c.id).where(BRAND.c.name == name).scalar_subquery()


def followers(database: Database, at: datetime) -> list[tuple[str, str, int, datetime]]:
    """The last known count at ``at`` of every account: (source, account, count, when it was last seen true)."""
    return database.read(lambda connection: _readings(connection, FOLLOWER_READING, "account", ["count"], at))


def standings(
    database: Database, at: datetime
) -> list[tuple[str, str, float | None, float, float, int | None, datetime]]:
    """The last known standing at ``at``: (source, place, mean, worst, best, count, when it was last seen true)."""
    names = ["mean", "worst", "best", "count"]
    return database.read(lambda connection: _readings(connection, STANDING_READING, "place", names, at))


def _readings(connection: Connection, table: Any, subject: str, names: list[str], at: datetime) -> list[Any]:
    newest = (
        select(table.c.source_id, table.c[subject], func.max(table.c.at).label("at"))
        .where(table.c.at <= at)
        .group_by(table.c.source_id, table.c[subject])
        .subquery()
    )
    same = and_(
        newest.c.source_id == table.c.source_id, newest.c[subject] == table.c[subject], newest.c.at == table.c.at
    )
    query = (
        select(SOURCE.c.name, table.c[subject], *(table.c[name] for name in names), table.c.last_seen)
        .select_from(table.join(newest, same).join(SOURCE, SOURCE.c.id == table.c.source_id))
        .order_by(SOURCE.c.name, table.c[subject])
    )
    return [tuple(row) for row in connection.execute(query)]


def gaps(database: Database, window: Window) -> list[tuple[str, GapValues]]:
    """Stretches that sources could not give, as far as they touch the window."""
    query = (
        select(SOURCE.c.name, GAP.c.since, GAP.c.until, GAP.c.reason, GAP.c.missing)
        .join(SOURCE, SOURCE.c.id == GAP.c.source_id)
        .where(GAP.c.since < window[1], GAP.c.until > window[0])
        .order_by(GAP.c.since, SOURCE.c.name)
    )
    return database.read(
        lambda connection: [
            (row.name, GapValues(row.since, row.until, row.reason, row.missing)) for row in connection.execute(query)
        ]
    )


def beginnings_missed(database: Database) -> dict[str, list[tuple[datetime, datetime]]]:
    """By source, what it could not give from the very time on to which its first pull was to reach."""
    query = (
        select(SOURCE.c.name, GAP.c.since, GAP.c.until)
        .join(SOURCE, SOURCE.c.id == GAP.c.source_id)
        .where(GAP.c.since <= SOURCE.c.reaches_back_to)
        .order_by(GAP.c.until)
    )
    found: dict[str, list[tuple[datetime, datetime]]] = {}
    for name, since, until in database.read(lambda connection: connection.execute(query).all()):
        found.setdefault(name, []).append((since, until))
    return found


def pulls(database: Database, source: str | None = None, limit: int = 50) -> list[Mapping[str, Any]]:
    """The newest lines of the pull log."""
    query = select(SOURCE.c.name.label("source"), PULL).join(SOURCE, SOURCE.c.id == PULL.c.source_id)
    if source is not None:
        query = query.where(SOURCE.c.name == source)
    query = query.order_by(PULL.c.id.desc()).limit(limit)
    return database.read(lambda connection: [dict(row) for row in connection.execute(query).mappings()])


def author_names(database: Database, ids: Sequence[int]) -> dict[int, str | None]:
    """The present names of these authors, as far as they are there."""
    query = select(AUTHOR.c.id, AUTHOR.c.name).where(AUTHOR.c.id.in_(ids))
    return database.read(lambda connection: {row.id: row.name for row in connection.execute(query)})


def unscored_by_language(database: Database, brand: str, window: Window) -> dict[str, int]:
    """Counted items of the window that have no label because of their language, by language code."""
    query = (
        select(func.coalesce(ITEM.c.language, "unknown"), func.count())
        .where(ITEM.c.brand_id == _brand_id(brand), ITEM.c.unscored == "language", ITEM.c.label.is_(None))
        .where(ITEM.c.published_at >= window[0], ITEM.c.published_at < window[1], ITEM.c.uncounted.is_(None))
        .group_by(ITEM.c.language)
    )
    return database.read(lambda connection: {str(code): int(n) for code, n in connection.execute(query)})


def first_good_pulls(database: Database) -> dict[str, datetime]:
    """When each source's first good pull began, by the source's name."""
    # One look into the index of each source: the log of a long time is not read as a whole.
    first = select(PULL.c.begun_at).where(PULL.c.source_id == SOURCE.c.id, PULL.c.ok).order_by(PULL.c.begun_at).limit(1)
    query = select(SOURCE.c.name, first.correlate(SOURCE).scalar_subquery().label("begun_at"))
    return database.read(
        lambda connection: {row.name: row.begun_at for row in connection.execute(query) if row.begun_at is not None}
    )


def brand_ids(database: Database) -> dict[str, int]:
    """The ids of all brands by name."""
    query = select(BRAND.c.name, BRAND.c.id)
    return database.read(lambda connection: {row.name: row.id for row in connection.execute(query)})


def stats(database: Database) -> dict[str, Any]:
    """How much there is: items by brand and kind, first and last time, table sizes."""

    def work(connection: Connection) -> dict[str, Any]:
        by_brand = select(BRAND.c.name, ITEM.c.kind, func.count()).join(BRAND, BRAND.c.id == ITEM.c.brand_id)
        rows = connection.execute(by_brand.group_by(BRAND.c.name, ITEM.c.kind).order_by(BRAND.c.name, ITEM.c.kind))
        first, last = connection.execute(select(func.min(ITEM.c.published_at), func.max(ITEM.c.published_at))).one()
        return {
            "items": [{"brand": name, "kind": kind, "count": count} for name, kind, count in rows],
            "first": first,
            "last": last,
            "authors": connection.execute(select(func.count()).select_from(AUTHOR)).scalar_one(),
            "rollups": connection.execute(select(func.count()).select_from(ROLLUP)).scalar_one(),
            "pulls": connection.execute(select(func.count()).select_from(PULL)).scalar_one(),
        }

    return database.read(work)
