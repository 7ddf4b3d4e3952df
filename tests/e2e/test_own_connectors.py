"""A connector of one's own: begun by a command, written as the tutorial says, installed as a package, and run."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor import scaffold
from tests.e2e.conftest import Home
from tests.fakes.packages import install_broken

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "connectors" / "writing.md"
LONGEST = "abcdefghij_klmnopqrst_uvwxyz12"
MYPY_CACHE = ROOT / ".mypy_cache" / "of_own_connectors"
"""Kept from run to run: most of the time goes into the libraries."""
CONFIG = """
[monitor]
timezone = "UTC"
database = "sqlite:///monitor.db"

[[brands]]
name = "Acme"
keywords = ["acme"]

[[sources]]
name = "burrow-acme"
type = "burrow"
brand = "Acme"
options = {{ base_url = "{url}", key = "env:BURROW_KEY" }}
"""


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package that the tutorial arrives at, in ``burrow``; what the command writes, in ``begun``."""
    folder = tmp_path_factory.mktemp("workshop")
    scaffold.write("burrow", folder / "burrow")
    scaffold.write(LONGEST, folder / "begun")
    for path, text in files_of(PAGE.read_text(encoding="utf-8")).items():
        (folder / "burrow" / path).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def installed(workshop: Path) -> Path:
    """Where the tutorial's wheel is installed, and nothing else."""
    ran(["-m", "build", "--wheel", "--no-isolation", "."], workshop / "burrow")
    (wheel,) = (workshop / "burrow" / "dist").glob("*.whl")
    ran(
        ["-m", "pip", "install", "--no-deps", "--no-index", "--no-compile", "--target", "../installed", str(wheel)],
        workshop / "burrow",
    )
    return workshop / "installed"


def files_of(page: str) -> dict[str, str]:
    """The files that a page's Python blocks are parts of, whole."""
    parts: defaultdict[str, str] = defaultdict(str)
    for block in blocks(page, "python"):
        head, _, body = block.partition("\n")
        named = re.fullmatch(r"# (\S+\.py)(?: \(goes on\))?", head)
        assert named is not None, f"a block of Python that belongs to no file: {head}"
        apart = "\n" if body.startswith(" ") else "\n\n"
        parts[named[1]] += f"{apart if parts[named[1]] else ''}{body}"
    return dict(parts)


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)


def world(*packages: Path, **more: str) -> dict[str, str]:
    """The environment of a Python of its own, which finds these folders' packages."""
    path = os.pathsep.join(str(folder) for folder in (*packages, ROOT))
    return {**os.environ, "COLUMNS": "160", "NO_COLOR": "1", "PYTHONPATH": path, **more}


def ran(arguments: list[str], folder: Path, environment: dict[str, str] | None = None) -> str:
    """What a Python of its own printed on standard output."""
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=folder, env=environment or world(), capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_what_the_command_writes_passes_its_tests_as_it_is(workshop: Path) -> None:
    told = ran(["-m", "pytest", "-q", "-p", "no:cacheprovider"], workshop / "begun")
    assert "passed" in told


def test_the_command_s_package_and_the_tutorial_s_are_clean(workshop: Path) -> None:
    ran(["-m", "ruff", "check", "--no-cache", "begun", "burrow"], workshop)
    ran(["-m", "ruff", "format", "--no-cache", "--check", "begun", "burrow"], workshop)
    parts = [f"{folder}/{part}" for folder in ("begun", "burrow") for part in ("src", "tests")]
    strict = ["--strict", "--explicit-package-bases", "--config-file", os.devnull, "--cache-dir", str(MYPY_CACHE)]
    ran(["-m", "mypy", *strict, *parts], workshop, world(MYPYPATH=os.pathsep.join(parts)))


def test_the_tutorial_s_wheel_keeps_the_contract(workshop: Path, installed: Path) -> None:
    only_tests = ["-o", "pythonpath=tests", "-p", "no:cacheprovider"]
    told = ran(["-m", "pytest", "-q", *only_tests], workshop / "burrow", world(installed))
    assert "passed" in told


@pytest.fixture
def served(workshop: Path) -> Iterator[str]:
    """The address of the tutorial's fake, served as the page says."""
    command = [sys.executable, "-m", "connectors.testing", "fake_burrow:FakeBurrow", "--count", "120"]
    folder = workshop / "burrow" / "tests"
    server = subprocess.Popen(command, cwd=folder, env=world(), stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    with server, server.stdout:
        yield server.stdout.readline().strip()
        server.kill()


def test_the_tutorial_s_connector_is_found_and_pulled_beside_broken_ones(
    installed: Path, served: str, home: Home, tmp_path_factory: pytest.TempPathFactory
) -> None:
    home.write(CONFIG.format(url=served))
    broken = install_broken(tmp_path_factory.mktemp("world") / "packages")
    here = world(installed, broken, BURROW_KEY="key-of-the-fake-burrow")
    listed, types, checked, pulled = typed(
        home.folder, here, "connectors list --json", "sources types --json", "check --offline", "pull --json"
    )
    assert {"name": "burrow", "title": "Burrow", "package": "sentiment-monitor-burrow 0.1.0"} in json.loads(listed)[
        "connectors"
    ]
    assert {one["name"] for one in json.loads(types)["types"]} >= {"burrow", "sound", "reddit"}
    for told in (json.loads(listed), json.loads(types)):
        assert {one["package"] for one in told["refused"]} >= {"raising 1.0", "clashing 1.0"}
    assert 'not used: connector "raising" of raising 1.0: cannot be loaded: ZeroDivisionError' in checked
    assert 'not used: connector "reddit" of clashing 1.0: has the name of a built-in connector' in checked
    (result,) = json.loads(pulled)["pulls"]
    assert (result["source"], result["new"]) == ("burrow-acme", 120)


TYPED = """
import sys
from monitor.cli import app

for line in sys.argv[1:]:
    app(line.split(), standalone_mode=False)
    print("\\x1e", flush=True)
"""


def typed(folder: Path, environment: dict[str, str], *commands: str) -> list[str]:
    """What each of these commands prints, typed into one Python."""
    return ran(["-c", TYPED, *commands], folder, environment).split("\x1e\n")[:-1]


def test_the_tutorial_s_toml_is_what_it_says(workshop: Path) -> None:
    entry, config = (tomllib.loads(block) for block in blocks(PAGE.read_text(encoding="utf-8"), "toml"))
    project = tomllib.loads((workshop / "burrow" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["entry-points"] == entry["project"]["entry-points"]
    assert config["sources"][0]["type"] == "burrow"
