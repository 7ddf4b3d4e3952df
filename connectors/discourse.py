"""Discourse: what is written in a forum. Everything new, or what the forum's own search finds.

The list of the latest posts is complete and goes down by the posts' numbers. The search tells of each topic only its newest
post that matches, and only the beginning of it, so that each post is read singly: it is for forums too busy to be read whole.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, model_validator

from connectors.asking import ask, said
from connectors.contract import (
    Capabilities,
    Context,
    Cursor,
    Gap,
    JsonValue,
    Options,
    Page,
    Plugin,
    Refreshed,
    Scope,
    Skipped,
    from_epoch,
)
from connectors.discourse_parse import (
    Batch,
    Forum,
    Hit,
    Hits,
    batch_of,
    counts_of,
    hits_of,
    is_gone,
    is_shown,
    item_of,
    skip,
)
from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, SourceError, Unavailable
from connectors.http import MAX_RETRY_AFTER, Answer, retry_after
from connectors.walk import Step, Walk, sweep

OVERLAP_IDS = 100.0
"""Posts read again below the watermark: some appear late, such as those that wait for a moderator."""
OVERLAP = timedelta(hours=1).total_seconds()
"""The same for searches, in seconds."""
POSTS_A_PAGE = 50
HOLE = 20
"""So many pages without any post end the list: old versions of Discourse show nothing where numbers went to private posts."""
SEARCH_PAGES = 10
"""A forum refuses to show further pages of a search; beyond them the search slides down by days."""
DAY = timedelta(days=1)
FAR_AWAY = datetime(9000, 1, 1, tzinfo=UTC).timestamp()

_LINK = re.compile(
    r"(https?://[^/?#\s]+(?:/[^?#\s]{1,100}?)?)/(?:t/[^/?#\s]+/\d+|c/[^?#\s]+/\d+|latest|top|categories)\b"
)


def _forum(value: object) -> str:
    """The address of a forum, without the rest of a link into it and without a slash at its end."""
    given = str(value).strip()
    link = _LINK.match(given)
    address = link[1] if link else given if "://" in given else f"https://{given}"
    try:
        parts = urlsplit(address)
        sound = parts.scheme in ("http", "https") and re.fullmatch(r"[A-Za-z0-9.:-]+", parts.netloc)
    except ValueError:
        sound = None
    if not sound:
        raise ValueError(f'{given[:80]!r} is no forum; write its address, such as "https://meta.discourse.org"')
    return f"{parts.scheme}://{parts.netloc.lower()}{parts.path.rstrip('/')}"


class DiscourseOptions(Options):
    forum: Annotated[str, BeforeValidator(_forum)] = Field(
        description='The forum\'s address, such as "https://meta.discourse.org"; a link into it does as well.'
    )
    mode: Literal["everything", "search"] = Field(
        default="everything",
        description="Read every new post, or only what the forum's search finds: of each topic the newest that matches.",
    )
    query: str | None = Field(
        default=None,
        min_length=3,
        description="What to search for, as typed into the forum's search; without it the brands' keywords, one search each.",
    )
    own: tuple[str, ...] = Field(
        default=(), description="The brand's own accounts in the forum: what they write is no mention."
    )
    api_key: SecretStr | None = Field(
        default=None, description="An API key, for forums that only members read; its owner's rights decide what comes."
    )
    api_username: str | None = Field(
        default=None, description="The account that the key acts for, if the key is one for all users."
    )

    @model_validator(mode="after")
    def _sensible(self) -> DiscourseOptions:
        if self.query and self.mode != "search":
            raise ValueError('query: only a search takes one; add mode = "search"')
        if self.api_username and self.api_key is None:
            raise ValueError("api_username: there is no api_key; add one or leave it out")
        return self


@dataclass(slots=True)
class _Patience:
    """How many more pages without a post are borne before the list is believed to end."""

    left: int = HOLE

    @classmethod
    def of(cls, held: object) -> _Patience:
        sound = isinstance(held, int) and not isinstance(held, bool) and 0 <= held <= HOLE
        return cls(held if sound else HOLE)  # type: ignore[arg-type]

    def learn(self, ids: Sequence[int]) -> None:
        """A page that spans more numbers than it can hold posts passes over holes by itself: then none is empty but the last."""
        if not ids:
            self.left -= 1
        elif max(ids) - min(ids) >= POSTS_A_PAGE:
            self.left = 0
        elif self.left > 0:
            self.left = HOLE


class Discourse:
    """Walks down the latest posts by their numbers, or searches newest first and slides down by days."""

    def __init__(self, options: DiscourseOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._forum = Forum(options.forum, frozenset(name.strip().lstrip("@").lower() for name in options.own))
        self._base = (options.base_url or options.forum).rstrip("/")

    def queries(self) -> Sequence[str]:
        return self._terms() if self._options.mode == "search" else [f"everything new in {self._forum.name}"]

    def check(self) -> None:
        query = next(iter(self._terms()), None) if self._options.mode == "search" else None
        if query is None:
            self._latest(None)
        else:
            self._hits(f"{query} order:latest", 1)

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        return self._everything(cursor, since) if self._options.mode == "everything" else self._searches(cursor, since)

    def refresh(self, ids: Sequence[str]) -> Iterator[Refreshed]:
        """Each post read again. One that this account may not see is passed over, unless it may see none."""
        denied: AccessDenied | None = None
        answered = False
        for name in ids:
            number = name.removeprefix(f"{self._forum.name}/")
            if not number.isdecimal():
                continue
            try:
                yield self._refreshed(name, number)
            except AccessDenied as error:
                denied = error
            else:
                answered = True
        if denied is not None and not answered:
            raise denied

    def close(self) -> None:
        self._context.http.close()

    # --- everything

    def _everything(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        held = cursor or {}
        walk = Walk.from_json(held.get("stream"), since=0.0)
        begun = held.get("since")
        reach = float(begun) if isinstance(begun, int | float) and walk.under_way else since.timestamp()
        patience = _Patience.of(held.get("patience"))
        read = partial(self._walk_down, reach if walk.floor <= 0 else None, patience)
        for step, after in sweep(walk, OVERLAP_IDS, read):
            yield Page(step.items, _stand(after, reach, patience), step.skipped)

    def _walk_down(self, reach: float | None, patience: _Patience, top: float | None, bottom: float) -> Iterator[Step]:
        """Pages of posts with numbers below ``top``, newest first, down to ``bottom`` or what is older than ``reach``.

        What versions of Discourse call "before" is the number itself or only those below it: both do.
        """
        before = None if top is None else int(top)
        while True:
            batch = self._latest(before)
            ids = [number for number in batch.ids if before is None or number < before]
            patience.learn(ids)
            lowest = min(ids) if ids else (before or 0) - POSTS_A_PAGE
            too_old = reach is not None and batch.newest is not None and batch.newest < reach
            last = lowest <= max(bottom, 1) or too_old or (not ids and patience.left <= 0)
            items = [item for number, item in batch.items.items() if number in ids]
            patience.left = HOLE if last else patience.left
            yield Step(items, max(ids, default=lowest), lowest, last, batch.skipped)
            if last:
                return
            before = lowest

    def _latest(self, before: int | None) -> Batch:
        params = {"before": before} if before is not None else {}
        return batch_of(self._get("posts.json", params).json(), self._forum)

    # --- searches

    def _searches(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        """Each search in turn: one that the forum's limit kept waiting goes first the next time."""
        state = dict(cursor or {})
        held = state.get("searches")
        walks = dict(held) if isinstance(held, Mapping) else {}
        refused: dict[str, Malformed] = {}
        queries = _behind(state.get("last"), self._terms())
        for query in queries:
            walk = Walk.from_json(walks.get(query), since=since.timestamp())
            gaps: list[Gap] = []
            try:
                for step, after in sweep(walk, OVERLAP, partial(self._search, query, gaps)):
                    walks[query] = after.to_json()
                    state = {"searches": dict(walks), "last": query if step.last else state.get("last")}
                    yield Page(step.items, state, step.skipped, gaps.pop() if gaps else None)
            except Malformed as error:
                refused[query] = error
        yield from self._verdict(refused, len(queries), state)

    def _terms(self) -> Sequence[str]:
        if self._options.query:
            return [self._options.query.strip()]
        return list(dict.fromkeys(quoted for quoted in map(_quoted, self._context.terms) if quoted))

    def _search(self, query: str, gaps: list[Gap], top: float | None, bottom: float) -> Iterator[Step]:
        """One step a post, so that a small budget gets on too; ``gaps`` takes what the forum does not show."""
        before, page, leapt = None if top is None else _day(top) + 2 * DAY, 1, False
        while True:
            found = self._hits(_asked(query, bottom, before), page)
            for hit in found.hits:
                if bottom <= hit.at <= (math.inf if top is None else top):
                    yield self._read(hit)
            done = not found.more or not found.hits
            if not done and page == SEARCH_PAGES:
                lowest = min(hit.at for hit in found.hits)
                done = leapt and top is not None and lowest >= top  # shows the same for ever
                before, leapt = self._slid(lowest, before, bottom, gaps)
                top, page = lowest, 0
            page += 1
            if done or found.skipped or gaps:
                yield Step((), None, None, done, found.skipped)
            if done:
                return

    def _slid(self, lowest: float, before: date | None, bottom: float, gaps: list[Gap]) -> tuple[date, bool]:
        """The day to go on below, and whether it leaps: where all that was shown is of one day, the rest of it is missed."""
        slid = _day(lowest) + DAY
        if before is None or slid < before:
            return slid, False
        reason = f"{self._forum.name} shows only {SEARCH_PAGES} pages of a search"
        gaps.append(Gap(reason, _moment(bottom), _moment(lowest)))
        return before - DAY, True

    def _read(self, hit: Hit) -> Step:
        """The whole post that a search found; nothing if it is gone by now."""
        damaged: list[Skipped] = []
        items = []
        try:
            post = self._get(f"posts/{hit.id}.json").json()
            item = item_of(post, self._forum, hit.title)
            items = [item] if is_shown(post) else []
        except _Gone:
            pass
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            damaged.append(skip({"id": hit.id}, error))
        return Step(items, hit.at, hit.at, False, damaged)

    def _hits(self, asked: str, page: int) -> Hits:
        return hits_of(self._get("search.json", {"q": asked, "page": page}).json(), self._forum)

    def _verdict(self, refused: Mapping[str, Malformed], asked: int, state: Cursor) -> Iterator[Page]:
        """A gap that names the searches the forum does not take; their fate, if it takes none."""
        if not refused:
            return
        if len(refused) == asked:
            raise next(iter(refused.values()))
        reason = f"{self._forum.name} does not take these searches, perhaps too short: {', '.join(sorted(refused))}"
        yield Page((), state, gap=Gap(reason))

    # --- requests

    def _refreshed(self, name: str, number: str) -> Refreshed:
        try:
            post = self._get(f"posts/{number}.json").json()
        except _Gone:
            return Refreshed(name, counts=None, gone=True)
        if not isinstance(post, Mapping) or "post_number" not in post:
            raise Unavailable(f"{self._forum.name}: the answer is no post; trying again later")
        return Refreshed(name, None, gone=True) if is_gone(post) else Refreshed(name, counts_of(post))

    def _get(self, path: str, params: Mapping[str, str | int] | None = None) -> Answer:
        return ask(self._context.http, f"{self._base}/{path}", params, headers=self._headers(), judge=self._judge)

    def _headers(self) -> Mapping[str, str]:
        key, name = self._options.api_key, self._options.api_username
        if key is None:
            return {}
        return {"Api-Key": key.get_secret_value(), **({"Api-Username": name} if name else {})}

    def _judge(self, answer: Answer) -> SourceError | None:
        body = said(answer)
        if answer.status == 429:
            extras = body.get("extras")
            wait = _seconds(extras.get("wait_seconds")) if isinstance(extras, Mapping) else None
            return RateLimited(
                f"{self._forum.name}: asked too often", wait or retry_after(answer.headers, self._context.now())
            )
        if answer.status in (404, 410) and body.get("error_type") == "not_found":
            return _Gone(f"{self._forum.name}: there is no such thing; look at forum")
        if answer.status == 409:
            return Unavailable(f"{self._forum.name}: too busy to search; trying again later")
        return None


