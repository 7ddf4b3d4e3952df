"""What an import remembers: files told apart by how they begin, stretches covered, and the place where it was cut off."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from monitor.import_memory import ENOUGH_BYTES, HEAD_BYTES, Head, Memory, Span, UnderWay, spanned

START = datetime(2026, 1, 5, 10, 7, tzinfo=UTC)
ROW = b"1,Very good,2026-01-01\n"
LONG = ROW * (ENOUGH_BYTES // len(ROW) + 1)


def at(hours: float) -> datetime:
    return START + timedelta(hours=hours)


def imported(memory: Memory, brand: str, *hours: float) -> Memory:
    way = UnderWay("key", brand).after({"files": {}}, len(hours), map(at, hours))
    return memory.begun("/a.csv", Head.of(ROW), way).ended()


def test_a_stretch_goes_by_whole_quarters_of_an_hour() -> None:
    assert spanned([at(2), at(0)]) == Span(
        datetime(2026, 1, 5, 10, 0, tzinfo=UTC), datetime(2026, 1, 5, 12, 15, tzinfo=UTC)
    )
    assert spanned([]) is None


def test_stretches_less_than_a_day_apart_are_one_and_others_are_two() -> None:
    memory = imported(imported(imported(Memory(), "Acme", 0, 10), "Acme", 20, 30), "Acme", 100, 110)
    assert [(span.end - span.start) // timedelta(hours=1) for span in memory.covered["Acme"]] == [30, 10]


def test_what_was_imported_for_one_brand_says_nothing_of_another() -> None:
    memory = imported(imported(Memory(), "Acme", 0, 10), "Rival", 200, 210)
    assert [span.start.day for span in memory.covered["Acme"]] == [5]
    assert [span.start.day for span in memory.covered["Rival"]] == [13]


def test_an_import_under_way_covers_nothing_yet() -> None:
    way = UnderWay("key", "Acme").after(None, 5, [at(0), at(3)])
    memory = Memory().begun("/a.csv", Head.of(ROW), way)
    assert memory.covered == {}
    assert memory.under_way == way


def test_a_file_without_a_single_item_covers_nothing() -> None:
    assert imported(Memory(), "Acme").covered == {}


def test_it_survives_json() -> None:
    way = UnderWay("key", "Acme", cursor={"files": {}}).after({"files": {"a.csv": {"offset": 7}}}, 5, [at(0)])
    memory = imported(imported(Memory(), "Acme", 0, 10), "Rival", 3).begun("/b.csv", None, way)
    assert Memory.from_json(json.loads(json.dumps(memory.to_json()))) == memory


@pytest.mark.parametrize(
    "damaged",
    [
        *(None, [], "cursor", {"address": "a", "files": {}}),
        {"files": [], "covered": {}, "under_way": None},
        {"files": {"/a": [1]}, "covered": {}, "under_way": None},
        {"files": {}, "covered": {"Acme": [["yesterday", "today"]]}, "under_way": None},
        {"files": {}, "covered": {}, "under_way": {"key": "k"}},
    ],
)
def test_what_is_damaged_is_forgotten(damaged: object) -> None:
    assert Memory.from_json(damaged) == Memory()


def test_a_short_file_is_the_same_only_as_a_whole() -> None:
    assert Head.of(ROW).begins(ROW)
    assert not Head.of(ROW).begins(ROW + ROW)
    assert not Head.of(ROW + ROW).begins(ROW)


def test_a_longer_one_that_has_grown_is_still_the_same() -> None:
    assert Head.of(LONG).begins(LONG + b"2,Bad,2026-01-02\n")
    assert not Head.of(LONG).begins(b"x" + LONG)
    assert not Head.of(LONG).begins(LONG[:-1])


def test_only_the_beginning_counts() -> None:
    whole = ROW * (2 * HEAD_BYTES // len(ROW))
    assert Head.of(whole).begins(whole[:HEAD_BYTES])
    assert Head.of(whole) == Head.of(whole + ROW)
