"""What a daemon that is asleep does with the store, as plain statements: it has none of this package in memory.

It looks whether something has come up that somebody else has done, says now and then that the daemon is still there, and takes
its line away where it is told to end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ClauseElement, Connection, Select, and_, delete, func, literal_column, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement

from storage.engine import Database
from storage.party_tables import DAEMON, LIKENESS
from storage.people_tables import ARRIVAL
from storage.tables import DELIVERY, DIGEST, ITEM, SOURCE


@dataclass(frozen=True, slots=True)
class Statements:
    """``driver``: ``sqlite3`` or ``psycopg``, connected to with ``arguments``.

    ``look`` gives one row that is another as soon as there may be something to do; ``beat`` and ``leave`` renew the daemon's
    line and take it away.
    """

    driver: str
    arguments: Mapping[str, Any]
    look: str
    beat: str
    leave: str


def statements(database: Database, owner: str) -> Statements:
    """What the daemon ``owner`` does while it is asleep."""
    mine = DAEMON.c.owner == owner
    beat = update(DAEMON).where(mine).values(seen_at=literal_column(_NOW[database.engine.dialect.name]))
    told = [_text(database, one) for one in (_looked(), beat, delete(DAEMON).where(mine))]
    return Statements(*_address(database), *told)


def next_due(database: Database, sources: Sequence[str], channels: Sequence[str]) -> datetime | None:
    """When the next of these sources is to be read or the next delivery to one of these channels sent; ``None``: never."""
    wanted = and_(SOURCE.c.name.in_(sources), SOURCE.c.paused.is_(None))
    queries = (
        select(func.min(SOURCE.c.next_run_at)).where(wanted),
        select(func.min(DELIVERY.c.next_try_at)).where(_UNSENT, DELIVERY.c.channel.in_(channels)),
    )

    def work(connection: Connection) -> list[datetime | None]:
        return [connection.execute(query).scalar() for query in queries]

    return min((at for at in database.read(work) if at is not None), default=None)


_UNSENT: ColumnElement[bool] = DELIVERY.c.state.in_(("queued", "claimed"))
_NOW = {"sqlite": "strftime('%Y-%m-%d %H:%M:%f000', 'now')", "postgresql": "clock_timestamp()"}


def _looked() -> Select[Any]:
    awake, due = and_(SOURCE.c.active, SOURCE.c.paused.is_(None)), LIKENESS.c.due.is_not(None)
    parts = (
        select(func.count(), func.min(SOURCE.c.next_run_at)).where(awake),
        select(func.count(), func.min(DELIVERY.c.next_try_at), func.max(DELIVERY.c.id)).where(_UNSENT),
        select(func.count()).select_from(DIGEST).where(DIGEST.c.state == "due"),
        select(func.max(ARRIVAL.c.item_id)),
        select(func.count()).select_from(select(LIKENESS.c.item_id).where(due).limit(1).subquery()),
        select(func.max(ITEM.c.id)),
    )
    columns = [
        query.with_only_columns(column).scalar_subquery() for query in parts for column in query.selected_columns
    ]
    return select(*columns)


def _text(database: Database, statement: ClauseElement) -> str:
    # By name, since a driver that is given no values takes a doubled per cent sign as it stands.
    dialects = {"sqlite": sqlite.dialect, "postgresql": postgresql.dialect}
    dialect = dialects[database.engine.dialect.name](paramstyle="named")
    return str(statement.compile(dialect=dialect, compile_kwargs={"literal_binds": True, "render_postcompile": True}))


def _address(database: Database) -> tuple[str, Mapping[str, Any]]:
    if (file := database.file) is not None:
        path = file.resolve().as_uri() + "?mode=rw"  # one that is gone is not made anew
        return "sqlite3", {"database": path, "uri": True, "timeout": database.wait_seconds, "isolation_level": None}
    _, arguments = database.engine.dialect.create_connect_args(database.engine.url)
    plain = {
        name: value for name, value in arguments.items() if isinstance(value, str | int)
    }  # adapters cannot be handed over
    return "psycopg", {**plain, "autocommit": True}
