from __future__ import annotations

import json
import os
import random
import re
import sqlite3
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from traceback import format_exception
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy.engine import make_url

from connectors.contract import Author, Counts, Item, Kind, Rating, Reply
from connectors.errors import AccessDenied, Malformed, NotThere, SourceError, Unavailable
from connectors.sql import PLUGIN, prefix_of
from connectors.sql_options import SqlOptions
from connectors.testing import Case, ContractSuite
from tests.fakes.damaging import damaged_copies
from tests.fakes.sql import FakeTable, Table, run

NO_NETWORK: Mapping[str, str] = {
    "errors": "a database is asked by its own driver: there is no HTTP server that could answer with an error",
    "small_budget": "a query takes no requests, so no budget of requests can end",
    "hang": "there is no HTTP server that could keep silent; the query's own time limit is tested below",
    "a_repeated_page_token_ends": "a table has no page tokens",
}
CASE = Case(plugin=PLUGIN, fake=FakeTable, kind=Kind.MENTION, not_applicable=NO_NETWORK)


class TestSql(ContractSuite):
    case = CASE


SELECT = "SELECT id, at AS published_at, said AS text FROM said"
BY_ID = f"{SELECT} WHERE id > :after ORDER BY id LIMIT :limit"
BY_TIME = f"{SELECT} WHERE at > :after ORDER BY at LIMIT :limit"


def said(*ids: int, at: str = "2026-10-01 10:00:00+00:00") -> list[dict[str, Any]]:
    return [{"id": number, "at": at, "said": f"fine, number {number}"} for number in ids]


def insert(table: Table, *rows: dict[str, Any]) -> None:
    table.run("INSERT INTO said VALUES (:id, :at, :said)", *rows)


