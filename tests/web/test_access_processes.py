"""The dashboard as a process: its password, its tokens, its beginning and its end."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from threading import Thread

import httpx
import pytest
from typer.testing import CliRunner, Result

from monitor.app import build
from monitor.cli import app as command
from monitor.cli.common import Failure
from monitor.config import load
from monitor.web import access, serving
from monitor.web.guards import SESSION
from storage import tokens
from tests.web.doors import PASSWORD, door, home, sign_in

ROOT = Path(__file__).parents[2]
PATIENCE = 40.0


def typed(*words: str, given: str | None = None) -> Result:
    """A command in this process."""
    return CliRunner(env={"COLUMNS": "160", "NO_COLOR": "1"}).invoke(command, list(words), input=given)


def refused(*words: str, given: str | None = None) -> tuple[int, str]:
    """A command that says why it does nothing: its exit code and its words."""
    said = typed(*words, given=given)
    assert isinstance(said.exception, Failure), said.output
    return said.exception.code, str(said.exception)


@pytest.fixture
def config(tmp_path: Path, migrated_file: Path) -> Path:
    return home(tmp_path, migrated_file)


# ------------------------------------------------------------------------------------------------- the password


def test_a_password_is_read_from_a_pipe_and_ends_every_session(tmp_path: Path, migrated_file: Path) -> None:
    with door(tmp_path, migrated_file) as dashboard:
        sign_in(dashboard)
        dashboard.get("/welcome")
        said = typed("web", "password", "--config", str(tmp_path / "config.toml"), given="another good one\n")
        assert (said.exit_code, said.stdout) == (0, "")
        assert "another good one" not in said.stderr
        wait_for(lambda: dashboard.client.get("/welcome").status_code == 303)
        assert dashboard.client.post("/login", data={"password": PASSWORD}).status_code == 401
        assert dashboard.client.post("/login", data={"password": "another good one"}).status_code == 303
        kept = tokens.password_hash(dashboard.app.database)
        assert kept is not None
        assert kept.startswith("$argon2id$")


def test_a_forgotten_password_is_asked_for_no_more_on_this_machine(tmp_path: Path, migrated_file: Path) -> None:
    with door(tmp_path, migrated_file) as dashboard:
        sign_in(dashboard)
        session = dashboard.client.cookies[SESSION]
        typed("web", "password", "--forget", "--config", str(tmp_path / "config.toml"))
        dashboard.client.cookies.clear()
        wait_for(lambda: dashboard.client.get("/welcome").status_code == 200)
        far = httpx.get(f"{dashboard.url}/welcome", headers={"Via": "1.1 x", "Cookie": f"{SESSION}={session}"})
        assert far.status_code == 303


@pytest.mark.parametrize("given", ["short\n", "\n", "", "x" * 1_001 + "\n"])
def test_a_password_of_no_sensible_length_is_refused(config: Path, given: str) -> None:
    code, said = refused("web", "password", "--config", str(config), given=given)
    assert (code, said[:13]) == (2, "password: has")
    assert "xxx" not in said


def test_where_the_configuration_names_a_password_no_other_is_set(tmp_path: Path, migrated_file: Path) -> None:
    (tmp_path / "secrets.env").write_text("WEB_PASSWORD=from the file\n", encoding="utf-8")
    file = home(tmp_path, migrated_file, '[web]\npassword = "env:WEB_PASSWORD"')
    code, said = refused("web", "password", "--config", str(file), given="another good one\n")
    assert (code, said) == (2, "[web] password: the configuration names one; change it there")


def test_of_two_first_starts_one_makes_the_password(config: Path) -> None:
    made: list[str | None] = []

    def start() -> None:
        app = serving.with_web(build(load(config)), host="0.0.0.0")
        made.append(serving.first_password(app))
        app.close()

    starting = [Thread(target=start) for _ in range(4)]
    for one in starting:
        one.start()
    for one in starting:
        one.join()
    (password,) = [one for one in made if one is not None]
    app = build(load(config))
    with closing(app):
        kept = tokens.password_hash(app.database)
    assert kept is not None
    assert access.is_password(kept, password)
    assert re.fullmatch(r"([0-9a-f]{6}-){3}[0-9a-f]{6}", password)


# ------------------------------------------------------------------------------------------------------- tokens


def test_a_token_is_shown_once_and_listed_without_itself(config: Path) -> None:
    told = typed("web", "token", "robot", "--write", "--brand", "Acme", "--config", str(config))
    (made,) = told.stdout.split()
    assert made.startswith("smt_")
    assert made not in told.stderr
    listed = typed("web", "tokens", "--config", str(config))
    assert made not in listed.output
    assert all(word in listed.output for word in ("robot", "read and write", "Acme", "never"))
    for wrong in (("robot",), ("other", "--brand", "Nobody"), ("line\nbreak",), (" ",)):
        assert refused("web", "token", *wrong, "--config", str(config))[0] == 2
    assert typed("web", "tokens", "--remove", "robot", "--config", str(config)).exit_code == 0
    assert refused("web", "tokens", "--remove", "robot", "--config", str(config))[0] == 2


# ---------------------------------------------------------------------------------------------------- processes


def wait_for(is_so: object, seconds: float = PATIENCE) -> None:
    """Ask again until it is so."""
    assert callable(is_so)
    until = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < until, "it never came to be so"
        time.sleep(0.05)


class Running:
    """A command as a process of its own, what it says gathered as it says it."""

    def __init__(self, *words: str, program: str | None = None, environment: Mapping[str, str] | None = None) -> None:
        line = [sys.executable, "-c", program] if program else [sys.executable, "-m", "monitor", *words]
        self.process = subprocess.Popen(
            line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "200", **(environment or {})},
        )  # fmt: skip
        self.said = ""
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said += line

    def says(self, pattern: str) -> str:
        """Wait until it has said so; the first group."""
        wait_for(lambda: re.search(pattern, self.said) or self.process.poll() is not None)
        found = re.search(pattern, self.said)
        assert found is not None, self.said
        return found[1]

    def end(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def started() -> Iterator[list[Running]]:
    """What a test started, ended with it."""
    found: list[Running] = []
    yield found
    for one in found:
        one.end()


ADDRESS = r"dashboard: (http://\S+)"


def is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/static/mark.svg", timeout=2).status_code == 200
    except httpx.TransportError:
        return False


def test_it_takes_any_port_and_ends_at_once_however_many_are_connected(config: Path, started: list[Running]) -> None:
    running = Running("web", "--host", "0.0.0.0", "--port", "0", "--config", str(config))
    started.append(running)
    url = running.says(ADDRESS)
    password = running.says(r"shown this once: (\S+)")
    client = httpx.Client(base_url=url, timeout=20)
    assert client.post("/login", data={"password": password}).status_code == 303
    assert client.get("/welcome").status_code == 200  # the connection stays open
    parts = httpx.URL(url)
    silent = [socket.create_connection((parts.host, parts.port or 80), 5) for _ in range(3)]
    assert argv_of(running.process.pid).count(password) == 0
    begun = time.monotonic()
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(10) == 0
    assert time.monotonic() - begun < 3
    for one in silent:
        one.close()
    client.close()


def argv_of(process: int) -> str:
    shown = subprocess.run(["ps", "-o", "args=", "-p", str(process)], capture_output=True, text=True, check=True)
    return shown.stdout


def test_a_port_in_use_is_said_with_what_helps(config: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = refused("web", "--port", str(port), "--config", str(config))
    assert code == 1
    assert f"127.0.0.1 port {port} cannot be used" in said
    assert f"[web] port = {port + 1}" in said


def test_an_address_that_is_not_this_machines_is_said(config: Path) -> None:
    code, said = refused("web", "--host", "192.0.2.1", "--port", "0", "--config", str(config))
    assert code == 1
    assert said.startswith("web: 192.0.2.1 port 0 cannot be used")


BESIDE = """
import sys, threading
from pathlib import Path
from monitor.web.beside import dashboard
with dashboard(Path(sys.argv[1] if len(sys.argv) > 1 else {config!r}), "--port", "0"):
    threading.Event().wait()
