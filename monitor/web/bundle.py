"""The chart engine's JavaScript, as vl-convert carries it: made once in a process of its own (1 s, 100 MB), kept in a file."""

from __future__ import annotations

import gzip
import os
import stat
import subprocess
import sys
import tempfile
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from threading import Lock
from typing import Final

SECONDS: Final = 60.0
_LOCK: Final = Lock()
_CODE: Final = "import sys, vl_convert; sys.stdout.buffer.write(vl_convert.javascript_bundle().encode())"


class NoEngine(Exception):
    """There are no charts: the engine is not installed or failed; the tables beside them say the same."""


def engine_version() -> str:
    """What the address of the engine's script changes with."""
    try:
        return version("vl-convert-python")
    except PackageNotFoundError:
        return "none"


def engine(folder: Path) -> bytes:
    """The script, gzipped; made at the first call and kept in ``folder``. :class:`NoEngine` says why there is none."""
    file = folder / f"chart-engine-{engine_version()}.js.gz"
    with _LOCK:
        try:
            return file.read_bytes()
        except OSError:
            made = gzip.compress(_made(), 6)
            _keep(file, made)
            return made


@cache
def own_folder() -> Path:
    """A folder that nobody else can put a script into, for where the store is no file."""
    folder = Path(tempfile.gettempdir()) / "sentiment-monitor"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        told = folder.lstat()
        is_own = stat.S_ISDIR(told.st_mode) and told.st_uid == os.geteuid() and not told.st_mode & 0o022
    except (OSError, AttributeError):
        is_own = False
    return folder if is_own else Path(tempfile.mkdtemp(prefix="sentiment-monitor-"))


def _made() -> bytes:
    try:
        done = subprocess.run([sys.executable, "-c", _CODE], capture_output=True, timeout=SECONDS, check=True)  # noqa: S603 - our own
    except (subprocess.SubprocessError, OSError) as error:
        raise NoEngine("the chart engine failed; is vl-convert-python installed?") from error
    return done.stdout


def _keep(file: Path, content: bytes) -> None:
    """Where it cannot be kept it is made anew the next time."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as part:
            part.write(content)
        Path(part.name).replace(file)
    except OSError:
        return
