"""Acts of erasing: what people ask for, chunk by chunk and logged; what has grown old; and the old lines of the pull log."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_hex
from typing import Any, Final

from sqlalchemy import Connection, delete, func, literal, or_, select, tuple_

from storage import search
from storage.engine import Database
from storage.erasure import ASKED, OLD, UNCLEAN, erase, keep_note
from storage.people_tables import MUTE, NOTICE
from storage.tables import BRAND, DELIVERY, DIGEST, ITEM, NOTE, PULL

CHUNK: Final = 500
"""Items in one transaction, so that pulls go on beside."""

_LOG: Final = "erasure/"


@dataclass(frozen=True, slots=True)
class Act:
    """That somebody had items erased: never whose or which. ``what``: "author" or "item"."""

    at: datetime
    what: str
    by: str | None
    items: int
    authors: int
    mutes: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that left the store and may hold words of items. ``state`` and ``key`` are the delivery's.

    ``kind`` is ``digest`` or the notice's, whose ``period`` is empty.
    """

    channel: str
    kind: str
    name: str
    period: str
    state: str
    at: datetime | None
    key: str


def erase_asked(
    database: Database,
    item_ids: Sequence[int],
    author_ids: Sequence[int],
    at: datetime,
    *,
    what: str,
    by: str | None,
) -> Act:
    """Erase these items, and the rules that leave these authors out; each chunk is one transaction with its line of the log.

    Cut off in the middle, the log says how far it came, and the same act again does the rest.
    """
    name, clusters, done = f"{_LOG}{at:%Y-%m-%dT%H:%M:%S}/{token_hex(4)}", dict[int, int](), 0
    act = Act(at, what, by, 0, len(author_ids), 0)
    mutes = database.write(lambda connection: _unmute(connection, name, act, author_ids))
    for start in range(0, len(item_ids), CHUNK):
        chunk = item_ids[start : start + CHUNK]

        def work(connection: Connection, ids: Sequence[int] = chunk, so_far: int = done) -> int:
            erased = erase(connection, ids, at, reason=ASKED, clusters=clusters)
            _note(connection, name, Act(at, what, by, so_far + erased, len(author_ids), mutes))
            return erased

        done += database.write(work)
    clean(database)
    return Act(at, what, by, done, len(author_ids), mutes)


def acts(database: Database) -> list[Act]:
    """The log of what people had erased, oldest first."""
    query = select(NOTE.c.value).where(NOTE.c.name.like(f"{_LOG}%")).order_by(NOTE.c.name)
    found = database.read(lambda connection: list(connection.execute(query).scalars()))
    return [Act(**{**entry, "at": datetime.fromisoformat(entry["at"])}) for entry in found]


def count_old(database: Database, brand_id: int, before: datetime) -> int:
    """How many items of a brand were published before a time and still have their words."""
    query = select(func.count()).select_from(ITEM).where(*_old(brand_id, before))
    return database.read(lambda connection: connection.execute(query).scalar_one())


def prune(database: Database, brand_id: int, before: datetime, at: datetime) -> Iterator[int]:
    """Take the words from what a brand's items said before a time, oldest first; how many, after each transaction."""
    key = (ITEM.c.published_at, ITEM.c.id)
    query = select(ITEM.c.id, *key).where(*_old(brand_id, before)).order_by(*key).limit(CHUNK)
    rows = _read(database, query)
    while rows:
        ids = [row[0] for row in rows]
        yield database.write(lambda connection, ids=ids: erase(connection, ids, at, reason=OLD))  # type: ignore[misc]
        # Goes on where it was, since what is erased lies before.
        rows = _read(database, query.where(tuple_(*key) > tuple_(*rows[-1][1:])))


def prune_log(database: Database, before: datetime) -> Iterator[int]:
    """Delete the pull log's lines from before a time, but for what figures need: each source's first good pull and its last."""
    while True:
        gone = database.write(lambda connection: _delete_pulls(connection, before))
        yield gone
        if gone < CHUNK:
            return


def is_unclean(database: Database) -> bool:
    """May the index of an SQLite file still hold words of what was erased, by whomever, or by an act that was cut off?"""
    return database.read(_unclean) is not None


def clean(database: Database) -> None:
    """The words of what was erased leave the index of an SQLite file, too, whoever erased it."""
    if not database.is_sqlite:
        return
    known = database.read(_unclean)
    search.purge(database)
    with database.refusals_named(), database.engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # as far as readers let it
    database.write(lambda connection: _cleaned(connection, known))


def compact(database: Database) -> None:
    """Write an SQLite file anew, so that not even its free space holds what was erased. Writers wait meanwhile."""
    if not database.is_sqlite:
        return
    with database.refusals_named(), database.engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        raw.execute("VACUUM")
        raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def messages(database: Database, item_ids: Collection[int], whole: Collection[str] = ()) -> list[Sent]:
    """The deliveries of digests and notices that name any of these items, oldest first.

    ``whole``: digests by name that carry all items of their brands and windows, named or not.
    """
    ids, found = set(item_ids), list[Sent]()

    def work(connection: Connection) -> None:
        digests = select(DIGEST.c.id, DIGEST.c.report).where(DIGEST.c.report.is_not(None)).order_by(DIGEST.c.id)
        naming = sorted({*_naming(connection, digests, ids), *_carrying(connection, sorted(ids), whole)})
        notices = _naming(connection, select(NOTICE.c.id, NOTICE.c.body).order_by(NOTICE.c.id), ids)
        found.extend(Sent(*row) for row in connection.execute(_sent_digests(naming)))
        found.extend(Sent(*row) for row in connection.execute(_sent_notices(notices)))

    database.read(work)
    return found


