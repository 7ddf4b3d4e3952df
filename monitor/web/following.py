"""Exclusions written into the configuration while the stored items follow: nobody waits longer than they like for millions of them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from monitor.adopting import Adopted, AdoptError, adopt, undo
from monitor.app import App
from storage.engine import StorageError

LOG = logging.getLogger("sentiment_monitor.web")


class Busy(Exception):
    """Another change of keywords is still being applied to the stored items."""


@dataclass(frozen=True, slots=True)
class Done:
    """``adopted``: what came of it; ``None``: the file is written and the stored items follow."""

    adopted: Adopted | None


@dataclass(slots=True)
class UnderWay:
    """A change that is being applied. ``seen``: items looked at so far."""

    brand: str
    words: Sequence[str]
    seen: int = 0
    adopted: Adopted | None = None
    fault: BaseException | None = None
    ended: Event = field(default_factory=Event)


class Follower:
    """Changes of keywords, one at a time for a store. A process that ends in the middle leaves the rest to ``rematch``."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._running: WeakKeyDictionary[Engine, UnderWay] = WeakKeyDictionary()

    def under_way(self, app: App) -> UnderWay | None:
        """What the stored items are following now."""
        known = self._running.get(app.database.engine)
        return known if known is not None and not known.ended.is_set() else None

    def change(
        self, app: App, brand: str, words: Sequence[str], expected: str | None, *, undo: bool, seconds: float
    ) -> Done:
        """Adopt or undo, and wait so long. ``AdoptError`` where it cannot be; :class:`Busy` while another is under way."""
        with self._lock:
            if (other := self.under_way(app)) is not None:
                raise Busy(
                    f"{other.brand}: the stored items still follow the change before ({other.seen:,} looked at); wait a little"
                )
            mine = self._running[app.database.engine] = UnderWay(brand, words)
        Thread(target=_run, args=(app, mine, expected, undo), daemon=True, name="keywords").start()
        mine.ended.wait(seconds)
        if mine.fault is not None:
            raise mine.fault
        return Done(mine.adopted)


def _run(app: App, mine: UnderWay, expected: str | None, is_undo: bool) -> None:
    def progress(seen: int) -> None:
        mine.seen = seen

    try:
        mine.adopted = (undo if is_undo else adopt)(app, mine.brand, mine.words, expected=expected, progress=progress)
    except (AdoptError, StorageError) as error:
        mine.fault = error
    except BaseException as error:
        LOG.exception("bug while applying keywords brand=%s", mine.brand)
        mine.fault = error
    finally:
        mine.ended.set()
