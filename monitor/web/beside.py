"""The dashboard beside the daemon: a process of its own, started again when it ends, and ended with the daemon."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Final, Protocol

from monitor.sleeper import Child

LOG = logging.getLogger("sentiment_monitor.web")
FIRST_WAIT: Final = 1.0
LONGEST_WAIT: Final = 60.0
STEADY: Final = 60.0
"""Seconds after which a dashboard has run well, and the next wait is the first again."""
GRACE: Final = 5.0
POLL: Final = 0.02


@contextmanager
def dashboard(config: Path, *options: str) -> Iterator[Keeper]:
    """A dashboard on this configuration while the block runs."""
    command = [sys.executable, "-m", "monitor", "web", "--with-parent", "--config", str(config), *options]
    with kept(Keeper(command)) as keeper:
        yield keeper


@contextmanager
def kept(keeper: Keeper) -> Iterator[Keeper]:
    """The dashboard of this keeper while the block runs."""
    keeper.start()
    try:
        yield keeper
    finally:
        keeper.stop()


class Process(Protocol):
    """What is needed of a process under way."""

    pid: int

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code; ``subprocess.TimeoutExpired``."""
        ...

    def terminate(self) -> None:
        """Ask it to end."""
        ...

    def kill(self) -> None:
        """End it."""
        ...


class Adopted:
    """A process that this one started before it fell asleep."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None
        self._lock = Lock()

    def wait(self, timeout: float | None = None) -> int:
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self._ended(block=timeout is None)) is None:
            if end is not None and time.monotonic() >= end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(POLL)
        return code

    def terminate(self) -> None:
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        with self._lock, suppress(ProcessLookupError):
            if self._code is None:  # its number is nobody else's until it has been waited for
                os.kill(self.pid, number)

    def _ended(self, *, block: bool) -> int | None:
        if block:  # without reaping it, so that another thread may wait, too
            os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOWAIT)
        with self._lock:
            if self._code is None:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                self._code = os.waitstatus_to_exitcode(status) if pid else None
            return self._code


class Keeper:
    """Starts the process, waits for its end, starts it again: at once, then ever later.

    ``child``: one that runs already.
    """

    def __init__(self, command: Sequence[str], child: Child | None = None) -> None:
        self._command = command
        self._over, self._lock = Event(), Lock()
        self._process: Process | None = None
        self._pipe: int | None = None
        self._begun, self._ended = time.monotonic(), False
        if child is not None:
            self._process, self._pipe, self._begun = Adopted(child.pid), child.pipe, child.begun
            os.set_inheritable(child.pipe, False)
        self._thread = Thread(target=self._keep, name="dashboard", daemon=True)

    @property
    def is_steady(self) -> bool:
        """Does the process run, for the first time or for a while now?"""
        return self.child is not None and (not self._ended or time.monotonic() - self._begun > STEADY)

    @property
    def child(self) -> Child | None:
        """The process as it is now; ``None`` between two."""
        process, pipe = self._process, self._pipe
        if process is None or pipe is None:
            return None
        return Child(process.pid, pipe, self._begun, self._command)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """The process ends when it is asked to; if it does not, it is made to. A daemon that is killed only closes its input."""
        self._over.set()
        process = self._process
        if process is None:
            return
        self._close()
        process.terminate()  # one that is being loaded does not hear the pipe yet
        try:
            process.wait(GRACE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _keep(self) -> None:
        wait = FIRST_WAIT
        while not self._over.is_set():
            process = self._process or self._start()
            code = process.wait()
            if self._over.is_set():
                return
            self._close()
            self._process, self._ended = None, True
            wait = FIRST_WAIT if time.monotonic() - self._begun > STEADY else min(LONGEST_WAIT, wait * 2)
            LOG.warning("the dashboard ended code=%d, started again in seconds=%.0f", code, wait)
            self._over.wait(wait)

    def _start(self) -> Process:
        inner, outer = os.pipe()  # of our own, since it has to outlive what Popen knows of it
        process = subprocess.Popen(self._command, stdin=inner, process_group=0)  # noqa: S603 - our own; Ctrl-C is for us
        os.close(inner)
        self._begun, self._pipe, self._process = time.monotonic(), outer, process
        if self._over.is_set():
            self._close()
        return process

    def _close(self) -> None:
        with self._lock:
            pipe, self._pipe = self._pipe, None
        if pipe is not None:
            os.close(pipe)
