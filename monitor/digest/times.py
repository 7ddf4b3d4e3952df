"""PURE  Instants and windows in words, in a time zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo
from typing import Final

from monitor.figures import WindowFigure

DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS: Final = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip

_DAY = timedelta(days=1)
_LONGEST: Final = {
    "hour": timedelta(hours=1),
    "day": timedelta(hours=25),
    "week": timedelta(days=7, hours=1),
    "month": timedelta(days=31, hours=1),
    "year": timedelta(days=366),
}


def moment(at: datetime, zone: tzinfo) -> str:
    """``Mon 16 Nov, 08:00``."""
    local = at.astimezone(zone)
    return f"{day(at, zone)}, {local:%H:%M}"


def day(at: datetime, zone: tzinfo) -> str:
    """``Mon 16 Nov``."""
    local = at.astimezone(zone)
    return f"{DAYS[local.weekday()]} {local.day} {MONTHS[local.month - 1][:3]}"


def span(start: datetime, end: datetime, zone: tzinfo) -> str:
    """``Mon 16 Nov, 08:00 to 12:00`` or ``Mon 16 Nov, 08:00 to Tue 17 Nov, 09:30``."""
    until = end.astimezone(zone)
    same_day = until.date() == start.astimezone(zone).date()
    return f"{moment(start, zone)} to {f'{until:%H:%M}' if same_day else moment(end, zone)}"


def dates(start: datetime, end: datetime, zone: tzinfo) -> str:
    """``9–15 November 2026``: the local days from a start to an end that is not included."""
    last = max(start, end - timedelta(microseconds=1))
    return _dates(start.astimezone(zone).date(), last.astimezone(zone).date())


def window(figure: WindowFigure, zone: tzinfo) -> str:
    """``Week 46: 9–15 November 2026``, ``November 2026``, ``Mon 16 Nov 2026``, or from when to when."""
    start, end = figure.start.astimezone(zone), figure.end.astimezone(zone)
    if not (_is_midnight(start) and _is_midnight(end)):
        return _by_the_clock(start, end)
    last = end.date() - _DAY
    match period(figure, zone):
        case "day":
            return f"{day(start, zone)} {start.year}"
        case "week":
            return f"Week {start.isocalendar().week}: {_dates(start.date(), last)}"
        case "month":
            return f"{MONTHS[start.month - 1]} {start.year}"
        case "year":
            return str(start.year)
    return _dates(start.date(), last)


def period(figure: WindowFigure, zone: tzinfo) -> str | None:
    """``hour``, ``day``, ``week``, ``month`` or ``year`` where the window is a whole one, whatever it says it is."""
    start, end = figure.start.astimezone(zone), figure.end.astimezone(zone)
    if figure.end - figure.start == timedelta(hours=1) and start.minute == 0:
        return "hour"
    if not (_is_midnight(start) and _is_midnight(end)):
        return None
    first, after = start.date(), end.date()
    if after == first + _DAY:
        return "day"
    if after == first + 7 * _DAY and first.weekday() == 0:
        return "week"
    if first.day == 1 and after == date(first.year + first.month // 12, first.month % 12 + 1, 1):
        return "month"
    if (first.month, first.day) == (1, 1) and after == date(first.year + 1, 1, 1):
        return "year"
    return None


def before(figure: WindowFigure, compared: WindowFigure, zone: tzinfo) -> str:
    """The window compared with, after "than": ``the week before``, ``the same part of the week before``, its dates."""
    whole = period(compared, zone)
    if compared.end == figure.start and whole and whole == period(figure, zone):
        return f"the {whole} before"
    if figure.period in _LONGEST and compared.end < figure.start <= compared.start + _LONGEST[figure.period]:
        return f"the same part of the {figure.period} before"
    days = (compared.end.astimezone(zone).date() - compared.start.astimezone(zone).date()).days
    if compared.end == figure.start and days > 1:
        return f"the {days} days before"
    if compared.end == figure.start and compared.end - compared.start == figure.end - figure.start:
        return "the same length of time before"
    return window(compared, zone)


def _is_midnight(local: datetime) -> bool:
    return (local.hour, local.minute, local.second, local.microsecond) == (0, 0, 0, 0)


def _by_the_clock(start: datetime, end: datetime) -> str:
    first = f"{DAYS[start.weekday()]} {start.day} {MONTHS[start.month - 1][:3]}"
    if start.date() == end.date():
        return f"{first} {start.year}, {start:%H:%M}–{end:%H:%M}"
    year = f" {start.year}" if start.year != end.year else ""
    last = f"{DAYS[end.weekday()]} {end.day} {MONTHS[end.month - 1][:3]} {end.year}"
    return f"{first}{year}, {start:%H:%M} – {last}, {end:%H:%M}"


def _dates(first: date, last: date) -> str:
    """``9–15 November 2026``, both days included."""
    end = f"{last.day} {MONTHS[last.month - 1]} {last.year}"
    if first == last:
        return end
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{end}"
    year = f" {first.year}" if first.year != last.year else ""
    return f"{first.day} {MONTHS[first.month - 1]}{year} – {end}"
