"""Schedules in words."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from monitor.web.schedule_words import schedule_words


@pytest.mark.parametrize(
    ("schedule", "said"),
    [
        ("hourly", "every hour"),
        ("15 * * * *", "every hour at 15 minutes past"),
        ("daily at 07:30", "every day at 07:30"),
        ("0 8,20 * * *", "every day at 08:00 and 20:00"),
        ("weekdays", "on weekdays at 08:00"),
        ("0 8 * * mon-fri", "on weekdays at 08:00"),
        ("weekly on monday at 08:00", "every Monday at 08:00"),
        ("0 8 * * 1,3,5", "every Monday, Wednesday and Friday at 08:00"),
        ("0 8 * * sun", "every Sunday at 08:00"),
        ("monthly on the 1st", "on the 1st of every month at 08:00"),
        ("0 8 22 * *", "on the 22nd of every month at 08:00"),
        ("monthly on the last day", "on the last day of every month at 08:00"),
        ("*/5 8-18 * * 1-5", "by cron: */5 8-18 * * 1-5"),
        ("0 8-18 * * *", "by cron: 0 8-18 * * *"),
        ("0 8 1 * 1", "by cron: 0 8 1 * 1"),
        ("0 8 1 6 *", "by cron: 0 8 1 6 *"),
        ("0 8 * * 1#2", "by cron: 0 8 * * 1#2"),
        ("0 8 1,15 * *", "by cron: 0 8 1,15 * *"),
    ],
)
def test_a_schedule_is_said_as_people_say_it(schedule: str, said: str) -> None:
    assert schedule_words(schedule, ZoneInfo("Europe/Berlin")) == said
