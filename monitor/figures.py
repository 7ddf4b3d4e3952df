"""The Report: every figure that digests, command line, dashboard and API show. Frozen; its JSON Schema is committed.

Fields are added, never renamed, within a schema number. ``None`` is "not known" or "nothing to score", never 0.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

SCHEMA = 1

Verdict = Literal["up", "down", "no clear change", "too few to tell", "sources changed"]


class Figure(BaseModel):
    """What every part of a report is: frozen, and strict about its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class WindowFigure(Figure):
    """Half-open: ``start <= published_at < end``. ``label`` names a calendar period (``2026-W46``), else ``None``."""

    start: datetime
    end: datetime
    timezone: str
    period: str | None = None
    label: str | None = None


class Change(Figure):
    """This window against the one before. Source: METRICS 2.4."""

    delta: float | None = Field(description="Score now minus score before, over the sources complete in both windows.")
    low: float | None = None
    high: float | None = None
    p: float | None = None
    verdict: Verdict
    mix: float | None = Field(default=None, description="The part of delta that comes from another mix of sources.")
    within: float | None = Field(default=None, description="The part of delta that comes from within the sources.")
    compared: list[str] = Field(default_factory=list, description="The sources that were compared.")


class Sentiment(Figure):
    """``score = (positive - negative) / total`` with its 95 % interval. Source: METRICS 2.1-2.3."""

    score: float | None
    low: float | None
    high: float | None
    positive: int
    negative: int
    neutral: int
    total: int = Field(description="positive + negative + neutral; what has a label.")
    unscored: int = Field(description="Counted items without a label: no text, or a language the scorer does not read.")
    uncounted: dict[str, int] = Field(default_factory=dict, description="Kept but not counted, by reason.")
    change: Change | None = None
    variants: dict[str, float | None] = Field(default_factory=dict)


class Standing(Figure):
    """The platform's own overall rating, stars without text included. Source: METRICS 3."""

    source: str
    place: str
    mean: float | None
    best: float
    count: int | None
    seen_at: datetime


class Rating(Figure):
    """Stars on the common scale 1-5. Source: METRICS 3."""

    mean: float | None
    low: float | None
    high: float | None
    count: int
    histogram: dict[str, int]
    csat: float | None = Field(default=None, description="Share of 4 and 5 stars and of recommendations.")
    standing: list[Standing] = Field(default_factory=list)


class Reviews(Sentiment):
    """The online review sentiment score, with the stars behind it."""

    rating: Rating
    replied: int = Field(default=0, description="Reviews that the owner has answered.")


class Engagement(Figure):
    """Sums over items published in the window; each says for how many items it is known. Source: METRICS 4."""

    likes: int | None
    shares: int | None
    comments: int | None
    views: int | None
    items: int
    known: dict[str, int]
    gained: dict[str, int] = Field(description="Growth seen within the window, on items of any age.")


class OwnEngagement(Engagement):
    """The same for the brand's own posts."""

    posts: int
    rate: float | None = Field(default=None, description="Engagement on own posts / followers at the window's end.")


class EngagementOfBrand(Figure):
    mentions: Engagement
    own: OwnEngagement


class Followers(Figure):
    """A stock: the last count known at the window's end, and its change over the window."""

    source: str
    account: str
    count: int
    change: int | None
    seen_at: datetime


class Volume(Figure):
    """Counted items, scored or not."""

    mentions: int
    reviews: int
    before: int | None = Field(default=None, description="Mentions and reviews of the window before.")


class SourceFigures(Figure):
    source: str
    social: Sentiment
    reviews: Sentiment
    engagement: Engagement
    volume: int


class Day(Figure):
    """One local day (or hour) of the series."""

    start: datetime
    social: Sentiment
    reviews: Sentiment
    volume: int
    gap: bool = Field(
        default=False, description="A source had a gap in this stretch: low figures may mean missing, not quiet."
    )


class Quote(Figure):
    """An item named by a figure. Stored digests keep only the id; the words are looked up when shown."""

    id: int
    source: str
    kind: str
    published_at: datetime
    label: str | None
    score: float | None = None
    stars: float | None = None
    likes: int | None = None
    shares: int | None = None
    comments: int | None = None
    title: str | None = None
    text: str | None = None
    author: str | None = None
    place: str | None = None
    url: str | None = None


class TopItems(Figure):
    negative: list[Quote] = Field(default_factory=list)
    positive: list[Quote] = Field(default_factory=list)
    engaged: list[Quote] = Field(default_factory=list)
    unanswered: list[Quote] = Field(default_factory=list, description="Bad reviews without the owner's answer.")


class Gap(Figure):
    source: str
    start: datetime
    end: datetime
    reason: str
    missing: int | None = None


class Coverage(Figure):
    """Was everything seen? A failed or skipped pull is a gap, never a zero. Source: METRICS 1."""

    complete: bool
    known_until: datetime | None = Field(description="Every source has been read up to here.")
    gaps: list[Gap] = Field(default_factory=list)
    unscored_languages: dict[str, int] = Field(default_factory=dict)


class Trailing(Figure):
    """The score of the last 90 days, shown beside a window with few items. Source: METRICS 2.6."""

    days: int
    social: Sentiment
    reviews: Sentiment


class BrandFigures(Figure):
    brand: str
    competitor_of: list[str] = Field(default_factory=list)
    social: Sentiment
    reviews: Reviews
    engagement: EngagementOfBrand
    followers: list[Followers]
    volume: Volume
    by_source: list[SourceFigures]
    series: list[Day]
    top_items: TopItems
    coverage: Coverage
    trailing: Trailing | None = None


class Report(Figure):
    """Every figure of some brands over one window, read once."""

    schema_: int = Field(default=SCHEMA, alias="schema", serialization_alias="schema")
    generated_at: datetime
    window: WindowFigure
    compared_with: WindowFigure
    brands: list[BrandFigures]

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)
