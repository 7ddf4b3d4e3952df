"""PURE  Keys that rise, and how far a table is read along them.

A row may be committed after one with a higher key, so that every sweep begins ``overlap`` below the last key that was read. A
sweep cut off goes on at its key; what was committed below that key meanwhile is found because the next sweep begins below the
place of the first cut.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal, TypeAlias

from connectors.contract import Cursor, JsonValue
from connectors.errors import Malformed

Key: TypeAlias = "int | str | datetime | date"
OVERLAP_KEYS = 1000
OVERLAP_SECONDS = 3600
_LEAST = -(2**63)
_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys of one type. ``texts``: the database keeps times as texts, as SQLite does; they sort as they are written."""

    type: Literal["integer", "text", "time"]
    overlap: int | None
    texts: bool = False

    @property
    def beginning(self) -> Key:
        """Lower than every key. A time without a zone is taken by columns with and without one."""
        if self.type == "integer":
            return _LEAST
        return "" if self.type == "text" or self.texts else datetime(1970, 1, 1)  # noqa: DTZ001

    def read(self, shown: str, cells: Sequence[object], after: Key) -> list[Key]:
        """The keys of a page's rows; ``Malformed`` where they are of another type, or do not rise."""
        keys = [self._key(cell, shown) for cell in cells]
        if self.type == "text":
            return keys  # databases sort texts in ways of their own
        for lower, higher in pairwise([after, *keys]):
            if _less(higher, lower):
                fact = f"{shown}: the rows do not come in the order of the key, or lie below :after"
                raise Malformed(f"{fact}; the query needs WHERE key > :after ORDER BY key")
        return keys

    def below(self, key: Key) -> Key:
        """Where a sweep begins that goes on from here."""
        if isinstance(key, int):
            return max(_LEAST, key - (OVERLAP_KEYS if self.overlap is None else self.overlap))
        seconds = timedelta(seconds=OVERLAP_SECONDS if self.overlap is None else self.overlap)
        try:
            if isinstance(key, str):
                return _text_below(key, seconds) if self.type == "time" else key
            return key - (seconds if isinstance(key, datetime) else max(seconds, timedelta(days=1)))
        except OverflowError:
            return self.beginning

    def to_json(self, key: Key | None) -> JsonValue:
        return key.isoformat() if isinstance(key, date) else key

    def from_json(self, value: object) -> Key | None:
        """A key that a cursor holds; ``None`` for none."""
        if self.type == "integer":
            return value if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63 else None
        if not isinstance(value, str) or len(value) > _LONGEST or "\0" in value:
            return None
        if self.type == "text" or self.texts:
            return value
        try:
            return date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
        except ValueError:
            return None

    def _key(self, cell: object, shown: str) -> Key:
        if isinstance(cell, Decimal) and cell.is_finite() and cell.adjusted() < 19 and cell == cell.to_integral_value():
            cell = int(cell)
        sound: type[Any] | tuple[type[Any], ...] = {"integer": int, "text": str}.get(
            self.type, str if self.texts else date
        )
        if not isinstance(cell, sound) or isinstance(cell, bool):
            what = "empty" if cell is None else f"a {type(cell).__name__}"
            raise Malformed(f'{shown}: the key is {what}, not of the type "{self.type}"; look at key and key_type')
        key: Key = cell
        return key


@dataclass(frozen=True, slots=True)
class Position:
    """All up to ``floor`` is read. Of a sweep under way ``at`` is where it goes on, and ``first`` where it was cut off first."""

    floor: Key | None = None
    at: Key | None = None
    first: Key | None = None

    @classmethod
    def from_json(cls, cursor: Cursor | None, keys: Keys, of: str) -> Position:
        """Where a cursor stands; one of another query, or a damaged one, begins anew, which loses nothing."""
        held: Mapping[str, JsonValue] = cursor if cursor is not None and cursor.get("of") == of else {}
        floor, at, first = (keys.from_json(held.get(name)) for name in ("floor", "at", "first"))
        if at is None:
            return cls(floor)
        return cls(floor, at, at if first is None else first)

    def to_json(self, keys: Keys, of: str) -> Cursor:
        return {
            "of": of,
            "floor": keys.to_json(self.floor),
            "at": keys.to_json(self.at),
            "first": keys.to_json(self.first),
        }

    def start(self, keys: Keys) -> Key:
        """The key above which the pull begins."""
        if self.at is not None:
            return self.at
        return keys.beginning if self.floor is None else keys.below(self.floor)

    def moved(self, keys: Keys, to: Key, *, last: bool) -> Position:
        """The position once the rows up to ``to`` are read; ``last``: there are no more. What is known is never forgotten,
        even where its rows are gone."""
        if not last:
            return replace(self, at=to)
        floor = to if self.first is None else self.first
        gone_back = self.floor is not None and keys.type != "text" and _less(floor, self.floor)
        return Position(self.floor if gone_back else floor)


def _less(one: Key, other: Key) -> bool:
    """Is this key certainly lower? Times with and without a zone cannot be compared, nor can a day with a time."""
    try:
        return bool(one < other)  # type: ignore[operator]
    except TypeError:
        return False


def _text_below(key: str, seconds: timedelta) -> Key:
    """A time written as a text, earlier and written alike, so that it sorts before it."""
    try:
        at = datetime.fromisoformat(key[:19])
    except ValueError:
        return key
    if len(key) <= 10:
        return (at - max(seconds, timedelta(days=1))).date().isoformat()
    return (at - seconds).isoformat(sep="T" if key[10] == "T" else " ", timespec="seconds")
