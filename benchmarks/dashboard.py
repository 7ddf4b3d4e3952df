"""How long every page of the dashboard and every address of its interface takes on a large store, idle and while items come in.

    python benchmarks/dashboard.py STORE [--runs 11] [--seconds 60] [--only /overview] [--json]

STORE is an SQLite file or a database address that scale.py or scale_store.py has filled (``--folder`` of scale.py keeps them).
The real server runs in a process of its own; a second process stores page after page of new items, as a pull does, in the last hour
of what the pages show. README.md says how to read the table.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event
from typing import Any, Final

import httpx
import scale_store
from scale_store import COMMON, RARE, Filler
from sqlalchemy import func, select

from monitor.app import App
from monitor.web import api, pages, serving
from monitor.web.parent import Parent
from monitor.web.site import routers
from storage.tables import AUTHOR, ITEM

BRAND: Final = "Tavrell"
WINDOWS: Final = ("today", "7d", "30d", "90d")
LATER: Final = frozenset(
    {"/items/{id}/copies", "/api/v1/items/{id}/copies", "/items/suggested", "/overview/items", "/topics/items", "/authors/items", "/competitors/items", "/keywords/rules", "/keywords/suggested",
     "/keywords/trial", "/api/v1/report", "/api/v1/authors", "/api/v1/drivers", "/api/v1/competitors", "/api/v1/topics"}
)  # fmt: skip
"""What reads the window's items: it comes after the page, or an address says that it does."""
MORE: Final = {
    "/items": (f"q={RARE}", f"q={COMMON}", "window=all", f"window=all&q={RARE}", f"window=all&q={COMMON}", "source=shop&label=negative",
               "window=all&unanswered=1&kind=review", "figure=social.negative", "figure=reviews.total", "order=engaged"),
    "/mentions": ("order=negative", "window=90d"),
    "/reviews": ("window=90d", "window=all", "order=negative"),
    "/authors": ("who=writer",),
    "/keywords/trial": ("exclude=parcel",),
    "/api/v1/items": (f"q={COMMON}", "uncounted=all"),
    "/api/v1/report": ("items=false", "parts=rollup"),
}  # fmt: skip
"""Further queries of an address, beside the one with the brand and thirty days."""
SKIPPED: Final = frozenset({"/items.csv", "/items.jsonl", "/logout", "/static/{name:path}"})
"""Whole files of a window, and what is no page."""
QUICK: Final = 0.3
PAUSE: Final = 0.05
"""Seconds between two pages of 500 items, which the network takes from a pull."""
SLOW_RUNS: Final = 3


@dataclass(frozen=True, slots=True)
class Took:
    """One address: milliseconds to the first byte and to the last, at the median and at 95 %.

    ``first``: of the very first request; ``cpu``: of the server's processor, at the median.
    """

    path: str
    status: int
    kind: str
    first: float
    byte: float
    whole: float
    byte_95: float
    whole_95: float
    cpu: float
    runs: int
    kilobytes: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store", nargs="?", help="an SQLite file or a database address")
    parser.add_argument(
        "--postgresql", metavar="URL", help="the address of a filled PostgreSQL database, instead of STORE"
    )
    parser.add_argument("--runs", type=int, default=11, help="requests of each address (default: 11)")
    parser.add_argument(
        "--seconds", type=float, default=20, help="an address that took so long is asked no further (default: 20)"
    )
    parser.add_argument("--only", default="", help="addresses that begin with this")
    parser.add_argument("--idle", action="store_true", help="the idle run alone")
    parser.add_argument("--quick-only", action="store_true", help="leave out what reads the window's items")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--write", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve)
    elif given.write:
        write(given.write)
    elif not (given.postgresql or given.store):
        parser.error("name a store")
    else:
        found = measured(address(given.postgresql or given.store), given)
        print(
            json.dumps({name: [asdict(one) for one in rows] for name, rows in found.items()})
            if given.json
            else shown(found)
        )


