"""Further tables: which programs run on the store, who may ask them, and what was handed in from outside.

The conventions are those of :mod:`storage.tables`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, BigInteger, Column, ForeignKey, Index, Integer, Table
from sqlalchemy import text as sql
from sqlmodel import Field

from storage import people_tables  # noqa: F401 - its tables belong to METADATA, too
from storage.tables import METADATA, IdType, Row


class TokenRow(Row, table=True):
    """A key to the interface for programs. Only its digest is kept: whoever reads the store cannot use it.

    ``brands``: the names of those it is limited to; none: all.
    """

    __tablename__ = "token"
    id: int | None = Field(default=None, primary_key=True)
    name: str = Field(max_length=100, unique=True)
    digest: str = Field(max_length=64, unique=True)
    may_write: bool = False
    brands: Any = Field(default=None, sa_column=Column(JSON(none_as_null=True)))
    created_at: datetime
    used_at: datetime | None = None


class DaemonRow(Row, table=True):
    """A program that runs on this store. ``settings``: a digest of each part of its configuration, to tell where two differ."""

    __tablename__ = "daemon"
    owner: str = Field(max_length=100, primary_key=True)
    started_at: datetime
    seen_at: datetime
    settings: Any = Field(default=None, sa_column=Column(JSON(none_as_null=True)))


class LikenessRow(Row, table=True):
    """What tells whether an item is a copy, where its brand counts copies once: its keys, packed (see :mod:`storage.likeness`).

    ``scheme``: what the keys were made by; keys of others do not meet. ``sketch``: what its words are compared by, so that they
    need not be looked at again. ``copy_of``: the item that it is a copy of.
    ``due``: a number, while it is to be decided anew; so often was it asked for since it was decided last.
    """

    __tablename__ = "likeness"
    __table_args__ = (
        Index(
            "ix_likeness_due",
            *("brand_id", "item_id"),
            sqlite_where=sql("due IS NOT NULL"),
            postgresql_where=sql("due IS NOT NULL"),
        ),
        Index(
            "ix_likeness_copy_of",
            "copy_of",
            sqlite_where=sql("copy_of IS NOT NULL"),
            postgresql_where=sql("copy_of IS NOT NULL"),
        ),
    )
    item_id: int = Field(sa_column=Column(IdType, ForeignKey("item.id"), primary_key=True))
    brand_id: int = Field(foreign_key="brand.id")
    scheme: int
    packed: bytes
    sketch: bytes | None = None
    copy_of: int | None = Field(default=None, sa_column=Column(BigInteger))
    due: int | None = None


LIKENESS_KEY: Final = Table(
    "likeness_key",
    METADATA,
    Column("brand_id", Integer, ForeignKey("brand.id"), primary_key=True),
    Column("key", BigInteger, primary_key=True, autoincrement=False),
    Column("bucket", Integer, primary_key=True, autoincrement=False),
    Column("item_id", IdType, ForeignKey("item.id"), primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)
"""The items that may be like others, by each of their keys and by when they were published."""


class ReceivedRow(Row, table=True):
    """That a source took what was handed in under this key, so that the same, sent again, is taken once.

    ``answer``: what the sender was told, to be told again.
    """

    __tablename__ = "received"
    source_id: int = Field(foreign_key="source.id", primary_key=True)
    key: str = Field(max_length=200, primary_key=True)
    at: datetime = Field(index=True)
    answer: Any = Field(default=None, sa_column=Column(JSON(none_as_null=True)))


ALL_TABLES: Final = METADATA
"""Every table of the store."""


def _table(name: str) -> Table:
    return ALL_TABLES.tables[name]


TOKEN: Final = _table("token")
DAEMON: Final = _table("daemon")
RECEIVED: Final = _table("received")
LIKENESS: Final = _table("likeness")
