"""The history's labels made anew: which items another scorer labelled, and what they are labelled now.

New labels and the rollups they change are one transaction. A label is written only where the text and stars that it was made
of are still the stored ones; a person's word stays the one that counts; what is erased is not touched.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, or_, select, tuple_, update
from sqlalchemy.sql.elements import ColumnElement

from storage.engine import Database
from storage.rollups import Key, recompute
from storage.tables import ITEM

CHUNK: Final = 1_000
"""Items that are read, scored and written at once."""

PERSON: Final = "person"
"""``label_by`` of a label that no scorer may replace."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Which items: of these brands, published from ``since`` on, not erased."""

    brand_ids: Collection[int]
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Labelled:
    """A stored item: what its label is made of, what it says now, and where it counts. ``compound`` in ten-thousandths."""

    id: int
    brand_id: int
    source_id: int
    platform: str
    external_id: str
    kind: str
    bucket: int
    title: str | None
    text: str | None
    language: str | None
    rating_label: str | None
    label: str | None
    label_by: str | None
    scorer_label: str | None
    text_label: str | None
    compound: int | None
    unscored: str | None
    uncounted: str | None

    @property
    def source_of_label(self) -> tuple[str | None, str | None, str | None]:
        """All that decides its label, but for the settings."""
        return self.title, self.text, self.rating_label


@dataclass(frozen=True, slots=True)
class NewLabel:
    """What a scorer says of an item, as it was when it was read. ``compound`` in ten-thousandths."""

    item: Labelled
    label: str | None
    label_by: str | None
    text_label: str | None
    compound: int | None
    language: str | None
    scorer: str
    unscored: str | None


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of the label that counts (``None``: unscored, and ``unscored`` says why)."""

    brand_id: int
    kind: str
    before: str | None
    after: str | None
    unscored: str | None
    by_person: bool
    counted: bool


def count_outdated(database: Database, scope: Scope, versions: Collection[str]) -> int:
    """How many items bear a label of none of these versions. Reads every item of the scope."""
    query = select(func.count()).select_from(ITEM).where(*_outdated(scope, versions))
    return database.read(lambda connection: connection.execute(query).scalar_one())


def outdated(
    database: Database, scope: Scope, versions: Collection[str], size: int = CHUNK
) -> Iterator[list[Labelled]]:
    """Those items in chunks, in the order of the unique key, each chunk read when it is asked for."""
    for brand_id in sorted(scope.brand_ids):  # one at a time, so that a chunk is found by the index alone
        yield from _outdated_of(database, Scope([brand_id], scope.since), versions, size)


def _outdated_of(database: Database, scope: Scope, versions: Collection[str], size: int) -> Iterator[list[Labelled]]:
    key = (ITEM.c.platform, ITEM.c.external_id)
    query = _labelled().where(*_outdated(scope, versions)).order_by(*key).limit(size)
    after: tuple[str, str] | None = None
    while True:
        chunk = _read(database, query if after is None else query.where(tuple_(*key) > tuple_(*after)))
        if chunk:
            yield chunk
        if len(chunk) < size:
            return
        after = chunk[-1].platform, chunk[-1].external_id


def relabel(database: Database, labels: Sequence[NewLabel]) -> list[Moved]:
    """Write the labels and bring the rollups up to date, in one transaction; what became of those that were written.

    Left as they are: items whose text or stars have changed since they were read, or that have been erased.
    """
    return database.write(lambda connection: _relabel(connection, labels)) if labels else []


def moved(item: Labelled, new: NewLabel) -> Moved:
    """What the new label makes of the item's: nothing, where a person has spoken."""
    by_person = item.label_by == PERSON
    after = item.label if by_person else new.label
    return Moved(
        brand_id=item.brand_id,
        kind=item.kind,
        before=item.label,
        after=after,
        unscored=new.unscored if after is None else None,
        by_person=by_person,
        counted=item.uncounted is None,
    )


