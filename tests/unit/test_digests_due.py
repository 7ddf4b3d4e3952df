"""What is due: each period in exactly one digest, over a year, in six zones, whatever stopped in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.config.models import DigestSettings
from monitor.digests import MOST_CAUGHT_UP, due_windows
from monitor.schedule import Period, Schedule, parse_period, period_at, span
from storage.records import Planned

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "America/Santiago",  # the clocks skip midnight
    "Asia/Kathmandu",  # a quarter of an hour off
    "Australia/Lord_Howe",  # put forward by half an hour
    "Pacific/Auckland",
)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SCHEDULES: tuple[tuple[str, Period, timedelta], ...] = (  # with the longest outage
    ("0 8 * * *", "day", 30 * DAY),
    ("daily at 00:00", "day", 30 * DAY),
    ("30 2 * * *", "day", 30 * DAY),  # does not exist, or comes twice, when the clocks change
    ("0 0,12 * * *", "day", 30 * DAY),  # more often than its period is long
    ("0 7 * * 1", "week", 50 * DAY),
    ("weekly on sunday at 23:30", "week", 50 * DAY),
    ("0 6 1 * *", "month", 80 * DAY),
    ("monthly on the last day at 18:00", "month", 80 * DAY),
)
PACE: dict[Period, timedelta] = {"hour": 12 * HOUR, "day": DAY, "week": 2 * DAY, "month": 9 * DAY}
"""How long it takes at most until somebody looks, but for outages."""
START, END = datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2027, 1, 1, 12, tzinfo=UTC)


def digest(**given: Any) -> DigestSettings:
    return DigestSettings.model_validate({"name": "d", "schedule": "0 8 * * *", **given})


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def looks(dice: Random, pace: timedelta, longest: timedelta) -> Iterator[datetime]:
    """When a year's daemons look at the clock: at a fair pace, with outages now and then."""
    now = START
    while now < END:
        yield now
        now += dice.uniform(0.2, 1) * (longest if dice.random() < 0.05 else pace)


def planned_in_a_year(settings: DigestSettings, zone: ZoneInfo, moments: Iterator[datetime]) -> list[Planned]:
    """What a year of looking plans; every look is made twice, as by two daemons."""
    found: list[Planned] = []
    for now in moments:
        for _ in range(2):
            found += due_windows(settings, zone, found[-1] if found else None, now)
        assert all(one.due_at <= now and one.end <= one.due_at for one in found[-2:])
    return found


def check_year(schedule: str, period: Period, longest: timedelta, catch_up: str, zone: ZoneInfo) -> None:
    dice = Random(f"{schedule} {zone.key} {catch_up}")
    settings = digest(schedule=schedule, period=period, catch_up=catch_up)
    found = planned_in_a_year(settings, zone, looks(dice, PACE[period], longest))
    assert all(a.end == b.start and a.due_at < b.due_at for a, b in pairwise(found))  # none left out, none twice
    assert found[0].start < START
    assert found[-1].end > END - longest - timedelta(days=62)
    for one in found:
        first, last = period_at(one.start, period, zone), period_at(one.end - timedelta(seconds=1), period, zone)
        assert (first.start, last.end) == (one.start, one.end)
        assert first == last or catch_up == "one"
        assert one.period == (first.label if first == last else span(one.start, one.end, zone).label)


@pytest.mark.parametrize("zone_name", ZONES)
@pytest.mark.parametrize("catch_up", ["each", "one"])
@pytest.mark.parametrize(("schedule", "period", "longest"), SCHEDULES)
def test_every_period_of_a_year_lies_in_exactly_one_digest(
    schedule: str, period: Period, longest: timedelta, catch_up: str, zone_name: str
) -> None:
    check_year(schedule, period, longest, catch_up, ZoneInfo(zone_name))


@pytest.mark.parametrize(("number", "zone_name"), list(enumerate((*ZONES, "America/St_Johns", "Antarctica/Casey"))))
def test_every_hour_of_a_year_lies_in_exactly_one_digest(number: int, zone_name: str) -> None:
    schedule, catch_up = (("0 * * * *", "each"), ("hourly", "one"))[number % 2]
    check_year(schedule, "hour", 30 * HOUR, catch_up, ZoneInfo(zone_name))


FURTHER_ZONES = (
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/St_Johns",  # half an hour off
    "America/New_York",
    "Europe/Berlin",
    "Antarctica/Casey",  # the clocks are put back by three hours
)
FURTHER: tuple[tuple[str, Period, timedelta], ...] = (
    ("15 */6 * * *", "day", 20 * DAY),
    ("daily at 02:30", "day", 20 * DAY),
    ("weekdays at 09:00", "week", 50 * DAY),
    ("0 9,17 * * 1-5", "week", 50 * DAY),
    ("weekly on monday at 00:00", "week", 50 * DAY),
    ("monthly on the 1st at 00:30", "month", 80 * DAY),
)


@pytest.mark.parametrize("zone_name", FURTHER_ZONES)
@pytest.mark.parametrize(("schedule", "period", "longest"), FURTHER)
def test_so_it_is_with_words_and_cron_wherever_clocks_are_odd(
    schedule: str, period: Period, longest: timedelta, zone_name: str
) -> None:
    catch_up = ("one", "each")[(FURTHER_ZONES.index(zone_name) + len(schedule)) % 2]
    check_year(schedule, period, longest, catch_up, ZoneInfo(zone_name))


