"""PURE  Reddit's JSON -> items, counts and communities. Reads what is there and expects nothing that older answers lack."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeGuard

from connectors.contract import Author, Counts, Item, Kind, Refreshed, Skipped, from_epoch
from connectors.errors import Unavailable

SITE = "https://www.reddit.com"
POST, COMMENT, COMMUNITY = "t3", "t1", "t5"
_TYPES = {POST: "post", COMMENT: "comment"}
_FULLNAME = re.compile(r"t[1-6]_[0-9a-z]{1,20}")
_WITHDRAWN = re.compile(r"\[ ?(?:deleted|removed)(?: by [^\]\n]{1,80})?\.? ?\]", re.IGNORECASE)
"""What Reddit puts in the place of a text that its author, a moderator or Reddit took away."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One answer of a listing. ``size``: its entries, damaged ones too; ``newest`` and ``last``: when the newest and the
    lowest sound one were published (seconds since 1970, ``None`` without any); ``after``: where the next page begins."""

    items: Sequence[Item]
    skipped: Sequence[Skipped]
    size: int
    newest: float | None
    last: float | None
    after: str | None


def is_fullname(name: object) -> TypeGuard[str]:
    """Is this the name of a thing on Reddit, such as ``t3_abc``?"""
    return isinstance(name, str) and _FULLNAME.fullmatch(name) is not None


def batch_of(answer: object) -> Batch:
    """A listing's items; ``Unavailable`` if the answer is no listing. A damaged entry is skipped alone."""
    children, after = _listing(answer)
    items: list[Item] = []
    skipped: list[Skipped] = []
    for child in children:
        try:
            items.append(item_of(child))
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            skipped.append(Skipped(_name(child), f"{type(error).__name__}: not a sound post or comment"))
    times = [item.published_at.timestamp() for item in items]
    return Batch(items, skipped, len(children), max(times, default=None), times[-1] if times else None, after)


def refreshed_of(answer: object, asked: Sequence[str]) -> Iterator[Refreshed]:
    """What became of the ``asked`` fullnames. One that is not in the answer is gone, unless an entry there is unreadable
    and might be it."""
    children, _ = _listing(answer)
    known = {data["name"]: (child["kind"], data) for child in children if (data := _data(child)) and _named(data)}
    unreadable = len(known) < len(children)
    for name in asked:
        if name in known:
            yield _refreshed(name, *known[name])
        elif not unreadable:
            yield Refreshed(name, counts=None, gone=True)


def members_of(answer: object) -> Iterator[tuple[str, int]]:
    """Each community in the answer, such as ``r/acme``, with the number of its subscribers, where it is told."""
    for child in _listing(answer)[0]:
        data = _data(child) or {}
        count = _whole(data.get("subscribers"))
        if count is not None and isinstance(data.get("display_name"), str):
            yield f"r/{data['display_name']}", count


def item_of(child: Mapping[str, Any]) -> Item:
    """An entry of a listing as an item; ``KeyError``, ``TypeError``, ``AttributeError`` or ``ValueError`` if it is damaged."""
    kind, data = child["kind"], child["data"]
    if kind not in _TYPES:
        raise ValueError("neither a post nor a comment")
    return Item(
        external_id=_fullname(kind, data),
        kind=Kind.MENTION,
        published_at=_time(data["created_utc"]),
        updated_at=_edited(data.get("edited")),
        title=_text(data.get("title")),
        text=_text(data.get("selftext") if kind == POST else data.get("body")),
        url=_url(kind, data),
        author=_author(data.get("author")),
        counts=counts_of(kind, data),
        place=_place(data),
        parent_title=_text(data.get("link_title")),
        attributes=_attributes(kind, data),
    )


def counts_of(kind: str, data: Mapping[str, Any]) -> Counts:
    """Likes are the score (fuzzed, may be negative), unknown while Reddit hides it; shares are crossposts."""
    hidden = data.get("score_hidden") is True or data.get("hide_score") is True
    likes = None if hidden else _whole(data.get("score"))
    if kind == COMMENT:
        return Counts(likes=likes)
    return Counts(likes, shares=_whole(data.get("num_crossposts")), comments=_whole(data.get("num_comments")))


