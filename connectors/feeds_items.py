"""PURE  An entry of a feed, whatever its format -> Item: identity, dates, author, place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from urllib.parse import urljoin, urlsplit

from connectors.contract import MAX_ID, Author, Counts, Item, Kind
from connectors.tidy import digest, language_tag, prefixed_id

GOOGLE_NEWS = "news.google.com"
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
LATEST_AHEAD = timedelta(days=1)
"""Dates before 1990 or more than a day ahead are mistakes of the feed's software, not dates."""

_LONGEST_NAME = 200
_LONGEST_ATTRIBUTE = 500


@dataclass(frozen=True, slots=True)
class Entry:
    """What one entry says. All text is plain; ``id`` and ``link`` are as written, so that a feed that moves keeps its ids;
    ``stamp`` is its date as written, ``source`` the feed it was taken from.
    """

    id: str | None = None
    link: str | None = None
    title: str | None = None
    text: str | None = None
    stamp: str = ""
    published: datetime | None = None
    updated: datetime | None = None
    author: str | None = None
    author_link: str | None = None
    language: str | None = None
    source: str | None = None
    counts: Counts = field(default_factory=Counts)
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def empty(self) -> bool:
        """Nothing that could be shown or told apart."""
        return not (self.id or self.link or self.title or self.text)


@dataclass(frozen=True, slots=True)
class Document:
    """A feed as it was answered from ``address``. ``whole``: it was not cut off before its end; ``cut``: within an entry,
    which is left out."""

    address: str
    title: str | None
    language: str | None
    site: str | None
    entries: Sequence[Entry]
    whole: bool = True
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Making:
    """How the entries of one feed become items. ``prefix`` begins every id, so that two feeds never collide."""

    prefix: str
    kind: Kind
    place: str | None
    google: bool = False
    shared_ids: bool = False


def prefix_of(address: str) -> str:
    """What the ids of a feed's items begin with: its host and a short hash, since an address can hold a secret."""
    return f"{(urlsplit(address).hostname or 'feed')[:80]}#{digest(address)[:8]}:"


def is_google(address: str, document: Document) -> bool:
    """Is this one of Google News' feeds, whose titles end with the publisher?"""
    sites = (address, joined(address, document.site) or "")
    return any(urlsplit(site).hostname == GOOGLE_NEWS for site in sites)


def ids_are_shared(entries: Sequence[Entry]) -> bool:
    """Does this feed give one id to entries that differ in link and title, so that its ids tell nothing apart?"""
    first: dict[str, Entry] = {}
    for entry in entries:
        if entry.id:
            other = first.setdefault(entry.id, entry)
            if other.link != entry.link and other.title != entry.title:
                return True
    return False


def external_id(entry: Entry, making: Making) -> str:
    """The entry's own id, else its link, else a hash of title, date and text; at most ``MAX_ID`` characters."""
    key = entry.id or entry.link or digest("\n".join((entry.title or "", entry.stamp, entry.text or "")))[:32]
    if making.shared_ids and entry.id:
        key = f"{entry.id} {digest(f'{entry.link} {entry.title}')[:16]}"
    return prefixed_id(making.prefix, key)


def published(entry: Entry, now: datetime, before: datetime | None) -> datetime:
    """When the entry appeared: as remembered ``before``, else as it says, else ``now``; whole seconds."""
    said = next((date for date in (entry.published, entry.updated) if date and _sane(date, now)), None)
    return (before or said or now).replace(microsecond=0)


def item_of(entry: Entry, document: Document, making: Making, at: datetime, now: datetime) -> Item:
    """The entry as an item published ``at``."""
    title, place = entry.title, document.title
    if making.google and entry.source:
        title, place = _without_publisher(title, entry.source), entry.source
    edited = entry.updated if entry.updated and _sane(entry.updated, now) and entry.updated > at else None
    return Item(
        external_id=external_id(entry, making),
        kind=making.kind,
        published_at=at,
        updated_at=edited,
        title=title,
        text=None if making.google else entry.text,
        url=joined(document.address, entry.link),
        language=language_tag(entry.language or document.language),
        author=_author(entry, making.prefix),
        counts=entry.counts,
        place=making.place or (place or "")[:_LONGEST_NAME] or None,
        attributes={**_bounded(entry.attributes), **({} if _dated(entry, now) else {"dated": "first seen"})},
    )


def joined(base: str, link: str | None) -> str | None:
    """A link as a full address of the web, ``None`` if it is none."""
    try:
        whole = urljoin(base, link) if link else ""
    except ValueError:
        return None
    return whole if whole.startswith(("http://", "https://")) else None


def key_hash(item_id: str) -> str:
    """The short form in which an id is remembered in the cursor."""
    return digest(item_id)[:12]


def remembered(known: Mapping[str, int], shown: Mapping[str, int], *, at_most: int) -> dict[str, int]:
    """The known entries after this document: all that it showed, then the latest of the older ones up to ``at_most``."""
    older = sorted(((at, key) for key, at in known.items() if key not in shown), reverse=True)
    room = max(at_most - len(shown), 0)
    return dict(shown) | {key: at for at, key in older[:room]}


def _dated(entry: Entry, now: datetime) -> bool:
    return any(date and _sane(date, now) for date in (entry.published, entry.updated))


def _sane(date: datetime, now: datetime) -> bool:
    return EARLIEST <= date <= now + LATEST_AHEAD


def _author(entry: Entry, prefix: str) -> Author | None:
    name = (entry.author or "").strip()[:_LONGEST_NAME]
    if not name and not entry.author_link:
        return None
    return Author(id=(entry.author_link or prefix + name)[:MAX_ID], name=name or None)


def _without_publisher(title: str | None, publisher: str) -> str | None:
    return title.removesuffix(f" - {publisher}") if title else title


def _bounded(attributes: Mapping[str, str]) -> dict[str, str]:
    return {name: value[:_LONGEST_ATTRIBUTE] for name, value in attributes.items() if value}
