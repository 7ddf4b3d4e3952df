"""PURE  Report -> page: which figures, in which order and in which words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

from monitor.digest import alert_words, escape, groups, items, people, sentences, tables, times, words
from monitor.digest.links import Links, links
from monitor.digest.numbers import count, percent, plural
from monitor.digest.page import Block, DigestView, Drawn, Group, Page, Piece, Rival, Scored
from monitor.digest.tables import capital
from monitor.figures import BrandFigures, Change, Report, Sentiment, SourceFigures, Trailing

SHORT_GAPS: Final = 3
"""Gaps that a short digest names."""


SHORT_ALERTS: Final = 3


@dataclass(frozen=True, slots=True)
class Frame:
    """What the words of every brand share: the reader's zone, the name of the window before, how much to show."""

    zone: tzinfo
    before: str
    window: str
    full: bool
    links: Links
    charts: Mapping[str, tuple[Drawn, ...]]


def page(report: Report, view: DigestView) -> Page:
    """The page of ``report``: own brands first and in full, competitors after and in brief.

    A short digest tells of a brand of which there is nothing, and of competitors, in their sentences alone.
    """
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
        logo_line=escape.clean(view.logo_line, escape.TITLE),
        logo=view.logo,
    )


def frame_of(report: Report, view: DigestView) -> Frame:
    """What the report's words share."""
    window = times.window(report.window, view.zone)
    named = escape.clean(view.period, escape.NAME)
    before = times.before(report.window, report.compared_with, view.zone)
    return Frame(
        view.zone, before, named or window, view.detail == "full", links(view.public_url, report.window), view.charts
    )


def own(report: Report) -> list[BrandFigures]:
    """The brands that are nobody's competitor; all of them where each is one's."""
    return [brand for brand in report.brands if not brand.competitor_of] or list(report.brands)


def _sentence(brand: BrandFigures, frame: Frame) -> str:
    longer = frame.full or _is_silent(brand)  # else it stands beside the scores
    told = words.headline(brand, frame.before, frame.zone, longer=longer).removeprefix(f"{escape.name(brand.brand)}: ")
    if frame.full or not _is_silent(brand):
        return told
    first, mark, others = told.partition("; ")
    if words.watched_since(brand.coverage, frame.zone):
        return told
    return f"{first}, and every source was read{mark}{others}"


def _is_silent(brand: BrandFigures) -> bool:
    """Whether one sentence says all there is: nothing was found, and all was looked at."""
    found = brand.volume.mentions + brand.volume.reviews + brand.engagement.own.posts
    uncounted = sum(brand.social.uncounted.values()) + sum(brand.reviews.uncounted.values())
    missed = brand.volume.expected is not None and brand.volume.expected.low > 0
    return not (found or uncounted or missed or brand.annotations or brand.alerts) and brand.coverage.complete


def _block(brand: BrandFigures, frame: Frame) -> Block:
    few = words.is_few(brand.social) and words.is_few(brand.reviews)
    extent = items.ALL if frame.full else items.LEADING if few else items.BESIDE
    shown = items.groups(brand, frame.zone, frame.links, extent)
    taken = set() if frame.full else items.named(brand, extent)
    extent_of_terms = people.ALL if frame.full else people.CLEAR if few else people.LEADING
    return Block(
        brand=escape.name(brand.brand),
        sentence=_sentence(brand, frame),
        warning=None if brand.coverage.complete else capital(words.incomplete(brand.coverage, frame.zone)),
        watched=capital(since) if (since := words.begun(brand.coverage, frame.zone)) else None,
        items_first=few,
        silent=not frame.full and _is_silent(brand),
        volume=tuple(_volume(brand, frame)),
        alerts=tuple(_alerts(brand, frame)),
        scores=_scores(brand, frame),
        groups=shown,
        terms=people.terms(brand, frame.before, frame.zone, frame.links, taken, extent_of_terms),
        terms_note=sentences.sampled(brand.drivers),
        key_numbers=() if frame.full else tuple(_key_numbers(brand, shown)),
        charts=frame.charts.get(brand.brand, ()),
        noted=tuple(map(capital, _noted(brand, frame))),
        coverage=tuple(_coverage(brand, frame)),
        link=frame.links.overview(brand.brand),
        **(_tables(brand, frame) if frame.full else _NO_TABLES),
    )


