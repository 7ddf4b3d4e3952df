"""The files that settings are made of: whether they have changed, by their entries in their folders and by what is in them."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

from monitor.config.including import matching
from monitor.config.sheets import Sheets

Stamp = tuple[tuple[str, int, int, int], ...]


def files_of(path: Path, sheets: Sheets) -> list[Path]:
    """The first file, what its patterns mean now, and what was looked into for secrets, whether it is there or not."""
    included = [file for pattern in sheets.patterns for file in matching(path.parent, pattern)]
    return list(dict.fromkeys([path, *included, *sheets.read]))


def stamp(path: Path, sheets: Sheets) -> Stamp:
    """Costs a look at each file's entry; two that are equal are of the same files, untouched."""
    found = []
    for file in files_of(path, sheets):
        try:
            stat = file.stat()
        except OSError:
            continue
        found.append((str(file), stat.st_mtime_ns, stat.st_size, stat.st_ino))
    return tuple(found)


def digest(path: Path, sheets: Sheets) -> str:
    """Of what is in the files."""
    made = blake2b(digest_size=16)
    for file in files_of(path, sheets):
        try:
            content = file.read_bytes()
        except OSError:
            continue
        made.update(f"{file}|{len(content)}|".encode() + content)
    return made.hexdigest()
