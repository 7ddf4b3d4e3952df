"""PURE  The items a report names, as quotes for a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Final

from monitor.digest import escape, times
from monitor.digest.numbers import plural
from monitor.digest.page import Group, Tone, Words
from monitor.figures import Quote, TopItems

_TONES: Final[dict[str | None, Tone]] = {"positive": "positive", "negative": "negative", "neutral": "neutral"}


def groups(top: TopItems, zone: tzinfo, at_most: int | None) -> tuple[Group, ...]:
    """The groups that have items, at most so many of each; an item's words are shown once, in the first group it is in."""
    titled = [
        ("Most negative", top.negative),
        ("Bad reviews without an answer", top.unanswered),
        ("Most positive", top.positive),
        ("Most engaged with", top.engaged),
    ]
    seen: set[int] = set()
    return tuple(_group(title, quotes, zone, at_most, seen) for title, quotes in titled if quotes)


def _group(title: str, quotes: Sequence[Quote], zone: tzinfo, at_most: int | None, seen: set[int]) -> Group:
    shown = quotes[:at_most]
    told = []
    for quote in shown:
        told.append(said(quote, zone, again=quote.id in seen))
        seen.add(quote.id)
    return Group(title, tuple(told), more=len(quotes) - len(shown))


def said(quote: Quote, zone: tzinfo, *, again: bool = False) -> Words:
    """An item in its author's words, harmless; ``again``: it stands in full further up."""
    title = escape.clean(quote.title, escape.TITLE)
    text = escape.clean(quote.text, escape.TITLE // 2 if again else escape.QUOTE)
    if quote.erased:
        text = "Erased"
    elif title is None and text is None:
        text = "Stars only, without words" if quote.stars is not None else "No text kept"
    return Words(
        tone=_TONES.get(quote.label, "none"),
        label=quote.label if quote.label in _TONES else None,
        stars=_stars(quote.stars),
        star_words=None if quote.stars is None else f"{quote.stars:g} of 5 stars",
        title=title,
        text=None if again and title else text,
        meta=tuple(_meta(quote, zone)),
        link=escape.link(quote.url),
        again=again,
    )


def _stars(value: float | None) -> str | None:
    if value is None or not 0 <= value <= 5:
        return None
    full = int(value + 0.5)
    return "★" * full + "☆" * (5 - full)


def _meta(quote: Quote, zone: tzinfo) -> Iterator[str]:
    """Who, where, when, and how much it moved others."""
    yield escape.clean(quote.author, escape.NAME) or "Author not known"
    yield escape.clean(quote.place, escape.NAME) or escape.name(quote.source)
    yield times.moment(quote.published_at, zone)
    if quote.likes is not None:
        yield plural(quote.likes, "like")
    if quote.shares:
        yield plural(quote.shares, "share")
    if quote.comments:
        yield plural(quote.comments, "comment")
