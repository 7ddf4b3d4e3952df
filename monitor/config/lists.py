"""PURE  Words put into a list of a configuration file, or taken out of it: comments, order and layout stay as they are.

tomlkit edits a list that is there; a list that is not is written as a line of its own below the keys that it belongs to.
Whatever comes out is read again and compared.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array

from monitor.config.edit import NotEditable


def with_words(text: str, table: str, name: str, key: str, words: Sequence[str], beside: Sequence[str] = ()) -> str:
    """``text`` (sound TOML) with ``words`` at the end of the list ``key`` of the entry ``name`` of ``[[table]]``.

    Words that are there already are not put in again. A list that is missing is made, below the first of the keys ``beside``
    that is there. ``NotEditable`` where the text has no place for it.
    """
    return _edited(text, table, name, key, lambda known: [*known, *_fresh(words, known)], beside)


def without_words(text: str, table: str, name: str, key: str, words: Sequence[str]) -> str:
    """``text`` without ``words`` in that list, which may become empty; those that are not there are passed over."""
    return _edited(text, table, name, key, lambda known: [one for one in known if one not in words], ())


def words_in(text: str, table: str, name: str, key: str) -> list[str]:
    """The words of that list; none where it is missing. ``NotEditable`` where there is no such entry."""
    return _list_of(_entry(tomllib.loads(text), table, name), key)


_Change = Callable[[Sequence[str]], list[str]]


def _edited(text: str, table: str, name: str, key: str, change: _Change, beside: Sequence[str]) -> str:
    data = tomllib.loads(text)
    before = words_in(text, table, name, key)
    after = change(before)
    if after == before:
        return text
    wanted = {**data, table: [_changed(entry, name, key, after) for entry in data[table]]}
    for candidate in _candidates(text, table, name, key, after, beside):
        try:
            if tomllib.loads(candidate) == wanted:
                return candidate
        except tomllib.TOMLDecodeError:
            continue
    line = f"{key} = {_array(after).as_string()}"
    raise NotEditable(
        f"{table}.{name}: the file is laid out in a way that cannot be edited; write this by hand:\n{line}"
    )


def _changed(entry: Any, name: str, key: str, words: Sequence[str]) -> Any:
    return {**entry, key: list(words)} if _is_named(entry, name) else entry


def _entry(data: Mapping[str, Any], table: str, name: str) -> Mapping[str, Any]:
    entries = data.get(table, [])
    found = next((one for one in entries if _is_named(one, name)), None) if isinstance(entries, list) else None
    if found is None:
        raise NotEditable(f'{table}: no entry "{name}" in this file; look at the name')
    return found  # type: ignore[no-any-return]


def _is_named(entry: Any, name: str) -> bool:
    return isinstance(entry, Mapping) and entry.get("name") == name


def _list_of(entry: Mapping[str, Any], key: str) -> list[str]:
    found = entry.get(key, [])
    if not isinstance(found, list):
        raise NotEditable(f"{key}: is no list; mend that first")
    return [str(one) for one in found]


def _fresh(words: Sequence[str], known: Sequence[str]) -> list[str]:
    return [word for word in dict.fromkeys(words) if word not in known]


# ------------------------------------------------------------------------------------------------- candidates


def _candidates(
    text: str, table: str, name: str, key: str, after: Sequence[str], beside: Sequence[str]
) -> Iterator[str]:
    try:
        document = tomlkit.parse(text)
        entry = _entry(document, table, name)
        known = entry.get(key)
        if isinstance(known, Array):
            _rewrite(known, after)
            yield tomlkit.dumps(document)
    except TOMLKitError:
        known = None
    if known is None:
        yield from _with_line(text, table, f"{key} = {_array(after).as_string()}", (*beside, "name"))
    document = tomlkit.parse(text)
    for one in document.get(table, []):  # an entry in braces
        if _is_named(one, name):
            one[key] = _array(after)
    yield tomlkit.dumps(document)


def _rewrite(array: Array, after: Sequence[str]) -> None:
    """Takes out what is gone and puts in at the end what is new; comments beside the others stay."""
    for place in reversed(range(len(array))):
        if str(array[place]) not in after:
            del array[place]
    for word in after[len(array) :]:
        array.append(word)


def _with_line(text: str, table: str, line: str, beside: Sequence[str]) -> Iterator[str]:
    """The line behind each line of every entry, behind those of the keys ``beside`` first: the reader tells which was right."""
    lines = text.split("\n")
    ending = "\r" if lines[0].endswith("\r") else ""
    places = sorted(_places(lines, table), key=lambda place: (_rank(lines, place, beside), place))
    for place in places:
        indent = _INDENT.match(lines[place - 1])
        inserted = f"{indent[0] if indent else ''}{line}{ending}"
        yield "\n".join([*lines[:place], inserted, *lines[place:]])


def _places(lines: Sequence[str], table: str) -> Iterator[int]:
    own = False
    for number, line in enumerate(lines):
        if header := _HEADER.match(line):
            own = header[1] == table
        elif own and line.strip():
            yield number + 1


def _rank(lines: Sequence[str], place: int, beside: Sequence[str]) -> int:
    """0 behind the first key of ``beside``, and so on; the lines of a value that fills several belong to its key."""
    for number in range(place - 1, -1, -1):
        found = _KEY.match(lines[number])
        if found:
            return beside.index(found[1]) if found[1] in beside else len(beside)
    return len(beside)


def _array(words: Sequence[str]) -> Array:
    array = tomlkit.array()
    for word in words:
        array.append(word)
    return array


_HEADER: Final = re.compile(r"\s*\[\[\s*[\"']?([A-Za-z0-9_-]+)[\"']?\s*\]\]")
_KEY: Final = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")
_INDENT: Final = re.compile(r"[ \t]*")
