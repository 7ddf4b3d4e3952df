"""What an :class:`~storage.records.ItemFilter` means in SQL, alike on both back ends. Searches are :mod:`storage.listing`'s."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import chain
from typing import Any, Final

from sqlalchemy import BigInteger, and_, exists, false, func, literal, or_, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.sql.elements import ColumnElement, UnaryExpression
from sqlalchemy.sql.operators import custom_op

from storage.people_tables import MARK, TAG
from storage.records import ItemFilter
from storage.rollups import first_bucket
from storage.tables import AUTHOR, BRAND, COUNT_HISTORY, COUNTS, ITEM, SCALE, SOURCE

Condition = ColumnElement[bool]

ENGAGEMENT: Final = func.coalesce(ITEM.c.likes, 0) + func.coalesce(ITEM.c.shares, 0) + func.coalesce(ITEM.c.comments, 0)
"""What an item is sorted and filtered by: counts that are not known count as none."""

AT_LEAST: Final[Mapping[str, ColumnElement[Any]]] = {
    "engagement": ENGAGEMENT,
    **{name: ITEM.c[name] for name in ("likes", "shares", "comments", "views")},
}
"""What ``ItemFilter.at_least`` may name."""

KNOWN: Final[Mapping[str, Condition]] = {
    **{name: ITEM.c[name].is_not(None) for name in (*COUNTS, "compound", "stars")},
    "engagement": or_(*(ITEM.c[name].is_not(None) for name in ("likes", "shares", "comments"))),
    "rating": ITEM.c.rating_value.is_not(None),
    "reply": ITEM.c.reply_text.is_not(None),
    "author": ITEM.c.author_id.is_not(None),
    "followers": ITEM.c.author_id.in_(select(AUTHOR.c.id).where(AUTHOR.c.followers.is_not(None))),
}
"""What ``ItemFilter.known`` may name."""

UNKNOWN: Final = "unknown"
"""The language of items that have none."""

UNANSWERED: Final = and_(ITEM.c.kind == "review", ITEM.c.reply_text.is_(None))
"""A review without its owner's answer."""


def conditions(wanted: ItemFilter, dialect: str, *, found: bool = False) -> list[Condition]:
    """All of which must hold; ``search`` is left out. ``found``: which items they are is told beside these conditions."""
    if not _storable(wanted):
        return [false()]
    found = found or wanted.ids is not None or wanted.author_id is not None
    kinds = (
        _named(wanted, ITEM.c.brand_id if dialect != "sqlite" or not found else unled(ITEM.c.brand_id)),
        _written(wanted, dialect),
        _counted(wanted),
        _of_people(wanted),
        _of_figures(wanted, dialect),
    )
    return [*chain(*kinds), *_attributes(wanted, dialect)]


def unled(column: ColumnElement[int]) -> ColumnElement[int]:
    """The same column, by which SQLite looks nothing up: it cannot tell that a brand has millions of items and an author a few."""
    return UnaryExpression[int](column, operator=custom_op("+"), type_=column.type)


def _named(wanted: ItemFilter, brand_id: ColumnElement[int]) -> Iterator[Condition]:
    c = ITEM.c
    if wanted.brand is not None:
        yield brand_id == select(BRAND.c.id).where(BRAND.c.name == wanted.brand).scalar_subquery()
    if wanted.brands:
        yield brand_id.in_(select(BRAND.c.id).where(BRAND.c.name.in_(wanted.brands)))
    if wanted.sources:
        yield c.source_id.in_(select(SOURCE.c.id).where(SOURCE.c.name.in_(wanted.sources)))
    if wanted.kinds:
        yield c.kind.in_(wanted.kinds)
    if wanted.labels:
        yield or_(c.label.in_(wanted.labels), *([c.label.is_(None)] if "unscored" in wanted.labels else []))
    if wanted.languages:
        none = [c.language.is_(None)] if UNKNOWN in wanted.languages else []
        yield or_(c.language.in_(wanted.languages), *none)


def _written(wanted: ItemFilter, dialect: str) -> Iterator[Condition]:
    c = ITEM.c
    if wanted.author is not None:
        yield _by(wanted.author, dialect)
    if wanted.place is not None:
        yield _caseless(c.place, dialect) == _lower(wanted.place)
    if wanted.scorer is not None:  # "vader" is "vader/1", too
        whole = f"{wanted.scorer}/"
        yield or_(c.scorer == wanted.scorer, func.substr(c.scorer, 1, len(whole)) == whole)


