"""Reads: frozen records out of the store. Figures come from rollups, so their cost does not grow with the store."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, Select, and_, case, func, literal, or_, select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from storage.engine import Database
from storage.records import GapValues, ItemFilter, StoredItem, Sums
from storage.rollups import bucket_of
from storage.tables import (
    AUTHOR,
    BRAND,
    BUCKET_SECONDS,
    FOLLOWER_READING,
    GAP,
    ITEM,
    PULL,
    ROLLUP,
    ROLLUP_VALUES,
    SCALE,
    SOURCE,
    STANDING_READING,
)

Window = tuple[datetime, datetime]
"""Start and end, the end not included. Figures from rollups go by quarters of an hour: an edge within one is moved to its end."""
_BUCKET: Final = timedelta(seconds=BUCKET_SECONDS)
_INSTANT: Final = timedelta(microseconds=1)


def sums_by_source(database: Database, brand: str, window: Window) -> dict[tuple[str, str], Sums]:
    """Rollup sums of a brand's window by (source, kind)."""
    sums = (
        select(ROLLUP.c.source_id, ROLLUP.c.kind, *_summed(ROLLUP_VALUES))
        .where(ROLLUP.c.brand_id == _brand_id(brand), *_between(_edge(window[0]), _edge(window[1])))
        .group_by(ROLLUP.c.source_id, ROLLUP.c.kind)
        .subquery()
    )
    query = select(SOURCE.c.name, sums).join(sums, sums.c.source_id == SOURCE.c.id).order_by(SOURCE.c.name, sums.c.kind)
    return database.read(
        lambda connection: {
            (row["name"], row["kind"]): _sums(row, ROLLUP_VALUES) for row in connection.execute(query).mappings()
        }
    )


