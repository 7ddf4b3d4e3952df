"""A whole store into another: every direction, every table, and the copy goes on where the original stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy import insert, select, text

from storage import changes, copying, schema
from storage.engine import Database, StorageError, open_database
from storage.people_tables import ANNOTATION, EXPORT_POINT, MARK, TAG
from storage.tables import BRAND, CORRECTION, ITEM, NOTE, REVISION
from storage.verify import verify
from tests.fakes.storing import NOW, OLD, Shop, author, item

Empty = Callable[[str], str]


@pytest.fixture
def empty(tmp_path: Path, request: pytest.FixtureRequest) -> Empty:
    """Addresses of databases without any tables."""

    def address(backend: str) -> str:
        file = f"sqlite:///{tmp_path}/copy.db"
        return file if backend == "sqlite" else str(request.getfixturevalue("postgres_database"))

    return address


@pytest.fixture
def filled(shop: Shop) -> Shop:
    """A store with something in most tables, and more rows of items than a chunk has."""
    known = {"author_id": 1, "attributes": {"country": "DE"}, "likes": 2}
    many = [item(str(number), published_at=OLD + timedelta(hours=number % 40)) for number in range(1_200)]
    shop.pull(item("a", **known), *many, authors=[author(1, name="Ada", followers=9)], cursor={"page": 7})
    shop.pull(item("a", **{**known, "likes": 5, "text": "edited"}), at=NOW + timedelta(hours=1))
    shop.pull(item("r", brand_id=2, kind="review", stars=45_000, star_cell=5), name="south")
    number = shop.row(ITEM, external_id="a")["id"]
    by = {"item_id": number, "by": "me", "at": NOW}

    def people(connection: object) -> None:
        for table, values in (
            (CORRECTION, {**by, "label": "negative"}),
            (MARK, {**by, "what": "done"}),
            (TAG, {**by, "name": "press"}),
            (ANNOTATION, {"at": NOW, "text": "release 2.0", "created_at": NOW}),
            (NOTE, {"name": "a list", "value": [1, {"deep": None}]}),
        ):
            connection.execute(insert(table).values(values))  # type: ignore[attr-defined]

    shop.database.write(people)
    return shop


def everything(database: Database) -> dict[str, list[tuple[object, ...]]]:
    def work(connection: object) -> dict[str, list[tuple[object, ...]]]:
        found = {table.name: connection.execute(select(table)).all() for table in copying.tables()}  # type: ignore[attr-defined]
        return {name: sorted((tuple(row) for row in rows), key=repr) for name, rows in found.items()}

    return database.read(work)


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_a_copy_holds_all_that_the_original_holds(filled: Shop, empty: Empty, backend: str) -> None:
    target = open_database(empty(backend))
    told: list[tuple[str, int, int]] = []
    rows = copying.copy(filled.database, target, lambda *what: told.append(what))
    assert everything(target) == everything(filled.database)
    assert (rows["item"], rows["revision"], rows["correction"], rows["tag"]) == (1_202, 1, 1, 1)
    assert ("item", 1_000, 1_202) in told
    assert ("item", 1_202, 1_202) in told
    assert verify(target) == []
    assert schema.version(target) == schema.HEAD
    target.close()


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"])
def test_a_copy_goes_on_where_the_original_stopped(filled: Shop, empty: Empty, backend: str) -> None:
    target = open_database(empty(backend))
    copying.copy(filled.database, target)
    copy = Shop(target)
    assert [row["name"] for row in copy.rows(BRAND)] == ["Acme", "Rival"]
    claim = copy.claimed()
    assert claim.cursor == {"page": 7}
    saved = copy.save(claim, item("new"), item("a", text="edited again", likes=8), at=NOW + timedelta(hours=2))
    assert (saved.new, saved.changed) == (1, 1)
    assert len({row["id"] for row in copy.rows(ITEM)}) == 1_203
    assert len(copy.rows(REVISION)) == 2
    target.write(lambda c: c.execute(insert(BRAND).values(name="Third", created_at=NOW)))
    assert verify(target) == []
    target.close()


def test_words_are_found_in_the_copy(filled: Shop, empty: Empty) -> None:
    target = open_database(empty("postgresql" if filled.database.is_sqlite else "sqlite"))
    copying.copy(filled.database, target)
    both = [
        database.read(lambda c: c.execute(text("SELECT count(*) FROM item_search")).scalar_one())
        for database in (filled.database, target)
    ]
    assert both[1] == len(filled.rows(ITEM))
    assert both[0] == both[1]
    target.close()


def test_there_and_back_again_is_the_same(filled: Shop, empty: Empty) -> None:
    there, back = open_database(empty("postgresql")), open_database(empty("sqlite"))
    copying.copy(filled.database, there)
    copying.copy(there, back)
    assert everything(back) == everything(filled.database)
    for database in (there, back):
        database.close()


def test_tokens_of_exports_are_not_those_of_the_copy(filled: Shop, empty: Empty) -> None:
    changes.take_point(filled.database, NOW)
    target = open_database(empty("sqlite"))
    copying.copy(filled.database, target)
    assert Shop(target).rows(EXPORT_POINT) == []
    target.close()


def test_a_store_that_is_not_empty_is_not_filled(filled: Shop, empty: Empty) -> None:
    target = open_database(empty("sqlite"))
    schema.upgrade(target)
    Shop(target)
    with pytest.raises(StorageError, match=r"not empty \(it has rows of brand\); move it away or name another"):
        copying.copy(filled.database, target)
    target.close()


def test_a_store_is_not_copied_onto_itself(filled: Shop, database_url: str) -> None:
    before = everything(filled.database)
    again = open_database(database_url)
    with pytest.raises(StorageError, match="not empty"):
        copying.copy(filled.database, again)
    assert everything(filled.database) == before
    again.close()


def test_only_a_store_of_this_version_is_copied(filled: Shop, empty: Empty) -> None:
    filled.database.write(lambda c: c.execute(text("UPDATE alembic_version SET version_num = '0001'")))
    with pytest.raises(StorageError, match="are of version 0001; run: sentiment-monitor db upgrade"):
        copying.copy(filled.database, open_database(empty("sqlite")))


def test_what_is_written_meanwhile_is_not_in_the_copy(filled: Shop, empty: Empty, database_url: str) -> None:
    before, target = everything(filled.database), open_database(empty("sqlite"))
    other = Shop(open_database(database_url))

    def writes(table: str, done: int, _total: int) -> None:
        if (table, done) == ("brand", 2):
            other.pull(item("late"))

    copying.copy(filled.database, target, writes)
    copied = everything(target)
    assert copied["item"] == before["item"]
    assert copied["rollup"] == before["rollup"]
    assert verify(target) == []
    for database in (target, other.database):
        database.close()


def test_a_copy_that_is_killed_leaves_an_empty_store_and_can_be_started_again(
    filled: Shop, empty: Empty, database_url: str
) -> None:
    address = empty("postgresql" if filled.database.is_sqlite else "sqlite")
    code = (
        "import sys, time; from storage import copying; from storage.engine import open_database\n"
        "def told(table, done, total):\n"
        "    if table == 'item': print('under way', flush=True); time.sleep(60)\n"
        f"copying.copy(open_database({database_url!r}), open_database({address!r}), told)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "under way\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    target = open_database(address)
    assert not any(everything(target).values())
    copying.copy(filled.database, target)
    assert everything(target) == everything(filled.database)
    target.close()


def test_who_holds_the_store_is_told(filled: Shop) -> None:
    assert copying.in_use(filled.database) == []
    filled.claimed("south", owner="daemon 1")
    assert copying.in_use(filled.database) == ["daemon 1"]


# ------------------------------------------------------------------------------------------------- backups


def test_any_store_is_backed_up_into_one_file(filled: Shop, tmp_path: Path) -> None:
    target = tmp_path / "backup.db"
    copying.to_file(filled.database, target)
    assert [file.name for file in tmp_path.iterdir() if "backup" in file.name] == ["backup.db"]
    copy = open_database(f"sqlite:///{target}")
    assert everything(copy) == everything(filled.database)
    copy.close()
    with pytest.raises(StorageError, match=r"backup\.db exists; name another file"):
        copying.to_file(filled.database, target)


@pytest.mark.timeout(180)
def test_backups_taken_while_several_pull_are_whole_and_hold_what_was_there(
    shop: Shop, tmp_path: Path, database_url: str
) -> None:
    """Each holds, of every writer, all that it had been told is stored, and nothing out of its turn."""
    stop, stored = Event(), {"north": 0, "south": 0}
    faults: list[BaseException] = []

    def pulls(name: str) -> None:
        mine = Shop(open_database(database_url))
        try:
            while not stop.is_set():
                number = stored[name]
                mine.pull(*(item(f"{name} {number:05} {n}", likes=number) for n in range(10)), name=name)
                stored[name] += 1
        except BaseException as error:  # told by the test
            faults.append(error)
        finally:
            mine.database.close()

    threads = [Thread(target=pulls, args=(name,)) for name in stored]
    for thread in threads:
        thread.start()
    sure: list[dict[str, int]] = []
    while len(sure) < 4 or min(stored.values()) < 5:
        sure.append(dict(stored))
        _back_up(shop.database, tmp_path / f"{len(sure)}.bak.db")
    stop.set()
    for thread in threads:
        thread.join()
    assert faults == []
    for number, known in enumerate(sure, start=1):
        _check_backup(tmp_path / f"{number}.bak.db", known)


def _back_up(database: Database, file: Path) -> None:
    if database.is_sqlite:
        schema.backup(database, file)
    else:
        copying.to_file(database, file)


def _check_backup(file: Path, known: dict[str, int]) -> None:
    copy = Shop(open_database(f"sqlite:///{file}"), brands=(), names=())
    with copy.database.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
        assert connection.exec_driver_sql("PRAGMA foreign_key_check").first() is None
    assert verify(copy.database) == []
    ids = sorted(row["external_id"] for row in copy.rows(ITEM))
    for name, pages in known.items():
        mine = [external_id for external_id in ids if external_id.startswith(name)]
        assert len(mine) >= 10 * pages
        assert mine == [f"{name} {number:05} {n}" for number in range(len(mine) // 10) for n in range(10)]
    assert schema.upgrade(copy.database) == schema.HEAD
    copy.database.close()
