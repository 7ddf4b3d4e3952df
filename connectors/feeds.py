"""RSS, Atom and JSON feeds: blogs, news, forums, comment feeds. No key needed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import ConfigDict, Field, field_validator

from connectors.contract import (
    Capabilities,
    Context,
    Cursor,
    Gap,
    Item,
    JsonValue,
    Kind,
    Options,
    Page,
    Plugin,
    Scope,
    Skipped,
    from_epoch,
)
from connectors.errors import NotThere, RateLimited, SourceError, Unavailable
from connectors.feeds_items import (
    Document,
    Making,
    external_id,
    ids_are_shared,
    is_google,
    item_of,
    key_hash,
    prefix_of,
    published,
    remembered,
)
from connectors.feeds_parse import NotAFeed, discover, read
from connectors.http import Answer, Validators, host_of

__all__ = ["PLUGIN", "FeedOptions", "Feeds", "discover"]

MAX_ENTRIES = 5_000
"""Entries of one document that are read; more give a gap."""
KNOWN_AT_MOST = 1_000
"""Entries that are remembered in the cursor, beside those that the feed shows now."""
ITEMS_A_PAGE = 500
ACCEPT = "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.5"


class FeedOptions(Options):
    model_config = ConfigDict(hide_input_in_errors=True)  # a refused address may hold a secret, too

    url: str = Field(
        repr=False, description="The feed's address (RSS, Atom or JSON Feed); a secret in it is never shown."
    )
    kind: Literal["mention", "post", "review"] = Field(
        default="mention", description='What its entries are: "post" for the brand\'s own blog, "review", or "mention".'
    )
    place: str | None = Field(default=None, description="The publisher's name, instead of the feed's title.")

    @field_validator("url")
    @classmethod
    def _is_web(cls, url: str) -> str:
        url = re.sub(r"^feed:(//)?(?!https?:)", "https://", url.strip()).removeprefix("feed:")
        if not re.match(r"https?://[^/\s]+", url, re.IGNORECASE):
            raise ValueError('a feed\'s address begins with https:// (or http://); add url = "https://..."')
        return url


@dataclass(frozen=True, slots=True)
class Memory:
    """What the cursor holds of a feed: validators, where it moved, and when each known entry was published."""

    address: str
    validators: Validators = field(default_factory=Validators)
    moved_to: str | None = None
    known: Mapping[str, int] = field(default_factory=dict)
    shared_ids: bool = False

    @classmethod
    def from_json(cls, cursor: Cursor | None, address: str) -> Memory:
        """The memory in a cursor; an empty one if it is of another address, which loses nothing."""
        if not cursor or cursor.get("address") != address:
            return cls(address)
        known = cursor.get("known")
        pairs = known.items() if isinstance(known, Mapping) else ()
        return cls(
            address,
            Validators(_text(cursor.get("etag")), _text(cursor.get("last_modified"))),
            _text(cursor.get("moved_to")),
            {key: at for key, at in pairs if isinstance(at, int)},
            cursor.get("shared_ids") is True,
        )

    def to_json(self) -> Cursor:
        return {
            "address": self.address,
            "etag": self.validators.etag,
            "last_modified": self.validators.last_modified,
            "moved_to": self.moved_to,
            "known": dict(self.known),
            "shared_ids": self.shared_ids,
        }


class Feeds:
    """Reads the whole feed each time, unless it says that nothing changed; identity keeps what was known apart."""

    def __init__(self, options: FeedOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._url = _at_base(options.url, options.base_url)
        self._prefix = prefix_of(options.url)

    def check(self) -> None:
        self._read(self._url, Validators())

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        """The feed as it is now, all of it: its publisher chose how far it reaches, so ``since`` does not matter."""
        before = Memory.from_json(cursor, self._prefix)
        answer, document, moved_to = self._answer(before)
        if document is None:
            yield Page((), replace(before, moved_to=moved_to).to_json())
            return
        items, skipped, known = self._items(document, before)
        after = Memory(
            self._prefix,
            answer.validators if document.whole else Validators(),
            moved_to,
            remembered(before.known, known, at_most=KNOWN_AT_MOST),
            self._making(document, before).shared_ids,
        )
        yield from _pages(items, after, skipped, _gap(document, before.known, known))

    def close(self) -> None:
        self._context.http.close()

    def _answer(self, before: Memory) -> tuple[Answer, Document | None, str | None]:
        """The answer, what is in it (``None``: not modified) and where the feed moved; the old address is the way back."""
        if before.moved_to:
            try:
                answer, document = self._read(before.moved_to, before.validators)
                return answer, document, answer.moved_to or before.moved_to
            except RateLimited:
                raise
            except SourceError:
                if self._context.stop.is_set():
                    raise
        answer, document = self._read(self._url, Validators() if before.moved_to else before.validators)
        return answer, document, answer.moved_to

    def _read(self, url: str, validators: Validators) -> tuple[Answer, Document | None]:
        answer = self._context.http.get(url, headers={"Accept": ACCEPT}, validators=validators)
        if answer.not_modified:
            return answer, None
        try:
            return answer, read(answer.body, answer.headers.get("content-type", ""), answer.url)
        except NotAFeed as error:
            raise _fate(error, answer.url) from error

    def _items(self, document: Document, before: Memory) -> tuple[list[Item], list[Skipped], dict[str, int]]:
        """Each entry once, what was left out, and when each was published, by the hash of its id."""
        making, now = self._making(document, before), self._context.now()
        items: dict[str, Item] = {}
        skipped: list[Skipped] = []
        known: dict[str, int] = {}
        for number, entry in enumerate(document.entries[:MAX_ENTRIES], 1):
            if entry.empty:
                skipped.append(Skipped(f"entry {number}", "has neither an id nor a link, title or text"))
                continue
            key = key_hash(external_id(entry, making))
            remembered_at = before.known.get(key, known.get(key))
            at = published(entry, now, None if remembered_at is None else from_epoch(remembered_at))
            item = item_of(entry, document, making, at, now)
            items.setdefault(item.external_id, item)
            known[key] = int(at.timestamp())
        if document.cut:
            skipped.append(Skipped(f"entry {len(document.entries) + 1}", "the feed ends within it; it is read again"))
        return list(items.values()), skipped, known

    def _making(self, document: Document, before: Memory) -> Making:
        return Making(
            self._prefix,
            Kind(self._options.kind),
            self._options.place,
            google=is_google(self._options.url, document),
            shared_ids=before.shared_ids or ids_are_shared(document.entries),
        )


def _pages(items: Sequence[Item], after: Memory, skipped: Sequence[Skipped], gap: Gap | None) -> Iterator[Page]:
    """The items in pages; only the last one carries the cursor, since a feed can only be read whole."""
    last = max(len(items) - 1, 0) // ITEMS_A_PAGE
    for number in range(last):
        yield Page(items[number * ITEMS_A_PAGE : (number + 1) * ITEMS_A_PAGE], None)
    yield Page(items[last * ITEMS_A_PAGE :], after.to_json(), skipped, gap)


def _gap(document: Document, known: Mapping[str, int], shown: Mapping[str, int]) -> Gap | None:
    """A gap if the feed has more than is read, or has scrolled past everything that was known."""
    count = len(document.entries)
    if count > MAX_ENTRIES:
        return Gap(f"the feed has {count:,} entries; the first {MAX_ENTRIES:,} were read", missing=count - MAX_ENTRIES)
    if len(shown) < 2 or not known or known.keys() & shown.keys():
        return None
    newest_known, oldest_shown = max(known.values()), min(shown.values())
    if oldest_shown <= newest_known:
        return None
    reason = f"the feed shows only its last {len(shown)} entries and all are new; some before them may have been missed"
    return Gap(reason, from_epoch(newest_known), from_epoch(oldest_shown))


def _fate(error: NotAFeed, url: str) -> SourceError:
    """A page that names its feeds was taken for one of them; any other surprise may pass."""
    host = host_of(url)
    named = discover(error.page, url) if error.page else []
    if named:
        return NotThere(f'{host}: this is a web page, not a feed; it names one: set url = "{named[0][:300]}"')
    return Unavailable(f"{host}: the answer is not a feed that can be read: {error}; trying again later")


def _at_base(url: str, base_url: str | None) -> str:
    if base_url is None:
        return url
    base, parts = urlsplit(base_url), urlsplit(url)
    return urlunsplit((base.scheme, base.netloc, parts.path or "/", parts.query, ""))


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) and value else None


_FEED_LINK = re.compile(
    r"""(?ix) (?: feed:\S+
    | https?://[^/\s]+ (?: /[^?\#\s]*? )?
      (?: \.(?:rss|atom|rdf|xml) | /feed\.json | /(?:feeds?|rss|atom)(?:/[\w.-]*)? | /rss/[^?\#\s]+ | (?=/?\?\S*\bfeed=) ) /?
      (?: \?\S* )? (?:\#\S*)? )"""
)


def _recognise(link: str) -> Mapping[str, JsonValue] | None:
    link = link.strip()
    return {"url": link} if _FEED_LINK.fullmatch(link) and "sitemap" not in link.lower() else None


PLUGIN = Plugin(
    name="feeds",
    title="RSS, Atom and JSON feeds",
    platform="feeds",
    options=FeedOptions,
    open=Feeds,
    capabilities=Capabilities(scope=Scope.STREAM, backfill=False, minimum_interval=timedelta(minutes=5)),
    recognise=_recognise,
    tried="recorded",
    notes="Public feeds; no key. A feed shows only its latest entries, so pull it often enough. Texts are their authors'.",
)
