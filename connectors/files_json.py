"""The objects of a JSON document's list, one after the other at constant memory."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from typing import BinaryIO

from connectors.files_rows import CHUNK_BYTES, MAX_ROW_BYTES, Damaged, Place, Row, object_row

_BETWEEN = re.compile(r"[\s,]*")
_STRINGS = re.compile(r'"((?:[^"\\]|\\.)*)"(?:\s*:\s*(\[)\s*(?=([{\]])))?')
_CUT_SHORT = "this and what follows is not JSON, or the file ends too early"


class JsonReader:
    """Rows of a JSON document. Its bytes are read as Latin-1, so that positions are those of bytes; rows are decoded singly."""

    def __init__(self, file: BinaryIO, encoding: str | None, records: str | None, *, whole: bool) -> None:
        self.strict, self.unfinished = False, False
        self._file = file
        self._encodings = (encoding,) if encoding else ("utf-8", "cp1252")
        self._whole = whole
        self._decoder = json.JSONDecoder(strict=False)
        self.resume(Place(0, 0, ""), hashlib.blake2b(digest_size=16))
        self._enter(records)
        start, hasher = self.place, self._hash.copy()
        self._names = next((list(row.cells) for row in self if not row.fault), [])
        self.resume(start, hasher)

    @property
    def header(self) -> list[str]:
        return self._names

    @property
    def place(self) -> Place:
        return Place(self._offset, self._number, self._hash.hexdigest())

    def resume(self, place: Place, hasher: hashlib.blake2b) -> None:
        self._file.seek(place.offset)
        self._offset, self._number, self._hash = place.offset, place.number, hasher.copy()
        self._text, self._at, self._done = "", 0, 0

    def __iter__(self) -> Iterator[Row]:
        self.unfinished = False
        while self._skip_to_value():
            number = self._number + 1
            try:
                end = self._end_of_value()
            except Damaged as error:
                self.unfinished = not self._whole
                if self._whole:
                    yield Row(number, {}, str(error))
                return
            row = self._row(number, self._text[self._at : end].encode("latin-1"))
            self._commit(end)
            self._number = number
            yield row

    def _enter(self, records: str | None) -> None:
        """Go to the first value of the list; ``Damaged`` where there is none."""
        start = None
        while start is None and len(self._text) < MAX_ROW_BYTES and self._more():
            start = _list_start(self._text, records, at_end=False)
        start = start or _list_start(self._text, records, at_end=True)
        if start is not None:
            self._commit(start)
        elif self._whole and self._text.strip():
            raise Damaged(
                f'no list named "{records}" in it' if records else "no list of objects in it; look at records"
            )

    def _skip_to_value(self) -> bool:
        """Stand at the next value of the list; false at its end."""
        while True:
            found = _BETWEEN.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text) and self._offset > 0:
                return self._text[self._at] != "]"
            if self._offset == 0 or not self._more():  # at 0 its list is yet to be written
                self.unfinished = not self._whole
                return False

    def _end_of_value(self) -> int:
        """Where the value under way ends; a number at the end of the file may go on, an object may not."""
        while True:
            try:
                _, end = self._decoder.raw_decode(self._text, self._at)
            except RecursionError:
                raise Damaged("is nested too deeply") from None
            except ValueError:
                if len(self._text) - self._at > MAX_ROW_BYTES or not self._more():
                    raise Damaged(_CUT_SHORT) from None
                continue
            if end < len(self._text):
                return end
            if not self._more():
                if self._whole or self._text.endswith(("}", "]")):
                    return len(self._text)
                raise Damaged(_CUT_SHORT)

    def _more(self) -> bool:
        """Read on: as much again as is not done with, so that a long value is not tried too often. What is done with goes."""
        self._text, self._at, self._done = self._text[self._done :], self._at - self._done, 0
        more = self._file.read(max(CHUNK_BYTES, len(self._text))).decode("latin-1")
        self._text += more
        return bool(more)

    def _commit(self, end: int) -> None:
        self._hash.update(self._text[self._done : end].encode("latin-1"))
        self._offset += end - self._done
        self._at = self._done = end

    def _row(self, number: int, raw: bytes) -> Row:
        for encoding in self._encodings:
            try:
                return object_row(number, json.loads(raw.decode(encoding), strict=False))
            except UnicodeDecodeError:
                continue
            except (ValueError, RecursionError):
                break
        return Row(number, {}, "is not in the encoding of the file; see encoding")


def _list_start(text: str, records: str | None, *, at_end: bool) -> int | None:
    """Where the values of the list begin: of the document itself, else of the list so named, else of the first of objects."""
    start = re.match(r"(?:ï»¿)?\s*([\[{]?)", text)
    if start and start[1] == "[":
        return start.end()
    lists = [found for found in _STRINGS.finditer(text) if found[2] and (records is None or found[1] == records)]
    chosen = next((found for found in lists if records or found[3] == "{" or at_end), None)
    return chosen.end(2) if chosen else None
