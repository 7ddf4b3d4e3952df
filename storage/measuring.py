"""What items come to: how many, what their counts add up to, how many authors they have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Select, func, select

from storage.engine import Database
from storage.filters import conditions, growth
from storage.records import ItemFilter
from storage.tables import AUTHOR, COUNT_HISTORY, ITEM


def total(database: Database, wanted: ItemFilter, counts: Sequence[str]) -> int:
    """These counts (likes, shares ...) of the items, added up; what is not known adds nothing."""
    each = [func.coalesce(func.sum(ITEM.c[name]), 0) for name in counts]
    return sum(int(value) for value in _row(database, select(*each).where(*_where(database, wanted))))


def growth_of(database: Database, wanted: ItemFilter) -> int:
    """How much the count that ``wanted.grown`` names grew in its stretch, over the items."""
    assert wanted.grown is not None
    name = wanted.grown[0]
    grown = select(func.coalesce(func.sum(COUNT_HISTORY.c[name]), 0)).join(ITEM, ITEM.c.id == COUNT_HISTORY.c.item_id)
    return int(_row(database, grown.where(*growth(wanted.grown), *_where(database, wanted)))[0])


def authors(database: Database, wanted: ItemFilter) -> int:
    """How many authors the items have."""
    return int(_row(database, select(func.count(ITEM.c.author_id.distinct())).where(*_where(database, wanted)))[0])


def followers(database: Database, wanted: ItemFilter) -> int:
    """The followers of the items' authors, each author once."""
    theirs = select(ITEM.c.author_id).where(*_where(database, wanted))
    query = select(func.coalesce(func.sum(AUTHOR.c.followers), 0)).where(AUTHOR.c.id.in_(theirs))
    return int(_row(database, query)[0])


def _where(database: Database, wanted: ItemFilter) -> list[Any]:
    return conditions(wanted, database.engine.dialect.name)


def _row(database: Database, query: Select[Any]) -> Any:
    return database.read(lambda connection: connection.execute(query).one())
