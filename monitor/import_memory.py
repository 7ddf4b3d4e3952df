"""PURE  What is remembered of imported files: which they were, what stretch they cover for which brand, and where one was cut off.

It is the cursor of the source ``import FILE``, so it is stored with each page of the file or not at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final, NamedTuple, Self

HEAD_BYTES: Final = 64 * 1024
ENOUGH_BYTES: Final = 4 * 1024
"""Two files that begin with so many equal bytes are two states of one; shorter ones must be equal as a whole."""
NIGHT: Final = timedelta(days=1)
"""Between two imported files so much may lie: exports of single days neither begin nor end at midnight sharp."""
QUARTER: Final = timedelta(minutes=15)
"""Figures are kept by the quarter of an hour."""


class Span(NamedTuple):
    """Half-open, to the quarter of an hour."""

    start: datetime
    end: datetime

    def around(self, window: tuple[datetime, datetime]) -> bool:
        return self.start <= window[0] and window[1] <= self.end


@dataclass(frozen=True, slots=True)
class Head:
    """How a file begins: so many bytes, and their digest."""

    length: int
    digest: str

    @classmethod
    def of(cls, data: bytes) -> Self:
        part = data[:HEAD_BYTES]
        return cls(len(part), blake2b(part, digest_size=16).hexdigest())

    def begins(self, data: bytes) -> bool:
        """Is ``data`` (a file's first ``HEAD_BYTES``) the beginning of the same file, perhaps grown since?"""
        if len(data) != self.length and (len(data) < self.length or self.length < ENOUGH_BYTES):
            return False
        return blake2b(data[: self.length], digest_size=16).hexdigest() == self.digest


@dataclass(frozen=True, slots=True)
class UnderWay:
    """An import that has not come to its end. ``key`` stands for file, brand and options; ``cursor`` is the connector's."""

    key: str
    brand: str
    rows: int = 0
    cursor: Mapping[str, Any] | None = None
    span: Span | None = None

    def after(self, cursor: Mapping[str, Any] | None, rows: int, times: Iterable[datetime]) -> UnderWay:
        """The same a page later."""
        found = spanned(times)
        span = found if self.span is None or found is None else _hull(self.span, found)
        return replace(self, rows=self.rows + rows, cursor=cursor or self.cursor, span=span or self.span)


@dataclass(frozen=True, slots=True)
class Memory:
    """``files``: how each address began; ``covered``: by brand, stretches that hold all that the files had of them."""

    files: Mapping[str, Head] = field(default_factory=dict)
    covered: Mapping[str, Sequence[Span]] = field(default_factory=dict)
    under_way: UnderWay | None = None

    def begun(self, address: str, head: Head | None, under_way: UnderWay) -> Memory:
        files = {**self.files, address: head} if head is not None else self.files
        return replace(self, files=files, under_way=under_way)

    def ended(self) -> Memory:
        """What was under way is whole now."""
        done = self.under_way
        if done is None or done.span is None:
            return replace(self, under_way=None)
        spans = _merged([*self.covered.get(done.brand, ()), done.span])
        return Memory(self.files, {**self.covered, done.brand: spans})

    def to_json(self) -> dict[str, Any]:
        return {
            "files": {address: [head.length, head.digest] for address, head in self.files.items()},
            "covered": {brand: [_told(span) for span in spans] for brand, spans in self.covered.items()},
            "under_way": None if self.under_way is None else _under_way_told(self.under_way),
        }

    @classmethod
    def from_json(cls, value: object) -> Memory:
        """What a stored cursor says; nothing if it is damaged or not of this kind."""
        if not isinstance(value, Mapping) or "under_way" not in value:
            return cls()
        try:
            return cls(
                {str(address): Head(int(head[0]), str(head[1])) for address, head in value["files"].items()},
                {str(brand): [_span(pair) for pair in pairs] for brand, pairs in value["covered"].items()},
                _under_way(value["under_way"]),
            )
        except (AttributeError, IndexError, KeyError, TypeError, ValueError):
            return cls()


def spanned(times: Iterable[datetime]) -> Span | None:
    """From the first to the last, by whole quarters of an hour; ``None`` without any."""
    found = sorted(times)
    return Span(_quarter(found[0]), _quarter(found[-1]) + QUARTER) if found else None


def _quarter(at: datetime) -> datetime:
    seconds = int(QUARTER.total_seconds())
    return datetime.fromtimestamp(at.timestamp() // seconds * seconds, UTC)


def _merged(spans: Iterable[Span]) -> list[Span]:
    merged: list[Span] = []
    for span in sorted(spans):
        if merged and span.start - merged[-1].end <= NIGHT:
            merged[-1] = _hull(merged[-1], span)
        else:
            merged.append(span)
    return merged


def _hull(one: Span, other: Span) -> Span:
    return Span(min(one.start, other.start), max(one.end, other.end))


def _told(span: Span) -> list[str]:
    return [at.isoformat() for at in span]


def _span(pair: Sequence[str]) -> Span:
    start, end = (datetime.fromisoformat(text) for text in pair)
    return Span(start.astimezone(UTC), end.astimezone(UTC))


def _under_way_told(way: UnderWay) -> dict[str, Any]:
    span = None if way.span is None else _told(way.span)
    return {"key": way.key, "brand": way.brand, "rows": way.rows, "cursor": way.cursor, "span": span}


def _under_way(value: Mapping[str, Any] | None) -> UnderWay | None:
    if value is None:
        return None
    span = None if value["span"] is None else _span(value["span"])
    return UnderWay(str(value["key"]), str(value["brand"]), int(value["rows"]), value["cursor"], span)
