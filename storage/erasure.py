"""What an item said and who said it goes for good; what it counted for stays, and no later pull brings the words back.

An erased item keeps its label, its score, its stars, its counts and its time. Its id becomes a keyed hash, by which the item
is known again when a platform still brings it, and its author a number that leads to nobody.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, bindparam, delete, exists, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql.elements import BindParameter

from storage import likeness
from storage.people_tables import MUTE
from storage.records import ERASED
from storage.rollups import Key, recompute
from storage.search import Said, forget
from storage.tables import AUTHOR, ITEM, NOTE, REVISION

CHUNK: Final = 1_000
"""Items in one statement."""

GONE: Final = "gone"
"""The platform no longer shows it."""
ASKED: Final = "asked"
"""Somebody asked for it."""
OLD: Final = "old"
"""It is older than its brand keeps words."""
REASONS: Final = (GONE, ASKED, OLD)

HARMLESS: Final = frozenset({"app_version", "country", "language", "os", "territory", "type", "verified"})
"""Attributes that many share and figures may be asked for; all others go."""

_KEY: Final = "erasure.key"
UNCLEAN: Final = "erasure.unclean"
"""The note that an SQLite file's full-text index may still hold words of what was erased: a token of the last act."""


def erase(
    connection: Connection,
    item_ids: Sequence[int],
    at: datetime,
    *,
    reason: str,
    clusters: MutableMapping[int, int] | None = None,
) -> int:
    """Erase these items, in the caller's transaction; how many were not erased before.

    ``reason`` is one of ``REASONS``. The items of one author get one new author without a name: per call, or for as long as
    the caller passes the same ``clusters`` (old author id -> new one), so that several calls make one act. What is erased
    for its age gets the same one at every call, since that happens bit by bit. Authors of whom nothing is left go.
    """
    if reason not in REASONS:
        raise ValueError(f'reason: "{reason}" is none of {", ".join(REASONS)}')
    key, known = _key(connection), {} if clusters is None else clusters
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA secure_delete=ON")  # freed pages, too, are overwritten
    erased = 0
    for ids in _in_order(connection, item_ids):
        authors = _hold_authors(connection, ids)
        rows = _hold(connection, ids)
        _new_authors(connection, rows, known, key if reason == OLD else None, at)
        _empty(connection, rows, known, key, at)
        forget_authors(connection, authors)
        erased += len(rows)
    if erased and connection.dialect.name == "sqlite":
        keep_note(connection, UNCLEAN, secrets.token_hex(8))
    return erased


