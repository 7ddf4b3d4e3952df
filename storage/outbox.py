"""Digests and their deliveries as rows: what is due is asked of the database, so that a crash heals on the next tick."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, and_, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.engine import Database
from storage.leases import claim, clock, hold
from storage.people_tables import NOTICE
from storage.records import DeliveryDue, DigestDue, Planned
from storage.tables import DELIVERY, DIGEST, NOTE

_PLANNING: Final = 7_305_102  # an arbitrary number that all daemons on one PostgreSQL server agree on


def last_planned(database: Database, name: str) -> Planned | None:
    """The newest row of this digest; ``None`` before its first."""
    return database.read(lambda connection: _last_planned(connection, name))


def plan_digest(database: Database, name: str, planned: Planned, after: Planned | None) -> bool:
    """Note that a digest is due, if ``after`` is still its newest row: of two daemons that plan at once, one does it."""

    def work(connection: Connection) -> bool:
        if not database.is_sqlite:  # where a transaction that writes is alone from its beginning
            connection.execute(select(func.pg_advisory_xact_lock(_PLANNING)))
        if _last_planned(connection, name) != after:
            return False
        values = {"name": name, "state": "due", "fence": 0, "failures": 0, **asdict(planned)}
        connection.execute(insert(DIGEST).values(values))
        return True

    return database.write(work)


def _last_planned(connection: Connection, name: str) -> Planned | None:
    query = select(DIGEST.c.due_at, DIGEST.c.period, DIGEST.c.start, DIGEST.c.end).where(DIGEST.c.name == name)
    row = connection.execute(query.order_by(DIGEST.c.due_at.desc()).limit(1)).first()
    return None if row is None else Planned(*row)


def due_digests(database: Database, names: Sequence[str]) -> list[DigestDue]:
    """The digests that wait to be built, oldest first."""
    query = select(DIGEST).where(DIGEST.c.state == "due", DIGEST.c.name.in_(names)).order_by(DIGEST.c.due_at)
    return database.read(lambda connection: [_digest(row) for row in connection.execute(query)])


def claim_digest(database: Database, digest_id: int, owner: str, lease: timedelta) -> DigestDue | None:
    """Claim one digest for building; ``None`` if it is built already or another process is at it."""

    def work(connection: Connection) -> DigestDue | None:
        due = and_(DIGEST.c.id == digest_id, DIGEST.c.state == "due")
        row = claim(connection, DIGEST, due, [DIGEST.c.due_at], owner, lease)
        return None if row is None else _digest(row)

    return database.write(work)


def save_digest(database: Database, due: DigestDue, report: Any, channels: Mapping[str, str], now: datetime) -> None:
    """A built digest and its outbox rows (channel -> idempotency key), in one transaction. ``LeaseLost`` if taken over."""

    def work(connection: Connection) -> None:
        state = "built" if channels else "sent"
        free = {"lease_owner": None, "lease_until": None, "error": None}
        hold(connection, DIGEST, due.id, due.fence, {"state": state, "report": report, "built_at": now, **free})
        for channel, key in channels.items():
            queued = {"digest_id": due.id, "channel": channel, "key": key, "next_try_at": now}
            connection.execute(insert(DELIVERY).values(**queued, state="queued", attempts=0, fence=0))

    database.write(work)


def fail_digest(database: Database, due: DigestDue, error: str, pause: timedelta) -> None:
    """Building failed: said, counted, and to be tried again after ``pause``. ``LeaseLost`` if taken over."""

    def work(connection: Connection) -> None:
        rest = {"lease_owner": None, "lease_until": clock(connection) + pause}
        hold(connection, DIGEST, due.id, due.fence, {**rest, "failures": due.failures + 1, "error": error[:500]})

    database.write(work)


def claim_delivery(
    database: Database,
    owner: str,
    channels: Sequence[str],
    now: datetime,
    lease: timedelta,
    *,
    only: int | None = None,
) -> DeliveryDue | None:
    """Claim the oldest delivery that is due to one of these channels (``only``: this one); ``None`` if there is none."""

    def work(connection: Connection) -> DeliveryDue | None:
        c = DELIVERY.c
        due = and_(c.state.in_(("queued", "claimed")), c.next_try_at <= now, c.channel.in_(channels))
        due = due if only is None else and_(due, c.id == only)
        row = claim(connection, DELIVERY, due, [c.next_try_at, c.id], owner, lease)
        if row is None:
            return None
        connection.execute(update(DELIVERY).where(c.id == row.id).values(state="claimed", attempts=row.attempts + 1))
        return DeliveryDue(row.id, row.channel, row.key, row.attempts + 1, row.fence, *_subject(connection, row))

    return database.write(work)


def _subject(connection: Connection, row: Any) -> tuple[Any, ...]:
    """What is to be sent: (kind, name, period, start, end, content)."""
    if row.notice_id is not None:
        notice = connection.execute(select(NOTICE).where(NOTICE.c.id == row.notice_id)).one()
        return notice.kind, notice.name, "", notice.at, notice.at, notice.body
    digest = connection.execute(select(DIGEST).where(DIGEST.c.id == row.digest_id)).one()
    return "digest", digest.name, digest.period, digest.start, digest.end, digest.report


def queue_notice(
    connection: Connection,
    kind: str,
    name: str,
    brand_id: int | None,
    body: Any,
    channels: Mapping[str, str],
    at: datetime,
) -> int:
    """A notice and its outbox rows (channel -> idempotency key), within the caller's transaction; the notice's id."""
    notice = insert(NOTICE).values(kind=kind, name=name, brand_id=brand_id, at=at, body=body)
    made = connection.execute(notice).inserted_primary_key
    assert made is not None
    for channel, key in channels.items():
        queued = {"notice_id": made[0], "channel": channel, "key": key, "next_try_at": at}
        connection.execute(insert(DELIVERY).values(**queued, state="queued", attempts=0, fence=0))
    return int(made[0])


def delivery_of_notice(connection: Connection, notice_id: int) -> int:
    """The first delivery of a notice."""
    query = select(func.min(DELIVERY.c.id)).where(DELIVERY.c.notice_id == notice_id)
    return int(connection.execute(query).scalar_one())


def mark_sent(database: Database, due: DeliveryDue, now: datetime, but: str | None = None) -> None:
    """The channel took it; ``but`` says what of it was refused."""
    _finish(database, due, {"state": "sent", "sent_at": now, "error": but and but[:500]})


def mark_retry(database: Database, due: DeliveryDue, error: str, next_try_at: datetime) -> None:
    """The channel did not take it now."""
    _finish(database, due, {"state": "queued", "error": error[:500], "next_try_at": next_try_at})


def put_off(database: Database, due: DeliveryDue, until: datetime) -> None:
    """It is not to leave yet: no try is counted."""
    _finish(database, due, {"state": "queued", "attempts": due.attempts - 1, "next_try_at": until})


def sent_since(database: Database, channel: str, since: datetime) -> list[datetime]:
    """When messages left by this channel after ``since``, oldest first."""
    c = DELIVERY.c
    query = select(c.sent_at).where(c.channel == channel, c.state == "sent", c.sent_at > since).order_by(c.sent_at)
    return database.read(lambda connection: list(connection.execute(query).scalars()))


def mark_failed(database: Database, due: DeliveryDue, error: str) -> None:
    """The channel will never take it."""
    _finish(database, due, {"state": "failed", "error": error[:500]})


def _finish(database: Database, due: DeliveryDue, values: Mapping[str, Any]) -> None:
    def work(connection: Connection) -> None:
        hold(connection, DELIVERY, due.id, due.fence, {"lease_owner": None, "lease_until": None, **values})
        digest_id = connection.execute(select(DELIVERY.c.digest_id).where(DELIVERY.c.id == due.id)).scalar_one()
        if digest_id is None:
            return
        # The lock makes two that finish at once see each other; else neither would be the last.
        lock = select(DIGEST.c.id).where(DIGEST.c.id == digest_id).with_for_update(key_share=True)
        connection.execute(lock)
        open_rows = select(func.count()).where(
            DELIVERY.c.digest_id == digest_id, DELIVERY.c.state.in_(("queued", "claimed"))
        )
        if connection.execute(open_rows).scalar_one() == 0:
            connection.execute(update(DIGEST).where(DIGEST.c.id == digest_id).values(state="sent"))

    database.write(work)


def deliveries(database: Database, limit: int = 100, *, only: int | None = None) -> list[Mapping[str, Any]]:
    """The newest deliveries: ``kind`` is ``digest`` or a notice's, ``digest`` the name of either, ``period`` a digest's."""
    columns = [DELIVERY.c[name] for name in ("id", "channel", "state", "attempts", "next_try_at", "error", "sent_at")]
    named = [
        func.coalesce(NOTICE.c.kind, "digest").label("kind"),
        func.coalesce(DIGEST.c.name, NOTICE.c.name).label("digest"),
        func.coalesce(DIGEST.c.period, "").label("period"),
    ]
    query = (
        select(*columns, *named)
        .outerjoin(DIGEST, DIGEST.c.id == DELIVERY.c.digest_id)
        .outerjoin(NOTICE, NOTICE.c.id == DELIVERY.c.notice_id)
        .order_by(DELIVERY.c.id.desc())
        .limit(limit)
    )
    query = query if only is None else query.where(DELIVERY.c.id == only)
    return database.read(lambda connection: [dict(row) for row in connection.execute(query).mappings()])


def delivery_row(database: Database, delivery_id: int) -> Mapping[str, Any]:
    """One delivery as :func:`deliveries` has it; ``LookupError`` if there is none."""
    rows = deliveries(database, only=delivery_id)
    if not rows:
        raise LookupError(f"there is no delivery {delivery_id}")
    return rows[0]


def requeue(database: Database, delivery_id: int, now: datetime) -> bool:
    """Let a failed delivery be tried again, now and as often as a new one; ``False`` if there is no such failed one."""
    failed = and_(DELIVERY.c.id == delivery_id, DELIVERY.c.state == "failed")
    fresh = {"state": "queued", "attempts": 0, "next_try_at": now, "error": None}

    def work(connection: Connection) -> bool:
        row = connection.execute(select(DELIVERY.c.digest_id).where(failed)).one_or_none()
        if row is None:
            return False
        connection.execute(update(DELIVERY).where(failed).values(fresh))
        connection.execute(update(DIGEST).where(DIGEST.c.id == row.digest_id).values(state="built"))
        return True

    return database.write(work)


def failed_ids(database: Database) -> list[int]:
    """The deliveries that failed for good, oldest first."""
    query = select(DELIVERY.c.id).where(DELIVERY.c.state == "failed").order_by(DELIVERY.c.id)
    return database.read(lambda connection: list(connection.execute(query).scalars()))


def unsent_ids(database: Database) -> list[int]:
    """The deliveries that have not left, oldest first."""
    query = select(DELIVERY.c.id).where(DELIVERY.c.state != "sent").order_by(DELIVERY.c.id)
    return database.read(lambda connection: list(connection.execute(query).scalars()))


def archive(database: Database, name: str | None = None, limit: int = 100) -> list[Mapping[str, Any]]:
    """The newest digests without their reports, each with its ``channels`` (name -> state)."""
    columns = [
        DIGEST.c[key] for key in ("id", "name", "period", "start", "end", "due_at", "state", "built_at", "error")
    ]
    query = select(*columns).order_by(DIGEST.c.due_at.desc(), DIGEST.c.id.desc()).limit(limit)
    query = query if name is None else query.where(DIGEST.c.name == name)

    def work(connection: Connection) -> list[Mapping[str, Any]]:
        rows = [dict(row) for row in connection.execute(query).mappings()]
        c, channels = DELIVERY.c, dict[int, dict[str, str]]()
        sent = (
            select(c.digest_id, c.channel, c.state).where(c.digest_id.in_([row["id"] for row in rows])).order_by(c.id)
        )
        for digest_id, channel, state in connection.execute(sent):
            channels.setdefault(digest_id, {})[channel] = state
        return [{**row, "channels": channels.get(row["id"], {})} for row in rows]

    return database.read(work)


def stored_digest(database: Database, digest_id: int) -> Mapping[str, Any] | None:
    """A digest with its report (``None`` while it waits to be built); ``None`` if there is no such digest."""
    query = select(DIGEST).where(DIGEST.c.id == digest_id)
    found = database.read(lambda connection: connection.execute(query).mappings().one_or_none())
    return None if found is None else dict(found)


def note(database: Database, name: str) -> Any:
    """A small fact kept by name; ``None`` if there is none."""
    query = select(NOTE.c.value).where(NOTE.c.name == name)
    return database.read(lambda connection: connection.execute(query).scalar())


def keep_note(database: Database, name: str, value: Any) -> None:
    """Keep a small fact by name."""

    def work(connection: Connection) -> None:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        statement = dialect.insert(NOTE).values(name=name, value=value)
        connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_={"value": value}))

    database.write(work)


def _digest(row: Any) -> DigestDue:
    return DigestDue(row.id, row.name, row.due_at, row.period, row.start, row.end, row.fence, row.failures)
