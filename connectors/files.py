"""Files: tables of reviews or mentions as CSV, TSV, JSON or JSONL, one file or a watched folder."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePath
from threading import Event
from typing import BinaryIO
from urllib.parse import urlsplit
from urllib.request import url2pathname
from zoneinfo import ZoneInfo

from connectors.contract import (
    Capabilities,
    Context,
    Cursor,
    Gap,
    Item,
    JsonValue,
    Kind,
    Page,
    Plugin,
    Scope,
    Skipped,
    Unlimited,
    from_epoch,
)
from connectors.errors import AccessDenied, Malformed, NotThere, Unavailable
from connectors.files_columns import ColumnFault, columns_of, require_something
from connectors.files_folder import MAX_FILES, Listing, Seen, cursor_of, listing, opened, seen_in
from connectors.files_open import FORMATS, Shape, hashed, open_rows
from connectors.files_options import FileOptions
from connectors.files_parse import Reading, item_of
from connectors.files_rows import Damaged, Place, Reader, Row
from connectors.files_values import Unreadable
from connectors.http import HttpClient
from connectors.places import placed
from connectors.tidy import digest

__all__ = ["PLUGIN", "FileOptions", "Files", "address_of", "open_file", "prefix_of"]

ITEMS_A_PAGE = 1_000
AT_REST = timedelta(minutes=1)
"""A file that nobody wrote to for so long is finished, also at its first pull; else its last row may be half written."""
_MAPPINGS_KEPT = 64


@dataclass(slots=True)
class _Batch:
    """The rows of the page under way; of two with one id the later counts."""

    items: dict[str, Item] = field(default_factory=dict)
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def size(self) -> int:
        return len(self.items) + len(self.skipped)

    def page(self, cursor: Cursor) -> Page:
        page = Page(list(self.items.values()), cursor, list(self.skipped))
        self.items.clear()
        self.skipped.clear()
        return page


class Files:
    """Reads each file once, goes on where it grew, and reads anew what was replaced; identity keeps rows apart.

    ``whole``: files are taken as finished, as they are in an import, and not as still being written.
    """

    def __init__(
        self, options: FileOptions, context: Context, *, whole: bool = False, items_a_page: int = ITEMS_A_PAGE
    ) -> None:
        self._options = options
        self._context = context
        self._whole = whole
        self._items_a_page = items_a_page
        self._prefix = prefix_of(options)
        self._path = str(placed(options.path, context.folder))
        self._shape = Shape(options.format, options.encoding, options.delimiter, options.header, options.records)

    def check(self) -> None:
        """Are the files there, and does the last of them have columns to read?"""
        found = listing(self._path, self._options.pattern)
        for name, path in list(found.files.items())[-1:]:
            with opened(path, self._shown(name, found), in_folder=found.folder) as (file, _):
                self._open(file, name, self._shown(name, found), whole=True)

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        """Every row not read yet, however old: who lays a file down wants all of it, so ``since`` does not matter."""
        found = listing(self._path, self._options.pattern)
        seen = seen_in(cursor, self._prefix, found.files.keys())
        for name, path in found.files.items():
            try:
                yield from self._pages(name, path, found, seen)
            except (AccessDenied, Malformed, NotThere) as error:
                if not found.folder:
                    raise
                yield Page((), cursor_of(self._prefix, seen), [Skipped(name, str(error))])
        yield Page((), cursor_of(self._prefix, seen), gap=_gap(found))

    def close(self) -> None:
        self._context.http.close()

    def _pages(self, name: str, path: Path, found: Listing, seen: dict[str, Seen]) -> Iterator[Page]:
        """The new rows of one file. ``seen`` is brought up to date with every page."""
        shown = self._shown(name, found)
        with opened(path, shown, in_folder=found.folder) as (file, status):
            known = seen.get(name)
            if known and known.ended and known.looks_like(status):
                return
            now = _seen_now(status, known.first if known else int(self._context.now().timestamp()))
            try:
                whole = self._whole or (known is not None and known.looks_like(status)) or self._rests(status)
                reader = self._open(file, name, shown, whole=whole)
            except Malformed:
                seen[name] = replace(now, ended=True)  # said once, until it changes
                raise
            self._resume(reader, file, known)
            label = f"{name}: " if found.folder else ""
            for batch in self._batches(reader, label, now.first):
                seen[name] = _at(now, reader.place)
                yield batch.page(cursor_of(self._prefix, seen))
            seen[name] = replace(_at(now, reader.place), ended=not reader.unfinished)

    def _open(self, file: BinaryIO, name: str, shown: str, *, whole: bool) -> Reader:
        """A reader at the first row; ``Malformed`` where the file is no table, or has not the columns it needs."""
        try:
            reader = open_rows(file, name, self._shape, whole=whole, on_guess=lambda: self._note_guess(shown))
            if reader.header and reader.strict:
                require_something(columns_of(reader.header, self._options.columns), reader.header)
        except (Damaged, ColumnFault) as error:
            raise Malformed(f"{shown}: {error}") from error
        return reader

    def _rests(self, status: os.stat_result) -> bool:
        """Did nobody write to the file for a while?"""
        return self._context.now().timestamp() - status.st_mtime > AT_REST.total_seconds()

    def _note_guess(self, shown: str) -> None:
        self._context.log.warning(
            "%s: not all of it is UTF-8; such lines are read as Windows-1252, see encoding", shown
        )

    def _resume(self, reader: Reader, file: BinaryIO, known: Seen | None) -> None:
        """Go on after the rows that were read, if the file still begins with them; else from the first."""
        start = reader.place
        if known is None or known.offset <= start.offset:
            hasher = hashed(file, start.offset, self._context.stop)
        else:
            hasher = hashed(file, known.offset, self._context.stop)
            if hasher is not None and hasher.hexdigest() == known.digest:
                start = Place(known.offset, known.number, known.digest)
            else:
                hasher = hashed(file, start.offset, self._context.stop)
        if hasher is not None:
            reader.resume(start, hasher)

    def _batches(self, reader: Reader, label: str, first: int) -> Iterator[_Batch]:
        batch = _Batch()
        make = _maker(self._options, self._prefix, reader, from_epoch(first))
        for row in reader:
            if self._context.stop.is_set():
                raise Unavailable("stopping")
            try:
                item = make(row)
                batch.items[item.external_id] = item
            except ValueError as error:
                batch.skipped.append(Skipped(f"{label}row {row.number}", str(error)))
            if batch.size >= self._items_a_page:
                yield batch
        if batch.size:
            yield batch

    def _shown(self, name: str, found: Listing) -> str:
        return f"{self._path.rstrip('/')}/{name}" if found.folder else self._path


def open_file(
    path: str | os.PathLike[str],
    options: FileOptions | None = None,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    stop: Event | None = None,
    cursor: Cursor | None = None,
    items_a_page: int = ITEMS_A_PAGE,
) -> Iterator[Page]:
    """All rows of a file (or folder) that is finished, in pages: for an import, or a look at it. Raises the connector's fates.

    Without an ``address`` in the options the ids begin with that of the file's full path, so that a second import of the
    same file brings nothing new. With the ``cursor`` of one of its pages it goes on after that page.
    """
    chosen = options or FileOptions(path=str(path))
    address = chosen.address or address_of(path)
    chosen = chosen.model_copy(update={"path": str(path), "address": address})
    log = logging.getLogger("sentiment_monitor.connectors.files")
    context = Context((), now, stop or Event(), HttpClient(), log, Unlimited())
    return Files(chosen, context, whole=True, items_a_page=items_a_page).fetch(cursor, from_epoch(0))


def address_of(path: str | os.PathLike[str]) -> str:
    """What a file is known by where no address is given: its full path."""
    return str(Path(path).expanduser().resolve())


def prefix_of(options: FileOptions) -> str:
    """What the ids of a source's rows begin with: the last part of its address and a short hash of all of it."""
    address = options.address or PurePath(os.path.normpath(options.path)).as_posix()
    return f"{PurePath(address).name[:60]}#{digest(address)[:8]}:"


