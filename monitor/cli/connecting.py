"""``connectors``: which connectors there are and whose, and the beginnings of one of your own."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.common import AsJson, Failure, console, next_step, print_json, say, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.registry import Refused


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    words = "Which connectors there are and whose (`list`), and the beginnings of one of your own (`new`)."
    group = typer.Typer(help=words, no_args_is_help=True)
    group.command("list")(show)
    group.command("new")(new)
    app.add_typer(group, name="connectors")


def show(as_json: AsJson = False) -> None:
    """Every connector and the package that brings it; what is installed but cannot be used, and why."""
    from connectors import registry

    found = [
        {"name": plugin.name, "title": plugin.title, "package": registry.package(plugin.name)}
        for plugin in registry.plugins()
    ]
    refused = registry.refused()
    if as_json:
        print_json({"connectors": found, "refused": [asdict(one) for one in refused]})
        return
    _list(found, refused)
    next_step("sentiment-monitor sources types NAME")


def _list(found: Sequence[dict[str, str | None]], refused: Sequence[Refused]) -> None:
    from rich.table import Table

    from monitor.digest.escape import clean

    table = Table(whole("name"), "what", "from", box=None, pad_edge=False)
    for one in found:
        table.add_row(*(clean(text, 80) or "" for text in (one["name"], one["title"], one["package"] or "built in")))
    console().print(table)
    for fault in refused:
        say(f"not used: {fault}")


def new(
    name: Annotated[str, typer.Argument(help="What it is called: the `type` of its sources, such as my_forum.")],
    folder: Annotated[
        Path | None, typer.Option("--folder", help="Where to write it. Default: sentiment-monitor-NAME, here.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Write the package of a connector of your own: it passes its tests as it is, and is yours to change from there."""
    from monitor import scaffold

    fault = scaffold.fault_of(name)
    if fault is not None:
        raise Failure(f"a connector cannot be called {fault}", 2)
    place = folder or Path(scaffold.distribution_of(name))
    try:
        written = scaffold.write(name, place)
    except FileExistsError as error:
        raise Failure(f"{place}: is there already, nothing was written; name another with --folder", 2) from error
    except OSError as error:
        raise Failure(f"{place}: cannot be written: {error.strerror}; name another with --folder") from error
    if as_json:
        print_json({"name": name, "folder": str(place), "files": [str(path.relative_to(place)) for path in written]})
        return
    typer.echo(f"{place}: a connector called {name}, in {len(written)} files")
    for line in _steps(name, place):
        say(line)


def _steps(name: str, place: Path) -> Sequence[str]:
    return (
        f'1. cd {place} && pip install -e ".[dev]"',
        "2. python -m pytest: it passes as it is, against a fake of an invented platform",
        f"3. make it your platform's: tests/fake_{name}.py says how it answers, src/sentiment_monitor_{name} asks and reads it",
        f"4. sentiment-monitor try {name}, and then: sentiment-monitor add {name}",
        "docs/connectors/writing.md leads through all of it",
    )
