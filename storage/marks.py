"""What people say of items: a label, that it is not about us, that it is done, a tag. And whether items count, decided anew.

A person's word, what it makes of the item and the rollups are one transaction. What is erased is not touched. Writers touch the
mutes' lock, then items in unique-key order, then rollups.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, Table, bindparam, delete, func, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement

from storage import likeness
from storage.engine import Database
from storage.filters import unled
from storage.mutes import in_force_until_commit
from storage.people_tables import MARK, TAG
from storage.reasons import DUPLICATE, EXCLUDED, NOT_ABOUT_US, Mute, Mutes, why_uncounted
from storage.rollups import Key, grown_by, recompute
from storage.tables import CORRECTION, ITEM

CHUNK: Final = 1_000
"""Items that are read, decided and written at once."""

PERSON: Final = "person"
DONE: Final = "done"
LABELS: Final = ("positive", "neutral", "negative")


@dataclass(frozen=True, slots=True)
class Seen:
    """A stored item: what decides whether it counts, and what is said of it now."""

    id: int
    brand_id: int
    source_id: int
    platform: str
    external_id: str
    kind: str
    bucket: int
    title: str | None
    text: str | None
    url: str | None
    author_id: int | None
    rating_label: str | None
    text_label: str | None
    scorer_label: str | None
    label: str | None
    label_by: str | None
    uncounted: str | None
    erased_at: datetime | None

    @property
    def key(self) -> Key:
        return Key(self.brand_id, self.source_id, self.kind, self.bucket)

    @property
    def place(self) -> tuple[int, str, str]:
        """Where it stands in the order of the unique key."""
        return self.brand_id, self.platform, self.external_id

    @property
    def said(self) -> tuple[str | None, str | None]:
        """All that keywords look at."""
        return self.title, self.text


@dataclass(frozen=True, slots=True)
class Decided:
    """What matching says of an item as it was when it was read.

    ``excluded`` and ``duplicate`` are ``None`` where nobody can say: then an item stays what it is.
    """

    item: Seen
    excluded: bool | None
    duplicate: bool | None = None


@dataclass(frozen=True, slots=True)
class Changed:
    """An item that counts for another reason now, or for none: ``before`` and ``after`` are reasons, ``None`` counts."""

    id: int
    brand_id: int
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of decisions: ``overtaken`` are those whose words changed since they were read, and nothing else did."""

    changed: tuple[Changed, ...] = ()
    overtaken: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Marked:
    """What a mark, a tag or their taking back came to. ``left``: not there, or erased."""

    done: int = 0
    already: int = 0
    left: tuple[int, ...] = ()
    overtaken: tuple[int, ...] = ()

    def __add__(self, other: Marked) -> Marked:
        left, overtaken = (*self.left, *other.left), (*self.overtaken, *other.overtaken)
        return Marked(self.done + other.done, self.already + other.already, left, overtaken)


@dataclass(frozen=True, slots=True)
class Corrected:
    """The label that counts, before and after a person's word or its taking back."""

    before: str | None
    after: str | None
    label_by: str | None


# ------------------------------------------------------------------------------------------------- does it count?


def reason_of(item: Seen, decided: Decided, mutes: Mutes) -> str | None:
    """Why ``item`` is not counted, by what matching decided, the mutes, and what a person said of it."""
    excluded, duplicate = decided.excluded, decided.duplicate
    return why_uncounted(
        not_about_us=item.uncounted == NOT_ABOUT_US,
        muted=mutes.hold(item.brand_id, item.author_id, item.url),
        excluded=item.uncounted == EXCLUDED if excluded is None else excluded,
        duplicate=item.uncounted == DUPLICATE if duplicate is None else duplicate,
    )


def settle(database: Database, decided: Sequence[Decided], at: datetime) -> Settled:
    """Let items count or not by what was decided of them, in one transaction with the rollups."""
    return database.write(lambda connection: _settle(connection, decided, at)) if decided else Settled()


