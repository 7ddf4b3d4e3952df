"""Which of these items are stored already?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, bindparam, select

from storage.engine import Database
from storage.tables import ITEM

_MOST_IDS: Final = 5_000
"""In one statement: both databases have a limit."""

_KNOWN: Final = (
    select(ITEM.c.external_id)
    .where(ITEM.c.brand_id == bindparam("brand"), ITEM.c.platform == bindparam("platform_"))
    .where(ITEM.c.external_id.in_(bindparam("ids", expanding=True)), ITEM.c.erased_at.is_(None))
    .order_by(ITEM.c.external_id)
)


def known_ids(database: Database, brand_id: int, platform: str, ids: Sequence[str]) -> list[str]:
    """The ids on the platform under which items of this brand are stored and not erased."""

    def read(connection: Connection) -> list[str]:
        found: list[str] = []
        for start in range(0, len(ids), _MOST_IDS):
            wanted = {"brand": brand_id, "platform_": platform, "ids": ids[start : start + _MOST_IDS]}
            found += connection.execute(_KNOWN, wanted).scalars()
        return found

    return database.read(read) if ids else []
