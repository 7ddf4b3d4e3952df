"""The configuration's files on the disk: replaced whole, secrets for their owner's eyes only, nothing secret for git."""

from __future__ import annotations

import os
import stat
import tempfile
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path

from monitor.config.faults import ConfigError
from monitor.config.load import parse
from monitor.config.models import Settings
from monitor.config.secrets import SECRETS_FILE, Secrets

PRIVATE = 0o600
PUBLIC = 0o644


def read(path: Path) -> str:
    """A file's text with its line ends as they are."""
    return path.read_bytes().decode("utf-8")


def keep(path: Path, text: str, secrets: Mapping[str, str], part: Path | None = None) -> Settings:
    """Make ``text`` the configuration at ``path`` and add ``secrets`` (by variable) to the file beside it.

    ``part``: the included file that ``text`` is to be, where it is not the first one. Sound as a whole or not at all:
    ``ConfigError`` leaves all files as they were. ``OSError`` where they cannot be written.
    """
    beside = path.parent / SECRETS_FILE
    before = read(beside) if beside.exists() else None
    if secrets:
        replace(beside, _with_secrets(before or "", secrets), mode=PRIVATE)
    try:
        changed = {} if part is None else {part: text}
        settings = parse(tomllib.loads(text if part is None else read(path)), path, changed)
        replace(part or path, text)
    except (ConfigError, OSError):
        if secrets:
            _put_back(beside, before)
        raise
    return settings


def replace(path: Path, text: str, *, mode: int | None = None) -> None:
    """Write the file whole or not at all, with ``mode`` or the rights it has; a link to it stays a link."""
    target = path.resolve()
    try:
        _replace(target, text, _rights(target) if mode is None else mode)
    except OSError as error:
        error.filename, error.filename2 = str(path), None  # not the partial file's, which tells nobody anything
        raise


def _replace(target: Path, text: str, mode: int) -> None:
    handle, partial = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(partial).chmod(mode)
        Path(partial).replace(target)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


def free_variable(folder: Path, wanted: str) -> str:
    """A name for a secret that nothing uses yet, here or in the environment: ``WANTED``, else ``WANTED_2`` and so on."""
    taken = Secrets.beside(folder).values
    names = (wanted if number == 1 else f"{wanted}_{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def ignored_by_git(folder: Path, entries: Iterable[str]) -> Path | None:
    """Have git ignore ``entries`` if ``folder`` lies in a checkout; the ``.gitignore`` that was changed for it."""
    home = folder.resolve()
    if not any((place / ".git").exists() for place in (home, *home.parents)):
        return None
    file = home / ".gitignore"
    text = read(file) if file.exists() else ""
    known = {line.strip().strip("/") for line in text.splitlines()}
    missing = [entry for entry in entries if entry.strip("/") not in known]
    if not missing:
        return None
    gap = "" if not text or text.endswith("\n") else "\n"
    replace(file, text + gap + "".join(f"{entry}\n" for entry in missing))
    return file


def _with_secrets(text: str, secrets: Mapping[str, str]) -> str:
    """``NAME=value`` lines behind what is there; ``ValueError`` for a value that no line can hold."""
    gap = "" if not text or text.endswith("\n") else "\n"
    return text + gap + "".join(f"{name}={_quoted(name, value)}\n" for name, value in secrets.items())


def _quoted(name: str, value: str) -> str:
    if not value.isprintable():
        raise ValueError(f"{name}: holds a line break or control character; keep it in a file and write file:/path")
    return value if value == value.strip() and value[:1] not in ("'", '"') else f'"{value}"'


def _put_back(file: Path, before: str | None) -> None:
    if before is None:
        file.unlink(missing_ok=True)
    else:
        replace(file, before, mode=PRIVATE)


def _rights(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode) if file.exists() else PUBLIC
