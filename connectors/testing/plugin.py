"""The pytest plugin for connectors of your own: ``pytest_plugins = ["connectors.testing.plugin"]``.

- ``CASE`` in a test module gives its further tests the fixtures ``fake`` (a fresh fake platform) and ``pulls`` (a source on it).
- A check of the suite that fails is shown with its law and with what the platform was asked, secrets masked.
- The summary names the checks that do not apply, each with its reason; ``--table`` (where the plugin is named in
  ``conftest.py`` or by ``-p``) prints which connector passes which check.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

import pytest

from connectors.testing.loopback import Request
from connectors.testing.platform import FakePlatform
from connectors.testing.pulls import Case, Pulls
from connectors.testing.suite import CHECKS, ContractSuite

ROWS = pytest.StashKey[dict[tuple[str, str], bool]]()
CASES = pytest.StashKey[dict[str, Case]]()
ASKED_SHOWN = 12

# --------------------------------------------------------------------------------------- for further tests


@pytest.fixture
def fake(request: pytest.FixtureRequest) -> Iterator[FakePlatform]:
    """A fresh fake of the platform that the module's ``CASE`` names."""
    made = _case_of(request).fake()
    yield made
    made.close()


@pytest.fixture
def pulls(request: pytest.FixtureRequest, fake: FakePlatform) -> Pulls:
    """A source on ``fake``, driven as the daemon would."""
    return Pulls(_case_of(request), fake)


def _case_of(request: pytest.FixtureRequest) -> Case:
    case = getattr(request.module, "CASE", None)
    if not isinstance(case, Case):
        pytest.fail(f"{request.module.__name__}: has no CASE; add CASE = Case(plugin=PLUGIN, fake=...)", pytrace=False)
    return case


# ----------------------------------------------------------------------------------------- what a check says


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
        _note(item, suite, report)
        if report.failed:
            report.sections += _explained(item)
    return report  # type: ignore[return-value]


def _note(item: pytest.Item, suite: type[ContractSuite], report: pytest.TestReport) -> None:
    name, rows = suite.__name__.removeprefix("Test"), item.config.stash[ROWS]
    check = getattr(item, "originalname", item.name).removeprefix("test_")
    item.config.stash[CASES][name] = suite.case
    rows[name, check] = rows.get((name, check), True) and not report.failed


def _explained(item: pytest.Item) -> Iterator[tuple[str, str]]:
    law = inspect.getdoc(getattr(item, "function", None))
    if law:
        yield "the law", law
    fake = getattr(item, "funcargs", {}).get("fake")
    if isinstance(fake, FakePlatform) and fake.loopback.requests:
        yield "what the platform was asked last", "\n".join(_asked(fake))


def _asked(fake: FakePlatform) -> Sequence[str]:
    lines = [_line(request) for request in fake.loopback.requests[-ASKED_SHOWN:]]
    for secret in fake.secrets():
        lines = [line.replace(secret, "***") for line in lines]
    told = [(line, len(list(same))) for line, same in groupby(lines)]
    return [line if times == 1 else f"{line} ({times} times)" for line, times in told]


def _line(request: Request) -> str:
    asked = "&".join(f"{name}={value}" for name, value in request.pairs)
    return f"{request.method} {request.path}{'?' if asked else ''}{asked}"


# ------------------------------------------------------------------------------------------------ the summary


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    cases = config.stash[CASES]
    if config.getoption("table", False):
        _show_table(terminalreporter.write_line, cases, config.stash[ROWS])
    reasons = [
        f"  {name}, {check}: {reason}" for name in sorted(cases) for check, reason in cases[name].not_applicable.items()
    ]
    if reasons and (config.getoption("table", False) or config.getoption("verbose") > 0):
        terminalreporter.write_line("\nChecks that make no sense for a platform pass as such:")
        terminalreporter.write_line("\n".join(reasons))


def _show_table(say: Any, cases: dict[str, Case], rows: dict[tuple[str, str], bool]) -> None:
    say("")
    for number, name in enumerate(sorted(cases), 1):
        say(f"{number:>3}  {name} ({cases[name].plugin.name})")
    width = max(len(check) for check in CHECKS)
    say(f"\n{'check':<{width}}  " + " ".join(f"{number:>2}" for number in range(1, len(cases) + 1)))
    for check in CHECKS:
        marks = (rows.get((name, check)) for name in sorted(cases))
        say(f"{check:<{width}}  " + " ".join({True: " +", False: " X", None: " ."}[mark] for mark in marks))
    say("\n+ passed, X failed, . not run")
