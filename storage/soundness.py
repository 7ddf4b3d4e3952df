"""Is an SQLite file whole? Looked at without writing, before anything is written; and what was found damaged stays marked.

A server looks after its own files. The file is never opened but by SQLite: closing it otherwise would end all the locks that
this process holds on it, and other processes would take its log away.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing, suppress
from datetime import datetime
from pathlib import Path
from typing import Final

from storage.engine import Database
from storage.refusals import StorageError, backups_of, backups_told, damaged, refusal

MOST_PROVED_BYTES: Final = 1 << 30
"""A larger file is not read as a whole at each start: ``db verify`` does it."""


def refuse_unsound(database: Database, *, thorough: bool = False) -> None:
    """Raise the refusal of a file that was found damaged, or emptied; ``thorough`` reads all of it.

    The file is not written to. A thorough look takes about half a second for every 100 MB.
    """
    file, size_bytes = database.file, _size_bytes(database.file)
    if file is None or size_bytes is None:
        return
    if (told := mark_of(file)) is not None:
        raise damaged(database.subject, f"{told}, and nothing is written to it before db verify finds it whole")
    if not size_bytes and backups_of(file):
        raise StorageError(
            f"{database.shown}: the file is empty, and it was not; restore a backup ({backups_told(file)}), "
            "or delete the file to begin anew"
        )
    if thorough and size_bytes <= MOST_PROVED_BYTES:
        prove(database)


def prove(database: Database) -> None:
    """Read the whole file; ``StorageError`` if a page of it is damaged. A file that proves whole loses its mark."""
    file = database.file
    if file is None or not _size_bytes(file):
        return
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute(f"PRAGMA busy_timeout={int(database.wait_seconds * 1000)}")
            found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as error:
        raise refusal(error, database.subject) or damaged(database.subject) from error
    if found != "ok":
        raise damaged(database.subject)
    with suppress(OSError):
        _mark(file).unlink(missing_ok=True)
    database.found.clear()


def mark(database: Database, at: datetime) -> None:
    """Note beside the file that it is damaged, for every program that comes after this one."""
    if database.file is not None:
        with suppress(OSError):  # the disk that damages a file may take no other; this process knows all the same
            _mark(database.file).write_text(f"the file was found damaged at {at:%Y-%m-%d %H:%M}Z\n", encoding="utf-8")


def mark_of(file: Path) -> str | None:
    """What is noted beside a file that was found damaged; ``None`` for all others."""
    try:
        return _mark(file).read_text(encoding="utf-8", errors="replace").strip()[:200] or "the file was found damaged"
    except OSError:
        return None


def _size_bytes(file: Path | None) -> int | None:
    """``None`` where there is no file, or none that may be looked at: the store says better why."""
    with suppress(OSError):
        return None if file is None else file.stat().st_size
    return None


def _mark(file: Path) -> Path:
    return file.with_name(f"{file.name}.damaged")
