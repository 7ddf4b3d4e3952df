"""Reading known items again: their counts as they are now, and whether they are still there.

Part of a pull, under its claim, after its items are stored. What goes wrong here is said and is no failure of the pull: what
was not read stays due.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from typing import Final

from connectors import registry
from connectors.contract import Connector, Cursor, Refreshed, Refreshes, Remembers
from connectors.errors import Malformed, RateLimited, SourceError, fate_name
from monitor.app import App
from monitor.config.models import SourceSettings
from monitor.normalise import storable_counts
from monitor.schedule import next_reread
from storage.health import note_reading
from storage.records import Claim
from storage.refreshing import Due, Reading, Reread, due, save_readings, schedule, unscheduled
from storage.sources import save_cursor

LOG = logging.getLogger("sentiment_monitor.refreshing")
BATCH: Final = 100
"""Items asked for and stored at a time."""
AT_MOST: Final = 1_000
"""Items a pull reads again at most; those that have been due longest come first, the rest has its turn next time."""
SCHEDULED_AT_ONCE: Final = 2_000
"""Items that are given their next turn in one transaction."""
SHARE: Final = 0.5
"""Of a source's interval so much may go into reading again, where a platform is slow."""


def rereads_until(app: App, source: SourceSettings) -> timedelta:
    """Up to which age the items of this source are read again; nothing where its platform does not offer it."""
    if not registry.plugin(source.type).capabilities.refresh:
        return timedelta(0)
    return app.settings.monitor.refresh if source.refresh is None else source.refresh


def reread(app: App, claim: Claim, connector: Connector, stop: Event) -> Reread:
    """Read again what is due of a source, batch by batch, each stored by itself. ``LeaseLost`` if it was taken over."""
    source, begun, total = app.settings.source(claim.name), app.now(), Reread()
    until = rereads_until(app, source)
    if not until or not isinstance(connector, Refreshes):
        return total
    _schedule_stored(app, claim, until)
    for batch in _batches(due(app.database, claim, begun, AT_MOST), claim.turn):
        if stop.is_set() or app.now() - begun > app.every(source) * SHARE:
            break
        _put_down(app, claim, connector, len(batch))
        answers, error = _asked(connector, batch)
        total = total.plus(_saved(app, claim, connector, _readings(batch, answers, error, app.now(), until)))
        if not stop.is_set():
            _note(app, claim, error)
        if error is not None and not isinstance(error, Malformed):
            break
    if total != Reread():
        LOG.info("reread source=%s read=%d changed=%d gone=%d", claim.name, total.read, total.changed, total.gone)
    return total


def _schedule_stored(app: App, claim: Claim, until: timedelta) -> None:
    """What was stored while less or nothing was read again has its turns, too. Looked for once in a process' life."""
    looked = app.remembered("sources whose stored items are scheduled", set[tuple[int, timedelta]])
    if (claim.source_id, until) in looked:
        return
    now, after, count = app.now(), 0, 0
    while found := unscheduled(app.database, claim, now - until, SCHEDULED_AT_ONCE, after):
        steps = ((number, next_reread(published_at, now, until)) for number, published_at in found)
        times = {number: at for number, at in steps if at is not None}
        schedule(app.database, times)
        after, count = found[-1][0], count + len(times)
    looked.add((claim.source_id, until))
    if count:
        LOG.info("to be read again source=%s items=%d stored before", claim.name, count)


def memory_of(connector: Connector, ahead: int = 0) -> Cursor | None:
    """The cursor with what the connector has spent by now, and what so many items more may cost; ``None``: it counts nothing."""
    return connector.remember(ahead) if isinstance(connector, Remembers) else None


def _put_down(app: App, claim: Claim, connector: Connector, count: int) -> None:
    """Store what a batch may cost before it is asked for, so that no crash forgets it."""
    cursor = memory_of(connector, count)
    if cursor is not None:
        save_cursor(app.database, claim, cursor)


def _batches(items: Sequence[Due], turn: int) -> Iterator[Sequence[Due]]:
    """A pull begins with another batch than the one before, lest one that the platform cannot answer hold up the others."""
    batches = [items[start : start + BATCH] for start in range(0, len(items), BATCH)]
    first = turn % len(batches) if batches else 0
    yield from batches[first:]
    yield from batches[:first]


def _asked(connector: Refreshes, batch: Sequence[Due]) -> tuple[Mapping[str, Refreshed], SourceError | None]:
    """The answers that came, and what ended them early."""
    answers: dict[str, Refreshed] = {}
    try:
        for answer in connector.refresh([item.external_id for item in batch]):
            answers[answer.external_id] = answer
    except SourceError as error:
        return answers, error
    return answers, None


def _readings(
    batch: Sequence[Due], answers: Mapping[str, Refreshed], error: SourceError | None, now: datetime, until: timedelta
) -> list[Reading]:
    """What to store: what was answered, and of a batch that came to its end (or will never) the silence of the others."""
    ended = error is None or isinstance(error, Malformed)
    found = []
    for item in batch:
        answer = answers.get(item.external_id)
        reading = Reading(item.external_id, next_at=next_reread(item.published_at, now, until))
        if answer is not None:
            counts = None if answer.counts is None else storable_counts(answer.counts)
            found.append(replace(reading, counts=counts, gone=answer.gone))
        elif ended:
            found.append(reading)
    return found


def _saved(app: App, claim: Claim, connector: Connector, readings: Sequence[Reading]) -> Reread:
    cursor = memory_of(connector)
    if not readings and cursor is None:
        return Reread()
    return save_readings(app.database, claim, readings, app.now(), cursor)


def _note(app: App, claim: Claim, error: SourceError | None) -> None:
    """Say how it went, in the log and to whoever looks at the source. To be asked to wait is no failure."""
    if error is not None:
        level = logging.INFO if isinstance(error, RateLimited) else logging.WARNING
        LOG.log(level, "not read again source=%s fate=%s error=%s", claim.name, fate_name(error), error)
    if not isinstance(error, RateLimited):
        note_reading(app.database, claim.source_id, "refresh", None if error is None else str(error), app.now())
