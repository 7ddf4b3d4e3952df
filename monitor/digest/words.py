"""PURE  A report's figures as sentences: true, short, and the same in every form and on the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta, tzinfo
from itertools import groupby
from typing import Final

from monitor.digest import escape, times
from monitor.digest.numbers import count, gained, likely, percent, plural, score, stars
from monitor.figures import (
    Annotation,
    Around,
    Audited,
    BrandFigures,
    Change,
    Coverage,
    Followers,
    Gap,
    Rating,
    Sentiment,
    Standing,
    Unread,
)

FEW: Final = 30
"""Under so many scored items the items themselves come first. Source: METRICS 2.6."""

TOGETHER: Final = timedelta(hours=1)
"""Sources whose watch began within so long began together."""

_UNCOUNTED: Final = {
    "excluded": "excluded by keywords",
    "muted": "muted",
    "duplicate": "left out as duplicates",
    "not_about_us": "not about the brand",
}
_VERDICTS: Final = {
    "up": "clearly better",
    "down": "clearly worse",
    "no clear change": "no clear change",
    "too few to tell": "too few to tell",
}
_LANGUAGES: Final = {
    "ar": "Arabic", "bg": "Bulgarian", "bn": "Bengali", "ca": "Catalan", "cs": "Czech", "da": "Danish", "de": "German",
    "el": "Greek", "en": "English", "es": "Spanish", "et": "Estonian", "fa": "Persian", "fi": "Finnish", "fr": "French",
    "he": "Hebrew", "hi": "Hindi", "hr": "Croatian", "hu": "Hungarian", "id": "Indonesian", "it": "Italian",
    "ja": "Japanese", "ko": "Korean", "lt": "Lithuanian", "lv": "Latvian", "ms": "Malay", "nl": "Dutch",
    "no": "Norwegian", "pl": "Polish", "pt": "Portuguese", "ro": "Romanian", "ru": "Russian", "sk": "Slovak",
    "sl": "Slovene", "sr": "Serbian", "sv": "Swedish", "ta": "Tamil", "th": "Thai", "tr": "Turkish", "uk": "Ukrainian",
    "ur": "Urdu", "vi": "Vietnamese", "zh": "Chinese",
}  # fmt: skip


def headline(brand: BrandFigures, before: str, zone: tzinfo, *, longer: bool = True) -> str:
    """``Larkspur: 62 % positive, 18 % negative of 412 mentions; clearly worse than the week before (−0.21); ...``.

    ``before`` names the window compared with (:func:`times.before`). Whatever was not read is said at the end. ``longer``: of
    few items say also how the last months were.
    """
    parts = [*_lead(brand, before), *(_trailing(brand) if longer else [])]
    if since := watched_since(brand.coverage, zone):
        parts.append(since)
    if not brand.coverage.complete:
        parts.append(incomplete(brand.coverage, zone))
    return f"{escape.name(brand.brand)}: {'; '.join(parts)}"


def news(brand: BrandFigures, before: str) -> str:
    """The shortest of headlines, for a subject: ``Larkspur: 62 % positive of 412 mentions, clearly worse``."""
    sentiment, noun = main_kind(brand)
    parts = [_shortly(sentiment, noun) if sentiment.total else _nothing_scored(brand)]
    if sentiment.change and sentiment.change.verdict in ("up", "down"):
        parts.append(verdict(sentiment.change, before).split(" than ")[0])
    if not brand.coverage.complete:
        parts.append("incomplete")
    return f"{escape.name(brand.brand)}: {', '.join(parts)}"


def main_kind(brand: BrandFigures) -> tuple[Sentiment, str]:
    """Mentions lead; reviews do where no mention is scored."""
    leads_with_reviews = brand.reviews.total > 0 and brand.social.total == 0
    return (brand.reviews, "review") if leads_with_reviews else (brand.social, "mention")


def is_few(sentiment: Sentiment) -> bool:
    """Source: METRICS 2.6."""
    return sentiment.total < FEW


def standing_out(sentiment: Sentiment, noun: str) -> str:
    """``62 % positive, 18 % negative of 412 mentions``; in counts where they are few."""
    return f"{positive_and_negative(sentiment)} of {_scored(sentiment, noun)}"


def positive_and_negative(sentiment: Sentiment) -> str:
    """``62 % positive, 18 % negative``; in counts where they are few."""
    if is_few(sentiment):
        return f"{count(sentiment.positive)} positive, {count(sentiment.negative)} negative"
    positive, negative = (percent(n, sentiment.total) for n in (sentiment.positive, sentiment.negative))
    return f"{positive} positive, {negative} negative"


def shares(sentiment: Sentiment) -> str:
    """``62 % positive, 20 % neutral, 18 % negative of 412``; in counts where they are few."""
    parts = {"positive": sentiment.positive, "neutral": sentiment.neutral, "negative": sentiment.negative}
    if sentiment.total == 0:
        return "none scored"
    if is_few(sentiment):
        return f"{', '.join(f'{count(n)} {label}' for label, n in parts.items())} of {count(sentiment.total)}"
    words = ", ".join(f"{percent(n, sentiment.total)} {label}" for label, n in parts.items())
    return f"{words} of {count(sentiment.total)}"


def score_line(sentiment: Sentiment) -> str:
    """``62 % positive, 20 % neutral, 18 % negative of 412 · score +0.44 (likely +0.37 to +0.51)``."""
    if sentiment.score is None:
        return shares(sentiment)
    return f"{shares(sentiment)} · score {score_words(sentiment)}"


def score_words(sentiment: Sentiment) -> str:
    """``+0.44 (likely +0.37 to +0.51)``; ``not known`` where nothing is scored."""
    if sentiment.score is None:
        return "not known"
    return f"{score(sentiment.score)} ({likely(sentiment.low, sentiment.high) or 'its likely range is not known'})"


def verdict(change: Change, before: str) -> str:
    """What may be said of a change: ``clearly worse than the week before (−0.21)``. Source: METRICS 2.4."""
    size = "" if change.delta is None else f" ({score(change.delta)})"
    match change.verdict:
        case "up":
            return f"clearly better than {before}{size}"
        case "down":
            return f"clearly worse than {before}{size}"
        case "no clear change":
            return "no clear change"
        case "too few to tell":
            return "too few to tell a change"
        case "sources changed":
            why = "not watched long enough" if unwatched(change) else "sources changed"
            return f"not comparable with {before}: {why}"


def unwatched(change: Change) -> bool:
    """Is there nothing to compare since the watch began too late?"""
    return bool(change.unwatched) and not change.compared


def change_detail(change: Change, before: str) -> str:
    """The verdict with the size, the interval and the split of the change, as far as known."""
    words = verdict(change, before)
    if change.delta is None:
        return words
    span = likely(change.low, change.high)
    sized = f"{score(change.delta)}, {span}" if span else score(change.delta)
    if change.verdict in ("up", "down"):
        return words if span is None else words.replace(f"({score(change.delta)})", f"({sized})")
    if change.verdict == "sources changed" and change.mix is not None and change.within is not None:
        return f"{words} ({score(change.mix)} by another mix of sources, {score(change.within)} within the sources)"
    return f"{words} ({sized})"


def not_compared(change: Change) -> str:
    """The sources that a change leaves out: ``without forum and news, which were not read throughout both windows``."""
    was = "was" if len(change.left_out) == 1 else "were"
    done = "watched" if set(change.left_out) == set(change.unwatched) else "read"
    return f"without {names(change.left_out)}, which {was} not {done} throughout both windows"


def checked(audited: Audited, zone: tzinfo) -> str:
    """``checked by hand: score +0.12 (likely +0.01 to +0.23) without the scorer's errors, measured on 200 items``."""
    words = f"checked by hand: score {score(audited.score)} ({likely(audited.low, audited.high)}) without the scorer’s errors"
    words += f", measured on {plural(audited.m, 'item')}"
    if audited.accuracy is not None:
        words += f"; people agree with {percent(audited.accuracy, 1)} of its labels"
    if not audited.borrowed:
        return words
    return f"{words}; the errors are borrowed from an audit of {times.dates(audited.since, audited.until, zone)}"


