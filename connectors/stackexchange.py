"""Stack Exchange: questions and answers of its sites that name a keyword, or that stand under a tag.

Everything is walked by its last activity, so that new answers and edits of old posts are found. A search tells only
excerpts, so the posts that are new or changed are asked for by number, a hundred at a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from connectors.contract import (
    Capabilities,
    Context,
    Cursor,
    Gap,
    Item,
    JsonValue,
    Page,
    Plugin,
    Refreshed,
    Scope,
    Skipped,
    from_epoch,
)
from connectors.errors import Unavailable
from connectors.stackexchange_options import Search, StackExchangeOptions, recognise, searches
from connectors.stackexchange_parse import (
    ANSWER,
    DAMAGED,
    QUESTION,
    Found,
    Reading,
    Row,
    activity_of,
    answer_of,
    found_of,
    items_of,
    name_of,
    question_of,
    refreshed_of,
    titles_of,
)
from connectors.stackexchange_wire import Listing, Wire
from connectors.walk import Step, Walk, sweep

ROWS_A_PAGE = 100
QUESTIONS_A_PAGE = 50
"""Under a tag the answers to a page of questions are asked for, too."""
PAGES_AT_MOST = 25
"""Further pages want a key. A walk goes on by time instead, so these are of one second, or of the answers to one page."""
OVERLAP = timedelta(hours=2).total_seconds()
"""Re-read below the watermark: the search's index lags behind the site."""
SETTLED = timedelta(minutes=10)
"""What changed less long ago is read again: the API's answers are minutes old at times, and differ from each other."""
KEPT = 200
"""So many posts already read does the cursor name, so that they are not asked for again."""

_BY_ACTIVITY = {"sort": "activity", "order": "desc"}

Version: TypeAlias = str
"""A post and when something last happened to it: known as this, it need not be asked for again."""


