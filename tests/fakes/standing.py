"""A PostgreSQL database that stands for test after test: emptied after each, which is a third of the work of making one anew."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy.engine import make_url

if TYPE_CHECKING:
    import psycopg

_ALONE: Final = (  # whoever is still there would write into the next test
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
_CATALOGUES: Final = (
    "pg_attrdef", "pg_attribute", "pg_class", "pg_constraint", "pg_db_role_setting", "pg_index", "pg_namespace", "pg_proc",
    "pg_rewrite", "pg_trigger", "pg_type", "alembic_version",
)  # fmt: skip
_SHAPE: Final = " UNION ALL ".join(
    f"SELECT '{name}', count(*), max(xmin::text::bigint) FROM {name}" for name in _CATALOGUES
)
"""Changes with everything that is made, altered or dropped; rows of tables of ours do not change it."""
_TABLES: Final = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
_NUMBERS: Final = (
    "SELECT setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)"
    " FROM pg_sequences WHERE last_value IS NOT NULL"
)


class Standing:
    """A copy of the ``template``; a test that changed more than rows costs the next one a new copy."""

    def __init__(self, server: str, template: str) -> None:
        self._server, self._template = server, template
        self.name = f"test_{template}"
        self._shape: list[Any] | None = None
        self._filled = ""

    @property
    def address(self) -> str:
        return address_of(self._server, self.name)

    @contextmanager
    def as_made(self) -> Iterator[str]:
        """Its address, for one test."""
        if self._shape is None:
            self._make()
        yield self.address
        if not self._is_emptied():
            self.drop()

    def drop(self) -> None:
        self._shape = None
        with maintenance(self._server) as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")

    def _make(self) -> None:
        with maintenance(self._server) as connection:
            connection.execute(f"CREATE DATABASE {self.name} TEMPLATE {self._template}")
        with maintenance(self._server, self.name) as connection:
            tables = [name for (name,) in connection.execute(_TABLES)]
            self._filled = " UNION ALL ".join(f"SELECT '{name}' WHERE EXISTS (SELECT FROM {name})" for name in tables)
            assert connection.execute(self._filled).fetchall() == [], "the template holds rows, which would be lost"
            self._shape = connection.execute(_SHAPE).fetchall()

    def _is_emptied(self) -> bool:
        """Without rows as at first; false where that cannot be had by deleting them."""
        import psycopg

        try:
            with maintenance(self._server, self.name) as connection:
                connection.execute(_ALONE)
                if connection.execute(_SHAPE).fetchall() != self._shape:
                    return False
                with connection.transaction():
                    connection.execute(
                        "SET LOCAL session_replication_role = replica"
                    )  # the order is of no account then
                    for (name,) in connection.execute(self._filled).fetchall():
                        connection.execute(f"DELETE FROM {name}")
                    connection.execute(_NUMBERS)
                return True
        except psycopg.Error:  # not a superuser, or there is no such database any more
            return False


def address_of(server: str, name: str) -> str:
    """Of a server's database, as the program is told it."""
    url = make_url(server).set(drivername="postgresql+psycopg", database=name)
    return url.render_as_string(hide_password=False)


@contextmanager
def maintenance(server: str, name: str = "postgres") -> Iterator[psycopg.Connection]:
    """A connection to one of the server's databases; every statement is a transaction."""
    import psycopg

    address = make_url(server).set(drivername="postgresql", database=name)
    with psycopg.connect(address.render_as_string(hide_password=False), autocommit=True) as connection:
        yield connection
