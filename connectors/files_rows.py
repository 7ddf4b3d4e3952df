"""The rows of a CSV, TSV, JSON or JSONL file, one after the other at constant memory, each with the byte where it ends.

A reader knows at any row how far the file is read (``offset``) and has a digest of all bytes up to there, so that another
reader can go on from that row, if the file still begins with the same bytes. What is unfinished at the end of a file that is
still being written is not read yet: ``unfinished`` is then true.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

MAX_ROW_BYTES = 8 * 1024 * 1024
CHUNK_BYTES = 256 * 1024


class Damaged(ValueError):
    """The file, or all of it from here on, cannot be read as what it is; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record: its number (the header counts, as spreadsheets do), and its cells by column or why it has none."""

    number: int
    cells: Mapping[str, Any]
    fault: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a reader stands: ``offset`` bytes and ``number`` rows are behind it, all hashed into ``digest``."""

    offset: int
    number: int
    digest: str


class Reader(Protocol):
    """Iterates once over the rows. ``strict``: all rows have the columns of the header."""

    strict: bool
    unfinished: bool

    @property
    def header(self) -> list[str]:
        """The names of the columns: those of the first row."""
        ...

    @property
    def place(self) -> Place: ...

    def resume(self, place: Place, hasher: hashlib.blake2b) -> None:
        """Go on at ``place``; ``hasher`` has seen everything before it."""
        ...

    def __iter__(self) -> Iterator[Row]: ...


class Lines:
    """The lines of a file as text, counted in bytes. ``commit`` says that the lines taken so far are done with."""

    def __init__(self, file: BinaryIO, encoding: str | None, newline: bytes, on_guess: Callable[[], None]) -> None:
        self._file = file
        self._encoding = encoding
        self._newline = newline
        self._again: deque[bytes] = deque()
        self._taken: list[bytes] = []
        self._buffer = bytearray()
        self._hash = hashlib.blake2b(digest_size=16)
        self.offset = 0
        self.exhausted = False
        self._on_guess: Callable[[], None] | None = on_guess

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        raw = self._again.popleft() if self._again else self._line()
        if not raw:
            self.exhausted = True
            raise StopIteration
        self.exhausted = False
        self._taken.append(raw)
        return self._text(raw)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    @property
    def taken(self) -> int:
        """How many lines were taken since the last commit."""
        return len(self._taken)

    def first(self) -> str:
        """The first of the lines taken."""
        return self._text(self._taken[0])

    @property
    def ended(self) -> bool:
        """Does the last line taken end as a line does?"""
        return bool(self._taken) and self._taken[-1].endswith(self._newline)

    def commit(self, lines: int) -> None:
        """Done with the first ``lines`` of those taken; the others will be taken again."""
        done = self._taken[:lines]
        self._again.extendleft(reversed(self._taken[len(done) :]))
        for raw in done:
            self._hash.update(raw)
            self.offset += len(raw)
        self._taken = []

    def resume(self, place: Place, hasher: hashlib.blake2b) -> None:
        """Go on at ``place``; ``hasher`` has seen everything before it."""
        self._file.seek(place.offset)
        self._again.clear()
        self._taken, self._buffer = [], bytearray()
        self._hash, self.offset, self.exhausted = hasher.copy(), place.offset, False

    def _text(self, raw: bytes) -> str:
        if self._encoding:
            return raw.decode(self._encoding).removeprefix("\ufeff")
        try:
            return raw.decode("utf-8").removeprefix("\ufeff")
        except UnicodeDecodeError:
            if self._on_guess and raw.endswith(self._newline):  # the end may be half a character
                self._on_guess()
                self._on_guess = None
            return raw.decode("cp1252", "replace")

    def _line(self) -> bytes:
        raw = self._file.readline(MAX_ROW_BYTES) if self._newline == b"\n" else self._other_line()
        if len(raw) >= MAX_ROW_BYTES:
            raise Damaged(
                f"a line is longer than {MAX_ROW_BYTES:,} bytes, so this is no table of texts; look at format"
            )
        return raw

    def _other_line(self) -> bytes:
        """A line that ends with something else than one byte: in UTF-16, or with a carriage return alone."""
        searched = 0
        while len(self._buffer) < MAX_ROW_BYTES:
            end = self._buffer.find(self._newline, searched)
            while end >= 0 and end % len(self._newline):
                end = self._buffer.find(self._newline, end + 1)
            if end >= 0:
                return self._cut(end + len(self._newline))
            searched = max(0, len(self._buffer) - len(self._newline))
            more = self._file.read(CHUNK_BYTES)
            if not more:
                return self._cut(len(self._buffer))
            self._buffer += more
        return self._cut(len(self._buffer))

    def _cut(self, size: int) -> bytes:
        raw = bytes(self._buffer[:size])
        del self._buffer[:size]
        return raw


