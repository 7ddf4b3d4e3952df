from __future__ import annotations

import json
from datetime import UTC, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import Item, Kind
from connectors.reddit_parse import Batch
from connectors.reddit_walk import PAGE_SIZE, PAGES_AT_MOST, Book, End, Step, Sweep, advance

NOW = 10_000_000.0
CEILING = 1000


def item(number: int) -> Item:
    return Item(f"t3_{number}", Kind.MENTION, datetime.fromtimestamp(NOW - 1000 * number, UTC))


def answer(shown: list[int], after: str | None) -> Batch:
    """A listing's page of these numbers (lower is newer), as Reddit would give it below ``after``."""
    names = [f"t3_{number}" for number in shown]
    if after is not None and after not in names:
        return Batch([], [], 0, None, None, None)
    start = 0 if after is None else names.index(after) + 1
    items = [item(number) for number in shown[start : start + PAGE_SIZE]]
    times = [found.published_at.timestamp() for found in items]
    more = start + PAGE_SIZE < len(shown)
    return Batch(
        items,
        [],
        len(items),
        max(times, default=None),
        min(times, default=None),
        items[-1].external_id if more else None,
    )


@settings(max_examples=60, deadline=None)
@given(count=st.integers(0, 450), deletions=st.lists(st.integers(0, 449), max_size=6), cut=st.integers(1, 4))
def test_whatever_is_deleted_on_the_way_the_rest_is_read(count: int, deletions: list[int], cut: int) -> None:
    shown, read, sweep = list(range(count)), set[str](), Sweep(floor=0)
    for turn in range(200):
        batch = answer(shown, sweep.after)
        read |= {found.external_id for found in batch.items}
        step = advance(sweep, batch, ceiling=CEILING, now=NOW)
        if step.end is not None:
            break
        sweep = Sweep.from_json(json.loads(json.dumps(step.sweep.to_json())), since=0)
        if turn % cut == 0 and deletions:
            gone = int(sweep.after[3:]) if sweep.after and len(deletions) % 2 else deletions[-1]
            deletions.pop()
            shown = [number for number in shown if number != gone]
    assert step.end is End.BOTTOM
    assert read >= {f"t3_{number}" for number in shown}


def test_an_end_near_the_ceiling_is_a_cut_and_a_short_listing_is_not() -> None:
    assert swept(1000).end is End.CUT
    assert swept(899).end is End.BOTTOM


def test_a_listing_that_leads_in_a_circle_ends_as_a_cut() -> None:
    batches = [Batch([item(n)], [], 1, NOW - n, NOW - n, f"t3_{n}") for n in (1, 2)]
    sweep, pages = Sweep(floor=0), 0
    step = Step(sweep, None, None)
    while step.end is None:
        step = advance(step.sweep, batches[pages % 2], ceiling=CEILING, now=NOW)
        pages += 1
    assert (step.end, pages) == (End.CUT, PAGES_AT_MOST)


def test_one_old_entry_at_the_top_does_not_end_a_sweep() -> None:
    pinned = Batch([item(5000), item(1)], [], 2, NOW - 1000, NOW - 1000, "t3_1")
    assert advance(Sweep(floor=NOW - 100_000), pinned, ceiling=CEILING, now=NOW).end is None


def test_who_had_no_turn_comes_first() -> None:
    book = Book({"listings": {"a": {"floor": 1.0, "turn": 3}, "b": {"floor": 1.0, "turn": 2}}}, since=0)
    book.had_turn("b")
    assert sorted("abc", key=book.turn) == ["c", "a", "b"]
    assert book.cursor(["b"]) == {"listings": {"b": {"floor": 1.0, "turn": 4}}}


def swept(count: int) -> Step:
    step = Step(Sweep(floor=0), None, None)
    while step.end is None:
        step = advance(step.sweep, answer(list(range(count)), step.sweep.after), ceiling=CEILING, now=NOW)
    return step
