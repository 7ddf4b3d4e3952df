"""X (formerly Twitter), by the recent search of its API version 2: posts of the last seven days. Every post read costs money."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import BeforeValidator, Field, SecretStr

from connectors.contract import (
    Capabilities,
    Context,
    Cursor,
    FollowerReading,
    Gap,
    JsonValue,
    Options,
    Page,
    Plugin,
    Refreshed,
    Scope,
)
from connectors.errors import Malformed, RateLimited, SourceError, Unavailable
from connectors.http import Answer
from connectors.turns import Book, Refusal, take_turns
from connectors.walk import Step, Walk, sweep
from connectors.x_parse import LOWER_BITS, Found, followers_of, found_of, id_at, refreshed_of, time_of
from connectors.x_wire import Purse, Wire

REACH = timedelta(days=7) - timedelta(minutes=2)
"""What the recent search shows, less the time that a request may take."""
OVERLAP = int(timedelta(minutes=2) / timedelta(milliseconds=1)) << LOWER_BITS
"""Re-read below the watermark, in ids. Short, since every post read again may cost again."""
QUIET = timedelta(hours=1)
"""Up to so long ago a search that found nothing newer has seen everything."""
POSTS_A_PAGE = 100
FEWEST = 10
"""The search gives no fewer at a time."""
FOLLOWERS_EVERY = timedelta(hours=6)
_POST_FIELDS = (
    "created_at,lang,public_metrics,referenced_tweets,conversation_id,edit_history_tweet_ids,note_tweet,author_id"
)
_USER_FIELDS = "username,verified,public_metrics"
_NOTHING = Step((), None, None, last=False)


def _account(value: object) -> str:
    given = str(value).strip().removeprefix("@")
    found = re.fullmatch(r"(?:https?://(?:www\.)?(?:x|twitter)\.com/)?([A-Za-z0-9_]{1,15})/?", given)
    if not found:
        raise ValueError(f"{given[:60]!r} is no account; write its name, such as acme")
    return found[1]


class XOptions(Options):
    bearer_token: SecretStr = Field(description="The bearer token of your app, from X's developer console.")
    query: str | None = Field(
        default=None,
        min_length=1,
        max_length=4096,
        description="What to search for, in X's own search operators; without it the brands' keywords, one search each.",
    )
    accounts: tuple[Annotated[str, BeforeValidator(_account)], ...] = Field(
        default=(),
        max_length=20,
        description="Your own accounts: their posts count as own posts and their followers are counted.",
    )
    retweets: bool = Field(default=False, description="Bring plain reposts as well; each costs as much as a post.")
    language: str | None = Field(
        default=None, pattern=r"^[a-z]{2,3}$", description="Only posts in this language, such as en or de."
    )
    authors: bool = Field(
        default=True, description="Ask for the authors' names and followers as well, which X may charge as users read."
    )
    posts_per_day: int = Field(
        default=500, ge=FEWEST, description="How many posts a UTC day may read at most; 500 cost about 2.50 dollars."
    )
    refreshes_per_day: int = Field(
        default=100,
        ge=0,
        description="How many known posts a UTC day may read again at most, for new counts and deletions; 0 for none.",
    )


@dataclass(frozen=True, slots=True)
class Search:
    """One thing that is searched: ``query`` in X's operators; ``own``: only the brand's own accounts are asked for."""

    query: str
    own: bool = False


class X:
    """Searches newest first and goes on by id; the cursor holds one walk a search, and what the day has cost."""

    def __init__(self, options: XOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._wire = Wire(options.base_url, options.bearer_token, context)
        self._plan = searches(options, context.terms)
        self._book: Book | None = None
        self._purse = Purse()

    def queries(self) -> Sequence[str]:
        return [search.query for search in self._plan]

    def check(self) -> None:
        """Asks how much was used this month, which reads no post and so costs none."""
        if not self._plan:
            raise Malformed("X: there is no keyword to search for; give the brand keywords, or a query")
        body = self._wire.get("/2/usage/tweets", {})
        if not isinstance(body, Mapping) or not isinstance(body.get("data"), Mapping):
            raise Unavailable("X: the answer tells no usage; trying again later")

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        self._wire.recall(cursor, self._options.accounts)
        self._purse = purse = Purse.of(cursor)
        by_query = {search.query: search for search in self._plan}
        self._book = book = Book(cursor, list(by_query))
        pull = Pull(self._options, self._context, self._wire, book, purse, since)
        turns = take_turns(book, lambda key: pull.pages(by_query[key]), pull.gap)
        for page in turns:
            yield replace(page, cursor=self._remembered(page.cursor or {}))

    def refresh(self, ids: Sequence[str]) -> Iterator[Refreshed]:
        """A hundred posts a request; every one of them costs."""
        purse, limit = self._wire.rereads(), self._options.refreshes_per_day
        waiting = [name for name in dict.fromkeys(ids) if re.fullmatch(r"[0-9]{1,19}", name)]
        while waiting and limit:
            wanted = min(len(waiting), POSTS_A_PAGE)
            taken = purse.take(wanted, least=1, limit=limit, now=self._context.now())
            asked, waiting = waiting[:taken], waiting[taken:]
            body = self._wire.get("/2/tweets", {"ids": ",".join(asked), "tweet.fields": "public_metrics"})
            yield from refreshed_of(body, asked)

    def followers(self) -> Iterator[FollowerReading]:
        """Every few hours only, since each account read costs."""
        names = self._options.accounts
        if not names or not self._wire.is_due(names, FOLLOWERS_EVERY):
            return
        body = self._wire.get("/2/users/by", {"usernames": ",".join(names), "user.fields": "public_metrics"})
        counts = followers_of(body)
        for name in names:
            if name.lower() in counts:
                yield FollowerReading(name, counts[name.lower()], self._context.now())

    def remember(self, ahead: int = 0) -> Cursor | None:
        return None if self._book is None else self._remembered(self._book.cursor(), ahead)

    def _remembered(self, cursor: Cursor, ahead: int = 0) -> Cursor:
        return {**cursor, "spent": self._purse.to_json(), **self._wire.memory(self._options.accounts, ahead)}

    def close(self) -> None:
        self._context.http.close()


class NotCharged(Exception):
    """Nothing was read, so nothing is charged; ``fate`` says why."""

    def __init__(self, fate: SourceError) -> None:
        super().__init__(str(fate))
        self.fate = fate


class Pull:
    """One pull: the pages of each search, as far as the day's posts reach."""

    def __init__(
        self, options: XOptions, context: Context, wire: Wire, book: Book, purse: Purse, since: datetime
    ) -> None:
        self._options = options
        self._context = context
        self._wire = wire
        self._book = book
        self._purse = purse
        self._reach = id_at(context.now() - REACH)
        self._since = max(id_at(since), self._reach)
        self._own = frozenset(account.lower() for account in options.accounts)
        self._seen: set[str] = set()

    def pages(self, search: Search) -> Iterator[Page]:
        walk = Walk.from_json(self._book.state(search.query), since=self._since)
        walk, gap = self._within_reach(walk)
        for step, after in sweep(walk, OVERLAP, lambda top, bottom: self._down(search, top, bottom)):
            self._book.note(search.query, after.to_json(), done=step.last and not after.under_way)
            items = [item for item in step.items if item.external_id not in self._seen]
            self._seen.update(item.external_id for item in items)
            yield Page(items, self._book.cursor(), step.skipped, gap)
            gap = None

    def gap(self, query: str, refusal: Refusal) -> Gap:
        walk = Walk.from_json(self._book.state(query), since=self._since)
        return Gap(f"{query}: {refusal}", since=time_of(walk.floor), until=self._context.now())

    def _within_reach(self, walk: Walk) -> tuple[Walk, Gap | None]:
        """What the search does not show any more is a gap, and is not asked for."""
        if walk.floor >= self._reach:
            return walk, None
        reason = "X shows the posts of the last seven days only, and the pull before was longer ago"
        gap = Gap(reason, since=time_of(walk.floor), until=time_of(self._reach))
        if walk.low is not None and walk.low <= self._reach:
            walk = walk.finished()
        return replace(walk, floor=max(walk.floor, self._reach)), gap

    def _down(self, search: Search, top: float | None, bottom: float) -> Iterator[Step]:
        """The search's pages, newest first. Before each an empty step puts down what it may cost; a token that comes again
        ends them."""
        token: str | None = None
        seen: set[str] = set()
        while True:
            taken = self._purse.take(
                POSTS_A_PAGE, least=FEWEST, limit=self._options.posts_per_day, now=self._context.now()
            )
            yield _NOTHING
            found = yield from self._paid(search, self._asked(search, top, bottom, token, taken), taken)
            last = found.token is None or found.token in seen
            yield self._step(found, top, last=last)
            if found.token is None or last:
                return
            token = found.token
            seen.add(token)

    def _paid(self, search: Search, params: Mapping[str, str | int], taken: int) -> Generator[Step, None, Found]:
        """A page, with what was put down for it settled. A refusal costs nothing; an answer that was lost may have."""
        try:
            answer = self._answered(params)
        except NotCharged as refused:
            self._settle(taken, 0)
            yield _NOTHING
            raise refused.fate from None
        found = found_of(answer.json(), self._own, all_own=search.own)
        self._settle(taken, found.count)
        return found

    def _answered(self, params: Mapping[str, str | int]) -> Answer:
        if self._context.stop.is_set():
            raise NotCharged(Unavailable("stopping"))
        try:
            answer = self._wire.ask("/2/tweets/search/recent", params)
        except (RateLimited, Malformed) as error:  # it was not sent at all
            raise NotCharged(error) from None
        refused = self._wire.refused(answer)
        if refused is not None:
            raise NotCharged(refused)
        return answer

    def _settle(self, taken: int, read: int) -> None:
        self._purse.settle(taken, read, self._context.now())

    def _step(self, found: Found, top: float | None, *, last: bool) -> Step:
        """From the top a search has at least seen everything up to an hour ago, even if it found nothing."""
        future = id_at(self._context.now() + timedelta(minutes=1))  # an id gone wrong must not hide what is to come
        newest, oldest = (None if number is None else min(number, future) for number in (found.newest, found.oldest))
        if top is None:
            quiet = id_at(self._context.now() - QUIET)
            newest, oldest = max(newest or 0, quiet), quiet if oldest is None else oldest
        return Step(found.items, newest, oldest, last, found.skipped)

    def _asked(
        self, search: Search, top: float | None, bottom: float, token: str | None, count: int
    ) -> Mapping[str, str | int]:
        params: dict[str, str | int] = {
            "query": search.query,
            "max_results": count,
            "sort_order": "recency",
            "tweet.fields": _POST_FIELDS,
        }
        if bottom > self._reach:
            params["since_id"] = int(bottom) - 1  # which the search leaves out
        else:
            params["start_time"] = (self._context.now() - REACH).strftime("%Y-%m-%dT%H:%M:%SZ")
        if self._options.authors:
            params |= {"expansions": "author_id", "user.fields": _USER_FIELDS}
        if top is not None:
            params["until_id"] = int(top)
        return params | ({"next_token": token} if token else {})


