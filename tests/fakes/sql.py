"""Databases of somebody else's: a table of tickets, in an SQLite file or on a server, written into as tickets come."""

from __future__ import annotations

import json
import logging
import shutil
import tempfile
from collections.abc import Mapping
from datetime import timedelta
from itertools import islice
from pathlib import Path
from threading import Event
from typing import Any, ClassVar

from sqlalchemy import NullPool, create_engine, text

from connectors.contract import Context, Cursor, Item, Page, Unlimited
from connectors.http import HttpClient
from connectors.sql import Sql, prefix_of
from connectors.sql_options import SqlOptions
from connectors.testing import FakePlatform, Fault, Reply, Request, Seed
from connectors.testing.platform import NOW

QUERY = "SELECT * FROM tickets WHERE id > :after ORDER BY id LIMIT :limit"


class FakeTable(FakePlatform):
    """Tickets in an SQLite file; nothing asks the network. ``rows`` is what a page has at most."""

    faults: ClassVar[Mapping[Fault, str]] = {}
    rows: ClassVar[int] = 100

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="sql-"))
        self.run("CREATE TABLE tickets (id INTEGER PRIMARY KEY, published_at TEXT, text TEXT, stars INTEGER)")

    @property
    def url(self) -> str:
        return f"sqlite:///{self.folder / 'shop.db'}"

    def options(self) -> Mapping[str, Any]:
        return {"url": self.url, "query": QUERY, "key": "id", "rows": self.rows, "columns": {"rating": "stars"}}

    def external_id(self, seed: Seed) -> str:
        return f"{prefix_of(SqlOptions.model_validate(self.options()))}{seed.number}"

    def respond(self, request: Request) -> Reply:
        return Reply(b"", 404)

    def publish(self, count: int = 1, *, at: Any = None, every: timedelta = timedelta(minutes=7)) -> list[Seed]:
        new = super().publish(count, at=at or NOW - timedelta(minutes=10), every=every)
        self.insert(*new)
        return new

    def insert(self, *seeds: Seed) -> None:
        rows = [
            {"id": seed.number, "at": self.written(seed), "text": seed.text, "stars": seed.number % 5 + 1}
            for seed in seeds
        ]
        self.run("INSERT INTO tickets VALUES (:id, :at, :text, :stars)", rows)

    def written(self, seed: Seed) -> Any:
        return seed.at.isoformat(sep=" ")

    def damage(self, seed: Seed) -> None:
        super().damage(seed)
        self.run("UPDATE tickets SET published_at = NULL WHERE id = :id", [{"id": seed.number}])

    def run(self, statement: str, values: list[dict[str, Any]] | None = None) -> None:
        run(self.url, statement, values)

    def close(self) -> None:
        super().close()
        shutil.rmtree(self.folder)


def run(url: str, statement: str, values: list[dict[str, Any]] | None = None) -> None:
    """Do something to a database, in a transaction of its own."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(statement), values)
    engine.dispose()


class Table:
    """A source over a database as the daemon drives it: pages are stored with their cursor, the next pull goes on."""

    def __init__(self, url: str, query: str = QUERY, **options: Any) -> None:
        self.url = url
        self.options = SqlOptions.model_validate({"url": url, "query": query, "key": "id", "prefix": "", **options})
        self.cursor: Cursor | None = None
        self.stored: dict[str, Item] = {}
        self.pages: list[Page] = []
        self.stop = Event()

    def open(self) -> Sql:
        log = logging.getLogger("connectors.test")
        return Sql(self.options, Context((), lambda: NOW, self.stop, HttpClient(), log, Unlimited()))

    def run(self, statement: str, *values: dict[str, Any]) -> None:
        run(self.url, statement, list(values) or None)

    def pull(self, pages: int = 1000) -> list[str]:
        """The ids that came, in order."""
        connector, brought = self.open(), list[str]()
        for page in islice(connector.fetch(self.cursor, NOW), pages):
            self.pages.append(page)
            self.stored.update((item.external_id, item) for item in page.items)
            brought += [item.external_id for item in page.items]
            self.cursor = json.loads(json.dumps(page.cursor))
        connector.close()
        return brought
