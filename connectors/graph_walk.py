"""Reading several listings of the Graph API in turn, and the comments on the account's own posts while these are young."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from connectors.contract import Context, Cursor, Gap, Item, JsonValue, Kind, Page, Skipped, from_epoch
from connectors.entries import whole
from connectors.errors import AccessDenied
from connectors.graph import Graph, Listing
from connectors.leafing import Leaf, Place, Sweep, leaf_through
from connectors.turns import Book, Refusal, take_turns

WATCHED_AT_MOST = 200
OVERLAP = timedelta(days=2)
"""Re-read below the watermark, for what was approved or indexed late."""
_COMMENTS = "comments/"


@dataclass(frozen=True, slots=True)
class Feed:
    """One listing, newest first. ``path`` is asked for when it is read (it may cost a request); ``read`` makes items of an
    entry and raises where it is damaged; ``dated``: it takes ``since``; ``watched``: comments on these are read, too;
    ``reach``: nothing older is ever shown."""

    key: str
    title: str
    path: Callable[[], str]
    params: Mapping[str, str | int]
    read: Callable[[Mapping[str, Any]], Sequence[Item]]
    dated: bool = True
    watched: bool = False
    overlap: timedelta = OVERLAP
    reach: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Young:
    """A post whose comments are read: when it was published (seconds since 1970), and how many comments it has."""

    born: float
    total: int

    @classmethod
    def from_json(cls, held: object) -> Young | None:
        born, total = held if isinstance(held, list) and len(held) == 2 else (None, None)
        sound = isinstance(born, int | float) and not isinstance(born, bool) and 0 <= born < 1e11
        count = whole(total)
        return cls(born, count) if sound and count is not None else None  # type: ignore[arg-type]


class Pull:
    """One pull: every feed, then the comments on young posts where their number changed."""

    def __init__(
        self,
        graph: Graph,
        context: Context,
        feeds: Sequence[Feed],
        comments: Callable[[str], Feed] | None,
        watch: timedelta,
    ) -> None:
        self._graph = graph
        self._context = context
        self._feeds = {feed.key: feed for feed in feeds}
        self._comments = comments
        self._earliest = (context.now() - watch).timestamp()
        self._young: dict[str, Young] = {}
        self._seen: set[str] = set()
        self._tried: set[str] = set()
        self._comments_refused = False  # a token that may not see those on one post may see none

    def pages(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        held = (cursor or {}).get("watched")
        for name, state in held.items() if isinstance(held, Mapping) else ():
            young = Young.from_json(state)
            if young is not None and self._comments is not None:
                self._young[name] = young
        known = self._keys()
        last = cursor
        for page in self._turns(Book(cursor, known), known, since):
            last = page.cursor
            yield page
        keys = self._keys()
        waiting = [key for key in keys if key not in self._tried]
        if waiting:  # their posts are new, or were found to have new comments after their turn
            yield from self._turns(Book(last, keys), waiting, since)

    def _turns(self, book: Book, keys: Sequence[str], since: datetime) -> Iterator[Page]:
        wanted = set(keys)

        def read(key: str) -> Iterator[Page]:
            return self._read(book, key, since) if key in wanted else iter(())

        for page in take_turns(book, read, lambda key, refusal: self._gap(book, key, since, refusal)):
            yield replace(page, cursor={**(page.cursor or {}), "watched": self._watched()})

    def _keys(self) -> list[str]:
        """The feeds, then the posts to look at, the youngest first."""
        youngest = sorted(self._young, key=lambda name: self._young[name].born, reverse=True)
        kept = [name for name in youngest if self._young[name].born >= self._earliest][:WATCHED_AT_MOST]
        self._young = {name: self._young[name] for name in kept}
        return [*self._feeds, *(f"{_COMMENTS}{name}" for name in kept)]

    def _watched(self) -> dict[str, JsonValue]:
        return {name: [young.born, young.total] for name, young in self._young.items()}

    def _feed(self, key: str) -> tuple[Feed, int | None]:
        """The feed and, of comments, how many there are."""
        if key in self._feeds or self._comments is None:
            return self._feeds[key], None
        name = key.removeprefix(_COMMENTS)
        return self._comments(name), self._young[name].total

    def _read(self, book: Book, key: str, since: datetime) -> Iterator[Page]:
        feed, total = self._feed(key)
        state = book.state(key)
        held: Mapping[str, JsonValue] = state if isinstance(state, Mapping) else {}
        sweep = Sweep.from_json(held, since=since.timestamp())
        if total is not None and sweep.at is None and held.get("total", 0) == total:
            book.had_turn(key)
            return
        if total is not None and self._comments_refused:
            return
        self._tried.add(key)
        try:
            yield from self._leaves(book, key, feed, sweep, total)
        except AccessDenied:
            self._comments_refused = self._comments_refused or total is not None
            raise

    def _leaves(self, book: Book, key: str, feed: Feed, sweep: Sweep, total: int | None) -> Iterator[Page]:
        path, overlap = feed.path(), feed.overlap.total_seconds()
        gap = self._out_of_reach(feed, book.state(key))
        for leaf, after in leaf_through(
            sweep, overlap, lambda at, under_way: self._leaf(feed, path, at, under_way, overlap)
        ):
            asked = {"asked": self._context.now().timestamp()} if feed.reach else {}
            book.note(key, {**after.to_json(), "total": total, **asked}, done=after.at is None)
            yield Page(self._fresh(leaf.items), book.cursor(), leaf.skipped, gap)
            gap = None

    def _out_of_reach(self, feed: Feed, state: object) -> Gap | None:
        """What was published between the last pull and what is still shown is not to be had any more."""
        now = self._context.now()
        asked = state.get("asked") if isinstance(state, Mapping) else None
        if feed.reach is None or not isinstance(asked, int | float) or isinstance(asked, bool) or not 0 < asked < 1e11:
            return None
        last = from_epoch(asked)
        reason = f"{feed.title}: shown for {feed.reach.total_seconds() / 3600:.0f} hours only"
        return Gap(reason, last, now - feed.reach) if last < now - feed.reach else None

    def _fresh(self, items: Sequence[Item]) -> Sequence[Item]:
        """What this pull has not brought yet: a post may stand in several listings."""
        fresh = {item.external_id: item for item in items if item.external_id not in self._seen}
        self._seen.update(fresh)
        return list(fresh.values())

    def _leaf(self, feed: Feed, path: str, at: Place, sweep: Sweep, overlap: float) -> Leaf:
        since = {"since": max(int(sweep.floor - overlap), 0)} if feed.dated else {}
        listing = self._graph.listing(path, {**feed.params, **since}, None if at is None else str(at))
        leaf = leaf_of(listing, feed.read, self._context.now())
        if feed.watched and self._comments is not None:
            self._watch(leaf.items)
        return leaf

    def _watch(self, items: Sequence[Item]) -> None:
        for item in items:
            born, comments = item.published_at.timestamp(), item.counts.comments
            if item.kind is Kind.POST and comments and born >= self._earliest:
                self._young[item.external_id] = Young(born, comments)

    def _gap(self, book: Book, key: str, since: datetime, refusal: Refusal) -> Gap:
        floor = Sweep.from_json(book.state(key), since=since.timestamp()).floor
        return Gap(f"{self._feed(key)[0].title}: {refusal}", since=from_epoch(min(max(floor, 0), 1e11)))


def leaf_of(listing: Listing, read: Callable[[Mapping[str, Any]], Sequence[Item]], now: datetime) -> Leaf:
    """A page. A time after ``now`` counts as now; a page in another order tells no ``last``, so that nobody stops at it."""
    items: list[Item] = []
    skipped: list[Skipped] = []
    times: list[float] = []
    for entry in listing.entries:
        try:
            found = read(entry)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            skipped.append(Skipped(_name(entry), f"{type(error).__name__}: not sound"))
            continue
        times += [min(item.published_at, now).timestamp() for item in found[:1]]
        items += found
    in_order = all(earlier >= later for earlier, later in pairwise(times))
    return Leaf(items, skipped, max(times, default=None), times[-1] if times and in_order else None, listing.next)


def _name(entry: object) -> str:
    name = entry.get("id") if isinstance(entry, Mapping) else None
    sound = isinstance(name, str) and name.isascii() and name.replace("_", "").isdigit()
    return f"entry {name[:60]}" if sound and isinstance(name, str) else "an entry without an id"
