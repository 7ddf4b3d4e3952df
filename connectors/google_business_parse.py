"""PURE  Google Business Profile's answers -> locations, reviews and fates."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise
from typing import Any

from connectors.contract import Author, Item, Kind, Rating, Reply, Skipped
from connectors.entries import identity, moment, moment_or_none, prose, told, truth, whole, word
from connectors.errors import AccessDenied, SourceError, Unavailable
from connectors.http import Answer
from connectors.leafing import Leaf

STARS = {"ONE": 1, "TWO": 2, "THREE": 3, "FOUR": 4, "FIVE": 5}
NO_STARS = "STAR_RATING_UNSPECIFIED"
NOBODY = "A Google user"
"""Whose account was deleted, or who gives no name."""
_TRANSLATED = "(Translated by Google)"
_ORIGINAL = "(Original)"
_ACCOUNT = re.compile(r"accounts/[0-9]{1,30}")
_LOCATION = re.compile(r"(?:accounts/[0-9]{1,30}/)?locations/([0-9]{1,30})")


@dataclass(frozen=True, slots=True)
class Location:
    """One place: its numbers as the API writes them (``accounts/1``, ``2``), its name and its address on Google Maps."""

    account: str
    number: str
    title: str | None = None
    url: str | None = None

    @property
    def key(self) -> str:
        return f"{self.account}/locations/{self.number}"

    @property
    def name(self) -> str:
        return self.title or f"Google location {self.number}"

    def to_json(self) -> dict[str, str | None]:
        return {"account": self.account, "number": self.number, "title": self.title, "url": self.url}

    @classmethod
    def from_json(cls, held: object) -> Location | None:
        """What a cursor holds; ``None`` if that is no location."""
        if not isinstance(held, Mapping):
            return None
        account, number = str(held.get("account")), str(held.get("number"))
        if not _ACCOUNT.fullmatch(account) or not re.fullmatch(r"[0-9]{1,30}", number):
            return None
        return cls(account, number, word(held.get("title")), word(held.get("url"), 2000))


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of an answer; ``mean`` and ``count`` are what Google shows of a location as a whole."""

    entries: Sequence[Any]
    next: str | None
    mean: float | None = None
    count: int | None = None


def listing_of(body: object, key: str) -> Listing:
    """What stands under ``key``; an empty answer is ``{}``. ``Unavailable`` if it is no such answer."""
    entries = body.get(key, []) if isinstance(body, Mapping) else None
    if not isinstance(body, Mapping) or not isinstance(entries, list):
        raise Unavailable(f"Google Business Profile: the answer holds no {key}; trying again later")
    token = body.get("nextPageToken")
    sound = isinstance(token, str) and re.fullmatch(r"[!-~]{1,4000}", token)
    return Listing(
        entries, token if sound else None, _mean(body.get("averageRating")), whole(body.get("totalReviewCount"))
    )


def accounts_of(listing: Listing) -> Sequence[str]:
    names = [entry.get("name") for entry in listing.entries if isinstance(entry, Mapping)]
    return [name for name in names if isinstance(name, str) and _ACCOUNT.fullmatch(name)]


def locations_of(listing: Listing, account: str) -> Sequence[Location]:
    found = []
    for entry in listing.entries:
        name = entry.get("name") if isinstance(entry, Mapping) else None
        number = _LOCATION.fullmatch(name) if isinstance(name, str) else None
        if number:
            found.append(Location(account, number[1], word(entry.get("title")), _maps_address(entry)))
    return found


def leaf_of_reviews(listing: Listing, location: Location, asked: str | int | None, now: datetime) -> Leaf:
    """A page of the listing by last change. A time after ``now`` counts as now; a page that is in another order tells no
    ``last``, so that nobody stops at it."""
    items: list[Item] = []
    skipped: list[Skipped] = []
    for entry in listing.entries:
        try:
            items.append(review_of(entry, location))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            skipped.append(Skipped(_name_of(entry), f"{type(error).__name__}: not a sound review"))
    times = [min(item.updated_at or item.published_at, now).timestamp() for item in items]
    in_order = all(earlier >= later for earlier, later in pairwise(times))
    following = listing.next if listing.next != asked else None
    return Leaf(items, skipped, max(times, default=None), times[-1] if times and in_order else None, following)


