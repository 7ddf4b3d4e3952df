"""PURE  Report -> page: which figures, in which order and in which words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from monitor.digest import escape, items, times, words
from monitor.digest.numbers import cells, count, gained, percent, plural, rate, score
from monitor.digest.page import (
    Bar,
    Block,
    CountRow,
    DayRow,
    DigestView,
    Named,
    Page,
    Rival,
    Scored,
    SourceRow,
    StarRow,
    Stars,
    Tone,
)  # fmt: skip
from monitor.figures import (
    BrandFigures,
    Change,
    Day,
    Engagement,
    EngagementOfBrand,
    Rating,
    Report,
    Sentiment,
    SourceFigures,
    Trailing,
)  # fmt: skip

SHORT_ITEMS: Final = 3
"""Items of each group in a short digest."""
LEAST_A_DAY: Final = 10
"""A day's score is shown from so many scored items on: of fewer it says nothing."""
MARK: Final = "*"
"""Beside a day on which something was written down."""

_COUNTS: Final = ("likes", "shares", "comments", "views")
_TONES: Final[dict[str, Tone]] = {"up": "positive", "down": "negative"}


@dataclass(frozen=True, slots=True)
class Frame:
    """What the words of every brand share: the reader's zone, the name of the window before, how much to show."""

    zone: tzinfo
    before: str
    window: str
    full: bool


def page(report: Report, view: DigestView) -> Page:
    """The page of ``report``: own brands first and in full, competitors after and in brief."""
    frame = frame_of(report, view)
    brands = own(report)
    rivals = [brand for brand in report.brands if brand.competitor_of] if len(brands) < len(report.brands) else []
    return Page(
        title=escape.name(view.name),
        window=frame.window,
        times=f"Times in {words.zone_words(frame.zone)}; compared with {times.window(report.compared_with, frame.zone)}",
        note=escape.clean(view.sent_note, escape.QUOTE),
        headlines=tuple((escape.name(brand.brand), _sentence(brand, frame)) for brand in [*brands, *rivals]),
        brands=tuple(_block(brand, frame) for brand in brands),
        rivals=tuple(_rival(brand, frame) for brand in rivals),
        link=escape.link(view.public_url),
        made=times.moment(report.generated_at, frame.zone),
        full=frame.full,
    )


def frame_of(report: Report, view: DigestView) -> Frame:
    window = times.window(report.window, view.zone)
    named = escape.clean(view.period, escape.NAME)
    before = times.before(report.window, report.compared_with, view.zone)
    return Frame(view.zone, before, named or window, full=view.detail == "full")


def own(report: Report) -> list[BrandFigures]:
    """The brands that are nobody's competitor; all of them where each is one's."""
    return [brand for brand in report.brands if not brand.competitor_of] or list(report.brands)


def _sentence(brand: BrandFigures, frame: Frame) -> str:
    return words.headline(brand, frame.before, frame.zone).removeprefix(f"{escape.name(brand.brand)}: ")


def _block(brand: BrandFigures, frame: Frame) -> Block:
    days = tuple(_days(brand, frame)) if frame.full and any(day.volume for day in brand.series) else ()
    counts = tuple(_counts(brand.engagement)) if frame.full else ()
    return Block(
        brand=escape.name(brand.brand),
        sentence=_sentence(brand, frame),
        warning=None if brand.coverage.complete else _capital(words.incomplete(brand.coverage, frame.zone)),
        items_first=words.is_few(brand.social) and words.is_few(brand.reviews),
        volume=_capital(words.volume(brand, frame.before)),
        scores=_scores(brand, frame),
        days=days,
        days_title="Hour by hour" if _is_hourly(brand.series) else "Day by day",
        days_note=_days_note(days, _noted(brand, frame)),
        stars=_stars(brand, frame) if frame.full else None,
        groups=items.groups(brand.top_items, frame.zone, None if frame.full else SHORT_ITEMS),
        counts=counts,
        counts_note=_counts_note(brand.engagement) if counts else None,
        followers=tuple(_followers(brand)) if frame.full else (),
        sources=tuple(_sources(brand.by_source)) if frame.full else (),
        key_numbers=() if frame.full else (*_key_numbers(brand), *map(_capital, _noted(brand, frame))),
        coverage=tuple(_coverage(brand, frame)),
    )


