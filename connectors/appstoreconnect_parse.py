"""PURE  App Store Connect's answers (JSON:API documents) -> reviews with the owner's replies; its refusals -> fates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from connectors.contract import Author, Item, Kind, Reply
from connectors.entries import identity, moment, moment_or_none, prose, stars, told, word
from connectors.errors import AccessDenied, Malformed, NotThere, SourceError, Unavailable
from connectors.territories import two_letters

_REMEDIES = {
    "FORBIDDEN.REQUIRED_AGREEMENTS_MISSING_OR_EXPIRED": "its account holder has to sign an agreement in App Store Connect",
    "NOT_AUTHORIZED": "look at key_id, issuer_id, private_key and at this machine's clock",
    "FORBIDDEN_ERROR": "the key's role may not read reviews; give it Customer Support or a higher one",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """One page. ``next``: the address of the page after it; ``replies``: by their id."""

    reviews: Sequence[Any]
    next: str | None = None
    replies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def listing_of(answer: object) -> Listing:
    """A page of reviews; ``Unavailable`` if the answer is none."""
    body = answer if isinstance(answer, Mapping) else {}
    reviews = body.get("data")
    if not isinstance(reviews, list):
        raise Unavailable("App Store Connect: the answer is no list of reviews; trying again later")
    return Listing(reviews, _next(body.get("links")), _replies(body.get("included")))


def cursor_of(link: str, host: str) -> str | None:
    """The token of the next page, if its address lies on ``host`` (with the port) and tells one."""
    try:
        parts = urlsplit(link)
        tokens = parse_qs(parts.query).get("cursor")
    except ValueError:
        return None
    return tokens[0] if tokens and parts.netloc.lower() == host.lower() else None


def review_of(review: Mapping[str, Any], app_id: str, replies: Mapping[str, Mapping[str, Any]]) -> Item:
    """A review as an item; ``KeyError``, ``TypeError``, ``AttributeError`` or ``ValueError`` where it is damaged."""
    tells = review["attributes"]
    reply = _attributes(replies.get(_reply_id(review) or ""))
    name = word(tells.get("reviewerNickname"))
    return Item(
        external_id=identity(review["id"]),
        kind=Kind.REVIEW,
        published_at=moment(tells["createdDate"]),
        title=prose(tells.get("title")),
        text=prose(tells.get("body")),
        author=Author(id=name, name=name) if name else None,
        rating=stars(tells["rating"]),
        reply=_reply(reply),
        place=f"App Store app {app_id}",
        attributes=told(
            {
                "country": two_letters(tells.get("territory")),
                "territory": word(tells.get("territory"), 20),
                "reply_state": (word(reply.get("state"), 40) or "").lower() or None,
            }
        ),
    )


def refusal_of(body: Mapping[str, object]) -> SourceError | None:
    """The fate that an error document means, by its first code; ``None`` if it tells none that is known."""
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    code = word(first.get("code"), 80) if isinstance(first, Mapping) else None
    if code is None or not all(letter.isalnum() or letter in "._" for letter in code):
        return None
    kind = code.partition(".")[0]
    remedy = _REMEDIES.get(code) or _REMEDIES.get(kind)
    if kind in ("NOT_AUTHORIZED", "FORBIDDEN", "FORBIDDEN_ERROR"):
        return AccessDenied(f"App Store Connect refuses ({code}); {remedy or 'look at the key and its role'}")
    if kind == "NOT_FOUND":
        return NotThere("App Store Connect: no such app in this account; look at app_id")
    if kind == "PARAMETER_ERROR":
        return Malformed(f"App Store Connect does not take this request ({code}); look at app_id")
    return None


def _next(links: object) -> str | None:
    link = links.get("next") if isinstance(links, Mapping) else None
    return link if isinstance(link, str) and link else None


def _replies(included: object) -> Mapping[str, Mapping[str, Any]]:
    entries = included if isinstance(included, list) else []
    sound = [entry for entry in entries if isinstance(entry, Mapping) and isinstance(entry.get("id"), str)]
    return {entry["id"]: entry for entry in sound if entry.get("type") == "customerReviewResponses"}


def _reply_id(review: Mapping[str, Any]) -> str | None:
    step: object = review
    for name in ("relationships", "response", "data", "id"):
        step = step.get(name) if isinstance(step, Mapping) else None
    return step if isinstance(step, str) else None


def _attributes(entry: Mapping[str, Any] | None) -> Mapping[str, Any]:
    tells = (entry or {}).get("attributes")
    return tells if isinstance(tells, Mapping) else {}


def _reply(tells: Mapping[str, Any]) -> Reply | None:
    text = prose(tells.get("responseBody"))
    return Reply(text, moment_or_none(tells.get("lastModifiedDate"))) if text else None
