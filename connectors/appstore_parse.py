"""PURE  Apple's customer reviews feed (JSON or XML) and lookup answers -> entries, items and what is known of the app."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.contract import Author, Counts, Item, Kind, Rating, Skipped
from connectors.errors import Unavailable

_ATOM = "{http://www.w3.org/2005/Atom}"
_IM = "{http://itunes.apple.com/rss}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the feed as it stands there; ``None`` where a field is missing."""

    id: str | None = None
    updated: str | None = None
    rating: str | None = None
    version: str | None = None
    title: str | None = None
    content: str | None = None
    author: str | None = None
    author_uri: str | None = None
    link: str | None = None
    vote_sum: str | None = None
    vote_count: str | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the feed. ``last``: how many pages Apple says there are, ``None`` where it does not say."""

    entries: Sequence[Entry]
    last: int | None = None

    @property
    def dated(self) -> bool:
        """Does every entry tell its time? Some JSON answers tell none; the XML ones always do."""
        return all(entry.updated for entry in self.entries)


@dataclass(frozen=True, slots=True)
class App:
    """What the lookup tells of an app in one country: ``mean`` of its ratings (1 to 5) and their ``count``."""

    name: str | None
    mean: float | None
    count: int | None


def listing_of_json(answer: object) -> Listing:
    """A page in JSON; ``Unavailable`` if it is not one. One review alone is an object, not a list; none is no key at all."""
    feed = answer.get("feed") if isinstance(answer, Mapping) else None
    if not isinstance(feed, Mapping):
        raise Unavailable("App Store: the answer is no feed of reviews; trying again later")
    entries = [_json_entry(raw) for raw in _several(feed.get("entry")) if not _is_the_app(raw)]
    return Listing(entries, _last_page({_rel(link): _href(link) for link in _several(feed.get("link"))}))


def listing_of_xml(body: bytes) -> Listing:
    """A page in XML; ``Unavailable`` if it is not one, or if it brings a DOCTYPE (and with it entities)."""
    try:
        text = body.decode("utf-8")
        if "<!DOCTYPE" in text:
            raise ValueError("a DOCTYPE")
        feed = ET.fromstring(text)  # noqa: S314 - no DOCTYPE, hence no entities
    except (ValueError, ET.ParseError) as error:
        raise Unavailable("App Store: the answer is no sound XML feed; trying again later") from error
    if feed.tag != f"{_ATOM}feed":
        raise Unavailable("App Store: the answer is no feed of reviews; trying again later")
    entries = [_xml_entry(node) for node in feed.iterfind(f"{_ATOM}entry") if node.find(f"{_IM}name") is None]
    return Listing(entries, _last_page({link.get("rel"): link.get("href") for link in feed.iterfind(f"{_ATOM}link")}))


def app_of(answer: object) -> App | None:
    """The app that a lookup found, ``None`` if it found none; ``Unavailable`` if the answer is no lookup's."""
    results = answer.get("results") if isinstance(answer, Mapping) else None
    if not isinstance(results, list):
        raise Unavailable("App Store: the lookup's answer has no results; trying again later")
    found = next((result for result in results if isinstance(result, Mapping)), None)
    if found is None:
        return None
    count = found.get("userRatingCount")
    known = count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None
    return App(_text(found.get("trackName")), _mean(found.get("averageUserRating")) if known != 0 else None, known)


def review_of(entry: Entry, country: str, place: str | None) -> Item:
    """A review as an item; ``ValueError`` with a reason where it is damaged.

    The feed tells one time, that of the last edit. It stands for both times: whoever stores the item keeps the first
    ``published_at``, and a later ``updated_at`` tells of an edit.
    """
    if not entry.id or not entry.id.isdigit():
        raise ValueError("no id")
    at = time_of(entry)
    return Item(
        external_id=entry.id,
        kind=Kind.REVIEW,
        published_at=at,
        updated_at=at,
        title=entry.title,
        text=entry.content,
        url=entry.link if entry.link and re.match(r"https?://", entry.link) else None,
        author=_author(entry),
        rating=_rating(entry.rating),
        counts=Counts(likes=_whole(entry.vote_sum)),
        place=place or f"App Store ({country.upper()})",
        attributes=_attributes(entry, country),
    )


