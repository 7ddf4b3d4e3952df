"""Mastodon, through one server: hashtags without a key, full-text search with one, and the brand's own accounts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from connectors.contract import (
    Capabilities,
    Context,
    Cursor,
    FollowerReading,
    Gap,
    Item,
    Page,
    Plugin,
    Refreshed,
    Scope,
)
from connectors.errors import Malformed
from connectors.mastodon_options import MastodonOptions, Place, What, full_name, places, recognise
from connectors.mastodon_parse import Batch, Reader, refreshed_of
from connectors.mastodon_walk import OVERLAP, Forward, id_at, read_to
from connectors.mastodon_wire import IDS_A_REQUEST, PAGE_SIZE, Client
from connectors.turns import Book, Refusal, take_turns
from connectors.walk import Step, Walk, sweep

PAGES_A_SLIDE = 25
"""So many pages of a search are turned by number; then the search slides down in time."""


class Mastodon:
    """Walks hashtags and accounts forward by id and searches down in time; the cursor holds one walk for each."""

    def __init__(self, options: MastodonOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._plan = places(options, context.terms)
        self._reader = Reader(options.host, options.own, options.boosts, options.only_indexable)
        self._client = Client(options, context)

    def queries(self) -> Sequence[str]:
        return [place.title for place in self._plan]

    def check(self) -> None:
        """Asks for one status of a hashtag and of a search, and for every account."""
        if not self._plan:
            raise Malformed(f"{self._options.host}: no keyword makes a hashtag; name hashtags or accounts")
        now = id_at(self._context.now().timestamp())
        first = {place.what: place.name for place in reversed(self._plan)}
        if What.TAG in first:
            self._reader.batch(self._client.tagged(first[What.TAG], above=now, limit=1))
        if What.SEARCH in first:
            self._reader.batch(self._client.found(first[What.SEARCH], (now, None), offset=0, limit=1))
        for account in self._options.accounts:
            self._client.account(account)

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        book = Book(cursor, [place.key for place in self._plan])
        pull = Pull(self._client, self._reader, self._context, book, since)
        by_key = {place.key: place for place in self._plan}
        return take_turns(
            book, lambda key: pull.pages(by_key[key]), lambda key, refusal: pull.gap(by_key[key], refusal)
        )

    def refresh(self, ids: Sequence[str]) -> Iterator[Refreshed]:
        prefix = f"{self._options.host}/"
        numbers = {int(name[len(prefix) :]): name for name in ids if _is_ours(name, prefix)}
        for start in range(0, len(numbers), IDS_A_REQUEST):
            part = dict(list(numbers.items())[start : start + IDS_A_REQUEST])
            yield from refreshed_of(self._client.statuses(list(part)), part, self._options.host)

    def followers(self) -> Iterator[FollowerReading]:
        for account in self._options.accounts:
            _, count = self._client.account(account)
            if count is not None:
                yield FollowerReading(full_name(account, self._options.host), count, self._context.now())

    def close(self) -> None:
        self._client.close()
        self._context.http.close()


class Pull:
    """One pull: the pages of each place."""

    def __init__(self, client: Client, reader: Reader, context: Context, book: Book, since: datetime) -> None:
        self._client = client
        self._reader = reader
        self._context = context
        self._book = book
        self._since = since
        self._seen: set[str] = set()

    def pages(self, place: Place) -> Iterator[Page]:
        if place.what is What.SEARCH:
            yield from self._searched(place)
            return
        account = self._client.account(place.name)[0] if place.what is What.ACCOUNT else None
        walk = Forward.from_json(self._book.state(place.key), since=self._since.timestamp())
        position, moved = walk.start, True
        while moved:
            batch = self._read(place, account, position)
            moved = batch.newest_id is not None and batch.newest_id > position
            position = max(position, batch.newest_id or 0)
            after = Forward(position) if moved else walk.rested(position, self._now())
            self._book.note(place.key, after.to_json(), done=not moved)
            yield Page(self._fresh(batch.items), self._book.cursor(), batch.skipped)

    def gap(self, place: Place, refusal: Refusal) -> Gap:
        now = self._context.now()
        since = min(read_to(place, self._book.state(place.key), since=self._since), now)
        return Gap(f"{place.title}: {refusal}", since=since, until=now)

    def _read(self, place: Place, account: int | None, above: int) -> Batch:
        if account is None:
            return self._reader.batch(self._client.tagged(place.name, above))
        return self._reader.batch(self._client.posted(account, above, boosts=self._reader.boosts))

    def _searched(self, place: Place) -> Iterator[Page]:
        walk = Walk.from_json(self._book.state(place.key), since=self._since.timestamp())
        for step, after in sweep(walk, OVERLAP, lambda top, bottom: self._down(place.name, top, bottom)):
            self._book.note(place.key, after.to_json(), done=not after.under_way)
            yield Page(self._fresh(step.items), self._book.cursor(), step.skipped)

    def _down(self, query: str, top: float | None, bottom: float) -> Iterator[Step]:
        """The search's pages, newest first. A page may lack what the token's owner has muted: only an empty one is the last."""
        page, reached, before = 0, top, None
        while True:
            batch = self._found(query, top, bottom, page)
            yield self._step(batch)
            if batch.size == 0 or batch.span == before:
                return
            before, page = batch.span, page + 1
            reached = batch.oldest if batch.oldest is not None else reached
            if page == PAGES_A_SLIDE and reached is not None and reached != top:
                top, page = reached, 0

    def _found(self, query: str, top: float | None, bottom: float, page: int) -> Batch:
        """The server makes whole seconds of the bounds and leaves these out."""
        bounds = id_at(int(bottom) - 1), None if top is None else id_at(int(top) + 1)
        return self._reader.batch(self._client.found(query, bounds, page * PAGE_SIZE), searched=True)

    def _step(self, batch: Batch) -> Step:
        newest = None if batch.newest is None else min(batch.newest, self._now())
        return Step(batch.items, newest, batch.oldest, batch.size == 0, batch.skipped)

    def _fresh(self, items: Sequence[Item]) -> Sequence[Item]:
        """What this pull has not brought yet: a status may have several of the hashtags."""
        fresh = {item.external_id: item for item in items if item.external_id not in self._seen}
        self._seen.update(fresh)
        return list(fresh.values())

    def _now(self) -> float:
        return self._context.now().timestamp()


def _is_ours(name: str, prefix: str) -> bool:
    number = name.removeprefix(prefix)
    return name.startswith(prefix) and number.isascii() and number.isdigit()


PLUGIN = Plugin(
    name="mastodon",
    title="Mastodon",
    platform="mastodon",
    options=MastodonOptions,
    open=Mastodon,
    capabilities=Capabilities(scope=Scope.SEARCH, refresh=True, followers=True, minimum_interval=timedelta(minutes=2)),
    recognise=recognise,
    tried="recorded",
    notes="Public posts, as one server knows them; 300 requests in five minutes. The server's own rules apply; posts of "
    "people who do not want to be indexed are left out, and what is deleted there must be dropped here.",
)
