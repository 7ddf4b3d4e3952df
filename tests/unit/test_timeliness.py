"""Sources that are read seldom are read in time for their digests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.config.models import DigestSettings
from monitor.coverage import PATIENCE
from monitor.schedule import Schedule, next_run, period_before
from monitor.timeliness import in_time

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
LEAST = 10 * MINUTE


def digest(**given: Any) -> DigestSettings:
    return DigestSettings.model_validate({"name": "d", "schedule": "0 8 * * *", **given})


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)


def planned(begun: str, then: str, every: timedelta, *digests: DigestSettings, least: timedelta = LEAST) -> datetime:
    return in_time(at(then), at(begun), at(begun) + MINUTE, every, least, digests, BERLIN, "key")


def test_a_pull_that_comes_after_the_digest_is_brought_forward_to_its_window_s_end() -> None:
    found = planned("2026-11-20 21:00", "2026-11-21 21:00", DAY, digest())
    assert timedelta(0) < found - at("2026-11-21 00:00") < 2 * MINUTE


@pytest.mark.parametrize(
    ("begun", "then", "given"),
    [
        ("2026-11-20 21:00", "2026-11-21 03:00", {}),  # between the window's end and its digest
        ("2026-11-20 21:00", "2026-11-20 23:00", {}),  # before the end: the next one sees to it
        ("2026-11-21 00:00", "2026-11-22 00:00", {}),  # was read at the end
        ("2026-11-20 21:00", "2026-11-21 02:00", {"schedule": "hourly", "period": "hour"}),  # asked seldom on purpose
    ],
)
def test_a_pull_that_is_in_time_stays_where_it_is(begun: str, then: str, given: dict[str, Any]) -> None:
    assert planned(begun, then, 5 * HOUR, digest(**given)) == at(then)


def test_of_several_digests_the_first_that_would_be_missed_counts() -> None:
    weekly = digest(schedule="weekly on monday", period="week")
    found = planned("2026-11-22 12:00", "2026-11-23 12:00", DAY, weekly, digest(schedule="0 23 * * *"))
    assert at("2026-11-23 00:00") < found < at("2026-11-23 00:02")


def test_a_platform_s_own_minimum_is_kept() -> None:
    found = planned("2026-11-20 23:50", "2026-11-21 23:00", DAY, digest(), least=6 * HOUR)
    assert found == at("2026-11-20 23:51") + 6 * HOUR


def test_sources_are_moved_a_little_apart() -> None:
    instants = {
        in_time(
            at("2026-11-21 21:00"), at("2026-11-20 21:00"), at("2026-11-20 21:01"), DAY, LEAST, [digest()], BERLIN, key
        )
        for key in ("one", "two", "three")
    }
    assert len(instants) == 3


@pytest.mark.parametrize("every", [3 * HOUR, 12 * HOUR, DAY])
@pytest.mark.parametrize("zone_name", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_over_a_year_no_digest_lacks_a_source_that_is_read_seldom(every: timedelta, zone_name: str) -> None:
    dice, zone = Random(f"{every} {zone_name}"), ZoneInfo(zone_name)
    wanting = [digest(), digest(schedule="0 0 * * 1", period="week"), digest(schedule="30 2 * * *")]
    now, end = datetime(2026, 1, 1, 13, tzinfo=UTC), datetime(2027, 1, 1, 13, tzinfo=UTC)
    begun, start = [now], now
    while now < end:
        ended = now + dice.random() * 2 * MINUTE
        now = in_time(
            next_run(ended, every, f"s/{len(begun)}"), now, ended, every, LEAST, wanting, zone, f"s/{len(begun)}"
        )
        now += dice.random() * 2 * timedelta(seconds=2)  # until somebody looks
        begun.append(now)
    for one in wanting:
        for due in Schedule.parse(one.schedule, zone).due_between(start + DAY, end):
            window = period_before(due, one.period, zone)
            assert any(window.end <= pull <= due + PATIENCE for pull in begun), (one.schedule, due)
    assert len(begun) < 2.2 * 365 * DAY / every
