"""Sources in the store: kept in step with the configuration, claimed, pulled, finished."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, and_, case, insert, literal, or_, select, union, update
from sqlalchemy.sql.elements import ColumnElement

from storage.engine import Database
from storage.leases import claim, clock, hold, release
from storage.party_tables import TOKEN
from storage.records import Claim, Outcome, SourceState
from storage.tables import BRAND, DELIVERY, DIGEST, FOLLOWER_READING, PULL, SOURCE, STANDING_READING


@dataclass(frozen=True, slots=True)
class SourceEntry:
    """A source as configured. ``was``: names it may have had before; the first that the store knows is it."""

    name: str
    type: str
    platform: str
    was: str | Sequence[str] | None = None

    @property
    def formerly(self) -> Sequence[str]:
        return [self.was] if isinstance(self.was, str) else self.was or ()


def sync(
    database: Database,
    brands: Sequence[str],
    sources: Sequence[SourceEntry],
    now: datetime,
    renamed: Mapping[str, str] | None = None,
) -> Mapping[str, int]:
    """Make the store know these brands and sources; others stay as they are (:func:`retire`).

    ``renamed``: brands that had another name before, by the name they have now. What is known already is not written again.
    Returns the ids of the brands by name.
    """
    before = {new: old for new, old in (renamed or {}).items() if old not in brands}

    def is_known(connection: Connection) -> Mapping[str, int] | None:
        known, states = _brands(connection), _known(connection, [entry.name for entry in sources])
        fresh = set(brands) - known.keys() or any(_change(states.get(entry.name), entry, now) for entry in sources)
        return None if fresh else known

    found = database.read(is_known)
    return (
        database.write(lambda connection: _sync(connection, brands, sources, now, before)) if found is None else found
    )


def _sync(
    connection: Connection,
    brands: Sequence[str],
    sources: Sequence[SourceEntry],
    now: datetime,
    renamed: Mapping[str, str],
) -> Mapping[str, int]:
    for new, old in renamed.items():
        _rename_brand(connection, old, new)
    known = _brands(connection)
    missing = [{"name": name, "created_at": now} for name in dict.fromkeys(brands) if name not in known]
    if missing:
        connection.execute(insert(BRAND), missing)
    configured = {entry.name for entry in sources}
    for entry in sources:
        _rename_source(connection, entry, configured)
    states = _known(connection, configured)
    for entry in sources:
        _sync_source(connection, states.get(entry.name), entry, now)
    return _brands(connection)


def retire(database: Database, keep: Sequence[str]) -> None:
    """Put to rest what no running daemon's configuration names any longer: shown as such, never deleted.

    A daemon that still names it goes on pulling it, which wakes it up again.
    """
    gone = and_(SOURCE.c.name.not_in(keep), SOURCE.c.active, SOURCE.c.name.not_like("import %"))
    if (
        database.read(lambda connection: connection.execute(select(SOURCE.c.id).where(gone).limit(1)).first())
        is not None
    ):
        database.write(lambda connection: connection.execute(update(SOURCE).where(gone).values(active=False)))


def _brands(connection: Connection) -> dict[str, int]:
    return {row.name: row.id for row in connection.execute(select(BRAND.c.name, BRAND.c.id))}


def _rename_brand(connection: Connection, old: str, new: str) -> None:
    """A brand keeps all that is known of it under its new name, and those who may see it still may."""
    known = _brands(connection)
    if old not in known or new in known:
        return
    connection.execute(update(BRAND).where(BRAND.c.name == old).values(name=new))
    for number, names in connection.execute(select(TOKEN.c.id, TOKEN.c.brands)).all():
        if old in (names or ()):
            renamed = [new if name == old else name for name in names]
            connection.execute(update(TOKEN).where(TOKEN.c.id == number).values(brands=renamed))


def ensure(database: Database, entry: SourceEntry, now: datetime) -> None:
    """Make the store know a source that stands in no configuration, such as an imported file."""

    def work(connection: Connection) -> None:
        _sync_source(connection, _known(connection, [entry.name]).get(entry.name), entry, now)

    database.write(work)


def _rename_source(connection: Connection, entry: SourceEntry, configured: Collection[str]) -> None:
    candidates = [name for name in entry.formerly if name not in configured]
    if not candidates or entry.name in _known(connection, [entry.name]):
        return
    known = _known(connection, candidates)
    before = next((name for name in candidates if name in known), None)
    if before is not None:
        connection.execute(update(SOURCE).where(SOURCE.c.name == before).values(name=entry.name))


def _sync_source(connection: Connection, known: Any, entry: SourceEntry, now: datetime) -> None:
    change = _change(known, entry, now)
    if known is None:
        connection.execute(insert(SOURCE).values(change))
    elif change:
        connection.execute(update(SOURCE).where(SOURCE.c.name == entry.name).values(change))


def _change(known: Any, entry: SourceEntry, now: datetime) -> dict[str, Any]:
    """What has to be written for the store to know a source; nothing where it does."""
    if known is None:
        fresh = {"name": entry.name, "type": entry.type, "platform": entry.platform, "next_run_at": now}
        return fresh | {"active": True, "fence": 0, "turn": 0, "failures": 0}
    change: dict[str, Any] = {}
    if not known.active:
        change |= {"active": True, "next_run_at": now, "paused": _unless_by_somebody(None)}
    if (known.type, known.platform) != (entry.type, entry.platform):
        change |= {**_BEGUN_ANEW, "type": entry.type, "platform": entry.platform, "next_run_at": now}
    return change


def _known(connection: Connection, names: Collection[str]) -> dict[str, Any]:
    """What the store knows of these sources; asked for at once where they are many."""
    query = select(SOURCE.c.name, SOURCE.c.type, SOURCE.c.platform, SOURCE.c.active)
    if len(names) <= _FEW:
        query = query.where(SOURCE.c.name.in_(list(names)))
    return {row.name: row for row in connection.execute(query)}


_FEW: Final = 50


def _unless_by_somebody(paused: str | None) -> Any:
    """Why a source is paused from now on: what a person has paused stays so until a person resumes it."""
    return case((SOURCE.c.paused_by.is_not(None), SOURCE.c.paused), else_=literal(paused, SOURCE.c.paused.type))


_BEGUN_ANEW: Final[Mapping[str, Any]] = {
    **dict.fromkeys(("cursor", "error", "fate", "reaches_back_to", "asked_since", "known_until")),
    **{"paused": _unless_by_somebody(None)},
    **{"failures": 0, "lease_owner": None, "lease_until": None, "fence": SOURCE.c.fence + 1},
}
"""A source that is another now: nothing of it was read yet, and who still pulls the old one must not set the cursor."""


def claim_source(
    database: Database,
    owner: str,
    horizons: Mapping[str, datetime],
    now: datetime,
    lease: timedelta,
    *,
    only_due: bool = True,
) -> Claim | None:
    """Claim one of the named sources for a pull and open its line in the log. ``None`` if none is due and free.

    ``horizons``: the sources by name, each with how far back its first pull reaches. ``only_due=False`` takes any that is
    free, paused ones included: somebody asked for it.
    """

    def work(connection: Connection) -> Claim | None:
        wanted: ColumnElement[bool] = SOURCE.c.name.in_(list(horizons))
        if only_due:
            wanted = and_(wanted, SOURCE.c.paused.is_(None), SOURCE.c.next_run_at <= now)
        row = claim(connection, SOURCE, wanted, [SOURCE.c.next_run_at, SOURCE.c.id], owner, lease)
        if row is None:
            return None
        begun = insert(PULL).values(
            source_id=row.id, begun_at=now, pages=0, seen=0, new=0, changed=0, unmatched=0, skipped=0
        )
        pull_id = connection.execute(begun).inserted_primary_key
        assert pull_id is not None
        reach, asked = row.reaches_back_to or horizons[row.name], row.asked_since or now
        first = {"reaches_back_to": reach, "asked_since": asked}
        connection.execute(update(SOURCE).where(SOURCE.c.id == row.id).values(active=True, **first))
        return Claim(
            row.id,
            row.name,
            row.platform,
            row.cursor,
            row.fence,
            pull_id[0],
            row.failures,
            row.turn,
            lease,
            reach,
            asked,
        )

    return database.write(work)


def finish_pull(database: Database, claimed: Claim, outcome: Outcome, now: datetime) -> None:
    """Close a pull: its line in the log, the source's health and its next turn. ``LeaseLost`` if it was taken over."""

    def work(connection: Connection) -> None:
        ok = outcome.fate is None
        error = outcome.error and outcome.error[:500]
        begun = select(PULL.c.begun_at).where(PULL.c.id == claimed.pull_id).scalar_subquery()
        good = {"failures": 0, "last_success_at": now, "known_until": begun}
        failures = claimed.failures if outcome.waiting else claimed.failures + 1
        health: dict[str, Any] = good if ok else {"failures": failures}
        values = {
            "lease_owner": None,
            "lease_until": None,
            "next_run_at": outcome.next_run_at,
            "turn": claimed.turn + 1,
            "paused": _unless_by_somebody(outcome.paused and outcome.paused[:500]),
            "fate": outcome.fate,
            "error": error,
            "last_begun_at": begun,
            **health,
        }
        hold(connection, SOURCE, claimed.source_id, claimed.fence, values)
        ended = {"ended_at": now, "ok": ok, "fate": outcome.fate, "error": error}
        connection.execute(update(PULL).where(PULL.c.id == claimed.pull_id).values(ended))

    database.write(work)


