"""PURE  Further sentences: who says what how often, what waits for an answer, and how a brand stands to its competitors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from monitor.digest import escape, words
from monitor.digest.numbers import count, likely, percent, plural, score
from monitor.digest.page import Tone
from monitor.figures import Answered, AuthorFigures, Change, Driver, Drivers, Reach, Sentiment, Volume

ASIDE: Final[dict[str, str]] = {"negative": "positive", "positive": "negative", "new": "before"}
"""What the other side of a driver's count is."""
_TITLES: Final = {
    ("negative", True): "What drives complaints",
    ("negative", False): "Often said in complaints",
    ("positive", True): "What drives praise",
    ("positive", False): "Often said in praise",
    ("new", True): "New: said clearly more than {before}",
    ("new", False): "Said more often than {before}",
}
_VERDICTS: Final = {
    "up": "clearly better",
    "down": "clearly worse",
    "no clear change": "no clear change",
    "too few to tell": "too few to tell",
    "sources changed": "sources changed",
}
_DIFFERENCES: Final = {
    "up": "clearly ahead",
    "down": "clearly behind",
    "no clear change": "no clear difference",
    "too few to tell": "too few to tell",
    "sources changed": "not comparable",
}
TONES: Final[dict[str, Tone]] = {"up": "positive", "down": "negative"}


def driving(side: str, before: str, *, clear: bool) -> str:
    """What stands over terms: only clear ones are said to drive something. Source: METRICS 6."""
    return _TITLES[side, clear].format(before=before)


def often(driver: Driver, side: str) -> str:
    """``16 complaints by 15 people, 2 praises``: how often a term was said, by how many, and on the other side."""
    by = "" if driver.authors <= 0 else f" by {plural(driver.authors, 'author')}"
    if side == "new":
        return f"{plural(driver.items, 'item')}{by}, {count(driver.others)} before"
    return f"{count(driver.items)} {side}{by}, {count(driver.others)} {ASIDE[side]}"


def sampled(drivers: Drivers) -> str | None:
    """What the terms rest on where that is not all."""
    return f"Terms of a sample of {plural(drivers.texts, 'text')}." if drivers.sampled else None


def waiting(answered: Answered) -> str | None:
    """``43 of 63 reviews have no answer; 1 was edited after its answer``; ``None`` where nothing waits."""
    parts = []
    if answered.unanswered:
        have = "has" if answered.unanswered == 1 else "have"
        parts.append(f"{count(answered.unanswered)} of {plural(answered.reviews, 'review')} {have} no answer")
    if answered.outdated:
        was = "was" if answered.outdated == 1 else "were"
        parts.append(f"{count(answered.outdated)} {was} edited after the answer")
    return "; ".join(parts) or None


def answers(answered: Answered) -> str:
    """``20 of 63 reviews answered (32 %), half of them within 18 hours``."""
    told = f"{count(answered.answered)} of {plural(answered.reviews, 'review')} answered"
    if answered.share is not None:
        told += f" ({percent(answered.share, 1)})"
    if answered.median_hours is None:
        return told
    return f"{told}, median time to answer {_duration(answered.median_hours)}"


def usual(volume: Volume, *, complete: bool) -> str | None:
    """``more than usual (18 to 42)``; of what was not fully read it is not said that it is little."""
    if volume.expected is None and volume.watched_days is not None:
        watched = plural(volume.watched_days, "day") if volume.watched_days else "less than a day"
        return f"too early to say what is usual: watched for {watched}"
    if volume.expected is None:
        return None
    now, low, high = volume.mentions + volume.reviews, volume.expected.low, volume.expected.high
    band = f"{count(low)} to {count(high)}" if high else "none"
    if now > volume.expected.high:
        return f"more than usual ({band})"
    if not complete:
        return f"usually {band}"
    return f"fewer than usual ({band})" if now < volume.expected.low else f"as usual ({band})"


def voice(volume: Volume) -> str | None:
    """``88 % share of voice among competitors (on forum, news and 2 more)``."""
    if volume.share_of_voice is None:
        return None
    on = f" (on {words.names(volume.shared_sources)})" if volume.shared_sources else ""
    return f"{percent(volume.share_of_voice, 1)} share of voice among the competitors{on}"


def reach(figures: Reach | None) -> str | None:
    """``Seen by 55,826 followers at most: those of 27 authors; of 100 it is not known``."""
    if figures is None or figures.followers is None or figures.known == 0:
        return None
    told = f"Potential reach: {plural(figures.followers, 'follower')} of {plural(figures.known, 'author')}"
    unknown = figures.authors - figures.known
    return f"{told}; of {count(unknown)} more it is not known" if unknown > 0 else told


def brief(change: Change | None) -> str | None:
    """A change in a table: ``clearly worse (−0.40)``, ``no clear change (+0.02)``, ``too few to tell``."""
    return None if change is None else _sized(_VERDICTS[change.verdict], change)


def difference(change: Change) -> str:
    """A brand against a competitor: ``clearly ahead (+0.31)``."""
    return _sized(_DIFFERENCES[change.verdict], change)


def span(sentiment: Sentiment) -> str | None:
    """``−0.72 to −0.18``."""
    told = likely(sentiment.low, sentiment.high)
    return None if told is None else told.removeprefix("likely ")


def author(one: AuthorFigures, list_name: str) -> str:
    """What an author is listed for."""
    items = plural(one.items, "item")
    match list_name:
        case "engaged":
            return f"engagement {count(one.engagement)}, {items}"
        case "followed":
            return f"{plural(one.followers or 0, 'follower')}, {items}"
        case _:
            return f"{items}, {count(one.before)} before"


def unshown(groups: int, items: int, noun: tuple[str, str], *, at_least: bool) -> str | None:
    """``and 11 more places with 24 items``."""
    if not groups:
        return None
    more = f"{'at least ' if at_least else ''}{count(groups)} more {noun[0] if groups == 1 else noun[1]}"
    return f"and {more} with {plural(items, 'item')}"


def some(names: Iterator[str] | list[str]) -> str:
    """Clauses as one sentence."""
    return "; ".join(name for name in names if name)


def excerpt(text: str | None, term: str, limit: int) -> str | None:
    """``text`` cleaned and of at most ``limit`` characters, begun so that the first word of ``term`` is in it."""
    whole = escape.clean(text, escape.QUOTE * 20)
    if whole is None or len(whole) <= limit:
        return whole
    found = whole.casefold().find(term.split(" ")[0].casefold())
    if found < limit - 20:
        return escape.cap(whole, limit)
    start = whole.rfind(" ", 0, max(0, found - limit // 3)) + 1
    return escape.cap(f"{escape.ELLIPSIS}{whole[start:]}", limit)


def _sized(told: str, change: Change) -> str:
    return told if change.delta is None or change.verdict == "too few to tell" else f"{told} ({score(change.delta)})"


def _duration(hours: float) -> str:
    if hours < 1:
        return plural(max(1, round(hours * 60)), "minute")
    if hours < 48:
        return plural(round(hours), "hour")
    return plural(round(hours / 24), "day")
