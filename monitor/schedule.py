"""PURE  Which instants are due, and which stretch of time they speak of: cron in a time zone, windows, back-off, jitter.

What comes in and goes out is aware UTC; local time lives only in between, where clocks are put forward (times that do not
exist) and back (times that come twice).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Literal
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from monitor.clocks import first_instant, is_midnight, last_instant, local, midnight

Period = Literal["hour", "day", "week", "month"]

DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)
LONGEST_REPEAT = timedelta(hours=4)
"""No clock is put back by more at once (Antarctica/Casey: three hours)."""
USUAL_TIME = (8, 0)
"""The local hour and minute of a schedule in words that names none."""
REREAD_AT = (
    timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6), timedelta(days=1), timedelta(days=3), timedelta(days=7),
)  # fmt: skip
"""How old an item is when its counts are read again; from the last on once in as long."""
RETRY_BASE = timedelta(minutes=10)
RETRY_CAP = timedelta(hours=1)
JITTER = 0.1


@dataclass(frozen=True, slots=True)
class Schedule:
    """When something is due: five cron fields, read in a time zone.

    A fixed time that the clocks skip is due right after the gap (right before it, if the gap ends on the next day), one that
    comes twice the first time only. Where hour or minute begins with ``*``, the real hours count: none is left out or doubled.
    """

    cron: str
    zone: ZoneInfo

    @classmethod
    def parse(cls, text: str, zone: ZoneInfo) -> Schedule:
        """Cron (``0 8 * * *``) or plain words (``weekly on monday at 07:30``); ``ValueError`` says what to write instead.

        Words: ``hourly``, ``daily``, ``weekdays``, ``weekly on monday``, ``monthly on the 1st`` (to 28th, or ``last day``),
        the last four with ``at HH:MM`` (without: 08:00).
        """
        words = " ".join(text.lower().split())
        cron = _cron_of(words, text) if re.match(r"[\d*]", words) else _cron_of_words(words, text)
        return cls(cron, zone)

    def next(self, at: datetime) -> datetime:
        """The first due instant after ``at``; ``ValueError`` where there is none (in fifty years)."""
        best: datetime | None = None
        for naive in _matches(self.cron, local(at, self.zone) - LONGEST_REPEAT):
            if best is not None and first_instant(naive, self.zone) >= best:
                break
            best = min((due for due in (best, *self._instants(naive)) if due is not None and due > at), default=None)
        return self._found(best)

    def previous(self, at: datetime) -> datetime:
        """The last due instant up to ``at``, itself included; ``ValueError`` where there is none (in fifty years)."""
        best: datetime | None = None
        for naive in _matches(self.cron, local(at, self.zone) + LONGEST_REPEAT, reverse=True):
            if best is not None and last_instant(naive, self.zone) <= best:
                break
            best = max((due for due in (best, *self._instants(naive)) if due is not None and due <= at), default=None)
        return self._found(best)

    def due_between(self, start: datetime, end: datetime) -> list[datetime]:
        """The due instants after ``start``, up to and including ``end``, in order."""
        found: list[datetime] = []
        for naive in _matches(self.cron, local(start, self.zone) - LONGEST_REPEAT):
            if first_instant(naive, self.zone) > end:
                break
            found += [due for due in self._instants(naive) if start < due <= end]
        return sorted(set(found))

    def _instants(self, naive: datetime) -> list[datetime]:
        """When the local time ``naive`` is due: once if it is fixed, else as often as the clocks show it."""
        first, last = first_instant(naive, self.zone), last_instant(naive, self.zone)
        if any(field.startswith("*") for field in self.cron.split()[:2]):
            return [due for due in sorted({first, last}) if local(due, self.zone) == naive]
        shown = local(first, self.zone)
        if shown.date() == naive.date():
            return [first]
        return [] if midnight(naive.date(), self.zone) == first else [first - timedelta(seconds=1)]

    def _found(self, due: datetime | None) -> datetime:
        if due is None:
            raise ValueError(f"schedule {self.cron!r}: never due; widen its days or months")
        return due


def _matches(cron: str, after: datetime, *, reverse: bool = False) -> Iterator[datetime]:
    """Local times that the fields name, beyond ``after``, clocks left aside."""
    return CronSim(cron, after, reverse=reverse)


_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_WORDS = re.compile(
    r"(?:(?P<hourly>hourly|every hour)"
    r"|(?:(?P<daily>daily|every day)|(?P<weekdays>weekdays|every weekday)"
    r"|(?:weekly on|every) (?P<weekday>[a-z]+)"
    r"|monthly on the (?:(?P<last>last)(?: day)?|(?P<day>\d{1,2})(?:st|nd|rd|th)?))"
    r"(?: at (?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d))?)"
)


def _cron_of(words: str, text: str) -> str:
    fields = words.upper()
    if len(fields.split()) != 5:
        raise ValueError(
            f"schedule {text!r}: has {len(fields.split())} fields, not five; write minute, hour, day of month, month and "
            f'day of week, as in "0 8 * * *"'
        )
    try:
        next(CronSim(fields, datetime(2000, 1, 1)))  # noqa: DTZ001
    except CronSimError as error:
        raise ValueError(f'schedule {text!r}: {str(error).lower()}; mend that field, as in "0 8 * * *"') from error
    except StopIteration:
        raise ValueError(f"schedule {text!r}: no such day ever comes; widen its days or months") from None
    return fields


def _cron_of_words(words: str, text: str) -> str:
    match = _WORDS.fullmatch(words)
    if match is None:
        raise ValueError(
            f'schedule {text!r}: not understood; write cron ("0 8 * * *"), or "hourly", "daily at 08:00", '
            f'"weekdays at 08:00", "weekly on monday at 08:00", "monthly on the 1st at 08:00"'
        )
    if match["hourly"]:
        return "0 * * * *"
    hour, minute = (int(match["hour"]), int(match["minute"])) if match["hour"] else USUAL_TIME
    return f"{minute} {hour} {_days_of_words(match, text)}"


def _days_of_words(match: re.Match[str], text: str) -> str:
    if match["weekday"]:
        for number, name in enumerate(_WEEKDAYS):
            if match["weekday"] in (name, name[:3]):
                return f"* * {number}"
        raise ValueError(f"schedule {text!r}: {match['weekday']!r} is no weekday; write one such as monday")
    if match["day"] and not 1 <= int(match["day"]) <= 28:
        raise ValueError(f'schedule {text!r}: not every month has day {match["day"]}; write 1st to 28th, or "last day"')
    if match["day"] or match["last"]:
        return f"{int(match['day']) if match['day'] else 'L'} * *"
    return "* * 1-5" if match["weekdays"] else "* * *"


@dataclass(frozen=True, slots=True)
class Window:
    """``[start, end)`` in aware UTC, its edges set in ``zone``.

    ``period`` says what it is, or began as (a month so far), in the calendar; ``None``: a stretch of its own.
    Source: METRICS 1.
    """

    start: datetime
    end: datetime
    label: str
    period: Period | None
    zone: ZoneInfo

    @property
    def length(self) -> timedelta:
        return self.end - self.start


def period_at(at: datetime, period: Period, zone: ZoneInfo) -> Window:
    """The local hour, day, ISO week or month that holds ``at``.

    Labels: ``2026-11-22T08``, ``2026-11-22``, ``2026-W47``, ``2026-11``; an hour that comes again, since the clocks were put
    back, has its offset too (``2026-10-25T02+01:00``). An hour lasts from one full hour on the clock to the next.
    """
    if period == "hour":
        return _hour_at(at, zone)
    day = local(at, zone).date()
    if midnight(day + DAY, zone) <= at:  # clocks put back over midnight: a new day, once begun, stays
        day += DAY
    return _dated(_first_day(day, period), period, zone)


def period_before(due_at: datetime, period: Period, zone: ZoneInfo) -> Window:
    """The last local period that is complete at ``due_at``. Source: METRICS 1."""
    return period_at(period_at(due_at, period, zone).start - INSTANT, period, zone)


def period_so_far(now: datetime, period: Period, zone: ZoneInfo) -> Window:
    """The local period under way, up to ``now``."""
    return replace(period_at(now, period, zone), end=now)


def span(start: datetime, end: datetime, zone: ZoneInfo) -> Window:
    """A window of its own, named by its first and last local day, or by its edges where these are no midnights."""
    first, last = local(start, zone), local(end, zone)
    if is_midnight(start, zone) and is_midnight(end, zone):
        return Window(start, end, f"{first.date()}..{(last - INSTANT).date()}", None, zone)
    return Window(start, end, f"{first.isoformat('T', 'minutes')}..{last.isoformat('T', 'minutes')}", None, zone)


def trailing(end: datetime, count: int, zone: ZoneInfo) -> Window:
    """The ``count`` days before ``end``, by the local clock."""
    return span(first_instant(local(end, zone) - count * DAY, zone), end, zone)


def comparison(window: Window) -> Window:
    """What to compare a window with: the calendar period before, clipped to the same elapsed part; or equal length before.

    The elapsed part is told by the local clock (the 22nd at 10:30 against the 22nd at 10:30); a complete period stands
    against a complete one. A stretch of whole local days stands against as many days. Source: METRICS 1.
    """
    if window.period is None:
        return _stretch_before(window)
    before = period_before(window.start, window.period, window.zone)
    if window.end >= period_at(window.start, window.period, window.zone).end:
        return before
    if window.period == "hour":
        end = before.start + window.length
    else:
        elapsed = local(window.end, window.zone) - local(window.start, window.zone)
        end = first_instant(local(before.start, window.zone) + elapsed, window.zone)
    return replace(before, end=min(end, before.end))


def days(window: Window, zone: ZoneInfo) -> list[Window]:
    """The local days of a window (23, 24 or 25 hours each), the first and last clipped to it. Source: METRICS 1."""
    found: list[Window] = []
    at = window.start
    while at < window.end:
        day = period_at(at, "day", zone)
        found.append(replace(day, start=at, end=min(day.end, window.end)))
        at = day.end
    return found


def parse_period(label: str, zone: ZoneInfo) -> Window:
    """The window that a label names (see :func:`period_at`); ``ValueError`` where it names none."""
    try:
        window = _named(label, zone)
    except (ValueError, OverflowError):
        window = None
    if window is None or window.label != label or not window.length:
        raise ValueError(f"period {label!r}: there is none; write 2026-11-22, 2026-W47, 2026-11 or 2026-11-22T08")
    return window


def _named(label: str, zone: ZoneInfo) -> Window | None:
    if match := re.fullmatch(r"(\d{4})-W(\d{2})", label):
        return _dated(date.fromisocalendar(int(match[1]), int(match[2]), 1), "week", zone)
    if re.fullmatch(r"\d{4}-\d{2}", label):
        return _dated(date.fromisoformat(label + "-01"), "month", zone)
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", label):
        return _dated(date.fromisoformat(label), "day", zone)
    if match := re.fullmatch(r"(\d{4}-\d{2}-\d{2}T\d{2})([+-]\d{2}:\d{2})?", label):
        hour = datetime.fromisoformat(f"{match[1]}:00{match[2] or ''}")
        return _hour_at(hour.astimezone(UTC) if match[2] else first_instant(hour, zone), zone)
    return None


def _stretch_before(window: Window) -> Window:
    start, zone = window.start - window.length, window.zone
    if is_midnight(window.start, zone) and is_midnight(window.end, zone):
        first = local(window.start, zone).date()
        start = midnight(first - (local(window.end, zone).date() - first), zone)
    return span(start, window.start, zone)


def _first_day(day: date, period: Period) -> date:
    if period == "month":
        return day.replace(day=1)
    return day - timedelta(days=day.weekday()) if period == "week" else day


def _dated(first: date, period: Period, zone: ZoneInfo) -> Window:
    if period == "month":
        after, label = (first + 31 * DAY).replace(day=1), f"{first:%Y-%m}"
    elif period == "week":
        after, label = first + 7 * DAY, f"{first:%G-W%V}"
    else:
        after, label = first + DAY, first.isoformat()
    return Window(midnight(first, zone), midnight(after, zone), label, period, zone)


@lru_cache(2_048)  # eight weeks of hours are asked for again and again
def _hour_at(at: datetime, zone: ZoneInfo) -> Window:
    start = _full_hour(at, zone)
    end = _full_hour(start + timedelta(hours=1), zone)
    if end == start:  # clocks were put back within the hour, by less than one
        end = start + timedelta(hours=2) - _past_hour(start + timedelta(hours=1), zone)
    shown = start.astimezone(zone)
    label = f"{shown:%Y-%m-%dT%H}{shown.isoformat('T', 'minutes')[16:] if shown.fold else ''}"
    return Window(start, end, label, "hour", zone)


def _full_hour(at: datetime, zone: ZoneInfo) -> datetime:
    """The last instant up to ``at`` when the clock showed a full hour."""
    while past := _past_hour(at, zone):
        at -= past
    return at


def _past_hour(at: datetime, zone: ZoneInfo) -> timedelta:
    shown = local(at, zone)
    return shown - shown.replace(minute=0, second=0, microsecond=0)


_DURATION = re.compile(r"(?=\d)(?:(\d+)y\s*)?(?:(\d+)w\s*)?(?:(\d+)d\s*)?(?:(\d+)h\s*)?(?:(\d+)m\s*)?(?:(\d+)s)?")


def parse_duration(text: str) -> timedelta:
    """``45s``, ``10m``, ``1h30m``, ``2d``, ``1w``, ``2y`` (of 365 days): the larger unit first; ``ValueError`` says what to write instead."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise ValueError(
            f"duration {text!r}: not understood; write a number and y, w, d, h, m or s, such as 10m or 1h30m"
        )
    years, weeks, days_, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    try:
        return timedelta(weeks=weeks, days=365 * years + days_, hours=hours, minutes=minutes, seconds=seconds)
    except OverflowError as error:
        raise ValueError(f"duration {text!r}: too long; write a shorter one") from error


