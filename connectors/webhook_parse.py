"""PURE  The body of a request -> a page of items: our own JSON shape, or another one by a mapping."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any, Final

from connectors import mapped
from connectors.contract import Item, Kind, Page, Skipped
from connectors.errors import TooLarge
from connectors.files_columns import FIELDS, compact
from connectors.files_parse import Reading, item_of
from connectors.files_rows import object_row
from connectors.files_values import name_of
from connectors.http_json_paths import Path
from connectors.mapped import Clock, word_of
from connectors.tidy import storable

LIST: Final = "items"
"""Where the list stands in a body that is an object."""
_ATTRIBUTE: Final = "attributes."
_LONGEST: Final = 500
_MOST: Final = 100


@dataclass(frozen=True, slots=True)
class Shape:
    """How bodies become items. ``prefix`` begins every id; ``kind`` where neither an item nor its rating tells."""

    prefix: str
    kind: Kind | None
    worst: float
    best: float
    zone: tzinfo
    attributes: Sequence[str]
    max_items: int
    mapping: Foreign | None = None


@dataclass(frozen=True, slots=True)
class Foreign:
    """Another shape: where its items stand, and where each field stands in one."""

    items: Path
    fields: Mapping[str, Path]
    clock: Clock
    html: bool


def page_of(body: bytes, shape: Shape, now: datetime) -> Page:
    """What a body holds. ``TooLarge`` where it is more than is taken at once; a body that is no JSON is skipped as a whole."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return Page((), None, [Skipped("the body", "is not JSON in UTF-8")])
    values = _listed(found) if shape.mapping is None else _found(found, shape.mapping)
    if len(values) > shape.max_items:
        raise TooLarge(f"{len(values):,} items at once; send at most {shape.max_items:,}, or raise max_items")
    items: list[Item] = []
    skipped: list[Skipped] = []
    for number, value in enumerate(values, 1):
        try:
            items.append(_item(number, value, shape, now))
        except (ValueError, RecursionError) as error:
            skipped.append(Skipped(f"item {number}", str(error) or "is damaged"))
    return Page(items, None, skipped)


def _listed(found: Any) -> Sequence[Any]:
    if isinstance(found, dict) and isinstance(found.get(LIST), list):
        found = found[LIST]
    return found if isinstance(found, list) else [found]


def _found(body: Any, mapping: Foreign) -> Sequence[Any]:
    """The items in a body of another shape; none where it tells of something else."""
    found = mapping.items.find(body)
    if found is None and body is not None:
        return []
    return found if isinstance(found, list) else [found]


def _item(number: int, value: Any, shape: Shape, now: datetime) -> Item:
    """``ValueError`` where the value is no item; its message never shows what stands in it."""
    return _own(number, value, shape, now) if shape.mapping is None else _mapped(value, shape, shape.mapping, now)


def _mapped(value: Any, shape: Shape, mapping: Foreign, now: datetime) -> Item:
    def clock(told: object) -> datetime | None:
        return told if isinstance(told, datetime) else mapping.clock(told)

    values = {name: path.find(value) for name, path in mapping.fields.items()}
    if word_of(values.get("published_at")) is None:
        values["published_at"] = now
    kind = shape.kind or (Kind.MENTION if values.get("rating") is None else Kind.REVIEW)
    item = mapped.item_of(values, mapped.Shape(shape.prefix, kind, shape.worst, shape.best, clock, mapping.html))
    if item.title is None and item.text is None and item.rating is None:
        raise ValueError("has neither text nor title nor rating")
    return item


def _own(number: int, value: Any, shape: Shape, now: datetime) -> Item:
    row = object_row(number, value)
    if row.fault:
        raise ValueError(row.fault)
    columns = _columns(row.cells)
    item = item_of(row.cells, columns, _reading(row.cells, columns, shape, now), number)
    return replace(item, attributes={**item.attributes, **dict(_attributes(row.cells))})


def _columns(cells: Mapping[str, Any]) -> dict[str, str]:
    """Which of our fields stands where. Nothing is guessed: a ``score`` need not be a rating."""
    return {_FIELDS[short]: name for name in cells if (short := compact(name)) in _FIELDS}


_FIELDS: Final = {
    **{compact(field): field for field in FIELDS},
    **{"authorname": "author", "authorfollowers": "followers", "ratingvalue": "rating", "replytext": "reply"},
}


def _reading(cells: Mapping[str, Any], columns: Mapping[str, str], shape: Shape, now: datetime) -> Reading:
    rated = cells.get(columns.get("rating", "")) is not None
    return Reading(
        prefix=shape.prefix,
        kind=shape.kind or (Kind.REVIEW if rated else Kind.MENTION),
        worst=_number(cells.get("rating.worst"), shape.worst),
        best=_number(cells.get("rating.best"), shape.best),
        time_format=None,
        zone=shape.zone,
        attributes=shape.attributes,
        undated=now,
    )


def _number(value: Any, otherwise: float) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else otherwise


def _attributes(cells: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    told = [name for name in cells if name.startswith(_ATTRIBUTE)]
    for name in told[:_MOST]:
        value = cells[name]
        text = str(value).lower() if isinstance(value, bool) else name_of(value)
        if text:
            yield storable(name.removeprefix(_ATTRIBUTE))[:100], text[:_LONGEST]
