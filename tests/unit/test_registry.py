"""What other packages bring: it is found; what is broken of it is named and hurts nobody."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.packages import install_broken

ROOT = Path(__file__).parents[2]
LOOK = """
import json
from connectors import registry

print(json.dumps({
    "names": registry.names(),
    "usable": [plugin.name for plugin in registry.plugins()],
    "refused": {one.package: [one.name, one.fault, str(one)] for one in registry.refused()},
    "reddit": registry.plugin("reddit").title,
    "whose": [registry.package("reddit"), registry.package("sound"), registry.package("twin")],
    "recognised": [plugin.name for plugin, _ in registry.recognised("https://hn.algolia.com/?q=acme")],
}))
"""


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a program finds that has these packages beside its own."""
    packages = install_broken(tmp_path_factory.mktemp("world") / "packages")
    environment = {**os.environ, "PYTHONPATH": f"{packages}{os.pathsep}{ROOT}"}
    done = subprocess.run([sys.executable, "-c", LOOK], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_sound_connector_of_another_package_is_used(seen: dict[str, Any]) -> None:
    assert "sound" in seen["usable"]
    assert seen["whose"][1] == "sound 1.0"


@pytest.mark.parametrize(
    ("package", "name", "fault"),
    [
        ("raising 1.0", "raising", "cannot be loaded: ZeroDivisionError: division by zero"),
        ("leaving 1.0", "leaving", "cannot be loaded: SystemExit: 3"),
        ("textual 1.0", "textual", "its entry point names no connectors.contract.Plugin"),
        ("misnamed 1.0", "misnamed", 'calls itself "other"; entry point and Plugin.name must be the same'),
        ("untyped 1.0", "untyped", "its options are no pydantic model; derive them from connectors.contract.Options"),
        ("clashing 1.0", "reddit", "has the name of a built-in connector, which is used instead"),
    ],
)
def test_a_broken_connector_is_refused_with_its_package_and_its_fault(
    seen: dict[str, Any], package: str, name: str, fault: str
) -> None:
    known, why, words = seen["refused"][package]
    assert (known, why) == (name, fault)
    assert words.startswith(f'connector "{name}" of {package}: {fault}; ')


def test_two_packages_with_one_name_are_both_refused(seen: dict[str, Any]) -> None:
    (both,) = [package for package, (name, *_) in seen["refused"].items() if name == "twin"]
    assert sorted(both.split(" and ")) == ["twin_a 1.0", "twin_b 1.0"]
    assert "twin" not in seen["usable"]


def test_a_built_in_connector_cannot_be_replaced(seen: dict[str, Any]) -> None:
    assert seen["reddit"] == "Reddit"
    assert seen["whose"][0] is None


def test_a_link_is_understood_although_another_package_s_connector_fails_at_it(seen: dict[str, Any]) -> None:
    assert seen["recognised"] == ["hackernews"]


WITHOUT_PYTEST = """
import sys

sys.modules["pytest"] = None
import monitor.daemon
from connectors import registry

assert list(registry.plugins())
import connectors.testing
"""


def test_the_program_needs_no_pytest_and_the_suite_says_where_to_get_it() -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-c", WITHOUT_PYTEST]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert done.stderr.splitlines()[-1] == (
        'ModuleNotFoundError: connectors.testing: needs pytest; pip install "sentiment-monitor[testing]"'
    )
