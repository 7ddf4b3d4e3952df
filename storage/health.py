"""What the store knows of how its sources are: last pulls, newest items, readings that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, delete, func, insert, literal, select, union_all, update

from storage.engine import Database
from storage.records import FailedReading
from storage.tables import BRAND, ITEM, NOTE, PULL, SOURCE

_READING: Final = "reading "
_KINDS: Final = ("mention", "review", "post")


def last_pulls(database: Database) -> Mapping[str, Mapping[str, Any]]:
    """The newest line of the pull log, by source."""
    later = PULL.alias("later")
    newest = select(later.c.id).where(later.c.source_id == SOURCE.c.id).order_by(later.c.begun_at.desc()).limit(1)
    last = SOURCE.join(PULL, PULL.c.id == newest.correlate(SOURCE).scalar_subquery())
    query = select(SOURCE.c.name, PULL).select_from(last)

    def work(connection: Connection) -> Mapping[str, Mapping[str, Any]]:
        rows = [dict(row) for row in connection.execute(query).mappings()]
        return {row.pop("name"): row for row in rows}

    return database.read(work)


class Beat(NamedTuple):
    """A pull, in short. ``ok``: none while it is under way, or where it was cut off."""

    begun_at: datetime
    ok: bool | None
    seen: int
    new: int


def beats(database: Database, count: int) -> Mapping[str, Sequence[Beat]]:
    """The last pulls of every source, the newest last; one short read of an index for each source."""
    c = PULL.c
    last = select(c.begun_at, c.ok, c.seen, c.new).order_by(c.begun_at.desc()).limit(count)

    def work(connection: Connection) -> Mapping[str, Sequence[Beat]]:
        sources = connection.execute(select(SOURCE.c.id, SOURCE.c.name)).all()
        return {
            name: [Beat(*row) for row in reversed(connection.execute(last.where(c.source_id == number)).all())]
            for number, name in sources
        }

    return database.read(work)


def newest_items(database: Database) -> Mapping[str, datetime]:
    """When the newest item was published, by source. Costs the same however full the store is."""
    c = ITEM.c
    kinds = union_all(*(select(literal(kind).label("kind")) for kind in _KINDS)).subquery()
    newest = select(func.max(c.bucket)).where(
        c.brand_id == BRAND.c.id, c.source_id == SOURCE.c.id, c.kind == kinds.c.kind
    )
    every = select(SOURCE.c.id, SOURCE.c.name, BRAND.c.id.label("brand"), kinds.c.kind)
    every = every.add_columns(newest.correlate(BRAND, SOURCE, kinds).scalar_subquery().label("bucket"))
    last = every.select_from(SOURCE.join(BRAND, literal(value=True)).join(kinds, literal(value=True))).subquery()
    in_bucket = select(func.max(c.published_at)).where(
        *(c.brand_id == last.c.brand, c.source_id == last.c.id, c.kind == last.c.kind, c.bucket == last.c.bucket)
    )
    query = select(last.c.name, in_bucket.correlate(last).scalar_subquery()).where(last.c.bucket.is_not(None))

    def work(connection: Connection) -> Mapping[str, datetime]:
        found: dict[str, datetime] = {}
        for name, at in connection.execute(query):
            found[name] = max(at, found.get(name, at))
        return found

    return database.read(work)


def note_reading(database: Database, source_id: int, what: str, error: str | None, at: datetime) -> None:
    """Note that a source's readings of this kind (``followers``, ``standing``, ``refresh``) fail; without ``error``: no more."""
    name = f"{_READING}{source_id} {what}"
    known = database.read(lambda connection: _note(connection, name))
    if error is None and known is None:
        return
    since = known["since"] if known is not None else at.isoformat()
    value = {"error": (error or "")[:500], "since": since, "at": at.isoformat()}

    def work(connection: Connection) -> None:
        if error is None:
            connection.execute(delete(NOTE).where(NOTE.c.name == name))
        elif connection.execute(update(NOTE).where(NOTE.c.name == name).values(value=value)).rowcount == 0:
            connection.execute(insert(NOTE).values(name=name, value=value))

    database.write(work)


def failed_readings(database: Database) -> Mapping[int, list[FailedReading]]:
    """The readings that failed the last time, by the source's id."""
    query = select(NOTE.c.name, NOTE.c.value).where(NOTE.c.name.startswith(_READING)).order_by(NOTE.c.name)

    def work(connection: Connection) -> Mapping[int, list[FailedReading]]:
        found: dict[int, list[FailedReading]] = {}
        for name, value in connection.execute(query):
            number, _, what = name.removeprefix(_READING).partition(" ")
            since, at = (datetime.fromisoformat(value[key]) for key in ("since", "at"))
            found.setdefault(int(number), []).append(FailedReading(what, value["error"], since, at))
        return found

    return database.read(work)


def _note(connection: Connection, name: str) -> Any:
    return connection.execute(select(NOTE.c.value).where(NOTE.c.name == name)).scalar()
