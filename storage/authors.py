"""One author: who it is, and what there is of it, item by item."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import select

from storage.engine import Database
from storage.records import ERASED
from storage.tables import AUTHOR, BRAND, ITEM

CHUNK: Final = 5_000


@dataclass(frozen=True, slots=True)
class Profile:
    """An author as last seen; ``id`` is the store's own, ``external_id`` the platform's."""

    id: int
    platform: str
    external_id: str
    name: str | None
    followers: int | None
    seen_at: datetime


class Said(NamedTuple):
    """A counted mention or review of an author."""

    published_at: datetime
    brand: str
    kind: str
    label: str | None
    likes: int | None
    shares: int | None
    comments: int | None


def profile(database: Database, author_id: int) -> Profile | None:
    """The author with this number of the store's; who was erased is nobody."""
    c = AUTHOR.c
    columns = (c.id, c.platform, c.external_id, c.name, c.followers, c.seen_at)
    query = select(*columns).where(c.id == author_id, c.external_id.not_like(f"{ERASED}%"))
    row = database.read(lambda connection: connection.execute(query).one_or_none())
    return None if row is None else Profile(*row)


def said(
    database: Database, author_id: int, brands: Sequence[str], since: datetime | None, until: datetime | None
) -> Iterator[Said]:
    """The author's counted mentions and reviews of these brands, by time, on one view of the store."""
    c = ITEM.c
    columns = (c.published_at, BRAND.c.name, c.kind, c.label, c.likes, c.shares, c.comments)
    query = (
        select(*columns)
        .join(BRAND, BRAND.c.id == c.brand_id)
        .where(c.author_id == author_id, c.uncounted.is_(None), c.kind.in_(("mention", "review")))
        .where(c.erased_at.is_(None), BRAND.c.name.in_(brands))
        .where(
            *([] if since is None else [c.published_at >= since]), *([] if until is None else [c.published_at < until])
        )
        .order_by(c.published_at, c.id)
    )
    with database.refusals_named(), database.readonly.begin() as connection:
        for row in connection.execution_options(yield_per=CHUNK).execute(query):
            yield Said(*row)
