"""``db copy`` and ``db restore``: a whole store into another one."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.common import AsJson, ConfigPath, Failure, load_settings, next_step, print_json, say

if TYPE_CHECKING:
    from storage.engine import Database


def register(db: typer.Typer) -> None:
    """Add this file's commands."""
    for command in (copy, restore):
        db.command()(command)


def copy(
    to: Annotated[
        str, typer.Option("--to", metavar="ADDRESS", help="An empty database: sqlite:///… or postgresql+psycopg://…")
    ],
    live: Annotated[bool, typer.Option("--live", help="Copy although a daemon is at work on the store.")] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Copy the whole store, as it is now, into an empty database; what is written afterwards is not in the copy."""
    from monitor.cli.stores import check_made
    from storage import copying

    settings = load_settings(config)
    check_made(settings, makes_store=False)
    with _open(settings.monitor.database) as source:
        if not live:
            _refuse_busy(copying.in_use(source))
        with _open(to) as target:
            rows = _filled(source, target)
    _tell(rows, as_json=as_json)
    next_step("write the new address into the configuration (monitor.database), then: sentiment-monitor run")


def restore(
    file: Annotated[Path, typer.Argument(help="A backup made by db backup.", exists=True, dir_okay=False)],
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Fill the configured store, which must be empty or not there yet, from a backup."""
    with _open(load_settings(config).monitor.database) as target, _readable(file) as source:
        rows = _filled(source, target)
    _tell(rows, as_json=as_json)


@contextmanager
def _open(address: str) -> Iterator[Database]:
    from storage.engine import StorageError, open_database

    try:
        database = open_database(address)
        try:
            yield database
        finally:
            database.close()
    except StorageError as error:
        raise Failure(str(error)) from error


@contextmanager
def _readable(file: Path) -> Iterator[Database]:
    """The backup itself, or where an older program made it a copy that is brought up to date."""
    import shutil
    from tempfile import TemporaryDirectory

    from storage import schema

    with _open(f"sqlite:///{file}") as backup:
        if schema.version(backup) == schema.HEAD:
            yield backup
            return
    with TemporaryDirectory() as folder:
        newer = shutil.copyfile(file, Path(folder) / "store.db")
        with _open(f"sqlite:///{newer}") as backup:
            schema.upgrade(backup)
            yield backup


def _refuse_busy(owners: list[str]) -> None:
    if owners:
        raise Failure(
            [
                f"the store is in use ({', '.join(owners)}): what is written after the copy began would not be in it",
                "stop the daemon first; or copy all the same with --live",
            ]
        )


def _filled(source: Database, target: Database) -> dict[str, int]:
    from storage import copying
    from storage.verify import verify

    rows = copying.copy(source, target, progress())
    if verify(target):
        raise Failure("the copy is complete, but some stored sums are wrong, as in the original: db verify --repair")
    return rows


def progress() -> Callable[[str, int, int], None]:
    """A line a table, and one every few seconds while a long one is under way."""
    last = time.monotonic()

    def told(table: str, done: int, total: int) -> None:
        nonlocal last
        if done == total or time.monotonic() - last > 5:
            last = time.monotonic()
            say(f"{table.replace('_', ' ')}: {done:,} of {total:,}")

    return told


def _tell(rows: dict[str, int], *, as_json: bool) -> None:
    if as_json:
        print_json({"rows": rows, "verified": True})
    else:
        typer.echo(
            f"{sum(rows.values()):,} rows copied, {rows['item']:,} of them items; counted, compared and verified"
        )
