"""Further tables: which programs run on the store, who may ask them, and what was handed in from outside.

The conventions are those of :mod:`storage.tables`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from sqlalchemy import JSON, Column, Table
from sqlmodel import Field

from storage import people_tables
from storage.tables import Row


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


class ReceivedRow(Row, table=True):
    """That a source took what was handed in under this key, so that the same, sent again, is taken once."""

    __tablename__ = "received"
    source_id: int = Field(foreign_key="source.id", primary_key=True)
    key: str = Field(max_length=200, primary_key=True)
    at: datetime = Field(index=True)


ALL_TABLES: Final = people_tables.METADATA
"""Every table of the store."""


def _table(name: str) -> Table:
    return ALL_TABLES.tables[name]


TOKEN: Final = _table("token")
DAEMON: Final = _table("daemon")
RECEIVED: Final = _table("received")
