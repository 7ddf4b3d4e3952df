"""Which items are copies of others, decided brand by brand after what they say is stored.

One transaction decides about a few items at a time under a lock of their brand: of two processes that store copies of each
other at once, whichever decides last sees both. What is to be decided stands in the store, so that a crash delays it only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, Protocol

from sqlalchemy import Connection, Select, bindparam, select, text, tuple_, update
from sqlalchemy.orm import aliased

from storage import likeness, marks
from storage.engine import Database
from storage.likeness import Entry
from storage.marks import Changed, Decided, Seen
from storage.mutes import in_force_until_commit
from storage.party_tables import LIKENESS
from storage.reasons import DUPLICATE
from storage.records import Keyed
from storage.tables import ITEM

AT_ONCE: Final = 200
"""Items decided in one transaction."""
_LOCK_KEY: Final = 0x6C696B65


class Like(NamedTuple):
    """A stored item as far as it tells whether it is a copy; ``copy_of`` and ``scheme`` as decided last, ``sketch`` as kept.

    ``led``: what it was a copy of has been erased and counts as it did.
    """

    id: int
    brand_id: int
    source_id: int
    platform: str
    external_id: str
    kind: str
    bucket: int
    published_at: datetime
    author_id: int | None
    title: str | None
    text: str | None
    uncounted: str | None
    erased_at: datetime | None
    copy_of: int | None
    scheme: int | None
    sketch: bytes | None
    led: bool

    @property
    def place(self) -> tuple[datetime, str, str]:
        """Which comes first is told by this, whatever was stored first."""
        return self.published_at, self.platform, self.external_id


class Chooser(Protocol):
    """Says which of a brand's items are copies, by the user's choice."""

    @property
    def sources(self) -> Sequence[int]:
        """Those of which copies are left out."""

    def keys(self, items: Sequence[Like]) -> list[Keyed]:
        """All keys of these items."""

    def asks(self, items: Sequence[Like]) -> list[Sequence[int]]:
        """The keys of those that these items may be copies of: none where every copy counts."""

    def copied(self, item: Like, earlier: Sequence[Like]) -> int | None:
        """The first of the earlier ones that the item is a copy of."""


def settle(database: Database, brand_id: int, chooser: Chooser, at: datetime) -> list[Changed] | None:
    """Decide about the next few items of a brand that are due; what changed. ``None``: nothing was due."""
    return database.write(lambda connection: _settle(connection, brand_id, chooser, at))


def _settle(connection: Connection, brand_id: int, chooser: Chooser, at: datetime) -> list[Changed] | None:
    mutes = in_force_until_commit(connection)
    _alone(connection, brand_id)
    due = {row[0]: row[1] for row in connection.execute(_DUE, {"brand": brand_id})}
    if not due:
        return None
    items = of_ids(connection, due)
    concerned = {item.id: item for item in (*items, *_later(connection, chooser, items))}
    found, held = _held(connection, chooser, list(concerned.values()))
    if done := [{"item": number, "seen": seen} for number, seen in sorted(due.items()) if number in found]:
        connection.execute(_DONE, done)
    news = [item for item in held if item.id in found and _differs(concerned[item.id], found[item.id])]
    reasons = [(item, marks.reason_of(item, Decided(item, None, found[item.id] is not None), mutes)) for item in news]
    return marks.write_reasons(connection, reasons, at)


def decide(connection: Connection, chooser: Chooser, items: Sequence[Like]) -> dict[int, int | None]:
    """What each of a brand's items is a copy of, which is remembered; ``None``: of nothing that counts.

    Those are left out that are overtaken: what they would be copies of changes meanwhile. They are noted as due, and so are
    those that are to count otherwise now: who decides and ends before that is written leaves it to the next.
    """
    found, _ = _held(connection, chooser, items)
    likeness.doubt(connection, [item.id for item in items if item.id in found and _differs(item, found[item.id])])
    return found


def _held(
    connection: Connection, chooser: Chooser, items: Sequence[Like]
) -> tuple[dict[int, int | None], Sequence[Seen]]:
    """What these are copies of, and those whose counting differs from that, held together with what they are copies of.

    Held, since whoever edits an item or lets it count no more has its copies decided anew, as far as it finds any: what is
    not written yet it would not find.
    """
    found, known = _decided(connection, chooser, items)
    seen = {one.id: one for one in (*known.values(), *items)}
    differing = {item.id for item in items if _differs(item, found[item.id])}
    led = {number: leader for number, leader in found.items() if leader in known}
    held = marks.held_items(connection, sorted(differing | {leader for leader in led.values() if leader is not None}))
    sound = {one.id for one in held if one.said == (seen[one.id].title, seen[one.id].text)}
    leading = {one.id for one in held if one.id in sound and likeness.may_lead(one.uncounted)}
    overtaken = {number for number, leader in led.items() if leader not in leading} | (differing - sound)
    likeness.doubt(connection, overtaken)
    sure = {number: leader for number, leader in found.items() if number not in overtaken}
    remember(connection, sure)
    return sure, held


def decided(connection: Connection, chooser: Chooser, items: Sequence[Like]) -> dict[int, int | None]:
    """What each of a brand's items is a copy of; ``None``: of nothing that counts."""
    return _decided(connection, chooser, items)[0]


def _decided(
    connection: Connection, chooser: Chooser, items: Sequence[Like]
) -> tuple[dict[int, int | None], dict[int, Like]]:
    """The same, and all that these items were compared with."""
    asked = dict(zip((item.id for item in items), chooser.asks(items), strict=True))
    brand_id = items[0].brand_id if items else 0
    buckets = [item.bucket for item in items]
    shared = likeness.shared(connection, brand_id, {key for keys in asked.values() for key in keys}, buckets)
    near = {
        item.id: likeness.before(connection, brand_id, [key for key in asked[item.id] if key in shared], item.bucket)
        for item in items
    }
    known = {one.id: one for one in of_ids(connection, {number for ids in near.values() for number in ids})}
    found = {item.id: _leader(chooser, item, [known[number] for number in near[item.id]]) for item in items}
    return found, known


