"""What a store refuses, in words that say what to do: the facts of SQLite and PostgreSQL, parsed once."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.exc import InterfaceError, OperationalError


class StorageError(Exception):
    """The store cannot be opened, read or written; the message says what to do."""


class StoreAway(StorageError):
    """The store cannot be used now, which may pass by itself: a full disk, a locked file, a server that starts."""


class StoreDamaged(StorageError):
    """The file is damaged; nothing more may be written to it."""


class StoreUnmade(StorageError):
    """There is no store yet, and whoever asked does not make one."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The store that refused: its address without a password, its file if it is one, how long it was waited for."""

    shown: str
    file: Path | None = None
    wait_seconds: float = 0

    def says(self, kind: type[StorageError], remedy: str) -> StorageError:
        return kind(f"{self.shown}: {remedy}")


def refusal(error: Exception, subject: Subject) -> StorageError | None:
    """What to do about a refusal; ``None`` where there is nothing but to mend the program."""
    original = getattr(error, "orig", None) or error
    if isinstance(original, sqlite3.Error):
        return _of_sqlite(original, subject)
    return _of_postgresql(error, original, subject)


def damaged(subject: Subject, fact: str = "the file is damaged and was not touched") -> StorageError:
    """The refusal to write to a damaged file, with the ways back."""
    file = subject.file
    recover = f"save what can be read (sqlite3 {file.name} .recover | sqlite3 new.db)" if file else "recover it"
    return subject.says(StoreDamaged, f"{fact}; restore a backup ({backups_told(file)}), or {recover}")


def backups_of(file: Path) -> list[Path]:
    """The copies that upgrades have left beside a store, the oldest first."""
    return sorted(file.parent.glob(f"{file.name.replace('[', '[[]')}.*.bak"))


def backups_told(file: Path | None) -> str:
    """Which backup there is to restore, in words."""
    found = backups_of(file) if file is not None else []
    return f"the newest beside it: {found[-1].name}" if found else "none lies beside it; what db backup wrote"


# ------------------------------------------------------------------------------------------------------------ SQLite

_BUSY, _LOCKED, _READONLY, _IOERR, _CORRUPT, _FULL, _CANTOPEN, _NOTADB = 5, 6, 8, 10, 11, 13, 14, 26
"""SQLite's primary result codes. Source: https://www.sqlite.org/rescode.html"""
_CODE_BYTES: Final = 0xFF
_READ_ONLY: Final = "the file cannot be written; give this user the right to write it and its folder"
_SQLITE: Final[Mapping[int, tuple[type[StorageError], str]]] = {
    _READONLY: (StorageError, _READ_ONLY),
    _FULL: (StoreAway, "the disk is full; nothing was lost, free some space"),
    _IOERR: (StoreAway, "the disk failed to read or write; look at it, and at the space and the rights it has"),
    _CANTOPEN: (StorageError, "the file cannot be opened; look at its path and rights, and at the space on its disk"),
}


def _of_sqlite(error: sqlite3.Error, subject: Subject) -> StorageError | None:
    code = (getattr(error, "sqlite_errorcode", None) or 0) & _CODE_BYTES
    if code in _SQLITE:
        return subject.says(*_SQLITE[code])
    if code in (_BUSY, _LOCKED):
        held = f"another process held the file for {subject.wait_seconds:g} s; end it, or wait"
        return subject.says(StoreAway, held)
    if code == _CORRUPT:
        return damaged(subject)
    if code == _NOTADB:
        return subject.says(StorageError, _no_database(subject.file))
    if "no such table" in str(error):
        return subject.says(StorageError, "the tables are missing; run: sentiment-monitor db upgrade")
    return subject.says(StorageError, str(error)) if isinstance(error, sqlite3.OperationalError) else None


def _no_database(file: Path | None) -> str:
    lost = file is not None and backups_of(file)
    name = "this file is not a database and was not touched; name another"
    return f"{name}, or restore a backup of it ({backups_told(file)})" if lost else name


