"""Looking through a brand's items for as long as there is time, the newest first; and how far that came."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from storage import recent
from storage.engine import Database
from storage.recent import Recent


@dataclass(frozen=True, slots=True)
class Extent:
    """So many items of all that a brand has were looked at, back to ``since`` (``None``: there is none)."""

    looked_at: int
    stored: int
    since: datetime | None

    @property
    def complete(self) -> bool:
        """Were all of them looked at?"""
        return self.looked_at >= self.stored


class Look:
    """One look through a brand's items. ``seconds`` and ``most`` (items) end it early; at least one chunk is looked at."""

    def __init__(
        self, database: Database, brand_id: int, *, seconds: float | None = None, most: int | None = None
    ) -> None:
        self._database = database
        self._brand_id = brand_id
        self._end = None if seconds is None else time.monotonic() + seconds
        self._most = most
        self._looked_at = 0
        self._since: datetime | None = None
        self._cut_off = False

    def __iter__(self) -> Iterator[Recent]:
        for chunk in recent.newest_first(self._database, self._brand_id):
            yield from chunk
            self._looked_at += len(chunk)
            self._since = chunk[-1].published_at
            if self._is_over():
                self._cut_off = True
                return

    def _is_over(self) -> bool:
        late = self._end is not None and time.monotonic() >= self._end
        return late or (self._most is not None and self._looked_at >= self._most)

    @property
    def extent(self) -> Extent:
        """How far the look came."""
        stored = recent.count_all(self._database, self._brand_id) if self._cut_off else self._looked_at
        return Extent(self._looked_at, max(stored, self._looked_at), self._since)