def _rival(brand: BrandFigures, frame: Frame) -> Rival:
    notes = [words.volume(brand, frame.before), *_key_numbers(brand)]
    if not brand.coverage.complete:
        notes.append(words.incomplete(brand.coverage, frame.zone))
    scores = tuple(one for one in _scores(brand, frame) if one.bar)
    return Rival(escape.name(brand.brand), _sentence(brand, frame), scores, tuple(map(_capital, notes)))


def _scores(brand: BrandFigures, frame: Frame) -> tuple[Scored, ...]:
    """Both scores; a kind of which there is nothing to say is left out."""
    both = (_scored("mention", brand.social, brand, frame), _scored("review", brand.reviews, brand, frame))
    return tuple(one for one in both if one.bar or one.trailing or one.left_out)


def _scored(noun: str, sentiment: Sentiment, brand: BrandFigures, frame: Frame) -> Scored:
    few, total = words.is_few(sentiment), sentiment.total
    change = sentiment.change if total else None
    return Scored(
        title=f"{_capital(noun)}s",
        big=count(total) if few else percent(sentiment.positive, total),
        big_note=f"{noun if total == 1 else noun + 's'} scored" if few else "positive",
        bar=_bar(sentiment) if total else None,
        rest=words.rest(sentiment, noun),
        shares=words.shares(sentiment),
        score=f"score {words.score_words(sentiment)}" if total else None,
        change=_capital(words.change_detail(change, frame.before)) if change else None,
        tone=_tone(change),
        compared=_compared(change, noun, brand.by_source) if change else None,
        trailing=_trailing(brand.trailing, noun) if few else None,
        left_out=words.left_out(sentiment, noun),
        checked=_capital(words.checked(sentiment.audited, frame.zone)) if sentiment.audited else None,
    )


def _compared(change: Change, noun: str, by_source: Sequence[SourceFigures]) -> str | None:
    """Which sources the change leaves out: those that were not complete in both windows. Source: METRICS 2.4."""
    scored = [one.source for one in by_source if (one.reviews if noun == "review" else one.social).total]
    left_out = [source for source in scored if source not in change.compared]
    if not change.compared or not left_out:
        return None
    return f"Compared without {words.names(left_out)}, not fully read in both times"


def _tone(change: Change | None) -> Tone:
    return _TONES.get(change.verdict, "none") if change else "none"


def _trailing(trailing: Trailing | None, noun: str) -> str | None:
    """Source: METRICS 2.6."""
    if trailing is None:
        return None
    longer = trailing.reviews if noun == "review" else trailing.social
    return f"Last {trailing.days} days: {words.score_line(longer)}" if longer.total else None


def _bar(sentiment: Sentiment) -> Bar:
    return Bar(sentiment.positive, sentiment.neutral, sentiment.negative)


def _noted(brand: BrandFigures, frame: Frame) -> list[str]:
    """What was written down, each with the scores around it; none of it is called a cause."""
    told = [words.noted(one, frame.zone) for one in brand.annotations]
    return [*told, words.NO_CAUSE] if any(one.social or one.reviews for one in brand.annotations) else told


def _days(brand: BrandFigures, frame: Frame) -> Iterator[DayRow]:
    series = brand.series
    most = max((day.volume for day in series), default=0)
    with_score = any(day.social.total >= LEAST_A_DAY for day in series)
    hourly = _is_hourly(series)
    ends = [*(day.start for day in series[1:]), None]
    for day, end in zip(series, ends, strict=True):
        at = times.moment(day.start, frame.zone) if hourly else times.day(day.start, frame.zone)
        at += MARK if any(day.start <= one.at and (end is None or one.at < end) for one in brand.annotations) else ""
        yield DayRow(at, _day_value(day), _day_bar(day, most), _day_score(day) if with_score else None, day.gap)


def _is_hourly(series: Sequence[Day]) -> bool:
    return len(series) > 1 and (series[1].start - series[0].start).total_seconds() < 12 * 3600


def _day_value(day: Day) -> str:
    """Where not everything was read the count is a lower bound, and none is not 0."""
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


def _days_note(days: Sequence[DayRow], noted: Sequence[str]) -> str | None:
    notes = [f"{MARK} {'. '.join(noted).removesuffix('.')}."] if noted else []
    if any(day.gap for day in days):
        notes.append("Gap: a source was not fully read; what is missing is not known, and not zero.")
    if any(day.score == "few" for day in days):
        notes.append(f"“few”: under {LEAST_A_DAY} scored mentions.")
    return " ".join(notes) or None


