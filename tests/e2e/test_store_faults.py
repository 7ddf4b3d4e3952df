"""What befalls an SQLite store under a running daemon: nothing is lost or doubled, it is said, and it goes on afterwards."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event

import pytest

from monitor.channels import Passing, write_files
from monitor.config.models import FileChannel
from monitor.daemon import pull_now
from monitor.health import health_of_sources, is_alive
from monitor.troubles import Troubles
from storage import schema
from storage.engine import StorageError, open_database
from storage.tables import ITEM
from tests.e2e.conftest import Home
from tests.e2e.faulty import (
    CONFIG,
    UNSHARE,
    HeldHackerNews,
    LimitedDisk,
    Running,
    SmallDisk,
    Store,
)
from tests.fakes.newsroom import Newsroom, Open, by_file, deliver, letter
from tests.fakes.storing import Shop, item

DISKS = [LimitedDisk, *([SmallDisk] if UNSHARE else [])]


@pytest.fixture
def fake() -> Iterator[HeldHackerNews]:
    fake = HeldHackerNews()
    yield fake
    fake.close()


Start = Callable[..., Running]


@pytest.fixture
def start(tmp_path: Path, fake: HeldHackerNews) -> Iterator[Start]:
    """Starts a daemon on a store."""
    running: list[Running] = []

    def start(database: str, prefix: Sequence[str] = ()) -> Running:
        config = tmp_path / "config.toml"
        config.write_text(CONFIG.format(database=database, fake=fake.base_url))
        running.append(Running(config, prefix))
        return running[-1]

    yield start
    for one in running:
        one.close()


# ---------------------------------------------------------------------------------------------------------- full disk


@pytest.mark.parametrize("kind", DISKS)
def test_a_disk_that_fills_up_in_the_middle_of_a_pull_loses_and_doubles_nothing(
    tmp_path: Path, start: Start, fake: HeldHackerNews, kind: type[LimitedDisk | SmallDisk]
) -> None:
    (tmp_path / "disk").mkdir()
    disk = kind(tmp_path / "disk")
    daemon = start(f"sqlite:///{disk.seen_by_daemon}/store.db", disk.prefix)
    daemon.until(fake.asked.is_set)
    store = disk.store(daemon)
    first, cursor = store.count(), store.cursor
    assert 0 < first < len(fake.seeds)
    disk.fill(daemon)
    fake.may_answer.set()
    daemon.until(lambda: daemon.says("fate=store"))
    assert (store.count(), store.cursor) == (first, cursor), "what did not fit is not there, and the cursor knows"
    assert daemon.says("the disk is full; nothing was lost, free some space") or daemon.says("the disk failed to")
    disk.free(daemon)
    daemon.until(lambda: store.count() == len(fake.seeds))
    daemon.until(lambda: daemon.says("works again"))
    daemon.stop()
    store.assert_each_once(fake.expected())
    disk.close()


@contextmanager
def files_cannot_grow_beyond(size_bytes: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_digest_that_does_not_fit_on_the_disk_is_written_whole_later(queued: Open, tmp_path: Path) -> None:
    channel = by_file(tmp_path / "digests", formats=["txt", "html"])
    room = queued(channel)
    sent = letter(room)
    with files_cannot_grow_beyond(500), pytest.raises(Passing, match=r"cannot be written .* free some space"):
        write_files(FileChannel(**channel), sent)
    assert list((tmp_path / "digests").iterdir()) == [], "half a digest is none"
    room.leases_run_out()
    assert deliver(room) == (1, "sent", "")
    assert {path.suffix for path in (tmp_path / "digests").iterdir()} == {".txt", ".html"}


# ---------------------------------------------------------------------------------------------------------- read only


def without_the_right_to_write(folder: Path) -> Sequence[str]:
    """What a command is begun with, so that it cannot write below ``folder``."""
    if UNSHARE:
        bound = f'mount --bind "{folder}" "{folder}" && mount -o remount,ro,bind "{folder}" && exec "$@"'
        return (*UNSHARE, "sh", "-c", bound, "sh")
    folder.chmod(0o500)  # which binds everyone but root, who may mount
    for file in folder.iterdir():
        file.chmod(0o400)
    return ()


def test_a_folder_that_may_only_be_read_is_said_so_and_nothing_is_written(
    home: Home, migrated_file: Path, fake: HeldHackerNews
) -> None:
    folder = home.folder / "store"
    folder.mkdir()
    shutil.copyfile(migrated_file, folder / "store.db")
    before = contents(folder)
    home.write(CONFIG.format(database=f"sqlite:///{folder}/store.db", fake=fake.base_url))
    prefix = without_the_right_to_write(folder)
    for arguments in (("run", "--once"), ("run",), ("pull",), ("scores",)):
        done = subprocess.run(
            [*prefix, *home.command(*arguments)],
            cwd=home.folder, capture_output=True, text=True, timeout=60, env=home.environment,
        )  # fmt: skip
        assert done.returncode == 1, done
        assert "store.db: the file cannot be" in done.stderr
        assert "right" in done.stderr
        assert "Traceback" not in done.stderr
    folder.chmod(0o700)
    assert contents(folder) == before


# ------------------------------------------------------------------------------------------------------------- locked


def test_a_store_that_another_process_holds_is_waited_for_and_gone_on_with(
    tmp_path: Path, migrated_file: Path, start: Start, fake: HeldHackerNews
) -> None:
    file = shutil.copyfile(migrated_file, tmp_path / "store.db")
    daemon = start(f"sqlite:///{file}?timeout=0.2")
    daemon.until(fake.asked.is_set)
    store = Store(f"sqlite:///{file}")
    first, cursor = store.count(), store.cursor
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    fake.may_answer.set()
    daemon.until(lambda: daemon.says("another process held the file for 0.2 s; end it, or wait"))
    assert (store.count(), store.cursor) == (first, cursor)
    holder.execute("ROLLBACK")
    holder.close()
    daemon.until(lambda: store.count() == len(fake.seeds))
    daemon.stop()
    store.assert_each_once(fake.expected())


def test_a_daemon_waits_for_a_store_that_is_held_when_it_starts(
    tmp_path: Path, migrated_file: Path, start: Start, fake: HeldHackerNews
) -> None:
    file = shutil.copyfile(migrated_file, tmp_path / "store.db")
    fake.may_answer.set()
    holder = sqlite3.connect(file, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    daemon = start(f"sqlite:///{file}?timeout=0.1")
    daemon.until(lambda: daemon.says("waiting for the store, next try in 2 s"))
    holder.execute("ROLLBACK")
    holder.close()
    daemon.until(lambda: Store(f"sqlite:///{file}").count() == len(fake.seeds))
    daemon.stop()


# ------------------------------------------------------------------------------------------------------------ damaged


def contents(folder: Path) -> dict[str, bytes]:
    """The files of a folder, but for the index that readers of an SQLite file share, and logs that are empty."""
    files = {path.name: path.read_bytes() for path in folder.iterdir() if not path.name.endswith("-shm")}
    return {name: content for name, content in files.items() if content or not name.endswith("-wal")}


@pytest.fixture
def filled(tmp_path: Path, migrated_file: Path) -> Path:
    """A store of 400 items, closed."""
    folder = tmp_path / "store"
    folder.mkdir()
    file = shutil.copyfile(migrated_file, folder / "store.db")
    database = open_database(f"sqlite:///{file}")
    Shop(database).pull(*(item(str(number), text="words and more words " * 20) for number in range(400)))
    database.close()
    return file


def scrambled(start: int, size: int) -> Callable[[Path], None]:
    def damage(file: Path) -> None:
        with file.open("r+b") as opened:
            opened.seek(start)
            opened.write(b"\x5a" * size)

    return damage


def a_page_in_the_middle(file: Path) -> None:
    scrambled(file.stat().st_size // 2 // 4096 * 4096, 4096)(file)


def cut_short(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size - 3 * 4096)


def in_the_middle_of_a_page(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.truncate(file.stat().st_size // 2 + 100)


def emptied(file: Path) -> None:
    file.write_bytes(b"")


def something_else(file: Path) -> None:
    file.write_text("Dear diary, " * 1_000)


DAMAGES = [
    (scrambled(0, 16), "not a database and was not touched"),
    (scrambled(16, 84), "not touched"),
    (scrambled(100, 2_000), "damaged and was not touched"),
    (a_page_in_the_middle, "damaged and was not touched"),
    (cut_short, "damaged and was not touched"),
    (in_the_middle_of_a_page, "damaged and was not touched"),
    (emptied, "the file is empty, and it was not"),
    (something_else, "not a database and was not touched"),
]


@pytest.mark.parametrize(("damage", "says"), DAMAGES)
def test_a_damaged_store_is_refused_with_the_ways_back_and_never_written(
    home: Home, filled: Path, fake: HeldHackerNews, damage: Callable[[Path], None], says: str
) -> None:
    shutil.copyfile(filled, backup := filled.with_name("store.db.20261101T080000-7.bak"))
    damage(filled)
    before = contents(filled.parent)
    home.write(CONFIG.format(database=f"sqlite:///{filled}", fake=fake.base_url))
    for arguments in (("run",), ("run", "--once")):
        said = home.run(*arguments, code=1).stderr
        assert says in said
        assert f"the newest beside it: {backup.name}" in said
        assert "Traceback" not in said
        assert contents(filled.parent) == before
    assert fake.loopback.requests == []


def test_a_damaged_log_is_as_if_its_last_pages_had_not_been_read_and_they_are_read_again(
    tmp_path: Path, filled: Path
) -> None:
    shop = Shop(open_database(f"sqlite:///{filled}"))
    shop.pull(item("in the log, whole"), cursor={"page": 1})
    wal = filled.with_name("store.db-wal")
    whole = wal.stat().st_size
    shop.pull(item("in the log, damaged"), cursor={"page": 2})
    copy = tmp_path / "store.db"
    shutil.copyfile(filled, copy)
    shutil.copyfile(wal, tmp_path / "store.db-wal")
    shop.database.close()
    scrambled(whole + 100, 4_000)(tmp_path / "store.db-wal")

    again = Shop(open_database(f"sqlite:///{copy}"))
    schema.upgrade(again.database)
    stored = {row["external_id"] for row in again.rows(ITEM)}
    assert "in the log, whole" in stored
    assert "in the log, damaged" not in stored
    assert again.claimed().cursor == {"page": 1}
    Store(f"sqlite:///{copy}").assert_each_once(stored)
    again.database.close()


def test_damage_met_by_a_running_daemon_ends_all_writing_and_shows_in_health(newsroom: Open, tmp_path: Path) -> None:
    room = newsroom()
    assert room.pull() is None
    file = tmp_path / "store.db"
    damage_the_items(room, file)
    before = file.read_bytes()
    room.publish([("r9", "t", "new text", "2026-11-19T12:00:00Z", 5, "Ann")])
    assert room.pull() == "store"
    troubles = Troubles(room.app)
    troubles.met(room.app.database.found[0])
    assert troubles.resting, "it is left alone for good"
    assert not is_alive(room.app)
    (health,) = health_of_sources(room.app)
    assert health.state == "store"
    assert "nothing is stored any more" in health.words
    assert "restore a backup" in health.words
    with pytest.raises(StorageError, match="damaged and was not touched; restore a backup"):
        pull_now(room.app, ["reviews"], Event())
    assert file.read_bytes() == before
    with pytest.raises(
        StorageError, match=r"found damaged at 2026-11-20 .*Z, and nothing is written to it before db ver"
    ):
        room.start()


def damage_the_items(room: Newsroom, file: Path) -> None:
    """Scramble the page where the table of items begins, as a bad disk does under a running program."""
    room.app.database.close()  # what is in its memory would hide it
    with closing(sqlite3.connect(file)) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (page,) = store.execute("SELECT rootpage FROM sqlite_master WHERE name = 'item'").fetchone()
    scrambled((page - 1) * 4096, 4096)(file)


def test_a_restored_store_is_used_again_once_it_has_proved_whole(
    home: Home, filled: Path, fake: HeldHackerNews
) -> None:
    fake.may_answer.set()
    backup = shutil.copyfile(filled, filled.with_name("store.db.20261101T080000-7.bak"))
    home.write(CONFIG.format(database=f"sqlite:///{filled}", fake=fake.base_url))
    filled.with_name("store.db.damaged").write_text("the file was found damaged at 2026-11-20 07:00Z\n")
    assert "before db verify finds it whole" in home.run("run", "--once", code=1).stderr
    a_page_in_the_middle(filled)
    assert "restore a backup" in home.run("db", "verify", code=1).stderr
    assert filled.with_name("store.db.damaged").exists()
    shutil.copyfile(backup, filled)
    assert "every figure is right" in home.run("db", "verify").stdout
    assert not filled.with_name("store.db.damaged").exists()
    home.run("run", "--once")
    assert Store(f"sqlite:///{filled}").count() == 400 + len(fake.seeds)