def parse_since(text: str, now: datetime, zone: ZoneInfo) -> datetime:
    """The instant that ``30d`` (before ``now``), ``2026-11-01``, ``2026-W44``, ``2026-11`` (their start) or an ISO time means.

    A time without an offset is local. ``ValueError`` says what to write instead.
    """
    for read in (_before_now, _start_of, _iso_instant):
        try:
            return read(text.strip(), now, zone)
        except (ValueError, OverflowError):
            continue
    raise ValueError(f"time {text!r}: not understood; write 30d, 2026-11-01 or 2026-11-01T08:00")


def backoff(failures: int, base: timedelta, cap: timedelta, retry_after: timedelta | None = None) -> timedelta:
    """How long to wait after so many failures in a row: ``base``, doubled each time, ``cap`` at most.

    Never less than ``retry_after``, which the other side asked for and which may exceed the cap.
    """
    wait = timedelta(0)
    if failures > 0 and base > wait:
        wait = base * min(2.0 ** min(failures - 1, 64), cap / base)
    return max(wait, retry_after or wait)


def jitter(interval: timedelta, key: str) -> timedelta:
    """``interval`` moved by up to 10 % either way, always alike for one ``key`` (a source's name and its turn)."""
    part = int.from_bytes(blake2b(key.encode(), digest_size=8).digest()) / 2**64
    return interval * (1 - JITTER + 2 * JITTER * part)


