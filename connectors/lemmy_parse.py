"""PURE  Lemmy's answers, of its API v3 (0.19) and v4 (1.0) -> items and counts. Reads either shape wherever it may stand."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from connectors.contract import Author, Counts, Item, Kind, Refreshed, Skipped
from connectors.errors import Unavailable
from connectors.tidy import prefixed_id, storable


@dataclass(frozen=True, slots=True)
class Batch:
    """One page. ``size``: its entries, damaged and withdrawn ones too; times in seconds since 1970: ``newest`` of all and
    ``last`` of the lowest sound one; ``next``: the token of the next page, where there are tokens."""

    items: Sequence[Item]
    skipped: Sequence[Skipped]
    size: int
    newest: float | None
    last: float | None
    next: str | None


def batch_of(answer: object, what: str, own: frozenset[str]) -> Batch:
    """A page of ``posts`` or ``comments``; ``Unavailable`` if it is none. What was deleted or removed is left out."""
    views = _entries(answer, what)
    items: list[Item] = []
    skipped: list[Skipped] = []
    times: list[float] = []
    for view in views:
        try:
            item = item_of(view, own)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            skipped.append(Skipped(_label(view), f"{type(error).__name__}: not a sound post or comment"))
            continue
        times.append(item.published_at.timestamp())
        if not is_withdrawn(view):
            items.append(item)
    token = answer.get("next_page") if isinstance(answer, Mapping) and views else None
    following = token if isinstance(token, str) and token.isascii() and token.isprintable() else None
    return Batch(items, skipped, len(views), max(times, default=None), times[-1] if times else None, following or None)


def item_of(view: Mapping[str, Any], own: frozenset[str] = frozenset()) -> Item:
    """A post or comment with all around it as an item; ``KeyError``, ``TypeError``, ``AttributeError`` or ``ValueError`` if
    it is damaged. ``own``: the handles of the brand's accounts, in lower case."""
    kind, thing = _thing(view)
    address = _address(thing["ap_id"])
    author = _author(view.get("creator"))
    community = view.get("community")
    return Item(
        external_id=prefixed_id("", address),
        kind=Kind.POST if author and (author.name or "").lower() in own else Kind.MENTION,
        published_at=_time(thing.get("published_at") or thing["published"]),
        updated_at=_edited(thing),
        title=_text(thing.get("name")),
        text=_text(thing.get("body") if kind == "post" else thing["content"]),
        url=address,
        author=author,
        counts=counts_of(view),
        place=handle_of(community) if isinstance(community, Mapping) else None,
        parent_title=_text(view["post"].get("name")) if kind == "comment" and _is_map(view.get("post")) else None,
        attributes=_attributes(kind, thing, view),
    )


def counts_of(view: Mapping[str, Any]) -> Counts:
    """Likes are votes for it less those against it; they may be negative."""
    kind, thing = _thing(view)
    counts = view.get("counts")
    told: Mapping[str, Any] = counts if isinstance(counts, Mapping) else thing
    replies = told.get("comments") if kind == "post" else told.get("child_count")
    return Counts(likes=_whole(told.get("score")), comments=_whole(replies))


def is_withdrawn(view: Mapping[str, Any]) -> bool:
    """Was it deleted by its author or removed by a moderator?"""
    _, thing = _thing(view)
    return thing.get("deleted") is True or thing.get("removed") is True


def refreshed_of(answer: object, external_id: str) -> Refreshed:
    """What became of an item that was looked up; ``Unavailable`` if the answer tells of no post or comment."""
    view = _resolved(answer)
    if is_withdrawn(view):
        return Refreshed(external_id, counts=None, gone=True)
    return Refreshed(external_id, counts_of(view))


def subscribers_of(answer: object) -> int | None:
    """How many subscribe to a community; ``Unavailable`` if the answer tells of none."""
    view = answer.get("community_view") if isinstance(answer, Mapping) else None
    if not isinstance(view, Mapping):
        raise Unavailable("Lemmy: the answer is no community; trying again later")
    told = view.get("counts") if _is_map(view.get("counts")) else view.get("community")
    return _whole(told.get("subscribers")) if isinstance(told, Mapping) else None


def handle_of(entity: Mapping[str, Any]) -> str | None:
    """``name@server`` of a person or community."""
    name, address = entity.get("name"), entity.get("ap_id") or entity.get("actor_id")
    if not isinstance(name, str) or not name:
        return None
    host = _host(address) if isinstance(address, str) else None
    return storable(f"{name}@{host}" if host else name)


def _entries(answer: object, what: str) -> Sequence[Any]:
    if isinstance(answer, Mapping):
        for key in ("items", what):
            if isinstance(answer.get(key), list):
                return answer[key]  # type: ignore[no-any-return]
    raise Unavailable(f"Lemmy: the answer has no {what}; trying again later")


def _resolved(answer: object) -> Mapping[str, Any]:
    """v4 lays the view open, v3 puts it under the name of what it is."""
    if isinstance(answer, Mapping):
        for view in (answer, answer.get("comment"), answer.get("post")):
            if isinstance(view, Mapping) and _is_map(view.get("creator")) and _is_thing(view):
                return view
    raise Unavailable("Lemmy: the answer is no post or comment; trying again later")


def _is_thing(view: Mapping[str, Any]) -> bool:
    return _is_map(view.get("comment")) or _is_map(view.get("post"))


def _thing(view: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    kind = "comment" if "comment" in view else "post"
    thing = view[kind]
    if not isinstance(thing, Mapping):
        raise TypeError("neither a post nor a comment")
    return kind, thing


def _label(view: object) -> str:
    try:
        kind, thing = _thing(view)  # type: ignore[arg-type]
    except (TypeError, KeyError, AttributeError):
        return "an entry of another kind"
    number = _whole(thing.get("id"))
    return f"{kind} {number}"[:40] if number is not None else f"a {kind} without an id"


def _is_map(value: object) -> bool:
    return isinstance(value, Mapping)


def _address(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"https?://[^\s\x00-\x1f\ud800-\udfff]{1,1990}", value):
        raise ValueError("no address")
    return value


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).netloc.rpartition("@")[2] or None
    except ValueError:
        return None


def _author(creator: object) -> Author | None:
    if not isinstance(creator, Mapping) or creator.get("deleted") is True:
        return None
    handle = handle_of(creator)
    return Author(id=handle, name=handle) if handle else None


def _time(value: object) -> datetime:
    """Lemmy tells UTC, older versions without saying so."""
    if not isinstance(value, str):
        raise ValueError("no time")
    try:
        at = datetime.fromisoformat(value)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("no time") from error


def _edited(thing: Mapping[str, Any]) -> datetime | None:
    try:
        return _time(thing.get("updated_at") or thing.get("updated"))
    except ValueError:
        return None


def _text(value: object) -> str | None:
    """Markdown as it was written; entities, which some versions put in, resolved."""
    return html.unescape(storable(value)).replace("\0", "").strip() or None if isinstance(value, str) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _attributes(kind: str, thing: Mapping[str, Any], view: Mapping[str, Any]) -> Mapping[str, str]:
    link, creator = thing.get("url"), view.get("creator")
    return {
        "type": kind,
        **({"link": storable(link)[:2000]} if isinstance(link, str) and link else {}),
        **({"nsfw": "true"} if thing.get("nsfw") is True else {}),
        **({"bot": "true"} if isinstance(creator, Mapping) and creator.get("bot_account") is True else {}),
    }
