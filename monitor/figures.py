"""The Report: every figure that digests, command line, dashboard and API show. Frozen; its JSON Schema is committed.

Fields are added, never renamed, within a schema number. ``None`` is "not known" or "nothing to score", never 0.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from monitor.figures_copies import Copies

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
    left_out: list[str] = Field(
        default_factory=list, description="Sources with items that were not compared: they had a gap in a window."
    )
    unwatched: list[str] = Field(
        default_factory=list, description="Those of them that were not watched yet when the earlier window began."
    )


class Audited(Figure):
    """The score without the scorer's errors, which people measured on a random sample. Source: METRICS 2.5.

    The interval is about the population that the window's items come from.
    """

    score: float
    low: float
    high: float
    m: int = Field(description="Items that people labelled.")
    borrowed: bool = Field(description="The errors were measured in another window: since to until.")
    sample: int = Field(description="The audit's number.")
    since: datetime
    until: datetime
    accuracy: float | None = Field(description="Share of the labelled items on which scorer and people agree.")


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
    deff: float | None = Field(
        default=None,
        description="By how much items of one author or with the same text widen the interval; null: not looked at,"
        " or all are of one cluster, which gives no interval.",
    )
    change: Change | None = None
    audited: Audited | None = Field(default=None, description="null where nobody has labelled a sample.")
    variants: dict[str, float | None] = Field(default_factory=dict)


class Standing(Figure):
    """The platform's own overall rating, stars without text included. Source: METRICS 3."""

    source: str
    place: str
    mean: float | None
    best: float
    count: int | None
    seen_at: datetime


class Answered(Figure):
    """What the owner did with the reviews, on the sources that show answers. Source: METRICS 3."""

    reviews: int = Field(description="Reviews of sources where answers are visible.")
    answered: int
    share: float | None = Field(description="answered / reviews.")
    median_hours: float | None = Field(description="From a review to its answer, of those whose times are known.")
    unanswered: int
    outdated: int = Field(description="Edited after the answer: they wait for another look.")


class Rating(Figure):
    """Stars on the common scale 1-5. Source: METRICS 3."""

    mean: float | None
    low: float | None
    high: float | None
    count: int
    histogram: dict[str, int]
    csat: float | None = Field(default=None, description="Share of 4 and 5 stars and of recommendations.")
    csat_as_written: float | None = Field(default=None, description="Share of 3 to 5 stars minus share of 1 and 2.")
    csat_by_source: dict[str, float] = Field(default_factory=dict)
    csat_overall: float | None = Field(default=None, description="csat_by_source weighted by each one's answers.")
    velocity: float | None = Field(default=None, description="Reviews a day.")
    answered: Answered | None = Field(default=None, description="null where no source shows answers.")
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


class Reach(Figure):
    """Followers of the authors, each once: how many people may have seen it at most. Source: METRICS 4."""

    followers: int | None
    authors: int
    known: int = Field(description="Authors whose followers are known.")


class EngagementOfBrand(Figure):
    mentions: Engagement
    own: OwnEngagement
    reach: Reach | None = None


class Followers(Figure):
    """A stock: the last count known at the window's end, and its change over the window."""

    source: str
    account: str
    count: int
    change: int | None
    seen_at: datetime


class Usual(Figure):
    """How much was to be expected after the eight weeks before; chance keeps 95 of 100 cases in its band. Source: METRICS 5."""

    mean: float
    low: int
    high: int


class Volume(Figure):
    """Counted items, scored or not."""

    mentions: int
    reviews: int
    before: int | None = Field(default=None, description="Mentions and reviews of the window before.")
    share_of_voice: float | None = Field(
        default=None, description="Own mentions / (own + competitors' mentions), on the sources that serve all of them."
    )
    shared_sources: list[str] = Field(default_factory=list, description="The sources share_of_voice goes by.")
    expected: Usual | None = Field(
        default=None, description="Of mentions and reviews; null without two weeks of known history of every source."
    )
    watched_days: int | None = Field(
        default=None, description="For how many days it has been watched, where that is too early to say what is usual."
    )


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
    unwatched: bool = Field(
        default=False, description="No source was watched yet: what is here came later, and the rest is not known."
    )
    expected: Usual | None = Field(default=None, description="Of its volume, where it is a whole day or hour.")


class Group(Figure):
    """The items of one place, country, app version, language, source or topic, with their own change.

    The changes of a breakdown's groups are tested together, under control of false discoveries. Source: METRICS 2.4.
    """

    name: str
    social: Sentiment
    reviews: Sentiment
    volume: int
    before: int = Field(description="Volume of the window before.")


class Rival(Figure):
    """A competitor over the same window: its score, and the brand's score minus its."""

    brand: str
    social: Sentiment
    reviews: Sentiment
    mentions: int
    share_of_voice: float | None
    social_difference: Change
    reviews_difference: Change


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
    more_like_it: int = Field(default=0, description="Other counted items of the window that say nearly the same.")
    erased: bool = Field(
        default=False, description="Its words and its author were erased; the figures are as they were."
    )


