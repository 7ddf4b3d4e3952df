"""PURE  What connectors that read other people's documents share: ids that begin with an address, storable text, languages."""

from __future__ import annotations

import hashlib
import re

from connectors.contract import MAX_ID

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


def digest(text: str) -> str:
    """64 hexadecimal characters that stand for this text."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def prefixed_id(prefix: str, key: str) -> str:
    """``prefix`` and ``key``, shortened by a hash of the key to ``MAX_ID`` characters."""
    whole = prefix + key
    return whole if len(whole) <= MAX_ID else f"{whole[: MAX_ID - 33]}#{digest(key)[:32]}"


def storable(text: str) -> str:
    """The text without what no database takes: NUL and halves of surrogate pairs."""
    if text.isascii():
        return text.replace("\0", "") if "\0" in text else text
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def language_tag(said: str | None) -> str | None:
    """A language as BCP 47 has it (``en``, ``pt-BR``), ``None`` if it is no such tag."""
    tag = (said or "").strip().replace("_", "-")
    return tag if _LANGUAGE.fullmatch(tag) else None
