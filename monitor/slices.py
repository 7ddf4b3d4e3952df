"""PURE  The stretches that a series is told by: local days, or hours where the window is short."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta
from typing import Final

from monitor.schedule import Window, days

HOUR: Final = timedelta(hours=1)


def slices_of(window: Window) -> list[Window]:
    """The stretches of a window's series: local days, or hours where :func:`is_hourly`."""
    if not is_hourly(window):
        return days(window, window.zone)
    hours = -(-window.length // HOUR)
    edges = [window.start + HOUR * number for number in range(hours)]
    return [replace(window, start=start, end=min(start + HOUR, window.end)) for start in edges]


def is_hourly(window: Window) -> bool:
    """Is a series over it told by the hour? Two days are, a day of 25 hours among them."""
    return window.length <= 50 * HOUR


def stretches(window: Window) -> dict[str, Window]:
    """The same by what they are called: a day ``2026-11-13``, an hour ``2026-11-13T14:00Z``."""
    return {_name(part, hourly=is_hourly(window)): part for part in slices_of(window)}


def _name(part: Window, *, hourly: bool) -> str:
    return f"{part.start.astimezone(UTC):%Y-%m-%dT%H:%MZ}" if hourly else f"{part.start.astimezone(part.zone):%Y-%m-%d}"
