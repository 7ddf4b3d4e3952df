"""PURE  A schedule in words: ``0 8 * * 1-5`` -> ``on weekdays at 08:00``."""

from __future__ import annotations

import re
from typing import Final
from zoneinfo import ZoneInfo

from monitor.schedule import Schedule

_DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NAMES: Final = {name[:3].upper(): number for number, name in enumerate(_DAYS[:7])}
_ENDINGS: Final = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}


def schedule_words(text: str, zone: ZoneInfo) -> str:
    """When something is due, as people say it; what is too involved for that stays a cron line."""
    cron = Schedule.parse(text, zone).cron
    minute, hour, day, month, weekday = cron.upper().split()
    if not minute.isdecimal() or month != "*":
        return f"by cron: {cron}"
    if hour == day == weekday == "*":
        return "every hour" if int(minute) == 0 else f"every hour at {int(minute)} minutes past"
    if (at := _clock(hour, minute)) is None:
        return f"by cron: {cron}"
    when = _when(day, weekday)
    return f"by cron: {cron}" if when is None else f"{when} at {at}"


def _clock(hours: str, minute: str) -> str | None:
    """``08:00``, ``08:00 and 20:00``."""
    if not re.fullmatch(r"\d+(,\d+)*", hours):
        return None
    return _listed([f"{int(hour):02}:{int(minute):02}" for hour in hours.split(",")])


def _when(day: str, weekday: str) -> str | None:
    if day == weekday == "*":
        return "every day"
    if day == "*":
        return "on weekdays" if weekday in ("1-5", "MON-FRI") else _weekdays(weekday)
    if weekday != "*":
        return None
    if day == "L":
        return "on the last day of every month"
    return f"on the {int(day)}{_ENDINGS.get(int(day), 'th')} of every month" if day.isdecimal() else None


def _weekdays(field: str) -> str | None:
    numbers = [
        _NAMES.get(part, int(part) if part in "01234567" and len(part) == 1 else -1) for part in field.split(",")
    ]
    return None if min(numbers) < 0 else f"every {_listed([_DAYS[number] for number in numbers])}"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
