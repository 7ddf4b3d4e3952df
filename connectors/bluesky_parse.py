"""PURE  Posts and profiles as Bluesky's API tells them -> items."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from connectors.contract import Author, Counts, Item, Kind, Refreshed, Skipped
from connectors.errors import Unavailable
from connectors.tidy import language_tag

SITE = "https://bsky.app"
MOST = 10**12
DAMAGE = (ValueError, TypeError, KeyError, AttributeError, OverflowError, IndexError)
_POST = re.compile(r"at://(did:[A-Za-z0-9._:%-]{1,200})/app\.bsky\.feed\.post/([A-Za-z0-9._:~-]{1,200})")
_NO_HANDLE = "handle.invalid"


@dataclass(frozen=True, slots=True)
class Batch:
    """One answer's posts, in seconds since 1970: ``newest`` was indexed last; below ``oldest`` nothing has been read."""

    items: Sequence[Item]
    skipped: Sequence[Skipped]
    newest: float | None
    oldest: float | None
    token: str | None


@dataclass(frozen=True, slots=True)
class Times:
    """When a post was indexed, and when its author's app claims that it was written (``None``: no sensible claim)."""

    indexed: datetime
    claimed: datetime | None

    @property
    def published(self) -> datetime:
        """The earlier one, by which Bluesky sorts: a claim may lie in the past, as of imported posts, not in the future."""
        return self.indexed if self.claimed is None else min(self.claimed, self.indexed)

    @property
    def is_believable(self) -> bool:
        return self.claimed is not None and self.claimed <= self.indexed


def found_of(answer: object, own: Collection[str]) -> Batch:
    """The page of a search; ``Unavailable`` where it is none. ``own``: handles and DIDs of the brand's accounts."""
    return _batch(_list(answer, "posts"), answer, lambda view: _kind(view, own))


def feed_of(answer: object) -> Batch:
    """The page of an account's posts, without what it reposted or pinned; reposts stand there by when they were made."""
    entries = _list(answer, "feed")
    views = [_inner(entry, "post") for entry in entries if not _inner(entry, "reason")]
    batch = _batch(views, answer, lambda _view: Kind.POST)
    times = [batch.oldest, *(_time_of_repost(_inner(entry, "reason")) for entry in entries)]
    return replace(
        batch, oldest=min((time for time in times if time is not None), default=None), token=_token(answer, entries)
    )


def _batch(views: Sequence[Any], answer: object, kind: Callable[[Any], Kind]) -> Batch:
    items: list[Item] = []
    skipped: list[Skipped] = []
    times: list[Times] = []
    for view in views:
        try:
            item = item_of(view, kind(view))
            times.append(times_of(view))
            items.append(item)
        except DAMAGE as error:
            skipped.append(Skipped(_name(view), f"{type(error).__name__}: not a post"))
    # What claims to be of the future stands where it does not belong, and says nothing of how far down the page reaches.
    oldest = [time.published.timestamp() for time in times if time.is_believable]
    newest = [time.indexed.timestamp() for time in times]
    return Batch(items, skipped, max(newest, default=None), min(oldest, default=None), _token(answer, views))


