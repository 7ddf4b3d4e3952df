"""What befalls a PostgreSQL server under a running daemon: nothing is lost or doubled, and the daemon finds back by itself."""

from __future__ import annotations

import logging
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from storage import schema, sources
from storage.engine import StorageError, StoreAway, open_database
from storage.leases import LeaseLost
from storage.tables import ITEM, PULL, SOURCE
from storage.verify import verify
from tests.e2e.conftest import Home
from tests.e2e.faulty import CONFIG, HeldHackerNews, Running, Store
from tests.fakes.ownserver import OwnServer, own_server
from tests.fakes.storing import Shop, item

PASSWORD = "hush-hush-4711"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnServer]:
    with own_server(tmp_path_factory.mktemp("run")) as server:
        hba = server.folder / "pg_hba.conf"
        hba.write_text(f"local all guarded scram-sha-256\nlocal all banned reject\n{hba.read_text()}")
        server.reload()
        server.run("CREATE ROLE guarded LOGIN PASSWORD 'right'", "CREATE ROLE banned LOGIN")
        yield server


@pytest.fixture
def url(server: OwnServer) -> Iterator[str]:
    """The address of a store of a test's own."""
    name = f"store_{uuid4().hex[:12]}"
    server.run(f"CREATE DATABASE {name}")
    yield server.url(database=name)
    server.run(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def fake() -> Iterator[HeldHackerNews]:
    fake = HeldHackerNews()
    yield fake
    fake.close()


Start = Callable[[], Running]


@pytest.fixture
def start(tmp_path: Path, url: str, fake: HeldHackerNews) -> Iterator[Start]:
    running: list[Running] = []

    def start() -> Running:
        config = tmp_path / "config.toml"
        config.write_text(CONFIG.format(database=url, fake=fake.base_url))
        running.append(Running(config))
        return running[-1]

    yield start
    for one in running:
        one.close()


def ends_all_connections(server: OwnServer) -> None:
    server.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname <> ''")


@pytest.mark.parametrize(
    "befalls",
    [
        lambda server: server.restart("fast"),
        lambda server: server.restart("immediate"),
        ends_all_connections,
    ],
    ids=["restart", "crash", "terminated"],
)
def test_a_server_that_goes_and_comes_in_the_middle_of_a_pull_loses_and_doubles_nothing(
    server: OwnServer, url: str, start: Start, fake: HeldHackerNews, befalls: Callable[[OwnServer], None]
) -> None:
    daemon, store = start(), Store(url)
    daemon.until(fake.asked.is_set)
    befalls(server)
    fake.may_answer.set()
    daemon.until(lambda: store.count() == len(fake.seeds))
    daemon.stop()
    store.assert_each_once(fake.expected())
    assert not daemon.says("Traceback")


def test_a_server_that_is_away_for_a_while_is_waited_for(
    server: OwnServer, url: str, start: Start, fake: HeldHackerNews
) -> None:
    daemon, store = start(), Store(url)
    daemon.until(fake.asked.is_set)
    first, cursor = store.count(), store.cursor
    server.stop()
    fake.may_answer.set()
    daemon.until(lambda: daemon.says("the database server cannot be used now; nothing listens there"))
    server.start()
    assert (store.count(), store.cursor) == (first, cursor)
    daemon.until(lambda: store.count() == len(fake.seeds))
    daemon.until(lambda: daemon.says("works again"))
    daemon.until(lambda: any(row["ok"] for row in store.rows(PULL)))
    daemon.stop()
    store.assert_each_once(fake.expected())
    assert [row["lease_owner"] for row in store.rows(SOURCE)] == [None]
    assert next(row["seen"] for row in store.rows(PULL) if row["ok"]) >= len(fake.seeds) - first


def test_a_daemon_waits_for_a_server_that_is_away_when_it_starts(
    server: OwnServer, url: str, start: Start, fake: HeldHackerNews
) -> None:
    fake.may_answer.set()
    server.stop()
    try:
        daemon = start()
        daemon.until(lambda: daemon.says("waiting for the store, next try in 2 s"))
    finally:
        server.start()
    daemon.until(lambda: Store(url).count() == len(fake.seeds))
    daemon.stop()
    Store(url).assert_each_once(fake.expected())


def test_other_commands_do_not_wait_for_a_server(home: Home, server: OwnServer, url: str) -> None:
    home.write(CONFIG.format(database=url, fake="http://127.0.0.1:9"))
    server.stop()
    try:
        said = home.run("run", "--once", code=1).stderr
    finally:
        server.start()
    assert (
        "the database server cannot be used now; nothing listens there; is it up, and are host and port right?" in said
    )


def test_a_fence_holds_over_a_crash_of_the_server(server: OwnServer, url: str) -> None:
    shop = made(url)
    stale = shop.claimed(owner="before the crash")
    shop.save(stale, item("a"), cursor={"page": 1})
    server.restart("immediate")
    taken = sources.claim_source(
        shop.database, "other", {"north": stale.reaches_back_to}, stale.reaches_back_to, stale.lease
    )
    assert taken is None, "the lease outlives the crash"
    sources.release_all(shop.database, "before the crash")
    fresh = shop.claimed(owner="after")
    assert (fresh.cursor, fresh.fence > stale.fence) == ({"page": 1}, True)
    with pytest.raises(LeaseLost):
        shop.save(stale, item("b"), cursor={"page": 0})
    shop.save(fresh, item("b"), cursor={"page": 2})
    assert [row["external_id"] for row in shop.rows(ITEM)] == ["a", "b"]
    assert verify(shop.database) == []
    shop.database.close()


def made(url: str) -> Shop:
    database = open_database(url)
    schema.upgrade(database)
    return Shop(database)


# --------------------------------------------------------------------------------------- a client that stands still


def with_settings(url: str, **settings: str) -> str:
    """The address with other time-outs than a daemon's, so that a test need not wait minutes."""
    options = "%20".join(f"-c%20{name}%3D{value}" for name, value in settings.items())
    return f"{url}&options={options}"


def test_a_client_stopped_in_the_middle_of_a_transaction_does_not_hold_up_the_others(url: str) -> None:
    shop, claim = made(url), None
    claim = shop.claimed()
    stopped = open_database(with_settings(url, idle_in_transaction_session_timeout="500ms"))
    connection = stopped.engine.connect()
    connection.execute(text("UPDATE source SET error = 'held'"))  # and not another word
    begun = time.monotonic()
    assert shop.save(claim, item("a"), cursor={"page": 1}).new == 1
    assert 0.2 < time.monotonic() - begun < 20
    assert shop.row(SOURCE, name="north")["error"] is None, "what it had begun is undone"
    with pytest.raises(
        Exception, match=r"terminating connection due to idle-in-transaction timeout|closed the connection"
    ):
        connection.execute(text("SELECT 1"))
    connection.invalidate()
    connection.close()
    stopped.close()
    shop.database.close()


def test_a_lock_is_not_waited_for_for_ever(url: str) -> None:
    shop = made(url)
    claim = shop.claimed()
    hasty = open_database(with_settings(url, lock_timeout="200ms"))
    with shop.database.engine.connect() as holder:
        holder.execute(text("SELECT id FROM source FOR UPDATE"))
        with pytest.raises(
            StoreAway, match="another program held what was to be written for too long; end it, or wait"
        ):
            Shop(hasty).save(claim, item("a"))
        holder.rollback()
    assert Shop(hasty).save(claim, item("a")).new == 1
    hasty.close()
    shop.database.close()


def test_every_connection_of_ours_has_both_limits(url: str) -> None:
    database = open_database(url)
    names = ("lock_timeout", "idle_in_transaction_session_timeout", "TimeZone")
    for engine in (database.engine, database.readonly):
        with engine.connect() as connection:
            found = [connection.execute(text(f"SHOW {name}")).scalar_one() for name in names]
        assert found == ["30s", "2min", "UTC"]
    database.close()


def test_an_upgrade_waits_for_that_of_another_daemon_however_long_it_takes(url: str) -> None:
    first = create_engine(url)
    with first.connect() as upgrading:
        upgrading.execute(text("SELECT pg_advisory_xact_lock(7305101)"))
        second = open_database(with_settings(url, lock_timeout="100ms"))
        waiting = Thread(target=schema.upgrade, args=(second,))
        waiting.start()
        waiting.join(0.5)
        assert waiting.is_alive()
        upgrading.rollback()
        waiting.join(60)
    assert schema.version(second) == schema.HEAD
    second.close()
    first.dispose()


# ---------------------------------------------------------------------------------------------------- cannot get in


def address(server: OwnServer, base: str, **parts: Any) -> str:
    return base if base.startswith("postgresql") else server.url(**parts) + base


@pytest.mark.parametrize(
    ("base", "parts", "kind", "says"),
    [
        ("", {"username": "guarded", "password": PASSWORD}, StorageError, "refused the user or the password"),
        ("", {"username": "guarded"}, StorageError, "refused the user or the password"),
        (f"&user=guarded&password={PASSWORD}", {"username": None}, StorageError, "refused the user or the password"),
        ("", {"username": "banned", "password": PASSWORD}, StorageError, "does not let this user in"),
        ("", {"username": "nobody", "password": PASSWORD}, StorageError, "does not let this user in"),
        ("", {"database": "nowhere", "password": PASSWORD}, StorageError, "no such database; make it"),
        (f"postgresql://u:{PASSWORD}@127.0.0.1:1/x", {}, StoreAway, "nothing listens there"),
        (f"postgresql://u@127.0.0.1:1/x?password={PASSWORD}", {}, StoreAway, "nothing listens there"),
        (f"postgresql://u:{PASSWORD}@no-such-host.invalid/x", {}, StoreAway, "its host's name leads nowhere"),
        (f"postgresql://u:{PASSWORD}@/x?host=/no/where", {}, StoreAway, "nothing listens there"),
        ("&nonsense=1", {"password": PASSWORD}, StorageError, "an option that PostgreSQL does not know"),
    ],
)
def test_a_door_that_stays_shut_is_named_and_the_password_is_nowhere(
    server: OwnServer,
    caplog: pytest.LogCaptureFixture,
    base: str,
    parts: dict[str, Any],
    kind: type[StorageError],
    says: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    database = open_database(address(server, base, **parts))
    with pytest.raises(StorageError, match=says) as raised:
        schema.upgrade(database)
    assert type(raised.value) is kind
    printed = "".join(traceback.format_exception(raised.value))
    for text_ in (printed, repr(raised.value), repr(database), repr(database.engine), database.shown, caplog.text):
        assert PASSWORD not in text_
    database.close()


def test_a_command_that_cannot_get_in_says_so_in_one_line_without_the_password(home: Home, server: OwnServer) -> None:
    home.write(CONFIG.format(database=server.url(username="guarded", password=PASSWORD), fake="http://127.0.0.1:9"))
    for arguments in (("run",), ("scores",), ("db", "stats")):
        done = home.run(*arguments, code=1)
        assert done.stderr.count("\n") == 1
        assert "the server refused the user or the password; look at those in monitor.database" in done.stderr
        assert PASSWORD not in done.stdout + done.stderr


def test_settings_never_show_the_password_of_the_database(home: Home, server: OwnServer) -> None:
    from monitor.config import load

    home.write(CONFIG.format(database=server.url(password=PASSWORD), fake="http://127.0.0.1:9"))
    settings = load(home.folder / "config.toml")
    assert PASSWORD in settings.monitor.database
    assert PASSWORD not in repr(settings) + str(settings)
