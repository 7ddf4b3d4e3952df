"""A daemon that is asleep: this process in a few megabytes, until there is something to do.

``monitor.sleep`` replaces the daemon with this program, under the same process number: nothing of the daemon is in memory then.
Twice a second it looks at the clock, the store (one small statement), the configuration's files, and whether the dashboard beside
it still runs. When something is up it loads the daemon into itself and goes on with it. It is run as a file and imports only what
Python brings along, and PostgreSQL's driver where the store is there.
"""

from __future__ import annotations

import glob
import json
import os
import pickle
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import FrameType
from typing import Any, Final, Literal

LOOK_SECONDS: Final = 0.5
BEAT_SECONDS: Final = 60.0
SIGHUP: Final = getattr(signal, "SIGHUP", None)
"""Windows has none; it does not sleep either."""
SIGNALS: Final = tuple(number for number in (signal.SIGTERM, signal.SIGINT, SIGHUP) if number is not None)
Entry = tuple[str, tuple[int, int, int] | None]
"""A file, and how its folder has it."""
Pattern = tuple[str, str, Sequence[str]]
"""A folder, what files in it are called, and which there are."""
Why = Literal["due", "files", "store", "dashboard", "asked", "trouble"]
"""Why a sleeper wakes up; ``trouble``: it could not look at the store."""


@dataclass(frozen=True, slots=True)
class Child:
    """The dashboard's process: its number, our end of its standard input, when it was started (monotonic), what it was started by."""

    pid: int
    pipe: int
    begun: float
    command: Sequence[str]


@dataclass(frozen=True, slots=True)
class Store:
    """How the store is looked at (see :mod:`storage.asleep`)."""

    driver: str
    arguments: Mapping[str, Any]
    look: str
    beat: str
    leave: str

    def open(self) -> Any:
        """A connection of the driver's own, each statement a transaction of its own."""
        if self.driver == "sqlite3":
            import sqlite3

            return sqlite3.connect(**self.arguments)
        import psycopg

        return psycopg.connect(**self.arguments)

    def seen(self, connection: Any) -> tuple[str, ...]:
        """What is another as soon as there may be something to do."""
        return tuple(str(value) for value in connection.execute(self.look).fetchone())


@dataclass(frozen=True, slots=True)
class Night:
    """All that outlasts the sleep. ``until``: seconds since 1970; ``path``: where modules are looked for.

    ``daemon``: what the daemon is made of, pickled, since the sleeper has no use for it.
    """

    until: float
    store: Store
    seen: tuple[str, ...]
    files: Sequence[Entry]
    patterns: Sequence[Pattern]
    child: Child | None
    log_format: str
    has_terminal: bool
    path: Sequence[str]
    daemon: bytes = field(repr=False)


def entry(path: str) -> Entry:
    """A file as its folder has it; ``None`` where there is none."""
    try:
        stat = os.stat(path)  # noqa: PTH116 - pathlib costs a megabyte here
    except OSError:
        return path, None
    return path, (stat.st_mtime_ns, stat.st_size, stat.st_ino)


def matching(folder: str, name: str) -> Pattern:
    """The files that are called so."""
    return folder, name, sorted(glob.glob(name, root_dir=folder, recursive=True))  # noqa: PTH207 - as for entry


def has_terminal() -> bool:
    """Does this process have a terminal that would end it when it is closed?"""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


def hand_over(night: Night) -> int:
    """A file without a name that holds the night, for the program that comes after this one in the same process."""
    number = os.memfd_create("asleep", 0)
    with os.fdopen(os.dup(number), "wb") as file:
        pickle.dump(tuple(_plain(night).items()), file)
    os.lseek(number, 0, os.SEEK_SET)
    return number


def taken_over(number: int) -> Night:
    """The night that :func:`hand_over` left."""
    with os.fdopen(number, "rb") as file:
        given = dict(pickle.load(file))  # noqa: S301 - our own memory, which nobody else can write to
    given["store"] = Store(**given["store"])
    given["child"] = given["child"] and Child(**given["child"])
    return Night(**given)


def _plain(night: Night) -> dict[str, Any]:
    # This module has another name as a program, so its classes cannot go into the file.
    plain = {name: getattr(night, name) for name in Night.__slots__}
    for name in ("store", "child"):
        if (value := plain[name]) is not None:
            plain[name] = {part: getattr(value, part) for part in type(value).__slots__}
    return plain


