"""A fake of Steam's reviews, in the Web API's shape and in that of the store's older interface."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar

from connectors.testing import FakePlatform, Reply, Request, Seed

APP_ID = "295270"
FIRST_ID = 14_000_000


class FakeSteam(FakePlatform):
    """Answers the Web API's ``GetAppReviews``, the last edited first, with cursors that keep their place.

    ``languages``: what the connector is told; ``edited``: when a seed, by number, was edited; ``ends_early``: how many
    reviews the list shows before it says that it ends; ``total``: what the summary says (``None``: what is true);
    ``there``: is there such an app; ``refused_cursors``: are cursors of earlier pulls refused.
    """

    api: ClassVar[str] = "successor"
    page_size: ClassVar[int] = 100

    def __init__(self) -> None:
        super().__init__()
        self.languages: list[str] = ["all"]
        self.spoken: dict[int, str] = {}
        self.edited: dict[int, datetime] = {}
        self.ends_early: int | None = None
        self.total: int | None = None
        self.there = True
        self.refused_cursors = False

    def options(self) -> Mapping[str, Any]:
        return {"app_id": APP_ID, "api": self.api, "languages": self.languages}

    def external_id(self, seed: Seed) -> str:
        return str(FIRST_ID + seed.number)

    def respond(self, request: Request) -> Reply:
        if request.path != "/IUserReviewsService/GetAppReviews/v1/":
            return Reply(b"<html>Not Found</html>", 404)
        asked = json.loads(request.query["input_json"])
        if not self.there or asked["appid"] != int(APP_ID):
            return Reply.of_json({"response": {}})
        return self.page(asked.get("cursor", "*"), asked["num_per_page"], asked["languages"], wrapped=True)

    def page(self, cursor: str, size: int, languages: list[str], *, wrapped: bool) -> Reply:
        if cursor != "*" and self.refused_cursors:
            return Reply(b"<html>Bad Request</html>", 400)
        there = [seed for seed in self.in_order() if "all" in languages or self.language(seed) in languages]
        start = 0 if cursor == "*" else _position(there, cursor, self.updated)
        end = min(start + size, len(there) if self.ends_early is None else self.ends_early)
        shown = there[start:end]
        if self.repeat_last_page and not shown:
            shown = there[-size:]
        following = cursor if not shown or (self.repeat_last_page and end >= len(there)) else self.token(shown[-1])
        summary: dict[str, Any] = {"num_reviews": len(shown)}
        if cursor == "*":
            total = len(there) if self.total is None else self.total
            summary |= {"total_reviews": total, "total_positive": total // 4, "total_negative": total - total // 4}
        body = {"query_summary": summary, "reviews": [self.review(seed) for seed in shown], "cursor": following}
        if wrapped and not shown:
            del body["reviews"]  # as the Web API does with what is empty
        return Reply.of_json({"response": body} if wrapped else {"success": 1, **body})

    def in_order(self) -> list[Seed]:
        return sorted(self.seeds, key=lambda seed: (self.updated(seed), seed.number), reverse=True)

    def updated(self, seed: Seed) -> datetime:
        return self.edited.get(seed.number, seed.at)

    def language(self, seed: Seed) -> str:
        return self.spoken.get(seed.number, "english")

    def token(self, seed: Seed) -> str:
        """The place behind a seed; with signs that an address must not hold as they are."""
        return f"+{int(self.updated(seed).timestamp())}/{seed.number}="

    def review(self, seed: Seed) -> dict[str, Any]:
        return {
            "recommendationid": self.external_id(seed),
            "author": {"steamid": "76561198014536130", "playtime_forever": 27630, "playtime_at_review": 90},
            "language": self.language(seed),
            "review": seed.text,
            "timestamp_created": "yesterday" if seed.damaged else int(seed.at.timestamp()),
            "timestamp_updated": int(self.updated(seed).timestamp()),
            "voted_up": seed.number % 2 == 0,
            "votes_up": 3,
            "votes_funny": 1,
            "weighted_vote_score": "0.52" if seed.number % 2 else 0.5,
            "comment_count": 2,
            "steam_purchase": True,
        }


class FakeSteamStore(FakeSteam):
    """Answers the store's older ``appreviews``."""

    api: ClassVar[str] = "store"

    def respond(self, request: Request) -> Reply:
        if request.path != f"/appreviews/{APP_ID}" or request.query.get("json") != "1":
            return Reply(b"<html>the store</html>", 404)
        if not self.there:
            return Reply.of_json({"success": 2})
        query = request.query
        return self.page(query["cursor"], int(query["num_per_page"]), [query["language"]], wrapped=False)


def _position(there: list[Seed], cursor: str, updated: Any) -> int:
    """How many stand at or before the place that a cursor names."""
    at, number = cursor.strip("+=").split("/")
    place = (int(at), int(number))
    return sum((int(updated(seed).timestamp()), seed.number) >= place for seed in there)
