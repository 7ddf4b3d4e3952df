"""What pages ask of the store: no page reads all items, searches begin with the search index, and few statements are made."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from monitor.app import App
from tests.web.serving import Dashboard

PAGES = (
    "/", "/overview?window=today", "/overview?window=90d", "/mentions", "/reviews", "/items?q=kettle&window=all", "/topics",
    "/authors", "/competitors", "/audit", "/keywords", "/sources", "/settings", "/welcome", "/items?unanswered=1&window=all",
)  # fmt: skip
READS_ALL = re.compile(r"\bSCAN (item|rollup|rollup_span|count_history)\b(?!.*LIMIT)")

Asked = list[tuple[str, Any]]


@contextmanager
def listening(app: App) -> Iterator[Asked]:
    """What is asked of the store meanwhile."""
    asked: Asked = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(app.database.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(app.database.engine, "before_cursor_execute", note)


def plans(app: App, asked: Asked) -> Sequence[str]:
    """How SQLite answers each of them, a line a table."""
    selects = [
        (statement, given) for statement, given in asked if statement.lstrip().upper().startswith(("SELECT", "WITH"))
    ]
    with app.database.readonly.connect() as connection:
        return [
            row[3]
            for statement, given in selects
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)
        ]


@pytest.mark.parametrize("page", PAGES)
def test_no_page_reads_a_whole_table_of_items_or_sums(read_only: Dashboard, page: str) -> None:
    with listening(read_only.app) as asked:
        read_only.get(page)
    found = plans(read_only.app, asked)
    assert found or not asked
    assert [line for line in found if READS_ALL.search(line)] == []


def test_the_overview_asks_little(read_only: Dashboard) -> None:
    with listening(read_only.app) as asked:
        read_only.get("/overview?window=30d")
    made = [" ".join(statement.split())[:70] for statement, _ in asked if statement != "BEGIN"]
    assert len(made) < 80, sorted(made)  # it was twice as many when every window was asked for what all have in common


def test_a_search_within_a_window_begins_with_the_search_index(read_only: Dashboard) -> None:
    with listening(read_only.app) as asked:
        read_only.get("/items?q=zirconium&window=30d")
    searches = [(statement, given) for statement, given in asked if "MATCH" in statement and "FROM item" in statement]
    assert searches
    lines = plans(read_only.app, searches)
    assert not [line for line in lines if re.search(r"\bSEARCH item USING INDEX", line)]
    assert [line for line in lines if line.startswith("SEARCH item USING INTEGER PRIMARY KEY")]
