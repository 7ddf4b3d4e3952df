"""A fake of a Discourse forum: its latest posts, its search and single posts."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape
from typing import Any, ClassVar

from connectors.testing import FakePlatform, Reply, Request, Seed

FORUM = "https://forum.example"
KEY = "discourse-key-4711"
LATER = 3
"""What lies between the numbers of seeds and those of posts."""


class FakeDiscourse(FakePlatform):
    """Shows 50 posts a page, numbered like the seeds, each the first of a topic (odd numbers) or a reply.

    ``before``: what the number asked for means, as it differs by version: ``below`` it, ``from`` it downwards, or the
    ``window`` of the 50 numbers from it downwards; ``private``: seeds, by number, that only members see; ``gone``: that were
    deleted; ``types``: posts of another type; ``same_topic``: seeds, by number, that stand in topic 1.
    """

    page_size: ClassVar[int] = 50
    mode: ClassVar[str] = "everything"

    def __init__(self) -> None:
        super().__init__()
        self.before = "below"
        self.private: set[int] = set()
        self.gone: set[int] = set()
        self.types: dict[int, int] = {}
        self.same_topic: set[int] = set()
        self.refused: dict[str, Reply] = {}
        self.search_size = 50
        self.members_only = False

    def options(self) -> Mapping[str, Any]:
        return {"forum": FORUM, "mode": self.mode, "api_key": KEY, "api_username": "watcher"}

    def secrets(self) -> tuple[str, ...]:
        return (KEY,)

    def external_id(self, seed: Seed) -> str:
        return f"forum.example/{LATER + seed.number}"

    def take_down(self, seed: Seed) -> None:
        self.gone.add(seed.number)

    def respond(self, request: Request) -> Reply:
        if self.members_only and request.headers.get("api-key") != KEY:
            return refusal("not_logged_in", 403)
        for part, reply in self.refused.items():
            if part in request.query.get("q", request.path):
                return reply
        if request.path == "/posts.json":
            return Reply.of_json({"latest_posts": [self.post(seed) for seed in self.latest(request.query)]})
        if request.path == "/search.json":
            return Reply.of_json(self.found(request.query["q"], int(request.query["page"])))
        single = re.fullmatch(r"/posts/(\d+)\.json", request.path)
        return self.single(int(single[1]) - LATER) if single else Reply(b"<html>nothing here</html>", 404)

    def latest(self, query: Mapping[str, str]) -> list[Seed]:
        visible = [seed for seed in reversed(self.seeds) if seed.number not in self.private | self.gone]
        top = int(query.get("before", 10**9)) - LATER
        shown = [seed for seed in visible if seed.number < top or (self.before != "below" and seed.number == top)]
        if self.before == "window":
            newest = min(top, self.seeds[-1].number) if self.seeds else 0
            shown = [seed for seed in shown if seed.number > newest - 50]
        if self.repeat_last_page and not shown:
            shown = visible[-self.page_size :]
        return shown[: self.page_size]

    def single(self, number: int) -> Reply:
        found = next((seed for seed in self.seeds if seed.number == number), None)
        if found is None or number in self.gone:
            return refusal("not_found", 404)
        return (
            refusal("invalid_access", 403) if number in self.private else Reply.of_json(self.post(found, titled=False))
        )

    def found(self, q: str, page: int) -> dict[str, Any]:
        """Of each topic the newest post within the days asked for; a page too far shows the last one again if told so."""
        newest: dict[int, Seed] = {}
        for seed in self.seeds:
            if seed.number not in self.private | self.gone and _within(seed, q):
                best = newest.get(self.topic(seed), seed)
                newest[self.topic(seed)] = max(best, seed, key=lambda one: (one.at, one.number))
        there = sorted(newest.values(), key=lambda seed: (seed.at, seed.number), reverse=True)
        start = (page - 1) * self.search_size
        if self.repeat_last_page and start >= len(there):
            start = max(0, (len(there) - 1) // self.search_size * self.search_size)
        shown = there[start : start + self.search_size]
        more = True if start + self.search_size < len(there) else None
        return {
            "posts": [self.hit(seed) for seed in shown],
            "topics": [{"id": self.topic(seed), "title": "A topic &amp; more"} for seed in shown],
            "grouped_search_result": {"more_full_page_results": more, "error": None},
        }

    def hit(self, seed: Seed) -> dict[str, Any]:
        post = self.post(seed)
        told = ("id", "username", "created_at", "post_number", "topic_id")
        return {
            **{name: post[name] for name in told},
            "blurb": seed.text[:10],
            "like_count": 4 + self.more_likes[seed.number],
        }

    def topic(self, seed: Seed) -> int:
        return 1 if seed.number in self.same_topic else 100 + seed.number

    def post(self, seed: Seed, *, titled: bool = True) -> dict[str, Any]:
        return {
            "id": LATER + seed.number,
            "post_number": 1 if seed.number % 2 else 2,
            "post_type": self.types.get(seed.number, 1),
            "username": "someone",
            "user_id": 7,
            "created_at": "yesterday" if seed.damaged else _time(seed.at),
            "updated_at": _time(seed.at),
            "version": 1,
            "cooked": f"<p>{escape(seed.text)}</p>",
            "reply_count": 3,
            "actions_summary": [{"id": 2, "count": 4 + self.more_likes[seed.number]}],
            "topic_id": self.topic(seed),
            "topic_slug": "a-topic",
            **({"topic_title": "A topic & more"} if titled else {}),
            "hidden": False,
            "deleted_at": None,
        }


class FakeDiscourseSearch(FakeDiscourse):
    """The same, asked by searching."""

    mode: ClassVar[str] = "search"
    page_size: ClassVar[int] = 20

    def __init__(self) -> None:
        super().__init__()
        self.search_size = 50


def refusal(kind: str, status: int) -> Reply:
    return Reply.of_json({"errors": ["No."], "error_type": kind}, status)


def _time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _within(seed: Seed, q: str) -> bool:
    bounds = {
        name: datetime.fromisoformat(day).replace(tzinfo=UTC) for name, day in re.findall(r"(after|before):(\S+)", q)
    }
    return bounds.get("after", seed.at) <= seed.at and (seed.at < bounds["before"] if "before" in bounds else True)
