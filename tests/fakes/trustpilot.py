"""A fake of Trustpilot's Business Units API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from connectors.testing import FakePlatform, Reply, Request, Seed

KEY = "tp-key-4711"
DOMAIN = "www.acme.example"
UNIT = "57ff44480000ff000595f84b"
COMPANY = {
    "id": UNIT,
    "displayName": "Acme",
    "score": {"stars": 4.5, "trustScore": 4.4},
    "numberOfReviews": {"total": 1234, "usedForTrustScoreCalculation": 1200},
}


class FakeTrustpilot(FakePlatform):
    """Answers one company's reviews, newest first, by page number. ``links``: does it say whether there is more."""

    page_size: ClassVar[int] = 100

    def __init__(self) -> None:
        super().__init__()
        self.company: dict[str, Any] = dict(COMPANY)
        self.named = DOMAIN
        self.links = True

    def options(self) -> Mapping[str, Any]:
        return {"business_unit": self.named, "api_key": KEY}

    def secrets(self) -> tuple[str, ...]:
        return (KEY,)

    def external_id(self, seed: Seed) -> str:
        return f"{seed.number:024x}"

    def respond(self, request: Request) -> Reply:
        if request.headers.get("apikey") != KEY:
            return Reply.of_json({"message": "Unauthorized", "errorCode": 401}, 401)
        if request.path == f"/v1/business-units/{UNIT}/reviews":
            return self._page(request.query)
        found = request.path == "/v1/business-units/find" and request.query.get("name") == DOMAIN
        if found or request.path == f"/v1/business-units/{UNIT}":
            return Reply.of_json(self.company)
        return Reply.of_json({"message": "Not found", "errorCode": 404}, 404)

    def _page(self, query: Mapping[str, str]) -> Reply:
        size, number = int(query["perPage"]), int(query["page"])
        there = self.newest_first()
        start = 0 if self.repeat_last_page else (number - 1) * size
        shown = there[start : start + size]
        more = start + size < len(there)
        link = {"href": f"{self.base_url}/next", "method": "GET", "rel": "next-page"}
        answer: dict[str, Any] = {"reviews": [self.review(seed) for seed in shown]}
        return Reply.of_json(answer | ({"links": [link] if more else []} if self.links else {}))

    def review(self, seed: Seed) -> dict[str, Any]:
        return {
            "id": self.external_id(seed),
            "consumer": {"id": f"c{seed.number}", "displayName": "Georgina B", "displayLocation": None},
            "businessUnit": {"id": UNIT, "identifyingName": DOMAIN, "displayName": "Acme"},
            "stars": 0 if seed.damaged else 1 + seed.number % 5,
            "title": "Acme",
            "text": seed.text,
            "language": "en",
            "createdAt": seed.at.isoformat().replace("+00:00", "Z"),
            "updatedAt": None,
            "companyReply": None,
            "isVerified": True,
            "numberOfLikes": 0,
            "status": "active",
        }
