"""A source as the daemon drives it, for the suite and for a connector's further tests."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from threading import Event
from typing import Any, ClassVar

import pytest

from connectors.contract import (
    Connector,
    Context,
    Cursor,
    Item,
    Kind,
    Page,
    Plugin,
    RequestBudget,
    Unlimited,
)
from connectors.errors import RateLimited
from connectors.http import HttpClient
from connectors.testing.platform import NOW, FakePlatform
from connectors.testing.telling import dated

SINCE = NOW - timedelta(days=30)
PULLS_AT_MOST = 60
PAGES_AT_MOST = 200
READ_SECONDS = 20.0
TOTAL_SECONDS = 60.0
"""A machine may have better to do than to run these checks."""
HANG_SECONDS = 0.4
"""How long is waited for a platform of which it is known that it does not answer."""


@dataclass(frozen=True)
class Case:
    """One connector's entry in the suite.

    ``not_applicable``: checks that make no sense for this platform, each with its reason in a sentence; they are shown as
    such in the table. ``late_by``: how old an item may be when it first appears and must still be found. ``many``: how many
    items make several pages.
    """

    plugin: Plugin[Any]
    fake: Callable[[], FakePlatform]
    many: int = 250
    late_by: timedelta = timedelta(minutes=30)
    kind: Kind = Kind.MENTION
    not_applicable: Mapping[str, str] = field(default_factory=dict)


class Checks:
    """What the parts of the suite share."""

    case: ClassVar[Case]

    def applies(self, check: str) -> bool:
        return check not in self.case.not_applicable


class LimitedBudget:
    """Allows ``requests`` requests, then says so."""

    def __init__(self, requests: int) -> None:
        self._left = requests

    def take(self, units: int = 1) -> None:
        if units > self._left:
            raise RateLimited("the request budget is spent", timedelta(seconds=1))
        self._left -= units


class CountingBudget:
    """Allows everything, and counts how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0

    def take(self, units: int = 1) -> None:
        self.asked += 1


class Pulls:
    """A source as the daemon drives it: pages are stored with their cursor, a pull may be cut off, the next goes on."""

    read_seconds: float = READ_SECONDS
    total_seconds: float = TOTAL_SECONDS

    def __init__(self, case: Case, fake: FakePlatform) -> None:
        self.case, self.fake = case, fake
        self.cursor: Cursor | None = None
        self.stored: dict[str, Item] = {}
        self.pages: list[Page] = []
        self.now = NOW

    @contextmanager
    def impatient(self) -> Iterator[None]:
        """Within it a platform that does not answer is soon given up."""
        patient = self.read_seconds, self.total_seconds
        self.read_seconds, self.total_seconds = HANG_SECONDS, 5 * HANG_SECONDS
        try:
            yield
        finally:
            self.read_seconds, self.total_seconds = patient

    def open(self, budget: RequestBudget | None = None) -> Connector:
        options = self.case.plugin.options.model_validate(
            {"base_url": self.fake.base_url, **self.fake.options()}, strict=False
        )
        return self.case.plugin.open(options, self.context(budget or Unlimited()))

    def context(self, budget: RequestBudget) -> Context:
        stop = Event()
        http = HttpClient(
            budget=budget,
            stop=stop,
            now=lambda: self.now,
            trusted=frozenset({"127.0.0.1"}),
            read_seconds=self.read_seconds,
            total_seconds=self.total_seconds,
        )
        return Context(("acme",), lambda: self.now, stop, http, logging.getLogger("connectors.test"), budget)

    def pull(self, *, pages: int = PAGES_AT_MOST, budget: RequestBudget | None = None) -> list[Item]:
        """Fetch at most ``pages`` pages, storing each with its cursor; the items that came."""
        connector = self.open(budget)
        brought: list[Item] = []
        try:
            for page in islice(connector.fetch(self.cursor, SINCE), pages):
                self._store(page)
                brought.extend(page.items)
        finally:
            connector.close()
        return brought

    def _store(self, page: Page) -> None:
        self.pages.append(page)
        self.stored.update((item.external_id, item) for item in page.items)
        if page.cursor is not None:
            self.cursor = _through_json(page.cursor)

    def until_settled(self, step: Callable[[], object]) -> None:
        """Repeat an interrupted pull until everything is stored, or fail."""
        for _ in range(PULLS_AT_MOST):
            step()
            if self.fake.expected() <= set(self.stored):
                return
        missing = self.fake.expected() - set(self.stored)
        lines = (
            "A pull that is cut off is taken up where it ended: give a cursor with every page (connectors.walk does).",
            f"{len(missing)} of {len(self.fake.expected())} items never came in {PULLS_AT_MOST} pulls: "
            f"{dated(missing, self.fake)}",
            f"last cursor: {self.cursor!r}",
        )
        pytest.fail("\n".join(lines), pytrace=False)


def _through_json(cursor: Cursor) -> Cursor:
    """The cursor as the store gives it back."""
    try:
        back: Cursor = json.loads(json.dumps(cursor))
    except (TypeError, ValueError) as error:
        pytest.fail(f"a cursor must survive JSON, this one does not ({error}): {cursor!r}", pytrace=False)
    return back
