"""PURE  Telephone numbers in running text, as people of many countries write them.

Found are what begins with + or 00, what has a leading zero or a bracketed area code, the North American, Russian, Indian and
Chinese groupings, and bare digits after a word such as "call" or "Tel.". Left alone are dates, versions, prices, addresses of
machines, ids in links and bare long numbers: a number that nothing marks as a telephone's may be anything.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_RUN: Final = re.compile(
    r"(?<![\w,#=&?@/$€£¥₹-])(?<!\d[.:])(?<!\w-)"  # not in a word, a link, an id, a price, a decimal
    r"(?:\+\s?)?\(?\+?\d(?:[\d\u00a0\u2009\u202f \t()./\u2010-\u2013-]{3,38})\d"
    r"(?![\w%€$£¥₹@]|[.,:]\d|-\w|\s?(?:[€$£¥₹%]|eur\b|usd\b|gbp\b|chf\b|dollars?\b))",
    re.IGNORECASE,
)
"""All that stands together in digits and what people put between them; what of it is a telephone's is decided below."""

_WORD_BEFORE: Final = re.compile(
    r"(?:\b(?:tel|telefon|telephone|t[ée]l[ée]phone|tel[ée]fono|telefone|phone(?:\s+(?:number|no))?|ph|fon|handy|mobile?|mobil"
    r"|m[óo]vil|cell|cellulare|celular|t[ée]l|whats\s?app|signal|sms|fax|hotline|call(?:\s+(?:me|us))?(?:\s+(?:at|on))?"
    r"|ruf(?:en)?(?:\s+sie)?(?:\s+uns)?(?:\s+an)?(?:\s+unter)?|appelez(?:[ -](?:moi|nous))?(?:\s+au)?)"
    r"|[\u260e\u260f\U0001f4de\U0001f4f1])\W{0,4}\Z",
    re.IGNORECASE,
)
_ID_BEFORE: Final = re.compile(
    r"\b(?:order|ticket|case|invoice|id|isbn|ean|gtin|sku|serial|build|version|release|ref|reference|tracking|account|iban|bestell\w*|"
    r"rechnung\w*|auftrag\w*|kunden\w*|artikel\w*)(?:\s?(?:no|nr|number|nummer|code|id))?\W{0,3}\Z",
    re.IGNORECASE,
)
_DATE: Final = re.compile(r"(?:\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|\d{4}[./-]\d{1,2}[./-]\d{1,2})(?!\d)")
_PAIRS: Final = re.compile(r"0[1-9](?:([ .-])\d\d)(?:\1\d\d){3}\Z")
"""French: 06.12.34.56.78, which begins like a date."""

_GAP: Final = r"[ \u00a0\u2009\u202f.\u2010-\u2013-]"
_SHAPES: Final = re.compile(
    rf"(?:1{_GAP})?(?:\([2-9]\d\d\)\s?|[2-9]\d\d{_GAP})\d{{3}}{_GAP}\d{{4}}\Z"  # North America
    rf"|8{_GAP}?\(?\d{{3}}\)?{_GAP}?\d{{3}}{_GAP}\d\d{_GAP}\d\d\Z"  # Russia
    rf"|[6-9]\d{{4}}[ -]\d{{5}}\Z"  # India
    rf"|1[3-9]\d[ -]\d{{4}}[ -]\d{{4}}\Z"  # China
    rf"|1[38]00{_GAP}\d{{3}}{_GAP}\d{{3}}\Z"  # Australia
)
_AREA: Final = re.compile(r"\((?!19\d\d\)|20\d\d\))\d{2,5}\)\s?\d[\d ./-]{4,12}\d\Z")
_GROUP: Final = re.compile(r"[\d()+]+")
_SPACES: Final = " \t\u00a0\u2009\u202f"


def replaced(text: str, by: str) -> str:
    """``text`` with every telephone number in it replaced."""
    kept, end = [], 0
    for start, stop in found(text):
        kept += [text[end:start], by]
        end = stop
    return "".join([*kept, text[end:]])


def found(text: str) -> Iterator[tuple[int, int]]:
    """Where telephone numbers stand in ``text``, from left to right: (start, end)."""
    for run in _RUN.finditer(text):
        before = text[max(0, run.start() - 40) : run.start()]
        span = _part(run[0], before)
        if span is not None:
            yield run.start() + span[0], run.start() + span[1]


def is_phone(part: str, before: str = "") -> bool:
    """Is this piece of text, digits and what stands between them, a telephone number? ``before``: what stands before it."""
    digits = re.sub(r"\D", "", part)
    if part.startswith(("+", "(+")):
        return 8 <= len(digits) <= 15 + part.count("(0)")
    if _ID_BEFORE.search(before):
        return False
    if _PAIRS.match(part):
        return True
    if _DATE.match(part):
        return False
    if _WORD_BEFORE.search(before):
        return 6 <= len(digits) <= 15
    return _is_national(part, digits)


def _is_national(part: str, digits: str) -> bool:
    if digits.startswith("00"):
        return 11 <= len(digits) <= 17 and digits[2] != "0" and part.startswith("00")
    first = _GROUP.match(part)
    trunk = digits[0] == "0" and first is not None and len(first[0].strip("()")) > 1
    if trunk and 9 <= len(digits) <= 12:
        return not _looks_counted(part)
    return bool(_SHAPES.match(part)) or (bool(_AREA.match(part)) and 8 <= len(digits) <= 12)


def _looks_counted(part: str) -> bool:
    """A version such as 08.15.47.11.9, or figures such as 01 02 03 04 05 06, which are no number's groups."""
    groups = re.findall(r"\d+", part)
    return len(groups) > 5 or (len(groups) > 3 and max(map(len, groups)) < 2)


def _part(run: str, before: str) -> tuple[int, int] | None:
    """The first piece of a run of digits that is a number: all of it, else what is left without what stands around it."""
    pieces = [(match.start(), match.end()) for match in re.finditer(rf"[^{_SPACES}]+", run)]
    for first, (start, _) in enumerate(pieces):
        if first and not _may_begin(run[slice(*pieces[first - 1])], run[start]):
            continue
        for _, end in reversed(pieces[first:]):
            piece = run[start:end].rstrip("./-( ")
            open_bracket = piece.startswith("(") and piece.count("(") > piece.count(")")  # (030 1234567)
            if is_phone(piece[open_bracket:], before if first == 0 else ""):
                return start + open_bracket, start + len(piece)
    return None


def _may_begin(previous: str, mark: str) -> bool:
    """May a number begin after this group? After a year or a date, or with its own sign; else figures would become numbers."""
    return mark in "+(" or (mark.isdecimal() and len(previous) >= 4)
