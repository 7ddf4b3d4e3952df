"""``sources pause``, ``sources resume``, ``sources pull``: what a person asks of whichever daemon reads a source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from monitor.cli.common import AsJson, ConfigPath, Failure, next_step, opened, print_json, say

if TYPE_CHECKING:
    from monitor.app import App
    from monitor.steering import Asked

Name = Annotated[str, typer.Argument(help="The source.")]


def register(group: typer.Typer) -> None:
    """Add this file's commands."""
    group.command()(pause)
    group.command()(resume)
    group.command("pull")(pull_soon)


def pause(
    name: Name,
    reason: Annotated[str, typer.Option("--reason", "-r", help="Why, for those who wonder.")] = "",
    by: Annotated[str | None, typer.Option("--by", help="Who pauses it (default: who is logged in).")] = None,
    config: ConfigPath = None,
    as_json: AsJson = False,
) -> None:
    """Let a source rest until somebody resumes it, across restarts; nothing of it is deleted."""
    from monitor import steering

    with _steered(config) as app:
        steering.pause(app, name, by or _who(), reason)
    if as_json:
        print_json({"source": name, "paused": True})
        return
    say(f"{name}: paused; what is being read of it now is read to its end")
    next_step(f"sentiment-monitor sources resume {name}")


def resume(name: Name, config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Go on with a paused source, at once, whoever or whatever paused it."""
    from monitor import steering

    with _steered(config) as app:
        steering.resume(app, name)
    if as_json:
        print_json({"source": name, "paused": False})
        return
    say(f"{name}: goes on; the daemon reads it at once")


def pull_soon(name: Name, config: ConfigPath = None, as_json: AsJson = False) -> None:
    """Ask the daemon to read a source now. (`sentiment-monitor pull` reads it here, without the daemon.)"""
    from monitor import steering

    with _steered(config) as app:
        asked = steering.pull_soon(app, name)
        words = _words(app, name, asked)
    if as_json:
        print_json({"source": name, "outcome": asked.outcome, "until": asked.until})
    else:
        say(words)
    if asked.outcome in ("waiting", "unattended"):
        raise Failure([], 1)


def _words(app: App, name: str, asked: Asked) -> str:
    if asked.outcome == "running":
        return f"{name}: is being read right now"
    if asked.outcome == "waiting" and asked.until is not None:
        at = asked.until.astimezone(app.settings.monitor.zone)
        return f"{name}: its platform has asked to be left alone until {at:%d %b %H:%M}; it is read then"
    if asked.outcome == "unattended":
        return f"{name}: due now, but no daemon runs that reads it; start one with sentiment-monitor run, or use pull"
    return f"{name}: asked for; the daemon reads it within seconds"


@contextmanager
def _steered(config: ConfigPath) -> Iterator[App]:
    from monitor.steering import CannotSteer

    with opened(config) as app:
        try:
            yield app
        except CannotSteer as error:
            raise Failure(str(error), 2) from error


def _who() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "somebody"
