"""PURE  Local time to UTC and back, where clocks skip some times and show others twice."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo


def local(at: datetime, zone: ZoneInfo) -> datetime:
    """What the clocks show at an instant, as a naive time."""
    return at.astimezone(zone).replace(tzinfo=None, fold=0)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a local day begins; for a day that the zone left out, when the next one does."""
    return first_instant(datetime.combine(day, time()), zone)


def is_midnight(at: datetime, zone: ZoneInfo) -> bool:
    return midnight(local(at, zone).date(), zone) == at


def first_instant(naive: datetime, zone: ZoneInfo) -> datetime:
    """When the clocks first show ``naive``, or jump over it."""
    instant = naive.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return instant if local(instant, zone) == naive else _jump(naive, zone)


def last_instant(naive: datetime, zone: ZoneInfo) -> datetime:
    """When the clocks last show ``naive``, or jump over it."""
    instant = naive.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return instant if local(instant, zone) == naive else _jump(naive, zone)


def _jump(naive: datetime, zone: ZoneInfo) -> datetime:
    """The instant, to the second, at which the clocks jump over ``naive``."""
    early = naive.replace(tzinfo=zone, fold=1, microsecond=0).astimezone(UTC)
    late = naive.replace(tzinfo=zone, fold=0, microsecond=0).astimezone(UTC)
    while late - early > timedelta(seconds=1):
        middle = early + (late - early) // timedelta(seconds=2) * timedelta(seconds=1)
        if local(middle, zone) > naive:
            late = middle
        else:
            early = middle
    return late
