"""A fake of App Store Connect's customer reviews."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta, timezone
from typing import Any, ClassVar

from connectors.testing import FakePlatform, Reply, Request, Seed
from connectors.testing.platform import NOW
from tests.fakes.keys import curve_key, opened_token, pem, secrets_of

APP_ID = "6777469778"
ISSUER = "57246542-96fe-1a63-e053-0824d011072a"
PACIFIC = timezone(timedelta(hours=-7))


class FakeAppStoreConnect(FakePlatform):
    """Answers one app's ``customerReviews``, newest first, to tokens that are signed as Apple wants them.

    ``replies``: has the owner answered every fifth review; ``next_host``: where the next page's address leads (``None``: here); ``refused_cursors``: are cursors no longer taken.
    """

    page_size: ClassVar[int] = 200

    def __init__(self) -> None:
        super().__init__()
        self.replies = True
        self.next_host: str | None = None
        self.refused_cursors = False
        self.issuer: str | None = ISSUER

    def options(self) -> Mapping[str, Any]:
        known = {"app_id": APP_ID, "key_id": "2X9R4HXF34", "private_key": pem(curve_key())}
        return known | ({"issuer_id": self.issuer} if self.issuer else {})

    def secrets(self) -> tuple[str, ...]:
        return secrets_of(curve_key())

    def external_id(self, seed: Seed) -> str:
        return f"00000193-f7fb-5203-538a-{seed.number:012d}"

    def respond(self, request: Request) -> Reply:
        if not self._is_known(request.headers.get("authorization", "")):
            return refusal(401, "NOT_AUTHORIZED")
        if request.path != f"/v1/apps/{APP_ID}/customerReviews":
            return refusal(404, "NOT_FOUND")
        if "cursor" in request.query and self.refused_cursors:
            return refusal(400, "PARAMETER_ERROR.INVALID")
        return self._page(request.query)

    def _is_known(self, authorization: str) -> bool:
        opened = opened_token(authorization.removeprefix("Bearer "), curve_key())
        if opened is None:
            return False
        head, claims = opened
        whose = claims.get("iss") == self.issuer if self.issuer else claims.get("sub") == "user"
        lives = 0 < claims["exp"] - claims["iat"] <= 1200 and claims["iat"] >= int(NOW.timestamp()) - 3600
        return head == {"alg": "ES256", "kid": "2X9R4HXF34", "typ": "JWT"} and whose and lives

    def _page(self, query: Mapping[str, str]) -> Reply:
        size = int(query["limit"])
        there = self.newest_first()
        start = _position([self.external_id(seed) for seed in there], query.get("cursor"))
        shown = there[start : start + size] or (there[-size:] if self.repeat_last_page else [])
        more = start + size < len(there)
        links = {"self": f"{self.base_url}/v1/apps/{APP_ID}/customerReviews"}
        if more or (self.repeat_last_page and there):
            token = self.external_id(there[start + size]) if more else query.get("cursor", "last")
            host = self.next_host or self.base_url
            links["next"] = f"{host}/v1/apps/{APP_ID}/customerReviews?sort=-createdDate&cursor={token}&limit={size}"
        data = {"data": [self.review(seed) for seed in shown], "links": links}
        included = [self.reply(seed) for seed in shown if self._is_answered(seed)]
        return Reply.of_json(data | ({"included": included} if query.get("include") == "response" else {}))

    def review(self, seed: Seed) -> dict[str, Any]:
        replied = {"type": "customerReviewResponses", "id": f"r{seed.number}"} if self._is_answered(seed) else None
        return {
            "type": "customerReviews",
            "id": self.external_id(seed),
            "attributes": {
                "rating": 9 if seed.damaged else 1 + seed.number % 5,
                "title": "Acme",
                "body": seed.text,
                "reviewerNickname": "someone",
                "createdDate": seed.at.astimezone(PACIFIC).isoformat(),
                "territory": "DEU",
            },
            "relationships": {"response": {"data": replied}},
        }

    def _is_answered(self, seed: Seed) -> bool:
        return self.replies and seed.number % 5 == 0

    def reply(self, seed: Seed) -> dict[str, Any]:
        tells = {
            "responseBody": f"Thank you, {seed.number}!",
            "lastModifiedDate": (seed.at + timedelta(hours=2)).isoformat(),
            "state": "PUBLISHED",
        }
        return {"type": "customerReviewResponses", "id": f"r{seed.number}", "attributes": tells}


def refusal(status: int, code: str) -> Reply:
    return Reply.of_json({"errors": [{"status": str(status), "code": code, "title": "No."}]}, status)


def _position(ids: list[str], token: str | None) -> int:
    return len(ids) if token == "last" else ids.index(token) if token in ids else 0
