"""Writes docs/figures.md, the table of every number of a report: python docs/make_figures.py [--check]."""

from __future__ import annotations

import sys
from pathlib import Path

from monitor.formulas import FORMULAS, why_unopened

PAGE = Path(__file__).parent / "figures.md"
HEADER = """# Every figure

Generated from the program by `python docs/make_figures.py`; [metrics.md](metrics.md) has the formulas at length. The version rises when
a figure's meaning changes. `items --figure PATH` lists the items behind a number, where there are any.

| figure | version | what it is | its items |
|---|---|---|---|
"""


def page() -> str:
    """The page as it should be."""
    rows = (
        f"| `{one.name}` | {one.version} | {one.sentence} | {why_unopened(one.name) or 'listed'} |\n"
        for one in FORMULAS.values()
    )
    return HEADER + "".join(rows)


if __name__ == "__main__":
    if "--check" in sys.argv:
        same = PAGE.exists() and PAGE.read_text(encoding="utf-8") == page()
        sys.exit(0 if same else "figures.md: out of date; run: python docs/make_figures.py")
    PAGE.write_text(page(), encoding="utf-8")
