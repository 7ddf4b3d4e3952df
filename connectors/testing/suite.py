"""The contract as named checks. Subclass :class:`ContractSuite`, give it a :class:`Case`, and pytest runs them all."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from threading import Event
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from connectors import errors
from connectors.contract import (
    Connector,
    Context,
    CountsFollowers,
    Cursor,
    Item,
    Kind,
    Page,
    Plugin,
    Refreshed,
    Refreshes,
    RequestBudget,
    ShowsStanding,
    Unlimited,
)
from connectors.errors import RateLimited, SourceError
from connectors.http import HttpClient
from connectors.testing.loopback import RETRY_AFTER_SECONDS, Fault
from connectors.testing.platform import NOW, FakePlatform

SINCE = NOW - timedelta(days=30)
PULLS_AT_MOST = 60
PAGES_AT_MOST = 200
READ_SECONDS = 0.4


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
    total_seconds: float = 2.0

    def __init__(self, case: Case, fake: FakePlatform) -> None:
        self.case, self.fake = case, fake
        self.cursor: Cursor | None = None
        self.stored: dict[str, Item] = {}
        self.pages: list[Page] = []
        self.now = NOW

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
            self.cursor = json.loads(json.dumps(page.cursor))

    def until_settled(self, step: Callable[[], object]) -> None:
        """Repeat an interrupted pull until everything is stored, or fail."""
        for _ in range(PULLS_AT_MOST):
            step()
            if self.fake.expected() <= set(self.stored):
                return
        missing = len(self.fake.expected() - set(self.stored))
        pytest.fail(f"{missing} items were never brought in {PULLS_AT_MOST} pulls")


class ContractSuite:
    """The checks. Each is a method ``test_...``; a check listed in ``case.not_applicable`` passes as such."""

    case: ClassVar[Case]

    @pytest.fixture
    def fake(self) -> Iterator[FakePlatform]:
        fake = self.case.fake()
        yield fake
        fake.close()

    @pytest.fixture
    def pulls(self, fake: FakePlatform) -> Pulls:
        return Pulls(self.case, fake)

    def applies(self, check: str) -> bool:
        return check not in self.case.not_applicable

    def test_everything_published_arrives(self, pulls: Pulls, fake: FakePlatform) -> None:
        fake.publish(self.case.many)
        pulls.pull()
        assert set(pulls.stored) == fake.expected()
        assert {item.kind for item in pulls.stored.values()} == {self.case.kind}

    def test_ids_are_unique_and_stable(self, pulls: Pulls, fake: FakePlatform) -> None:
        fake.publish(20)
        first = {item.external_id: item.text for item in pulls.pull()}
        pulls.cursor = None
        second = {item.external_id: item.text for item in pulls.pull()}
        assert first == second
        assert len(first) == 20

    def test_times_are_utc_and_as_published(self, pulls: Pulls, fake: FakePlatform) -> None:
        seeds = {fake.external_id(seed): seed.at for seed in fake.publish(5)}
        pulls.pull()
        assert {key: item.published_at for key, item in pulls.stored.items()} == seeds
        assert all(item.published_at.utcoffset() == timedelta(0) for item in pulls.stored.values())

    def test_texts_arrive_whole(self, pulls: Pulls, fake: FakePlatform) -> None:
        seeds = fake.publish(3)
        pulls.pull()
        for seed in seeds:
            item = pulls.stored[fake.external_id(seed)]
            assert seed.text in f"{item.title or ''}\n{item.text or ''}"

    def test_cursor_survives_json(self, pulls: Pulls, fake: FakePlatform) -> None:
        fake.publish(self.case.many)
        pulls.pull()
        cursors = [page.cursor for page in pulls.pages if page.cursor is not None]
        assert cursors
        assert all(json.loads(json.dumps(cursor)) == _jsonable(cursor) for cursor in cursors)

    def test_stopping_after_any_page_loses_nothing(self, pulls: Pulls, fake: FakePlatform) -> None:
        fake.publish(self.case.many)
        pulls.pull(pages=1)
        fake.publish(3, at=NOW)
        if self.applies("stopping_after_any_page"):
            pulls.until_settled(lambda: pulls.pull(pages=2))
        else:
            pulls.pull()
        assert set(pulls.stored) == fake.expected()

    def test_a_small_budget_a_pull_still_completes(self, pulls: Pulls, fake: FakePlatform) -> None:
        fake.publish(self.case.many)
        if not self.applies("small_budget"):
            pulls.pull()
            assert set(pulls.stored) == fake.expected()
            return

        def limited() -> None:
            try:
                pulls.pull(budget=LimitedBudget(3))
            except RateLimited:
                return

        pulls.until_settled(limited)

    def test_every_request_is_taken_from_the_budget(self, pulls: Pulls, fake: FakePlatform) -> None:
        fake.publish(30)
        budget = CountingBudget()
        pulls.pull(budget=budget)
        connector = pulls.open(budget)
        connector.check()
        _use_capabilities(connector, list(pulls.stored))
        connector.close()
        assert len(fake.loopback.requests) == budget.asked

    def test_a_spent_budget_ends_the_pull_and_loses_nothing(self, pulls: Pulls, fake: FakePlatform) -> None:
        fake.publish(30)
        if self.applies("small_budget"):
            with pytest.raises(RateLimited) as caught:
                pulls.pull(budget=LimitedBudget(0))
            assert caught.value.retry_after == timedelta(seconds=1)
            assert fake.loopback.requests == []
        pulls.pull()
        assert set(pulls.stored) == fake.expected()

    def test_an_idle_second_run_adds_nothing(self, pulls: Pulls, fake: FakePlatform) -> None:
        fake.publish(30)
        pulls.pull()
        before = dict(pulls.stored)
        pulls.pull()
        assert pulls.stored == before

    def test_news_is_found_by_the_next_pull(self, pulls: Pulls, fake: FakePlatform) -> None:
        fake.publish(30)
        pulls.pull()
        fake.publish(4, at=NOW + timedelta(minutes=20), every=timedelta(minutes=2))
        pulls.now = NOW + timedelta(minutes=30)
        pulls.pull()
        assert set(pulls.stored) == fake.expected()

    def test_a_late_item_is_found(self, pulls: Pulls, fake: FakePlatform) -> None:
        fake.publish(30)
        pulls.pull()
        fake.publish(1, at=fake.newest_first()[0].at - self.case.late_by)
        pulls.now = NOW + timedelta(minutes=5)
        pulls.pull()
        assert set(pulls.stored) == fake.expected()

    def test_a_repeated_page_token_ends(self, pulls: Pulls, fake: FakePlatform) -> None:
        fake.publish(self.case.many)
        fake.repeat_last_page = True
        pulls.pull(pages=PAGES_AT_MOST)
        assert len(pulls.pages) < PAGES_AT_MOST

    @pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.HANG], ids=str)
    def test_each_error_maps_to_its_fate(self, pulls: Pulls, fake: FakePlatform, fault: Fault) -> None:
        fake.publish(5)
        expected = fake.faults.get(fault)
        if expected is None:
            assert not self.applies("errors") or f"fault_{fault}" in self.case.not_applicable
            return
        fake.fail(*[fault] * 12)
        with pytest.raises(SourceError) as caught:
            pulls.pull()
        assert type(caught.value) is getattr(errors, expected)
        if isinstance(caught.value, RateLimited):
            assert caught.value.retry_after == timedelta(seconds=RETRY_AFTER_SECONDS)
        fake.loopback.faults.clear()
        pulls.pull()
        assert set(pulls.stored) == fake.expected()

    def test_one_bad_item_is_skipped_and_counted(self, pulls: Pulls, fake: FakePlatform) -> None:
        seeds = fake.publish(10)
        fake.damage(seeds[4])
        pulls.pull()
        assert set(pulls.stored) == fake.expected()
        skipped = [skipped for page in pulls.pages for skipped in page.skipped]
        assert skipped
        assert all(entry.what and entry.why for entry in skipped)
        assert not any(seed.text in f"{entry.what} {entry.why}" for entry in skipped for seed in seeds)

    def test_a_ceiling_gives_a_gap(self, pulls: Pulls, fake: FakePlatform) -> None:
        if fake.ceiling is None:
            fake.publish(self.case.many)
            pulls.pull()
            assert not any(page.gap for page in pulls.pages)
            return
        fake.publish(5, at=NOW - timedelta(days=2))
        pulls.pull()
        fake.publish(fake.ceiling + 40, every=timedelta(seconds=30))
        pulls.pull()
        gaps = [page.gap for page in pulls.pages if page.gap]
        assert gaps
        assert all(gap.reason for gap in gaps)

    def test_an_unknown_option_is_refused(self) -> None:
        with pytest.raises(ValidationError, match="no_such_option"):
            self.case.plugin.options.model_validate({"no_such_option": 1})

    def test_secrets_show_nowhere(self, pulls: Pulls, fake: FakePlatform, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        fake.publish(3)
        shown = [repr(pulls.open()), repr(self.case.plugin.options.model_validate(dict(fake.options())))]
        pulls.pull()
        for fault in fake.faults:
            fake.fail(*[fault] * 12)
            try:
                pulls.pull()
            except SourceError as error:
                shown += [str(error), repr(error)]
            fake.loopback.faults.clear()
        shown += [record.getMessage() for record in caplog.records]
        shown.append(json.dumps(pulls.cursor))
        assert not [secret for secret in fake.secrets() for text in shown if secret in text]

    def test_texts_are_never_logged(self, pulls: Pulls, fake: FakePlatform, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO)
        seeds = fake.publish(3)
        pulls.pull()
        assert not [seed for seed in seeds for record in caplog.records if seed.text in record.getMessage()]

    def test_nothing_hangs_past_its_timeout(self, pulls: Pulls, fake: FakePlatform) -> None:
        fake.publish(3)
        if self.applies("hang"):
            fake.fail(*[Fault.HANG] * 12)
            started = time.monotonic()
            with pytest.raises(errors.Unavailable):
                pulls.pull()
            assert time.monotonic() - started < 15
            fake.loopback.faults.clear()
        pulls.pull()
        assert set(pulls.stored) == fake.expected()

    def test_a_stop_ends_the_pull(self, pulls: Pulls, fake: FakePlatform) -> None:
        fake.publish(self.case.many)
        context = pulls.context(Unlimited())
        options = self.case.plugin.options.model_validate({"base_url": fake.base_url, **fake.options()})
        connector = self.case.plugin.open(options, context)
        pages = connector.fetch(None, SINCE)
        first = next(pages)
        context.stop.set()
        rest: list[Page] = []
        try:
            rest.extend(pages)
        except SourceError:
            pass
        finally:
            connector.close()
        assert first.items or first.cursor is not None or rest
        assert len(rest) <= 2 or not fake.paged

    def test_what_is_read_again_has_its_new_counts_or_is_gone(self, pulls: Pulls, fake: FakePlatform) -> None:
        seeds = fake.publish(8)
        pulls.pull()
        connector = pulls.open()
        assert isinstance(connector, Refreshes) == self.case.plugin.capabilities.refresh
        if not isinstance(connector, Refreshes):
            return
        liked, deleted, *others = [seed for seed in seeds if fake.can_be_read_again(seed)]
        fake.like(liked, 5)
        fake.take_down(deleted)
        names = [fake.external_id(seed) for seed in (liked, deleted, *others)]
        found = {one.external_id: one for one in connector.refresh(["of another platform", *names, "0"])}
        connector.close()
        if not self.applies("refresh"):
            assert found == {}
            return
        self._told_anew(found, names, pulls.stored)

    def _told_anew(self, found: Mapping[str, Refreshed], names: Sequence[str], stored: Mapping[str, Item]) -> None:
        liked, deleted, *others = names
        before = {name: stored[name].counts for name in names}
        assert found[deleted] == Refreshed(deleted, None, gone=True)
        counts = found[liked].counts
        assert counts is not None
        assert counts.likes == (before[liked].likes or 0) + 5
        assert not any(found[name].gone for name in (liked, *others))
        assert all(found[name].counts == before[name] for name in others)

    def test_check_passes_on_a_healthy_platform_and_tells_a_sick_one(self, pulls: Pulls, fake: FakePlatform) -> None:
        fake.publish(1)
        pulls.open().check()
        sick = next((fault for fault in (Fault.BUSY, Fault.RESET) if fault in fake.faults), None)
        if sick is not None:
            fake.fail(*[sick] * 12)
            with pytest.raises(SourceError):
                pulls.open().check()


CHECKS: Sequence[str] = tuple(name.removeprefix("test_") for name in vars(ContractSuite) if name.startswith("test_"))


def _use_capabilities(connector: Connector, ids: Sequence[str]) -> None:
    """Ask for all that a connector can tell beside its items, whether the fake can answer or not."""
    for asked in (
        connector.refresh(ids[:10]) if isinstance(connector, Refreshes) else (),
        connector.followers() if isinstance(connector, CountsFollowers) else (),
        connector.standing() if isinstance(connector, ShowsStanding) else (),
    ):
        with suppress(SourceError):
            list(asked)


def _jsonable(value: Any) -> Any:
    """The value as JSON has it: tuples are lists, keys are strings."""
    if isinstance(value, Mapping):
        return {str(key): _jsonable(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(entry) for entry in value]
    return value
