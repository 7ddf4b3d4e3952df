"""Keys by which items that say nearly the same are found, and the notes of which of them are to be decided anew.

What a key is made of is the caller's business: items that are alike have one in common. A brand that counts every copy
has no rows here. Whoever writes, changes or erases what an item says, or lets it count or not, tells this module in the same
transaction; :mod:`storage.copies` decides afterwards.
"""

from __future__ import annotations

import json
import secrets
from array import array
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from sys import byteorder
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, text, union_all, update
from sqlalchemy.sql.elements import BindParameter

from storage.engine import Database
from storage.party_tables import LIKENESS, LIKENESS_KEY
from storage.reasons import DUPLICATE
from storage.records import Keyed
from storage.tables import ITEM

WINDOW_BUCKETS: Final = 30 * 96
"""An item is a copy of what was published at most so long before it: 30 days."""
MOST: Final = 12
"""Items that one key leads to, at most."""
CHUNK: Final = 500
_ELIGIBLE: Final = (None, DUPLICATE)


@dataclass(frozen=True, slots=True)
class Entry:
    """An item that has keys from now on. ``due``: whether it is a copy is to be decided; ``copy_of``: as decided last."""

    item_id: int
    brand_id: int
    bucket: int
    keyed: Keyed
    due: bool = False
    copy_of: int | None = None


def may_lead(reason: str | None) -> bool:
    """Can an item that is left out for this reason (``None``: for none) be the one that others are copies of?"""
    return reason in _ELIGIBLE


def keep(connection: Connection, entries: Sequence[Entry]) -> None:
    """These items, which have no keys, have these."""
    if not entries:
        return
    rows = [
        {
            "item_id": one.item_id,
            "brand_id": one.brand_id,
            "scheme": one.keyed.scheme,
            "packed": _packed(one.keyed.keys),
            "sketch": one.keyed.sketch,
            "copy_of": one.copy_of,
            "due": _unlike() if one.due else None,
        }
        for one in sorted(entries, key=lambda one: one.item_id)
    ]
    connection.execute(insert(LIKENESS), rows)
    _keep_keys(connection, ((one.item_id, one.brand_id, one.bucket, one.keyed.keys) for one in entries))


def _keep_keys(connection: Connection, items: Iterable[tuple[int, int, int, Sequence[int]]]) -> None:
    """The keys of (item, brand, bucket, keys)."""
    keys = [
        {"brand_id": brand_id, "key": key, "bucket": bucket, "item_id": item_id}
        for item_id, brand_id, bucket, own in items
        for key in own
    ]
    if keys:
        connection.execute(insert(LIKENESS_KEY), sorted(keys, key=lambda row: (row["key"], row["bucket"])))


def forget(connection: Connection, item_ids: Collection[int]) -> None:
    """These items say something else now, or nothing any more: nothing can be found out from what is kept of them."""
    for ids in _chunks(item_ids):
        rows = connection.execute(_KEYS, {"ids": ids}).all()
        gone = [
            {"brand": row.brand_id, "key_": key, "bucket_": row.bucket, "item": row.item_id}
            for row in rows
            for key in _unpacked(row.packed)
        ]
        if gone:
            connection.execute(_DELETE_KEY, gone)
        if rows:
            connection.execute(delete(LIKENESS).where(LIKENESS.c.item_id.in_([row.item_id for row in rows])))


def _unlike() -> int:
    """Unlike what was noted of the same item before it was edited: whoever decides by its old words leaves the note."""
    return secrets.randbelow(1 << 30) + 1


def doubt(connection: Connection, item_ids: Collection[int]) -> None:
    """Whether these items are copies, and whether others are copies of them, is to be decided anew."""
    found: set[int] = set()
    for ids in _chunks(item_ids):
        found.update(connection.execute(_ITSELF, {"ids": ids}).scalars())
        found.update(connection.execute(_COPIES, {"ids": ids}).scalars())
    if found:
        connection.execute(_DOUBT, [{"item": number} for number in sorted(found)])


def make_keys_again(connection: Connection, brand_id: int) -> None:
    """All keys of a brand, from what is kept of each item."""
    connection.execute(delete(LIKENESS_KEY).where(LIKENESS_KEY.c.brand_id == brand_id))
    ids = list(connection.execute(select(LIKENESS.c.item_id).where(LIKENESS.c.brand_id == brand_id)).scalars())
    for some in _chunks(ids):
        rows = connection.execute(_KEYS, {"ids": some})
        _keep_keys(connection, ((row.item_id, row.brand_id, row.bucket, _unpacked(row.packed)) for row in rows))


