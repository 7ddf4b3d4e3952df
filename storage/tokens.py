"""Keys for programs, and the dashboard's password: what is kept of them, which is never they themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from storage.engine import Database
from storage.party_tables import TOKEN
from storage.tables import NOTE

PASSWORD: Final = "web password"  # noqa: S105 - the name of the note that holds its hash
USED_EVERY: Final = timedelta(minutes=10)
"""How exactly it is kept when a token was last used."""


@dataclass(frozen=True, slots=True)
class Token:
    """A key of a program; ``brands`` none: for all."""

    name: str
    may_write: bool
    brands: Sequence[str] | None
    created_at: datetime
    used_at: datetime | None


def add_token(
    database: Database, name: str, digest: str, *, may_write: bool, brands: Sequence[str] | None, now: datetime
) -> bool:
    """Keep a token's digest; ``False`` where there is one of this name already."""
    values = {
        "name": name, "digest": digest, "may_write": may_write, "created_at": now,
        "brands": None if brands is None else list(brands),
    }  # fmt: skip

    def work(connection: Connection) -> bool:
        if connection.execute(select(TOKEN.c.id).where(TOKEN.c.name == name)).first() is not None:
            return False
        connection.execute(insert(TOKEN).values(**values))
        return True

    return database.write(work)


def tokens(database: Database) -> list[Token]:
    """All tokens, by name."""
    rows = database.read(lambda c: c.execute(select(TOKEN).order_by(TOKEN.c.name)).mappings().all())
    return [_token(row) for row in rows]


def remove_token(database: Database, name: str) -> bool:
    """``False`` where there is none of this name."""
    return database.write(lambda c: c.execute(delete(TOKEN).where(TOKEN.c.name == name)).rowcount > 0)


def token_of(database: Database, digest: str, now: datetime) -> Token | None:
    """The token with this digest; that it was used is noted now and then."""
    row = database.read(lambda c: c.execute(select(TOKEN).where(TOKEN.c.digest == digest)).mappings().first())
    if row is None:
        return None
    if row["used_at"] is None or now - row["used_at"] >= USED_EVERY:
        stale = or_(TOKEN.c.used_at.is_(None), TOKEN.c.used_at < now)
        database.write(lambda c: c.execute(update(TOKEN).where(TOKEN.c.id == row["id"], stale).values(used_at=now)))
    return _token(row)


def _token(row: Any) -> Token:
    return Token(row["name"], row["may_write"], row["brands"], row["created_at"], row["used_at"])


def password_hash(database: Database) -> str | None:
    """The hash of the dashboard's password, if one was set."""
    found = database.read(lambda c: c.execute(select(NOTE.c.value).where(NOTE.c.name == PASSWORD)).scalar())
    return None if found is None else str(found)


def keep_password(database: Database, hashed: str, *, unless_set: bool = False) -> bool:
    """Keep the hash of a password; ``unless_set``: only where there is none, whatever another process does meanwhile."""

    def work(connection: Connection) -> bool:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        made: Any = dialect.insert(NOTE).values(name=PASSWORD, value=hashed)
        if unless_set:
            made = made.on_conflict_do_nothing()
        else:
            made = made.on_conflict_do_update(index_elements=[NOTE.c.name], set_={"value": hashed})
        return connection.execute(made).rowcount > 0

    return database.write(work)


def forget_password(database: Database) -> bool:
    """``False`` where none was set."""
    return database.write(lambda c: c.execute(delete(NOTE).where(NOTE.c.name == PASSWORD)).rowcount > 0)
