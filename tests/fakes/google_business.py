"""A fake of Google Business Profile's three APIs and of the host that gives tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from typing import Any, ClassVar
from urllib.parse import parse_qs

from connectors.testing import FakePlatform, Reply, Request, Seed

NUMBERS = count(1)
MAPS = "https://maps.google.com/maps?cid=5"


class FakeGoogleBusiness(FakePlatform):
    """One account with the locations in ``titles`` (by number); what is published is a review of the first one, ``elsewhere``
    seeds of the second. ``changes`` alter a seed's review; ``answers`` replace whole answers by path."""

    page_size: ClassVar[int] = 50

    def __init__(self) -> None:
        super().__init__()
        # Tokens are kept by grant: no two fakes have the same one.
        self.grant = f"1//the-refresh-token-{next(NUMBERS):04}"
        self.tokens_given = 0
        self.revoked: set[str] = set()
        self.titles = {"2": "Acme Café"}
        self.elsewhere: set[Seed] = set()
        self.changes: dict[int, Callable[[dict[str, Any]], object]] = {}
        self.answers: dict[str, Reply] = {}

    def options(self) -> Mapping[str, Any]:
        return {"client_id": "app", "client_secret": "GOCSPX-the-secret", "refresh_token": self.grant}

    def secrets(self) -> tuple[str, ...]:
        return ("GOCSPX-the-secret", self.grant, "ya29.the-token")

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.loopback.requests]

    def external_id(self, seed: Seed) -> str:
        return f"{self._location(seed)}/AbF{seed.number}"

    def respond(self, request: Request) -> Reply:
        if request.path in self.answers:
            return self.answers[request.path]
        if request.path == "/token":
            return self._token(request)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if not token.startswith("ya29.the-token") or token in self.revoked:
            return Reply.of_json({"error": {"code": 401, "status": "UNAUTHENTICATED"}}, 401)
        if request.path == "/accounts":
            return Reply.of_json({"accounts": [{"name": "accounts/1", "accountName": "Acme"}]})
        if request.path == "/accounts/1/locations":
            return self._locations()
        return self._reviews(request)

    def _token(self, request: Request) -> Reply:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        sound = {"client_id": "app", "client_secret": "GOCSPX-the-secret", "grant_type": "refresh_token"}
        if form != sound | {"refresh_token": self.grant}:
            return Reply.of_json({"error": "invalid_grant"}, 400)
        self.tokens_given += 1
        return Reply.of_json({"access_token": f"ya29.the-token-{self.tokens_given}", "expires_in": 3599})

    def _locations(self) -> Reply:
        entries = [
            {"name": f"locations/{number}", "title": title, "metadata": {"mapsUri": MAPS}}
            for number, title in self.titles.items()
        ]
        return Reply.of_json({"locations": entries} if entries else {})

    def _reviews(self, request: Request) -> Reply:
        number = request.path.removeprefix("/accounts/1/locations/").removesuffix("/reviews")
        if number not in self.titles:
            return Reply.of_json({"error": {"code": 404, "status": "NOT_FOUND"}}, 404)
        seeds = [seed for seed in self.newest_first() if self._location(seed) == number]
        size, start = int(request.query["pageSize"]), int(request.query.get("pageToken", "t0")[1:])
        start = 0 if self.repeat_last_page else start
        shown = [self.review(seed) for seed in seeds[start : start + size]]
        more = {"nextPageToken": f"t{start + size}"} if start + size < len(seeds) else {}
        totals = {"averageRating": 4.5, "totalReviewCount": len(seeds)}
        return Reply.of_json({"reviews": shown, **totals, **more} if shown else {})

    def review(self, seed: Seed) -> dict[str, Any]:
        number = self._location(seed)
        review: dict[str, Any] = {
            "name": f"accounts/1/locations/{number}/reviews/AbF{seed.number}",
            "reviewId": f"AbF{seed.number}",
            "reviewer": {"displayName": "Pat"},
            "starRating": "SIX" if seed.damaged else "FOUR",
            "comment": seed.text,
            "createTime": seed.at.strftime("%Y-%m-%dT%H:%M:%S.000000000Z"),
            "updateTime": seed.at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        change = self.changes.get(seed.number)
        if change is not None:
            change(review)
        return review

    def _location(self, seed: Seed) -> str:
        return "3" if seed in self.elsewhere else "2"
