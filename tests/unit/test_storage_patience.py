"""Reads that give up in time, on both back ends."""

from __future__ import annotations

import time

import pytest
from sqlalchemy import Connection, text

from storage import listing
from storage.engine import Database, StorageError
from storage.patience import TookTooLong, hurried
from storage.records import ItemFilter
from tests.fakes.storing import Shop, item

ENDLESS = {
    "sqlite": "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n",
    "postgresql": "SELECT pg_sleep(60)",
}


def forever(connection: Connection) -> object:
    return connection.execute(text(ENDLESS[connection.dialect.name])).scalar()


def test_a_read_that_takes_too_long_is_given_up(database: Database) -> None:
    begun = time.monotonic()
    with pytest.raises(TookTooLong):
        hurried(database, 0.05).read(forever)
    assert time.monotonic() - begun < 5


def test_the_connection_is_as_before_afterwards(database: Database) -> None:
    with pytest.raises(TookTooLong):
        hurried(database, 0.02).read(forever)
    many = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 300000) SELECT count(*) FROM n"
    assert database.read(lambda connection: connection.execute(text(many)).scalar()) == 300_000


def test_what_is_read_in_time_is_the_same(shop: Shop) -> None:
    shop.pull(*(item(f"i{n}") for n in range(5)))
    fast = hurried(shop.database, 10)
    assert listing.items(fast, ItemFilter()) == listing.items(shop.database, ItemFilter())
    assert listing.count_items(fast, ItemFilter(), at_most=3) == 3


def test_other_faults_stay_what_they_are(database: Database) -> None:
    with pytest.raises(StorageError, match="the tables are missing"):
        hurried(database, 5).read(lambda connection: connection.execute(text("SELECT * FROM nowhere")))
