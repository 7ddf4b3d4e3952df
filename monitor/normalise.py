"""PURE  A connector's Item -> the values to store.

Nothing is escaped here: what makes a text safe to show is known only to who shows it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from connectors.contract import MAX_ID, Author, Counts, Item, Rating
from monitor.finding import fold
from monitor.metrics.ratings import common_scale, is_boolean, label_of_cell, star_cell

MAX_TITLE: Final = 1_000
MAX_TEXT: Final = 20_000
MAX_URL: Final = 2_000
MAX_NAME: Final = 200
MAX_ATTRIBUTES: Final = 30
MAX_ATTRIBUTE_NAME: Final = 100
MAX_ATTRIBUTE_VALUE: Final = 500
MAX_COUNT: Final = 10**12
"""What a BIGINT holds; larger counts are cut down to it."""
MAX_AHEAD: Final = timedelta(days=1)
"""How far a platform's clock may be ahead of ours."""
ELLIPSIS: Final = "…"
"""Ends what was cut off."""


class Row(NamedTuple):
    """One item, ready to be stored; what is unknown, empty or cannot be true is ``None``.

    ``stars`` (1 to 5, the common scale) and ``star_cell`` are ``None`` for a verdict of yes or no, which has a
    ``rating_label`` only ("positive", "neutral", "negative"). ``language`` is the platform's word for it, two or three
    lower-case letters. ``fingerprint`` is equal for equal texts (of title and text).
    """

    external_id: str
    kind: str
    published_at: datetime
    updated_at: datetime | None
    title: str | None
    text: str | None
    url: str | None
    language: str | None
    author_id: str | None
    author_name: str | None
    author_followers: int | None
    rating_value: float | None
    rating_worst: float | None
    rating_best: float | None
    stars: float | None
    star_cell: int | None
    rating_label: str | None
    likes: int | None
    shares: int | None
    comments: int | None
    views: int | None
    reply_text: str | None
    reply_at: datetime | None
    place: str | None
    parent_title: str | None
    attributes: dict[str, str]
    observed_at: datetime | None
    fingerprint: str | None


def row_of(item: Item, now: datetime) -> Row:
    """``item`` as it is stored; ``ValueError`` where it cannot be (the caller leaves it out and says so)."""
    title, text = capped(item.title, MAX_TITLE), capped(item.text, MAX_TEXT)
    author, rating, counts = item.author or _NOBODY, _rating(item.rating), storable_counts(item.counts)
    latest = now + MAX_AHEAD
    return Row(
        external_id=_identity(item.external_id),
        kind=str(item.kind),
        published_at=_published(item.published_at, latest),
        updated_at=_credible(item.updated_at, latest),
        title=title,
        text=text,
        url=link(item.url),
        language=language_code(item.language),
        author_id=capped(author.id, MAX_ID),
        author_name=capped(author.name, MAX_NAME),
        author_followers=_count(author.followers),
        rating_value=rating.value,
        rating_worst=rating.worst,
        rating_best=rating.best,
        stars=rating.stars,
        star_cell=rating.star_cell,
        rating_label=rating.label,
        likes=counts["likes"],
        shares=counts["shares"],
        comments=counts["comments"],
        views=counts["views"],
        reply_text=capped(item.reply.text, MAX_TEXT) if item.reply else None,
        reply_at=_credible(item.reply.at, latest) if item.reply else None,
        place=capped(item.place, MAX_NAME),
        parent_title=capped(item.parent_title, MAX_TITLE),
        attributes=_attributes(item.attributes),
        observed_at=_credible(item.observed_at, now),
        fingerprint=fingerprint(said(title, text)),
    )


def storable_counts(counts: Counts) -> dict[str, int | None]:
    """Counts by name; what cannot be is unknown."""
    return {
        "likes": _net_count(counts.likes),
        "shares": _count(counts.shares),
        "comments": _count(counts.comments),
        "views": _count(counts.views),
    }


def fingerprint(text: str | None) -> str | None:
    """32 hexadecimal digits, equal for texts that differ only in case, white space, URLs and handles.

    ``None`` where nothing is left of the text. A repost's "RT @name:" goes with the handle.
    """
    bare = bare_text(text)
    return blake2b(bare.encode("utf-8", "replace"), digest_size=16).hexdigest() if bare else None


def bare_text(text: str | None) -> str:
    """A text as it is compared with others: folded, without URLs, handles and white space beyond single spaces."""
    bare = fold(text or "")
    if "@" in bare or "://" in bare or "www." in bare:
        bare = _ADDRESSES.sub(" ", bare)
    if bare.isascii() and bare.isprintable() and "  " not in bare:  # nothing to be evened out: the usual
        return bare.strip()
    return " ".join(bare.split())


