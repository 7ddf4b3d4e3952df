"""The daemon that a dashboard stands beside. Light to import: it is watched before the rest of the dashboard is there."""

from __future__ import annotations

import logging
import os
import select
import sys
from collections.abc import Callable
from threading import Lock, Thread
from typing import Final

LOG = logging.getLogger("sentiment_monitor.web")
PARENT_SECONDS: Final = 1.0
"""How often it is looked whether the daemon is still there."""


class Parent:
    """Holds the other end of our standard input: it closes when the daemon ends, however it ends.

    Where something else that the daemon started holds it, too, it tells that another process has taken us over.
    Watched from the beginning: until :meth:`then` says how to end, this process ends at once, with nothing to finish.
    """

    def __init__(self) -> None:
        self._process, self._lock = os.getppid(), Lock()
        self._end: Callable[[], object] = lambda: os._exit(0)
        Thread(target=self._watch, daemon=True, name="parent").start()

    def then(self, end: Callable[[], object]) -> None:
        """From here on ``end`` is called when the daemon has ended."""
        with self._lock:
            self._end = end

    def _watch(self) -> None:
        try:
            while os.getppid() == self._process:
                readable, _, _ = select.select([sys.stdin], [], [], PARENT_SECONDS)
                if readable and not os.read(sys.stdin.fileno(), 1_024):
                    break
        except (OSError, ValueError) as error:
            LOG.debug("standard input: %s", error)
        with self._lock:
            self._end()
