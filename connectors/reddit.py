"""Reddit, by its official API and PRAW: posts found by search, posts and comments of subreddits as they come in.

PRAW signs in, keeps the token and asks; what it asks for comes back as raw JSON and is read entry by entry, since its own
objects give up a whole page for one odd entry. It sends through :class:`Wire`, so that it never sleeps, follows no proxy
and no redirect, and stays within the source's time-outs, sizes and budget.
"""

from __future__ import annotations

import configparser
import io
from collections.abc import Generator, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from importlib.resources import files
from typing import Any, TypeAlias

import praw
import prawcore
import requests
from praw.config import Config

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
from connectors.errors import AccessDenied, Malformed, NotThere, Unavailable
from connectors.http import Answer
from connectors.reddit_options import ALL, Listing, RedditOptions, listings, recognise
from connectors.reddit_parse import Batch, batch_of, is_fullname, members_of, refreshed_of
from connectors.reddit_walk import PAGE_SIZE, Book, End, Step, Sweep, advance
from connectors.reddit_wire import APPS, TokenRefused, Wire

NAMES_A_REQUEST = 100
SIGN_IN_SITE = "https://www.reddit.com"
API = "https://oauth.reddit.com"
BUSY = frozenset({"server_error", "temporarily_unavailable"})
"""What an OAuth error says when it is not about the credentials."""

Refusal: TypeAlias = AccessDenied | NotThere


