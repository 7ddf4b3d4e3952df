"""A window's items, one by one: what design effects, breakdowns, topics, drivers and authors are made of.

Linear in the window, never in the store: the index (brand, time) gives the items in their order.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, TextClause, func, select, text

from storage import spans
from storage.engine import Database
from storage.queries import Window
from storage.rollups import bucket_of
from storage.spans import Shape
from storage.tables import AUTHOR, BRAND, ITEM, SOURCE

CHUNK: Final = 5_000


class WindowItem(NamedTuple):
    """One counted item as figures need it; ``label`` is the one that counts, ``scorer_label`` the scorer's or the stars'."""

    id: int
    source: str
    kind: str
    published_at: datetime
    label: str | None
    label_by: str | None
    scorer_label: str | None
    compound: int | None
    unscored: str | None
    title: str | None
    text: str | None
    fingerprint: str | None
    author_id: int | None
    author: str | None
    followers: int | None
    place: str | None
    language: str | None
    country: str | None
    app_version: str | None
    star_cell: int | None
    likes: int | None
    shares: int | None
    comments: int | None
    replied: bool
    reply_at: datetime | None
    updated_at: datetime | None


def counted_items(database: Database, brand: str, window: Window) -> Iterator[WindowItem]:
    """The counted items of a brand published in the window, by time, on one view of the store, a few thousand in memory."""
    query = _query(brand, window)
    with database.refusals_named(), database.readonly.begin() as connection:
        rows = connection.execution_options(yield_per=CHUNK).execute(query)
        for row in rows:
            yield WindowItem(*row)


def version(database: Database, brand: str, window: Window) -> tuple[int, int]:
    """What a window's items are, as two numbers that are others as soon as anything in it has changed."""
    low, high = bucket_of(window[0]), bucket_of(window[1]) + 1
    wanted = spans.repeated(0, low, high, high - low)
    query, given = _version(spans.shape_of(wanted)), spans.values(brand, wanted)
    count, changes = database.read(lambda connection: connection.execute(query, given).one())
    return int(count), int(changes)


@cache
def _version(shape: Shape) -> TextClause:
    rows = spans.rows(shape, ("buckets", "changes"))
    return text(f"SELECT coalesce(sum(buckets), 0), coalesce(sum(changes), 0) FROM ({rows}) AS found")  # noqa: S608 - our own names


def _query(brand: str, window: Window) -> Select[Any]:
    c = ITEM.c
    author = func.coalesce(c.author_name, AUTHOR.c.name).label("author")
    special: dict[str, Any] = {
        "source": SOURCE.c.name.label("source"),
        "author": author,
        "followers": AUTHOR.c.followers,
        "country": c.attributes["country"].as_string().label("country"),
        "app_version": c.attributes["app_version"].as_string().label("app_version"),
        "replied": c.reply_text.is_not(None).label("replied"),
    }
    brand_id = select(BRAND.c.id).where(BRAND.c.name == brand).scalar_subquery()
    return (
        select(*(special[name] if name in special else c[name] for name in WindowItem._fields))
        .select_from(ITEM.join(SOURCE, SOURCE.c.id == c.source_id).outerjoin(AUTHOR, AUTHOR.c.id == c.author_id))
        .where(c.brand_id == brand_id, c.published_at >= window[0], c.published_at < window[1], c.uncounted.is_(None))
        .order_by(c.published_at, c.id)
    )
