"""A fake of GitHub's REST and GraphQL APIs: one repository, and a search over it."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from connectors.testing import FakePlatform, Reply, Request, Seed

PLACE = "acme/app"
SITE = f"https://github.com/{PLACE}"
COMMENTS_FROM = 900_000_000
STARS = 1234
_NUMBERED = re.compile(
    r'(n\d+): repository\(owner: "(.*?)", name: "(.*?)"\) { found: (issueOrPullRequest|discussion)\(number: (\d+)\)'
)


class FakeGitHub(FakePlatform):
    """Issues (odd numbers) and comments on issue 1 (even numbers) of one repository, beside pull requests nobody wants."""

    def __init__(self) -> None:
        super().__init__()
        self.pull_requests: list[datetime] = []
        self.missing: set[str] = set()
        self.gone: set[int] = set()

    def options(self) -> dict[str, Any]:
        return {"repositories": [PLACE]}

    def external_id(self, seed: Seed) -> str:
        return f"{PLACE}#1/comment/{COMMENTS_FROM + seed.number}" if self._comments(seed) else f"{PLACE}#{seed.number}"

    def take_down(self, seed: Seed) -> None:
        self.gone.add(seed.number)

    def respond(self, request: Request) -> Reply:
        if request.path == "/graphql":
            return self.numbered(json.loads(request.body)["query"])
        if request.path == f"/repos/{PLACE}/issues":
            return self._listing(request, [*self._issues(), *self._pulls()])
        if request.path == f"/repos/{PLACE}/issues/comments":
            rows = [self.comment(seed) for seed in self.seeds if self._comments(seed)]
            return self._listing(request, [*rows, *map(self._comment_on_pull, self.pull_requests)])
        if request.path == f"/repos/{PLACE}":
            return _json(request, {"full_name": PLACE, "stargazers_count": STARS})
        return Reply.of_json({"message": "Not Found"}, 404)

    def numbered(self, query: str) -> Reply:
        """The counts of issues and discussions that are asked for by number."""
        there = {self.external_id(seed): seed for seed in self.seeds if seed.number not in self.gone}
        data: dict[str, Any] = {}
        errors = []
        for key, owner, name, what, number in _NUMBERED.findall(query):
            place = f"{owner}/{name}"
            seed = there.get(f"{place}{'#' if what == 'issueOrPullRequest' else '/discussion/'}{number}")
            data[key] = {"found": None if seed is None else self.counts(seed)}
            if seed is None:
                errors.append({"type": "NOT_FOUND", "path": [key, "found"], "message": "Could not resolve"})
        return Reply.of_json({"data": data, **({"errors": errors} if errors else {})})

    def counts(self, seed: Seed) -> dict[str, Any]:
        likes = 2 + self.more_likes[seed.number]
        return {"reactions": {"totalCount": likes}, "comments": {"totalCount": 3}}

    def _comments(self, seed: Seed) -> bool:
        return seed.number % 2 == 0

    def _issues(self) -> list[dict[str, Any]]:
        return [self.issue(seed) for seed in self.seeds if not self._comments(seed)]

    def issue(self, seed: Seed) -> dict[str, Any]:
        return _written(seed.at, seed.number) | {
            "number": seed.number,
            "title": None if seed.damaged else f"Issue {seed.number}",
            "created_at": "yesterday" if seed.damaged else _iso(seed.at),
            "body_text": seed.text,
            "html_url": f"{SITE}/issues/{seed.number}",
            "url": f"https://api.github.com/repos/{PLACE}/issues/{seed.number}",
            "comments": 3,
            "state": "open",
            "state_reason": None,
            "labels": [{"name": "bug"}, {"name": "help wanted"}],
        }

    def comment(self, seed: Seed) -> dict[str, Any]:
        return _written(seed.at, COMMENTS_FROM + seed.number) | {
            "body_text": seed.text,
            "created_at": None if seed.damaged else _iso(seed.at),
            "html_url": f"{SITE}/issues/1#issuecomment-{COMMENTS_FROM + seed.number}",
            "issue_url": f"https://api.github.com/repos/{PLACE}/issues/1",
        }

    def _pulls(self) -> list[dict[str, Any]]:
        return [
            self.issue(Seed(100_000 + n, at, "a pull request"))
            | {"pull_request": {"html_url": f"{SITE}/pull/{100_000 + n}"}, "html_url": f"{SITE}/pull/{100_000 + n}"}
            for n, at in enumerate(self.pull_requests)
        ]

    def _comment_on_pull(self, at: datetime) -> dict[str, Any]:
        return self.comment(Seed(2, at, "on a pull request")) | {
            "html_url": f"{SITE}/pull/100000#issuecomment-1",
            "id": 1,
        }

    def _listing(self, request: Request, rows: list[dict[str, Any]]) -> Reply:
        assert request.query["sort"] == "updated"
        assert request.query["direction"] == "asc"
        return self._page(request, rows, request.query["since"], lambda page: page)

    def _page(self, request: Request, rows: list[dict[str, Any]], since: str, shape: Any) -> Reply:
        """One page of what changed since then, oldest change first."""
        changed = sorted((row for row in rows if row["updated_at"] >= since), key=lambda row: row["updated_at"])
        size, page = int(request.query["per_page"]), int(request.query.get("page", 1))
        start = 0 if self.repeat_last_page else (page - 1) * size
        more = len(changed) > start + size or self.repeat_last_page
        onward = urlencode({**request.query, "page": page + 1})
        link = {"Link": f'<{self.base_url}{request.path}?{onward}>; rel="next"'} if more else {}
        return _json(request, shape(changed[start : start + size]), link)


class FakeGitHubSearch(FakeGitHub):
    """The search over all of GitHub: every seed is an issue; at most 1,000 results a query."""

    def options(self) -> dict[str, Any]:
        return {"token": "ghp_a-secret-token", "pull_requests": True}

    def secrets(self) -> tuple[str, ...]:
        return ("ghp_a-secret-token",)

    def _comments(self, seed: Seed) -> bool:
        return False

    def respond(self, request: Request) -> Reply:
        if request.path != "/search/issues":
            return super().respond(request)
        asked = re.fullmatch(r"(.*) (is:issue|is:pull-request)(?: updated:>=(\S+))?", request.query["q"])
        if not asked:
            return Reply.of_json({"message": "Query must include 'is:issue' or 'is:pull-request'"}, 422)
        rows = self._issues() if asked[2] == "is:issue" else self._pulls()
        return self._found(request, rows, asked[3] or "")

    def _found(self, request: Request, rows: list[dict[str, Any]], since: str) -> Reply:
        found = sorted((row for row in rows if row["updated_at"] >= since), key=lambda row: row["updated_at"])
        if int(request.query.get("page", 1)) * int(request.query["per_page"]) > 1000:
            return Reply.of_json({"message": "Only the first 1000 search results are available"}, 422)

        def shape(page: list[dict[str, Any]]) -> dict[str, Any]:
            return {"total_count": len(found), "incomplete_results": False, "items": page}

        return self._page(request, found[:1000], since, shape)


class FakeGitHubDiscussions(FakeGitHub):
    """GraphQL: every third seed is a discussion, the others are comments on the one before and replies to them."""

    def options(self) -> dict[str, Any]:
        return {"repositories": [PLACE], "kinds": ["discussions"], "token": "ghp_a-secret-token"}

    def secrets(self) -> tuple[str, ...]:
        return ("ghp_a-secret-token",)

    def external_id(self, seed: Seed) -> str:
        number = (seed.number + 2) // 3
        thread = f"{PLACE}/discussion/{number}"
        return thread if seed.number % 3 == 1 else f"{thread}/comment/{COMMENTS_FROM + seed.number}"

    def can_be_read_again(self, seed: Seed) -> bool:
        return seed.number % 3 == 1

    def respond(self, request: Request) -> Reply:
        if request.path != "/graphql":
            return super().respond(request)
        asked = json.loads(request.body)
        if request.headers.get("authorization") != "Bearer ghp_a-secret-token":
            return Reply.of_json({"message": "Bad credentials"}, 401)
        variables = asked["variables"]
        if not variables:
            return self.numbered(asked["query"])
        if (variables["owner"], variables["name"]) != tuple(PLACE.split("/")):
            missing = {"type": "NOT_FOUND", "path": ["repository"], "message": "Could not resolve"}
            return Reply.of_json({"data": {"repository": None}, "errors": [missing]})
        if "before" in variables:
            node = self._discussion(variables["number"], before=int(variables["before"]))
            return Reply.of_json({"data": {"repository": {"discussion": node}}})
        return self._latest(variables["after"])

    def counts(self, seed: Seed) -> dict[str, Any]:
        return super().counts(seed) | {
            "comments": {"totalCount": min(1, len(self._seeds_of((seed.number + 2) // 3)) - 1)}
        }

    def _latest(self, after: str | None) -> Reply:
        numbers = sorted({(seed.number + 2) // 3 for seed in self.seeds}, key=self._changed, reverse=True)
        start = next((i for i, n in enumerate(numbers) if self._place(n) < after), len(numbers)) if after else 0
        start = 0 if self.repeat_last_page else start
        page = numbers[start : start + 10]
        info = {
            "hasNextPage": len(numbers) > start + 10 or self.repeat_last_page,
            "endCursor": self._place(page[-1]) if page else None,
        }
        nodes = [self._discussion(number) for number in page]
        return Reply.of_json({"data": {"repository": {"discussions": {"pageInfo": info, "nodes": nodes}}}})

    def _changed(self, number: int) -> tuple[datetime, int]:
        return max(seed.at for seed in self._seeds_of(number)), number

    def _place(self, number: int) -> str:
        at, number = self._changed(number)
        return f"{_iso(at)} {number:09}"

    def _seeds_of(self, number: int) -> list[Seed]:
        return [seed for seed in self.seeds if (seed.number + 2) // 3 == number]

    def _discussion(self, number: int, before: int | None = None) -> dict[str, Any]:
        opening, *rest = self._seeds_of(number)
        comments = (
            [self._node(rest[0]) | {"replies": _connection([self._node(seed) for seed in rest[1:]])}] if rest else []
        )
        return self._node(opening) | {
            "number": number,
            "title": 7 if opening.damaged else f"Discussion {number}",
            "closed": False,
            "isAnswered": None,
            "category": {"name": "Ideas"},
            "updatedAt": _iso(self._changed(number)[0]),
            "comments": _connection(comments if before is None else []),
        }

    def _node(self, seed: Seed) -> dict[str, Any]:
        return {
            "databaseId": COMMENTS_FROM + seed.number,
            "author": {"__typename": "User", "login": "someone"},
            "authorAssociation": "NONE",
            "bodyText": seed.text,
            "url": f"{SITE}/discussions/1",
            "createdAt": "yesterday" if seed.damaged else _iso(seed.at),
            "updatedAt": _iso(seed.at),
            "lastEditedAt": None,
            "reactions": {"totalCount": 2},
        }


def _connection(nodes: list[dict[str, Any]]) -> dict[str, Any]:
    info = {"hasPreviousPage": False, "startCursor": None}
    return {"totalCount": len(nodes), "pageInfo": info, "nodes": nodes}


def _written(at: datetime, number: int) -> dict[str, Any]:
    return {
        "id": number,
        "user": {"login": "someone", "id": 7, "type": "User"},
        "author_association": "NONE",
        "created_at": _iso(at),
        "updated_at": _iso(at),
        "reactions": {"total_count": 2, "+1": 1, "heart": 1},
    }


def _iso(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(request: Request, data: Any, headers: dict[str, str] | None = None) -> Reply:
    etag = f'W/"{hashlib.sha256(json.dumps(data).encode()).hexdigest()}"'
    if request.headers.get("if-none-match") == etag:
        return Reply(b"", 304, {"ETag": etag})
    return Reply.of_json(data, headers={"ETag": etag, **(headers or {})})