_NO_TABLES: Final[dict[str, Any]] = {
    "days": (), "days_title": "", "days_note": None, "stars": None, "counts": (), "counts_note": None, "followers": (),
    "sources": (),
}  # fmt: skip


def _tables(brand: BrandFigures, frame: Frame) -> dict[str, Any]:
    days = tuple(tables.days(brand, frame.zone, frame.links)) if any(day.volume for day in brand.series) else ()
    counts = tuple(tables.counts(brand.engagement))
    return {
        "days": days,
        "days_title": "Hour by hour" if tables.is_hourly(brand.series) else "Day by day",
        "days_note": tables.days_note(days, _noted(brand, frame)),
        "stars": tables.stars(brand, frame.zone, frame.links),
        "counts": counts,
        "counts_note": tables.counts_note(brand.engagement) if counts else None,
        "followers": tuple(tables.followers(brand)),
        "sources": tuple(tables.sources(brand, frame.links)),
        "topics": groups.topics(brand, frame.links),
        "breakdowns": tuple(groups.breakdowns(brand, frame.links)),
        "versus": groups.versus(brand, frame.links),
        "writers": people.writers(brand, frame.links),
        "writers_note": people.note(brand),
    }


def _rival(brand: BrandFigures, frame: Frame) -> Rival:
    notes = [words.volume(brand, frame.before), *_key_numbers(brand, ())]
    if not brand.coverage.complete:
        notes.append(words.incomplete(brand.coverage, frame.zone))
    scores = tuple(one for one in _scores(brand, frame) if one.bar)
    return Rival(escape.name(brand.brand), _sentence(brand, frame), scores, tuple(map(capital, notes)))


def _volume(brand: BrandFigures, frame: Frame) -> Iterator[Piece]:
    """The sentence on the volume, its two counts with links."""
    told = words.volume(brand, frame.before)
    for n, noun in ((brand.volume.mentions, "mention"), (brand.volume.reviews, "review")):
        counted = plural(n, noun)
        before, found, after = told.partition(counted)
        if not n or not found:
            continue
        yield Piece(before)
        yield Piece(counted, frame.links.to(brand.brand, "volume", f"{noun}s"))
        told = after
    yield Piece(capital(told) if told == words.volume(brand, frame.before) else told)
    if usual := sentences.usual(brand.volume, complete=brand.coverage.complete):
        yield Piece(f"; {usual}")


# ------------------------------------------------------------------------------------------------- scores


def _scores(brand: BrandFigures, frame: Frame) -> tuple[Scored, ...]:
    """Both scores; a kind of which there is nothing to say is left out."""
    both = (_scored("mention", brand.social, brand, frame), _scored("review", brand.reviews, brand, frame))
    return tuple(one for one in both if one.bar or one.trailing or one.left_out)


def _scored(noun: str, sentiment: Sentiment, brand: BrandFigures, frame: Frame) -> Scored:
    few, total = words.is_few(sentiment), sentiment.total
    kind = "social" if noun == "mention" else "reviews"
    change = sentiment.change if total else None
    return Scored(
        title=f"{capital(noun)}s",
        big=count(total) if few else percent(sentiment.positive, total),
        big_note=f"{noun if total == 1 else noun + 's'} scored" if few else "positive",
        link=frame.links.to(brand.brand, kind, "total" if few else "positive") if total else None,
        bar=tables.bar(sentiment) if total else None,
        rest=tuple(_rest(sentiment, noun, kind, brand, frame)) if total else (),
        shares=words.shares(sentiment),
        score=f"score {words.score_words(sentiment)}" if total else None,
        change=capital(_changed(change, frame)) if change else None,
        tone=groups.tone(change),
        compared=_compared(change, noun, brand.by_source) if change else None,
        trailing=_trailing(brand.trailing, noun) if few else None,
        left_out=words.left_out(sentiment, noun),
        checked=capital(words.checked(sentiment.audited, frame.zone)) if sentiment.audited else None,
    )


def _changed(change: Change, frame: Frame) -> str:
    """The size of what cannot be told from chance is for those who want everything."""
    brief = change.verdict == "too few to tell" and not frame.full
    return words.verdict(change, frame.before) if brief else words.change_detail(change, frame.before)


