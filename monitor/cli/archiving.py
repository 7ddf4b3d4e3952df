"""Commands on the digests that were built: ``digests list``, ``digests show``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from monitor.cli.common import AsJson, ConfigPath, Failure, console, next_step, opened, print_json, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.app import App

Form = Literal["html", "txt", "md", "json"]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    digests = typer.Typer(help="The digests that were built, as they were built.", no_args_is_help=True)
    digests.command("list")(list_)
    digests.command("show")(show)
    app.add_typer(digests, name="digests")


def list_(
    name: Annotated[str | None, typer.Argument(help="Only this digest.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000)] = 30,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """The newest digests: of which period, when they were built, and where they went."""
    from storage import outbox

    with opened(config) as app:
        rows = outbox.archive(app.database, name, limit)
        if as_json:
            print_json({"digests": rows})
            return
        _table(app, rows)
        if rows:
            next_step(f"sentiment-monitor digests show {rows[0]['id']}")


def show(
    number: Annotated[int, typer.Argument(help="The digest's id, as digests list has it.")],
    form: Annotated[Form, typer.Option("--format", "-f", help="How it is written.")] = "txt",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Into this file instead of the terminal.")
    ] = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """A digest with the figures that it was built with, and the present words of the items it quotes."""
    from monitor.cli.showing import put_out
    from monitor.delivery import view_of
    from monitor.dressing import dressed
    from monitor.quotes import with_words
    from storage import outbox

    with opened(config) as app:
        row = outbox.stored_digest(app.database, number)
        if row is None:
            raise Failure(f"{number}: there is no digest of this id; digests list has them")
        if row["report"] is None:
            raise Failure(f"{number}: is not built yet; it waits for its sources")
        look = dressed(app, view_of(app, row["name"], row["period"]))
        text = look.render(with_words(app, row["report"]), "json" if as_json else form)
    put_out(text, output)


def _table(app: App, rows: Sequence[Mapping[str, Any]]) -> None:
    from rich.table import Table

    from monitor.digest.times import moment

    if not rows:
        say("no digest has been built yet")
        return
    table = Table("id", "digest", "period", "state", "built", "channels", box=None, pad_edge=False)
    zone = app.settings.monitor.zone
    for row in rows:
        built = moment(row["built_at"], zone) if row["built_at"] else "–"
        table.add_row(str(row["id"]), row["name"], row["period"], _state(row), built, _channels(row["channels"]))
    console().print(table)


def _state(row: Mapping[str, Any]) -> str:
    """In words: a digest is done with once nothing of it waits any more, taken or not."""
    if row["state"] == "due":
        return "failed, tried again" if row["error"] else "waits for its sources"
    return "built" if row["state"] == "built" else "done"


def _channels(states: Mapping[str, str]) -> str:
    told = {"sent": "sent", "failed": "failed"}
    return ", ".join(f"{name} {told.get(state, 'waiting')}" for name, state in states.items()) or "nowhere"
