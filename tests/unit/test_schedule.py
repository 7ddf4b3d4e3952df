"""Which instants are due, in zones whose clocks do everything clocks can do."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.schedule import Schedule, period_before

ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",  # clocks skip and repeat midnight
    "America/Havana",
    "America/Nuuk",  # clocks skip the last hour of a day
    "Africa/Cairo",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",  # half an hour forward and back
    "Pacific/Chatham",
    "Pacific/Apia",
]
YEAR = (datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2027, 1, 1, 12, tzinfo=UTC))
INSTANTS = st.integers(0, 4 * 365 * 86_400).map(
    lambda seconds: datetime(2024, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def schedule(text: str, zone: str = "Europe/Berlin") -> Schedule:
    return Schedule.parse(text, ZoneInfo(zone))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local_days(start: date, end: date) -> list[str]:
    return [(start + timedelta(days=i)).isoformat() for i in range((end - start).days)]


# --- what may be written


@pytest.mark.parametrize(
    ("text", "cron"),
    [
        ("0 8 * * *", "0 8 * * *"),
        ("  */15  9-17 * * mon-fri ", "*/15 9-17 * * MON-FRI"),
        ("* * * * *", "* * * * *"),
        ("hourly", "0 * * * *"),
        ("daily at 08:00", "0 8 * * *"),
        ("Every day at 7:05", "5 7 * * *"),
        ("daily", "0 8 * * *"),
        ("weekdays at 09:00", "0 9 * * 1-5"),
        ("weekly on monday at 07:30", "30 7 * * 1"),
        ("every sun at 23:59", "59 23 * * 0"),
        ("monthly on the 1st", "0 8 1 * *"),
        ("monthly on the 15th at 06:00", "0 6 15 * *"),
        ("monthly on the last day at 18:00", "0 18 L * *"),
    ],
)
def test_cron_and_plain_words_are_understood(text: str, cron: str) -> None:
    assert schedule(text).cron == cron


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not understood; write cron"),
        ("now and then", "not understood; write cron"),
        ("daily at 25:00", "not understood; write cron"),
        ("weekly on someday at 08:00", "no weekday; write one such as monday"),
        ("monthly on the 31st", 'not every month has day 31; write 1st to 28th, or "last day"'),
        ("monthly on the 0th", "not every month has day 0"),
        ("61 8 * * *", "bad minute; mend that field"),
        ("0 8 * * someday", "bad day-of-week; mend that field"),
        ("0 8 * *", "has 4 fields, not five"),
        ("0 0 8 * * *", "has 6 fields, not five"),
        ("0 8 31 2 *", "bad day-of-month"),
    ],
)
def test_what_is_no_schedule_is_refused_with_a_remedy(text: str, message: str) -> None:
    with pytest.raises(ValueError) as refused:
        schedule(text)
    assert str(refused.value).startswith(f"schedule {text!r}: ")
    assert message in str(refused.value)


# --- what is due


def test_next_is_after_and_previous_includes_the_instant_itself() -> None:
    daily = schedule("daily at 08:00")
    due = utc("2026-11-22T07:00")
    assert daily.next(due) == utc("2026-11-23T07:00")
    assert daily.previous(due) == due
    assert daily.previous(due - timedelta(microseconds=1)) == utc("2026-11-21T07:00")
    assert daily.due_between(due, utc("2026-11-24T07:00")) == [utc("2026-11-23T07:00"), utc("2026-11-24T07:00")]


def test_rare_days_are_found_both_ways() -> None:
    leap = schedule("0 6 29 2 *", "UTC")
    assert leap.next(utc("2026-11-22")) == utc("2028-02-29T06:00")
    assert leap.previous(utc("2026-11-22")) == utc("2024-02-29T06:00")
    assert schedule("monthly on the last day at 06:00", "UTC").next(utc("2026-02-01")) == utc("2026-02-28T06:00")


def test_a_time_that_the_clocks_skip_is_due_right_after_the_gap() -> None:
    assert schedule("30 2 * * *").next(utc("2026-03-28T12:00")) == utc("2026-03-29T01:00")


def test_a_skipped_midnight_is_due_when_the_day_begins() -> None:
    assert schedule("0 0 * * *", "America/Santiago").next(utc("2026-09-05T12:00")) == utc("2026-09-06T04:00")


def test_a_gap_that_ends_on_the_next_day_is_due_right_before_it() -> None:
    assert schedule("30 23 * * *", "America/Nuuk").next(utc("2026-03-28T12:00")) == utc("2026-03-29T00:59:59")


def test_a_time_that_comes_twice_is_due_the_first_time() -> None:
    twice = schedule("30 2 * * *")
    assert twice.next(utc("2026-10-25T00:00")) == utc("2026-10-25T00:30")
    assert twice.next(utc("2026-10-25T00:30")) == utc("2026-10-26T01:30")
    assert twice.next(utc("2026-10-25T01:10")) == utc("2026-10-26T01:30")
    assert twice.previous(utc("2026-10-25T02:00")) == utc("2026-10-25T00:30")


def test_quarter_hours_go_on_through_the_repeated_hour() -> None:
    due = schedule("*/15 * * * *").due_between(utc("2026-10-24T23:59"), utc("2026-10-25T03:00"))
    assert due == [utc("2026-10-25T00:00") + timedelta(minutes=15 * i) for i in range(13)]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("clock", ["0 0", "30 0", "30 1", "0 2", "30 2", "0 8", "30 23"])
def test_a_daily_digest_speaks_of_every_local_day_of_a_year_once(zone: str, clock: str) -> None:
    due = schedule(f"{clock} * * *", zone).due_between(*YEAR)
    spoken = [period_before(at, "day", ZoneInfo(zone)).label for at in due]
    first = date.fromisoformat(spoken[0])
    assert spoken == local_days(first, first + timedelta(days=365))
    assert [at for at in due if not YEAR[0] < at <= YEAR[1]] == []


@pytest.mark.parametrize("zone", ZONES)
def test_an_hourly_digest_speaks_of_every_hour_of_a_year_once(zone: str) -> None:
    due = schedule("hourly", zone).due_between(utc("2026-03-01"), utc("2026-04-30"))
    due += schedule("hourly", zone).due_between(utc("2026-08-25"), utc("2026-11-10"))
    windows = [period_before(at, "hour", ZoneInfo(zone)) for at in due]
    assert len({window.label for window in windows}) == len(windows)
    assert [window.end for window in windows] == due
    assert sum(a.end != b.start for a, b in pairwise(windows)) == 1  # the months left out


@pytest.mark.parametrize("zone", ZONES)
def test_a_weekly_and_a_monthly_digest_speak_of_every_week_and_month_once(zone: str) -> None:
    weekly = schedule("weekly on monday at 00:00", zone).due_between(*YEAR)
    weeks = [period_before(at, "week", ZoneInfo(zone)).label for at in weekly]
    assert weeks == [f"2026-W{week:02d}" for week in range(1, 53)]
    monthly = schedule("monthly on the 1st at 00:30", zone).due_between(*YEAR)
    months = [period_before(at, "month", ZoneInfo(zone)).label for at in monthly]
    assert months[-11:] == [f"2026-{month:02d}" for month in range(2, 13)]


def test_a_day_that_a_zone_left_out_is_neither_due_nor_spoken_of() -> None:
    apia = ZoneInfo("Pacific/Apia")
    due = Schedule.parse("daily at 08:00", apia).due_between(utc("2011-12-28T18:30"), utc("2011-12-31T18:30"))
    assert due == [utc("2011-12-29T18:00"), utc("2011-12-30T18:00"), utc("2011-12-31T18:00")]
    assert [period_before(at, "day", apia).label for at in due] == ["2011-12-28", "2011-12-29", "2011-12-31"]


CRONS = ["0 8 * * *", "30 2 * * *", "0,30 0,23 * * *", "*/15 * * * *", "30 * * * 0", "0 */6 1 * *", "15 1-3 * * 6,0"]


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("cron", CRONS)
def test_walking_forward_back_and_listing_find_the_same_instants(zone: str, cron: str) -> None:
    subject = schedule(cron, zone)
    for day in days_of_change(ZoneInfo(zone)):
        start, end = day - timedelta(hours=8), day + timedelta(hours=28)
        listed = subject.due_between(start, end)
        assert forward(subject, start, end) == listed
        assert backward(subject, start, end) == listed[::-1]


def days_of_change(zone: ZoneInfo) -> list[datetime]:
    """The days of 2026 (in UTC) within which the clocks change; of a zone without any, one day like another."""
    days = [utc("2026-01-01") + timedelta(days=i) for i in range(365)]
    changed = [a for a, b in pairwise(days) if a.astimezone(zone).utcoffset() != b.astimezone(zone).utcoffset()]
    return changed or [utc("2026-03-28")]


def forward(subject: Schedule, start: datetime, end: datetime) -> list[datetime]:
    found, at = [], subject.next(start)
    while at <= end:
        found.append(at)
        at = subject.next(at)
    return found


def backward(subject: Schedule, start: datetime, end: datetime) -> list[datetime]:
    found, at = [], subject.previous(end)
    while at > start:
        found.append(at)
        at = subject.previous(at - timedelta(microseconds=1))
    return found


@settings(deadline=None)
@given(INSTANTS, st.sampled_from(CRONS), st.sampled_from(ZONES))
def test_nothing_is_due_between_previous_and_next(at: datetime, cron: str, zone: str) -> None:
    subject = schedule(cron, zone)
    previous, following = subject.previous(at), subject.next(at)
    assert previous <= at < following
    assert subject.next(previous) == following
    assert subject.due_between(previous, following) == [following]
