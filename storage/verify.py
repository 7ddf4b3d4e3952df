"""Proof that the rollups are right: every one is computed again from the items and compared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from storage.engine import Database
from storage.rollups import GAINS, ITEM_SUMS, Key, gain_sums, item_sums, recompute
from storage.tables import ROLLUP, ROLLUP_KEY


@dataclass(frozen=True, slots=True)
class Difference:
    """A rollup figure that is not what the items say."""

    key: Key
    column: str
    stored: int | None
    true: int


def verify(database: Database, *, repair: bool = False) -> list[Difference]:
    """Every rollup figure that differs from its items; with ``repair`` they are mended in the same transaction."""

    def work(connection: Connection) -> list[Difference]:
        found = _differences(connection)
        if repair and found:
            keys = {difference.key for difference in found}
            recompute(connection, keys, keys)
            _empty(connection, keys - set(_true(connection)))
        return found

    return database.write(work) if repair else database.read(work)


def _differences(connection: Connection) -> list[Difference]:
    true = _true(connection)
    stored = {Key(*(row[name] for name in ROLLUP_KEY)): row for row in connection.execute(select(ROLLUP)).mappings()}
    found: list[Difference] = []
    for key in sorted({*true, *stored}):
        row = stored.get(key)
        for name in (*ITEM_SUMS, *GAINS):
            right = true.get(key, {}).get(name, 0)
            if row is None or row[name] != right:
                found.append(Difference(key, name, None if row is None else row[name], right))
    return found


def _true(connection: Connection) -> dict[Key, dict[str, int]]:
    true: dict[Key, dict[str, int]] = {}
    for query, names in ((item_sums(), ITEM_SUMS), (gain_sums(), GAINS)):
        for row in connection.execute(query).mappings():
            key = Key(*(row[name] for name in ROLLUP_KEY))
            true.setdefault(key, {}).update({name: int(row[name] or 0) for name in names})
    return true


def _empty(connection: Connection, keys: set[Key]) -> None:
    """Rows that no item stands behind any more."""
    for key in keys:
        same: list[Any] = [ROLLUP.c[name] == value for name, value in key._asdict().items()]
        connection.execute(ROLLUP.delete().where(*same))