def noted(one: Annotation, zone: tzinfo) -> str:
    """``release 2.0, Tue 23 Dec, 11:00; the 7 days before and after it: mentions +0.31 and −0.12, clearly worse``."""
    at = times.moment(one.at, zone) if one.until is None else times.span(one.at, one.until, zone)
    words = f"{escape.clean(one.text, escape.TITLE) or '–'}, {at}"
    kinds = [(noun, around) for noun, around in (("mentions", one.social), ("reviews", one.reviews)) if around]
    if one.days is None or not kinds:
        return words
    told = "; ".join(f"{noun} {_around(around)}" for noun, around in kinds)
    lasted = one.until is not None and one.until - one.at >= timedelta(days=1)
    return f"{words}; the {plural(one.days, 'day')} before and {'during' if lasted else 'after'} it: {told}"


NO_CAUSE: Final = "That a score moved after something does not say why it moved."


def _around(around: Around) -> str:
    change = around.change
    said = "sources changed, not comparable" if change.verdict == "sources changed" else _VERDICTS[change.verdict]
    if change.delta is None:
        return said
    span = likely(change.low, change.high)
    sized = f"{score(change.delta)}, {span}" if span else score(change.delta)
    return f"{score(around.before.score)} and {score(around.after.score)}, {said} ({sized})"


