"""``import`` as a person uses it: files of the same name, another brand, another reading, and what was left out."""

from __future__ import annotations

import os
import signal
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import func, select

from storage import sources
from storage.engine import StorageError, open_database
from storage.tables import ITEM
from tests.e2e.conftest import Home
from tests.e2e.forking import Forked

BRANDS = '[monitor]\ntimezone = "Europe/Berlin"\n[[brands]]\nname = "Acme"\n[[brands]]\nname = "Rival"\n'
ROWS = "id,date,rating,text,author\n1,2026-01-01,5,Schöne App 😀,Jürgen\n2,02.01.2026,1,Crashes,=HYPERLINK(1)\n"
MIXED = "id,date,rating,text\n1,03/04/2026,5,Fine\n2,05/06/2026,2,Bad\n"


@pytest.fixture
def brands(home: Home) -> Home:
    home.write(BRANDS)
    return home


def file_of(home: Home, name: str, text: str) -> str:
    path = home.folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return name


def texts_of(home: Home, brand: str) -> set[str]:
    return {item["text"] for item in home.json("items", "--brand", brand)["items"]}


def test_the_same_file_again_adds_nothing(brands: Home) -> None:
    file = file_of(brands, "reviews.csv", ROWS)
    assert brands.json("import", file, "--brand", "Acme")["new"] == 2
    again = brands.json("import", file, "--brand", "Acme")
    assert (again["rows"], again["new"], again["changed"], again["resumed_after"]) == (2, 0, 0, 0)


def test_a_file_is_imported_for_each_brand_it_is_given_for(brands: Home) -> None:
    file = file_of(brands, "reviews.csv", ROWS)
    assert brands.json("import", file, "--brand", "Acme")["new"] == 2
    assert brands.json("import", file, "--brand", "Rival")["new"] == 2
    assert texts_of(brands, "Rival") == texts_of(brands, "Acme") == {"Schöne App 😀", "Crashes"}


def test_files_of_one_name_in_two_folders_are_two_files(brands: Home) -> None:
    for folder, text in (("one", ROWS), ("two", ROWS.replace("Crashes", "Slow"))):
        brands.json("import", file_of(brands, f"{folder}/reviews.csv", text), "--brand", "Acme")
    assert texts_of(brands, "Acme") == {"Schöne App 😀", "Crashes", "Slow"}


def test_what_is_left_out_is_said_and_an_option_mends_it(brands: Home) -> None:
    file = file_of(brands, "mixed.csv", MIXED)
    done = brands.run("import", file, "--brand", "Acme")
    assert "2 rows read, 0 new, 0 changed, 2 left out, 0 unscored" in done.stderr
    assert "left out: row 2: published_at: day and month cannot be told apart; see time_format" in done.stderr
    assert brands.json("import", file, "--brand", "Acme", "-o", "time_format=%d/%m/%Y")["new"] == 2
    first = brands.json("items", "--brand", "Acme", "--max-stars", "2")["items"][0]
    assert first["published_at"].startswith("2026-06-05")


def test_a_row_from_the_future_is_counted_among_what_is_left_out(brands: Home) -> None:
    file = file_of(brands, "reviews.csv", ROWS + "3,2099-01-01,4,Not yet,Ann\n")
    told = brands.json("import", file, "--brand", "Acme")
    assert (told["new"], told["skipped"]) == (2, 1)
    assert "has not come yet" in told["skips"][0][1]


def test_the_last_row_of_a_file_just_written_needs_no_line_break(brands: Home) -> None:
    file = file_of(brands, "reviews.csv", ROWS.rstrip("\n"))
    assert brands.json("import", file, "--brand", "Acme")["new"] == 2


@pytest.mark.parametrize("content", [b"PK\x03\x04" + bytes(500), b"no list of anything"])
def test_a_file_that_is_no_table_is_refused_aloud(brands: Home, content: bytes) -> None:
    for name in ("book.xlsx", "list.json"):
        (brands.folder / name).write_bytes(content)
        assert name in brands.run("import", name, "--brand", "Acme", code=1).stderr


