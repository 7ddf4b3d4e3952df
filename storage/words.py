"""PURE  Texts -> the words under which they are found, the same for every store and for what is asked.

Words are runs of letters and digits, without differences of compatibility form, case and diacritics. Scripts that put no
blanks between words (Chinese, Japanese, Thai ...) give a word a character, so does every emoji; words of two scripts that
touch ("Acme는") are two. A hashtag or handle is found under its words ("#AcmePhone" under ``acme``, ``phone`` and
``acmephone``) and with its sign (``#acmephone``). All other signs are nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Final

MAX_WORD: Final = 100
"""Characters of a word that count; words that begin with the same so many are the same word."""
MAX_WORDS: Final = 16_000
"""Words of an item that are looked at: PostgreSQL knows 16,383 positions."""
MAX_REPEATS: Final = 256
"""How often a word of an item is looked at: PostgreSQL keeps so many positions of one."""
GAP: Final = "_"
"""Stands among the words where no phrase may run across; no word is like it."""


@dataclass(frozen=True, slots=True)
class Sought:
    """Words that must follow each other; with ``prefix`` the last one may go on."""

    words: tuple[str, ...]
    prefix: bool = False


def words_of(title: str | None, text: str | None) -> list[str]:
    """The words of an item in order, title first, then its hashtags and handles; ``GAP`` between title and text."""
    words: list[str] = []
    tagged: list[str] = []
    for field in (title, text):
        if field:
            said, more = _read(field)
            if words and said:
                words.append(GAP)
            words += said
            tagged += more
    if len(words) + len(tagged) > MAX_REPEATS:
        return _bounded(words, tagged)
    return words + tagged if tagged else words


def document(title: str | None, text: str | None) -> str:
    """The same words, parted by blanks (several of them here and there), which takes half the time for what most people write."""
    fields = [field for field in (title, text) if field]
    if sum(map(len, fields)) <= 2 * MAX_REPEATS and all(map(_is_plain, fields)):
        plain = [field.translate(_ASCII) for field in fields]
        if not any(map(_may_be_overlong, plain)):
            return f" {GAP} ".join([field for field in plain if not field.isspace()])
    return " ".join(words_of(title, text))


def _is_plain(field: str) -> bool:
    return field.isascii() and "#" not in field and "@" not in field


def _may_be_overlong(plain: str) -> bool:
    """A word of more than ``MAX_WORD`` fills a whole piece of half that length."""
    return any(" " not in plain[start : start + _HALF] for start in range(0, len(plain) - _HALF + 1, _HALF))


_HALF: Final = MAX_WORD // 2


def sought(text: str, *, prefix: bool = False) -> Sought:
    """What a word or phrase is looked for as; Korean words may always go on, since particles hang on them."""
    tag = _sole_tag(text.strip())
    words = (tag,) if tag is not None else tuple(_words(_plain(_apart(text)[0])))
    goes_on = bool(words) and "\uac00" <= words[-1][-1] <= "\ud7a3"
    return Sought(words, prefix or goes_on)


def is_in(wanted: Sought, words: list[str]) -> bool:
    """Are the sought words among ``words`` as :func:`words_of` gives them?"""
    if len(wanted.words) == 1 and not wanted.prefix:
        return wanted.words[0] in words
    length = len(wanted.words)
    *first, last = wanted.words
    for start in range(len(words) - length + 1):
        end = words[start + length - 1]
        fits = end.startswith(last) if wanted.prefix else end == last
        if fits and words[start : start + length - 1] == first:
            return True
    return False


def _bounded(words: list[str], tagged: list[str]) -> list[str]:
    tail = tagged[: MAX_WORDS // 4]
    found = words[: MAX_WORDS - len(tail)] + tail
    if max(Counter(found).values()) <= MAX_REPEATS:
        return found
    seen: Counter[str] = Counter()
    for at, word in enumerate(found):
        seen[word] += 1
        if seen[word] > MAX_REPEATS:
            found[at] = GAP
    return found


# --- Words -----------------------------------------------------------------------------------------------------------


def _read(text: str) -> tuple[list[str], list[str]]:
    """The words of ``text`` in order, and its tags with what they are found under besides."""
    if not text.isascii():
        text = _plain(text)
    if "#" not in text and "@" not in text:
        return _words(text), []
    apart, tags = _apart(text)
    return _words(apart), list(chain.from_iterable(map(_tag_words, tags)))


def _words(plain: str) -> list[str]:
    if plain.isascii():
        words = plain.translate(_ASCII).split()
    else:
        words = []
        for piece in plain.casefold().translate(_FOLDED).split():
            if piece.isascii():
                words.append(piece)
            else:
                words += _SCRIPTS.findall(piece)
    if words and max(map(len, words)) > MAX_WORD:
        return [word[:MAX_WORD] for word in words]
    return words


def _plain(text: str) -> str:
    """``text`` in compatibility form, without the marks of law, which that would spell out ("acme™", "acmetm")."""
    if text.isascii():
        return text
    text = _LAW.sub(" ", text)
    if len(text) <= _PIECE_CHARS:
        return unicodedata.normalize("NFKC", text)
    # Combining marks are sorted in time quadratic in their number.
    return "".join(unicodedata.normalize("NFKC", piece) for piece in _PIECE.findall(text))


_ASCII: Final = "".join(chr(code).lower() if chr(code).isalnum() else " " for code in range(128))
_LAW: Final = re.compile("[™℠Ⓡ®©℗]")
_PIECE_CHARS: Final = 1_000
_PIECE: Final = re.compile(rf"(?s).{{0,{_PIECE_CHARS}}}\s|.{{1,{_PIECE_CHARS}}}")
_LATIN: Final = "A-Za-z\u0080-\u036f\u1e00-\u1eff\ua720-\ua7ff"
_SCRIPTS: Final = re.compile(rf"[0-9{_LATIN}]+|[^{_LATIN}]+")


# --- Hashtags and handles --------------------------------------------------------------------------------------------

_TAG: Final = re.compile(r"(?<!\w)[#@](?=[^\W_])")


def _apart(text: str) -> tuple[str, list[str]]:
    """``text`` with the words of its tags apart, and the tags with their signs."""
    parts: list[str] = []
    tags: list[str] = []
    done = 0
    for found in _TAG.finditer(text):
        if found.start() >= done:
            end = _tag_end(text, found.end())
            tags.append(text[found.start() : end])
            parts += (text[done : found.start()], " ", _split(tags[-1]))
            done = end
    return "".join((*parts, text[done:])), tags


def _tag_end(text: str, at: int) -> int:
    limit = min(len(text), at + MAX_WORD)
    while at < limit and (text[at].isalnum() or text[at] == "_" or _is_mark(text[at])):
        at += 1
    return at


def _split(tag: str) -> str:
    """The words of a tag, which has no blanks: a capital begins one, in hashtags a digit, too."""
    parts = [tag[:2]]
    for at in range(2, len(tag)):
        before, char = tag[at - 1], tag[at]
        camel = char.isupper() and (not before.isupper() or tag[at + 1 : at + 2].islower())
        if camel or (tag[0] == "#" and before.isdecimal() != char.isdecimal() and before != "_"):
            parts.append(" ")
        parts.append(char)
    return "".join(parts)[1:]


def _tag_words(tag: str) -> list[str]:
    """The tag as one word, and its words unsplit where that makes others."""
    whole, unsplit = _tag_word(tag), _words(tag[1:])
    return [whole] if unsplit == _words(_split(tag)) else [whole, *unsplit]


def _tag_word(tag: str) -> str:
    return (tag[0] + "_".join("".join(_words(part)) for part in tag[1:].split("_")))[:MAX_WORD]


def _sole_tag(text: str) -> str | None:
    plain = _plain(text)
    if plain[:1] not in ("#", "@") or not _TAG.match(plain) or _tag_end(plain, 1) < len(plain):
        return None
    return _tag_word(plain)


# --- Characters ------------------------------------------------------------------------------------------------------


class _Folded(dict[int, str]):
    """What becomes of a character of a text in lower case, each looked up once."""

    def __missing__(self, code: int) -> str:
        found = self[code] = _fold(chr(code))
        return found


_FOLDED: Final = _Folded()
_STROKES: Final = {"ı": "i", "ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "й": "й"}


def _fold(char: str) -> str:
    if char in _STROKES:
        return _STROKES[char]
    if any(first <= char <= last for first, last in _UNSPACED):
        return f" {char} " if char.isalnum() or _is_mark(char) else " "
    if char.isalnum():
        bare = "".join(part for part in unicodedata.normalize("NFD", char) if not _is_diacritic(part))
        return unicodedata.normalize("NFC", bare)
    if _is_mark(char):
        return "" if _is_diacritic(char) else char
    return _sign(char)


def _sign(char: str) -> str:
    category = unicodedata.category(char)
    if category == "So":
        return f" {char} "
    skin = "\U0001f3fb" <= char <= "\U0001f3ff"
    return "" if skin or category == "Me" or (category == "Cf" and char != "\u200b") else " "


def _is_mark(char: str) -> bool:
    return char >= "\u0300" and unicodedata.category(char) in ("Mn", "Mc")


def _is_diacritic(char: str) -> bool:
    return any(first <= char <= last for first, last in _DIACRITICS)


def _ranges(*pairs: tuple[int, int]) -> Iterator[tuple[str, str]]:
    return ((chr(first), chr(last)) for first, last in pairs)


_DIACRITICS: Final = tuple(
    _ranges(
        *((0x0300, 0x036F), (0x0483, 0x0489), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F)),
        *((0x0591, 0x05C7), (0x0610, 0x061A), (0x064B, 0x065F), (0x0670, 0x0670), (0x06D6, 0x06ED)),  # points, vowels
        *((0xFE00, 0xFE0F), (0xE0100, 0xE01EF)),  # which form of a sign is meant
    )
)
_UNSPACED: Final = tuple(
    _ranges(
        *((0x0E00, 0x0EFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0xA9E0, 0xA9FF), (0xAA60, 0xAA7F)),  # Thai to Burmese
        *((0x2E80, 0x312F), (0x31A0, 0x9FFF), (0xF900, 0xFAFF), (0x20000, 0x3FFFF)),  # Japanese, Chinese
    )
)