def _leader(chooser: Chooser, item: Like, near: Iterable[Like]) -> int | None:
    earlier = sorted((one for one in near if one.place < item.place), key=lambda one: one.place)
    found = chooser.copied(item, earlier)
    if found is None and item.led and item.source_id in chooser.sources:
        return item.copy_of
    return found


def _later(connection: Connection, chooser: Chooser, items: Sequence[Like]) -> list[Like]:
    """Counted items that may be copies of these."""
    leading = [item for item in items if likeness.may_lead(item.uncounted) and item.erased_at is None]
    keyed = dict(zip((item.id for item in leading), chooser.keys(leading), strict=True))
    if not leading or not chooser.sources:
        return []
    brand_id = leading[0].brand_id
    buckets = [item.bucket for item in leading]
    shared = likeness.shared(connection, brand_id, {key for one in keyed.values() for key in one.keys}, buckets)
    found: set[int] = set()
    for item in leading:
        keys = [key for key in keyed[item.id].keys if key in shared]
        found |= likeness.after(connection, brand_id, keys, item.bucket, chooser.sources) if keys else set()
    return of_ids(connection, found - keyed.keys())


def _differs(item: Like, leader: int | None) -> bool:
    return (item.uncounted == DUPLICATE) != (leader is not None)


def remember(connection: Connection, found: Mapping[int, int | None]) -> None:
    """Note what these items are copies of."""
    if found:
        connection.execute(_COPY_OF, [{"item": number, "leader": leader} for number, leader in sorted(found.items())])


def rekey(connection: Connection, chooser: Chooser, items: Sequence[Like]) -> None:
    """Give those of these items keys that have none, or such as were made otherwise. What they are copies of is not decided here."""
    stale = [item.id for item, one in zip(items, chooser.keys(items), strict=True) if item.scheme != one.scheme]
    held = [item.id for item in marks.held_items(connection, stale)]  # whoever edits one of them, waits
    now = of_ids(connection, held)
    new = [(item, keyed) for item, keyed in zip(now, chooser.keys(now), strict=True) if item.scheme != keyed.scheme]
    due = likeness.due_among(connection, [item.id for item, _ in new])
    likeness.forget(connection, [item.id for item, _ in new])
    likeness.keep(
        connection,
        [Entry(item.id, item.brand_id, item.bucket, keyed, item.id in due, item.copy_of) for item, keyed in new],
    )


def doubt_since(connection: Connection, brand_ids: Sequence[int], since: datetime) -> None:
    """What was stored since then is to be decided anew."""
    query = select(ITEM.c.id).where(ITEM.c.brand_id.in_(brand_ids), ITEM.c.first_seen_at >= since)
    likeness.doubt(connection, list(connection.execute(query).scalars()))


def _alone(connection: Connection, brand_id: int) -> None:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key, :brand)"), {"key": _LOCK_KEY, "brand": brand_id})


# ------------------------------------------------------------------------------------------------- reading


def of_ids(connection: Connection, ids: Iterable[int]) -> list[Like]:
    """These items, by their ids."""
    ordered = sorted(ids)
    chunks = (ordered[start : start + likeness.CHUNK] for start in range(0, len(ordered), likeness.CHUNK))
    return [Like(*row) for chunk in chunks for row in connection.execute(_BY_ID, {"ids": chunk})]


def page(connection: Connection, brand_id: int, after: tuple[datetime, int] | None, size: int) -> list[Like]:
    """The next of a brand's items that are not erased, in the order of publication; ``after``: the last one's time and id."""
    c = ITEM.c
    query = _like().where(c.brand_id == brand_id, c.erased_at.is_(None)).order_by(c.published_at, c.id).limit(size)
    if after is not None:
        query = query.where(tuple_(c.published_at, c.id) > tuple_(*after))
    return [Like(*row) for row in connection.execute(query)]


def _like() -> Select[Any]:
    leader = aliased(ITEM, name="leader")
    led = leader.c.erased_at.is_not(None) & (leader.c.uncounted.is_(None) | (leader.c.uncounted == DUPLICATE))
    columns = [ITEM.c[name] for name in Like._fields[:13]]
    joined = ITEM.outerjoin(LIKENESS, LIKENESS.c.item_id == ITEM.c.id).outerjoin(
        leader, leader.c.id == LIKENESS.c.copy_of
    )
    kept = (LIKENESS.c.copy_of, LIKENESS.c.scheme, LIKENESS.c.sketch)
    return select(*columns, *kept, led.label("led")).select_from(joined)


_BY_ID: Final = _like().where(ITEM.c.id.in_(bindparam("ids", expanding=True))).order_by(ITEM.c.id)
_DUE: Final = (
    select(LIKENESS.c.item_id, LIKENESS.c.due)
    .where(LIKENESS.c.brand_id == bindparam("brand"), LIKENESS.c.due.is_not(None))
    .order_by(LIKENESS.c.item_id)
    .limit(AT_ONCE)
)
_DONE: Final = (
    update(LIKENESS)
    .where(LIKENESS.c.item_id == bindparam("item"), LIKENESS.c.due == bindparam("seen"))
    .values(due=None)
)
_COPY_OF: Final = update(LIKENESS).where(LIKENESS.c.item_id == bindparam("item")).values(copy_of=bindparam("leader"))