def test_a_link_to_itself_is_said_not_to_be_there(brands: Home) -> None:
    (brands.folder / "loop.csv").symlink_to("loop.csv")
    assert "there is no such file" in brands.run("import", "loop.csv", "--brand", "Acme", code=1).stderr


def test_a_file_that_is_not_there_leaves_no_trace(brands: Home) -> None:
    done = brands.run("import", "nowhere.csv", "--brand", "Acme", code=1)
    assert "nowhere.csv: there is no such file; look at its name and folder" in done.stderr
    assert brands.json("sources")["sources"] == []


@pytest.mark.parametrize(
    ("option", "said"),
    [("colour=red", "colour: not a known key"), ("columns.txt=Review", "columns"), ("nonsense", "write key=value")],
)
def test_an_option_that_cannot_be_is_wrong_usage(brands: Home, option: str, said: str) -> None:
    file = file_of(brands, "reviews.csv", ROWS)
    assert said in brands.run("import", file, "--brand", "Acme", "-o", option, code=2).stderr


def test_a_binary_file_is_refused(brands: Home, tmp_path: Path) -> None:
    (tmp_path / "picture.csv").write_bytes(bytes(range(256)) * 40)
    done = brands.run("import", "picture.csv", "--brand", "Acme", code=1)
    assert "picture.csv" in done.stderr
    assert texts_of(brands, "Acme") == set()


def test_what_has_no_label_is_counted_by_reason(brands: Home) -> None:
    rows = "id,date,rating,text\n1,2026-01-01,,Die Lieferung kam leider viel zu spät\n2,2026-01-02,3,\n"
    told = brands.json("import", file_of(brands, "few.csv", rows), "--brand", "Acme")
    assert (told["rows"], told["unscored"]) == (2, {"language": 1})


def test_a_moved_copy_is_taken_for_the_file_it_was(brands: Home) -> None:
    first = file_of(brands, "reviews.csv", ROWS)
    brands.json("import", first, "--brand", "Acme")
    copy = file_of(brands, "archive/old-reviews.csv", ROWS)
    done = brands.run("import", copy, "--brand", "Acme")
    assert f"it begins as {brands.folder / first} did, so it is taken for that file" in done.stderr
    assert "import reviews.csv: 2 rows read, 0 new" in done.stderr
    assert len(brands.json("items", "--brand", "Acme")["items"]) == 2


def test_a_copy_that_is_another_file_says_so_by_an_address(brands: Home) -> None:
    brands.json("import", file_of(brands, "reviews.csv", ROWS), "--brand", "Acme")
    copy = file_of(brands, "other.csv", ROWS)
    assert brands.json("import", copy, "--brand", "Acme", "-o", "address=other")["new"] == 2


def week_of_reviews(start: str, good: int, bad: int) -> str:
    first = datetime.fromisoformat(start).replace(tzinfo=UTC)
    stars = [5] * good + [1] * bad
    step = timedelta(days=7) / len(stars)
    return "".join(
        f"{start}/{n},{(first + step * n).isoformat()},{rating},The kettle and its lid number {n} of {start},u{n}\n"
        for n, rating in enumerate(stars)
    )


def test_two_windows_inside_an_import_are_compared(brands: Home) -> None:
    """From the Monday before to the Sunday after, so that both weeks lie inside."""
    weeks = (("2026-03-02", 2, 2), ("2026-03-09", 80, 20), ("2026-03-16", 30, 70), ("2026-03-23", 2, 2))
    rows = "id,date,rating,text,author\n" + "".join(week_of_reviews(*week) for week in weeks)
    brands.json("import", file_of(brands, "reviews.csv", rows), "--brand", "Acme")
    window = ("--brand", "Acme", "--since", "2026-03-16", "--until", "2026-03-23")
    acme = brands.json("scores", *window)["brands"][0]
    assert acme["reviews"]["change"]["verdict"] == "down"
    assert acme["reviews"]["change"]["compared"] == ["import reviews.csv"]
    assert acme["coverage"]["complete"] is True
    outside = brands.json("scores", "--brand", "Acme", "--since", "2026-03-23", "--until", "2026-03-30")["brands"][0]
    assert outside["reviews"]["change"]["verdict"] == "sources changed"


