"""A fake of Meta's Graph API: listings by path, newest first, with pages by cursor."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from connectors.testing import FakePlatform, Reply, Request, Seed

TOKEN = "EAAB-the-page-token"
SECRET = "the-app-secret"


class FakeGraph(FakePlatform):
    """What is published stands under ``main``; ``elsewhere`` puts seeds under other paths. Subclasses say what an entry is.

    ``changes`` alter a seed's entry before it is told; ``answers`` replace whole answers by path; ``objects`` are read by
    number. The next page's address carries a token, as the true one does."""

    page_size: ClassVar[int] = 100
    main: ClassVar[str]

    def __init__(self) -> None:
        super().__init__()
        self.elsewhere: dict[Seed, str] = {}
        self.changes: dict[int, Callable[[dict[str, Any]], object]] = {}
        self.answers: dict[str, Reply] = {}
        self.objects: dict[str, Mapping[str, Any]] = {}
        self.next_host: str | None = None

    def secrets(self) -> tuple[str, ...]:
        return (TOKEN, SECRET)

    @property
    def paths(self) -> list[str]:
        return [request.path for request in self.loopback.requests]

    def put(self, seeds: Sequence[Seed], path: str) -> Sequence[Seed]:
        self.elsewhere |= dict.fromkeys(seeds, path)
        return seeds

    def path_of(self, seed: Seed) -> str:
        return self.elsewhere.get(seed, self.main)

    def entry(self, seed: Seed) -> dict[str, Any]:
        raise NotImplementedError

    def respond(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return refused(190)
        if request.path in self.answers:
            return self.answers[request.path]
        if request.path in self.objects:
            return Reply.of_json(self.objects[request.path])
        seeds = [seed for seed in self.newest_first() if self.path_of(seed) == request.path]
        since = int(request.query.get("since", 0))
        shown = [seed for seed in seeds if seed.at.timestamp() >= since]
        size, start = int(request.query.get("limit", 25)), int(request.query.get("after", "c0")[1:])
        start = 0 if self.repeat_last_page else start
        data = [self.told(seed) for seed in shown[start : start + size]]
        return Reply.of_json({"data": data, **self._paging(request.path, start + size, len(shown))})

    def told(self, seed: Seed) -> dict[str, Any]:
        entry = self.entry(seed)
        change = self.changes.get(seed.number)
        if change is not None:
            change(entry)
        return entry

    def _paging(self, path: str, end: int, count: int) -> dict[str, Any]:
        if end >= count:
            return {}
        host = self.next_host or self.base_url
        address = f"{host}{path}?access_token={TOKEN}&limit=5&after=c{end}"
        return {"paging": {"cursors": {"after": f"c{end}"}, "next": address}}


def refused(code: int, status: int = 400, **headers: str) -> Reply:
    error = {"message": "no", "type": "OAuthException", "code": code}
    return Reply.of_json({"error": error}, status, {name.replace("_", "-"): value for name, value in headers.items()})
