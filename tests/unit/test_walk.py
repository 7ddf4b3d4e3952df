from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Item, Kind
from connectors.walk import Step, Walk, down, sweep

SINCE = 100.0
OVERLAP = 20
PAGE = 4
PAGES_A_SLIDE = 3


@dataclass
class Platform:
    """A listing by time, newest first, in pages of :data:`PAGE`, which shows three pages of a question and then must be
    asked from the oldest seen on. ``now`` rises with every event."""

    times: list[float] = field(default_factory=list)
    now: float = SINCE
    requests: int = 0

    @property
    def published(self) -> set[tuple[float, int]]:
        """What must be found: its time, and its number in the order of becoming visible."""
        return {(at, number) for number, at in enumerate(self.times) if at >= SINCE}

    def publish(self, after: float, late: float) -> None:
        """Something that bears a time up to :data:`OVERLAP` ago becomes visible now; at most three bear the same."""
        self.now += after
        at = self.now - min(late, OVERLAP)
        if self.times.count(at) < PAGE - 1:
            self.times.append(at)

    def read(self, top: float | None, bottom: float) -> Iterator[Step]:
        page = 0
        while True:
            self.requests += 1
            top_now = self.now if top is None else top
            seen = sorted((at, number) for number, at in enumerate(self.times) if bottom <= at <= top_now)
            shown = seen[::-1][page * PAGE : (page + 1) * PAGE]
            times = [at for at, _ in shown]
            items = [_item(at, number) for at, number in shown]
            step = Step(items, max(times, default=None), min(times, default=None), last=len(shown) < PAGE)
            yield step
            if step.last:
                return
            page += 1
            if page == PAGES_A_SLIDE:
                top, page = step.oldest, 0


def _item(at: float, number: int) -> Item:
    return Item(external_id=f"{number}", kind=Kind.MENTION, published_at=datetime.fromtimestamp(at, UTC))


@dataclass
class Reader:
    """Stores every page with its walk, as the daemon does."""

    platform: Platform
    state: Any = None
    stored: set[tuple[float, int]] = field(default_factory=set)

    def pull(self, pages: int, arrivals: Sequence[tuple[float, float]] = ()) -> bool:
        """Read at most ``pages`` pages, one arrival between each two; did the pull come to its end?"""
        waiting = list(arrivals)
        for step, walk in sweep(Walk.from_json(self.state, since=SINCE), OVERLAP, self.platform.read):
            self.state = json.loads(json.dumps(walk.to_json()))
            self.stored.update((item.published_at.timestamp(), int(item.external_id)) for item in step.items)
            pages -= 1
            if pages == 0:
                return False
            if waiting:
                self.platform.publish(*waiting.pop())
        return True


arrivals = st.tuples(st.sampled_from([0, 0, 1, 3, 50, 500]), st.sampled_from([0, 0, 1, 5, OVERLAP]))
pull = st.tuples(st.integers(1, 6), st.lists(arrivals, max_size=8))
bursts = st.lists(arrivals, max_size=30)


@given(st.lists(st.tuples(bursts, pull), max_size=8))
def test_whatever_happens_between_and_within_pulls_nothing_is_lost(
    history: list[tuple[list[tuple[float, float]], tuple[int, list[tuple[float, float]]]]],
) -> None:
    platform = Platform()
    reader = Reader(platform)
    for burst, (pages, meanwhile) in history:
        for arrival in burst:
            platform.publish(*arrival)
        reader.pull(pages, meanwhile)
    assert reader.pull(10_000)
    assert platform.published <= reader.stored


@given(bursts, st.integers(1, 3))
def test_pulls_of_a_page_each_come_to_the_end(burst: list[tuple[float, float]], pages: int) -> None:
    platform = Platform()
    reader = Reader(platform)
    for arrival in burst:
        platform.publish(*arrival)
    for _ in range(len(burst) + 2):
        reader.pull(pages)
    assert platform.published <= reader.stored


@given(bursts)
def test_a_pull_ends_and_an_idle_one_reads_no_more_than_the_overlap(burst: list[tuple[float, float]]) -> None:
    platform = Platform()
    reader = Reader(platform)
    for arrival in burst:
        platform.publish(*arrival)
    assert reader.pull(10_000)
    before, platform.requests = set(reader.stored), 0
    assert reader.pull(10_000)
    newest = max(platform.times, default=SINCE)
    again = sum(at >= max(newest, SINCE) - OVERLAP for at in platform.times)
    assert reader.stored == before
    assert platform.requests <= again // (PAGE - 1) + 2


