"""What ``items``, ``sources``, ``explain`` and ``pull`` say where something is not as one thinks."""

from __future__ import annotations

import contextlib
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.app import build, utc_now
from monitor.config import load
from storage import sources
from tests.e2e.conftest import NOWHERE, Home

CONFIG = f"""
[[brands]]
name = "Acme"
keywords = ["acme"]
exclude = ["garden"]
[[sources]]
name = "a-rather-long-name-of-a-feed-number-one"
type = "feeds"
brand = "Acme"
options = {{ url = "{NOWHERE}/one.xml" }}
[[sources]]
name = "a-rather-long-name-of-a-feed-number-two"
type = "feeds"
brand = "Acme"
options = {{ url = "{NOWHERE}/two.xml" }}
[[sources]]
name = "drawer"
type = "files"
brand = "Acme"
match = "keywords"
options = {{ path = "posts.csv", kind = "mention" }}
"""
NAMES = ("a-rather-long-name-of-a-feed-number-one", "a-rather-long-name-of-a-feed-number-two")


@pytest.fixture
def narrow(tmp_path: Path) -> Home:
    """At a terminal of 80 columns."""
    (tmp_path / "posts.csv").write_text("id,date,text\n1,2026-01-01,The acme garden is lovely\n", encoding="utf-8")
    home = _Narrow(tmp_path)
    home.write(CONFIG)
    return home


class _Narrow(Home):
    @property
    def environment(self) -> dict[str, str]:
        return {**super().environment, "COLUMNS": "80"}


def test_names_that_begin_alike_are_told_apart_on_a_narrow_terminal(narrow: Home) -> None:
    narrow.run("db", "upgrade")
    for shown in (narrow.run("sources"), narrow.run("check", code=1)):
        assert all(name in shown.stdout for name in NAMES)


def test_items_of_an_unknown_source_are_not_none_but_a_mistake(narrow: Home) -> None:
    narrow.run("db", "upgrade")
    assert '--source: no source "nope"; there are: a-rather' in narrow.run("items", "--source", "nope", code=2).stderr
    assert narrow.json("items", "--source", "drawer") == {"items": [], "total": 0, "next": None}


def test_items_are_printed_in_one_form(narrow: Home) -> None:
    assert "give one of them" in narrow.run("items", "--json", "--csv", code=2).stderr


def test_an_item_that_does_not_count_is_explained_as_such(narrow: Home) -> None:
    narrow.run("pull", "drawer")
    item = narrow.json("items", "--uncounted", "excluded")["items"][0]
    assert "not counted: excluded by keywords" in narrow.run("explain", str(item["id"])).stdout


def test_a_source_that_another_process_reads_is_named(narrow: Home) -> None:
    with contextlib.chdir(narrow.folder):
        app = build(load(Path("config.toml")))
    try:
        horizon = {"drawer": utc_now() - timedelta(days=1)}
        assert sources.claim_source(app.database, "another", horizon, utc_now(), timedelta(minutes=5)) is not None
        done = narrow.run("pull", "drawer")
    finally:
        app.close()
    assert done.stderr.strip() == "drawer: left to another process that is reading it right now"


def test_a_source_that_rests_is_not_called_gone_from_the_configuration(narrow: Home) -> None:
    narrow.run("db", "upgrade")
    narrow.run("sources")
    narrow.write(CONFIG + "enabled = false\n")
    states = {state["name"]: state["words"] for state in narrow.json("sources")["sources"]}
    assert states["drawer"] == "rests (enabled = false); nothing of it was deleted"


def test_a_failing_source_says_once_that_it_is_tried_again(narrow: Home) -> None:
    done = narrow.run("pull", NAMES[0], code=1)
    assert "127.0.0.1: cannot be reached; try again later" in done.stderr
    words = {state["name"]: state["words"] for state in narrow.json("sources")["sources"]}[NAMES[0]]
    assert words.count("trying again") == 1
