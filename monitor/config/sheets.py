"""PURE  Which files the settings stand in, for whoever shows, edits or watches them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from monitor.config.including import Origin
from monitor.config.templates import Made


@dataclass(frozen=True, slots=True)
class Sheets:
    """``included``: the files that the first one names. ``origins``: table and name of an entry -> where it stands, if in one of those.

    ``read``: files outside of the configuration that it was made of (secrets), whether they are there or not. ``digest``: of all these files as they were read.
    """

    included: Sequence[Path] = ()
    patterns: Sequence[str] = ()
    origins: Mapping[tuple[str, str], Origin] = field(default_factory=dict)
    made: Sequence[Made] = ()
    read: Sequence[Path] = ()
    digest: str | None = None

    def file_of(self, table: str, name: str, first: Path) -> Path:
        """The file in which an entry stands; ``first``, where all stand that are in no other."""
        origin = self.origins.get((table, name))
        return first if origin is None else origin.file

    def counts(self, file: Path) -> Mapping[str, int]:
        """How many entries of each table stand in an included file, those made of templates each by itself."""
        return Counter(table for (table, _), origin in self.origins.items() if origin.file == file)
