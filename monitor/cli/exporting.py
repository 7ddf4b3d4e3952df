"""``db export``: the store's items as a file for other programs."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Literal

import typer

from monitor.cli.common import AsJson, Brand, ConfigPath, Failure, Since, Until, instant, opened, print_json, say
from monitor.cli.erasing import Authors, Platform, export_author

if TYPE_CHECKING:
    from monitor.app import App
    from monitor.exporting import Form
    from storage.export import Selection

STANDARD_OUTPUT = Path("-")


def register(db: typer.Typer) -> None:
    """Add this file's commands."""
    db.command()(export)


def export(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file to write, replaced when complete; - prints.")
    ] = STANDARD_OUTPUT,
    form: Annotated[
        Literal["parquet", "csv", "jsonl", "json"] | None,
        typer.Option(
            "--format",
            "-f",
            help="parquet, csv or jsonl; json with --author. Default: as the file's name ends, else jsonl.",
        ),
    ] = None,
    brand: Brand = None,
    since: Since = None,
    until: Until = None,
    changed_since: Annotated[
        str | None,
        typer.Option(
            "--changed-since",
            metavar="TOKEN",
            help="Only what is new, changed, corrected, left out or erased since the export that gave this token.",
        ),
    ] = None,
    bom: Annotated[
        bool, typer.Option("--bom", help="Begin a CSV with the mark by which Excel knows its letters.")
    ] = False,
    author: Authors = None,
    platform: Platform = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """All items with all their fields, those that do not count included, as one state of the store."""
    from monitor.exporting import ExportFailed
    from monitor.exporting import export as write

    if author or form == "json":
        _export_author(author, platform, output, form, config)
        return
    chosen = form or _form_of(output)
    _check(output, chosen, bom=bom, as_json=as_json)
    with opened(config) as app:
        wanted = _selection(app, brand, since, until, changed_since)
        try:
            with _place(output) as out:
                done = write(app.database, wanted, chosen, out, app.now(), bom=bom)
        except ExportFailed as error:
            raise Failure(str(error)) from error
        _tell(output, done.items, done.token, as_json=as_json)


def _export_author(
    names: list[str] | None, platform: str | None, output: Path, form: str | None, config: Path | None
) -> None:
    """All that is stored of an author, who may ask for it."""
    if not names:
        raise Failure("--format json: is for one author's data; name him with --author, or write jsonl", 2)
    if form not in (None, "json"):
        raise Failure(f"--format {form}: an author's data come as json only", 2)
    with opened(config) as app:
        export_author(app, names, platform, None if output == STANDARD_OUTPUT else output)


def _form_of(output: Path) -> Form:
    from monitor.exporting import FORMS

    return next((form for form in FORMS if output.suffix.lower() == f".{form}"), "jsonl")


def _check(output: Path, form: Form, *, bom: bool, as_json: bool) -> None:
    if output == STANDARD_OUTPUT and as_json:
        raise Failure("--json: the items go to standard output, too; name a file with --output", 2)
    if output == STANDARD_OUTPUT and form == "parquet" and sys.stdout.isatty():
        raise Failure("--format parquet: is not for the screen; name a file with --output", 2)
    if bom and form != "csv":
        raise Failure(f"--bom: is for CSV, and this is {form}; leave it out", 2)


def _selection(
    app: App, brand: list[str] | None, since: str | None, until: str | None, changed_since: str | None
) -> Selection:
    from storage import queries
    from storage.export import Selection

    known = sorted(queries.brand_ids(app.database))  # those that left the configuration, too
    for name in brand or ():
        if name not in known:
            raise Failure(f'--brand: no brand "{name}"; there are: {", ".join(known)}', 2)
    return Selection(tuple(brand or ()), instant(app, since), instant(app, until, up=True), changed_since)


@contextmanager
def _place(output: Path) -> Iterator[BinaryIO]:
    from monitor.exporting import whole_file

    if output != STANDARD_OUTPUT:
        with whole_file(output) as file:
            yield file
    else:
        yield sys.stdout.buffer
        sys.stdout.flush()


def _tell(output: Path, items: int, token: str, *, as_json: bool) -> None:
    if as_json:
        result: dict[str, Any] = {"file": str(output), "items": items, "token": token}
        print_json({**result, "size_bytes": output.stat().st_size})
        return
    name = "exported" if output == STANDARD_OUTPUT else str(output)
    line = f"{name}: {items:,} items; what changes from now on: --changed-since {token}"
    say(line) if output == STANDARD_OUTPUT else typer.echo(line)
