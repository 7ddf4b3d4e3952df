"""Stable SQL views for whoever reads the store with other programs, and what their columns mean.

They are the same on both back ends but for their types: SQLite has no times, flags or days, so it gives ISO texts, 0 and 1.
Every upgrade drops them first and makes them last, so that no change of a table meets a view that stands upon it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import (
    BigInteger,
    Connection,
    Date,
    Double,
    Select,
    Text,
    case,
    cast,
    func,
    literal_column,
    select,
    type_coerce,
)
from sqlalchemy.sql.elements import ColumnElement

from storage.tables import (
    AUTHOR,
    BRAND,
    BUCKET_SECONDS,
    COUNT_HISTORY,
    COUNTS,
    ITEM,
    REVISION,
    ROLLUP,
    SOURCE,
)

Type = Literal["text", "integer", "real", "time", "day", "flag", "map"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a view: its name, its type, where it comes from, and what it says to people."""

    name: str
    type: Type
    value: ColumnElement[Any]
    says: str


def create(connection: Connection) -> None:
    """Make the views anew, on tables of this program's version."""
    drop(connection)
    for name, query in definitions(connection.dialect.name).items():
        options = {"literal_binds": True, "render_postcompile": True}
        body = query.compile(dialect=connection.dialect, compile_kwargs=options)
        connection.exec_driver_sql(f"CREATE VIEW {name} AS {body}")


def drop(connection: Connection) -> None:
    """Take the views away, as far as they are there."""
    for name in VIEWS:
        connection.exec_driver_sql(f"DROP VIEW IF EXISTS {name}")


def definitions(dialect: str) -> Mapping[str, Select[Any]]:
    """The query of each view, by its name."""
    shown = {name: [_shown(column, dialect) for column in columns] for name, columns in VIEWS.items()}
    return {
        "items": select(*shown["items"]).select_from(JOINED),
        "daily_scores": _per_day(shown["daily_scores"]),
        "counts": select(*shown["counts"]),
    }


def _per_day(columns: list[ColumnElement[Any]]) -> Select[Any]:
    joined = ROLLUP.join(BRAND, BRAND.c.id == ROLLUP.c.brand_id).join(SOURCE, SOURCE.c.id == ROLLUP.c.source_id)
    by = (BRAND.c.name, SOURCE.c.name, ROLLUP.c.kind, _DAY)
    return select(*columns).select_from(joined).group_by(*by).having(_VOLUME > 0)


def _shown(column: Column, dialect: str) -> ColumnElement[Any]:
    value = column.value
    if dialect == "sqlite" and column.type == "time":
        iso = func.replace(type_coerce(value, Text), literal_column("' '"), literal_column("'T'"))
        value = iso.concat(literal_column("'Z'"))
    elif column.type == "day":
        seconds = cast(value, BigInteger) * literal_column("86400", BigInteger)
        value = func.date(seconds, literal_column("'unixepoch'"))
        if dialect == "postgresql":
            value = cast(func.timezone(literal_column("'UTC'"), func.to_timestamp(seconds)), Date)
    return value.label(column.name)


# ------------------------------------------------------------------------------------------------- the columns


def _scaled(value: ColumnElement[Any]) -> ColumnElement[Any]:
    return cast(value, Double) / literal_column("10000.0", Double)


def _of_item(name: str, type_: Type, says: str) -> Column:
    return Column(name, type_, ITEM.c[name], says)


JOINED: Final = (
    ITEM.join(BRAND, BRAND.c.id == ITEM.c.brand_id)
    .join(SOURCE, SOURCE.c.id == ITEM.c.source_id)
    .outerjoin(AUTHOR, AUTHOR.c.id == ITEM.c.author_id)
)
"""What the columns of ``items`` are taken from."""

_ERASED: Final = ITEM.c.erased_at.is_not(None)
_AUTHOR: Final = case((_ERASED, None), else_=func.coalesce(ITEM.c.author_name, AUTHOR.c.name))
_REVISIONS: Final = (
    select(func.count()).select_from(REVISION).where(REVISION.c.item_id == ITEM.c.id).correlate(ITEM).scalar_subquery()
)