def keep_note(connection: Connection, name: str, value: Any) -> None:
    """Keep a small fact by name, in the caller's transaction."""
    insert = (
        (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(NOTE).values(name=name, value=value)
    )
    connection.execute(insert.on_conflict_do_update(index_elements=["name"], set_={"value": insert.excluded.value}))


def tombstones(connection: Connection, brand_id: int, platform: str, external_ids: Sequence[str]) -> set[str]:
    """Those of these ids that were a brand's items once and have been erased."""
    key = stored_key(connection, _KEY) if external_ids else None
    if key is None:  # nothing was ever erased here
        return set()
    hashed = {tombstone(key, platform, external_id): external_id for external_id in external_ids}
    found: set[str] = set()
    names = list(hashed)
    for start in range(0, len(names), CHUNK):
        wanted = {"brand": brand_id, "platform_": platform, "ids": names[start : start + CHUNK]}
        found.update(hashed[name] for name in connection.execute(_BURIED, wanted).scalars())
    return found


def tombstone(key: bytes, platform: str, external_id: str) -> str:
    """The id that an erased item has: known again by whoever has the store's key, and by nobody else."""
    return ERASED + blake2b(f"{platform}\0{external_id}".encode(), key=key, digest_size=16).hexdigest()


def stored_key(connection: Connection, name: str) -> bytes | None:
    """One of the store's own secret keys; ``None`` if it has not been made."""
    value = connection.execute(select(NOTE.c.value).where(NOTE.c.name == name)).scalar()
    return None if value is None else bytes.fromhex(value)


def make_key(connection: Connection, name: str) -> bytes:
    """One of the store's own secret keys, 32 random bytes, made at the first use."""
    found = stored_key(connection, name)
    if found is not None:
        return found
    insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(NOTE)
    made = insert.values(name=name, value=secrets.token_hex(32)).on_conflict_do_nothing()
    connection.execute(made)  # waits for another that makes it at the same time
    key = stored_key(connection, name)
    assert key is not None
    return key


def _key(connection: Connection) -> bytes:
    return make_key(connection, _KEY)


def forget_authors(connection: Connection, ids: Sequence[int]) -> None:
    """Authors to whom nothing stored belongs any more. One who is muted stays, for whoever muted him."""
    if ids:
        connection.execute(_FORGET_AUTHORS, {"ids": ids})


# ------------------------------------------------------------------------------------------------- the steps


def _in_order(connection: Connection, item_ids: Iterable[int]) -> Iterator[list[int]]:
    """Groups of ids in unique-key order, as every writer touches items."""
    ids, found = sorted(set(item_ids)), list[tuple[Any, ...]]()
    for start in range(0, len(ids), CHUNK):
        rows = connection.execute(_ORDER, {"ids": ids[start : start + CHUNK]})
        found.extend(tuple(row) for row in rows)
    ordered = [row[-1] for row in sorted(found)]
    for start in range(0, len(ordered), CHUNK):
        yield ordered[start : start + CHUNK]


def _hold_authors(connection: Connection, ids: Sequence[int]) -> list[int]:
    """The items' authors, held before the items, by id, as every writer does."""
    return list(connection.execute(_HOLD_AUTHORS, {"ids": ids}).scalars())


def _hold(connection: Connection, ids: Sequence[int]) -> list[RowMapping]:
    return list(connection.execute(_HOLD, {"ids": ids}).mappings())


def _new_authors(
    connection: Connection,
    rows: Iterable[RowMapping],
    clusters: MutableMapping[int, int],
    key: bytes | None,
    at: datetime,
) -> None:
    """Authors without a name for those who lose theirs; ``key``: made of the old number, else at random."""
    platforms = {row["author_id"]: row["platform"] for row in rows if row["author_id"] is not None}
    for old in platforms:
        if old not in clusters:
            clusters[old] = secrets.randbits(63) if key is None else _keyed_number(key, old)
    fresh = [
        {"id": new, "platform": platforms[old], "external_id": f"{ERASED}{new:016x}", "seen_at": at}
        for new, old in sorted((clusters[old], old) for old in platforms)
    ]
    if fresh:
        insert = (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(AUTHOR)
        connection.execute(insert.on_conflict_do_nothing(), fresh)


def _keyed_number(key: bytes, author_id: int) -> int:
    return int.from_bytes(blake2b(f"author\0{author_id}".encode(), key=key, digest_size=8).digest()) >> 1


def _empty(
    connection: Connection, rows: Sequence[RowMapping], clusters: Mapping[int, int], key: bytes, at: datetime
) -> None:
    if not rows:
        return
    forget(connection, [Said(row["id"], row["title"], row["text"]) for row in rows])
    connection.execute(_WITHOUT_WORDS, [_emptied(row, clusters, key, at) for row in rows])
    connection.execute(_REVISIONS_WITHOUT_WORDS, {"ids": [row["id"] for row in rows]})
    likeness.bury(connection, [row["id"] for row in rows])
    keys = {Key(row["brand_id"], row["source_id"], row["kind"], row["bucket"]) for row in rows}
    recompute(connection, keys)


def _emptied(row: RowMapping, clusters: Mapping[int, int], key: bytes, at: datetime) -> dict[str, Any]:
    attributes = {name: value for name, value in (row["attributes"] or {}).items() if name in HARMLESS}
    author = row["author_id"]
    return {
        "row_id": row["id"],
        "external_id": tombstone(key, row["platform"], row["external_id"]),
        "author_id": None if author is None else clusters[author],
        "reply_text": None if row["reply_text"] is None else "",  # that there was an answer is a figure
        "place": None if _is_own_place(row) else row["place"],
        "attributes": attributes or None,
        "erased_at": at,
        "changed_at": at,
    }


def _is_own_place(row: RowMapping) -> bool:
    """Is the place the author's own, such as a profile, so that it names him?"""
    place, number = (row["place"] or "").casefold(), (row["author_external_id"] or "").casefold()
    names = (row["author_name"], row["name"], number)
    named = any(name and len(name) > 1 and name.casefold() in place for name in names)
    return named or bool(place and number.endswith(f"@{place}"))  # perhaps a server with one inhabitant


# ------------------------------------------------------------------------------------------------- statements

_IDS: Final[BindParameter[Any]] = bindparam("ids", expanding=True)
_UNIQUE_KEY: Final = (ITEM.c.brand_id, ITEM.c.platform, ITEM.c.external_id)
_STANDING: Final = (ITEM.c.id.in_(_IDS), ITEM.c.erased_at.is_(None))
_ORDER: Final = select(*_UNIQUE_KEY, ITEM.c.id).where(*_STANDING)
_HOLD_AUTHORS: Final = (
    select(AUTHOR.c.id)
    .where(AUTHOR.c.id.in_(select(ITEM.c.author_id).where(*_STANDING)))
    .order_by(AUTHOR.c.id)
    .with_for_update()
)
_HOLD: Final = (
    select(*(ITEM.c[name] for name in ("id", *(column.name for column in _UNIQUE_KEY), "source_id", "kind", "bucket")))
    .add_columns(
        *(ITEM.c[name] for name in ("title", "text", "author_id", "author_name", "reply_text", "place", "attributes"))
    )
    .add_columns(AUTHOR.c.name, AUTHOR.c.external_id.label("author_external_id"))
    .select_from(ITEM.outerjoin(AUTHOR, AUTHOR.c.id == ITEM.c.author_id))
    .where(*_STANDING)
    .order_by(*_UNIQUE_KEY)
    .with_for_update(of=ITEM)
)
_GONE: Final = ("title", "text", "url", "author_name", "parent_title", "fingerprint", "refresh_at")
_SAID: Final = (
    "external_id",
    "author_id",
    "reply_text",
    "place",
    "attributes",
    "erased_at",
    "changed_at",
)
_WITHOUT_WORDS: Final = (
    update(ITEM)
    .where(ITEM.c.id == bindparam("row_id"))
    .values({**dict.fromkeys(_GONE), **{name: bindparam(name) for name in _SAID}})
)
_REVISIONS_WITHOUT_WORDS: Final = update(REVISION).where(REVISION.c.item_id.in_(_IDS)).values(title=None, text=None)
_BURIED: Final = select(ITEM.c.external_id).where(
    ITEM.c.brand_id == bindparam("brand"), ITEM.c.platform == bindparam("platform_"), ITEM.c.external_id.in_(_IDS)
)

_FORGET_AUTHORS: Final = delete(AUTHOR).where(
    AUTHOR.c.id.in_(_IDS),
    ~exists().where(ITEM.c.author_id == AUTHOR.c.id),
    ~exists().where(MUTE.c.author_id == AUTHOR.c.id),
)
