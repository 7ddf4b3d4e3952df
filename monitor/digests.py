"""Which digests are due, and building them: each period once, whatever stopped in between.

A digest is built when every source has a finished pull begun after its window's end, or :data:`~monitor.coverage.PATIENCE` later; what was
missing then is said in its coverage.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from secrets import token_hex
from threading import Event
from typing import Final
from zoneinfo import ZoneInfo

from monitor.app import App
from monitor.config.models import DigestSettings
from monitor.coverage import PATIENCE
from monitor.figures import Report
from monitor.quotes import without_words
from monitor.report import build_report
from monitor.routing import narrowed
from monitor.schedule import Schedule, Window, backoff, parse_period, period_before, span
from storage import outbox, sources
from storage.engine import StorageError
from storage.leases import LeaseLost
from storage.records import DigestDue, Planned

LOG = logging.getLogger("sentiment_monitor.digests")
LEASE: Final = timedelta(minutes=5)
RETRY_BASE: Final = timedelta(minutes=1)
RETRY_CAP: Final = timedelta(hours=2)
MOST_CAUGHT_UP: Final = 31
"""Periods that are caught up after downtime; older ones can still be rebuilt by name."""


def plan(app: App) -> None:
    """Note every digest that has come due; noting one twice changes nothing."""
    for digest in app.settings.digests:
        last = outbox.last_planned(app.database, digest.name)
        for planned in due_windows(digest, app.settings.monitor.zone, last, app.now()):
            if not outbox.plan_digest(app.database, digest.name, planned, last):
                break  # another daemon was faster
            last = planned


def due_windows(digest: DigestSettings, zone: ZoneInfo, last: Planned | None, now: datetime) -> list[Planned]:
    """PURE  What has come due since ``last``, each period once, however often the schedule is due within one.

    The first time it is the latest one only. What was missed while nothing ran comes as one digest over all of the missed
    periods, or each by itself (:data:`MOST_CAUGHT_UP` at most) with ``catch_up = "each"``.
    """
    schedule = Schedule.parse(digest.schedule, zone)
    if last is None:
        due = schedule.previous(now)
        return [_planned(due, period_before(due, digest.period, zone))]
    found: dict[datetime, tuple[datetime, Window]] = {}
    for due in schedule.due_between(last.due_at, now):
        window = period_before(due, digest.period, zone)
        if window.end > last.end:
            found.setdefault(window.end, (due, window))
    each = list(found.values())
    if digest.catch_up == "one" and len(each) > 1:
        return [_planned(each[-1][0], span(each[0][1].start, each[-1][1].end, zone))]
    return [_planned(due, window) for due, window in each[-MOST_CAUGHT_UP:]]


def _planned(due: datetime, window: Window) -> Planned:
    return Planned(due, window.label, window.start, window.end)


def build_due(app: App, stop: Event | None = None, *, patient: bool = True) -> int:
    """Build what is due and ready, and queue it to its channels, beginning none once ``stop`` is set; how many were built.

    ``patient=False`` does not wait for sources that have not been pulled since the window's end.
    """
    names = [digest.name for digest in app.settings.digests]
    built = 0
    for waiting in outbox.due_digests(app.database, names):
        if stop is not None and stop.is_set():
            break
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
    try:
        channels = _save(app, due)
    except StorageError:
        raise
    except LeaseLost:
        return False
    except Exception as error:
        LOG.exception("digest failed name=%s period=%s", due.name, due.period)
        _put_off(app, due, f"{type(error).__name__}: {error}")
        return False
    LOG.info("digest built name=%s period=%s channels=%d", due.name, due.period, channels)
    return True


def _save(app: App, due: DigestDue) -> int:
    digest = settings_of(app, due.name)
    report = build_report(app, brands_of(app, digest), window_of(app, due))
    keys = {channel: token_hex(16) for channel in _channels(app, digest, report)}
    outbox.save_digest(app.database, due, without_words(report), keys, app.now())
    return len(keys)


def _put_off(app: App, due: DigestDue, error: str) -> None:
    try:
        outbox.fail_digest(app.database, due, error, backoff(due.failures + 1, RETRY_BASE, RETRY_CAP))
    except LeaseLost:
        LOG.warning("digest taken over name=%s period=%s", due.name, due.period)


def _channels(app: App, digest: DigestSettings, report: Report) -> Sequence[str]:
    """Where it goes: to the channels that take one of its brands.

    Silence while a source was down is not known to be silence, and is told.
    """
    quiet = all(
        brand.coverage.complete and brand.volume.mentions + brand.volume.reviews == 0 for brand in report.brands
    )
    if quiet and digest.when_empty == "skip":
        return []
    return [name for name in digest.channels if narrowed(report, app.settings.channel(name)).brands]


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
    return app.settings.brands_of(digest)


def settings_of(app: App, name: str) -> DigestSettings:
    return next(digest for digest in app.settings.digests if digest.name == name)
