"""``db erase`` and ``db prune``: what people said and who they are goes, the figures stay; and all that is stored of one author."""

from __future__ import annotations

import getpass
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.common import AsJson, ConfigPath, Failure, json_text, opened, print_json, say, short

if TYPE_CHECKING:
    from monitor.app import App
    from monitor.erasing import Found, Left
    from storage.retention import Act

Authors = Annotated[
    list[str] | None, typer.Option("--author", help="Everything by this author: name or id (may be repeated).")
]
Platform = Annotated[str | None, typer.Option("--platform", help="Only the author of this name there.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would go, and change nothing.")]
SHOWN = 20
"""Files and messages of one sort that are listed on the screen; --json has them all."""


def register(db: typer.Typer) -> None:
    """Add this file's commands."""
    db.command()(erase)
    db.command()(prune)


# -------------------------------------------------------------------------------------------------- erase


def erase(
    author: Authors = None,
    item: Annotated[list[int] | None, typer.Option("--item", help="The item with this number (repeatable).")] = None,
    platform: Platform = None,
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    by: Annotated[
        str | None, typer.Option("--by", help="Who does it, for the log.", show_default=False, callback=short)
    ] = None,
    compact: Annotated[
        bool | None,
        typer.Option("--compact/--no-compact", help="Write an SQLite file anew afterwards. Default: if it is small."),
    ] = None,
    log: Annotated[bool, typer.Option("--log", help="Show what was erased before: when, how much, by whom.")] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Erase what an author said, or single items, for good: words and names go, figures stay; nothing brings them back."""
    from monitor import erasing

    if not log and not author and not item:
        raise Failure("db erase: whom or what? name --author NAME or --item NUMBER, or see the --log", 2)
    with opened(config) as app:
        if log:
            _show_log(app, as_json=as_json)
            return
        found = erasing.find(app, author or (), item or (), platform)
        _refuse(found, author)
        if not as_json:
            _show_found(found)
        if not dry_run:
            _ask(found, yes=yes)
        act = None if dry_run else erasing.erase(app, found, by=by or getpass.getuser(), compact=compact)
        left = erasing.left_over(app, found.item_ids)
        if as_json:
            print_json(_told(found, act, left))
        else:
            _show_end(app, act, left, compact=compact)


def _refuse(found: Found, names: Sequence[str] | None) -> None:
    if found.missing:
        numbers = ", ".join(map(str, found.missing))
        raise Failure(f"--item {numbers}: not there, or erased already; `sentiment-monitor items` shows the numbers")
    if names and not found.authors:
        raise Failure("--author: nobody of that name or id is stored; look at how the platform writes it")


def _ask(found: Found, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise Failure("db erase: nobody is there to be asked; look with --dry-run, then add --yes", 2)
    if not typer.confirm(f"Erase {len(found.item_ids):,} items for good?", err=True):
        raise Failure("nothing was erased")


def _show_found(found: Found) -> None:
    from monitor.digest.escape import clean

    for one in found.authors:
        name = f"{one.name} ({one.external_id})" if one.name and one.name != one.external_id else one.external_id
        typer.echo(f"{clean(name, 200)} on {one.platform}")
    for part in found.parts:
        typer.echo(f"{clean(part.brand, 60)}, {clean(part.source, 60)}: {part.items:,} items")
    if not found.item_ids:
        typer.echo("no items")
    if found.mutes:
        typer.echo(
            f"{found.mutes} {'mute' if found.mutes == 1 else 'mutes'} of this author, who would be counted again"
        )


def _show_end(app: App, act: Act | None, left: Left, *, compact: bool | None) -> None:
    typer.echo(
        "nothing was erased (--dry-run)" if act is None else f"erased {act.items:,} items; figures are as before"
    )
    for line in _left_lines(left):
        typer.echo(line)
    typer.echo("exports, copies and backups made elsewhere are not known here; see to them yourself")
    file = app.database.file
    if act is not None and compact is None and file is not None and not _is_small(app):
        say("next: sentiment-monitor db erase ... --compact writes the file anew, so that its free space holds nothing")


def _is_small(app: App) -> bool:
    from monitor.erasing import is_small

    return is_small(app.database)


def _left_lines(left: Left) -> Iterator[str]:
    from monitor.digest.escape import clean

    sent = [f"{one.kind} {one.name} {one.period}".strip() + f" to {one.channel}, {_when(one)}" for one in left.messages]
    for what, entries in (
        ("files that may quote them, out of reach", [str(path) for path in left.files]),
        ("messages that may quote them, sent", sent),
        ("backups that hold them", [str(path) for path in left.backups]),
    ):
        if entries:
            yield f"{what}:"
            yield from (f"  {clean(entry, 300)}" for entry in entries[:SHOWN])
        if len(entries) > SHOWN:
            yield f"  and {len(entries) - SHOWN:,} more (--json has all)"


def _when(message: Any) -> str:
    return f"{message.at:%Y-%m-%d %H:%M}" if message.at is not None else message.state


def _told(found: Found, act: Act | None, left: Left) -> dict[str, Any]:
    return {
        "erased": act is not None,
        "items": len(found.item_ids) if act is None else act.items,
        "authors": len(found.authors),
        "mutes": found.mutes,
        "parts": [asdict(part) for part in found.parts],
        "out_of_reach": {
            "files": [str(path) for path in left.files],
            "messages": [asdict(message) for message in left.messages],
            "backups": [str(path) for path in left.backups],
        },
    }


def _show_log(app: App, *, as_json: bool) -> None:
    from monitor.digest.escape import clean
    from storage import retention

    acts = retention.acts(app.database)
    if as_json:
        print_json({"acts": [asdict(act) for act in acts]})
        return
    for act in acts:
        whose = "one author" if act.authors == 1 else f"{act.authors} authors"
        when = f"{act.at.astimezone(app.settings.monitor.zone):%Y-%m-%d %H:%M}"
        what = f"of {whose}" if act.authors else "named one by one"
        typer.echo(f"{when}  {act.items:,} items {what}, by {clean(act.by or 'unknown', 100)}")
    if not acts:
        typer.echo("nothing was erased yet")


# -------------------------------------------------------------------------------------------------- prune


def prune(dry_run: DryRun = False, config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Take the words and names from items that are older than their brand keeps them; figures stay. The daemon does it daily."""
    from monitor import retention
    from monitor.digest.escape import clean

    with opened(config) as app:
        done, lines = (retention.aged(app), 0) if dry_run else retention.prune(app)
        zone = app.settings.monitor.zone
    if as_json:
        print_json({"pruned": not dry_run, "brands": [asdict(one) for one in done], "log_lines": lines})
        return
    for one in done:
        says = "would lose" if dry_run else "lost"
        typer.echo(
            f"{clean(one.brand, 60)}: {one.items:,} items before {one.before.astimezone(zone):%Y-%m-%d} {says} their words"
        )
    if not done:
        typer.echo('every brand keeps its words for good; to change that: keep = "2y" under [monitor] or a brand')
    if lines:
        typer.echo(f"{lines:,} old lines of the log of pulls were deleted")


# ------------------------------------------------------------------------------------------------- access


def export_author(app: App, names: Sequence[str], platform: str | None, output: Path | None) -> None:
    """Write all that is stored of an author as one JSON document, into a file or (``None``) to standard output."""
    from monitor.erasing import everything
    from monitor.exporting import whole_file

    told = everything(app, names, platform)
    if told is None:
        raise Failure("--author: nobody of that name or id is stored; look at how the platform writes it")
    if output is None:
        print_json(told)
        return
    with whole_file(output) as file:
        file.write(f"{json_text(told)}\n".encode())
    say(f"{output}: {len(told['items']):,} items")