@given(
    st.dictionaries(st.sampled_from(["floor", "high", "low", "x"]), st.none() | st.text() | st.floats() | st.booleans())
)
def test_a_walk_from_any_state_goes_down_to_a_number(state: dict[str, object]) -> None:
    walk = Walk.from_json(state, since=SINCE)
    assert isinstance(walk.floor, int | float)
    assert walk.low is None or walk.high is not None
    assert all(math.isfinite(value) for value in (walk.floor, walk.high or 0, walk.low or 0))


@pytest.mark.parametrize(
    "state",
    [
        None,
        3,
        [],
        "x",
        {},
        {"floor": None},
        {"floor": True},
        {"floor": math.nan},
        {"floor": math.inf},
        {"floor": 1, "low": 5},
    ],
)
def test_a_damaged_state_begins_anew(state: object) -> None:
    assert Walk.from_json(state, since=SINCE) == Walk(floor=SINCE)


def test_a_walk_survives_json() -> None:
    walk = Walk(floor=1, high=9.5, low=3)
    assert Walk.from_json(json.loads(json.dumps(walk.to_json())), since=SINCE) == walk


def test_the_sweep_under_way_is_finished_before_a_new_one_begins() -> None:
    platform = Platform([float(at) for at in range(100, 140)], now=140)
    reader = Reader(platform)
    reader.pull(2)
    platform.publish(1, 0)
    reader.pull(1)
    assert reader.state == {"floor": SINCE, "high": 139, "low": 129}
    assert max(reader.stored)[0] == 139


def test_a_finished_sweep_moves_the_floor_up() -> None:
    platform = Platform([101.0, 105.0], now=105)
    reader = Reader(platform)
    reader.pull(10)
    assert reader.state == {"floor": 105, "high": None, "low": None}


def test_a_sweep_that_found_nothing_leaves_the_floor() -> None:
    reader = Reader(Platform())
    reader.pull(10)
    assert reader.state == {"floor": SINCE, "high": None, "low": None}


def test_a_newest_item_that_was_deleted_does_not_lower_the_floor() -> None:
    assert Walk(floor=10).down_to(7, 6).finished() == Walk(floor=10)


# ------------------------------------------------------------------------------------- going down by time


@dataclass
class Board:
    """A listing that takes an upper bound, ends included, and a page number; ``stuck``: it heeds neither."""

    times: list[float]
    stuck: bool = False
    asked: list[tuple[float | None, int]] = field(default_factory=list)

    def page(self, top: float | None, number: int) -> Step:
        self.asked.append((top, number))
        held = sorted(((at, key) for key, at in enumerate(self.times) if top is None or at <= top), reverse=True)
        if self.stuck:
            held, number = sorted(((at, key) for key, at in enumerate(self.times)), reverse=True), 1
        shown = held[(number - 1) * PAGE : number * PAGE]
        items = [Item(str(key), Kind.MENTION, datetime.fromtimestamp(at, UTC)) for at, key in shown]
        found = [at for at, _ in shown]
        return Step(items, max(found, default=None), min(found, default=None), len(shown) < PAGE)


@given(st.lists(st.integers(0, 6), max_size=40))
def test_going_down_finds_everything_however_crowded_an_instant_is(times: list[int]) -> None:
    board = Board([float(at) for at in times])
    found = {item.external_id for step in down(board.page, None) for item in step.items}
    assert found == {str(key) for key in range(len(times))}


def test_going_down_is_not_moved_by_what_is_deleted_or_published_meanwhile() -> None:
    board = Board([float(at) for at in range(12)])
    pages = down(board.page, None)
    found = [item.external_id for item in next(pages).items]
    board.times[9:] = [-1.0, -1.0, -1.0, 20.0]
    found += [item.external_id for step in pages for item in step.items]
    assert {str(key) for key in range(9)} <= set(found)


def test_a_listing_that_shows_the_same_page_for_ever_ends_without_a_last_step() -> None:
    steps = list(down(Board([5.0] * 9, stuck=True).page, None))
    assert [step.last for step in steps] == [False, False]
