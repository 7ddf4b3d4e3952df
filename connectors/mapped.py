"""PURE  What a user's own mapping found in an entry or row (field -> value) -> Item, for sources that are described, not coded."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from email.utils import parsedate_to_datetime
from typing import Annotated, TypeAlias
from urllib.parse import urljoin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator

from connectors.contract import MAX_ID, Author, Counts, Item, Kind, Reply, from_epoch
from connectors.files_values import Unreadable, count_of, rating_of, time_of
from connectors.text import plain_text
from connectors.tidy import language_tag, prefixed_id, storable

ATTRIBUTE = "attributes."
"""What the names of attributes begin with: ``attributes.country``."""

FIELDS: Sequence[str] = (
    "external_id", "published_at", "updated_at", "title", "text", "url", "language",
    "author.id", "author.name", "author.followers", "rating", "rating.worst", "rating.best",
    "likes", "shares", "comments", "views", "reply.text", "reply.at", "place", "parent_title",
)  # fmt: skip
NEEDED = ("external_id", "published_at")
SAID = ("text", "title", "rating")
"""Without one of these there is nothing to read or rate."""

TIME_FORMATS = ("iso8601", "epoch", "epoch_ms", "rfc2822")
"""Ways of writing a time that have a name; others are written out, as in ``%d/%m/%Y %H:%M``."""

_ALIASES = {"author": "author.name", "reply": "reply.text", "reply.time": "reply.at", "rating.value": "rating"}
_LONGEST_TIME = 100
_LONGEST_NUMBER = 100
_LONGEST_NAME = 200
_LONGEST_LINK = 2000
_LONGEST_ATTRIBUTE = 500
_LIST_ENTRIES = 1000

Clock: TypeAlias = Callable[[object], "datetime | None"]
"""Reads a time; ``None`` for nothing, :class:`connectors.files_values.Unreadable` for what is no time."""


class Unfit(ValueError):
    """An entry that makes no item; the message says which field is at fault, never what stands in it."""


class ZoneUnsaid(ValueError):
    """A time names no zone, and nobody said of which zone it is."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How fields become an item. ``prefix`` begins every id; ``base``: what links without a host are relative to."""

    prefix: str
    kind: Kind
    worst: float
    best: float
    clock: Clock
    html: bool = False
    base: str | None = None


def flattened(given: Mapping[str, object]) -> dict[str, object]:
    """Dotted names for nested tables: ``author = { name = ... }`` is ``author.name``; short names are spelt out."""
    flat: dict[str, object] = {}
    for name, value in given.items():
        inner = flattened(value) if isinstance(value, Mapping) else {"": value}
        flat |= {f"{name}.{key}" if key else name: entry for key, entry in inner.items()}
    return {_ALIASES.get(name, name): value for name, value in flat.items()}


def refuse_unknown(names: Iterable[str]) -> None:
    """``ValueError`` for a field that no item has."""
    for name in names:
        if name not in FIELDS and not (name.startswith(ATTRIBUTE) and len(name) > len(ATTRIBUTE)):
            raise ValueError(f"{name}: no such field; fields are {', '.join(FIELDS)} and attributes.NAME")


def known_zone(name: str | None) -> str | None:
    """The name of a time zone, ``ValueError`` if there is none of that name."""
    try:
        ZoneInfo(name or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f'{name}: no such time zone; set timezone = "Europe/Berlin" or another') from error
    return name


def known_time_format(name: str | None) -> str | None:
    """A way of writing times, ``ValueError`` if it is none."""
    if name is None or name in TIME_FORMATS:
        return name
    try:
        written = datetime(2026, 1, 2, tzinfo=UTC).strftime(name)
        sound = "%" in name and bool(datetime.strptime(written, name))  # noqa: DTZ007  only its form is looked at
    except ValueError:
        sound = False
    if not sound:
        raise ValueError(f'{name}: no way of writing times; set one of {", ".join(TIME_FORMATS)}, or "%d/%m/%Y %H:%M"')
    return name


Zone = Annotated[str, AfterValidator(known_zone)]
"""An option that names a time zone."""
TimeFormat = Annotated[str, AfterValidator(known_time_format)]
"""An option that says how times are written."""


# ------------------------------------------------------------------------------------------------------- items


def item_of(values: Mapping[str, object], shape: Shape) -> Item:
    """The fields as an item. What holds nothing is unknown; :class:`Unfit` where id or time is missing, or where time or
    rating are none."""
    own_id = word_of(values.get("external_id"))
    if own_id is None:
        raise Unfit("external_id: empty")
    title, text = (_text(values.get(name), shape) for name in ("title", "text"))
    try:
        rating = rating_of(_short(values.get("rating")), *_scale(values, shape))
        published_at = shape.clock(values.get("published_at"))
    except Unreadable as error:
        raise Unfit(str(error) if str(error).startswith("rating") else f"published_at: {error}") from error
    if published_at is None:
        raise Unfit("published_at: empty")
    return Item(
        external_id=prefixed_id(shape.prefix, own_id),
        kind=shape.kind,
        published_at=published_at,
        updated_at=_time(values.get("updated_at"), shape),
        title=title,
        text=text,
        url=_link(values.get("url"), shape.base),
        language=language_tag(word_of(values.get("language"))),
        author=_author(values, shape),
        rating=rating,
        counts=Counts(*(_count(values.get(name)) for name in ("likes", "shares", "comments", "views"))),
        reply=_reply(values, shape),
        place=_name(values.get("place"), shape),
        parent_title=_name(values.get("parent_title"), shape),
        attributes=_attributes(values),
    )


