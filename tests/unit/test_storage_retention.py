"""Acts of erasing: chunk by chunk, logged without names; what has grown old; old lines of the log."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from storage import access, queries, refreshing, retention, search
from storage.engine import open_database
from storage.erasure import ASKED, erase
from storage.people_tables import MUTE, NOTICE, TAG
from storage.search_tree import matching
from storage.tables import AUTHOR, DELIVERY, DIGEST, ITEM, NOTE, PULL, REVISION, ROLLUP
from storage.verify import verify
from tests.fakes.storing import NOW, OLD, Crash, Shop, author, crash_at, dump, item

LATER = NOW + timedelta(hours=1)
DAY = timedelta(days=1)
MANY = retention.CHUNK + 3


def written(shop: Shop, *rows: Any) -> None:
    def work(connection: Connection) -> None:
        for table, values in rows:
            connection.execute(insert(table), values)

    shop.database.write(work)


def mabel(shop: Shop, count: int = 3) -> None:
    """Items of one author, and one of another."""
    items = [item(f"a{n:04d}", author_id=7, author_name="Mabel Thorn", text=f"unmistakable {n}") for n in range(count)]
    shop.pull(*items, item("z", author_id=8), authors=[author(7, name="Mabel Thorn"), author(8, name="Bo")])


def erased(shop: Shop, ids: Any = None) -> retention.Act:
    ids = access.items_of(shop.database, [7]) if ids is None else ids
    return retention.erase_asked(shop.database, ids, [7], LATER, what="author", by="Ada")


def test_many_items_go_in_chunks_as_one_author(shop: Shop) -> None:
    mabel(shop, MANY)
    figures = dump(shop, ROLLUP, without=["changes"])
    act = erased(shop)
    assert (act.items, act.authors, act.by) == (MANY, 1, "Ada")
    numbers = {row["author_id"] for row in shop.rows(ITEM) if row["erased_at"]}
    assert len(numbers) == 1
    assert dump(shop, ROLLUP, without=["changes"]) == figures
    assert verify(shop.database) == []
    assert retention.acts(shop.database) == [act]


def test_the_log_says_how_far_an_act_came_that_was_cut_off(shop: Shop) -> None:
    mabel(shop, MANY)
    ids = access.items_of(shop.database, [7])
    statements = 0
    while not retention.acts(shop.database) or retention.acts(shop.database)[-1].items == 0:
        statements += 60
        with crash_at(shop.database, statements):
            try:
                erased(shop, ids)
            except Crash:
                continue
            break
    gone = sum(row["erased_at"] is not None for row in shop.rows(ITEM))
    assert sum(act.items for act in retention.acts(shop.database)) == gone
    erased(shop)
    assert sum(act.items for act in retention.acts(shop.database)) == MANY
    assert "Mabel" not in str(dump(shop, NOTE, ITEM))


def test_rules_that_name_the_author_go_with_him(shop: Shop) -> None:
    mabel(shop)
    written(shop, (MUTE, {"author_id": 7, "shown": "Mabel Thorn", "at": NOW}))
    assert access.mutes_of(shop.database, [7]) == 1
    assert erased(shop).mutes == 1
    assert shop.rows(MUTE) == []
    assert {row["name"] for row in shop.rows(AUTHOR)} == {"Bo", None}


def test_the_full_text_index_forgets(shop: Shop) -> None:
    mabel(shop)

    def found() -> set[Any]:
        query = search.found_ids(shop.database.engine.dialect.name, matching("unmistakable"))
        return shop.database.read(lambda connection: {row[0] for row in connection.execute(query)})

    assert len(found()) == 3
    erased(shop)
    assert found() == set()


def test_an_sqlite_file_holds_no_byte_of_what_was_erased(tmp_path: Path, migrated_file: Path) -> None:
    file = Path(shutil.copyfile(migrated_file, tmp_path / "store.db"))
    shop = Shop(open_database(f"sqlite:///{file}"))
    long = [item(f"l{n}", author_id=7, text=f"unmistakable {n} " * 2_000) for n in range(5)]
    mabel(shop)
    shop.pull(*long, authors=[author(7)])
    edited = [item(one["external_id"], author_id=7, text=f"{one['text']} edited") for one in long]
    shop.pull(*edited, authors=[author(7)])
    assert len(shop.rows(REVISION)) == 5
    erased(shop)
    retention.compact(shop.database)
    shop.database.close()
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert (b"unmistakable" in held, b"Mabel" in held) == (False, False)


def test_what_is_gone_from_its_platform_leaves_the_file_at_the_next_cleaning(
    tmp_path: Path, migrated_file: Path
) -> None:
    file = Path(shutil.copyfile(migrated_file, tmp_path / "store.db"))
    shop = Shop(open_database(f"sqlite:///{file}"))
    mabel(shop)
    assert not retention.is_unclean(shop.database)
    gone = [refreshing.Reading("a0000", gone=True)]
    refreshing.save_readings(shop.database, shop.claimed(), gone, LATER)
    assert retention.is_unclean(shop.database)
    retention.clean(shop.database)
    assert not retention.is_unclean(shop.database)
    ids = access.items_of(shop.database, [7])
    shop.database.write(lambda connection: erase(connection, ids, LATER, reason=ASKED))  # as an act that is cut off
    assert retention.is_unclean(shop.database)
    retention.clean(shop.database)
    retention.compact(shop.database)
    shop.database.close()
    assert b"unmistakable" not in b"".join(path.read_bytes() for path in tmp_path.iterdir())


def test_an_erasure_after_the_cleaning_is_not_taken_for_clean(shop: Shop) -> None:
    mabel(shop)
    assert erased(shop).items == 3
    assert not retention.is_unclean(shop.database)
    ids = [row["id"] for row in shop.rows(ITEM)]
    shop.database.write(lambda connection: erase(connection, ids, LATER, reason=ASKED))
    assert retention.is_unclean(shop.database) == shop.database.is_sqlite


def test_authors_are_found_by_name_and_id_in_any_case(shop: Shop) -> None:
    mabel(shop)
    shop.pull(item("u", author_id=9, author_name="Ümit"), authors=[author(9, name="Ümit")])
    for wanted, numbers in (("mabel thorn", [7]), ("@U7", [7]), ("Ümit", [9]), ("nobody", []), ("u", [])):
        assert [one.id for one in access.authors(shop.database, [wanted])] == numbers
    assert access.authors(shop.database, ["Mabel Thorn"], "moon") == []
    assert [one.items for one in access.authors(shop.database, ["Mabel Thorn"], "forum")] == [3]


def test_everything_of_an_author_is_told(shop: Shop) -> None:
    mabel(shop)
    shop.pull(item("a0000", author_id=7, text="Another word", updated_at=NOW), authors=[author(7)])
    number = access.items_of(shop.database, [7])[0]
    written(shop, (TAG, {"item_id": number, "name": "vip", "at": NOW}))
    told = access.everything(shop.database, [7])
    assert [one["name"] for one in told["authors"]] == ["Mabel Thorn"]
    assert len(told["items"]) == 3
    first = next(one for one in told["items"] if one["id"] == number)
    assert (first["brand"], first["source"], first["text"], first["compound"]) == ("Acme", "north", "Another word", 0.6)
    assert [(one["text"], one["label"]) for one in first["revisions"]] == [("unmistakable 0", "positive")]
    assert [one["name"] for one in first["tags"]] == ["vip"]


def test_messages_that_name_an_item_are_found(shop: Shop) -> None:
    mabel(shop)
    number = access.items_of(shop.database, [7])[0]
    quote = {"brands": [{"top_items": {"negative": [{"id": number, "text": None}]}}]}
    window = {"period": "2026-11-19", "start": OLD, "end": NOW, "fence": 0, "failures": 0, "state": "sent"}
    sent = {"state": "sent", "key": "k" * 32, "attempts": 1, "next_try_at": NOW, "fence": 0, "sent_at": NOW}
    written(
        shop,
        (DIGEST, {"id": 1, "name": "daily", "due_at": NOW, "report": quote, **window}),
        (DIGEST, {"id": 2, "name": "daily", "due_at": LATER, "report": {"brands": []}, **window}),
        (NOTICE, {"id": 1, "kind": "rule", "name": "angry", "at": NOW, "body": {"items": [number]}}),
        (DELIVERY, {"digest_id": 1, "channel": "mail", **sent}),
        (DELIVERY, {"digest_id": 2, "channel": "mail", **sent}),
        (DELIVERY, {"digest_id": 1, "channel": "files", **sent, "state": "queued"}),
        (DELIVERY, {"notice_id": 1, "channel": "mail", **sent}),
    )
    told = [(one.kind, one.name, one.channel) for one in retention.messages(shop.database, [number])]
    assert told == [("digest", "daily", "mail"), ("rule", "angry", "mail")]
    assert retention.messages(shop.database, []) == []


# ------------------------------------------------------------------------------------------------- by age


def test_a_digest_that_carries_all_items_of_its_window_is_found_though_it_names_none(shop: Shop) -> None:
    mabel(shop)
    shop.pull(item("other", brand_id=2))
    ids = {row["external_id"]: row["id"] for row in shop.rows(ITEM)}
    base = {"name": "d", "due_at": NOW, "period": "p", "state": "sent", "fence": 0, "failures": 0}
    windows = [(OLD, OLD + DAY), (OLD - DAY, OLD)]
    for number, (start, end) in enumerate(windows, 1):
        values = {
            **base,
            "id": number,
            "due_at": end,
            "start": start,
            "end": end,
            "report": {"brands": [{"brand": "Acme"}]},
        }
        sent = {"digest_id": number, "channel": "mail", "state": "sent", "key": f"k{number}", "attempts": 1, "fence": 0}
        written(shop, (DIGEST, values), (DELIVERY, {**sent, "next_try_at": NOW}))
    found = {
        name: [one.key for one in retention.messages(shop.database, [ids[name]], whole=["d"])]
        for name in ("a0000", "other")
    }
    assert found == {"a0000": ["k1"], "other": []}
    assert retention.messages(shop.database, [ids["a0000"]]) == []


def test_old_words_go_and_figures_stay_and_no_pull_brings_them_back(shop: Shop) -> None:
    ages = [item(f"p{n}", published_at=NOW - n * DAY, author_id=7, text=f"word {n}") for n in range(10)]
    shop.pull(*ages, item("other", brand_id=2, published_at=NOW - 9 * DAY), authors=[author(7, name="Mabel")])
    figures, before = dump(shop, ROLLUP, without=["changes"]), NOW - 5 * DAY
    assert retention.count_old(shop.database, 1, before) == 4
    assert sum(retention.prune(shop.database, 1, before, LATER)) == 4
    assert sum(retention.prune(shop.database, 1, before, LATER)) == 0
    retention.clean(shop.database)
    shop.pull(*ages, authors=[author(7, name="Mabel")])
    rows = {row["published_at"]: row for row in shop.rows(ITEM) if row["brand_id"] == 1}
    assert [rows[NOW - n * DAY]["text"] is None for n in range(10)] == [False] * 6 + [True] * 4
    assert shop.row(ITEM, brand_id=2)["text"] is not None
    assert dump(shop, ROLLUP, without=["changes"]) == figures
    assert verify(shop.database) == []


def test_a_cut_off_pruning_goes_on(shop: Shop) -> None:
    old = [item(f"p{n:04d}", published_at=NOW - 30 * DAY) for n in range(2 * retention.CHUNK + 1)]
    shop.pull(*old)
    next(iter(retention.prune(shop.database, 1, NOW, LATER)))
    assert list(retention.prune(shop.database, 1, NOW, LATER)) == [retention.CHUNK, 1]


def test_the_log_of_pulls_keeps_what_figures_need(shop: Shop) -> None:
    times = [NOW - n * DAY for n in (400, 399, 398, 300, 2, 1)]
    rows = [{"source_id": 1, "begun_at": at, "ok": at != times[0]} for at in times]
    shared = {"pages": 0, "seen": 0, "new": 0, "changed": 0, "unmatched": 0, "skipped": 0}
    written(shop, *((PULL, {**shared, **row}) for row in rows))
    written(shop, (PULL, {**shared, "source_id": 2, "begun_at": times[1], "ok": None}))
    before = queries.first_good_pulls(shop.database)
    assert sum(retention.prune_log(shop.database, NOW - 180 * DAY)) == 3
    assert queries.first_good_pulls(shop.database) == before
    left = shop.database.read(lambda connection: set(connection.execute(select(PULL.c.source_id, PULL.c.begun_at))))
    assert {tuple(row) for row in left} == {(1, times[1]), (1, times[4]), (1, times[5]), (2, times[1])}


@pytest.mark.parametrize("before", [NOW - 500 * DAY, NOW + DAY])
def test_an_empty_log_is_no_trouble(shop: Shop, before: Any) -> None:
    assert list(retention.prune_log(shop.database, before)) == [0]
