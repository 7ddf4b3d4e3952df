"""Bulk scoring held to this: the answers of ``score_batch``, in order, whatever becomes of the workers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from multiprocessing import active_children
from pathlib import Path
from threading import Event

import pytest

from monitor.bulk import IN_FLIGHT, SMALL, Batch, BulkScoring, Here, Lost, bulk_scoring
from monitor.config import ConfigError, parse
from monitor.scoring import DEFAULT, Profile, Scorable, Scored, score_batch

ROOT = Path(__file__).parents[2]
PARENT = """
from monitor.bulk import bulk_scoring
from monitor.scoring import DEFAULT, Scorable
from multiprocessing import active_children
from threading import Event

if __name__ == "__main__":
    with bulk_scoring(DEFAULT, "processes", workers=2) as scoring:
        batch = [Scorable(body="I love it")]
        for number, _ in scoring.in_order((number, batch) for number in range(100_000_000)):
            if number == 10:
                print(*(child.pid for child in active_children()), flush=True)
"""


def work(count: int = 40, size: int = 20) -> Iterator[tuple[int, Batch]]:
    for number in range(count):
        yield number, [Scorable(body=f"It is {'good' if n % 3 else 'broken'}, case {n}") for n in range(number, size)]


EXPECTED = [(number, score_batch(batch, DEFAULT)) for number, batch in work()]


def test_processes_answer_as_this_one_does_and_in_order() -> None:
    with bulk_scoring(DEFAULT, "processes", workers=2) as scoring:
        assert list(scoring.in_order(work())) == EXPECTED


def test_a_small_job_starts_no_processes() -> None:
    before = set(active_children())
    with bulk_scoring(DEFAULT, "processes") as scoring:
        assert list(scoring.in_order(work())) == EXPECTED
        assert set(active_children()) == before


def test_a_job_that_proves_large_gets_workers() -> None:
    opened: list[int] = []

    def later() -> Here:
        opened.append(SMALL)
        return Here()

    batch = [Scorable()] * 1000
    with BulkScoring(DEFAULT, Here(), later=later) as scoring:
        list(scoring.in_order((number, batch) for number in range(SMALL // 1000)))
        assert opened == []
        list(scoring.in_order([(0, batch), (1, batch)]))
    assert opened == [SMALL]


def test_no_more_is_taken_than_twice_the_workers() -> None:
    taken = 0

    def counted() -> Iterator[tuple[int, Batch]]:
        nonlocal taken
        for entry in work():
            taken += 1
            yield entry

    with bulk_scoring(DEFAULT, "processes", workers=2) as scoring:
        for answered, _ in enumerate(scoring.in_order(counted()), start=1):
            assert taken - answered < IN_FLIGHT * 2


def test_a_killed_process_costs_nothing(caplog: pytest.LogCaptureFixture) -> None:
    found = []
    with bulk_scoring(DEFAULT, "processes", workers=2) as scoring:
        for number, scored in scoring.in_order(work()):
            found.append((number, scored))
            if number in (5, 20):
                active_children()[0].kill()
    assert found == EXPECTED
    assert "what they had is scored again" in caplog.text


class Doomed:
    """Workers that die over everything."""

    at_once = 4

    def __init__(self) -> None:
        self.renewals = 0

    def send(self, batch: Batch, profile: Profile) -> Future[list[Scored]]:
        return Future()

    def answer(self, sent: Future[list[Scored]]) -> list[Scored]:
        raise Lost("a process has died")

    def renewed(self) -> Doomed:
        self.renewals += 1
        return self

    def close(self) -> None:
        """Nothing to end."""


def test_where_workers_die_again_and_again_this_process_goes_on_alone(caplog: pytest.LogCaptureFixture) -> None:
    doomed = Doomed()
    with BulkScoring(DEFAULT, doomed) as scoring:
        assert list(scoring.in_order(work())) == EXPECTED
    assert doomed.renewals == 2
    assert "3 times in a row; this process goes on alone" in caplog.text


def test_the_processes_of_a_killed_process_end_by_themselves(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        children = [int(number) for number in parent.stdout.readline().split()]
        parent.kill()
    assert len(children) == 2
    for _ in range(1000):
        if not any(is_running(child) for child in children):
            return
        Event().wait(0.02)
    raise AssertionError("they went on")


def is_running(pid: int) -> bool:
    """Who ended and is not yet cleared away does not run."""
    try:
        os.kill(pid, 0)
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (ProcessLookupError, FileNotFoundError):
        return False


def test_ctrl_c_ends_the_processes_without_a_word(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment,
        start_new_session=True,
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        assert parent.stdout.readline()
        os.killpg(parent.pid, signal.SIGINT)
        _, said = parent.communicate(timeout=60)
    assert said.count("Traceback") == 1, said  # its own
    assert "SpawnProcess" not in said


@pytest.mark.parametrize("name", ["threads", "dask://", "dask://host", "dask:host:1", "tcp://host:8786", ""])
def test_an_executor_that_cannot_be_is_a_fault_of_the_configuration(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse({"monitor": {"executor": name}, "brands": [{"name": "Acme"}]})
    assert "monitor.executor" in str(caught.value.faults[0])