def word_of(value: object) -> str | None:
    """A short text that stands for nothing else: an id, a name, a link; numbers as they are written."""
    value = _scalar(value)
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    return storable(str(value)).strip() or None


def _scalar(value: object) -> object:
    """The value if it is a single one that says something, else ``None``."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float) else None


def _short(value: object) -> object:
    """A single value, as a number and its like are written."""
    value = _scalar(value)
    if isinstance(value, str) and len(value) > _LONGEST_NUMBER:
        raise Unreadable("rating: not a rating that is understood")
    return value


def _text(value: object, shape: Shape) -> str | None:
    if isinstance(value, list | tuple):
        parts = (word_of(entry) for entry in value[:_LIST_ENTRIES])
        value = ", ".join(part for part in parts if part)
    text = word_of(value)
    return plain_text(text) if shape.html else text


def _name(value: object, shape: Shape) -> str | None:
    text = _text(value, shape)
    return text[:_LONGEST_NAME] if text else None


def _scale(values: Mapping[str, object], shape: Shape) -> tuple[float, float]:
    worst, best = (_number(values.get(f"rating.{end}")) for end in ("worst", "best"))
    return shape.worst if worst is None else worst, shape.best if best is None else best


def _number(value: object) -> float | None:
    try:
        number = float((word_of(value) or "nan")[:_LONGEST_NUMBER])
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _count(value: object) -> int | None:
    return count_of(value) if isinstance(value, int | float) or (isinstance(value, str) and len(value) < 30) else None


def _time(value: object, shape: Shape) -> datetime | None:
    """A time that need not be there: what is none is unknown."""
    try:
        return shape.clock(value)
    except Unreadable:
        return None


def _link(value: object, base: str | None) -> str | None:
    link = word_of(value)
    if link is None or len(link) > _LONGEST_LINK:
        return None
    try:
        whole = urljoin(base, link) if base else link
    except ValueError:
        return None
    return whole if whole.startswith(("http://", "https://")) else None


def _author(values: Mapping[str, object], shape: Shape) -> Author | None:
    own_id, name = word_of(values.get("author.id")), _name(values.get("author.name"), shape)
    key = own_id or name
    return Author(key[:MAX_ID], name, _count(values.get("author.followers"))) if key else None


def _reply(values: Mapping[str, object], shape: Shape) -> Reply | None:
    text = _text(values.get("reply.text"), shape)
    return Reply(text, _time(values.get("reply.at"), shape)) if text else None


def _attributes(values: Mapping[str, object]) -> dict[str, str]:
    told = {name.removeprefix(ATTRIBUTE): value for name, value in values.items() if name.startswith(ATTRIBUTE)}
    return {name: text[:_LONGEST_ATTRIBUTE] for name, value in told.items() if (text := _shown(value))}


def _shown(value: object) -> str | None:
    if isinstance(value, list | tuple):
        return ", ".join(word for entry in value[:_LIST_ENTRIES] if (word := _shown_one(entry))) or None
    return _shown_one(value)


def _shown_one(value: object) -> str | None:
    return str(value).lower() if isinstance(value, bool) else word_of(value)


# ------------------------------------------------------------------------------------------------------- times


def clock_of(time_format: str | None, timezone: str | None) -> Clock:
    """Reads times written so (by themselves understood if ``None``); ``timezone``: of those that name none.

    Without ``timezone`` such a time raises :class:`ZoneUnsaid`.
    """
    zone: tzinfo = ZoneInfo(timezone) if timezone else _Unsaid()

    def read(value: object) -> datetime | None:
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | float) or len(str(value)) > _LONGEST_TIME:
            raise Unreadable("is no time")
        return _read(value, time_format, zone)

    return read


def _read(value: str | float, time_format: str | None, zone: tzinfo) -> datetime | None:
    if time_format not in TIME_FORMATS:
        return time_of(value, time_format, zone)
    try:
        moment = _NAMED[time_format](str(value).strip())
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except ZoneUnsaid:
        raise
    except (ValueError, TypeError, IndexError, OverflowError):
        raise Unreadable(f"is not written as {time_format}; see time_format") from None
    if not 1970 <= moment.year < 2100:
        raise Unreadable("is no time of ours")
    return moment


_NAMED: Mapping[str | None, Callable[[str], datetime]] = {
    "iso8601": datetime.fromisoformat,
    "epoch": lambda text: from_epoch(float(text)),
    "epoch_ms": lambda text: from_epoch(float(text) / 1000),
    "rfc2822": parsedate_to_datetime,
}


class _Unsaid(tzinfo):
    """The zone of times that name none, where nobody said which it is."""

    def utcoffset(self, _at: datetime | None) -> timedelta:
        raise ZoneUnsaid("a time names no zone")

    def dst(self, _at: datetime | None) -> timedelta:
        raise ZoneUnsaid("a time names no zone")

    def tzname(self, _at: datetime | None) -> str:
        raise ZoneUnsaid("a time names no zone")
