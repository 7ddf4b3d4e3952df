"""A file of items into the store, through the same path as every pull: page by page, each with the place where to go on."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from connectors import registry
from connectors.contract import Page
from connectors.errors import SourceError, fate_name
from connectors.files import address_of, open_file
from connectors.files_folder import listing
from monitor import likeness, same_file
from monitor.app import App
from monitor.bulk import BulkScoring
from monitor.collect import SKIPS_TOLD, Prepared, lease_kept, prepared, values_of
from monitor.config.models import SourceSettings
from monitor.import_memory import HEAD_BYTES, Head, Memory, UnderWay
from storage import ingest, sources
from storage.engine import StorageError
from storage.leases import LeaseLost
from storage.records import Claim, Outcome, PageValues, Saved

if TYPE_CHECKING:
    from connectors.files_options import FileOptions

ROWS_AT_ONCE: Final = 2_000
"""Rows that are scored as one batch and stored in one transaction."""


class ImportFailed(Exception):
    """The file cannot be imported; the message says why."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import has come to so far.

    ``seen`` rows were read well, ``skipped`` left out; ``unscored`` of the former have no label, by reason. ``share`` of the
    bytes is done, ``begun_at`` of them were when it began; ``resumed_after`` rows where it was cut off (0: read from the
    beginning). ``taken_for``: the address of an earlier import that this file is a copy of. ``read_by``: the sources that
    read the same file for the brand, whose rows are these.
    """

    source: str
    seen: int = 0
    new: int = 0
    changed: int = 0
    skipped: int = 0
    skips: tuple[tuple[str, str], ...] = ()
    unscored: Mapping[str, int] = field(default_factory=dict)
    share: float = 0.0
    begun_at: float = 0.0
    resumed_after: int = 0
    taken_for: str | None = None
    read_by: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """How many were read, well or not."""
        return self.seen + self.skipped

    def plus(self, page: PageValues, unfit: int, saved: Saved, share: float) -> Imported:
        unscored = dict(self.unscored)
        for item in page.items:
            if item["label"] is None:
                unscored[item["unscored"] or "no_text"] = unscored.get(item["unscored"] or "no_text", 0) + 1
        return replace(
            self,
            seen=self.seen + page.seen - unfit,
            new=self.new + saved.new,
            changed=self.changed + saved.changed,
            skipped=self.skipped + len(page.skips),
            skips=(*self.skips, *page.skips)[:SKIPS_TOLD],
            unscored=unscored,
            share=share,
        )


Progress = Callable[[Imported], None]


def import_file(
    app: App,
    options: FileOptions,
    brand: str,
    progress: Progress = lambda _: None,
    *,
    workers: int | None = None,
    anyway: bool = False,
) -> Imported:
    """Store a file's items for one brand as the source ``import FILE``; what is there already is not stored twice.

    The file is taken as finished. Where the last import of it (for this brand, read in this way) was cut off, it is gone on
    with; else it is read from its beginning. A copy of a file that was imported before is taken for that file. Rows that a
    source brings from the same file are the same rows, read as that source reads them.
    ``ImportFailed`` where it cannot be read; what was stored until then stays, and importing again completes it. So it does
    where a source reads the file in another way, which would count its rows twice, unless that is wanted ``anyway``.
    """
    place = _placed(app, options)
    readers = same_file.readers_of(app.settings, options, brand)
    read = same_file.read_alike(options, readers[0]) if readers else options
    if not anyway:
        _refuse_twice(read, readers)
    known = same_file.of_import(app, options, place.address, readers)
    with _claimed(app, place.source) as claim:
        return _Import(app, claim, place, read, brand, known, readers).stored(progress, workers)


def _refuse_twice(options: FileOptions, readers: Sequence[SourceSettings]) -> None:
    for source in readers:
        if others := same_file.differences(options, source):
            fact = f"the source {source.name} reads it with other {', '.join(others)}, so its rows could count twice"
            raise ImportFailed(f"{options.path}: {fact}; leave these options as the source has them, or give --anyway")


# ------------------------------------------------------------------------------------------- which file it is


@dataclass(frozen=True, slots=True)
class _Place:
    """The source and the address (what the ids begin with) of a file; ``head`` is ``None`` for a folder."""

    source: str
    address: str
    head: Head | None
    taken_for: str | None = None


def _placed(app: App, options: FileOptions) -> _Place:
    """An address that was imported before belongs to its source; so does a file that begins as an earlier one did."""
    file = Path(options.path)
    if not file.exists():
        raise ImportFailed(f"{file}: there is no such file; look at its name and folder")
    data = _first_bytes(file)
    address, head = options.address or address_of(file), Head.of(data) if data else None
    known = [(name, Memory.from_json(cursor)) for name, cursor in sources.imports(app.database)]
    for name, memory in known:
        if address in memory.files:
            return _Place(name, address, head)
    if options.address is None:
        for name, memory in known:
            for earlier, begins in memory.files.items():
                if begins.begins(data):
                    return _Place(name, earlier, head, taken_for=earlier)
    return _Place(f"import {file.name}"[:200], address, head)


def _first_bytes(file: Path) -> bytes:
    """Nothing of what is no file, or may not be read: the connector says so in its words."""
    try:
        if not file.is_file():
            return b""
        with file.open("rb") as opened:
            return opened.read(HEAD_BYTES)
    except OSError:
        return b""


# ------------------------------------------------------------------------------------------- the claim


@contextmanager
def _claimed(app: App, name: str) -> Iterator[Claim]:
    """The source, this process's own until the end, and its pull closed with how it went."""
    claim = _claim(app, name)
    try:
        with lease_kept(app, claim):
            yield claim
        sources.finish_pull(app.database, claim, Outcome(app.now()), app.now())
    except SourceError as error:
        sources.finish_pull(app.database, claim, Outcome(app.now(), fate_name(error), str(error)[:500]), app.now())
        raise ImportFailed(str(error)) from error
    except LeaseLost as error:
        raise ImportFailed(f"{name}: another process has taken over; wait for its end, then try again") from error
    except BaseException:
        with suppress(LeaseLost, StorageError):
            sources.give_back(app.database, claim)
        raise


