"""PURE  The cells of other people's tables -> times, ratings, counts, texts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, tzinfo
from email.utils import parsedate_to_datetime

from connectors.contract import Rating, from_epoch
from connectors.text import plain_text
from connectors.tidy import storable

_NOTHING = frozenset({"", "-", "–", "n/a", "na", "nan", "none", "null", "nil"})
_LONGEST_NOTHING = max(map(len, _NOTHING))
_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_VERDICTS = {"true": 1, "yes": 1, "false": 0, "no": 0}
_EARLIEST_EPOCH = 100_000_000
"""Smaller numbers are no times: seconds since 1970 had reached this in 1973."""
_FORMATS = (
    *("%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y", "%Y/%m/%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y/%m/%d"),
    *("%b %d, %Y", "%B %d, %Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y %I:%M %p", "%B %d, %Y %I:%M %p"),
    *("%b %d, %Y %H:%M:%S", "%d %b %Y %H:%M:%S", "%a %b %d %H:%M:%S %z %Y", "%Y-%m-%d %I:%M:%S %p"),
)
_OFFSET_APART = re.compile(r"\s+(?:UTC|GMT)?([+-]\d{2}:?\d{2})$")
_SLASHES = re.compile(
    r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})(?:,?[ T]+(\d{1,2}:\d{2}(?::\d{2})?(?: ?[AP]M)?))?", re.IGNORECASE
)
_CLOCKS = ("%H:%M:%S", "%H:%M", "%I:%M:%S %p", "%I:%M %p", "%I:%M:%S%p", "%I:%M%p")
_OUT_OF = re.compile(r"([\d.,]+)\s*(?:/|out of|of|von|sur|de)\s*([\d.,]+)(?:\s*\w+)?", re.IGNORECASE)
_STARS = re.compile(r"([★⭐]️?)*([☆✩])*")
_NUMBER = re.compile(r"([+-]?\d+(?:[.,]\d+)?)(?:\s*(?:stars?|sterne?|\*))?", re.IGNORECASE)
_THOUSANDS = re.compile(r"(?<=\d)[,.'’\s](?=\d{3}(?!\d))")
_COUNT = re.compile(r"(-?\d{1,15})(?:\.0+)?")
_SECONDS = re.compile(r"\d{9,19}(\.\d+)?")
_MARKUP = re.compile(
    r"</?(?:p|br|div|a|b|i|em|strong|span|ul|ol|li|img)\b[^<>]*>|&(?:amp|lt|gt|quot|nbsp|#\d+|#x[0-9a-f]+);",
    re.IGNORECASE,
)


class Unreadable(ValueError):
    """A cell that does not hold what its column promises; the message never shows the cell."""


def text_of(cell: object) -> str | None:
    """Plain text, ``None`` if there is none. Markup is taken away only where it is markup."""
    if cell is None:
        return None
    if isinstance(cell, list):
        cell = ", ".join(str(part) for part in cell if isinstance(part, str | int | float))
    text = storable(str(cell)).strip()
    return (plain_text(text) if _may_be_markup(text) and _MARKUP.search(text) else text) or None


def _may_be_markup(text: str) -> bool:
    return "<" in text or "&" in text


def name_of(cell: object) -> str | None:
    """A short text that stands for nothing else: an id, a name, a link."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, str):
        text = storable(cell).strip()
    else:
        if isinstance(cell, float) and cell.is_integer():
            cell = int(cell)
        text = str(cell) if isinstance(cell, int | float) else ""
    return None if _is_nothing(text) else text


def _is_nothing(text: str) -> bool:
    return len(text) <= _LONGEST_NOTHING and text.casefold() in _NOTHING


def count_of(cell: object) -> int | None:
    """A whole number (thousands may be apart), ``None`` where it is unknown."""
    if isinstance(cell, bool) or cell is None or cell == "":
        return None
    text = str(cell).strip()
    if text.isascii() and text.isdigit() and len(text) <= 15:
        return int(text)
    found = _COUNT.fullmatch(_THOUSANDS.sub("", text))
    return int(found[1]) if found else None


