"""A fake of X's API version 2: recent search, posts and users by id or name, and usage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from itertools import count
from typing import Any, ClassVar

from connectors.testing import FakePlatform, Reply, Request, Seed
from connectors.testing.platform import NOW
from connectors.x_parse import id_at

NUMBERS = count(1)
AUTHOR = {"id": "99", "username": "ada", "name": "Ada", "public_metrics": {"followers_count": 12}}
OWN = {"id": "7", "username": "AcmeHQ", "name": "Acme", "public_metrics": {"followers_count": 4321}}
METRICS = {
    "retweet_count": 3,
    "quote_count": 2,
    "like_count": 11,
    "reply_count": 1,
    "impression_count": 500,
    "bookmark_count": 9,
}


class FakeX(FakePlatform):
    """Shows the last seven days before ``now``, newest first. ``read`` counts what was charged; ``own`` seeds are the brand's
    posts; ``gone`` seeds were deleted; ``changes`` alter a seed's post before it is told; ``answers`` replace whole answers."""

    page_size: ClassVar[int] = 100

    def __init__(self) -> None:
        super().__init__()
        # What was read again is remembered by token: no two fakes have the same one.
        self.token = f"AAAA-the-bearer-token-{next(NUMBERS):04}"
        self.now = NOW
        self.read = 0
        self.own: set[Seed] = set()
        self.gone: set[Seed] = set()
        self.changes: dict[int, Callable[[dict[str, Any]], object]] = {}
        self.answers: dict[str, Reply] = {}

    def options(self) -> Mapping[str, Any]:
        return {"bearer_token": self.token, "posts_per_day": 100_000}

    def secrets(self) -> tuple[str, ...]:
        return (self.token,)

    @property
    def searches(self) -> list[Mapping[str, str]]:
        return [request.query for request in self.loopback.requests if request.path.endswith("/recent")]

    def external_id(self, seed: Seed) -> str:
        return str(id_at(seed.at) + seed.number)

    def take_down(self, seed: Seed) -> None:
        self.gone.add(seed)

    def respond(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return Reply.of_json({"title": "Unauthorized", "status": 401}, 401)
        if request.path in self.answers:
            return self.answers[request.path]
        match request.path:
            case "/2/tweets/search/recent":
                return self._search(request.query)
            case "/2/tweets":
                return self._looked_up(request.query["ids"].split(","))
            case "/2/users/by":
                wanted = request.query["usernames"].lower().split(",")
                return Reply.of_json({"data": [u for u in (AUTHOR, OWN) if str(u["username"]).lower() in wanted]})
            case "/2/usage/tweets":
                return Reply.of_json({"data": {"project_usage": "1", "project_cap": "1000"}})
        return Reply.of_json({"title": "Not Found"}, 404)

    def _search(self, query: Mapping[str, str]) -> Reply:
        size, oldest = int(query["max_results"]), self.now - timedelta(days=7)
        if not 10 <= size <= 100 or 0 < int(query.get("since_id", 0)) < id_at(oldest):
            return Reply.of_json({"title": "Invalid Request", "errors": [{"message": "since_id too old"}]}, 400)
        if "start_time" in query and query["start_time"] < oldest.strftime("%Y-%m-%dT%H:%M:%SZ"):
            return Reply.of_json({"title": "Invalid Request"}, 400)
        only_own = query["query"].startswith("(from:")
        posts = [self.post(seed) for seed in self.newest_first() if (seed in self.own) == only_own]
        shown = [post for post in posts if id_at(oldest) <= int(post["id"]) and _within(int(post["id"]), query)]
        start = 0 if self.repeat_last_page else int(query.get("next_token", "t0")[1:])
        page = shown[start : start + size]
        self.read += len(page)
        meta: dict[str, Any] = {"result_count": len(page)}
        if len(shown) > start + size:
            meta["next_token"] = f"t{start + size}"
        users = {"includes": {"users": [OWN if only_own else AUTHOR]}} if "expansions" in query and page else {}
        return Reply.of_json({**({"data": page} if page else {}), **users, "meta": meta})

    def _looked_up(self, ids: list[str]) -> Reply:
        there = {self.external_id(seed): seed for seed in self.seeds if seed not in self.gone}
        self.read += len(ids)
        errors = [
            {
                "value": name,
                "resource_id": name,
                "parameter": "ids",
                "resource_type": "tweet",
                "title": "Not Found Error",
                "type": "https://api.twitter.com/2/problems/resource-not-found",
            }
            for name in ids
            if name not in there
        ]
        found = [self.post(there[name]) for name in ids if name in there]
        return Reply.of_json({**({"data": found} if found else {}), **({"errors": errors} if errors else {})})

    def post(self, seed: Seed) -> dict[str, Any]:
        post: dict[str, Any] = {
            "id": self.external_id(seed),
            "text": seed.text.replace("&", "&amp;"),
            "author_id": OWN["id"] if seed in self.own else AUTHOR["id"],
            "created_at": "yesterday" if seed.damaged else seed.at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "lang": "en",
            "public_metrics": METRICS | {"like_count": METRICS["like_count"] + self.more_likes[seed.number]},
            "edit_history_tweet_ids": [self.external_id(seed)],
        }
        change = self.changes.get(seed.number)
        if change is not None:
            change(post)
        return post


def _within(number: int, query: Mapping[str, str]) -> bool:
    above = number > int(query.get("since_id", 0))
    below = number < int(query.get("until_id", 2**63))
    return above and below
