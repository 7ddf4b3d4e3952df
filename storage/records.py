"""What goes into the store and what comes out: plain values, known to nobody else's layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypedDict

from storage.search_tree import Tree

ERASED: Final = "erased:"
"""What the id of an erased item, and that of its author, begins with."""


class ItemValues(TypedDict):
    """One item of one brand, normalised, matched and scored: the columns of ``item`` that a pull decides."""

    brand_id: int
    external_id: str
    kind: str
    published_at: datetime
    updated_at: datetime | None
    title: str | None
    text: str | None
    url: str | None
    language: str | None
    author_id: int | None
    author_name: str | None
    rating_value: float | None
    rating_worst: float | None
    rating_best: float | None
    stars: int | None
    star_cell: int | None
    rating_label: str | None
    label: str | None
    label_by: str | None
    text_label: str | None
    compound: int | None
    scorer: str | None
    unscored: str | None
    likes: int | None
    shares: int | None
    comments: int | None
    views: int | None
    counted_at: datetime
    reply_text: str | None
    reply_at: datetime | None
    place: str | None
    parent_title: str | None
    attributes: Mapping[str, str] | None
    fingerprint: str | None
    uncounted: str | None
    refresh_at: datetime | None


class AuthorValues(TypedDict):
    id: int
    platform: str
    external_id: str
    name: str | None
    followers: int | None
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """A source that this process may pull until the lease ends; ``fence`` rises with every claim."""

    source_id: int
    name: str
    platform: str
    cursor: Mapping[str, Any] | None
    fence: int
    pull_id: int
    failures: int
    turn: int
    lease: timedelta
    reaches_back_to: datetime
    asked_since: datetime


@dataclass(frozen=True, slots=True)
class GapValues:
    since: datetime
    until: datetime
    reason: str
    missing: int | None = None


@dataclass(frozen=True, slots=True)
class Keyed:
    """An item's keys, of which items that say nearly the same have one in common, and what they were made by.

    ``sketch``: what its words are compared by, for whoever made it.
    """

    scheme: int
    keys: Sequence[int]
    sketch: bytes | None = None


@dataclass(frozen=True, slots=True)
class PageValues:
    """What one page brought, ready to be stored in one transaction with its cursor (``None``: do not advance)."""

    items: Sequence[ItemValues] = ()
    authors: Sequence[AuthorValues] = ()
    cursor: Mapping[str, Any] | None = None
    seen: int = 0
    unmatched: int = 0
    skips: Sequence[tuple[str, str]] = ()
    gap: GapValues | None = None
    likeness: Mapping[tuple[int, str], Keyed] = field(default_factory=dict)  # by brand and id, where copies count once
    arrivals_since: datetime | None = None  # what was published or rated anew since then is news; None: nothing is


@dataclass(frozen=True, slots=True)
class Saved:
    """What a page changed."""

    new: int = 0
    changed: int = 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a pull ended. ``fate`` names the error's class in lower case; ``None`` for a good end.

    ``waiting``: a budget, a platform that was asked too often, or the store ended it: no failure of the source.
    """

    next_run_at: datetime
    fate: str | None = None
    error: str | None = None
    paused: str | None = None
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class SourceState:
    """A source as the store knows it."""

    id: int
    name: str
    type: str
    active: bool
    next_run_at: datetime
    lease_owner: str | None
    lease_until: datetime | None
    failures: int
    paused: str | None
    paused_by: str | None
    error: str | None
    fate: str | None
    reaches_back_to: datetime | None
    last_begun_at: datetime | None
    last_success_at: datetime | None
    known_until: datetime | None


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums of rollups for one group: column name -> sum, 0 where there is nothing."""

    values: Mapping[str, int] = field(default_factory=dict)

    def __getitem__(self, name: str) -> int:
        return self.values.get(name, 0)


@dataclass(frozen=True, slots=True)
class StoredItem:
    """An item as people see it."""

    id: int
    brand: str
    source: str
    platform: str
    external_id: str
    kind: str
    published_at: datetime
    title: str | None
    text: str | None
    url: str | None
    language: str | None
    author: str | None
    rating_value: float | None
    rating_worst: float | None
    rating_best: float | None
    stars: float | None
    label: str | None
    label_by: str | None
    text_label: str | None
    compound: float | None
    scorer: str | None
    unscored: str | None
    likes: int | None
    shares: int | None
    comments: int | None
    views: int | None
    reply_text: str | None
    reply_at: datetime | None
    place: str | None
    parent_title: str | None
    attributes: Mapping[str, str]
    uncounted: str | None

    @property
    def erased(self) -> bool:
        """Have its words gone for good?"""
        return self.external_id.startswith(ERASED)


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which items: all that are given must hold, of several values in one field any, of tags and attributes all.

    ``search``: a tree of words to be found in title and text; a plain text is one phrase.
    """

    brand: str | None = None
    sources: Sequence[str] = ()
    kinds: Sequence[str] = ()
    labels: Sequence[str] = ()  # "unscored" for those without a label
    since: datetime | None = None
    until: datetime | None = None
    search: Tree | str | None = None
    uncounted: str | None = "counted"  # "counted", "all", or a reason
    stars_at_most: float | None = None
    stars_at_least: float | None = None
    unanswered: bool = False
    brands: Sequence[str] = ()
    languages: Sequence[str] = ()  # "unknown" for those without one
    author: str | None = None  # a name, or an id on the platform
    place: str | None = None
    attributes: Sequence[tuple[str, str]] = ()
    at_least: Sequence[tuple[str, int]] = ()  # ("likes", 5); likes, shares, comments, views or engagement
    scorer: str | None = None  # with or without its version
    tags: Sequence[str] = ()
    done: bool | None = None
    has_text: bool | None = None
    ids: Sequence[int] | None = None
    author_id: int | None = None  # the store's own
    known: Sequence[
        str
    ] = ()  # what must be known of it: likes, engagement, compound, stars, rating, reply, author, followers
    unknown: Sequence[str] = ()  # and what must not be
    star_cell: int | None = None
    unscored: str | None = None  # why there is no label: language, no_text
    grown: tuple[str, datetime, datetime] | None = (
        None  # whose likes (shares, ...) moved in between, to the quarter of an hour
    )


