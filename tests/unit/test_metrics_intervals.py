"""Intervals: reference values, exact coverage, and what must hold for all counts."""

from __future__ import annotations

from functools import cache
from math import comb, sqrt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.metrics.intervals import Interval, design_effect, mover, score_interval, tango, wilson
from monitor.metrics.roots import root
from monitor.metrics.sentiment import Tally

Z = 1.959963984540054


@st.composite
def whole_counts(draw: st.DrawFn, largest: int = 10_000_000) -> tuple[int, int, int]:
    n = draw(st.integers(1, largest))
    positive = draw(st.integers(0, n))
    return positive, draw(st.integers(0, n - positive)), n


@st.composite
def divided_counts(draw: st.DrawFn) -> tuple[float, float, float]:
    positive, negative, n = draw(whole_counts())
    deff = draw(st.floats(1, 50))
    return positive / deff, negative / deff, n / deff


def interval(positive: float, negative: float, n: float) -> Interval:
    found = tango(positive, negative, n)
    assert found is not None
    return found


# --- Tango: reference values


def test_the_reference_counts_give_the_reference_interval() -> None:
    found = interval(30, 10, 100)
    assert (round(found.low, 4), round(found.high, 4)) == (0.0795, 0.3170)


def test_without_items_there_is_no_interval() -> None:
    assert tango(0, 0, 0) is None


@pytest.mark.parametrize("n", [1, 2, 5, 100, 10_000_000])
def test_all_positive_has_the_closed_form_and_ends_at_one(n: int) -> None:
    assert interval(n, 0, n).high == 1
    assert interval(n, 0, n).low == pytest.approx((n - Z * Z) / (n + Z * Z), abs=1e-12)


@pytest.mark.parametrize("n", [1, 2, 5, 100, 10_000_000])
def test_all_neutral_has_the_closed_form_around_zero(n: int) -> None:
    found = interval(0, 0, n)
    assert found.high == pytest.approx(Z * Z / (n + Z * Z), abs=1e-12)
    assert found.low == -found.high


@pytest.mark.parametrize(("positive", "negative", "n"), [(-1, 0, 5), (0, -1, 5), (4, 2, 5), (1, 0, 0), (0, 0, -1)])
def test_impossible_counts_are_refused(positive: int, negative: int, n: int) -> None:
    with pytest.raises(ValueError, match="counts must lie between"):
        tango(positive, negative, n)


def test_a_wider_level_gives_a_wider_interval() -> None:
    sure, surer = tango(8, 3, 20, level=0.9), tango(8, 3, 20, level=0.99)
    assert sure is not None
    assert surer is not None
    assert surer.low < sure.low < 0.25 < sure.high < surer.high


# --- Tango: properties


def ends(found: Interval) -> list[float]:
    return [found.low, found.high]


def score_statistic(positive: float, negative: float, n: float, d: float) -> float:
    """T as METRICS 2.3 writes it, for checking only: it loses digits near -1 and 1."""
    a, c = 2 * n, -negative * d * (1 - d)
    b = -positive - negative + (2 * n - positive + negative) * d
    q = (sqrt(b * b - 4 * a * c) - b) / (2 * a)
    return (positive - negative - n * d) / sqrt(n * (2 * q + d * (1 - d)))


