"""A dashboard beside the daemon ends with it, from its first moment on."""

from __future__ import annotations

import subprocess
import sys

STARTING = "import time; from monitor.web.parent import Parent; {then}; print('watches', flush=True); time.sleep(60)"


def ended(then: str) -> tuple[int, str]:
    """How a process ends that is still busy when its daemon does."""
    with subprocess.Popen(
        [sys.executable, "-c", STARTING.format(then=then)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "watches\n"
        process.stdin.close()
        return process.wait(20), process.stdout.read()


def test_a_dashboard_that_is_still_starting_ends_at_once_with_the_daemon() -> None:
    assert ended("Parent()") == (0, "")


def test_a_dashboard_that_runs_ends_in_its_own_way() -> None:
    assert ended("import os; Parent().then(lambda: os.write(1, b'goodbye') and os._exit(3))") == (3, "goodbye")
