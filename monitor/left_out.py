"""PURE  Which times a digest never tells of: its period is the last complete one, however far apart its schedule is due."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from monitor.clocks import local
from monitor.schedule import Period, Schedule, Window, period_at, period_before

LOOKED_AHEAD: Final = timedelta(weeks=10)
"""So many weeks show what a schedule does; one that is rarely due is looked at twice."""
_NAMES: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def never_told(schedule: Schedule, period: Period, now: datetime) -> str | None:
    """What no digest of this schedule covers, and how it would be; ``None`` where one follows the other without a gap."""
    windows = _windows(schedule, period, now)
    holes = [(one.end, other.start) for one, other in pairwise(windows) if one.end < other.start]
    if not holes:
        return None
    missing = _weekdays(windows, holes, schedule) if period == "day" else None
    if missing:
        fact = f"{_listed(missing)} {'is' if len(missing) == 1 else 'are'} in none of its digests, each of which tells of the day before"
    else:
        fact = (
            f"what lies between its digests is in none of them: each tells of one {period}, and they come further apart"
        )
    return f"{fact}; {_remedy(period)}"


def _windows(schedule: Schedule, period: Period, now: datetime) -> Sequence[Window]:
    due = schedule.due_between(now, now + LOOKED_AHEAD)
    if len(due) < 2:
        due = [schedule.previous(now), schedule.next(now)]
    found = {(window := period_before(at, period, schedule.zone)).start: window for at in due}
    return [found[start] for start in sorted(found)]


def _weekdays(
    windows: Sequence[Window], holes: Sequence[tuple[datetime, datetime]], schedule: Schedule
) -> list[str] | None:
    """The days of the week that are always missing, where all that is missing are such days and most are told of."""
    told = {_weekday(window.start, schedule) for window in windows}
    missing: set[int] = set()
    for start, end in holes:
        while start < end:
            missing.add(_weekday(start, schedule))
            start = period_at(start, "day", schedule.zone).end
    return [_NAMES[day] for day in sorted(missing)] if missing.isdisjoint(told) and len(missing) <= 3 else None


def _weekday(at: datetime, schedule: Schedule) -> int:
    return local(at, schedule.zone).weekday()


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _remedy(period: Period) -> str:
    daily = 'schedule = "daily at 08:00", or add a digest with period = "week" and schedule = "weekly on monday"'
    ways = {
        "hour": 'write schedule = "hourly", or period = "day"',
        "day": f"to have all, write {daily}",
        "week": 'write schedule = "weekly on monday", or period = "month"',
        "month": 'write schedule = "monthly on the 1st"',
    }
    return ways[period]
