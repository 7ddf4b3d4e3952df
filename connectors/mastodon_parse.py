"""PURE  Statuses as a Mastodon server tells them -> items. What people do not want to be found is left out here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from connectors.contract import Author, Counts, Item, Kind, Refreshed, Skipped
from connectors.errors import Unavailable
from connectors.mastodon_options import full_name
from connectors.text import plain_text
from connectors.tidy import language_tag

OPEN = frozenset({"public", "unlisted"})
"""Whom a status is for, where that is everyone."""
MOST = 10**12
DAMAGE = (ValueError, TypeError, KeyError, AttributeError, OverflowError)


@dataclass(frozen=True, slots=True)
class Batch:
    """One answer's statuses. ``newest_id`` and the times, in seconds, span all that were told, wanted or not."""

    items: Sequence[Item]
    skipped: Sequence[Skipped]
    size: int
    newest_id: int | None
    newest: float | None
    oldest: float | None

    @property
    def span(self) -> object:
        """By this a page that comes a second time is known."""
        return self.size, self.newest_id, self.oldest


@dataclass(frozen=True, slots=True)
class Reader:
    """How the statuses of one server are read. ``own``: the brand's accounts in full; ``boosts``: theirs are wanted."""

    host: str
    own: frozenset[str] = frozenset()
    boosts: bool = False
    only_indexable: bool = False

    def batch(self, answer: object, *, searched: bool = False) -> Batch:
        """``Unavailable`` where the answer is no list of statuses of Mastodon."""
        entries = _entries(answer, self.host)
        items: list[Item] = []
        skipped: list[Skipped] = []
        ids, times = _ids(entries), _times(entries)
        if entries and not ids:
            raise Unavailable(
                f"{self.host}: no status has an id of Mastodon's; only servers that run Mastodon are read"
            )
        for entry in entries:
            try:
                if self.wants(entry, searched=searched):
                    items.append(self.item(entry))
            except DAMAGE as error:
                skipped.append(Skipped(_name(entry), f"{type(error).__name__}: not a status"))
        return Batch(
            items, skipped, len(entries), max(ids, default=None), max(times, default=None), min(times, default=None)
        )

    def wants(self, status: Mapping[str, Any], *, searched: bool) -> bool:
        """Is it for everyone, and its author willing to be found? Their own accounts are the brand's to show."""
        if status["visibility"] not in OPEN:
            return False
        account = status["account"]
        if self._is_own(account):
            return self.boosts or status.get("reblog") is None
        refused = account.get("noindex") is True
        unasked = account.get("indexable") is False and (searched or self.only_indexable)
        return not refused and not unasked and status.get("reblog") is None

    def item(self, status: Mapping[str, Any]) -> Item:
        """A status as an item; one of :data:`DAMAGE` where it is damaged."""
        boosted = status.get("reblog")
        said = status if boosted is None else boosted
        account = status["account"]
        author = full_name(_text(account["acct"]), self.host)
        edited = said.get("edited_at")
        return Item(
            external_id=f"{self.host}/{id_of(status)}",
            kind=Kind.POST if self._is_own(account) else Kind.MENTION,
            published_at=time_of(status["created_at"]),
            updated_at=time_of(edited) if edited else None,
            title=_optional(said.get("spoiler_text")),
            text=plain_text(said["content"]),
            url=_link(status),
            language=language_tag(said.get("language")),
            author=Author(author, _optional(account.get("display_name")) or author, followers_of(account)),
            counts=counts_of(status) if boosted is None else Counts(),
            place=author.partition("@")[2],
            attributes=_attributes(status, said),
        )

    def _is_own(self, account: Mapping[str, Any]) -> bool:
        return full_name(_text(account["acct"]), self.host) in self.own


def refreshed_of(answer: object, ids: Mapping[int, str], host: str) -> Sequence[Refreshed]:
    """What the server still tells of the statuses asked for by ``ids`` (number -> external id); the rest is gone."""
    entries = _entries(answer, host)
    told = {id_of(entry): entry for entry in entries if isinstance(entry, Mapping) and _has_id(entry)}
    if len(told) < len(entries) or not set(told) <= set(ids):
        raise Unavailable(f"{host}: the answer is about other statuses than were asked for; trying again later")
    return [
        Refreshed(name, counts_of(told[number])) if number in told else Refreshed(name, None, gone=True)
        for number, name in ids.items()
    ]


def counts_of(status: Mapping[str, Any]) -> Counts:
    return Counts(
        likes=_count(status.get("favourites_count")),
        shares=_count(status.get("reblogs_count")),
        comments=_count(status.get("replies_count")),
    )


def followers_of(account: Mapping[str, Any]) -> int | None:
    return _count(account.get("followers_count"))


def id_of(entry: Mapping[str, Any]) -> int:
    """A status' or an account's number; ``ValueError`` where it is none, as on servers that are not Mastodon."""
    number = entry["id"]
    if isinstance(number, bool) or not isinstance(number, int | str):
        raise TypeError("the id is no number")
    if not str(number).isascii() or not str(number).isdigit() or len(str(number)) > 20:
        raise ValueError("the id is no number of Mastodon's")
    return int(number)


def time_of(value: object) -> datetime:
    """A time as Mastodon writes it, in UTC; one without a zone is in UTC."""
    moment = datetime.fromisoformat(_text(value))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def _entries(answer: object, host: str) -> Sequence[Any]:
    if not isinstance(answer, list):
        raise Unavailable(f"{host}: the answer is no list of statuses; trying again later")
    return answer


def _ids(entries: Sequence[Any]) -> list[int]:
    return [id_of(entry) for entry in entries if _has_id(entry)]


def _has_id(entry: object) -> bool:
    try:
        id_of(entry)  # type: ignore[arg-type]
    except DAMAGE:
        return False
    return True


def _times(entries: Sequence[Any]) -> list[float]:
    found: list[float] = []
    for entry in entries:
        try:
            found.append(time_of(entry["created_at"]).timestamp())
        except DAMAGE:
            continue
    return found


def _attributes(status: Mapping[str, Any], said: Mapping[str, Any]) -> Mapping[str, str]:
    boosted, answers = said is not status, said.get("in_reply_to_id") is not None
    found = {"type": "boost" if boosted else "reply" if answers else "post", "visibility": _text(status["visibility"])}
    if boosted and (link := _link(said)):
        found["boost_of"] = link
    if said.get("sensitive") is True:
        found["sensitive"] = "yes"
    if status["account"].get("bot") is True:
        found["bot"] = "yes"
    return found


def _link(status: Mapping[str, Any]) -> str | None:
    for link in (status.get("url"), status.get("uri")):
        if isinstance(link, str) and urlsplit(link).scheme in ("http", "https"):
            return link[:2000]
    return None


def _text(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise TypeError("no text where there has to be one")
    return value


def _optional(value: object) -> str | None:
    return None if value is None or value == "" else _text(value).strip() or None


def _count(value: object) -> int | None:
    sound = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST
    return value if sound else None  # type: ignore[return-value]


def _name(entry: object) -> str:
    return f"status {id_of(entry)}" if isinstance(entry, Mapping) and _has_id(entry) else "a status without an id"
