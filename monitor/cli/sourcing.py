"""``sources``: how each source is, its last pulls, and which types there are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from monitor.cli import steering
from monitor.cli.common import AsJson, ConfigPath, Failure, console, next_step, opened, print_json, say, whole

if TYPE_CHECKING:
    from datetime import datetime

    from monitor.app import App
    from monitor.catalogue import Card
    from monitor.health import Health
    from monitor.parties import Party
    from storage.records import Left

USUAL = "show"


class _Sources(TyperGroup):
    """``sources [NAME]`` means ``sources show [NAME]``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        known = {*self.commands, *ctx.help_option_names}
        return super().parse_args(ctx, args if args and args[0] in known else [USUAL, *args])


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    words = "How each source is (`sources`), and which types there are (`sources types`)."
    group = typer.Typer(cls=_Sources, help=words)
    group.command(USUAL)(show)
    group.command("types")(types)
    steering.register(group)
    app.add_typer(group, name="sources")


def show(
    name: Annotated[str | None, typer.Argument(help="Show this source's last pulls, too.")] = None,
    healthy: Annotated[
        bool, typer.Option("--healthy", help="Only say by the exit code whether sources are being read: 0 or 1.")
    ] = False,
    here: Annotated[
        bool,
        typer.Option("--here", help="With --healthy: and whether this machine's daemon was heard of within minutes."),
    ] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Each source's state: who reads it, what is wrong, when it is read next. `sources NAME` does the same."""
    if here and not healthy:
        raise Failure("--here: goes with --healthy; add that", 2)
    with opened(config) as app:
        if healthy:
            _tell_whether_healthy(app, here=here, as_json=as_json)
        else:
            _show(app, name, as_json=as_json)


def _tell_whether_healthy(app: App, *, here: bool, as_json: bool) -> None:
    from monitor.health import is_alive, is_heard_of

    read, heard = is_alive(app), not here or is_heard_of(app)
    if as_json:
        print_json({"healthy": read and heard})
    if not read:
        raise Failure("no source has been read for a long while; is the daemon running?")
    if not heard:
        raise Failure("no daemon of this machine has been heard of for minutes; does it hang?")


def _show(app: App, name: str | None, *, as_json: bool) -> None:
    from monitor.health import health_of_sources
    from monitor.parties import lines, parties
    from storage import queries

    others = parties(app)
    states = health_of_sources(app, others)
    if name is not None and name not in {state.name for state in states}:
        raise Failure(f'no source "{name}"; there are: {", ".join(state.name for state in states)}', 2)
    chosen = [state for state in states if name in (None, state.name)]
    pulls = queries.pulls(app.database, name, 20) if name is not None else []
    if as_json:
        daemons = [_told_party(one) for one in others]
        print_json({"sources": [_told(state) for state in chosen], "pulls": pulls, "daemons": daemons})
        return
    _show_states(app, chosen)
    for line in lines(others, app):
        say(line)
    if name is not None:
        _show_pulls(app, pulls)
    elif not states:
        next_step("sentiment-monitor add TYPE")


def _told(state: Health) -> dict[str, Any]:
    return {**asdict(state), "budget": [_told_limit(one) for one in state.budget]}


def _told_party(party: Party) -> dict[str, Any]:
    from monitor.parties import difference_words

    keys = ("owner", "host", "process", "started_at", "seen_at", "fault")
    told = {key: getattr(party, key) for key in keys}
    return told | {"differs": [asdict(one) for one in party.differs], "words": difference_words(party.differs)}


def _told_limit(left: Left) -> dict[str, Any]:
    return {
        "requests": left.limit.amount,
        "seconds": left.limit.seconds,
        "spent": left.spent,
        "left": left.units,
        "wait_seconds": None if left.wait is None else round(left.wait.total_seconds(), 3),
    }


def _show_states(app: App, states: Sequence[Health]) -> None:
    from rich.table import Table

    from monitor.digest.escape import clean

    table = Table(whole("source"), "state", whole("newest item"), whole("next"), box=None, pad_edge=False)
    for state in states:
        sent_to = f"send to it: {state.sent_to}" if state.sent_to else None
        words = "; ".join(part for part in (state.words, budget_words(state), sent_to) if part)
        name, told = clean(state.name, 60) or "", clean(words, 400) or ""
        table.add_row(name, told, _age(state, app.now()), _coming(app, state))
    console().print(table)


def _age(state: Health, now: datetime) -> str:
    from monitor.health import length

    return "none yet" if state.newest_item_at is None else f"{length(now - state.newest_item_at)} old"


def _coming(app: App, state: Health) -> str:
    if state.next_run_at is None:
        return ""
    if state.next_run_at <= app.now():
        return "due now"
    return f"{state.next_run_at.astimezone(app.settings.monitor.zone):%d %b %H:%M}"


def budget_words(state: Health) -> str | None:
    """What is left of a source's request budget; ``None`` where it has none."""
    if not state.budget:
        return None
    from monitor.budgets import left_words

    return f"budget of {state.budget_of}: {left_words(state.budget)}"


def _show_pulls(app: App, pulls: Sequence[Mapping[str, Any]]) -> None:
    from rich.table import Table

    from monitor.digest.escape import clean

    table = Table("begun", "result", "read", "new", "changed", "left out", "why", box=None, pad_edge=False, expand=True)
    zone = app.settings.monitor.zone
    for pull in pulls:
        result = {True: "good", False: "failed", None: "cut off"}[pull["ok"]]
        why = pull["error"] or "; ".join(f"{what}: {reason}" for what, reason in pull["skips"] or ())
        table.add_row(
            f"{pull['begun_at'].astimezone(zone):%d %b %H:%M:%S}",
            result,
            *(str(pull[key]) for key in ("seen", "new", "changed", "skipped")),
            clean(why, 300) or "",
        )
    console().print(table)


# --------------------------------------------------------------------------------------------------- types


def types(
    name: Annotated[str | None, typer.Argument(help="One type, with all its options.")] = None,
    as_json: AsJson = False,
) -> None:
    """Which types of sources there are: what each brings and needs, its options, limits and law."""
    from connectors import registry
    from monitor.catalogue import card, cards

    found, refused = cards(), registry.refused()
    if name is not None and name not in {one.name for one in found}:
        broken = next((one for one in refused if one.name == name), None)
        raise Failure(str(broken or _no_type(name, [one.name for one in found])), 2)
    if as_json:
        told = [asdict(one) for one in found if name in (None, one.name)]
        print_json({"types": told, "refused": [asdict(one) for one in refused if name in (None, one.name)]})
    elif name is None:
        _list_types(found)
        for one in refused:
            say(f"not used: {one}")
        next_step("sentiment-monitor sources types NAME")
    else:
        _show_type(card(name))
        next_step(f"sentiment-monitor add {name}")


def _no_type(name: str, known: Sequence[str]) -> str:
    from monitor.config.faults import nearest

    near = nearest(name, known)
    hint = f'did you mean "{near}"? ' if near else ""
    return f'no type "{name[:60]}"; {hint}there are: {", ".join(known)}'


def _list_types(found: Sequence[Card]) -> None:
    from rich.table import Table

    table = Table(whole("type"), "what", "brings", "needs", "tried", box=None, pad_edge=False, expand=True)
    for one in found:
        table.add_row(one.name, one.title, one.brings, one.needs, one.tried)
    console().print(table)


def _show_type(one: Card) -> None:
    from rich.table import Table

    out = console()
    out.print(f"{one.name}: {one.title}", soft_wrap=True)
    lines = [f"brings {one.brings}", *one.can, f"needs {one.needs}", *one.limits, one.notes, one.tried_words]
    for line in lines:
        out.print(f"- {line}", soft_wrap=True)
    table = Table(whole("option"), "type", "default", "meaning", box=None, pad_edge=False, expand=True)
    for option in one.options:
        table.add_row(option.name, option.type, "needed" if option.needed else option.default or "none", option.meaning)
    out.print(table)
