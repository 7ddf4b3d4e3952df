"""A fake of Bluesky: signing in, search, accounts' posts, posts and profiles by address."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from itertools import count
from typing import Any, ClassVar

from connectors.testing import FakePlatform, Reply, Request, Seed

HANDLE = "ada.example"
DID = "did:plc:ada"
OWN = "acme.example"
OWN_DID = "did:plc:acme"
NUMBERS = count(1)
LIMITS = {"RateLimit-Limit": "3000", "RateLimit-Remaining": "2999", "RateLimit-Reset": "1793534700"}


class FakeBluesky(FakePlatform):
    """Everything published is found by search; ``gone`` seeds are in no answer any more.

    ``changes`` alters a seed's view before it is told; ``answers`` replace whole answers by method.
    """

    page_size: ClassVar[int] = 100

    def __init__(self) -> None:
        super().__init__()
        # Sessions outlive a connector, and a port may be given out again: no two fakes have the same account.
        self.password = f"abcd-efgh-ijkl-{next(NUMBERS):04}"
        self.gone: set[Seed] = set()
        self.changes: dict[int, Callable[[dict[str, Any]], object]] = {}
        self.answers: dict[str, Reply] = {}
        self.limits: Mapping[str, str] = LIMITS
        self.did_doc: Any = None
        self.sign_ins = 0
        self.refused_tokens = 0
        self.followers: dict[str, int | None] = {DID: 12, OWN_DID: 4321}

    def options(self) -> Mapping[str, Any]:
        return {"identifier": HANDLE, "app_password": self.password}

    def secrets(self) -> tuple[str, ...]:
        return (self.password, self.token)

    @property
    def token(self) -> str:
        return f"the-token-number-{self.sign_ins}"

    @property
    def methods(self) -> list[str]:
        """What was asked for, without the part that all have."""
        return [request.path.rpartition(".")[2] for request in self.loopback.requests]

    def external_id(self, seed: Seed) -> str:
        return f"at://{DID}/app.bsky.feed.post/3k{seed.number:06}"

    def take_down(self, seed: Seed) -> None:
        self.gone.add(seed)

    def respond(self, request: Request) -> Reply:
        method = request.path.rpartition(".")[2]
        if method in self.answers:
            return self.answers[method]
        match method:
            case "createSession":
                return self._sign_in(json.loads(request.body))
            case "searchPosts":
                return self._search(request)
            case "getAuthorFeed":
                return self._feed(request)
            case "getPosts":
                wanted = [value for name, value in request.pairs if name == "uris"]
                return self._json({"posts": [self.view(s) for s in self._alive() if self.external_id(s) in wanted]})
            case "getProfiles":
                wanted = [value for name, value in request.pairs if name == "actors"]
                known = [p for p in self.profiles() if {p["did"], p["handle"]} & set(wanted)]
                return self._json({"profiles": known})
        return Reply.of_json({"error": "MethodNotImplemented", "message": "Method Not Implemented"}, 501)

    def _json(self, data: Any) -> Reply:
        return Reply.of_json(data, headers=self.limits)

    def _sign_in(self, body: Mapping[str, str]) -> Reply:
        if body != {"identifier": HANDLE, "password": self.password}:
            return refusal("AuthenticationRequired", 401)
        self.sign_ins += 1
        told = {"did": DID, "handle": HANDLE, "accessJwt": self.token, "refreshJwt": "another", "active": True}
        # As when nearly all sign-ins of the window are used up: that says nothing of other requests.
        return Reply.of_json(
            told | ({"didDoc": self.did_doc} if self.did_doc else {}),
            headers=dict(LIMITS) | {"RateLimit-Remaining": "0"},
        )

    def _search(self, request: Request) -> Reply:
        if self.refused_tokens or request.headers.get("authorization") != f"Bearer {self.token}":
            self.refused_tokens = max(0, self.refused_tokens - 1)
            return refusal("ExpiredToken", 400)
        since, until = (_seconds(request.query.get(name)) for name in ("since", "until"))
        found = [
            seed
            for seed in self._alive()
            if request.query["q"].strip('"') in seed.text
            and (since is None or seed.at.timestamp() >= since)
            and (until is None or seed.at.timestamp() < until)
        ]
        start = 0 if self.repeat_last_page else int(request.query.get("cursor", 0))
        size = int(request.query["limit"])
        page, end = found[start : start + size], start + size
        more = {"cursor": str(end)} if end < len(found) or self.repeat_last_page else {}
        return self._json({"posts": [self.view(seed) for seed in page], "hitsTotal": len(found), **more})

    def _feed(self, request: Request) -> Reply:
        """Tokens are times, as Bluesky's are."""
        if request.query["actor"] not in (OWN, OWN_DID):
            return refusal("InvalidRequest", 400, "Profile not found")
        below = None if self.repeat_last_page else _seconds(request.query.get("cursor"))
        shown = [seed for seed in self._alive() if below is None or seed.at.timestamp() < below]
        page = shown[: int(request.query["limit"])]
        more = {"cursor": _written(page[-1].at)} if page else {}
        return self._json({"feed": [self.entry(seed) for seed in page], **more})

    def _alive(self) -> list[Seed]:
        return [seed for seed in self.newest_first() if seed not in self.gone]

    def entry(self, seed: Seed) -> dict[str, Any]:
        """A post as it stands in an account's feed."""
        return {"post": self.view(seed)}

    def profiles(self) -> list[dict[str, Any]]:
        return [
            {"did": DID, "handle": HANDLE, "followersCount": self.followers.get(DID)},
            {"did": OWN_DID, "handle": OWN, "followersCount": self.followers.get(OWN_DID)},
        ]

    def author(self) -> dict[str, Any]:
        return {"did": DID, "handle": HANDLE, "displayName": "Ada", "labels": []}

    def view(self, seed: Seed) -> dict[str, Any]:
        told: dict[str, Any] = {
            "uri": self.external_id(seed),
            "cid": "bafy",
            "author": self.author(),
            "record": {
                "$type": "app.bsky.feed.post",
                "text": seed.text,
                "langs": ["en"],
                "createdAt": _written(seed.at),
            },
            "replyCount": 1,
            "repostCount": 2,
            "quoteCount": 3,
            "likeCount": 4 + self.more_likes[seed.number],
            "indexedAt": "yesterday" if seed.damaged else _written(seed.at),
            "labels": [],
        }
        self.changes.get(seed.number, lambda _view: None)(told)
        return told


class FakeBlueskyAccount(FakeBluesky):
    """Everything published is the brand's own, shown to anyone."""

    def options(self) -> Mapping[str, Any]:
        return {"accounts": [OWN]}

    def external_id(self, seed: Seed) -> str:
        return f"at://{OWN_DID}/app.bsky.feed.post/3k{seed.number:06}"

    def author(self) -> dict[str, Any]:
        return {"did": OWN_DID, "handle": OWN, "displayName": "Acme"}


def refusal(error: str, status: int, message: str = "something about it", **headers: str) -> Reply:
    return Reply.of_json({"error": error, "message": message}, status, headers)


def _seconds(written: str | None) -> float | None:
    return None if written is None else datetime.fromisoformat(written).timestamp()


def _written(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
