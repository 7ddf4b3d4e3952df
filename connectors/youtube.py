"""YouTube, by its Data API: videos that a search finds, a brand's own channels, and the comments on them. Needs a free key.

Everything costs units, 10,000 a day and key, a search 100 of them. A ledger in the cursor counts them before they are spent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from connectors.contract import (
    Capabilities,
    Context,
    Cursor,
    FollowerReading,
    Gap,
    Page,
    Plugin,
    Refreshed,
    Scope,
)
from connectors.errors import NotThere, SourceError
from connectors.leafing import Leaf, Place, Sweep, leaf_through
from connectors.turns import Book, Refusal, take_turns
from connectors.walk import Step, Walk, sweep
from connectors.youtube_memory import Memory
from connectors.youtube_options import SEARCH_UNITS, YouTubeOptions, recognise
from connectors.youtube_parse import VIDEO, hits_of, stamp
from connectors.youtube_reads import Reader, most_units
from connectors.youtube_wire import Api, CommentsDisabled, Gone, Ledger, Listing

DAY = timedelta(days=1).total_seconds()
HOUR = timedelta(hours=1).total_seconds()
FOLLOW_EVERY = 6 * HOUR
"""How often the comments on a video that was found are looked at."""
SEARCH_SHARE = 0.8
"""Of a day's units so much goes into searches at most, unless ``search_hours`` says otherwise; a search may need two pages."""
SEARCH_PAGE = 50
SEARCH_CEILING = 400
"""A search shows about 500 videos; one that ends behind so many goes on from the last one's time."""


