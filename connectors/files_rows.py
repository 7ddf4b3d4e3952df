"""The rows of a CSV, TSV, JSON or JSONL file, one after the other at constant memory, each with the byte where it ends.

A reader knows at any row how far the file is read (``offset``) and has a digest of all bytes up to there, so that another
reader can go on from that row, if the file still begins with the same bytes. What is unfinished at the end of a file that is
still being written is not read yet: ``unfinished`` is then true.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Protocol

MAX_ROW_BYTES = 8 * 1024 * 1024
HEAD_BYTES = 64 * 1024
CHUNK_BYTES = 256 * 1024
_BOMS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"), (b"\xef\xbb\xbf", "utf-8"))
_LIST = re.compile(r'"((?:[^"\\]|\\.)*)"(?:\s*:\s*(\[)\s*(?=[{\]]))?')


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
    """Iterates once over the rows. ``whole``: the file is complete, so that its last row is too."""

    unfinished: bool

    @property
    def header(self) -> list[str]:
        """The names of the columns: those of the first row."""
        ...

    @property
    def place(self) -> Place: ...

    def __iter__(self) -> Iterator[Row]: ...


class Lines:
    """The lines of a file as text, counted in bytes. ``commit`` says that the lines taken so far are done with."""

    def __init__(self, file: BinaryIO, encoding: str | None, newline: bytes) -> None:
        self._file = file
        self._encoding = encoding
        self._newline = newline
        self._again: deque[bytes] = deque()
        self._taken: list[bytes] = []
        self._buffer = bytearray()
        self._hash = hashlib.blake2b(digest_size=16)
        self.offset = 0
        self.exhausted = False
        self.guessed = False

    def __iter__(self) -> Lines:
        return self

    def __next__(self) -> str:
        raw = self._again.popleft() if self._again else self._line()
        if not raw:
            self.exhausted = True
            raise StopIteration
        self._taken.append(raw)
        return self._text(raw)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    @property
    def taken(self) -> int:
        """How many lines were taken since the last commit."""
        return len(self._taken)

    @property
    def ended(self) -> bool:
        """Does the last line taken end as a line does?"""
        return bool(self._taken) and self._taken[-1].endswith(self._newline)

    def commit(self, lines: int | None = None) -> None:
        """Done with the first ``lines`` of those taken (default: all); the others will be taken again."""
        done = self._taken if lines is None else self._taken[:lines]
        self._again.extendleft(reversed(self._taken[len(done) :]))
        for raw in done:
            self._hash.update(raw)
            self.offset += len(raw)
        self._taken = []
        self.exhausted = self.exhausted and not self._again

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
            self.guessed = True
            return raw.decode("cp1252", "replace")

    def _line(self) -> bytes:
        raw = self._file.readline(MAX_ROW_BYTES) if self._newline == b"\n" else self._other_line()
        if len(raw) >= MAX_ROW_BYTES:
            raise Damaged(f"a line is longer than {MAX_ROW_BYTES:,} bytes, so this is no table of texts; look at format")
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
        self.unfinished = False
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
        while True:
            self._rows = csv.reader(self._lines, delimiter=self._delimiter)
            try:
                yield from self._sound()
                return
            except (csv.Error, UnicodeDecodeError) as error:
                why = "not in the encoding of the file" if isinstance(error, UnicodeDecodeError) else str(error)
            self._lines.commit(1)
            self._number += 1
            yield Row(self._number, {}, why)

    def _first(self) -> list[str]:
        """The header, which may be behind a line such as ``sep=;``."""
        for cells in csv.reader(self._lines, delimiter=self._delimiter):
            if not self._lines.ended and not self._whole:
                break
            self._lines.commit()
            self._number += 1
            if any(cells) and not re.fullmatch(r"sep=.?", "".join(cells).strip()):
                return [cell.strip() for cell in cells]
        self.unfinished = self._lines.taken > 0
        return []

    def _sound(self) -> Iterator[Row]:
        """Rows until the end, or ``csv.Error`` with the lines of the unsound one still taken."""
        for cells in self._rows:
            open_quote = self._lines.exhausted
            if not self._whole and (open_quote or not self._lines.ended):
                self.unfinished = True
                return
            if open_quote:
                raise csv.Error("a quotation mark is never closed")
            if len(cells) > len(self._names) and any(cells[len(self._names) :]):
                raise csv.Error(f"has {len(cells)} cells where the header has {len(self._names)}")
            number = self._number + 1
            if self._lines.ended:
                self._lines.commit()
                self._number = number
            if any(cells):
                yield Row(number, dict(zip(self._names, cells, strict=False)))


class JsonLinesReader:
    """Rows of JSONL: one object a line."""

    def __init__(self, lines: Lines, *, whole: bool) -> None:
        self.unfinished = False
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
            if row.fault and not self._lines.ended and not self._whole:
                self.unfinished = True
                return
            if self._lines.ended:
                self._lines.commit()
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
        return _object(number, value)


class JsonReader:
    """Rows of a JSON document: the objects of its list. Bytes are read as Latin-1, so that positions are those of bytes."""

    def __init__(self, file: BinaryIO, encoding: str | None, records: str | None, *, whole: bool) -> None:
        self.unfinished = False
        self._file = file
        self._encoding = encoding
        self._whole = whole
        self._hash = hashlib.blake2b(digest_size=16)
        self._offset = self._number = 0
        self._text, self._at, self._ended = "", 0, False
        self._decoder = json.JSONDecoder(strict=False)
        self._enter(records)
        self._start = self.place, self._hash.copy()
        self._names = next((list(row.cells) for row in self if not row.fault), [])
        self.resume(*self._start)
        self.unfinished = False

    @property
    def header(self) -> list[str]:
        return self._names

    @property
    def place(self) -> Place:
        return Place(self._offset, self._number, self._hash.hexdigest())

    def resume(self, place: Place, hasher: hashlib.blake2b) -> None:
        self._file.seek(place.offset)
        self._offset, self._number, self._hash = place.offset, place.number, hasher.copy()
        self._text, self._at, self._ended = "", 0, False

    def __iter__(self) -> Iterator[Row]:
        while self._skip_to_value():
            number = self._number + 1
            try:
                end = self._end_of_value()
            except Damaged as error:
                if self._whole:
                    yield Row(number, {}, str(error))
                else:
                    self.unfinished = True
                return
            raw = self._text[self._at : end].encode("latin-1")
            self._commit(end)
            self._number = number
            yield self._row(number, raw)

    def _enter(self, records: str | None) -> None:
        """Go to the first value of the list; ``Damaged`` where there is none."""
        while len(self._text) < MAX_ROW_BYTES and self._more():
            start = _list_start(self._text, records)
            if start is not None:
                self._commit(start)
                return
        wanted = f'no list named "{records}"' if records else "no list of objects"
        if not self._text.strip():
            self.unfinished = True
            return
        raise Damaged(f"{wanted} in it; look at records")

    def _skip_to_value(self) -> bool:
        """Stand at the next value of the list; false at its end."""
        while True:
            found = re.compile(r"[\s,]*").match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text):
                return self._text[self._at] != "]"
            if not self._more():
                self.unfinished = not self._whole
                return False

    def _end_of_value(self) -> int:
        while True:
            try:
                _, end = self._decoder.raw_decode(self._text, self._at)
                if end < len(self._text) or not self._more():
                    return end
            except RecursionError:
                raise Damaged("is nested too deeply") from None
            except ValueError:
                if len(self._text) - self._at > MAX_ROW_BYTES or not self._more():
                    raise Damaged("this and what follows is not JSON, or the file ends too early") from None

    def _more(self) -> bool:
        """Read on, twice as much each time a value is longer than what was read."""
        self._text, self._at, dropped = self._text[self._at :], 0, self._text[: self._at]
        self._account(dropped)
        more = self._file.read(max(CHUNK_BYTES, len(self._text))).decode("latin-1")
        self._text += more
        return bool(more)

    def _commit(self, end: int) -> None:
        self._at = end
        if end > 4 * CHUNK_BYTES:
            self._text, self._at = self._text[end:], 0

    def _account(self, text: str) -> None:
        raise NotImplementedError

    def _row(self, number: int, raw: bytes) -> Row:
        for encoding in (self._encoding,) if self._encoding else ("utf-8", "cp1252"):
            try:
                return _object(number, json.loads(raw.decode(encoding), strict=False))
            except UnicodeDecodeError:
                continue
            except (ValueError, RecursionError):
                break
        return Row(number, {}, "is not JSON in the encoding of the file")
