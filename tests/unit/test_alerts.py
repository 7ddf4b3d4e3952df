"""When an alert fires, goes on and ends: decided from figures alone."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from math import exp, log
from zoneinfo import ZoneInfo

import pytest

from monitor.alert_notices import after_quiet
from monitor.alerts import Episode, judge
from monitor.unusual import Period, Rule, Series, Track
from storage.records import Sums

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)
VOLUME = Rule("volume", 0.001, 10)
JITTER = (0, 2, -1, 1, -2, 0, 1, -1)


def days(count: int) -> list[Period]:
    return [Period(MONDAY + n * DAY, MONDAY + (n + 1) * DAY, n % 7, 0) for n in range(count)]


def track(name: str, counts: Sequence[int], label: str = "neutral", **given: object) -> Track:
    known = {"watched_from": MONDAY, "known_until": MONDAY + 1_000 * DAY, **given}
    return Track(name, {n: Sums({label: count}) for n, count in enumerate(counts) if count}, **known)  # type: ignore[arg-type]


def steady(count: int, mean: int = 20) -> list[int]:
    return [mean + JITTER[n % len(JITTER)] for n in range(count)]


def series(*tracks: Track, length: int, now: datetime | None = None) -> Series:
    return Series(days(length), tracks, now or MONDAY + length * DAY)


def fired(found: Sequence[Episode]) -> list[tuple[int, int, bool]]:
    """Number of the first day, days, and whether it is over."""
    return [
        ((one.begun_at - MONDAY).days, (one.last_at - one.begun_at).days, one.ended_at is not None) for one in found
    ]


def run(counts: Sequence[int], rule: Rule = VOLUME, since: int = 14) -> list[Episode]:
    found, _ = judge(series(track("a", counts), length=len(counts)), rule, [], MONDAY + since * DAY)
    return found


def changed(counts: Sequence[int], at: Mapping[int, int]) -> list[int]:
    return [at.get(number, count) for number, count in enumerate(counts)]


def test_a_usual_stream_fires_nothing() -> None:
    assert run(steady(120)) == []


def test_a_day_far_above_the_usual_fires_once_and_is_over_a_usual_day_later() -> None:
    (found,) = run(changed(steady(70), {60: 62}))
    assert fired([found]) == [(60, 1, True)]
    assert found.figures["seen"] == 62
    assert found.figures["expected"] == pytest.approx(20, rel=0.1)
    assert found.figures["ratio"] == pytest.approx(3.1, rel=0.1)
    assert found.figures["p"] < 1e-6
    assert found.figures["low"] < 20 < found.figures["high"] < 62


def test_days_in_a_row_are_one_episode_with_the_figures_of_its_worst() -> None:
    (found,) = run(changed(steady(70), {60: 50, 61: 90, 62: 45}))
    assert fired([found]) == [(60, 3, True)]
    assert found.figures["seen"] == 90


def test_within_the_cool_down_nothing_begins_anew() -> None:
    counts = changed(steady(75), {60: 80, 62: 80, 65: 80})
    assert fired(run(counts)) == [(60, 1, True), (62, 1, True), (65, 1, True)]
    patient = replace(VOLUME, cool_down=3 * DAY)
    assert fired(run(counts, patient)) == [(60, 6, True)]


def test_small_is_not_unusual_however_unlikely() -> None:
    quiet = [0, 0, 0, 0, 1, 0, 0] * 10
    assert run(changed(quiet, {60: 9})) == []
    assert fired(run(changed(quiet, {60: 10}))) == [(60, 1, True)]
    large = [1_000_000 + n for n in range(70)]
    assert run(changed(large, {60: 1_400_000})) == []


def test_under_two_weeks_of_history_nothing_fires() -> None:
    assert run(changed(steady(30), {12: 500}), since=0) == []
    assert len(run(changed(steady(30), {15: 500}), since=0)) == 1


def test_an_episode_is_left_out_of_what_is_usual_for_seven_days_and_then_learned_from() -> None:
    found = run(changed(steady(120), dict.fromkeys(range(60, 120), 60)))
    (first, *rest) = fired(found)
    assert rest == []
    number, length, over = first
    assert number == 60
    assert over
    assert 7 <= length <= 30
    short = run(changed(steady(90), {60: 200, 61: 200, 70: 45}))
    assert fired(short) == [(60, 2, True), (70, 1, True)]


def test_a_gap_is_neither_a_zero_nor_an_end() -> None:
    counts = changed(steady(70), {60: 80, 61: 0, 62: 0})
    gaps = {61, 62}
    world = series(track("a", counts, gaps=gaps), length=63)
    found, _ = judge(world, VOLUME, [], MONDAY + 14 * DAY)
    assert fired(found) == [(60, 1, False)]
    holes = {n for n in range(70) if n % 6 == 5}
    low = [0 if n in holes else count for n, count in enumerate(steady(70))]
    with_holes, findings = judge(series(track("a", low, gaps=holes), length=70), VOLUME, [], MONDAY + 14 * DAY)
    assert with_holes == []
    assert findings[-2].figures["expected"] == pytest.approx(20, rel=0.05)


def test_a_source_that_is_down_falls_out_of_both_sides() -> None:
    a, b = track("a", changed(steady(70), {60: 60})), track("b", changed(steady(70, 200), {60: 0}), gaps={60})
    found, _ = judge(series(a, b, length=70), VOLUME, [], MONDAY + 14 * DAY)
    assert fired(found) == [(60, 1, True)]
    assert found[0].figures["sources"] == ["a"]


def test_a_new_source_raises_no_alert_by_what_it_adds() -> None:
    old = track("old", steady(70))
    new = track("new", [0] * 50 + steady(20, 100), gaps=set(range(50)), watched_from=MONDAY + 50 * DAY)
    found, _ = judge(series(old, new, length=70), VOLUME, [], MONDAY + 14 * DAY, live_from=MONDAY)
    assert found == []


def test_what_came_as_a_backfill_is_found_in_the_history_and_is_no_news() -> None:
    watched = MONDAY + 65 * DAY
    world = series(track("a", changed(steady(70), {60: 80}), watched_from=watched), length=70)
    (found,), _ = judge(world, VOLUME, [], MONDAY + 14 * DAY, live_from=watched)
    assert not found.live
    live = series(track("a", changed(steady(70), {67: 80}), watched_from=watched), length=70)
    (found,), _ = judge(live, VOLUME, [], MONDAY + 14 * DAY, live_from=watched)
    assert found.live
    backfilled, _ = judge(live, VOLUME, [], MONDAY + 14 * DAY, live_from=MONDAY)
    assert fired(backfilled) == [(67, 1, True)]


def test_a_day_that_still_runs_fires_when_it_is_enough_and_ends_nothing() -> None:
    noon = MONDAY + 60 * DAY + DAY / 2
    reached = noon - DAY / 48
    for seen, expected in ((62, [(60, 1, False)]), (21, [])):
        one = track("a", [*steady(60), seen], known_until=reached)
        found, _ = judge(series(one, length=61, now=noon), VOLUME, [], MONDAY + 14 * DAY)
        assert fired(found) == expected
    one = track("a", [*changed(steady(60), {59: 80}), 1], known_until=reached)
    found, _ = judge(series(one, length=61, now=noon), VOLUME, [], MONDAY + 14 * DAY)
    assert fired(found) == [(59, 1, False)]


def test_judging_again_changes_nothing() -> None:
    counts = changed(steady(75), {60: 80, 61: 80, 70: 90})
    world = series(track("a", counts), length=75)
    once, _ = judge(world, VOLUME, [], MONDAY + 14 * DAY)
    again, _ = judge(world, VOLUME, once, MONDAY + 58 * DAY)
    assert again == once
    stepwise: list[Episode] = []
    for day in range(15, 76):
        shorter = series(track("a", counts[:day]), length=day)
        stepwise, _ = judge(shorter, VOLUME, stepwise, MONDAY + max(14, day - 3) * DAY)
    assert stepwise == once


def test_complaints_are_counted_apart() -> None:
    rule = Rule("negative_volume", 0.001, 8)
    calm = [{"positive": 30, "negative": 2 + n % 2} for n in range(70)]
    calm[60] = {"positive": 20, "negative": 25}
    one = replace(track("a", []), sums={n: Sums(sums) for n, sums in enumerate(calm)})
    found, _ = judge(series(one, length=70), rule, [], MONDAY + 14 * DAY)
    assert fired(found) == [(60, 1, True)]
    assert found[0].figures["seen"] == 25
    assert judge(series(one, length=70), VOLUME, [], MONDAY + 14 * DAY)[0] == []


def moods(length: int, bad: Mapping[int, tuple[int, int, int]]) -> Track:
    cells = {n: bad.get(n, (20, 10, 10)) for n in range(length)}
    sums = {n: Sums({"positive": p, "neutral": u, "negative": m}) for n, (p, u, m) in cells.items()}
    return replace(track("a", []), sums=sums)


SCORE = Rule("score_drop", 0.001, 30, min_drop=0.15)


def test_a_score_that_falls_fires_and_one_that_rises_does_not() -> None:
    (found,), _ = judge(series(moods(70, {60: (5, 10, 25)}), length=70), SCORE, [], MONDAY + 20 * DAY)
    assert fired([found]) == [(60, 1, True)]
    assert found.figures["score"] == pytest.approx(-0.5)
    assert found.figures["before"] == pytest.approx(0.25)
    assert found.figures["delta"] == pytest.approx(-0.75)
    assert judge(series(moods(70, {60: (38, 1, 1)}), length=70), SCORE, [], MONDAY + 20 * DAY)[0] == []


def test_items_of_one_voice_weigh_less() -> None:
    world = series(moods(70, {60: (5, 10, 25)}), length=70)
    asked: list[tuple[datetime, datetime, datetime]] = []

    def effects(before: datetime, start: datetime, end: datetime, _names: object) -> tuple[float, float]:
        asked.append((before, start, end))
        return 12.0, 1.0

    assert judge(world, SCORE, [], MONDAY + 20 * DAY, effects=effects)[0] == []
    assert asked == [(MONDAY + 32 * DAY, MONDAY + 60 * DAY, MONDAY + 61 * DAY)]


def test_a_score_of_few_items_is_taken_over_several_days() -> None:
    small = dict.fromkeys(range(60), (3, 1, 2)) | dict.fromkeys(range(60, 70), (0, 1, 5))
    (found,), _ = judge(series(moods(70, small), length=70), SCORE, [], MONDAY + 30 * DAY)
    start, end = (datetime.fromisoformat(found.figures[name]) for name in ("start", "end"))
    assert end - start == 5 * DAY
    tiny = dict.fromkeys(range(60), (1, 0, 0)) | dict.fromkeys(range(60, 70), (0, 0, 1))
    assert judge(series(moods(70, tiny), length=70), SCORE, [], MONDAY + 30 * DAY)[0] == []


def test_stars_that_fall_fire() -> None:
    def stars(five: int, one: int) -> Sums:
        sums = {"rated": five + one, "stars_5": five, "stars_1": one}
        return Sums({**sums, "stars_sum": (5 * five + one) * 10_000, "stars_squares": (25 * five + one) * 10_000**2})

    rule = Rule("rating_drop", 0.001, 10, min_drop=0.3)
    sums = {n: stars(9, 1 + n % 2) for n in range(70)} | {60: stars(3, 14)}
    (found,), _ = judge(series(replace(track("a", []), sums=sums), length=70), rule, [], MONDAY + 20 * DAY)
    assert fired([found]) == [(60, 1, True)]
    assert found.figures["score"] == pytest.approx((15 + 14) / 17)
    assert found.figures["before"] == pytest.approx(4.45, abs=0.1)


def test_a_source_that_falls_silent_fires_after_as_long_as_chance_allows() -> None:
    rule = Rule("source_silent", 0.001, 5)
    busy = run(changed(steady(70), dict.fromkeys(range(60, 64), 0)), rule)
    assert fired(busy) == [(60, 4, True)]
    rare = [2 if n % 2 else 0 for n in range(100)]
    (found,) = run([*rare[:80], *[0] * 20], rule)
    assert 85 <= (found.begun_at - MONDAY).days <= 95
    assert found.figures["expected"] >= 5
    assert run(rare, rule) == []


def test_messages_wait_for_the_end_of_the_quiet_hours() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    night = (time(22), time(7))

    def wait(text: str, quiet: tuple[time, time] | None = night) -> str:
        found = after_quiet(datetime.fromisoformat(text).replace(tzinfo=berlin).astimezone(UTC), quiet, berlin)
        return found.astimezone(berlin).strftime("%d %H:%M")

    assert wait("2026-11-20T23:30") == "21 07:00"
    assert wait("2026-11-20T06:59") == "20 07:00"
    assert wait("2026-11-20T07:00") == "20 07:00"
    assert wait("2026-11-20T12:00") == "20 12:00"
    assert wait("2026-11-20T12:30", (time(12), time(14))) == "20 14:00"
    assert wait("2026-11-20T23:30", None) == "20 23:30"
    assert wait("2026-10-24T23:30") == "25 07:00"  # the night in which clocks are put back


# --- by chance alone

YEARS = 20
WEEK = (1.1, 1.15, 1.1, 1.05, 1.0, 0.8, 0.8)


def test_over_twenty_made_up_years_chance_fires_less_than_twice_a_year() -> None:
    """Means of 20 and 200 a day, variance 2 and 4 times the mean, a weekly cycle, half as much again a year later."""
    alarms = 0
    rng = random.Random(20_261_122)
    for year in range(YEARS):
        mean, phi = (20, 200)[year % 2], (2.0, 4.0)[year // 2 % 2]
        counts = [drawn(rng, mean * WEEK[n % 7] * exp(log(1.5) * n / 365), phi) for n in range(56 + 365)]
        alarms += len(run(counts, since=56))
    assert alarms == 17
    assert alarms / YEARS <= 2


def drawn(rng: random.Random, mean: float, phi: float) -> int:
    """A negative binomial number: Poisson of a gamma."""
    rate, count, at = rng.gammavariate(mean / (phi - 1), phi - 1), 0, rng.expovariate(1.0)
    while at < rate:
        count, at = count + 1, at + rng.expovariate(1.0)
    return count
