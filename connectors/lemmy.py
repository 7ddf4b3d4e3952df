"""Lemmy: posts and comments on a server and all that it federates with, found by keywords or read from communities.

Speaks API v3 (Lemmy 0.19, pages by number) and v4 (1.0, pages by token). Items are known by their federated address, so that
one seen on two servers is one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal
from urllib.parse import parse_qs, urlsplit

from pydantic import BeforeValidator, Field, model_validator

from connectors.asking import ask, said
from connectors.contract import (
    MAX_ID,
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
from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, SourceError
from connectors.http import Answer, retry_after
from connectors.leafing import Leaf, Place, Sweep, leaf_through
from connectors.lemmy_parse import Batch, batch_of, refreshed_of, subscribers_of

OVERLAP = timedelta(hours=3).total_seconds()
"""Re-read below the watermark: what other servers publish arrives late, under its own time."""
ENTRIES_A_PAGE = 50
"""The most that Lemmy gives at once; more is an error."""

_GONE = frozenset({"couldnt_find_object", "couldnt_find_post", "couldnt_find_comment", "not_found"})
_NO_COMMUNITY = frozenset({"couldnt_find_community"})
_TOO_OFTEN = frozenset({"rate_limit_error", "too_many_requests"})
_CLOSED = frozenset({"instance_is_private", "not_logged_in", "site_ban"})
_COMMUNITY = re.compile(r"!?([A-Za-z0-9_.-]{1,255}(?:@[A-Za-z0-9.:-]{1,253})?)")
_COMMUNITY_LINK = re.compile(
    r"https?://([A-Za-z0-9.:-]{1,253})/c/([A-Za-z0-9_.-]{1,255})(?:@([A-Za-z0-9.:-]{1,253}))?/?"
)
_KNOWN = frozenset(
    {"beehaw.org", "sh.itjust.works", "programming.dev", "feddit.org", "sopuli.xyz", "aussie.zone", "discuss.tchncs.de"}
)
"""Servers whose names do not say that they are Lemmy's."""


def _server(value: object) -> str:
    """``https://host`` of a server's name or of any address on it."""
    given = str(value).strip()
    address = given if "://" in given else f"https://{given}"
    found = re.match(r"(https?)://([A-Za-z0-9.-]{1,253}(?::\d{1,5})?)(?:[/?#]|$)", address, re.IGNORECASE)
    if found is None:
        raise ValueError(f'{given[:80]!r} is no server; write its name, such as "lemmy.world"')
    return f"{found[1].lower()}://{found[2].lower()}"


def _community(value: object) -> str:
    given = str(value).strip()
    link = _COMMUNITY_LINK.fullmatch(given)
    if link:
        return f"{link[2]}@{link[3] or link[1]}"
    found = _COMMUNITY.fullmatch(given)
    if found is None:
        raise ValueError(f'{given[:80]!r} is no community; write its name, such as "technology@lemmy.world"')
    return found[1]


class LemmyOptions(Options):
    server: Annotated[str, BeforeValidator(_server)] = Field(
        description='Which server to ask, such as "lemmy.world"; it knows what the servers it federates with publish.'
    )
    communities: tuple[Annotated[str, BeforeValidator(_community)], ...] = Field(
        default=(),
        description='Read everything new in these communities, such as "technology@lemmy.world", instead of searching.',
    )
    query: str | None = Field(
        default=None, min_length=1, description="What to search for; without it the brands' keywords, one search each."
    )
    posts: bool = Field(default=True, description="Bring posts.")
    comments: bool = Field(default=True, description="Bring comments.")
    local_only: bool = Field(
        default=False, description="Search only what was published in the server's own communities."
    )
    own: tuple[str, ...] = Field(
        default=(), description='The brand\'s own accounts, such as "acme@lemmy.world": what they write is no mention.'
    )
    version: Literal["auto", "v3", "v4"] = Field(
        default="auto",
        description="Which API the server speaks: v3 (Lemmy 0.19), v4 (1.0), or find out with each pull.",
    )

    @model_validator(mode="after")
    def _sensible(self) -> LemmyOptions:
        if not (self.posts or self.comments):
            raise ValueError("neither posts nor comments: nothing would come; set one of them to true")
        if self.communities and self.query:
            raise ValueError("communities and query: communities are read whole, not searched; leave one of them out")
        return self