@settings(deadline=None)
@given(st.integers(20, 5000).flatmap(lambda n: st.tuples(st.integers(1, n // 3), st.integers(1, n // 3), st.just(n))))
def test_the_ends_are_the_roots_of_the_score_statistic(counts: tuple[int, int, int]) -> None:
    found = interval(*counts)
    assert score_statistic(*counts, found.low) == pytest.approx(Z, abs=1e-6)
    assert score_statistic(*counts, found.high) == pytest.approx(-Z, abs=1e-6)


@settings(max_examples=300, deadline=None)
@given(st.one_of(whole_counts(), divided_counts()))
def test_the_score_lies_in_its_interval_and_the_interval_in_its_range(counts: tuple[float, float, float]) -> None:
    positive, negative, n = counts
    found, score = interval(*counts), (positive - negative) / n
    assert -1 <= found.low <= score + 1e-12
    assert score - 1e-12 <= found.high <= 1
    assert found.low < found.high


@settings(deadline=None)
@given(st.one_of(whole_counts(), divided_counts()))
def test_swapping_positive_and_negative_mirrors_the_interval(counts: tuple[float, float, float]) -> None:
    positive, negative, n = counts
    assert interval(negative, positive, n) == Interval(-interval(*counts).high, -interval(*counts).low)


@settings(deadline=None)
@given(whole_counts(largest=2000))
def test_a_better_label_never_lowers_an_end(counts: tuple[int, int, int]) -> None:
    positive, negative, n = counts
    before = interval(*counts)
    for better in ((positive + 1, negative), (positive, negative - 1), (positive + 1, negative - 1)):
        if better[1] >= 0 and sum(better) <= n:
            after = interval(*better, n)
            assert after.low >= before.low - 1e-12
            assert after.high >= before.high - 1e-12


@settings(deadline=None)
@given(whole_counts(largest=1000), st.integers(2, 50))
def test_more_items_of_the_same_kind_narrow_the_interval(counts: tuple[int, int, int], times: int) -> None:
    few = interval(*counts)
    many = interval(*(count * times for count in counts))
    assert many.high - many.low < few.high - few.low


# --- Tango: coverage, by full enumeration


@cache
def intervals_of(n: int) -> list[tuple[int, int, int, Interval]]:
    outcomes = ((b, c) for b in range(n + 1) for c in range(n + 1 - b))
    return [(b, c, comb(n, b) * comb(n - b, c), interval(b, c, n)) for b, c in outcomes]


def coverage(n: int, positive: float, negative: float) -> float:
    """The exact chance that the interval holds the true score, over all outcomes of n items."""
    neutral, true = 1 - positive - negative, positive - negative
    p, q, u = ([share**k for k in range(n + 1)] for share in (positive, negative, max(neutral, 0.0)))
    return sum(
        ways * p[b] * q[c] * u[n - b - c]
        for b, c, ways, found in intervals_of(n)
        if found.low - 1e-12 <= true <= found.high + 1e-12
    )


@pytest.mark.parametrize("n", [5, 6, 8, 10, 15, 20, 30, 45, 60])
def test_real_coverage_is_at_least_89_percent_and_95_on_average(n: int) -> None:
    grid = [(i / 20, j / 20) for i in range(21) for j in range(i, 21 - i)]  # the other half is its mirror
    covered = [coverage(n, positive, negative) for positive, negative in grid]
    assert min(covered) >= 0.89
    assert sum(covered) / len(covered) >= 0.945


def test_the_interval_of_five_items_is_not_the_one_that_covers_three_quarters() -> None:
    wald_covers_at_five = 0.74
    assert coverage(5, 0.4, 0.2) > wald_covers_at_five + 0.15


# --- design effect


def test_items_of_one_author_each_inflate_nothing_but_the_small_sample_factor() -> None:
    labels = [1, 0, -1, 1, 0, 0, 1, -1, 1, 0]
    assert design_effect({i: [label] for i, label in enumerate(labels)}) == pytest.approx(10 / 9)


def test_repeating_each_item_multiplies_the_design_effect() -> None:
    labels = [1, 0, -1, 1, 0, 0, 1, -1, 1, 0]
    assert design_effect({i: [label] * 4 for i, label in enumerate(labels)}) == pytest.approx(4 * 10 / 9)


def test_clusters_that_each_mirror_the_whole_have_no_effect() -> None:
    assert design_effect({"ann": [1, -1], "bob": [1, -1], "cy": [-1, 1]}) == 1


def test_labels_that_all_agree_have_no_design_effect() -> None:
    assert design_effect({"ann": [1, 1], "bob": [1]}) == 1
    assert design_effect({"ann": [0, 0], "bob": [0]}) == 1


def test_one_cluster_has_neither_design_effect_nor_interval() -> None:
    effect = design_effect({"ann": [1, 0, -1], "bob": []})
    assert effect is None
    assert score_interval(Tally(positive=1, negative=1, neutral=1), effect) is None


def test_a_design_effect_of_four_makes_one_item_of_four() -> None:
    assert score_interval(Tally(positive=120, negative=40, neutral=240), deff=4) == tango(30, 10, 100)


def test_no_labelled_item_has_no_interval() -> None:
    assert score_interval(Tally(unscored=5)) is None


# --- difference of two figures, and shares


@st.composite
def estimates(draw: st.DrawFn) -> tuple[float, Interval]:
    low, value, high = sorted(draw(st.tuples(*[st.floats(-1, 1)] * 3)))
    return value, Interval(low, high)


@settings(deadline=None)
@given(estimates(), estimates())
def test_the_interval_of_a_difference_holds_it_and_mirrors(
    a: tuple[float, Interval], b: tuple[float, Interval]
) -> None:
    found, mirrored = mover(*a, *b), mover(*b, *a)
    assert -2 - 1e-12 <= found.low <= a[0] - b[0] <= found.high <= 2 + 1e-12
    assert ends(mirrored) == pytest.approx([-found.high, -found.low])


@settings(deadline=None)
@given(estimates(), st.floats(-1, 1))
def test_against_a_figure_known_exactly_the_interval_is_only_shifted(a: tuple[float, Interval], known: float) -> None:
    found = mover(*a, known, Interval(known, known))
    assert ends(found) == pytest.approx([a[1].low - known, a[1].high - known])


def test_the_interval_of_a_difference_adds_squares() -> None:
    found = mover(0.5, Interval(0.2, 0.9), 0.1, Interval(-0.2, 0.5))
    assert ends(found) == pytest.approx([0.4 - 0.5, 0.4 + 0.5])


def test_wilson_gives_the_textbook_interval() -> None:
    found = wilson(8, 10)
    assert found is not None
    assert (round(found.low, 4), round(found.high, 4)) == (0.4902, 0.9433)


@settings(deadline=None)
@given(st.integers(1, 1_000_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_a_share_lies_in_its_interval(counts: tuple[int, int]) -> None:
    found = wilson(*counts)
    assert found is not None
    assert 0 <= found.low <= counts[0] / counts[1] <= found.high <= 1
    assert found.low < found.high


def test_a_share_of_nothing_has_no_interval_and_impossible_counts_are_refused() -> None:
    assert wilson(0, 0) is None
    with pytest.raises(ValueError, match="between 0 and n"):
        wilson(3, 2)


# --- the root-finder


@settings(deadline=None)
@given(st.floats(-0.999, 0.999), st.integers(1, 9).filter(lambda power: power % 2))
def test_the_root_is_found_however_flat_the_function(at: float, power: int) -> None:
    assert root(lambda x: (x - at) ** power, -1, 1) == pytest.approx(at, abs=1e-12 if power == 1 else 1e-6)


def test_a_root_at_the_end_of_the_bracket_is_found() -> None:
    assert root(lambda x: x - 1, -1, 1) == 1
    assert root(lambda x: x + 1, -1, 1) == -1
