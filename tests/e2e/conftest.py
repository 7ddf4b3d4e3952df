"""The program as a person has it: a folder with a configuration, and the command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.forking import COMMAND, ROOT, Forked, forker
from tests.e2e.terminal import Terminal
from tests.fakes.mailserver import MailServer
from tests.fakes.newsroom import PASSWORD, Open, rooms
from tests.unit.http_world import World

NOWHERE = "http://127.0.0.1:9"
"""A port on which nothing listens: what the internet is like without internet."""


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

    def start(self, *arguments: str, given: str = "") -> Forked:
        """Start a command and do not wait for its end; ``given`` is what it has to read."""
        return forker().start(COMMAND, arguments, self.folder, self.environment, given=given)

    def at_terminal(self, *arguments: str) -> Terminal:
        """Start a command on a terminal of its own."""
        return Terminal(lambda name: forker().start(COMMAND, arguments, self.folder, self.environment, terminal=name))

    def launch(self, *arguments: str) -> subprocess.Popen[str]:
        """The same as a person does it, who pays for every import."""
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
    home.write(example_config())
    return home


@dataclass(frozen=True, slots=True)
class Round:
    """A home after one ``run --once``, and what that printed."""

    home: Home
    done: Any


@pytest.fixture(scope="session")
def round_of_the_example(tmp_path_factory: pytest.TempPathFactory) -> Round:
    """The example after its first round, had once for all workers; to be copied, never changed."""
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    home, said = Home(shared / "round"), shared / "round.json"
    with (shared / "round.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not said.exists():
            home.folder.mkdir(exist_ok=True)
            home.write(example_config())
            said.write_text(json.dumps(home.json("run", "--once")), encoding="utf-8")
    return Round(home, json.loads(said.read_text(encoding="utf-8")))


@pytest.fixture
def first_round(home: Home, round_of_the_example: Round) -> Round:
    """A copy of the example after its first round."""
    shutil.copytree(round_of_the_example.home.folder, home.folder, dirs_exist_ok=True)
    return Round(home, round_of_the_example.done)


def example_config() -> str:
    text = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    text = text.replace('first_fetch = "30d"\n', f'first_fetch = "30d"\noptions = {{ base_url = "{NOWHERE}" }}\n')
    text = text.replace(
        'options = { url = "https://www.home-assistant.io/atom.xml"', f'options = {{ url = "{NOWHERE}/atom.xml"'
    )
    text = text.replace(
        'options = { app_id = "1099568401"', f'options = {{ base_url = "{NOWHERE}", app_id = "1099568401"'
    )
    assert text.count(NOWHERE) == 3
    free = text.replace("port = 8350", "port = 0")  # others may be at work on this machine
    assert free != text
    return free


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
