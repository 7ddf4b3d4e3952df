"""PURE  What the YouTube Data API answers -> items, counts, times."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from connectors.contract import Author, Counts, Item, Kind, Refreshed, Skipped
from connectors.tidy import language_tag, storable
from connectors.youtube_options import SITE

VIDEO, COMMENT = "video:", "comment:"
"""What the identities of videos and of comments begin with."""

_ID = re.compile(r"[A-Za-z0-9_.=-]{1,200}")
_DAMAGE = (ValueError, TypeError, KeyError, AttributeError, OverflowError)


@dataclass(frozen=True, slots=True)
class Film:
    """What its comments need to know of a video."""

    title: str | None
    channel: str | None


@dataclass(frozen=True, slots=True)
class Hit:
    """A video in a search or among uploads: only its id and when it was published (``None``: unreadable)."""

    id: str
    at: float | None


@dataclass(frozen=True, slots=True)
class Thread:
    """A top comment with as many of its replies as were shown. ``lacks_replies``: there are more."""

    id: str
    video: str | None
    replies: int
    lacks_replies: bool
    at: float


def moment(said: object) -> datetime:
    """A time as the API writes it (``2026-11-01T12:00:00Z``); ``ValueError`` or ``TypeError`` where it is none."""
    found = datetime.fromisoformat(said)  # type: ignore[arg-type]
    if found.tzinfo is None:
        raise ValueError("a time without its zone")
    return found.astimezone(UTC)


def stamp(at: float) -> str:
    """Seconds since 1970 as the API takes a time."""
    return datetime.fromtimestamp(int(at), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def hits_of(entries: Sequence[Any]) -> list[Hit]:
    """The videos that a search or a playlist names, each once; channels and playlists among them are left out."""
    found: dict[str, Hit] = {}
    for entry in entries:
        number = _video_named(entry)
        if number is not None:
            found.setdefault(number, Hit(number, _published(entry)))
    return list(found.values())


def _video_named(entry: object) -> str | None:
    if not isinstance(entry, Mapping):
        return None
    snippet = _part(entry, "snippet")
    places = (entry.get("id"), entry.get("contentDetails"), snippet.get("resourceId"))
    named = (place.get("videoId") for place in places if isinstance(place, Mapping))
    return next((number for number in named if is_id(number)), None)


def _published(entry: Mapping[str, Any]) -> float | None:
    said = _part(entry, "contentDetails").get("videoPublishedAt") or _part(entry, "snippet").get("publishedAt")
    try:
        return moment(said).timestamp()
    except _DAMAGE:
        return None


def videos_of(entries: Sequence[Any], own: frozenset[str]) -> tuple[list[Item], list[Skipped]]:
    """Videos as items; those of ``own`` channels are own posts."""
    return _each(entries, "video", lambda entry: iter([video_of(entry, own)]))


def video_of(entry: Mapping[str, Any], own: frozenset[str]) -> Item:
    number, snippet = _identity(entry), entry["snippet"]
    channel = snippet.get("channelId")
    return Item(
        external_id=VIDEO + number,
        kind=Kind.POST if channel in own else Kind.MENTION,
        published_at=moment(snippet["publishedAt"]),
        title=_text(snippet.get("title")),
        text=_text(snippet.get("description")),
        url=f"{SITE}/watch?v={number}",
        language=language_tag(_said(snippet, "defaultAudioLanguage") or _said(snippet, "defaultLanguage")),
        author=_author(channel, snippet.get("channelTitle")),
        counts=video_counts(entry),
        place=_text(snippet.get("channelTitle")),
        attributes={"type": "video"},
    )


def film_of(item: Item) -> Film:
    return Film(item.title, item.place)


def video_counts(entry: Mapping[str, Any]) -> Counts:
    """What the owner hides is absent, hence unknown."""
    held = _part(entry, "statistics")
    return Counts(
        likes=_count(held.get("likeCount")),
        comments=_count(held.get("commentCount")),
        views=_count(held.get("viewCount")),
    )


def threads_of(
    entries: Sequence[Any], films: Mapping[str, Film], own: frozenset[str]
) -> tuple[list[Item], list[Skipped], list[Thread]]:
    """Top comments and the replies shown with them, newest thread first as listed, and the threads themselves."""
    threads = [thread for thread in map(_thread, entries) if thread is not None]
    items, skipped = _each(entries, "thread", lambda entry: iter([_top(entry, films, own)]))
    for entry in entries:
        shown, faulty = replies_of(_shown(entry), _video_in(entry), films, own)
        items += shown
        skipped += faulty
    return items, skipped, threads


def videos_named(entries: Sequence[Any]) -> list[str]:
    """The videos that threads stand under, each once."""
    return list(dict.fromkeys(video for video in map(_video_in, entries) if video))


def replies_of(
    entries: Sequence[Any], video: str | None, films: Mapping[str, Film], own: frozenset[str]
) -> tuple[list[Item], list[Skipped]]:
    return _each(entries, "reply", lambda entry: iter([comment_of(entry, video, films, own)]))


def comment_of(
    entry: Mapping[str, Any],
    video: str | None,
    films: Mapping[str, Film],
    own: frozenset[str],
    replies: int | None = None,
) -> Item:
    number, snippet = _identity(entry), entry["snippet"]
    at = moment(snippet["publishedAt"])
    edited = moment(snippet["updatedAt"]) if snippet.get("updatedAt") else at
    writer = _part(snippet, "authorChannelId").get("value")
    film = films.get(video or "", Film(None, None))
    return Item(
        external_id=COMMENT + number,
        kind=Kind.POST if writer in own else Kind.MENTION,
        published_at=at,
        updated_at=edited if edited > at else None,
        text=_text(snippet.get("textOriginal") or snippet.get("textDisplay")),
        url=_comment_url(number, video, snippet.get("channelId")),
        author=_author(writer, snippet.get("authorDisplayName")),
        counts=Counts(likes=_count(snippet.get("likeCount")), comments=replies),
        place=film.channel,
        parent_title=film.title,
        attributes={"type": "reply" if "." in number else "comment"},
    )


def _top(entry: Mapping[str, Any], films: Mapping[str, Film], own: frozenset[str]) -> Item:
    snippet = entry["snippet"]
    return comment_of(
        snippet["topLevelComment"], _video_in(entry), films, own, replies=_count(snippet.get("totalReplyCount"))
    )


def _thread(entry: object) -> Thread | None:
    """The thread, if its time and identity can be read."""
    try:
        snippet = entry["snippet"]  # type: ignore[index]
        at = moment(snippet["topLevelComment"]["snippet"]["publishedAt"]).timestamp()
        number = _identity(entry)  # type: ignore[arg-type]
    except _DAMAGE:
        return None
    count = _count(snippet.get("totalReplyCount")) or 0
    return Thread(number, _video_in(entry), count, count > len(_shown(entry)), at)


def _shown(entry: object) -> Sequence[Any]:
    held = _part(_part(entry, "replies"), "comments", of=list)
    return held if isinstance(held, list) else ()


def _video_in(entry: object) -> str | None:
    snippet = _part(entry, "snippet")
    places = (snippet, _part(_part(snippet, "topLevelComment"), "snippet"))
    return next((place["videoId"] for place in places if is_id(place.get("videoId"))), None)


def refreshed_of(entries: Sequence[Any], prefix: str, asked: Iterable[str]) -> Iterator[Refreshed]:
    """The counts of each id asked for; what the answer lacks is gone. ``ValueError`` where an entry cannot be told apart."""
    found: dict[str, Counts] = {}
    for entry in entries:
        try:
            found[_identity(entry)] = _counts_of(entry, prefix)
        except _DAMAGE as error:
            raise ValueError("an entry without its id") from error
    for number in asked:
        yield Refreshed(prefix + number, found.get(number), gone=number not in found)


def _counts_of(entry: Mapping[str, Any], prefix: str) -> Counts:
    if prefix == VIDEO:
        return video_counts(entry)
    snippet = _part(entry, "snippet")
    top = _part(_part(snippet, "topLevelComment"), "snippet") or snippet
    return Counts(likes=_count(top.get("likeCount")), comments=_count(snippet.get("totalReplyCount")))


def subscribers_of(entry: object) -> tuple[str, int] | None:
    """A channel's id and its subscribers (rounded by YouTube); ``None`` where it hides them."""
    held = _part(entry, "statistics")
    number = entry.get("id") if isinstance(entry, Mapping) else None
    count = _count(held.get("subscriberCount"))
    if not is_id(number) or count is None or held.get("hiddenSubscriberCount") is True:
        return None
    return str(number), count


