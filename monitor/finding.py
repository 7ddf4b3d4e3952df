"""PURE  Is a term in a text? The rules for people stand in :mod:`monitor.matching`.

Everything here is linear in the length of the text, whatever it holds.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from typing import Final

from monitor.query import Term, is_pictograph

MAX_TERM: Final = 200
"""Characters in a term at most."""
BARRIER: Final = "\x00"
"""Stands between the fields of an item; no phrase crosses it."""


class Run(Enum):
    """What a term is made of."""

    WORD = "word"
    SIGN = "sign"  # must stand as written
    LOOSE = "loose"  # white space and punctuation: any run of them will do


class Page:
    """A text made ready for looking: ``folded`` is searched, ``cased`` is the same, character by character, unfolded."""

    __slots__ = ("cased", "folded")

    def __init__(self, text: str, *, case_sensitive: bool) -> None:
        plain = plain_form(without_paths(text), case_sensitive=case_sensitive)
        if plain.isascii():  # what follows would come to the same
            self.folded, self.cased = plain if case_sensitive else plain.lower(), plain
            return
        self.folded = plain if case_sensitive else _caseless(plain)
        self.cased = _aligned(plain, self.folded)


@dataclass(frozen=True, slots=True)
class Sought:
    """How one term is looked for: ``needle`` is in every text that holds it; the groups of ``pattern`` are its gaps."""

    needle: str
    pattern: re.Pattern[str]
    opening: Run
    closing: Run

    def is_in(self, page: Page) -> bool:
        if self.needle not in page.folded:
            return False
        found = self.pattern.search(page.folded)
        while found and not self._stands_alone(found, page.cased):
            found = self.pattern.search(page.folded, found.start() + 1)
        return found is not None

    def _stands_alone(self, found: re.Match[str], cased: str) -> bool:
        start, end = found.span()
        if self.opening is Run.WORD and not _is_edge(cased, start):
            return False
        if self.opening is Run.SIGN and cased[start] in "@#$" and _is_ascii_word(cased[start - 1 : start]):
            return False  # the middle of an e-mail address
        if self.closing is Run.WORD and not _is_edge(cased, end, korean_goes_on=True):
            return False
        return all(_is_gap(cased, *found.span(group)) for group in range(1, self.pattern.groups + 1))


def seek(term: Term, *, case_sensitive: bool) -> Sought:
    """``term`` made ready; ``ValueError`` where nothing of it can be looked for, or it is longer than ``MAX_TERM``."""
    parts = runs(fold(term.text, case_sensitive=case_sensitive))
    while parts and parts[0][0] is Run.LOOSE:
        parts.pop(0)
    while parts and parts[-1][0] is Run.LOOSE:
        parts.pop()
    if not parts or len(term.text) > MAX_TERM:
        raise ValueError(f"{term.text[:40]!r}: needs a letter or digit, and {MAX_TERM} characters at most")
    needle = max((text for kind, text in parts if kind is not Run.LOOSE), key=len)
    closing = Run.LOOSE if term.prefix else parts[-1][0]
    return Sought(needle, re.compile(_pattern(parts)), parts[0][0], closing)


def runs(text: str) -> list[tuple[Run, str]]:
    """``text`` cut into words, signs and what lies between."""
    if text[:1] == "." and text[1:2] and _is_word(text[1]):  # ".NET"
        return [(Run.SIGN, "."), *runs(text[1:])]
    return [(kind, "".join(chars)) for kind, chars in groupby(text, _run_of)]


def fold(text: str, *, case_sensitive: bool = False) -> str:
    """``text`` without differences of compatibility form and, unless ``case_sensitive``, of case; accents stay."""
    if text.isascii():
        return text if case_sensitive else text.lower()
    plain = plain_form(text, case_sensitive=case_sensitive)
    return plain if case_sensitive else _caseless(plain)


def plain_form(text: str, *, case_sensitive: bool) -> str:
    """``text`` in compatibility form, without what cannot be seen and without the marks of law that NFKC spells out."""
    if text.isascii():
        return text
    for char, plain in _PLAIN.items():
        text = text.replace(char, plain)
    text = _normalised(text)
    # Turkish has two letters i, and case alone does not tell whose I it is: they count as one.
    return text if case_sensitive else text.replace("İ", "I").replace("i\u0307", "i")


def without_paths(text: str) -> str:
    """``text`` with its URLs cut down to their hosts."""
    return _URL.sub(r"\1 ", text) if "/" in text or "www." in text else text


# --- Patterns --------------------------------------------------------------------------------------------------------


def _pattern(parts: Sequence[tuple[Run, str]]) -> str:
    written: list[str] = []
    last = len(parts) - 1
    for at, (kind, text) in enumerate(parts):
        beside_sign = any(parts[n][0] is Run.SIGN for n in (at - 1, at + 1) if 0 <= n <= last)
        if kind is Run.LOOSE:
            written.append(r"\s*+" if beside_sign else _GAP)
        elif kind is Run.SIGN and 0 < at < last:
            written.append(rf"\s?{re.escape(text)}\s?")  # "AT & T"
        else:
            written.append(re.escape(text))
    return "".join(written)


def _run_of(char: str) -> Run:
    if _is_word(char):
        return Run.WORD
    is_sign = char in r"&@#%*/\^+=<>|~" or unicodedata.category(char) in ("Sc", "Sm") or is_pictograph(char)
    return Run.SIGN if is_sign else Run.LOOSE


_GAP: Final = rf"((?:[^\w{BARRIER}]|_)*+)"
_URL: Final = re.compile(
    # All of it optional behind the start, so that no start is tried in vain and the time stays linear.
    rf"((?:https?://|www\.)[^\s/?#{BARRIER}]*+)(?:[/?#][!#-;=?-~]*+)?",
    re.IGNORECASE,
)


# --- Where words end -------------------------------------------------------------------------------------------------

_TAG: Final = re.compile(r"\w*+")
_TAG_LENGTH: Final = 100
"""Characters of a hashtag or handle at most."""


def _is_edge(text: str, at: int, *, korean_goes_on: bool = False) -> bool:
    """May a term begin or end at ``at``?"""
    if at == 0 or at == len(text):
        return True
    before, after = text[at - 1], text[at]
    if not (_is_word(before) and _is_word(after)):
        return True
    if before.isascii() and after.isascii():
        return _is_edge_in_tag(text, at)
    if _is_mark(after):
        return False
    if _is_unspaced(before) or _is_unspaced(after) or _is_latin(before) != _is_latin(after):
        return True
    return (korean_goes_on and _is_hangul(before)) or _is_edge_in_tag(text, at)


def _is_gap(text: str, start: int, end: int) -> bool:
    """Do the words of a phrase part between ``start`` and ``end``?"""
    if start == end:
        return _tag_sign(text, start) is not None or _is_edge(text, start)
    return not _is_mark(text[start])


def _is_edge_in_tag(text: str, at: int) -> bool:
    before, after = text[at - 1], text[at]
    if after.isupper():  # "#AcmePhone", "#ACMEPhone"
        camel = not before.isupper() or text[at + 1 : at + 2].islower()
        return camel and _tag_sign(text, at) is not None
    return before.isdecimal() != after.isdecimal() and _tag_sign(text, at) == "#"


def _tag_sign(text: str, at: int) -> str | None:
    """``#`` or ``@`` if ``at`` is within a hashtag or handle."""
    floor = max(0, at - _TAG_LENGTH)
    start = max(text.rfind("#", floor, at), text.rfind("@", floor, at))
    return text[start] if start >= 0 and _TAG.fullmatch(text, start + 1, at) else None


