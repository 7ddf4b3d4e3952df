"""A file that is read in two ways, as a source and by ``import``, has the same rows: they count once.

What begins an id is the address that the file is read under, which differs between the two. So a row that is stored for the
brand under another address of the same file keeps the id it has; no stored id ever changes.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Final

from connectors.errors import SourceError
from connectors.files import FileOptions, address_of, prefix_of
from connectors.files_folder import listing
from connectors.places import placed
from monitor.import_memory import HEAD_BYTES, Head, Memory, Span
from storage import sources
from storage.known import known_ids

if TYPE_CHECKING:
    from monitor.app import App
    from monitor.belonging import Matched
    from monitor.config.models import Settings, SourceSettings

LOG = logging.getLogger("sentiment_monitor.same_file")
PLATFORM: Final = "files"
TELLING: Final = (
    *("columns", "header", "records", "format", "encoding", "delimiter", "identity"),
    *("time_format", "timezone", "rating_worst", "rating_best"),
)
"""The options on which it depends what a row without an id is known by."""


@dataclass(frozen=True, slots=True)
class KnownAs:
    """What begins the ids of a file's rows: ``own`` where it is read now, ``others`` where it was read before.

    ``covered``: stretches, by brand, of which an import had every row.
    """

    own: str
    others: Sequence[str] = ()
    covered: Mapping[str, Sequence[Span]] | None = None


def as_stored(app: App, known: KnownAs, found: Sequence[Matched]) -> list[Matched]:
    """The rows, each under the id that it is stored with for its brand."""
    if not known.others or not found:
        return list(found)
    by_brand = groupby(sorted(found, key=lambda entry: entry.brand.id), key=lambda entry: entry.brand)
    return [entry for brand, group in by_brand for entry in _of_brand(app, known, brand.id, list(group))]


def _of_brand(app: App, known: KnownAs, brand_id: int, found: Sequence[Matched]) -> Iterator[Matched]:
    names = {entry.row.external_id: _names(entry.row.external_id, known) for entry in found}
    wanted = sorted({name for own, others in names.items() for name in (own, *others)})
    stored = set(known_ids(app.database, brand_id, PLATFORM, wanted))
    strangers = 0
    for entry in found:
        own = entry.row.external_id
        name = next((name for name in (own, *names[own]) if name in stored), None)
        strangers += name is None and _is_covered(known, entry)
        yield entry if name in (None, own) else replace(entry, row=entry.row._replace(external_id=str(name)))
    if strangers:
        LOG.warning(
            "rows=%d of %s... lie within an import of the same file and are none of its rows; "
            "if they are, read in another way, they count twice",
            *(strangers, known.own),
        )


def _names(own: str, known: KnownAs) -> list[str]:
    return [other + own.removeprefix(known.own) for other in known.others]


def _is_covered(known: KnownAs, entry: Matched) -> bool:
    spans = (known.covered or {}).get(entry.brand.name, ())
    return any(span.start <= entry.row.published_at < span.end for span in spans)


# ------------------------------------------------------------------------------------------- who else reads it


def of_source(app: App, source: SourceSettings) -> KnownAs:
    """What the rows of a source of files may be stored under by imports of the same files."""
    options, own = source.parsed, prefix_of(source.parsed)
    memories = [Memory.from_json(cursor) for _, cursor in sources.imports(app.database)]
    if not memories:
        return KnownAs(own)
    folder = app.settings.folder
    others, covered = _imported(memories, _files(options, folder))
    return KnownAs(own, _but(own, [*others, _prefix(address_of(placed(options.path, folder)))]), covered)


def of_import(app: App, options: FileOptions, address: str, readers: Sequence[SourceSettings]) -> KnownAs:
    """What the rows of a file under this address may be stored under by these sources, and by other imports.

    Who gives an address says which file it is: that is compared with no other import.
    """
    own = _prefix(address)
    memories = [] if options.address else [Memory.from_json(cursor) for _, cursor in sources.imports(app.database)]
    others, _ = _imported(memories, _files(options, app.settings.folder))
    return KnownAs(own, _but(own, [*(prefix_of(source.parsed) for source in readers), *others]))


def readers_of(settings: Settings, options: FileOptions, brand: str) -> list[SourceSettings]:
    """The sources that read this file, or a file of this folder, for the brand."""
    folder = settings.folder
    files = _files(options, folder)
    mine = [source for source in settings.sources if source.type == "files" and brand in source.served]
    return [source for source in mine if source.parsed is not None and _meet(files, _files(source.parsed, folder))]


def read_alike(options: FileOptions, source: SourceSettings) -> FileOptions:
    """The options of an import, and where they say nothing those of the source that reads the same file."""
    given, theirs = options.model_fields_set, source.parsed
    lent = (theirs.model_fields_set - given) - {"path", "pattern", "address", "base_url"}
    return options.model_copy(update={name: getattr(theirs, name) for name in lent})


def differences(options: FileOptions, source: SourceSettings) -> list[str]:
    """The options that would make other rows of the file than the source does."""
    return [name for name in TELLING if getattr(options, name) != getattr(source.parsed, name)]


def _imported(memories: Sequence[Memory], files: Sequence[Path]) -> tuple[list[str], dict[str, list[Span]]]:
    prefixes: list[str] = []
    covered: dict[str, list[Span]] = {}
    for memory in memories:
        mine = [address for address, head in memory.files.items() if _is_among(files, address, head)]
        prefixes += map(_prefix, mine)
        for brand, spans in memory.covered.items() if mine else ():
            covered.setdefault(brand, []).extend(spans)
    return prefixes, covered


def _is_among(files: Sequence[Path], address: str, head: Head) -> bool:
    return any(str(file) == address for file in files) or any(head.begins(data) for data in map(_head, files) if data)


def _meet(ours: Sequence[Path], theirs: Sequence[Path]) -> bool:
    if not set(ours).isdisjoint(theirs):
        return True
    begun = [data for data in map(_head, ours) if data]
    return any(
        Head.of(one).begins(other) or Head.of(other).begins(one) for one in begun for other in map(_head, theirs)
    )


def _files(options: FileOptions, folder: Path) -> list[Path]:
    """The files that are there; of what cannot be read the connector speaks in its own words."""
    try:
        found = listing(str(placed(options.path, folder)), options.pattern)
        return [file.resolve() for file in found.files.values()]
    except (OSError, ValueError, SourceError):
        return []


def _head(file: Path) -> bytes:
    try:
        status = file.stat()
        return _first_bytes((file, status.st_size, status.st_mtime_ns))
    except OSError:
        return b""


@lru_cache(maxsize=64)
def _first_bytes(version: tuple[Path, int, int]) -> bytes:
    """The beginning of a file as it is at this size and this time."""
    with version[0].open("rb") as opened:
        return opened.read(HEAD_BYTES)


def _prefix(address: str) -> str:
    return prefix_of(FileOptions(path=address, address=address))


def _but(own: str, prefixes: Sequence[str]) -> tuple[str, ...]:
    return tuple(prefix for prefix in dict.fromkeys(prefixes) if prefix != own)
