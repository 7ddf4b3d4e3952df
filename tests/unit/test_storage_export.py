"""Exports: one state of the store, and afterwards everything that has changed, however many write meanwhile."""

from __future__ import annotations

import random
from datetime import timedelta
from threading import Event, Thread
from typing import Any

import pytest
from sqlalchemy import select, text, update

from storage import changes
from storage.engine import StorageError, open_database
from storage.export import CHUNK, COLUMNS, Selection, read
from storage.tables import ITEM
from tests.fakes.storing import NOW, OLD, Shop, item

NAMES = [column.name for column in COLUMNS]


def exported(shop: Shop, **wanted: Any) -> list[dict[str, Any]]:
    chunks = read(shop.database, Selection(**wanted))
    return [dict(zip(NAMES, row, strict=True)) for rows in chunks for row in rows]


def ids(shop: Shop, **wanted: Any) -> set[str]:
    return {row["external_id"] for row in exported(shop, **wanted)}


def point(shop: Shop) -> str:
    return changes.take_point(shop.database, NOW)


def test_an_export_has_every_item_whether_it_counts_or_not(shop: Shop) -> None:
    shop.pull(item("a"), item("b", uncounted="excluded"), item("c", brand_id=2), item("d", kind="post"))
    rows = exported(shop)
    assert [(row["external_id"], row["brand"]) for row in rows] == [
        *(("a", "Acme"), ("b", "Acme"), ("d", "Acme"), ("c", "Rival")),
    ]
    first = rows[0]
    assert (first["compound"], first["published_at"], first["first_seen_at"], first["erased"]) == (0.6, OLD, NOW, False)


def test_an_export_keeps_to_the_brands_and_times_asked_for(shop: Shop) -> None:
    times = [OLD - timedelta(days=1), OLD, OLD + timedelta(days=1)]
    shop.pull(*(item(str(number), published_at=at) for number, at in enumerate(times)), item("r", brand_id=2))
    assert ids(shop, brands=["Rival"]) == {"r"}
    assert ids(shop, brands=["Acme"], since=OLD, until=times[2]) == {"1"}
    assert ids(shop, brands=["Acme", "Rival"]) == {"0", "1", "2", "r"}


def test_an_export_counts_the_versions_kept(shop: Shop) -> None:
    for words in ("first", "second", "third"):
        shop.pull(item("a", text=words))
    assert exported(shop)[0]["revisions"] == 2


def test_an_export_is_one_state_of_the_store(shop: Shop, database_url: str) -> None:
    shop.pull(*(item(str(number)) for number in range(2 * CHUNK)))
    chunks = read(shop.database, Selection())
    first = next(chunks)
    other = Shop(open_database(database_url))
    other.pull(item("late"), item("1999", text="changed meanwhile"))
    rest = [row for rows in chunks for row in rows]
    said = [row[NAMES.index("text")] for row in [*first, *rest]]
    assert len(said) == 2 * CHUNK
    assert "changed meanwhile" not in said
    other.database.close()


# ------------------------------------------------------------------------------------------------- what has changed


def test_nothing_has_changed_until_something_does(shop: Shop) -> None:
    shop.pull(item("a"), item("b"))
    token = point(shop)
    assert ids(shop, changed_since=token) == set()
    shop.pull(item("a"), item("b"))
    assert ids(shop, changed_since=token) == set()


def test_what_is_new_edited_or_counted_again_has_changed(shop: Shop) -> None:
    shop.pull(*(item(name) for name in "abcde"))
    token = point(shop)
    shop.pull(item("new"), item("a", text="edited"), item("b", likes=3), item("c"))
    assert ids(shop, changed_since=token) == {"new", "a", "b"}
    assert ids(shop, changed_since=point(shop)) == set()


@pytest.mark.parametrize(
    "change",
    [
        {"label": "negative", "label_by": "person"},
        {"scorer": "vader/2"},
        {"uncounted": "not_about_us"},
        {"erased_at": NOW, "text": None},
    ],
    ids=["corrected", "scored anew", "left out", "erased"],
)
def test_whoever_writes_to_an_item_need_not_remember_to_say_so(shop: Shop, change: dict[str, Any]) -> None:
    shop.pull(item("a"), item("b"))
    token = point(shop)
    shop.database.write(lambda c: c.execute(update(ITEM).where(ITEM.c.external_id == "a").values(change)))
    (row,) = exported(shop, changed_since=token)
    assert row["external_id"] == "a"
    assert row["erased"] == ("erased_at" in change)


