"""The command that writes down what happened when: ``annotate``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.common import AsJson, By, ConfigPath, Failure, brands_of, next_step, opened, print_json

if TYPE_CHECKING:
    from datetime import tzinfo

    from monitor.annotations import Noted
    from monitor.app import App

LONGEST = 200
"""Characters of an annotation."""
When = Annotated[str | None, typer.Option("--at", help="When: 2026-11-13, 2026-11-13T09:00 or 9d (nine days ago).")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    app.command()(annotate)


def annotate(
    text: Annotated[str | None, typer.Argument(help='What happened: "release 2.0".')] = None,
    at: When = None,
    until: Annotated[str | None, typer.Option("--until", help="The end of what lasted, not included.")] = None,
    brand: Annotated[str | None, typer.Option("--brand", "-b", help="Of this brand (default: of all).")] = None,
    by: By = None,
    remove: Annotated[int | None, typer.Option("--remove", help="Take away the one of this number.")] = None,
    list_: Annotated[bool, typer.Option("--list", help="Show all that is written down.")] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Write down what happened when; figures then show the score before and after it, and claim no cause."""
    if (text is not None) + (remove is not None) + list_ != 1:
        raise Failure("annotate: give a text with --at, or --list, or --remove NUMBER", 2)
    with opened(config, makes_store=True) as app:
        if brand is not None:
            brands_of(app, [brand])
        if remove is not None:
            _remove(app, remove, as_json=as_json)
        elif text is None:
            _list(app, brand, as_json=as_json)
        else:
            _add(app, text, at, until, brand, by, as_json=as_json)


def _add(
    app: App, text: str, at: str | None, until: str | None, brand: str | None, by: str | None, *, as_json: bool
) -> None:
    from monitor.digest import escape
    from storage import annotations as stored

    words, who = escape.clean(text, LONGEST), escape.clean(by, escape.NAME)
    if words is None:
        raise Failure("annotate: the text is empty; write what happened", 2)
    if at is None:
        raise Failure("--at: is missing; write when it happened, such as --at 2026-11-13", 2)
    begun, ended = _moment(app, "--at", at), None if until is None else _moment(app, "--until", until)
    if ended is not None and ended <= begun:
        raise Failure("--until: is not after --at; turn them round", 2)
    added = stored.add(app.database, words, begun, app.now(), until=ended, brand=brand, by=who)
    if as_json:
        print_json({name: getattr(added, name) for name in type(added).__slots__})
        return
    typer.echo(
        f"annotation {added.id}: {_line(added.text, added.at, added.until, added.brand, app.settings.monitor.zone)}"
    )
    next_step("sentiment-monitor scores --since 30d")


def _moment(app: App, option: str, text: str) -> datetime:
    from monitor.schedule import parse_since

    try:
        return parse_since(text, app.now(), app.settings.monitor.zone)
    except ValueError as error:
        raise Failure(f"{option}: {error}", 2) from error


def _remove(app: App, number: int, *, as_json: bool) -> None:
    from storage import annotations as stored

    if not stored.remove(app.database, number):
        raise Failure(
            f"annotation {number}: there is none; `sentiment-monitor annotate --list` shows each with its number"
        )
    if as_json:
        print_json({"removed": number})
        return
    typer.echo(f"annotation {number}: removed")


def _list(app: App, brand: str | None, *, as_json: bool) -> None:
    from monitor.annotations import noted

    names = [brand] if brand is not None else [one.name for one in app.settings.brands]
    everything = {(one.at, one.text, one.brand, one.id): one for name in names for one in noted(app, name)}
    found = [everything[key] for key in sorted(everything, key=lambda key: (key[0], key[1], key[2] or ""))]
    if as_json:
        print_json({"annotations": [_told(one) for one in found]})
        return
    for one in found:
        number = f"annotation {one.id}: " if one.id is not None else ""
        typer.echo(f"{number}{_line(one.text, one.at, one.until, one.brand, app.settings.monitor.zone)}")
    if not found:
        typer.echo("nothing is written down yet")


def _told(one: Noted) -> dict[str, Any]:
    return {name: getattr(one, name) for name in type(one).__slots__}


def _line(text: str, at: datetime, until: datetime | None, brand: str | None, zone: tzinfo) -> str:
    from monitor.digest import escape, times

    when = f"{times.moment(at, zone)} {at.astimezone(zone).year}"
    when += f" to {times.moment(until, zone)}" if until is not None else ""
    return f"{escape.clean(text, LONGEST) or '–'}, {when}, {'all brands' if brand is None else escape.name(brand)}"
