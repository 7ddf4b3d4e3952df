"""Who asks to be forgotten, and what is stored of him: found, erased, handed out; and where his words may be besides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from monitor.app import App
from monitor.config.models import FileChannel
from monitor.privacy import OWN_KEY, hashed_author
from storage import access, retention
from storage.access import Author, Part
from storage.engine import Database
from storage.erasure import stored_key
from storage.retention import Act, Sent

SMALL_BYTES: Final = 500_000_000
"""An SQLite file up to this size is written anew after an erasure without being asked for."""


@dataclass(frozen=True, slots=True)
class Found:
    """What an erasure would take. ``missing``: numbers of items that are not there or erased already."""

    item_ids: Sequence[int]
    authors: Sequence[Author]
    parts: Sequence[Part]
    mutes: int
    missing: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Left:
    """Where words of erased items may be that this program cannot reach."""

    files: Sequence[Path]
    messages: Sequence[Sent]
    backups: Sequence[Path]


def find(app: App, names: Sequence[str], items: Sequence[int], platform: str | None = None) -> Found:
    """The items of these authors (by name or id) and those with these numbers, as far as they are not erased."""
    authors = known_authors(app, names, platform)
    ids = [author.id for author in authors]
    standing = access.standing(app.database, items)
    wanted = [*dict.fromkeys([*access.items_of(app.database, ids), *standing])]
    missing = sorted(set(items) - set(standing))
    return Found(wanted, authors, access.parts(app.database, wanted), access.mutes_of(app.database, ids), missing)


def known_authors(app: App, names: Sequence[str], platform: str | None = None) -> list[Author]:
    """The stored authors with these names or ids, those of whom only the hash is stored among them."""
    if not names:
        return []
    return access.authors(app.database, [*names, *hashes(app, names, platform)], platform)


def hashes(app: App, names: Iterable[str], platform: str | None = None) -> Iterator[str]:
    """What authors of these ids are known by where they are stored hashed, now or by the store's own key before."""
    own = app.database.read(lambda connection: stored_key(connection, OWN_KEY))
    keys = dict.fromkeys(key for key in (app.privacy.key, own) if key is not None)
    places = [] if not keys else [platform] if platform is not None else access.platforms(app.database)
    for name in names:
        yield from (hashed_author(place, name, key) for key in keys for place in places)


def erase(app: App, found: Found, *, by: str | None, compact: bool | None = None) -> Act:
    """Erase what was found. ``compact``: write an SQLite file anew, by default where it is small."""
    what = "author" if found.authors else "item"
    ids = [author.id for author in found.authors]
    act = retention.erase_asked(app.database, found.item_ids, ids, app.now(), what=what, by=by)
    if compact or (compact is None and is_small(app.database)):
        retention.compact(app.database)
    return act


def is_small(database: Database) -> bool:
    """Is it an SQLite file that is written anew in seconds?"""
    return database.file is not None and database.file.exists() and database.file.stat().st_size <= SMALL_BYTES


def left_over(app: App, item_ids: Sequence[int]) -> Left:
    """The files and messages that may hold words of these items, and the backups beside the store."""
    whole = [digest.name for digest in app.settings.digests if digest.attach_items]
    messages = retention.messages(app.database, item_ids, whole)
    folders = {channel.name: channel.folder for channel in app.settings.channels if isinstance(channel, FileChannel)}
    written = [message for message in messages if message.channel in folders]
    files = [path for message in written for path in _files(folders[message.channel], message)]
    others = [message for message in messages if message.channel not in folders]
    return Left([*dict.fromkeys(files)], others, _backups(app.database))


def _files(folder: Path, message: Sent) -> list[Path]:
    """The files that the channel wrote for this message, as it names them."""
    paths = sorted(folder.iterdir()) if folder.is_dir() else []
    if message.kind != "digest":
        return [path for path in paths if path.stem.endswith(f"-{message.key[:6]}")]
    day = f"{message.at:%Y-%m-%d}" if message.at is not None else ""
    stem = f"{message.name}-{(message.period or day).replace(':', '').replace('..', '_')}"
    return [path for path in paths if path.stem in (stem, f"{stem}-items")]


def _backups(database: Database) -> list[Path]:
    file = database.file
    if file is None or not file.parent.is_dir():
        return []
    return sorted(path for path in file.parent.iterdir() if path.name.startswith(file.name) and path.suffix == ".bak")


def everything(app: App, names: Sequence[str], platform: str | None = None) -> dict[str, Any] | None:
    """All that is stored of an author, for who asks for it; ``None`` where nobody of that name is known."""
    authors = known_authors(app, names, platform)
    if not authors:
        return None
    told = access.everything(app.database, [author.id for author in authors])
    return {"asked_for": list(names), "platform": platform, "at": app.now(), **told}
