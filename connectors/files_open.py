"""What kind of table a file is: its format, encoding, line ends and delimiter -> a reader of its rows."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from threading import Event
from typing import Any, BinaryIO

from connectors.errors import Unavailable
from connectors.files_json import JsonReader
from connectors.files_rows import CHUNK_BYTES, Damaged, JsonLinesReader, Lines, Reader, TableReader

HEAD_BYTES = 64 * 1024
FORMATS = {".csv": "csv", ".tsv": "tsv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_MARKS = ((b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
_UNMARKED = {"utf-16": "utf-16-le", "utf16": "utf-16-le", "utf-8-sig": "utf-8", "utf-32": "utf-32-le"}
_DELIMITERS = (",", ";", "\t", "|")


@dataclass(frozen=True, slots=True)
class Shape:
    """What is configured about a file's form; ``None`` is found out."""

    format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    header: Sequence[str] = ()
    records: str | None = None


def open_rows(
    file: BinaryIO, name: str, shape: Shape, *, whole: bool, on_guess: Callable[[], None] = lambda: None
) -> Reader:
    """A reader at the first row of ``file``; ``Damaged`` where it is no such file.

    ``whole``: what stands at the end is finished, else the end may still be being written. ``on_guess`` is called once if
    lines that are not UTF-8 are read as Windows-1252.
    """
    head = file.read(HEAD_BYTES)
    file.seek(0)
    encoding = _encoding(head, shape.encoding)
    format_ = shape.format or _format(head, PurePath(name).suffix.lower())
    if format_ == "json":
        if encoding and encoding.startswith("utf-16"):
            raise Damaged("it is JSON in UTF-16; save it as UTF-8")
        return JsonReader(file, encoding, shape.records, whole=whole)
    newline = "\n".encode(encoding or "utf-8")
    if format_ == "jsonl":
        return JsonLinesReader(Lines(file, encoding, newline, on_guess), whole=whole)
    if newline == b"\n" and newline not in head and b"\r" in head:
        newline = b"\r"  # as old spreadsheets write
    lines = Lines(file, encoding, newline, on_guess)
    delimiter = shape.delimiter or _delimiter(head.decode(encoding or "utf-8", "replace"), tabs=format_ == "tsv")
    return TableReader(lines, delimiter, list(shape.header) or None, whole=whole)


def hashed(file: BinaryIO, size: int, stop: Event) -> hashlib.blake2b | None:
    """A hash of the first ``size`` bytes, ``None`` if the file is shorter."""
    file.seek(0)
    hasher = hashlib.blake2b(digest_size=16)
    while size > 0:
        if stop.is_set():
            raise Unavailable("stopping")
        part = file.read(min(size, 4 * CHUNK_BYTES))
        if not part:
            return None
        hasher.update(part)
        size -= len(part)
    return hasher


def _encoding(head: bytes, configured: str | None) -> str | None:
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if configured is None:
        return marked
    plain = _UNMARKED.get(configured.lower().replace("_", "-"), configured)
    return marked if marked and plain.startswith("utf-16") else plain


def _format(head: bytes, suffix: str) -> str:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    known = FORMATS.get(suffix)
    if known == "json" or (known is None and start[:1] in (b"{", b"[")):
        return "jsonl" if start[:1] == b"{" and _is_line_of_many(start) else "json"
    return known or "csv"


def _is_line_of_many(start: bytes) -> bool:
    """Is the first line an object of its own? Many a .json file is really JSONL."""
    line, _, rest = start.partition(b"\n")
    try:
        value = json.loads(line.decode("utf-8", "replace"), strict=False)
    except (ValueError, RecursionError):
        return False
    return bool(rest.strip()) or not _holds_rows(value)


def _holds_rows(value: Mapping[str, Any]) -> bool:
    """Is there a list of objects in it, or one that is still empty?"""
    return any(
        _holds_rows(inner) if isinstance(inner, dict) else inner == [] or isinstance(inner[0], dict)
        for inner in value.values()
        if isinstance(inner, dict | list)
    )


def _delimiter(head: str, *, tabs: bool) -> str:
    """The character that stands most often in the first line, outside quotation marks; or as ``sep=`` says."""
    lines = [line for line in head.removeprefix("\ufeff").splitlines() if line.strip()] or [""]
    if said := re.fullmatch(r"sep=(.)", lines[0].strip("\r\n ")):
        return said[1]
    bare = re.sub(r'"[^"]*"', "", lines[0])
    if tabs and "\t" in bare:
        return "\t"
    return max(_DELIMITERS, key=lambda delimiter: (bare.count(delimiter), delimiter == ","))
