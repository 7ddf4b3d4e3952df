"""Fakes of APIs that are described in the configuration: each pages and sorts in another way."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from connectors.testing import FakePlatform, Reply, Request, Seed

URL = "https://api.shop.example/v2/comments"
PREFIX = "api.shop.example@d9d60eb4:"
TOKEN = "s3cret-t0ken"
FIELDS = {"external_id": "id", "published_at": "written.at", "text": "body", "author": {"name": "by"}, "likes": "votes"}


class FakeByCursor(FakePlatform):
    """Newest first, by a cursor; wants a token; searches for what it is asked for."""

    page_size: ClassVar[int] = 50

    def options(self) -> Mapping[str, Any]:
        return {
            "url": f"{URL}?q={{term}}&after={{cursor}}",
            "token": TOKEN,
            "items": "data.list",
            "fields": FIELDS,
            "paging": "cursor",
            "next": "data.next",
        }

    def secrets(self) -> tuple[str, ...]:
        return (TOKEN,)

    def external_id(self, seed: Seed) -> str:
        return f"{PREFIX}{seed.number}"

    def entry(self, seed: Seed) -> dict[str, Any]:
        at = None if seed.damaged else seed.at.isoformat()
        return {"id": seed.number, "written": {"at": at}, "body": seed.text, "by": "someone", "votes": 3}

    def sorted(self) -> Sequence[Seed]:
        return self.newest_first()

    def respond(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply.of_json({"error": "who are you?"}, 401)
        start = int(request.query.get("after", "0"))
        start = min(start, self.page_size) if self.repeat_last_page else start
        shown = self.sorted()[start : start + self.page_size]
        following = str(start + self.page_size) if len(self.seeds) > start + self.page_size else None
        return Reply.of_json({"data": {"list": [self.entry(seed) for seed in shown], "next": following}})


class FakeByPage(FakeByCursor):
    """Newest first, by page numbers in the body of a POST; answers 404 beyond the last page."""

    def options(self) -> Mapping[str, Any]:
        told = {"method": "POST", "url": URL, "body": {"page": "{page}", "filter": {"text": "{term}"}}}
        return {**told, "api_key": TOKEN, "fields": FIELDS, "paging": "page", "page_size": self.page_size}

    def respond(self, request: Request) -> Reply:
        if request.headers.get("x-api-key") != TOKEN:
            return Reply.of_json({"error": "who are you?"}, 403)
        page = 1 if self.repeat_last_page else json.loads(request.body)["page"]
        start = (page - 1) * self.page_size
        if start > len(self.seeds):
            return Reply.of_json({"error": "no such page"}, 404)
        return Reply.of_json([self.entry(seed) for seed in self.sorted()[start : start + self.page_size]])


class FakeByLink(FakeByCursor):
    """Oldest first from ``since`` on, by links in a header, in which the key stands again."""

    def options(self) -> Mapping[str, Any]:
        told = {"url": URL, "params": {"since": "{since}", "key": TOKEN}, "since_format": "epoch"}
        return {**told, "fields": FIELDS, "paging": "link", "order": "oldest first"}

    def respond(self, request: Request) -> Reply:
        if request.query.get("key") != TOKEN:
            return Reply.of_json({"error": "who are you?"}, 401)
        since, start = int(request.query["since"]), int(request.query.get("start", "0"))
        found = [seed for seed in reversed(self.newest_first()) if seed.at.timestamp() >= since]
        shown = [self.entry(seed) for seed in found[start : start + self.page_size]]
        if start + self.page_size >= len(found):
            return Reply.of_json(shown)
        following = 0 if self.repeat_last_page else start + self.page_size
        link = f"{self.base_url}{request.path}?since={since}&key={TOKEN}&start={following}"
        return Reply.of_json(shown, headers={"Link": f'<{self.base_url}/first>; rel="first", <{link}>; rel="next"'})


class FakeList(FakeByCursor):
    """The newest forty on one page, and no way to see more."""

    ceiling: ClassVar[int | None] = 40
    paged: ClassVar[bool] = False

    def options(self) -> Mapping[str, Any]:
        return {"url": URL, "username": "shop", "password": TOKEN, "fields": FIELDS}

    def respond(self, request: Request) -> Reply:
        if not request.headers.get("authorization", "").startswith("Basic "):
            return Reply.of_json({"error": "who are you?"}, 401)
        return Reply.of_json([self.entry(seed) for seed in self.newest_first()[:40]])


class FakeUnordered(FakeByCursor):
    """In no order at all, by offset."""

    def options(self) -> Mapping[str, Any]:
        told = {"url": f"{URL}?skip={{offset}}", "page_size": self.page_size, "more": "has_more"}
        return {**told, "items": "list", "fields": FIELDS, "paging": "offset", "order": "unordered"}

    def secrets(self) -> tuple[str, ...]:
        return ()

    def sorted(self) -> Sequence[Seed]:
        return sorted(self.seeds, key=lambda seed: (seed.number * 7919) % 1009)

    def respond(self, request: Request) -> Reply:
        start = 0 if self.repeat_last_page else int(request.query["skip"])
        shown = self.sorted()[start : start + self.page_size]
        more = start + self.page_size < len(self.seeds)
        return Reply.of_json({"list": [self.entry(seed) for seed in shown], "has_more": more})
