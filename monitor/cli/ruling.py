"""``rules``: which there are, and what they would have caught."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.common import (
    AsJson,
    ConfigPath,
    Failure,
    Until,
    console,
    next_step,
    opened,
    print_json,
    say,
    whole,
    window_of,
)

if TYPE_CHECKING:
    from monitor.app import App
    from monitor.config import Settings
    from monitor.rule_trials import Trial
    from monitor.rules import Rule
    from storage.arrivals import RuleItem

DAYS_SHOWN = 31
TRIED = "(--when)"
"""The name of an expression that is no rule yet."""


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(
        no_args_is_help=True, help="Rules on single items: which there are, and what they would have caught."
    )
    group.command("list")(list_)
    group.command("test")(tried)
    app.add_typer(group, name="rules")


def list_(config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Every rule: what it asks for, whom it tells, and how often it fired in the last 30 days."""
    from datetime import timedelta

    from storage import arrivals

    with opened(config) as app:
        fired = arrivals.fired_since(app.database, app.now() - timedelta(days=30))
    rows = [_told_rule(rule) | {"fired_30_days": fired.get(rule.name, 0)} for rule in app.settings.rules]
    if as_json:
        print_json({"rules": rows})
    elif not rows:
        say("there are no rules; docs/rules.md shows how to write one")
    else:
        _show_rules(rows)
        next_step("sentiment-monitor rules test")


def tried(
    name: Annotated[str | None, typer.Argument(help="Only this rule, even if it is not enabled.")] = None,
    when: Annotated[
        str | None, typer.Option("--when", help='Instead of a rule: an expression such as "rating <= 2".')
    ] = None,
    since: Annotated[
        str, typer.Option("--since", help="From: 30d, 2026-11-01, 2026-W44 or an ISO time; to the quarter of an hour.")
    ] = "30d",
    until: Until = None,
    brand: Annotated[list[str] | None, typer.Option("--brand", "-b", help="With --when: only this brand.")] = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """What rules would have caught of what is stored, by day and with examples. Nobody is told, nothing changes."""
    from monitor.cli.common import brands_of
    from monitor.rule_trials import try_out

    if when is not None and name is not None:
        raise Failure("--when: stands beside the name of a rule; leave one of them out", 2)
    if brand and when is None:
        raise Failure("--brand: goes with --when; a rule has brands of its own", 2)
    with opened(config) as app:
        chosen = (
            _chosen(app.settings, name) if when is None else [_expression(app.settings, when, brands_of(app, brand))]
        )
        window = window_of(app, since, until)
        trials = try_out(app.database, chosen, list(app.brands), window.start, window.end, app.settings.monitor.zone)
        if as_json:
            print_json({"since": window.start, "until": window.end, "rules": [_told(trial) for trial in trials]})
        else:
            _show(app, trials)


def _chosen(settings: Settings, name: str | None) -> list[Rule]:
    from monitor.firing import ready, rules_of

    if name is None:
        return rules_of(settings)
    found = [rule for rule in settings.rules if rule.name == name]
    if not found:
        names = ", ".join(rule.name for rule in settings.rules) or "none"
        raise Failure(f'no rule "{name}"; there are: {names}', 2)
    return [ready(settings, rule) for rule in found]


def _expression(settings: Settings, when: str, brands: Sequence[str]) -> Rule:
    from monitor.firing import condition
    from monitor.query import QueryError
    from monitor.rules import Rule

    try:
        return Rule(TRIED, condition(settings, when), frozenset(brands))
    except QueryError as error:
        fact, _, rest = str(error).partition("\n")
        raise Failure([f"--when: {fact}", *rest.split("\n")], 2) from error


# ------------------------------------------------------------------------------------------------- showing


def _told_rule(rule: Any) -> dict[str, Any]:
    names = ("name", "when", "brands", "channels", "max_per_hour", "enabled")
    return {name: getattr(rule, name) for name in names}


def _show_rules(rows: Sequence[dict[str, Any]]) -> None:
    from rich.table import Table

    from monitor.digest.escape import clean

    table = Table(whole("rule"), "when", "brands", "tells", "at once", "last 30 days", box=None, pad_edge=False)
    for row in rows:
        table.add_row(
            *(clean(row["name"], 60), clean(row["when"], 200), ", ".join(row["brands"]) or "all"),
            ", ".join(row["channels"]) or "nobody",
            f"{row['max_per_hour']} an hour" if row["enabled"] else "not enabled",
            str(row["fired_30_days"]),
        )
    console().print(table)


def _told(trial: Trial) -> dict[str, Any]:
    return {
        "rule": trial.rule.name,
        "when": trial.rule.condition.text,
        "caught": trial.caught,
        "looked_at": trial.looked_at,
        "busiest_hour": trial.busiest_hour,
        "by_day": dict(sorted(trial.by_day.items())),
        "examples": [_told_item(item) for item in reversed(trial.examples)],
    }


def _told_item(item: RuleItem) -> dict[str, Any]:
    names = ("id", "brand", "source", "kind", "published_at", "label", "stars", "author", "title", "text", "url")
    return {name: getattr(item, name) for name in names}


def _show(app: App, trials: Sequence[Trial]) -> None:
    from monitor.digest.escape import clean

    if not trials:
        say('no rule is enabled; try an expression with --when "rating <= 2"')
    for number, trial in enumerate(trials):
        out = console()
        if number:
            out.print()
        rule = trial.rule
        name = "" if rule.name == TRIED else f"{clean(rule.name, 60)}: "
        out.print(f"{name}{clean(rule.condition.text, 300)}", soft_wrap=True)
        most = f", {trial.busiest_hour} in the busiest hour" if trial.caught else ""
        out.print(f"would have caught {trial.caught:,} of {trial.looked_at:,} items{most}", soft_wrap=True)
        if trial.caught:
            _show_days(trial)
            _show_examples(app, trial)


def _show_days(trial: Trial) -> None:
    most = max(trial.by_day.values())
    days = sorted(trial.by_day.items())
    if len(days) > DAYS_SHOWN:
        console().print(f"  ({len(days) - DAYS_SHOWN} earlier days are left out)")
    for day, count in days[-DAYS_SHOWN:]:
        console().print(f"  {day} {count:>5} {'█' * max(1, round(30 * count / most))}")


def _show_examples(app: App, trial: Trial) -> None:
    from monitor.digest.escape import clean

    zone = app.settings.monitor.zone
    for item in reversed(trial.examples):
        stars = f" {item.stars:g}★" if item.stars is not None else ""
        words = clean(" · ".join(part for part in (item.title, item.text) if part), 100) or "(no words)"
        when = f"{item.published_at.astimezone(zone):%d %b %H:%M}"
        head = f"  [{item.id}] {when} {clean(item.source, 40)}{stars} {item.label or 'unscored'}:"
        console().print(f"{head} {words}", soft_wrap=True)