def volume(brand: BrandFigures, before: str) -> str:
    """``430 mentions and 63 reviews, 8 % more than the week before (455)``.

    No percentage where something was not read or the base is small: it would mislead. No count at all of a time that was not
    watched: it would be taken for one.
    """
    figures = brand.volume
    now = figures.mentions + figures.reviews
    if now == 0 and not figures.before:
        return "no mentions and no reviews found"
    words = f"{_some(figures.mentions, 'mention')} and {_some(figures.reviews, 'review')}"
    if figures.before is None:
        return words
    if brand.coverage.begun:
        return f"{words}; not comparable with {before}: not watched long enough"
    if figures.before < FEW or not brand.coverage.complete:
        return f"{words}; {before}: {count(figures.before)} in all"
    step = percent(abs(now - figures.before), figures.before)
    if now == figures.before:
        return f"{words}, as many as {before}"
    return f"{words}, {step} {'more' if now > figures.before else 'fewer'} than {before} ({count(figures.before)})"


def rating(figures: Rating) -> str:
    """``4.1 of 5 stars (likely 3.9 to 4.3) in 63 ratings``."""
    if figures.mean is None:
        return "no star ratings"
    known = figures.low is not None and figures.high is not None
    span = f" (likely {stars(figures.low)} to {stars(figures.high)})" if known else ""
    return f"{stars(figures.mean)} of 5 stars{span} in {plural(figures.count, 'rating')}"


def standing(figures: Standing) -> str:
    """``4.6 of 5 in 622 ratings``."""
    best = f"{figures.best:g}"
    mean = "not known" if figures.mean is None else f"{figures.mean:.2f} of {best}"
    return mean if figures.count is None else f"{mean} in {plural(figures.count, 'rating')}"


def followers(figures: Followers) -> str:
    """``11,800 followers (+120)``."""
    change = "change not known" if figures.change is None else gained(figures.change)
    return f"{plural(figures.count, 'follower')} ({change})"


def incomplete(coverage: Coverage, zone: tzinfo) -> str:
    """Why not everything is in the figures, in one clause."""
    failing = len({gap.source for gap in coverage.gaps})
    parts = [f"{plural(failing, 'source')} could not be read throughout"] if failing else []
    if coverage.unread:
        could = "could not be read yet" if any(one.reason for one in coverage.unread) else "not read yet"
        parts.append(f"{names([one.source for one in coverage.unread])} {could}")
    if parts:
        return f"incomplete: {', '.join(parts)}"
    if coverage.known_until is None:
        return "incomplete: not every source has been read"
    return f"incomplete: known up to {times.moment(coverage.known_until, zone)}"


def gap(figures: Gap, zone: tzinfo) -> str:
    """``forum: not read Thu 11 Dec, 01:00 to 13:00 (the forum answered 503); about 12 items missing``."""
    reason = escape.clean(figures.reason, escape.REASON)
    words = f"{escape.name(figures.source)}: not fully read {times.span(figures.start, figures.end, zone)}"
    words += f" ({reason})" if reason else ""
    return words if figures.missing is None else f"{words}; about {plural(figures.missing, 'item')} missing"


def unread(figures: Unread) -> str:
    """``forum: never read yet (access denied)``."""
    reason = escape.clean(figures.reason, escape.REASON)
    return f"{escape.name(figures.source)}: never read yet" + (f" ({reason})" if reason else "")


def watched_since(coverage: Coverage, zone: tzinfo) -> str | None:
    """``watched since Sun 22 Nov, 15:02``, where the watch began within the window; what began later is named by :func:`begun`."""
    first = coverage.watched_since
    if first is None or not any(one.in_window and one.since == first for one in coverage.begun):
        return None
    return f"watched since {times.moment(first, zone)}"


def begun(coverage: Coverage, zone: tzinfo) -> str | None:
    """From when on what is watched, where that began within the window: ``Watched since Sun 22 Nov, 15:02; forum since ...``."""
    whole = watched_since(coverage, zone)
    late = [one for one in coverage.begun if one.in_window]
    if whole is not None and coverage.watched_since is not None:
        late = [one for one in late if one.since - coverage.watched_since >= TOGETHER]
    parts = [whole] if whole else []
    for at, together in groupby(late, key=lambda one: times.moment(one.since, zone)):
        watched = "" if parts else "watched "
        parts.append(f"{names([one.source for one in together])} {watched}since {at}")
    return "; ".join(parts) or None


