"""``make connectors``: which connector passes which check of the contract suite, as a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from connectors.testing import CHECKS, ContractSuite

ROWS = pytest.StashKey[dict[tuple[str, str], bool]]()
CASES = pytest.StashKey[dict[str, Any]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--table", action="store_true", help="Print the table of connectors and checks.")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[ROWS] = {}
    config.stash[CASES] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report: pytest.TestReport = yield  # type: ignore[assignment]
    suite = getattr(item, "cls", None)
    if suite is not None and issubclass(suite, ContractSuite):
        check = getattr(item, "originalname", item.name).removeprefix("test_")
        name = suite.__name__.removeprefix("Test")
        config = item.config
        config.stash[CASES][name] = suite.case
        config.stash[ROWS][name, check] = config.stash[ROWS].get((name, check), True) and not report.failed
    return report  # type: ignore[return-value]


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    if not config.getoption("table", False):
        return
    cases, rows = config.stash[CASES], config.stash[ROWS]
    say = terminalreporter.write_line
    say("")
    for number, name in enumerate(sorted(cases), 1):
        say(f"{number:>3}  {name} ({cases[name].plugin.name})")
    width = max(len(check) for check in CHECKS)
    say(f"\n{'check':<{width}}  " + " ".join(f"{number:>2}" for number in range(1, len(cases) + 1)))
    for check in CHECKS:
        marks = (rows.get((name, check)) for name in sorted(cases))
        say(f"{check:<{width}}  " + " ".join({True: " +", False: " X", None: " ."}[mark] for mark in marks))
    say("\n+ passed, X failed, . not run. Checks that make no sense for a platform pass as such:")
    for name in sorted(cases):
        for check, reason in cases[name].not_applicable.items():
            say(f"  {name}, {check}: {reason}")
