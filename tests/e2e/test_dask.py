"""Bulk work on a real Dask cluster, some of which is killed on the way: the same figures as without."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from connectors.files_options import FileOptions
from monitor.app import App, build
from monitor.bulk import ExecutorUnusable, bulk_scoring
from monitor.config import parse
from monitor.importing import Imported, import_file
from monitor.rescoring import Rescored, rescore
from monitor.scoring import DEFAULT
from storage.tables import AUTHOR, ITEM, ROLLUP
from storage.verify import verify
from tests.fakes.storing import Shop, dump

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ROWS = 10_000
SAID = ("I love it!", "Please help - the refund never came", "a table", "crashes 🙄", "Die Lieferung kam zu spät.")


class Cluster:
    """A scheduler and two workers, each a process of its own on this machine, on ports that are free."""

    def __init__(self, folder: Path, workers: int = 2) -> None:
        self._folder = folder
        file = folder / "scheduler.json"
        quiet = ("--host", "127.0.0.1", "--port", "0", "--no-dashboard")
        self.scheduler = self._started("dask_scheduler", *quiet, "--scheduler-file", str(file))
        address = waited_for(lambda: json.loads(file.read_text())["address"] if file.exists() else None)
        one_each = ("--no-nanny", "--nthreads", "1", "--no-dashboard", "--host", "127.0.0.1")
        self.workers = [self._started("dask_worker", address, *one_each) for _ in range(workers)]
        self.executor = address.replace("tcp://", "dask://")

    def _started(self, module: str, *arguments: str) -> subprocess.Popen[bytes]:
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "default"}
        with (self._folder / "cluster.log").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", f"distributed.cli.{module}", *arguments],
                cwd=self._folder,
                env=environment,
                stdout=log,
                stderr=log,
            )

    def close(self) -> None:
        for process in (*self.workers, self.scheduler):
            process.kill()
            process.wait()


def waited_for(look: Callable[[], Any]) -> Any:
    for _ in range(1500):
        try:
            if found := look():
                return found
        except ValueError:
            pass  # half written
        Event().wait(0.02)
    raise AssertionError("it did not come")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path)
    yield cluster
    cluster.close()


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rows") / "reviews.csv"
    at = NOW - timedelta(days=40)
    rows = (
        f"{n},{(at + timedelta(minutes=2 * n)).isoformat()},{SAID[n % 5]} {n},{n % 5 + 1 if n % 3 == 0 else ''},u{n % 90}\n"
        for n in range(ROWS)
    )
    path.write_text("id,date,text,rating,author\n" + "".join(rows), encoding="utf-8")
    return path


@contextmanager
def store(file: Path, executor: str = "processes", profile: str = "default") -> Iterator[App]:
    monitor = {"database": f"sqlite:///{file}", "executor": executor}
    app = build(
        parse({"monitor": monitor, "brands": [{"name": "Acme"}], "scoring": {"profile": profile}}), now=lambda: NOW
    )
    try:
        yield app
    finally:
        app.close()


def stored(app: App) -> list[list[dict[str, Any]]]:
    assert verify(app.database) == []
    return dump(Shop(app.database, brands=("Acme",), names=()), ITEM, ROLLUP, AUTHOR)


def killing(process: subprocess.Popen[bytes], after: int) -> Callable[[int], None]:
    """Kills the process as soon as so much is done."""

    def look(done: int) -> None:
        if done >= after and process.poll() is None:
            process.send_signal(signal.SIGKILL)
            process.wait()

    return look


def imported(
    app: App, file: Path, look: Callable[[int], None] = lambda _: None, workers: int | None = None
) -> Imported:
    options = FileOptions(path=str(file), address="reviews")
    return import_file(app, options, "Acme", lambda result: look(result.rows), workers=workers)


def rescored(app: App, look: Callable[[int], None] = lambda _: None, workers: int | None = None) -> Rescored:
    return rescore(app, size=1_000, progress=lambda done, _: look(done), workers=workers)


def test_an_import_and_a_rescore_come_to_the_same_figures_though_a_worker_is_killed(
    tmp_path: Path, cluster: Cluster, file: Path
) -> None:
    with store(tmp_path / "here.db", profile="stock") as here:
        expected = imported(here, file, workers=1)
        alone = stored(here)
    with store(tmp_path / "there.db", cluster.executor, profile="stock") as there:
        assert imported(there, file, killing(cluster.workers[0], after=2_000)) == expected
        assert cluster.workers[0].returncode == -signal.SIGKILL
        assert stored(there) == alone
    cluster.workers[0] = cluster._started("dask_worker", cluster.executor.replace("dask", "tcp"), "--no-nanny")
    with store(tmp_path / "here.db") as here:
        outcome = rescored(here, workers=1)
        alone = stored(here)
    with store(tmp_path / "there.db", cluster.executor) as there:
        assert rescored(there, killing(cluster.workers[1], after=2_000)) == outcome
        assert cluster.workers[1].returncode == -signal.SIGKILL
        assert stored(there) == alone
    assert outcome.rescored == ROWS
    assert expected.new == ROWS


def test_without_its_scheduler_a_job_is_brought_to_its_end_here(
    tmp_path: Path, cluster: Cluster, file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with store(tmp_path / "there.db", cluster.executor) as there:
        assert imported(there, file, killing(cluster.scheduler, after=2_000)).new == ROWS
        assert verify(there.database) == []
    assert "this process goes on alone" in caplog.text


def test_a_scheduler_without_workers_is_said_with_the_remedy(tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, workers=0)
    try:
        with pytest.raises(ExecutorUnusable, match="the scheduler has no workers; start some with: dask worker tcp://"):
            bulk_scoring(DEFAULT, cluster.executor)
    finally:
        cluster.close()


def test_a_command_names_an_executor_that_cannot_be_reached_and_stores_nothing(tmp_path: Path, file: Path) -> None:
    shutil.copy(file, tmp_path / "reviews.csv")
    (tmp_path / "config.toml").write_text(
        '[monitor]\nexecutor = "dask://127.0.0.1:9"\n[[brands]]\nname = "Acme"\n', encoding="utf-8"
    )
    done = subprocess.run(
        [sys.executable, "-m", "monitor", "import", "reviews.csv", "--brand", "Acme"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == (
        'executor = "dask://127.0.0.1:9": no Dask scheduler can be reached there; '
        "start it (dask scheduler), or mend executor in [monitor]"
    )