class StackExchange:
    """Walks each search in its turn; the cursor holds one walk a search, and what is still to be waited for."""

    def __init__(self, options: StackExchangeOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._wire = Wire(options, context)
        self._searches = searches(options, context.terms)

    def queries(self) -> Sequence[str]:
        return [search.title for search in self._searches]

    def check(self) -> None:
        """Asks for one result of the first search, which tells whether site and key are good."""
        search = next(iter(self._searches), Search())
        path, params = _asked(search, self._options) if search.title else ("questions", {})
        self._wire.get(path, {**params, **_BY_ACTIVITY, "site": self._options.site, "pagesize": 1})

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        book = Book(cursor, since.timestamp(), self._searches)
        self._wire.resume((cursor or {}).get("waits"))
        for search in book.in_turn():
            try:
                yield from self._pages(search, book)
            except Unavailable:
                # The others go first next time, lest one search that cannot be answered keep them waiting for ever.
                book.had_turn(search)
                yield Page((), self._cursor(book))
                raise

    def refresh(self, ids: Sequence[str]) -> Iterator[Refreshed]:
        """A hundred posts a request; the answer does not tell of comments."""
        for (site, kind), numbers in _by_site(ids).items():
            path = "questions/{ids}" if kind == QUESTION else "answers/{ids}"
            for start in range(0, len(numbers), ROWS_A_PAGE):
                asked = numbers[start : start + ROWS_A_PAGE]
                listing = self._wire.get(path, {"site": site, "pagesize": ROWS_A_PAGE}, ids=asked)
                yield from refreshed_of(listing.rows, [(kind, number) for number in asked], site)

    def close(self) -> None:
        self._context.http.close()

    def _cursor(self, book: Book) -> Cursor:
        return {**book.to_json(), "waits": self._wire.waits()}

    def _pages(self, search: Search, book: Book) -> Iterator[Page]:
        walk = book.walk(search)
        pull = Pull(self._wire, self._context, self._options, search, book.known(search), book.page(search))
        for step, after in sweep(walk, OVERLAP, pull.read):
            book.note(search, after, pull)
            wanted = [item for item in step.items if item.published_at.timestamp() >= book.horizon(search)]
            yield Page(wanted, self._cursor(book), step.skipped, pull.take_gap())


@dataclass(slots=True)
class Pull:
    """One search in one pull.

    ``known``: the versions that are read already, the newest last; ``page``: the next page of the second that the walk has
    come down to. Of pages the one before is read again, since deletions shift them.
    """

    wire: Wire
    context: Context
    options: StackExchangeOptions
    search: Search
    known: dict[Version, None]
    page: int = 1
    _gap: Gap | None = field(default=None)

    def read(self, top: float | None, bottom: float) -> Iterator[Step]:
        """What happened between ``top`` and ``bottom``, the last first."""
        page = 1 if top is None else max(self.page - 1, 1)
        while True:
            listing = self._listing(top, bottom, page)
            times = [at for row in listing.rows if (at := activity_of(row)) is not None]
            last = not listing.has_more or not listing.rows or _is_astray(times, top)
            if not last and page >= PAGES_AT_MOST and min(times, default=top) == top:
                self._gap = self._crowded(top)
                last, top, page = not times, (top or 0) - 1, 1
            elif times and (top is None or min(times) < top):
                top, page = min(times), 1
            else:
                page += 1
            self.page = page
            yield self._step(listing, bottom, times, last=last)
            if last:
                return

    def settled(self) -> Sequence[Version]:
        """What need not be asked for again in the next pull."""
        latest = (self.context.now() - SETTLED).timestamp()
        return sorted((version for version in self.known if _happened(version) <= latest), key=_happened)[-KEPT:]

    def take_gap(self) -> Gap | None:
        gap, self._gap = self._gap, None
        return gap

    def _crowded(self, at: float | None) -> Gap:
        moment = None if at is None else from_epoch(at)
        return Gap(f"{self.search.title}: more posts changed within a second than are shown", moment, moment)

    def _listing(self, top: float | None, bottom: float, page: int) -> Listing:
        path, params = _asked(self.search, self.options)
        bounds: dict[str, str | int] = {"min": max(int(bottom), 0), "page": page, "site": self.options.site}
        if top is not None:
            bounds["max"] = int(top)
        size = QUESTIONS_A_PAGE if path == "questions" and self.options.answers else ROWS_A_PAGE
        return self.wire.get(path, {**params, **bounds, **_BY_ACTIVITY, "pagesize": size})

    def _step(self, listing: Listing, bottom: float, times: Sequence[float], *, last: bool) -> Step:
        fresh, skipped = self._fresh(listing.rows)
        items, damaged = self._posts(fresh, bottom) if fresh else ((), ())
        self._remember(fresh)
        now = self.context.now().timestamp()  # what is dated ahead must not hide what comes until then
        newest, oldest = max(times, default=None), min(times, default=None)
        if newest is None or oldest is None:
            return Step(items, None, None, last, [*skipped, *damaged])
        return Step(items, min(newest, now), min(oldest, now), last, [*skipped, *damaged])

    def _fresh(self, rows: Sequence[Any]) -> tuple[Mapping[Found, Row], Sequence[Skipped]]:
        """The rows that are not known as they are now, and the damaged ones."""
        fresh: dict[Found, Row] = {}
        skipped: list[Skipped] = []
        for row in rows:
            try:
                found = found_of(row)
            except DAMAGED as error:
                skipped.append(Skipped(name_of(row), f"{type(error).__name__}: not a question or answer"))
                continue
            if _version(found, row) not in self.known:
                fresh[found] = row
        return fresh, skipped

    def _remember(self, fresh: Mapping[Found, Row]) -> None:
        for found, row in fresh.items():
            self.known[_version(found, row)] = None

    def _posts(self, fresh: Mapping[Found, Row], bottom: float) -> tuple[Sequence[Item], Sequence[Skipped]]:
        titles = titles_of(fresh.values())
        reading = Reading(self.options.site, frozenset(self.options.own), titles)
        questions = [number for kind, number in fresh if kind == QUESTION]
        if self._excerpts:
            answers = [number for kind, number in fresh if kind == ANSWER]
            parts = self._by_number(questions, answers, reading)
        else:
            rows = list(fresh.values()) if self.options.questions else []
            parts = [items_of(rows, question_of, reading)]
            parts += self._answers_to(questions, bottom, reading) if self.options.answers else []
        return [item for items, _ in parts for item in items], [entry for _, skips in parts for entry in skips]

    @property
    def _excerpts(self) -> bool:
        return bool(self.search.query) and self.options.answers

    def _by_number(
        self, questions: Sequence[int], answers: Sequence[int], reading: Reading
    ) -> list[tuple[Sequence[Item], Sequence[Skipped]]]:
        """What a search found, whole. What is not there any more was deleted meanwhile."""
        parts = []
        wanted = ((questions, "questions/{ids}", question_of), (answers, "answers/{ids}", answer_of))
        for numbers, path, read in wanted if self.options.questions else wanted[1:]:
            if numbers:
                parts.append(items_of(self._whole(path, numbers).rows, read, reading))
        return parts

    def _whole(self, path: str, numbers: Sequence[int], **more: str | int) -> Listing:
        params = {"site": self.options.site, "filter": "withbody", "pagesize": ROWS_A_PAGE, **more}
        return self.wire.get(path, params, ids=numbers[:ROWS_A_PAGE])

    def _answers_to(
        self, questions: Sequence[int], bottom: float, reading: Reading
    ) -> list[tuple[Sequence[Item], Sequence[Skipped]]]:
        """The answers to these questions to which something happened since."""
        parts = []
        bounds: dict[str, str | int] = {**_BY_ACTIVITY, "min": max(int(bottom), 0)}
        for page in range(1, PAGES_AT_MOST + 1):
            listing = self._whole("questions/{ids}/answers", questions, page=page, **bounds)
            parts.append(items_of(listing.rows, answer_of, reading))
            if not listing.has_more:
                return parts
        self._gap = Gap(f"{self.search.title}: more answers than are shown", from_epoch(max(bottom, 0)))
        return parts


class Book:
    """The cursor under way: where each search stands, what it has read, and whose turn it is."""

    def __init__(self, cursor: Cursor | None, since: float, plan: Sequence[Search]) -> None:
        held = (cursor or {}).get("searches")
        self._held: dict[str, JsonValue] = dict(held) if isinstance(held, Mapping) else {}
        self._since = since
        self._plan = plan
        self._next = (cursor or {}).get("next")

    def in_turn(self) -> Sequence[Search]:
        """Every search, the one whose turn it is first."""
        titles = [search.title for search in self._plan]
        start = titles.index(self._next) if self._next in titles else 0
        return [*self._plan[start:], *self._plan[:start]]

    def had_turn(self, search: Search) -> None:
        at = self._plan.index(search) + 1
        self._next = self._plan[at % len(self._plan)].title

    def walk(self, search: Search) -> Walk:
        return Walk.from_json(self._state(search), since=self._since)

    def horizon(self, search: Search) -> float:
        """What was published before is not wanted; in seconds since 1970."""
        horizon = self._state(search).get("horizon")
        return horizon if isinstance(horizon, int | float) and not isinstance(horizon, bool) else self._since

    def known(self, search: Search) -> dict[Version, None]:
        known = self._state(search).get("known")
        return {version: None for version in known if isinstance(version, str)} if isinstance(known, list) else {}

    def page(self, search: Search) -> int:
        page = self._state(search).get("page")
        return page if isinstance(page, int) and not isinstance(page, bool) and 1 <= page <= PAGES_AT_MOST else 1

    def note(self, search: Search, walk: Walk, pull: Pull) -> None:
        state = {**walk.to_json(), "horizon": self.horizon(search), "page": pull.page}
        self._held[search.title] = {**state, "known": pull.settled()}
        if walk.under_way:
            self._next = search.title
        else:
            self.had_turn(search)

    def to_json(self) -> dict[str, JsonValue]:
        """Where the searches of the plan stand; others are forgotten."""
        titles = [search.title for search in self._plan]
        return {"searches": {title: self._held[title] for title in titles if title in self._held}, "next": self._next}

    def _state(self, search: Search) -> Mapping[str, JsonValue]:
        state = self._held.get(search.title)
        return state if isinstance(state, Mapping) else {}


def _asked(search: Search, options: StackExchangeOptions) -> tuple[str, Mapping[str, str | int]]:
    """The method that a search uses, with what it is asked."""
    tagged = {"tagged": search.tagged} if search.tagged else {}
    if not search.query:
        return "questions", {**tagged, "filter": "withbody"}
    if options.answers:
        return "search/excerpts", {"q": search.query, **tagged}
    return "search/advanced", {"q": search.query, **tagged, "filter": "withbody"}


def _is_astray(times: Sequence[float], top: float | None) -> bool:
    """Does a page show only what is newer than was asked for? Such a listing would go on for ever."""
    return top is not None and bool(times) and min(times) > top


def _version(found: Found, row: Row) -> Version:
    return f"{int(activity_of(row) or 0)} {found[0]}{found[1]}"


def _happened(version: Version) -> int:
    at = version.partition(" ")[0]
    return int(at) if at.isascii() and at.isdigit() and len(at) < 15 else 0


def _by_site(ids: Sequence[str]) -> Mapping[tuple[str, str], list[int]]:
    """The numbers that these ids name, by site and kind, each once."""
    found: dict[tuple[str, str], list[int]] = {}
    for name in dict.fromkeys(ids):
        parts = re.fullmatch(r"([a-z0-9.-]{1,160})/([qa])/([1-9][0-9]{0,14})", name)
        if parts:
            found.setdefault((parts[1], parts[2]), []).append(int(parts[3]))
    return found


PLUGIN = Plugin(
    name="stackexchange",
    title="Stack Exchange",
    platform="stackexchange",
    options=StackExchangeOptions,
    open=StackExchange,
    capabilities=Capabilities(scope=Scope.SEARCH, refresh=True, minimum_interval=timedelta(minutes=5)),
    recognise=recognise,
    notes="Official API: 300 requests a day without a key, 10,000 with a free one. Texts are under CC BY-SA: quote them with "
    "their author's name, a link to the post and the licence's name.",
)
