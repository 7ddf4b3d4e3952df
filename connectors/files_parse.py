"""PURE  A row of a table -> Item."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from connectors.contract import MAX_ID, Author, Counts, Item, Kind, Rating, Reply
from connectors.files_columns import ATTRIBUTES, attribute_name
from connectors.files_values import Unreadable, count_of, name_of, rating_of, text_of, time_of
from connectors.tidy import digest, language_tag, prefixed_id

_LONGEST_NAME = 200
_LONGEST_ATTRIBUTE = 500


@dataclass(frozen=True, slots=True)
class Reading:
    """How the rows of one file become items.

    ``prefix`` begins every id; ``kind`` where a row names none; ``undated`` is the time of rows without one, and ``None``
    where a row without a time is a fault; ``by_row``: rows without an id are known by their number instead of what they say.
    """

    prefix: str
    kind: Kind
    worst: float
    best: float
    time_format: str | None
    zone: tzinfo
    attributes: Sequence[str]
    undated: datetime | None
    by_row: bool = False


def item_of(cells: Mapping[str, Any], columns: Mapping[str, str], reading: Reading, number: int) -> Item:
    """The row as an item; :class:`Unreadable` says which column is at fault, never what stands in it."""

    def cell(field: str) -> Any:
        column = columns.get(field)
        return None if column is None else cells.get(column)

    title, text = text_of(cell("title")), text_of(cell("text"))
    rating = rating_of(cell("rating"), reading.worst, reading.best)
    if title is None and text is None and rating is None:
        raise Unreadable("has neither text nor title nor rating")
    said_at = _time("published_at", cell("published_at"), reading)
    published_at = said_at or reading.undated
    if published_at is None:
        raise Unreadable("published_at: empty; set undated to give such rows a time")
    author, url = _author(cell), name_of(cell("url"))
    own_id = name_of(cell("id"))
    return Item(
        external_id=prefixed_id(
            reading.prefix, own_id or _key(said_at, title, text, rating, author, url, reading, number)
        ),
        kind=_kind(cell("kind"), reading.kind),
        published_at=published_at,
        updated_at=_time("updated_at", cell("updated_at"), reading),
        title=title,
        text=text,
        url=url if url and url.startswith(("http://", "https://")) else None,
        language=language_tag(name_of(cell("language"))),
        author=author,
        rating=rating,
        counts=Counts(*(count_of(cell(field)) for field in ("likes", "shares", "comments", "views"))),
        reply=_reply(cell, reading),
        place=_short(cell("place")),
        parent_title=_short(cell("parent_title")),
        attributes=_attributes(cells, cell, reading.attributes),
        observed_at=_time("observed_at", cell("observed_at"), reading),
    )


def _time(field: str, cell: object, reading: Reading) -> datetime | None:
    try:
        return time_of(cell, reading.time_format, reading.zone)
    except Unreadable as error:
        raise Unreadable(f"{field}: {error}") from error


def _key(
    at: datetime | None,
    title: str | None,
    text: str | None,
    rating: Rating | None,
    author: Author | None,
    url: str | None,
    reading: Reading,
    number: int,
) -> str:
    """What a row without an id is known by. Counts and replies are left out: they change while the row stays the same."""
    if reading.by_row:
        return f"row {number}"
    parts = (at and at.isoformat(), title, text, rating and f"{rating.value:g}", author and author.id, url)
    return digest("\x1f".join(part or "" for part in parts))[:32]


def _kind(cell: object, default: Kind) -> Kind:
    said = name_of(cell)
    try:
        return Kind(said.lower()) if said else default
    except ValueError:
        raise Unreadable("kind: is none of mention, review, post") from None


def _author(cell: Any) -> Author | None:
    name, own_id = _short(cell("author")), _short(cell("author_id"))
    key = own_id or name
    return Author(id=key[:MAX_ID], name=name, followers=count_of(cell("followers"))) if key else None


def _reply(cell: Any, reading: Reading) -> Reply | None:
    text = text_of(cell("reply"))
    return Reply(text, _time("reply_at", cell("reply_at"), reading)) if text else None


def _attributes(cells: Mapping[str, Any], cell: Any, listed: Sequence[str]) -> dict[str, str]:
    told = {field: value for field in ATTRIBUTES if (value := cell(field)) is not None}
    if listed:
        told |= {attribute_name(column): cells.get(column) for column in listed}
    return {name: text[:_LONGEST_ATTRIBUTE] for name, value in told.items() if (text := _shown(value))}


def _shown(value: object) -> str | None:
    return str(value).lower() if isinstance(value, bool) else name_of(value)


def _short(value: object) -> str | None:
    name = name_of(value)
    return name[:_LONGEST_NAME] if name else None
