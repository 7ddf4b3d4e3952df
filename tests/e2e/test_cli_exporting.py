"""``db export``, ``db copy``, ``db backup`` and ``db restore`` as a person uses them."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from pathlib import Path

import duckdb
import pytest

from tests.e2e.conftest import Home

CONFIG = """
[monitor]
database = "{database}"
[[brands]]
name = "Acme"
keywords = ["acme"]
[[sources]]
name = "drawer"
type = "files"
brand = "Acme"
options = { path = "posts.csv", kind = "mention" }
"""
POSTS = "id,date,text,likes\n1,2026-01-01,I love acme,3\n2,2026-01-02,=acme is awful,\n"


@pytest.fixture
def filled(home: Home) -> Home:
    """A store with two items of a file."""
    home.write(CONFIG.replace("{database}", "sqlite:///store.db"))
    (home.folder / "posts.csv").write_text(POSTS, encoding="utf-8")
    home.run("pull")
    return home


def test_items_go_to_standard_output_and_the_token_beside_it(filled: Home) -> None:
    done = filled.run("db", "export")
    assert [json.loads(line)["external_id"].split(":")[-1] for line in done.stdout.splitlines()] != []
    assert len(done.stdout.splitlines()) == 2
    assert re.search(r"2 items; what changes from now on: --changed-since [0-9a-f]{16}", done.stderr)


def test_the_next_export_brings_what_has_changed(filled: Home) -> None:
    first = filled.json("db", "export", "--output", "items.parquet")
    assert (first["items"], first["file"]) == (2, "items.parquet")
    assert duckdb.execute(
        "SELECT count(*) FROM read_parquet(?)", [str(filled.folder / "items.parquet")]
    ).fetchall() == [(2,)]
    (filled.folder / "posts.csv").write_text(f"{POSTS}3,2026-01-03,acme again,1\n", encoding="utf-8")
    filled.run("pull")
    second = filled.json("db", "export", "-o", "more.jsonl", "--changed-since", first["token"])
    (line,) = (filled.folder / "more.jsonl").read_text(encoding="utf-8").splitlines()
    assert (second["items"], json.loads(line)["text"]) == (1, "acme again")
    assert filled.json("db", "export", "-o", "none.csv", "--changed-since", second["token"])["items"] == 0


def test_a_csv_is_as_its_name_says_and_safe(filled: Home) -> None:
    filled.run("db", "export", "-o", "items.csv", "--bom", "--since", "2026-01-02", "--brand", "Acme")
    data = (filled.folder / "items.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    (row,) = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""))
    assert row["text"] == "'=acme is awful"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--json",), "name a file with --output"),
        (("-o", "x.jsonl", "--bom"), "--bom: is for CSV, and this is jsonl"),
        (("--brand", "Acmee"), 'no brand "Acmee"; there are: Acme'),
    ],
)
def test_what_cannot_be_meant_is_refused(filled: Home, arguments: tuple[str, ...], said: str) -> None:
    assert said in filled.run("db", "export", *arguments, code=2).stderr


def test_a_token_that_is_none_ends_the_command_and_leaves_no_file(filled: Home) -> None:
    done = filled.run("db", "export", "-o", "x.csv", "--changed-since", "nonsense", code=1)
    assert "is no token of this store" in done.stderr
    assert list(filled.folder.glob("x.csv*")) == []


def test_a_store_moves_to_a_server_and_goes_on_there(filled: Home, postgres_database: str) -> None:
    done = filled.run("db", "copy", "--to", postgres_database)
    assert "2 of them items; counted, compared and verified" in done.stdout
    assert "item: 2 of 2" in done.stderr
    filled.write(CONFIG.replace("{database}", postgres_database))
    (filled.folder / "posts.csv").write_text(f"{POSTS}3,2026-01-03,acme again,1\n", encoding="utf-8")
    filled.run("pull")
    assert filled.json("items")["total"] == 3
    filled.run("db", "verify")
    assert "not empty" in filled.run("db", "copy", "--to", postgres_database, code=1).stderr
    filled.run("db", "backup", "kept.db")
    plain = sqlite3.connect(filled.folder / "kept.db")
    assert plain.execute("SELECT count(*) FROM items").fetchone() == (3,)
    plain.close()


def test_a_store_that_is_in_use_is_copied_only_when_asked(filled: Home) -> None:
    plain = sqlite3.connect(filled.folder / "store.db")
    plain.execute("UPDATE source SET lease_owner = 'host:1:a', lease_until = '2099-01-01 00:00:00.000000'")
    plain.commit()
    plain.close()
    refused = filled.run("db", "copy", "--to", "sqlite:///copy.db", code=1)
    assert "in use (host:1:a)" in refused.stderr
    assert not (filled.folder / "copy.db").exists()
    assert filled.json("db", "copy", "--to", "sqlite:///copy.db", "--live")["rows"]["item"] == 2


def test_a_backup_is_restored_into_a_store_that_is_not_there(filled: Home) -> None:
    filled.run("db", "backup", "kept.db")
    assert "not empty" in filled.run("db", "restore", "kept.db", code=1).stderr
    for file in filled.folder.glob("store.db*"):
        file.rename(file.with_name(f"old-{file.name}"))
    assert filled.json("db", "restore", "kept.db")["rows"]["item"] == 2
    assert filled.json("items")["total"] == 2
    assert filled.json("pull") is not None
    assert filled.json("items")["total"] == 2


def test_the_views_are_read_by_other_programs(filled: Home) -> None:
    plain = sqlite3.connect(Path(filled.folder / "store.db"))
    assert plain.execute("SELECT day, total, score FROM daily_scores ORDER BY day").fetchall() == [
        ("2026-01-01", 1, 1.0),
        ("2026-01-02", 1, -1.0),
    ]
    plain.close()
