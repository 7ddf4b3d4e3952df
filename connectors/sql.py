"""A query on another database, with a key that rises: its rows are items, and the next pull goes on from the last key."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from connectors.contract import Capabilities, Context, Cursor, Item, Kind, Page, Plugin, Scope, Skipped
from connectors.errors import Malformed
from connectors.mapped import FIELDS, Clock, Shape, Unfit, ZoneUnsaid, clock_of, item_of
from connectors.places import placed_address
from connectors.sql_asking import Asking, Result
from connectors.sql_keys import Key, Keys, Position
from connectors.sql_options import SqlOptions, address_of
from connectors.tidy import digest

MOST_ROWS = 100_000
"""So many rows may share one key; a page is enlarged up to here."""


class Sql:
    """Reads page by page in the order of the key; each page is one short transaction."""

    def __init__(self, options: SqlOptions, context: Context) -> None:
        self._options = options
        self._context = context
        url = address_of(placed_address(options.url.get_secret_value(), context.folder))
        self._asking = Asking(url, options.timeout_seconds, context.stop)
        self._keys = Keys(options.key_type, options.overlap, texts=self._asking.is_sqlite)
        scale = (options.rating_worst, options.rating_best)
        self._shape = Shape(prefix_of(options), Kind(options.kind), *scale, _clock_of(options), options.html)

    def check(self) -> None:
        self._columns(self._ask(self._keys.beginning, 1))

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        fingerprint = digest("\n".join((self._options.query, self._options.key, self._options.key_type)))[:12]
        position = Position.from_json(cursor, self._keys, fingerprint)
        after, most = position.start(self._keys), self._options.rows
        while not self._context.stop.is_set():
            found = self._ask(after, most)
            batch = self._batch(found, after, full=len(found.rows) >= most)
            if batch is None:
                most = self._enlarged(most)
                continue
            after, most = batch.after, self._options.rows
            position = position.moved(self._keys, after, last=batch.last)
            items, skipped = self._items(batch)
            yield Page(items, position.to_json(self._keys, fingerprint), skipped)
            if batch.last:
                return

    def close(self) -> None:
        self._asking.close()
        self._context.http.close()

    # ---------------------------------------------------------------------------------------------- one page

    def _ask(self, after: Key, most: int) -> Result:
        return self._asking.ask(self._options.query, {"after": after, "limit": most}, most)

    def _batch(self, found: Result, after: Key, *, full: bool) -> _Batch | None:
        """The rows that are sure to be whole up to a key; ``None`` where a full page does not come to a next key.

        Rows that share the last key of a full page may go on behind it: they wait for the next one.
        """
        columns = self._columns(found)
        keys = self._keys.read(self._asking.shown, [row[columns[_KEY]] for row in found.rows], after)
        if not full:
            return _Batch(found.rows, columns, keys[-1] if keys else after, last=True)
        whole = next((number for number in range(len(keys), 0, -1) if keys[number - 1] != keys[-1]), 0)
        if whole == 0 or keys[whole - 1] == after:
            return None
        return _Batch(found.rows[:whole], columns, keys[whole - 1], last=False)

    def _enlarged(self, most: int) -> int:
        if most >= MOST_ROWS:
            fact = (
                f"{self._asking.shown}: more than {MOST_ROWS:,} rows share one key, or the query does not heed :after"
            )
            raise Malformed(f"{fact}; look at the options key and query")
        return min(most * 4, MOST_ROWS)

    def _columns(self, found: Result) -> Mapping[str, int]:
        """Where each field stands in a row; ``Malformed`` names the column that is missing."""
        given = {_KEY: self._options.key, **self._options.columns}
        given |= {f"attributes.{name}": name for name in self._options.attributes}
        columns = {field: self._place(found.columns, name, field) for field, name in given.items()}
        for field in FIELDS:
            names = [field, field.replace(".", "_"), *_SHORT.get(field, ())]
            place = next((at for name in names if (at := _find(found.columns, name)) is not None), None)
            if field not in columns and place is not None:
                columns[field] = place
        if "external_id" not in columns and self._options.key_type != "time":
            columns["external_id"] = columns[_KEY]
        for field in ("external_id", "published_at"):
            if field not in columns:
                self._place(found.columns, field, field)
        return columns

    def _place(self, columns: Sequence[str], name: str, field: str) -> int:
        found = _find(columns, name)
        if found is None:
            option = "key" if field == _KEY else f"columns.{field}"
            there = ", ".join(columns[:40])
            fact = f'{self._asking.shown}: the query brings no column "{name}" (columns: {there})'
            raise Malformed(f"{fact}; look at the options query and {option}")
        return found

    def _items(self, batch: _Batch) -> tuple[Sequence[Item], Sequence[Skipped]]:
        items: list[Item] = []
        skipped: list[Skipped] = []
        for row in batch.rows:
            values = {field: _plain(row[at]) for field, at in batch.columns.items() if field != _KEY}
            try:
                items.append(item_of(values, self._shape))
            except ZoneUnsaid:
                fact = f"{self._asking.shown}: the times name no zone"
                raise Malformed(f'{fact}; set timezone = "Europe/Berlin" or wherever they are of') from None
            except ValueError as error:
                reason = str(error) if isinstance(error, Unfit) else f"{type(error).__name__}: not a sound row"
                skipped.append(Skipped(f"row with the key {str(row[batch.columns[_KEY]])[:40]}", reason))
        return items, skipped


_KEY = "key"
_SHORT = {"author.name": ("author",), "reply.text": ("reply",)}


@dataclass(frozen=True, slots=True)
class _Batch:
    """Rows up to the key ``after``; ``last``: there are no more now."""

    rows: Sequence[Sequence[Any]]
    columns: Mapping[str, int]
    after: Key
    last: bool


def prefix_of(options: SqlOptions) -> str:
    """What the ids begin with: the first table that the query names, and a mark of its database."""
    if options.prefix is not None:
        return options.prefix
    url = address_of(options.url.get_secret_value())
    found = re.search(r'(?i)\bfrom\s+["`\[]?([\w.$]{1,80})', options.query)
    mark = digest(f"{url.get_backend_name()} {url.host} {url.port} {url.database}")[:8]
    return f"{found[1] if found else 'query'}@{mark}:"


def _find(columns: Sequence[str], name: str) -> int | None:
    """A column by its name; databases differ in what they make of capitals."""
    if name in columns:
        return columns.index(name)
    lower = [column.lower() for column in columns]
    return lower.index(name.lower()) if name.lower() in lower else None


def _plain(value: object) -> object:
    """A cell as a text, a number, a time, or a list of these."""
    if isinstance(value, bytes | bytearray | memoryview):
        return bytes(value).decode("utf-8", "replace")
    if isinstance(value, Decimal):
        whole = value.is_finite() and value.adjusted() < 30 and value == value.to_integral_value()
        return int(value) if whole else float(value)
    if isinstance(value, UUID):
        return str(value)
    return value


def _clock_of(options: SqlOptions) -> Clock:
    """Reads times that the database knows as such, and all others as they are written."""
    written, known = clock_of(options.time_format, options.timezone), clock_of("iso8601", options.timezone)

    def read(value: object) -> datetime | None:
        return known(value.isoformat()) if isinstance(value, date) else written(value)  # a datetime is a date, too

    return read


PLUGIN = Plugin(
    name="sql",
    title="A database",
    platform="sql",
    options=SqlOptions,
    open=Sql,
    capabilities=Capabilities(
        scope=Scope.SUBJECT,
        whole_history=True,
        ratings=True,
        needs_credentials=True,
        minimum_interval=timedelta(seconds=10),
    ),
    tried="live",
    tried_on="real SQLite and PostgreSQL servers",
    notes="Reads with a query of your own, and writes nothing; give it a database user that may only read.",
)
