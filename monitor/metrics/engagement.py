"""PURE  Likes, shares, comments, views: what is known of them, added up. Unknown is unknown, never 0."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

FRESH = timedelta(hours=24)
"""An item whose first reading comes within this time of its publication has gained all its counts in the window."""


@dataclass(frozen=True, slots=True)
class CountTally:
    """A sum over the ``known`` items for which the platform tells this count; addable. Source: METRICS 4."""

    sum: int = 0
    known: int = 0

    @classmethod
    def of(cls, value: int | None) -> CountTally:
        """The tally of one item."""
        return cls() if value is None else cls(value, 1)

    def __add__(self, other: CountTally) -> CountTally:
        return CountTally(self.sum + other.sum, self.known + other.known)

    @property
    def total(self) -> int | None:
        """The sum, ``None`` where it is known for no item."""
        return self.sum if self.known else None


@dataclass(frozen=True, slots=True)
class EngagementTally:
    """The counts of ``items`` items; addable. Kept apart for mentions and for the brand's own posts. Source: METRICS 4."""

    items: int = 0
    likes: CountTally = field(default_factory=CountTally)
    shares: CountTally = field(default_factory=CountTally)
    comments: CountTally = field(default_factory=CountTally)
    views: CountTally = field(default_factory=CountTally)

    def __add__(self, other: EngagementTally) -> EngagementTally:
        return EngagementTally(
            self.items + other.items,
            self.likes + other.likes,
            self.shares + other.shares,
            self.comments + other.comments,
            self.views + other.views,
        )

    @property
    def engagement(self) -> int | None:
        """Likes + shares + comments, as far as known; ``None`` where none of the three is. Source: METRICS 4."""
        known = [count.sum for count in (self.likes, self.shares, self.comments) if count.known]
        return sum(known) if known else None


def engagement_rate(own_posts: EngagementTally, followers: int | None) -> float | None:
    """Engagement on own posts per follower at the window's end; ``None`` where either is unknown. Source: METRICS 4."""
    engagement = own_posts.engagement
    return engagement / followers if engagement is not None and followers else None


def first_gain(count: int | None, published_at: datetime, read_at: datetime) -> int:
    """What an item's first reading adds to the window of ``read_at``: the whole count if fresh, else 0.

    Fresh: published at most 24 hours before the reading (or, by a wrong clock, after it). Source: METRICS 4.
    """
    return count if count is not None and read_at - published_at <= FRESH else 0


def gain(before: int | None, now: int | None) -> int:
    """What a further reading adds, maybe less than 0; from or to unknown is no growth. Source: METRICS 4."""
    return 0 if before is None or now is None else now - before


def follower_total(by_account: Mapping[str, int | None]) -> int | None:
    """Followers summed over the accounts whose last count is known; ``None`` without one. Source: METRICS 4."""
    known = [count for count in by_account.values() if count is not None]
    return sum(known) if known else None


def follower_change(at_start: Mapping[str, int | None], at_end: Mapping[str, int | None]) -> int | None:
    """The change over a window, of the accounts known at both its ends; ``None`` without one. Source: METRICS 4."""
    pairs = [(at_start.get(account), count) for account, count in at_end.items()]
    known = [end - start for start, end in pairs if start is not None and end is not None]
    return sum(known) if known else None


def potential_reach(authors: Iterable[tuple[Hashable, int | None]]) -> CountTally:
    """Followers of the authors of some items, each author once, with how many authors' followers are known.

    ``authors``: author and followers, an entry an item; of several the highest counts. Source: METRICS 4.
    """
    most: dict[Hashable, int] = {}
    for author, followers in authors:
        if followers is not None:
            most[author] = max(followers, most.get(author, 0))
    return CountTally(sum(most.values()), len(most))
