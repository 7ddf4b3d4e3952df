"""Dated events that people wrote down: "release 2.0". They explain nothing by themselves and change no figure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, insert, or_, select

from storage.engine import Database
from storage.people_tables import ANNOTATION
from storage.tables import BRAND


@dataclass(frozen=True, slots=True)
class Annotation:
    """``until``: the end of what lasted, not included. ``brand`` none: of all brands."""

    id: int
    at: datetime
    until: datetime | None
    text: str
    brand: str | None
    by: str | None


def add(
    database: Database,
    text: str,
    at: datetime,
    now: datetime,
    *,
    until: datetime | None = None,
    brand: str | None = None,
    by: str | None = None,
) -> Annotation:
    """Write one down. ``ValueError`` for a brand that the store does not know."""

    def work(connection: Connection) -> int:
        row = {"brand_id": _brand_id(connection, brand), "at": at, "until": until, "text": text, "by": by}
        statement = insert(ANNOTATION).values(**row, created_at=now).returning(ANNOTATION.c.id)
        return int(connection.execute(statement).scalar_one())

    return Annotation(database.write(work), at, until, text, brand, by)


def _brand_id(connection: Connection, brand: str | None) -> int | None:
    if brand is None:
        return None
    found = connection.execute(select(BRAND.c.id).where(BRAND.c.name == brand)).scalar()
    if found is None:
        raise ValueError(f'brand: the store knows no "{brand}"')
    return int(found)


def remove(database: Database, annotation_id: int) -> bool:
    """Take one away; ``False`` if there is none of this number."""
    statement = delete(ANNOTATION).where(ANNOTATION.c.id == annotation_id)
    return database.write(lambda connection: connection.execute(statement).rowcount > 0)


def listed(database: Database, brand: str | None = None) -> list[Annotation]:
    """All of them, those of a brand with those of all brands, by time."""
    c = ANNOTATION.c
    query = select(c.id, c.at, c.until, c.text, BRAND.c.name, c.by).select_from(
        ANNOTATION.outerjoin(BRAND, BRAND.c.id == c.brand_id)
    )
    if brand is not None:
        query = query.where(or_(c.brand_id.is_(None), BRAND.c.name == brand))
    query = query.order_by(c.at, c.id)
    return database.read(lambda connection: [Annotation(*row) for row in connection.execute(query)])