def _rest(sentiment: Sentiment, noun: str, kind: str, brand: BrandFigures, frame: Frame) -> Iterator[Piece]:
    """What stands under a large "62 % positive": ``20 % neutral, 18 % negative of 412 mentions``; of few, in counts."""
    few, total = words.is_few(sentiment), sentiment.total
    for label in ("positive", "neutral", "negative") if few else ("neutral", "negative"):
        n = getattr(sentiment, label)
        told = f"{count(n) if few else percent(n, total)} {label}"
        yield Piece(told, frame.links.to(brand.brand, kind, label) if n else None)
        if label != "negative":
            yield Piece(", ")
    if not few:
        yield Piece(" of ")
        of = plural(total, f"scored {noun}" if sentiment.unscored else noun)
        yield Piece(of, frame.links.to(brand.brand, kind, "total"))


def _compared(change: Change, noun: str, by_source: Sequence[SourceFigures]) -> str | None:
    """Which sources the change leaves out: those that were not complete in both windows. Source: METRICS 2.4."""
    scored = [one.source for one in by_source if (one.reviews if noun == "review" else one.social).total]
    left_out = change.left_out or [source for source in scored if source not in change.compared]
    if not change.compared or not left_out:
        return None
    done = "watched" if set(left_out) == set(change.unwatched) else "read"
    return f"Compared without {words.names(left_out)}, not fully {done} in both times"


def _trailing(trailing: Trailing | None, noun: str) -> str | None:
    """Source: METRICS 2.6."""
    if trailing is None:
        return None
    longer = trailing.reviews if noun == "review" else trailing.social
    return f"Last {trailing.days} days: {words.score_line(longer)}" if longer.total else None


# -------------------------------------------------------------------------------------------------- lines


def _alerts(brand: BrandFigures, frame: Frame) -> Iterator[str]:
    """The alerts of this time, the newest first."""
    shown = brand.alerts if frame.full else brand.alerts[:SHORT_ALERTS]
    for one in shown:
        if told := escape.clean(alert_words.figure(one, frame.zone), escape.QUOTE):
            yield f"Alert {told}"
    if len(shown) < len(brand.alerts):
        yield f"And {plural(len(brand.alerts) - len(shown), 'more alert')}"


def _noted(brand: BrandFigures, frame: Frame) -> list[str]:
    """What was written down, each with the scores around it; none of it is called a cause."""
    told = [words.noted(one, frame.zone) for one in brand.annotations]
    return [*told, words.NO_CAUSE] if any(one.social or one.reviews for one in brand.annotations) else told


def _key_numbers(brand: BrandFigures, shown: Sequence[Group]) -> Iterator[str]:
    """Stars, answers, engagement, followers, share of voice: a line each."""
    rating = brand.reviews.rating
    if rating.count:
        yield capital(words.rating(rating))
    if rating.answered and not any(group.items for group in shown if group.title == items.WAITING):
        yield sentences.answers(rating.answered)
    for noun, engagement in (("mentions", brand.engagement.mentions), ("own posts", brand.engagement.own)):
        known = [(getattr(engagement, key), key) for key in ("likes", "shares", "comments")]
        told = ", ".join(f"{count(n)} {key if n != 1 else key[:-1]}" for n, key in known if n is not None)
        if told:
            yield f"On {noun}: {told}"
    if brand.followers:
        yield sentences.some([f"{escape.name(one.account)}: {words.followers(one)}" for one in brand.followers])
    if told_voice := sentences.voice(brand.volume):
        yield capital(told_voice)


def _coverage(brand: BrandFigures, frame: Frame) -> Iterator[str]:
    if since := words.begun(brand.coverage, frame.zone):
        yield capital(since)
    for one in brand.coverage.unread:
        yield words.unread(one)
    gaps = brand.coverage.gaps
    shown = gaps if frame.full else gaps[:SHORT_GAPS]
    for gap in shown:
        yield words.gap(gap, frame.zone)
    if len(shown) < len(gaps):
        yield f"And {plural(len(gaps) - len(shown), 'more gap')}"
    yield words.known(brand.coverage, frame.zone)
    if frame.full and (told := words.languages(brand.coverage.unscored_languages)):
        yield told
