"""An Instagram business account of your own, by Meta's Graph API: its posts, the comments on them, followers, and hashtags."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr

from connectors.contract import (
    Capabilities,
    Context,
    Cursor,
    FollowerReading,
    JsonValue,
    Options,
    Page,
    Plugin,
    Scope,
)
from connectors.entries import whole, word
from connectors.errors import NotThere
from connectors.graph import Graph
from connectors.graph_walk import Feed, Pull
from connectors.instagram_parse import comments_of, own_post_of, tagged_media_of

ENTRIES_A_PAGE = 50
HASHTAGS_AT_MOST = 30
"""So many different ones may an account search within seven days."""
DAY = timedelta(hours=24)
"""A hashtag's posts are shown for so long."""
_MEDIA = "id,caption,timestamp,permalink,media_type,like_count,comments_count"
_COMMENT = "id,text,timestamp,username,from,like_count"


def _account(value: object) -> str:
    given = str(value).strip()
    if not re.fullmatch(r"[0-9]{3,30}", given):
        raise ValueError(f"{given[:60]!r} is no account; write the number that instagram_business_account tells")
    return given


def _hashtag(value: object) -> str:
    given = str(value).strip().removeprefix("#").lower()
    if not re.fullmatch(r"\w{1,100}", given) or given.isdigit():
        raise ValueError(f"{given[:60]!r} is no hashtag; write it without spaces and signs, such as acmephone")
    return given


class InstagramOptions(Options):
    account: Annotated[str, BeforeValidator(_account)] = Field(description="Your business account's number.")
    access_token: SecretStr = Field(description="The access token of the Facebook page that the account is linked to.")
    app_secret: SecretStr | None = Field(
        default=None, description="The app's secret, if the app wants proof of it with every request."
    )
    comments: bool = Field(default=True, description="Bring the comments on the account's own posts.")
    hashtags: tuple[Annotated[str, BeforeValidator(_hashtag)], ...] = Field(
        default=(),
        max_length=HASHTAGS_AT_MOST,
        description="Bring recent public posts under these hashtags: thirty in seven days at most, without authors.",
    )
    comment_days: int = Field(
        default=14, ge=1, le=90, description="So long after a post was published its comments and counts are read."
    )


class Instagram:
    """Leafs through each listing in its turn; the cursor holds a sweep for each, and the numbers of the hashtags."""

    def __init__(self, options: InstagramOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._graph = Graph(options.base_url, options.access_token, options.app_secret, context)
        self._numbers: dict[str, str] = {}
        self._name: str | None = None

    def check(self) -> None:
        self._graph.get(self._options.account, {"fields": "id,username"})

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        self._recall(cursor)
        comments = self._comments if self._options.comments else None
        watch = timedelta(days=self._options.comment_days)
        for page in Pull(self._graph, self._context, self._feeds(), comments, watch).pages(cursor, since):
            kept: dict[str, JsonValue] = {"hashtags": dict(self._numbers), "name": self._name}
            yield replace(page, cursor={**(page.cursor or {}), **kept})

    def followers(self) -> Iterator[FollowerReading]:
        said = self._graph.get(self._options.account, {"fields": "username,followers_count"})
        count = whole(said.get("followers_count"))
        if count is not None:
            yield FollowerReading(word(said.get("username")) or self._options.account, count, self._context.now())

    def close(self) -> None:
        self._context.http.close()

    def _recall(self, cursor: Cursor | None) -> None:
        held = (cursor or {}).get("hashtags")
        numbers = held if isinstance(held, Mapping) else {}
        self._numbers = {tag: number for tag in self._options.hashtags if (number := _digits(numbers.get(tag)))}
        self._name = word((cursor or {}).get("name"))

    def _feeds(self) -> list[Feed]:
        account = self._options.account
        posts: dict[str, str | int] = {"fields": f"{_MEDIA},username", "limit": ENTRIES_A_PAGE}
        young = timedelta(days=self._options.comment_days)
        tags = [self._hashtag(tag) for tag in self._options.hashtags]
        own = Feed(
            "posts",
            "own posts",
            lambda: f"{account}/media",
            posts,
            own_post_of,
            dated=True,
            watched=True,
            overlap=young,
        )
        return [own, *tags]

    def _hashtag(self, tag: str) -> Feed:
        params: dict[str, str | int] = {
            "fields": _MEDIA,
            "user_id": self._options.account,
            "limit": ENTRIES_A_PAGE,
        }
        return Feed(
            f"#{tag}",
            f"#{tag}",
            lambda: f"{self._number_of(tag)}/recent_media",
            params,
            lambda media: tagged_media_of(media, tag),
            dated=False,
            reach=DAY,
        )

    def _number_of(self, tag: str) -> str:
        """A hashtag's number, which never changes: it is asked for once."""
        if tag not in self._numbers:
            found = self._graph.listing("ig_hashtag_search", {"user_id": self._options.account, "q": tag}).entries
            number = next((_digits(entry.get("id")) for entry in found if isinstance(entry, Mapping)), None)
            if number is None:
                raise NotThere(f"Instagram: nobody has used #{tag} yet; look at hashtags")
            self._numbers[tag] = number
        return self._numbers[tag]

    def _comments(self, post: str) -> Feed:
        params: dict[str, str | int] = {"fields": f"{_COMMENT},replies{{{_COMMENT}}}", "limit": ENTRIES_A_PAGE}
        title = f"comments on {post}"
        return Feed(
            title,
            title,
            lambda: f"{post}/comments",
            params,
            lambda comment: comments_of(comment, post, self._own_name()),
            dated=False,
            overlap=timedelta(days=self._options.comment_days),
        )

    def _own_name(self) -> str | None:
        """The account's name, asked for once, to tell its own answers from others' comments."""
        if self._name is None:
            said = self._graph.get(self._options.account, {"fields": "username"})
            self._name = word(said.get("username")) or ""
        return self._name.lower() or None


def _digits(value: object) -> str | None:
    return value if isinstance(value, str) and re.fullmatch(r"[0-9]{1,30}", value) else None


def _recognise(link: str) -> Mapping[str, JsonValue] | None:
    """A link to a hashtag; an account is known by its number only."""
    try:
        parts = urlsplit(link.strip())
    except ValueError:
        return None
    tag = re.fullmatch(r"/explore/tags/(\w{1,100})/?", parts.path)
    known = parts.scheme in ("http", "https") and parts.hostname in ("instagram.com", "www.instagram.com")
    return {"hashtags": [tag[1].lower()]} if known and tag else None


PLUGIN = Plugin(
    name="instagram",
    title="Instagram (your own business account, and hashtags)",
    platform="instagram",
    options=InstagramOptions,
    open=Instagram,
    capabilities=Capabilities(
        scope=Scope.SUBJECT,
        followers=True,
        needs_credentials=True,
        minimum_interval=timedelta(minutes=10),
    ),
    recognise=_recognise,
    tried="recorded",
    notes="Meta's Graph API for your own business account; hashtags: thirty in seven days, the last day's posts, no authors. "
    "Meta's platform terms apply.",
)
