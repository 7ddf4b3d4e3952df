"""A fake of a Mastodon server: hashtags, search, accounts and statuses."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from connectors.mastodon_walk import id_at
from connectors.testing import FakePlatform, Reply, Request, Seed

TOKEN = "the-token-of-the-app"
HOST = "fedi.example"
OWN_ID = 77
UNKNOWN = Reply.of_json({"error": "Record not found"}, 404)
LIMITS = {"X-RateLimit-Limit": "300", "X-RateLimit-Remaining": "299", "X-RateLimit-Reset": "2026-11-01T12:05:00.0Z"}


class FakeMastodon(FakePlatform):
    """Everything published carries ``#acme``; ``gone`` seeds are in no answer any more.

    ``changes`` alters a seed's status before it is told; ``answers`` replace whole answers by path.
    """

    page_size: ClassVar[int] = 40

    def __init__(self) -> None:
        super().__init__()
        self.gone: set[Seed] = set()
        self.changes: dict[int, Callable[[dict[str, Any]], object]] = {}
        self.answers: dict[str, Reply] = {}
        self.limits: Mapping[str, str] = LIMITS
        self.gives_many = True
        self.token: str | None = None

    def options(self) -> Mapping[str, Any]:
        return {"server": f"https://{HOST}"}

    def external_id(self, seed: Seed) -> str:
        return f"{HOST}/{number_of(seed)}"

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.loopback.requests]

    def take_down(self, seed: Seed) -> None:
        self.gone.add(seed)

    def respond(self, request: Request) -> Reply:
        if request.path in self.answers:
            return self.answers[request.path]
        if self.token is not None and request.headers.get("authorization") != f"Bearer {self.token}":
            return Reply.of_json({"error": "The access token is invalid"}, 401)
        data = self._data(request)
        return UNKNOWN if data is None else Reply.of_json(data, headers=self.limits)

    def _data(self, request: Request) -> Any:
        parts = request.path.removeprefix("/api/").split("/")
        match parts:
            case ["v1", "timelines", "tag", "acme"]:
                return self._forward(self._alive(), request.query)
            case ["v1", "timelines", "tag", _]:
                return []
            case ["v2", "search"]:
                return {"accounts": [], "hashtags": [], "statuses": self._found(request.query)}
            case ["v1", "accounts", "lookup"]:
                return self.account() if request.query["acct"] == "acme" else None
            case ["v1", "accounts", number, "statuses"] if number == str(OWN_ID):
                return [entry | {"account": self.account()} for entry in self._forward(self._alive(), request.query)]
            case ["v1", "statuses"] if self.gives_many:
                wanted = [value for name, value in request.pairs if name == "id[]"]
                return [self.status(seed) for seed in self._alive() if str(number_of(seed)) in wanted]
            case ["v1", "statuses", number]:
                return next((self.status(seed) for seed in self._alive() if str(number_of(seed)) == number), None)
        return None

    def _alive(self) -> list[Seed]:
        return [seed for seed in sorted(self.seeds, key=number_of, reverse=True) if seed not in self.gone]

    def _forward(self, newest_first: Sequence[Seed], query: Mapping[str, str]) -> list[dict[str, Any]]:
        """The page that follows upon ``min_id``, newest first."""
        above = 0 if self.repeat_last_page else int(query.get("min_id", 0))
        following = [seed for seed in newest_first if number_of(seed) > above]
        return [self.status(seed) for seed in following[-min(int(query["limit"]), self.page_size) :]]

    def _found(self, query: Mapping[str, str]) -> list[dict[str, Any]]:
        """As Mastodon does it: the bounds become whole seconds, and these are left out."""
        below, above = (_second(query[name]) if name in query else None for name in ("max_id", "min_id"))
        seeds = [
            seed
            for seed in self._alive()
            if query["q"].strip('"') in seed.text
            and (below is None or seed.at.timestamp() < below)
            and (above is None or seed.at.timestamp() > above)
        ]
        start = 0 if self.repeat_last_page else int(query.get("offset", 0))
        return [self.status(seed) for seed in seeds[start : start + int(query["limit"])]]

    def account(self) -> dict[str, Any]:
        """The brand's own account."""
        return {"id": str(OWN_ID), "acct": "acme", "display_name": "Acme", "followers_count": 4321, "noindex": True}

    def status(self, seed: Seed) -> dict[str, Any]:
        local = seed.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        told: dict[str, Any] = {
            "id": str(number_of(seed)),
            "created_at": "yesterday" if seed.damaged else local,
            "edited_at": None,
            "in_reply_to_id": None,
            "sensitive": False,
            "spoiler_text": "",
            "visibility": "public",
            "language": "en",
            "uri": f"https://far.example/users/ada/statuses/{seed.number}",
            "url": f"https://far.example/@ada/{seed.number}",
            "content": f"<p>{seed.text.replace('&', '&amp;')}</p>",
            "reblog": None,
            "replies_count": 1,
            "reblogs_count": 2,
            "favourites_count": 3 + self.more_likes[seed.number],
            "account": {
                "id": "5",
                "acct": "ada@far.example",
                "display_name": "Ada",
                "followers_count": 12,
                "noindex": False,
                "indexable": True,
                "bot": False,
            },
        }
        self.changes.get(seed.number, lambda _status: None)(told)
        return told


class FakeMastodonSearch(FakeMastodon):
    """Finds what is published by full text, for who has a token."""

    def __init__(self) -> None:
        super().__init__()
        self.token = TOKEN

    def options(self) -> Mapping[str, Any]:
        return {**super().options(), "hashtags": [], "access_token": TOKEN}

    def secrets(self) -> tuple[str, ...]:
        return (TOKEN,)


class FakeMastodonAccount(FakeMastodon):
    """Everything published is the brand's own."""

    def options(self) -> Mapping[str, Any]:
        return {**super().options(), "hashtags": [], "accounts": ["acme"]}


def number_of(seed: Seed) -> int:
    """An id as Mastodon makes them: of the time, and a number that tells apart."""
    return id_at(seed.at.timestamp()) + seed.number


def _second(number: str) -> float:
    return float((int(number) >> 16) // 1000)
