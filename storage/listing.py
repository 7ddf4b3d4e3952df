"""Items by filter, search and order, a page at a time: each page goes on behind the last item of the one before."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import merge
from itertools import islice
from typing import Any, Final

from sqlalchemy import Connection, Select, case, func, literal, not_, select, tuple_
from sqlalchemy.sql.elements import ColumnElement

from storage import search
from storage.engine import Database
from storage.filters import ENGAGEMENT, UNANSWERED, Condition, conditions
from storage.records import ItemFilter, StoredItem
from storage.search_tree import Match, goes_on, holds, matching
from storage.tables import AUTHOR, BRAND, ITEM, SCALE, SOURCE
from storage.words import words_of

ORDERS: Final = ("newest", "oldest", "negative", "positive", "engaged", "unanswered")

Key = tuple[Any, ...]
"""Where an item stands in an order."""

FEW: Final = 20_000
"""So many items that hold the words are sorted outright; where there are more, the order's own index is walked."""
WALKED: Final = 20_000
"""So many items are looked at on that walk, before all that hold the words are sorted after all."""
_AT_ONCE: Final = 5_000
"""Items in one statement."""


def items(
    database: Database,
    wanted: ItemFilter,
    *,
    order: str = "newest",
    limit: int = 50,
    after: Key | None = None,
) -> list[StoredItem]:
    """Items in a stable order: ``newest``, ``oldest``, ``negative`` (lowest compound first), ``positive``, ``engaged``, or
    ``unanswered`` (reviews without the owner's answer first, each part newest first).

    ``after``: the :func:`sort_key` of the last item of the page before. ``SearchError`` for a search that cannot be made.
    """
    match = None if wanted.search is None else matching(wanted.search)
    if order == "unanswered":
        return database.read(lambda connection: _unanswered_first(connection, wanted, match, limit, after))
    return database.read(lambda connection: _page(connection, _Asked(wanted, match, order), limit, after))


def count_items(database: Database, wanted: ItemFilter, at_most: int | None = None) -> int:
    """How many items fit the filter; with ``at_most`` the counting ends there."""
    match = None if wanted.search is None else matching(wanted.search)
    return database.read(lambda connection: _count(connection, wanted, match, at_most))


def _count(connection: Connection, wanted: ItemFilter, match: Match | None, at_most: int | None) -> int:
    if wanted.brand is not None or wanted.ids is not None or match is not None:
        return _count_at_once(connection, wanted, match, at_most)
    total = 0
    for brand in _brands(connection, wanted):  # since the index that finds items by time begins with it
        left = None if at_most is None else at_most - total
        total += _count_at_once(connection, replace(wanted, brand=brand, brands=()), None, left) if left != 0 else 0
    return total


def _count_at_once(connection: Connection, wanted: ItemFilter, match: Match | None, at_most: int | None) -> int:
    dialect = connection.dialect.name
    which = (*conditions(wanted, dialect, found=match is not None), *_found(dialect, match))
    query = select(literal(1)).select_from(ITEM).where(*which)
    counted = select(func.count()).select_from((query if at_most is None else query.limit(at_most)).subquery())
    return connection.execute(counted).scalar_one()


def items_by_id(database: Database, ids: Sequence[int]) -> dict[int, StoredItem]:
    """The items with these ids, as far as they are there."""
    return database.read(lambda connection: _by_id(connection, ids))


def sort_key(item: StoredItem, order: str) -> Key:
    """Where a page that ended with ``item`` goes on."""
    if order in ("newest", "oldest"):
        return item.published_at, item.id
    if order == "unanswered":
        return int(is_unanswered(item)), item.published_at, item.id
    if order == "engaged":
        return (item.likes or 0) + (item.shares or 0) + (item.comments or 0), item.id
    return round((item.compound or 0) * SCALE), item.id


def token_of(item: StoredItem, order: str) -> str:
    """The same as a word that can be typed and sent."""
    key = (part.isoformat() if isinstance(part, datetime) else part for part in sort_key(item, order))
    return base64.urlsafe_b64encode(json.dumps([order, *key]).encode()).decode().rstrip("=")


