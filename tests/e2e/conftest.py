"""The program as a person has it: a folder with a configuration, and the command."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.forking import Forker
from tests.fakes.mailserver import MailServer
from tests.fakes.newsroom import PASSWORD, Open, rooms
from tests.unit.http_world import World

ROOT = Path(__file__).parents[2]
NOWHERE = "http://127.0.0.1:9"
"""A port on which nothing listens: what the internet is like without internet."""


@cache
def forker() -> Forker:
    """What the commands of this test process are forked from; it ends with it."""
    made = Forker(ROOT)
    atexit.register(made.close)
    return made


class Home:
    """A working folder; ``run`` calls the command there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "monitor", *arguments]

    def run(self, *arguments: str, code: int = 0) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; its exit code must be ``code``."""
        done = forker().run(arguments, self.folder, self.environment, 100)
        assert done.returncode == code, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    def json(self, *arguments: str, code: int = 0) -> Any:
        """What a command prints with ``--json``: one document and nothing else."""
        return json.loads(self.run(*arguments, "--json", code=code).stdout)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=self.environment,
        )

    @property
    def environment(self) -> dict[str, str]:
        return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "160", "NO_COLOR": "1"}

    def write(self, config: str) -> None:
        (self.folder / "config.toml").write_text(config, encoding="utf-8")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path)


@pytest.fixture
def example(home: Home) -> Home:
    """The example configuration as shipped, its real sources without internet."""
    text = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    text = text.replace('first_fetch = "30d"\n', f'first_fetch = "30d"\noptions = {{ base_url = "{NOWHERE}" }}\n')
    text = text.replace(
        'options = { url = "https://www.home-assistant.io/atom.xml"', f'options = {{ url = "{NOWHERE}/atom.xml"'
    )
    text = text.replace(
        'options = { app_id = "1099568401"', f'options = {{ base_url = "{NOWHERE}", app_id = "1099568401"'
    )
    assert text.count(NOWHERE) == 3
    home.write(text)
    return home


@pytest.fixture
def write_config(home: Home) -> Callable[[str], Home]:
    def write(config: str) -> Home:
        home.write(config)
        return home

    return write


@pytest.fixture
def newsroom(tmp_path: Path, migrated_file: Path) -> Iterator[Open]:
    """Opens a newsroom."""
    file = shutil.copyfile(migrated_file, tmp_path / "store.db")
    with rooms(tmp_path, f"sqlite:///{file}") as open_:
        yield open_


@pytest.fixture
def newsroom_anywhere(tmp_path: Path, database_url: str) -> Iterator[Open]:
    """The same on every kind of store, for what only the store can promise."""
    with rooms(tmp_path, database_url) as open_:
        yield open_


@pytest.fixture
def queued(newsroom: Open) -> Open:
    """Opens a newsroom with its digest of yesterday built and queued."""
    return lambda *channels, **given: newsroom(*channels, **given).queued()


@pytest.fixture
def queued_anywhere(newsroom_anywhere: Open) -> Open:
    """The same on every kind of store."""
    return lambda *channels, **given: newsroom_anywhere(*channels, **given).queued()


@pytest.fixture
def mail() -> Iterator[MailServer]:
    """A mail server that encrypts and wants a log-in."""
    server = MailServer(accounts={"monitor": PASSWORD})
    yield server
    server.close()


@pytest.fixture
def web() -> Iterator[World]:
    """A web server that takes everything, unless told otherwise."""
    world = World()
    yield world
    world.close()
