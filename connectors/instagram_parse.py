"""PURE  Instagram's media and comments as the Graph API tells them -> items."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from connectors.contract import Author, Counts, Item, Kind
from connectors.entries import identity, moment, prose, told, whole, word


def own_post_of(media: Mapping[str, Any]) -> Sequence[Item]:
    return [_media(media, Kind.POST, "Instagram")]


def tagged_media_of(media: Mapping[str, Any], hashtag: str) -> Sequence[Item]:
    """What a search by hashtag finds: Instagram tells no author of it."""
    return [_media(media, Kind.MENTION, f"#{hashtag}")]


def comments_of(comment: Mapping[str, Any], post: str, own: str | None) -> Sequence[Item]:
    """A comment and the answers to it; what the account itself wrote is an own post."""
    first = _comment(comment, post, own, None)
    held = comment.get("replies")
    replies = held.get("data") if isinstance(held, Mapping) else None
    sound = [reply for reply in replies if isinstance(reply, Mapping)] if isinstance(replies, list) else []
    return [first, *(_comment(reply, post, own, first.external_id) for reply in sound)]


def _comment(comment: Mapping[str, Any], post: str, own: str | None, answered: str | None) -> Item:
    author = _author(comment)
    is_own = own is not None and author is not None and (author.name or "").lower() == own
    return Item(
        external_id=identity(comment["id"]),
        kind=Kind.POST if is_own else Kind.MENTION,
        published_at=moment(comment["timestamp"]),
        text=prose(comment.get("text")),
        author=author,
        counts=Counts(likes=whole(comment.get("like_count"))),
        place="Instagram",
        attributes=told({"type": "comment", "post": post, "reply_to": answered}),
    )


def _media(media: Mapping[str, Any], kind: Kind, place: str) -> Item:
    link = word(media.get("permalink"), 2000)
    form = word(media.get("media_type"))
    return Item(
        external_id=identity(media["id"]),
        kind=kind,
        published_at=moment(media["timestamp"]),
        text=prose(media.get("caption")),
        url=link if link and link.startswith("https://") else None,
        author=_author(media) if kind is Kind.POST else None,
        counts=Counts(likes=whole(media.get("like_count")), comments=whole(media.get("comments_count"))),
        place=place,
        attributes=told({"type": "post", "form": form.lower() if form else None}),
    )


def _author(said: Mapping[str, Any]) -> Author | None:
    """Numbers are told to some apps only; a name stands for who bears it."""
    who = said.get("from")
    held = who if isinstance(who, Mapping) else {}
    name = word(said.get("username")) or word(held.get("username"))
    number = word(held.get("id")) or name
    return Author(number, name) if number else None
