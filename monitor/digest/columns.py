"""PURE  Text in columns of a fixed font: wide letters take two, combining marks none."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

from monitor.digest.numbers import cells
from monitor.digest.page import Bar

COLUMNS: Final = 80
MARKS: Final = ("+", "·", "−", "?", " ")
"""Positive, neutral, negative, not scored, and nothing."""


def width(text: str) -> int:
    """Columns that ``text`` takes."""
    return sum(_width(char) for char in text)


def wrap(text: str, first: str = "", rest: str = "", columns: int = COLUMNS) -> str:
    """``text`` in lines of at most ``columns``, begun with ``first`` and then ``rest``; a number keeps its percent sign.

    Words that are longer than a line are broken.
    """
    room = columns - width(rest)
    pieces = [piece for word in text.replace(" %", "\xa0%").split(" ") for piece in _broken(word, room)]
    lines = [""]
    for piece in pieces:
        if lines[-1] and width(lines[-1]) + 1 + width(piece) > room:
            lines.append(piece)
        else:
            lines[-1] = f"{lines[-1]} {piece}" if lines[-1] else piece
    return "\n".join((first if at == 0 else rest) + line for at, line in enumerate(lines)).replace("\xa0", " ")


def row(texts: Sequence[str | None], widths: Sequence[int]) -> str:
    """A table's row; a negative width aligns right, and what is too long is cut."""
    padded = (_padded(clip(text or "", abs(size)), size) for text, size in zip(texts, widths, strict=True))
    return "  ".join(padded).rstrip()


def clip(text: str, columns: int) -> str:
    """``text`` in at most so many columns, cut with an ellipsis."""
    if width(text) <= columns:
        return text
    kept = ""
    for char in text:
        if width(kept) + _width(char) > columns - 1:
            break
        kept += char
    return kept.rstrip() + "…"


def bar(counts: Bar, columns: int) -> str:
    """``+++++···−−``."""
    drawn = zip(MARKS, cells(counts.parts, columns), strict=True)
    return "".join(mark * size for mark, size in drawn).rstrip()


def _padded(text: str, size: int) -> str:
    blanks = " " * (abs(size) - width(text))
    return blanks + text if size < 0 else text + blanks


def _broken(word: str, room: int) -> list[str]:
    pieces = [""]
    for char in word:
        if pieces[-1] and width(pieces[-1]) + _width(char) > room:
            pieces.append("")
        pieces[-1] += char
    return pieces


def _width(char: str) -> int:
    if unicodedata.combining(char) or unicodedata.category(char) in ("Cf", "Me", "Mn"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1
