"""How each source is, in words a person understands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from connectors import registry
from monitor import budgets, sent_to
from monitor.app import App
from monitor.config.models import SourceSettings
from monitor.coverage import SLACK, watched_from
from monitor.parties import Party, parties, party_words
from storage import health as store
from storage import queries, receiving, sources
from storage.records import FailedReading, Left, SourceState

LONGEST_PAUSE = timedelta(hours=2)
"""A failing source is tried again at least so often."""

REPEATED = 3
"""Failures in a row after which a source is called failing rather than hiccuping."""

LATE = timedelta(minutes=15)
"""So long may a source be due without being read before that is said."""

GAPS_SHOWN = timedelta(days=7)
"""Gaps that end before that are history."""

RESTING: Final = "rests (enabled = false)"
_READINGS: Final = {
    "followers": "followers not read",
    "standing": "the platform's own rating not read",
    "refresh": "known items not read again",
}
_PULL_KEYS: Final = ("begun_at", "ended_at", "ok", "pages", "seen", "new", "changed", "unmatched", "skipped")


@dataclass(frozen=True, slots=True)
class KnownGap:
    """What a source could not give of late: ``missing`` items, about (``None``: nobody knows how many)."""

    since: datetime
    until: datetime
    missing: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class Health:
    """A source's state and all that is known of it.

    ``state`` is one of ``fine``, ``waiting`` (never read, or nothing was sent yet), ``pulling``, ``late``, ``limited``, ``retrying``, ``failing``,
    ``store`` (the store refused what it brought), ``refused`` (credentials), ``not_there``, ``paused``, ``resting``,
    ``imported``, ``elsewhere`` (only another daemon's configuration names it), ``gone``.
    """

    name: str
    type: str
    state: str
    words: str
    known_until: datetime | None
    next_run_at: datetime | None
    failures: int
    held_by: str | None
    held_until: datetime | None = None
    error: str | None = None
    last_success_at: datetime | None = None
    newest_item_at: datetime | None = None
    last_pull: Mapping[str, Any] | None = None
    gap: KnownGap | None = None
    budget: Sequence[Left] = ()
    budget_of: str | None = None
    readings: Sequence[FailedReading] = ()
    sent_to: str | None = None
    """Where and how others send what it takes; ``None`` for a source that is pulled."""
    watched_since: datetime | None = None
    """Nothing is known of the time before; ``None`` where all there ever was is, and where nothing has been read yet."""


@dataclass(frozen=True, slots=True)
class _World:
    """What is looked up once for all sources."""

    app: App
    now: datetime
    attended: bool
    pulls: Mapping[str, Mapping[str, Any]]
    newest: Mapping[str, datetime]
    gaps: Mapping[str, KnownGap]
    readings: Mapping[int, list[FailedReading]]
    handed_in: Mapping[str, datetime]
    others: Sequence[Party]
    watched: Mapping[str, datetime]

    enabled: Mapping[str, SourceSettings]
    resting: Set[str]

    def only_receives(self, name: str) -> SourceSettings | None:
        """The source of this name, if nothing is pulled from it."""
        found = self.enabled.get(name)
        return None if found is None or registry.plugin(found.type).capabilities.pull else found

    def at(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.app.settings.monitor.zone):%d %b %H:%M}"


def health_of_sources(app: App, others: Sequence[Party] | None = None) -> list[Health]:
    """Every source that the store or the configuration knows, by name, those that rest at the end.

    ``others``: the daemons that run, where that is known already.
    """
    states, now = sources.states(app.database), app.now()
    attended = any(_is_held(state, now) or _begun_within(state, LATE, now) for state in states)
    watched = watched_from(app)
    world = _World(
        app,
        now,
        attended,
        store.last_pulls(app.database),
        {} if app.database.damage is not None else store.newest_items(app.database),  # which reads the items
        _gaps(app, now, watched),
        store.failed_readings(app.database),
        receiving.last_handed_in(app.database),
        parties(app) if others is None else others,
        watched,
        {source.name: source for source in app.settings.enabled_sources},
        {source.name for source in app.settings.sources if not source.enabled},
    )
    found = [_health(world, state) for state in states]
    never_read = [
        source for source in app.settings.sources if source.name in world.resting - {one.name for one in found}
    ]
    resting = [one for one in found if one.state == "resting"] + [_at_rest(source) for source in never_read]
    return [*(one for one in found if one.state != "resting"), *sorted(resting, key=lambda one: one.name)]


def _at_rest(source: SourceSettings) -> Health:
    """A source that rests and was never read: the store does not know it."""
    return Health(source.name, source.type, "resting", RESTING, None, None, failures=0, held_by=None)


def is_alive(app: App) -> bool:
    """Is a source being read, or has one been tried within three of its intervals? Pulls that fail count, too; those that people have
    paused do not.

    On a store that was found damaged nothing is alive.
    """
    if app.database.damage is not None:
        return False
    states = {state.name: state for state in sources.states(app.database)}
    enabled = [(states[source.name], app.every(source)) for source in app.settings.enabled_sources]
    entries = [(state, every) for state, every in enabled if state.paused_by is None]
    return not entries or any(_is_attended(state, every, app.now()) for state, every in entries)


def is_heard_of(app: App) -> bool:
    """Has a daemon of this machine said within the last minutes that it runs? One that hangs does not."""
    here = app.owner.partition(":")[0]
    return any(one.host == here for one in parties(app))


def _is_attended(source: SourceState, every: timedelta, now: datetime) -> bool:
    """A source that was never tried counts from when it first came due."""
    if _is_held(source, now):
        return True
    return now - (source.last_begun_at or source.next_run_at) < max(REPEATED * every, LONGEST_PAUSE)


def _is_held(source: SourceState, now: datetime) -> bool:
    return source.lease_until is not None and source.lease_until > now


def _begun_within(source: SourceState, length: timedelta, now: datetime) -> bool:
    return source.last_begun_at is not None and now - source.last_begun_at < length


# ------------------------------------------------------------------------------------------------------ one source


def _health(world: _World, source: SourceState) -> Health:
    state, words = _state(world, source)
    gap, readings = world.gaps.get(source.name), world.readings.get(source.id, [])
    resting = state in ("paused", "refused", "not_there", "resting", "gone", "imported")
    held = _is_held(source, world.now)
    whose, left = _budget(world, source)
    pull = world.pulls.get(source.name)
    return Health(
        name=source.name,
        type=source.type,
        state=state,
        words="; ".join([words, *_also(world, source, state, gap)]),
        known_until=source.known_until,
        next_run_at=None if resting or world.only_receives(source.name) else source.next_run_at,
        failures=source.failures,
        held_by=source.lease_owner if held else None,
        held_until=source.lease_until if held else None,
        error=source.error,
        last_success_at=source.last_success_at,
        newest_item_at=world.newest.get(source.name),
        last_pull=None if pull is None else {key: pull[key] for key in _PULL_KEYS},
        gap=gap,
        budget=left,
        budget_of=whose,
        readings=readings,
        sent_to=_sent_to(world, source.name),
        watched_since=world.watched.get(source.name),
    )


def _sent_to(world: _World, name: str) -> str | None:
    receives = world.only_receives(name)
    return None if receives is None else sent_to.words(world.app.settings, name, receives.parsed)


def _state(world: _World, source: SourceState) -> tuple[str, str]:
    if (settled := _settled(world, source)) is not None:
        return settled
    if source.lease_until is not None and source.lease_until > world.now:
        return "pulling", f"being read now by {_holder(source.lease_owner, world.app.owner)}"
    if (receives := world.only_receives(source.name)) is not None:
        return _receiving(world, receives)
    if world.now - source.next_run_at > LATE:
        return "late", _late(world, source)
    if source.fate == "ratelimited":
        return "limited", f"waiting until {world.at(source.next_run_at)}: {source.error or 'asked too often'}"
    if source.failures == 0 and source.fate != "store":
        return ("waiting", "not read yet") if source.known_until is None else ("fine", "fine")
    return _failing(world, source)


def _settled(world: _World, source: SourceState) -> tuple[str, str] | None:
    """The state of a source that is not read until somebody does something; ``None`` for all others."""
    if (damage := world.app.database.damage) is not None:
        return "store", f"nothing is stored any more: {damage}"
    if source.name in world.resting:
        return "resting", f"{RESTING}; nothing of it was deleted"
    if source.name.startswith("import ") and source.name not in world.enabled:
        return "imported", "imported from a file"
    if not source.active:
        return "gone", "not in the configuration any more; nothing of it was deleted"
    if source.paused is not None:
        return _paused(source, source.paused)
    if source.name not in world.enabled and not _is_held(source, world.now):
        return "elsewhere", _elsewhere(world, source.name)
    return None


def _elsewhere(world: _World, name: str) -> str:
    theirs = next((one for one in world.others if name in (one.names or {}).get("sources", ())), None)
    if theirs is None:
        return "not in this configuration, but in that of another daemon on this database, which does not run now"
    zone = world.app.settings.monitor.zone
    return f"not in this configuration, but in that of the {party_words(theirs, world.app.owner, zone, world.now)}"


def _paused(source: SourceState, why: str) -> tuple[str, str]:
    if source.paused_by is not None:
        return (
            "paused",
            f"paused by {source.paused_by}: {why}; to go on: sentiment-monitor sources resume {source.name}",
        )
    again = "mend that, then restart the daemon or pull it once"
    if source.fate == "accessdenied":
        return "refused", f"paused, access refused: {why}; {again}"
    if source.fate == "notthere":
        return "not_there", f"paused, not there: {why}; {again}"
    return "paused", f"paused: {why}"


def _failing(world: _World, source: SourceState) -> tuple[str, str]:
    error = _short(source.error or "failed")
    again = f"trying again at {world.at(source.next_run_at)}"
    if source.fate == "store":
        return "store", f"read, but the store refused it: {error}; {again}"
    if source.failures < REPEATED:
        return "retrying", f"{error}; {again}"
    return "failing", f"failed {source.failures} times in a row: {error}; {again}"


def _receiving(world: _World, source: SourceSettings) -> tuple[str, str]:
    """The state of a source that others send to: late only where it is known how often they do."""
    last = world.handed_in.get(source.name)
    if last is None:
        return "waiting", "nothing was sent yet"
    silent = world.now - last
    if source.every is not None and silent > SLACK * source.every:
        rhythm = f"expected every {length(source.every)}"
        return "late", f"nothing came for {length(silent)}, {rhythm}; does the sender still send?"
    return "fine", f"something came {length(silent)} ago"


def _late(world: _World, source: SourceState) -> str:
    since = world.now - source.next_run_at
    remedy = "others are being read: raise workers, or wait" if world.attended else "is the daemon running?"
    last = f" (last time: {_short(source.error)})" if source.error else ""
    fresh = "not read yet, " if source.known_until is None else ""
    return f"{fresh}late by {length(since)}; {remedy}{last}"


def _holder(owner: str | None, us: str) -> str:
    """Who reads, for people. An owner's name is ``host:pid:token``."""
    host, _, process = (owner or "").rpartition(":")[0].rpartition(":")
    if not host or owner == us:
        return "this process" if owner == us else owner or "somebody"
    return f"this machine, process {process}" if us.startswith(f"{host}:") else f"{host}:{process}"


def _also(world: _World, source: SourceState, state: str, gap: KnownGap | None) -> list[str]:
    """What is to be said beside the state."""
    if state in ("resting", "gone", "imported"):
        return []
    found, readings = [], world.readings.get(source.id, [])
    pulled = world.only_receives(source.name) is None
    if pulled and source.known_until is not None and state not in ("fine", "pulling", "elsewhere"):
        found.append(f"read up to {world.at(source.known_until)}")
    if gap is not None:
        count = "" if gap.missing is None else f" of about {gap.missing:,} item{'' if gap.missing == 1 else 's'}"
        found.append(f"a gap{count} since {world.at(gap.since)}")
    return found + [
        f"{_READINGS.get(one.what, one.what)} since {world.at(one.since)}: {_short(one.error)}" for one in readings
    ]


def _short(error: str) -> str:
    return error.removesuffix("; trying again later")


def _budget(world: _World, source: SourceState) -> tuple[str | None, Sequence[Left]]:
    if source.name not in world.enabled:
        return None, ()
    purse = budgets.purse_of(world.app.settings, world.enabled[source.name])
    return (None, ()) if purse is None else (purse.words, budgets.left(world.app.database, purse))


def _gaps(app: App, now: datetime, watched: Mapping[str, datetime]) -> dict[str, KnownGap]:
    """The gaps of the last days, those of a source as one; what was never watched is none."""
    found: dict[str, KnownGap] = {}
    for name, gap in queries.gaps(app.database, (now - GAPS_SHOWN, now + timedelta(days=1))):
        since = max(gap.since, watched.get(name, gap.since))
        if since >= gap.until:
            continue
        one = KnownGap(since, gap.until, gap.missing, gap.reason)
        found[name] = _together(found[name], one) if name in found else one
    return found


def _together(one: KnownGap, other: KnownGap) -> KnownGap:
    known = one.missing is not None and other.missing is not None
    missing = (one.missing or 0) + (other.missing or 0) if known else None
    return KnownGap(min(one.since, other.since), max(one.until, other.until), missing, other.reason)


def length(time: timedelta) -> str:
    """A stretch of time in its largest unit: ``2 h``, ``3 days``."""
    minutes = int(time.total_seconds()) // 60
    if minutes < 120:
        return f"{minutes} min"
    hours = minutes // 60
    return f"{hours} h" if hours < 48 else f"{hours // 24} days"
