"""Counts: unknown is unknown, and a sum says for how many items it is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from monitor.metrics.engagement import (
    CountTally,
    EngagementTally,
    engagement_rate,
    first_gain,
    follower_change,
    follower_total,
    gain,
    potential_reach,
)

READ_AT = datetime(2026, 11, 22, 8, tzinfo=UTC)


def test_a_sum_says_for_how_many_items_it_is_known() -> None:
    total = sum((CountTally.of(value) for value in (3, None, 0, -1, None)), CountTally())
    assert total == CountTally(sum=2, known=3)


def test_a_count_known_for_no_item_is_unknown_not_zero() -> None:
    assert CountTally.of(None).total is None
    assert CountTally.of(0).total == 0


def test_engagement_is_likes_shares_and_comments_without_views() -> None:
    found = EngagementTally(2, CountTally(10, 2), CountTally(3, 1), CountTally(4, 2), CountTally(999, 2))
    assert found.engagement == 17


def test_engagement_adds_what_is_known_and_is_unknown_where_nothing_is() -> None:
    assert EngagementTally(1, likes=CountTally(5, 1)).engagement == 5
    assert EngagementTally(3, views=CountTally(50, 3)).engagement is None


@settings(deadline=None)
@given(st.lists(st.tuples(*[st.none() | st.integers(-5, 100)] * 4)))
def test_tallies_of_items_add_up(items: list[tuple[int | None, ...]]) -> None:
    total = sum((EngagementTally(1, *map(CountTally.of, counts)) for counts in items), EngagementTally())
    assert total.items == len(items)
    assert total.likes.known == sum(counts[0] is not None for counts in items)
    assert total.views.sum == sum(counts[3] or 0 for counts in items)


def test_the_rate_is_engagement_per_follower() -> None:
    posts = EngagementTally(2, likes=CountTally(30, 2), comments=CountTally(20, 2))
    assert engagement_rate(posts, followers=1000) == 0.05


def test_the_rate_is_unknown_without_followers_or_engagement() -> None:
    posts = EngagementTally(2, likes=CountTally(30, 2))
    assert engagement_rate(posts, followers=None) is None
    assert engagement_rate(posts, followers=0) is None
    assert engagement_rate(EngagementTally(2), followers=10) is None


def test_the_first_reading_of_a_fresh_item_counts_whole() -> None:
    assert first_gain(40, READ_AT - timedelta(hours=24), READ_AT) == 40
    assert first_gain(40, READ_AT + timedelta(minutes=2), READ_AT) == 40


def test_the_first_reading_of_an_old_item_is_no_growth() -> None:
    assert first_gain(40, READ_AT - timedelta(hours=24, seconds=1), READ_AT) == 0
    assert first_gain(None, READ_AT, READ_AT) == 0


def test_growth_may_be_negative_and_from_unknown_to_known_there_is_none() -> None:
    assert (gain(10, 13), gain(13, 10), gain(None, 13), gain(13, None)) == (3, -3, 0, 0)


def test_followers_are_summed_over_accounts_with_a_known_count() -> None:
    assert follower_total({"a": 10, "b": 5, "c": None}) == 15
    assert follower_total({"c": None}) is None


def test_followers_change_by_accounts_known_at_both_ends() -> None:
    assert follower_change({"a": 10, "b": None}, {"a": 12, "b": 700, "new": 3}) == 2
    assert follower_change({}, {"a": 12}) is None


def test_reach_counts_each_author_once() -> None:
    assert potential_reach([("ann", 100), ("bob", None), ("ann", 120), ("cy", 5)]) == CountTally(sum=125, known=2)
    assert potential_reach([("bob", None)]).total is None