def due_among(connection: Connection, item_ids: Collection[int]) -> set[int]:
    """Those of these items that are to be decided."""
    found: set[int] = set()
    for ids in _chunks(item_ids):
        found.update(connection.execute(_ITSELF.where(LIKENESS.c.due.is_not(None)), {"ids": ids}).scalars())
    return found


def forget_brand(connection: Connection, brand_id: int) -> None:
    """A brand counts every copy: nothing of it is kept."""
    connection.execute(delete(LIKENESS_KEY).where(LIKENESS_KEY.c.brand_id == brand_id))
    connection.execute(delete(LIKENESS).where(LIKENESS.c.brand_id == brand_id))


def schemes(connection: Connection, item_ids: Sequence[int]) -> dict[int, int]:
    """What the keys of these items were made by; items without keys are left out."""
    query = select(LIKENESS.c.item_id, LIKENESS.c.scheme)
    found: dict[int, int] = {}
    for ids in _chunks(item_ids):
        found.update((row[0], row[1]) for row in connection.execute(query.where(LIKENESS.c.item_id.in_(ids))))
    return found


def copies_known(database: Database, item_ids: Sequence[int]) -> dict[int, int]:
    """What these items are copies of, by their ids, as far as they are left out as copies; not itself a copy, where known."""

    def work(connection: Connection) -> dict[int, int]:
        found = {row[0]: row[1] for ids in _chunks(item_ids) for row in connection.execute(_LEADERS, {"ids": ids})}
        for _ in range(_MOST_STEPS):
            leaders = _chunks(set(found.values()))
            further = {row[0]: row[1] for ids in leaders for row in connection.execute(_LEADERS, {"ids": ids})}
            if not further:
                break
            found = {item: further.get(leader, leader) for item, leader in found.items()}
        return found

    return database.read(work)


def bury(connection: Connection, item_ids: Collection[int]) -> None:
    """These items are erased: no keys of them are left. Copies of one that was a copy are copies of what it was a copy of."""
    for ids in _chunks(item_ids):
        leaders = connection.execute(_LEADERS, {"ids": ids}).all()
        if leaders:
            connection.execute(_LED_ON, [{"gone": row[0], "leader": row[1]} for row in leaders])
    forget(connection, item_ids)


def due_brands(database: Database) -> list[int]:
    """The brands of which items are to be decided."""
    query = select(LIKENESS.c.brand_id).where(LIKENESS.c.due.is_not(None)).distinct().order_by(LIKENESS.c.brand_id)
    return database.read(lambda connection: list(connection.execute(query).scalars()))


def shared(connection: Connection, brand_id: int, keys: Collection[int], buckets: Collection[int]) -> set[int]:
    """Those of these keys that several items have, published at most 30 days from ``buckets``.

    Costs a look or two for each key, however many items have it.
    """
    found: set[int] = set()
    is_postgres = connection.dialect.name == "postgresql"
    for some in _chunks(keys):
        near = {"low": min(buckets) - WINDOW_BUCKETS, "high": max(buckets) + WINDOW_BUCKETS}
        given = {"brand": brand_id, "keys": some if is_postgres else json.dumps(some), **near}
        found.update(connection.execute(_SHARED_POSTGRES if is_postgres else _SHARED_SQLITE, given).scalars())
    return found


def before(connection: Connection, brand_id: int, keys: Sequence[int], bucket: int) -> set[int]:
    """Items with one of these keys that others may be copies of, published up to then and at most 30 days before.

    The oldest :data:`MOST` of each key.
    """
    if not keys:
        return set()
    named = {f"key_{number}": key for number, key in enumerate(keys)}
    wanted = {"brand": brand_id, "low": bucket - WINDOW_BUCKETS, "high": bucket, **named}
    return set(connection.execute(_before(len(keys)), wanted).scalars())


def after(connection: Connection, brand_id: int, keys: Sequence[int], bucket: int, sources: Sequence[int]) -> set[int]:
    """Counted items of these sources with one of these keys, published since then and at most 30 days after."""
    found: set[int] = set()
    wanted = {"brand": brand_id, "low": bucket, "high": bucket + WINDOW_BUCKETS, "sources": sources}
    for some in _chunks(keys):
        found.update(connection.execute(_AFTER, {**wanted, "keys": some}).scalars())
    return found