def known(coverage: Coverage, zone: tzinfo) -> str:
    """How far every source has been read."""
    if coverage.known_until is None:
        return "Not every source has been read yet."
    until = times.moment(coverage.known_until, zone)
    return f"Every source is known up to {until}{'' if coverage.complete else ', but for what is named here'}."


def left_out(sentiment: Sentiment, noun: str) -> str | None:
    """What the score leaves out: ``18 mentions not scored; not counted: 5 excluded by keywords, 2 muted``."""
    parts = []
    if sentiment.unscored:
        parts.append(f"{plural(sentiment.unscored, noun)} not scored")
    if reasons := _reasons(sentiment.uncounted):
        parts.append(f"not counted: {reasons}")
    return "; ".join(parts) or None


def languages(unscored: Mapping[str, int]) -> str | None:
    """``Not scored by language: 12 German, 3 French``, most first."""
    known_first = sorted(unscored.items(), key=lambda pair: (-pair[1], pair[0]))
    words = ", ".join(f"{count(n)} {language(code)}" for code, n in known_first if n)
    return f"Not scored by language: {words}" if words else None


def language(code: str) -> str:
    """``German``; a code that is not known stays as it is."""
    if code in ("", "und", "un", "unknown"):
        return "of unknown language"
    return _LANGUAGES.get(code.lower().split("-")[0].split("_")[0]) or escape.name(code)


def names(sources: Sequence[str]) -> str:
    """``forum, news and 2 more``."""
    shown = [escape.name(source) for source in sources[:3]]
    more = len(sources) - len(shown)
    if more:
        return f"{', '.join(shown)} and {count(more)} more"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def zone_words(zone: tzinfo) -> str:
    """``Europe/Berlin``."""
    return escape.name(str(zone))


def _lead(brand: BrandFigures, before: str) -> list[str]:
    social, reviews = brand.social, brand.reviews
    if not social.total and not reviews.total:
        return [_nothing_scored(brand)]
    sentiment, noun = main_kind(brand)
    parts = [standing_out(sentiment, noun)]
    if sentiment.change:
        parts.append(verdict(sentiment.change, before))
    if sentiment is social and reviews.total:
        parts.append(_beside(reviews, before))
    elif sentiment is reviews:
        parts.append(_unscored_mentions(brand))
    return parts


def _beside(reviews: Sentiment, before: str) -> str:
    """The reviews after the mentions: their verdict where there is one, else their shares."""
    if reviews.change is None or reviews.change.verdict == "too few to tell":
        return f"reviews: {positive_and_negative(reviews)} of {count(reviews.total)}"
    if reviews.change.verdict == "sources changed":
        return (
            f"reviews not comparable: {'not watched long enough' if unwatched(reviews.change) else 'sources changed'}"
        )
    told, size, end = verdict(reviews.change, before).replace(f" than {before}", "").partition(" (")
    return f"{told} on reviews{size}{end}"


def _nothing_scored(brand: BrandFigures) -> str:
    figures = brand.volume
    if figures.mentions + figures.reviews == 0:
        return "no mentions and no reviews found"
    kinds = [(figures.mentions, "mention"), (figures.reviews, "review")]
    return f"{' and '.join(plural(n, noun) for n, noun in kinds if n)}, none of them scored"


def _unscored_mentions(brand: BrandFigures) -> str:
    mentions = brand.volume.mentions
    return f"{plural(mentions, 'mention')}, none scored" if mentions else "no mentions"


def _trailing(brand: BrandFigures) -> list[str]:
    """The score of a longer time where the window has few items, marked so. Source: METRICS 2.6."""
    sentiment, noun = main_kind(brand)
    if brand.trailing is None or not is_few(sentiment):
        return []
    longer = brand.trailing.reviews if noun == "review" else brand.trailing.social
    if longer.total <= sentiment.total:
        return []
    return [f"last {brand.trailing.days} days: {standing_out(longer, noun)}"]


def _some(value: int, noun: str) -> str:
    return plural(value, noun) if value else f"no {noun}s"


def _shortly(sentiment: Sentiment, noun: str) -> str:
    positive = count(sentiment.positive) if is_few(sentiment) else percent(sentiment.positive, sentiment.total)
    return f"{positive} positive of {plural(sentiment.total, noun)}"


def _scored(sentiment: Sentiment, noun: str) -> str:
    """Shares are of what is scored: said where that is not everything."""
    return plural(sentiment.total, f"scored {noun}" if sentiment.unscored else noun)


def _reasons(uncounted: Mapping[str, int]) -> str:
    known_first = sorted(uncounted.items(), key=lambda pair: (-pair[1], pair[0]))
    return ", ".join(f"{count(n)} {_UNCOUNTED.get(key, escape.name(key))}" for key, n in known_first if n)
