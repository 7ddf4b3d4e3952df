"""Items that no rule has looked at yet, and what rules have fired for.

A page is stored together with its arrivals; a firing is stored together with its notice, and takes its arrival away. So a
crash between the two loses nothing, and of several daemons one fires.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Select, delete, exists, func, null, select, text, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.bulk import insert_rows
from storage.engine import Database
from storage.party_tables import LIKENESS
from storage.people_tables import ARRIVAL, FIRING, TAG
from storage.tables import AUTHOR, BRAND, ITEM, NOTE, SCALE, SOURCE

CHUNK: Final = 1_000
"""Items that are read at once."""
_LOCK_KEY: Final = 0x72756C65
"""Of PostgreSQL's advisory lock: what rules were told of in an hour is counted by one at a time. SQLite has one writer anyway."""
_TAG_END: Final = "\n"
_KNOWN: Final = "rules"
"""The note that says since when each rule is known."""

Key = tuple[int, str]
"""An item's id and version."""


class RuleItem(NamedTuple):
    """A stored item as rules see it. ``stars`` (1 to 5) and ``compound`` as people see them; ``tags`` only where asked for."""

    id: int
    brand: str
    source: str
    platform: str
    kind: str
    published_at: datetime
    first_seen_at: datetime
    title: str | None
    text: str | None
    url: str | None
    language: str | None
    author: str | None
    followers: int | None
    rating_value: float | None
    rating_best: float | None
    stars: float | None
    label: str | None
    compound: float | None
    likes: int | None
    shares: int | None
    comments: int | None
    views: int | None
    replied: bool
    place: str | None
    attributes: Mapping[str, str]
    uncounted: str | None
    erased: bool
    tags: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """What a rule fires for once: the rating as it is now."""
        return version_of(self.rating_value, self.rating_best)

    @property
    def engagement(self) -> int:
        """Likes, shares and comments; what is not known counts as none."""
        return (self.likes or 0) + (self.shares or 0) + (self.comments or 0)


class Waiting(NamedTuple):
    """An arrival with its item as it is now."""

    item: RuleItem
    version: str
    at: datetime

    @property
    def key(self) -> Key:
        return self.item.id, self.version


def version_of(value: float | None, best: float | None) -> str:
    """A rating in a few characters; empty without one."""
    return "" if value is None else f"{value:.6g}/{best:.6g}"


# ------------------------------------------------------------------------------------------------- arrivals


def note(
    connection: Connection,
    since: datetime,
    new: Sequence[Mapping[str, Any]],
    changed: Sequence[Mapping[str, Any]],
    revisions: Sequence[Mapping[str, Any]],
    at: datetime,
) -> None:
    """Keep in mind what of a page is news, within its transaction: new and published from ``since`` on, or rated anew.

    Where the time of an edit is known, it must not lie before ``since`` either.
    """
    insert_rows(connection, ARRIVAL, _arriving(at, ((row["id"], row) for row in new if row["published_at"] >= since)))
    before = {row["item_id"]: row["rating_value"] for row in revisions}
    rated = [row for row in changed if row["row_id"] in before and row["rating_value"] != before[row["row_id"]]]
    late = [(row["row_id"], row) for row in rated if row["updated_at"] is None or row["updated_at"] >= since]
    if again := _arriving(at, late):
        connection.execute(_insert(connection)(ARRIVAL).on_conflict_do_nothing(), again)


def _arriving(at: datetime, rows: Iterable[tuple[int, Mapping[str, Any]]]) -> list[dict[str, Any]]:
    return [
        {"item_id": number, "version": version_of(row["rating_value"], row["rating_best"]), "at": at}
        for number, row in rows
        if row["uncounted"] is None
    ]


