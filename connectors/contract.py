"""Values and protocols between the program and its connectors. No I/O here.

A connector turns a platform into pages of :class:`Item`. The law of cursors: storing every page up to here and resuming
from this page's cursor loses nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from logging import Logger, LoggerAdapter
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, TypeAlias, TypeVar, runtime_checkable

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from connectors.http import HttpClient

JsonValue: TypeAlias = "bool | int | float | str | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
Cursor: TypeAlias = Mapping[str, JsonValue]
"""Where to go on: opaque, owned by the connector, survives JSON."""

MAX_ID = 500
"""Characters in an ``external_id`` at most; longer ones are refused."""


class Kind(StrEnum):
    """What an item is to the brand."""

    MENTION = "mention"
    REVIEW = "review"
    POST = "post"  # published by one of the brand's own accounts


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote it. ``followers`` as last seen, ``None`` where the platform does not say."""

    id: str
    name: str | None = None
    followers: int | None = None


@dataclass(frozen=True, slots=True)
class Rating:
    """A rating as given, on its own scale; ``worst <= value <= best`` and ``worst < best``, else ``ValueError``.

    A yes-or-no verdict has ``worst=0, best=1``.
    """

    value: float
    worst: float = 1
    best: float = 5

    def __post_init__(self) -> None:
        if not all(math.isfinite(x) for x in (self.value, self.worst, self.best)) or self.worst >= self.best:
            raise ValueError(f"rating {self.value} on {self.worst}..{self.best}: not a scale")
        if not self.worst <= self.value <= self.best:
            raise ValueError(f"rating {self.value}: outside its scale {self.worst}..{self.best}")


@dataclass(frozen=True, slots=True)
class Counts:
    """Engagement as last seen. ``None`` is unknown, which is not 0. ``likes`` may be negative (Reddit's score)."""

    likes: int | None = None
    shares: int | None = None
    comments: int | None = None
    views: int | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """The owner's answer to a review."""

    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One mention, review or own post: complete and valid, or it does not exist (``ValueError``).

    ``external_id`` is unique within its platform and stable; ``published_at`` (aware, UTC) never changes afterwards;
    ``updated_at`` is the author's last edit; ``author`` is ``None`` where it was deleted or is not told; ``place`` is the
    subreddit, publisher or app; ``parent_title`` the thread it stands in; ``observed_at`` is when the counts were true
    (for imports; ``None`` means now). ``title`` and ``text`` are plain text, not HTML.
    """

    external_id: str
    kind: Kind
    published_at: datetime
    updated_at: datetime | None = None
    title: str | None = None
    text: str | None = None
    url: str | None = None
    language: str | None = None
    author: Author | None = None
    rating: Rating | None = None
    counts: Counts = field(default_factory=Counts)
    reply: Reply | None = None
    place: str | None = None
    parent_title: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    observed_at: datetime | None = None

    def __post_init__(self) -> None:
        if not self.external_id or len(self.external_id) > MAX_ID:
            raise ValueError(f"external_id: needs 1 to {MAX_ID} characters, has {len(self.external_id)}")
        for name in ("published_at", "updated_at", "observed_at"):
            _require_utc(name, getattr(self, name))
        if self.reply is not None:
            _require_utc("reply.at", self.reply.at)


def _require_utc(name: str, value: datetime | None) -> None:
    if value is not None and value.utcoffset() != timedelta(0):
        raise ValueError(f"{name}: must be an aware time in UTC")


@dataclass(frozen=True, slots=True)
class Skipped:
    """A malformed item that was left out: what it was (an id or a place such as ``row 7``) and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Gap:
    """The platform would not give everything between ``since`` and ``until`` (``None``: open). ``missing``: about how many."""

    reason: str
    since: datetime | None = None
    until: datetime | None = None
    missing: int | None = None


@dataclass(frozen=True, slots=True)
class FollowerReading:
    """How many followed one of the brand's accounts, and when that was true."""

    account: str
    count: int
    at: datetime


@dataclass(frozen=True, slots=True)
class StandingReading:
    """The platform's own overall rating of the subject (stars without text included): ``mean`` on a scale up to ``best``."""

    place: str
    mean: float | None
    count: int | None
    at: datetime
    worst: float = 1
    best: float = 5


@dataclass(frozen=True, slots=True)
class Page:
    """What one step brought. ``cursor`` is ``None`` where it is not safe to advance yet."""

    items: Sequence[Item]
    cursor: Cursor | None
    skipped: Sequence[Skipped] = ()
    gap: Gap | None = None


@dataclass(frozen=True, slots=True)
class Refreshed:
    """An item read again: its counts now, or gone upstream."""

    external_id: str
    counts: Counts | None
    gone: bool = False


class RequestBudget(Protocol):
    """How many requests (or the platform's own units) may still be spent."""

    def take(self, units: int = 1) -> None:
        """Spend ``units``, or raise :class:`connectors.errors.RateLimited` with the time to wait; spends nothing then."""
        ...


class Unlimited:
    """A budget without a limit."""

    def take(self, units: int = 1) -> None:
        """Nothing to count."""


@dataclass(frozen=True, slots=True)
class Context:
    """All that a connector may know of the world.

    ``terms``: the positive keywords of the brands served; ``stop`` is set when the program wants to end: a connector looks
    at it before every request (``http`` does so by itself); ``source``: the name that the user gave the source, if any;
    ``folder``: what relative paths in the options go by (``connectors.places.placed``), that of the configuration.
    """

    terms: Sequence[str]
    now: Callable[[], datetime]
    stop: Event
    http: HttpClient
    log: Logger | LoggerAdapter[Any]
    budget: RequestBudget
    source: str = ""
    folder: Path = Path()