def _is_word(char: str) -> bool:
    return char.isalnum() or _is_mark(char)


def _is_ascii_word(char: str) -> bool:
    return char.isascii() and char.isalnum()


def _is_mark(char: str) -> bool:
    """Part of the letter before it: an accent or a vowel sign. Variation selectors, which follow emoji, are not."""
    return char >= "\u0300" and not "\ufe00" <= char <= "\ufe0f" and unicodedata.category(char) in ("Mn", "Mc")


def _is_latin(char: str) -> bool:
    return char < "\u0370" or "\u1e00" <= char <= "\u1eff" or "\ua720" <= char <= "\ua7ff"


def _is_hangul(char: str) -> bool:
    return "\uac00" <= char <= "\ud7a3" or "\u1100" <= char <= "\u11ff"


def _is_unspaced(char: str) -> bool:
    """Of a script that puts no blanks between words."""
    return any(first <= char <= last for first, last in _UNSPACED)


_UNSPACED: Final = (
    ("\u0e00", "\u0eff"),  # Thai, Lao
    ("\u1000", "\u109f"),  # Burmese
    ("\u1780", "\u17ff"),  # Khmer
    ("\u2e80", "\u312f"),  # radicals, Hiragana, Katakana, Bopomofo
    ("\u31a0", "\u9fff"),  # Han
    ("\ua9e0", "\ua9ff"),  # Burmese
    ("\uaa60", "\uaa7f"),  # Burmese
    ("\uf900", "\ufaff"),  # Han
    ("\U00020000", "\U0003ffff"),  # Han
)


# --- Folding ---------------------------------------------------------------------------------------------------------

_PLAIN: Final = {"\u00ad": "", "\u2060": "", "\ufeff": "", "™": " ", "℠": " ", "Ⓡ": " ", "ʼ": "'"}
_PIECE: Final = re.compile(r"(?s).{0,1000}\s|.{1,1000}")


def _normalised(text: str) -> str:
    """NFKC, which sorts combining marks in time quadratic in their number: long texts are folded a piece at a time."""
    if len(text) <= 1000:
        return unicodedata.normalize("NFKC", text)
    return "".join(unicodedata.normalize("NFKC", piece) for piece in _PIECE.findall(text))


def _caseless(plain: str) -> str:
    return plain.casefold().replace("ı", "i")


def _aligned(plain: str, folded: str) -> str:
    """``plain`` with what folding spells out (ß) spelt out; folding makes no text shorter."""
    if len(plain) == len(folded):
        return plain
    return "".join(char if len(folds := char.casefold()) == 1 else folds for char in plain)
