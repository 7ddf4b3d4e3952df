"""Items read again: which are due, and what the platform says of them now, stored in one transaction or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from storage.engine import Database
from storage.erasure import GONE, erase
from storage.growth import Growth, count_change, gains_of
from storage.leases import clock, hold
from storage.records import Claim
from storage.rollups import Key, bucket_of, recompute
from storage.tables import AUTHOR, BRAND, COUNTS, ITEM, SOURCE


@dataclass(frozen=True, slots=True)
class Due:
    """An item whose counts are to be read again. Several brands may share it: it is one thing on its platform."""

    external_id: str
    published_at: datetime


@dataclass(frozen=True, slots=True)
class Reading:
    """What a platform says of an item now.

    ``counts``: by name, unknown ones ``None`` or left out; none at all: nothing was said of it, which is not to be gone.
    ``next_at``: when it is asked for again.
    """

    external_id: str
    counts: Mapping[str, int | None] | None = None
    gone: bool = False
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Reread:
    """What came of reading again, in items as the platform has them: answered, of these grown or shrunk, and gone."""

    read: int = 0
    changed: int = 0
    gone: int = 0

    def plus(self, other: Reread) -> Reread:
        return Reread(self.read + other.read, self.changed + other.changed, self.gone + other.gone)


def due(database: Database, claim: Claim, now: datetime, limit: int) -> list[Due]:
    """What a source is to read again, the longest due first; ``limit`` at most."""
    wanted = {"source": claim.source_id, "platform_": claim.platform, "now": now, "limit_": limit}
    rows = database.read(lambda connection: connection.execute(_DUE, wanted).all())
    found: dict[str, Due] = {}
    for row in rows:
        found.setdefault(row.external_id, Due(row.external_id, row.published_at))
    return list(found.values())


def unscheduled(
    database: Database, claim: Claim, since: datetime, limit: int, after: int = 0
) -> list[tuple[int, datetime]]:
    """Items of a source, published after ``since``, that are never to be read again: their ids, and when they were published.

    In the order of their ids, beginning after ``after``; ``limit`` at most.
    """

    def read(connection: Connection) -> list[tuple[int, datetime]]:
        brands = connection.execute(select(BRAND.c.id)).scalars().all()
        wanted = {"brands": brands, "source": claim.source_id, "platform_": claim.platform, "bucket": bucket_of(since)}
        rows = connection.execute(_UNSCHEDULED, {**wanted, "since": since, "after": after, "limit_": limit})
        return [(row.id, row.published_at) for row in rows]

    return database.read(read)


def schedule(database: Database, times: Mapping[int, datetime]) -> None:
    """Let these items be read again at these times, where no time is set by now."""
    if times:
        database.write(lambda connection: _schedule(connection, times))


def _schedule(connection: Connection, times: Mapping[int, datetime]) -> None:
    held = connection.execute(_HOLD_BY_ID, {"ids": list(times)}).scalars().all()
    rows = [{"row_id": number, "at": times[number]} for number in held]
    if rows:
        connection.execute(_SCHEDULE, rows)


def save_readings(
    database: Database,
    claim: Claim,
    readings: Sequence[Reading],
    at: datetime,
    cursor: Mapping[str, Any] | None = None,
) -> Reread:
    """Store what was read at ``at``, with the cursor if the source has one to keep.

    A reading older than the stored one changes no count and makes nothing gone. ``LeaseLost`` if another process has taken
    the source over; then nothing is stored.
    """
    return database.write(lambda connection: _save(connection, claim, readings, at, cursor))


def _save(
    connection: Connection, claim: Claim, readings: Sequence[Reading], at: datetime, cursor: Mapping[str, Any] | None
) -> Reread:
    advance = {} if cursor is None else {"cursor": dict(cursor)}
    hold(connection, SOURCE, claim.source_id, claim.fence, {"lease_until": clock(connection) + claim.lease, **advance})
    said = {reading.external_id: reading for reading in readings}
    work = _Work()
    for row in _held(connection, claim, said):
        _sort_out(work, row, said[row["external_id"]], at)
    if work.rows:
        connection.execute(_REREAD, work.rows)
    work.growth.save(connection)
    recompute(connection, work.published, gains=work.growth.gains)
    if work.gone:
        erase(connection, list(work.gone), at, reason=GONE)
    answered = sum(reading.gone or reading.counts is not None for reading in said.values())
    return Reread(answered, len(work.changed), len(set(work.gone.values())))


@dataclass
class _Work:
    """What a batch of readings changes, gathered before it is written."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    published: set[Key] = field(default_factory=set)
    growth: Growth = field(default_factory=Growth)
    changed: set[str] = field(default_factory=set)
    gone: dict[int, str] = field(default_factory=dict)


