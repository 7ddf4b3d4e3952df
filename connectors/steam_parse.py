"""PURE  Steam's review answers, of the Web API and of the store's older interface -> items and totals."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from connectors.contract import Author, Counts, Item, Kind, Rating, Reply, Skipped, from_epoch
from connectors.errors import NotThere, Unavailable
from connectors.tidy import storable

COMMUNITY = "https://steamcommunity.com"
ORDER_SLACK = 3600.0
"""Seconds by which a list may be out of order before it counts as such: answers come from caches."""

_MARKS = "h1|h2|h3|b|u|i|strike|spoiler|noparse|url|quote|code|table|tr|th|td|p|img|previewyoutube|dynamiclink"
_BLOCKS = "hr|list|olist|\\*"
_INLINE = re.compile(rf"\[/?(?:{_MARKS})(?:[= ][^\]\n]{{0,500}})?\]", re.IGNORECASE)
_BLOCK = re.compile(rf"\[/?(?:{_BLOCKS})(?:=[^\]\n]{{0,100}})?\]", re.IGNORECASE)
_MANY_LINES = re.compile(r"\n\s*\n\s*\n")
_LANGUAGES = {
    "arabic": "ar",
    "brazilian": "pt-BR",
    "bulgarian": "bg",
    "czech": "cs",
    "danish": "da",
    "dutch": "nl",
    "english": "en",
    "finnish": "fi",
    "french": "fr",
    "german": "de",
    "greek": "el",
    "hungarian": "hu",
    "indonesian": "id",
    "italian": "it",
    "japanese": "ja",
    "koreana": "ko",
    "latam": "es-419",
    "norwegian": "no",
    "polish": "pl",
    "portuguese": "pt",
    "romanian": "ro",
    "russian": "ru",
    "schinese": "zh-CN",
    "spanish": "es",
    "swedish": "sv",
    "tchinese": "zh-TW",
    "thai": "th",
    "turkish": "tr",
    "ukrainian": "uk",
    "vietnamese": "vi",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """One page. ``total`` and ``positive``: the app's reviews in all, told on the first page only; ``next``: its cursor."""

    reviews: Sequence[Any]
    next: str | None = None
    total: int | None = None
    positive: int | None = None


def listing_of(answer: object) -> Listing | None:
    """A page of either interface; ``None`` if it says nothing at all, as for an app that does not exist.

    ``NotThere`` if it says that there is no such app, ``Unavailable`` if it is no list of reviews.
    """
    body = answer.get("response", answer) if isinstance(answer, Mapping) else None
    if not isinstance(body, Mapping):
        raise Unavailable("Steam: the answer is no list of reviews; trying again later")
    if not body:
        return None
    _judge_success(body.get("success"))
    summary = body.get("query_summary")
    totals = summary if isinstance(summary, Mapping) else {}
    reviews = body.get("reviews", [] if _whole(totals.get("num_reviews")) == 0 else None)
    if not isinstance(reviews, list):
        raise Unavailable("Steam: the answer has no reviews; trying again later")
    cursor = body.get("cursor")
    following = cursor if isinstance(cursor, str) and cursor.isascii() and cursor.isprintable() else None
    return Listing(
        reviews, following or None, _whole(totals.get("total_reviews")), _whole(totals.get("total_positive"))
    )


def _judge_success(success: object) -> None:
    if success == 2:
        raise NotThere("Steam: no such app; look at app_id, the digits in the address of its store page")
    if success is not None and success != 1:
        raise Unavailable("Steam: the answer says that it failed; trying again later")