def renew(database: Database, claimed: Claim) -> None:
    """Say that the pull is still under way. ``LeaseLost`` if it was taken over."""

    def work(connection: Connection) -> None:
        hold(connection, SOURCE, claimed.source_id, claimed.fence, {"lease_until": clock(connection) + claimed.lease})

    database.write(work)


def save_cursor(database: Database, claimed: Claim, cursor: Mapping[str, Any]) -> None:
    """Keep what a source has to remember beside its pages. ``LeaseLost`` if it was taken over."""

    def work(connection: Connection) -> None:
        values = {"cursor": dict(cursor), "lease_until": clock(connection) + claimed.lease}
        hold(connection, SOURCE, claimed.source_id, claimed.fence, values)

    database.write(work)


def give_back(database: Database, claimed: Claim) -> None:
    """End a pull that was cut off by a stop: no failure, the source stays due."""

    def work(connection: Connection) -> None:
        hold(connection, SOURCE, claimed.source_id, claimed.fence, {"lease_owner": None, "lease_until": None})

    database.write(work)


def release_all(database: Database, owner: str) -> None:
    """Give up every lease this process holds."""

    def work(connection: Connection) -> None:
        for table in (SOURCE, DIGEST, DELIVERY):
            release(connection, table, owner)

    database.write(work)


