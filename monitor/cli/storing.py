"""Commands for the store: ``db upgrade|verify|backup|stats``, and those of other files that work on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli import copying, erasing, exporting
from monitor.cli.common import AsJson, ConfigPath, Failure, load_settings, print_json

if TYPE_CHECKING:
    from storage.copies_proof import CopiesProof
    from storage.engine import Database
    from storage.search_proof import SearchProof


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    db = typer.Typer(help="The store: bring up to date, prove, copy, count.", no_args_is_help=True)
    for command in (upgrade, verify, backup, stats):
        db.command()(command)
    exporting.register(db)
    copying.register(db)
    erasing.register(db)
    app.add_typer(db, name="db")


@contextmanager
def _database(config: Path | None, *, makes_store: bool = False) -> Iterator[Database]:
    from monitor.cli.stores import check_made
    from storage.engine import StorageError, open_database

    settings = load_settings(config)
    if not makes_store:
        check_made(settings, makes_store=False)
    try:
        database = open_database(settings.monitor.database)
        try:
            yield database
        finally:
            database.close()
    except StorageError as error:
        raise Failure(str(error)) from error


def upgrade(config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Bring the tables to this program's version; an SQLite file is copied first."""
    from storage import schema

    with _database(config, makes_store=True) as database:
        before = schema.upgrade(database)
    if as_json:
        print_json({"before": before, "now": schema.HEAD})
    else:
        typer.echo(
            f"version {schema.HEAD}" if before == schema.HEAD else f"version {before or 'none'} -> {schema.HEAD}"
        )


def verify(
    config: ConfigPath = None,
    repair: Annotated[bool, typer.Option("--repair", help="Mend what differs.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read the whole SQLite file for damage; compute every stored sum again from the items and compare; prove search and copies."""
    from storage import verify as proof
    from storage.copies_proof import verify_copies
    from storage.search_proof import verify_search
    from storage.soundness import prove

    with _database(config) as database:
        prove(database)
        found = proof.verify(database, repair=repair)
        words = verify_search(database, repair=repair)
        copies = verify_copies(database, repair=repair)
    sound = not found and words.is_right and copies.is_right
    if as_json:
        different = [
            {**one.key._asdict(), "column": one.column, "stored": one.stored, "true": one.true} for one in found
        ]
        search = {**asdict(words), "right": words.is_right}
        same = {**asdict(copies), "right": copies.is_right}
        print_json({"differences": different, "search": search, "copies": same, "repaired": repair and not sound})
    else:
        typer.echo(_figures_words(len(found), repair=repair))
        typer.echo(_search_words(words))
        typer.echo(_copies_words(copies, repair=repair))
    if not sound and not repair:
        raise Failure("run: sentiment-monitor db verify --repair")


def _figures_words(different: int, *, repair: bool) -> str:
    if not different:
        return "every figure is right"
    figures = "1 figure" if different == 1 else f"{different:,} figures"
    return f"{figures} put right" if repair else f"{figures} wrong"


def _search_words(proof: SearchProof) -> str:
    if proof.is_right:
        return f"every item can be found by its words ({proof.sampled:,} looked for)"
    return (
        f"search: {proof.missing:,} items are missing, {proof.surplus:,} are there no more,"
        f" {proof.wrong:,} of {proof.sampled:,} looked for are not found by their words"
    )


def _copies_words(proof: CopiesProof, *, repair: bool) -> str:
    if proof.is_right:
        return "every copy that is left out is known to be one"
    later = "; the daemon, or the next pull, decides them anew" if repair and proof.astray else ""
    return (
        f"copies: {proof.astray:,} items are left out and known as no copies, or the other way round{later};"
        f" of {proof.keys:,} brands the keys are not complete"
    )


def backup(
    target: Annotated[Path, typer.Argument(help="The file to write; it must not exist.")],
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """A consistent copy of the store as an SQLite file, while it is in use."""
    from storage import schema
    from storage.copying import to_file

    with _database(config) as database:
        if database.is_sqlite:
            schema.backup(database, target)
        else:
            to_file(database, target, copying.progress())
    size_bytes = target.stat().st_size
    if as_json:
        print_json({"file": str(target), "size_bytes": size_bytes})
    else:
        typer.echo(f"{target}: {size_bytes:,} bytes")


def stats(config: ConfigPath = None, as_json: AsJson = False) -> None:
    """How much there is."""
    from storage import queries

    with _database(config) as database:
        found = queries.stats(database)
        if database.file is not None:
            found["size_bytes"] = database.file.stat().st_size
    if as_json:
        print_json(found)
        return
    for row in found.pop("items"):
        typer.echo(f"{row['brand']}: {row['count']:,} {row['kind']}s")
    for name, value in found.items():
        typer.echo(f"{name.replace('_', ' ')}: {value:,}" if isinstance(value, int) else f"{name}: {value or 'none'}")
