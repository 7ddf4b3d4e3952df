"""Rows put in column by column are what SQLAlchemy would have stored."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from storage.bulk import insert_rows
from storage.engine import Database, open_database
from storage.tables import ITEM
from tests.fakes.storing import NOW, Shop, item

OWN = {"source_id": 1, "platform": "forum", "bucket": 1, "first_seen_at": NOW, "changed_at": NOW}
REST = {"scorer_label": None, "erased_at": None, "refreshes": 0}


def test_every_kind_of_value_comes_back_as_it_went_in(database: Database) -> None:
    Shop(database)
    rows = [
        {
            "id": number,
            **OWN,
            **REST,
            **item(f"é{number} 🙂", attributes=({}, {"country": "DE"}, None)[number - 1], stars=45_000),
        }
        for number in (1, 2, 3)
    ]
    rows[2]["published_at"] = NOW - timedelta(microseconds=1)
    database.write(lambda connection: insert_rows(connection, ITEM, rows))
    kept = database.read(
        lambda connection: [dict(row) for row in connection.execute(select(ITEM).order_by(ITEM.c.id)).mappings()]
    )
    assert kept == rows


def test_a_time_without_its_zone_is_refused(tmp_path: Path, migrated_file: Path) -> None:
    database = open_database(f"sqlite:///{shutil.copyfile(migrated_file, tmp_path / 'store.db')}")
    Shop(database)
    row = {"id": 1, **OWN, **REST, **item(published_at=NOW.replace(tzinfo=None))}
    with pytest.raises(ValueError, match="without its zone"):
        database.write(lambda connection: insert_rows(connection, ITEM, [row]))
    database.close()


def test_the_stored_bytes_are_those_of_an_ordinary_insert(database: Database) -> None:
    Shop(database)
    one, other = ({"id": number, **OWN, **REST, **item(str(number), attributes={"a": "ä"})} for number in (1, 2))
    database.write(lambda connection: insert_rows(connection, ITEM, [one]))
    database.write(lambda connection: connection.execute(insert(ITEM), [other]))
    same = [column.name for column in ITEM.columns if column.name not in ("id", "external_id", "text")]
    raw = f"SELECT {', '.join(same)} FROM item ORDER BY id"
    first, second = database.read(lambda connection: [tuple(row) for row in connection.exec_driver_sql(raw)])
    assert first == second


def test_no_rows_are_no_work(database: Database) -> None:
    database.write(lambda connection: insert_rows(connection, ITEM, []))
    assert database.read(lambda connection: connection.execute(select(ITEM)).all()) == []
