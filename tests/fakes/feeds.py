"""A fake of a publisher: one feed as RSS, Atom or JSON Feed, with validators, moves and an end."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from email.utils import format_datetime
from typing import Any, ClassVar
from xml.sax.saxutils import escape

from connectors.feeds_items import prefix_of
from connectors.testing import FakePlatform, Reply, Request, Seed

PATH = "/blog/feed.xml"
SECRET = "s3cret-of-the-reader"
URL = f"https://blog.example{PATH}?token={SECRET}"


class FakeFeed(FakePlatform):
    """Answers RSS at ``PATH``: the newest 300 entries, ``ETag`` and 304, and moves or goes when told so.

    ``moved_to``: a path to which ``PATH`` redirects for good; ``gone``: paths that answer 410.
    """

    page_size: ClassVar[int] = 300
    ceiling: ClassVar[int | None] = 300
    paged: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.moved_to: str | None = None
        self.gone: set[str] = set()
        self.document: bytes | None = None
        self.content_type = "application/rss+xml"

    def options(self) -> Mapping[str, Any]:
        return {"url": URL}

    def secrets(self) -> tuple[str, ...]:
        return (SECRET,)

    def external_id(self, seed: Seed) -> str:
        return f"{prefix_of(URL)}tag:blog.example,2026:{seed.number}"

    def respond(self, request: Request) -> Reply:
        if request.path in self.gone:
            return Reply(b"gone", 410)
        if self.moved_to and request.path == PATH:
            return Reply(b"", 301, {"Location": self.moved_to})
        if request.path not in (PATH, self.moved_to):
            return Reply(b"not found", 404)
        body = self.document if self.document is not None else self.body()
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        if request.headers.get("if-none-match") == etag:
            return Reply(b"", 304, {"ETag": etag})
        return Reply(body, 200, {"Content-Type": self.content_type, "ETag": etag})

    def shown(self) -> list[Seed]:
        return self.newest_first()[: self.ceiling]

    def body(self) -> bytes:
        return rss("A blog", [self._entry(seed) for seed in self.shown()])

    def _entry(self, seed: Seed) -> str:
        if seed.damaged:
            return "<pubDate>yesterday</pubDate>"
        return (
            f"<guid isPermaLink='false'>tag:blog.example,2026:{seed.number}</guid><title>An entry</title>"
            f"<link>https://blog.example/{seed.number}</link><pubDate>{format_datetime(seed.at)}</pubDate>"
            f"<description>{escape(f'<p>{escape(seed.text)}</p>')}</description>"
        )


class FakeAtom(FakeFeed):
    """The same in Atom."""

    def body(self) -> bytes:
        entries = "".join(f"<entry>{self._entry(seed)}</entry>" for seed in self.shown())
        return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>A blog</title>{entries}</feed>'.encode()

    def _entry(self, seed: Seed) -> str:
        if seed.damaged:
            return "<rights>all</rights>"
        return (
            f"<id>tag:blog.example,2026:{seed.number}</id><title>An entry</title>"
            f"<link href='https://blog.example/{seed.number}'/><published>{seed.at.isoformat()}</published>"
            f"<updated>{seed.at.isoformat()}</updated><content type='text'>{escape(seed.text)}</content>"
        )


class FakeJsonFeed(FakeFeed):
    """The same as JSON Feed."""

    def __init__(self) -> None:
        super().__init__()
        self.content_type = "application/feed+json"

    def body(self) -> bytes:
        return json.dumps(
            {"version": "https://jsonfeed.org/version/1.1", "title": "A blog", "items": self._items()}
        ).encode()

    def _items(self) -> list[Any]:
        return [
            {"date_published": "yesterday"}
            if seed.damaged
            else {
                "id": f"tag:blog.example,2026:{seed.number}",
                "url": f"https://blog.example/{seed.number}",
                "content_html": f"<p>{escape(seed.text)}</p>",
                "date_published": seed.at.isoformat(),
            }
            for seed in self.shown()
        ]


def rss(title: str, entries: list[str], extra: str = "") -> bytes:
    """An RSS document of the entries' inner markup."""
    items = "".join(f"<item>{entry}</item>" for entry in entries)
    return f'<rss version="2.0"><channel><title>{title}</title>{extra}{items}</channel></rss>'.encode()