class Connector(Protocol):
    """Synchronous, used by one thread at a time."""

    def check(self) -> None:
        """Are the credentials good and the subject there? Cheap; raises a fate of :mod:`connectors.errors`."""
        ...

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        """Pages from ``cursor`` on; the first pull (``cursor is None``) reaches back to ``since``."""
        ...

    def close(self) -> None: ...


@runtime_checkable
class Refreshes(Protocol):
    def refresh(self, ids: Sequence[str]) -> Iterator[Refreshed]:
        """New counts of known items, or gone upstream. Ids of which nothing is known are passed over."""
        ...


@runtime_checkable
class CountsFollowers(Protocol):
    def followers(self) -> Iterator[FollowerReading]:
        """The followers of the accounts (or members of the places) that the source watches."""
        ...


@runtime_checkable
class ShowsStanding(Protocol):
    def standing(self) -> Iterator[StandingReading]:
        """The platform's own overall rating."""
        ...


@runtime_checkable
class ShowsQueries(Protocol):
    def queries(self) -> Sequence[str]:
        """What is asked of the platform, in its own words, one entry a search."""
        ...


@runtime_checkable
class Remembers(Protocol):
    """For connectors whose cursor counts what they spend, so that no process ever spends it twice."""

    def remember(self, ahead: int = 0) -> Cursor | None:
        """The cursor as it is now; ``None`` if nothing was fetched, so that it is not known.

        Asked after ``followers``, ``standing`` and every batch of ``refresh``, once ``fetch`` has come to its end; before such
        a batch with ``ahead``, its number of ids: as if what they may cost at most were spent, so that a crash forgets nothing.
        """
        ...


@dataclass(frozen=True, slots=True)
class Delivery:
    """What something handed in is known by when it comes again.

    ``key``: the sender's own name for it, ``None`` where it gives none; ``seal``: stands for what was signed, ``None`` where
    no time was signed with it. The same seal under another key is somebody else's copy.
    """

    key: str | None = None
    seal: str | None = None


@runtime_checkable
class Receives(Protocol):
    """For connectors that take what is sent to them. They look at nothing but what is given: no network."""

    def accept(self, body: bytes, headers: Mapping[str, str]) -> Page:
        """What was sent, once it is known who sent it: ``AccessDenied`` where it is not.

        ``TooLarge`` for more than is taken at once. A body that cannot be read is a page with nothing but ``skipped``. Names of
        ``headers`` may be in any case. The page's cursor is not kept.
        """
        ...

    def delivery(self, body: bytes, headers: Mapping[str, str]) -> Delivery:
        """What this delivery is known by. Asked only for what was accepted."""
        ...

    def read(self, body: bytes) -> Page:
        """The same page whoever sent it, for a preview."""
        ...


class Scope(StrEnum):
    """What a source brings by nature, which decides how its items are matched to brands by default."""

    SEARCH = "search"  # answers a query: matched by keywords
    STREAM = "stream"  # everything said in a place: matched by keywords
    SUBJECT = "subject"  # about the brand by nature (an app's reviews, a listing): all count


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a platform can do. ``minimum_interval``: pulls closer together are refused by the configuration."""

    scope: Scope
    backfill: bool = True  # can reach into the past as far as ``since``
    whole_history: bool = False  # brings all there ever was, however long before its first pull
    ratings: bool = False
    refresh: bool = False
    followers: bool = False
    standing: bool = False
    replies: bool = False  # shows whether the owner has answered
    push: bool = False
    pull: bool = True  # False: brings nothing by itself, only takes what is sent to it
    needs_credentials: bool = False
    minimum_interval: timedelta = timedelta(minutes=1)


class Options(BaseModel):
    """What every connector's options have. Unknown keys are refused; secrets are ``SecretStr``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: str | None = Field(
        default=None, description="Another address for the platform's API, for tests and mirrors."
    )


Tried: TypeAlias = Literal["live", "recorded", "made up"]
"""What a connector was tried against: the platform itself, answers of it that others recorded, or answers made up after it."""

OptionsT = TypeVar("OptionsT", bound=BaseModel)


def _recognises_nothing(_link: str) -> Mapping[str, JsonValue] | None:
    return None


@dataclass(frozen=True, slots=True)
class Plugin(Generic[OptionsT]):
    """What an entry point of the group ``sentiment_monitor.connectors`` names.

    ``platform`` is half of an item's identity: two plugins that read the same platform name it alike.
    ``recognise`` turns a pasted link into options for this connector, or ``None`` if it is not one of its links.
    """

    name: str
    title: str
    platform: str
    options: type[OptionsT]
    open: Callable[[OptionsT, Context], Connector]
    capabilities: Capabilities
    recognise: Callable[[str], Mapping[str, JsonValue] | None] = _recognises_nothing
    notes: str = ""  # law and limits, in a sentence or two, for people
    tried: Tried = "made up"
    tried_on: str = ""  # where "live" does not say it: "real SQLite and PostgreSQL servers"


def from_epoch(seconds: float) -> datetime:
    """Seconds since 1970 as an aware UTC time; ``ValueError`` where that is no time at all."""
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, OSError, TypeError) as error:
        raise ValueError(f"{seconds!r}: not a time") from error