def key_of(token: str, order: str) -> Key:
    """What :func:`token_of` was made of; ``ValueError`` where it is none, or one of another order."""
    try:
        padded = token.encode() + b"=" * (-len(token) % 4)
        found = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        told, *parts = found
    except (binascii.Error, UnicodeError, ValueError, TypeError, RecursionError) as error:
        raise ValueError("is no token; take the one printed with the page before") from error
    if told != order:
        raise ValueError("belongs to another order; give the same --order as for the page before")
    return _checked(parts, order)


def _checked(parts: Sequence[Any], order: str) -> Key:
    kinds: Sequence[type] = {"newest": (str, int), "oldest": (str, int), "unanswered": (int, str, int)}.get(
        order, (int, int)
    )
    if [type(part) for part in parts] != list(kinds) or any(
        isinstance(part, int) and abs(part) >= 2**63 for part in parts
    ):
        raise ValueError("is no token; take the one printed with the page before")
    try:
        key = tuple(datetime.fromisoformat(part) if isinstance(part, str) else part for part in parts)
    except ValueError as error:
        raise ValueError("is no token; take the one printed with the page before") from error
    if any(isinstance(part, datetime) and part.utcoffset() is None for part in key):
        raise ValueError("is no token; take the one printed with the page before")
    return key


def is_unanswered(item: StoredItem) -> bool:
    """A review without its owner's answer."""
    return item.kind == "review" and item.reply_text is None


# ------------------------------------------------------------------------------------------------- one page


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked for, in which order; ``more``: conditions beside the filter's."""

    wanted: ItemFilter
    match: Match | None
    order: str
    more: tuple[Condition, ...] = ()

    def of(self, brand: str) -> _Asked:
        return replace(self, wanted=replace(self.wanted, brand=brand, brands=()))

    def conditions(self, dialect: str, *, found: bool = False) -> list[Condition]:
        return [*conditions(self.wanted, dialect, found=found), *self.more]


def _unanswered_first(
    connection: Connection, wanted: ItemFilter, match: Match | None, limit: int, after: Key | None
) -> list[StoredItem]:
    found: list[StoredItem] = []
    for part, condition in ((1, UNANSWERED), (0, not_(UNANSWERED))):
        if after is None or part <= after[0]:
            begin = after[1:] if after is not None and part == after[0] else None
            asked = _Asked(wanted, match, "newest", (condition,))
            found += _page(connection, asked, limit - len(found), begin)
        if len(found) >= limit:
            break
    return found


def _page(connection: Connection, asked: _Asked, limit: int, after: Key | None) -> list[StoredItem]:
    dialect = connection.dialect.name
    if asked.match is not None and dialect == "sqlite":
        if _is_walked(connection, asked, limit):
            try:
                return _walked(connection, asked, limit, after)
            except _TooFar:
                pass
        return _read(connection, asked, search.found_rows(asked.match), limit, after)
    found = () if asked.match is None else (ITEM.c.id.in_(search.found_ids(dialect, asked.match)),)
    # One brand at a time, since the index that gives items in their order begins with it.
    pages = (_read(connection, asked.of(brand), found, limit, after) for brand in _brands(connection, asked.wanted))
    everything = [item for page in pages for item in page]
    return sorted(everything, key=lambda item: sort_key(item, asked.order), reverse=_ORDERS[asked.order][1])[:limit]


def _brands(connection: Connection, wanted: ItemFilter) -> Sequence[str]:
    if wanted.brand is not None:
        return [wanted.brand] if not wanted.brands or wanted.brand in wanted.brands else []
    everyone = select(BRAND.c.name).order_by(BRAND.c.name)
    return [name for name in connection.scalars(everyone) if not wanted.brands or name in wanted.brands]


