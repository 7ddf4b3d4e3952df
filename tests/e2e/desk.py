"""A brand called Fresh at a terminal, and what it is asked there."""

from __future__ import annotations

import csv
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

from typer.testing import CliRunner

from monitor.cli import app
from tests.e2e.conftest import Home

NOW = datetime.now(UTC)
VEGETABLES = ("carrots", "spinach", "leeks")
CONFIG = """
[monitor]
database = "sqlite:///monitor.db"
[[brands]]
name = "Fresh"
keywords = ["fresh"]
exclude = {exclude}
[[sources]]
name = "forum"
type = "files"
brand = "Fresh"
match = "keywords"
options = {{ path = "forum.csv" }}
"""


def configured(home: Home, *exclude: str) -> None:
    home.write(CONFIG.format(exclude=list(exclude)))


def desk(home: Home) -> Desk:
    """A brand called Fresh with 100 items, 37 of which are about vegetables."""
    rows = [(n, f"Fresh {VEGETABLES[n % 3]} from the vegetable market", f"grocer{n % 5}") for n in range(37)]
    rows += [(n, f"I love the new phone of Fresh, says caller {n}", f"fan{n % 9}") for n in range(37, 100)]
    with (home.folder / "forum.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "date", "text", "author", "url"])
        for n, text, author in rows:
            at = (NOW - timedelta(hours=30, minutes=17 * n)).isoformat()
            site = "recipes.garden.example" if n < 37 else "talk.example"
            writer.writerow([f"item-{n}", at, text, author, f"https://{site}/{n}"])
    configured(home)
    home.run("pull")
    return Desk(home)


class Desk:
    """Commands one after the other in this process, as a subprocess each would take a second."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def run(self, *arguments: str) -> str:
        config = ("--config", str(self.home.folder / "config.toml"))
        done = CliRunner(env={"COLUMNS": "160", "NO_COLOR": "1"}).invoke(app, [*arguments, *config])
        assert done.exit_code == 0, f"{arguments}: {done.output}\n{done.exception!r}"
        return done.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.run(*arguments, "--json"))


def counted(home: Desk) -> int:
    """How many items count: the report and the list say the same."""
    report = home.json("scores", "--since", "30d")["brands"][0]
    listed = home.json("items", "--limit", "1")["total"]
    social = report["social"]
    assert listed == report["volume"]["mentions"] == social["total"] + social["unscored"]
    return int(listed)


def on_the_terminal(home: Desk) -> int:
    """The same as a person reads it, every sum proven."""
    home.run("db", "verify")
    (number,) = re.findall(r"neutral, .* of (\d+)", home.run("scores", "--since", "30d"))
    return int(number)


def ids(home: Desk, *chosen: str) -> list[str]:
    return [str(item["id"]) for item in home.json("items", "--limit", "1000", *chosen)["items"]]