def _time_of_repost(reason: object) -> float | None:
    if not str(_inner(reason, "$type")).endswith("#reasonRepost"):
        return None
    try:
        return _time(_inner(reason, "indexedAt")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def item_of(view: Mapping[str, Any], kind: Kind) -> Item:
    """A post as an item; one of :data:`DAMAGE` where it is damaged."""
    uri, record, author = _text(view["uri"]), view["record"], view["author"]
    did, key = _post(uri)
    handle = _handle(author)
    return Item(
        external_id=uri,
        kind=kind,
        published_at=times_of(view).published,
        text=_words(record["text"]),
        url=f"{SITE}/profile/{handle or did}/post/{key}",
        language=_language(record.get("langs")),
        author=Author(_text(author["did"]), handle or _text(author["did"])),
        counts=counts_of(view),
        place="Bluesky",
        attributes=_attributes(record),
    )


def times_of(view: Mapping[str, Any]) -> Times:
    indexed = _time(view["indexedAt"])
    try:
        return Times(indexed, _time(view["record"].get("createdAt")))
    except (ValueError, TypeError, OverflowError):
        return Times(indexed, None)


def counts_of(view: Mapping[str, Any]) -> Counts:
    reposts, quotes = _count(view.get("repostCount")), _count(view.get("quoteCount"))
    shares = None if reposts is None else reposts + (quotes or 0)
    return Counts(likes=_count(view.get("likeCount")), shares=shares, comments=_count(view.get("replyCount")))


def refreshed_of(answer: object, uris: Sequence[str]) -> Sequence[Refreshed]:
    """What is still told of the posts asked for; the rest is gone."""
    views = _list(answer, "posts")
    told = {view["uri"]: view for view in views if isinstance(view, Mapping) and isinstance(view.get("uri"), str)}
    if len(told) < len(views) or not set(told) <= set(uris):
        raise Unavailable("bsky.app: the answer is about other posts than were asked for; trying again later")
    return [Refreshed(uri, counts_of(told[uri])) if uri in told else Refreshed(uri, None, gone=True) for uri in uris]


def followers_of(answer: object) -> Mapping[str, int | None]:
    """Followers of each profile told, by its DID and by its handle."""
    found: dict[str, int | None] = {}
    for profile in _list(answer, "profiles"):
        names = [profile.get("did"), profile.get("handle")] if isinstance(profile, Mapping) else []
        found |= {_fold(name): _count(profile.get("followersCount")) for name in names if isinstance(name, str)}
    return found


def is_post(uri: str) -> bool:
    return _POST.fullmatch(uri) is not None


def _list(answer: object, name: str) -> Sequence[Any]:
    entries = answer.get(name) if isinstance(answer, Mapping) else None
    if not isinstance(entries, list):
        raise Unavailable(f"bsky.app: the answer has no {name}; trying again later")
    return entries


def _token(answer: object, entries: Sequence[Any]) -> str | None:
    """The token of the next page; ``None`` at the end, which an empty page is even with a token."""
    token = answer.get("cursor") if isinstance(answer, Mapping) else None
    return token[:500] if isinstance(token, str) and token and entries else None


def _kind(view: Mapping[str, Any], own: Collection[str]) -> Kind:
    author = view["author"]
    names = {_fold(name) for name in (author.get("did"), author.get("handle")) if isinstance(name, str)}
    return Kind.MENTION if names.isdisjoint(own) else Kind.POST


def _fold(name: str) -> str:
    """DIDs as they are; handles in small letters."""
    return name if name.startswith("did:") else name.lower()


def _post(uri: str) -> tuple[str, str]:
    found = _POST.fullmatch(uri)
    if found is None:
        raise ValueError("not the address of a post")
    return found[1], found[2]


def _handle(author: Mapping[str, Any]) -> str | None:
    handle = author.get("handle")
    return (
        handle
        if isinstance(handle, str) and re.fullmatch(r"[A-Za-z0-9.-]{3,253}", handle) and handle != _NO_HANDLE
        else None
    )


def _words(text: object) -> str | None:
    """Plain text as it is: Bluesky knows no markup."""
    if not isinstance(text, str):
        raise TypeError("the text is none")
    return text.strip() or None


def _language(tags: object) -> str | None:
    first = tags[0] if isinstance(tags, list) and tags else None
    return language_tag(first) if isinstance(first, str) else None


def _attributes(record: Mapping[str, Any]) -> Mapping[str, str]:
    embed = record.get("embed")
    embeds = [entry for entry in (embed, _inner(embed, "media")) if isinstance(entry, Mapping)]
    quotes = any(str(entry.get("$type", "")).startswith("app.bsky.embed.record") for entry in embeds)
    found = {"type": "reply" if record.get("reply") else "quote" if quotes else "post"}
    links = (_inner(_inner(entry, "external"), "uri") for entry in embeds)
    link = next((link for link in links if isinstance(link, str) and link.startswith(("http://", "https://"))), None)
    return found | ({"link": link[:2000]} if link else {})


def _inner(value: object, name: str) -> object:
    return value.get(name) if isinstance(value, Mapping) else None


def _time(value: object) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("no text where there has to be one")
    return value


def _count(value: object) -> int | None:
    sound = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST
    return value if sound else None  # type: ignore[return-value]


def _name(view: object) -> str:
    uri = view.get("uri") if isinstance(view, Mapping) else None
    return f"post {uri.rpartition('/')[2]}" if isinstance(uri, str) and is_post(uri) else "a post without an address"


def dids_of(items: Iterable[Item]) -> Sequence[str]:
    """The authors, each once."""
    return list(dict.fromkeys(item.author.id for item in items if item.author is not None))