class TopItems(Figure):
    negative: list[Quote] = Field(default_factory=list)
    positive: list[Quote] = Field(default_factory=list)
    engaged: list[Quote] = Field(default_factory=list)
    unanswered: list[Quote] = Field(default_factory=list, description="Bad reviews without the owner's answer.")


class Driver(Figure):
    """A word or phrase that tells these items from others. Source: METRICS 6."""

    term: str
    z: float
    p: float
    items: int = Field(description="Items of the window with the term, on the side it stands for.")
    others: int = Field(description="Items with the term on the other side.")
    authors: int
    clear: bool = Field(description="Chance alone does not explain it; else it is only said more often here.")
    examples: list[Quote] = Field(default_factory=list)


class Drivers(Figure):
    """What people praise and complain about, and what is new against the window before. Source: METRICS 6."""

    negative: list[Driver] = Field(default_factory=list)
    positive: list[Driver] = Field(default_factory=list)
    new: list[Driver] = Field(default_factory=list)
    texts: int = Field(default=0, description="Texts they are made of; a sample where there are very many.")
    sampled: bool = False


class AuthorFigures(Figure):
    id: str
    name: str | None
    source: str
    items: int
    before: int
    engagement: int | None = Field(description="Likes, shares and comments received in the window, as far as known.")
    followers: int | None
    score: float | None
    total: int = Field(description="Labelled items the score rests on.")


class Authors(Figure):
    """Who speaks. Source: METRICS 6."""

    engaged: list[AuthorFigures] = Field(default_factory=list)
    followed: list[AuthorFigures] = Field(default_factory=list)
    rising: list[AuthorFigures] = Field(default_factory=list)
    falling: list[AuthorFigures] = Field(default_factory=list)
    total: int = 0


class Gap(Figure):
    source: str
    start: datetime
    end: datetime
    reason: str
    missing: int | None = None


class Begun(Figure):
    """From when on a source is watched: the time before is neither a gap nor a zero, but not known."""

    source: str
    since: datetime
    in_window: bool = Field(description="Within this window or after it; else within the one compared with.")


class Unread(Figure):
    """A source that has never yet been read."""

    source: str
    reason: str | None = Field(description="Why; null where its first turn has not come yet.")


class Coverage(Figure):
    """Was everything seen? A failed or skipped pull is a gap, never a zero. Source: METRICS 1."""

    complete: bool = Field(description="Every source has been read, without a gap since it is watched.")
    known_until: datetime | None = Field(description="Every source has been read up to here.")
    gaps: list[Gap] = Field(default_factory=list)
    watched_since: datetime | None = Field(
        default=None, description="From when on some source is watched; null: always, or none is yet."
    )
    begun: list[Begun] = Field(
        default_factory=list, description="Sources watched only since after the earlier window began, by when."
    )
    unread: list[Unread] = Field(default_factory=list, description="Sources that have never been read yet.")
    unscored_languages: dict[str, int] = Field(default_factory=dict)


class Trailing(Figure):
    """The score of the last 90 days, shown beside a window with few items. Source: METRICS 2.6."""

    days: int
    social: Sentiment
    reviews: Sentiment


class Around(Figure):
    """The score before and after something, over as many days, and its change. What comes after need not come from it."""

    before: Sentiment
    after: Sentiment
    change: Change


class Annotation(Figure):
    """A dated event that people wrote down, with the scores around it."""

    at: datetime
    until: datetime | None = None
    text: str
    days: int | None = Field(
        default=None, description="Days compared on either side; null: less than a day has passed, or not compared."
    )
    social: Around | None = None
    reviews: Around | None = None


class Alert(Figure):
    """An episode: from the first day or hour that was not usual. Source: METRICS 5."""

    id: int
    name: str
    kind: str
    subject: str = Field(description="The brand, or the source that is silent.")
    since: datetime
    until: datetime | None = Field(description="Usual again since then; null while it lasts.")
    state: Literal["open", "over"]
    told: bool = Field(description="A message was queued.")
    found_in_history: bool = Field(default=False, description="It began before it was watched for: shown, not sent.")
    acknowledged: bool = False
    figures: dict[str, float] = Field(
        description="Of its worst day or hour: seen, expected, ratio, p, score, before ..."
    )
    words: str


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
    breakdowns: dict[str, list[Group]] = Field(
        default_factory=dict, description="By place, country, app_version, language, source: the largest groups."
    )
    copies: Copies | None = Field(default=None, description="Null where items were not looked at.")
    topics: list[Group] = Field(default_factory=list)
    drivers: Drivers = Field(default_factory=Drivers)
    authors: Authors = Field(default_factory=Authors)
    competitors: list[Rival] = Field(default_factory=list)
    annotations: list[Annotation] = Field(
        default_factory=list, description="What was written down of the window and the one compared with, by time."
    )
    alerts: list[Alert] = Field(default_factory=list, description="Episodes that touch the window, the newest first.")
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