def next_run(
    now: datetime, every: timedelta, key: str, *, failures: int = 0, retry_after: timedelta | None = None
) -> datetime:
    """When to pull a source again, after ``failures`` in a row (0: it went well); never before ``retry_after`` is over.

    A failing source waits ten minutes (or its shorter interval), then twice that, and so on up to an hour (or its longer
    interval).
    """
    wait = every if failures == 0 else backoff(failures, min(every, RETRY_BASE), max(every, RETRY_CAP))
    return now + max(jitter(wait, key), retry_after or timedelta(0))


def next_reread(published_at: datetime, now: datetime, until: timedelta) -> datetime | None:
    """When an item's counts are read again after ``now``: the next step of its age up to ``until``; ``None``: never.

    Steps that are past are not made up for. The steps are ``REREAD_AT``, then one a week.
    """
    if published_at + until <= now:
        return None
    last = REREAD_AT[-1]
    weeks = max(1, (now - published_at) // last + 1)
    step = next((step for step in (*REREAD_AT, weeks * last) if published_at + step > now), None)
    return published_at + step if step is not None and step <= until else None


def _before_now(text: str, now: datetime, _zone: ZoneInfo) -> datetime:
    return now - parse_duration(text)


def _start_of(text: str, _now: datetime, zone: ZoneInfo) -> datetime:
    return parse_period(text, zone).start


def _iso_instant(text: str, _now: datetime, zone: ZoneInfo) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.astimezone(UTC) if moment.tzinfo else first_instant(moment, zone)
