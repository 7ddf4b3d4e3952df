"""A fake of a platform that lists what was published as JSON, newest first: for most platforms a few lines are enough.

::

    class FakeBurrow(FakeListing):
        path = "/api/notes"
        items_in = "notes"
        vital = "written"
        paging = ByNumber("page", "per_page")
        bounds = Between(since="from", until="to")
        bearer = "burrow-key"

        def item(self, seed):
            return {"id": f"n{seed.number}", "body": seed.text, "written": int(seed.at.timestamp())}

        def external_id(self, seed):
            return f"n{seed.number}"
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol

from connectors.testing.loopback import Reply, Request
from connectors.testing.platform import FakePlatform, Seed


@dataclass(frozen=True, slots=True)
class Leaf:
    """One page of a listing: what is on it, and what else the answer says (how to go on)."""

    seeds: Sequence[Seed]
    more: Mapping[str, Any]


class Paging(Protocol):
    def leaf(self, request: Request, seeds: Sequence[Seed], usual: int, *, repeats: bool) -> Leaf:
        """The page asked for; ``usual`` items where the request names no size; ``repeats``: a platform stuck on a page."""
        ...


@dataclass(frozen=True, slots=True)
class ByNumber:
    """``?page=2&per_page=50``. ``size=None``: the size is the platform's own; ``first`` is the number of the first page."""

    page: str = "page"
    size: str | None = "per_page"
    first: int = 1

    def leaf(self, request: Request, seeds: Sequence[Seed], usual: int, *, repeats: bool) -> Leaf:
        size = _size(request, self.size, usual)
        number = self.first if repeats else int(request.query.get(self.page, self.first))
        start = (number - self.first) * size
        return Leaf(seeds[start : start + size], {})


@dataclass(frozen=True, slots=True)
class ByOffset:
    """``?offset=50&limit=50``."""

    offset: str = "offset"
    size: str | None = "limit"

    def leaf(self, request: Request, seeds: Sequence[Seed], usual: int, *, repeats: bool) -> Leaf:
        size = _size(request, self.size, usual)
        start = 0 if repeats else int(request.query.get(self.offset, 0))
        return Leaf(seeds[start : start + size], {})


@dataclass(frozen=True, slots=True)
class ByToken:
    """``?cursor=TOKEN``, the next token in the answer under ``next_in``, ``null`` at the end."""

    token: str = "cursor"
    size: str | None = "limit"
    next_in: str = "next"

    def leaf(self, request: Request, seeds: Sequence[Seed], usual: int, *, repeats: bool) -> Leaf:
        size = _size(request, self.size, usual)
        given = request.query.get(self.token, "")
        start = int(given.removeprefix("token-") or 0)
        onward = f"token-{start + size}" if start + size < len(seeds) else None
        if repeats and onward is None:
            onward = given or "token-0"
        return Leaf(seeds[start : start + size], {self.next_in: onward})


@dataclass(frozen=True, slots=True)
class Between:
    """Bounds in time that a request may name, ends included: as whole seconds since 1970, or as ISO times."""

    since: str = "since"
    until: str = "until"

    def holds(self, request: Request, seed: Seed) -> bool:
        at = int(seed.at.timestamp())
        low, high = (_seconds(request.query.get(name)) for name in (self.since, self.until))
        return (low is None or at >= low) and (high is None or at <= high)


Route = Callable[[Request, Mapping[str, str]], Reply]
"""Answers a request; the mapping holds what the braces in its path stand for."""


class FakeListing(FakePlatform):
    """Lists its items at ``path``. To be written: :meth:`item` and ``external_id``; the rest has defaults.

    ``items_in``: the answer's key that holds the items (``None``: the answer is the list itself); ``vital``: the field without
    which an item makes no sense, which :meth:`FakePlatform.damage` spoils; ``paging`` and ``bounds``: how the
    listing is asked for; ``bearer``: the key that every request must carry (``Authorization: Bearer ...``), else 401.
    """

    path: ClassVar[str] = "/items"
    items_in: ClassVar[str | None] = "items"
    vital: ClassVar[str] = "id"
    page_size: ClassVar[int] = 50
    paging: ClassVar[Paging] = ByNumber()
    bounds: ClassVar[Between | None] = None
    bearer: ClassVar[str | None] = None

    def item(self, seed: Seed) -> Mapping[str, Any]:
        """The item as the platform's JSON has it."""
        raise NotImplementedError(f"{type(self).__name__}.item(seed): give the item as the platform's JSON has it")

    def routes(self) -> Mapping[str, Route]:
        """What is answered where, by path: ``{"/items/{id}": self.one}``. Add to it: ``{**super().routes(), ...}``."""
        return {self.path: self.listing}

    def respond(self, request: Request) -> Reply:
        if self.bearer is not None and request.headers.get("authorization") != f"Bearer {self.bearer}":
            return Reply.of_json({"error": "no valid key"}, 401)
        for path, route in self.routes().items():
            found = re.fullmatch(re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(path)), request.path)
            if found is not None:
                return route(request, found.groupdict())
        return Reply.of_json({"error": "no such address"}, 404)

    def listing(self, request: Request, _named: Mapping[str, str]) -> Reply:
        """A page of the listing."""
        held = [seed for seed in self.newest_first() if self.bounds is None or self.bounds.holds(request, seed)]
        leaf = self.paging.leaf(request, held[: self.ceiling], self.page_size, repeats=self.repeat_last_page)
        shown = [self.shown(seed) for seed in leaf.seeds]
        return Reply.of_json(shown if self.items_in is None else {self.items_in: shown, **leaf.more})

    def shown(self, seed: Seed) -> Mapping[str, Any]:
        """The item, spoiled where it was damaged."""
        return {**self.item(seed), self.vital: None} if seed.damaged else self.item(seed)

    def take_down(self, seed: Seed) -> None:
        self.seeds.remove(seed)

    def likes_of(self, seed: Seed) -> int:
        """How often it is liked: what :meth:`FakePlatform.like` added to one a number."""
        return seed.number + self.more_likes[seed.number]


def _size(request: Request, name: str | None, usual: int) -> int:
    """The size asked for, up to the platform's own."""
    return usual if name is None else max(1, min(int(request.query.get(name, usual)), usual))


def _seconds(bound: str | None) -> float | None:
    if bound is None:
        return None
    try:
        return float(bound)
    except ValueError:
        at = datetime.fromisoformat(bound)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
