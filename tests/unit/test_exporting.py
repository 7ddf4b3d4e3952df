"""The three forms of an export, read back by what reads them, and files that are whole or not there."""

from __future__ import annotations

import csv
import io
import json
import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow
import pyarrow.parquet
import pytest

from monitor.exporting import BOM, ExportFailed, Form, export, whole_file
from storage.export import COLUMNS, Selection
from tests.fakes.storing import NOW, OLD, Shop, item

HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", '"quoted", and\na second line', "ümlaut 🎉 ‮", "\u2028"]


def written(shop: Shop, form: Form, **given: Any) -> bytes:
    out = io.BytesIO()
    export(shop.database, Selection(), form, out, NOW, **given)
    return out.getvalue()


@pytest.fixture
def filled(shop: Shop) -> Shop:
    """Two items, one with everything and one with nothing but what every item has."""
    full = {
        "author_name": "Ada",
        "title": "=HYPERLINK()",
        "likes": 2**40,
        "stars": 45_000,
        "rating_value": 9.0,
        "attributes": {"country": "DE", "quoted": 'a "b"'},
        "updated_at": OLD + timedelta(microseconds=123_456),
    }
    shop.pull(item("full", **full), item("bare", text=None, label=None, compound=None, scorer=None, label_by=None))
    return shop


def test_json_lines_have_one_object_an_item(filled: Shop) -> None:
    lines = written(filled, "jsonl").decode().split("\n")
    assert lines.pop() == ""
    bare, full = (json.loads(line) for line in lines)
    assert list(full) == [column.name for column in COLUMNS]
    assert (full["likes"], full["stars"], full["compound"], full["erased"]) == (2**40, 4.5, 0.6, False)
    assert (full["attributes"], bare["attributes"]) == ({"country": "DE", "quoted": 'a "b"'}, None)
    assert full["published_at"] == "2026-11-17T12:00:00Z"
    assert datetime.fromisoformat(full["updated_at"]) == OLD + timedelta(microseconds=123_456)
    assert (bare["label"], bare["compound"]) == (None, None)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_any_text_comes_back_as_it_was(shop: Shop, form: Form) -> None:
    shop.pull(*(item(str(number), text=said) for number, said in enumerate(HOSTILE)))
    data = written(shop, form).decode()
    if form == "jsonl":
        assert [json.loads(line)["text"] for line in data.split("\n")[:-1]] == HOSTILE
        return
    rows = list(csv.DictReader(io.StringIO(data, newline="")))
    assert [row["text"].removeprefix("'") for row in rows] == HOSTILE


def test_no_cell_of_a_csv_is_a_formula(shop: Shop) -> None:
    shop.pull(*(item(str(number), text=said, title=said, url=said) for number, said in enumerate(HOSTILE)))
    rows = list(csv.reader(io.StringIO(written(shop, "csv").decode(), newline="")))
    texts = [COLUMNS.index(column) for column in COLUMNS if column.type in ("text", "map")]
    assert len(rows) == 1 + len(HOSTILE)
    assert not [
        row[place] for row in rows for place in texts if row[place].startswith(("=", "+", "-", "@", "\t", "\r"))
    ]


def test_numbers_below_nought_stay_numbers_in_a_csv(shop: Shop) -> None:
    shop.pull(item("a", compound=-6_000))
    (row,) = csv.DictReader(io.StringIO(written(shop, "csv").decode()))
    assert (row["compound"], row["erased"], row["attributes"]) == ("-0.6", "false", "")


def test_a_csv_begins_with_the_mark_that_excel_needs_only_when_asked(filled: Shop) -> None:
    assert written(filled, "csv", bom=True) == BOM + written(filled, "csv")


def test_parquet_has_typed_columns(filled: Shop, tmp_path: Path) -> None:
    table = pyarrow.parquet.read_table(io.BytesIO(written(filled, "parquet")))
    text = pyarrow.string()
    wanted = {
        **{"id": pyarrow.int64(), "likes": pyarrow.int64(), "compound": pyarrow.float64(), "erased": pyarrow.bool_()},
        **{"text": text, "published_at": pyarrow.timestamp("us", tz="UTC"), "attributes": pyarrow.map_(text, text)},
    }
    assert {name: table.schema.field(name).type for name in wanted} == wanted
    bare, full = table.to_pylist()
    assert (full["published_at"], full["title"], full["likes"]) == (OLD, "=HYPERLINK()", 2**40)
    assert dict(full["attributes"]) == {"country": "DE", "quoted": 'a "b"'}
    assert bare["attributes"] is None


def test_duckdb_reads_the_parquet_file(filled: Shop, tmp_path: Path) -> None:
    file = tmp_path / "items.parquet"
    file.write_bytes(written(filled, "parquet"))
    query = (
        "SELECT brand, count(*), sum(likes), max(compound), max(published_at)::TIMESTAMP, max(attributes['country'])"
        " FROM read_parquet(?) GROUP BY brand"
    )
    assert duckdb.execute(query, [str(file)]).fetchall() == [
        ("Acme", 2, 2**40, 0.6, OLD.astimezone(UTC).replace(tzinfo=None), "DE")
    ]


@pytest.mark.parametrize("form", ["parquet", "csv", "jsonl"])
def test_an_export_of_nothing_is_a_valid_file(shop: Shop, form: Form) -> None:
    data = written(shop, form)
    if form == "parquet":
        assert pyarrow.parquet.read_table(io.BytesIO(data)).num_rows == 0
    else:
        assert len(data.splitlines()) == (1 if form == "csv" else 0)


def test_parquet_without_its_library_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None\n"
        "from monitor.exporting import ExportFailed, export\n"
        "try: export(None, None, 'parquet', None, None)\n"
        "except ExportFailed as error: print(error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert 'pip install "sentiment-monitor[parquet]"' in said


# ------------------------------------------------------------------------------------------------- files


def test_a_file_gets_its_name_when_it_is_complete_and_replaces_the_one_before(tmp_path: Path) -> None:
    target = tmp_path / "new" / "items.csv"
    for words in (b"first", b"second"):
        with whole_file(target) as file:
            file.write(words)
            assert not target.exists() or target.read_bytes() == b"first"
        assert target.read_bytes() == words
    assert [file.name for file in target.parent.iterdir()] == ["items.csv"]


def test_an_export_that_fails_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "items.csv"
    target.write_text("of yesterday")

    def fails() -> None:
        with whole_file(target) as file:
            file.write(b"half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("items.csv", "of yesterday")]


def test_a_killed_export_leaves_nothing_under_its_name(tmp_path: Path) -> None:
    code = (
        "import pathlib, sys, time; from monitor.exporting import whole_file\n"
        f"with whole_file(pathlib.Path({str(tmp_path / 'items.csv')!r})) as file:\n"
        "    file.write(b'half'); file.flush(); print('half', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "half\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert [file.suffix for file in tmp_path.iterdir()] == [".part"]


def test_a_place_that_cannot_be_written_is_named() -> None:
    with pytest.raises(ExportFailed, match=r"/proc/items\.csv: cannot be written"), whole_file(Path("/proc/items.csv")):
        pass