def test_a_token_serves_as_often_as_it_is_used_and_older_ones_stay_good(shop: Shop) -> None:
    first = point(shop)
    shop.pull(item("a"))
    second = point(shop)
    shop.pull(item("b"))
    assert [ids(shop, changed_since=token) for token in (first, second, first)] == [{"a", "b"}, {"b"}, {"a", "b"}]


def test_a_token_of_another_store_is_refused(shop: Shop) -> None:
    with pytest.raises(StorageError, match=r'"0badf00d" is no token of this store .*; export everything once more'):
        exported(shop, changed_since="0badf00d")


def test_a_token_of_a_database_whose_transactions_count_anew_is_refused(shop: Shop) -> None:
    token = point(shop)
    shop.database.write(lambda c: c.execute(text("UPDATE export_point SET place = 'elsewhere'")))
    with pytest.raises(StorageError, match="was it mistyped, or the store restored or moved"):
        exported(shop, changed_since=token)


def test_what_was_being_written_when_an_export_began_comes_with_the_next(shop: Shop, database_url: str) -> None:
    """The writer has begun before the point and ends after the export: its change bears an older number than the point."""
    shop.pull(item("a"), item("b"))
    slow = open_database(database_url)
    if slow.is_sqlite:  # where a point waits for the writer, which then is seen
        with slow.engine.begin() as writer:
            writer.execute(update(ITEM).where(ITEM.c.external_id == "a").values(likes=9))
        token = point(shop)
        assert exported(shop)[0]["likes"] == 9
    else:
        with slow.engine.begin() as writer:
            with writer.begin_nested():  # whose numbers the server keeps apart
                writer.execute(update(ITEM).where(ITEM.c.external_id == "a").values(likes=9))
            shop.database.write(lambda c: c.execute(update(ITEM).where(ITEM.c.external_id == "b").values(likes=1)))
            token = point(shop)
            assert exported(shop)[0]["likes"] is None
        assert "a" in ids(shop, changed_since=token)
    slow.close()


def test_numbers_of_transactions_that_have_come_round_are_told_apart(shop: Shop) -> None:
    """The server keeps 32 bits of them; what is counted is all of them."""
    if shop.database.is_sqlite:
        shop.pull(item("a"))
        assert ids(shop, changed_since=point(shop)) == set()
        return
    shop.pull(item("a"))
    whole, coming = shop.database.read(
        lambda c: c.execute(
            select(changes._written_by(), text("pg_snapshot_xmax(pg_current_snapshot())::text::bigint")).select_from(
                ITEM
            )
        ).one()
    )
    assert 0 < coming - whole < 1_000


@pytest.mark.timeout(180)
def test_nothing_is_lost_between_increments_while_several_write(shop: Shop, database_url: str) -> None:
    """A reader that keeps what each increment brings ends with exactly what the store holds."""
    stop = Event()
    faults: list[BaseException] = []
    pages = {"north": 0, "south": 0}

    def writes(name: str, seed: int) -> None:
        chance = random.Random(seed)
        mine = Shop(open_database(database_url), names=("north", "south"))
        try:
            claim = mine.claimed(name, owner=name)
            while not stop.is_set():
                numbers = chance.sample(range(60), 5)
                mine.save(claim, *(item(f"{name} {number}", likes=chance.randrange(99)) for number in numbers))
                pages[name] += 1
        except BaseException as error:  # told by the test
            faults.append(error)
        finally:
            mine.database.close()

    def relabels(seed: int) -> None:
        chance = random.Random(seed)
        mine = open_database(database_url)
        while not stop.is_set():
            wanted = ITEM.c.id % 7 == chance.randrange(7)
            mine.write(
                lambda c, wanted=wanted: c.execute(update(ITEM).where(wanted).values(scorer=str(chance.random())))
            )  # type: ignore[misc]
            stop.wait(0.01)
        mine.close()

    threads = [Thread(target=writes, args=("north", 1)), Thread(target=writes, args=("south", 2))]
    if shop.database.is_sqlite:  # on a server this would touch items in another order than pulls do
        threads.append(Thread(target=relabels, args=(3,)))
    kept: dict[int, Any] = {}
    token = point(shop)
    for thread in threads:
        thread.start()
    increments = 0
    while not faults and (increments < 25 or min(pages.values()) < 20):
        before, token = token, point(shop)
        kept.update((row["id"], row) for row in exported(shop, changed_since=before))
        increments += 1
    stop.set()
    for thread in threads:
        thread.join()
    kept.update((row["id"], row) for row in exported(shop, changed_since=token))
    assert faults == []
    assert [kept[number] for number in sorted(kept)] == exported(shop)
    assert len(kept) > 60
