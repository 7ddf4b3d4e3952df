"""PURE  Discourse's JSON (posts and search answers) -> items, hits and counts."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.contract import Author, Counts, Item, Kind, Skipped
from connectors.errors import Unavailable
from connectors.text import MAX_MARKUP, plain_text
from connectors.tidy import storable

REGULAR = 1
"""The type of what people write; the others are moderators' notes, small actions ("closed this") and whispers."""
LIKE = 2
"""The number of the action "like"."""

_ASIDE = re.compile(r"<(/?)aside\b[^>]{0,2000}>", re.IGNORECASE)
_EMOJI = re.compile(r'<img\b[^>]{0,300}?\bclass="emoji\b[^>]{0,300}>')
_ALT = re.compile(r'\balt="([^"]{0,60})"')


@dataclass(frozen=True, slots=True)
class Forum:
    """Where the posts stand: ``address`` without a slash at its end; ``own``: the brand's accounts there, in lower case."""

    address: str
    own: frozenset[str] = frozenset()

    @property
    def name(self) -> str:
        return self.address.partition("://")[2]


@dataclass(frozen=True, slots=True)
class Batch:
    """The posts of one answer. ``ids`` of all that tell one; ``newest``: when the newest sound one was written, in seconds
    since 1970 (``None`` without any)."""

    items: Mapping[int, Item]
    skipped: Sequence[Skipped]
    ids: Sequence[int]
    newest: float | None


@dataclass(frozen=True, slots=True)
class Hit:
    """A post that a search found: its number, when it was written (seconds since 1970), its topic's title."""

    id: int
    at: float
    title: str | None


@dataclass(frozen=True, slots=True)
class Hits:
    hits: Sequence[Hit]
    skipped: Sequence[Skipped]
    more: bool


def batch_of(answer: object, forum: Forum) -> Batch:
    """The latest posts; ``Unavailable`` if the answer has none. What is no regular post, or was withdrawn, is left out."""
    posts = answer.get("latest_posts") if isinstance(answer, Mapping) else None
    if not isinstance(posts, list):
        raise Unavailable(f"{forum.name}: the answer has no posts; trying again later")
    items: dict[int, Item] = {}
    skipped: list[Skipped] = []
    times: list[float] = []
    for post in posts:
        try:
            item = item_of(post, forum)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            skipped.append(skip(post, error))
            continue
        times.append(item.published_at.timestamp())
        if is_shown(post):
            items[post["id"]] = item
    ids = [number for post in posts if (number := _id(post)) is not None]
    return Batch(items, skipped, ids, max(times, default=None))


def hits_of(answer: object, forum: Forum) -> Hits:
    """What a search found, newest first as it comes; ``Unavailable`` if the answer is no search's, or one that failed."""
    posts = answer.get("posts") if isinstance(answer, Mapping) else None
    summary = answer.get("grouped_search_result") if isinstance(answer, Mapping) else None
    about: Mapping[str, Any] = summary if isinstance(summary, Mapping) else {}
    if about.get("error"):
        raise Unavailable(f"{forum.name}: too busy to search; trying again later")
    if posts is None and isinstance(summary, Mapping):
        posts = []  # nothing found
    if not isinstance(posts, list):
        raise Unavailable(f"{forum.name}: the answer is no search's; trying again later")
    titles = _titles(answer)
    hits: list[Hit] = []
    skipped: list[Skipped] = []
    for post in posts:
        try:
            hits.append(
                Hit(_number(post["id"]), _time(post["created_at"]).timestamp(), titles.get(post.get("topic_id")))
            )
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            skipped.append(skip(post, error))
    return Hits(hits, skipped, about.get("more_full_page_results") is True)


def item_of(post: Mapping[str, Any], forum: Forum, title: str | None = None) -> Item:
    """A post as an item; ``KeyError``, ``TypeError``, ``AttributeError`` or ``ValueError`` where it is damaged.

    ``title``: of its topic, where the post itself does not tell it.
    """
    number, place, first = _number(post["id"]), _number(post["post_number"]), post["post_number"] == 1
    topic = plain_text(_word(post.get("topic_title"))) or title
    slug = _word(post.get("topic_slug")) or "-"
    name = _word(post.get("username"))
    return Item(
        external_id=f"{forum.name}/{number}",
        kind=Kind.POST if name and name.lower() in forum.own else Kind.MENTION,
        published_at=_time(post["created_at"]),
        updated_at=_edited(post),
        title=topic if first else None,
        text=text_of(_word(post["cooked"])),
        url=f"{forum.address}/t/{slug if _is_slug(slug) else '-'}/{_number(post['topic_id'])}/{place}",
        author=Author(id=f"{forum.name}/u/{_whole(post.get('user_id')) or name}", name=name) if name else None,
        counts=counts_of(post),
        place=forum.name,
        parent_title=None if first else topic,
        attributes=_attributes(post),
    )


