"""Who may do what, until when. A claim raises the fence; whoever comes back with an old fence is refused.

Leases run on the database's clock, since the machines' clocks differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, DateTime, Row, Table, and_, func, or_, select, update
from sqlalchemy.sql.elements import ColumnElement


class LeaseLost(Exception):
    """Another process has taken over; nothing of this transaction was stored."""


def clock(connection: Connection) -> Any:
    """The time that leases go by, to be compared with and added to in a statement: the server's, or this machine's for a file."""
    if connection.dialect.name == "postgresql":
        return func.clock_timestamp(type_=DateTime(timezone=True))
    return datetime.now(UTC)


def claim(
    connection: Connection,
    table: Table,
    due: ColumnElement[bool],
    order: Sequence[ColumnElement[Any]],
    owner: str,
    lease: timedelta,
) -> Row[Any] | None:
    """The first row that is due and free, now held by ``owner``; ``fence`` in the row is the new one. ``None``: none is."""
    moment = clock(connection)
    free = or_(table.c.lease_until.is_(None), table.c.lease_until < moment)
    # NO KEY UPDATE leaves room for rows that refer to this one; SKIP LOCKED passes by what another is claiming.
    query = (
        select(table.c.id)
        .where(and_(due, free))
        .order_by(*order)
        .limit(1)
        .with_for_update(key_share=True, skip_locked=True)
    )
    found = connection.execute(query).scalar()
    if found is None:
        return None
    connection.execute(
        update(table)
        .where(table.c.id == found)
        .values(lease_owner=owner, lease_until=moment + lease, fence=table.c.fence + 1)
    )
    return connection.execute(select(table).where(table.c.id == found)).one()


def hold(connection: Connection, table: Table, row_id: int, fence: int, values: dict[str, Any]) -> None:
    """Write ``values`` to a claimed row, if the claim still stands: the first statement of a transaction. ``LeaseLost`` else."""
    done = connection.execute(update(table).where(table.c.id == row_id, table.c.fence == fence).values(values))
    if done.rowcount != 1:
        raise LeaseLost(f"{table.name} {row_id}: taken over by another process")


def release(connection: Connection, table: Table, owner: str) -> None:
    """Give up every lease of ``owner`` at once, so that others need not wait for its end."""
    connection.execute(
        update(table)
        .where(table.c.lease_owner == owner)
        .values(lease_owner=None, lease_until=None, fence=table.c.fence + 1)
    )
