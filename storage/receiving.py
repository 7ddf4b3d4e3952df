"""What is handed in from outside: a page, its line in the log and what it is known by, in one transaction, or nothing at all.

A hand-in takes no lease and moves no cursor, so a pull of the same source that is under way neither waits for it nor is
taken over by it; the two meet only where both write the same rows, for as long as a transaction lasts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from storage.engine import Database
from storage.ingest import SKIPS_KEPT, save_gap, save_items
from storage.party_tables import RECEIVED
from storage.records import Claim, PageValues, Saved
from storage.tables import PULL, SOURCE

KEPT: Final = timedelta(days=7)
"""So long is remembered what was handed in."""
ONE_LINE: Final = timedelta(minutes=15)
"""What is handed in within so long is one line of the log."""


class SourceGone(Exception):
    """The store does not know the source, or knows it as one of another type."""


@dataclass(frozen=True, slots=True)
class Before:
    """That something was handed in already: ``answer`` as it was told then."""

    key: str
    at: datetime
    answer: Mapping[str, Any]


def receiver(database: Database, name: str, type_: str, lease: timedelta, now: datetime) -> tuple[Claim, str | None]:
    """Who takes what is handed in to a source, and why it is paused by somebody (``None``: it is not). ``SourceGone`` else.

    The claim has no fence and no line in the log: only :func:`save_handed_in` can use it.
    """
    c = SOURCE.c
    query = select(c.id, c.platform, c.reaches_back_to, c.asked_since, c.paused, c.paused_by)
    row = database.read(lambda connection: connection.execute(query.where(c.name == name, c.type == type_)).first())
    if row is None:
        raise SourceGone(f"{name}: the store knows no such source of type {type_}")
    since, asked = row.reaches_back_to or now, row.asked_since or now - KEPT  # what is sent was not there before
    claim = Claim(row.id, name, row.platform, None, _NO_FENCE, _NO_LINE, 0, 0, lease, since, asked)
    return claim, (row.paused or "paused") if row.paused_by is not None else None


_NO_FENCE: Final = -1
_NO_LINE: Final = -1


def handed_in_before(database: Database, source_id: int, keys: Sequence[str]) -> list[Before]:
    """What was handed in under these keys, in their order."""
    return database.read(lambda connection: _before(connection, source_id, keys))


def save_handed_in(
    database: Database,
    claim: Claim,
    page: PageValues,
    keys: Sequence[str],
    answer: Mapping[str, Any],
    at: datetime,
    *,
    receives_only: bool,
    usable: bool = True,
) -> Saved | list[Before]:
    """Store a page under ``keys``; what was handed in before, and nothing stored, where one of them is known.

    ``answer`` is remembered with what the page changed. ``receives_only``: nothing is pulled from this source, so that to
    have taken something is to have been there. Of what is not ``usable`` only the line in the log stays: mended, it may come
    again under the same keys. ``SourceGone`` if the source is no more.
    """

    def work(connection: Connection) -> Saved | list[Before]:
        _hold(connection, claim, at, receives_only=receives_only)
        if known := _before(connection, claim.source_id, keys):
            return known
        saved = save_items(connection, claim, page, at)
        if page.gap is not None:
            save_gap(connection, claim.source_id, page.gap, at)
        _log(connection, claim, page, saved, at, joins=receives_only)
        if usable:
            _remember(connection, claim.source_id, keys, {**answer, "new": saved.new, "changed": saved.changed}, at)
        return saved

    return database.write(work)


def _hold(connection: Connection, claim: Claim, at: datetime, *, receives_only: bool) -> None:
    """Take the source's row first, as every writer does: hand-ins of one source come one after the other."""
    c = SOURCE.c
    first = {"reaches_back_to": func.coalesce(c.reaches_back_to, at), "asked_since": func.coalesce(c.asked_since, at)}
    seen = {"known_until": at, "last_begun_at": at, "last_success_at": at, **first} if receives_only else {}
    query = update(SOURCE).where(c.id == claim.source_id, c.name == claim.name, c.platform == claim.platform)
    if connection.execute(query.values(active=True, **seen)).rowcount != 1:
        raise SourceGone(f"{claim.name}: was taken out of the store or renamed meanwhile")


def _before(connection: Connection, source_id: int, keys: Sequence[str]) -> list[Before]:
    c = RECEIVED.c
    rows = connection.execute(select(c.key, c.at, c.answer).where(c.source_id == source_id, c.key.in_(keys)))
    found = {row.key: Before(row.key, row.at, row.answer or {}) for row in rows}
    return [found[key] for key in keys if key in found]


def _remember(
    connection: Connection, source_id: int, keys: Sequence[str], answer: Mapping[str, Any], at: datetime
) -> None:
    c = RECEIVED.c
    connection.execute(delete(RECEIVED).where(c.source_id == source_id, or_(c.at < at - KEPT, c.key == _LAST)))
    rows = [{"source_id": source_id, "key": key, "at": at, "answer": dict(answer)} for key in keys]
    connection.execute(insert(RECEIVED), [*rows, {"source_id": source_id, "key": _LAST, "at": at, "answer": None}])


_LAST: Final = "last"
"""Under this is kept when something was last handed in; a key of a sender never looks so."""


def _log(connection: Connection, claim: Claim, page: PageValues, saved: Saved, at: datetime, *, joins: bool) -> None:
    """A line of the log, or one more page of the last one: many a sender sends every item by itself."""
    counts = {"pages": 1, "seen": page.seen, "new": saved.new, "changed": saved.changed, "unmatched": page.unmatched}
    counts["skipped"] = len(page.skips)
    skips = [[what[:100], why[:200]] for what, why in page.skips]
    last = _last_line(connection, claim.source_id, at) if joins else None
    if last is None:
        line = {"source_id": claim.source_id, "begun_at": at, "ended_at": at, "ok": True}
        connection.execute(insert(PULL).values(**line, **counts, skips=skips[:SKIPS_KEPT] or None))
        return
    more: dict[str, Any] = {name: PULL.c[name] + count for name, count in counts.items()}
    if skips:
        more["skips"] = [*(last.skips or ()), *skips][:SKIPS_KEPT]
    connection.execute(update(PULL).where(PULL.c.id == last.id).values(ended_at=at, **more))


def _last_line(connection: Connection, source_id: int, at: datetime) -> Any:
    c = PULL.c
    lately = and_(c.source_id == source_id, c.begun_at > at - ONE_LINE, c.begun_at <= at, c.pages > 0, c.ok)
    return connection.execute(select(c.id, c.skips).where(lately).order_by(c.begun_at.desc()).limit(1)).first()


def last_handed_in(database: Database) -> dict[str, datetime]:
    """When something that could be read last came to each source that ever had any, by name."""
    query = select(SOURCE.c.name, RECEIVED.c.at).join(RECEIVED, RECEIVED.c.source_id == SOURCE.c.id)
    query = query.where(RECEIVED.c.key == _LAST)
    return database.read(lambda connection: {row.name: row.at for row in connection.execute(query)})
