"""The views: the same on both back ends, described column by column, readable by other programs."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from storage import schema, views
from storage.engine import Database, StorageError, open_database
from storage.tables import ITEM
from tests.fakes.storing import NOW, OLD, Shop, item

ROOT = Path(__file__).parents[2]


def read(url: str, query: str) -> list[dict[str, Any]]:
    """As a person's own program reads: by the driver alone."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        plain = sqlite3.connect(f"file:{address.database}?mode=ro", uri=True)
        cursor = plain.execute(query)
        rows = [dict(zip([part[0] for part in cursor.description], row, strict=True)) for row in cursor]
        plain.close()
        return rows
    with psycopg.connect(address.set(drivername="postgresql").render_as_string(hide_password=False)) as server:
        found = server.execute(query)  # type: ignore[call-overload]
        return [dict(zip([part.name for part in found.description or ()], row, strict=True)) for row in found]


def test_every_column_of_every_view_is_described_and_none_is_missing(shop: Shop, database_url: str) -> None:
    for name, columns in views.VIEWS.items():
        there = shop.database.read(lambda c, name=name: list(c.execute(text(f"SELECT * FROM {name}")).keys()))  # type: ignore[misc]
        assert there == [column.name for column in columns]
        assert all(len(column.says) > 8 for column in columns)


def test_the_data_dictionary_is_up_to_date() -> None:
    script = ROOT / "docs" / "make_dictionary.py"
    done = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_an_item_is_shown_by_names_and_in_common_units(shop: Shop, database_url: str) -> None:
    said = {"stars": 42_500, "likes": 3, "attributes": {"country": "DE"}, "uncounted": "muted", "place": "r/acme"}
    shop.pull(item("a", author_name="Ada", **said))
    (row,) = read(database_url, "SELECT * FROM items")
    assert (row["brand"], row["source"], row["author"], row["place"]) == ("Acme", "north", "Ada", "r/acme")
    assert (row["compound"], row["stars"], row["likes"], row["views"]) == (0.6, 4.25, 3, None)
    assert (row["uncounted"], row["scorer"], row["label"], row["revisions"]) == ("muted", "vader/1", "positive", 0)
    attributes = row["attributes"]
    assert (json.loads(attributes) if isinstance(attributes, str) else attributes) == {"country": "DE"}
    assert not row["erased"]
    assert not any(name.endswith("_id") for name in row if name != "external_id"), "no number of the store's own"


def test_times_are_instants_or_iso_texts_that_sort(shop: Shop, database_url: str) -> None:
    shop.pull(item("a"), item("b", published_at=OLD + timedelta(microseconds=5)))
    rows = read(database_url, "SELECT published_at, first_seen_at, updated_at FROM items ORDER BY published_at")
    wanted = [OLD, OLD + timedelta(microseconds=5)]
    if shop.database.is_sqlite:
        assert rows[0]["published_at"] == "2026-11-17T12:00:00.000000Z"
        assert [datetime.fromisoformat(row["published_at"]) for row in rows] == wanted
        assert read(database_url, "SELECT date(published_at) AS day FROM items LIMIT 1") == [{"day": "2026-11-17"}]
    else:
        assert [row["published_at"].astimezone(UTC) for row in rows] == wanted
    assert rows[0]["updated_at"] is None


def test_daily_scores_are_those_of_the_counted_items(shop: Shop, database_url: str) -> None:
    late = datetime(2026, 11, 17, 23, 59, tzinfo=UTC)
    labels = ("positive", "positive", "negative", "neutral", None)
    shop.pull(
        *(item(str(number), label=label, published_at=late) for number, label in enumerate(labels)),
        item("next", published_at=late + timedelta(minutes=2)),
        item("left out", uncounted="excluded", published_at=late),
        item("own", kind="post", published_at=late),
    )
    rows = read(database_url, "SELECT * FROM daily_scores ORDER BY day, kind")
    days = [row["day"] if isinstance(row["day"], date) else date.fromisoformat(row["day"]) for row in rows]
    assert days == [date(2026, 11, 17), date(2026, 11, 17), date(2026, 11, 18)]
    assert [(row["kind"], row["total"], row["score"]) for row in rows] == [
        ("mention", 4, 0.25),
        ("post", 1, None),
        ("mention", 1, 1.0),
    ]
    first = rows[0]
    assert [first[name] for name in ("brand", "source", "positive", "negative", "neutral", "unscored")] == [
        *("Acme", "north"),
        *(2, 1, 1, 1),
    ]


def test_a_day_of_nothing_but_unscored_items_has_no_score(shop: Shop, database_url: str) -> None:
    shop.pull(item("a", label=None, compound=None, unscored="no_text"))
    (row,) = read(database_url, "SELECT * FROM daily_scores")
    assert (row["unscored"], row["total"], row["score"]) == (1, 0, None)


def test_counts_tell_what_was_gained_and_when(shop: Shop, database_url: str) -> None:
    shop.pull(item("a", published_at=NOW, counted_at=NOW, likes=2))
    shop.pull(item("a", published_at=NOW, counted_at=NOW + timedelta(hours=1), likes=7))
    rows = read(
        database_url, "SELECT i.external_id, c.likes FROM counts c JOIN items i ON i.id = c.item_id ORDER BY c.at"
    )
    assert rows == [{"external_id": "a", "likes": 2}, {"external_id": "a", "likes": 5}]


def test_views_are_made_anew_as_often_as_one_likes(shop: Shop, database_url: str) -> None:
    shop.pull(item("a"))
    for _ in range(2):
        shop.database.write(views.create)
    assert read(database_url, "SELECT count(*) AS n FROM items") == [{"n": 1}]


def test_a_table_can_be_changed_between_dropping_and_making_the_views(shop: Shop) -> None:
    def migrates(connection: Any) -> None:
        views.drop(connection)
        connection.execute(text("ALTER TABLE item RENAME COLUMN place TO spot"))
        connection.execute(text("ALTER TABLE item RENAME COLUMN spot TO place"))
        views.create(connection)

    shop.pull(item("a"))
    shop.database.write(migrates)
    assert len(shop.rows(ITEM)) == 1


def test_somebody_else_s_view_of_that_name_is_not_replaced(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    with sqlite3.connect(file) as plain:
        plain.execute("CREATE VIEW items AS SELECT 1 AS theirs")
    plain.close()
    with pytest.raises(StorageError, match=r"tables of something else \(items\); name another"):
        schema.upgrade(open_database(f"sqlite:///{file}"))


def test_somebody_else_s_view_on_a_server_is_not_replaced_either(database: Database) -> None:
    with database.engine.begin() as connection:
        views.drop(connection)
        connection.execute(text("CREATE VIEW counts AS SELECT 1 AS theirs"))
        connection.execute(text("DROP TABLE alembic_version"))
    with pytest.raises(StorageError, match="tables of something else"):
        schema.upgrade(database)
    with database.engine.begin() as connection:
        assert connection.execute(text("SELECT * FROM counts")).keys() == {"theirs"}


def test_a_view_of_somebody_s_own_on_top_is_named_as_what_is_in_the_way(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("CREATE VIEW mine AS SELECT id FROM items"))
    if database.is_sqlite:  # where views are looked up when they are read
        database.write(views.create)
        assert database.read(lambda c: c.execute(text("SELECT * FROM mine")).all()) == []
    else:
        with pytest.raises(StorageError, match="something of yours stands upon the store's views"):
            database.write(views.create)
