"""How many items a second go from a platform's answer into the store, and where that stands between its limits.

    python benchmarks/pipeline.py [--items 100000] [--json]

One core, one run, one SQLite file in a temporary folder. The items are made up (made_up.py), the same in every run; making
them is not timed. README.md says how to read the table.
"""

from __future__ import annotations

import argparse
import json
import resource
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import made_up
from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from connectors.contract import Author, Counts, Item, Kind, Page, Rating
from monitor.app import App, build
from monitor.cli.common import spare_collections
from monitor.collect import page_values
from monitor.config.load import parse
from monitor.report import build_report
from monitor.schedule import span
from monitor.scoring import Scorable, score_batch
from storage import ingest, sources
from storage.engine import open_database
from storage.records import Claim, Outcome, Saved
from storage.schema import upgrade

NOW = datetime(2026, 1, 31, 12, tzinfo=UTC)
PAGE = 1_000
SOURCE = "talk"
STOCK_READS = 20_000
"""Stock vaderSentiment is slow and steady: this many items tell its speed."""
REPORTS = 5

T = TypeVar("T")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=100_000, help="how many (default: 100000)")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), given.items)
    print(json.dumps(found, indent=2) if given.json else shown(found))


def measured(folder: Path, count: int) -> dict[str, Any]:
    """All figures of one run. The store comes first, since the raw inserts repeat its rows."""
    app = build(parse(configuration(folder / "monitor.db")), now=lambda: NOW)
    spare_collections()  # as every command does
    first, again, scoring, stock = Timed("end to end"), Timed("the same again"), Timed("scoring"), Timed("stock VADER")
    stored = pulled(app, count, first)
    memory = peak_mib()
    repeated = pulled(app, count, again)
    if stored != Saved(new=count) or repeated != Saved():
        sys.exit(f"of {count} items {stored} were stored, {repeated} by reading them again; this is no measurement")
    reports = [seconds(lambda: report(app)) for _ in range(REPORTS)]
    app.close()
    raw = raw_inserts(folder)
    score(app, made_up.pages(count, PAGE, NOW), scoring)
    score_by_stock(made_up.pages(min(count, STOCK_READS), PAGE, NOW), stock)
    return {
        "items": count,
        "rows": [timed.figures() for timed in (raw, stock, scoring, first, again)],
        "report_seconds": {"first": reports[0], "least": min(reports)},
        "peak_mib": memory,
    }


def configuration(file: Path) -> dict[str, Any]:
    return {
        "monitor": {"database": f"sqlite:///{file}", "first_fetch": "90d"},
        "brands": [{"name": made_up.BRAND, "exclude": [f"{made_up.BRAND} street"]}],
        "sources": [{"name": SOURCE, "type": "hackernews", "brand": made_up.BRAND}],
    }


# --- What is timed


@dataclass
class Timed:
    """Seconds by the clock and of the processor for ``items``, and how the clock's are shared out over named parts."""

    name: str
    items: int = 0
    wall: float = 0.0
    cpu: float = 0.0
    parts: dict[str, float] = field(default_factory=dict)

    def run(self, part: str, work: Callable[[], T]) -> T:
        wall, cpu = time.perf_counter(), time.process_time()
        result = work()
        took = time.perf_counter() - wall
        self.wall += took
        self.cpu += time.process_time() - cpu
        self.parts[part] = self.parts.get(part, 0.0) + took
        return result

    def figures(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "items": self.items,
            "per_second": self.items / self.wall,
            "per_cpu_second": self.items / self.cpu,
            "microseconds": {part: took / self.items * 1e6 for part, took in self.parts.items()},
        }


def pulled(app: App, count: int, timed: Timed) -> Saved:
    """One pull of all items, page by page, as ``monitor.collect`` does it."""
    source = app.settings.source(SOURCE)
    horizons = {SOURCE: app.horizon(source)}
    claim = sources.claim_source(app.database, app.owner, horizons, NOW, app.lease, only_due=False)
    assert claim is not None
    new = changed = 0
    for number, records in enumerate(made_up.pages(count, PAGE, NOW)):
        saved = one_page(app, claim, records, {"page": number}, timed)
        new, changed = new + saved.new, changed + saved.changed
    sources.finish_pull(app.database, claim, Outcome(NOW), NOW)
    return Saved(new, changed)


