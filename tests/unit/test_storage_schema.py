"""The tables: made, brought up to date, copied; and never made in what is not ours."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from threading import Event, Thread

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, create_engine, text

from storage import schema, search
from storage.engine import Database, StorageError, open_database
from storage.tables import ITEM, METADATA
from storage.verify import verify
from tests.fakes.storing import Shop, crash_everywhere, item


@pytest.fixture
def empty(tmp_path: Path) -> Database:
    """A store whose file is yet to be made, in a folder yet to be made."""
    return open_database(f"sqlite:///{tmp_path}/var/lib/monitor.db")


def test_an_empty_store_gets_its_tables_and_again_nothing(empty: Database) -> None:
    assert schema.version(empty) is None
    assert [schema.upgrade(empty) for _ in range(2)] == [None, schema.HEAD]
    assert schema.version(empty) == schema.HEAD
    assert empty.file is not None
    assert [file.suffix for file in empty.file.parent.iterdir() if file.suffix == ".bak"] == []


def test_the_migrations_make_the_tables_that_the_program_knows(database: Database) -> None:
    with database.engine.connect() as connection:
        opts = {"compare_type": True, "compare_server_default": True, "include_name": _is_no_part_of_fts5}
        context = MigrationContext.configure(
            connection, opts=opts if database.is_sqlite else {**opts, "include_name": None}
        )
        assert compare_metadata(context, METADATA if database.is_sqlite else _with_search_table()) == []


def _is_no_part_of_fts5(name: str | None, kind: str, _parents: object) -> bool:
    return kind != "table" or name not in search.FTS_TABLES


def _with_search_table() -> MetaData:
    """All tables that a server has."""
    whole = MetaData(naming_convention=METADATA.naming_convention)
    for table in (*METADATA.sorted_tables, search.POSTGRESQL_INDEX):
        table.to_metadata(whole)
    return whole


def test_the_newest_script_is_the_version_that_the_program_knows() -> None:
    config = Config()
    config.set_main_option("script_location", "storage:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [schema.HEAD]


def test_a_crash_anywhere_in_an_upgrade_leaves_an_empty_store(empty: Database) -> None:
    def nothing_is_there() -> None:
        assert schema.version(empty) is None

    assert crash_everywhere(empty, lambda: schema.upgrade(empty), nothing_is_there) > 30
    assert schema.version(empty) == schema.HEAD


def test_two_processes_may_make_the_tables_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/store.db"
    code = (
        "import sys, alembic.command, alembic.config; from storage import schema; from storage.engine import open_database;"
        f" print(flush=True); sys.stdin.read(1); print(schema.upgrade(open_database({url!r})))"
    )
    both = [
        subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in both:
        assert process.stdout is not None
        process.stdout.readline()
    said = [process.communicate("go")[0].strip() for process in both]
    assert {process.returncode for process in both} == {0}
    assert set(said) <= {"None", schema.HEAD}
    assert schema.version(open_database(url)) == schema.HEAD


def test_a_store_of_a_newer_program_is_refused(database: Database) -> None:
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StorageError, match=r"version 9999, newer than this program's .*; upgrade the program"):
        schema.upgrade(database)


def test_a_database_of_something_else_is_refused_and_not_touched(tmp_path: Path) -> None:
    file = tmp_path / "bookmarks.db"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE bookmark (url TEXT)")
    connection.close()
    before = file.read_bytes()
    with pytest.raises(StorageError, match=r"tables of something else \(bookmark\); name another"):
        schema.upgrade(open_database(f"sqlite:///{file}"))
    assert file.read_bytes() == before


def test_foreign_keys_hold_after_an_upgrade(empty: Database) -> None:
    schema.upgrade(empty)
    with empty.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


# ----------------------------------------------------------------------------------------------------------- backups


@pytest.fixture
def sqlite_shop(migrated_file: Path, tmp_path: Path) -> Shop:
    file = tmp_path / "store.db"
    file.write_bytes(migrated_file.read_bytes())
    return Shop(open_database(f"sqlite:///{file}"))


def test_a_backup_made_while_pages_are_stored_is_whole(sqlite_shop: Shop, tmp_path: Path) -> None:
    stop = Event()

    def stores() -> None:
        claim = sqlite_shop.claimed()
        number = 0
        while not stop.is_set():
            sqlite_shop.save(claim, *(item(f"{number} {n}") for n in range(10)))
            number += 1

    thread = Thread(target=stores)
    thread.start()
    for number in range(3):
        schema.backup(sqlite_shop.database, tmp_path / "backups" / f"{number}.db")
    stop.set()
    thread.join()
    for file in sorted((tmp_path / "backups").iterdir()):
        copy = Shop(open_database(f"sqlite:///{file}"))
        assert schema.upgrade(copy.database) == schema.HEAD
        assert len(copy.rows(ITEM)) % 10 == 0
        assert verify(copy.database) == []
        copy.database.close()


def test_a_backup_never_overwrites(sqlite_shop: Shop, tmp_path: Path) -> None:
    target = tmp_path / "kept.db"
    target.write_text("precious")
    with pytest.raises(StorageError, match=r"kept\.db exists; name another file"):
        schema.backup(sqlite_shop.database, target)
    assert target.read_text() == "precious"


@pytest.mark.parametrize("target", ["/proc/backup.db", "/proc/folder/backup.db", "{folder}/store.db/backup.db"])
def test_a_backup_that_cannot_be_written_says_so(sqlite_shop: Shop, tmp_path: Path, target: str) -> None:
    with pytest.raises(StorageError, match=r"db backup: .*backup\.db cannot be written \(.+\); name another file"):
        schema.backup(sqlite_shop.database, Path(target.format(folder=tmp_path)))


def test_a_backup_leaves_nothing_behind_when_the_store_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "store.db").write_bytes(b"no database" * 1_000)
    with pytest.raises(StorageError, match="not a database and was not touched"):
        schema.backup(open_database(f"sqlite:///{tmp_path}/store.db"), tmp_path / "copy.db")
    assert [file.name for file in tmp_path.iterdir()] == ["store.db"]


def test_a_server_is_backed_up_by_its_own_tools() -> None:
    server = create_engine("postgresql+psycopg://nowhere/x")
    with pytest.raises(StorageError, match="use pg_dump"):
        schema.backup(Database(server, server), Path("x"))
