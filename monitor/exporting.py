"""Items into files that other programs read: Parquet, CSV, JSON lines. A file is there whole or not at all."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, Protocol

from monitor.cells import cell
from storage import changes
from storage.engine import Database
from storage.export import COLUMNS, Row, Selection, read
from storage.views import Type

Form = Literal["parquet", "csv", "jsonl"]
FORMS: Final[tuple[Form, ...]] = ("parquet", "csv", "jsonl")
GROUP: Final = 10_000
"""Rows that are compressed together in a Parquet file, and held until then."""
BOM: Final = "\ufeff".encode()


class ExportFailed(Exception):
    """Nothing was written under the name asked for; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Exported:
    """How many items were written, and the token with which the next export goes on."""

    items: int
    token: str


class Writer(Protocol):
    """Turns rows into a file of one form."""

    def write(self, rows: Sequence[Row]) -> None: ...
    def close(self) -> None: ...


def export(
    database: Database, wanted: Selection, form: Form, out: BinaryIO, at: datetime, *, bom: bool = False
) -> Exported:
    """Write the items to ``out``. ``ExportFailed`` if the form needs what is not installed, ``StorageError`` as storage has it.

    ``bom``: begin a CSV with the mark by which Excel knows its letters.
    """
    make = _parquet() if form == "parquet" else _Jsonl if form == "jsonl" else _with_bom(bom)
    token = changes.take_point(database, at)
    chunks = read(database, wanted)
    writer, count = make(out), 0
    for rows in chunks:
        writer.write(rows)
        count += len(rows)
    writer.close()
    return Exported(count, token)


def write_csv(database: Database, wanted: Selection, out: BinaryIO) -> int:
    """The items as CSV with the mark by which Excel knows its letters, and no more than that; how many they are."""
    writer, count = _Csv(out, bom=True), 0
    for rows in read(database, wanted):
        writer.write(rows)
        count += len(rows)
    writer.close()
    return count


@contextmanager
def whole_file(target: Path) -> Iterator[BinaryIO]:
    """A file that gets its name when it is complete; one that is there already is replaced then. ``ExportFailed`` if it cannot be."""
    partial = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        file = partial.open("xb")
    except OSError as error:
        raise ExportFailed(f"{target}: cannot be written ({error.strerror}); name another file") from error
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as error:
        raise ExportFailed(f"{target}: cannot be written ({error.strerror}); nothing was kept") from error
    finally:
        with suppress(OSError):
            partial.unlink()


# ------------------------------------------------------------------------------------------------- the forms


class _Csv:
    """One line an item, safe to open in a spreadsheet; ``attributes`` as JSON."""

    def __init__(self, out: BinaryIO, bom: bool) -> None:
        self._out = out
        out.write(BOM if bom else b"")
        self._write([[column.name for column in COLUMNS]])

    def write(self, rows: Sequence[Row]) -> None:
        self._write([cell(_plain(value)) for value in row] for row in rows)

    def _write(self, rows: Iterable[Sequence[Any]]) -> None:
        text = io.StringIO(newline="")
        csv.writer(text).writerows(rows)
        self._out.write(text.getvalue().encode())

    def close(self) -> None:
        self._out.flush()


def _with_bom(bom: bool) -> Callable[[BinaryIO], Writer]:
    return lambda out: _Csv(out, bom)


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return json.dumps(value, ensure_ascii=False)
    return _iso(value) if isinstance(value, date) else value


def _iso(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


class _Jsonl:
    """One object a line, with every column; what is unknown is null."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out

    def write(self, rows: Sequence[Row]) -> None:
        lines = (json.dumps(dict(zip(_NAMES, row, strict=True)), ensure_ascii=False, default=_iso) for row in rows)
        self._out.write("".join(f"{line}\n" for line in lines).encode())

    def close(self) -> None:
        self._out.flush()


_NAMES: Final = tuple(column.name for column in COLUMNS)


def _parquet() -> Callable[[BinaryIO], Writer]:
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise ExportFailed(
            'Parquet needs pyarrow; pip install "sentiment-monitor[parquet]", or choose --format csv or jsonl'
        ) from error
    return _Parquet


class _Parquet:
    """Typed columns: times as UTC instants, whole numbers, doubles, flags, and ``attributes`` as a map of texts."""

    def __init__(self, out: BinaryIO) -> None:
        import pyarrow
        import pyarrow.parquet

        self._types = [_arrow_type(column.type) for column in COLUMNS]
        self._schema = pyarrow.schema(list(zip(_NAMES, self._types, strict=True)))
        self._writer = pyarrow.parquet.ParquetWriter(out, self._schema, compression="zstd")
        self._held: list[Any] = []

    def write(self, rows: Sequence[Row]) -> None:
        import pyarrow

        columns = zip(*rows, strict=True)
        arrays = [pyarrow.array(_entries(values), kind) for values, kind in zip(columns, self._types, strict=True)]
        self._held.append(pyarrow.RecordBatch.from_arrays(arrays, schema=self._schema))
        if sum(batch.num_rows for batch in self._held) >= GROUP:
            self._let_go()

    def _let_go(self) -> None:
        import pyarrow

        if self._held:
            self._writer.write_table(pyarrow.Table.from_batches(self._held))
            self._held.clear()

    def close(self) -> None:
        self._let_go()
        self._writer.close()


def _entries(values: Sequence[Any]) -> list[Any]:
    return [list(value.items()) if isinstance(value, Mapping) else value for value in values]


def _arrow_type(kind: Type) -> Any:
    import pyarrow

    text = pyarrow.string()
    return {
        "text": text,
        "integer": pyarrow.int64(),
        "real": pyarrow.float64(),
        "time": pyarrow.timestamp("us", tz="UTC"),
        "day": pyarrow.date32(),
        "flag": pyarrow.bool_(),
        "map": pyarrow.map_(text, text),
    }[kind]