"""


def children_of(process: int) -> list[int]:
    shown = subprocess.run(["ps", "-o", "pid=", "--ppid", str(process)], capture_output=True, text=True)
    return [int(one) for one in shown.stdout.split()]


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"


def test_beside_the_daemon_it_comes_again_when_killed_and_ends_with_it(config: Path, started: list[Running]) -> None:
    daemon = Running(program=BESIDE.format(config=str(config)))
    started.append(daemon)
    first_url = daemon.says(ADDRESS)
    (first,) = children_of(daemon.process.pid)
    assert is_up(first_url)
    os.kill(first, signal.SIGKILL)
    second_url = daemon.says(rf"(?s){re.escape(first_url)}.*{ADDRESS}")
    (second,) = children_of(daemon.process.pid)
    assert is_up(second_url)
    daemon.process.kill()
    daemon.process.wait()
    wait_for(lambda: not is_alive(second), 10)
    assert not is_up(second_url)


def test_a_daemon_goes_on_without_its_dashboard(tmp_path: Path, migrated_file: Path, started: list[Running]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        file = home(tmp_path, migrated_file, f"[web]\nenabled = true\nport = {port}")
        daemon = Running("run", "--config", str(file))
        started.append(daemon)
        daemon.says(rf"(127\.0\.0\.1 port {port} cannot be used)")
        daemon.says(r"(dashboard ended code=1)")
        assert daemon.process.poll() is None
        daemon.process.send_signal(signal.SIGTERM)
        assert daemon.process.wait(20) == 0
