"""Fakes of a WordPress site's comments and of a WooCommerce shop's product reviews."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar

from connectors.testing import FakePlatform, Reply, Request, Seed

KEY, SECRET = "ck_0123456789abcdef", "cs_fedcba9876543210"
BASIC = base64.b64encode(f"{KEY}:{SECRET}".encode()).decode()
ZONE = timedelta(hours=10)
"""The site's own clock is so far ahead of UTC."""


class FakeWordPress(FakePlatform):
    """Answers ``wp/v2/comments`` newest first by page number. ``hidden``: seeds, by number, that wait for a moderator;

    ``tells_pages``: does it send ``X-WP-TotalPages``; ``heeds_after``: does it know that filter, and by which clock.
    """

    path: ClassVar[str] = "/wp-json/wp/v2/comments"
    page_size: ClassVar[int] = 100

    def __init__(self) -> None:
        super().__init__()
        self.hidden: set[int] = set()
        self.tells_pages = True
        self.heeds_after = True
        self.clock = timedelta(0)

    def options(self) -> Mapping[str, Any]:
        return {"site": "https://blog.example"}

    def external_id(self, seed: Seed) -> str:
        return f"blog.example/{seed.number}"

    def respond(self, request: Request) -> Reply:
        if request.path != self.path:
            return Reply.of_json({"code": "rest_no_route", "message": "No.", "data": {"status": 404}}, 404)
        return self._page(request.query)

    def _page(self, query: Mapping[str, str]) -> Reply:
        size, number = int(query["per_page"]), int(query.get("page", 1))
        there = [seed for seed in self.newest_first() if seed.number not in self.hidden and self._after(seed, query)]
        start = 0 if self.repeat_last_page else (number - 1) * size
        pages = 10**6 if self.repeat_last_page else -(-len(there) // size)
        headers = {"X-WP-TotalPages": str(pages), "X-WP-Total": str(len(there))} if self.tells_pages else {}
        return Reply.of_json([self.entry(seed) for seed in there[start : start + size]], 200, headers)

    def _after(self, seed: Seed, query: Mapping[str, str]) -> bool:
        if not self.heeds_after or "after" not in query:
            return True
        return seed.at + self.clock > datetime.fromisoformat(query["after"])

    def entry(self, seed: Seed) -> dict[str, Any]:
        return {
            "id": seed.number,
            "post": 7,
            "parent": 0,
            "author": 0,
            "author_name": "Jo &amp; Co",
            "date": local(seed),
            "date_gmt": None if seed.damaged else f"{seed.at:%Y-%m-%dT%H:%M:%S}",
            "content": {"rendered": f"<p>{seed.text}</p>\n"},
            "link": f"https://blog.example/post/#comment-{seed.number}",
            "status": "approved",
            "type": "comment",
            "_embedded": {"up": [{"id": 7, "title": {"rendered": "Acme &#8211; a test"}}]},
        }


class FakeWooCommerce(FakeWordPress):
    """Answers ``wc/v3/products/reviews`` to whoever has the key."""

    path: ClassVar[str] = "/wp-json/wc/v3/products/reviews"

    def options(self) -> Mapping[str, Any]:
        return {"site": "https://shop.example", "consumer_key": KEY, "consumer_secret": SECRET}

    def secrets(self) -> tuple[str, ...]:
        return (KEY, SECRET, BASIC)

    def external_id(self, seed: Seed) -> str:
        return f"shop.example/{seed.number}"

    def respond(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Basic {BASIC}":
            code = "woocommerce_rest_cannot_view"
            return Reply.of_json({"code": code, "message": "No.", "data": {"status": 401}}, 401)
        return super().respond(request)

    def entry(self, seed: Seed) -> dict[str, Any]:
        return {
            "id": seed.number,
            "date_created": local(seed),
            "date_created_gmt": f"{seed.at:%Y-%m-%dT%H:%M:%S}",
            "product_id": 31,
            "product_name": "Acme phone",
            "product_permalink": "https://shop.example/product/acme-phone/",
            "status": "approved",
            "reviewer": "Jo",
            "reviewer_email": "jo@example.com",
            "review": f"<p>{seed.text}</p>\n",
            "rating": 6 if seed.damaged else seed.number % 6,
            "verified": True,
        }


def local(seed: Seed) -> str:
    return f"{seed.at + ZONE:%Y-%m-%dT%H:%M:%S}"
