"""Builders for what goes into the store: pages of items that differ only where a test says so."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any, cast

from sqlalchemy import Table, event, select

from storage import ingest, sources
from storage.engine import Database
from storage.records import AuthorValues, Claim, ItemValues, Outcome, PageValues, Saved
from storage.sources import SourceEntry

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OLD = NOW - timedelta(days=3)
LEASE = timedelta(minutes=2)
_UNSAID: Mapping[str, Any] = dict.fromkeys(ItemValues.__annotations__)


def item(external_id: str = "a", **given: Any) -> ItemValues:
    """A positive mention of brand 1, three days old, counts unknown; the values ``given`` instead."""
    values = {
        "brand_id": 1,
        "external_id": external_id,
        "kind": "mention",
        "published_at": OLD,
        "text": f"I love it, says {external_id}",
        "label": "positive",
        "label_by": "text",
        "text_label": "positive",
        "compound": 6_000,
        "scorer": "vader/1",
        "counted_at": NOW,
    }
    return cast(ItemValues, {**_UNSAID, **values, **given})


def author(number: int, **given: Any) -> AuthorValues:
    """An author whose name is unknown; the values ``given`` instead."""
    values = {"id": number, "platform": "forum", "external_id": f"u{number}", "name": None, "followers": None}
    return cast(AuthorValues, {**values, "seen_at": NOW, **given})


@dataclass(frozen=True, slots=True)
class Shop:
    """A store with brands (ids from 1 in the order named) and sources of the platform ``forum``, each ready to be claimed."""

    database: Database
    brands: Sequence[str] = ("Acme", "Rival")
    names: Sequence[str] = ("north", "south")

    def __post_init__(self) -> None:
        entries = [SourceEntry(name, "forum", "forum") for name in self.names]
        sources.sync(self.database, self.brands, entries, NOW)

    def claim(
        self, name: str = "north", owner: str = "me", lease: timedelta = LEASE, *, only_due: bool = False
    ) -> Claim | None:
        """The source, if it is free."""
        return sources.claim_source(self.database, owner, {name: OLD}, NOW, lease, only_due=only_due)

    def claimed(self, name: str = "north", owner: str = "me") -> Claim:
        """The source, which must be free."""
        claim = self.claim(name, owner)
        assert claim is not None, f"{name} is not free"
        return claim

    def pull(self, *items: ItemValues, name: str = "north", at: datetime = NOW, **page: Any) -> Saved:
        """A whole pull of one page."""
        claim = self.claimed(name)
        saved = self.save(claim, *items, at=at, **page)
        sources.finish_pull(self.database, claim, Outcome(at), at)
        return saved

    def save(self, claim: Claim, *items: ItemValues, at: datetime = NOW, **page: Any) -> Saved:
        """One page."""
        return ingest.save_page(self.database, claim, PageValues(items=items, seen=len(items), **page), at)

    def rows(self, table: Table) -> list[dict[str, Any]]:
        """Every row of a table, by its primary key."""
        query = select(table).order_by(*table.primary_key.columns)
        return self.database.read(lambda connection: [dict(row) for row in connection.execute(query).mappings()])

    def row(self, table: Table, **wanted: Any) -> dict[str, Any]:
        """The one row that has these values."""
        (found,) = (row for row in self.rows(table) if all(row[name] == value for name, value in wanted.items()))
        return found


def dump(shop: Shop, *tables: Table, without: Sequence[str] = ()) -> list[list[dict[str, Any]]]:
    """The rows of these tables, without columns that may differ."""
    return [[{name: row[name] for name in row if name not in without} for row in shop.rows(table)] for table in tables]


class Crash(BaseException):
    """What a process does not survive."""


@contextmanager
def crash_at(database: Database, number: int) -> Iterator[None]:
    """Crash before the statement of this number, counted from 1 (BEGIN and COMMIT are statements, too)."""
    left = number

    def count_down(*_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise Crash

    for name in ("before_cursor_execute", "commit"):
        event.listen(database.engine, name, count_down)
    try:
        yield
    finally:
        for name in ("before_cursor_execute", "commit"):
            event.remove(database.engine, name, count_down)


def crash_everywhere(database: Database, work: Callable[[], object], check: Callable[[], None]) -> int:
    """Crash in ``work`` before each of its statements in turn, ``check`` after each crash; how many crashes until it is done."""
    for number in count(1):
        with crash_at(database, number):
            try:
                work()
            except Crash:
                check()
            else:
                return number - 1
    raise AssertionError("unreachable")
