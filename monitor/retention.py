"""Words that are older than they are kept go, brand by brand and a few at a time; figures stay."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Event
from typing import Final

from monitor.app import App
from storage import outbox, queries, retention

LOG = logging.getLogger("sentiment_monitor.retention")
EVERY: Final = timedelta(days=1)
LOOK_EVERY: Final = timedelta(minutes=10)
BREATH_SECONDS: Final = 0.05
"""Between two transactions, so that pulls and readers come in."""
_DONE: Final = "retention.done_at"


@dataclass(frozen=True, slots=True)
class Aged:
    """A brand's items from before a time whose words go."""

    brand: str
    before: datetime
    items: int


def limits(app: App) -> dict[str, datetime]:
    """From when on each brand keeps words; brands that keep all are not named. Those that left the configuration count, too."""
    own = {brand.name: brand.keep for brand in app.settings.brands}
    now, usual = app.now(), app.settings.monitor.keep
    keeps = {name: (usual if (keep := own.get(name)) is None else keep) for name in queries.brand_ids(app.database)}
    return {name: now - keep for name, keep in keeps.items() if keep}


def aged(app: App) -> list[Aged]:
    """What would go now."""
    ids = queries.brand_ids(app.database)
    return [
        Aged(name, at, retention.count_old(app.database, ids[name], at)) for name, at in sorted(limits(app).items())
    ]


def prune(app: App, stop: Event | None = None) -> tuple[list[Aged], int]:
    """Take the words of what has grown old, and the old lines of the pull log: (by brand, lines). Ends early on ``stop``.

    What was erased since the last time, because its platform no longer shows it, leaves the full-text index for good, too.
    """
    stop, ids = stop or Event(), queries.brand_ids(app.database)
    done = [_pruned(app, name, ids[name], at, stop) for name, at in sorted(limits(app).items())]
    lines = sum(_unhurried(retention.prune_log(app.database, app.now() - app.settings.monitor.keep_log), stop))
    if not stop.is_set() and retention.is_unclean(app.database):
        retention.clean(app.database)
    return done, lines


def _pruned(app: App, name: str, brand_id: int, before: datetime, stop: Event) -> Aged:
    return Aged(name, before, sum(_unhurried(retention.prune(app.database, brand_id, before, app.now()), stop)))


def _unhurried(steps: Iterator[int], stop: Event) -> Iterator[int]:
    while not stop.is_set():
        done = next(steps, None)
        if done is None:
            return
        yield done
        stop.wait(BREATH_SECONDS)


class Upkeep:
    """Prunes once a day, whichever daemon comes first; what was cut off goes on at the next look."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._look_at = app.now()

    def look(self, stop: Event) -> None:
        """Prune if it is time."""
        now = self._app.now()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_EVERY
        last = outbox.note(self._app.database, _DONE)
        if last is not None and now < datetime.fromisoformat(last) + EVERY:
            return
        done, lines = prune(self._app, stop)
        if stop.is_set():
            return
        outbox.keep_note(self._app.database, _DONE, now.isoformat())
        LOG.info("pruned items=%d lines=%d", sum(one.items for one in done), lines)
