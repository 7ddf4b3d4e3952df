"""PURE  What a Reddit source is asked for: its options, and the listings that they come down to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Self
from urllib.parse import parse_qs, urlsplit

from pydantic import AfterValidator, Field, SecretStr, model_validator

from connectors.contract import JsonValue, Options

ALL = "all"
USER_AGENT = "python:sentiment-monitor (read-only brand monitoring)"
LISTING_CEILING = 1000
SEARCH_CEILING = 250
"""About how many entries Reddit shows of a listing, and of a search."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{1,30}")
_NOT_A_PLACE = frozenset({"popular", "random", "randnsfw", "friends", "mod"})
_OPERATORS = frozenset({"and", "or", "not"})
_TABS = frozenset({"", "new", "hot", "top", "rising", "best", "about", "comments", "search"})


def _checked_place(entry: str) -> str:
    """``a`` or ``a+b``, without a leading ``r/``."""
    names = re.sub(r"^/?r/", "", entry.strip()).strip("/").split("+")
    for name in names:
        if not _NAME.fullmatch(name):
            raise ValueError(f'"{name[:40]}" is not a subreddit\'s name; write it as in reddit.com/r/NAME')
        if name.lower() in _NOT_A_PLACE:
            raise ValueError(
                f'"{name}" is not a subreddit of its own; name subreddits, or "all" to search the whole site'
            )
        if name.lower() == ALL and len(names) > 1:
            raise ValueError('"all" stands alone; give it an entry of its own')
    return "+".join(names)


def _checked_agent(text: str) -> str:
    if not text.isascii() or not text.isprintable():
        raise ValueError("only plain printable characters, such as python:my-app:1.0 (by /u/me)")
    return text


class RedditOptions(Options):
    client_id: str = Field(
        min_length=1, description="The id of your Reddit app, shown under its name at reddit.com/prefs/apps."
    )
    client_secret: SecretStr = Field(
        min_length=1, description="The app's secret. Give it as env:NAME or file:/path, not in the file itself."
    )
    user_agent: Annotated[str, AfterValidator(_checked_agent)] = Field(
        default=USER_AGENT,
        min_length=7,
        max_length=200,
        description="How the program names itself to Reddit, which wants it to say who runs it: "
        "python:my-app:1.0 (by /u/me).",
    )
    subreddits: tuple[Annotated[str, AfterValidator(_checked_place)], ...] = Field(
        default=(ALL,),
        min_length=1,
        description='Where to look. "all" searches posts of the whole site; a named subreddit is read as it comes in; '
        '"a+b" reads quiet subreddits in one request.',
    )
    query: str | None = Field(
        default=None,
        min_length=1,
        max_length=512,
        description="What to search posts for, in Reddit's own search language; "
        "without it the brands' keywords, one search each.",
    )
    posts: bool = Field(default=True, description="Bring the new posts of the named subreddits.")
    comments: bool = Field(
        default=True,
        description="Bring the new comments of the named subreddits. Reddit offers no search over comments, "
        "so there are none from all.",
    )
    search: bool = Field(
        default=False,
        description="Also search the named subreddits for posts, which finds older ones than the newest 1,000. "
        "On by itself when there is a query.",
    )

    @model_validator(mode="after")
    def _something_to_bring(self) -> Self:
        names = [name.lower() for place in self.subreddits for name in place.split("+")]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f'subreddits: "{twice}" is named twice; leave one out')
        if ALL not in names and not (self.posts or self.comments or self.searches_places):
            raise ValueError("nothing to bring; turn on posts, comments or search")
        return self

    @property
    def searches_places(self) -> bool:
        """Are the named subreddits searched?"""
        return self.search or self.query is not None

    @property
    def names(self) -> Sequence[str]:
        """Each subreddit that is named, alone."""
        return [name for place in self.subreddits for name in place.split("+") if name.lower() != ALL]


@dataclass(frozen=True, slots=True)
class Listing:
    """One thing to walk down: a search in a place, or its new posts or comments. ``place``: ``all``, ``a`` or ``a+b``."""

    place: str
    what: str  # search, new or comments: the last step of its address
    query: str | None = None

    @property
    def key(self) -> str:
        """Its name in the cursor."""
        return " ".join(part for part in (self.what, self.place.lower(), self.query) if part)

    @property
    def title(self) -> str:
        """What is asked for, in words."""
        if self.query is not None:
            return self.query if self.place.lower() == ALL else f"{self.query} in r/{self.place}"
        return f"r/{self.place}: new {'posts' if self.what == 'new' else 'comments'}"

    @property
    def path(self) -> str:
        return f"r/{self.place}/{self.what}{'' if self.what == 'new' else '/'}"

    @property
    def params(self) -> Mapping[str, str]:
        if self.query is None:
            return {}
        inside = {} if self.place.lower() == ALL else {"restrict_sr": "true"}
        return {"q": self.query, "sort": "new", "t": "all", "syntax": "lucene", **inside}

    @property
    def ceiling(self) -> int:
        return LISTING_CEILING if self.query is None else SEARCH_CEILING

    @property
    def members(self) -> Sequence[Listing]:
        """The same for each subreddit of ``a+b``; none for a single one."""
        names = self.place.split("+")
        return [replace(self, place=name) for name in names] if len(names) > 1 else []


def listings(options: RedditOptions, terms: Sequence[str]) -> Sequence[Listing]:
    """Everything that a source with these options walks, each once."""
    queries = [options.query] if options.query else [_quoted(term) for term in terms]
    return list(dict.fromkeys(found for place in options.subreddits for found in _of_place(place, options, queries)))


def _of_place(place: str, options: RedditOptions, queries: Sequence[str]) -> Iterator[Listing]:
    everywhere = place.lower() == ALL
    if everywhere or options.searches_places:
        yield from (Listing(place, "search", query) for query in queries)
    if not everywhere and options.posts:
        yield Listing(place, "new")
    if not everywhere and options.comments:
        yield Listing(place, "comments")


def _quoted(term: str) -> str:
    """The search takes words apart; quotes keep a name of several words together."""
    bare = " ".join(term.replace('"', " ").split())
    return bare if re.fullmatch(r"\w+", bare) and bare.lower() not in _OPERATORS else f'"{bare}"'


def recognise(link: str) -> Mapping[str, JsonValue] | None:
    """A link to a subreddit or to a search on Reddit as options; not one to a post or a feed."""
    parts = urlsplit(link)
    if parts.scheme not in ("http", "https") or not re.fullmatch(r"(?:[a-z]+\.)?reddit\.com", parts.hostname or ""):
        return None
    query = parse_qs(parts.query).get("q", [""])[0].strip()[:512]
    if parts.path.rstrip("/") == "/search":
        return {"query": query} if query else None
    found = re.fullmatch(r"/r/([\w+.\-]+)(?:/([a-z]*))?/?", parts.path)
    if not found or (found.group(2) or "") not in _TABS or found.group(1).endswith(".rss"):
        return None
    searched = {"query": query} if query and found.group(2) == "search" else {}
    return {"subreddits": [found.group(1)], **searched}
