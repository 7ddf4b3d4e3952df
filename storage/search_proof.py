"""Proof that the full-text index is right: every item is in it, nothing else is, and sampled items have their very words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from sqlalchemy import Connection, Select, column, except_, func, inspect, select, table, text

from storage import search
from storage.engine import Database
from storage.search import NAME, POSTGRESQL_INDEX, Said
from storage.search_tree import fts5, tsvector
from storage.tables import ITEM
from storage.words import GAP, Sought, words_of

SAMPLE: Final = 200
"""Items whose words are compared, about: to compare all takes as long as making the index anew."""


@dataclass(frozen=True, slots=True)
class SearchProof:
    """How many items the index lacks, how many it holds that are none, and how many ``sampled`` ones it has not as they are."""

    missing: int
    surplus: int
    wrong: int
    sampled: int

    @property
    def is_right(self) -> bool:
        return not (self.missing or self.surplus or self.wrong)


def verify_search(database: Database, *, repair: bool = False, sample: int = SAMPLE, seed: int = 0) -> SearchProof:
    """What is wrong with the index; with ``repair`` it is made anew in the same transaction if anything is.

    ``sample``: how many items to compare word by word, evenly over all; ``seed`` says where to begin.
    """

    def work(connection: Connection) -> SearchProof:
        proof = _proof(connection, sample, seed)
        if repair and not proof.is_right:
            search.rebuild(connection)
        return proof

    return database.write(work) if repair else database.read(work)


def _proof(connection: Connection, sample: int, seed: int) -> SearchProof:
    there = select(ITEM.c.id).where(*search.belongs())
    if not inspect(connection).has_table(NAME):
        return SearchProof(_count(connection, there), 0, 0, 0)
    indexed = _indexed(connection.dialect.name)
    missing, surplus = (
        _count(connection, except_(*pair).subquery().select()) for pair in ((there, indexed), (indexed, there))
    )
    step = max(1, _count(connection, there) // sample)
    wrong = sampled = 0
    for chunk in search.stored(connection, ITEM.c.id % step == Random(seed).randrange(step)):  # noqa: S311 - no secret
        wrong += len(chunk) - _right(connection, chunk)
        sampled += len(chunk)
    return SearchProof(missing, surplus, wrong, sampled)


def _count(connection: Connection, query: Select[tuple[int]]) -> int:
    return connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()


def _indexed(dialect: str) -> Select[tuple[int]]:
    if dialect == "sqlite":
        return select(table(f"{NAME}_docsize", column("id", ITEM.c.id.type)).c.id)
    return select(POSTGRESQL_INDEX.c.item_id)


def _right(connection: Connection, rows: Sequence[Said]) -> int:
    """How many of these items are in the index with their words and no others."""
    words = {row.id: words_of(row.title, row.text) for row in rows}
    if connection.dialect.name == "sqlite":
        return sum(_is_right(connection, number, said) for number, said in words.items())
    vectors = [tsvector(said, GAP) for said in words.values()]
    return int(connection.execute(_EQUAL, {"ids": list(words), "words": vectors}).scalar_one())


def _is_right(connection: Connection, number: int, words: Sequence[str]) -> bool:
    size = connection.exec_driver_sql(_SIZE, (number,)).scalar()
    if size != _varint(len(words)):
        return False
    whole = fts5(Sought(tuple(words)))
    return not words or connection.exec_driver_sql(_HOLDS, (whole, number)).first() is not None


def _varint(count: int) -> bytes:
    """As SQLite writes the number of an item's words, of which there are fewer than 16,384."""
    return bytes([count]) if count < 128 else bytes([0x80 | count >> 7, count & 0x7F])


_SIZE: Final = "SELECT sz FROM item_search_docsize WHERE id = ?"
_HOLDS: Final = "SELECT 1 FROM item_search WHERE item_search MATCH ? AND rowid = ?"
_EQUAL: Final = text(
    "SELECT count(*) FROM unnest(CAST(:ids AS bigint[]), CAST(:words AS text[])) AS said(item_id, words)"
    " JOIN item_search ON item_search.item_id = said.item_id AND item_search.words = CAST(said.words AS tsvector)"
)
