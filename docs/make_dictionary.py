"""Writes docs/data-dictionary.md from what the program knows of its views: python docs/make_dictionary.py [--check]."""

from __future__ import annotations

import sys
from pathlib import Path

from storage.views import VIEWS, Column, Type

PAGE = Path(__file__).parent / "data-dictionary.md"
HEADER = """# Data dictionary

Generated from the program by `python docs/make_dictionary.py`. Whoever reads the store with other programs (`sqlite3`, `psql`, a
notebook, a dashboard) reads these views: they stay as they are while the tables under them may change. Columns are added, never
renamed or removed, within a major version. An export (`db export`) has the columns of `items`.

Empty (`NULL`) means unknown or not applicable; it never means 0. Times are in UTC. SQLite has no types for times, days and
flags: there they are ISO texts (`2026-11-20T12:00:00.000000Z`, `2026-11-20`), 0 and 1. Both back ends sort them rightly.
"""
ABOUT = {
    "items": "One row an item, whether it counts or not. For figures take those with `uncounted IS NULL`.",
    "daily_scores": "Labels and score by brand, source, kind and UTC day of publication: counted items only. Add days up by"
    " their counts, not by their scores: `sum(positive - negative) / sum(total)`.",
    "counts": "How the counts of items grew: a row whenever growth was seen. An item that was older than a day when it was"
    " first seen begins without a row.",
}
TYPES: dict[Type, tuple[str, str, str]] = {
    "text": ("text", "text", "string"),
    "integer": ("integer", "bigint or integer", "int64"),
    "real": ("real", "double precision", "double"),
    "time": ("ISO text", "timestamp with time zone", "timestamp (µs, UTC)"),
    "day": ("ISO text", "date", "date"),
    "flag": ("0 or 1", "boolean", "boolean"),
    "map": ("JSON text", "json", "map of strings"),
}


def page() -> str:
    """The whole page."""
    return "\n".join([HEADER, *(_view(name, columns) for name, columns in VIEWS.items())])


def _view(name: str, columns: tuple[Column, ...]) -> str:
    exported = name == "items"
    titles = ["column", "what it says", "SQLite", "PostgreSQL", *(["Parquet"] if exported else [])]
    lines = [f"## `{name}`", "", ABOUT[name], "", _row(titles), _row(["---"] * len(titles))]
    for column in columns:
        kinds = TYPES[column.type][: 3 if exported else 2]
        lines.append(_row([f"`{column.name}`", column.says, *kinds]))
    return "\n".join([*lines, ""])


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    if "--check" not in sys.argv:
        PAGE.write_text(page(), encoding="utf-8")
    elif not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page():
        sys.exit(f"{PAGE.name}: out of date; run: python docs/make_dictionary.py")