def said(title: str | None, text: str | None) -> str | None:
    """All that an item says, in one."""
    return f"{title}\n{text}" if title and text else title or text


def capped(text: str | None, limit: int) -> str | None:
    """``text`` without what a database refuses, ``limit`` characters at most, an ellipsis among them if it was cut."""
    if not text:
        return None
    clean = _clean(text).strip()
    if len(clean) > limit:
        clean = clean[: limit - 1].rstrip() + ELLIPSIS
    return clean or None


def link(url: str | None) -> str | None:
    """A URL of http or https, as given but for its blanks; ``None`` for all others and for overlong ones.

    A URL that was cut off would lead elsewhere.
    """
    clean = _clean(url or "").strip().replace(" ", "%20")
    if len(clean) > MAX_URL or not _WEB.match(clean):
        return None
    if _PLAIN_WEB.match(clean):
        return clean
    try:
        return clean if urlsplit(clean).hostname else None
    except ValueError:
        return None


def language_code(tag: str | None) -> str | None:
    """The primary part of a language tag, lower case (``pt-BR`` is ``pt``); ``None`` where it names no language."""
    found = _LANGUAGE.match((tag or "").strip().lower())
    return found[1] if found and found[1] not in _NO_LANGUAGE else None


# --- Text ------------------------------------------------------------------------------------------------------------

_LINE_ENDS: Final = re.compile("\r\n|[\r\x0b\x0c\x85]")
_REFUSED: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_ADDRESSES: Final = re.compile(r"(?:https?://|www\.)\S++|(?:^\s*rt\s++)?(?<!\w)@[\w.-]*\w(?:@[\w.-]*\w)?:?")
_WEB: Final = re.compile(r"https?://[^\s/?#\\][^\s]*\Z", re.IGNORECASE)
_PLAIN_WEB: Final = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*+(?:[/?#]|\Z)")  # needs no closer look
_LANGUAGE: Final = re.compile(r"([a-z]{2,3})(?:[-_]|\Z)")
_NO_LANGUAGE: Final = frozenset({"und", "mul", "mis", "zxx"})


def _clean(text: str) -> str:
    """Without NUL and lone surrogates (PostgreSQL refuses them) and control characters but newline and tab."""
    return text if text.isprintable() else _REFUSED.sub("", _LINE_ENDS.sub("\n", text))


def _identity(external_id: str) -> str:
    # Mending it could make two items one.
    if _REFUSED.search(external_id):
        raise ValueError("external_id: holds control characters or lone surrogates, which no database stores")
    return external_id


def _attributes(given: Mapping[str, str]) -> dict[str, str]:
    """The first ``MAX_ATTRIBUTES`` that say something."""
    kept: dict[str, str] = {}
    for name, value in given.items():
        short_name, short_value = capped(str(name), MAX_ATTRIBUTE_NAME), capped(str(value), MAX_ATTRIBUTE_VALUE)
        if short_name and short_value and len(kept) < MAX_ATTRIBUTES:
            kept.setdefault(short_name, short_value)
    return kept


# --- Times and numbers -----------------------------------------------------------------------------------------------


_NOBODY: Final = Author(id="")


@dataclass(frozen=True, slots=True)
class _Stars:
    value: float | None = None
    worst: float | None = None
    best: float | None = None
    stars: float | None = None
    star_cell: int | None = None
    label: str | None = None


def _published(at: datetime, latest: datetime) -> datetime:
    if at > latest:
        raise ValueError(f"published_at: {at.isoformat()} has not come yet; the platform's clock or the date is wrong")
    return at.astimezone(UTC)


def _credible(at: datetime | None, latest: datetime) -> datetime | None:
    return at.astimezone(UTC) if at is not None and at <= latest else None


@lru_cache(maxsize=1024)
def _rating(rating: Rating | None) -> _Stars:
    """Source: METRICS 3."""
    if rating is None:
        return _Stars()
    stars = common_scale(rating.value, rating.worst, rating.best)
    cell = star_cell(stars)
    given = (float(rating.value), float(rating.worst), float(rating.best))
    if is_boolean(rating.worst, rating.best):
        return _Stars(*given, label=str(label_of_cell(cell)))
    return _Stars(*given, stars, cell, str(label_of_cell(cell)))


def _net_count(count: int | None) -> int | None:
    """Likes, of which there can be fewer than none."""
    return None if count is None else max(-MAX_COUNT, min(MAX_COUNT, count))


def _count(count: int | None) -> int | None:
    """A negative count of anything else says nothing."""
    return min(MAX_COUNT, count) if count is not None and count >= 0 else None