def time_of(entry: Entry) -> datetime:
    """When the review was written or last edited, in UTC (Apple tells Pacific time with its offset)."""
    try:
        at = datetime.fromisoformat(entry.updated or "")
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise ValueError("no sound time")


def skipped(entry: Entry, reason: str) -> Skipped:
    name = entry.id[:40] if entry.id and entry.id.isdigit() else None
    return Skipped(f"review {name}" if name else "a review without an id", reason)


def _json_entry(raw: object) -> Entry:
    if not isinstance(raw, Mapping):
        return Entry()
    author = raw.get("author")
    person = author if isinstance(author, Mapping) else {}
    link = next((found for found in map(_href, _several(raw.get("link"))) if found), None)
    return Entry(
        id=_label(raw.get("id")),
        updated=_label(raw.get("updated")),
        rating=_label(raw.get("im:rating")),
        version=_label(raw.get("im:version")),
        title=_label(raw.get("title")),
        content=_label(raw.get("content")),
        author=_label(person.get("name")),
        author_uri=_label(person.get("uri")),
        link=link,
        vote_sum=_label(raw.get("im:voteSum")),
        vote_count=_label(raw.get("im:voteCount")),
    )


def _xml_entry(node: ET.Element) -> Entry:
    def told(path: str) -> str | None:
        return _text(node.findtext(path))

    link = node.find(f"{_ATOM}link")
    return Entry(
        id=told(f"{_ATOM}id"),
        updated=told(f"{_ATOM}updated"),
        rating=told(f"{_IM}rating"),
        version=told(f"{_IM}version"),
        title=told(f"{_ATOM}title"),
        content=told(f"{_ATOM}content[@type='text']"),
        author=told(f"{_ATOM}author/{_ATOM}name"),
        author_uri=told(f"{_ATOM}author/{_ATOM}uri"),
        link=None if link is None else link.get("href"),
        vote_sum=told(f"{_IM}voteSum"),
        vote_count=told(f"{_IM}voteCount"),
    )


def _is_the_app(raw: object) -> bool:
    """Older answers begin with the app itself, which is no review and no fault."""
    return isinstance(raw, Mapping) and "im:rating" not in raw and ("im:name" in raw or "im:bundleId" in raw)


def _last_page(links: Mapping[str | None, str | None]) -> int | None:
    found = re.search(r"/page=([1-9]\d?)(?!\d)", links.get("last") or "")
    return int(found.group(1)) if found else None


def _several(value: object) -> Sequence[Any]:
    if value is None:
        return ()
    return value if isinstance(value, list) else (value,)


def _link_attributes(link: object) -> Mapping[str, Any]:
    attributes = link.get("attributes") if isinstance(link, Mapping) else None
    return attributes if isinstance(attributes, Mapping) else {}


def _rel(link: object) -> str | None:
    return _text(_link_attributes(link).get("rel"))


def _href(link: object) -> str | None:
    return _text(_link_attributes(link).get("href"))


def _label(value: object) -> str | None:
    return _text(value.get("label")) if isinstance(value, Mapping) else None


def _text(value: object) -> str | None:
    return value.strip() or None if isinstance(value, str) else None


def _author(entry: Entry) -> Author | None:
    found = re.search(r"/id(\d+)$", entry.author_uri or "")
    name = found.group(1) if found else entry.author_uri or entry.author
    return Author(id=name, name=entry.author) if name else None


def _rating(stars: str | None) -> Rating:
    if stars not in ("1", "2", "3", "4", "5"):
        raise ValueError("no rating from 1 to 5")
    return Rating(int(stars))


def _attributes(entry: Entry, country: str) -> Mapping[str, str]:
    told = {"country": country.upper(), "app_version": entry.version, "vote_count": entry.vote_count}
    return {name: value for name, value in told.items() if value}


def _whole(number: str | None) -> int | None:
    return int(number) if number and re.fullmatch(r"-?\d{1,9}", number) else None


def _mean(value: object) -> float | None:
    sound = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and 1 <= value <= 5
    return float(value) if sound else None  # type: ignore[arg-type]
