"""Stores to test with: a migrated SQLite file, and a PostgreSQL server's database where ``TEST_POSTGRES_URL`` names one."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from storage import schema
from storage.engine import Database, open_database
from tests.fakes.storing import Shop

POSTGRES_URL = os.environ.get("TEST_POSTGRES_URL")
BACKENDS = ["sqlite", *(["postgresql"] if POSTGRES_URL else [])]
"""What every test that asks for ``database_url`` (or for what is made of it) runs on."""


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite store without rows, to be copied."""
    file = tmp_path_factory.mktemp("store") / "empty.db"
    database = open_database(f"sqlite:///{file}")
    schema.upgrade(database)
    database.close()
    return file


@pytest.fixture(params=BACKENDS)
def database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a migrated store without rows."""
    if request.param == "sqlite":
        file = request.getfixturevalue("tmp_path") / "store.db"
        shutil.copyfile(request.getfixturevalue("migrated_file"), file)
        yield f"sqlite:///{file}"
    else:
        yield from _postgresql_database()


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A migrated store without rows, open."""
    database = open_database(database_url)
    yield database
    database.close()


@pytest.fixture
def shop(database: Database) -> Shop:
    """A store with two brands and two sources."""
    return Shop(database)


def _postgresql_database() -> Iterator[str]:
    name = f"test_{uuid4().hex[:12]}"
    server = create_engine(make_url(POSTGRES_URL or ""), isolation_level="AUTOCOMMIT")
    with server.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = server.url.set(database=name).render_as_string(hide_password=False)
    database = open_database(url)
    schema.upgrade(database)
    database.close()
    yield url
    with server.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    server.dispose()
