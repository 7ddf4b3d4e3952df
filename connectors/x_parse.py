"""PURE  X's posts, users and refusals as they come -> items, counts and fates; ids of posts <-> times."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from connectors.contract import Author, Counts, Item, Kind, Refreshed, Skipped, from_epoch
from connectors.entries import moment, prose, told, whole, word
from connectors.errors import Unavailable
from connectors.tidy import language_tag

FIRST_MOMENT_MS = 1_288_834_974_657
"""Ids count milliseconds from here, in all but their lowest 22 bits. Source: twitter-archive/snowflake."""
LOWER_BITS = 22
HIGHEST = 2**63 - 1
SITE = "https://x.com"
_NOT_A_LANGUAGE = ("und", "zxx", "art", "qme", "qht", "qam", "qct", "qst")
_OLD_CODES = {"in": "id", "iw": "he"}
_DAMAGED = (ValueError, TypeError, KeyError, AttributeError)


@dataclass(frozen=True, slots=True)
class Found:
    """One page of posts. ``newest`` and ``oldest``: ids; ``count``: how many posts were read, damaged ones too."""

    items: Sequence[Item]
    skipped: Sequence[Skipped]
    count: int
    newest: int | None
    oldest: int | None
    token: str | None


def id_at(at: datetime) -> int:
    """The lowest id that a post of this moment may have."""
    since_then = at - from_epoch(0)
    return max((since_then // timedelta(milliseconds=1) - FIRST_MOMENT_MS) << LOWER_BITS, 0)


def time_of(number: float) -> datetime:
    """When a post of this id was published, to the millisecond."""
    sane = min(max(int(number), 0), HIGHEST)
    return from_epoch(((sane >> LOWER_BITS) + FIRST_MOMENT_MS) / 1000)


def found_of(body: object, own: frozenset[str], *, all_own: bool) -> Found:
    """A page of a search; ``Unavailable`` if it is none. ``own``: the brand's accounts, in lower case; ``all_own``: only
    they were asked for."""
    posts, users = posts_of(body), users_of(body)
    items: list[Item] = []
    skipped: list[Skipped] = []
    numbers = [number for post in posts if (number := number_of(post)) is not None]
    for post in posts:
        try:
            items.append(item_of(post, users, own, all_own=all_own))
        except _DAMAGED as error:
            skipped.append(Skipped(_name(post), f"{type(error).__name__}: not a sound post"))
    meta = body.get("meta") if isinstance(body, Mapping) else None
    token = meta.get("next_token") if isinstance(meta, Mapping) else None
    sound = token if isinstance(token, str) and re.fullmatch(r"[!-~]{1,2000}", token) else None
    return Found(items, skipped, len(posts), max(numbers, default=None), min(numbers, default=None), sound)


def posts_of(body: object) -> Sequence[Any]:
    """What stands in ``data``; nothing where the answer tells of none. ``Unavailable`` if it is no such answer."""
    if isinstance(body, Mapping):
        data = body.get("data")
        if isinstance(data, list):
            return data
        if data is None and (isinstance(body.get("meta"), Mapping) or _errors(body)):
            return ()
    raise Unavailable("X: the answer holds no posts; trying again later")


def users_of(body: object) -> Mapping[str, Mapping[str, Any]]:
    """The users that an answer includes, by id. A suspended author is in ``errors`` instead."""
    includes = body.get("includes") if isinstance(body, Mapping) else None
    users = includes.get("users") if isinstance(includes, Mapping) else None
    sound = [user for user in users if isinstance(user, Mapping)] if isinstance(users, list) else []
    return {str(user.get("id")): user for user in sound}


def number_of(post: object) -> int | None:
    """A post's id as a number, which rises with time; ``None`` if it has none."""
    given = post.get("id") if isinstance(post, Mapping) else None
    if not isinstance(given, str) or not given.isascii() or not given.isdigit() or len(given) > 19:
        return None
    return int(given) if 0 < int(given) <= HIGHEST else None


def item_of(
    post: Mapping[str, Any], users: Mapping[str, Mapping[str, Any]], own: frozenset[str], *, all_own: bool = False
) -> Item:
    """A post as an item; one of the errors of damaged data where it is none.

    An edited post gets a new id at X: it stays the item that its first version was.
    """
    number = number_of(post)
    if number is None:
        raise ValueError("no id")
    first = _first_version(post, number)
    published = moment(post["created_at"]) if post.get("created_at") is not None else _dated(number)
    author = _author(post, users)
    name = author.name if author else None
    return Item(
        external_id=str(first),
        kind=Kind.POST if all_own or (name or "").lower() in own else Kind.MENTION,
        published_at=published if first == number else _dated(first),
        updated_at=None if first == number else published,
        text=_text(post),
        url=f"{SITE}/{name or 'i'}/status/{number}",
        language=_language(post.get("lang")),
        author=author,
        counts=counts_of(post),
        place="X",
        attributes=_attributes(post, users, author),
    )