def _held(connection: Connection, claim: Claim, said: Mapping[str, Reading]) -> Sequence[RowMapping]:
    """The source's own items of these ids: the authors of those that go first, then the items in unique-key order."""
    if not said:
        return []
    brands = connection.execute(select(BRAND.c.id)).scalars().all()
    ours = {"brands": brands, "platform_": claim.platform, "source": claim.source_id}
    if gone := [name for name, reading in said.items() if reading.gone]:
        connection.execute(_HOLD_AUTHORS, {**ours, "ids": gone})
    return connection.execute(_HOLD, {**ours, "ids": list(said)}).mappings().all()


def _sort_out(work: _Work, row: RowMapping, reading: Reading, at: datetime) -> None:
    late = row["counted_at"] is not None and at < row["counted_at"]
    if reading.gone and not late:
        work.gone[row["id"]] = row["external_id"]
        work.published.add(_key(row))  # so that all rollups are held in their order
        return
    change = _recounted(work, row, reading, at) if reading.counts is not None else {}
    if row["refresh_at"] is not None and row["refresh_at"] <= at:
        answered = reading.gone or reading.counts is not None
        change |= {"refresh_at": reading.next_at, "refreshes": row["refreshes"] + answered}
    if change:
        work.rows.append({**{name: row[name] for name in _WRITTEN}, **change, "row_id": row["id"]})


def _recounted(work: _Work, row: RowMapping, reading: Reading, at: datetime) -> dict[str, Any]:
    """The columns that a reading of the counts changes."""
    seen = {**dict.fromkeys(COUNTS), **(reading.counts or {}), "counted_at": at}
    names = count_change(row, seen)
    counts = {name: seen[name] for name in names}
    if counts:
        key = _key(row)
        work.published.add(key)
        work.changed.add(row["external_id"])
        work.growth.add(row["id"], key, at, gains_of(row, counts), row["uncounted"])
    known = any(seen[name] is not None for name in COUNTS)
    fresh = known and (row["counted_at"] is None or at > row["counted_at"])
    return {**counts, **({"changed_at": at} if counts else {}), **({"counted_at": at} if fresh or counts else {})}


def _key(row: RowMapping) -> Key:
    return Key(row["brand_id"], row["source_id"], row["kind"], row["bucket"])


# ------------------------------------------------------------------------------------------------- statements

_WRITTEN: Final = (*COUNTS, "counted_at", "changed_at", "refresh_at", "refreshes")
_DUE: Final = (
    select(ITEM.c.external_id, ITEM.c.published_at)
    .where(ITEM.c.source_id == bindparam("source"), ITEM.c.refresh_at <= bindparam("now"))
    .where(ITEM.c.platform == bindparam("platform_"), ITEM.c.erased_at.is_(None))
    .order_by(ITEM.c.refresh_at, ITEM.c.id)
    .limit(bindparam("limit_"))
)
_UNSCHEDULED: Final = (
    select(ITEM.c.id, ITEM.c.published_at)
    .where(ITEM.c.brand_id.in_(bindparam("brands", expanding=True)), ITEM.c.source_id == bindparam("source"))
    .where(ITEM.c.kind.in_(["mention", "post", "review"]), ITEM.c.bucket >= bindparam("bucket"))
    .where(ITEM.c.published_at > bindparam("since"), ITEM.c.id > bindparam("after"))
    .where(ITEM.c.platform == bindparam("platform_"), ITEM.c.refresh_at.is_(None), ITEM.c.erased_at.is_(None))
    .order_by(ITEM.c.id)
    .limit(bindparam("limit_"))
)
_HOLD_BY_ID: Final = (
    select(ITEM.c.id)
    .where(ITEM.c.id.in_(bindparam("ids", expanding=True)), ITEM.c.refresh_at.is_(None), ITEM.c.erased_at.is_(None))
    .order_by(ITEM.c.brand_id, ITEM.c.platform, ITEM.c.external_id)
    .with_for_update()
)
_SCHEDULE: Final = update(ITEM).where(ITEM.c.id == bindparam("row_id")).values(refresh_at=bindparam("at"))
_OURS: Final = (
    ITEM.c.brand_id.in_(bindparam("brands", expanding=True)),
    ITEM.c.platform == bindparam("platform_"),
    ITEM.c.external_id.in_(bindparam("ids", expanding=True)),
    ITEM.c.source_id == bindparam("source"),
    ITEM.c.erased_at.is_(None),
)
_HOLD_AUTHORS: Final = (
    select(AUTHOR.c.id)
    .where(AUTHOR.c.id.in_(select(ITEM.c.author_id).where(*_OURS)))
    .order_by(AUTHOR.c.id)
    .with_for_update()
)
_HOLD: Final = (
    select(*(ITEM.c[name] for name in ("id", "brand_id", "source_id", "external_id", "kind", "bucket", "uncounted")))
    .add_columns(*(ITEM.c[name] for name in _WRITTEN))
    .where(*_OURS)
    .order_by(ITEM.c.brand_id, ITEM.c.external_id)
    .with_for_update()
)
_REREAD: Final = (
    update(ITEM).where(ITEM.c.id == bindparam("row_id")).values({name: bindparam(name) for name in _WRITTEN})
)
