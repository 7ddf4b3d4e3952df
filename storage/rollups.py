"""Rollups are recomputed for what was touched, in the transaction that touched it: exactly right, whatever came late.

Differences of old and new rows were wrong as soon as two pulls met; recomputing under the rollup rows' lock is not. Growth
alone is added up, since each of its rows is written once and never changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from itertools import groupby
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Connection,
    Executable,
    Integer,
    Select,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    func,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement

from storage.spans import renew
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

CHUNK: Final = 1_000
"""Buckets in one statement."""

GAINS: Final = tuple(f"{count}_gained" for count in COUNTS)
ITEM_SUMS: Final = tuple(name for name in ROLLUP_VALUES if name not in GAINS)


class Key(NamedTuple):
    """One rollup row."""

    brand_id: int
    source_id: int
    kind: str
    bucket: int


def bucket_of(moment: datetime) -> int:
    """The 15-minute slot of an aware time."""
    return int(moment.timestamp() // BUCKET_SECONDS)


def first_bucket(moment: datetime) -> int:
    """The first slot that begins at ``moment`` or after it: windows that meet share none, and one that ends now has the newest."""
    return bucket_of(moment + timedelta(seconds=BUCKET_SECONDS) - timedelta(microseconds=1))


def recompute(
    connection: Connection,
    published: Iterable[Key] = (),
    *,
    gains: Mapping[Key, Mapping[str, int]] | None = None,
    anew: Iterable[Key] = (),
) -> None:
    """Bring rollups up to date, after items and history are written.

    ``published``: rows in which items appeared or changed. ``gains``: growth of counted items that this transaction has
    put into the history, by count. ``anew``: rows to be made from nothing but their items and history, for whoever counts
    or uncounts items or takes them away.
    """
    dialect = connection.dialect.name
    wholly, grown = set(anew), dict(gains or {})
    changed = {*published, *wholly}
    if dialect == "postgresql":  # SQLite has one writer at a time
        _lock(connection, sorted({*changed, *grown}))
    for group in _grouped(wholly):
        connection.execute(_EMPTY, group)
        connection.execute(_regain(dialect), group)
    for group in _grouped(changed):
        connection.execute(_resum(dialect), group)
    added = [_gain_row(key, grown[key]) for key in sorted(grown) if key not in wholly]
    if added:
        connection.execute(_gain(dialect), added)
    renew(connection, {*changed, *grown})


def grown_by(connection: Connection, item_ids: Sequence[int]) -> set[Key]:
    """The rollups that hold growth of these items: it counts only as long as its item does."""
    if not item_ids:
        return set()
    c = ITEM.c
    query = select(c.brand_id, c.source_id, c.kind, COUNT_HISTORY.c.bucket).join(ITEM, c.id == COUNT_HISTORY.c.item_id)
    return {Key(*row) for row in connection.execute(query.where(c.id.in_(item_ids)).distinct())}


def item_sums() -> Select[Any]:
    """Every item-born figure by rollup key: what a rollup row must hold."""
    keys = [ITEM.c[name] for name in ROLLUP_KEY]
    return select(*keys, *_item_columns()).group_by(*keys)


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
    stars = cast(c.stars, BigInteger)  # the square of five stars is too large for PostgreSQL's integer
    yield total(stars * stars).label("stars_squares")
    for count in COUNTS:
        yield total(c[count]).label(f"{count}_sum")
        yield how_many(c[count].is_not(None)).label(f"{count}_known")


# ------------------------------------------------------------------------------------------------- statements


def _lock(connection: Connection, keys: Sequence[Key]) -> None:
    """Have the rows, and have them alone until the end: what is summed up afterwards sees all that was waited for."""
    for group in _grouped(keys):
        connection.execute(_MAKE, group)
    for group in _grouped(keys):
        connection.execute(_LOCK, group)


def _grouped(keys: Iterable[Key]) -> Iterator[dict[str, Any]]:
    """Keys in their order as parameters: brand, source and kind, each with its buckets."""
    for (brand, source, kind), group in groupby(sorted(keys), key=lambda key: key[:3]):
        buckets = [key.bucket for key in group]
        for start in range(0, len(buckets), CHUNK):
            yield {"brand": brand, "source": source, "kind_": kind, "buckets": buckets[start : start + CHUNK]}


def _gain_row(key: Key, gain: Mapping[str, int]) -> dict[str, Any]:
    return {**key._asdict(), **{f"{count}_gained": gain.get(count, 0) for count in COUNTS}}


def _of_group(table: Table, bucket: ColumnElement[int]) -> ColumnElement[bool]:
    c = table.c
    same = (c.brand_id == bindparam("brand"), c.source_id == bindparam("source"), c.kind == bindparam("kind_"))
    return and_(*same, bucket.in_(bindparam("buckets", expanding=True)))


_MAKE: Final = (
    postgresql.insert(ROLLUP)
    .from_select(
        ROLLUP_KEY,
        select(
            bindparam("brand", type_=Integer),
            bindparam("source", type_=Integer),
            bindparam("kind_", type_=Text),
            func.unnest(bindparam("buckets", type_=postgresql.ARRAY(Integer))),
        ),
    )
    .on_conflict_do_nothing()
)
_LOCK: Final = (
    select(ROLLUP.c.bucket).where(_of_group(ROLLUP, ROLLUP.c.bucket)).order_by(ROLLUP.c.bucket).with_for_update()
)
_EMPTY: Final = (
    update(ROLLUP)
    .where(_of_group(ROLLUP, ROLLUP.c.bucket))
    .values({**dict.fromkeys(ROLLUP_VALUES, 0), "changes": ROLLUP.c.changes + 1})
)


@cache
def _resum(dialect: str) -> Executable:
    return _overwrite(dialect, item_sums().where(_of_group(ITEM, ITEM.c.bucket)), ITEM_SUMS)


@cache
def _regain(dialect: str) -> Executable:
    return _overwrite(dialect, gain_sums().where(_of_group(ITEM, COUNT_HISTORY.c.bucket)), GAINS)


@cache
def _gain(dialect: str) -> Executable:
    insert = _upsert(dialect)
    added = {name: ROLLUP.c[name] + insert.excluded[name] for name in GAINS} | {"changes": ROLLUP.c.changes + 1}
    statement: Executable = insert.on_conflict_do_update(index_elements=ROLLUP_KEY, set_=added)
    return statement


def _overwrite(dialect: str, sums: Select[Any], names: Sequence[str]) -> Executable:
    insert = _upsert(dialect).from_select([column.name for column in sums.selected_columns], sums)
    statement: Executable = insert.on_conflict_do_update(
        index_elements=ROLLUP_KEY,
        set_={**{name: insert.excluded[name] for name in names}, "changes": ROLLUP.c.changes + 1},
    )
    return statement


def _upsert(dialect: str) -> Any:
    return (postgresql if dialect == "postgresql" else sqlite).insert(ROLLUP)