def told_apart(locations: Sequence[Location]) -> list[Location]:
    """The shops of a chain bear one name: their numbers are added to it."""
    often = Counter(location.title for location in locations)
    return [
        replace(location, title=f"{location.title} ({location.number})")
        if location.title and often[location.title] > 1
        else location
        for location in locations
    ]


def review_of(review: Mapping[str, Any], location: Location) -> Item:
    """A review as an item; ``KeyError``, ``TypeError``, ``AttributeError`` or ``ValueError`` where it is damaged."""
    published, changed = moment(review["createTime"]), moment_or_none(review.get("updateTime"))
    reviewer = review.get("reviewer")
    return Item(
        external_id=f"{location.number}/{identity(review['reviewId'])}",
        kind=Kind.REVIEW,
        published_at=published,
        updated_at=changed if changed is not None and changed > published else None,
        text=original_of(prose(review.get("comment"))),
        url=location.url,
        author=_author(reviewer if isinstance(reviewer, Mapping) else {}),
        rating=rating_of(review.get("starRating")),
        reply=_reply(review.get("reviewReply")),
        place=location.name,
        attributes=told({"location": location.number, "photos": truth(bool(review.get("reviewMediaItems")) or None)}),
    )


def rating_of(said: object) -> Rating | None:
    """``FIVE`` is five stars; ``None`` without any; ``ValueError`` for what is no such word."""
    if said is None or said == NO_STARS:
        return None
    if not isinstance(said, str) or said not in STARS:
        raise ValueError("no rating from ONE to FIVE")
    return Rating(STARS[said])


def original_of(text: str | None) -> str | None:
    """What was written, without Google's translation of it, which stands before ``(Original)`` or at the end."""
    if text is None or _TRANSLATED not in text:
        return text
    before, _, after = text.partition(_TRANSLATED)
    if before.strip():
        return before.strip()
    translation, marked, original = after.partition(_ORIGINAL)
    return (original.strip() if marked else "") or translation.strip() or None


def refusal_of(body: Mapping[str, Any], status: int) -> SourceError | None:
    """The fate where Google's words say more than the status: a project that was not approved has a quota of none."""
    error = body.get("error")
    details = error.get("details") if isinstance(error, Mapping) else None
    for detail in details if isinstance(details, list) else ():
        metadata = detail.get("metadata") if isinstance(detail, Mapping) else None
        held = metadata if isinstance(metadata, Mapping) else {}
        reason = detail.get("reason") if isinstance(detail, Mapping) else None
        if status == 429 and held.get("quota_limit_value") == "0":
            return AccessDenied(
                "Google Business Profile: the project has no quota; ask Google to approve it for this API"
            )
        if status == 403 and reason == "SERVICE_DISABLED":
            return AccessDenied(
                "Google Business Profile: the API is switched off; enable it in the Google Cloud console"
            )
    return None


def _author(reviewer: Mapping[str, Any]) -> Author | None:
    """Google gives no ids of reviewers: a name stands for who bears it."""
    name = word(reviewer.get("displayName"))
    if name is None or name == NOBODY or reviewer.get("isAnonymous") is True:
        return None
    return Author(name, name)


def _reply(said: object) -> Reply | None:
    text = original_of(prose(said.get("comment"))) if isinstance(said, Mapping) else None
    return Reply(text, moment_or_none(said.get("updateTime"))) if isinstance(said, Mapping) and text else None


def _name_of(review: object) -> str:
    try:
        return f"review {identity(review['reviewId'])[:60]}" if isinstance(review, Mapping) else "no review"
    except (KeyError, ValueError):
        return "a review without an id"


def _mean(value: object) -> float | None:
    sound = isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= 5
    return float(value) if sound else None  # type: ignore[arg-type]


def _maps_address(entry: Mapping[str, Any]) -> str | None:
    metadata = entry.get("metadata")
    address = word(metadata.get("mapsUri"), 2000) if isinstance(metadata, Mapping) else None
    return address if address and address.startswith("https://") else None


def answer_says(answer: Answer) -> str:
    """The word that an OAuth refusal begins with; never more of it, since it might repeat what was sent."""
    known = ("invalid_grant", "invalid_client", "unauthorized_client", "invalid_scope", "invalid_request")
    return next((word_ for word_ in known if word_.encode() in answer.body[:2000]), "refused")