class Reddit:
    """Walks each listing newest first down to what is known; the cursor holds one sweep a listing."""

    def __init__(self, options: RedditOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._listings = listings(options, context.terms)
        self._client = Client(options, context)

    def queries(self) -> Sequence[str]:
        return [listing.title for listing in self._listings]

    def check(self) -> None:
        """Asks for one entry of every subreddit that is named, alone, and of one search."""
        searches = [listing for listing in self._listings if listing.query is not None][:1]
        places = [Listing(name, "new") for name in self._options.names]
        for listing in (*places, *searches) or (Listing(ALL, "new"),):
            batch_of(self._client.get(listing.path, {**listing.params, "limit": 1}))

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        pull = Pull(self._client, self._context, Book(cursor, since.timestamp()), self._listings, since.timestamp())
        return pull.pages()

    def refresh(self, ids: Sequence[str]) -> Iterator[Refreshed]:
        for names in _chunks([name for name in ids if is_fullname(name)]):
            yield from refreshed_of(self._client.get("api/info/", {"id": ",".join(names)}), names)

    def followers(self) -> Iterator[FollowerReading]:
        """The subscribers of the subreddits that are named."""
        for names in _chunks(self._options.names):
            answer = self._client.get("api/info/", {"sr_name": ",".join(names)})
            for place, count in members_of(answer):
                yield FollowerReading(place, count, self._context.now())

    def close(self) -> None:
        self._client.close()
        self._context.http.close()


class Pull:
    """One pull: every listing, the one that has waited longest first."""

    def __init__(self, client: Client, context: Context, book: Book, plan: Sequence[Listing], since: float) -> None:
        self._client = client
        self._context = context
        self._book = book
        self._since = since
        self._plan = plan
        self._keys = [listing.key for entry in plan for listing in (entry, *entry.members)]

    def pages(self) -> Iterator[Page]:
        yield from self._each(self._plan)

    def _each(self, plan: Sequence[Listing]) -> Generator[Page, None, Sequence[Listing]]:
        """Every listing's pages, then a gap for each that was refused, which are returned; all refused: raised."""
        refused: dict[Listing, Refusal] = {}
        for listing in sorted(plan, key=lambda listing: self._book.turn(listing.key)):
            try:
                yield from self._pages(listing)
            except (AccessDenied, NotThere) as error:
                if not self._client.signed_in:
                    raise
                refused[listing] = error
                self._book.had_turn(listing.key)
            except (Unavailable, Malformed):
                # The others go first next time, lest one search that Reddit cannot answer keep them waiting for ever.
                self._book.had_turn(listing.key)
                yield Page((), self._cursor())
                raise
        if refused and len(refused) == len(plan):
            raise next(iter(refused.values()))
        for listing, refusal in refused.items():
            yield Page((), self._cursor(), gap=self._refusal(listing, refusal))
        return list(refused)

    def _pages(self, listing: Listing) -> Iterator[Page]:
        if not listing.members:
            yield from self._sweep(listing)
            return
        try:
            yield from self._sweep(listing)
        except (AccessDenied, NotThere):
            if not self._client.signed_in:
                raise
            yield from self._one_by_one(listing)

    def _one_by_one(self, listing: Listing) -> Iterator[Page]:
        """One bad subreddit spoils ``a+b`` for all: each alone, from where they stood together."""
        together = self._book.sweep(listing.key).floor
        for member in listing.members:
            if self._book.sweep(member.key, otherwise=together).floor < together:
                self._book.note(member.key, Sweep(floor=together))
        refused = yield from self._each(listing.members)
        read = [self._book.sweep(member.key).floor for member in listing.members if member not in refused]
        self._book.note(listing.key, Sweep(floor=min(read)))
        self._book.had_turn(listing.key)
        yield Page((), self._cursor())

    def _sweep(self, listing: Listing) -> Iterator[Page]:
        """Finish the sweep under way, if one is, then make a new one from the top."""
        sweep = self._book.sweep(listing.key)
        resumed = sweep.under_way
        seen: set[str] = set()
        while True:
            batch = self._read(listing, sweep)
            step = advance(sweep, batch, ceiling=listing.ceiling, now=self._context.now().timestamp())
            self._book.note(listing.key, step.sweep)
            if step.end is not None:
                self._book.had_turn(listing.key)
            yield Page(self._fresh(batch, sweep, seen), self._cursor(), batch.skipped, self._gap(listing, sweep, step))
            if step.end is not None and not resumed:
                return
            resumed = resumed and step.end is None
            sweep = step.sweep

    def _read(self, listing: Listing, sweep: Sweep) -> Batch:
        onward = {"after": sweep.after} if sweep.after else {}
        return batch_of(self._client.get(listing.path, {**listing.params, "limit": PAGE_SIZE, **onward}))

    def _fresh(self, batch: Batch, sweep: Sweep, seen: set[str]) -> Sequence[Item]:
        """What this pull has not brought yet and is not from before its reach."""
        oldest = min(self._since, sweep.bottom)
        items = {item.external_id: item for item in batch.items if item.published_at.timestamp() >= oldest}
        fresh = [item for name, item in items.items() if name not in seen]
        seen.update(items)
        return fresh

    def _gap(self, listing: Listing, sweep: Sweep, step: Step) -> Gap | None:
        if step.end is not End.CUT or step.low is None:
            return None
        reason = f"{listing.title}: Reddit shows about {listing.ceiling:,} entries and no older ones; pull more often"
        return Gap(reason, since=from_epoch(sweep.floor), until=from_epoch(step.low))

    def _refusal(self, listing: Listing, error: Refusal) -> Gap:
        since = from_epoch(self._book.sweep(listing.key).floor)
        return Gap(f"{listing.title}: {error}", since=since, until=self._context.now())

    def _cursor(self) -> Cursor:
        return self._book.cursor(self._keys)


class Client:
    """Reddit through PRAW: raw JSON, or one of the fates."""

    def __init__(self, options: RedditOptions, context: Context) -> None:
        self._options = options
        self._wire = Wire(context)
        self._praw: praw.Reddit | None = None

    @property
    def signed_in(self) -> bool:
        return self._wire.signed_in

    def get(self, path: str, params: Mapping[str, str | int]) -> object:
        """The answer's JSON. A token that is refused before its time is replaced once."""
        try:
            return self._ask(path, params)
        except TokenRefused:
            self.close()
        try:
            return self._ask(path, params)
        except TokenRefused as error:
            raise AccessDenied(f"reddit.com: answered 401 to a new token; look at the app's rights ({APPS})") from error

    def close(self) -> None:
        self._praw = None

    def _ask(self, path: str, params: Mapping[str, str | int]) -> object:
        if self._praw is None:
            self._praw = _praw(self._options, self._wire)
        try:
            return self._praw.request(method="GET", path=path, params=dict(params))
        except prawcore.exceptions.OAuthException as error:
            raise _fate_of_oauth(error) from error
        except (prawcore.exceptions.PrawcoreException, praw.exceptions.PRAWException) as error:
            raise Unavailable(f"reddit.com: {_what(error)}; trying again later") from error
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
            # PRAW and its core read answers without looking: a page instead of a token, a token without its fields.
            raise Unavailable("reddit.com: the answer is not what Reddit speaks; trying again later") from error


class Transport(prawcore.Requestor):
    """PRAW's way to the network, which is ours. It sees no rate limit, so its own limiter never sleeps."""

    def __init__(self, *, wire: Wire, **settings: Any) -> None:
        super().__init__(**settings)
        self._wire = wire

    def request(self, *args: Any, timeout: float | None = None, **kwargs: Any) -> requests.Response:
        method, url = args
        headers = {"User-Agent": str(self._http.headers["User-Agent"]), **kwargs.get("headers", {})}
        asked = {key: kwargs.get(key) for key in ("params", "data", "auth")}
        prepared = requests.Request(method.upper(), url, headers=headers, **asked).prepare()
        body = prepared.body.encode() if isinstance(prepared.body, str) else None
        plain = {name: str(value) for name, value in prepared.headers.items()}
        return _as_response(self._wire.send(method.upper(), str(prepared.url), plain, body))


def _as_response(answer: Answer) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url, response.encoding = answer.status, answer.url, "utf-8"
    response.headers.update({k: v for k, v in answer.headers.items() if not k.startswith("x-ratelimit-")})
    response.raw = io.BytesIO(answer.body)
    return response


def _praw(options: RedditOptions, wire: Wire) -> praw.Reddit:
    """PRAW with every setting named, so that neither its environment variables nor a ``praw.ini`` has a say."""
    _read_no_file()
    base = options.base_url.rstrip("/") if options.base_url else None
    return praw.Reddit(
        "DEFAULT",
        requestor_class=Transport,
        requestor_kwargs={"wire": wire},
        client_id=options.client_id.strip(),
        client_secret=options.client_secret.get_secret_value().strip(),
        user_agent=options.user_agent,
        reddit_url=base or SIGN_IN_SITE,
        oauth_url=f"{base or API}/",
        short_url="https://redd.it",
        redirect_uri=None,
        refresh_token=None,
        username=None,
        password=None,
        check_for_updates=False,
        check_for_async=False,
        timeout=16,
        ratelimit_seconds=0,
        window_size=600,
    )


def _read_no_file() -> None:
    """PRAW reads ``praw.ini`` from the working directory, once a process; its own defaults are put in that place."""
    with Config.LOCK:
        if Config.CONFIG is None:
            defaults = configparser.ConfigParser(interpolation=None)
            defaults.read_string((files("praw") / "praw.ini").read_text())
            Config.CONFIG = defaults


def _fate_of_oauth(error: prawcore.exceptions.OAuthException) -> AccessDenied | Unavailable:
    if error.error in BUSY:
        return Unavailable("reddit.com: the sign-in is out of order; trying again later")
    return AccessDenied(f"reddit.com: refuses the sign-in; look at client_id and client_secret ({APPS})")


def _what(error: Exception) -> str:
    if isinstance(error, prawcore.exceptions.BadJSON):
        return "the answer is not JSON"
    return f"PRAW gave up on the answer ({type(error).__name__})"


def _chunks(names: Sequence[str]) -> Iterator[Sequence[str]]:
    unique = list(dict.fromkeys(names))
    for start in range(0, len(unique), NAMES_A_REQUEST):
        yield unique[start : start + NAMES_A_REQUEST]


PLUGIN = Plugin(
    name="reddit",
    title="Reddit",
    platform="reddit",
    options=RedditOptions,
    open=Reddit,
    capabilities=Capabilities(
        scope=Scope.SEARCH,
        refresh=True,
        followers=True,
        needs_credentials=True,
        minimum_interval=timedelta(minutes=2),
    ),
    recognise=recognise,
    tried="recorded",
    notes="Official Data API: since November 2025 Reddit must approve each app, and commercial use needs a contract. "
    "What is deleted on Reddit must be dropped here too, so leave refreshing on; its texts may not train models.",
)
