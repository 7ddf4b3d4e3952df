"""The sample brands, pulled: once for all processes that test, since everybody looks at the same, and copied for each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from fcntl import LOCK_EX, flock
from pathlib import Path
from threading import Event
from typing import Final

import pytest

from monitor.app import App, build
from monitor.config import load
from monitor.daemon import pull_now

NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
"""When they were pulled; the sample data end on this day."""
EXAMPLE: Final = Path(__file__).parents[2] / "config.example.toml"


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """The folder that the first process to ask has made; to be copied, never changed."""
    shared = factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, done = shared / name, shared / f"{name}.done"
    with (shared / f"{name}.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not done.exists():
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


def pull(folder: Path) -> None:
    """Pull what the example configuration names of the sample brands."""
    app = opened(folder)
    names = [source.name for source in app.settings.sources if source.type == "sample"]
    fates = {result.fate for result in pull_now(app, names, Event())}
    app.close()
    assert fates == {None}


def opened(folder: Path) -> App:
    """The example configuration over the store of a folder."""
    config = folder / "config.toml"
    text = EXAMPLE.read_text(encoding="utf-8")
    config.write_text(text.replace("sqlite:///var/monitor.db", f"sqlite:///{folder}/monitor.db"), encoding="utf-8")
    return build(load(config), now=lambda: NOW)


def copied(pulled: Path, folder: Path) -> Path:
    """The folder, with a copy of the store in it."""
    shutil.copyfile(pulled / "monitor.db", folder / "monitor.db")
    return folder