@dataclass(frozen=True, slots=True)
class Planned:
    """When a digest is due, and the window it speaks of."""

    due_at: datetime
    period: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class DigestDue:
    """A digest that this process may build or deliver until its lease ends."""

    id: int
    name: str
    due_at: datetime
    period: str
    start: datetime
    end: datetime
    fence: int
    failures: int


@dataclass(frozen=True, slots=True)
class DeliveryDue:
    """An outbox row that this process may send until its lease ends: a digest (``content``: its report) or a notice.

    ``kind`` is ``digest`` or the notice's kind; a notice's ``period`` is empty, and it starts and ends when it was made.
    """

    id: int
    channel: str
    key: str
    attempts: int
    fence: int
    kind: str
    name: str
    period: str
    start: datetime
    end: datetime
    content: Any


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``amount`` units in any stretch of ``period`` (whole seconds)."""

    amount: int
    period: timedelta

    @property
    def seconds(self) -> int:
        return int(self.period.total_seconds())


@dataclass(frozen=True, slots=True)
class Left:
    """How a limit stands: ``spent`` of it, and the ``wait`` until the next unit is free (none: it is now)."""

    limit: Limit
    spent: int
    wait: timedelta | None

    @property
    def units(self) -> int:
        return max(0, self.limit.amount - self.spent)


@dataclass(frozen=True, slots=True)
class FailedReading:
    """A reading beside the items (``followers``, ``standing``, ``refresh``) that failed the last time, ``at``, and ever since."""

    what: str
    error: str
    since: datetime
    at: datetime
