"""Sources that are read seldom are read when a digest needs them: right after the end of its window."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from connectors import registry
from monitor.app import App
from monitor.config.models import DigestSettings, SourceSettings
from monitor.schedule import Schedule, jitter, next_run, period_before

AFTER: Final = timedelta(minutes=1)
"""How long after a window's end a source is read for its digest, moved a little for each source; posts may arrive late."""

SHORTEST_DAY: Final = 1.1
"""A day of 23 hours is as good as one of 24."""


def next_turn(app: App, source: SourceSettings, key: str, begun: datetime, now: datetime) -> datetime:
    """When a source is pulled again that was pulled well: after its interval, or sooner if a digest would miss it."""
    every = app.every(source)
    wanting = [one for one in app.settings.digests if not set(source.served).isdisjoint(app.settings.brands_of(one))]
    least = registry.plugin(source.type).capabilities.minimum_interval
    return in_time(next_run(now, every, key), begun, now, every, least, wanting, app.settings.monitor.zone, key)


def in_time(
    planned: datetime,
    begun: datetime,
    now: datetime,
    every: timedelta,
    least: timedelta,
    digests: Sequence[DigestSettings],
    zone: ZoneInfo,
    key: str,
) -> datetime:
    """PURE  ``planned``, the next pull after one that began at ``begun`` and ended at ``now``, or sooner if a digest would miss it.

    A digest wants a pull that begins between its window's end and its own time. Where the planned one comes later, there is one
    right after the window's end, though never before ``least`` has gone by. Digests of periods shorter than ``every`` do not
    ask: whoever reads a source twice a day does not want it read every hour.
    """
    for digest in digests:
        end = _missed_end(digest, zone, begun, planned, every)
        if end is not None:
            planned = min(planned, max(end + jitter(AFTER, key), now + least))
    return planned


def _missed_end(
    digest: DigestSettings, zone: ZoneInfo, begun: datetime, planned: datetime, every: timedelta
) -> datetime | None:
    """The end of the first window after ``begun`` whose digest is due before ``planned``; ``None``: no digest is missed."""
    for due in Schedule.parse(digest.schedule, zone).due_between(begun, planned):
        window = period_before(due, digest.period, zone)
        if window.end > begun and window.length * SHORTEST_DAY >= every:
            return window.end
    return None
