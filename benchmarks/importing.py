"""How many rows a second an import takes in, on how many processes, in how much memory, and what a cut costs.

    python benchmarks/importing.py [--rows 1000000] [--shuffled] [--json]

The file is made up (made_up.py), the same in every run; making it is not timed. Each import is the command itself in a process
of its own, on an empty SQLite file. README.md says how to read the table.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import made_up

NEWEST = datetime(2026, 1, 31, 12, tzinfo=UTC)
HEADER = (
    *("id", "kind", "date", "title", "text", "url", "language", "author", "author_id", "followers", "rating"),
    *("likes", "shares", "comments", "place", "country", "app_version"),
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000, help="how many (default: 1000000)")
    parser.add_argument("--shuffled", action="store_true", help="in no order of time")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = measured(Path(folder), given.rows, shuffled=given.shuffled)
    print(json.dumps(found, indent=2) if given.json else shown(found))


def measured(folder: Path, rows: int, *, shuffled: bool) -> list[dict[str, Any]]:
    large, small = written(folder / "large.csv", rows, shuffled), written(folder / "small.csv", rows // 10, shuffled)
    steps = (
        lambda: run(folder, "a tenth of the rows, 1 process", small, rows // 10, workers=1),
        lambda: run(folder, "1 process", large, rows, workers=1),
        lambda: run(folder, "2 processes beside", large, rows, workers=2, keep=True),
        lambda: run(folder, "the same again", large, rows, workers=1, again=True),
        lambda: run_cut(folder, "killed half-way, gone on with", large, rows),
    )
    found = []
    for step in steps:
        found.append(step())
        print(line(found[-1]), file=sys.stderr)
    return found


def written(file: Path, rows: int, shuffled: bool) -> Path:
    lines: Iterable[list[Any]] = (list(cells(record)) for page in made_up.pages(rows, 500, NEWEST) for record in page)
    if shuffled:
        lines = list(lines)
        random.Random(1).shuffle(lines)
    with file.open("w", encoding="utf-8", newline="") as opened:
        writer = csv.writer(opened)
        writer.writerow(HEADER)
        writer.writerows(lines)
    return file


def cells(record: made_up.Record) -> Iterator[Any]:
    author, attributes = record["author"], record["attributes"]
    yield from (record[name] for name in ("id", "kind", "at", "title", "text", "url", "language"))
    yield from (author["name"], author["id"], author["followers"], record["stars"], *record["counts"])
    yield from (record["place"], attributes.get("country"), attributes.get("app_version"))


def run(
    folder: Path, name: str, file: Path, rows: int, *, workers: int, again: bool = False, keep: bool = False
) -> dict[str, Any]:
    """One import from its beginning to its end; ``again``: into the store that ``keep`` has left."""
    home = home_of(folder, anew=not again)
    wall = time.perf_counter()
    process = started(home, file, workers)
    told, usage = ended(process)
    figures = {"name": name, "rows": rows, "seconds": time.perf_counter() - wall, **usage}
    if told["new"] != (0 if again else rows) or told["rows"] != rows:
        sys.exit(f"{name}: of {rows} rows {told['rows']} were read, {told['new']} new; this is no measurement")
    if not keep:
        remove(home)
    return figures


def run_cut(folder: Path, name: str, file: Path, rows: int) -> dict[str, Any]:
    """Killed once half of the rows are stored, then the same command again."""
    home = home_of(folder, anew=True)
    wall = time.perf_counter()
    process = started(home, file, 1)
    while stored(home) < rows // 2:
        time.sleep(0.2)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    before = stored(home)
    told, usage = ended(started(home, file, 1))
    if told["new"] + before != rows or stored(home) != rows:
        sys.exit(f"{name}: {before} rows before and {told['new']} after are not {rows}")
    figures = {"name": name, "rows": rows, "seconds": time.perf_counter() - wall, **usage, "resumed_after": before}
    remove(home)
    return figures


def home_of(folder: Path, *, anew: bool) -> Path:
    home = folder / "home"
    if anew:
        remove(home)
        home.mkdir()
        (home / "config.toml").write_text(f'[[brands]]\nname = "{made_up.BRAND}"\n', encoding="utf-8")
    return home


def remove(home: Path) -> None:
    for file in (*home.glob("var/*"), home / "config.toml"):
        file.unlink(missing_ok=True)
    for path in (home / "var", home):
        if path.exists():
            path.rmdir()


def started(home: Path, file: Path, workers: int) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "monitor", "import", str(file), "--brand", made_up.BRAND]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    return subprocess.Popen(
        [*command, "--workers", str(workers), "--json"],
        cwd=home,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def ended(process: subprocess.Popen[bytes]) -> tuple[dict[str, Any], dict[str, float]]:
    """What it told, and what it used: its own memory at most, and the processor's time with its processes'."""
    assert process.stdout is not None
    said = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"the import ended with {process.returncode}")
    peak = usage.ru_maxrss / 1024 / (1024 if sys.platform == "darwin" else 1)
    return json.loads(said), {"cpu": usage.ru_utime + usage.ru_stime, "peak_mib": peak}


def stored(home: Path) -> int:
    file = home / "var" / "monitor.db"
    if not file.exists():
        return 0
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM item").fetchone()[0])
        except sqlite3.OperationalError:
            return 0
        finally:
            connection.commit()


def shown(found: list[dict[str, Any]]) -> str:
    lines = [f"{'':32} {'rows':>10} {'rows/s':>8} {'per CPU s':>10} {'peak MiB':>9}"]
    lines += map(line, found)
    lines.append(f"killed after {found[-1]['resumed_after']:,} rows; none was lost, none came twice")
    return "\n".join(lines)


def line(one: dict[str, Any]) -> str:
    measured_rows = one["rows"] - one.get("resumed_after", 0)  # who was killed cannot say what it used
    speed, cpu = one["rows"] / one["seconds"], measured_rows / one["cpu"]
    return f"{one['name']:32} {one['rows']:>10,} {speed:>8,.0f} {cpu:>10,.0f} {one['peak_mib']:>9.0f}"


if __name__ == "__main__":
    main()
