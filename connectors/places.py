"""PURE  Where on this machine lies what an option names: a relative path goes by the folder of the configuration.

What is known by its path (the ids of a file's rows) stays known by the path as it was written: where a command is typed, and
where the configuration lies, changes no identity.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote_plus

_SQLITE: Final = re.compile(r"(sqlite(?:\+\w+)?:///)([^?]+)(.*)", re.DOTALL)
_FILES: Final = re.compile(r"(?<=[?&])(sslrootcert|sslcert|sslkey|sslcrl|sslcrldir|passfile)=([^&]*)")
"""What the address of a PostgreSQL server may name on this machine."""
_NO_FILES: Final = frozenset({"", "system"})


@dataclass(frozen=True, slots=True)
class OnDisk:
    """Marks an option that names a file or folder of this machine: a path, or an address that holds one."""


ON_DISK: Final = OnDisk()


def folder_of(file: Path | None) -> Path:
    """The folder of a configuration file, whole; without a file the working folder."""
    folder = (file.parent if file else Path()).absolute()
    return folder.resolve() if ".." in folder.parts else folder


def rewritten(text: str, working: Path, folder: Path) -> str:
    """What was typed in the folder ``working``, as a configuration in ``folder`` has to say it."""
    if working == folder or text.startswith("~"):
        return text
    if "://" in text:
        return placed_address(text, working)
    path = os.path.abspath(placed(text, working))  # noqa: PTH100  which, unlike resolve, leaves links as they are
    return str(Path(path).relative_to(folder)) if Path(path).parent.is_relative_to(folder) else path


def placed(path: str | Path, folder: Path) -> Path:
    """``path`` as it lies for a configuration in ``folder``; ``~`` is the user's own folder. ``ValueError`` where there is none."""
    try:
        return folder / Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{path}: nobody knows that folder; write the whole path") from error


def placed_address(address: str, folder: Path) -> str:
    """A database's address with the files in it placed: that of SQLite, certificates for PostgreSQL.

    ``ValueError`` where an address cannot name the folder.
    """
    found = _SQLITE.fullmatch(address)
    if found is None:
        return _FILES.sub(lambda one: _placed_part(one, folder), address) if "://" in address else address
    if found[2].startswith((":memory:", "file:")):
        return address
    file = str(placed(found[2], folder))
    if "?" in file:
        raise ValueError(f'{file}: an address cannot name a path with "?" in it; rename that folder')
    return f"{found[1]}{file}{found[3]}"


def _placed_part(found: re.Match[str], folder: Path) -> str:
    value = unquote_plus(found[2])
    return found[0] if value in _NO_FILES else f"{found[1]}={quote(str(placed(value, folder)))}"