def one_page(app: App, claim: Claim, records: list[made_up.Record], cursor: dict[str, int], timed: Timed) -> Saved:
    source = app.settings.source(SOURCE)
    timed.items += len(records)
    page = timed.run("parse", lambda: Page([item_of(record) for record in records], cursor))
    values = timed.run("normalise, match, score", lambda: page_values(app, source, claim, page))
    return timed.run("store", lambda: ingest.save_page(app.database, claim, values, NOW))


def item_of(record: made_up.Record) -> Item:
    """What a connector does with an answer."""
    author, stars = record["author"], record["stars"]
    return Item(
        external_id=record["id"],
        kind=Kind(record["kind"]),
        published_at=datetime.fromisoformat(record["at"]),
        title=record["title"],
        text=record["text"],
        url=record["url"],
        language=record["language"],
        author=Author(author["id"], author["name"], author["followers"]),
        rating=None if stars is None else Rating(stars),
        counts=Counts(*record["counts"]),
        place=record["place"],
        attributes=record["attributes"],
    )


def score(app: App, pages: Iterable[list[made_up.Record]], timed: Timed) -> None:
    """The scorer of the default profile alone, cleaning and language gate included."""
    words = app.brands[made_up.BRAND].words
    for records in pages:
        batch = [
            Scorable(record["title"], record["text"], platform_language=record["language"], brand_words=words)
            for record in records
        ]
        timed.items += len(batch)
        timed.run("score", partial(score_batch, batch, app.profile))


def score_by_stock(pages: Iterable[list[made_up.Record]], timed: Timed) -> None:
    """vaderSentiment as it is published, on the bodies alone."""
    analyzer = SentimentIntensityAnalyzer()
    for records in pages:
        timed.items += len(records)
        timed.run("score", partial(read, analyzer, records))


def read(analyzer: SentimentIntensityAnalyzer, records: list[made_up.Record]) -> None:
    for record in records:
        analyzer.polarity_scores(record["text"])


def report(app: App) -> None:
    build_report(app, [made_up.BRAND], span(NOW - timedelta(days=7), NOW, ZoneInfo("UTC")))


def seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


# --- The limit: the same rows, by the driver alone


def raw_inserts(folder: Path) -> Timed:
    """The items of the store into another one with the same tables, a page a transaction; no rollups, no history."""
    timed = Timed("raw inserts")
    copy = open_database(f"sqlite:///{folder / 'copy.db'}")
    upgrade(copy)
    raw = copy.engine.raw_connection()
    try:
        connection = raw.driver_connection
        assert isinstance(connection, sqlite3.Connection)
        connection.execute("ATTACH ? AS stored", (str(folder / "monitor.db"),))
        for table in ("brand", "source", "author"):
            connection.execute(f"INSERT INTO {table} SELECT * FROM stored.{table}")
        for rows in pages_of_rows(connection):
            timed.items += len(rows)
            timed.run("insert", partial(insert, connection, rows))
    finally:
        raw.close()
        copy.close()
    return timed


def pages_of_rows(connection: sqlite3.Connection) -> Iterator[list[Sequence[object]]]:
    cursor = connection.execute("SELECT * FROM stored.item ORDER BY id")
    while rows := cursor.fetchmany(PAGE):
        yield rows


def insert(connection: sqlite3.Connection, rows: list[Sequence[object]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(f"INSERT INTO item VALUES ({', '.join('?' * len(rows[0]))})", rows)
    connection.execute("COMMIT")


# --- What is printed


def shown(found: dict[str, Any]) -> str:
    lines = [f"{'':16}{'items/s':>9}{'per CPU s':>11}  microseconds an item"]
    for row in found["rows"]:
        parts = ", ".join(f"{part} {each:.1f}" for part, each in row["microseconds"].items())
        lines.append(f"{row['name']:16}{row['per_second']:9,.0f}{row['per_cpu_second']:11,.0f}  {parts}")
    times = found["report_seconds"]
    lines += [
        "",
        f"{found['items']:,} items, {made_up.TEXT_CHARS} characters each, pages of {PAGE}",
        f"report of 7 days: {times['first'] * 1e3:.0f} ms the first time, {times['least'] * 1e3:.0f} ms at best",
        f"memory after the first pull: {found['peak_mib']:.0f} MiB at most",
    ]
    return "\n".join(lines)


def peak_mib() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1024 / (1024 if sys.platform == "darwin" else 1)


if __name__ == "__main__":
    main()