def text_of(cooked: str | None) -> str | None:
    """The words of the author alone: what stands quoted, and previews of links, are others'. Emoji stay as ``:name:``."""
    if not cooked:
        return None
    return plain_text(_EMOJI.sub(_named, _without_asides(cooked[:MAX_MARKUP])))


def counts_of(post: Mapping[str, Any]) -> Counts:
    return Counts(likes=_likes(post.get("actions_summary")), comments=_whole(post.get("reply_count")))


def is_shown(post: Mapping[str, Any]) -> bool:
    """Is it something a person wrote that still stands there?"""
    return post.get("post_type", REGULAR) == REGULAR and not post.get("hidden") and not is_gone(post)


def is_gone(post: Mapping[str, Any]) -> bool:
    """Was it deleted, by its author or anyone else?"""
    return bool(post.get("deleted_at")) or post.get("user_deleted") is True


def skip(post: object, error: Exception) -> Skipped:
    number = _id(post)
    what = f"post {number}"[:40] if number is not None else "a post without an id"
    return Skipped(what, f"{type(error).__name__}: not a sound post")


def _id(post: object) -> int | None:
    number = _whole(post.get("id")) if isinstance(post, Mapping) else None
    return number if number is not None and 0 < number < 2**53 else None


def _titles(answer: object) -> Mapping[object, str | None]:
    topics = answer.get("topics") if isinstance(answer, Mapping) else None
    told = topics if isinstance(topics, list) else []
    found = [topic for topic in told if isinstance(topic, Mapping) and isinstance(topic.get("id"), int)]
    return {topic["id"]: plain_text(_word(topic.get("title"))) for topic in found}


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**53:
        raise ValueError("no number")
    return value


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _word(value: object) -> str | None:
    return storable(value) or None if isinstance(value, str) else None


def _is_slug(slug: str) -> bool:
    return re.fullmatch(r"[^\s/?#\x00-\x1f]{1,300}", slug) is not None


def _time(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("no time")
    try:
        at = datetime.fromisoformat(value)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except OverflowError:
        pass
    raise ValueError("no time")


def _edited(post: Mapping[str, Any]) -> datetime | None:
    """When it was edited; a post is touched for other reasons too, only its version tells of an edit."""
    version = _whole(post.get("version"))
    try:
        return _time(post.get("updated_at")) if version is not None and version > 1 else None
    except ValueError:
        return None


def _likes(actions: object) -> int | None:
    """A forum leaves out what is 0."""
    if not isinstance(actions, list):
        return None
    found = next((one for one in actions if isinstance(one, Mapping) and one.get("id") == LIKE), {})
    return _whole(found.get("count", 0))


def _attributes(post: Mapping[str, Any]) -> Mapping[str, str]:
    category = _whole(post.get("category_id"))
    staff = any(post.get(role) is True for role in ("staff", "admin", "moderator"))
    return {
        "type": "topic" if post["post_number"] == 1 else "reply",
        **({"category": str(category)[:20]} if category is not None else {}),
        **({"staff": "true"} if staff else {}),
    }


def _without_asides(markup: str) -> str:
    """The markup without what stands between ``<aside>`` and its end, nested ones too; an unclosed one is left alone."""
    kept: list[str] = []
    depth, start, opened = 0, 0, 0
    for tag in _ASIDE.finditer(markup):
        if not tag[1]:
            if depth == 0:
                kept.append(markup[start : tag.start()])
                opened = tag.start()
            depth += 1
        elif depth:
            depth -= 1
            start = tag.end()
            if depth == 0:
                kept.append("\n")
    return "".join(kept) + markup[opened if depth else start :]


def _named(image: re.Match[str]) -> str:
    alt = _ALT.search(image[0])
    return html.escape(html.unescape(alt[1])) if alt else " "
