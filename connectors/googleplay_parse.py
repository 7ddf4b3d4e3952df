"""PURE  Google Play Developer API: review answers -> reviews with the developer's replies; its refusals -> fates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import quote

from connectors.contract import Author, Counts, Item, Kind, Reply, from_epoch
from connectors.entries import identity, prose, stars, told, whole, word
from connectors.errors import AccessDenied, NotThere, RateLimited, SourceError, Unavailable
from connectors.tidy import language_tag

STORE = "https://play.google.com/store/apps/details"

_TOO_OFTEN = frozenset({"quotaExceeded", "rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded"})
_REMEDIES = {
    "accessNotConfigured": "switch the Google Play Android Developer API on in the service account's project",
    "permissionDenied": "invite the service account in the Play Console, with the right to view app information",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """One page. ``next``: the token of the page after it."""

    reviews: Sequence[Any]
    next: str | None = None


def listing_of(answer: object) -> Listing:
    """A page of reviews, empty where the answer is an empty object; ``Unavailable`` if it is none."""
    reviews = answer.get("reviews", []) if isinstance(answer, Mapping) else None
    if not isinstance(answer, Mapping) or not isinstance(reviews, list):
        raise Unavailable("Google Play: the answer is no list of reviews; trying again later")
    if "error" in answer:
        raise Unavailable("Google Play: the answer says that it failed; trying again later")
    paging = answer.get("tokenPagination")
    token = paging.get("nextPageToken") if isinstance(paging, Mapping) else None
    return Listing(reviews, token if isinstance(token, str) and token else None)


def review_of(review: Mapping[str, Any], package: str) -> Item:
    """A review as an item; ``KeyError``, ``TypeError``, ``AttributeError`` or ``ValueError`` where it is damaged.

    Google tells one time, that of the last edit. It stands for both times: whoever stores the item keeps the first
    ``published_at``, and a later ``updated_at`` tells of an edit.
    """
    name = identity(review["reviewId"])
    comment, answer = _latest(review, "userComment"), _latest(review, "developerComment")
    if comment is None:
        raise ValueError("no comment of the user")
    at = _time(comment)
    title, text = _title_and_text(comment.get("text"))
    person = word(review.get("authorName"))
    return Item(
        external_id=name,
        kind=Kind.REVIEW,
        published_at=at,
        updated_at=at,
        title=title,
        text=text,
        url=f"{STORE}?id={package}&reviewId={quote(name, safe='')}",
        language=language_tag(word(comment.get("reviewerLanguage"), 40)),
        author=Author(id=person, name=person) if person else None,
        rating=stars(comment["starRating"]),
        counts=Counts(likes=whole(comment.get("thumbsUpCount"))),
        reply=_reply(answer),
        place=package,
        attributes=_attributes(comment),
    )


def refusal_of(body: Mapping[str, object], status: int) -> SourceError | None:
    """The fate that Google's error document means; ``None`` if it tells nothing that its status does not."""
    error = body.get("error")
    reason = _reason(error) if isinstance(error, Mapping) else None
    if reason in _TOO_OFTEN:
        return RateLimited("Google Play: the project's requests are spent")
    if status in (401, 403):
        remedy = _REMEDIES.get(reason or "", "look at service_account and at its rights in the Play Console")
        return AccessDenied(f"Google Play refuses the service account ({status}); {remedy}")
    if status == 404:
        return NotThere("Google Play: this service account sees no such app; look at package")
    return None


def _latest(review: Mapping[str, Any], what: str) -> Mapping[str, Any] | None:
    """Of several the one that was written last; one without a time counts as the oldest."""
    comments = review["comments"]
    if not isinstance(comments, list):
        raise ValueError("no comments")
    found = [comment[what] for comment in comments if isinstance(comment, Mapping) and what in comment]
    sound = [comment for comment in found if isinstance(comment, Mapping)]
    return max(sound, key=lambda comment: _seconds(comment) or 0, default=None)


def _seconds(comment: Mapping[str, Any]) -> int | None:
    """Google writes 64-bit numbers as texts."""
    modified = comment.get("lastModified")
    told_as = modified.get("seconds") if isinstance(modified, Mapping) else None
    if isinstance(told_as, str) and told_as.isascii() and told_as.isdigit() and len(told_as) <= 12:
        return int(told_as) or None
    return whole(told_as) or None


def _time(comment: Mapping[str, Any]) -> datetime:
    seconds = _seconds(comment)
    if seconds is None:
        raise ValueError("no time")
    return from_epoch(seconds)


def _title_and_text(said: object) -> tuple[str | None, str | None]:
    """Title and text come as one, with a TAB between them; without a title the TAB comes first, or not at all."""
    whole_text = (prose(said) or "").lstrip("\t ")
    title, tab, text = whole_text.partition("\t")
    return (title.strip() or None, text.strip() or None) if tab else (None, whole_text or None)


def _reply(answer: Mapping[str, Any] | None) -> Reply | None:
    text = prose(answer.get("text")) if answer is not None else None
    if answer is None or text is None:
        return None
    seconds = _seconds(answer)
    return Reply(text, from_epoch(seconds) if seconds is not None and seconds < 10**11 else None)


def _attributes(comment: Mapping[str, Any]) -> Mapping[str, str]:
    metadata = comment.get("deviceMetadata")
    device = metadata if isinstance(metadata, Mapping) else {}
    return told(
        {
            "app_version": word(comment.get("appVersionName"), 60) or _number(comment.get("appVersionCode")),
            "device": word(device.get("productName"), 100) or word(comment.get("device"), 100),
            "manufacturer": word(device.get("manufacturer"), 60),
            "language": word(comment.get("reviewerLanguage"), 40),
            "android_sdk": _number(comment.get("androidOsVersion")),
            "thumbs_down": _number(comment.get("thumbsDownCount")),
        }
    )


def _number(value: object) -> str | None:
    number = whole(value)
    return None if number is None else str(number)


def _reason(error: Mapping[str, Any]) -> str | None:
    errors = error.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    return word(first.get("reason"), 60) if isinstance(first, Mapping) else None
