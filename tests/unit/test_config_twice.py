"""What two sources read of the same, whatever they make of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from monitor.config import parse
from monitor.config.twice import readers

FOLDER = Path("/srv/acme")


def said(kind: str, there: dict[str, Any], new: dict[str, Any], brand: str = "Acme") -> list[bool]:
    """Whether each source that reads the same reads it wholly."""
    source = {"name": "there", "type": kind, "brands": ["Acme", "Other"], "options": there}
    settings = parse({"brands": [{"name": "Acme"}, {"name": "Other"}, {"name": "Rival"}], "sources": [source]})
    plugin = registry.plugin(kind)
    found = readers(plugin, plugin.options.model_validate(new), brand, settings.sources, FOLDER)
    return [one.wholly for one in found]


FEED = {"url": "https://news.example/rss"}
REDDIT = {"client_id": "me", "client_secret": "s"}


@pytest.mark.parametrize(
    ("kind", "there", "new", "same"),
    [
        ("feeds", FEED, FEED, [True]),
        ("feeds", FEED, {"url": "http://www.News.example/rss/"}, [False]),
        ("feeds", FEED, {**FEED, "kind": "post"}, [False]),
        ("feeds", FEED, {"url": "https://news.example/RSS"}, []),
        ("hackernews", {}, {"comments": False}, [False]),
        ("hackernews", {"query": "acme"}, {}, []),
        ("appstore", {"app_id": "1", "countries": ["de"]}, {"app_id": "1"}, [False]),
        ("appstore", {"app_id": "1"}, {"app_id": "2"}, []),
        ("reddit", {**REDDIT, "subreddits": ["Python", "rust"]}, {**REDDIT, "subreddits": ["python"]}, [False]),
        ("reddit", {**REDDIT, "subreddits": ["rust"]}, {**REDDIT, "subreddits": ["python"]}, []),
        ("reddit", REDDIT, {**REDDIT, "client_secret": "other"}, [True]),
        ("files", {"path": "inbox"}, {"path": "/srv/acme/inbox"}, [False]),
        ("webhook", {"token": "t" * 32}, {"token": "t" * 32}, []),
    ],
)
def test_the_same_place_is_known_again_however_it_is_written(
    kind: str, there: dict[str, Any], new: dict[str, Any], same: list[bool]
) -> None:
    assert said(kind, there, new) == same


def test_another_brand_may_read_the_same() -> None:
    assert said("feeds", FEED, FEED, brand="Rival") == []
    assert said("feeds", FEED, FEED, brand="Other") == [True]
