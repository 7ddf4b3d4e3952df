from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import pytest

from connectors.errors import Malformed
from connectors.leafing import Leaf, Place, Sweep, leaf_through

PAGES: Mapping[Place, tuple[Sequence[float], Place]] = {
    None: ([100, 90], "b"),
    "b": ([80, 70], "c"),
    "c": ([60, 50], None),
}


def read(asked: list[Place], pages: Mapping[Place, tuple[Sequence[float], Place]] = PAGES) -> Any:
    def leaf(at: Place, _: Sweep) -> Leaf:
        asked.append(at)
        if at not in pages:
            raise Malformed("no such page")
        times, following = pages[at]
        return Leaf((), (), max(times, default=None), times[-1] if times else None, following)

    return leaf


def test_a_sweep_goes_down_to_the_end_and_remembers_the_newest() -> None:
    asked: list[Place] = []
    *_, (_, after) = leaf_through(Sweep(floor=0), 0, read(asked))
    assert asked == [None, "b", "c"]
    assert after == Sweep(floor=100, rounds=1)


def test_a_sweep_ends_below_the_floor_and_its_overlap() -> None:
    asked: list[Place] = []
    list(leaf_through(Sweep(floor=95), 10, read(asked)))
    assert asked == [None, "b"]


def test_a_sweep_cut_off_goes_on_where_it_was_and_then_from_the_top() -> None:
    asked: list[Place] = []
    ((_, after),) = islice(leaf_through(Sweep(floor=0), 0, read(asked)), 1)
    assert Sweep.from_json(after.to_json(), since=5) == after
    asked.clear()
    *_, (_, end) = leaf_through(after, 0, read(asked))
    assert asked == ["b", "c", None]
    assert end.floor == 100


def test_a_page_number_is_read_again_from_the_page_before() -> None:
    asked: list[Place] = []
    pages: Mapping[Place, tuple[Sequence[float], Place]] = {2: ([70], 3), 3: ([60], None), None: ([100], None)}
    list(leaf_through(Sweep(0, 90, 3), 0, read(asked, pages)))
    assert asked == [2, 3, None]


def test_a_token_that_is_refused_begins_anew() -> None:
    asked: list[Place] = []
    list(leaf_through(Sweep(0, 90, "gone"), 0, read(asked)))
    assert asked == ["gone", None, "b", "c"]


def test_a_first_page_that_is_refused_is_an_error() -> None:
    with pytest.raises(Malformed):
        list(leaf_through(Sweep(0), 0, read([], {})))


def test_a_token_seen_before_ends_the_sweep() -> None:
    asked: list[Place] = []
    pages: Mapping[Place, tuple[Sequence[float], Place]] = {None: ([100], "a"), "a": ([90], "b"), "b": ([80], "a")}
    list(leaf_through(Sweep(0), 0, read(asked, pages)))
    assert asked == [None, "a", "b"]


def test_a_list_that_was_cut_leaves_the_floor_where_it_was() -> None:
    cut = Leaf((), (), 100, 90, None, cut=True)
    assert Sweep(floor=10).after(cut, 0) == Sweep(floor=10, rounds=1)


def test_a_page_of_nothing_sound_goes_on() -> None:
    asked: list[Place] = []
    pages: Mapping[Place, tuple[Sequence[float], Place]] = {None: ([], "a"), "a": ([90], None)}
    *_, (_, after) = leaf_through(Sweep(10), 0, read(asked, pages))
    assert (asked, after.floor) == ([None, "a"], 90)


def test_of_several_listings_the_one_cut_off_goes_first() -> None:
    idle, fresh, cut = Sweep(0, rounds=3), Sweep(0), Sweep(0, 5, "a", rounds=9)
    assert sorted([idle, fresh, cut], key=lambda sweep: sweep.turn) == [cut, fresh, idle]


@pytest.mark.parametrize("state", [None, 3, {}, {"floor": "x"}, {"floor": float("nan")}, {"floor": True}])
def test_a_damaged_state_begins_anew(state: object) -> None:
    assert Sweep.from_json(state, since=5) == Sweep(floor=5)


def test_a_damaged_place_begins_from_the_top() -> None:
    assert Sweep.from_json({"floor": 7, "high": 9, "at": [], "rounds": -1}, since=5) == Sweep(floor=7)
