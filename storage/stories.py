"""What is kept about single items beside themselves: what people said of them, what they said before, how their counts grew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Table, select

from storage.engine import Database
from storage.people_tables import MARK, TAG
from storage.tables import AUTHOR, CORRECTION, COUNT_HISTORY, COUNTS, ITEM, REVISION

MOST: Final = 200
"""Earlier texts, and steps of growth, of one item."""


@dataclass(frozen=True, slots=True)
class Word:
    """What a person said of an item: a label, a mark or a tag; by whom and when, as far as known."""

    what: str
    by: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Story:
    """One item's. ``author_known_as``: the author's id on the platform; ``scorer_label``: what the program says by itself."""

    id: int
    brand_id: int
    author_id: int | None
    author_known_as: str | None
    followers: int | None
    scorer_label: str | None
    first_seen_at: datetime
    updated_at: datetime | None
    counted_at: datetime | None
    corrected: Word | None = None
    marks: Mapping[str, Word] = field(default_factory=dict)
    tags: Sequence[Word] = ()


@dataclass(frozen=True, slots=True)
class Revision:
    """What an item said until ``replaced_at``."""

    replaced_at: datetime
    title: str | None
    text: str | None
    rating_value: float | None
    label: str | None


@dataclass(frozen=True, slots=True)
class Step:
    """By how much an item's counts grew, and when that was seen."""

    at: datetime
    likes: int
    shares: int
    comments: int
    views: int


def stories(database: Database, ids: Sequence[int]) -> dict[int, Story]:
    """What is kept about these items, as far as they are there."""
    return database.read(lambda connection: _stories(connection, ids)) if ids else {}


def _stories(connection: Connection, ids: Sequence[int]) -> dict[int, Story]:
    corrected = dict(_words(connection, CORRECTION, "label", ids))
    marks: dict[int, dict[str, Word]] = defaultdict(dict)
    for number, word in _words(connection, MARK, "what", ids):
        marks[number][word.what] = word
    tags: dict[int, list[Word]] = defaultdict(list)
    for number, word in _words(connection, TAG, "name", ids):
        tags[number].append(word)
    return {
        row["id"]: Story(
            **row,
            corrected=corrected.get(row["id"]),
            marks=marks.get(row["id"], {}),
            tags=tuple(tags.get(row["id"], ())),
        )
        for row in connection.execute(_OWN.where(ITEM.c.id.in_(ids))).mappings()
    }


def _words(connection: Connection, table: Table, what: str, ids: Sequence[int]) -> list[tuple[int, Word]]:
    c = table.c
    query = select(c.item_id, c[what], c.by, c.at).where(c.item_id.in_(ids)).order_by(c.item_id, c[what])
    return [(row[0], Word(*row[1:])) for row in connection.execute(query)]


def revisions(database: Database, item_id: int) -> list[Revision]:
    """What an item said before, the newest first."""
    query = select(*(REVISION.c[name] for name in Revision.__slots__)).where(REVISION.c.item_id == item_id)
    query = query.order_by(REVISION.c.replaced_at.desc(), REVISION.c.id.desc()).limit(MOST)
    return database.read(lambda connection: [Revision(*row) for row in connection.execute(query)])


def growth(database: Database, item_id: int) -> list[Step]:
    """How an item's counts grew, the first first; of very many steps the newest."""
    c = COUNT_HISTORY.c
    query = select(c.at, *(c[name] for name in COUNTS)).where(c.item_id == item_id).order_by(c.at.desc()).limit(MOST)
    return database.read(lambda connection: [Step(*row) for row in connection.execute(query)])[::-1]


_OWN: Final[Any] = select(
    ITEM.c.id,
    ITEM.c.brand_id,
    ITEM.c.author_id,
    AUTHOR.c.external_id.label("author_known_as"),
    AUTHOR.c.followers,
    ITEM.c.scorer_label,
    ITEM.c.first_seen_at,
    ITEM.c.updated_at,
    ITEM.c.counted_at,
).select_from(ITEM.outerjoin(AUTHOR, AUTHOR.c.id == ITEM.c.author_id))
