"""The full-text index: what items say, under our own words, so that both back ends give the same answers.

SQLite keeps it in a contentless FTS5 table, PostgreSQL in a table of ``tsvector``. Every item that has a title or a text and
is not erased has one row; whoever writes, changes or erases what an item says calls this module in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, repeat
from typing import Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Index,
    MetaData,
    Select,
    Table,
    column,
    literal,
    select,
    table,
    text,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import ColumnElement, UnaryExpression
from sqlalchemy.sql.operators import custom_op

from storage.engine import Database
from storage.search_tree import Match, fts5, tsquery, tsvector
from storage.tables import ITEM, METADATA
from storage.words import GAP, document, words_of

CHUNK: Final = 1_000
"""Rows in one statement."""

NAME: Final = "item_search"
FTS_TABLES: Final = frozenset({NAME, *(f"{NAME}_{part}" for part in ("config", "data", "docsize", "idx"))})
"""What SQLite makes of the index; Alembic knows no such tables."""

POSTGRESQL_INDEX: Final = Table(
    NAME,
    MetaData(naming_convention=METADATA.naming_convention),
    Column("item_id", BigInteger, primary_key=True, autoincrement=False),
    Column("words", postgresql.TSVECTOR, nullable=False),
    Index(f"ix_{NAME}_words", "words", postgresql_using="gin"),
)


class Said(NamedTuple):
    """What an item says."""

    id: int
    title: str | None
    text: str | None


class Change(NamedTuple):
    """What an item said and what it says now."""

    before: Said
    now: Said


# ------------------------------------------------------------------------------------------------- keeping


def create(connection: Connection) -> None:
    """Make the index and fill it from the items that are stored."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_CREATE)
        connection.exec_driver_sql(_SELDOM_MERGED)
    else:
        POSTGRESQL_INDEX.create(connection)
    for chunk in stored(connection):
        index(connection, chunk)


def rebuild(connection: Connection) -> None:
    """Make the index anew, whatever state it is in."""
    connection.exec_driver_sql("DROP TABLE IF EXISTS item_search")
    create(connection)


def index(connection: Connection, rows: Iterable[Said]) -> None:
    """These items are new."""
    _put(connection, [row for row in rows if says_anything(row)])


def reindex(connection: Connection, changes: Iterable[Change]) -> None:
    """These items say something else now."""
    real = [change for change in changes if change.before[1:] != change.now[1:]]
    forget(connection, [change.before for change in real])
    index(connection, [change.now for change in real])


def forget(connection: Connection, rows: Iterable[Said]) -> None:
    """These items are erased or deleted; the rows as they were: SQLite finds what to forget by the words themselves.

    Their words are found no more at once; :func:`purge` wipes them out of an SQLite file.
    """
    known = [row for row in rows if says_anything(row)]
    for start in range(0, len(known), CHUNK):
        _take(connection, known[start : start + CHUNK])


def says_anything(row: Said) -> bool:
    """Has the item a row in the index?"""
    return row[1] is not None or row[2] is not None


def purge(database: Database) -> None:
    """Wipe forgotten words out of an SQLite file's index, a few thousand pages a transaction. PostgreSQL's VACUUM does that.

    FTS5 only notes that a row is gone until its pages are merged with all others: here they are, whatever was forgotten.
    """
    if not database.is_sqlite:
        return
    # The negative number begins to merge everything; the following steps go on with it.
    steps = chain([-_MERGED_PAGES], repeat(_MERGED_PAGES))
    while database.write(partial(_merge, pages=next(steps))):
        pass


_CREATE: Final = """CREATE VIRTUAL TABLE item_search USING fts5(words, content='', tokenize="ascii tokenchars '#@_'")"""
# 16 pieces of one size before they are merged, not 4: a tenth of the time that storing takes, for some more places to look at.
_SELDOM_MERGED: Final = "INSERT INTO item_search(item_search, rank) VALUES ('automerge', 16)"
_INSERT: Final = "INSERT INTO item_search(rowid, words) VALUES (?, ?)"
_DELETE: Final = "INSERT INTO item_search(item_search, rowid, words) VALUES ('delete', ?, ?)"
_MERGE: Final = "INSERT INTO item_search(item_search, rank) VALUES ('merge', ?)"
_MERGED_PAGES: Final = 4_000
_PUT: Final = text(
    "INSERT INTO item_search (item_id, words) SELECT new.item_id, CAST(new.words AS tsvector)"
    " FROM unnest(CAST(:ids AS bigint[]), CAST(:words AS text[])) AS new(item_id, words)"
    " ON CONFLICT (item_id) DO UPDATE SET words = excluded.words"
)
_TAKE: Final = text("DELETE FROM item_search WHERE item_id = ANY(CAST(:ids AS bigint[]))")


def _put(connection: Connection, rows: Sequence[Said]) -> None:
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql(_INSERT, [(row[0], document(row[1], row[2])) for row in chunk])
        else:
            vectors = [tsvector(words_of(row[1], row[2]), GAP) for row in chunk]
            connection.execute(_PUT, {"ids": [row[0] for row in chunk], "words": vectors})


def _take(connection: Connection, rows: Sequence[Said]) -> None:
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_DELETE, [(row[0], document(row[1], row[2])) for row in rows])
    else:
        connection.execute(_TAKE, {"ids": [row[0] for row in rows]})


def _merge(connection: Connection, pages: int) -> bool:
    """Was anything left to merge? FTS5 tells by the rows that it wrote."""
    before = connection.exec_driver_sql("SELECT total_changes()").scalar_one()
    connection.exec_driver_sql(_MERGE, (pages,))
    return bool(connection.exec_driver_sql("SELECT total_changes()").scalar_one() - before >= 2)


def stored(connection: Connection, *more: ColumnElement[bool]) -> Iterator[list[Said]]:
    """The items that belong into the index, by id, in chunks."""
    query = select(ITEM.c.id, ITEM.c.title, ITEM.c.text).where(*belongs(), *more).order_by(ITEM.c.id).limit(CHUNK)
    rows = [Said(*row) for row in connection.execute(query)]
    while rows:
        yield rows
        rows = [Said(*row) for row in connection.execute(query.where(ITEM.c.id > rows[-1].id))]


def belongs() -> list[ColumnElement[bool]]:
    """Which items have a row in the index."""
    return [ITEM.c.erased_at.is_(None), ITEM.c.title.is_not(None) | ITEM.c.text.is_not(None)]


# ------------------------------------------------------------------------------------------------- asking

_FTS: Final = table(NAME, column("rowid", BigInteger), column(NAME))


def found_ids(dialect: str, match: Match) -> Select[tuple[int]]:
    """The ids of the items that fit."""
    if dialect == "sqlite":
        return select(_FTS.c.rowid).where(_FTS.c[NAME].op("MATCH")(literal(fts5(match))))
    wanted = literal(tsquery(match)).cast(postgresql.TSQUERY)
    return select(POSTGRESQL_INDEX.c.item_id).where(POSTGRESQL_INDEX.c.words.op("@@")(wanted))


def found_rows(match: Match) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """SQLite: the conditions that join the index to the items, the index first."""
    # The plus keeps SQLite from asking the index once for every item.
    rowid = UnaryExpression[int](_FTS.c.rowid, operator=custom_op("+"), type_=BigInteger())
    return _FTS.c[NAME].op("MATCH")(literal(fts5(match))), ITEM.c.id == rowid