# ------------------------------------------------------------------------------------------------- steps


def _unclean(connection: Connection) -> Any:
    return connection.execute(select(NOTE.c.value).where(NOTE.c.name == UNCLEAN)).scalar()


def _cleaned(connection: Connection, known: Any) -> None:
    """Unless something more was erased meanwhile."""
    if known is not None and _unclean(connection) == known:
        connection.execute(delete(NOTE).where(NOTE.c.name == UNCLEAN))


def _unmute(connection: Connection, name: str, act: Act, author_ids: Sequence[int]) -> int:
    mutes = connection.execute(delete(MUTE).where(MUTE.c.author_id.in_(author_ids))).rowcount if author_ids else 0
    _note(connection, name, act)
    return mutes


def _note(connection: Connection, name: str, act: Act) -> None:
    value: Mapping[str, Any] = {
        **{field: getattr(act, field) for field in Act.__slots__},
        "at": act.at.isoformat(),
    }
    keep_note(connection, name, value)


def _old(brand_id: int, before: datetime) -> list[Any]:
    return [ITEM.c.brand_id == brand_id, ITEM.c.published_at < before, ITEM.c.erased_at.is_(None)]


def _read(database: Database, query: Any) -> list[Any]:
    return database.read(lambda connection: list(connection.execute(query)))


def _delete_pulls(connection: Connection, before: datetime) -> int:
    old = select(PULL.c.id).where(PULL.c.begun_at < before, _needless()).order_by(PULL.c.id).limit(CHUNK)
    ids = list(connection.execute(old).scalars())
    if ids:
        connection.execute(delete(PULL).where(PULL.c.id.in_(ids)))
    return len(ids)


def _needless() -> Any:
    """Lines that neither begin nor end what is known of a source; what is under way is its last."""
    good, any_ = PULL.alias("good"), PULL.alias("any")
    first = select(func.min(good.c.begun_at)).where(good.c.ok, good.c.source_id == PULL.c.source_id)
    last = select(func.max(any_.c.id)).where(any_.c.source_id == PULL.c.source_id)
    begins = PULL.c.ok & (PULL.c.begun_at == first.scalar_subquery())
    return or_(PULL.c.ok.is_(None), ~begins) & (PULL.c.id < last.scalar_subquery())


def _naming(connection: Connection, query: Any, ids: Collection[int]) -> list[int]:
    rows = connection.execute(query.execution_options(yield_per=50))
    return [number for number, body in rows if ids and any(found in ids for found in _named(body))]


def _carrying(connection: Connection, ids: Sequence[int], names: Collection[str]) -> Iterator[int]:
    """The digests of these names whose brands and windows hold any of the items."""
    c, found = DIGEST.c, set[tuple[int, str]]()
    within = (ITEM.c.published_at >= c.start) & (ITEM.c.published_at < c.end)
    query = select(c.id, BRAND.c.name).join(ITEM, within).join(BRAND, BRAND.c.id == ITEM.c.brand_id).distinct()
    query = query.where(c.name.in_(names), c.report.is_not(None))
    for start in range(0, len(ids) if names else 0, CHUNK):
        part = query.where(ITEM.c.id.in_(ids[start : start + CHUNK]))
        found.update((number, brand) for number, brand in connection.execute(part))
    for number in sorted({number for number, _ in found}):
        report = connection.execute(select(c.report).where(c.id == number)).scalar_one()
        if any((number, entry["brand"]) in found for entry in report["brands"]):
            yield number


_NUMBERS: Final = frozenset({"id", "item", "item_id", "items", "ids", "item_ids"})


def _named(body: Any) -> Iterator[int]:
    """Every number in a stored message that may be an item's."""
    if isinstance(body, Mapping):
        for key, value in body.items():
            if key in _NUMBERS:
                yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, int))
            yield from _named(value)
    elif isinstance(body, list):
        for entry in body:
            yield from _named(entry)


_LEFT: Final = ("sent", "claimed", "failed")
"""States in which a message has left or may have."""


def _sent_digests(ids: Sequence[int]) -> Any:
    c = DELIVERY.c
    columns = (c.channel, literal("digest"), DIGEST.c.name, DIGEST.c.period, c.state, c.sent_at, c.key)
    joined = select(*columns).join(DIGEST, DIGEST.c.id == c.digest_id)
    return joined.where(c.digest_id.in_(ids), c.state.in_(_LEFT)).order_by(c.id)


def _sent_notices(ids: Sequence[int]) -> Any:
    c = DELIVERY.c
    columns = (c.channel, NOTICE.c.kind, NOTICE.c.name, literal(""), c.state, c.sent_at, c.key)
    joined = select(*columns).join(NOTICE, NOTICE.c.id == c.notice_id)
    return joined.where(c.notice_id.in_(ids), c.state.in_(_LEFT)).order_by(c.id)