class YouTube:
    """Reads its places in turn: searches by time, uploads and comments page by page. One cursor for all."""

    def __init__(self, options: YouTubeOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._ledger = Ledger(options, context)
        self._api = Api(options, context, self._ledger)
        self._reader = Reader(options, self._api, context.now)
        self._book: Book | None = None
        self._readings: list[FollowerReading] | None = None
        self._postponed = False

    def queries(self) -> Sequence[str]:
        if not self._options.searches:
            return []
        if self._options.query is not None:
            return [self._options.query.strip()]
        return list(dict.fromkeys(quoted for quoted in map(_quoted, self._context.terms) if quoted))

    def check(self) -> None:
        """Ask for something that costs one unit, and whether the channels exist."""
        self._api.list("i18nLanguages", {"part": "snippet"})
        self._reader.resolve()
        if self._reader.missing:
            raise self._reader.no_channel(min(self._reader.missing))

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        self._ledger.load((cursor or {}).get("ledger"))
        self._reader.memory, self._postponed = Memory(cursor), False
        self._book = book = Book(cursor, self._places())
        try:
            for page in self._pages(book, since.timestamp()):
                yield self._kept(page, book)
        except SourceError:
            yield self._kept(Page((), None), book)  # what was spent and found out so far is not forgotten
            raise
        if self._postponed and not (self._options.channels or self._options.videos):
            raise self._ledger.spent()

    def refresh(self, ids: Sequence[str]) -> Iterator[Refreshed]:
        """New counts, 50 ids a unit of the reserve."""
        self._ledger.draw_on_reserve()
        return self._reader.refreshed(ids)

    def followers(self) -> Iterator[FollowerReading]:
        """The subscribers of the own channels, at most once an hour; YouTube rounds them, and owners may hide them."""
        if self._readings is None:
            self._reader.resolve()
            self._readings = self._reader.subscribers()
        yield from self._readings

    def remember(self, ahead: int = 0) -> Cursor | None:
        return None if self._book is None else self._remembered(self._book, most_units(ahead))

    def close(self) -> None:
        self._context.http.close()

    # ------------------------------------------------------------------------------------------------ places in turn

    def _places(self) -> list[str]:
        options = self._options
        places = ["videos"] if options.videos else []
        places += [f"uploads {name}" for name in options.channels]
        if options.comments:
            places += [f"channel {name}" for name in options.channels]
            places += [f"video {number}" for number in options.videos]
        return [*places, *(f"search {query}" for query in self.queries())]

    def _pages(self, book: Book, since: float) -> Iterator[Page]:
        self._reader.resolve()
        yield from self._replies()
        if self._places():
            yield from take_turns(book, lambda key: self._read(key, book, since), _gap)
        yield from self._replies()
        yield from self._follow(since)
        yield from self._counted()

    def _read(self, key: str, book: Book, since: float) -> Iterator[Page]:
        kind, _, subject = key.partition(" ")
        if kind == "search":
            return self._search(subject, book, since)
        if kind == "videos":
            return self._named(book)
        if kind == "uploads":
            return self._leafed(
                key, book, since, DAY, lambda at: self._reader.uploads(self._reader.channel(subject), at)
            )
        about = (
            {"allThreadsRelatedToChannelId": self._reader.channel(subject)}
            if kind == "channel"
            else {"videoId": subject}
        )
        return self._leafed(key, book, since, self._look_back, lambda at: self._reader.threads(about, at))

    def _kept(self, page: Page, book: Book) -> Page:
        """The page with all that is to be remembered, as it is after it."""
        return Page(page.items, self._remembered(book), page.skipped, page.gap)

    def _remembered(self, book: Book, ahead: int = 0) -> Cursor:
        return {**book.cursor(), **self._reader.memory.to_json(), "ledger": self._ledger.to_json(ahead)}

    @property
    def _look_back(self) -> float:
        return self._options.look_back_hours * HOUR

    # ------------------------------------------------------------------------------------------------------- searches

    def _search(self, query: str, book: Book, since: float) -> Iterator[Page]:
        key = f"search {query}"
        state = book.state(key)
        start, now = Walk.from_json(state, since=since), self._context.now().timestamp()
        asked = state.get("asked") if isinstance(state, Mapping) else None
        if not start.under_way and isinstance(asked, int | float) and now < asked + self._between_searches():
            book.had_turn(key)
            return
        for step, walk in sweep(start, DAY, lambda top, bottom: self._found(query, top, bottom)):
            book.note(key, {**walk.to_json(), "asked": now if step.last else asked}, done=step.last)
            yield Page(step.items, None, step.skipped)
        if self._postponed:
            book.had_turn(key)

    def _between_searches(self) -> float:
        """Seconds between two searches for the same words."""
        if self._options.search_hours is not None:
            return self._options.search_hours * HOUR
        units = (self._options.daily_units - self._options.reserve_units) * SEARCH_SHARE
        return DAY * len(self.queries()) * 2 * SEARCH_UNITS / units

    def _found(self, query: str, top: float | None, bottom: float) -> Iterator[Step]:
        """The videos between two times, newest first. Every search's cost is stored before it is made."""
        token: str | None = None
        seen: set[str | None] = {None}
        shown = 0
        while self._may_search():
            self._ledger.take(SEARCH_UNITS)
            yield Step((), None, None, last=False)
            listing = self._api.list("search", _search_params(query, token, top, bottom), units=0)
            step = self._step(listing)
            shown += len(listing.entries)
            token = listing.next if listing.next not in seen else None
            seen.add(token)
            if token is None and shown >= SEARCH_CEILING and step.oldest is not None and step.oldest != top:
                top, shown, seen = step.oldest, 0, {None}
                yield step
                continue
            last = token is None
            yield Step(step.items, step.newest, step.oldest, last, step.skipped)
            if last:
                return

    def _may_search(self) -> bool:
        """A search that cannot be paid waits for tomorrow; what costs one unit goes on."""
        self._postponed = self._postponed or not self._ledger.affords(SEARCH_UNITS)
        return not self._postponed

    def _step(self, listing: Listing) -> Step:
        hits = hits_of(listing.entries)
        items, skipped = self._reader.videos([hit.id for hit in hits])
        times = [hit.at for hit in hits if hit.at is not None]
        if self._options.found_comments:
            self._reader.memory.follow(items)
        return Step(items, max(times, default=None), min(times, default=None), False, skipped)

    # ------------------------------------------------------------------------------------------- videos and comments

    def _named(self, book: Book) -> Iterator[Page]:
        items, skipped = self._reader.videos(self._options.videos)
        there = {item.external_id.removeprefix(VIDEO) for item in items}
        absent = [number for number in self._options.videos if number not in there]
        if not there and not skipped:
            raise NotThere(f"YouTube: there is no video {absent[0]}; look at videos")
        book.note("videos", {}, done=True)
        gap = Gap(f"not there: {', '.join(absent)}") if absent and not skipped and not self._options.comments else None
        yield Page(items, None, skipped, gap)

    def _leafed(
        self, key: str, book: Book, since: float, overlap: float, read: Callable[[Place], Leaf]
    ) -> Iterator[Page]:
        start = Sweep.from_json(book.state(key), since=since)
        try:
            for leaf, after in leaf_through(start, overlap, lambda at, _: read(at)):
                book.note(key, after.to_json(), done=after.at is None)
                yield Page(leaf.items, None, leaf.skipped)
        except CommentsDisabled:
            book.note(key, start.anew().to_json(), done=True)

    def _replies(self) -> Iterator[Page]:
        """Replies that were not shown with their threads, one page a step."""
        for thread in list(self._reader.memory.pending):
            yield from self._reader.replies_to(thread)

    def _follow(self, since: float) -> Iterator[Page]:
        """The comments on videos that a search found, each a few times a day."""
        now = self._context.now().timestamp()
        for number in self._reader.memory.due(now - FOLLOW_EVERY) if self._options.found_comments else ():
            try:
                yield from self._followed(number, since)
                self._reader.memory.found[number]["asked"] = now
            except Gone:
                del self._reader.memory.found[number]
            yield Page((), None)
            yield from self._replies()

    def _followed(self, number: str, since: float) -> Iterator[Page]:
        one = self._reader.memory.found[number]
        self._reader.films.setdefault(number, self._reader.memory.film(number))
        book = Book({"places": {number: one.get("sweep")}}, [number])
        about = {"videoId": number}
        for page in self._leafed(number, book, since, self._look_back, lambda at: self._reader.threads(about, at)):
            one["sweep"] = book.state(number)
            yield page

    def _counted(self) -> Iterator[Page]:
        """Subscribers are asked for within the pull, so that their unit is in the ledger that is stored."""
        self._readings = []
        now = self._context.now().timestamp()
        if self._reader.own() and now >= (self._reader.memory.subscribers_at or 0) + HOUR:
            self._readings = self._reader.subscribers()
            self._reader.memory.subscribers_at = now
            yield Page((), None)


def _search_params(query: str, token: str | None, top: float | None, bottom: float) -> dict[str, str | int | None]:
    return {
        "part": "snippet",
        "type": "video",
        "order": "date",
        "maxResults": SEARCH_PAGE,
        "q": query,
        "publishedAfter": stamp(max(bottom, 0)),
        "publishedBefore": None if top is None else stamp(top + 1),
        "pageToken": token,
    }


def _gap(key: str, refusal: Refusal) -> Gap:
    return Gap(f"{key}: {refusal}")


def _quoted(term: str) -> str:
    """A name of several words is kept together; | and - would mean something."""
    bare = " ".join(term.replace('"', " ").split())
    return f'"{bare}"' if re.search(r"\W", bare) else bare


PLUGIN = Plugin(
    name="youtube",
    title="YouTube",
    platform="youtube",
    options=YouTubeOptions,
    open=YouTube,
    capabilities=Capabilities(
        scope=Scope.SEARCH, refresh=True, followers=True, needs_credentials=True, minimum_interval=timedelta(minutes=5)
    ),
    recognise=recognise,
    tried="recorded",
    notes="Official API, free key, 10,000 units a day. What is stored must be read again within 30 days, and dropped if deleted.",
)