def sums_by_slice(
    database: Database, brand: str, slices: Sequence[Window], names: Sequence[str]
) -> dict[tuple[int, str], Sums]:
    """Rollup sums of a brand by (index of the slice, kind), for the columns named."""

    def work(connection: Connection) -> dict[tuple[int, str], Sums]:
        found: dict[tuple[int, str], Sums] = {}
        for first, low, high, length in _runs(slices):
            number = ((ROLLUP.c.bucket - low) // length).label("slice")
            query = (
                select(number, ROLLUP.c.kind, *_summed(names))
                .where(ROLLUP.c.brand_id == _brand_id(brand), *_between(low, high))
                .group_by("slice", ROLLUP.c.kind)
            )
            rows = connection.execute(query).mappings()
            found.update({(first + row["slice"], row["kind"]): _sums(row, names) for row in rows})
        return found

    return database.read(work)


def _runs(slices: Sequence[Window]) -> Iterator[tuple[int, int, int, int]]:
    """Neighbours of equal length as one: (index of the first, first bucket, bucket after the last, buckets in each).

    Finding the slice of a bucket by a division is fifty times as fast over a year as by comparing it with every slice.
    """
    spans = [(number, _edge(start), _edge(end)) for number, (start, end) in enumerate(slices)]
    known = [(number, low, high, high - low) for number, low, high in spans if low < high]
    for (length, _), group in groupby(known, key=lambda span: (span[3], span[1] - span[0] * span[3])):
        run = list(group)
        yield run[0][0], run[0][1], run[-1][2], length


def _summed(names: Iterable[str]) -> list[ColumnElement[Any]]:
    return [func.sum(ROLLUP.c[name]).label(name) for name in names]


def _sums(row: RowMapping, names: Iterable[str]) -> Sums:
    return Sums({name: int(row[name]) for name in names})


def _brand_id(name: str) -> ColumnElement[int]:
    return select(BRAND.c.id).where(BRAND.c.name == name).scalar_subquery()


def _between(low: int, high: int) -> list[ColumnElement[bool]]:
    return [ROLLUP.c.bucket >= low, ROLLUP.c.bucket < high]


def _edge(moment: datetime) -> int:
    """The first bucket that begins at ``moment`` or after it: windows that meet share no bucket, and one that ends now has
    the newest items."""
    return bucket_of(moment + _BUCKET - _INSTANT)


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


def pulls(database: Database, source: str | None = None, limit: int = 50) -> list[Mapping[str, Any]]:
    """The newest lines of the pull log."""
    query = select(SOURCE.c.name.label("source"), PULL).join(SOURCE, SOURCE.c.id == PULL.c.source_id)
    if source is not None:
        query = query.where(SOURCE.c.name == source)
    query = query.order_by(PULL.c.id.desc()).limit(limit)
    return database.read(lambda connection: [dict(row) for row in connection.execute(query).mappings()])


def items(
    database: Database,
    wanted: ItemFilter,
    *,
    order: str = "newest",
    limit: int = 50,
    after: tuple[Any, int] | None = None,
) -> list[StoredItem]:
    """Items in a stable order: ``newest``, ``negative`` (lowest compound first), ``positive``, or ``engaged``.

    ``after``: the (sort value, id) of the last item of the page before (keyset paging; :func:`sort_key` makes it).
    """

    def work(connection: Connection) -> list[StoredItem]:
        # One brand at a time, since the index that gives items in their order begins with it.
        everyone = select(BRAND.c.name).order_by(BRAND.c.name)
        brands = connection.scalars(everyone).all() if wanted.brand is None else [wanted.brand]
        queries = (_in_order(replace(wanted, brand=brand), order, after).limit(limit) for brand in brands)
        found = [_item(row) for query in queries for row in connection.execute(query).mappings()]
        return sorted(found, key=lambda item: sort_key(item, order), reverse=_ORDERS[order][1])[:limit]

    return database.read(work)


def _in_order(wanted: ItemFilter, order: str, after: tuple[Any, int] | None) -> Select[Any]:
    by, descending = _ORDERS[order]
    query = _items().where(*_conditions(wanted))
    if after is not None:
        here, there = tuple_(by, ITEM.c.id), tuple_(literal(after[0], by.type), literal(after[1]))
        query = query.where(here < there if descending else here > there)
    ways = (by.desc(), ITEM.c.id.desc()) if descending else (by.asc(), ITEM.c.id.asc())
    return query.order_by(*ways)


def sort_key(item: StoredItem, order: str) -> tuple[Any, int]:
    """Where a page that ended with ``item`` goes on."""
    if order == "newest":
        return item.published_at, item.id
    if order == "engaged":
        return (item.likes or 0) + (item.shares or 0) + (item.comments or 0), item.id
    return round((item.compound or 0) * SCALE), item.id


def items_by_id(database: Database, ids: Sequence[int]) -> dict[int, StoredItem]:
    """The items with these ids, as far as they are there."""
    query = _items().where(ITEM.c.id.in_(ids))
    return database.read(lambda connection: {row["id"]: _item(row) for row in connection.execute(query).mappings()})


def count_items(database: Database, wanted: ItemFilter) -> int:
    """How many items fit the filter."""
    query = select(func.count()).select_from(ITEM).where(*_conditions(wanted))
    return database.read(lambda connection: connection.execute(query).scalar_one())


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
    query = select(SOURCE.c.name, func.min(PULL.c.begun_at).label("begun_at")).join(
        SOURCE, SOURCE.c.id == PULL.c.source_id
    )
    query = query.where(PULL.c.ok).group_by(SOURCE.c.name)
    return database.read(lambda connection: {row.name: row.begun_at for row in connection.execute(query)})


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


_ENGAGEMENT = func.coalesce(ITEM.c.likes, 0) + func.coalesce(ITEM.c.shares, 0) + func.coalesce(ITEM.c.comments, 0)
_COMPOUND = func.coalesce(ITEM.c.compound, 0)
_ORDERS: Mapping[str, tuple[ColumnElement[Any], bool]] = {
    "newest": (ITEM.c.published_at, True),
    "negative": (_COMPOUND, False),
    "positive": (_COMPOUND, True),
    "engaged": (_ENGAGEMENT, True),
}


def _items() -> Select[Any]:
    own = [name for name in StoredItem.__slots__ if name in ITEM.c]
    author = case((ITEM.c.erased_at.is_not(None), None), else_=func.coalesce(ITEM.c.author_name, AUTHOR.c.name))
    extra = [BRAND.c.name.label("brand"), SOURCE.c.name.label("source"), author.label("author")]
    joined = (
        ITEM.join(BRAND, BRAND.c.id == ITEM.c.brand_id)
        .join(SOURCE, SOURCE.c.id == ITEM.c.source_id)
        .outerjoin(AUTHOR, AUTHOR.c.id == ITEM.c.author_id)
    )
    return select(*(ITEM.c[name] for name in own), *extra).select_from(joined)


def _item(row: Mapping[Any, Any]) -> StoredItem:
    values_ = {name: row[name] for name in StoredItem.__slots__}
    for name in ("stars", "compound"):
        values_[name] = None if row[name] is None else row[name] / SCALE
    values_["attributes"] = row["attributes"] or {}
    return StoredItem(**values_)


def _conditions(wanted: ItemFilter) -> list[ColumnElement[bool]]:
    c = ITEM.c
    found: list[ColumnElement[bool]] = []
    if wanted.brand is not None:
        found.append(c.brand_id == _brand_id(wanted.brand))
    if wanted.sources:
        found.append(c.source_id.in_(select(SOURCE.c.id).where(SOURCE.c.name.in_(wanted.sources))))
    if wanted.kinds:
        found.append(c.kind.in_(wanted.kinds))
    if wanted.labels:
        none = c.label.is_(None) if "unscored" in wanted.labels else c.id < 0
        found.append(or_(c.label.in_(wanted.labels), none))
    if wanted.since is not None:
        found.append(c.published_at >= wanted.since)
    if wanted.until is not None:
        found.append(c.published_at < wanted.until)
    return [*found, *_more_conditions(wanted)]


def _more_conditions(wanted: ItemFilter) -> list[ColumnElement[bool]]:
    c = ITEM.c
    found: list[ColumnElement[bool]] = []
    if wanted.uncounted == "counted":
        found.append(c.uncounted.is_(None))
    elif wanted.uncounted not in (None, "all"):
        found.append(c.uncounted == wanted.uncounted)
    if wanted.search:
        found.append(or_(*(field.icontains(wanted.search, autoescape=True) for field in (c.title, c.text))))
    if wanted.stars_at_most is not None:
        found.append(c.stars <= round(wanted.stars_at_most * SCALE))
    if wanted.stars_at_least is not None:
        found.append(c.stars >= round(wanted.stars_at_least * SCALE))
    if wanted.unanswered:
        found.append(and_(c.kind == "review", c.reply_text.is_(None)))
    return found