class TableReader:
    """Rows of CSV and TSV. A quoted field may span lines; a row that is not sound costs only its first line."""

    def __init__(self, lines: Lines, delimiter: str, header: list[str] | None, *, whole: bool) -> None:
        self.strict, self.unfinished = True, False
        self._lines = lines
        self._delimiter = delimiter
        self._whole = whole
        self._number = 0
        self._names = header if header is not None else self._first()

    @property
    def header(self) -> list[str]:
        return self._names

    @property
    def place(self) -> Place:
        return Place(self._lines.offset, self._number, self._lines.digest)

    def resume(self, place: Place, hasher: hashlib.blake2b) -> None:
        self._lines.resume(place, hasher)
        self._number = place.number

    def __iter__(self) -> Iterator[Row]:
        while self._names:
            try:
                yield from self._sound(csv.reader(self._lines, delimiter=self._delimiter, strict=True))
                return
            except (csv.Error, UnicodeDecodeError) as error:
                if self._is_cut:
                    self.unfinished = True
                    return
                why = _said(error)
            yield self._first_line_alone(why)

    @property
    def _is_cut(self) -> bool:
        """Does the file end inside the row under way, perhaps only for now?"""
        return not self._whole and (self._lines.exhausted or not self._lines.ended)

    def _first(self) -> list[str]:
        try:
            return self._header_row()
        except (csv.Error, UnicodeDecodeError) as error:
            raise Damaged(f"its first row cannot name the columns: {_said(error)}") from error

    def _header_row(self) -> list[str]:
        """The header, which may be behind a line such as ``sep=;``; empty while it is still being written."""
        for cells in csv.reader(self._lines, delimiter=self._delimiter):
            if not self._lines.ended and not self._whole:
                break
            self._lines.commit(self._lines.taken)
            self._number += 1
            if any(cells) and not re.fullmatch(r"sep=.?", "".join(cells).strip()):
                return _unique([cell.strip() for cell in cells])
        self.unfinished = self._lines.taken > 0
        return []

    def _sound(self, rows: Iterable[list[str]]) -> Iterator[Row]:
        """Rows until the end, or ``csv.Error`` with the lines of the unsound one still taken."""
        for cells in rows:
            if self._is_cut:
                self.unfinished = True
                return
            if len(cells) > len(self._names) and any(cells[len(self._names) :]):
                raise csv.Error(f"has {len(cells)} cells where the header has {len(self._names)}")
            row = self._row(cells)
            self._count(self._lines.taken if self._lines.ended else 0)
            if any(cells):
                yield row

    def _first_line_alone(self, why: str) -> Row:
        """A line whose quotation marks are not as they should be still counts if it has as many cells as the header."""
        try:
            cells = next(csv.reader([self._lines.first()], delimiter=self._delimiter), [])
        except (csv.Error, UnicodeDecodeError):
            cells = []
        row = self._row(cells) if len(cells) == len(self._names) else Row(self._number + 1, {}, why)
        self._count(1)
        return row

    def _row(self, cells: list[str]) -> Row:
        return Row(self._number + 1, dict(zip(self._names, cells, strict=False)))

    def _count(self, lines: int) -> None:
        """The row made of so many lines is done with; none if its last line may still grow."""
        if lines:
            self._lines.commit(lines)
            self._number += 1


class JsonLinesReader:
    """Rows of JSONL: one object a line."""

    def __init__(self, lines: Lines, *, whole: bool) -> None:
        self.strict, self.unfinished = False, False
        self._lines = lines
        self._whole = whole
        self._number = 0
        self._names: list[str] = []
        self._names = self._first()

    @property
    def header(self) -> list[str]:
        return self._names

    @property
    def place(self) -> Place:
        return Place(self._lines.offset, self._number, self._lines.digest)

    def resume(self, place: Place, hasher: hashlib.blake2b) -> None:
        self._lines.resume(place, hasher)
        self._number = place.number

    def __iter__(self) -> Iterator[Row]:
        while True:
            try:
                text = next(self._lines, None)
            except UnicodeDecodeError:
                text = ""
            if text is None:
                return
            row = self._row(text)
            if not self._lines.ended and not self._whole:
                self.unfinished = True
                return
            if self._lines.ended:
                self._lines.commit(self._lines.taken)
                self._number += 1
            if text.strip() or row.fault:
                yield row

    def _first(self) -> list[str]:
        start = Place(0, 0, "")
        names = next((list(row.cells) for row in self if not row.fault), [])
        self.resume(start, hashlib.blake2b(digest_size=16))
        self.unfinished = False
        return names

    def _row(self, text: str) -> Row:
        number = self._number + 1
        if not text.strip():
            return Row(number, {})
        try:
            value = json.loads(text, strict=False)
        except (ValueError, RecursionError):
            return Row(number, {}, "is not JSON")
        return object_row(number, value)


def object_row(number: int, value: object) -> Row:
    """A JSON value as a row: objects inside it are laid flat (``author.name``)."""
    if not isinstance(value, dict):
        return Row(number, {}, "is not an object")
    return Row(number, dict(_flat(value, "", 0)))


def _flat(value: Mapping[str, Any], prefix: str, depth: int) -> Iterator[tuple[str, Any]]:
    for key, inner in value.items():
        if isinstance(inner, dict) and depth < 3:
            yield from _flat(inner, f"{prefix}{key}.", depth + 1)
        else:
            yield f"{prefix}{key}", inner


def _said(error: Exception) -> str:
    """The csv module's errors in our words."""
    text = str(error)
    if isinstance(error, UnicodeDecodeError):
        return "is not in the encoding of the file; see encoding"
    if text.startswith("field larger"):
        return "a cell is longer than 131,072 characters"
    return "a line break stands in a cell without quotation marks" if text.startswith("new-line") else text


def _unique(names: Sequence[str]) -> list[str]:
    """Column names, of which no two are alike: a second ``Date`` is ``Date (2)``."""
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name] += 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return unique
