"""A Facebook page of your own, by Meta's Graph API: its posts, visitors' comments and posts, recommendations, followers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr

from connectors.contract import (
    Capabilities,
    Context,
    Cursor,
    FollowerReading,
    Options,
    Page,
    Plugin,
    Scope,
    StandingReading,
)
from connectors.entries import whole
from connectors.facebook_parse import comment_of, own_post_of, recommendation_of, visitors_post_of
from connectors.graph import Graph
from connectors.graph_walk import Feed, Pull

POSTS_A_PAGE = 50
ENTRIES_A_PAGE = 100
_COUNTED = "reactions.limit(0).summary(total_count),comments.limit(0).filter(stream).summary(total_count),shares"
_POST = f"id,message,story,created_time,permalink_url,from,{_COUNTED}"
_COMMENT = "id,message,created_time,like_count,comment_count,permalink_url,from,parent{id}"
_RATING = "created_time,recommendation_type,rating,review_text,reviewer{id,name},open_graph_story{id}"


def _page(value: object) -> str:
    given = str(value).strip()
    if not re.fullmatch(r"[0-9]{3,30}", given):
        raise ValueError(f"{given[:60]!r} is no page; write its number, which stands under About, Page transparency")
    return given


class FacebookPageOptions(Options):
    page: Annotated[str, BeforeValidator(_page)] = Field(description="Your page's number.")
    access_token: SecretStr = Field(description="A page access token of that page, made of a long-lived user token.")
    app_secret: SecretStr | None = Field(
        default=None, description="The app's secret, if the app wants proof of it with every request."
    )
    comments: bool = Field(default=True, description="Bring the comments on the page's own posts.")
    tagged: bool = Field(default=True, description="Bring posts that tag the page, and visitors' posts on it.")
    ratings: bool = Field(default=True, description="Bring recommendations of the page.")
    comment_days: int = Field(
        default=14, ge=1, le=90, description="So long after a post was published its comments and counts are read."
    )


class FacebookPage:
    """Leafs through each listing in its turn; the cursor holds a sweep for each, and for each young post."""

    def __init__(self, options: FacebookPageOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._graph = Graph(options.base_url, options.access_token, options.app_secret, context)

    def check(self) -> None:
        self._graph.get(self._options.page, {"fields": "id,name"})

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        comments = self._comments if self._options.comments else None
        watch = timedelta(days=self._options.comment_days)
        return Pull(self._graph, self._context, self._feeds(), comments, watch).pages(cursor, since)

    def followers(self) -> Iterator[FollowerReading]:
        said = self._graph.get(self._options.page, {"fields": "followers_count"})
        count = whole(said.get("followers_count"))
        if count is not None:
            yield FollowerReading(self._options.page, count, self._context.now())

    def standing(self) -> Iterator[StandingReading]:
        """The stars that Facebook computes, and of how many recommendations."""
        said = self._graph.get(self._options.page, {"fields": "overall_star_rating,rating_count"})
        mean, count = said.get("overall_star_rating"), whole(said.get("rating_count"))
        sound = isinstance(mean, int | float) and not isinstance(mean, bool) and 1 <= mean <= 5
        if count is not None:
            place = f"Facebook page {self._options.page}"
            yield StandingReading(place, mean if sound and count else None, count, self._context.now())

    def close(self) -> None:
        self._context.http.close()

    def _feeds(self) -> list[Feed]:
        page, options = self._options.page, self._options
        posts: dict[str, str | int] = {"fields": _POST, "limit": POSTS_A_PAGE}
        ratings: dict[str, str | int] = {"fields": _RATING, "limit": ENTRIES_A_PAGE}
        young = timedelta(days=options.comment_days)
        feeds = []
        if options.tagged:
            for name in ("tagged", "visitor_posts"):
                path = f"{page}/{name}"
                feeds.append(Feed(name, name, lambda path=path: path, posts, lambda e: visitors_post_of(e, page)))  # type: ignore[misc]
        if options.ratings:
            rated = f"{page}/ratings"
            feeds.append(
                Feed("ratings", "ratings", lambda: rated, ratings, lambda e: recommendation_of(e, page), dated=False)
            )
        own = f"{page}/published_posts"
        feeds.append(
            Feed("posts", "own posts", lambda: own, posts, lambda e: own_post_of(e, page), watched=True, overlap=young)
        )
        return feeds

    def _comments(self, post: str) -> Feed:
        params: dict[str, str | int] = {
            "fields": _COMMENT,
            "limit": ENTRIES_A_PAGE,
            "filter": "stream",
            "order": "reverse_chronological",
        }
        page = self._options.page
        title = f"comments on {post}"
        return Feed(title, title, lambda: f"{post}/comments", params, lambda e: comment_of(e, post, page), dated=False)


PLUGIN = Plugin(
    name="facebook_page",
    title="Facebook page (your own)",
    platform="facebook",
    options=FacebookPageOptions,
    open=FacebookPage,
    capabilities=Capabilities(
        scope=Scope.SUBJECT,
        ratings=True,
        followers=True,
        standing=True,
        needs_credentials=True,
        minimum_interval=timedelta(minutes=10),
    ),
    tried="recorded",
    notes="Meta's Graph API for pages you manage; Meta's platform terms apply, and an app in use by others needs app review.",
)