def _read(
    connection: Connection, asked: _Asked, found: Sequence[Condition], limit: int, after: Key | None
) -> list[StoredItem]:
    which = (*asked.conditions(connection.dialect.name, found=bool(found)), *found)
    if asked.order in _BY_TIME:
        query = _in_order(_items().where(*which), asked.order, after).limit(limit)
        return [_item(row) for row in connection.execute(query).mappings()]
    # Everything has to be sorted: by little rows, before what is shown is looked up for a few.
    numbers = connection.scalars(_in_order(select(ITEM.c.id).where(*which), asked.order, after).limit(limit)).all()
    known = _by_id(connection, numbers)
    return [known[number] for number in numbers]


def _in_order(query: Select[Any], order: str, after: Key | None) -> Select[Any]:
    by, descending = _ORDERS[order]
    if after is not None:
        here, there = tuple_(by, ITEM.c.id), tuple_(literal(after[0], by.type), literal(after[1]))
        query = query.where(here < there if descending else here > there)
    ways = (by.desc(), ITEM.c.id.desc()) if descending else (by.asc(), ITEM.c.id.asc())
    return query.order_by(*ways)


_BY_TIME: Final = ("newest", "oldest")
"""The orders that an index has."""
_COMPOUND = func.coalesce(ITEM.c.compound, 0)
_ORDERS: Mapping[str, tuple[ColumnElement[Any], bool]] = {
    "newest": (ITEM.c.published_at, True),
    "oldest": (ITEM.c.published_at, False),
    "negative": (_COMPOUND, False),
    "positive": (_COMPOUND, True),
    "engaged": (ENGAGEMENT, True),
}


# ------------------------------------------------------------------------------------------------- common words in SQLite


class _TooFar(Exception):
    """What is looked for is rare where we looked."""


def _found(dialect: str, match: Match | None) -> tuple[Condition, ...]:
    if match is None:
        return ()
    return search.found_rows(match) if dialect == "sqlite" else (ITEM.c.id.in_(search.found_ids(dialect, match)),)


def _is_walked(connection: Connection, asked: _Asked, limit: int) -> bool:
    """Do so many items hold the words that the newest of them are found sooner by looking at the newest items?"""
    assert asked.match is not None
    if asked.order not in ("newest", "oldest") or limit > _AT_ONCE or goes_on(asked.match):
        return False  # beginnings of words are looked up whole however few items are asked for
    first = search.found_ids("sqlite", asked.match).limit(FEW).subquery()
    return connection.execute(select(func.count()).select_from(first)).scalar_one() == FEW


def _walked(connection: Connection, asked: _Asked, limit: int, after: Key | None) -> list[StoredItem]:
    brands = _brands(connection, asked.wanted)
    ways = [_way(connection, asked.of(brand), limit, after, WALKED // len(brands)) for brand in brands]
    keys = list(islice(merge(*ways, reverse=_ORDERS[asked.order][1]), limit))
    found = _by_id(connection, [number for _, number in keys])
    return [found[number] for _, number in keys]


def _way(
    connection: Connection, asked: _Asked, limit: int, after: Key | None, most: int
) -> Iterator[tuple[datetime, int]]:
    """What fits of one brand, in order; ``_TooFar`` if it is not found among so many items."""
    assert asked.match is not None
    size, looked = 2 * limit, 0
    query = select(*(ITEM.c[name] for name in ("published_at", "id", "title", "text")))
    query = query.where(*asked.conditions("sqlite"))
    while looked < most:
        chunk = connection.execute(_in_order(query, asked.order, after).limit(size)).all()
        # Asking the index for one item takes twenty times as long as reading its text.
        yield from ((at, number) for at, number, *said in chunk if holds(asked.match, words_of(*said)))
        if len(chunk) < size:
            return
        after, looked, size = tuple(chunk[-1][:2]), looked + size, min(2 * size, _AT_ONCE)
    raise _TooFar


# ------------------------------------------------------------------------------------------------- rows


def _by_id(connection: Connection, ids: Sequence[int]) -> dict[int, StoredItem]:
    found: dict[int, StoredItem] = {}
    for start in range(0, len(ids), _AT_ONCE):
        query = _items().where(ITEM.c.id.in_(ids[start : start + _AT_ONCE]))
        found.update((row["id"], _item(row)) for row in connection.execute(query).mappings())
    return found


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
