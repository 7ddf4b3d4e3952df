"""What a configuration names on this machine lies beside it, wherever a command is typed; and nobody makes an empty store by reading."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.e2e.conftest import Home

CONFIG = """
[[brands]]
name = "Acme"

[[sources]]
name = "reviews"
type = "files"
brand = "Acme"
options = { path = "inbox/reviews.csv" }

[[digests]]
name = "daily"
schedule = "daily at 08:00"
channels = ["files"]

[[channels]]
name = "files"
type = "file"
"""
ROWS = "text,date,stars\nGood acme,2026-11-02,5\nBad acme,2026-11-03,1\n"


@pytest.fixture
def beside(tmp_path: Path) -> tuple[Home, Home]:
    """A folder with a configuration and a file to read; and a folder beside it, where commands are typed."""
    there, here = tmp_path / "there", tmp_path / "here"
    (there / "inbox").mkdir(parents=True)
    here.mkdir()
    (there / "inbox" / "reviews.csv").write_text(ROWS, encoding="utf-8")
    home = Home(there)
    home.write(CONFIG)
    return home, Home(here)


def test_all_that_is_named_lies_beside_the_configuration(beside: tuple[Home, Home]) -> None:
    there, here = beside
    done = here.json("run", "--once", "--config", "../there/config.toml")
    assert [(pull["new"], pull["error"]) for pull in done["pulls"]] == [(2, None)]
    assert (there.folder / "var" / "monitor.db").is_file()
    assert list((there.folder / "var" / "digests").glob("daily-*.html"))
    assert list(here.folder.iterdir()) == []
    assert here.json("items", "--since", "2026-11-01", "--config", "../there/config.toml")["items"]
    assert [pull["new"] for pull in there.json("pull")["pulls"]] == [0]  # the same source, as seen from there


def test_a_store_of_before_is_neither_read_again_nor_doubled(beside: tuple[Home, Home]) -> None:
    there, here = beside
    there.json("pull")
    before = there.json("items", "--since", "2026-11-01")["items"]
    with (there.folder / "inbox" / "reviews.csv").open("a", encoding="utf-8") as file:
        file.write("Fine acme,2026-11-04,4\n")
    assert [pull["seen"] for pull in here.json("pull", "--config", "../there/config.toml")["pulls"]] == [1]
    after = there.json("items", "--since", "2026-11-01")["items"]
    known = {one["external_id"] for one in before}
    assert len(after) == 3
    assert known < {one["external_id"] for one in after}
    assert all(one.startswith("reviews.csv#102acdc4:") for one in known)  # of the path as it is written


@pytest.mark.parametrize("command", [("scores",), ("items",), ("sources",), ("db", "stats"), ("db", "verify")])
def test_who_only_reads_says_that_there_is_no_store(beside: tuple[Home, Home], command: tuple[str, ...]) -> None:
    there, here = beside
    said = here.run(*command, "--config", "../there/config.toml", code=1).stderr
    assert (
        f"there is no store at {there.folder}/var/monitor.db yet; make and fill it with: sentiment-monitor run" in said
    )
    assert not (there.folder / "var").exists()


def test_a_store_in_the_working_folder_is_not_hidden_by_a_new_one(beside: tuple[Home, Home]) -> None:
    there, here = beside
    there.json("pull")
    shutil.move(there.folder / "var", here.folder / "var")  # where relative paths once led
    for command in ("run", "--once"), ("pull",), ("scores",):
        said = here.run(*command, "--config", "../there/config.toml", code=1).stderr
        assert f"no store at {there.folder}/var/monitor.db, but one at {here.folder}/var/monitor.db" in said
        assert f'write database = "sqlite:///{here.folder}/var/monitor.db"' in said
    assert not (there.folder / "var").exists()
    here.run("db", "upgrade", "--config", "../there/config.toml")
    assert [pull["new"] for pull in here.json("pull", "--config", "../there/config.toml")["pulls"]] == [2]


def test_a_file_is_added_as_it_was_named_here_and_shown_as_it_is_written(beside: tuple[Home, Home]) -> None:
    there, here = beside
    (here.folder / "more.csv").write_text(ROWS, encoding="utf-8")
    (there.folder / "inside.csv").write_text(ROWS, encoding="utf-8")
    for path, name in (("more.csv", "more"), ("../there/inside.csv", "inside")):
        here.run("add", path, "--name", name, "--yes", "--config", "../there/config.toml")
    shown = json.loads(here.run("config", "show", "--config", "../there/config.toml", "--json").stdout)
    paths = {one["name"]: one["options"]["path"] for one in shown["sources"]}
    assert paths == {"reviews": "inbox/reviews.csv", "more": str(here.folder / "more.csv"), "inside": "inside.csv"}
    assert shown["monitor"]["database"] == "sqlite:///var/monitor.db"
    assert shown["channels"][0]["folder"] == "var/digests"
    done = here.json("pull", "inside", "more", "--config", "../there/config.toml")["pulls"]
    assert [(pull["seen"], pull["error"]) for pull in done] == [(2, None), (2, None)]
