"""Which language a text is in, and whether VADER, which knows English only, can read it.

pycld2 reads the cleaned text; the platform's own word is heard only where pycld2 is unsure.
"""

from __future__ import annotations

import logging
import re
from functools import cache
from typing import Any, Final, NamedTuple

_log: Final = logging.getLogger("sentiment_monitor.scoring.language")

_READ_CHARS: Final = 500  # enough to know a language by
_TEN_LETTERS: Final = re.compile(r"(?:[^\W\d_][\W\d_]*+){10}")
_LATIN_LETTER: Final = re.compile("[A-Za-z\u00c0-\u024f]")
_LETTER: Final = re.compile(r"[^\W\d_]")
_UNREADABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_UNSURE: Final = frozenset({"un", "xxx"})
_ENGLISH_CODES: Final = frozenset({"en", "sco"})  # short slangy English passes for Scots, which VADER reads as well
_NO_WORD: Final = frozenset({"", "un", "und", "zxx", "mul", "mis", "qme", "qst", "qht", "qam", "qct", "art"})

_PLAIN_CHARS: Final = 60
_PLAIN_WORDS: Final = 4
_PLAIN_SHARE: Final = 5
_ENGLISH_WORDS: Final = frozenset(
    "the and this that with but they my you your were been very just from would could what when which there their because"  # noqa: SIM905
    " about than then them our not has it is was for have are of to".split()
)


class Language(NamedTuple):
    """``code`` as ISO 639 (``None``: not known); ``readable``: VADER can read it, or may be allowed to try."""

    code: str | None
    readable: bool


_ENGLISH: Final = Language("en", readable=True)
_UNKNOWN: Final = Language(None, readable=True)


def language_of(text: str, platform_language: str | None = None) -> Language:
    """The language of a cleaned text. A short text has the benefit of the doubt unless its platform says otherwise."""
    text = text[:_READ_CHARS]
    if _is_plainly_english(text):
        return _ENGLISH
    code = _detected(text) if _TEN_LETTERS.search(text) else None
    if code in _ENGLISH_CODES:
        return _ENGLISH
    if code is not None:
        return Language(code, readable=False)
    if _LETTER.search(text) and not _LATIN_LETTER.search(text):
        return Language(_plain(platform_language), readable=False)
    return _by_platform(platform_language)


def _is_plainly_english(text: str) -> bool:
    """Four different words of English that other languages have not, and a fifth of all words: then pycld2 need not be asked.

    Of 65,000 real texts that holds for 19,000; pycld2 called none of them anything else, and was unsure of four, all English.
    """
    if len(text) < _PLAIN_CHARS or not text.isascii():
        return False
    words = text.lower().split()
    return len(_ENGLISH_WORDS.intersection(words)) >= _PLAIN_WORDS and sum(
        map(_ENGLISH_WORDS.__contains__, words)
    ) * _PLAIN_SHARE >= len(words)


def as_the_platform_says(platform_language: str | None) -> Language:
    """The platform's own word taken down, where nothing is checked and every text may be read."""
    return Language(_plain(platform_language), readable=True)


def is_checked() -> bool:
    """Whether languages are told apart at all: pycld2 has no wheel for some machines."""
    return _detector() is not None


def _by_platform(platform_language: str | None) -> Language:
    code = _plain(platform_language)
    return _UNKNOWN if code is None else Language(code, readable=code in _ENGLISH_CODES)


def _plain(tag: str | None) -> str | None:
    """``en-GB`` -> ``en``; ``None`` for what platforms say when they do not know."""
    code = (tag or "").replace("_", "-").split("-")[0].strip().lower()
    return None if code in _NO_WORD else code


def _detected(text: str) -> str | None:
    """The code pycld2 is sure of."""
    pycld2 = _detector()
    if pycld2 is None:
        return None
    try:
        is_sure, _, details = pycld2.detect(text, isPlainText=True)
    except (pycld2.error, UnicodeEncodeError):  # it refuses control characters and lone surrogates
        is_sure, _, details = pycld2.detect(_UNREADABLE.sub(" ", text), isPlainText=True)
    code = str(details[0][1])
    return code.split("-")[0] if is_sure and code not in _UNSURE else None


@cache
def _detector() -> Any:
    try:
        import pycld2
    except ImportError:
        _log.warning("language is unchecked: pycld2 is not installed; texts of every language are scored as English")
        return None
    return pycld2
