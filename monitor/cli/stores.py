"""Which command may make a store: one that only reads says that there is none, rather than to read an empty one."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from monitor.cli.common import Failure

if TYPE_CHECKING:
    from monitor.config import Settings


def check_made(settings: Settings, *, makes_store: bool) -> None:
    """``Failure`` where the store's file is not there, and this command must not make it.

    Nor does one that may where the file lies in the working folder, by which relative paths once went: a second, empty store
    would hide the first.
    """
    from storage.engine import file_of, is_unmade

    address = settings.monitor.database
    file = file_of(address)
    if file is None or not is_unmade(address):
        return
    left = _left_behind(file, settings.folder)
    if left is not None:
        raise Failure(_moved(file, left, settings))
    if not makes_store:
        raise Failure(unmade(f"database: there is no store at {file}", settings))


def unmade(fact: str, settings: Settings) -> str:
    """What to do where there is no store yet."""
    where = "" if settings.path is None else f" --config {shlex.quote(str(settings.path))}"
    return (
        f"{fact} yet; make and fill it with: sentiment-monitor run --once{where}, or name another in [monitor] database"
    )


def _left_behind(file: Path, folder: Path) -> Path | None:
    """A store at the same place as seen from the working folder, unless that has a configuration of its own."""
    from monitor.config.load import DEFAULT_FILE

    working = Path.cwd()
    if working == folder or (working / DEFAULT_FILE).exists():
        return None
    old = Path(os.path.normpath(working / os.path.relpath(file, folder)))
    return old if old.is_file() and old != file else None


def _moved(file: Path, old: Path, settings: Settings) -> list[str]:
    return [
        f"database: there is no store at {file}, but one at {old}: relative paths now go by the folder of the configuration",
        f'move that one (and its -wal, if there is one) to {file.parent}, or write database = "sqlite:///{old}" under [monitor]',
        f"to begin a new one all the same: sentiment-monitor db upgrade --config {shlex.quote(str(settings.path))}",
    ]
