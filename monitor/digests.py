"""Which digests are due, and building them: each period once, whatever stopped in between.

A digest is built when every source has a finished pull begun after its window's end, or :data:`PATIENCE` later; what was
missing then is said in its coverage.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Final

from monitor.app import App
from monitor.config.models import DigestSettings
from monitor.figures import Report
from monitor.report import build_report, without_words
from monitor.schedule import Schedule, Window, parse_period, period_before, span
from storage import outbox, sources
from storage.leases import LeaseLost
from storage.records import DigestDue

LOG = logging.getLogger("sentiment_monitor.digests")
PATIENCE: Final = timedelta(minutes=15)
LEASE: Final = timedelta(minutes=5)
MOST_CAUGHT_UP: Final = 31
"""Periods that are caught up after downtime; older ones can still be rebuilt by name."""


def plan(app: App) -> None:
    """Note every digest that has come due; noting one twice changes nothing."""
    for digest in app.settings.digests:
        for due_at, window in due_windows(app, digest, outbox.last_due(app.database, digest.name), app.now()):
            outbox.plan_digest(app.database, digest.name, due_at, window.label, window.start, window.end)


def due_windows(
    app: App, digest: DigestSettings, last: datetime | None, now: datetime
) -> list[tuple[datetime, Window]]:
    """(due instant, window) of what has come due since ``last``.

    The first time it is the latest one only. What was missed while nothing ran comes as one digest over all of the missed
    periods, or each by itself with ``catch_up = "each"``.
    """
    zone = app.settings.monitor.zone
    schedule = Schedule.parse(digest.schedule, zone)
    if last is None:
        due = schedule.previous(now + timedelta(microseconds=1))
        return [(due, period_before(due, digest.period, zone))]
    found = [(due, period_before(due, digest.period, zone)) for due in schedule.due_between(last, now) if due > last]
    found = _each_window_once(found)[-MOST_CAUGHT_UP:]
    if digest.catch_up == "one" and len(found) > 1:
        return [(found[-1][0], span(found[0][1].start, found[-1][1].end, zone))]
    return found


def _each_window_once(found: Sequence[tuple[datetime, Window]]) -> list[tuple[datetime, Window]]:
    """A digest due more often than its period is long speaks of each period once."""
    return list({window.label: (due, window) for due, window in reversed(found)}.values())[::-1]


def build_due(app: App, *, patient: bool = True) -> int:
    """Build what is due and ready, and queue it to its channels; how many were built.

    ``patient=False`` does not wait for sources that have not been pulled since the window's end.
    """
    names = [digest.name for digest in app.settings.digests]
    built = 0
    for waiting in outbox.due_digests(app.database, names):
        if patient and not _is_ready(app, waiting):
            continue
        claimed = outbox.claim_digest(app.database, waiting.id, app.owner, LEASE)
        built += claimed is not None and _build(app, claimed)
    return built


def _is_ready(app: App, due: DigestDue) -> bool:
    if app.now() >= max(due.due_at, app.started_at) + PATIENCE:
        return True
    brands = set(brands_of(app, settings_of(app, due.name)))
    states = {state.name: state for state in sources.states(app.database)}
    serving = [source.name for source in app.settings.enabled_sources if brands & set(source.served)]
    return all(
        (state := states.get(name)) is not None
        and (state.paused is not None or (state.last_begun_at is not None and state.last_begun_at >= due.end))
        for name in serving
    )


def _build(app: App, due: DigestDue) -> bool:
    digest = settings_of(app, due.name)
    try:
        report = build_report(app, brands_of(app, digest), window_of(app, due))
        keys = {channel: delivery_key(due, channel) for channel in _channels(digest, report)}
        outbox.save_digest(app.database, due, without_words(report), keys, app.now())
    except LeaseLost:
        return False
    except Exception as error:
        LOG.exception("digest failed name=%s period=%s", due.name, due.period)
        outbox.fail_digest(app.database, due, f"{type(error).__name__}: {error}")
        return False
    LOG.info("digest built name=%s period=%s channels=%d", due.name, due.period, len(keys))
    return True


def _channels(digest: DigestSettings, report: Report) -> Sequence[str]:
    empty = all(brand.volume.mentions + brand.volume.reviews == 0 for brand in report.brands)
    return [] if empty and digest.when_empty == "skip" else digest.channels


def window_of(app: App, due: DigestDue) -> Window:
    """The window that a due digest speaks of."""
    zone = app.settings.monitor.zone
    try:
        named = parse_period(due.period, zone)
    except ValueError:
        return span(due.start, due.end, zone)
    return named if (named.start, named.end) == (due.start, due.end) else span(due.start, due.end, zone)


def brands_of(app: App, digest: DigestSettings) -> list[str]:
    """The brands a digest speaks of, each followed by its competitors."""
    chosen = digest.brands or [brand.name for brand in app.settings.brands]
    return list(dict.fromkeys(_with_competitors(app, chosen)))


def _with_competitors(app: App, names: Sequence[str]) -> Iterator[str]:
    for name in names:
        yield name
        yield from app.settings.brand(name).competitors


def settings_of(app: App, name: str) -> DigestSettings:
    return next(digest for digest in app.settings.digests if digest.name == name)


def delivery_key(due: DigestDue, channel: str) -> str:
    """Equal over all retries, different for every digest and channel: a receiver can drop repeats by it."""
    text = f"{due.name}\0{due.due_at.isoformat()}\0{channel}"
    return blake2b(text.encode(), digest_size=16).hexdigest()
