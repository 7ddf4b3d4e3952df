"""Windows of the calendar, what they are compared with, and waits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.schedule import (
    Period,
    Window,
    backoff,
    comparison,
    days,
    jitter,
    next_run,
    parse_duration,
    parse_period,
    parse_since,
    period_at,
    period_before,
    period_so_far,
    span,
    trailing,
)

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "America/Santiago",
    "America/Nuuk",
    "Africa/Cairo",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
    "Pacific/Apia",
]
PERIODS: list[Period] = ["hour", "day", "week", "month"]
INSTANTS = st.integers(0, 29 * 365 * 86_400).map(
    lambda seconds: datetime(2001, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
TEN_MINUTES, HOUR, DAY = timedelta(minutes=10), timedelta(hours=1), timedelta(days=1)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def edges(window: Window) -> tuple[datetime, datetime]:
    return window.start, window.end


# --- periods


@pytest.mark.parametrize(
    ("period", "label", "start", "end"),
    [
        ("hour", "2026-11-22T08", "2026-11-22T07:00", "2026-11-22T08:00"),
        ("day", "2026-11-21", "2026-11-20T23:00", "2026-11-21T23:00"),
        ("week", "2026-W46", "2026-11-08T23:00", "2026-11-15T23:00"),
        ("month", "2026-10", "2026-09-30T22:00", "2026-10-31T23:00"),
    ],
)
def test_the_period_before_is_the_last_complete_one(period: Period, label: str, start: str, end: str) -> None:
    found = period_before(utc("2026-11-22T08:03"), period, BERLIN)
    assert found == Window(utc(start), utc(end), label, period, BERLIN)


def test_a_period_that_ends_at_the_due_instant_is_complete() -> None:
    midnight = utc("2026-11-21T23:00")
    assert period_before(midnight, "day", BERLIN).label == "2026-11-21"
    assert period_before(midnight - timedelta(microseconds=1), "day", BERLIN).label == "2026-11-20"


def test_weeks_are_named_by_their_iso_year() -> None:
    assert period_at(utc("2027-01-02"), "week", BERLIN).label == "2026-W53"
    assert period_at(utc("2024-12-31"), "week", BERLIN).label == "2025-W01"


def test_days_have_23_24_or_25_hours() -> None:
    lengths = {label: parse_period(label, BERLIN).length for label in ("2026-03-29", "2026-06-01", "2026-10-25")}
    assert list(lengths.values()) == [23 * HOUR, 24 * HOUR, 25 * HOUR]
    assert parse_period("2026-04-05", ZoneInfo("Australia/Lord_Howe")).length == 24.5 * HOUR


def test_a_day_without_midnight_begins_after_the_gap() -> None:
    santiago = parse_period("2026-09-06", ZoneInfo("America/Santiago"))
    assert (santiago.start, santiago.length) == (utc("2026-09-06T04:00"), 23 * HOUR)
    cairo = parse_period("2026-04-24", ZoneInfo("Africa/Cairo"))
    assert (cairo.start, cairo.length) == (utc("2026-04-23T22:00"), 23 * HOUR)


def test_the_hour_that_comes_twice_is_two_hours_with_two_names() -> None:
    first, second = (
        period_at(utc("2026-10-25T00:30"), "hour", BERLIN),
        period_at(utc("2026-10-25T01:30"), "hour", BERLIN),
    )
    assert (first.label, second.label) == ("2026-10-25T02", "2026-10-25T02+01:00")
    assert (first.length, second.length) == (HOUR, HOUR)
    assert first.end == second.start


def test_a_half_hour_shift_makes_an_hour_of_ninety_minutes() -> None:
    lord_howe = ZoneInfo("Australia/Lord_Howe")
    assert parse_period("2026-04-05T01", lord_howe).length == 1.5 * HOUR
    assert parse_period("2026-10-04T01", lord_howe).length == 1.5 * HOUR


@settings(deadline=None, max_examples=300)
@given(INSTANTS, st.sampled_from(PERIODS), st.sampled_from(ZONES))
def test_periods_tile_time_and_their_names_lead_back(at: datetime, period: Period, zone_name: str) -> None:
    zone = ZoneInfo(zone_name)
    found = period_at(at, period, zone)
    before = period_before(at, period, zone)
    assert found.start <= at < found.end
    assert before.end == found.start
    assert period_at(found.end, period, zone).start == found.end
    assert parse_period(found.label, zone) == found
    assert before.label != found.label


@pytest.mark.parametrize("zone_name", ZONES)
def test_the_days_of_a_year_follow_each_other_each_once(zone_name: str) -> None:
    zone = ZoneInfo(zone_name)
    year = span(parse_period("2026-01", zone).start, parse_period("2026-12", zone).end, zone)
    found = days(year, zone)
    assert len({day.label for day in found}) == len(found) == 365
    assert [a.end for a in found[:-1]] == [b.start for b in found[1:]]
    assert (found[0].start, found[-1].end) == edges(year)
    assert {day.length for day in found} <= {23 * HOUR, 23.5 * HOUR, 24 * HOUR, 24.5 * HOUR, 25 * HOUR}


def test_the_days_at_the_ends_of_a_window_are_clipped_to_it() -> None:
    found = days(span(utc("2026-11-20T12:00"), utc("2026-11-22T12:00"), BERLIN), BERLIN)
    assert [(day.label, day.length) for day in found] == [
        ("2026-11-20", 11 * HOUR),
        ("2026-11-21", DAY),
        ("2026-11-22", 13 * HOUR),
    ]


def test_a_day_that_a_zone_left_out_is_no_day() -> None:
    apia = ZoneInfo("Pacific/Apia")
    found = days(span(utc("2011-12-29T10:00"), utc("2012-01-01T10:00"), apia), apia)
    assert [day.label for day in found] == ["2011-12-29", "2011-12-31", "2012-01-01"]
    with pytest.raises(ValueError, match="there is none"):
        parse_period("2011-12-30", apia)


@pytest.mark.parametrize(
    "label",
    [
        "",
        "yesterday",
        "2026",
        "2026-13",
        "2026-02-30",
        "2026-W54",
        "2026-W00",
        "2026-11-22T24",
        "2026-3-1",
        "9999-12-31",
    ],
)
def test_a_name_of_no_period_is_refused(label: str) -> None:
    with pytest.raises(ValueError, match=f"period '{label}': there is none; write"):
        parse_period(label, BERLIN)


def test_an_hour_that_the_clocks_skip_is_refused() -> None:
    with pytest.raises(ValueError, match="there is none"):
        parse_period("2026-03-29T02", BERLIN)


# --- what a window is compared with


def test_a_complete_month_stands_against_the_complete_month_before() -> None:
    assert comparison(parse_period("2026-02", BERLIN)) == parse_period("2026-01", BERLIN)
    assert comparison(parse_period("2026-03", BERLIN)) == parse_period("2026-02", BERLIN)
    assert comparison(parse_period("2026-W01", BERLIN)) == parse_period("2025-W52", BERLIN)


def test_a_month_so_far_stands_against_the_same_part_of_the_month_before() -> None:
    found = comparison(period_so_far(utc("2026-11-22T09:30"), "month", BERLIN))
    assert edges(found) == (utc("2026-09-30T22:00"), utc("2026-10-22T08:30"))  # 10:30 by the clock, in summer time


def test_a_part_longer_than_the_month_before_is_clipped_to_it() -> None:
    found = comparison(period_so_far(utc("2026-03-31T09:30"), "month", BERLIN))
    assert edges(found) == edges(parse_period("2026-02", BERLIN))


def test_the_second_of_two_equal_hours_stands_against_the_first() -> None:
    second = period_so_far(utc("2026-10-25T01:20"), "hour", BERLIN)
    assert edges(comparison(second)) == (utc("2026-10-25T00:00"), utc("2026-10-25T00:20"))
    third = period_so_far(utc("2026-10-25T02:20"), "hour", BERLIN)
    assert edges(comparison(third)) == (utc("2026-10-25T01:00"), utc("2026-10-25T01:20"))


def test_whole_local_days_stand_against_as_many_days() -> None:
    week_of_change = span(parse_period("2026-10-22", BERLIN).start, parse_period("2026-10-28", BERLIN).end, BERLIN)
    assert week_of_change.label == "2026-10-22..2026-10-28"
    found = comparison(week_of_change)
    assert (found.label, found.end, found.length) == ("2026-10-15..2026-10-21", week_of_change.start, 7 * DAY)


def test_any_other_window_stands_against_equal_length_just_before() -> None:
    window = span(utc("2026-11-22T07:10"), utc("2026-11-22T09:40"), BERLIN)
    assert edges(comparison(window)) == (utc("2026-11-22T04:40"), utc("2026-11-22T07:10"))
    assert window.label == "2026-11-22T08:10..2026-11-22T10:40"


@settings(deadline=None)
@given(INSTANTS, st.sampled_from(PERIODS), st.sampled_from(ZONES))
def test_a_comparison_never_overlaps_its_window_nor_leaves_the_period_before(
    now: datetime, period: Period, zone_name: str
) -> None:
    window = period_so_far(now, period, ZoneInfo(zone_name))
    found, whole = comparison(window), period_before(window.start, period, window.zone)
    assert found.start == whole.start
    assert found.start <= found.end <= whole.end <= window.start


def test_trailing_days_are_days_of_the_local_clock() -> None:
    found = trailing(parse_period("2026-11-01", BERLIN).end, 90, BERLIN)
    assert (found.label, found.start) == ("2026-08-04..2026-11-01", utc("2026-08-03T22:00"))


# --- durations and times as people write them


@pytest.mark.parametrize(
    ("text", "duration"),
    [
        ("45s", timedelta(seconds=45)),
        ("10m", TEN_MINUTES),
        ("1h30m", 1.5 * HOUR),
        ("1h 30m", 1.5 * HOUR),
        ("2d", 2 * DAY),
        ("1W", 7 * DAY),
        ("2y", 730 * DAY),
        ("1y2w", 379 * DAY),
    ],
)
def test_durations_are_understood(text: str, duration: timedelta) -> None:
    assert parse_duration(text) == duration


@pytest.mark.parametrize("text", ["", "10", "m", "ten m", "-5m", "30m1h", "1 0m", "1.5h", "999999999999d"])
def test_what_is_no_duration_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(ValueError, match=r"duration .*: (not understood|too long); write a"):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("30d", "2026-10-23T08:00"),
        ("2026-11-01", "2026-10-31T23:00"),
        ("2026-W44", "2026-10-25T23:00"),
        ("2026-11", "2026-10-31T23:00"),
        ("2026-11-01T08:00", "2026-11-01T07:00"),
        ("2026-11-01T08:00:00Z", "2026-11-01T08:00"),
        ("2026-11-01T08:00+05:30", "2026-11-01T02:30"),
    ],
)
def test_a_since_is_a_duration_a_day_or_an_instant(text: str, instant: str) -> None:
    found = parse_since(text, utc("2026-11-22T08:00"), BERLIN)
    assert found == utc(instant)
    assert found.utcoffset() == timedelta(0)


@pytest.mark.parametrize("text", ["", "last week", "2026-02-30", "99999999d"])
def test_what_is_no_since_is_refused_with_a_remedy(text: str) -> None:
    with pytest.raises(ValueError, match="not understood; write 30d, 2026-11-01 or"):
        parse_since(text, utc("2026-11-22T08:00"), BERLIN)


# --- waits


def test_the_wait_doubles_up_to_the_cap() -> None:
    waits = [backoff(failures, TEN_MINUTES, HOUR) for failures in (0, 1, 2, 3, 4, 10_000)]
    assert waits == [0 * HOUR, TEN_MINUTES, 2 * TEN_MINUTES, 4 * TEN_MINUTES, HOUR, HOUR]


def test_the_wait_that_the_other_side_asks_for_is_kept_even_past_the_cap() -> None:
    assert backoff(1, TEN_MINUTES, HOUR, retry_after=5 * HOUR) == 5 * HOUR
    assert backoff(2, TEN_MINUTES, HOUR, retry_after=timedelta(seconds=5)) == 2 * TEN_MINUTES


@settings(deadline=None)
@given(st.timedeltas(timedelta(seconds=1), 30 * DAY), st.text())
def test_jitter_stays_within_a_tenth_and_is_alike_for_one_key(interval: timedelta, key: str) -> None:
    moved = jitter(interval, key)
    assert 0.9 * interval <= moved <= 1.1 * interval
    assert jitter(interval, key) == moved


def test_jitter_spreads_the_turns_of_a_source_over_the_whole_range() -> None:
    moved = [jitter(HOUR, f"forum {turn}") / HOUR for turn in range(500)]
    assert min(moved) < 0.91
    assert max(moved) > 1.09
    assert abs(sum(moved) / 500 - 1) < 0.01


def test_a_source_that_works_comes_back_after_its_interval() -> None:
    now = utc("2026-11-22T08:00")
    assert next_run(now, HOUR, "forum 1") == now + jitter(HOUR, "forum 1")


def test_a_source_that_fails_comes_back_later_and_later_but_a_daily_one_sooner_than_tomorrow() -> None:
    now = utc("2026-11-22T08:00")
    waits = [next_run(now, TEN_MINUTES, "forum 1", failures=failures) - now for failures in range(1, 9)]
    assert waits == sorted(waits)
    assert waits[-1] == jitter(HOUR, "forum 1")
    assert next_run(now, DAY, "store 1", failures=1) - now == jitter(TEN_MINUTES, "store 1")
    assert next_run(now, DAY, "store 1", failures=99) - now == jitter(DAY, "store 1")


@settings(deadline=None)
@given(st.integers(0, 50), st.text())
def test_no_source_comes_back_before_the_platform_allows(failures: int, key: str) -> None:
    now, allowed = utc("2026-11-22T08:00"), timedelta(hours=3)
    assert next_run(now, TEN_MINUTES, key, failures=failures, retry_after=allowed) >= now + allowed
