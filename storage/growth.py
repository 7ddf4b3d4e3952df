"""How counts grow: what a new reading of an item adds to the history and to the sums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeAlias

from sqlalchemy import Connection, RowMapping
from sqlalchemy.dialects import postgresql, sqlite

from storage.rollups import Key, bucket_of
from storage.tables import COUNT_HISTORY, COUNTS

Counted: TypeAlias = "Mapping[str, Any] | RowMapping"
"""Something with counts: a stored item, or what was seen of it."""


@dataclass
class Growth:
    """What a transaction puts into the history, and what :func:`storage.rollups.recompute` is to add up of it."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    gains: dict[Key, dict[str, int]] = field(default_factory=lambda: defaultdict(lambda: dict.fromkeys(COUNTS, 0)))

    def add(self, item_id: int, published: Key, at: datetime, gains: Mapping[str, int], uncounted: str | None) -> None:
        """An item, in the rollup row ``published``, was seen at ``at`` to have grown by ``gains``."""
        if not gains:
            return
        key = published._replace(bucket=bucket_of(at))
        self.rows.append({"item_id": item_id, "at": at, "bucket": key.bucket, **dict.fromkeys(COUNTS, 0), **gains})
        if uncounted is None:
            total = self.gains[key]
            for name, gain in gains.items():
                total[name] += gain

    def save(self, connection: Connection) -> None:
        """Write the history; two readings of one instant are added up."""
        if not self.rows:
            return
        insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(COUNT_HISTORY)
        added = {name: COUNT_HISTORY.c[name] + insert.excluded[name] for name in COUNTS}
        connection.execute(insert.on_conflict_do_update(index_elements=["item_id", "at"], set_=added), self.rows)


def count_change(row: Counted, seen: Counted) -> list[str]:
    """The counts that are known now and differ, unless the reading ``seen`` is older than the stored one."""
    if row["counted_at"] is not None and seen["counted_at"] < row["counted_at"]:
        return []
    return [name for name in COUNTS if seen[name] is not None and seen[name] != row[name]]


def gains_of(row: Counted, counts: Mapping[str, Any]) -> dict[str, int]:
    """From unknown to known is no growth. Source: METRICS 4."""
    return {name: counts[name] - row[name] for name in COUNTS if name in counts and row[name] is not None}