def _counted(wanted: ItemFilter) -> Iterator[Condition]:
    c = ITEM.c
    if wanted.since is not None:
        yield c.published_at >= wanted.since
    if wanted.until is not None:
        yield c.published_at < wanted.until
    if wanted.uncounted == "counted":
        yield c.uncounted.is_(None)
    elif wanted.uncounted not in (None, "all"):
        yield c.uncounted == wanted.uncounted
    if wanted.stars_at_most is not None:
        yield c.stars <= round(wanted.stars_at_most * SCALE)
    if wanted.stars_at_least is not None:
        yield c.stars >= round(wanted.stars_at_least * SCALE)
    for name, least in wanted.at_least:
        yield AT_LEAST[name] >= least
    if wanted.has_text is not None:
        yield c.text != "" if wanted.has_text else or_(c.text.is_(None), c.text == "")
    if wanted.unanswered:
        yield and_(UNANSWERED, c.erased_at.is_(None))


def _of_people(wanted: ItemFilter) -> Iterator[Condition]:
    for name in wanted.tags:
        yield exists().where(TAG.c.item_id == ITEM.c.id, TAG.c.name == name)
    if wanted.done is not None:
        done = exists().where(MARK.c.item_id == ITEM.c.id, MARK.c.what == "done")
        yield done if wanted.done else ~done


def _of_figures(wanted: ItemFilter, dialect: str) -> Iterator[Condition]:
    """What only figures ask for."""
    c = ITEM.c
    if wanted.ids is not None:
        yield _among(wanted.ids, dialect)
    if wanted.author_id is not None:
        yield c.author_id == wanted.author_id
    if wanted.star_cell is not None:
        yield c.star_cell == wanted.star_cell
    if wanted.unscored is not None:
        yield c.unscored == wanted.unscored
    for name in wanted.known:
        yield KNOWN[name]
    for name in wanted.unknown:
        yield ~KNOWN[name]
    if wanted.grown is not None:
        yield c.id.in_(
            select(COUNT_HISTORY.c.item_id).where(*growth(wanted.grown), COUNT_HISTORY.c[wanted.grown[0]] != 0)
        )


def growth(grown: tuple[str, datetime, datetime]) -> list[Condition]:
    """The rows of growth seen in between, as figures have it."""
    bucket = COUNT_HISTORY.c.bucket
    return [bucket >= first_bucket(grown[1]), bucket < first_bucket(grown[2])]


def _among(ids: Sequence[int], dialect: str) -> Condition:
    """In one parameter, since a database takes only so many."""
    if dialect == "sqlite":
        return ITEM.c.id.in_(select(func.json_each(json.dumps(list(ids))).table_valued("value").c.value))
    return ITEM.c.id == func.any(literal(list(ids), postgresql.ARRAY(BigInteger)))


def _attributes(wanted: ItemFilter, dialect: str) -> Iterator[Condition]:
    for name, value in wanted.attributes:
        if dialect == "sqlite":  # whose paths cannot name every key
            entry = func.json_each(ITEM.c.attributes).table_valued("key", "value")
            yield exists().where(entry.c.key == name, entry.c.value == value)
        else:
            yield ITEM.c.attributes.op("->>")(name) == value


def _by(author: str, dialect: str) -> Condition:
    """By an author of this name, now or then, or with this id on the platform. Of erased items nobody is the author."""
    bare = _lower(author.removeprefix("@"))
    names = (bare, f"@{bare}")
    known = select(AUTHOR.c.id).where(or_(AUTHOR.c.external_id == author, _caseless(AUTHOR.c.name, dialect).in_(names)))
    said = _caseless(ITEM.c.author_name, dialect).in_(names)
    return and_(ITEM.c.erased_at.is_(None), or_(said, ITEM.c.author_id.in_(known)))


def _caseless(column: ColumnElement[Any], dialect: str) -> ColumnElement[Any]:
    """The databases agree on the case of ASCII letters alone."""
    return func.lower(column if dialect == "sqlite" else column.collate("C"))


def _lower(text: str) -> str:
    return _CAPITALS.sub(lambda found: found[0].lower(), text)


_CAPITALS: Final = re.compile("[A-Z]+")
_REFUSED: Final = re.compile("[\x00\ud800-\udfff]")


def _storable(wanted: ItemFilter) -> bool:
    """May the store hold these texts? It has none with NUL or lone surrogates, and cannot be asked for them either."""
    given = (wanted.brand, wanted.author, wanted.place, wanted.scorer, *wanted.brands, *wanted.sources, *wanted.tags)
    texts = (*given, *wanted.languages, *(part for pair in wanted.attributes for part in pair))
    return not any(text and _REFUSED.search(text) for text in texts)
