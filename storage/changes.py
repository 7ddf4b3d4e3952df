"""What has changed since an export, whoever changed it: no writer has to remember anything, and no clock is asked.

PostgreSQL marks every row with the transaction that wrote it last (``xmin``). A point is the oldest transaction that was under
way when it was taken: whatever the export that follows could not see yet bears that number or a later one. Transactions that
were under way and seen all the same are told again, so every change comes at least once and none is lost.

SQLite has one writer at a time. There triggers write the newest point beside every item that changes; an item's change is
either seen by the export that took a point or bears this point or a later one.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, func, insert, literal_column, select
from sqlalchemy.sql.elements import ColumnElement

from storage.engine import Database, StorageError
from storage.people_tables import EXPORT_POINT, ITEM_CHANGE
from storage.tables import ITEM

_TRIGGERS: Final = {"item_inserted": "INSERT", "item_updated": "UPDATE"}
_NOTE: Final = """
CREATE TRIGGER {name} AFTER {event} ON item WHEN EXISTS (SELECT 1 FROM export_point) BEGIN
  INSERT INTO item_change (item_id, point) VALUES (new.id, (SELECT max(id) FROM export_point))
  ON CONFLICT (item_id) DO UPDATE SET point = excluded.point WHERE point <> excluded.point;
END
"""


def watch(connection: Connection) -> None:
    """Make the triggers anew, where changes are not marked by the database itself; after whatever replaces ``item``."""
    if connection.dialect.name != "sqlite":
        return
    for name, event in _TRIGGERS.items():
        connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
        connection.exec_driver_sql(_NOTE.format(name=name, event=event))


def take_point(database: Database, at: datetime) -> str:
    """The token of a point. What is read after this call and what has changed since the point are together everything."""

    def work(connection: Connection) -> str:
        token = secrets.token_hex(8)
        # On SQLite the position is the row's own number, which the triggers take from there.
        position = 0 if database.is_sqlite else _oldest_transaction(connection)
        values = {"token": token, "place": _place(connection), "position": position, "at": at}
        connection.execute(insert(EXPORT_POINT).values(values))
        return token

    return database.write(work)


def changed_since(connection: Connection, token: str) -> ColumnElement[bool]:
    """Which items are new or changed since the point of ``token``. ``StorageError`` for a token of another store."""
    c = EXPORT_POINT.c
    point = connection.execute(select(c.id, c.position, c.place).where(c.token == token)).one_or_none()
    if point is None or point.place != _place(connection):
        raise StorageError(
            f'--changed-since: "{token[:40]}" is no token of this store (was it mistyped, or the store restored or moved?);'
            " export everything once more, without --changed-since"
        )
    if connection.dialect.name == "sqlite":
        return ITEM.c.id.in_(select(ITEM_CHANGE.c.item_id).where(ITEM_CHANGE.c.point >= point.id))
    recent: ColumnElement[bool] = _written_by() >= point.position
    return recent


def _place(connection: Connection) -> str:
    """Names the database whose transactions are counted."""
    if connection.dialect.name == "sqlite":
        return "sqlite"
    system = select(literal_column("system_identifier")).select_from(func.pg_control_system()).scalar_subquery()
    number: ColumnElement[int] = literal_column("(SELECT oid FROM pg_database WHERE datname = current_database())")
    return ":".join(str(part) for part in connection.execute(select(system, number)).one())


def _oldest_transaction(connection: Connection) -> int:
    oldest: ColumnElement[int] = literal_column("pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
    return int(connection.execute(select(oldest)).scalar_one())


def _written_by() -> ColumnElement[int]:
    """The transaction that wrote an item's row last. ``xmin`` has its lower 32 bits, the next one to come tells the others."""
    coming = "(SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint)"
    return literal_column(f"{coming} - (({coming} - item.xmin::text::bigint) & 4294967295)")
