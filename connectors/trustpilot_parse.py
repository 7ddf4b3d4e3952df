"""PURE  Trustpilot's answers -> reviews with the company's replies, its business units and their standing."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from connectors.contract import Author, Counts, Item, Kind, Reply
from connectors.entries import identity, moment, moment_or_none, prose, stars, told, truth, whole, word
from connectors.errors import Unavailable
from connectors.tidy import language_tag

SITE = "https://www.trustpilot.com"


@dataclass(frozen=True, slots=True)
class Listing:
    """One page. ``more``: is there a page after it."""

    reviews: Sequence[Any]
    more: bool


@dataclass(frozen=True, slots=True)
class Unit:
    """A business unit: ``mean`` is its TrustScore (1 to 5), ``count`` the number of its reviews."""

    id: str
    name: str | None
    mean: float | None
    count: int | None


def listing_of(answer: object, full: int) -> Listing:
    """A page of reviews; ``Unavailable`` if it is none. ``full``: how many were asked for."""
    body = answer if isinstance(answer, Mapping) else {}
    reviews = body.get("reviews")
    if not isinstance(reviews, list):
        raise Unavailable("Trustpilot: the answer is no list of reviews; trying again later")
    links = body.get("links")
    if not isinstance(links, list):
        return Listing(reviews, len(reviews) >= full)
    following = any(isinstance(link, Mapping) and link.get("rel") == "next-page" for link in links)
    return Listing(reviews, bool(reviews) and following)


def unit_of(answer: object) -> Unit:
    """A business unit; ``Unavailable`` if the answer is none."""
    body = answer if isinstance(answer, Mapping) else {}
    try:
        name = identity(body.get("id"))
    except ValueError:
        raise Unavailable("Trustpilot: the answer is no business unit; trying again later") from None
    score, count = body.get("score"), body.get("numberOfReviews")
    mean = score.get("trustScore") if isinstance(score, Mapping) else body.get("trustScore")
    total = whole(count.get("total")) if isinstance(count, Mapping) else whole(count)
    return Unit(name, word(body.get("displayName")), _mean(mean) if total != 0 else None, total)


def review_of(review: Mapping[str, Any]) -> Item:
    """A review as an item; ``KeyError``, ``TypeError``, ``AttributeError`` or ``ValueError`` where it is damaged."""
    name = identity(review["id"])
    at = moment(review["createdAt"])
    consumer = review.get("consumer")
    return Item(
        external_id=name,
        kind=Kind.REVIEW,
        published_at=at,
        updated_at=_edited(review, at),
        title=prose(review.get("title")),
        text=prose(review.get("text")),
        url=f"{SITE}/reviews/{name}",
        language=language_tag(word(review.get("language"), 40)),
        author=_author(consumer),
        rating=stars(review["stars"]),
        counts=Counts(likes=whole(review.get("numberOfLikes"))),
        reply=_reply(review.get("companyReply")),
        place=_place(review.get("businessUnit")),
        attributes=_attributes(review, consumer if isinstance(consumer, Mapping) else {}),
    )


def _edited(review: Mapping[str, Any], at: datetime) -> datetime | None:
    edited = moment_or_none(review.get("updatedAt"))
    return edited if edited is not None and edited > at else None


def _author(consumer: object) -> Author | None:
    if not isinstance(consumer, Mapping):
        return None
    name = word(consumer.get("displayName"))
    try:
        return Author(identity(consumer.get("id")), name)
    except ValueError:
        return Author(name, name) if name else None


def _place(unit: object) -> str:
    name = word(unit.get("displayName")) or word(unit.get("identifyingName")) if isinstance(unit, Mapping) else None
    return f"Trustpilot: {name}" if name else "Trustpilot"


def _reply(reply: object) -> Reply | None:
    if not isinstance(reply, Mapping):
        return None
    text = prose(reply.get("text"))
    at = moment_or_none(reply.get("updatedAt")) or moment_or_none(reply.get("createdAt"))
    return Reply(text, at) if text else None


def _attributes(review: Mapping[str, Any], consumer: Mapping[str, Any]) -> Mapping[str, str]:
    verified = truth(review.get("isVerified"))
    reviews = whole(consumer.get("numberOfReviews"))
    return told(
        {
            "verified": verified,
            "language": word(review.get("language"), 40),
            "location": word(consumer.get("displayLocation"), 100),
            "country": word(consumer.get("countryCode"), 10),
            "author_reviews": None if reviews is None else str(reviews),
            "status": word(review.get("status"), 40),
        }
    )


def _mean(value: object) -> float | None:
    sound = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 1 <= value <= 5
    return float(value) if sound else None  # type: ignore[arg-type]