ITEMS: Final = (
    _of_item("id", "integer", "The item's number in this store; it stays the same, also when the item is erased."),
    Column("brand", "text", BRAND.c.name, "The brand it is about. An item that names two brands is a row of each."),
    Column("source", "text", SOURCE.c.name, "The source that found it first, as named in the configuration."),
    _of_item("platform", "text", "The platform it stands on: reddit, appstore, feed ..."),
    _of_item(
        "external_id",
        "text",
        "Its id on the platform, unique there; of an erased item a hash that begins with `erased:`.",
    ),
    _of_item("kind", "text", "`mention`, `review`, or `post` (published by one of the brand's own accounts)."),
    _of_item("published_at", "time", "When it was published. Figures go by this time; it never changes."),
    _of_item("updated_at", "time", "When its author last edited it, where the platform tells."),
    _of_item("first_seen_at", "time", "When it was stored."),
    _of_item(
        "changed_at",
        "time",
        "When a pull or a person last changed it, by the program's clock. A new label after `rescore` does not set it: "
        "use `db export --changed-since` to follow changes.",
    ),
    _of_item("title", "text", "Its title, as plain text."),
    _of_item("text", "text", "Its text, as plain text."),
    _of_item("url", "text", "Where it can be read."),
    _of_item("language", "text", "Its language as a code (`en`), as told by the platform or detected."),
    Column("author", "text", _AUTHOR, "The author's name as shown there; empty when unknown or erased."),
    _of_item("place", "text", "Where on the platform: the subreddit, publisher, app, thread or branch."),
    _of_item("parent_title", "text", "The title of the thread or article it belongs to."),
    _of_item(
        "label",
        "text",
        "The label that counts: `positive`, `neutral` or `negative`; empty: unscored, and `unscored` says why.",
    ),
    _of_item("label_by", "text", "What made the label: `text`, `stars`, or `person` (a correction)."),
    _of_item("scorer_label", "text", "What stars or text said, whatever a person said afterwards."),
    _of_item("text_label", "text", "What the text alone said."),
    Column("compound", "real", _scaled(ITEM.c.compound), "The text's compound score, from -1 to 1."),
    _of_item("unscored", "text", "Why there is no label: `no_text`, `language` ..."),
    _of_item("scorer", "text", "The version of the scorer and its settings that made the label."),
    _of_item("rating_value", "real", "The rating as given, on the platform's own scale."),
    _of_item("rating_worst", "real", "The worst rating that the platform allows."),
    _of_item("rating_best", "real", "The best rating that the platform allows."),
    Column("stars", "real", _scaled(ITEM.c.stars), "The rating on the common scale from 1 to 5."),
    _of_item("likes", "integer", "Likes when last counted; empty: the platform does not tell, which is not 0."),
    _of_item("shares", "integer", "Shares, reposts, boosts, when last counted."),
    _of_item("comments", "integer", "Comments and answers, when last counted."),
    _of_item("views", "integer", "Views, when last counted."),
    _of_item("counted_at", "time", "When those counts were true."),
    _of_item("reply_text", "text", "The owner's answer to a review."),
    _of_item("reply_at", "time", "When the owner answered."),
    _of_item(
        "attributes", "map", "What else the platform tells: country, app version, verified ... (names and texts)."
    ),
    _of_item(
        "uncounted",
        "text",
        "Why it counts in no figure: `excluded`, `muted`, `duplicate` or `not_about_us`; empty: it counts.",
    ),
    Column("erased", "flag", _ERASED, "Was it erased? Its words, author and address are gone; label and counts stay."),
    _of_item("erased_at", "time", "When it was erased."),
    Column("revisions", "integer", _REVISIONS, "How many earlier versions of its text or rating are kept."),
)

_DAY: Final = ROLLUP.c.bucket // (24 * 60 * 60 // BUCKET_SECONDS)


def _sum(*names: str) -> ColumnElement[Any]:
    first, *others = (ROLLUP.c[name] for name in names)
    return cast(func.sum(sum(others, first)), BigInteger)


_SCORED: Final = _sum("positive", "negative", "neutral")
_VOLUME: Final = _sum("positive", "negative", "neutral", "unscored")
_SCORE: Final = case(
    (ROLLUP.c.kind == "post", None),
    else_=cast(_sum("positive") - _sum("negative"), Double) / cast(func.nullif(_SCORED, 0), Double),
)

DAILY_SCORES: Final = (
    Column("brand", "text", BRAND.c.name, "The brand."),
    Column("source", "text", SOURCE.c.name, "The source."),
    Column("kind", "text", ROLLUP.c.kind, "`mention`, `review` or `post`."),
    Column("day", "day", _DAY, "The day of publication, in UTC (reports go by the configured time zone)."),
    *(
        Column(name, "integer", _sum(name), f"Counted items of that day that are {name}.")
        for name in ("positive", "negative", "neutral")
    ),
    Column(
        "unscored", "integer", _sum("unscored"), "Counted items without a label; part of the volume, not of the score."
    ),
    Column("total", "integer", _SCORED, "positive + negative + neutral: what the score rests on."),
    Column(
        "score", "real", _SCORE, "(positive - negative) / total, from -1 to 1; empty: nothing to score, or own posts."
    ),
)
"""Days of which nothing counts have no row."""

COUNT_CHANGES: Final = (
    Column("item_id", "integer", COUNT_HISTORY.c.item_id, "The item: `id` of `items`."),
    Column("at", "time", COUNT_HISTORY.c.at, "When the growth was seen."),
    *(
        Column(
            name,
            "integer",
            COUNT_HISTORY.c[name],
            f"{name.capitalize()} gained since the reading before (lost: below 0).",
        )
        for name in COUNTS
    ),
)

VIEWS: Final[Mapping[str, tuple[Column, ...]]] = {
    "items": ITEMS,
    "daily_scores": DAILY_SCORES,
    "counts": COUNT_CHANGES,
}
