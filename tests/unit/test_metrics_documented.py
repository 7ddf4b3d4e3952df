"""docs/metrics.md and docs/figures.md say what the program does: every field is named, every example is computed."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from monitor import figures as f
from monitor.metrics import change, engagement, intervals, ratings, sentiment, volume

ROOT = Path(__file__).parents[2]
METRICS = (ROOT / "docs" / "metrics.md").read_text(encoding="utf-8")
FIGURES = (ROOT / "docs" / "figures.md").read_text(encoding="utf-8")
KNOWN: dict[str, Any] = {"timedelta": timedelta}
for module in (change, engagement, intervals, ratings, sentiment, volume):
    KNOWN |= vars(module)
EXAMPLES = [
    line for block in re.findall(r"```example\n(.*?)```", METRICS, re.DOTALL) for line in block.splitlines() if line
]


@pytest.mark.parametrize("line", EXAMPLES)
def test_an_example_comes_to_what_the_page_says(line: str) -> None:
    expression, _, result = line.rpartition(" = ")
    expected = ast.literal_eval(result)
    found = eval(expression, dict(KNOWN))  # the page is ours
    digits = len(result.partition(".")[2])
    assert found == (pytest.approx(expected, abs=0.5 * 10**-digits) if isinstance(expected, float) else expected)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) > 20


def test_the_table_of_figures_is_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "docs" / "make_figures.py"), "--check"], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr


NUMBERS = sorted(
    {
        name
        for model in vars(f).values()
        if isinstance(model, type)
        and issubclass(model, BaseModel)
        and model.__name__ not in ("Quote", "Report", "Alert")
        for name, field in model.model_fields.items()
        if re.search(r"\b(int|float)\b", str(field.annotation)) and name != "schema_"
    }
)


@pytest.mark.parametrize("name", NUMBERS)
def test_every_number_of_a_report_is_documented(name: str) -> None:
    assert re.search(rf"[`.]{name}[`. ]", METRICS + FIGURES), name