def test_a_source_of_files_has_no_gap_before_it_was_first_read(brands: Home) -> None:
    rows = "id,date,rating,text,author\n" + week_of_reviews("2026-03-02", 20, 5)
    file = file_of(brands, "reviews.csv", rows)
    source = f'[[sources]]\nname = "table"\ntype = "files"\nbrand = "Acme"\noptions = {{ path = "{file}" }}\n'
    brands.write(BRANDS + source)
    brands.json("pull")
    found = brands.json("scores", "--brand", "Acme", "--since", "2026-03-02", "--until", "2026-03-09")["brands"][0]
    assert found["coverage"]["gaps"] == []


# --- Cut off

MANY = 16_000


def many_rows() -> str:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    rows = (
        f"{n},{(first + timedelta(minutes=n)).isoformat()},The kettle boils water well - case {n}.\n"
        for n in range(MANY)
    )
    return "id,date,text\n" + "".join(rows)


def stored_items(home: Home) -> int:
    database = open_database(f"sqlite:///{home.folder / 'var/monitor.db'}")
    try:
        return database.read(lambda connection: connection.execute(select(func.count()).select_from(ITEM)).scalar_one())
    except StorageError:
        return 0
    finally:
        database.close()


def cut_off(home: Home, file: str, number: signal.Signals) -> Forked:
    """An import that gets a signal once a few thousand rows are stored."""
    importing = home.start("import", file, "--brand", "Acme", "--workers", "2")
    while stored_items(home) < 2_000:
        assert importing.poll() is None, "it was over too soon to disturb it"
        Event().wait(0.02)
    importing.send_signal(number)
    return importing


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_the_same_command_goes_on_where_an_import_was_cut_off(brands: Home, number: signal.Signals) -> None:
    file = file_of(brands, "many.csv", many_rows())
    stopped = cut_off(brands, file, number)
    _, said = stopped.communicate(timeout=60)
    before = stored_items(brands)
    assert 2_000 <= before < MANY
    gaps = brands.json("scores", "--brand", "Acme", "--since", "2026-01-01", "--until", "2026-01-02")
    assert [gap["reason"] for gap in gaps["brands"][0]["coverage"]["gaps"]] == [
        "not imported to its end; import it again"
    ]
    told = brands.json("import", file, "--brand", "Acme")
    assert (told["resumed_after"], told["rows"], told["new"]) == (before, MANY - before, MANY - before)
    assert stored_items(brands) == MANY
    brands.run("db", "verify")
    if number is signal.SIGINT:
        assert stopped.returncode == 130
        assert (
            said.splitlines()[-1] == "cut off; what was read until now is stored. Run the same command again to go on"
        )
    assert "Traceback" not in said


def test_a_file_that_changed_since_it_was_cut_off_is_read_anew(brands: Home) -> None:
    file = file_of(brands, "many.csv", many_rows())
    cut_off(brands, file, signal.SIGTERM).communicate(timeout=60)
    file_of(brands, "many.csv", many_rows().replace("case 7.", "case 7 is broken."))
    told = brands.json("import", file, "--brand", "Acme")
    assert (told["rows"], told["changed"]) == (MANY, 1)
    assert stored_items(brands) == MANY


def test_no_two_processes_import_one_file(brands: Home) -> None:
    file = file_of(brands, "reviews.csv", ROWS)
    brands.json("import", file, "--brand", "Acme")
    database = open_database(f"sqlite:///{brands.folder / 'var/monitor.db'}")
    now, alive = datetime.now(UTC), f"{socket.gethostname()[:40]}:{os.getpid()}:other"
    name = "import reviews.csv"
    assert sources.claim_source(database, alive, {name: now}, now, timedelta(minutes=2), only_due=False)
    database.close()
    said = brands.run("import", file, "--brand", "Acme", code=1).stderr
    assert "import reviews.csv: another process is importing it; wait for its end" in said
