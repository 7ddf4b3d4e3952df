"""Labels counted, and the scores made of the counts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.metrics.sentiment import Tally, variants

COUNTS = st.integers(min_value=0, max_value=10_000)
TALLIES = st.builds(
    Tally, COUNTS, COUNTS, COUNTS, COUNTS, st.dictionaries(st.sampled_from(["muted", "excluded", "duplicate"]), COUNTS)
)


def test_the_score_is_positive_minus_negative_over_all_labelled() -> None:
    assert Tally(positive=30, negative=10, neutral=60).score == pytest.approx(0.2)


def test_without_a_labelled_item_there_is_no_score_and_no_share() -> None:
    nothing = Tally(unscored=7, uncounted={"muted": 3})
    assert (nothing.score, nothing.shares) == (None, None)


def test_unscored_items_count_in_volume_and_not_in_the_score() -> None:
    tally = Tally(positive=1, negative=0, neutral=1, unscored=8, uncounted={"excluded": 5})
    assert (tally.n, tally.volume, tally.score) == (2, 10, 0.5)


def test_adding_tallies_adds_every_count_and_every_reason() -> None:
    total = sum(
        [Tally(1, 2, 3, 4, {"muted": 5}), Tally(10, 20, 30, 40, {"muted": 50, "excluded": 1}), Tally()], Tally()
    )
    assert total == Tally(11, 22, 33, 44, {"muted": 55, "excluded": 1})


def test_adding_leaves_both_tallies_as_they_were() -> None:
    one, other = Tally(uncounted={"muted": 1}), Tally(uncounted={"muted": 2})
    assert (one + other).uncounted == {"muted": 3}
    assert (one.uncounted, other.uncounted) == ({"muted": 1}, {"muted": 2})


@settings(deadline=None)
@given(TALLIES, TALLIES, TALLIES)
def test_the_order_of_adding_does_not_matter(a: Tally, b: Tally, c: Tally) -> None:
    assert (a + b) + c == c + (b + a)


@settings(deadline=None)
@given(TALLIES)
def test_shares_add_up_to_one_and_the_score_is_their_difference(tally: Tally) -> None:
    shares = tally.shares
    if shares is None or tally.score is None:
        assert tally.n == 0
        return
    assert shares.positive + shares.neutral + shares.negative == pytest.approx(1)
    assert tally.score == pytest.approx(shares.positive - shares.negative, abs=1e-12)
    assert -1 <= tally.score <= 1


def test_the_variants_have_other_denominators() -> None:
    found = variants(Tally(positive=30, negative=10, neutral=60), mean_compound=0.11)
    assert (found.polar, found.positive_share, found.mean_compound) == (0.5, 0.75, 0.11)
    assert found.experience == pytest.approx(60)


def test_variants_without_data_are_unknown() -> None:
    only_neutral = variants(Tally(neutral=4), mean_compound=None)
    assert (only_neutral.polar, only_neutral.positive_share, only_neutral.experience) == (None, None, 50)
    assert variants(Tally(), mean_compound=None).experience is None
