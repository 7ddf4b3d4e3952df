"""Everything that is stored of one author: for who asks what there is, and for who wants it gone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Table, func, or_, select

from storage.engine import Database
from storage.erasure import CHUNK
from storage.people_tables import AUDIT_LABEL, FIRING, MARK, MUTE, TAG
from storage.records import ERASED
from storage.tables import AUTHOR, BRAND, CORRECTION, COUNT_HISTORY, ITEM, REVISION, SCALE, SOURCE


@dataclass(frozen=True, slots=True)
class Author:
    """An author as stored."""

    id: int
    platform: str
    external_id: str
    name: str | None
    items: int


@dataclass(frozen=True, slots=True)
class Part:
    """How many items of one brand and source."""

    brand: str
    source: str
    items: int


def authors(
    database: Database, wanted: Iterable[str], platform: str | None = None, *, former: bool = True
) -> list[Author]:
    """The authors with one of these names or ids, letter case aside, a leading @ or not; those of erased items are nobody.

    ``former``: by the names that stand at single items, too, for which every item is read.
    """
    names = {mark + form for one in wanted for form in _forms(one.lstrip("@")) for mark in ("", "@")}
    c = AUTHOR.c
    called = select(ITEM.c.author_id).where(func.lower(ITEM.c.author_name).in_(names), ITEM.c.author_id.is_not(None))
    if platform is not None:
        called = called.where(ITEM.c.platform == platform)
    known = or_(
        func.lower(c.external_id).in_(names), func.lower(c.name).in_(names), *([c.id.in_(called)] if former else [])
    )
    conditions = [known, c.external_id.not_like(f"{ERASED}%")] + ([] if platform is None else [c.platform == platform])
    items = select(func.count()).where(ITEM.c.author_id == c.id).correlate(AUTHOR).scalar_subquery()
    query = select(c.id, c.platform, c.external_id, c.name, items).where(*conditions).order_by(c.platform, c.id)
    return database.read(lambda connection: [Author(*row) for row in connection.execute(query)])


def _forms(name: str) -> Iterator[str]:
    """A name as the databases put it into small letters: SQLite knows those of ASCII only."""
    yield from (name, name.casefold(), name.lower(), "".join(c.lower() if c.isascii() else c for c in name))


def platforms(database: Database) -> list[str]:
    """Where the stored authors are from."""
    query = select(AUTHOR.c.platform).distinct().order_by(AUTHOR.c.platform)
    return database.read(lambda connection: list(connection.execute(query).scalars()))


def items_of(database: Database, author_ids: Sequence[int]) -> list[int]:
    """The ids of the authors' items that are not erased, in the order in which they are erased."""
    key = (ITEM.c.brand_id, ITEM.c.platform, ITEM.c.external_id)
    query = select(ITEM.c.id).where(ITEM.c.author_id.in_(author_ids), ITEM.c.erased_at.is_(None)).order_by(*key)
    return database.read(lambda connection: list(connection.execute(query).scalars()))


def standing(database: Database, item_ids: Sequence[int]) -> list[int]:
    """Those of these items that are there and not erased."""
    query = select(ITEM.c.id).where(ITEM.c.id.in_(item_ids), ITEM.c.erased_at.is_(None)).order_by(ITEM.c.id)
    return database.read(lambda connection: list(connection.execute(query).scalars()))


def parts(database: Database, item_ids: Sequence[int]) -> list[Part]:
    """How many of these items there are, by brand and source."""
    joined = ITEM.join(BRAND, BRAND.c.id == ITEM.c.brand_id).join(SOURCE, SOURCE.c.id == ITEM.c.source_id)
    names = (BRAND.c.name, SOURCE.c.name)

    def work(connection: Connection) -> list[Part]:
        found: dict[tuple[str, str], int] = {}
        for ids in _chunks(item_ids):
            query = select(*names, func.count()).select_from(joined).where(ITEM.c.id.in_(ids)).group_by(*names)
            for brand, source, count in connection.execute(query):
                found[brand, source] = found.get((brand, source), 0) + count
        return [Part(*key, found[key]) for key in sorted(found)]

    return database.read(work)


def mutes_of(database: Database, author_ids: Sequence[int]) -> int:
    """How many rules leave these authors out."""
    query = select(func.count()).select_from(MUTE).where(MUTE.c.author_id.in_(author_ids))
    return database.read(lambda connection: connection.execute(query).scalar_one())


# ------------------------------------------------------------------------------------------------- all there is

_OF_ITEM: Final = {
    "revisions": REVISION,
    "counts": COUNT_HISTORY,
    "corrections": CORRECTION,
    "marks": MARK,
    "tags": TAG,
    "audit_labels": AUDIT_LABEL,
    "rules_fired": FIRING,
}
"""What hangs on an item."""
_OURS: Final = frozenset({"brand_id", "source_id", "bucket", "author_id", "star_cell", "fingerprint", "refreshes"})
"""Numbers by which the store finds things, which say nothing of the author."""


def everything(database: Database, author_ids: Sequence[int]) -> dict[str, Any]:
    """All that is stored of these authors: who they are, their items with all that hangs on them, rules that name them."""
    return database.read(lambda connection: _everything(connection, author_ids))


def _everything(connection: Connection, author_ids: Sequence[int]) -> dict[str, Any]:
    own = select(AUTHOR).where(AUTHOR.c.id.in_(author_ids)).order_by(AUTHOR.c.id)
    muted = select(MUTE).where(MUTE.c.author_id.in_(author_ids)).order_by(MUTE.c.id)
    return {
        "authors": [dict(row) for row in connection.execute(own).mappings()],
        "mutes": [dict(row) for row in connection.execute(muted).mappings()],
        "items": [item for ids in _chunks(_item_ids(connection, author_ids)) for item in _items(connection, ids)],
    }


def _item_ids(connection: Connection, author_ids: Sequence[int]) -> list[int]:
    query = select(ITEM.c.id).where(ITEM.c.author_id.in_(author_ids)).order_by(ITEM.c.published_at, ITEM.c.id)
    return list(connection.execute(query).scalars())


def _items(connection: Connection, ids: Sequence[int]) -> list[dict[str, Any]]:
    hanging = {name: _by_item(connection, table, ids) for name, table in _OF_ITEM.items()}
    query = (
        select(BRAND.c.name.label("brand"), SOURCE.c.name.label("source"), ITEM)
        .join(BRAND, BRAND.c.id == ITEM.c.brand_id)
        .join(SOURCE, SOURCE.c.id == ITEM.c.source_id)
        .where(ITEM.c.id.in_(ids))
        .order_by(ITEM.c.published_at, ITEM.c.id)
    )
    rows = connection.execute(query).mappings()
    return [_told(row) | {name: found.get(row["id"], []) for name, found in hanging.items()} for row in rows]


def _told(row: Any) -> dict[str, Any]:
    told = {name: row[name] for name in row if name not in _OURS}
    scaled = {name: None if row[name] is None else row[name] / SCALE for name in ("compound", "stars")}
    return told | scaled


def _by_item(connection: Connection, table: Table, ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    query = select(table).where(table.c.item_id.in_(ids)).order_by(*table.primary_key.columns)
    found: dict[int, list[dict[str, Any]]] = {}
    for row in connection.execute(query).mappings():
        told = {name: row[name] for name in row if name not in ("item_id", "bucket")}
        found.setdefault(row["item_id"], []).append(told)
    return found


def _chunks(ids: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
