"""A fake of the Algolia search over Hacker News."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from connectors.testing import FakePlatform, Reply, Request, Seed

FIRST_ID = 41_000_000


class FakeHackerNews(FakePlatform):
    """Answers ``/api/v1/search_by_date`` with stories (odd numbers) and comments (even), newest first, 1,000 hits a query."""

    page_size: ClassVar[int] = 100

    def external_id(self, seed: Seed) -> str:
        return str(FIRST_ID + seed.number)

    def respond(self, request: Request) -> Reply:
        if request.path != "/api/v1/search_by_date":
            return Reply.of_json({"message": "not found"}, 404)
        page, size = int(request.query.get("page", 0)), int(request.query.get("hitsPerPage", 20))
        hits = [seed for seed in self.newest_first() if _within(seed, request.query.get("numericFilters", ""))][:1000]
        start = 0 if self.repeat_last_page else page * size
        return Reply.of_json({"hits": [self._hit(seed) for seed in hits[start : start + size]], "nbHits": len(hits)})

    def _hit(self, seed: Seed) -> dict[str, Any]:
        common: dict[str, Any] = {
            "objectID": self.external_id(seed),
            "author": "someone",
            "created_at_i": "yesterday" if seed.damaged else int(seed.at.timestamp()),
            "points": None,
            "num_comments": None,
        }
        if seed.number % 2:
            story = {
                "_tags": ["story"],
                "title": seed.text,
                "url": "https://blog.example/1",
                "points": 7,
                "num_comments": 2,
            }
            return common | story
        comment = seed.text.replace("&", "&amp;")
        return common | {
            "_tags": ["comment"],
            "comment_text": f"<p>{comment}",
            "story_title": "A story",
            "story_id": 1,
        }


def _within(seed: Seed, filters: str) -> bool:
    at = int(seed.at.timestamp())
    bounds = re.findall(r"created_at_i(>=|<=)(\d+)", filters)
    return all(at >= int(value) if sign == ">=" else at <= int(value) for sign, value in bounds)
