"""What the digests of a schedule never tell of."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from monitor.checking import coming
from monitor.config import parse
from monitor.left_out import never_told
from monitor.schedule import Period, Schedule

NOW = datetime(2026, 9, 30, 12, tzinfo=UTC)  # the clocks are put back within the weeks looked at
BERLIN = ZoneInfo("Europe/Berlin")


def told(schedule: str, period: Period) -> str | None:
    return never_told(Schedule.parse(schedule, BERLIN), period, NOW)


@pytest.mark.parametrize(
    ("schedule", "period"),
    [
        ("hourly", "hour"),
        ("*/15 * * * *", "hour"),
        ("daily at 08:00", "day"),
        ("0 8,20 * * *", "day"),
        ("weekly on monday", "week"),
        ("weekdays at 08:00", "week"),
        ("monthly on the 1st", "month"),
        ("monthly on the last day", "month"),
    ],
)
def test_a_schedule_that_is_due_in_every_period_leaves_nothing_out(schedule: str, period: Period) -> None:
    assert told(schedule, period) is None


@pytest.mark.parametrize(
    ("schedule", "period", "words"),
    [
        ("weekdays at 08:00", "day", "Friday and Saturday are in none of its digests"),
        ("0 8 * * 2-7", "day", "Sunday is in none"),
        ("weekly on monday", "day", "what lies between its digests is in none of them: each tells of one day"),
        ("daily at 08:00", "hour", 'each tells of one hour, and they come further apart; write schedule = "hourly"'),
        ("monthly on the 1st", "week", "one week"),
        ("0 8 1 1,7 *", "month", "one month"),
    ],
)
def test_what_is_left_out_is_named(schedule: str, period: Period, words: str) -> None:
    assert words in (told(schedule, period) or "")


def test_check_says_it_of_each_digest() -> None:
    digests = [
        {"name": "work", "schedule": "weekdays at 08:00"},
        {"name": "daily", "schedule": "daily at 08:00"},
    ]
    work, daily = coming(parse({"brands": [{"name": "Acme"}], "digests": digests}), NOW)
    assert work.left_out is not None
    assert daily.left_out is None
