"""Labelled texts from CSV, TSV and JSON Lines files. Every fault is named with its row and column."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from monitor.scoring.evaluation import AmbiguousLabels, Row, Scale, described, label_of, scale_of

_SHOWN_FAULTS: Final = 20
_LONGEST_FIELD: Final = 10_000_000
_USUAL: Final = {
    "text": ("text", "content", "body", "review", "reviewtext", "review_text", "comment", "message", "tweet"),
    "title": ("title", "summary", "subject", "headline"),
    "label": ("label", "sentiment", "stars", "rating", "score", "overall"),
    "group": ("group",),
}


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns hold what; ``None``: the first that bears a usual name ("content", "stars" ...), if any does."""

    text: str | None = None
    title: str | None = None
    label: str | None = None
    group: str | None = None


class FaultyFile(ValueError):
    """The file cannot be used; ``faults`` says why, one line each."""

    def __init__(self, faults: Sequence[str]) -> None:
        self.faults = tuple(faults)
        more = len(faults) - _SHOWN_FAULTS
        shown = [*faults[:_SHOWN_FAULTS], *([f"and {more} more"] if more > 0 else [])]
        super().__init__("\n".join(shown))


class UnknownColumns(FaultyFile):
    """The columns asked for are not in the file, or must be named, since none bears a usual name."""


def read_rows(path: Path, columns: Columns | None = None) -> list[Row]:
    """The rows of a ``.csv``, ``.tsv``, ``.jsonl`` or ``.ndjson`` file in UTF-8. Raises ``FaultyFile``.

    Rows are counted as a spreadsheet does (the header is row 1); those of JSON Lines by their line.
    """
    try:
        records = list(_records(path))
    except OSError as error:
        raise FaultyFile([f"{path}: {error.strerror or error}; give a file that can be read"]) from error
    except UnicodeDecodeError as error:
        raise FaultyFile([f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8"]) from error
    except csv.Error as error:
        raise FaultyFile([f"{path}: {error}; mend the file's quotes"]) from error
    if not records:
        raise FaultyFile([f"{path}: holds no rows; give a file with a header and labelled texts"])
    return _rows(path, records, _chosen(path, records, columns or Columns()))


_Record = tuple[int, Mapping[str, str]]


def _records(path: Path) -> Iterator[_Record]:
    kind = path.suffix.lower()
    if kind in (".jsonl", ".ndjson"):
        return _json_records(path)
    if kind in (".csv", ".tsv"):
        return _csv_records(path, "\t" if kind == ".tsv" else ",")
    raise FaultyFile([f"{path}: {kind or 'no suffix'} is not known; give a .csv, .tsv, .jsonl or .ndjson file"])


def _csv_records(path: Path, delimiter: str) -> Iterator[_Record]:
    csv.field_size_limit(_LONGEST_FIELD)
    with path.open(encoding="utf-8-sig", newline="") as file:
        for number, record in enumerate(csv.DictReader(file, delimiter=delimiter), start=2):
            yield number, {name: value for name, value in record.items() if name and isinstance(value, str)}


def _json_records(path: Path) -> Iterator[_Record]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield number, _json_record(path, number, line)


def _json_record(path: Path, number: int, line: str) -> dict[str, str]:
    try:
        record = json.loads(line)
    except ValueError as error:
        raise FaultyFile([f"{path}: row {number}: is not JSON ({error}); write one object on each line"]) from error
    if not isinstance(record, dict):
        raise FaultyFile([f"{path}: row {number}: is {type(record).__name__}; write one object on each line"])
    return {name: str(value) for name, value in record.items() if value is not None}


# --- From records to rows


def _chosen(path: Path, records: Iterable[_Record], columns: Columns) -> dict[str, str | None]:
    """The file's own names of the columns."""
    there = list(dict.fromkeys(name for _, record in records for name in record))
    chosen = {field.name: _column(field.name, getattr(columns, field.name), there) for field in fields(columns)}
    faults = [
        f"{path}: column {name!r} is not there; the file has {', '.join(there)}"
        for name in (getattr(columns, field.name) for field in fields(columns))
        if name is not None and name not in there
    ]
    if chosen["label"] is None and not faults:
        faults.append(f"{path}: no column of labels; name it (the file has {', '.join(there)})")
    if chosen["text"] is None and chosen["title"] is None and not faults:
        faults.append(f"{path}: no column of texts; name it (the file has {', '.join(there)})")
    if faults:
        raise UnknownColumns(faults)
    return chosen


def _column(part: str, asked: str | None, there: Sequence[str]) -> str | None:
    if asked is not None:
        return asked
    by_lower = {name.lower(): name for name in reversed(there)}
    return next((by_lower[usual] for usual in _USUAL[part] if usual in by_lower), None)


def _rows(path: Path, records: Sequence[_Record], names: Mapping[str, str | None]) -> list[Row]:
    written = [record.get(names["label"] or "", "") for _, record in records]
    try:
        scale = scale_of(written)
    except AmbiguousLabels as error:
        raise FaultyFile([f"{path}: column {names['label']!r}: {error}"]) from error
    rows: list[Row] = []
    faults: list[str] = []
    for (number, record), label in zip(records, written, strict=True):
        row = _row(record, label, scale, names)
        if row is None:
            faults.append(_fault(path, number, names["label"], label, scale))
        else:
            rows.append(row)
    if faults:
        raise FaultyFile(faults)
    return rows


def _row(record: Mapping[str, str], written: str, scale: Scale, names: Mapping[str, str | None]) -> Row | None:
    label = label_of(written, scale)
    if label is None:
        return None
    text, title, group = (record.get(name) if (name := names[part]) else None for part in ("text", "title", "group"))
    return Row(text=text, title=title, label=label, group=group)


def _fault(path: Path, number: int, column: str | None, written: str, scale: Scale) -> str:
    what = f"{written!r} is no label" if written.strip() else "has no label"
    return f"{path}: row {number}, column {column!r}: {what}; give {described(scale)}"