@pytest.mark.parametrize("zone_name", ZONES)
def test_where_nothing_stops_digests_are_due_when_their_schedule_says(zone_name: str) -> None:
    zone = ZoneInfo(zone_name)
    found = planned_in_a_year(digest(), zone, (START + hours * HOUR for hours in range(0, 365 * 24 + 1, 12)))
    assert [one.due_at for one in found[1:]] == Schedule.parse("0 8 * * *", zone).due_between(found[0].due_at, END)
    assert len(found) == 366
    assert {parse_period(one.period, zone).period for one in found} == {"day"}


def test_the_first_time_it_is_the_latest_one_only() -> None:
    (found,) = due_windows(digest(), BERLIN, None, at("2026-11-20 23:00"))
    assert found == Planned(at("2026-11-20 08:00"), "2026-11-19", at("2026-11-19"), at("2026-11-20"))
    (before,) = due_windows(digest(), BERLIN, None, at("2026-11-20 07:59"))
    assert before.period == "2026-11-18"
    (exact,) = due_windows(digest(), BERLIN, None, at("2026-11-20 08:00"))
    assert exact == found


def test_missed_periods_come_as_one_digest_over_all_of_them() -> None:
    (last,) = due_windows(digest(), BERLIN, None, at("2026-11-16 09:00"))
    (found,) = due_windows(digest(), BERLIN, last, at("2026-11-20 09:00"))
    assert found == Planned(at("2026-11-20 08:00"), "2026-11-16..2026-11-19", at("2026-11-16"), at("2026-11-20"))


def test_one_digest_holds_them_however_many_were_missed() -> None:
    hourly = digest(schedule="hourly", period="hour")
    (last,) = due_windows(hourly, BERLIN, None, utc("2026-11-16 09:00"))
    (found,) = due_windows(hourly, BERLIN, last, utc("2026-11-20 09:30"))
    assert (found.start, found.end) == (last.end, utc("2026-11-20 09:00"))


def test_each_missed_period_comes_by_itself_the_latest_month_of_them() -> None:
    each = digest(catch_up="each")
    (last,) = due_windows(each, BERLIN, None, at("2026-06-01 09:00"))
    found = due_windows(each, BERLIN, last, at("2026-11-20 09:00"))
    assert len(found) == MOST_CAUGHT_UP
    assert (found[0].period, found[-1].period) == ("2026-10-20", "2026-11-19")
    assert due_windows(each, BERLIN, found[-1], at("2026-11-20 09:00")) == []


def test_a_digest_due_twice_within_its_period_speaks_of_it_once() -> None:
    twice = digest(schedule="0 8,20 * * *")
    (last,) = due_windows(twice, BERLIN, None, at("2026-11-20 09:00"))
    assert due_windows(twice, BERLIN, last, at("2026-11-20 21:00")) == []
    (found,) = due_windows(twice, BERLIN, last, at("2026-11-21 21:00"))
    assert (found.due_at, found.period) == (at("2026-11-21 08:00"), "2026-11-20")


def test_a_time_that_the_clocks_skip_and_one_that_comes_twice_are_due_once() -> None:
    night = digest(schedule="30 2 * * *", catch_up="each")
    (last,) = due_windows(night, BERLIN, None, at("2026-03-27 09:00"))
    spring = due_windows(night, BERLIN, last, at("2026-03-31 09:00"))
    assert [one.due_at for one in spring] == [
        at("2026-03-28 02:30"), at("2026-03-29 03:00"), at("2026-03-30 02:30"), at("2026-03-31 02:30"),
    ]  # fmt: skip
    (last,) = due_windows(night, BERLIN, None, at("2026-10-24 09:00"))
    autumn = due_windows(night, BERLIN, last, at("2026-10-26 09:00"))
    assert [(one.due_at, one.end - one.start) for one in autumn] == [
        (utc("2026-10-25 00:30"), 24 * HOUR),
        (utc("2026-10-26 01:30"), 25 * HOUR),
    ]


def test_the_day_on_which_the_clocks_go_back_has_25_hourly_digests() -> None:
    hourly = digest(schedule="hourly", period="hour", catch_up="each")
    (last,) = due_windows(hourly, BERLIN, None, at("2026-10-25 00:00"))
    found = due_windows(hourly, BERLIN, last, at("2026-10-26 00:00"))
    assert len(found) == len({one.period for one in found}) == 25
    assert [one.period for one in found][1:4] == ["2026-10-25T01", "2026-10-25T02", "2026-10-25T02+01:00"]


def test_a_clock_that_was_put_back_plans_nothing_again() -> None:
    (last,) = due_windows(digest(), BERLIN, None, at("2026-11-20 09:00"))
    assert due_windows(digest(), BERLIN, last, at("2026-11-10 09:00")) == []
    (found,) = due_windows(digest(), BERLIN, last, at("2026-11-21 09:00"))
    assert found.period == "2026-11-20"


def test_a_digest_that_becomes_weekly_still_has_its_week() -> None:
    (last,) = due_windows(digest(), BERLIN, None, at("2026-11-18 09:00"))
    weekly = digest(schedule="weekly on monday", period="week")
    (found,) = due_windows(weekly, BERLIN, last, at("2026-11-23 09:00"))
    assert found.period == "2026-W47"