def rating_of(cell: object, worst: float, best: float) -> Rating | None:
    """A rating as a number, ``4/5``, ``4 out of 5``, stars, a word (``FIVE``) or a yes or no; :class:`Unreadable` else."""
    if cell is None or cell == "":
        return None
    text = str(cell).strip()
    if _is_nothing(text):
        return None
    if text.casefold() in _VERDICTS:
        return Rating(_VERDICTS[text.casefold()], 0, 1)
    value, top = _rated(text)
    try:
        return Rating(value, min(worst, 1) if top else worst, top or best)
    except ValueError:
        raise Unreadable(
            f"rating: outside its scale {worst:g}..{top or best:g}; see rating_worst, rating_best"
        ) from None


def _rated(text: str) -> tuple[float, float | None]:
    """The value, and the best possible one where the cell says so."""
    word = _WORDS.get(text.casefold())
    if word:
        return float(word), None
    if text[0] in "★⭐☆✩" and _STARS.fullmatch(text):
        full, empty = sum(text.count(star) for star in "★⭐"), sum(text.count(star) for star in "☆✩")
        return float(full), float(full + empty) if empty else None
    if pair := _OUT_OF.fullmatch(text):
        return _float(pair[1]), _float(pair[2])
    if number := _NUMBER.fullmatch(text):
        return _float(number[1]), None
    raise Unreadable("rating: not a rating that is understood")


def _float(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise Unreadable("rating: not a number") from None


def time_of(cell: object, time_format: str | None, zone: tzinfo) -> datetime | None:
    """A time in UTC, ``None`` for an empty cell. Without an offset it is of ``zone``; :class:`Unreadable` if not understood."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        raise Unreadable("is no time")
    text = str(cell).strip()
    if _is_nothing(text):
        return None
    try:
        moment = _as_written(text, time_format) if time_format else _understood(text)
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError:
        raise Unreadable("is no time of ours") from None
    if not 1970 <= moment.year < 2100:
        raise Unreadable("is no time of ours")
    return moment


def _as_written(text: str, time_format: str) -> datetime:
    try:
        return datetime.strptime(text, time_format)  # noqa: DTZ007  its zone is added by the caller
    except ValueError:
        raise Unreadable("does not look like time_format") from None


def _understood(text: str) -> datetime:
    if _SECONDS.fullmatch(text):
        return _epoch(float(text))
    readings = (_iso(text), _slashes(text), _named(text), _mail(text))
    for moment in (moment for reading in readings for moment in reading):
        return moment
    raise Unreadable("not a time that is understood; see time_format")


def _epoch(number: float) -> datetime:
    """Seconds, milli-, micro- or nanoseconds since 1970, by their size."""
    while number >= 100_000_000_000:
        number /= 1000
    if number < _EARLIEST_EPOCH:
        raise Unreadable("is no time of ours")
    return from_epoch(number)


def _iso(text: str) -> Iterator[datetime]:
    try:
        yield datetime.fromisoformat(text)
    except ValueError:
        spelling = re.sub(r"\s*UTC$", "+00:00", _OFFSET_APART.sub(r"\1", text))
        with suppress(ValueError):
            yield datetime.fromisoformat(spelling)


def _slashes(text: str) -> Iterator[datetime]:
    """Dates such as 31/12/2026: which number is the day must show, or it is not guessed."""
    found = _SLASHES.fullmatch(text)
    if not found:
        return
    first, second, year = (int(number) for number in found.groups()[:3])
    if first <= 12 and second <= 12 and first != second:
        raise Unreadable("day and month cannot be told apart; see time_format")
    day, month = (first, second) if second <= 12 else (second, first)
    clock = next(_tried((found[4] or "00:00").upper(), _CLOCKS), None)
    if clock is not None and day <= 31 and month <= 12:
        yield from _tried(f"{year}-{month}-{day} {clock:%H:%M:%S}", ("%Y-%m-%d %H:%M:%S",))


def _named(text: str) -> Iterator[datetime]:
    yield from _tried(text, _FORMATS)


def _tried(text: str, formats: tuple[str, ...]) -> Iterator[datetime]:
    for shape in formats:
        try:
            yield datetime.strptime(text, shape)  # noqa: DTZ007  its zone is added by the caller
        except ValueError:
            continue


def _mail(text: str) -> Iterator[datetime]:
    try:
        yield parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return