def _settle(connection: Connection, decided: Sequence[Decided], at: datetime) -> Settled:
    mutes = in_force_until_commit(connection)
    known = {one.item.id: one for one in decided}
    held = held_items(connection, list(known))
    sound = [item for item in held if item.said == known[item.id].item.said]
    after = {item.id: reason_of(item, known[item.id], mutes) for item in sound}
    changed = write_reasons(connection, [(item, after[item.id]) for item in sound], at)
    return Settled(tuple(changed), tuple(item.id for item in held if item.id not in after))


def write_reasons(
    connection: Connection, reasons: Iterable[tuple[Seen, str | None]], at: datetime, touched: Iterable[Key] = ()
) -> list[Changed]:
    """Write why items that are held are not counted, and the rollups; what changed. ``touched``: further rollups."""
    news = [(item, reason) for item, reason in reasons if reason != item.uncounted]
    if news:
        connection.execute(_REASON, [{"row_id": item.id, "uncounted": why, "changed_at": at} for item, why in news])
    turned = [item.id for item, why in news if likeness.may_lead(why) != likeness.may_lead(item.uncounted)]
    likeness.doubt(connection, turned)
    flipped = [item.id for item, why in news if (why is None) != (item.uncounted is None)]
    grown = grown_by(connection, flipped)
    recompute(connection, {*touched, *(item.key for item, _ in news)}, anew=grown)
    return [Changed(item.id, item.brand_id, item.uncounted, why) for item, why in news]


# ------------------------------------------------------------------------------------------------- marks and tags


def mark(database: Database, ids: Sequence[int], what: str, by: str | None, at: datetime) -> Marked:
    """Mark items ``not_about_us``, which lets them count no more, or ``done``. In one transaction."""

    def work(connection: Connection) -> Marked:
        items = held_items(connection, ids)
        known = _having(connection, MARK, ids, MARK.c.what == what)
        fresh = [item for item in items if item.id not in known]
        rows = [{"item_id": item.id, "what": what, "by": by, "at": at} for item in fresh]
        if rows:
            connection.execute(_insert(connection)(MARK).on_conflict_do_nothing(), rows)
        reasons = [(item, NOT_ABOUT_US) for item in items] if what == NOT_ABOUT_US else []
        write_reasons(connection, reasons, at, {item.key for item in fresh})
        return Marked(len(fresh), len(items) - len(fresh), _left(ids, items))

    return database.write(work)


def unmark(database: Database, decided: Sequence[Decided], what: str, at: datetime) -> Marked:
    """Take a mark back: an item that was not about us counts again, or not, by what matching decided and the mutes."""

    def work(connection: Connection) -> Marked:
        mutes = in_force_until_commit(connection)
        known = {one.item.id: one for one in decided}
        items = held_items(connection, list(known))
        back = [item for item in items if item.said == known[item.id].item.said]
        marked = _having(connection, MARK, [item.id for item in back], MARK.c.what == what)
        gone = [item for item in back if item.id in marked]
        if gone:
            connection.execute(delete(MARK).where(MARK.c.item_id.in_([item.id for item in gone]), MARK.c.what == what))
        reasons = [(item, _taken_back(item, known[item.id], mutes)) for item in gone] if what == NOT_ABOUT_US else []
        write_reasons(connection, reasons, at, {item.key for item in gone})
        overtaken = tuple(item.id for item in items if item not in back)
        return Marked(len(gone), len(back) - len(gone), _left(list(known), items), overtaken)

    return database.write(work)


def _taken_back(item: Seen, decided: Decided, mutes: Mutes) -> str | None:
    return why_uncounted(
        not_about_us=False,
        muted=mutes.hold(item.brand_id, item.author_id, item.url),
        excluded=bool(decided.excluded),
        duplicate=bool(decided.duplicate),
    )


