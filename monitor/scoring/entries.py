"""What a user may add to the lexicon: entries are checked, and every fault is named, never passed over."""

from __future__ import annotations

import math
import string
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from monitor.scoring import clean

_LARGEST: Final = 4.0
_COLUMNS: Final = 2
_EMOJI_PRESENTATION: Final = "\N{VARIATION SELECTOR-16}"


def plain_word(word: str) -> str:
    """A word as texts hold it after cleaning: without the invisible sign that follows some emoji."""
    return word.replace(_EMOJI_PRESENTATION, "")


def word_fault(word: str) -> str | None:
    """Why no text can hold this word as VADER reads texts, and what to write instead."""
    stripped = word.strip(string.punctuation)
    if not word.strip():
        return "is empty; remove it"
    if any(letter.isspace() for letter in word):
        return "has white space, but VADER reads one word at a time; give each word by itself"
    if word != word.lower():
        return f"has upper-case letters, but words are looked up in lower case; write {word.lower()!r}"
    if clean.speaks(word) and len(stripped) > 2 and stripped != word:
        return f"has punctuation at its ends, which VADER takes off; write {stripped!r}"
    if len(clean.mended(word).split()) > 1:
        return "is more than one sign, which are read one by one; give each sign by itself"
    return None


def value_fault(value: object) -> str | None:
    """Why this is no value for a word."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return f"has the value {value!r}; give a number from -4 (worst) to 4 (best)"
    if not math.isfinite(value) or abs(value) > _LARGEST:
        return f"has the value {value}; give one from -4 (worst) to 4 (best)"
    return None


def entries(given: Mapping[str, object]) -> tuple[dict[str, float], list[str]]:
    """The sound entries, and the faults of the others."""
    found: dict[str, float] = {}
    faults: list[str] = []
    for word, value in given.items():
        named = [fault for fault in (word_fault(word), value_fault(value)) if fault]
        if not named and found.get(plain_word(word), value) != value:
            named = [f"stands twice, with the values {found[plain_word(word)]} and {value}; keep one"]
        faults += [f"{word!r} {fault}" for fault in named]
        if not named:
            found[plain_word(word)] = float(value)  # type: ignore[arg-type]  # a number, since it has no fault
    return found, faults


def words(given: Iterable[str]) -> tuple[list[str], list[str]]:
    """The sound words, each once, sorted, and the faults of the others."""
    given = list(given)
    faults = [f"{word!r} {fault}" for word in given if (fault := word_fault(word))]
    return sorted({plain_word(word) for word in given}), faults


def entries_of_file(path: Path) -> tuple[dict[str, float], list[str]]:
    """The entries of a file of ``word<TAB>value`` lines, where ``#`` begins a comment line, and its faults by line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        return {}, [f"{path}: {error.strerror or error}; give a file that can be read"]
    except UnicodeDecodeError as error:
        return {}, [f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8"]
    return _entries_of_lines(text.splitlines(), str(path))


def _entries_of_lines(lines: Iterable[str], name: str) -> tuple[dict[str, float], list[str]]:
    found: dict[str, float] = {}
    first_seen: dict[str, int] = {}
    faults: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        entry, named = _entry_of_line(line)
        named += [f"{word!r} stands on line {first_seen[word]} too; keep one" for word in entry if word in first_seen]
        faults += [f"{name}:{number}: {fault}" for fault in named]
        found |= entry
        first_seen |= dict.fromkeys(entry.keys() - first_seen.keys(), number)
    return found, faults


def _entry_of_line(line: str) -> tuple[dict[str, float], list[str]]:
    columns = line.rstrip().split("\t")
    if len(columns) != _COLUMNS:
        return {}, [f"has {len(columns)} columns; give a word, one tab and a value"]
    try:
        value: object = float(columns[1])
    except ValueError:
        value = columns[1]
    return entries({columns[0]: value})
