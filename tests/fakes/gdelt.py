"""A fake of GDELT's DOC API: the newest 250 articles of a time window, and refusals in plain words with status 200."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from connectors.testing import FakePlatform, Reply, Request, Seed


class FakeGdelt(FakePlatform):
    """``says``: answer this in plain text instead."""

    def __init__(self) -> None:
        super().__init__()
        self.says: str | None = None

    def options(self) -> Mapping[str, Any]:
        return {"pause_seconds": 0}

    def external_id(self, seed: Seed) -> str:
        return f"https://news.example/{seed.number}"

    def respond(self, request: Request) -> Reply:
        if request.path != "/api/v2/doc/doc":
            return Reply(b"not found", 404)
        if self.says is not None:
            return Reply(self.says.encode(), 200, {"Content-Type": "text/html; charset=utf-8"})
        low, high = (_moment(request.query[name]) for name in ("startdatetime", "enddatetime"))
        found = [seed for seed in self.newest_first() if low <= seed.at <= high][: int(request.query["maxrecords"])]
        return Reply.of_json({"articles": [self._article(seed) for seed in found]} if found else {})

    def _article(self, seed: Seed) -> dict[str, Any]:
        return {
            "url": self.external_id(seed),
            "url_mobile": "",
            "title": seed.text,
            "seendate": "yesterday" if seed.damaged else seed.at.strftime("%Y%m%dT%H%M%SZ"),
            "socialimage": "",
            "domain": "news.example",
            "language": "English",
            "sourcecountry": "United States",
        }


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
