"""Finding and opening files that other programs write, and what is remembered of each between two pulls."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from connectors.contract import Cursor, JsonValue
from connectors.errors import AccessDenied, Malformed, NotThere, Unavailable
from connectors.files_open import FORMATS

MAX_FILES = 1_000
"""Files of one folder that are read: the last by name."""

_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a source by name, in the order of their names; ``omitted`` earlier ones are too many."""

    files: Mapping[str, Path]
    folder: bool
    omitted: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of a file: how it looked at the last pull, and how far it was read.

    ``first`` (seconds since 1970) is when it was first read, the time of its rows if they have none; ``ended``: the end was
    reached, so that a file which looks the same has nothing new.
    """

    size: int = -1
    mtime_ns: int = -1
    offset: int = 0
    number: int = 0
    digest: str = ""
    first: int = 0
    ended: bool = False

    @classmethod
    def from_json(cls, value: object) -> Seen | None:
        """The state that a cursor holds; ``None`` if it is damaged, so that the file is read anew."""
        if not isinstance(value, Mapping):
            return None
        numbers = [value.get(name) for name in ("size", "mtime_ns", "offset", "number", "first")]
        mark, ended = value.get("digest"), value.get("ended")
        if not all(isinstance(number, int) for number in numbers) or not isinstance(mark, str):
            return None
        size, mtime_ns, offset, number, first = (int(number) for number in numbers if isinstance(number, int))
        return cls(size, mtime_ns, offset, number, mark, first, ended is True)

    def to_json(self) -> Mapping[str, JsonValue]:
        return {name: getattr(self, name) for name in self.__slots__}

    def looks_like(self, status: os.stat_result) -> bool:
        return (self.size, self.mtime_ns) == (status.st_size, status.st_mtime_ns)


def seen_in(cursor: Cursor | None, address: str, names: Collection[str]) -> dict[str, Seen]:
    """What a cursor knows of the files that are there; nothing if it is of another address."""
    files = cursor.get("files") if cursor and cursor.get("address") == address else None
    states = files.items() if isinstance(files, Mapping) else ()
    read = ((name, Seen.from_json(state)) for name, state in states if name in names)
    return {name: seen for name, seen in read if seen is not None}


def cursor_of(address: str, seen: Mapping[str, Seen]) -> Cursor:
    return {"address": address, "files": {name: state.to_json() for name, state in seen.items()}}


def listing(path: str, pattern: str | None) -> Listing:
    """The file at ``path``, or the regular files of that folder; raises a fate that names the path as configured."""
    root = Path(path).expanduser()
    with _fates(path):
        mode = root.stat().st_mode
        if not stat.S_ISDIR(mode):
            return Listing({root.name: root}, folder=False)
        found = list(root.iterdir()) if pattern is None else _matching(root, pattern)
    wanted = sorted((file.relative_to(root).as_posix(), file) for file in found if _is_table(file, pattern))
    return Listing(dict(wanted[-MAX_FILES:]), folder=True, omitted=max(0, len(wanted) - MAX_FILES))


@contextmanager
def opened(path: Path, shown: str, *, in_folder: bool) -> Iterator[tuple[BinaryIO, os.stat_result]]:
    """The file for reading, and how it looks now. Devices and pipes are refused, in a watched folder links as well."""
    with _fates(shown):
        descriptor = os.open(path, _OPEN | (_NOFOLLOW if in_folder else 0))
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise Malformed(f"{shown}: neither a file nor a folder; look at the source's path")
            yield file, status


@contextmanager
def _fates(shown: str) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotThere(f"{shown}: no such file or folder; look at the source's path") from error
    except PermissionError as error:
        raise AccessDenied(f"{shown}: may not be read by this user; look at its permissions") from error
    except OSError as error:
        raise Unavailable(f"{shown}: cannot be read ({error.strerror}); trying again later") from error


def _matching(root: Path, pattern: str) -> list[Path]:
    with os.scandir(root) as entries:  # globbing keeps quiet about a folder that may not be read
        next(entries, None)
    return list(root.glob(pattern))


def _is_table(file: Path, pattern: str | None) -> bool:
    """A regular file that is meant: no links, no devices, nothing half copied (``.name``) or locked (``~$name``)."""
    if file.name.startswith((".", "~$")) or (pattern is None and file.suffix.lower() not in FORMATS):
        return False
    try:
        return stat.S_ISREG(file.lstat().st_mode)
    except OSError:
        return False