def searches(options: XOptions, terms: Sequence[str]) -> Sequence[Search]:
    """Everything that a source with these options searches, each once.

    The brand's own accounts have a search of their own, so that nothing is paid for twice.
    """
    own = " OR ".join(f"from:{account}" for account in options.accounts)
    without_own = " ".join(f"-from:{account}" for account in options.accounts)
    asked = [f"({options.query.strip()})"] if options.query is not None else [escaped(term) for term in terms]
    ends = ["" if options.retweets else "-is:retweet", f"lang:{options.language}" if options.language else ""]
    found = [Search(_joined(query, without_own, *ends)) for query in asked if query]
    if own:
        found.append(Search(_joined(f"({own})", ends[0]), own=True))
    return list(dict.fromkeys(found))


def escaped(term: str) -> str:
    """A keyword as X searches for it and takes it for no operator: hashtags and plain words bare, all else in quotes."""
    bare = " ".join(term.replace('"', " ").replace("\\", " ").split())
    if re.fullmatch(r"[#@]?\w+", bare) and bare not in ("OR", "AND"):
        return bare
    return f'"{bare}"' if re.search(r"\w", bare) else ""


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def _recognise(link: str) -> Mapping[str, JsonValue] | None:
    """A link to a search, or to a hashtag; not one to an account, which one would have to own."""
    try:
        parts = urlsplit(link.strip())
    except ValueError:
        return None
    host = (parts.hostname or "").removeprefix("www.").removeprefix("mobile.")
    if parts.scheme not in ("http", "https") or host not in ("x.com", "twitter.com"):
        return None
    tag = re.fullmatch(r"/hashtag/(\w{1,100})/?", parts.path)
    query = f"#{tag[1]}" if tag else parse_qs(parts.query).get("q", [""])[0].strip()
    return {"query": query[:4096]} if query and (tag or parts.path == "/search") else None


PLUGIN = Plugin(
    name="x",
    title="X",
    platform="x",
    options=XOptions,
    open=X,
    capabilities=Capabilities(
        scope=Scope.SEARCH,
        backfill=False,
        refresh=True,
        followers=True,
        needs_credentials=True,
        minimum_interval=timedelta(minutes=5),
    ),
    recognise=_recognise,
    tried="recorded",
    notes="X charges for every post read (about half a cent) and user read (about a cent): posts_per_day bounds it. Shows the "
    "last seven days. What was deleted on X must be dropped here too, so leave refreshing on.",
)
