"""What monitoring asks of the store: a few small reads, whatever the store's size."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Table, and_, func, select, text
from sqlalchemy.sql.elements import ColumnElement

from storage import spans
from storage.engine import Database
from storage.tables import BRAND, BUCKET_SECONDS, DELIVERY, PULL, ROLLUP, ROLLUP_SPAN, SOURCE, SPAN_SIZES, UNCOUNTED

LABELS: Final = ("positive", "neutral", "negative", "unscored")
STATES: Final = ("queued", "claimed", "failed")
"""Of deliveries that have not left: those that have are of no interest any more."""


@dataclass(frozen=True, slots=True)
class PullsOfSource:
    """``finished``: pulls since the source is known; ``good`` and ``bad``: of those begun since a time; ``seconds``: of the last one."""

    finished: int
    good: int
    bad: int
    seconds: float | None


def items(database: Database) -> dict[tuple[str, str, str], int]:
    """How many items there are by (brand, kind, label), or, of what does not count, (brand, kind, reason): from the longest spans."""
    names, c = (*LABELS, *UNCOUNTED), ROLLUP_SPAN.c
    found = database.read(lambda connection: _summed(connection, [_Part(ROLLUP_SPAN, c.size == SPAN_SIZES[-1])], names))
    return {(*key, name): count for key, counts in found.items() for name, count in counts.items()}


def moods(database: Database, start: datetime, end: datetime) -> dict[tuple[str, str], dict[str, int]]:
    """Counted items by (brand, kind) and label between two quarters of an hour, of all brands at once."""
    pieces = spans.pieces(int(start.timestamp()) // BUCKET_SECONDS, int(end.timestamp()) // BUCKET_SECONDS)
    parts = [_part(piece) for piece in pieces]
    return database.read(lambda connection: _summed(connection, parts, LABELS))


class _Part(NamedTuple):
    """Rows of one of the two tables of sums."""

    table: Table
    where: ColumnElement[bool]


def _part(piece: spans.Piece) -> _Part:
    size, low, high = piece
    if size == 1:
        return _Part(ROLLUP, and_(ROLLUP.c.bucket >= low, ROLLUP.c.bucket < high))
    c = ROLLUP_SPAN.c
    return _Part(ROLLUP_SPAN, and_(c.size == size, c.slot >= low // size, c.slot < high // size))


def _summed(
    connection: Connection, parts: Sequence[_Part], names: Sequence[str]
) -> dict[tuple[str, str], dict[str, int]]:
    """Every part names the brands, since both keys begin with them: without, the tables would be read as a whole."""
    brands = {row.id: row.name for row in connection.execute(select(BRAND.c.id, BRAND.c.name))}
    found: dict[tuple[str, str], dict[str, int]] = {}
    for table, where in parts:
        c = table.c
        query = select(c.brand_id, c.kind, *(func.sum(c[name]) for name in names))
        for brand, kind, *counts in connection.execute(
            query.where(c.brand_id.in_(list(brands)), where).group_by(c.brand_id, c.kind)
        ):
            known = found.setdefault((brands[brand], kind), dict.fromkeys(names, 0))
            for name, count in zip(names, counts, strict=True):
                known[name] += int(count)
    return found


def pulls(database: Database, since: datetime) -> dict[str, PullsOfSource]:
    """The pulls of every source, those of late from its part of the log's index."""
    return database.read(lambda connection: _pulls(connection, since))


def _pulls(connection: Connection, since: datetime) -> dict[str, PullsOfSource]:
    c = PULL.c
    counted = select(c.source_id, c.ok, func.count()).where(c.begun_at >= since).group_by(c.source_id, c.ok)
    last = select(c.begun_at, c.ended_at).where(c.ended_at.is_not(None)).order_by(c.begun_at.desc()).limit(1)
    known = connection.execute(select(SOURCE.c.id, SOURCE.c.name, SOURCE.c.turn)).all()
    of_source = counted.where(c.source_id.in_([row.id for row in known]))
    late: Mapping[Any, int] = {(row[0], row[1]): row[2] for row in connection.execute(of_source)}
    found = {}
    for number, name, turn in known:
        ended = connection.execute(last.where(c.source_id == number)).first()
        seconds = None if ended is None else (ended[1] - ended[0]).total_seconds()
        found[name] = PullsOfSource(turn, late.get((number, True), 0), late.get((number, False), 0), seconds)
    return found


def waiting(database: Database) -> tuple[dict[str, int], datetime | None]:
    """How many deliveries there are in each of :data:`STATES`, and since when the oldest has been due that has not left."""
    c = DELIVERY.c
    counted = select(c.state, func.count()).where(c.state.in_(STATES)).group_by(c.state)
    oldest = select(func.min(c.next_try_at)).where(c.state.in_(("queued", "claimed")))

    def work(connection: Connection) -> tuple[dict[str, int], datetime | None]:
        found = {row[0]: int(row[1]) for row in connection.execute(counted)}
        return {state: found.get(state, 0) for state in STATES}, connection.execute(oldest).scalar()

    return database.read(work)


def answers(database: Database) -> None:
    """Read the least there is. ``StorageError`` where the store cannot be read."""
    database.read(lambda connection: connection.execute(text("SELECT 1")).scalar())


def looks_writable(database: Database) -> bool:
    """Would a write get through, as far as that can be told without one?"""
    if database.damage is not None:
        return False
    if database.file is not None:
        return os.access(database.file, os.W_OK) and os.access(database.file.parent, os.W_OK)
    shown = database.read(lambda connection: connection.execute(text("SELECT pg_is_in_recovery()")).scalar())
    return not shown
