"""A link, a file or a connector's name -> its first items, labelled. Nothing is stored."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

from pydantic import BaseModel

from connectors import registry
from connectors.contract import (
    Connector,
    Context,
    Gap,
    Item,
    Kind,
    Page,
    Plugin,
    Receives,
    Scope,
    ShowsQueries,
    Unlimited,
)
from connectors.errors import SourceError
from connectors.feeds_parse import NotAFeed, discover, read
from connectors.files import FileOptions, open_file
from connectors.files_open import FORMATS
from connectors.http import Answer, HttpClient, host_of
from connectors.places import placed
from monitor import links
from monitor.collect import normalised
from monitor.config.faults import nearest
from monitor.figures import Sentiment
from monitor.matching import Keywords, Verdict, brand_words, decide
from monitor.metrics.intervals import score_interval
from monitor.metrics.sentiment import Tally
from monitor.normalise import Row
from monitor.probing import probe
from monitor.scoring import DEFAULT, Label, Profile, Scorable, Scored, score_batch

REACH = timedelta(days=30)
"""How far back a preview looks, as a new source does."""


class NotUnderstood(Exception):
    """What to look at cannot be told; the message says what is understood."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where to look: a connector and its options. ``note`` says what was chosen on the way here.

    ``named``: the hosts that the user named himself; only those may lie on a private network. ``folder``: what relative paths
    go by, the working folder for what was typed.
    """

    plugin: Plugin[Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    named: frozenset[str] = frozenset()
    note: str | None = None
    folder: Path = Path()

    def plus(self, options: Mapping[str, Any]) -> Target:
        """The same with more options, which come from the user."""
        return replace(self, options={**self.options, **options}, named=self.named | _hosts(options.values()))


@dataclass(frozen=True, slots=True)
class Seen:
    """One item, labelled. ``uncounted``: why it would not count, in words; ``None`` where it would."""

    row: Row
    scored: Scored
    uncounted: str | None = None


@dataclass(frozen=True, slots=True)
class Preview:
    """What would come. ``searches``: it asks for keywords; ``more``: there is more than was looked at."""

    items: Sequence[Seen]
    queries: Sequence[str] = ()
    skipped: Sequence[tuple[str, str]] = ()
    gaps: Sequence[str] = ()
    more: bool = False

    @property
    def sentiment(self) -> Sentiment:
        """The score of what would count, own posts left out. Source: METRICS 2."""
        return _sentiment([one for one in self.items if one.row.kind != Kind.POST])


# ------------------------------------------------------------------------------------------ what is meant


def understand(text: str, now: Callable[[], datetime]) -> Target:
    """What ``text`` names: a connector, a link, or a file.

    A web page that is no known link is asked for the feeds it announces. ``NotUnderstood`` says what would be; a
    ``SourceError`` comes from a page that cannot be read.
    """
    text = text.strip()
    if text in registry.names():
        return Target(registry.plugin(text))
    if _DATABASE.match(text) or ("://" not in text and Path(text).suffix.lower() in _DATABASE_FILES):
        raise NotUnderstood(_WHAT_OF_A_DATABASE)
    if text and _names_file(text):
        return _of_file(text)
    readings = list(links.readings(links.tidied(text)))
    if not readings:
        raise NotUnderstood(_what_is_understood(text))
    known = (target for reading in readings if (target := _read(reading)) is not None)
    return next(known, None) or _looked_at(readings[0].link, now)


def _read(reading: links.Reading) -> Target | None:
    """What one way to read a link comes to."""
    if reading.type is not None:
        return Target(registry.plugin(reading.type), note=reading.note)
    found = _recognised(reading.link)
    return None if found is None else replace(found, note=reading.note)


def _looked_at(link: str, now: Callable[[], datetime]) -> Target:
    """What the place itself says it is, where no connector knows the link."""
    hint = links.hint(link)
    if hint is not None and not links.may_announce_a_feed(link):
        raise NotUnderstood(hint)
    try:
        return _software(link, now) or _announced(link, now)
    except (NotUnderstood, SourceError) as error:
        if hint is None:
            raise
        raise NotUnderstood(hint) from error


def _software(link: str, now: Callable[[], datetime]) -> Target | None:
    named = _hosts([link])
    with closing(HttpClient(now=now, trusted=named)) as http:
        found = probe(link, http)
    return None if found is None else Target(registry.plugin(found[0]), found[1], named)


def _names_file(text: str) -> bool:
    path = Path(text)
    return "://" not in text and (path.exists() or path.suffix.lower() in FORMATS)


def _of_file(text: str) -> Target:
    if not Path(text).exists():
        raise NotUnderstood(f"{text}: there is no such file; look at its name and folder")
    if Path(text).suffix.lower() in _FEED_FILES:
        raise NotUnderstood(f"{text}: a feed is read from its address, not from a file; give its link (https://...)")
    return Target(registry.plugin("files"), {"path": text})


def _recognised(link: str) -> Target | None:
    found = next(registry.recognised(link), None)
    return None if found is None else Target(*found, _hosts([link]))


def _announced(link: str, now: Callable[[], datetime]) -> Target:
    """The feed at ``link`` itself, or the first one that the page there announces."""
    named = _hosts([link])
    http = HttpClient(now=now, trusted=named)
    with closing(http):
        answer = http.get(link)
    try:
        read(answer.body, answer.headers.get("content-type", ""), answer.url)
    except NotAFeed as error:
        found = discover(error.page, answer.url) if error.page else []
        if not found and _is_json(answer):
            raise NotUnderstood(f"{host_of(link)}: {_WHAT_OF_JSON}") from error
        if not found:
            fact = "is no link that a connector knows, and the page there announces no feed"
            raise NotUnderstood(f"{host_of(link)}: {fact}; {_what_there_is()}") from error
        return Target(registry.plugin("feeds"), {"url": found[0]}, named, _choice(found))
    return Target(registry.plugin("feeds"), {"url": link}, named)


def _is_json(answer: Answer) -> bool:
    try:
        return isinstance(answer.json(), Mapping | list)
    except SourceError:
        return False


_DATABASE = re.compile(r"(?i)(?:sqlite|postgres(?:ql)?|mysql|mariadb|mssql|oracle)(?:\+\w+)?://")
_DATABASE_FILES = frozenset({".db", ".sqlite", ".sqlite3"})
_FEED_FILES = frozenset({".xml", ".rss", ".atom"})
_WHAT_OF_A_DATABASE = (
    "a database: say what to ask of it, and which column rises: sentiment-monitor try sql -o url=sqlite:///shop.db -o key=id "
    '-o query="SELECT id, created AS published_at, body AS text FROM tickets WHERE id > :after ORDER BY id LIMIT :limit"'
)
_WHAT_OF_JSON = (
    "answers JSON; say where its entries and their fields stand: sentiment-monitor try http_json -o url=LINK -o items=data "
    "-o fields.external_id=id -o fields.published_at=created_at -o fields.text=text"
)


def _choice(found: Sequence[str]) -> str:
    others = f"; it names {len(found) - 1} more: {', '.join(found[1:4])}" if len(found) > 1 else ""
    return f"the page names a feed: {found[0]}{others}"


def _what_is_understood(text: str) -> str:
    near = nearest(text, registry.names())
    hint = f'did you mean "{near}"? ' if near else ""
    return f'"{text}": is no link, no file and no connector; {hint}{_what_there_is()}'


def _what_there_is() -> str:
    return f"give a link (https://...), a file (CSV, TSV, JSON, JSONL), or one of: {', '.join(registry.names())}"


def _hosts(values: Iterable[Any]) -> frozenset[str]:
    """The hosts of all addresses among the values."""
    found: set[str] = set()
    for value in values:
        if isinstance(value, list | tuple):
            found |= _hosts(value)
        elif isinstance(value, str) and "://" in value:
            found.add(host_of(value))
    return frozenset(found)


# --------------------------------------------------------------------------------------------- a first look


def look(
    target: Target,
    options: BaseModel,
    now: Callable[[], datetime],
    *,
    name: str = "",
    keywords: Keywords | None = None,
    match: str | None = None,
    limit: int = 10,
    profile: Profile = DEFAULT,
    sent: bytes | None = None,
) -> Preview:
    """The first ``limit`` items that come, labelled; nothing is stored.

    ``keywords`` and ``name`` are the brand's: searches ask for them, and what does not name the brand is told apart, unless
    ``match`` (as a source has it) is ``"all"``. ``sent``: what others send to it, instead of what would be read.
    Raises a fate of :mod:`connectors.errors`; ``NotUnderstood`` where there is nothing to search for.
    """
    terms = keywords.search_terms if keywords else ()
    stop = Event()
    connector = _opened(target, options, terms, now, stop)
    try:
        queries = tuple(connector.queries()) if isinstance(connector, ShowsQueries) else ()
        if isinstance(connector, ShowsQueries) and not queries:
            raise NotUnderstood(f"{target.plugin.title}: there is nothing to search for; give --keyword acme")
        pages = _pages(target, connector, options, now, stop) if sent is None else _handed_in(target, connector, sent)
        first = _first(pages, limit)
    finally:
        stop.set()
        connector.close()
    rows, unfit = normalised(first.items, now())
    words = brand_words(keywords, name) if keywords else frozenset[str]()
    counts_all = match == "all" if match else target.plugin.capabilities.scope is Scope.SUBJECT
    wanted = None if counts_all else keywords
    seen = [Seen(row, one, _uncounted(row, wanted)) for row, one in _scored(rows, words, profile)]
    newest_first = sorted(seen, key=lambda one: one.row.published_at, reverse=True)
    return Preview(newest_first, queries, [*first.skipped, *unfit], first.gaps, first.more)


def _opened(
    target: Target, options: BaseModel, terms: Sequence[str], now: Callable[[], datetime], stop: Event
) -> Connector:
    http = HttpClient(stop=stop, now=now, trusted=target.named)
    log = logging.getLogger(f"sentiment_monitor.connectors.{target.plugin.name}")
    return target.plugin.open(options, Context(terms, now, stop, http, log, Unlimited(), folder=target.folder))


def _handed_in(target: Target, connector: Connector, sent: bytes) -> Iterator[Page]:
    if not isinstance(connector, Receives):
        raise NotUnderstood(f"{target.plugin.title}: nobody sends to it; leave out --file")
    return iter([connector.read(sent)])


def _pages(
    target: Target, connector: Connector, options: BaseModel, now: Callable[[], datetime], stop: Event
) -> Iterator[Page]:
    if isinstance(options, FileOptions):  # a file to look at is finished, and need not end with a new line
        return open_file(placed(options.path, target.folder), options, now=now, stop=stop)
    return connector.fetch(None, now() - REACH)


@dataclass(frozen=True, slots=True)
class _First:
    items: Sequence[Item]
    skipped: Sequence[tuple[str, str]]
    gaps: Sequence[str]
    more: bool


def _first(pages: Iterator[Page], limit: int) -> _First:
    items: dict[str, Item] = {}
    skipped: list[tuple[str, str]] = []
    gaps: list[Gap] = []
    for page in pages:
        items |= {item.external_id: item for item in page.items}
        skipped += [(entry.what, entry.why) for entry in page.skipped]
        gaps += [page.gap] if page.gap else []
        if len(items) > limit:
            break
    return _First(list(items.values())[:limit], skipped, [gap.reason for gap in gaps], len(items) > limit)


def _scored(rows: Sequence[Row], words: frozenset[str], profile: Profile) -> Iterable[tuple[Row, Scored]]:
    batch = [
        Scorable(
            title=row.title,
            body=row.text,
            rating_label=Label(row.rating_label) if row.rating_label else None,
            platform_language=row.language,
            brand_words=words,
        )
        for row in rows
    ]
    return zip(rows, score_batch(batch, profile), strict=True)


def _uncounted(row: Row, keywords: Keywords | None) -> str | None:
    if keywords is None or row.kind == Kind.POST:
        return None
    decision = decide((row.title, row.text), keywords)
    if decision.verdict is Verdict.EXCLUDED:
        return f'excluded by "{decision.excluded_by}"' if decision.excluded_by else "excluded"
    return "does not name the brand" if decision.verdict is Verdict.NOT_NAMED else None


def _sentiment(seen: Sequence[Seen]) -> Sentiment:
    counted = [one.scored.label for one in seen if one.uncounted is None]
    tally = Tally(
        positive=counted.count(Label.POSITIVE),
        negative=counted.count(Label.NEGATIVE),
        neutral=counted.count(Label.NEUTRAL),
        unscored=counted.count(None),
    )
    interval = score_interval(tally)
    return Sentiment(
        score=tally.score,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        positive=tally.positive,
        negative=tally.negative,
        neutral=tally.neutral,
        total=tally.n,
        unscored=tally.unscored,
    )
