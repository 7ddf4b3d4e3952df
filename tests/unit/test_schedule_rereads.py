"""When an item's counts are read again: a pure schedule that thins out with its age."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.schedule import REREAD_AT, next_reread

BORN = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
WEEK = timedelta(days=7)
AGES = st.timedeltas(min_value=timedelta(days=-1), max_value=timedelta(days=200))
LIMITS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=90))


def steps(first_seen: timedelta, until: timedelta, late: timedelta = timedelta(0)) -> list[timedelta]:
    """The ages at which an item is due that is first seen so old and always read so late."""
    found: list[timedelta] = []
    now = BORN + first_seen
    while (due := next_reread(BORN, now, until)) is not None:
        found.append(due - BORN)
        now = due + late
    return found


def test_an_item_seen_at_once_is_read_again_at_every_step() -> None:
    assert steps(timedelta(0), WEEK) == list(REREAD_AT)


def test_steps_that_are_past_when_an_item_is_first_seen_are_not_made_up_for() -> None:
    assert steps(timedelta(hours=2), WEEK) == list(REREAD_AT[2:])
    assert steps(timedelta(days=8), WEEK) == []


def test_a_late_reading_leaves_out_the_steps_it_came_too_late_for() -> None:
    assert steps(timedelta(0), WEEK, late=timedelta(minutes=50)) == [REREAD_AT[0], *REREAD_AT[2:]]


def test_a_step_that_is_reached_now_is_done_and_the_next_one_follows() -> None:
    assert next_reread(BORN, BORN + REREAD_AT[0], WEEK) == BORN + REREAD_AT[1]


@pytest.mark.parametrize(
    ("until", "count"), [(timedelta(0), 0), (timedelta(minutes=14), 0), (timedelta(days=1), 4), (timedelta(days=6), 5)]
)
def test_only_up_to_the_age_that_is_set(until: timedelta, count: int) -> None:
    assert steps(timedelta(0), until) == list(REREAD_AT[:count])


def test_beyond_a_week_it_is_once_a_week() -> None:
    later = [2 * WEEK, 3 * WEEK, 4 * WEEK]
    assert steps(timedelta(0), timedelta(days=30)) == [*REREAD_AT, *later]
    assert steps(timedelta(days=15), timedelta(days=30)) == later[1:]


@given(AGES, LIMITS)
def test_the_next_reading_lies_ahead_and_within_the_age_that_is_set(age: timedelta, until: timedelta) -> None:
    due = next_reread(BORN, BORN + age, until)
    if due is not None:
        assert BORN + age < due <= BORN + until


@given(AGES, AGES, LIMITS)
def test_time_never_brings_a_reading_forward(one: timedelta, other: timedelta, until: timedelta) -> None:
    sooner, later = (next_reread(BORN, BORN + age, until) for age in sorted((one, other)))
    assert later is None or (sooner is not None and sooner <= later)


@given(AGES, LIMITS)
def test_it_is_read_again_ever_more_rarely_but_at_least_weekly(age: timedelta, until: timedelta) -> None:
    found = steps(age, until)
    waits = [second - first for first, second in pairwise(found)]
    assert waits == sorted(waits)
    assert all(wait <= WEEK for wait in waits)