def waiting(database: Database, limit: int = CHUNK, *, tags: bool = False) -> list[Waiting]:
    """Arrivals that wait for the rules, the first come first; not yet those of which it is to be decided whether they are copies."""
    query = _items(tags=tags).add_columns(ARRIVAL.c.version.label("arrived_as"), ARRIVAL.c.at.label("arrived"))
    query = query.join(ARRIVAL, ARRIVAL.c.item_id == ITEM.c.id).order_by(ARRIVAL.c.item_id, ARRIVAL.c.version)
    query = query.where(~exists().where(LIKENESS.c.item_id == ARRIVAL.c.item_id, LIKENESS.c.due.is_not(None)))
    rows = database.read(lambda connection: connection.execute(query.limit(limit)).mappings().all())
    return [Waiting(_item(row), row["arrived_as"], row["arrived"]) for row in rows]


def any_waiting(database: Database) -> bool:
    """Is there an arrival?"""
    query = select(ARRIVAL.c.item_id).limit(1)
    return database.read(lambda connection: connection.execute(query).first() is not None)


def stored(
    database: Database,
    brands: Collection[str],
    since: datetime,
    until: datetime,
    *,
    tags: bool = False,
    newest_first: bool = False,
) -> Generator[RuleItem, None, None]:
    """The counted items of these brands published in the window, on one view of the store, a thousand in memory at a time.

    Brand by brand, in the order of their publication or (``newest_first``) against it.
    """
    c = ITEM.c
    with database.refusals_named(), database.readonly.begin() as connection:
        known = (
            connection.execute(select(BRAND.c.id).where(BRAND.c.name.in_(brands)).order_by(BRAND.c.id)).scalars().all()
        )
        for brand_id in known:  # one at a time, so that the index gives them in their order
            query = _items(tags=tags).where(c.brand_id == brand_id, c.uncounted.is_(None), c.erased_at.is_(None))
            by_time = (c.published_at.desc(), c.id.desc()) if newest_first else (c.published_at, c.id)
            query = query.where(c.published_at >= since, c.published_at < until).order_by(*by_time)
            for row in connection.execution_options(yield_per=CHUNK).execute(query).mappings():
                yield _item(row)


def _items(*, tags: bool) -> Select[Any]:
    c = ITEM.c
    special: dict[str, Any] = {
        "brand": BRAND.c.name,
        "source": SOURCE.c.name,
        "author": func.coalesce(c.author_name, AUTHOR.c.name),
        "followers": AUTHOR.c.followers,
        "replied": c.reply_text.is_not(None),
        "erased": c.erased_at.is_not(None),
        "tags": _tags() if tags else null(),
    }
    joined = (
        ITEM.join(BRAND, BRAND.c.id == c.brand_id)
        .join(SOURCE, SOURCE.c.id == c.source_id)
        .outerjoin(AUTHOR, AUTHOR.c.id == c.author_id)
    )
    return select(
        *((special[name] if name in special else c[name]).label(name) for name in RuleItem._fields)
    ).select_from(joined)


def _tags() -> Any:
    together = func.aggregate_strings(TAG.c.name, _TAG_END)
    return select(together).where(TAG.c.item_id == ITEM.c.id).correlate(ITEM).scalar_subquery()


def _item(row: Mapping[Any, Any]) -> RuleItem:
    values = {name: row[name] for name in RuleItem._fields}
    for name in ("stars", "compound"):
        values[name] = None if row[name] is None else row[name] / SCALE
    values["attributes"] = row["attributes"] or {}
    values["tags"] = tuple((row["tags"] or "").split(_TAG_END)) if row["tags"] else ()
    return RuleItem(**values)


# ------------------------------------------------------------------------------------------------- firings


def alone(connection: Connection) -> None:
    """Nobody else fires until this transaction ends. Its first statement."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK_KEY})


def take(connection: Connection, keys: Sequence[Key]) -> set[Key]:
    """Take these arrivals away; those that were still there, and are now this transaction's to fire for."""
    gone = delete(ARRIVAL).where(tuple_(ARRIVAL.c.item_id, ARRIVAL.c.version).in_(list(keys)))
    return {
        (row.item_id, row.version) for row in connection.execute(gone.returning(ARRIVAL.c.item_id, ARRIVAL.c.version))
    }


