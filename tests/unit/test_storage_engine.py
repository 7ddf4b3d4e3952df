"""A store that refuses is said so with a remedy, and never harmed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, insert, text
from sqlalchemy.exc import IntegrityError

from storage import queries, schema
from storage.engine import ATTEMPTS, Database, StorageError, open_database
from storage.tables import BRAND, ITEM, REVISION, SOURCE
from storage.verify import verify
from tests.fakes.storing import NOW, OLD, Shop, item


def opened(url: str) -> Database:
    database = open_database(url)
    schema.upgrade(database)
    return database


def folder(tmp_path: Path) -> str:
    (tmp_path / "store.db").mkdir()
    return f"{tmp_path}/store.db"


def no_database(tmp_path: Path) -> str:
    (tmp_path / "store.db").write_text("Dear diary, " * 1_000)
    return f"{tmp_path}/store.db"


def below_a_file(tmp_path: Path) -> str:
    return f"{no_database(tmp_path)}/store.db"


@pytest.mark.parametrize(
    ("path", "says"),
    [
        (folder, "the file cannot be opened; look at its path and rights"),
        (no_database, "this file is not a database and was not touched; name another"),
        (below_a_file, r"folder .* cannot be made \(.+\); choose another"),
        (lambda _: "/proc/store.db", "the file cannot be opened; look at its path and rights"),
        (lambda _: "/proc/sub/store.db", r"folder /proc/sub cannot be made \(.+\); choose another"),
        (lambda _: "/dev/full", "the disk is full; nothing was lost, free some space"),
        (lambda tmp_path: f"{tmp_path}/{'x' * 300}", "the file cannot be opened; look at its path and rights"),
        (lambda tmp_path: f"{tmp_path}/{'x' * 300}/store.db", r"cannot be made \(.+\); choose another"),
    ],
)
def test_a_path_that_cannot_be_a_store_is_said_so(tmp_path: Path, path: Callable[[Path], str], says: str) -> None:
    with pytest.raises(StorageError, match=says):
        opened(f"sqlite:///{path(tmp_path)}")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("monitor.db", r'"monitor.db" is no database address; write "sqlite:///var/monitor.db"'),
        ("postgresql://me:secret@host:port/x", "is no database address"),
        ("mysql://me:secret@host/x", "mysql is not supported; use sqlite or postgresql"),
        ("sqlite://", 'names no file; write "sqlite:///var/monitor.db"'),
        ("sqlite:///:memory:", "names no file"),
        ("sqlite:///file:x?mode=memory&uri=true", "names no file"),
        (
            "postgresql://me:secret@127.0.0.1:1/x",
            "cannot be used now; nothing listens there; is it up, and are host and port right",
        ),
    ],
)
def test_an_address_that_cannot_be_a_store_is_said_so_without_its_password(url: str, says: str) -> None:
    with pytest.raises(StorageError, match=says) as raised:
        opened(url)
    assert "secret" not in str(raised.value)


@pytest.fixture
def file(migrated_file: Path, tmp_path: Path) -> Path:
    file = tmp_path / "store.db"
    file.write_bytes(migrated_file.read_bytes())
    return file


def contents(file: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in file.parent.iterdir() if not one.name.endswith("-shm")}


def use(database: Database) -> None:
    schema.upgrade(database)
    queries.stats(database)
    Shop(database).pull(item("a"))


@pytest.mark.parametrize("damage", [slice(0, 16), slice(100, 2_000), slice(4_096, None), slice(20_000, 60_000)])
def test_a_damaged_file_is_refused_and_not_touched(file: Path, damage: slice) -> None:
    broken = bytearray(file.read_bytes())
    broken[damage] = b"\x55" * len(broken[damage])
    file.write_bytes(broken)
    database = open_database(f"sqlite:///{file}")
    with pytest.raises(StorageError, match=r"was not touched; (restore a backup|name another)"):
        use(database)
    database.close()
    assert contents(file) == {"store.db": bytes(broken), **{name: b"" for name in contents(file) if "wal" in name}}


def test_a_store_without_tables_says_how_to_make_them(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="the tables are missing; run: sentiment-monitor db upgrade"):
        queries.stats(open_database(f"sqlite:///{tmp_path}/store.db"))


def test_a_full_disk_loses_nothing_and_goes_on_when_there_is_space(file: Path) -> None:
    shop = Shop(open_database(f"sqlite:///{file}"))
    shop.pull(item("a"), cursor={"page": 1})
    claim = shop.claimed()

    def pages(count: int) -> None:
        with shop.database.engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA max_page_count={count}")

    big = [item(str(number), text="long " * 500) for number in range(50)]
    pages(1)  # which is as many as there are
    with pytest.raises(StorageError, match="the disk is full; nothing was lost, free some space"):
        shop.save(claim, *big, cursor={"page": 2})
    assert (len(shop.rows(ITEM)), shop.row(SOURCE, name="north")["cursor"]) == (1, {"page": 1})
    pages(10_000)
    assert shop.save(claim, *big, cursor={"page": 2}).new == 50
    assert verify(shop.database) == []


def test_a_store_that_may_only_be_read_can_be_read_and_says_so_when_written(file: Path) -> None:
    database = open_database(f"sqlite:///{file}")

    @event.listens_for(database.engine, "connect")
    def as_of_a_file_without_the_right_to_write(dbapi: object, _: object) -> None:
        dbapi.execute("PRAGMA query_only=ON")  # type: ignore[attr-defined]

    assert queries.stats(database)["items"] == []
    with pytest.raises(StorageError, match="the file cannot be written; give this user the right to write it"):
        Shop(database)


def test_another_process_that_does_not_let_go_is_named(file: Path) -> None:
    holder, waiter = open_database(f"sqlite:///{file}"), open_database(f"sqlite:///{file}")

    @event.listens_for(waiter.engine, "connect")
    def impatient(dbapi: object, _: object) -> None:
        dbapi.execute("PRAGMA busy_timeout=50")  # type: ignore[attr-defined]

    with holder.engine.begin():
        assert queries.stats(waiter)["items"] == [], "a reader does not wait for a writer"
        with pytest.raises(StorageError, match=r"another process held the file for \d+ s; end it, or wait"):
            Shop(waiter)


def test_a_broken_rule_is_tried_again_and_then_a_bug(database: Database) -> None:
    tries = 0

    def twice_the_same(connection: Connection) -> None:
        nonlocal tries
        tries += 1
        for _ in range(2):
            connection.execute(BRAND.insert().values(name="Acme", created_at=NOW))

    with pytest.raises((IntegrityError, StorageError), match=r"UNIQUE|this is a bug, report it"):
        database.write(twice_the_same)
    assert tries == ATTEMPTS


def test_a_row_that_refers_to_nothing_is_refused(database: Database) -> None:
    with pytest.raises(IntegrityError), database.engine.begin() as connection:
        connection.execute(REVISION.insert().values(item_id=99, replaced_at=NOW))


def test_several_reads_in_one_go_see_one_state(database: Database, database_url: str) -> None:
    shop, other = Shop(database), Shop(open_database(database_url))

    def reads(connection: Connection) -> list[int]:
        found = [connection.execute(text("SELECT count(*) FROM item")).scalar_one()]
        other.pull(item("a", published_at=OLD))
        return [*found, connection.execute(text("SELECT count(*) FROM item")).scalar_one()]

    assert database.read(reads) == [0, 0]
    assert len(shop.rows(ITEM)) == 1
    other.database.close()


def test_a_relative_path_is_taken_from_where_the_program_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    database = opened("sqlite:///var/monitor.db")
    assert database.file == Path("var/monitor.db")
    assert (tmp_path / "var" / "monitor.db").exists()
    assert [file.name for file in tmp_path.iterdir()] == ["var"]


def test_an_error_never_shows_the_values_that_were_to_be_stored(database: Database) -> None:
    broken = insert(ITEM).values(id=1, text="what somebody said", brand_id=999)
    with pytest.raises((IntegrityError, StorageError)) as caught:
        database.write(lambda connection: connection.execute(broken))
    assert "what somebody said" not in str(caught.value)
