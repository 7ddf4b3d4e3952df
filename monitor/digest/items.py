"""PURE  The items a report names, as quotes for a page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import tzinfo
from typing import Final

from monitor.digest import escape, sentences, times
from monitor.digest.links import Links
from monitor.digest.numbers import count, plural
from monitor.digest.page import Group, Piece, Tone, Words
from monitor.figures import BrandFigures, Quote

SAMPLE: Final = 110
"""Characters of an item that stands as an example."""

_TONES: Final[dict[str | None, Tone]] = {"positive": "positive", "negative": "negative", "neutral": "neutral"}


@dataclass(frozen=True, slots=True)
class Extent:
    """How many items of each group are shown; ``None``: all that a report names. 0 leaves a group out."""

    negative: int | None = None
    waiting: int | None = None
    positive: int | None = None
    engaged: int | None = None
    again: bool = True
    """Name what stands further up already."""


WAITING: Final = "Waiting for an answer"
ALL: Final = Extent()
LEADING: Final = Extent(2, 3, 1, 0, again=False)
"""Of a short digest that leads with items: they are most of what there is to tell."""
BESIDE: Final = Extent(1, 3, 1, 0, again=False)
"""Of a short digest that leads with figures."""


def groups(brand: BrandFigures, zone: tzinfo, links: Links, extent: Extent) -> tuple[Group, ...]:
    """The groups that have items; an item's words are shown once, in the first group it is in."""
    top, seen = brand.top_items, set[int]()
    waiting = _waiting(brand, links)
    titled = [
        ("Most negative", top.negative, extent.negative, _in_all(brand, "negative", links)),
        (WAITING if waiting else "Bad reviews without a known answer", top.unanswered, extent.waiting, waiting),
        ("Most positive", top.positive, extent.positive, _in_all(brand, "positive", links)),
        ("Most engaged with", top.engaged, extent.engaged, ()),
    ]  # fmt: skip
    made = (
        Group(title, words, tuple(_told(quotes[:at_most], zone, seen, again=extent.again)))
        for title, quotes, at_most, words in titled
        if quotes and at_most != 0
    )
    return tuple(group for group in made if group.items)


def named(brand: BrandFigures, extent: Extent) -> set[int]:
    """The ids of the items that :func:`groups` shows."""
    top = brand.top_items
    cut = [(top.negative, extent.negative), (top.unanswered, extent.waiting), (top.positive, extent.positive)]
    return {one.id for quotes, at_most in [*cut, (top.engaged, extent.engaged)] for one in quotes[:at_most]}


def _in_all(brand: BrandFigures, label: str, links: Links) -> tuple[Piece, ...]:
    """How many items have a label: ``30 negative mentions, 44 negative reviews``."""
    counted = [
        (getattr(figures, label), kind, noun)
        for figures, kind, noun in ((brand.social, "social", "mention"), (brand.reviews, "reviews", "review"))
    ]
    told = [Piece(plural(n, f"{label} {noun}"), links.to(brand.brand, kind, label)) for n, kind, noun in counted if n]
    return (told[0], Piece(", "), told[1]) if len(told) == 2 else tuple(told)


def _waiting(brand: BrandFigures, links: Links) -> tuple[Piece, ...]:
    answered = brand.reviews.rating.answered
    told = sentences.waiting(answered) if answered else None
    return (Piece(told, links.to(brand.brand, "reviews", "rating", "answered", "unanswered")),) if told else ()


def _told(quotes: Sequence[Quote], zone: tzinfo, seen: set[int], *, again: bool) -> Iterator[Words]:
    for quote in quotes:
        if quote.id not in seen or again:
            yield said(quote, zone, again=quote.id in seen)
        seen.add(quote.id)


def example(quote: Quote, term: str, zone: tzinfo, *, again: bool = False) -> Words:
    """An item as an example of a term: the part of its words with the term, and who said it where; shorter ``again``."""
    both = f"{quote.title}: {quote.text}" if quote.title and quote.text else quote.text or quote.title
    words = said(quote, zone)
    excerpt = sentences.excerpt(both, term, SAMPLE // 2 if again else SAMPLE)
    text = words.text if quote.erased else excerpt or words.text
    return replace(words, title=None, text=text, stars=None, star_words=None, label=None, meta=words.meta[:2])


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
    if quote.likes:
        yield plural(quote.likes, "like")
    if quote.shares:
        yield plural(quote.shares, "share")
    if quote.comments:
        yield plural(quote.comments, "comment")
    if quote.more_like_it:
        yield f"and {count(quote.more_like_it)} more like it"