def review_of(review: Mapping[str, Any], app_id: str) -> Item:
    """A review as an item; ``KeyError``, ``TypeError``, ``AttributeError`` or ``ValueError`` where it is damaged."""
    number = str(review["recommendationid"])
    if not re.fullmatch(r"[0-9]{1,20}", number):
        raise ValueError("no id")
    created, updated = _time(review["timestamp_created"]), updated_of(review)
    steamid = _steamid(review.get("author"))
    return Item(
        external_id=number,
        kind=Kind.REVIEW,
        published_at=created,
        updated_at=updated if updated > created else None,
        text=_plain(review.get("review")),
        url=f"{_profile(steamid)}/recommended/{app_id}/" if steamid else None,
        language=_LANGUAGES.get(str(review.get("language"))),
        author=Author(id=steamid, name=_plain(review["author"].get("personaname"))) if steamid else None,
        rating=_rating(review.get("voted_up")),
        counts=Counts(likes=_whole(review.get("votes_up")), comments=_whole(review.get("comment_count"))),
        reply=_reply(review),
        place=f"Steam app {app_id}",
        attributes=_attributes(review),
    )


def updated_of(review: Mapping[str, Any]) -> datetime:
    """When it was last edited; when it was written, if that is not told."""
    edited = review.get("timestamp_updated")
    return _time(edited if _number(edited) else review["timestamp_created"])


def skipped(review: object, error: Exception) -> Skipped:
    number = review.get("recommendationid") if isinstance(review, Mapping) else None
    known = re.fullmatch(r"[0-9]{1,20}", str(number))
    return Skipped(
        f"review {number}" if known else "a review without an id", f"{type(error).__name__}: not a sound review"
    )


def is_in_order(times: Sequence[float]) -> bool:
    """Are these newest first, caches allowed for?"""
    return all(earlier >= later - ORDER_SLACK for earlier, later in pairwise(times))


def _time(seconds: object) -> datetime:
    if not _number(seconds):
        raise ValueError("no time")
    return from_epoch(float(seconds))  # type: ignore[arg-type]


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _rating(voted_up: object) -> Rating:
    if not isinstance(voted_up, bool):
        raise ValueError("no verdict")
    return Rating(value=int(voted_up), worst=0, best=1)


def _steamid(author: object) -> str | None:
    steamid = author.get("steamid") if isinstance(author, Mapping) else None
    name = str(steamid) if isinstance(steamid, str | int) and not isinstance(steamid, bool) else ""
    return name if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) else None


def _profile(steamid: str) -> str:
    return f"{COMMUNITY}/{'profiles' if steamid.isdigit() else 'id'}/{steamid}"


def _reply(review: Mapping[str, Any]) -> Reply | None:
    text = _plain(review.get("developer_response"))
    at = review.get("timestamp_dev_responded")
    return Reply(text, _time(at) if _number(at) else None) if text else None


def _plain(text: object) -> str | None:
    """A text without Steam's marks such as ``[b]``; what stands in angle brackets is meant so, there is no HTML here."""
    if not isinstance(text, str):
        return None
    bare = _INLINE.sub("", _BLOCK.sub("\n", storable(text).replace("\r\n", "\n")))
    return _MANY_LINES.sub("\n\n", bare).strip() or None


def _attributes(review: Mapping[str, Any]) -> Mapping[str, str]:
    author = review.get("author")
    player = author if isinstance(author, Mapping) else {}
    told = {
        "language": _word(review.get("language")),
        "votes_funny": _word(_whole(review.get("votes_funny"))),
        "weighted_vote_score": _word(review.get("weighted_vote_score")),
        "hours_at_review": _hours(player.get("playtime_at_review")),
        "hours_in_all": _hours(player.get("playtime_forever")),
        "steam_purchase": _truth(review.get("steam_purchase")),
        "received_for_free": _truth(review.get("received_for_free")),
        "early_access": _truth(review.get("written_during_early_access")),
        "refunded": _truth(review.get("refunded")),
        "steam_deck": _truth(review.get("primarily_steam_deck")),
    }
    return {name: value for name, value in told.items() if value is not None}


def _word(value: object) -> str | None:
    sound = isinstance(value, str | int | float) and not isinstance(value, bool)
    return storable(str(value))[:40] or None if sound else None


def _hours(minutes: object) -> str | None:
    whole = _whole(minutes)
    return f"{whole / 60:.1f}" if whole is not None and whole < 10**9 else None


def _truth(value: object) -> str | None:
    return str(value).lower() if isinstance(value, bool) else None
