"""PURE  One more entry in a configuration file: its comments, its order and its layout stay as they are.

tomlkit writes the entry; where it goes is found in the text, since tomlkit's own lists take the comment above the next table
for the end of the entry before it and would tear the two apart. Whatever comes out is read again and compared.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tomlkit
from tomlkit.items import Array, Item, SingleKey

_HEADER = re.compile(r"\s*\[\[?\s*[\"']?([A-Za-z0-9_-]+)")


class NotEditable(Exception):
    """The text is laid out in a way that takes no further entry; the message holds the entry, to be added by hand."""


def with_entry(text: str, table: str, entry: Mapping[str, Any]) -> str:
    """``text`` (sound TOML) with one more ``[[table]]``, behind the last one of them or else at the end.

    Values are TOML values; inner tables are written in line. ``NotEditable`` where the text has no place for it.
    """
    before = tomllib.loads(text)
    wanted = before | {table: [*before.get(table, []), dict(entry)]}
    for candidate in _candidates(text, table, entry):
        try:
            if tomllib.loads(candidate) == wanted:
                return candidate
        except tomllib.TOMLDecodeError:
            continue
    raise NotEditable(f"{table}: the file takes no further entry; add this by hand:\n{block(table, entry)}")


def block(table: str, entry: Mapping[str, Any]) -> str:
    """The entry as it is written: ``[[table]]`` and a line for each key."""
    body = tomlkit.table()
    for key, value in entry.items():
        body.add(key, _item(value))
    entries = tomlkit.aot()
    entries.append(body)
    document = tomlkit.document()
    document.add(table, entries)
    return tomlkit.dumps(document).strip() + "\n"


def _candidates(text: str, table: str, entry: Mapping[str, Any]) -> Iterator[str]:
    lines = text.split("\n")
    written = block(table, entry).rstrip("\n").split("\n")
    ending = "\r" if lines[0].endswith("\r") else ""
    for place in _places(lines, table):
        yield "\n".join(_inserted(lines, place, [f"{line}{ending}" for line in written], ending))
    yield _in_line(text, table, entry)


def _places(lines: Sequence[str], table: str) -> Iterator[int]:
    """The lines before which the entry may stand, the best first."""
    own = [number for number, line in enumerate(lines) if _table_of(line) == table]
    if own:
        behind = range(own[-1] + 1, len(lines))
        yield _above(lines, next((n for n in behind if _table_of(lines[n]) not in (None, table)), len(lines)))
    yield _above(lines, len(lines))


def _table_of(line: str) -> str | None:
    found = _HEADER.match(line)
    return found[1] if found else None


def _above(lines: Sequence[str], header: int) -> int:
    """The line behind all that belongs to the table before: the comment right above a header is the header's own."""
    at = header
    while header < len(lines) and at > 0 and lines[at - 1].lstrip().startswith("#"):
        at -= 1
    while at > 0 and not lines[at - 1].strip():
        at -= 1
    return at


def _inserted(lines: Sequence[str], at: int, written: Sequence[str], ending: str) -> list[str]:
    head, tail = list(lines[:at]), list(lines[at:])
    space_above = [ending] if head else []
    space_below = [ending] if tail and tail[0].strip() else []
    return [*head, *space_above, *written, *space_below, *(tail or [""])]


def _in_line(text: str, table: str, entry: Mapping[str, Any]) -> str:
    """For entries kept as ``table = [{...}, {...}]``."""
    document = tomlkit.parse(text)
    entries = document.get(table)
    if isinstance(entries, Array):
        entries.append(_item(entry))
    return tomlkit.dumps(document)


def _item(value: Any) -> Item:
    if isinstance(value, Mapping):
        inner = ", ".join(f"{SingleKey(str(key)).as_string()} = {_item(v).as_string()}" for key, v in value.items())
        return _parsed(f"{{ {inner} }}" if inner else "{}")
    if isinstance(value, list | tuple):
        return _parsed(f"[{', '.join(_item(entry).as_string() for entry in value)}]")
    item: Item = tomlkit.item(value)
    return item


def _parsed(text: str) -> Item:
    """A value that keeps the blanks it is written with."""
    item: Item = tomlkit.value(text)
    return item