def counts_of(post: Mapping[str, Any]) -> Counts:
    """Reposts and quotes are shares, replies are comments, impressions are views."""
    held = post.get("public_metrics")
    metrics = held if isinstance(held, Mapping) else {}
    shares = [whole(metrics.get(name)) for name in ("retweet_count", "quote_count")]
    known = [share for share in shares if share is not None]
    return Counts(
        likes=whole(metrics.get("like_count")),
        shares=sum(known) if known else None,
        comments=whole(metrics.get("reply_count")),
        views=whole(metrics.get("impression_count")),
    )


def refreshed_of(body: object, asked: Sequence[str]) -> Iterator[Refreshed]:
    """The posts asked for as they are now. What is neither there nor said to be gone stays as it is."""
    posts = {str(post.get("id")): post for post in posts_of(body) if isinstance(post, Mapping)}
    gone = {str(error.get("resource_id") or error.get("value")) for error in _errors(body) if _is_gone(error)}
    for name in asked:
        if name in posts:
            yield Refreshed(name, counts_of(posts[name]))
        elif name in gone:
            yield Refreshed(name, None, gone=True)


def followers_of(body: object) -> Mapping[str, int]:
    """The followers of users, by name in lower case; who does not tell is left out."""
    found = {}
    for user in posts_of(body):
        name = user.get("username") if isinstance(user, Mapping) else None
        count = _followers(user) if isinstance(user, Mapping) else None
        if isinstance(name, str) and count is not None:
            found[name.lower()] = count
    return found


def _errors(body: object) -> Sequence[Mapping[str, Any]]:
    errors = body.get("errors") if isinstance(body, Mapping) else None
    return [error for error in errors if isinstance(error, Mapping)] if isinstance(errors, list) else []


def _is_gone(error: Mapping[str, Any]) -> bool:
    about_post = error.get("resource_type") in (None, "tweet", "post") and error.get("parameter") in (None, "ids", "id")
    return about_post and str(error.get("type", "")).endswith("/resource-not-found")


def _first_version(post: Mapping[str, Any], number: int) -> int:
    history = post.get("edit_history_tweet_ids")
    versions = [number_of({"id": entry}) for entry in history] if isinstance(history, list) else []
    earlier = [version for version in versions if version is not None and version < number]
    return min(earlier, default=number)


def _dated(number: int) -> datetime:
    if number >> LOWER_BITS < timedelta(days=1) / timedelta(milliseconds=1):
        raise ValueError("an id that tells no time")  # those of 2010 and before were only counted
    return time_of(number)


def _author(post: Mapping[str, Any], users: Mapping[str, Mapping[str, Any]]) -> Author | None:
    number = word(post.get("author_id"))
    if number is None:
        return None
    user = users.get(number, {})
    return Author(number, word(user.get("username")), _followers(user))


def _followers(user: Mapping[str, Any]) -> int | None:
    metrics = user.get("public_metrics")
    return whole(metrics.get("followers_count")) if isinstance(metrics, Mapping) else None


def _text(post: Mapping[str, Any]) -> str | None:
    """The whole of a long post stands in ``note_tweet``; ``&``, ``<`` and ``>`` come escaped."""
    note = post.get("note_tweet")
    whole_text = note.get("text") if isinstance(note, Mapping) else None
    text = whole_text if isinstance(whole_text, str) else post["text"]
    if not isinstance(text, str):
        raise TypeError("no text")
    return prose(html.unescape(text))


def _language(said: object) -> str | None:
    code = said if isinstance(said, str) and said not in _NOT_A_LANGUAGE else ""
    return language_tag(_OLD_CODES.get(code, code))


def _attributes(
    post: Mapping[str, Any], users: Mapping[str, Mapping[str, Any]], author: Author | None
) -> Mapping[str, str]:
    user = users.get(author.id, {}) if author else {}
    verified = user.get("verified")
    return told(
        {
            **_referenced(post),
            "conversation": word(post.get("conversation_id")),
            "verified": "true" if verified is True else None,
        }
    )


def _referenced(post: Mapping[str, Any]) -> dict[str, str | None]:
    """What the post answers, quotes or repeats, by id."""
    names = {"replied_to": "reply_to", "quoted": "quotes", "retweeted": "reposts"}
    held = post.get("referenced_tweets")
    entries = [entry for entry in held if isinstance(entry, Mapping)] if isinstance(held, list) else []
    return {
        names[kind]: word(entry.get("id"))
        for entry in entries
        if isinstance(kind := entry.get("type"), str) and kind in names
    }


def _name(post: object) -> str:
    number = number_of(post)
    return "a post without an id" if number is None else f"post {number}"
