"""PURE  The tables of a full digest: days, stars, sources, engagement, followers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, timedelta, tzinfo
from itertools import pairwise
from typing import Final

from monitor.digest import escape, sentences, times, words
from monitor.digest.escape import Link
from monitor.digest.groups import tone
from monitor.digest.links import Links
from monitor.digest.numbers import cells, count, gained, percent, plural, rate, score
from monitor.digest.page import Bar, CountRow, DayRow, Named, SourceRow, StarRow, Stars
from monitor.figures import (
    BrandFigures,
    Day,
    Engagement,
    EngagementOfBrand,
    Sentiment,
    SourceFigures,
)  # fmt: skip

LEAST_A_DAY: Final = 10
"""A day's score is shown from so many scored items on: of fewer it says nothing."""
MARK: Final = "*"
"""Beside a day on which something was written down."""

_COUNTS: Final = ("likes", "shares", "comments", "views")


def days(brand: BrandFigures, zone: tzinfo, links: Links) -> Iterator[DayRow]:
    """The series: one row a day, or an hour."""
    series = brand.series
    most = max((day.volume for day in series), default=0)
    with_score = any(day.social.total >= LEAST_A_DAY for day in series)
    hourly = is_hourly(series)
    ends = [*(day.start for day in series[1:]), None]
    for day, end in zip(series, ends, strict=True):
        at = times.moment(day.start, zone) if hourly else times.day(day.start, zone)
        link = links.to(brand.brand, "series", _stretch(day, zone, hourly=hourly), "volume") if day.volume else None
        at += MARK if any(day.start <= one.at and (end is None or one.at < end) for one in brand.annotations) else ""
        yield DayRow(at, _day_value(day), _day_bar(day, most), _day_score(day) if with_score else None, day.gap, link)


def _stretch(day: Day, zone: tzinfo, *, hourly: bool) -> str:
    """What a figure's path calls it."""
    return f"{day.start.astimezone(UTC):%Y-%m-%dT%H:%MZ}" if hourly else f"{day.start.astimezone(zone):%Y-%m-%d}"


def is_hourly(series: Sequence[Day]) -> bool:
    """Whether a series goes by the hour. The first of several days may be short: a window may begin at any time."""
    gaps = [later.start - one.start for one, later in pairwise(series)]
    return bool(gaps) and max(gaps) < timedelta(hours=12)


def _day_value(day: Day) -> str:
    """Where not everything was read the count is a lower bound, and none is not 0."""
    if day.unwatched:
        return f"{count(day.volume)}, not watched" if day.volume else "not watched yet"
    if not day.gap:
        return count(day.volume)
    return f"at least {count(day.volume)}" if day.volume else "not read"


def _day_bar(day: Day, most: int) -> Bar:
    both = (day.social, day.reviews)
    positive, neutral, negative = (
        sum(one.positive for one in both),
        sum(one.neutral for one in both),
        sum(one.negative for one in both),
    )
    return Bar(positive, neutral, negative, max(0, day.volume - positive - neutral - negative), most)


def _day_score(day: Day) -> str:
    if day.social.total == 0:
        return "–"
    return score(day.social.score) if day.social.total >= LEAST_A_DAY else "few"


def days_note(days: Sequence[DayRow], noted: Sequence[str]) -> str | None:
    """What the marks in the series mean."""
    notes = [f"{MARK} {'. '.join(noted).removesuffix('.')}."] if noted else []
    if any(day.gap for day in days):
        notes.append("Gap: a source was not fully read; what is missing is not known, and not zero.")
    if any(day.score == "few" for day in days):
        notes.append(f"“few”: under {LEAST_A_DAY} scored mentions.")
    return " ".join(notes) or None


def stars(brand: BrandFigures, zone: tzinfo, links: Links) -> Stars | None:
    """The stars of the reviews, what the owner did with these, and the platforms' own ratings."""
    rating = brand.reviews.rating
    if not rating.count and not rating.standing:
        return None
    standing = [
        Named(f"{escape.name(one.place)}", words.standing(one), f"as of {times.moment(one.seen_at, zone)}")
        for one in rating.standing
    ]
    rows = tuple(_star_rows(brand, links)) if rating.count else ()
    return Stars(capital(words.rating(rating)), rows, tuple(_star_notes(brand)), tuple(standing))


