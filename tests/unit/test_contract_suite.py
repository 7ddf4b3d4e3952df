"""The contract suite tells a connector that breaks a law, in words that say which and where to look."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import datetime, timedelta
from itertools import count
from typing import Any

import pytest

from connectors.contract import (
    Capabilities,
    Context,
    Counts,
    Cursor,
    Item,
    Kind,
    Options,
    Page,
    Plugin,
    Refreshed,
    Scope,
    Skipped,
    from_epoch,
)
from connectors.errors import SourceError
from connectors.http import HttpClient
from connectors.testing import Between, ByNumber, Case, FakeListing, Fault, Pulls, Seed, contract
from connectors.walk import Step, Walk, down, sweep

pytest_plugins = ["pytester"]


class Board(FakeListing):
    page_size = 20
    vital = "at"
    paging = ByNumber("page", "size")
    bounds = Between("since", "until")

    def external_id(self, seed: Seed) -> str:
        return f"b{seed.number}"

    def item(self, seed: Seed) -> dict[str, Any]:
        return {
            "id": f"b{seed.number}",
            "at": int(seed.at.timestamp()),
            "text": seed.text,
            "likes": self.likes_of(seed),
        }


class Sound:
    """Reads a board as it should be read; each child does one thing wrong."""

    overlap = timedelta(hours=2).total_seconds()

    def __init__(self, options: Options, context: Context) -> None:
        self.base, self.context = str(options.base_url), context

    def check(self) -> None:
        self.ask(size=1)

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        walk = Walk.from_json(cursor, since=since.timestamp())
        for step, after in sweep(walk, self.overlap, lambda top, bottom: down(self.page(bottom), top)):
            yield Page(step.items, self.cursor(after), step.skipped)

    def close(self) -> None:
        self.context.http.close()

    def cursor(self, walk: Walk) -> Any:
        return walk.to_json()

    def page(self, bottom: float) -> Callable[[float | None, int], Step]:
        def read(top: float | None, number: int) -> Step:
            until = {} if top is None else {"until": int(top)}
            return self.step(self.ask(since=int(bottom), page=number, size=20, **until))

        return read

    def ask(self, **asked: int) -> Any:
        return self.context.http.get(f"{self.base}/items", asked).json()["items"]

    def step(self, entries: Sequence[Any]) -> Step:
        sound = [entry for entry in entries if entry["at"] is not None]
        skipped = [Skipped(entry["id"], "no time") for entry in entries if entry["at"] is None]
        items = [self.item(entry) for entry in sound]
        times = [entry["at"] for entry in sound]
        return Step(items, max(times, default=None), min(times, default=None), len(entries) < 20, skipped)

    def item(self, entry: Any) -> Item:
        counts = Counts(likes=entry["likes"])
        return Item(entry["id"], Kind.MENTION, from_epoch(entry["at"]), text=entry["text"], counts=counts)


class NewestAsCursor(Sound):
    def cursor(self, walk: Walk) -> Any:
        return {"floor": walk.high or walk.floor}


class NoOverlap(Sound):
    overlap = 0.0


class Swallowing(Sound):
    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        try:
            yield from super().fetch(cursor, since)
        except SourceError:
            return


class Raising(Sound):
    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        try:
            yield from super().fetch(cursor, since)
        except SourceError:
            raise KeyError("items") from None


class Fragile(Sound):
    def step(self, entries: Sequence[Any]) -> Step:
        return Step([self.item(entry) for entry in entries], None, None, True)


class Quiet(Sound):
    def step(self, entries: Sequence[Any]) -> Step:
        step = super().step(entries)
        return Step(step.items, step.newest, step.oldest, step.last)


class Numbering(Sound):
    numbers = count(1)

    def item(self, entry: Any) -> Item:
        return Item(f"{next(self.numbers)}", Kind.MENTION, from_epoch(entry["at"]), text=entry["text"])


class Talkative(Sound):
    def item(self, entry: Any) -> Item:
        logging.getLogger("connectors.board").info("read %s", entry["text"])
        return super().item(entry)


class Hourly(Sound):
    def item(self, entry: Any) -> Item:
        return super().item({**entry, "at": entry["at"] // 3600 * 3600})


class Cut(Sound):
    def item(self, entry: Any) -> Item:
        return super().item({**entry, "text": entry["text"][:10]})


class Dated(Sound):
    def cursor(self, walk: Walk) -> Any:
        return {"floor": from_epoch(walk.floor)}


class Secretive(Sound):
    def refresh(self, ids: Sequence[str]) -> Iterator[Refreshed]:
        yield from ()


class Spending(Sound):
    def check(self) -> None:
        with closing(HttpClient(trusted=frozenset({"127.0.0.1"}))) as http:
            http.get(f"{self.base}/items")


def case_of(connector: type[Sound]) -> Case:
    able = Capabilities(Scope.SEARCH)
    return Case(plugin=Plugin("board", "Board", "board", Options, connector, able), fake=Board, many=100)


CASE = case_of(Sound)


class TestSound(contract(CASE)):  # type: ignore[misc]
    """The connector that all others here are made of keeps the contract."""


@pytest.fixture
def fake() -> Iterator[Board]:
    board = Board()
    yield board
    board.close()


@pytest.mark.parametrize(
    ("connector", "check", "words"),
    [
        (NewestAsCursor, "stopping_after_any_page_loses_nothing", "A pull that is cut off is taken up where it ended"),
        (NewestAsCursor, "a_small_budget_a_pull_still_completes", r"4\d of 100 items never came in 60 pulls: 01 Nov"),
        (NoOverlap, "a_late_item_is_found", "late is found: re-read an overlap"),
        (Fragile, "everything_published_arrives", "80 of 100 items never came: 01 Nov 00:17:00 'b1', "),
        (Fragile, "everything_published_arrives", "last cursor: {"),
        (Quiet, "one_bad_item_is_skipped_and_counted", "put it into Page.skipped"),
        (Numbering, "ids_are_unique_and_stable", "20 items were published, 21 different ids came"),
        (Numbering, "everything_published_arrives", "names items otherwise than the fake's external_id"),
        (Hourly, "times_are_utc_and_true", "published_at is not true: b1: published 2026-11-01 11:22"),
        (Spending, "every_request_is_taken_from_the_budget", "[34] requests were made, [23] times the budget"),
        (Cut, "texts_arrive_whole", "was published, '"),
        (Dated, "cursor_survives_json", "a cursor must survive JSON, this one does not .Object of type datetime"),
        (Secretive, "what_is_read_again_has_its_new_counts_or_is_gone", "refresh is False, but refresh.. is there"),
    ],
    ids=lambda given: given.__name__ if isinstance(given, type) else None,
)
def test_a_broken_law_is_named(connector: type[Sound], check: str, words: str, fake: Board) -> None:
    case = case_of(connector)
    suite = contract(case)()
    with pytest.raises(pytest.fail.Exception, match=words):
        getattr(suite, f"test_{check}")(Pulls(case, fake), fake)


def test_a_swallowed_error_is_told(fake: Board) -> None:
    case = case_of(Swallowing)
    with pytest.raises(pytest.fail.Exception, match="429: must become RateLimited, but the pull ended as if"):
        contract(case)().test_each_error_maps_to_its_fate(Pulls(case, fake), fake, Fault.TOO_MANY)


def test_an_error_that_is_no_fate_is_told_with_its_cause(fake: Board) -> None:
    case = case_of(Raising)
    with pytest.raises(AssertionError, match="429: must become RateLimited, but KeyError left") as caught:
        contract(case)().test_each_error_maps_to_its_fate(Pulls(case, fake), fake, Fault.TOO_MANY)
    assert isinstance(caught.value.__cause__, KeyError)


def test_a_fault_without_a_fate_needs_a_reason(fake: Board) -> None:
    case, forgiving = case_of(Sound), type("Forgiving", (Board,), {"faults": {}})()
    with pytest.raises(pytest.fail.Exception, match=r'say why in not_applicable\["fault_429"\]'):
        contract(case)().test_each_error_maps_to_its_fate(Pulls(case, forgiving), forgiving, Fault.TOO_MANY)
    forgiving.close()


def test_a_text_in_the_log_is_told(fake: Board, caplog: pytest.LogCaptureFixture) -> None:
    case = case_of(Talkative)
    with pytest.raises(pytest.fail.Exception, match=r"was logged by: connectors\.board"):
        contract(case)().test_texts_are_never_logged(Pulls(case, fake), fake, caplog)


# ------------------------------------------------------------------------------------------------- the plugin

FOREIGN = """
from dataclasses import replace

