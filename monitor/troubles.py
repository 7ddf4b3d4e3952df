"""What the daemon makes of a store that refuses: said once and then now and again, tried less often, never written to once damaged."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from itertools import count
from threading import Lock
from typing import Final

from monitor.app import App, build
from monitor.config.models import Settings
from monitor.schedule import backoff
from storage.engine import StorageError, StoreAway, StoreDamaged
from storage.soundness import mark

LOG = logging.getLogger("sentiment_monitor.store")
FIRST_PAUSE: Final = timedelta(seconds=2)
LONGEST_PAUSE: Final = timedelta(minutes=1)
SAID_AGAIN: Final = timedelta(minutes=10)


class Troubles:
    """One daemon's troubles with its store. Its threads share it."""

    def __init__(self, app: App, clock: Callable[[], float] = time.monotonic) -> None:
        self._database, self._now = app.database, app.now  # not the app: its settings may be replaced
        self._clock = clock
        self._lock = Lock()
        self._count = 0
        self._rest_until = self._silent_until = 0.0
        self._said: str | None = None

    @property
    def resting(self) -> bool:
        """Is the store to be left alone for now? A damaged one is, for good."""
        return self._database.damage is not None or self._clock() < self._rest_until

    def met(self, error: StorageError) -> None:
        """The store refused: say so, unless that was said just now, and leave it alone for a while."""
        if isinstance(error, StoreDamaged):
            mark(self._database, self._now())
        with self._lock:
            now, words = self._clock(), str(error)
            if now >= self._rest_until:  # of refusals at the same time one counts
                self._count += 1
                self._rest_until = now + backoff(self._count, FIRST_PAUSE, LONGEST_PAUSE).total_seconds()
            if words == self._said and now < self._silent_until:
                return
            self._said, self._silent_until = words, now + SAID_AGAIN.total_seconds()
        LOG.error("%s", words)

    def over(self) -> None:
        """The store took something again."""
        with self._lock:
            if not self._count:
                return
            self._count, self._rest_until, self._said = 0, 0.0, None
        LOG.info("works again")


def build_patiently(settings: Settings, now: Callable[[], datetime] | None = None, *, thorough: bool = True) -> App:
    """:func:`monitor.app.build` for a daemon: a store that is away is waited for, which is said.

    ``StorageError`` where waiting would not help.
    """
    for tries in count(1):
        try:
            return build(settings, now=now, thorough=thorough)
        except StoreAway as error:
            wait_seconds = backoff(tries, FIRST_PAUSE, LONGEST_PAUSE).total_seconds()
            LOG.warning("waiting for the store, next try in %d s: %s", wait_seconds, error)
            time.sleep(wait_seconds)
    raise AssertionError("unreachable")
