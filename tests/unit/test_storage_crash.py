"""A crash before any statement leaves all of a transaction or nothing of it, and doing it again heals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from storage import ingest, outbox, sources
from storage.records import GapValues, Outcome, PageValues, Planned, Saved
from storage.sources import SourceEntry
from storage.tables import METADATA
from storage.verify import verify
from tests.fakes.storing import LEASE, NOW, OLD, Crash, Shop, author, crash_at, crash_everywhere, dump, item

LATER = NOW + timedelta(hours=1)
PAGE = PageValues(
    items=[
        item("new", likes=3, published_at=NOW, author_id=7),
        item("edited", text="other words", uncounted="excluded"),
        item("grown", likes=9, counted_at=LATER),
        item("same"),
        item("rival's", brand_id=2),
    ],
    authors=[author(7, name="Ann")],
    cursor={"page": 2},
    seen=5,
    skips=[("x", "no date")],
    gap=GapValues(OLD, NOW, "too many"),
)


@pytest.fixture
def begun(shop: Shop) -> Shop:
    shop.pull(item("edited", likes=4, published_at=NOW), item("grown", likes=1), item("same"))
    return shop


def everything(shop: Shop) -> object:
    return dump(shop, *METADATA.sorted_tables, without=("lease_until",))


def test_a_crash_anywhere_in_a_page_stores_nothing_of_it(begun: Shop) -> None:
    claim = begun.claimed()
    before = everything(begun)

    def nothing_is_stored() -> None:
        assert everything(begun) == before
        assert verify(begun.database) == []

    crashes = crash_everywhere(
        begun.database, lambda: ingest.save_page(begun.database, claim, PAGE, LATER), nothing_is_stored
    )
    assert crashes >= 15
    assert everything(begun) != before
    assert verify(begun.database) == []
    assert begun.save(claim, *PAGE.items) == Saved()


def _finish_pull(shop: Shop) -> Callable[[], object]:
    claim = shop.claimed()
    return lambda: sources.finish_pull(shop.database, claim, Outcome(LATER, "unavailable", "503"), LATER)


def _claim(shop: Shop) -> Callable[[], object]:
    return lambda: shop.claim()


def _sync(shop: Shop) -> Callable[[], object]:
    entries = [SourceEntry("west", "forum", "forum", was="north"), SourceEntry("south", "blog", "blog")]
    return lambda: sources.sync(shop.database, ["Acme", "Third"], entries, LATER)


def _due_digest(shop: Shop) -> int:
    outbox.plan_digest(shop.database, "daily", Planned(NOW, "2026-11-19", OLD, NOW), None)
    return outbox.due_digests(shop.database, ["daily"])[0].id


def _save_digest(shop: Shop) -> Callable[[], object]:
    due = outbox.claim_digest(shop.database, _due_digest(shop), "me", LEASE)
    assert due is not None
    return lambda: outbox.save_digest(shop.database, due, {"figures": 1}, {"mail": "k1", "chat": "k2"}, LATER)


def _claim_delivery(shop: Shop) -> Callable[[], object]:
    _save_digest(shop)()
    return lambda: outbox.claim_delivery(shop.database, "me", ["mail", "chat"], LATER, LEASE)


def _mark_sent(shop: Shop) -> Callable[[], object]:
    _save_digest(shop)()
    due = outbox.claim_delivery(shop.database, "me", ["mail"], LATER, LEASE)
    assert due is not None
    return lambda: outbox.mark_sent(shop.database, due, LATER)


@pytest.mark.parametrize("prepare", [_finish_pull, _claim, _sync, _save_digest, _claim_delivery, _mark_sent])
def test_a_crash_anywhere_else_changes_nothing_either(
    begun: Shop, prepare: Callable[[Shop], Callable[[], object]]
) -> None:
    work = prepare(begun)
    before = everything(begun)

    def nothing_is_changed() -> None:
        assert everything(begun) == before

    assert crash_everywhere(begun.database, work, nothing_is_changed) >= 3
    assert everything(begun) != before


def test_a_pull_that_crashed_is_taken_over_and_comes_to_the_same_end(begun: Shop) -> None:
    undisturbed = begun.claimed("south")
    begun.save(undisturbed, item("south's"), cursor={"page": 1})
    claim = begun.claimed()
    with pytest.raises(Crash), crash_at(begun.database, 9):
        ingest.save_page(begun.database, claim, PAGE, LATER)
    sources.release_all(begun.database, "me")
    again = begun.claimed(owner="other")
    assert again.cursor is None
    assert ingest.save_page(begun.database, again, PAGE, LATER) == Saved(new=2, changed=2)
    assert verify(begun.database) == []