def address(store: str) -> str:
    """The address of a database, of a file as well."""
    return store if "://" in store else f"sqlite:///{Path(store).resolve()}"


# ----------------------------------------------------------------------------------------- the three processes


def serve(url: str) -> None:
    """The real server; prints where it listens."""
    app = scale_store.opened(url)
    bound = serving.listening("127.0.0.1", 0)
    serving.serve(app, bound, ready=lambda: print(bound.getsockname()[1], flush=True), parent=Parent())


def write(url: str) -> None:
    """Pages of new items, one after another, into the last hour of the store; until the process is ended."""
    app = scale_store.opened(url)
    size = app.database.read(lambda connection: connection.execute(select(func.max(ITEM.c.id))).scalar_one())
    count = size * 10_000
    first = count - 2_000_000 + size % 1_000_000
    filler, until, ended = Filler(app, count, first), first, Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    while not ended.wait(PAUSE):
        until += 500
        print(filler.fill(until), flush=True)
    filler.close()


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """This program again, in a process of its own, until the end of the block."""
    pipe = subprocess.PIPE
    process = subprocess.Popen([sys.executable, __file__, *arguments], stdin=pipe, stdout=pipe, text=True)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


# ------------------------------------------------------------------------------------------------- what is measured


def measured(url: str, given: argparse.Namespace) -> dict[str, list[Took]]:
    """The table of each run, by its name."""
    app = scale_store.opened(url)
    paths = [path for path in addresses(app) if path.startswith(given.only)]
    if given.quick_only:
        paths = [path for path in paths if bare(path) not in LATER]
    app.close()
    found = {"idle": asked(url, paths, given)}
    if given.idle:
        return found
    with running("--write", url) as writer:
        begun = time.monotonic()
        assert writer.stdout is not None
        writer.stdout.readline()
        os.set_blocking(writer.stdout.fileno(), False)
        found["while items come in"] = asked(url, paths, given)
        stored = sum(int(line) for line in writer.stdout.read().split())
        print(f"{stored / (time.monotonic() - begun):,.0f} items a second were stored meanwhile", file=sys.stderr)
    return found


def addresses(app: App) -> list[str]:
    """Every address that answers a GET, with the brand and thirty days, and what else is asked of it."""
    known = (route for package in (pages, api) for router in routers(package) for route in router.routes)
    routes = sorted({route.path for route in known if "GET" in (getattr(route, "methods", None) or ())} - SKIPPED)  # type: ignore[attr-defined]
    return [one for route in routes for one in _addresses(app, route)]


def _addresses(app: App, route: str) -> Iterator[str]:
    path = _filled(app, route)
    if path is None:
        print(f"{route}: not measured, nothing is known of what stands in it", file=sys.stderr)
    elif path == "/overview" or path == "/overview/items":
        yield from (f"{path}?brand={BRAND}&window={name}" for name in WINDOWS)
    elif "{" in route or path.startswith("/static") or path == "/keywords/trial":
        yield from (f"{path}?{more}" for more in MORE.get(path, ("",)))
    elif path.startswith("/api/"):
        yield from (f"{path}?{more}" for more in _api_queries(path))
    else:
        yield f"{path}?brand={BRAND}&window=30d"
        yield from (f"{path}?brand={BRAND}&{_thirty(more)}" for more in MORE.get(path, ()))


def _thirty(more: str) -> str:
    return more if "window=" in more else f"window=30d&{more}"


def _api_queries(path: str) -> Sequence[str]:
    return (f"brand={BRAND}", *(f"brand={BRAND}&{more}" for more in MORE.get(path, ())))


def _filled(app: App, route: str) -> str | None:
    """An address of this shape that leads somewhere."""
    if "{" not in route:
        return route
    number = _known(app, AUTHOR.c.id if "author" in route else ITEM.c.id)
    if "/items/{" in route or "/authors/{" in route:
        return re.sub(r"\{\w+(:\w+)?\}", str(number), route)
    if "/sources/{" in route:
        return re.sub(r"\{\w+(:\w+)?\}", "shop", route)
    if "/brands/{" in route:
        return re.sub(r"\{\w+(:\w+)?\}", BRAND, route)
    return None


