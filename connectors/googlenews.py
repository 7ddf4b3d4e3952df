"""Google News: articles that name a keyword, by the RSS of its search, in any of its editions. No key needed."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, Field

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
from connectors.errors import Unavailable
from connectors.feeds_items import EARLIEST, LATEST_AHEAD, Document, Entry, Making, ids_are_shared, item_of
from connectors.feeds_parse import NotAFeed, read
from connectors.turns import Book, Refusal, take_turns

SITE = "https://news.google.com"
ENTRIES_AT_MOST = 100
"""Google News shows no more of a search."""
OVERLAP = timedelta(hours=6)
"""Re-read below the watermark: articles are found late."""
HOURS_AT_MOST = 100
"""A longer time is asked for in days."""

_EDITION = re.compile(r"([a-z]{2,3}(?:-(?:[A-Z][a-z]{3}|[0-9]{3}))?)-([A-Z]{2})")


def _edition(given: str) -> str:
    if _EDITION.fullmatch(given) is None:
        raise ValueError(f'{given[:40]!r} is no edition; write language and country, such as "de-DE"')
    return given


class GoogleNewsOptions(Options):
    query: str | None = Field(
        default=None,
        min_length=1,
        description="What to search for, as typed into Google News; without it the brands' keywords, one search each.",
    )
    editions: tuple[Annotated[str, AfterValidator(_edition)], ...] = Field(
        default=("en-US",),
        min_length=1,
        description='Which editions to search, as language and country, such as "en-GB" or "de-DE"; one search each.',
    )


class GoogleNews:
    """Asks each edition for each keyword, for the time since it was asked last. The cursor holds that time for each."""

    def __init__(self, options: GoogleNewsOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._base = (options.base_url or SITE).rstrip("/")

    def queries(self) -> Sequence[str]:
        if self._options.query is not None:
            return [self._options.query.strip()]
        return list(dict.fromkeys(quoted for quoted in map(_quoted, self._context.terms) if quoted))

    def check(self) -> None:
        self._document(self._options.editions[0], f"{next(iter(self.queries()), 'news')} when:1h")

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        keys = [f"{edition} {query}" for query in self.queries() for edition in self._options.editions]
        book = Book(cursor, keys)
        if keys:
            yield from take_turns(book, lambda key: self._search(key, book, since), _gap)

    def close(self) -> None:
        self._context.http.close()

    def _search(self, key: str, book: Book, since: datetime) -> Iterator[Page]:
        edition, _, query = key.partition(" ")
        now = self._context.now()
        start = max(min(_until(book.state(key)) or since, now), EARLIEST)
        document = self._document(edition, f"{query} {_when(now - start)}")
        items, skipped = _items(document, edition, now)
        if document.whole:
            book.note(key, {"until": now.timestamp()}, done=True)
        else:
            book.had_turn(key)
        full = len(document.entries) >= ENTRIES_AT_MOST
        yield Page(items, book.cursor(), skipped, _too_many(query, start, now) if full else None)

    def _document(self, edition: str, query: str) -> Document:
        answer = self._context.http.get(f"{self._base}/rss/search", {"q": query, **_place(edition)})
        try:
            return read(answer.body, answer.headers.get("content-type", ""), answer.url)
        except NotAFeed as error:
            raise Unavailable(f"Google News: the answer is no feed: {error}; trying again later") from error


def _items(document: Document, edition: str, now: datetime) -> tuple[list[Item], list[Skipped]]:
    """Each article once; what has no sensible date or nothing to tell it apart is skipped."""
    making = Making("", Kind.MENTION, None, google=True, shared_ids=ids_are_shared(document.entries))
    items: dict[str, Item] = {}
    skipped: list[Skipped] = []
    for number, entry in enumerate(document.entries, 1):
        at = entry.published or entry.updated
        if entry.empty or at is None or not EARLIEST <= at <= now + LATEST_AHEAD:
            skipped.append(Skipped(f"entry {number}", "has no date, or nothing else"))
            continue
        item = item_of(_with_publisher(entry), document, making, at, now)
        known = replace(item, updated_at=None, attributes={"type": "article", "edition": edition})
        items.setdefault(item.external_id, known)
    return list(items.values()), skipped


def _with_publisher(entry: Entry) -> Entry:
    """The publisher stands behind the title as well: that is where to look when it is not told apart."""
    title, dash, publisher = (entry.title or "").rpartition(" - ")
    return replace(entry, source=publisher) if dash and title and not entry.source else entry


def _when(span: timedelta) -> str:
    """The time before now to search, in Google's words: whole hours, or whole days when there are many."""
    hours = math.ceil((span + OVERLAP) / timedelta(hours=1))
    return f"when:{hours}h" if hours <= HOURS_AT_MOST else f"when:{math.ceil(hours / 24)}d"


def _place(edition: str) -> Mapping[str, str]:
    """``de-DE`` as the three parameters that Google wants; it drops the country where it goes without saying."""
    language, _, country = edition.rpartition("-")
    spoken = language if language.upper() == country else edition
    return {"hl": spoken, "gl": country, "ceid": f"{country}:{language}"}


def _quoted(term: str) -> str:
    """A name of several words is kept together, and no letter of it means anything else."""
    bare = " ".join(term.replace('"', " ").split())
    return f'"{bare}"' if re.search(r"\W", bare) else bare


def _too_many(query: str, start: datetime, now: datetime) -> Gap:
    reason = f"{query[:100]}: Google News shows only {ENTRIES_AT_MOST} articles; pull more often, or narrow the search"
    return Gap(reason, start, now)


def _gap(key: str, refusal: Refusal) -> Gap:
    return Gap(f"{key[:100]}: {refusal}")


def _until(state: object) -> datetime | None:
    """When this search was made last, as the cursor holds it."""
    until = state.get("until") if isinstance(state, Mapping) else None
    sound = isinstance(until, int | float) and not isinstance(until, bool) and 0 <= until < 1e11
    return from_epoch(until) if sound else None  # type: ignore[arg-type]


def _recognise(link: str) -> Mapping[str, JsonValue] | None:
    try:
        parts = urlsplit(link.strip())
        asked = parse_qs(parts.query, max_num_fields=50)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or parts.hostname != "news.google.com":
        return None
    words = re.sub(r"\bwhen:\w+", "", (asked.get("q") or [""])[0]).strip()
    if parts.path.rstrip("/") not in ("/search", "/rss/search") or not words:
        return None
    country, _, language = (asked.get("ceid") or [""])[0].partition(":")
    edition = f"{language}-{country}"
    return {"query": words, **({"editions": [edition]} if _EDITION.fullmatch(edition) else {})}


PLUGIN = Plugin(
    name="googlenews",
    title="Google News",
    platform="googlenews",
    options=GoogleNewsOptions,
    open=GoogleNews,
    capabilities=Capabilities(scope=Scope.SEARCH, minimum_interval=timedelta(minutes=10)),
    recognise=_recognise,
    notes="Unofficial feed without a key: ask seldom. For personal use by Google's terms; titles and links only.",
)
