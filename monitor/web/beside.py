"""The dashboard beside the daemon: a process of its own, started again when it ends, and ended with the daemon."""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Final

LOG = logging.getLogger("sentiment_monitor.web")
FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 60.0
STEADY: Final = 60.0
"""Seconds after which a dashboard has run well, and the next wait is the first again."""
GRACE: Final = 5.0


@contextmanager
def dashboard(config: Path, *options: str) -> Iterator[None]:
    """A dashboard on this configuration while the block runs."""
    keeper = _Keeper([sys.executable, "-m", "monitor", "web", "--with-parent", "--config", str(config), *options])
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()


class _Keeper:
    """Starts the process, waits for its end, starts it again: at once, then ever later."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = command
        self._over = Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = Thread(target=self._keep, name="dashboard", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """The process ends when its standard input closes; if it does not, it is made to."""
        self._over.set()
        process = self._process
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _keep(self) -> None:
        wait = FIRST_WAIT
        while not self._over.is_set():
            begun = time.monotonic()
            code = self._run()
            if self._over.is_set():
                return
            wait = FIRST_WAIT if time.monotonic() - begun > STEADY else min(LONGEST_WAIT, wait * 2)
            LOG.warning("the dashboard ended code=%d, started again in seconds=%.0f", code, wait)
            self._over.wait(wait)

    def _run(self) -> int:
        process = subprocess.Popen(self._command, stdin=subprocess.PIPE, process_group=0)  # noqa: S603 - our own; Ctrl-C is for us
        self._process = process
        if self._over.is_set() and process.stdin is not None:
            process.stdin.close()
        return process.wait()
