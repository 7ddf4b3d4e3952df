"""The recorded answers of several platforms, read by configuration alone: what comes is what the platform's own connector makes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors import github_parse, hackernews, lemmy_parse, stackexchange_parse, steam_parse, woocommerce
from connectors.contract import Item, Page
from connectors.errors import SourceError
from connectors.http_json import PLUGIN
from connectors.http_json_paths import path_of
from connectors.testing import Case
from connectors.testing.suite import Pulls
from tests.fakes.damaging import damaged_copies
from tests.fakes.replay import Replay, recorded

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
REPOSITORY = "octokit-fixture-org/tmp-scenario-paginate-issues-20220719043836917-izyoe"
SHOP = "https://shop.example"


@dataclass(frozen=True)
class Described:
    """A platform as somebody would describe it, and what its own connector makes of an entry."""

    platform: str
    options: Mapping[str, Any]
    read: Callable[[Any], Item | None]
    count: int
    begins: str = ""
    marked: str | None = None


HACKERNEWS = {
    "url": "https://hn.algolia.com/api/v1/search_by_date?query={term}",
    "items": "hits",
    "html": True,
    "fields": {
        "external_id": "objectID",
        "published_at": "created_at_i",
        "title": "title",
        "text": "story_text || comment_text",
        "author": {"id": "author"},
        "likes": "points",
        "comments": "num_comments",
        "parent_title": "story_title",
    },
}
WOOCOMMERCE = {
    "url": f"{SHOP}/wp-json/wc/v3/products/reviews",
    "prefix": "shop.example/",
    "items": "[@][] | [?status == 'approved' || !status]",
    "html": True,
    "kind": "review",
    "fields": {
        "external_id": "id",
        "published_at": "date_created_gmt",
        "text": "review",
        "author": "reviewer",
        "rating": "[rating][?@ > `0`] | [0]",
        "attributes": {"verified": "verified"},
    },
}
STACKEXCHANGE = {
    "url": "https://api.stackexchange.com/2.3/search/advanced?site=stackoverflow&q={term}&page={page}",
    "prefix": "stackoverflow/q/",
    "items": "items[?question_id && creation_date && !answer_id]",
    "paging": "page",
    "more": "has_more",
    "html": True,
    "time_format": "epoch",
    "fields": {
        "external_id": "question_id",
        "published_at": "creation_date",
        "updated_at": "last_edit_date",
        "title": "title",
        "text": "body",
        "author": {"id": "owner.user_id", "name": "owner.display_name"},
        "likes": "score",
        "views": "view_count",
    },
}
LEMMY = {
    "url": "https://lemmy.example/api/v3/search?q={term}&type_=Posts&page={page}",
    "prefix": "",
    "html": True,
    "items": "posts[?!(post.deleted) && !(post.removed)]",
    "paging": "page",
    "time_format": "iso8601",
    "fields": {
        "external_id": "post.ap_id",
        "published_at": "post.published",
        "title": "post.name",
        "text": "post.body",
        "author": {"id": "creator.actor_id", "name": "creator.display_name || creator.name"},
        "likes": "counts.score",
        "comments": "counts.comments",
        "place": "community.name",
    },
}
STEAM = {
    "url": "https://store.steampowered.com/appreviews/295270?json=1&cursor={cursor}",
    "prefix": "",
    "items": "reviews",
    "paging": "cursor",
    "next": "cursor",
    "kind": "review",
    "rating_worst": 0,
    "rating_best": 1,
    "fields": {
        "external_id": "recommendationid",
        "published_at": "timestamp_created",
        "text": "review",
        "author": {"id": "author.steamid"},
        "rating": "voted_up",
        "likes": "votes_up",
        "reply": {"text": "developer_response", "at": "timestamp_dev_responded"},
    },
}
GITHUB = {
    "url": f"https://api.github.com/repos/{REPOSITORY}/issues",
    "prefix": f"{REPOSITORY}#",
    "items": "@[?!(pull_request.html_url)]",
    "paging": "link",
    "order_by": "updated_at",
    "fields": {
        "external_id": "number",
        "published_at": "created_at",
        "title": "title",
        "text": "body",
        "author": {"id": "to_string(user.id)", "name": "user.login"},
        "likes": "reactions.total_count",
        "comments": "comments",
    },
}
QUESTIONS = stackexchange_parse.Reading("stackoverflow")

PLATFORMS = [
    Described("hackernews", HACKERNEWS, hackernews.item_of, 5),
    Described("woocommerce", WOOCOMMERCE, lambda entry: woocommerce.review_of(entry, SHOP), 4),
    Described("stackexchange", STACKEXCHANGE, lambda entry: stackexchange_parse.question_of(entry, QUESTIONS), 2),
    Described("lemmy", LEMMY, lemmy_parse.item_of, 2),
    Described("github", GITHUB, lambda e: github_parse.issue_of(e, github_parse.Reading()), 13, begins="octokit"),
    Described("steam", STEAM, lambda entry: steam_parse.review_of(entry, "295270"), 100, marked="["),
]


class ReplayDescribed(Replay):
    def __init__(self, described: Described) -> None:
        super().__init__()
        self.described = described

    def options(self) -> dict[str, Any]:
        return {"prefix": "", **self.described.options}


@pytest.fixture(params=PLATFORMS, ids=lambda described: described.platform)
def replay(request: pytest.FixtureRequest) -> Iterator[ReplayDescribed]:
    replay = ReplayDescribed(request.param)
    yield replay
    replay.close()


def pages_of(replay: ReplayDescribed) -> list[Page]:
    connector = Pulls(Case(plugin=PLUGIN, fake=lambda: replay), replay).open()
    try:
        return list(connector.fetch(None, LONG_AGO))
    finally:
        connector.close()


def entries_of(described: Described, body: bytes) -> list[Any]:
    found = path_of(described.options["items"]).find(json.loads(body))
    return found if isinstance(found, list) else []


def told(item: Item) -> tuple[object, ...]:
    rating = item.rating.value if item.rating else None
    return item.external_id, item.published_at, item.title, item.text, rating, item.counts.likes, item.kind


@pytest.mark.recorded
def test_what_comes_is_what_the_platform_s_own_connector_makes(replay: ReplayDescribed) -> None:
    described, compared = replay.described, 0
    for file, (status, body) in recorded(described.platform, described.begins).items():
        entries = entries_of(described, body) if status == 200 and file.endswith("json") else []
        if not entries:
            continue
        replay.body, replay.status = body, status
        came = {item.external_id: item for page in pages_of(replay) for item in page.items}
        own = list(own_items(described, entries))
        assert set(came) == {item.external_id for item in own}
        for item in own:
            if not (described.marked and described.marked in (item_text(entries, item) or "")):
                assert told(came[item.external_id]) == told(item), file
                compared += 1
    assert compared >= described.count


@pytest.mark.recorded
def test_every_recorded_answer_and_its_damaged_copies_end_in_items_or_a_fate(replay: ReplayDescribed) -> None:
    came = 0
    for status, body in recorded(replay.described.platform, replay.described.begins).values():
        for copy in (body, *damaged_copies(body, 6, seed=3)):
            replay.body, replay.status = copy, status
            with suppress(SourceError):
                for page in pages_of(replay):
                    assert len({item.external_id for item in page.items}) == len(page.items)
                    came += len(page.items)
    assert came > 0


def own_items(described: Described, entries: list[Any]) -> Iterator[Item]:
    for entry in entries:
        with suppress(ValueError, TypeError, KeyError, AttributeError):
            item = described.read(entry)
            if item is not None:
                yield item


def item_text(entries: list[Any], item: Item) -> str | None:
    """The text of an entry as it was sent; Steam's marks are known to its own connector alone."""
    return next((entry["review"] for entry in entries if entry.get("recommendationid") == item.external_id), None)
