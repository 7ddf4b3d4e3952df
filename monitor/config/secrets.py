"""Secrets come from the environment, from a file, or from ``secrets.env`` beside the configuration; never printed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from monitor.config.faults import Fault

SECRETS_FILE = "secrets.env"


@dataclass
class Secrets:
    """Resolves ``env:NAME`` and ``file:/path`` in option values; what cannot be resolved becomes a fault."""

    folder: Path
    values: Mapping[str, str] = field(repr=False)
    faults: list[Fault] = field(default_factory=list)
    read: list[Path] = field(default_factory=list)
    """The files that were looked into, there or not."""
    offline: bool = False

    @classmethod
    def beside(cls, folder: Path) -> Secrets:
        file = folder / SECRETS_FILE
        return cls(folder, {**_read(file), **os.environ}, read=[file])

    def resolve(self, value: Any, place: str) -> Any:
        """The value with every reference in it replaced, however deep."""
        if isinstance(value, Mapping):
            return {key: self.resolve(entry, f"{place}.{key}") for key, entry in value.items()}
        if isinstance(value, list):
            return [self.resolve(entry, f"{place}[{number + 1}]") for number, entry in enumerate(value)]
        if isinstance(value, str) and value.startswith("env:"):
            return self._variable(value[4:], place)
        if isinstance(value, str) and value.startswith("file:") and not value.startswith("file://"):
            return self._file(value[5:], place)
        return value

    def _variable(self, name: str, place: str) -> str:
        if name not in self.values:
            remedy = f"export {name}=..., or write {name}=... into {SECRETS_FILE} beside the configuration"
            self.faults.append(Fault(place, f"the variable {name} is not set", remedy))
        return self.values.get(name, "")

    def _file(self, name: str, place: str) -> str:
        path = self.folder / Path(name).expanduser()
        if path not in self.read:
            self.read.append(path)
        try:
            return path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not a text"
            self.faults.append(Fault(place, f"{name} cannot be read ({reason})", "name a readable file"))
            return ""


def _read(file: Path) -> dict[str, str]:
    """``NAME=value`` lines; ``#`` comments, ``export`` and quotes are understood."""
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    pairs = (line.strip().removeprefix("export ").partition("=") for line in lines if not line.strip().startswith("#"))
    return {name.strip(): _unquoted(value.strip()) for name, sign, value in pairs if sign}


def _unquoted(value: str) -> str:
    quoted = len(value) >= 2 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value