# -------------------------------------------------------------------------------------------------------- PostgreSQL

_POSTGRESQL: Final[Mapping[str, tuple[type[StorageError], str]]] = {
    "25006": (StorageError, "the database is read-only; name the server that takes writes"),
    "28000": (StorageError, "the server does not let this user in; look at the user, and at the server's pg_hba.conf"),
    "28P01": (StorageError, "the server refused the user or the password; look at those in monitor.database"),
    "2BP01": (
        StorageError,
        "something of yours stands upon the store's views or tables; drop it, and make it anew afterwards",
    ),
    "3D000": (StorageError, "the server has no such database; make it (createdb), or name another"),
    "42501": (StorageError, "this user lacks a right; let it own the database's tables"),
    "42P01": (StorageError, "the tables are missing; run: sentiment-monitor db upgrade"),
    "53100": (StoreAway, "the server's disk is full; nothing was lost, free some space"),
    "53300": (StoreAway, "the server has no connection to spare; raise its max_connections, or lower monitor.workers"),
    "55P03": (StoreAway, "another program held what was to be written for too long; end it, or wait"),
    "57P03": (StoreAway, "the server is starting or stopping; wait"),
}
_BY_WORDS: Final = (  # of a connection that failed, libpq tells words only, and no code
    ("password authentication failed", "28P01"),
    ("no password supplied", "28P01"),
    ("pg_hba.conf", "28000"),
    ("role ", "28000"),
    ("database ", "3D000"),
    ("starting up", "57P03"),
    ("shutting down", "57P03"),
    ("too many c", "53300"),
    ("connection slots", "53300"),
)
_AWAY: Final = "the database server cannot be used now; "
_UNREACHED: Final = (
    (("refused", "No such file"), "nothing listens there; is it up, and are host and port right?"),
    (("resolve", "not known", "No address"), "its host's name leads nowhere; look at its spelling, or wait for it"),
    (("timeout", "timed out"), "it does not answer; is it up, and does a firewall let it be reached?"),
)
_LOST: Final = _AWAY + "the connection was lost; nothing of it was stored, wait for the server"
_UNKNOWN: Final = _AWAY + "is it up, and are database, user and password right?"
_CONNECTING: Final = "connection failed"


def _of_postgresql(error: Exception, original: Exception, subject: Subject) -> StorageError | None:
    state, words = getattr(original, "sqlstate", None), str(original)
    if state is None and _names_an_option(original, words):
        return subject.says(StorageError, "the address has an option that PostgreSQL does not know; look behind its ?")
    if state is None and _failed_to_connect(words):
        state = next((code for mark, code in _BY_WORDS if mark in _after_fatal(words)), None)
    if state is not None and state in _POSTGRESQL:
        return subject.says(*_POSTGRESQL[state])
    if not isinstance(error, OperationalError | InterfaceError):
        return None
    return subject.says(StoreAway, _away(words))


def _failed_to_connect(words: str) -> bool:
    return "FATAL:" in words or _CONNECTING in words


def _after_fatal(words: str) -> str:
    """The server's own words, where it has said any: those before them hold the address."""
    return words.partition("FATAL:")[2] or words.partition("fe_sendauth:")[2]


def _names_an_option(original: Exception, words: str) -> bool:
    return type(original).__name__ == "ProgrammingError" and "connection option" in words


def _away(words: str) -> str:
    if "server closed the connection" in words or "connection is lost" in words or "terminating connection" in words:
        return _LOST
    found = next((remedy for marks, remedy in _UNREACHED if any(mark in words for mark in marks)), None)
    return _UNKNOWN if found is None else _AWAY + found


def bug(error: Exception) -> str:
    """What is said of a refused statement: not the server's own words, which hold the row it refused."""
    original = getattr(error, "orig", error)
    state = getattr(original, "sqlstate", None)
    return f"the server refused a statement ({type(original).__name__}, {state}); this is a bug, report it"