def tag(database: Database, ids: Sequence[int], name: str, by: str | None, at: datetime) -> Marked:
    """Tag items. In one transaction."""

    def work(connection: Connection) -> Marked:
        items = held_items(connection, ids)
        known = _having(connection, TAG, ids, TAG.c.name == name)
        fresh = [item for item in items if item.id not in known]
        if fresh:
            rows = [{"item_id": item.id, "name": name, "by": by, "at": at} for item in fresh]
            connection.execute(_insert(connection)(TAG).on_conflict_do_nothing(), rows)
        recompute(connection, {item.key for item in fresh})
        return Marked(len(fresh), len(items) - len(fresh), _left(ids, items))

    return database.write(work)


def untag(database: Database, ids: Sequence[int], name: str) -> Marked:
    """Take a tag off items. In one transaction."""

    def work(connection: Connection) -> Marked:
        items = held_items(connection, ids)
        known = _having(connection, TAG, [item.id for item in items], TAG.c.name == name)
        if known:
            connection.execute(delete(TAG).where(TAG.c.item_id.in_(known), TAG.c.name == name))
        recompute(connection, {item.key for item in items if item.id in known})
        return Marked(len(known), len(items) - len(known), _left(ids, items))

    return database.write(work)


def tags(database: Database) -> list[tuple[str, int]]:
    """Every tag with how many items bear it, the commonest first."""
    query = select(TAG.c.name, func.count()).group_by(TAG.c.name).order_by(func.count().desc(), TAG.c.name)
    return database.read(lambda connection: [(row[0], row[1]) for row in connection.execute(query)])


def _having(connection: Connection, table: Table, ids: Sequence[int], which: ColumnElement[bool]) -> set[int]:
    return set(connection.execute(select(table.c.item_id).where(table.c.item_id.in_(ids), which)).scalars())


def _left(ids: Sequence[int], items: Iterable[Seen]) -> tuple[int, ...]:
    return tuple(sorted({*ids} - {item.id for item in items}))


# ------------------------------------------------------------------------------------------------- corrections


def correct(database: Database, item_id: int, label: str, by: str | None, at: datetime) -> Corrected | None:
    """A person's label, which beats the scorer's everywhere at once. ``None``: no such item, or it is erased."""

    def work(connection: Connection) -> Corrected | None:
        for item in held_items(connection, [item_id]):
            values = {"label": label, "by": by, "at": at}
            added = _insert(connection)(CORRECTION).values(item_id=item_id, **values)
            connection.execute(added.on_conflict_do_update(index_elements=["item_id"], set_=values))
            return _write_label(connection, item, label, PERSON, at)
        return None

    return database.write(work)


def take_back(database: Database, item_id: int, at: datetime, *, stars_first: bool) -> Corrected | None:
    """The scorer's label counts again, as if nobody had spoken. ``stars_first``: do stars go before text when scoring?"""

    def work(connection: Connection) -> Corrected | None:
        for item in held_items(connection, [item_id]):
            connection.execute(delete(CORRECTION).where(CORRECTION.c.item_id == item_id))
            if item.label_by != PERSON:
                return Corrected(item.label, item.label, item.label_by)
            return _write_label(connection, item, item.scorer_label, _scored_by(item, stars_first), at)
        return None

    return database.write(work)


def _scored_by(item: Seen, stars_first: bool) -> str | None:
    """What the scorer's label rests on; both can say the same."""
    label = item.scorer_label
    if label is None:
        return None
    by_stars = item.rating_label == label and (stars_first or item.text_label != label)
    return "stars" if by_stars else "text"


def _write_label(connection: Connection, item: Seen, label: str | None, by: str | None, at: datetime) -> Corrected:
    values = {"label": label, "label_by": by, "changed_at": at}
    connection.execute(update(ITEM).where(ITEM.c.id == item.id).values(values))
    recompute(connection, [item.key])
    return Corrected(item.label, label, by)


# ------------------------------------------------------------------------------------------------- reading