from tests.unit.test_contract_suite import Board, NewestAsCursor, case_of
from connectors.testing import contract

pytest_plugins = ["connectors.testing.plugin"]

class Keyed(Board):
    def secrets(self):
        return ("1793",)

CASE = replace(case_of(NewestAsCursor), fake=Keyed)
TestBoard = contract(CASE)

def test_two_come(pulls, fake):
    fake.publish(2)
    assert len(pulls.pull()) == 2
"""


def test_the_plugin_shows_the_law_and_what_was_asked_with_secrets_masked(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(FOREIGN)
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-k", "stopping or two_come")
    done.assert_outcomes(passed=1, failed=1)
    done.stdout.fnmatch_lines(["*the law*", "The law of cursors: *", "*what the platform was asked last*"])
    done.stdout.fnmatch_lines(["GET /items?since=***527200&page=1&size=20 (12 times)"])


def test_a_module_without_a_case_is_told_what_is_missing(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        'pytest_plugins = ["connectors.testing.plugin"]\n\ndef test_of_its_own(pulls):\n    assert pulls\n'
    )
    done = pytester.runpytest_inprocess("-p", "no:cacheprovider")
    done.assert_outcomes(errors=1)
    done.stdout.fnmatch_lines(["*has no CASE; add CASE = Case(plugin=PLUGIN, fake=...)*"])