def counted_labels(database: Database, scope: Scope) -> dict[tuple[int, str], dict[str | None, int]]:
    """How many counted items bear each label (``None``: unscored), by (brand id, kind)."""
    c = ITEM.c
    query = (
        select(c.brand_id, c.kind, c.label, func.count())
        .where(*_within(scope), c.uncounted.is_(None))
        .group_by(c.brand_id, c.kind, c.label)
    )
    found: dict[tuple[int, str], dict[str | None, int]] = {}
    for brand_id, kind, label, count in database.read(lambda connection: connection.execute(query).all()):
        found.setdefault((brand_id, kind), {})[label] = count
    return found


# ------------------------------------------------------------------------------------------------- writing


def _relabel(connection: Connection, labels: Sequence[NewLabel]) -> list[Moved]:
    by_id = {new.item.id: new for new in labels}
    now = [(item, by_id[item.id]) for item in _held(connection, list(by_id))]
    sound = [(item, new) for item, new in now if item.source_of_label == new.item.source_of_label]
    if sound:
        connection.execute(_WRITE, [_values(item, new) for item, new in sound])
    recompute(connection, set(_touched(sound)))
    return [moved(item, new) for item, new in sound]


def _held(connection: Connection, ids: Sequence[int]) -> list[Labelled]:
    """The items as they are now, and nobody else's until the end; in the order of the unique key, as all writers have it."""
    return [Labelled(*row) for row in connection.execute(_HOLD, {"ids": ids})]


def _values(item: Labelled, new: NewLabel) -> Mapping[str, Any]:
    after = moved(item, new).after
    return {
        "row_id": item.id,
        "label": after,
        "label_by": PERSON if item.label_by == PERSON else new.label_by,
        "scorer_label": new.label,
        **{name: getattr(new, name) for name in _AS_SCORED},
    }


def _touched(written: Iterable[tuple[Labelled, NewLabel]]) -> Iterator[Key]:
    """The rollups whose sums are others now, or that hold items of which something else is shown now."""
    for item, new in written:
        now = _values(item, new)
        if any(getattr(item, name) != now[name] for name in _SHOWN):
            yield Key(item.brand_id, item.source_id, item.kind, item.bucket)


_AS_SCORED: Final = ("text_label", "compound", "language", "scorer", "unscored")
_WRITTEN: Final = ("label", "label_by", "scorer_label", *_AS_SCORED)
_SHOWN: Final = tuple(name for name in _WRITTEN if name != "scorer")
_WRITE: Final = (
    update(ITEM)
    .where(ITEM.c.id == bindparam("row_id"), ITEM.c.erased_at.is_(None))
    .values({name: bindparam(name) for name in _WRITTEN})
)


# ------------------------------------------------------------------------------------------------- reading


def _labelled() -> Any:
    return select(*(ITEM.c[name] for name in Labelled.__slots__))


_HOLD: Final = (
    _labelled()
    .where(ITEM.c.id.in_(bindparam("ids", expanding=True)), ITEM.c.erased_at.is_(None))
    .order_by(ITEM.c.brand_id, ITEM.c.platform, ITEM.c.external_id)
    .with_for_update()
)


def _read(database: Database, query: Any) -> list[Labelled]:
    return database.read(lambda connection: [Labelled(*row) for row in connection.execute(query)])


def _within(scope: Scope) -> list[ColumnElement[bool]]:
    ids = sorted(scope.brand_ids)
    found = [ITEM.c.brand_id == ids[0] if len(ids) == 1 else ITEM.c.brand_id.in_(ids)]
    return found if scope.since is None else [*found, ITEM.c.published_at >= scope.since]


def _outdated(scope: Scope, versions: Collection[str]) -> list[ColumnElement[bool]]:
    c = ITEM.c
    other = or_(c.scorer.is_(None), c.scorer.not_in(sorted(versions)))
    return [*_within(scope), other, c.erased_at.is_(None)]
