"""A configuration in several files: ``[monitor] include`` names them; their lists are put together, and each entry knows its file."""

from __future__ import annotations

import glob
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from monitor.config.faults import Fault, unreadable

LISTS: Final = ("brands", "accounts", "sources", "digests", "channels", "topics", "annotations", "rules", "alerts")
"""What an included file may hold."""
_WILD: Final = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an entry stands. ``line`` is that of its header, where it can be told; ``number``: the how manieth it is there."""

    file: Path
    shown: str
    line: int | None
    number: int

    def __str__(self) -> str:
        return self.shown if self.line is None else f"{self.shown}:{self.line}"


@dataclass(frozen=True, slots=True)
class Gathered:
    """All tables as if they stood in one file. ``origins``: of every entry of a list that stands in an included file."""

    data: Mapping[str, Any]
    files: Sequence[Path] = ()
    patterns: Sequence[str] = ()
    origins: Mapping[tuple[str, int], Origin] = field(default_factory=dict)
    faults: Sequence[Fault] = ()


def gather(data: Mapping[str, Any], path: Path | None, texts: Mapping[Path, str] | None = None) -> Gathered:
    """``data``, read from ``path``, with what it includes. ``texts``: files that are to be taken for changed on the disk."""
    monitor = data.get("monitor")
    given = monitor.get("include", []) if isinstance(monitor, Mapping) else []
    patterns = [given] if isinstance(given, str) else given
    if not isinstance(patterns, list) or not all(isinstance(one, str) for one in patterns):
        return Gathered(data)  # which the table's own model says
    return _Gathering(path, texts or {}).gathered(data, patterns)


class _Gathering:
    """One pass over the files, gathering faults."""

    def __init__(self, path: Path | None, texts: Mapping[Path, str]) -> None:
        self.path, self.texts = path, texts
        self.folder = path.parent if path else Path()
        self.faults: list[Fault] = []

    def gathered(self, data: Mapping[str, Any], patterns: Sequence[str]) -> Gathered:
        whole = dict(data)
        origins: dict[tuple[str, int], Origin] = {}
        files = self._files(patterns)
        for file in files:
            text = self._text(file)
            tables = self._tables(file, text)
            for table, entries in tables.items():
                before = whole.get(table, [])
                if not isinstance(before, list):
                    continue  # said of the file that has it so
                lines = _lines(text, table, len(entries))
                places = (Origin(file, self._shown(file), line, number) for number, line in enumerate(lines, 1))
                origins.update({(table, len(before) + number): origin for number, origin in enumerate(places, 1)})
                whole[table] = [*before, *entries]
        return Gathered(whole, files, patterns, origins, self.faults)

    def _files(self, patterns: Sequence[str]) -> list[Path]:
        """The files in the order of the patterns, those of one pattern by name; each once, and never the first file itself."""
        found: dict[Path, Path] = {}
        own = {self.path.resolve()} if self.path else set()
        for pattern in patterns:
            if not _WILD.search(pattern) and not (self.folder / Path(pattern).expanduser()).is_file():
                remedy = f"mend the name, or make it (it is looked for in {self.folder.absolute()})"
                self.faults.append(Fault("monitor.include", f"{pattern}: there is no such file", remedy))
                continue
            for file in matching(self.folder, pattern):
                if file.resolve() not in own:
                    found.setdefault(file.resolve(), file)
        return list(found.values())

    def _text(self, file: Path) -> str:
        if file in self.texts:
            return self.texts[file]
        try:
            return file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            self.faults.append(unreadable(self._shown(file), error))
        return ""

    def _tables(self, file: Path, text: str) -> dict[str, list[Any]]:
        shown = self._shown(file)
        try:
            data = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            self.faults.append(Fault(shown, f"is not TOML: {error}", "mend that line"))
            return {}
        good: dict[str, list[Any]] = {}
        for table, entries in data.items():
            if table not in LISTS:
                fact = (
                    "an included file cannot include further ones"
                    if _includes(table, entries)
                    else "may not stand here"
                )
                remedy = f"move it to {self.path or 'the first file'}; an included file holds {', '.join(LISTS)}"
                self.faults.append(Fault(f"{shown}: {table}", fact, remedy))
            elif not isinstance(entries, list):
                remedy = f"write [[{table}]] instead of [{table}]"
                self.faults.append(Fault(f"{shown}: {table}", "is one table, and needs to be a list", remedy))
            else:
                good[table] = entries
        return good

    def _shown(self, file: Path) -> str:
        """The file's name as it is seen from the first one."""
        try:
            return str(file.relative_to(self.folder))
        except ValueError:
            return str(file)


def matching(folder: Path, pattern: str) -> list[Path]:
    """The files that a pattern means now, by name. Hidden ones are left out: editors put their own there."""
    wanted = str(Path(pattern).expanduser())
    found = glob.glob(wanted, root_dir=folder, recursive=True)  # noqa: PTH207  which would find hidden ones and refuse some patterns
    return sorted(file for name in found if (file := folder / name).is_file())


def _includes(table: str, value: Any) -> bool:
    return table == "monitor" and isinstance(value, Mapping) and "include" in value


def _lines(text: str, table: str, count: int) -> list[int | None]:
    """On which line each entry begins; unknown where the file is laid out in another way than ``[[table]]``."""
    header = re.compile(rf"\s*\[\[\s*[\"']?{re.escape(table)}[\"']?\s*\]\]")
    found: list[int | None] = [number for number, line in enumerate(text.splitlines(), 1) if header.match(line)]
    return found if len(found) == count else [None] * count
