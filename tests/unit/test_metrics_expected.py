"""What is usual, and how unlikely a count is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import comb

import pytest

from monitor.metrics.expected import Expected, Slot, at_least, expected, together, usual

MONDAY = datetime(2026, 9, 7, tzinfo=UTC)
DAY = timedelta(days=1)


def days(counts: list[int], start: datetime = MONDAY) -> list[Slot]:
    return [Slot(start + n * DAY, (start + n * DAY).weekday(), 0, count) for n, count in enumerate(counts)]


@pytest.mark.parametrize(
    ("count", "mean", "phi", "p"),
    [
        (31, 20, 1.0, 0.013474681279922289),
        (50, 20, 2.0, 0.00012219850828878748),
        (50, 20, 4.0, 0.004970376427741537),
        (3, 0.4, 1.3, 0.019930920061756698),
        (150, 200, 3.0, 0.9858400448138007),
    ],
)
def test_the_tail_is_that_of_scipy(count: int, mean: float, phi: float, p: float) -> None:
    """``poisson.sf(count - 1, mean)`` and ``nbinom.sf(count - 1, r, r / (r + mean))`` of scipy 1.17."""
    assert at_least(count, mean, phi) == pytest.approx(p, rel=1e-9)


@pytest.mark.parametrize(("count", "r", "share"), [(1, 1, 0.5), (7, 3, 0.4), (25, 10, 0.6), (3, 10, 0.6)])
def test_the_tail_adds_up_to_the_exact_sum_of_its_terms(count: int, r: int, share: float) -> None:
    """``share`` is r / (r + mean), so that with a whole r every term is a product of whole numbers and powers."""
    mean, phi = r * (1 - share) / share, 1 / share
    below = sum(comb(k + r - 1, k) * share**r * (1 - share) ** k for k in range(count))
    assert at_least(count, mean, phi) == pytest.approx(1 - below, rel=1e-9)


def test_nothing_or_more_is_certain_and_something_of_nothing_is_not() -> None:
    assert at_least(0, 5.0, 2.0) == 1.0
    assert at_least(1, 0.0, 1.0) == 0.0
    assert at_least(100_000, 20.0, 1.5) == 0.0


def test_the_band_holds_what_chance_leaves_of_it() -> None:
    for mean, phi in ((0.3, 1.0), (20.0, 1.0), (20.0, 3.0), (400.0, 8.0)):
        found = Expected(mean, phi, 56)
        high, low = found.most(), found.least()
        assert found.p(high + 1) <= 0.025 < found.p(high)
        assert 1 - found.p(low) <= 0.025 < 1 - found.p(low + 1)
        assert low <= mean <= max(high, 1)


def test_the_chance_of_silence_is_the_first_term() -> None:
    assert Expected(3.0, 1.0, 56).p_none == pytest.approx(2.718281828459045**-3)
    assert Expected(3.0, 2.0, 56).p_none == pytest.approx(1 - at_least(1, 3.0, 2.0))


def test_weekdays_are_told_apart() -> None:
    history = days([30, 30, 30, 30, 30, 9, 9] * 8)
    at = MONDAY + 56 * DAY
    monday = expected(history, Slot(at, 0, 0, 0))
    saturday = expected(history, Slot(at + 5 * DAY, 5, 0, 0))
    assert monday is not None
    assert saturday is not None
    assert monday.mean == pytest.approx(30, rel=0.06)
    assert 9 <= saturday.mean < 11
    assert 1.0 <= monday.phi < 1.2


def test_hours_are_told_apart_within_weekdays() -> None:
    slots = [
        Slot(MONDAY + timedelta(hours=n), (n // 24) % 7, n % 24, 12 if 8 <= n % 24 < 20 else 0) for n in range(24 * 21)
    ]
    at = MONDAY + 21 * DAY
    night, noon = (expected(slots, Slot(at + timedelta(hours=hour), 0, hour, 0)) for hour in (3, 12))
    assert noon is not None
    assert night is not None
    assert noon.mean == pytest.approx(12, rel=0.1)
    assert 0 < night.mean < 1.5


def test_under_two_weeks_of_known_history_nothing_is_expected() -> None:
    history = days([5] * 20)
    assert usual(history, MONDAY + 14 * DAY) is not None
    assert usual(history, MONDAY + 13 * DAY) is None
    late = [slot._replace(known=number >= 10) for number, slot in enumerate(history)]
    assert usual(late, MONDAY + 20 * DAY) is None


def test_nothing_is_learned_from_what_is_not_known() -> None:
    history = days([10] * 28)
    spoilt = [
        slot._replace(items=0 if n % 3 else 500, known=False) if 5 < n < 20 else slot for n, slot in enumerate(history)
    ]
    at = MONDAY + 28 * DAY
    clean, same = usual(history, at), usual(spoilt, at)
    assert clean is not None
    assert same is not None
    assert clean.of(0).mean == pytest.approx(same.of(0).mean)
    assert (same.slots, same.phi) == (14, 1.0)


def test_what_is_older_than_eight_weeks_is_forgotten() -> None:
    history = days([1_000] * 10 + [10] * 56)
    found = usual(history, MONDAY + 66 * DAY)
    assert found is not None
    assert found.level == pytest.approx(10)


def test_scattered_counts_are_overdispersed() -> None:
    found = usual(days([5, 35, 20, 2, 38, 15, 25, 33, 4, 21] * 5), MONDAY + 50 * DAY)
    assert found is not None
    assert 6 < found.phi < 12


def test_several_slots_add_up() -> None:
    week = together([Expected(10.0, 2.0, 50)] * 6 + [Expected(40.0, 4.0, 50)])
    assert week is not None
    assert week.mean == pytest.approx(100)
    assert week.phi == pytest.approx(2.8)
    assert together([]) is None
