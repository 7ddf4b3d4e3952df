"""An entry of the configuration is changed in the file that holds it: sound as a whole, or left as it was."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from monitor.config.load import load, parse
from monitor.config.models import Settings
from monitor.config.writing import read, replace


class FileChanged(Exception):
    """Somebody else has written the file since it was looked at; it is left as it is."""


@dataclass(frozen=True, slots=True)
class Edited:
    """The file that holds the entry, what is in effect now, and whether anything was written."""

    file: Path
    settings: Settings
    written: bool


def edit(path: Path, table: str, name: str, change: Callable[[str], str], expected: str | None = None) -> Edited:
    """Change the text of the file that holds the entry ``name`` of ``[[table]]`` in the configuration at ``path``.

    ``expected``: the :func:`fingerprint` that the configuration must still have. ``FileChanged`` where it has not, or the file
    is written meanwhile; ``ConfigError`` where the configuration would not be sound; ``OSError`` where it cannot be written.
    """
    file = load(path).sheets.file_of(table, name, path)
    with _held(file):
        if expected is not None and fingerprint(path) != expected:
            raise FileChanged(f"{path}: has changed since it was looked at; look again, then repeat this")
        before = read(file)
        after = change(before)
        settings = _sound(path, file, after)
        if after == before:
            return Edited(file, settings, written=False)
        if read(file) != before:
            raise FileChanged(f"{file}: was written by somebody else meanwhile; try again")
        replace(file, after)
        return Edited(file, load(path), written=True)


def fingerprint(path: Path) -> str:
    """What a configuration says, in all its files, as a few characters: others as soon as a byte of it changes."""
    return load(path).sheets.digest or ""


def _sound(path: Path, file: Path, text: str) -> Settings:
    """The settings as they would be with ``text`` in ``file``."""
    if file == path:
        return parse(tomllib.loads(text), path)
    return parse(tomllib.loads(read(path)), path, {file: text})


@contextmanager
def _held(file: Path) -> Iterator[None]:
    """Of several that change the file by this program, one at a time: who waited sees what the other has written."""
    if os.name != "posix":  # there only the comparison guards it
        yield
        return
    import fcntl

    while True:
        with file.open("rb") as opened:
            fcntl.flock(opened, fcntl.LOCK_EX)
            if os.path.samestat(os.fstat(opened.fileno()), file.stat()):
                yield
                return  # else the file that was waited for has been replaced
