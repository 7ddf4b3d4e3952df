"""PURE  What a digest shows, in its order and its words, before it takes a form.

Made by :mod:`monitor.digest.layout` from a ``Report``; every string is clean (:mod:`monitor.digest.escape`) and not yet
escaped for any form. ``None`` and an empty tuple leave their place out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from zoneinfo import ZoneInfo

from monitor.digest.escape import Link

Detail = Literal["short", "full"]
Tone = Literal["positive", "negative", "neutral", "none"]


@dataclass(frozen=True, slots=True)
class DigestView:
    """How a digest is shown: the digest's own name, the reader's zone, and how much of it.

    ``period`` names the time in the owner's words (else the window is named); ``public_url`` is the dashboard's address, to
    which figures link then; ``sent_note`` says what is special about this one (two digests in one, say). ``subject`` is the
    owner's own, with ``{news}``, ``{brand}``, ``{name}`` and ``{period}`` in it, ``logo_line`` a line above the title, ``logo``
    a picture as a ``data:`` address, ``charts`` those of each brand.
    """

    name: str
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("UTC"))
    detail: Detail = "full"
    period: str | None = None
    public_url: str | None = None
    sent_note: str | None = None
    subject: str | None = None
    logo_line: str | None = None
    logo: str | None = None
    charts: Mapping[str, tuple[Drawn, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Drawn:
    """A chart: its picture as a ``data:`` address, and what it shows, in words."""

    title: str
    alt: str
    picture: str


@dataclass(frozen=True, slots=True)
class Bar:
    """Counts side by side; what is missing to ``whole`` stays empty."""

    positive: int
    neutral: int
    negative: int
    unscored: int = 0
    whole: int | None = None

    @property
    def parts(self) -> tuple[int, int, int, int, int]:
        """Positive, neutral, negative, unscored and the empty rest."""
        filled = (self.positive, self.neutral, self.negative, self.unscored)
        return *filled, max(0, (self.whole or 0) - sum(filled))


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a sentence; with a link it opens the items behind it."""

    text: str
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class Scored:
    """One of the two scores. ``big`` is the figure to see first, ``big_note`` says what it is, ``rest`` what it leaves."""

    title: str
    big: str
    big_note: str
    bar: Bar | None
    rest: tuple[Piece, ...]
    shares: str
    score: str | None
    change: str | None
    tone: Tone
    compared: str | None
    trailing: str | None
    left_out: str | None
    checked: str | None = None
    link: Link | None = None
    """To the items that ``big`` counts."""


@dataclass(frozen=True, slots=True)
class DayRow:
    """One day or hour; with a ``gap`` its count is a lower bound, and ``value`` says so."""

    label: str
    value: str
    bar: Bar
    score: str | None
    gap: bool
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """A name, its figure, and what is to be known of the figure."""

    name: str
    value: str
    note: str | None = None
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class Words:
    """An item in its author's words. ``again``: shown in full further up."""

    tone: Tone
    label: str | None
    stars: str | None
    star_words: str | None
    title: str | None
    text: str | None
    meta: tuple[str, ...]
    link: Link | None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Items under a title. ``words``: how many there are in all."""

    title: str
    words: tuple[Piece, ...]
    items: tuple[Words, ...]


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase that people use, how often, and one of those who do."""

    term: str
    count: str
    link: Link | None
    said: Words | None


@dataclass(frozen=True, slots=True)
class Terms:
    title: str
    rows: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A source, place, topic or competitor with its score. ``likely``, ``change``: ``None`` where nothing can be said."""

    name: str
    count: str
    score: str
    likely: str | None
    change: str | None
    tone: Tone
    link: Link | None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Breakdown:
    """Groups side by side. ``rest``: what is not shown of them."""

    title: str
    name: str
    rows: tuple[GroupRow, ...]
    rest: str | None = None
    change: str = "Change"
    shown: str = "score, likely range, change"


@dataclass(frozen=True, slots=True)
class Writers:
    title: str
    rows: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class StarRow:
    stars: int
    count: str
    share: str
    cells: int
    """Of a bar of 100."""
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class Stars:
    words: str
    rows: tuple[StarRow, ...]
    notes: tuple[str, ...]
    standing: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class CountRow:
    """Likes, shares, comments or views: on mentions and on own posts, each with for how many items it is known."""

    name: str
    mentions: str
    mentions_known: str | None
    mentions_gained: str
    own: str
    own_known: str | None
    own_gained: str


@dataclass(frozen=True, slots=True)
class SourceRow:
    source: str
    kind: str
    count: str
    bar: Bar | None
    shares: str
    score: str
    note: str | None
    change: str | None = None
    tone: Tone = "none"
    link: Link | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A brand. ``items_first``: so few are scored that the items say more than the figures.

    ``silent``: its sentence says all there is. ``noted``: what was written down in this time, without a claim of causes.
    """

    brand: str
    sentence: str
    warning: str | None
    items_first: bool
    volume: tuple[Piece, ...]
    scores: tuple[Scored, ...]
    days: tuple[DayRow, ...]
    days_title: str
    days_note: str | None
    stars: Stars | None
    groups: tuple[Group, ...]
    counts: tuple[CountRow, ...]
    counts_note: str | None
    followers: tuple[Named, ...]
    sources: tuple[SourceRow, ...]
    key_numbers: tuple[str, ...]
    coverage: tuple[str, ...]
    watched: str | None = None
    """From when on it is watched, where that began within the window."""
    silent: bool = False
    alerts: tuple[str, ...] = ()
    terms: tuple[Terms, ...] = ()
    terms_note: str | None = None
    noted: tuple[str, ...] = ()
    topics: Breakdown | None = None
    breakdowns: tuple[Breakdown, ...] = ()
    versus: Breakdown | None = None
    writers: tuple[Writers, ...] = ()
    writers_note: str | None = None
    charts: tuple[Drawn, ...] = ()
    link: Link | None = None
    """To all of its figures on the dashboard."""


@dataclass(frozen=True, slots=True)
class Rival:
    """A competitor, in brief."""

    brand: str
    sentence: str
    scores: tuple[Scored, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    title: str
    window: str
    times: str
    note: str | None
    headlines: tuple[tuple[str, str], ...]
    """Brand and sentence, own brands first."""
    brands: tuple[Block, ...]
    rivals: tuple[Rival, ...]
    link: Link | None
    made: str
    full: bool
    logo_line: str | None = None
    logo: str | None = None

    @property
    def preview(self) -> str:
        """What a mail program shows beside the subject."""
        return ": ".join(self.headlines[0]) if self.headlines else self.window
