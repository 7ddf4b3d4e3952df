"""``import`` as a person uses it: files of the same name, another brand, another reading, and what was left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.conftest import Home

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
    assert (again["new"], again["changed"]) == (0, 0)


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
    assert "0 read, 0 new, 0 changed, 2 left out" in done.stderr
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
