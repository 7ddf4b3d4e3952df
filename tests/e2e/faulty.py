"""A daemon as a process of its own, on a store that fails: what it reads, what it says, what it has stored."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any, ClassVar

from sqlalchemy import Table, select

from connectors.testing.loopback import Reply, Request
from storage.engine import Database, StorageError, open_database
from storage.tables import ITEM, SOURCE
from storage.verify import verify
from tests.e2e.forking import ROOT, Forked, forker
from tests.fakes.hackernews import FakeHackerNews

ITEMS = 340
WAIT_SECONDS = 40


class HeldHackerNews(FakeHackerNews):
    """Shows its first page of a listing at once and the further ones when it may; 340 items on four pages."""

    page_size: ClassVar[int] = 100

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.may_answer = Event(), Event()
        self.publish(ITEMS, at=datetime.now(UTC))

    def respond(self, request: Request) -> Reply:
        if int(request.query.get("page", 0)) > 0:
            self.asked.set()
            self.may_answer.wait(WAIT_SECONDS)
        return super().respond(request)

    def close(self) -> None:
        self.may_answer.set()
        super().close()


CONFIG = """
[monitor]
database = "{database}"
lease = "2s"
workers = 1

[[brands]]
name = "Acme"

[[sources]]
name = "news"
type = "hackernews"
brand = "Acme"
match = "all"
every = "1m"
options = {{ base_url = "{fake}" }}
"""


class Running:
    """A daemon under way; ``shell`` is what is done in its own mounts before it starts."""

    def __init__(self, config: Path, prefix: Sequence[str] = ()) -> None:
        self.process = _begun(config, prefix)
        self.said: list[str] = []
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        self.said.extend(self.process.stderr)  # line by line, as they come

    def says(self, words: str) -> bool:
        return any(words in line for line in list(self.said))

    def until(self, what: Callable[[], object]) -> None:
        """Wait until ``what`` holds; a daemon that ends before is a failure."""
        end = time.monotonic() + WAIT_SECONDS
        while not what():
            assert self.process.poll() is None, "".join(self.said)
            assert time.monotonic() < end, "".join(self.said)
            time.sleep(0.02)

    def stop(self) -> None:
        """End it as a service manager does; it must end well."""
        self.process.terminate()
        assert self.ended() == 0, "".join(self.said)

    def ended(self) -> int:
        code = self.process.wait(WAIT_SECONDS)
        self._reader.join()
        return code

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()


def _begun(config: Path, prefix: Sequence[str]) -> Forked | subprocess.Popen[str]:
    """Forked off a loaded process, unless a ``prefix`` is to run before."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    if not prefix:
        return forker().start("tests.e2e.quickly:main", [str(config)], config.parent, environment)
    command = [*prefix, sys.executable, "-m", "tests.e2e.quickly", str(config)]
    return subprocess.Popen(
        command, cwd=config.parent, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment
    )


class Store:
    """The daemon's store, looked at from outside."""

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def url(self) -> str:
        return self._url

    def rows(self, table: Table) -> list[dict[str, Any]]:
        database = open_database(self.url)
        try:
            return database.read(lambda connection: [dict(row) for row in connection.execute(select(table)).mappings()])
        finally:
            database.close()

    def count(self) -> int:
        """Items stored; 0 while there is no store yet, or none that answers."""
        with suppress(StorageError):
            return len(self.rows(ITEM))
        return 0

    @property
    def cursor(self) -> Any:
        (source,) = self.rows(SOURCE)
        return source["cursor"]

    def assert_each_once(self, expected: set[str]) -> None:
        """Everything expected is stored once, and the figures are right."""
        found = Counter(row["external_id"] for row in self.rows(ITEM))
        assert set(found) == expected
        assert set(found.values()) == {1}
        database: Database = open_database(self.url)
        assert verify(database) == []
        database.close()


class Copied(Store):
    """A store on a disk that only the daemon sees, looked at in a copy, since SQLite finds a file by its name."""

    def __init__(self, folder: Path, copies: Path) -> None:
        self._folder, self._copies = folder, copies

    @property
    def url(self) -> str:
        copies = Path(tempfile.mkdtemp(dir=self._copies))
        for name in ("store.db", "store.db-wal"):
            with suppress(FileNotFoundError):
                (copies / name).write_bytes((self._folder / name).read_bytes())
        return f"sqlite:///{copies}/store.db"


class LimitedDisk:
    """A folder whose files cannot grow while it is "full": the daemon's limit on the size of a file."""

    prefix: Sequence[str] = ()

    def __init__(self, folder: Path) -> None:
        self.seen_by_daemon = folder
        self._folder = folder

    def store(self, _daemon: Running) -> Store:
        return Store(f"sqlite:///{self._folder}/store.db")

    def fill(self, daemon: Running) -> None:
        _, hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (1, hard))

    def free(self, daemon: Running) -> None:
        _, hard = resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE, (hard, hard))

    def close(self) -> None:
        """Nothing is left behind."""


class SmallDisk:
    """A file system of 6 MB, mounted for the daemon alone."""

    def __init__(self, folder: Path) -> None:
        self.seen_by_daemon = folder
        mount = f'mount -t tmpfs -o size=6m small "{folder}" && exec "$@"'
        self.prefix: Sequence[str] = (*UNSHARE, "sh", "-c", mount, "sh")
        self._root: int | None = None

    def store(self, daemon: Running) -> Store:
        return Copied(self._mounted(daemon), self.seen_by_daemon)

    def _mounted(self, daemon: Running) -> Path:
        """Its path for the test, which stays good when the daemon has ended."""
        if self._root is None:
            self._root = os.open(f"/proc/{daemon.process.pid}/root{self.seen_by_daemon}", os.O_RDONLY)
        return Path(f"/proc/self/fd/{self._root}")

    def fill(self, daemon: Running) -> None:
        with (self._mounted(daemon) / "ballast").open("wb", buffering=0) as ballast:
            for size in (65_536, 4_096, 1):
                with suppress(OSError):
                    while ballast.write(b"x" * size) == size:
                        pass

    def free(self, daemon: Running) -> None:
        (self._mounted(daemon) / "ballast").unlink()

    def close(self) -> None:
        if self._root is not None:
            os.close(self._root)


def _unshare() -> Sequence[str]:
    """How this user may mount something for a process alone; empty where it may not."""
    for command in (("unshare", "-m"), ("unshare", "-r", "-m")):
        with suppress(OSError):
            tried = subprocess.run([*command, "mount", "-t", "tmpfs", "none", "/mnt"], capture_output=True)
            if tried.returncode == 0:
                return command
    return ()


UNSHARE = _unshare()
