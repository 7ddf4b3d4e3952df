"""What docs/reliability.md names as holding a promise is there."""

from __future__ import annotations

import re
from pathlib import Path

from connectors.testing import CHECKS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", PAGE)
    assert len(named) > 40
    for path, test in named:
        assert (ROOT / path).is_file(), path
        text = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"def {test or 'test_'}" + (r"\b" if test else ""), text), f"{path}::{test}"


def test_every_check_of_the_suite_that_is_named_exists() -> None:
    named = [
        name for names in re.findall(r"the contract suite \(([^)]*)\)", PAGE) for name in re.findall(r"`(\w+)`", names)
    ]
    assert len(named) >= 2
    assert set(named) <= {check.removeprefix("test_") for check in CHECKS}


def test_every_promise_names_what_holds_it() -> None:
    table = PAGE.partition("\n\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    for row in rows:
        _, promise, holder, _ = row.split(" | ") if row.count(" | ") > 1 else ("", *row.strip("| ").split(" | "), "")
        assert promise
        assert "test" in holder or "suite" in holder, promise
