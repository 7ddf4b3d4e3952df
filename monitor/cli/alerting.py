"""``alerts``: what is or was unusual, and what would have been."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from monitor.cli.common import (
    AsJson,
    By,
    ConfigPath,
    Failure,
    Since,
    console,
    next_step,
    opened,
    print_json,
    say,
    whole,
)

if TYPE_CHECKING:
    from datetime import timedelta, tzinfo

    from monitor import figures as f
    from monitor.alerting import Replayed
    from monitor.app import App
    from monitor.config.watching import AlertSettings

NONE = 'no alert is configured; add [[alerts]] with name = "spike" and kind = "volume"'
Number = Annotated[int, typer.Argument(help="An alert's number, as `alerts list` shows it.")]


def register(app: typer.Typer) -> None:
    """Add this file's commands."""
    group = typer.Typer(no_args_is_help=True, help="What is or was unusual, and what would have been.")
    group.command("list")(list_)
    group.command()(ack)
    group.command()(snooze)
    group.command()(replay)
    app.add_typer(group, name="alerts")


def list_(
    only_open: Annotated[bool, typer.Option("--open", help="Only what is not over.")] = False,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """What is or was unusual, the newest first."""
    from monitor.expectations import alert_figure
    from storage import alerts

    with opened(config) as app:
        found = alerts.episodes(app.database, open_only=only_open, limit=200)
        shown = [(one.brand, alert_figure(app, one)) for one in found]
        zone = app.settings.monitor.zone
        configured = bool(app.settings.alerts)
    if as_json:
        print_json({"alerts": [{"brand": brand, **one.model_dump(mode="json")} for brand, one in shown]})
    elif not shown:
        say("nothing is unusual" if only_open and configured else "no alert has fired" if configured else NONE)
    else:
        _show([one for _, one in shown], zone)
        next_step("sentiment-monitor alerts ack ID")


def _show(found: Sequence[f.Alert], zone: tzinfo) -> None:
    from rich.table import Table

    from monitor.digest import escape
    from monitor.digest.alert_words import alert_state

    table = Table(whole("id"), whole("alert"), "about", "what", "when", "state", box=None, pad_edge=False)
    for one in found:
        when = alert_state(one.since, one.until, zone)
        table.add_row(str(one.id), escape.name(one.name), escape.name(one.subject), one.words, when, _state(one))
    console().print(table)


def _state(one: f.Alert) -> str:
    said = "found in the history, not sent" if one.found_in_history else "told" if one.told else "not told"
    return f"{one.state}, {said}{', seen to' if one.acknowledged else ''}"


def ack(number: Number, by: By = None, config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Say that somebody has seen to it."""
    from storage import alerts

    with opened(config) as app:
        done = alerts.acknowledge(app.database, number, by, app.now())
    if done is None:
        raise Failure(f"alert {number}: is not there; `sentiment-monitor alerts list` shows each with its number")
    if as_json:
        print_json({"id": number, "acknowledged_at": done.acknowledged_at, "acknowledged_by": done.acknowledged_by})
    else:
        say(f"alert {number}: seen to{f' by {done.acknowledged_by}' if done.acknowledged_by else ''}")


def snooze(
    which: Annotated[str, typer.Argument(metavar="ID|NAME", help="One alert by number, or all of a name.")],
    length: Annotated[str, typer.Option("--for", help="How long: 2d, 8h ...")] = "1d",
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Send no messages for a while; what lasts longer is told afterwards."""
    from storage import alerts

    with opened(config) as app:
        until = app.now() + _length(length)
        if which.isascii() and which.isdecimal():
            if alerts.snooze_episode(app.database, int(which), until) is None:
                raise Failure(
                    f"alert {which}: is not there; `sentiment-monitor alerts list` shows each with its number"
                )
        else:
            (alert,) = _wanted(app, which)
            alerts.snooze_alert(app.database, alert.name, until)
        zone = app.settings.monitor.zone
    if as_json:
        print_json({"snoozed": which, "until": until})
    else:
        from monitor.digest.times import moment

        say(f"{which}: no messages until {moment(until, zone)}")


def replay(
    name: Annotated[str | None, typer.Argument(help="The alert; all without it.")] = None,
    since: Since = "90d",
    alpha: Annotated[float | None, typer.Option("--alpha", help="As if it were configured so.")] = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """When each alert would have fired over the stored history, and how often chance alone would fire it. Nothing is sent."""
    from monitor.alerting import replay as replayed
    from monitor.schedule import parse_since

    if alpha is not None and not 0 < alpha < 0.5:
        raise Failure(f"--alpha {alpha:g}: is no chance; write one above 0 and below 0.5, such as 0.001", 2)
    with opened(config) as app:
        wanted = [one if alpha is None else one.model_copy(update={"alpha": alpha}) for one in _wanted(app, name)]
        try:
            begin = parse_since(since or "90d", app.now(), app.settings.monitor.zone)
        except ValueError as error:
            raise Failure(f"--since: {error}", 2) from error
        if begin >= app.now():
            raise Failure(f"--since {since}: is not over yet; write an earlier time", 2)
        found = replayed(app, wanted, begin)
        zone = app.settings.monitor.zone
    if as_json:
        print_json({"replay": [_told(one, zone) for one in found]})
    else:
        _show_replay(found, zone)


def _length(text: str) -> timedelta:
    from monitor.schedule import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise Failure(str(error), 2) from error


def _wanted(app: App, name: str | None) -> list[AlertSettings]:
    known = {alert.name: alert for alert in app.settings.alerts}
    if not known:
        raise Failure(NONE, 2)
    if name is not None and name not in known:
        raise Failure(f'no alert "{name}"; there are: {", ".join(known)}', 2)
    return list(known.values()) if name is None else [known[name]]


def _told(one: Replayed, zone: tzinfo) -> dict[str, Any]:
    from monitor.digest.alert_words import alert

    kind = one.subject.alert.kind
    return {
        "name": one.subject.alert.name,
        "kind": kind,
        "subject": one.subject.name,
        "brand": one.subject.brand,
        "alpha": one.subject.alert.chance,
        "judged": one.judged,
        "false_alarms_a_year": one.false_a_year,
        "fired": [
            {
                "since": episode.begun_at,
                "until": episode.ended_at,
                "figures": dict(episode.figures),
                "words": alert(kind, episode.figures, zone),
            }
            for episode in one.episodes
        ],
    }


def _show_replay(found: Sequence[Replayed], zone: tzinfo) -> None:
    from monitor.digest import escape
    from monitor.digest.alert_words import alert, alert_state

    out = console()
    for one in found:
        settings = one.subject.alert
        out.print(f"{escape.name(settings.name)}, {escape.name(one.subject.name)}: {_summary(one)}", soft_wrap=True)
        for episode in one.episodes:
            said = alert(settings.kind, episode.figures, zone)
            when = alert_state(episode.begun_at, episode.ended_at, zone)
            out.print(f"  {when}: {said}", soft_wrap=True)


def _summary(one: Replayed) -> str:
    unit = one.subject.alert.period
    if not one.judged:
        return f"no {unit} could be judged: two weeks of history without gaps come first"
    fired = f"fired {len(one.episodes)} time{'' if len(one.episodes) == 1 else 's'}"
    chance = f"by chance alone about {one.false_a_year:.1g} times a year" if one.false_a_year is not None else ""
    return f"{fired} in {one.judged:,} {unit}s; {chance}"
