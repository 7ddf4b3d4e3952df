"""PURE  What of a person is stored: authors by a keyed hash instead of their names, texts without addresses and numbers.

It is applied before anything is matched, scored or stored. See docs/privacy.md for what it cannot hide.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import blake2b
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from connectors.contract import Author, Item
from monitor import phones

EMAIL: Final = "email"
PHONE: Final = "phone"
OWN_KEY: Final = "privacy.key"
"""The note that holds the store's own key, where the configuration names none."""
HASHED: Final = "hashed:"
"""What the id of an author begins with whose own is not stored."""

_MAIL: Final = re.compile(
    r"(?<![\w@.+%-])[\w.+%-]{1,64}(?:@|\s?[\[(](?:at|@)[\])]\s?)"
    r"(?:[\w-]{1,63}(?:\.|\s?[\[(](?:dot|punkt)[\])]\s?)){1,6}[^\W\d_]{2,24}(?![\w@-])"
)
_CALL_LINKS: Final = re.compile(r"(?i)(?:https?://)?(?:wa\.me/|api\.whatsapp\.com/send\?phone=|tel:)\+?[\d%().-]{6,24}")
_SHORTEST_NAME: Final = 3
"""Shorter names are found in everything."""


@dataclass(frozen=True, slots=True)
class Privacy:
    """What is in force. ``key``: authors are hashed with it; ``None``: they are kept. ``redact``: ``EMAIL``, ``PHONE``."""

    key: bytes | None = field(default=None, repr=False)
    redact: frozenset[str] = frozenset()

    @property
    def in_force(self) -> bool:
        return self.key is not None or bool(self.redact)


OPEN: Final = Privacy()
"""Everything is kept."""


def applied(item: Item, platform: str, privacy: Privacy) -> Item:
    """The item as it may be stored."""
    if not privacy.in_force:
        return item
    shown = replace(
        item,
        title=redacted(item.title, privacy.redact),
        text=redacted(item.text, privacy.redact),
        reply=item.reply and replace(item.reply, text=redacted(item.reply.text, privacy.redact) or ""),
        parent_title=redacted(item.parent_title, privacy.redact),
    )
    return (
        shown
        if privacy.key is None or item.author is None
        else _without_author(shown, item.author, platform, privacy.key)
    )


def redacted(text: str | None, what: frozenset[str]) -> str | None:
    """``text`` with mail addresses as ``[email]`` and telephone numbers as ``[phone]``."""
    if not text:
        return text
    if EMAIL in what and ("@" in text or "(" in text or "[" in text):
        text = _MAIL.sub("[email]", text)
    if PHONE in what:
        text = phones.replaced(_CALL_LINKS.sub("[phone]", text), "[phone]")
    return text


@lru_cache(maxsize=4096)
def hashed_author(platform: str, external_id: str, key: bytes) -> str:
    """What an author is known by instead: the same for the same author, and told by nobody without the key."""
    return HASHED + blake2b(f"{platform}\0{external_id}".encode(), key=key[:64], digest_size=16).hexdigest()


def key_of(secret: str) -> bytes:
    """32 bytes of a secret of any length."""
    return blake2b(secret.encode(), digest_size=32).digest()


# ------------------------------------------------------------------------------------------------- authors


def _without_author(item: Item, author: Author, platform: str, key: bytes) -> Item:
    names = names_of(author)
    return replace(
        item,
        author=Author(hashed_author(platform, author.id, key), None, author.followers),
        url=unnamed(item.url, names),
        place=None if item.place and _names_any(item.place, names) else item.place,
        attributes=_unnamed_attributes(item.attributes, names),
    )


def names_of(author: Author) -> frozenset[str]:
    """The forms in which a link or a place may name an author, folded."""
    given = [name.casefold().strip().lstrip("@") for name in (author.id, author.name) if name]
    handles = [name.partition("@")[0] for name in given if "@" in name]
    last = [re.split(r"[/:]", name)[-1] for name in given]
    return frozenset(name for name in (*given, *handles, *last) if len(name) >= _SHORTEST_NAME)


def unnamed(url: str | None, names: frozenset[str]) -> str | None:
    """A link without what names its author: cut before the name, ``None`` where the site itself is his."""
    if not url or not names:
        return url
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if any(name in (parts.hostname or "").split(".") or name == parts.hostname for name in names):
        return None
    pieces = parts.path.split("/")
    naming = [number for number, piece in enumerate(pieces) if _is_name(unquote(piece), names)]
    if naming and parts.hostname in ("x.com", "twitter.com") and pieces[2:3] == ["status"]:
        return urlunsplit((parts.scheme, parts.netloc, "/".join(["", "i", *pieces[2:4]]), "", ""))
    if naming:
        return urlunsplit((parts.scheme, parts.netloc, "/".join(pieces[: naming[0]]) + "/", "", ""))
    if _names_any(unquote(f"{parts.query} {parts.fragment}"), names):
        return urlunsplit((parts.scheme, parts.netloc, parts.path, "", ""))
    return url


def _is_name(piece: str, names: frozenset[str]) -> bool:
    bare = piece.casefold().lstrip("@~").removeprefix("u_")
    return bare in names or bare.partition("@")[0] in names


def _names_any(text: str, names: frozenset[str]) -> bool:
    words = text.casefold()
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", words) for name in names)


def _unnamed_attributes(attributes: Mapping[str, str], names: frozenset[str]) -> Mapping[str, str]:
    return {key: value for key, value in attributes.items() if not _names_any(str(value), names)}