def holders(database: Database) -> set[str]:
    """The processes that hold a lease, run out or not."""
    queries = [
        select(table.c.lease_owner).where(table.c.lease_owner.is_not(None)) for table in (SOURCE, DIGEST, DELIVERY)
    ]
    return set(database.read(lambda connection: connection.execute(union(*queries)).scalars().all()))


def states(database: Database) -> list[SourceState]:
    """Every source that is configured or was, by name."""

    def work(connection: Connection) -> list[SourceState]:
        columns = [SOURCE.c[name] for name in SourceState.__slots__]
        return [SourceState(*row) for row in connection.execute(select(*columns).order_by(SOURCE.c.name))]

    return database.read(work)


def cursors(database: Database, names: Sequence[str]) -> dict[str, Any]:
    """Where these sources stand in their platforms, as far as they have been pulled."""
    query = select(SOURCE.c.name, SOURCE.c.cursor).where(SOURCE.c.name.in_(names), SOURCE.c.cursor.is_not(None))
    return database.read(lambda connection: {row.name: row.cursor for row in connection.execute(query)})


def imports(database: Database) -> list[tuple[str, Any]]:
    """The sources of imported files, which stand in no configuration, by name, each with its cursor."""
    query = select(SOURCE.c.name, SOURCE.c.cursor).where(SOURCE.c.name.like("import %")).order_by(SOURCE.c.name)
    return database.read(lambda connection: [(row.name, row.cursor) for row in connection.execute(query)])