@dataclass(frozen=True, slots=True)
class _Listing:
    """What is read newest first: ``posts`` or ``comments`` that a search finds or a community holds."""

    what: str
    term: str | None = None
    community: str | None = None

    @property
    def key(self) -> str:
        return f"{self.what} !{self.community}" if self.community else f"{self.what} {self.term}"


class Lemmy:
    """Leafs through one listing a keyword or community, for posts and for comments; the cursor holds one sweep each."""

    def __init__(self, options: LemmyOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._base = (options.base_url or options.server).rstrip("/")
        self._host = urlsplit(options.server).netloc
        self._own = frozenset(name.strip().lstrip("@").lower() for name in options.own)
        self._version: str | None = None if options.version == "auto" else options.version

    def queries(self) -> Sequence[str]:
        return [f"everything new in {name}" for name in self._options.communities] or self._terms()

    def check(self) -> None:
        listing = next(iter(self._listings()), None)
        if listing is None:
            self._ask("site")
        else:
            self._batch(listing, None, limit=1)

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        held = (cursor or {}).get("listings")
        states = held if isinstance(held, Mapping) else {}
        listings = self._listings()
        sweeps = {one.key: Sweep.from_json(states.get(one.key), since=since.timestamp()) for one in listings}
        missing: dict[str, NotThere] = {}
        for listing in sorted(listings, key=lambda one: sweeps[one.key].turn):
            try:
                yield from self._pages(listing, sweeps)
            except NotThere as error:
                missing[listing.key] = error
        yield from _verdict(missing, sweeps)

    def refresh(self, ids: Sequence[str]) -> Iterator[Refreshed]:
        """Each item looked up by its federated address; the server answers from what it holds."""
        for address in (one for one in ids if len(one) < MAX_ID):  # longer ones were shortened: no address any more
            try:
                answer = self._ask("resolve_object", {"q": address})
            except _Gone:
                yield Refreshed(address, counts=None, gone=True)
            else:
                yield refreshed_of(answer.json(), address)

    def followers(self) -> Iterator[FollowerReading]:
        """The subscribers of each community that is read."""
        for name in self._options.communities:
            count = subscribers_of(self._ask("community", {"name": name}).json())
            if count is not None:
                yield FollowerReading(name if "@" in name else f"{name}@{self._host}", count, self._context.now())

    def close(self) -> None:
        self._context.http.close()

    def _listings(self) -> list[_Listing]:
        chosen = {"posts": self._options.posts, "comments": self._options.comments}
        kinds = [what for what, wanted in chosen.items() if wanted]
        communities = [_Listing(what, community=name) for name in self._options.communities for what in kinds]
        return communities or [_Listing(what, term=term) for term in self._terms() for what in kinds]

    def _terms(self) -> Sequence[str]:
        """What is searched for: Lemmy looks for the letters as they are, so quotes would be looked for too."""
        given = [self._options.query] if self._options.query else self._context.terms
        words = (" ".join(term.replace('"', " ").split()) for term in given)
        return list(dict.fromkeys(term for term in words if term))

    def _pages(self, listing: _Listing, sweeps: dict[str, Sweep]) -> Iterator[Page]:
        before: Batch | None = None

        def read(at: Place, _: Sweep) -> Leaf:
            nonlocal before
            batch = self._batch(listing, at, ENTRIES_A_PAGE)
            following = _next(batch, at, before if at else None, numbered=self._speaks() == "v3")
            before = batch
            return Leaf(batch.items, batch.skipped, batch.newest, batch.last, following)

        for leaf, after in leaf_through(sweeps[listing.key], OVERLAP, read):
            sweeps[listing.key] = after
            yield Page(leaf.items, _cursor(sweeps), leaf.skipped)

    def _batch(self, listing: _Listing, at: Place, limit: int) -> Batch:
        asked = self._asked_v3 if self._speaks() == "v3" else self._asked_v4
        path, params = asked(listing, at)
        return batch_of(self._ask(path, {**params, "limit": limit}).json(), listing.what, self._own)

    def _asked_v3(self, listing: _Listing, at: Place) -> tuple[str, dict[str, str | int]]:
        scope = "Local" if self._options.local_only else "All"
        params: dict[str, str | int] = {"sort": "New", "page": at if isinstance(at, int) else 1}
        if listing.community:
            return f"{listing.what[:-1]}/list", {**params, "type_": "All", "community_name": listing.community}
        kind = listing.what.capitalize()
        return "search", {**params, "q": listing.term or "", "type_": kind, "listing_type": scope}

    def _asked_v4(self, listing: _Listing, at: Place) -> tuple[str, dict[str, str | int]]:
        local = self._options.local_only and not listing.community
        subject = {"community_name": listing.community} if listing.community else {"search_term": listing.term or ""}
        params: dict[str, str | int] = {
            "sort": "new",
            "type_": "local" if local else "all",
            **subject,
            **({"time_range_seconds": 0} if listing.what == "posts" else {}),  # or the server's own range would hold
            **({"page_cursor": at} if isinstance(at, str) else {}),
        }
        return f"{listing.what[:-1]}/list", params

    def _speaks(self) -> str:
        """``v3`` or ``v4``. 1.0 still speaks some of v3, so v4 is asked for first."""
        if self._version is None:
            self._version = "v4" if self._has_v4() else "v3"
        return self._version

    def _has_v4(self) -> bool:
        try:
            answer = self._get("v4", "site", {})
        except (NotThere, Malformed):
            return False
        return "site_view" in said(answer)

    def _ask(self, path: str, params: Mapping[str, str | int] | None = None) -> Answer:
        return self._get(self._speaks(), path, params or {})

    def _get(self, version: str, path: str, params: Mapping[str, str | int]) -> Answer:
        return ask(self._context.http, f"{self._base}/api/{version}/{path}", params, judge=self._judge)

    def _judge(self, answer: Answer) -> SourceError | None:
        error = str(said(answer).get("error"))
        if error in _NO_COMMUNITY:
            return NotThere(f"{self._host}: there is no such community; look at communities")
        if error in _GONE:
            return _Gone(f"{self._host}: there is no such thing")
        if error in _TOO_OFTEN:
            wait = retry_after(answer.headers, self._context.now())
            return RateLimited(f"{self._host}: asked too often", wait)
        if error in _CLOSED:
            return AccessDenied(f"{self._host}: the server shows itself only to its members; choose another one")
        return None


class _Gone(NotThere):
    """The server says that it holds no such thing, and not merely that nothing is at this address."""


def _next(batch: Batch, at: Place, before: Batch | None, *, numbered: bool) -> Place:
    """Where to go on; with page numbers until a page is empty or the one before it again."""
    if not numbered:
        return batch.next
    repeated = before is not None and _content(before) == _content(batch)
    if not batch.size or repeated:
        return None
    return at + 1 if isinstance(at, int) else 2


def _content(batch: Batch) -> tuple[object, ...]:
    return batch.newest, batch.last, [item.external_id for item in batch.items]


def _cursor(sweeps: Mapping[str, Sweep]) -> Cursor:
    return {"listings": {key: sweep.to_json() for key, sweep in sweeps.items()}}


def _verdict(missing: Mapping[str, NotThere], sweeps: Mapping[str, Sweep]) -> Iterator[Page]:
    """A gap that names what is not there; its fate, if nothing is."""
    if not missing:
        return
    if len(missing) == len(sweeps):
        raise next(iter(missing.values()))
    yield Page((), _cursor(sweeps), gap=Gap(f"not there: {', '.join(sorted(missing))}"))


def _recognise(link: str) -> Mapping[str, JsonValue] | None:
    given = link.strip()
    try:
        parts = urlsplit(given)
        host = (parts.hostname or "").lower()
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not ("lemmy" in host or host in _KNOWN):
        return None
    community = _COMMUNITY_LINK.fullmatch(f"{parts.scheme}://{parts.netloc}{parts.path}")
    if community:
        return {"server": host, "communities": [_community(community[0])]}
    query = (parse_qs(parts.query).get("q") or [""])[0].strip()
    if parts.path.rstrip("/") == "/search" and query:
        return {"server": host, "query": query}
    return {"server": host} if parts.path in ("", "/") else None


PLUGIN = Plugin(
    name="lemmy",
    title="Lemmy",
    platform="lemmy",
    options=LemmyOptions,
    open=Lemmy,
    capabilities=Capabilities(scope=Scope.SEARCH, refresh=True, followers=True, minimum_interval=timedelta(minutes=5)),
    recognise=_recognise,
    notes="Public API of each server, no account. Servers are run by volunteers: ask seldom, and drop what was deleted there.",
)
