"""The command ``deliveries``: what was sent where, and trying again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.common import AsJson, ConfigPath, Failure, console, opened, print_json, say

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from monitor.app import App


def register(app: typer.Typer) -> None:
    """Add this file's command."""
    app.command()(deliveries)


def deliveries(
    retry: Annotated[int | None, typer.Option("--retry", help="Try this failed one again now, by its id.")] = None,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try all failed ones again now.")] = False,
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000)] = 30,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """The newest deliveries: which digest, alert or rule's message went where, and what went wrong."""
    from monitor.delivery import deliver_due
    from storage import outbox

    with opened(config) as app:
        again = outbox.failed_ids(app.database) if retry_failed else [retry] if retry is not None else []
        for number in again:
            if not outbox.requeue(app.database, number, app.now()) and number == retry:
                raise Failure(f"--retry {retry}: there is no failed delivery of this id; deliveries lists them")
        if again:
            deliver_due(app)
        rows = outbox.deliveries(app.database, limit)
        if as_json:
            print_json({"deliveries": rows})
        else:
            _show(app, rows)
        if left := sorted(set(again) & set(outbox.unsent_ids(app.database))):
            raise Failure([f"delivery {number}: not sent" for number in left])


def _show(app: App, rows: Sequence[Mapping[str, Any]]) -> None:
    from rich.table import Table

    from monitor.digest.escape import clean

    if not rows:
        say("nothing has been sent yet")
        return
    table = Table("id", "kind", "name", "period", "channel", "state", "tries", "when", "why", box=None, pad_edge=False)
    zone = app.settings.monitor.zone
    for row in rows:
        when = row["sent_at"] or row["next_try_at"]
        told = {"sent": "sent", "failed": "failed"}.get(row["state"], "waiting")
        table.add_row(
            *(str(row["id"]), row["kind"], row["digest"], row["period"], row["channel"], told, str(row["attempts"])),
            f"{when.astimezone(zone):%d %b %H:%M}",
            clean(row["error"], 300) or "",
        )
    console().print(table)
