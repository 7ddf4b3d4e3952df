"""A fake of a Lemmy server, speaking API v3 or v4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.testing import FakePlatform, Reply, Request, Seed

SERVER = "lemmy.example"


class FakeLemmy(FakePlatform):
    """Speaks v3. Seeds with odd numbers are posts, the others comments.

    ``communities``: what the connector is told to read instead of searching; ``there``: which communities exist; ``gone``:
    seeds, by number, that were purged; ``withdrawn``: that were deleted or removed, by number, with the flag that says so;
    ``pinned``: posts, by number, that stand first whatever their age; ``said``: a refusal that answers everything.
    """

    page_size: ClassVar[int] = 50

    def __init__(self) -> None:
        super().__init__()
        self.communities: list[str] = []
        self.there = {"technology@lemmy.example", "technology"}
        self.gone: set[int] = set()
        self.withdrawn: dict[int, str] = {}
        self.pinned: set[int] = set()
        self.version = "v3"
        self.said: dict[str, Any] | None = None

    def options(self) -> Mapping[str, Any]:
        return {"server": SERVER, "communities": self.communities}

    def external_id(self, seed: Seed) -> str:
        return f"https://{SERVER}/{'post' if seed.number % 2 else 'comment'}/{seed.number}"

    def take_down(self, seed: Seed) -> None:
        self.gone.add(seed.number)

    def respond(self, request: Request) -> Reply:
        version, _, path = request.path.removeprefix("/api/").partition("/")
        if version != self.version:
            return Reply(b"", 404)
        if self.said is not None:
            return Reply.of_json(self.said, 400)
        return self.answer(path, request.query)

    def answer(self, path: str, query: Mapping[str, str]) -> Reply:
        what = {"post/list": "posts", "comment/list": "comments"}.get(path, query.get("type_", "").lower())
        if path in ("search", "post/list", "comment/list"):
            return self.listing(what, query) if self.is_there(query) else refused("couldnt_find_community")
        if path == "community":
            return self.community(query["name"])
        if path == "resolve_object":
            return self.resolved(query["q"])
        return Reply.of_json({"site_view": {}}) if path == "site" else Reply(b"", 404)

    def is_there(self, query: Mapping[str, str]) -> bool:
        return query.get("community_name", "technology") in self.there

    def listing(self, what: str, query: Mapping[str, str]) -> Reply:
        there, size = self.shown(what), int(query["limit"])
        start = (int(query["page"]) - 1) * size
        if self.repeat_last_page and start >= len(there):
            start = max(0, (len(there) - 1) // size * size)
        views = [self.view(seed) for seed in there[start : start + size]]
        return Reply.of_json({"type_": "All", "posts": [], "comments": [], what: views})

    def community(self, name: str) -> Reply:
        if name not in self.there:
            return refused("couldnt_find_community")
        return Reply.of_json({"community_view": {"community": {"name": name}, "counts": {"subscribers": 1234}}})

    def resolved(self, address: str) -> Reply:
        found = next((seed for seed in self.seeds if self.external_id(seed) == address), None)
        if found is None or found.number in self.gone:
            return refused("couldnt_find_object")
        return Reply.of_json({"post" if found.number % 2 else "comment": self.view(found)})

    def shown(self, what: str) -> list[Seed]:
        mine = [
            seed
            for seed in self.newest_first()
            if seed.number % 2 == (what == "posts") and seed.number not in self.gone
        ]
        return sorted(mine, key=lambda seed: seed.number not in self.pinned)

    def view(self, seed: Seed) -> dict[str, Any]:
        thing = self.thing(seed)
        counts = {"score": -2 + self.more_likes[seed.number], "comments": 3, "child_count": 3}
        around = {"creator": self.person("actor_id"), "community": self.place("actor_id"), "counts": counts}
        if seed.number % 2:
            return {"post": thing, **around}
        return {"comment": thing, "post": {"id": 1, "name": "A thread"}, **around}

    def thing(self, seed: Seed) -> dict[str, Any]:
        published = seed.at.isoformat().replace("+00:00", "Z" if seed.number % 3 else "")
        words = {"name": seed.text, "body": None} if seed.number % 2 else {"content": seed.text}
        return {
            "id": seed.number,
            "ap_id": self.external_id(seed),
            "published": "yesterday" if seed.damaged else published,
            "deleted": self.withdrawn.get(seed.number) == "deleted",
            "removed": self.withdrawn.get(seed.number) == "removed",
            **words,
        }

    def person(self, address: str) -> dict[str, Any]:
        return {"name": "sam", address: f"https://{SERVER}/u/sam", "deleted": False, "bot_account": False}

    def place(self, address: str) -> dict[str, Any]:
        return {"name": "technology", address: f"https://{SERVER}/c/technology"}


class FakeLemmy1(FakeLemmy):
    """Speaks v4: tokens instead of page numbers, other names, counts within the things. Some of v3 is still there."""

    def __init__(self) -> None:
        super().__init__()
        self.version = "v4"
        self.refused_tokens = False

    def respond(self, request: Request) -> Reply:
        if request.path == "/api/v3/site":
            return Reply.of_json({"site_view": {}})
        return super().respond(request)

    def listing(self, what: str, query: Mapping[str, str]) -> Reply:
        token = query.get("page_cursor")
        if token and self.refused_tokens:
            return refused("couldnt_parse_pagination_token")
        there, size = self.shown(what), int(query["limit"])
        start = _behind(there, token)
        items = there[start : start + size]
        if self.repeat_last_page and not items:
            items = there[-size:]
        following = {"next_page": f"P{items[-1].number}"} if items else {}
        return Reply.of_json({"items": [self.view(seed) for seed in items], **following})

    def resolved(self, address: str) -> Reply:
        found = next((seed for seed in self.seeds if self.external_id(seed) == address), None)
        if found is None or found.number in self.gone:
            return refused("not_found", 404)
        return Reply.of_json({"type_": "post" if found.number % 2 else "comment", **self.view(found)})

    def community(self, name: str) -> Reply:
        if name not in self.there:
            return refused("not_found", 404)
        return Reply.of_json({"community_view": {"community": {"name": name, "subscribers": 1234}}})

    def view(self, seed: Seed) -> dict[str, Any]:
        view = super().view(seed) | {"creator": self.person("ap_id"), "community": self.place("ap_id")}
        del view["counts"]
        return view

    def thing(self, seed: Seed) -> dict[str, Any]:
        thing = super().thing(seed)
        thing["published_at"] = thing.pop("published")
        return thing | {
            "score": -2 + self.more_likes[seed.number],
            ("comments" if seed.number % 2 else "child_count"): 3,
        }


def refused(error: str, status: int = 400) -> Reply:
    return Reply.of_json({"error": error}, status)


def _behind(there: list[Seed], token: str | None) -> int:
    """The position behind the seed that a token names; one that is gone stands where it would."""
    if token is None:
        return 0
    number = int(token[1:])
    return next((i + 1 for i, seed in enumerate(there) if seed.number == number), len(there))