def _known(app: App, column: Any) -> int:
    return int(app.database.read(lambda connection: connection.execute(select(func.max(column))).scalar_one()))


def asked(url: str, paths: Sequence[str], given: argparse.Namespace) -> list[Took]:
    """Each address in turn, by a reader who keeps the connection."""
    with running("--serve", url) as server:
        assert server.stdout is not None
        base = f"http://127.0.0.1:{int(server.stdout.readline())}"
        with httpx.Client(base_url=base, timeout=600) as client:
            client.get("/settings")  # what is loaded once
            return [_took(client, server.pid, path, given) for path in paths]


def _took(client: httpx.Client, server: int, path: str, given: argparse.Namespace) -> Took:
    first, size, status = _one(client, server, path)
    if status == 422 and path.startswith("/api/"):  # it is about no brand
        path = path.partition("?")[0]
        first, size, status = _one(client, server, path)
    runs = given.runs if first[1] < QUICK else min(given.runs, SLOW_RUNS)
    times = [first] if first[1] > given.seconds else [_one(client, server, path)[0] for _ in range(runs)]
    byte, whole, cpu = ([1e3 * one[part] for one in times] for part in range(3))
    found = Took(
        path, status, "later" if bare(path) in LATER else "at once", 1e3 * first[1], statistics.median(byte), statistics.median(whole),
        _most(byte), _most(whole), statistics.median(cpu), len(times), size / 1_000,
    )  # fmt: skip
    print(_line(found), file=sys.stderr)
    return found


def _one(client: httpx.Client, server: int, path: str) -> tuple[tuple[float, float, float], int, int]:
    begun, cpu = time.perf_counter(), cpu_seconds(server)
    with client.stream("GET", path) as answer:
        parts = answer.iter_raw()
        size = len(next(parts, b""))
        byte = time.perf_counter() - begun
        size += sum(map(len, parts))
        return (byte, time.perf_counter() - begun, cpu_seconds(server) - cpu), size, answer.status_code


def cpu_seconds(process: int) -> float:
    """Of the processor, by all threads of a process; 0 where the system does not tell (Linux does)."""
    return sum(int(file.read_text().split()[0]) for file in Path(f"/proc/{process}/task").glob("*/schedstat")) / 1e9


def _most(values: Sequence[float]) -> float:
    """What 95 % stay under; of few values the largest."""
    return sorted(values)[min(len(values) - 1, round(0.95 * len(values)))]


def bare(path: str) -> str:
    """The address without its query, numbers aside."""
    return re.sub(r"/\d+", "/{id}", path.partition("?")[0])


# ------------------------------------------------------------------------------------------------- what is printed


def shown(found: dict[str, list[Took]]) -> str:
    lines = [_HEAD]
    for name, rows in found.items():
        lines += ["", name, *map(_line, rows)]
        now = [one for one in rows if one.kind == "at once" and one.status == 200]
        over = [one.path for one in now if one.whole > 300]
        lines += [f"at once: {len(now)}, slower than 300 ms at the median: {', '.join(over) or 'none'}"]
    return "\n".join(lines)


_HEAD: Final = f"{'milliseconds':64} {'':4} {'first':>8} {'byte':>7} {'whole':>7} {'byte 95':>8} {'whole 95':>9} {'cpu':>6} {'kB':>6}"


def _line(one: Took) -> str:
    told = f"{one.path[:64]:64} {one.status:4} {one.first:8,.0f} {one.byte:7,.0f} {one.whole:7,.0f}"
    return f"{told} {one.byte_95:8,.0f} {one.whole_95:9,.0f} {one.cpu:6,.0f} {one.kilobytes:6.1f} {one.kind}"


if __name__ == "__main__":
    main()
