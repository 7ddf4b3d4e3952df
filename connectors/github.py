"""GitHub: issues, comments and discussions of repositories, and issues anywhere that name a keyword.

Issues and comments are read oldest change first (:mod:`connectors.github_walk`), discussions newest first by GraphQL,
which only answers to a token.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from connectors.contract import (
    Capabilities,
    Context,
    Cursor,
    FollowerReading,
    Gap,
    Item,
    JsonValue,
    Page,
    Plugin,
    Refreshed,
    Scope,
    from_epoch,
)
from connectors.errors import AccessDenied, Malformed, NotThere, SourceError, Unavailable
from connectors.github_discussions import (
    EARLIER,
    LATEST,
    NAMES_A_REQUEST,
    Thread,
    earlier_of,
    leaf_of,
    query_for,
    refreshable,
    refreshed_of,
)
from connectors.github_options import GitHubOptions, Stream, What, recognise, streams
from connectors.github_parse import Batch, Reading, batch_of, comment_of, count, issue_of, rows_of
from connectors.github_walk import OVERLAP, Forward
from connectors.github_wire import Wire, whole_seconds
from connectors.http import Answer
from connectors.leafing import Leaf, Place, Sweep, leaf_through

ROWS_A_PAGE = 100
SHOWN_OF_A_SEARCH = 1_000
PAGES_OF_A_SECOND = 30
"""Of changes within one second so many pages are read in a repository."""
EARLIER_AT_MOST = 40
"""So many further pages of comments are read of one discussion."""
TITLES_KEPT = 100
"""Titles of issues that the cursor remembers, for the comments on them."""


class GitHub:
    """Reads each stream in its turn; the cursor holds one walk a stream, and whose turn it is."""

    def __init__(self, options: GitHubOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._wire = Wire(options, context)
        self._own = frozenset(name.strip().lower() for name in options.own)
        self._streams = streams(options, context.terms)

    def queries(self) -> Sequence[str]:
        return [stream.query for stream in self._streams if stream.query]

    def check(self) -> None:
        """Asks for every repository, and for one result of the first search."""
        for repository in self._options.repositories:
            self._wire.get(f"repos/{repository}")
        for stream in [stream for stream in self._streams if stream.query][:1]:
            _results(self._wire.get("search/issues", {"q": stream.query, "per_page": 1}))

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        book = Book(cursor, since.timestamp(), self._streams)
        refused: dict[Stream, SourceError] = {}
        for stream in book.in_turn():
            try:
                yield from self._pages(stream, book)
            except (AccessDenied, NotThere, Malformed) as error:
                refused[stream] = error
                book.had_turn(stream)
            except Unavailable:
                # The others go first next time, lest one search that GitHub cannot answer keep them waiting for ever.
                book.had_turn(stream)
                yield Page((), book.cursor())
                raise
        if refused and len(refused) == len(self._streams):
            raise next(iter(refused.values()))
        for stream, refusal in refused.items():
            gap = Gap(f"{stream.title}: {refusal}", from_epoch(book.reached(stream)), self._context.now())
            yield Page((), book.cursor(), gap=gap)

    def refresh(self, ids: Sequence[str]) -> Iterator[Refreshed]:
        """Issues, pull requests and discussions, 50 a request; nothing without a token, and no comments."""
        names = refreshable(ids) if self._wire.signed_in else ()
        for start in range(0, len(names), NAMES_A_REQUEST):
            asked = names[start : start + NAMES_A_REQUEST]
            yield from refreshed_of(self._wire.ask(query_for(asked), {}), asked)

    def followers(self) -> Iterator[FollowerReading]:
        """Who has starred the repositories that are named; one that is gone is passed over while others are there."""
        refused: list[SourceError] = []
        repositories = list(dict.fromkeys(self._options.repositories))
        for repository in repositories:
            try:
                told = self._wire.get(f"repos/{repository}").json()
            except (AccessDenied, NotThere) as error:
                refused.append(error)
                continue
            stars = count(told.get("stargazers_count", told.get("watchers"))) if isinstance(told, Mapping) else None
            if stars is not None:
                yield FollowerReading(repository, stars, self._context.now())
        if refused and len(refused) == len(repositories):
            raise refused[0]

    def close(self) -> None:
        self._context.http.close()

    def _pages(self, stream: Stream, book: Book) -> Iterator[Page]:
        if stream.what is What.DISCUSSIONS:
            return self._discussions(stream, book)
        return self._forward(stream, book)

    # --- oldest change first: issues, comments, searches

    def _forward(self, stream: Stream, book: Book) -> Iterator[Page]:
        walk = book.walk(stream).begun()
        seen: frozenset[tuple[str, datetime | None]] = frozenset()
        while True:
            answer = self._wire.get(_path(stream), _params(stream, walk), etag=walk.validator)
            if answer.not_modified:
                book.had_turn(stream)
                return
            batch = self._batch(stream, answer, book)
            before, walk = walk, self._after(walk, batch, answer)
            gap = None
            if walk.page > _pages_at_most(stream):
                walk, gap = walk.leapt(readable=batch.newest is not None), _ceiling(stream, before)
            book.note(stream, walk)
            yield Page(_fresh(batch.items, walk.horizon, seen), book.cursor(), batch.skipped, gap)
            if walk.at is None:
                return
            seen = frozenset((item.external_id, item.updated_at) for item in batch.items)

    def _batch(self, stream: Stream, answer: Answer, book: Book) -> Batch:
        body = answer.json() if stream.repository else _results(answer)
        reading = Reading(self._own, self._options.pull_requests, book.titles)
        batch = batch_of(rows_of(body), comment_of if stream.what is What.COMMENTS else issue_of, reading)
        if stream.repository and stream.what is What.ISSUES and What.COMMENTS in self._options.kinds:
            book.remember(batch.items)
        return batch

    def _after(self, walk: Forward, batch: Batch, answer: Answer) -> Forward:
        more = batch.size >= ROWS_A_PAGE or (batch.size > 0 and 'rel="next"' in answer.headers.get("link", ""))
        now, etag = self._context.now().timestamp(), answer.headers.get("etag")
        return walk.after(batch.newest, more=more, now=now, etag=etag)

    # --- newest first: discussions

    def _discussions(self, stream: Stream, book: Book) -> Iterator[Page]:
        sweep, horizon = book.sweep(stream)
        threads: list[Thread] = []

        def read(at: Place, _sweep: Sweep) -> Leaf:
            found = self._wire.ask(LATEST, {**_names(stream), "after": at if isinstance(at, str) else None})
            leaf, threads[:] = leaf_of(found, stream.repository.lower(), self._own)
            now = self._context.now().timestamp()  # a change in the future must not hide what comes until then
            return replace(leaf, newest=None if leaf.newest is None else min(leaf.newest, now))

        for leaf, after in leaf_through(sweep, OVERLAP, read):
            for thread in threads:
                yield from self._rest(stream, thread, horizon)
            book.note_sweep(stream, after, horizon)
            yield Page(_fresh(leaf.items, horizon), book.cursor(), leaf.skipped)

    def _rest(self, stream: Stream, thread: Thread, horizon: float) -> Iterator[Page]:
        """What a discussion has beyond its last comments; it is stored before the cursor moves on."""
        read = 0
        if thread.cut:
            yield Page((), None, gap=thread.gap(stream.repository))
        while thread.rest is not None and read < EARLIER_AT_MOST:
            place = {"number": thread.rest.number, "before": thread.rest.before}
            found = self._wire.ask(EARLIER, {**_names(stream), **place})
            thread, read = earlier_of(found, stream.repository.lower(), self._own), read + 1
            yield Page(_fresh(thread.items, horizon), None, thread.skipped, thread.gap(stream.repository))
        if thread.rest is not None:
            reason = f"{stream.repository}: of one discussion only the last {EARLIER_AT_MOST * 50:,} comments are read"
            yield Page((), None, gap=Gap(reason))


class Book:
    """The cursor under way: where each stream stands, whose turn it is, and titles of threads."""

    def __init__(self, cursor: Cursor | None, since: float, plan: Sequence[Stream]) -> None:
        held, titles = (cursor or {}).get("streams"), (cursor or {}).get("titles")
        self._held: dict[str, JsonValue] = dict(held) if isinstance(held, Mapping) else {}
        self._since = since
        self._plan = plan
        self._next = (cursor or {}).get("next")
        known = titles if isinstance(titles, Mapping) else {}
        self.titles = {str(key): title for key, title in known.items() if isinstance(title, str)}

    def in_turn(self) -> Sequence[Stream]:
        """Every stream, the one whose turn it is first."""
        keys = [stream.key for stream in self._plan]
        start = keys.index(self._next) if self._next in keys else 0
        return [*self._plan[start:], *self._plan[:start]]

    def had_turn(self, stream: Stream) -> None:
        at = self._plan.index(stream) + 1
        self._next = self._plan[at % len(self._plan)].key

    def walk(self, stream: Stream) -> Forward:
        return Forward.from_json(self._held.get(stream.key), since=self._since)

    def note(self, stream: Stream, walk: Forward) -> None:
        self._held[stream.key] = walk.to_json()
        self._turn(stream, under_way=walk.at is not None)

    def sweep(self, stream: Stream) -> tuple[Sweep, float]:
        """Where a newest-first stream stands, and its horizon."""
        return Sweep.from_json(self._held.get(stream.key), since=self._since), self.walk(stream).horizon

    def note_sweep(self, stream: Stream, sweep: Sweep, horizon: float) -> None:
        self._held[stream.key] = {**sweep.to_json(), "horizon": horizon, "reached": sweep.floor}
        self._turn(stream, under_way=sweep.at is not None)

    def _turn(self, stream: Stream, *, under_way: bool) -> None:
        if under_way:
            self._next = stream.key
        else:
            self.had_turn(stream)

    def reached(self, stream: Stream) -> float:
        return self.walk(stream).reached

    def remember(self, items: Iterable[Item]) -> None:
        for item in items:
            if item.title:
                self.titles.pop(item.external_id, None)
                self.titles[item.external_id] = item.title
        for name in list(self.titles)[:-TITLES_KEPT]:
            del self.titles[name]

    def cursor(self) -> Cursor:
        """Where the streams of the plan stand; others are forgotten."""
        keys = [stream.key for stream in self._plan]
        held = {key: self._held[key] for key in keys if key in self._held}
        return {"streams": held, "next": self._next, "titles": dict(self.titles)}


def _path(stream: Stream) -> str:
    if not stream.repository:
        return "search/issues"
    return f"repos/{stream.repository}/issues" + ("/comments" if stream.what is What.COMMENTS else "")


def _params(stream: Stream, walk: Forward) -> Mapping[str, str | int]:
    at = whole_seconds(walk.at or 0)
    paging: dict[str, str | int] = {"per_page": ROWS_A_PAGE, "page": walk.page, "sort": "updated"}
    if not stream.repository:
        return {"q": f"{stream.query} updated:>={at}", "order": "asc", "advanced_search": "true", **paging}
    state = {"state": "all"} if stream.what is What.ISSUES else {}
    return {"since": at, "direction": "asc", **state, **paging}


def _names(stream: Stream) -> Mapping[str, str]:
    owner, _, name = stream.repository.partition("/")
    return {"owner": owner, "name": name}


def _results(answer: Answer) -> Mapping[str, Any]:
    """The answer of a search; ``Unavailable`` where it ran out of time, since what it lacks would be passed over."""
    body = answer.json()
    if not isinstance(body, Mapping) or body.get("incomplete_results") is True:
        raise Unavailable("GitHub: the search ran out of time; trying again later")
    return body


def _pages_at_most(stream: Stream) -> int:
    return PAGES_OF_A_SECOND if stream.repository else SHOWN_OF_A_SEARCH // ROWS_A_PAGE


def _ceiling(stream: Stream, walk: Forward) -> Gap:
    shown = _pages_at_most(stream) * ROWS_A_PAGE
    at = from_epoch(walk.at or 0)
    return Gap(f"{stream.title}: more than {shown:,} changes within a second", at, at + timedelta(seconds=2))


def _fresh(items: Iterable[Item], horizon: float, seen: frozenset[Any] = frozenset()) -> Sequence[Item]:
    """What is not from before the source's reach, and was not on the page before."""
    unique = {item.external_id: item for item in items if (item.external_id, item.updated_at) not in seen}
    return [item for item in unique.values() if item.published_at.timestamp() >= horizon]


PLUGIN = Plugin(
    name="github",
    title="GitHub",
    platform="github",
    options=GitHubOptions,
    open=GitHub,
    capabilities=Capabilities(scope=Scope.SEARCH, refresh=True, followers=True, minimum_interval=timedelta(minutes=2)),
    recognise=recognise,
    tried="recorded",
    notes="Official API: 60 requests an hour without a token, 5,000 with one (any free account's, no scope needed). "
    "Do not use what it tells of people for mailings; quote with a link.",
)