class Sleeper:
    """Sleeps until it is worth waking up, or is told to end."""

    def __init__(self, night: Night) -> None:
        self._night = night
        self._told: int | None = None
        self._is_awake = False

    def sleep(self) -> Why | None:
        """Why to wake up; ``None``: the process is to end, and has said so to the store, the log and the dashboard."""
        for number in SIGNALS:
            signal.signal(number, self._on_signal)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)
        try:
            why = self._until_something_is_up()
        except Exception:  # whatever it is, the daemon knows what to say of it
            why = "trouble"
        self._is_awake = True
        if self._is_to_end():
            self.end()
            return None
        return why

    def end(self) -> None:
        """End what hangs on the daemon, and say so."""
        _say(self._night.log_format, f"stopping signal={signal.Signals(self._told or signal.SIGTERM).name}")
        with suppress(Exception):
            connection = self._night.store.open()
            connection.execute(self._night.store.leave)
            connection.close()
        _end(self._night.child)
        _say(self._night.log_format, "stopped cut_off=0")

    def _until_something_is_up(self) -> Why:
        night, beaten = self._night, time.monotonic()
        connection = night.store.open()
        while (why := self._why(connection)) is None:
            if time.monotonic() - beaten >= BEAT_SECONDS:
                connection.execute(night.store.beat)
                beaten = time.monotonic()
            _wait(LOOK_SECONDS)
        connection.close()
        return why

    def _why(self, connection: Any) -> Why | None:
        night = self._night
        if self._told is not None:
            return "asked"
        if time.time() >= night.until:
            return "due"
        if any(entry(path) != (path, before) for path, before in night.files):
            return "files"
        if any(matching(folder, name) != (folder, name, before) for folder, name, before in night.patterns):
            return "files"
        if night.child is not None and _is_over(night.child.pid):
            return "dashboard"
        return "store" if night.store.seen(connection) != night.seen else None

    def _is_to_end(self) -> bool:
        if self._told == SIGHUP:
            return self._night.has_terminal and not has_terminal()
        return self._told is not None

    def _on_signal(self, number: int, _frame: FrameType | None) -> None:
        self._told = number
        if (
            self._is_awake and self._is_to_end()
        ):  # while the daemon is loaded, nothing is begun that would have to be ended
            self.end()
            os._exit(0)


def _wait(seconds: float) -> None:
    """As long, or until a signal comes: Python goes on sleeping after one, so the signal's handler has to break in."""
    waiting = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        if (came := signal.sigtimedwait(SIGNALS, seconds)) is not None:
            signal.raise_signal(came.si_signo)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, waiting)


def _is_over(pid: int) -> bool:
    """Has the process ended? It is not waited for: whoever started it wants to know how it ended."""
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _end(child: Child | None) -> None:
    if child is None:
        return
    with suppress(OSError):  # while the daemon is loaded, its keeper of the dashboard may have done some of this
        os.close(child.pipe)
        os.kill(child.pid, signal.SIGTERM)  # one that is being loaded does not hear the pipe yet
        end = time.monotonic() + CHILD_SECONDS
        while not _is_over(child.pid):
            if time.monotonic() > end:
                os.kill(child.pid, signal.SIGKILL)
            time.sleep(0.02)
        os.waitpid(child.pid, 0)


CHILD_SECONDS: Final = 5.0
"""What the dashboard gets to end by itself."""


def _say(form: str, message: str) -> None:
    """A line of the daemon's log."""
    now = datetime.now(UTC)
    line = f"{now:%Y-%m-%d %H:%M:%SZ} INFO daemon: {message}"
    if form == "json":
        told = {"time": now.isoformat(timespec="milliseconds"), "level": "info", "logger": "sentiment_monitor.daemon"}
        line = json.dumps({**told, "message": message})
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - it has no logging in memory


def main() -> None:
    """Sleep, then go on as the daemon. The first argument that begins with ``--asleep=`` says where the night lies."""
    number = next(int(one.partition("=")[2]) for one in sys.argv if one.startswith("--asleep="))
    night = taken_over(number)
    sleeper = Sleeper(night)
    if (why := sleeper.sleep()) is None:
        return
    sys.path[:] = night.path
    from monitor.waking import go_on

    sys.exit(go_on(pickle.loads(night.daemon), night, why))  # noqa: S301 - as above


if __name__ == "__main__":
    main()