# ------------------------------------------------------------------------------------------------- statements

_IDS: Final[BindParameter[Any]] = bindparam("ids", expanding=True)
_KEYS: Final = (
    select(LIKENESS.c.item_id, LIKENESS.c.brand_id, LIKENESS.c.packed, ITEM.c.bucket)
    .join(ITEM, ITEM.c.id == LIKENESS.c.item_id)
    .where(LIKENESS.c.item_id.in_(_IDS))
)
_DELETE_KEY: Final = delete(LIKENESS_KEY).where(
    LIKENESS_KEY.c.brand_id == bindparam("brand"),
    LIKENESS_KEY.c.key == bindparam("key_"),
    LIKENESS_KEY.c.bucket == bindparam("bucket_"),
    LIKENESS_KEY.c.item_id == bindparam("item"),
)
_MORE: Final = {"due": func.coalesce(LIKENESS.c.due, 0) + 1}
_ITSELF: Final = select(LIKENESS.c.item_id).where(LIKENESS.c.item_id.in_(_IDS))
_COPIES: Final = select(LIKENESS.c.item_id).where(LIKENESS.c.copy_of.in_(_IDS))
_DOUBT: Final = update(LIKENESS).where(LIKENESS.c.item_id == bindparam("item")).values(_MORE)
_LEADERS: Final = (
    select(LIKENESS.c.item_id, LIKENESS.c.copy_of)
    .join(ITEM, ITEM.c.id == LIKENESS.c.item_id)
    .where(LIKENESS.c.item_id.in_(_IDS), LIKENESS.c.copy_of.is_not(None), ITEM.c.uncounted == DUPLICATE)
    .order_by(LIKENESS.c.item_id)
)
_LED_ON: Final = update(LIKENESS).where(LIKENESS.c.copy_of == bindparam("gone")).values(copy_of=bindparam("leader"))
_MOST_STEPS: Final = 20
"""From copy to copy."""
_SHARED: Final = """
    SELECT asked.value FROM {keys} WHERE EXISTS (
        SELECT 1 FROM likeness_key AS known
        WHERE known.brand_id = :brand AND known.key = asked.value AND known.bucket BETWEEN :low AND :high
        LIMIT 1 OFFSET 1
    )"""
_SHARED_SQLITE: Final = text(_SHARED.format(keys="json_each(:keys) AS asked"))
_SHARED_POSTGRES: Final = text(_SHARED.format(keys="unnest(CAST(:keys AS bigint[])) AS asked(value)"))
_AFTER: Final = (
    select(LIKENESS_KEY.c.item_id)
    .join(ITEM, ITEM.c.id == LIKENESS_KEY.c.item_id)
    .where(LIKENESS_KEY.c.brand_id == bindparam("brand"), LIKENESS_KEY.c.key.in_(bindparam("keys", expanding=True)))
    .where(LIKENESS_KEY.c.bucket.between(bindparam("low"), bindparam("high")))
    .where(ITEM.c.uncounted.is_(None), ITEM.c.source_id.in_(bindparam("sources", expanding=True)))
    .distinct()
)


@cache
def _before(count: int) -> Any:
    return union_all(*(select(_first(number).subquery().c.item_id) for number in range(count)))


def _first(number: int) -> Select[Any]:
    c = LIKENESS_KEY.c
    return (
        select(c.item_id)
        .join(ITEM, ITEM.c.id == c.item_id)
        .where(c.brand_id == bindparam("brand"), c.key == bindparam(f"key_{number}"))
        .where(c.bucket.between(bindparam("low"), bindparam("high")))
        .where(func.coalesce(ITEM.c.uncounted, DUPLICATE) == DUPLICATE)
        .order_by(c.bucket, c.item_id)
        .limit(MOST)
    )


def _chunks(values: Iterable[int]) -> Iterable[list[int]]:
    ordered = sorted(values)
    return [ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK)]


def _packed(keys: Sequence[int]) -> bytes:
    packed = array("q", keys)
    if byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def _unpacked(packed: bytes) -> list[int]:
    keys = array("q")
    keys.frombytes(bytes(packed))
    if byteorder == "big":
        keys.byteswap()
    return keys.tolist()
