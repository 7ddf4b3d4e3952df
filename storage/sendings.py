"""What was told of digests and rules, for showing: the deliveries of a digest, the newest firings of a rule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from storage.engine import Database
from storage.people_tables import FIRING
from storage.tables import DELIVERY


@dataclass(frozen=True, slots=True)
class Sending:
    """A delivery. ``error``: why it did not leave, or what of it was refused."""

    id: int
    channel: str
    state: str
    attempts: int
    next_try_at: datetime
    sent_at: datetime | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Firing:
    """A rule's catch; ``told``: it is in a notice, or else waits for its hour's summary."""

    rule: str
    item: int
    at: datetime
    told: bool


_COLUMNS: Final = tuple(DELIVERY.c[name] for name in Sending.__slots__)


def of_digests(database: Database, ids: Sequence[int]) -> Mapping[int, Sequence[Sending]]:
    """The deliveries of these digests, by the digest's id, in the order in which they were queued."""
    query = select(DELIVERY.c.digest_id, *_COLUMNS).where(DELIVERY.c.digest_id.in_(ids)).order_by(DELIVERY.c.id)

    def work(connection: Connection) -> Mapping[int, Sequence[Sending]]:
        found: dict[int, list[Sending]] = {}
        for row in connection.execute(query):
            values: tuple[Any, ...] = tuple(row)
            found.setdefault(values[0], []).append(Sending(*values[1:]))
        return found

    return database.read(work)


def firings(database: Database, rules: Sequence[str], each: int) -> list[Firing]:
    """The newest firings of these rules, so many of each at most, the newest first."""
    c = FIRING.c

    def work(connection: Connection) -> list[Firing]:
        found = []
        for rule in rules:  # one by one: each is a step into the index of rules and times
            query = select(c.item_id, c.at, c.notice_id).where(c.rule == rule).order_by(c.at.desc()).limit(each)
            found += [Firing(rule, row.item_id, row.at, row.notice_id is not None) for row in connection.execute(query)]
        return sorted(found, key=lambda one: (one.at, one.item), reverse=True)

    return database.read(work)
