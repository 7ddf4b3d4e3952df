"""How each source is, in words a person understands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from monitor.app import App
from storage import sources
from storage.records import SourceState

LONGEST_PAUSE = timedelta(hours=2)
"""A failing source is tried again at least so often."""

REPEATED = 3
"""Failures in a row after which a source is called failing rather than hiccuping."""


@dataclass(frozen=True, slots=True)
class Health:
    """A source's state: one of ``fine``, ``waiting``, ``pulling``, ``limited``, ``retrying``, ``failing``, ``paused``, ``gone``."""

    name: str
    type: str
    state: str
    words: str
    known_until: datetime | None
    next_run_at: datetime | None
    failures: int
    held_by: str | None


def health_of_sources(app: App) -> list[Health]:
    """Every source the store knows, by name."""
    return [_health(app, state) for state in sources.states(app.database)]


def is_alive(app: App) -> bool:
    """Is a source being read, or has one been tried within three of its intervals? Pulls that fail count, too."""
    states = {state.name: state for state in sources.states(app.database)}
    entries = [(states[source.name], app.every(source)) for source in app.settings.enabled_sources]
    return not entries or any(_is_attended(state, every, app.now()) for state, every in entries)


def _is_attended(source: SourceState, every: timedelta, now: datetime) -> bool:
    """A source that was never tried counts from when it first came due."""
    if source.lease_until is not None and source.lease_until > now:
        return True
    return now - (source.last_begun_at or source.next_run_at) < max(REPEATED * every, LONGEST_PAUSE)


def _health(app: App, source: SourceState) -> Health:
    state, words = _state(app, source)
    resting = state in ("paused", "gone")
    return Health(
        source.name,
        source.type,
        state,
        words,
        source.known_until,
        None if resting else source.next_run_at,
        source.failures,
        source.lease_owner,
    )


def _state(app: App, source: SourceState) -> tuple[str, str]:
    until = source.next_run_at.astimezone(app.settings.monitor.zone)
    if source.name in {one.name for one in app.settings.sources if not one.enabled}:
        return "gone", "rests (enabled = false); nothing of it was deleted"
    if not source.active:
        return "gone", "not in the configuration any more; nothing of it was deleted"
    if source.paused is not None:
        return "paused", f"paused: {source.paused}"
    if source.lease_until is not None and source.lease_until > app.now():
        return "pulling", "being read now"
    if source.failures == 0:
        return ("waiting", "not read yet") if source.known_until is None else ("fine", "fine")
    if source.fate == "ratelimited":
        return "limited", f"asked too often, waiting until {until:%d %b %H:%M}"
    error = (source.error or "failed").removesuffix("; trying again later")
    again = f"trying again at {until:%d %b %H:%M}"
    if source.failures < REPEATED:
        return "retrying", f"{error}; {again}"
    return "failing", f"failed {source.failures} times in a row: {error}; {again}"