def _maker(options: FileOptions, prefix: str, reader: Reader, first: datetime) -> Callable[[Row], Item]:
    """What turns the rows of this file into items. JSON rows may differ in their keys, so each set has its own mapping."""
    chosen = columns_of(reader.header, options.columns, partial=True)
    reading = _reading(options, prefix, chosen, first)
    mappings: dict[tuple[str, ...], Mapping[str, str]] = {tuple(reader.header): chosen}

    def make(row: Row) -> Item:
        if row.fault:
            raise Unreadable(row.fault)
        keys = tuple(row.cells)
        columns = chosen if reader.strict else mappings.get(keys)
        if columns is None:
            columns = columns_of(keys, options.columns, partial=True)
            if len(mappings) < _MAPPINGS_KEPT:
                mappings[keys] = columns
        return item_of(row.cells, columns, reading, row.number)

    return make


def _reading(options: FileOptions, prefix: str, columns: Mapping[str, str], first: datetime) -> Reading:
    zone = ZoneInfo(options.timezone)
    undated = options.undated
    if undated is not None:
        undated = (undated if undated.tzinfo else undated.replace(tzinfo=zone)).astimezone(UTC)
    return Reading(
        prefix=prefix,
        kind=Kind(options.kind or ("review" if "rating" in columns else "mention")),
        worst=options.rating_worst,
        best=options.rating_best,
        time_format=options.time_format,
        zone=zone,
        attributes=options.attributes,
        undated=undated or (None if "published_at" in columns else first),
        by_row=options.identity == "row",
    )


def _seen_now(status: os.stat_result, first: int) -> Seen:
    return Seen(status.st_size, status.st_mtime_ns, first=first)


def _at(seen: Seen, place: Place) -> Seen:
    return replace(seen, offset=place.offset, number=place.number, digest=place.digest)


def _gap(found: Listing) -> Gap | None:
    if not found.omitted:
        return None
    return Gap(f"the folder holds more than {MAX_FILES:,} files; the last by name are read", missing=None)


def _recognise(link: str) -> Mapping[str, JsonValue] | None:
    """A file that is there and has a known ending, or a ``file://`` link."""
    link = link.strip()
    if link.lower().startswith("file://"):
        parts = urlsplit(link)
        return {"path": url2pathname(parts.path)} if parts.netloc in ("", "localhost") and parts.path else None
    path = Path(link)
    try:
        there = path.suffix.lower() in FORMATS and path.expanduser().is_file()
    except (OSError, RuntimeError):
        return None
    return {"path": link} if there else None


PLUGIN = Plugin(
    name="files",
    title="Files (CSV, TSV, JSON, JSONL)",
    platform="files",
    options=FileOptions,
    open=Files,
    capabilities=Capabilities(
        scope=Scope.SUBJECT, whole_history=True, ratings=True, minimum_interval=timedelta(seconds=10)
    ),
    recognise=_recognise,
    tried="recorded",
    notes="Files on this machine; whoever lays them there answers for the right to use their texts.",
)
