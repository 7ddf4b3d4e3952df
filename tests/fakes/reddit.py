"""A fake of Reddit: its sign-in, search, listings and look-ups by name."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import parse_qs

from connectors.testing import FakePlatform, Reply, Request, Seed

CLIENT_ID = "an-app-id"
SECRET = "the-secret-of-the-app"
TOKEN = "the-token-of-the-day"
LIMITS = {"x-ratelimit-remaining": "596.0", "x-ratelimit-used": "4.0", "x-ratelimit-reset": "355"}
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"


def base36(number: int) -> str:
    return (base36(number // 36) if number >= 36 else "") + DIGITS[number % 36]


@dataclass
class Place:
    """A subreddit. ``reply``: what Reddit says instead of showing it."""

    subscribers: int = 1234
    reply: Reply | None = None


class FakeReddit(FakePlatform):
    """Everything published is a post, found by searching the whole site; ``deleted`` things are in no listing any more."""

    page_size: ClassVar[int] = 100
    ceiling: ClassVar[int | None] = 250
    listing_ceiling: ClassVar[int] = 1000

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[str, Place] = {"acme": Place()}
        self.deleted: set[str] = set()
        self.sign_in: Callable[[], Reply] = lambda: Reply.of_json(
            {"access_token": TOKEN, "token_type": "bearer", "expires_in": 3600, "scope": "*"}
        )
        self.refused_tokens = 0
        self.limits: Mapping[str, str] = LIMITS
        self.answers: dict[str, Reply] = {}

    def options(self) -> Mapping[str, Any]:
        return {"client_id": CLIENT_ID, "client_secret": SECRET}

    def secrets(self) -> tuple[str, ...]:
        return (SECRET, TOKEN, base64.b64encode(f"{CLIENT_ID}:{SECRET}".encode()).decode())

    def external_id(self, seed: Seed) -> str:
        return f"t3_{base36(10_000 + seed.number)}"

    def place_of(self, seed: Seed) -> str:
        return "acme"

    @property
    def paths(self) -> list[str]:
        """What was asked for, the sign-in aside."""
        return [request.path for request in self.loopback.requests if request.method == "GET"]

    def take_down(self, seed: Seed) -> None:
        self.deleted.add(self.external_id(seed))

    def respond(self, request: Request) -> Reply:
        if request.path == "/api/v1/access_token":
            return self._sign_in(request)
        if request.headers.get("authorization") != f"bearer {TOKEN}" or self.refused_tokens:
            self.refused_tokens = max(0, self.refused_tokens - 1)
            return Reply.of_json({"message": "Unauthorized", "error": 401}, 401)
        if request.path in self.answers:
            return self.answers[request.path]
        if request.path == "/api/info/":
            return self._info(request)
        return self._listing(request)

    def _sign_in(self, request: Request) -> Reply:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        expected = base64.b64encode(f"{CLIENT_ID}:{SECRET}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}" or form["grant_type"] != "client_credentials":
            return Reply.of_json({"message": "Unauthorized", "error": 401}, 401)
        return self.sign_in()

    def _listing(self, request: Request) -> Reply:
        _, _, place, what = request.path.rstrip("/").split("/")
        names = place.lower().split("+")
        for name in names:
            if name != "all" and (name not in self.places or self.places[name].reply):
                return self.places[name].reply or _NOWHERE if name in self.places else _NOWHERE
        shown = self._shown(what, names, request.query.get("q"))
        ceiling = self.ceiling if what == "search" else self.listing_ceiling
        return self._page(shown[:ceiling], request.query)

    def _shown(self, what: str, names: Sequence[str], query: str | None) -> list[Seed]:
        kind = "t1" if what == "comments" else "t3"
        return [
            seed
            for seed in self.newest_first()
            if self.external_id(seed).startswith(kind)
            and self.external_id(seed) not in self.deleted
            and (names == ["all"] or self.place_of(seed) in names)
            and (query is None or query.strip('"') in seed.text)
        ]

    def _page(self, shown: Sequence[Seed], query: Mapping[str, str]) -> Reply:
        names = [self.external_id(seed) for seed in shown]
        after = query.get("after")
        if after is not None and after not in names:
            return self._of_children([], None)
        start = 0 if after is None or self.repeat_last_page else names.index(after) + 1
        page = shown[start : start + min(int(query.get("limit", 25)), 100)]
        more = self.repeat_last_page or start + len(page) < len(shown)
        return self._of_children(
            [self.thing(seed) for seed in page], self.external_id(page[-1]) if more and page else None
        )

    def _of_children(self, children: Sequence[Mapping[str, Any]], after: str | None) -> Reply:
        listing = {"kind": "Listing", "data": {"after": after, "before": None, "children": children}}
        return Reply.of_json(listing, headers=self.limits)

    def _info(self, request: Request) -> Reply:
        if "sr_name" in request.query:
            found = [
                self._community(name) for name in request.query["sr_name"].split(",") if name.lower() in self.places
            ]
            return self._of_children(found, None)
        asked = request.query["id"].split(",")
        seeds = {self.external_id(seed): seed for seed in self.seeds}
        return self._of_children([self.thing(seeds[name]) for name in asked if name in seeds], None)

    def _community(self, name: str) -> dict[str, Any]:
        subscribers = self.places[name.lower()].subscribers
        return {"kind": "t5", "data": {"name": "t5_1", "display_name": name, "subscribers": subscribers}}

    def thing(self, seed: Seed) -> dict[str, Any]:
        name = self.external_id(seed)
        data: dict[str, Any] = {
            "name": name,
            "id": name[3:],
            "author": "someone",
            "created_utc": None if seed.damaged else seed.at.timestamp(),
            "edited": False,
            "score": 7 + self.more_likes[seed.number],
            "subreddit": self.place_of(seed),
            "subreddit_name_prefixed": f"r/{self.place_of(seed)}",
            **(_comment(seed, name) if name.startswith("t1") else _post(seed, name)),
        }
        return {"kind": name[:2], "data": _withdrawn(data) if name in self.deleted else data}


class FakeRedditPlaces(FakeReddit):
    """Posts (odd numbers) and comments (even) of two subreddits that are read as they come in."""

    ceiling: ClassVar[int | None] = 3 * FakeReddit.listing_ceiling

    def __init__(self) -> None:
        super().__init__()
        self.places["phones"] = Place()

    def options(self) -> Mapping[str, Any]:
        return {**super().options(), "subreddits": ["acme", "phones"]}

    def external_id(self, seed: Seed) -> str:
        return f"{'t3' if seed.number % 2 else 't1'}_{base36(10_000 + seed.number)}"

    def place_of(self, seed: Seed) -> str:
        return "phones" if seed.number % 5 == 0 else "acme"


class FakeRedditTogether(FakeRedditPlaces):
    """The same, read together as ``acme+phones``."""

    def options(self) -> Mapping[str, Any]:
        return {**super().options(), "subreddits": ["acme+phones"]}


class ReplayedReddit(FakeReddit):
    """Answers every first page with ``body``, and every further one with nothing."""

    def __init__(self, body: bytes = b"", status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self.reply = Reply(body, status, headers or {})

    def _listing(self, request: Request) -> Reply:
        return self._of_children([], None) if "after" in request.query else self.reply

    def _info(self, request: Request) -> Reply:
        return self.reply


_NOWHERE = Reply(b"", 302, {"Location": "https://oauth.reddit.com/subreddits/search?q=nope"})


def refusal(status: int, reason: str) -> Reply:
    return Reply.of_json({"reason": reason, "message": "no", "error": status}, status)


def _post(seed: Seed, name: str) -> dict[str, Any]:
    return {
        "title": seed.text,
        "selftext": "",
        "is_self": True,
        "permalink": f"/r/acme/comments/{name[3:]}/title/",
        "num_comments": 2,
        "num_crossposts": 1,
        "upvote_ratio": 0.91,
    }


def _comment(seed: Seed, name: str) -> dict[str, Any]:
    return {
        "body": seed.text,
        "link_id": "t3_abc",
        "link_title": "A thread",
        "permalink": f"/r/acme/comments/abc/title/{name[3:]}/",
        "replies": "",
    }


def _withdrawn(data: dict[str, Any]) -> dict[str, Any]:
    return {**data, "author": "[deleted]", "body" if "body" in data else "selftext": "[deleted]"}