def is_id(value: object) -> bool:
    return isinstance(value, str) and bool(_ID.fullmatch(value))


def _each(entries: Sequence[Any], what: str, parse: Any) -> tuple[list[Item], list[Skipped]]:
    """Each entry as its items; what is damaged is skipped. One that is listed twice comes once."""
    items: dict[str, Item] = {}
    skipped: list[Skipped] = []
    for entry in entries:
        try:
            items.update((item.external_id, item) for item in parse(entry))
        except _DAMAGE as error:
            skipped.append(Skipped(_name(entry, what), f"{type(error).__name__}: not a {what}"))
    return list(items.values()), skipped


def _name(entry: object, what: str) -> str:
    number = entry.get("id") if isinstance(entry, Mapping) else None
    return f"{what} {number}" if is_id(number) else f"a {what} without an id"


def _identity(entry: Mapping[str, Any]) -> str:
    number = entry["id"]
    if not is_id(number):
        raise ValueError("not an id")
    return str(number)


def _comment_url(number: str, video: str | None, channel: object) -> str | None:
    if video:
        return f"{SITE}/watch?v={video}&lc={number}"
    return f"{SITE}/channel/{channel}" if is_id(channel) else None


def _author(number: object, name: object) -> Author | None:
    shown = _text(name)
    known = str(number) if is_id(number) else shown
    return Author(id=known[:200], name=shown) if known else None


def _text(said: object) -> str | None:
    """Plain text as it is: the API was asked for no markup."""
    if said is not None and not isinstance(said, str):
        raise TypeError("not a text")
    return storable(said).strip() or None if said else None


def _said(held: Mapping[str, Any], name: str) -> str | None:
    value = held.get(name)
    return value if isinstance(value, str) else None


def _count(value: object) -> int | None:
    """A count, which the API writes as a number or in digits."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 16:
        return int(value)
    sound = isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 10**15
    return value if sound else None  # type: ignore[return-value]


def _part(held: object, name: str, of: type = Mapping) -> Any:
    value = held.get(name) if isinstance(held, Mapping) else None
    return value if isinstance(value, of) else {}