def fire(connection: Connection, rule: str, keys: Sequence[Key], at: datetime) -> set[Key]:
    """Note that a rule has fired for these; those for which it had not before."""
    if not keys:
        return set()
    rows = [{"rule": rule, "item_id": number, "version": version, "at": at} for number, version in keys]
    statement = _insert(connection)(FIRING).values(rows).on_conflict_do_nothing()
    fired = connection.execute(statement.returning(FIRING.c.item_id, FIRING.c.version))
    return {(row.item_id, row.version) for row in fired}


def told_since(connection: Connection, rule: str, since: datetime) -> int:
    """For how many items a rule's notices were queued that fired from ``since`` on."""
    c = FIRING.c
    told = select(func.count()).where(c.rule == rule, c.at >= since, c.notice_id.is_not(None))
    return int(connection.execute(told).scalar_one())


def tell(connection: Connection, rule: str, keys: Sequence[Key], notice_id: int) -> None:
    """These firings are told by this notice."""
    c = FIRING.c
    for start in range(0, len(keys), CHUNK):
        these = tuple_(c.item_id, c.version).in_(list(keys[start : start + CHUNK]))
        connection.execute(update(FIRING).where(c.rule == rule, these).values(notice_id=notice_id))


def untold(connection: Connection, rule: str, since: datetime, before: datetime) -> list[tuple[Key, datetime]]:
    """Firings of a rule that no notice tells yet, the oldest first."""
    c = FIRING.c
    query = select(c.item_id, c.version, c.at).where(
        c.rule == rule, c.at >= since, c.at < before, c.notice_id.is_(None)
    )
    rows = connection.execute(query.order_by(c.at, c.item_id))
    return [((row.item_id, row.version), row.at) for row in rows]


def rules_untold(database: Database, rules: Collection[str], before: datetime) -> list[str]:
    """Those of these rules that have a firing from before that no notice tells yet."""
    c, query = FIRING.c, select(NOTE.c.value).where(NOTE.c.name == _KNOWN)

    def work(connection: Connection) -> list[str]:
        known = {name: datetime.fromisoformat(at) for name, at in (connection.execute(query).scalar() or {}).items()}
        left = [c.at < before, c.notice_id.is_(None)]
        asked = {
            name: select(c.at).where(c.rule == name, c.at >= known[name], *left) for name in rules if name in known
        }
        return [name for name, one in asked.items() if connection.execute(one.limit(1)).first() is not None]

    return database.read(work)


def fired_since(database: Database, since: datetime) -> dict[str, int]:
    """By rule, for how many items it fired from ``since`` on."""
    query = select(FIRING.c.rule, func.count().label("fired")).where(FIRING.c.at >= since).group_by(FIRING.c.rule)
    return database.read(lambda connection: {row.rule: int(row.fired) for row in connection.execute(query)})


def items_of(connection: Connection, ids: Sequence[int]) -> list[RuleItem]:
    """These items as they are now."""
    found: list[RuleItem] = []
    for start in range(0, len(ids), CHUNK):
        query = _items(tags=True).where(ITEM.c.id.in_(ids[start : start + CHUNK]))
        found += [_item(row) for row in connection.execute(query).mappings()]
    return found


# ------------------------------------------------------------------------------------------------- since when rules are known


def known_since(
    connection: Connection, rules: Sequence[str], now: datetime, *, forget: bool = False
) -> dict[str, datetime]:
    """Since when each of these rules is known; for those not met before, and from now on: now.

    ``forget``: rules that are not named are known no longer. To be asked when :func:`alone`.
    """
    kept: Mapping[str, str] = connection.execute(select(NOTE.c.value).where(NOTE.c.name == _KNOWN)).scalar() or {}
    known = {name: at for name, at in kept.items() if not forget or name in rules}
    known.update({name: now.isoformat() for name in rules if name not in known})
    if known != kept:
        statement = _insert(connection)(NOTE).values(name=_KNOWN, value=known)
        connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": known}))
    return {name: datetime.fromisoformat(known[name]) for name in rules}


def _insert(connection: Connection) -> Any:
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