def is_gone(kind: str, data: Mapping[str, Any]) -> bool:
    """Was it taken away by its author, a moderator or Reddit? An author who left does not take the text along."""
    texts = (data.get("body"),) if kind == COMMENT else (data.get("selftext"), data.get("title"))
    return bool(data.get("removed_by_category")) or any(_is_withdrawn(text) for text in texts)


def _refreshed(name: str, kind: str, data: Mapping[str, Any]) -> Refreshed:
    if is_gone(kind, data):
        return Refreshed(name, counts=None, gone=True)
    return Refreshed(name, counts_of(kind, data))


def _listing(answer: object) -> tuple[Sequence[Any], str | None]:
    data = answer.get("data") if isinstance(answer, Mapping) and answer.get("kind") == "Listing" else None
    children = data.get("children") if isinstance(data, Mapping) else None
    if not isinstance(data, Mapping) or not isinstance(children, list):
        raise Unavailable("reddit.com: the answer is no listing; trying again later")
    after = data.get("after")
    return children, after if is_fullname(after) else None


def _data(child: object) -> Mapping[str, Any] | None:
    data = child.get("data") if isinstance(child, Mapping) and isinstance(child.get("kind"), str) else None
    return data if isinstance(data, Mapping) else None


def _named(data: Mapping[str, Any]) -> bool:
    return is_fullname(data.get("name"))


def _name(child: object) -> str:
    data = _data(child)
    return str(data["name"]) if data and _named(data) else "an entry without a name"


def _fullname(kind: str, data: Mapping[str, Any]) -> str:
    name = data.get("name") or f"{kind}_{data['id']}"
    if not is_fullname(name) or not name.startswith(kind):
        raise ValueError("no fullname")
    return str(name)


def _time(seconds: object) -> datetime:
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ValueError("no time")
    return from_epoch(seconds)


def _edited(value: object) -> datetime | None:
    """When it was edited. ``False``: never; ``True`` (very old ones): nobody knows when."""
    try:
        return _time(value)
    except ValueError:
        return None


def _text(value: object) -> str | None:
    if not isinstance(value, str) or _is_withdrawn(value):
        return None
    return value.strip() or None


def _is_withdrawn(text: object) -> bool:
    return isinstance(text, str) and _WITHDRAWN.fullmatch(text.strip()) is not None


def _author(name: object) -> Author | None:
    """Names are unique and never change; the other id is missing in older answers."""
    return Author(id=name, name=name) if isinstance(name, str) and name and not _is_withdrawn(name) else None


def _url(kind: str, data: Mapping[str, Any]) -> str:
    link = data.get("permalink")
    if isinstance(link, str) and link.startswith("/") and not link.startswith("//"):
        return f"{SITE}{link}"
    number = _fullname(kind, data)[3:]
    thread = data.get("link_id")
    return f"{SITE}/comments/{thread[3:]}/_/{number}/" if is_fullname(thread) else f"{SITE}/comments/{number}/"


def _place(data: Mapping[str, Any]) -> str | None:
    prefixed, name = data.get("subreddit_name_prefixed"), data.get("subreddit")
    if isinstance(prefixed, str) and prefixed:
        return prefixed
    return f"r/{name}" if isinstance(name, str) and name else None


def _attributes(kind: str, data: Mapping[str, Any]) -> Mapping[str, str]:
    ratio, link = data.get("upvote_ratio"), data.get("url")
    outside = kind == POST and data.get("is_self") is False and isinstance(link, str)
    return {
        "type": _TYPES[kind],
        **({"upvote_ratio": str(ratio)} if isinstance(ratio, int | float) and not isinstance(ratio, bool) else {}),
        **({"link": str(link)[:2000]} if outside else {}),
        **({"nsfw": "true"} if data.get("over_18") is True else {}),
    }


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
