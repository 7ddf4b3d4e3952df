"""How much of a request budget is spent, shared by all who use one store.

Spending is counted in slots, a sixtieth of a limit's period each. A slot counts until a whole period has passed since its end,
so that no rolling period, wherever it begins, sees more than its limit. Time is the database's, as for leases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

from sqlalchemy import Connection, and_, delete, func, insert, select, update

from storage.engine import Database
from storage.leases import clock
from storage.people_tables import BUDGET
from storage.records import Left, Limit

SLOTS: Final = 60
"""Slots that make a limit's period."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_LOCKS: Final = 7_312
"""Which of the server's advisory locks are those of budgets."""

Clock: TypeAlias = Callable[[], datetime]
_Spent: TypeAlias = Mapping[tuple[int, int], int]
"""Units by period (in seconds) and slot."""


def take(
    database: Database, account: str, limits: Sequence[Limit], units: int = 1, now: Clock | None = None
) -> timedelta | None:
    """Spend ``units`` under every limit (``None``), or spend nothing and say how long to wait until there are so many.

    ``ValueError`` where a limit never has so many. ``now`` is the database's clock unless another is given.
    """
    if any(units > limit.amount for limit in limits):
        raise ValueError(f"{units} units are more than the whole budget")

    def work(connection: Connection) -> timedelta | None:
        _lock(connection, account)
        moment, rows = _now(connection, now), _rows(connection, account)
        spent = _current(rows, moment)
        wait = max((_wait(limit, spent, units, moment) for limit in limits), default=timedelta(0))
        if wait > timedelta(0):
            if spent.keys() - rows.keys():  # the clock was put back
                _write(connection, account, rows, spent)
            return wait
        _write(connection, account, rows, _with(spent, limits, units, moment))
        return None

    return database.write(work)


def left(database: Database, account: str, limits: Sequence[Limit], now: Clock | None = None) -> list[Left]:
    """What is left under each limit; nothing is spent by asking."""

    def work(connection: Connection) -> list[Left]:
        moment = _now(connection, now)
        spent = _current(_rows(connection, account), moment)
        return [Left(limit, _sum(limit, spent), _wait(limit, spent, 1, moment) or None) for limit in limits]

    return database.read(work)


# ------------------------------------------------------------------------------------------------------- arithmetic


def _slot(moment: datetime, seconds: int) -> int:
    return (moment - _EPOCH) // _MICROSECOND * SLOTS // (seconds * 1_000_000)


def _begins(slot: int, seconds: int) -> datetime:
    """The first microsecond of a slot."""
    return _EPOCH + timedelta(microseconds=-(-slot * seconds * 1_000_000 // SLOTS))


def _current(rows: _Spent, moment: datetime) -> dict[tuple[int, int], int]:
    """What still counts. What a clock that has since been put back wrote down as later counts as spent just now."""
    counted: dict[tuple[int, int], int] = {}
    for (seconds, slot), units in rows.items():
        present = _slot(moment, seconds)
        if slot >= present - SLOTS:
            key = (seconds, min(slot, present))
            counted[key] = counted.get(key, 0) + units
    return counted


def _sum(limit: Limit, spent: _Spent) -> int:
    return sum(units for (seconds, _), units in spent.items() if seconds == limit.seconds)


def _wait(limit: Limit, spent: _Spent, units: int, moment: datetime) -> timedelta:
    """Until so many of the oldest slots no longer count that ``units`` have room."""
    over = _sum(limit, spent) + units - limit.amount
    for (seconds, slot), found in sorted(spent.items()):
        if seconds == limit.seconds and over > 0:
            over -= found
            if over <= 0:
                return _begins(slot + SLOTS + 1, seconds) - moment
    return timedelta(0)


def _with(spent: _Spent, limits: Sequence[Limit], units: int, moment: datetime) -> _Spent:
    after = dict(spent)
    for seconds in {limit.seconds for limit in limits}:
        key = (seconds, _slot(moment, seconds))
        after[key] = after.get(key, 0) + units
    return after


# ------------------------------------------------------------------------------------------------------------- rows


def _lock(connection: Connection, account: str) -> None:
    """Let one at a time spend of an account, until the transaction ends; in an SQLite file one at a time writes anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCKS, func.hashtext(account))))


def _now(connection: Connection, now: Clock | None) -> datetime:
    moment = now() if now is not None else clock(connection)
    if not isinstance(moment, datetime):
        moment = connection.execute(select(moment)).scalar_one()
    return moment.astimezone(UTC)


def _rows(connection: Connection, account: str) -> dict[tuple[int, int], int]:
    query = select(BUDGET.c.seconds, BUDGET.c.slot, BUDGET.c.spent).where(BUDGET.c.account == account)
    return {(row.seconds, row.slot): row.spent for row in connection.execute(query)}


def _write(connection: Connection, account: str, before: _Spent, after: _Spent) -> None:
    """Make the rows say ``after``; what no longer counts is deleted."""
    new = [
        {"account": account, "seconds": seconds, "slot": slot, "spent": after[seconds, slot]}
        for seconds, slot in sorted(after.keys() - before.keys())
    ]
    if new:
        connection.execute(insert(BUDGET), new)
    for key in sorted(before.keys()):
        row = and_(BUDGET.c.account == account, BUDGET.c.seconds == key[0], BUDGET.c.slot == key[1])
        if key not in after:
            connection.execute(delete(BUDGET).where(row))
        elif after[key] != before[key]:
            connection.execute(update(BUDGET).where(row).values(spent=after[key]))