def _stand(walk: Walk, reach: float, patience: _Patience) -> Cursor:
    return {"stream": walk.to_json(), "since": reach, "patience": patience.left}


class _Gone(NotThere):
    """The forum says that it holds no such thing, and not merely that nothing is at this address."""


def _seconds(wait: object) -> timedelta | None:
    sound = isinstance(wait, int | float) and not isinstance(wait, bool) and wait > 0
    return timedelta(seconds=min(float(wait), MAX_RETRY_AFTER.total_seconds())) if sound else None  # type: ignore[arg-type]


def _behind(last: object, queries: Sequence[str]) -> Sequence[str]:
    """All of them, beginning with the one behind that which had its turn last."""
    start = queries.index(last) + 1 if isinstance(last, str) and last in queries else 0
    return [*queries[start:], *queries[:start]]


def _asked(query: str, bottom: float, before: date | None) -> str:
    """The query with its bounds, which are whole days."""
    return f"{query} order:latest after:{_day(bottom) - DAY}" + (f" before:{before}" if before else "")


def _moment(seconds: float) -> datetime:
    """A time that days can be added to, whatever a cursor or a forum says."""
    return from_epoch(min(max(seconds, 0), FAR_AWAY))


def _day(seconds: float) -> date:
    return _moment(seconds).date()


def _quoted(term: str) -> str:
    """The search takes words apart; quotes keep a name of several words together."""
    bare = " ".join(term.replace('"', " ").split())
    return f'"{bare}"' if re.search(r"\W", bare) else bare


def _recognise(link: str) -> Mapping[str, JsonValue] | None:
    given = link.strip()
    try:
        parts = urlsplit(given)
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    if parts.scheme not in ("http", "https"):
        return None
    named = "discourse" in host
    if not named and not re.search(r"/t/[^/]*[A-Za-z][^/]*/\d+(?:/\d+)?/?$", parts.path):
        return None
    try:
        return {"forum": _forum(given if _LINK.match(given) else f"{parts.scheme}://{parts.netloc}")}
    except ValueError:
        return None


PLUGIN = Plugin(
    name="discourse",
    title="Discourse forum",
    platform="discourse",
    options=DiscourseOptions,
    open=Discourse,
    capabilities=Capabilities(scope=Scope.STREAM, refresh=True, minimum_interval=timedelta(minutes=2)),
    recognise=_recognise,
    tried="recorded",
    notes="Each forum's own JSON, about 200 requests a minute and address, few searches. Follow the forum's terms.",
)