def _claim(app: App, name: str) -> Claim:
    now = app.now()
    sources.ensure(app.database, sources.SourceEntry(name, "files", registry.plugin("files").platform), now)
    for _ in range(2):
        claim = sources.claim_source(app.database, app.owner, {name: now}, now, app.lease, only_due=False)
        if claim is not None:
            return claim
        owner = next((state.lease_owner for state in sources.states(app.database) if state.name == name), None)
        if owner is None or not _has_died(owner):
            break
        sources.release_all(app.database, owner)
    minutes = f"{app.lease.total_seconds() / 60:g} min"
    raise ImportFailed(
        f"{name}: another process is importing it; wait for its end (if it was killed on another machine: {minutes})"
    )


def _has_died(owner: str) -> bool:
    """Was the owner of a lease a process of this machine that is no more?"""
    host, _, rest = owner.partition(":")
    pid = rest.partition(":")[0]
    if os.name != "posix" or host != socket.gethostname()[:40] or not pid.isdigit():
        return False
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False


# ------------------------------------------------------------------------------------------- page by page


class _Import:
    """One run over the file, from its beginning or from where the one before was cut off."""

    def __init__(
        self,
        app: App,
        claim: Claim,
        place: _Place,
        options: FileOptions,
        brand: str,
        known: same_file.KnownAs,
        readers: Sequence[SourceSettings],
    ) -> None:
        self._app, self._known = app, known
        self._claim = claim
        self._source = SourceSettings(name=claim.name, type="files", brand=brand, match="all")
        self._options = options.model_copy(update={"address": place.address})
        self._bytes = _size(options)
        memory = Memory.from_json(claim.cursor)
        key = _key(self._options, brand)
        before = memory.under_way if memory.under_way and memory.under_way.key == key else UnderWay(key, brand)
        self._memory = memory.begun(place.address, place.head, before)
        share = self._share(before.cursor)
        self._result = Imported(
            claim.name,
            share=share,
            begun_at=share,
            resumed_after=before.rows,
            taken_for=place.taken_for,
            read_by=tuple(source.name for source in readers),
        )

    def stored(self, progress: Progress, workers: int | None) -> Imported:
        progress(self._result)
        with self._app.bulk_scoring(workers) as scoring:
            for ready, values in self._scored(scoring):
                self._store(ready, values)
                progress(self._result)
        sources.save_cursor(self._app.database, self._claim, self._memory.ended().to_json())
        return replace(self._result, share=1.0)

    def _scored(self, scoring: BulkScoring) -> Iterator[tuple[Prepared, PageValues]]:
        work = ((ready, ready.batch) for ready in map(self._prepared, self._pages()))
        for ready, scored in scoring.in_order(work):
            yield ready, values_of(self._app, self._source, self._claim, ready, scored)

    def _pages(self) -> Iterator[Page]:
        cursor = self._memory.under_way.cursor if self._memory.under_way else None
        found = open_file(
            self._options.path, self._options, now=self._app.now, cursor=cursor, items_a_page=ROWS_AT_ONCE
        )
        return (page for page in found if page.items or page.skipped or page.gap)

    def _prepared(self, page: Page) -> Prepared:
        ready = prepared(self._app, self._source, page)
        return replace(ready, found=same_file.as_stored(self._app, self._known, ready.found))

    def _store(self, ready: Prepared, values: PageValues) -> None:
        assert self._memory.under_way is not None
        unfit = len(ready.skips) - len(ready.page.skipped)
        times = (item["published_at"] for item in values.items)
        rows = len(ready.page.items) + len(ready.page.skipped)
        way = self._memory.under_way.after(ready.page.cursor, rows, times)
        memory = replace(self._memory, under_way=way)
        kept = replace(values, cursor=memory.to_json())
        saved = ingest.save_page(self._app.database, self._claim, kept, self._app.now())
        likeness.settle(self._app)
        self._memory = memory
        self._result = self._result.plus(values, unfit, saved, self._share(way.cursor))

    def _share(self, cursor: Mapping[str, Any] | None) -> float:
        files = cursor.get("files") if cursor else None
        if not self._bytes or not isinstance(files, Mapping):
            return 0.0
        return min(1.0, sum(int(state.get("offset", 0)) for state in files.values()) / self._bytes)


def _key(options: FileOptions, brand: str) -> str:
    """What must be the same for an import to go on: brand, address and how rows are read. The connector looks at the bytes."""
    said = options.model_dump_json(exclude={"path"})
    return blake2b(f"{brand}\0{said}".encode(), digest_size=16).hexdigest()


def _size(options: FileOptions) -> int:
    try:
        return sum(path.stat().st_size for path in listing(options.path, options.pattern).files.values())
    except (OSError, SourceError):
        return 0