def _star_rows(brand: BrandFigures, links: Links) -> Iterator[StarRow]:
    rating = brand.reviews.rating
    cells_of = [rating.histogram.get(str(step), 0) for step in (5, 4, 3, 2, 1)]
    whole = sum(cells_of)
    if not whole:
        return
    for step, n in zip((5, 4, 3, 2, 1), cells_of, strict=True):
        yield StarRow(
            step,
            count(n),
            percent(n, whole),
            cells((n, whole - n), 100)[0],
            _of_stars(brand, step, links) if n else None,
        )


def _of_stars(brand: BrandFigures, step: int, links: Links) -> Link | None:
    return links.to(brand.brand, "reviews", "rating", "histogram", str(step))


def _star_notes(brand: BrandFigures) -> Iterator[str]:
    rating, reviews = brand.reviews.rating, brand.volume.reviews
    if rating.csat is not None:
        yield f"{percent(rating.csat, 1)} satisfied (4 or 5 stars, or recommended)"
    if rating.velocity is not None and reviews:
        yield f"{rating.velocity:.1f} reviews a day"
    if rating.answered is not None:
        yield sentences.answers(rating.answered)
        if told := sentences.waiting(rating.answered):
            yield f"Waiting: {told}"
    elif reviews:
        yield f"{count(brand.reviews.replied)} of {plural(reviews, 'review')} answered by the owner"


def counts(engagement: EngagementOfBrand) -> Iterator[CountRow]:
    """Likes, shares, comments and views, as far as anything is known of them."""
    mentions, posts = engagement.mentions, engagement.own
    for key in _COUNTS:
        on_mentions, on_posts = getattr(mentions, key), getattr(posts, key)
        if on_mentions is None and on_posts is None and not (mentions.gained.get(key) or posts.gained.get(key)):
            continue
        yield CountRow(
            name=capital(key),
            mentions=count(on_mentions),
            mentions_known=_known(mentions, key),
            mentions_gained=gained(mentions.gained.get(key)),
            own=count(on_posts),
            own_known=_known(posts, key),
            own_gained=gained(posts.gained.get(key)),
        )


def _known(engagement: Engagement, key: str) -> str | None:
    """For how many items a count is known, where that is not all of them."""
    known = engagement.known.get(key, 0)
    if engagement.items == 0 or known == engagement.items:
        return None
    return f"known for {count(known)} of {count(engagement.items)}" if known else "not known"


def counts_note(engagement: EngagementOfBrand) -> str:
    """What the counts are of."""
    posts = plural(engagement.own.posts, "own post")
    words_ = f"On {plural(engagement.mentions.items, 'mention and review', 'mentions and reviews')} and {posts} of this time."
    if engagement.own.rate is not None:
        words_ += f" Engagement rate of own posts: {rate(engagement.own.rate)} of followers."
    return f"{words_} Gained: growth seen in this time, on items of any age."


def followers(brand: BrandFigures) -> Iterator[Named]:
    """The brand's own accounts."""
    for one in brand.followers:
        change = "change not known" if one.change is None else gained(one.change)
        yield Named(escape.name(one.account), count(one.count), change)


def sources(brand: BrandFigures, links: Links) -> Iterator[SourceRow]:
    """Every source with its mentions and its reviews."""
    changes = {one.name: one for one in brand.breakdowns.get("source", [])}
    for one in brand.by_source:
        group = changes.get(one.source)
        kinds = [
            ("mentions", one.social, "social", group.social.change if group else None),
            ("reviews", one.reviews, "reviews", group.reviews.change if group else None),
        ]
        scored = [kind for kind in kinds if kind[1].total]
        if not scored:
            yield SourceRow(escape.name(one.source), "", count(one.volume), None, "none scored", "–", _liked(one))
        for kind, sentiment, path, change in scored:
            yield SourceRow(
                source=escape.name(one.source),
                kind=kind,
                count=count(sentiment.total),
                bar=bar(sentiment),
                shares=words.positive_and_negative(sentiment),
                score=score(sentiment.score),
                note=_liked(one),
                change=sentences.brief(change),
                tone=tone(change),
                link=links.to(brand.brand, "by_source", one.source, path, "total"),
            )


def bar(sentiment: Sentiment) -> Bar:
    """Positive, neutral and negative, side by side."""
    return Bar(sentiment.positive, sentiment.neutral, sentiment.negative)


def capital(text: str) -> str:
    """``text`` with a capital letter."""
    return text[:1].upper() + text[1:]


def _liked(source: SourceFigures) -> str | None:
    known = [(getattr(source.engagement, key), key) for key in ("likes", "shares", "comments")]
    return ", ".join(f"{count(n)} {key if n != 1 else key[:-1]}" for n, key in known if n is not None) or None