@pytest.fixture
def file(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    run(url, "CREATE TABLE said (id INTEGER, at TEXT, said TEXT)")
    return url


@pytest.fixture
def server(postgres_database: str) -> str:
    run(postgres_database, "CREATE TABLE said (id BIGINT, at TIMESTAMPTZ, said TEXT)")
    return postgres_database


@pytest.fixture(params=["file", "server"])
def url(request: pytest.FixtureRequest) -> str:
    found: str = request.getfixturevalue(request.param)
    return found


# ------------------------------------------------------------------------------------------------ going on


def test_the_next_pull_goes_on_behind_the_last_key(url: str) -> None:
    table = Table(url, BY_ID, overlap=0)
    insert(table, *said(*range(1, 26)))
    assert len(table.pull()) == 25
    insert(table, *said(26, 27))
    assert table.pull() == ["26", "27"]
    assert table.pull() == []


def test_a_row_that_is_committed_late_is_found_within_the_overlap(url: str) -> None:
    table = Table(url, BY_ID, overlap=5)
    insert(table, *said(1, 2, 4, 5, 6))
    table.pull()
    insert(table, *said(3))
    table.pull()
    assert set(table.stored) == {"1", "2", "3", "4", "5", "6"}


def test_a_pull_cut_off_goes_on_and_finds_what_was_committed_late_meanwhile(url: str) -> None:
    table = Table(url, BY_ID, overlap=8, rows=10)
    insert(table, *said(*range(1, 5), *range(6, 60)))
    table.pull(pages=1)
    insert(table, *said(5))
    assert table.pull()[0] == "11"
    table.pull()
    assert len(table.stored) == 59


def test_idle_pulls_do_not_go_back_when_rows_are_gone(url: str) -> None:
    table = Table(url, BY_ID, overlap=3)
    insert(table, *said(*range(1, 21)))
    table.pull()
    table.run("DELETE FROM said WHERE id > 10")
    for _ in range(4):
        assert table.pull() == []


def test_rows_that_share_a_key_at_the_end_of_a_page_are_not_lost(url: str) -> None:
    table = Table(url, BY_TIME, key="published_at", key_type="time", rows=10, overlap=0, columns={"external_id": "id"})
    for hour in range(8):
        insert(table, *said(*range(hour * 7, hour * 7 + 7), at=f"2026-10-01 1{hour}:00:00+00:00"))
    assert len(table.pull()) == len(table.stored) == 56


def test_more_rows_of_one_key_than_a_page_holds_are_read_at_once(url: str) -> None:
    table = Table(url, BY_TIME, key="published_at", key_type="time", rows=10, columns={"external_id": "id"})
    insert(table, *said(*range(45)), *said(45, at="2026-10-02 10:00:00+00:00"))
    assert len(table.pull()) == 46


def test_times_as_keys_are_read_again_over_the_overlap(url: str) -> None:
    table = Table(url, BY_TIME, key="published_at", key_type="time", overlap=600, columns={"external_id": "id"})
    insert(table, *said(1), *said(2, at="2026-10-01 11:00:00+00:00"))
    table.pull()
    insert(table, *said(3, at="2026-10-01 10:55:00+00:00"), *said(4, at="2026-10-01 10:20:00+00:00"))
    assert table.pull() == ["3", "2"]


def test_texts_as_keys_go_on_in_the_order_of_the_database(url: str) -> None:
    query = (
        "SELECT said AS code, at AS published_at, said AS text FROM said WHERE said > :after ORDER BY said LIMIT :limit"
    )
    table = Table(url, query, key="code", key_type="text", rows=10)
    insert(table, *said(*range(100, 140)))
    assert len(table.pull()) == 40
    insert(table, *said(200))
    assert table.pull() == ["fine, number 200"]


def test_a_changed_query_begins_anew(url: str) -> None:
    table = Table(url, BY_ID)
    insert(table, *said(1, 2000))
    table.pull()
    other = Table(url, BY_ID.replace("SELECT id", "SELECT id, 'en' AS language"))
    other.cursor = table.cursor
    assert other.pull() == ["1", "2000"]


def test_damaged_cursors_raise_nothing_but_the_fates(file: str) -> None:
    table = Table(file, BY_ID, rows=10)
    insert(table, *said(*range(1, 40)))
    table.pull(pages=2)
    whole = json.dumps(table.cursor).encode()
    came = 0
    for copy in damaged_copies(whole, 60, seed=5):
        with suppress(ValueError):
            held = json.loads(copy)
            table.cursor = held if isinstance(held, dict) else None
        with suppress(SourceError):
            came += len(table.pull(pages=5))
    assert came > 100


# ------------------------------------------------------------------------------------------------ what comes


def test_columns_are_what_they_are_called_or_what_they_are_told_to_be(url: str) -> None:
    query = (
        "SELECT id, at AS published_at, said AS body, 'Ann' AS author_name, 7 AS customer, 4 AS rating, 12 AS likes, 'DE' AS "
        "country, 'de' AS language, 'Thanks' AS reply, 'Shop' AS place FROM said WHERE id > :after ORDER BY id LIMIT :limit"
    )
    columns = {"text": "body", "author": {"id": "customer"}}
    table = Table(url, query, columns=columns, attributes=["country"], kind="review", prefix="shop:")
    insert(table, *said(1))
    table.pull()
    assert table.stored["shop:1"] == Item(
        external_id="shop:1",
        kind=Kind.REVIEW,
        published_at=datetime(2026, 10, 1, 10, tzinfo=UTC),
        text="fine, number 1",
        language="de",
        author=Author("7", "Ann"),
        rating=Rating(4),
        counts=Counts(likes=12),
        reply=Reply("Thanks"),
        place="Shop",
        attributes={"country": "DE"},
    )


def test_ids_of_two_tables_never_meet(file: str) -> None:
    one, other = (SqlOptions(url=file, query=BY_ID.replace("said", name), key="id") for name in ("said", "asked"))
    assert prefix_of(one) != prefix_of(other)
    assert prefix_of(one).startswith("said@")


def test_times_without_a_zone_need_to_be_told_theirs(url: str) -> None:
    query = "SELECT id, CAST('2026-07-01 10:00:00' AS {}) AS published_at, said AS text FROM said WHERE id > :after ORDER BY id LIMIT :limit"
    query = query.format("TEXT" if url.startswith("sqlite") else "TIMESTAMP")
    table = Table(url, query)
    insert(table, *said(1))
    with pytest.raises(Malformed, match='set timezone = "Europe/Berlin"'):
        table.pull()
    table = Table(url, query, timezone="Europe/Berlin")
    table.pull()
    assert table.stored["1"].published_at == datetime(2026, 7, 1, 8, tzinfo=UTC)


def test_a_row_without_a_time_is_skipped_with_its_reason(url: str) -> None:
    table = Table(url, BY_ID)
    insert(table, *said(1), {"id": 2, "at": None, "said": "fine"}, *said(3))
    assert table.pull() == ["1", "3"]
    (skipped,) = [entry for page in table.pages for entry in page.skipped]
    assert (skipped.what, skipped.why) == ("row with the key 2", "published_at: empty")


HOSTILE = [
    None,
    "",
    "x" * 100_000,
    b"\xff\x00\xfe",
    2**62,
    -1,
    1e300,
    float("inf"),
    "\x00",
    "9" * 5000,
    "<" * 5000,
    "NaN",
]


def test_whatever_stands_in_the_cells_ends_in_items_or_skips(file: str) -> None:
    chance = random.Random(11)
    table = Table(file, "SELECT id, at AS published_at, said AS text, said AS rating, at AS likes, said AS url, at AS updated_at, "
                  "said AS author_name FROM said WHERE id > :after ORDER BY id LIMIT :limit", timezone="UTC")  # fmt: skip
    rows = [
        {"id": n, "at": chance.choice([*HOSTILE, "2026-10-01"]), "said": chance.choice([*HOSTILE, "4"])}
        for n in range(300)
    ]
    insert(table, *rows)
    came = len(table.pull())
    assert 0 < came < 300
    assert came + sum(len(page.skipped) for page in table.pages) == 300


# ------------------------------------------------------------------------------------------------ refusals


@pytest.mark.parametrize(
    ("query", "fate", "words"),
    [
        (BY_ID.replace("FROM said", "FROM asked"), NotThere, 'no such table "asked"'),
        (BY_ID.replace("said AS", "asked AS"), Malformed, "asked"),
        (BY_ID.replace("WHERE", "WERE"), Malformed, "not understood"),
        (
            BY_ID.replace("SELECT id", "SELECT id AS number"),
            Malformed,
            'no column "id" (columns: number, published_at, text)',
        ),
        (BY_ID.replace("at AS published_at", "at"), Malformed, 'no column "published_at"'),
        (BY_ID.replace("ORDER BY id", "ORDER BY id DESC"), Malformed, "ORDER BY key"),
        (BY_ID.replace("SELECT id", "SELECT said AS id"), Malformed, "look at key and key_type"),
    ],
)
def test_a_wrong_query_says_what_to_mend(url: str, query: str, fate: type[SourceError], words: str) -> None:
    table = Table(url, query)
    insert(table, *said(1, 2))
    with pytest.raises(SourceError, match=re.escape(words)) as caught:
        table.pull()
    assert type(caught.value) is fate
    assert "fine, number" not in str(caught.value)


def test_a_query_that_does_not_heed_its_place_ends(url: str) -> None:
    table = Table(url, f"{SELECT} WHERE id > :after OR id >= 0 ORDER BY id LIMIT :limit", rows=10)
    insert(table, *said(*range(30)))
    with pytest.raises(Malformed, match=":after"):
        table.pull()


def test_a_query_that_writes_is_refused_by_the_server(server: str) -> None:
    gone = "WITH gone AS (DELETE FROM said RETURNING *) SELECT id, at AS published_at, said AS text FROM gone "
    table = Table(server, f"{gone} WHERE id > :after ORDER BY id LIMIT :limit")
    insert(table, *said(1))
    with pytest.raises(Malformed, match="writes"):
        table.pull()
    assert Table(server, BY_ID).pull() == ["1"]


def test_a_query_that_takes_too_long_is_ended(url: str) -> None:
    endless = "WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n) SELECT count(*) AS id FROM n"
    table = Table(
        url, f"SELECT id FROM ({endless}) AS slow WHERE id > :after ORDER BY id LIMIT :limit", timeout_seconds=1
    )
    began = time.monotonic()
    with pytest.raises(Unavailable, match="longer than 1 s"):
        table.pull()
    assert time.monotonic() - began < 10


def test_an_sqlite_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(NotThere, match=r"none\.db: there is no such file"):
        Table(f"sqlite:///{tmp_path / 'none.db'}", BY_ID).pull()
    assert not (tmp_path / "none.db").exists()


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes.db").write_text("notes " * 1000)
    with pytest.raises(Malformed, match="no SQLite database"):
        Table(f"sqlite:///{tmp_path / 'notes.db'}", BY_ID).pull()


def test_an_sqlite_file_is_read_while_another_program_writes_into_it(file: str) -> None:
    table = Table(file, BY_ID)
    table.run("PRAGMA journal_mode=WAL")
    insert(table, *said(1))
    with sqlite3.connect(file.removeprefix("sqlite:///")) as writer:
        writer.execute("INSERT INTO said VALUES (2, '2026-10-01T10:00:00Z', 'half')")
        assert table.pull() == ["1"]
        writer.rollback()
    writer.close()


def test_a_server_s_refusals_become_fates_that_tell_no_secret(server: str) -> None:
    known = make_url(server)
    stranger = known.set(username="stranger", password="hunter2")
    elsewhere = known.set(database="elsewhere", password="hunter2")
    nowhere = known.set(host="127.0.0.1", port=1, password="hunter2", query={})
    for url, fate in ((stranger, AccessDenied), (elsewhere, NotThere), (nowhere, Unavailable)):
        table = Table(url.render_as_string(hide_password=False), BY_ID)
        with pytest.raises(fate) as caught:
            table.open().check()
        assert "hunter2" not in f"{table.options!r} {format_exception(caught.value)}"


def test_what_a_user_may_not_read_is_denied(server: str) -> None:
    name = f"reader_{os.getpid()}"
    run(server, f"CREATE ROLE {name} LOGIN")
    try:
        url = make_url(server).set(username=name, password=None).render_as_string(hide_password=False)
        with pytest.raises(AccessDenied, match="rights"):
            Table(url, BY_ID).pull()
    finally:
        run(server, f"DROP ROLE {name}")


def test_a_stop_ends_a_query_under_way(file: str) -> None:
    table = Table(file, BY_ID)
    table.stop.set()
    assert table.pull() == []


# ------------------------------------------------------------------------------------------------ configuration


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"query": "DELETE FROM said"}, "is no SELECT"),
        ({"query": "SELECT * FROM said ORDER BY id LIMIT :limit"}, ":after is missing"),
        ({"query": BY_ID.replace("LIMIT :limit", "")}, ":limit is missing"),
        ({"query": BY_ID.replace("WHERE", "WHERE x = :mine AND")}, ":mine is no place"),
        ({"query": BY_ID.replace("ORDER BY id", "")}, "add ORDER BY"),
        ({"url": "shop.db"}, "is no database's address"),
        ({"url": "sqlite://"}, "names no file"),
        ({"url": "nosuch://user:hunter2@host/shop"}, "no driver for nosuch"),
        ({"columns": {"txet": "a"}}, "txet: no such field"),
        ({"timezone": "Mars/Olympus"}, "no such time zone"),
        ({"time_format": "sometimes"}, "no way of writing times"),
        ({"key_type": "text", "overlap": 3}, "nobody can tell"),
        ({"rating_worst": 5}, "turn them round"),
    ],
)
def test_wrong_options_are_refused_by_name(file: str, changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(words)) as caught:
        SqlOptions.model_validate({"url": file, "query": BY_ID, "key": "id", **changed})
    shown = [details["msg"] for details in caught.value.errors(include_input=False)]
    assert "hunter2" not in str(shown)