def _stars(brand: BrandFigures, frame: Frame) -> Stars | None:
    rating = brand.reviews.rating
    if not rating.count and not rating.standing:
        return None
    standing = [
        Named(f"{escape.name(one.place)}", words.standing(one), f"as of {times.moment(one.seen_at, frame.zone)}")
        for one in rating.standing
    ]
    rows = tuple(_star_rows(rating)) if rating.count else ()
    return Stars(_capital(words.rating(rating)), rows, tuple(_star_notes(brand)), tuple(standing))


def _star_rows(rating: Rating) -> Iterator[StarRow]:
    cells_of = [rating.histogram.get(str(step), 0) for step in (5, 4, 3, 2, 1)]
    whole = sum(cells_of)
    if not whole:
        return
    for step, n in zip((5, 4, 3, 2, 1), cells_of, strict=True):
        yield StarRow(step, count(n), percent(n, whole), cells((n, whole - n), 100)[0])


def _star_notes(brand: BrandFigures) -> Iterator[str]:
    rating, reviews = brand.reviews.rating, brand.volume.reviews
    if rating.csat is not None:
        yield f"{percent(rating.csat, 1)} satisfied (4 or 5 stars, or recommended)"
    if reviews:
        yield f"{count(brand.reviews.replied)} of {plural(reviews, 'review')} answered by the owner"


def _counts(engagement: EngagementOfBrand) -> Iterator[CountRow]:
    mentions, posts = engagement.mentions, engagement.own
    for key in _COUNTS:
        on_mentions, on_posts = getattr(mentions, key), getattr(posts, key)
        if on_mentions is None and on_posts is None and not (mentions.gained.get(key) or posts.gained.get(key)):
            continue
        yield CountRow(
            name=_capital(key),
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


def _counts_note(engagement: EngagementOfBrand) -> str:
    posts = plural(engagement.own.posts, "own post")
    words_ = f"On {plural(engagement.mentions.items, 'mention and review', 'mentions and reviews')} and {posts} of this time."
    if engagement.own.rate is not None:
        words_ += f" Engagement rate of own posts: {rate(engagement.own.rate)} of followers."
    return f"{words_} Gained: growth seen in this time, on items of any age."


def _followers(brand: BrandFigures) -> Iterator[Named]:
    for one in brand.followers:
        change = "change not known" if one.change is None else gained(one.change)
        yield Named(escape.name(one.account), count(one.count), change)


def _sources(by_source: Sequence[SourceFigures]) -> Iterator[SourceRow]:
    for one in by_source:
        kinds = [("mentions", one.social), ("reviews", one.reviews)]
        scored = [(kind, sentiment) for kind, sentiment in kinds if sentiment.total]
        if not scored:
            yield SourceRow(escape.name(one.source), "", count(one.volume), None, "none scored", "–", _liked(one))
        for kind, sentiment in scored:
            yield SourceRow(
                source=escape.name(one.source),
                kind=kind,
                count=count(sentiment.total),
                bar=_bar(sentiment),
                shares=words.positive_and_negative(sentiment),
                score=score(sentiment.score),
                note=_liked(one),
            )


def _liked(source: SourceFigures) -> str | None:
    known = [(getattr(source.engagement, key), key) for key in ("likes", "shares", "comments")]
    return ", ".join(f"{count(n)} {key if n != 1 else key[:-1]}" for n, key in known if n is not None) or None


def _key_numbers(brand: BrandFigures) -> Iterator[str]:
    if brand.reviews.rating.count:
        yield words.rating(brand.reviews.rating)
    for noun, engagement in (("mentions", brand.engagement.mentions), ("own posts", brand.engagement.own)):
        known = [(getattr(engagement, key), key) for key in ("likes", "shares", "comments")]
        told = ", ".join(f"{count(n)} {key if n != 1 else key[:-1]}" for n, key in known if n is not None)
        if told:
            yield f"On {noun}: {told}"
    for one in brand.followers:
        yield f"{escape.name(one.account)}: {words.followers(one)}"


def _coverage(brand: BrandFigures, frame: Frame) -> Iterator[str]:
    for gap in brand.coverage.gaps:
        yield words.gap(gap, frame.zone)
    yield words.known(brand.coverage, frame.zone)
    if told := words.languages(brand.coverage.unscored_languages):
        yield told


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
