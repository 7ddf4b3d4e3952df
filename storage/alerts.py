"""Episodes of alerts: opened, extended and ended by one daemon at a time, each with its messages in the same transaction.

Who has looked at the store and worked out what is to be done does it only if nobody has done anything since
(:func:`apply`): of several daemons one is the first, and the others look again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, and_, func, or_, select, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import ColumnElement

from storage.engine import Database
from storage.people_tables import ALERT
from storage.tables import BRAND, NOTE

_NOTE: Final = "alerts"
_LOCK: Final = 7_305_103  # an arbitrary number that all daemons on one PostgreSQL server agree on


@dataclass(frozen=True, slots=True)
class StoredEpisode:
    """An episode as it is stored. ``subject``: what of the alert it is about, a brand or a source."""

    id: int
    name: str
    kind: str
    brand: str | None
    subject: str
    begun_at: datetime
    fired_at: datetime
    last_at: datetime
    ended_at: datetime | None
    figures: Mapping[str, Any]
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    snoozed_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Begun:
    """An episode to be opened; ``ended_at`` where it is over already."""

    name: str
    kind: str
    brand_id: int | None
    subject: str
    begun_at: datetime
    last_at: datetime
    ended_at: datetime | None
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Moved:
    """An episode that goes on, has ended, or was told."""

    id: int
    last_at: datetime
    ended_at: datetime | None
    figures: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AlertState:
    """What alerts remember beside their episodes; ``turn`` rises with every change of anything.

    ``known``: since when an alert is configured; ``judged``: up to when a subject was judged; ``snoozed``: until when an alert
    is not told. By name, or name and subject.
    """

    turn: int = 0
    known: Mapping[str, datetime] = field(default_factory=dict)
    judged: Mapping[str, datetime] = field(default_factory=dict)
    snoozed: Mapping[str, datetime] = field(default_factory=dict)


def alert_state(database: Database) -> AlertState:
    """What alerts remember."""
    return database.read(_state)


def apply(
    database: Database,
    state: AlertState,
    begun: Sequence[Begun],
    moved: Sequence[Moved],
    now: datetime,
    then: Callable[[Connection], object] = lambda _: None,
) -> bool:
    """Open, extend and end episodes and keep ``state``, if its turn is still the store's; ``False`` if somebody was faster.

    ``then`` queues the messages, in the same transaction.
    """

    def work(connection: Connection) -> bool:
        _alone(connection)
        if _state(connection).turn != state.turn:
            return False
        for one in begun:
            _open(connection, one, now)
        for change in moved:
            values = {"last_at": change.last_at, "ended_at": change.ended_at, "figures": dict(change.figures)}
            connection.execute(update(ALERT).where(ALERT.c.id == change.id).values(values))
        then(connection)
        _keep(connection, state)
        return True

    return database.write(work)


def _open(connection: Connection, one: Begun, now: datetime) -> None:
    values = {name: getattr(one, name) for name in Begun.__slots__} | {"figures": dict(one.figures), "fired_at": now}
    statement = _upsert(connection)(ALERT).values(values)
    connection.execute(statement.on_conflict_do_nothing(index_elements=["name", "subject", "begun_at"]))


def episodes(
    database: Database,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    brand: str | None = None,
    names: Sequence[str] | None = None,
    open_only: bool = False,
    limit: int | None = None,
) -> list[StoredEpisode]:
    """Episodes that touch the stretch, the newest first; those still open last until further notice."""
    c = ALERT.c
    chosen: list[ColumnElement[bool]] = [c.ended_at.is_(None)] if open_only else []
    if since is not None:
        chosen.append(or_(c.ended_at.is_(None), c.last_at > since))
    if until is not None:
        chosen.append(c.begun_at < until)
    if names is not None:
        chosen.append(c.name.in_(names))
    if brand is not None:
        chosen.append(BRAND.c.name == brand)
    query = _query().where(and_(true(), *chosen)).order_by(c.begun_at.desc(), c.id.desc()).limit(limit)
    return database.read(lambda connection: [_episode(row) for row in connection.execute(query)])


def _query() -> Any:
    names = [name for name in StoredEpisode.__slots__ if name != "brand"]
    return select(*(ALERT.c[name] for name in names), BRAND.c.name.label("brand")).select_from(
        ALERT.outerjoin(BRAND, BRAND.c.id == ALERT.c.brand_id)
    )


def _episode(row: Any) -> StoredEpisode:
    values = {name: getattr(row, name) for name in StoredEpisode.__slots__}
    return StoredEpisode(**{**values, "figures": row.figures or {}})


def acknowledge(database: Database, episode: int, by: str | None, at: datetime) -> StoredEpisode | None:
    """Somebody has seen to it; ``None`` if there is no such episode. Who said so first stays."""
    free = and_(ALERT.c.id == episode, ALERT.c.acknowledged_at.is_(None))
    return _change(database, episode, free, {"acknowledged_at": at, "acknowledged_by": by and by[:100]})


def snooze_episode(database: Database, episode: int, until: datetime) -> StoredEpisode | None:
    """No message of this episode until then; ``None`` if there is no such episode."""
    return _change(database, episode, ALERT.c.id == episode, {"snoozed_until": until})


def _change(database: Database, episode: int, which: Any, values: Mapping[str, Any]) -> StoredEpisode | None:
    def work(connection: Connection) -> StoredEpisode | None:
        _alone(connection)
        connection.execute(update(ALERT).where(which).values(dict(values)))
        _keep(connection, _state(connection))
        row = connection.execute(_query().where(ALERT.c.id == episode)).one_or_none()
        return None if row is None else _episode(row)

    return database.write(work)


def snooze_alert(database: Database, name: str, until: datetime) -> None:
    """No message of this alert until then."""

    def work(connection: Connection) -> None:
        _alone(connection)
        state = _state(connection)
        _keep(connection, AlertState(state.turn, state.known, state.judged, {**state.snoozed, name: until}))

    database.write(work)


# -------------------------------------------------------------------------------------------------- state


def _alone(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # on SQLite a transaction that writes is alone from its beginning
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _state(connection: Connection) -> AlertState:
    kept = connection.execute(select(NOTE.c.value).where(NOTE.c.name == _NOTE)).scalar() or {}
    times = {
        part: {name: datetime.fromisoformat(at) for name, at in kept.get(part, {}).items()}
        for part in ("known", "judged", "snoozed")
    }
    return AlertState(kept.get("turn", 0), **times)


def _keep(connection: Connection, state: AlertState) -> None:
    """Keep it, one turn later."""
    times = {
        part: {name: at.isoformat() for name, at in getattr(state, part).items()}
        for part in ("known", "judged", "snoozed")
    }
    value = {"turn": state.turn + 1, **times}
    statement = _upsert(connection)(NOTE).values(name=_NOTE, value=value)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))


def _upsert(connection: Connection) -> Any:
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert
