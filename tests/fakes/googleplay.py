"""A fake of the Play Developer API's reviews, and of the address where service accounts get their tokens."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qs

from connectors.testing import FakePlatform, Reply, Request, Seed
from connectors.testing.platform import NOW
from tests.fakes.keys import opened_token, pem, rsa_key, secrets_of

PACKAGE = "com.example.app"
EMAIL = "monitor@acme.iam.gserviceaccount.com"
SCOPE = "https://www.googleapis.com/auth/androidpublisher"
REVIEWS = f"/androidpublisher/v3/applications/{PACKAGE}/reviews"


class FakeGooglePlay(FakePlatform):
    """Shows the reviews of the week before ``now``, the last edited first, to whoever has a token.

    ``edited``: when a seed, by number, was edited; ``shuffled``: the list is in no order; ``lives``: seconds of a token;
    ``refused_tokens``: are page tokens no longer taken; ``key``: what the account's key file says instead.
    """

    page_size: ClassVar[int] = 100
    ceiling: ClassVar[int | None] = 100  # it is the week that limits; a first pull reaches further back than that

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.edited: dict[int, datetime] = {}
        self.shuffled = False
        self.lives = 3600
        self.refused_tokens = False
        self.key: dict[str, Any] = {}
        self.issued: list[str] = []

    def options(self) -> Mapping[str, Any]:
        return {"package": PACKAGE, "service_account": json.dumps(self.key_file())}

    def key_file(self) -> dict[str, Any]:
        return {
            "type": "service_account",
            "private_key_id": "k1",
            "private_key": pem(rsa_key()),
            "client_email": EMAIL,
            "token_uri": f"{self.base_url}/token",
        } | self.key

    def secrets(self) -> tuple[str, ...]:
        return (*secrets_of(rsa_key()), "ya29.")

    def external_id(self, seed: Seed) -> str:
        return f"gp:AOqp{seed.number}"

    def respond(self, request: Request) -> Reply:
        if request.path == "/token":
            return self._token(request)
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.issued:
            return refusal(401, "authError")
        if request.path != REVIEWS:
            return refusal(404, "applicationNotFound")
        if "token" in request.query and self.refused_tokens:
            return refusal(400, "invalid")
        return self._page(request.query)

    def _token(self, request: Request) -> Reply:
        form = parse_qs(request.body.decode())
        opened = opened_token(form["assertion"][0], rsa_key())
        grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
        if opened is None or request.method != "POST" or form["grant_type"] != [grant]:
            return Reply.of_json({"error": "invalid_grant", "error_description": "Invalid JWT Signature."}, 400)
        head, claims = opened
        known = (claims["iss"], claims["scope"], claims["aud"]) == (EMAIL, SCOPE, f"{self.base_url}/token")
        if not known or head != {"alg": "RS256", "kid": "k1", "typ": "JWT"} or claims["exp"] - claims["iat"] > 3600:
            return Reply.of_json({"error": "invalid_grant"}, 400)
        self.issued.append(f"ya29.{len(self.issued)}")
        return Reply.of_json({"access_token": self.issued[-1], "expires_in": self.lives, "token_type": "Bearer"})

    def _page(self, query: Mapping[str, str]) -> Reply:
        size = int(query["maxResults"])
        there = self.in_order()
        start = _position([self.external_id(seed) for seed in there], query.get("token"))
        shown = there[start : start + size] or (there[-size:] if self.repeat_last_page else [])
        answer: dict[str, Any] = {"reviews": [self.review(seed) for seed in shown]} if shown else {}
        if start + size < len(there):
            answer["tokenPagination"] = {"nextPageToken": self.external_id(there[start + size])}
        elif self.repeat_last_page:
            answer["tokenPagination"] = {"nextPageToken": query.get("token", "last")}
        return Reply.of_json(answer)

    def in_order(self) -> list[Seed]:
        shown = [seed for seed in self.seeds if self.modified(seed) >= self.now - timedelta(days=7)]
        if self.shuffled:
            return sorted(shown, key=lambda seed: seed.number * 7919 % 1009)
        return sorted(shown, key=lambda seed: (self.modified(seed), seed.number), reverse=True)

    def modified(self, seed: Seed) -> datetime:
        return self.edited.get(seed.number, seed.at)

    def review(self, seed: Seed) -> dict[str, Any]:
        comment = {
            "text": f"Acme\t{seed.text}" if seed.number % 2 else f"\t{seed.text}",
            "lastModified": {"seconds": str(int(self.modified(seed).timestamp())), "nanos": 525_000_000},
            "starRating": 0 if seed.damaged else 1 + seed.number % 5,
            "reviewerLanguage": "en_US",
            "thumbsUpCount": 3,
        }
        known = {} if seed.number % 3 == 0 else {"authorName": "someone"}
        return {"reviewId": self.external_id(seed), **known, "comments": [{"userComment": comment}]}


def refusal(status: int, reason: str) -> Reply:
    return Reply.of_json({"error": {"code": status, "message": "No.", "errors": [{"reason": reason}]}}, status)


def _position(ids: list[str], token: str | None) -> int:
    return len(ids) if token == "last" else ids.index(token) if token in ids else 0
