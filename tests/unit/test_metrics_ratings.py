"""Ratings on one scale, their mean with its interval, and CSAT."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.metrics.ratings import (
    RatingTally,
    common_scale,
    is_boolean,
    label_of_cell,
    overall_csat,
    star_cell,
    t_quantile,
)
from monitor.scoring.contract import Label

STARS = st.lists(st.integers(1, 5), min_size=1, max_size=60)


def tally(values: Sequence[float], worst: float = 1, best: float = 5) -> RatingTally:
    return sum((RatingTally.of(value, worst, best) for value in values), RatingTally())


@pytest.mark.parametrize(
    ("value", "worst", "best", "r"),
    [(1, 1, 5, 1), (5, 1, 5, 5), (4.5, 1, 5, 4.5), (0, 0, 10, 1), (10, 0, 10, 5), (7, 1, 10, 11 / 3), (50, 0, 100, 3)],
)
def test_every_scale_comes_to_one(value: float, worst: float, best: float, r: float) -> None:
    assert common_scale(value, worst, best) == pytest.approx(r)


@pytest.mark.parametrize(("value", "worst", "best"), [(6, 1, 5), (0, 1, 5), (3, 5, 5), (3, 5, 1), (float("nan"), 1, 5)])
def test_a_rating_off_its_scale_is_refused(value: float, worst: float, best: float) -> None:
    with pytest.raises(ValueError, match="scale"):
        common_scale(value, worst, best)


def test_stars_are_rounded_half_up() -> None:
    assert [star_cell(r) for r in (1, 1.49, 1.5, 2.5, 3.5, 4.499, 4.5, 5)] == [1, 1, 2, 3, 4, 4, 5, 5]


def test_ten_points_fall_evenly_on_five_stars() -> None:
    assert tally(range(1, 11), worst=1, best=10).cells == (2, 2, 2, 2, 2)


def test_four_and_five_stars_are_positive_three_neutral() -> None:
    negative, neutral, positive = Label.NEGATIVE, Label.NEUTRAL, Label.POSITIVE
    assert [label_of_cell(cell) for cell in range(1, 6)] == [negative, negative, neutral, positive, positive]


def test_a_yes_or_no_counts_in_csat_and_not_in_mean_or_histogram() -> None:
    assert is_boolean(0, 1)
    mixed = tally([5, 2]) + tally([1, 1, 0], worst=0, best=1)
    assert (mixed.count, mixed.mean, sum(mixed.histogram.values())) == (2, 3.5, 2)
    assert (mixed.yes, mixed.no, mixed.csat) == (2, 1, 3 / 5)


def test_csat_is_the_share_of_happy_answers_and_as_written_the_net_of_two() -> None:
    found = tally([5, 4, 3, 2, 1, 5, 5, 4, 3, 3])
    assert found.csat == pytest.approx(0.5)
    assert found.csat_as_written == pytest.approx(0.8 - 0.2)
    assert found.histogram == {1: 1, 2: 1, 3: 3, 4: 2, 5: 3}


def test_without_ratings_every_figure_is_unknown() -> None:
    nothing = RatingTally()
    assert (nothing.mean, nothing.csat, nothing.csat_as_written, nothing.interval()) == (None, None, None, None)


@settings(deadline=None)
@given(STARS, STARS)
def test_tallies_of_parts_add_up_to_the_tally_of_the_whole(some: list[int], others: list[int]) -> None:
    assert tally(some) + tally(others) == tally(some + others)


@settings(deadline=None)
@given(STARS)
def test_the_mean_lies_in_its_interval_and_the_interval_on_the_scale(values: list[int]) -> None:
    found = tally(values)
    interval = found.interval()
    assert interval is not None
    assert found.mean == pytest.approx(sum(values) / len(values))
    assert 1 <= interval.low <= (found.mean or 0) <= interval.high <= 5
    assert interval.low < interval.high


def test_a_mean_of_equal_ratings_is_not_certain() -> None:
    interval = tally([5] * 20).interval()
    assert interval is not None
    assert 4 < interval.low < 4.6
    assert interval.high == 5


@pytest.mark.parametrize("n", [3, 10, 40])
@pytest.mark.parametrize(
    "shares", [(12, 5, 6, 12, 65), (1, 1, 2, 6, 90), (0, 0, 0, 5, 95), (2, 10, 50, 30, 8), (40, 5, 5, 10, 40)]
)
def test_the_interval_of_a_mean_covers_what_it_says(n: int, shares: tuple[int, ...]) -> None:
    random = Random(f"{n} {shares}")
    true = sum(star * share for star, share in enumerate(shares, start=1)) / 100
    held = 0
    for _ in range(1000):
        interval = stars(random.choices(range(1, 6), shares, k=n)).interval()
        assert interval is not None
        held += interval.low <= true <= interval.high
    assert held / 1000 >= 0.925


def stars(values: Sequence[int]) -> RatingTally:
    one, two, three, four, five = (values.count(star) for star in range(1, 6))
    return RatingTally(len(values), sum(values), sum(v * v for v in values), (one, two, three, four, five))


@pytest.mark.parametrize(
    ("df", "level", "quantile"),
    [
        (3, 0.95, 3.182446),
        (4, 0.99, 4.604095),
        (5, 0.9, 2.015048),
        (10, 0.95, 2.228139),
        (30, 0.95, 2.042272),
        (120, 0.99, 2.617421),
        (1e7, 0.95, 1.959964),
    ],
)
def test_the_quantiles_of_student_are_those_of_the_tables(df: float, level: float, quantile: float) -> None:
    assert t_quantile(df, level) == pytest.approx(quantile, rel=3e-5)


def test_overall_csat_weighs_channels_by_their_items() -> None:
    assert overall_csat([(0.9, 100), (0.5, 300), (None, 5000)]) == pytest.approx(0.6)
    assert overall_csat([(None, 3)]) is None
