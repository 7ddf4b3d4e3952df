"""What a person tells the daemons through the store: let this source rest, go on with it, read it now.

Whoever runs on the store heeds it: the command line and the dashboard need not know which process reads a source.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from monitor.app import App
from monitor.sent_to import address_of, takes_what_is_sent
from storage import parties, sources
from storage.records import SourceState

NO_REASON: Final = "no reason given"


class CannotSteer(Exception):
    """What was asked of a source makes no sense; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of asking for a pull.

    ``soon``: a daemon reads it within seconds; ``running``: it is being read right now; ``waiting``: its platform has asked to
    be left alone until then; ``unattended``: it is due, and no daemon runs that would read it.
    """

    outcome: Literal["soon", "running", "waiting", "unattended"]
    until: datetime | None = None


def pause(app: App, name: str, by: str, reason: str = "") -> None:
    """Let a source rest until somebody resumes it, across restarts. A pull under way ends well. ``CannotSteer``."""
    state = _state(app, name)
    if state.paused_by is not None:
        raise CannotSteer(f'{name}: is paused already, by {state.paused_by} ("{state.paused}"); resume it first')
    if not _is_line(by, 100) or not by.strip():
        raise CannotSteer("by: has to be one line of at most 100 characters; name who pauses it")
    if not _is_line(reason, 300):
        raise CannotSteer("reason: has to be one line of at most 300 characters; say it shorter")
    sources.pause(app.database, name, by.strip(), reason.strip() or NO_REASON)


def resume(app: App, name: str) -> None:
    """Go on with a paused source, at once, whoever or whatever paused it. ``CannotSteer`` where it is not paused."""
    _state(app, name)
    if not sources.resume(app.database, name, app.now()):
        raise CannotSteer(f"{name}: is not paused; nothing to resume")


def pull_soon(app: App, name: str) -> Asked:
    """Ask for a pull now. A source that paused itself is tried again; one that a person paused is refused: ``CannotSteer``."""
    state, now = _state(app, name), app.now()
    if state.paused_by is not None:
        raise CannotSteer(
            f"{name}: paused by {state.paused_by}; resume it first: sentiment-monitor sources resume {name}"
        )
    if not state.active:
        raise CannotSteer(f"{name}: is in no daemon's configuration any more; add it there first")
    if any(one.name == name and takes_what_is_sent(one) for one in app.settings.enabled_sources):
        raise CannotSteer(f"{name}: is not pulled, others send to it: {address_of(app.settings, name)}")
    if state.lease_until is not None and state.lease_until > now:
        return Asked("running")
    if state.fate == "ratelimited" and state.next_run_at > now:
        return Asked("waiting", state.next_run_at)
    if state.paused is not None:
        sources.resume(app.database, name, now)
    sources.bring_forward(app.database, [name], now)
    return Asked("soon" if _is_attended(app, name) else "unattended")


def held(app: App) -> set[str]:
    """The sources that people have paused."""
    return {state.name for state in sources.states(app.database) if state.paused_by is not None}


def _state(app: App, name: str) -> SourceState:
    states = {state.name: state for state in sources.states(app.database)}
    if name not in states or name.startswith("import "):
        known = ", ".join(one for one in states if not one.startswith("import ")) or "none"
        raise CannotSteer(f'no source "{name}"; there are: {known}')
    return states[name]


def _is_attended(app: App, name: str) -> bool:
    """Does a daemon run that reads this source?"""
    running = [one.settings.get("parts") or {} for one in parties.running(app.database)]
    return any(f"sources|{name}" in parts for parts in running)


def _is_line(text: str, length: int) -> bool:
    return len(text) <= length and (text.isprintable() or not text)
