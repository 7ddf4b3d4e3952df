"""A fake of the Stack Exchange API: one site's questions and answers, packed by gzip always."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from typing import Any

from connectors.testing import FakePlatform, Reply, Request, Seed

FIRST = 79_000_000
SITE = "stackoverflow"


class FakeStackExchange(FakePlatform):
    """Odd seeds are questions, even ones answers to the one before; asked by a search that tells excerpts."""

    def __init__(self) -> None:
        super().__init__()
        self.backoff: dict[str, int] = {}
        self.quota_remaining = 291
        self.gone: set[int] = set()

    def options(self) -> dict[str, Any]:
        return {"key": "a-secret-key"}

    def secrets(self) -> tuple[str, ...]:
        return ("a-secret-key",)

    def external_id(self, seed: Seed) -> str:
        return f"{SITE}/{'aq'[seed.number % 2]}/{FIRST + seed.number}"

    def respond(self, request: Request) -> Reply:
        parts = request.path.strip("/").split("/")
        if request.query.get("site") != SITE:
            return self.refuse(400, "bad_parameter", f"No site found for name `{request.query.get('site')}`")
        if parts[0] in ("search", "questions") and len(parts) == (2 if parts[0] == "search" else 1):
            return self._listing(request, parts)
        numbers = {int(number) for number in parts[1].split(";")}
        assert len(numbers) <= 100
        return self._by_number(request, parts, numbers)

    def refuse(self, number: int, name: str, message: str) -> Reply:
        body = {"error_id": number, "error_name": name, "error_message": message}
        return Reply(gzip.compress(json.dumps(body).encode()), 400, _PACKED)

    def answer(self, request: Request, rows: Sequence[Any], method: str) -> Reply:
        """A page of these, with what is to be heeded."""
        size, page = int(request.query["pagesize"]), int(request.query.get("page", 1))
        start = 0 if self.repeat_last_page else (page - 1) * size
        body: dict[str, Any] = {"items": list(rows[start : start + size]), "quota_max": 300}
        body |= {"has_more": len(rows) > start + size or self.repeat_last_page, "quota_remaining": self.quota_remaining}
        if method in self.backoff:
            body["backoff"] = self.backoff[method]
        return Reply(gzip.compress(json.dumps(body).encode()), 200, _PACKED)

    def take_down(self, seed: Seed) -> None:
        self.gone.add(seed.number)

    def there(self) -> list[Seed]:
        return [seed for seed in self.seeds if seed.number not in self.gone]

    def questions(self) -> list[Seed]:
        return [seed for seed in self.there() if seed.number % 2]

    def answers(self) -> list[Seed]:
        return [seed for seed in self.there() if not seed.number % 2]

    def _listing(self, request: Request, parts: list[str]) -> Reply:
        method = "/".join(parts)
        if method == "search/excerpts":
            rows = [self.excerpt(seed) for seed in self.there()]
        else:
            rows = [self.question(seed) for seed in self.questions()]
        return self.answer(request, self._within(request, rows), method)

    def _by_number(self, request: Request, parts: list[str], numbers: set[int]) -> Reply:
        if parts[2:] == ["answers"]:
            rows = [self.answer_row(seed) for seed in self.answers() if FIRST + seed.number - 1 in numbers]
            return self.answer(request, self._within(request, rows), "questions/{ids}/answers")
        posts, row = (self.questions(), self.question) if parts[0] == "questions" else (self.answers(), self.answer_row)
        rows = [row(seed) for seed in posts if FIRST + seed.number in numbers]
        return self.answer(request, rows, f"{parts[0]}/{{ids}}")

    def _within(self, request: Request, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        assert (request.query["sort"], request.query["order"]) == ("activity", "desc")
        low, high = int(request.query.get("min", 0)), int(request.query.get("max", 10**12))
        rows = [row for row in rows if low <= row["last_activity_date"] <= high]
        return sorted(rows, key=lambda row: row["last_activity_date"], reverse=True)

    def question(self, seed: Seed) -> dict[str, Any]:
        replies = [other.at for other in self.seeds[seed.number : seed.number + 1]]
        return self._post(seed) | {
            "question_id": FIRST + seed.number,
            "title": f"Why &quot;slow&quot; {seed.number}?",
            "tags": ["acme", "python"],
            "last_activity_date": int(max([seed.at, *replies]).timestamp()),
            "answer_count": len(replies),
            "view_count": 910,
            "is_answered": False,
            "link": f"https://stackoverflow.com/questions/{FIRST + seed.number}/why",
        }

    def answer_row(self, seed: Seed) -> dict[str, Any]:
        return self._post(seed) | {
            "answer_id": FIRST + seed.number,
            "question_id": FIRST + seed.number - 1,
            "is_accepted": True,
        }

    def _post(self, seed: Seed) -> dict[str, Any]:
        return {
            "owner": {"user_id": 22, "user_type": "registered", "display_name": "Ana &amp; Co", "reputation": 4521},
            "score": -3 + self.more_likes[seed.number],
            "creation_date": "yesterday" if seed.damaged else int(seed.at.timestamp()),
            "last_activity_date": int(seed.at.timestamp()),
            "content_license": "CC BY-SA 4.0",
            "body": f"<p>{seed.text}</p>",
        }

    def excerpt(self, seed: Seed) -> dict[str, Any]:
        is_answer = not seed.number % 2
        question = FIRST + seed.number - (1 if is_answer else 0)
        return {
            "item_type": "answer" if is_answer else "question",
            **({"answer_id": FIRST + seed.number} if is_answer else {}),
            "question_id": question,
            "title": f"Why &quot;slow&quot; {question - FIRST}?",
            "score": -3 + self.more_likes[seed.number],
            "creation_date": int(seed.at.timestamp()),
            "last_activity_date": int(seed.at.timestamp()),
            "excerpt": '&hellip;<span class="highlight">acme</span> &hellip;',
        }


class FakeTagged(FakeStackExchange):
    """The same, asked for all under a tag."""

    def options(self) -> dict[str, Any]:
        return {"tagged": ["acme"]}

    def secrets(self) -> tuple[str, ...]:
        return ()


class FakeQuestions(FakeStackExchange):
    """Every seed is a question, asked by a search for questions only."""

    def options(self) -> dict[str, Any]:
        return {"answers": False}

    def secrets(self) -> tuple[str, ...]:
        return ()

    def external_id(self, seed: Seed) -> str:
        return f"{SITE}/q/{FIRST + seed.number}"

    def questions(self) -> list[Seed]:
        return self.there()

    def question(self, seed: Seed) -> dict[str, Any]:
        return super().question(seed) | {"last_activity_date": int(seed.at.timestamp())}


_PACKED = {"Content-Type": "application/json; charset=utf-8", "Content-Encoding": "gzip"}