def held_items(connection: Connection, ids: Sequence[int]) -> list[Seen]:
    """The items as they are now, and nobody else's until the end; in the order of the unique key. Erased ones are left out."""
    return [Seen(*row) for row in connection.execute(_HOLD, {"ids": ids})] if ids else []


def items_of(database: Database, ids: Sequence[int]) -> list[Seen]:
    """The items with these ids, as far as they are there."""
    return database.read(lambda connection: [Seen(*row) for row in connection.execute(_SEEN_BY_ID, {"ids": ids})])


def marked(database: Database, brand_id: int, what: str, limit: int) -> list[Seen]:
    """A brand's items so marked, not erased, the last published first."""
    query = (
        _seen().join(MARK, MARK.c.item_id == ITEM.c.id).where(unled(ITEM.c.brand_id) == brand_id, MARK.c.what == what)
    )
    return _newest(database, query, limit)


def counted(database: Database, brand_id: int, limit: int) -> list[Seen]:
    """A brand's newest counted items, not erased."""
    return _newest(database, _seen().where(ITEM.c.brand_id == brand_id, ITEM.c.uncounted.is_(None)), limit)


def _newest(database: Database, query: Select[Any], limit: int) -> list[Seen]:
    query = query.where(ITEM.c.erased_at.is_(None)).order_by(ITEM.c.published_at.desc(), ITEM.c.id.desc()).limit(limit)
    return database.read(lambda connection: [Seen(*row) for row in connection.execute(query)])


def walk(
    database: Database, brand_ids: Collection[int], conditions: Sequence[ColumnElement[bool]] = (), size: int = CHUNK
) -> Iterator[list[Seen]]:
    """Items of these brands, not erased, in chunks in the order of the unique key, each read when it is asked for."""
    key = (ITEM.c.platform, ITEM.c.external_id)
    for brand_id in sorted(brand_ids):  # one at a time, so that a chunk is found by the index alone
        query = _seen().where(ITEM.c.brand_id == brand_id, ITEM.c.erased_at.is_(None), *conditions)
        yield from _chunks(database, query.order_by(*key).limit(size), tuple_(*key), size)


def _chunks(database: Database, query: Select[Any], key: Any, size: int) -> Iterator[list[Seen]]:
    after: tuple[str, str] | None = None
    while True:
        chunk = _read(database, query if after is None else query.where(key > tuple_(*after)))
        if chunk:
            yield chunk
        if len(chunk) < size:
            return
        after = chunk[-1].platform, chunk[-1].external_id


def _read(database: Database, query: Select[Any]) -> list[Seen]:
    return database.read(lambda connection: [Seen(*row) for row in connection.execute(query)])


def published_since(since: datetime | None) -> list[ColumnElement[bool]]:
    """A condition for ``walk``."""
    return [] if since is None else [ITEM.c.published_at >= since]


def meant_by(mute: Mute) -> list[ColumnElement[bool]]:
    """A condition for ``walk``: items that a mute may mean; ``Mute.means`` says which of them it does."""
    if mute.author_id is not None:
        return [ITEM.c.author_id == mute.author_id]
    site = mute.site or ""
    return [ITEM.c.url.is_not(None)] if "xn--" in site else [ITEM.c.url.icontains(site, autoescape=True)]


_REASON: Final = (
    update(ITEM)
    .where(ITEM.c.id == bindparam("row_id"))
    .values(uncounted=bindparam("uncounted"), changed_at=bindparam("changed_at"))
)


def _seen() -> Select[Any]:
    return select(*(ITEM.c[name] for name in Seen.__slots__))


_BY_ID: Final = ITEM.c.id.in_(bindparam("ids", expanding=True))
_SEEN_BY_ID: Final = _seen().where(_BY_ID).order_by(ITEM.c.brand_id, ITEM.c.platform, ITEM.c.external_id)
_HOLD: Final = _SEEN_BY_ID.where(ITEM.c.erased_at.is_(None)).with_for_update()


def _insert(connection: Connection) -> Any:
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