def resume_all(database: Database, names: Sequence[str], now: datetime) -> None:
    """Let sources that paused themselves be tried again: somebody has started the program anew, perhaps with better credentials.

    What a person has paused stays paused.
    """
    values = {"paused": None, "failures": 0, "next_run_at": now}
    wanted = and_(SOURCE.c.name.in_(names), SOURCE.c.paused.is_not(None), SOURCE.c.paused_by.is_(None))
    database.write(lambda connection: connection.execute(update(SOURCE).where(wanted).values(values)))


def pause(database: Database, name: str, by: str, reason: str) -> bool:
    """Let a source rest until somebody resumes it; a pull under way ends well. ``False``: there is no such source."""
    values = {"paused": reason[:500], "paused_by": by[:100]}
    return _set(database, SOURCE.c.name == name, values)


def resume(database: Database, name: str, now: datetime) -> bool:
    """Let a paused source be read again, at once, whoever paused it. ``False``: it is not paused, or there is none."""
    values = {"paused": None, "paused_by": None, "failures": 0, "next_run_at": now}
    return _set(database, and_(SOURCE.c.name == name, SOURCE.c.paused.is_not(None)), values)


def bring_forward(database: Database, names: Sequence[str], now: datetime) -> None:
    """Let these sources be due now, but for those whose platform has asked to be left alone for a while."""
    may_be_asked = or_(SOURCE.c.fate.is_(None), SOURCE.c.fate != "ratelimited")
    later = and_(SOURCE.c.name.in_(names), SOURCE.c.next_run_at > now, may_be_asked)
    database.write(lambda connection: connection.execute(update(SOURCE).where(later).values(next_run_at=now)))


def _set(database: Database, where: ColumnElement[bool], values: Mapping[str, Any]) -> bool:
    return database.write(
        lambda connection: connection.execute(update(SOURCE).where(where).values(values)).rowcount == 1
    )


def save_follower_reading(database: Database, claimed: Claim, account: str, count: int, at: datetime) -> None:
    """Followers of an account, written on change; an unchanged reading only moves ``last_seen``."""
    key = {"source_id": claimed.source_id, "account": account[:200]}
    database.write(lambda connection: _save_reading(connection, FOLLOWER_READING, key, {"count": count}, at))


def save_standing_reading(
    database: Database, claimed: Claim, place: str, values: Mapping[str, Any], at: datetime
) -> None:
    """The platform's own rating (``mean``, ``worst``, ``best``, ``count``), written on change."""
    key = {"source_id": claimed.source_id, "place": place[:200]}
    database.write(lambda connection: _save_reading(connection, STANDING_READING, key, values, at))


def _save_reading(
    connection: Connection, table: Any, key: Mapping[str, Any], values: Mapping[str, Any], at: datetime
) -> None:
    same = and_(*(table.c[name] == value for name, value in key.items()))
    last = connection.execute(select(table).where(same).order_by(table.c.at.desc()).limit(1)).mappings().first()
    if last is not None and last["last_seen"] >= at:
        return  # an older reading, come late
    if last is not None and all(last[name] == value for name, value in values.items()):
        connection.execute(update(table).where(same, table.c.at == last["at"]).values(last_seen=at))
    else:
        connection.execute(insert(table).values({**key, **values, "at": at, "last_seen": at}))
