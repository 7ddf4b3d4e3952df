"""Bluesky, by its own XRPC: posts found by search for who is signed in, and the brand's own accounts for anyone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from connectors import leafing
from connectors.bluesky_options import BlueskyOptions, Place, places, recognise
from connectors.bluesky_parse import Batch, dids_of, feed_of, followers_of, found_of, is_post, refreshed_of
from connectors.bluesky_wire import Xrpc
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
    from_epoch,
)
from connectors.errors import Malformed, NotThere
from connectors.leafing import Leaf, leaf_through
from connectors.turns import Book, Refusal, take_turns
from connectors.walk import Step, Walk, sweep

OVERLAP = timedelta(hours=2).total_seconds()
"""Re-read below the watermark: posts are indexed late, and sort by the time that their author's app claims."""
PAGE_SIZE = 100
PAGES_A_SLIDE = 50
"""Tokens of a search reach 10,000 posts; before that the search slides down in time."""
NAMES_A_REQUEST = 25
LATEST = 1e11


class Bluesky:
    """Searches newest first and slides down in time; leafs through accounts' posts. The cursor holds one walk for each."""

    def __init__(self, options: BlueskyOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._plan = places(options, context.terms)
        self._xrpc = Xrpc(options, context)

    def queries(self) -> Sequence[str]:
        return [place.title for place in self._plan]

    def check(self) -> None:
        """Asks for one post of a search, and for every account."""
        if not self._plan:
            raise Malformed("bsky.app: there is no keyword to search for; give the brand keywords, or a query")
        query = next((place.name for place in self._plan if place.is_search), None)
        if query is not None:
            found_of(self._xrpc.signed("app.bsky.feed.searchPosts", [("q", query), ("limit", 1)]), ())
        known = profiles(self._xrpc, self._options.accounts)
        for account in self._options.accounts:
            if account not in known:
                raise NotThere(f"bsky.app: there is no account @{account}; look at its spelling in accounts")

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        book = Book(cursor, [place.key for place in self._plan])
        pull = Pull(self._xrpc, self._options, self._context, book, since)
        by_key = {place.key: place for place in self._plan}
        return take_turns(
            book, lambda key: pull.pages(by_key[key]), lambda key, refusal: pull.gap(by_key[key], refusal)
        )

    def refresh(self, ids: Sequence[str]) -> Iterator[Refreshed]:
        for uris in _chunks([uri for uri in ids if is_post(uri)]):
            answer = self._xrpc.public("app.bsky.feed.getPosts", [("uris", uri) for uri in uris])
            yield from refreshed_of(answer, uris)

    def followers(self) -> Iterator[FollowerReading]:
        known = profiles(self._xrpc, self._options.accounts)
        for account in self._options.accounts:
            count = known.get(account)
            if count is not None:
                yield FollowerReading(account, count, self._context.now())

    def close(self) -> None:
        self._context.http.close()


class Pull:
    """One pull: the pages of each place."""

    def __init__(self, xrpc: Xrpc, options: BlueskyOptions, context: Context, book: Book, since: datetime) -> None:
        self._xrpc = xrpc
        self._options = options
        self._context = context
        self._book = book
        self._since = since.timestamp()
        self._seen: set[str] = set()

    def pages(self, place: Place) -> Iterator[Page]:
        return self._searched(place) if place.is_search else self._leafed(place)

    def gap(self, place: Place, refusal: Refusal) -> Gap:
        state, now = self._book.state(place.key), self._context.now()
        walk = Walk if place.is_search else leafing.Sweep
        floor = walk.from_json(state, since=self._since).floor
        return Gap(f"{place.title}: {refusal}", since=from_epoch(_sane(floor)), until=now)

    def _searched(self, place: Place) -> Iterator[Page]:
        walk = Walk.from_json(self._book.state(place.key), since=self._since)
        for step, after in sweep(walk, OVERLAP, lambda top, bottom: self._down(place.name, top, bottom)):
            items = self._fresh(step.items)
            self._book.note(place.key, after.to_json(), done=not after.under_way)
            yield Page(items, self._book.cursor(), step.skipped)

    def _down(self, query: str, top: float | None, bottom: float) -> Iterator[Step]:
        """The search's pages, newest first; a token that comes again ends them."""
        token, reached = None, top
        seen: set[str | None] = set()
        while True:
            batch = self._found(query, top, bottom, token)
            yield Step(
                batch.items, self._not_of_the_future(batch.newest), batch.oldest, batch.token is None, batch.skipped
            )
            seen.add(token)
            if batch.token is None or batch.token in seen:
                return
            token = batch.token
            reached = batch.oldest if batch.oldest is not None else reached
            if len(seen) >= PAGES_A_SLIDE and reached is not None and reached != top:
                top, token, seen = reached, None, set()

    def _found(self, query: str, top: float | None, bottom: float, token: str | None) -> Batch:
        params: list[tuple[str, str | int]] = [("q", query), ("sort", "latest"), ("limit", PAGE_SIZE)]
        params.append(("since", _written(bottom)))
        if top is not None:  # which the search leaves out
            params.append(("until", _written(top + 0.001)))
        if token is not None:
            params.append(("cursor", token))
        return found_of(self._xrpc.signed("app.bsky.feed.searchPosts", params), self._options.accounts)

    def _leafed(self, place: Place) -> Iterator[Page]:
        state = leafing.Sweep.from_json(self._book.state(place.key), since=self._since)
        for leaf, after in leaf_through(state, OVERLAP, lambda at, _sweep: self._leaf(place.name, at)):
            young = [item for item in leaf.items if item.published_at.timestamp() >= self._since]
            items = self._fresh(young)
            self._book.note(place.key, after.to_json(), done=after.at is None)
            yield Page(items, self._book.cursor(), leaf.skipped)

    def _leaf(self, account: str, at: leafing.Place) -> Leaf:
        params: list[tuple[str, str | int]] = [
            ("actor", account),
            ("limit", PAGE_SIZE),
            ("filter", "posts_with_replies"),
        ]
        if at is not None:
            params.append(("cursor", at))
        batch = feed_of(self._xrpc.public("app.bsky.feed.getAuthorFeed", params))
        newest = self._not_of_the_future(batch.newest)
        return Leaf(batch.items, batch.skipped, newest, batch.oldest, batch.token)

    def _fresh(self, items: Sequence[Item]) -> Sequence[Item]:
        """What this pull has not brought yet: a post may answer several searches."""
        fresh = {item.external_id: item for item in items if item.external_id not in self._seen}
        followed = list(fresh.values())
        if self._options.author_followers and followed:
            counts = profiles(self._xrpc, dids_of(followed))
            followed = [_with_followers(item, counts) for item in followed]
        self._seen.update(fresh)
        return followed

    def _not_of_the_future(self, moment: float | None) -> float | None:
        """A time in the future must not hide what comes until then."""
        return None if moment is None else min(moment, self._context.now().timestamp())


def profiles(xrpc: Xrpc, names: Sequence[str]) -> Mapping[str, int | None]:
    """The followers of these accounts, by handle and by DID; who does not exist is not told."""
    found: dict[str, int | None] = {}
    for part in _chunks(names):
        found |= followers_of(xrpc.public("app.bsky.actor.getProfiles", [("actors", name) for name in part]))
    return found


def _with_followers(item: Item, counts: Mapping[str, int | None]) -> Item:
    if item.author is None:
        return item
    return replace(item, author=replace(item.author, followers=counts.get(item.author.id)))


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    unique = list(dict.fromkeys(names))
    for start in range(0, len(unique), NAMES_A_REQUEST):
        yield unique[start : start + NAMES_A_REQUEST]


def _written(seconds: float) -> str:
    return from_epoch(_sane(seconds)).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _sane(seconds: float) -> float:
    """A time that can be written, whatever a cursor held."""
    return min(max(seconds, 0), LATEST)


PLUGIN = Plugin(
    name="bluesky",
    title="Bluesky",
    platform="bluesky",
    options=BlueskyOptions,
    open=Bluesky,
    capabilities=Capabilities(
        scope=Scope.SEARCH,
        refresh=True,
        followers=True,
        needs_credentials=True,
        minimum_interval=timedelta(minutes=5),
    ),
    recognise=recognise,
    tried="recorded",
    notes="Search needs an account and an app password; it is not meant for bulk data, so pull at modest intervals. What is "
    "deleted on Bluesky must be dropped here too, so leave refreshing on.",
)
