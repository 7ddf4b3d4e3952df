"""PURE  Does a source read already what another is to read for the same brand?

Two sources of one type read the same where all that names a place agrees (a feed's address, an app, a server), and where what
they read there (subreddits, accounts, channels) has something in common. What they make of it does not matter.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, SecretStr

from connectors.contract import Plugin
from connectors.places import ON_DISK, placed
from monitor.config.given import is_secret
from monitor.config.models import SourceSettings

PLACES: Final = (
    *("url", "path", "pattern", "host", "user", "folder", "server", "service", "site", "forum", "page", "package"),
    *("app_id", "business_unit", "account", "stream", "mode", "query", "params", "body", "method"),
)
"""The options that name one place, or what is asked there."""
SUBJECTS: Final = (
    *("subreddits", "repositories", "communities", "hashtags", "accounts", "channels", "videos", "locations", "tagged"),
)
"""The options that name several; none of them is what the keywords find."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A source that reads the same. ``wholly``: all of its options are the same as well, but for secrets."""

    name: str
    wholly: bool
    enabled: bool = True


def readers(
    plugin: Plugin[Any], options: BaseModel, brand: str, sources: Iterable[SourceSettings], folder: Path
) -> list[Reader]:
    """The sources that read for the brand what ``options`` would read, those that read it wholly first."""
    if not plugin.capabilities.pull:
        return []  # it is sent to, and each sender has a source of its own
    others = [source for source in sources if source.type == plugin.name and brand in source.served]
    found = [
        Reader(source.name, _all(source.parsed) == _all(options), source.enabled)
        for source in others
        if source.parsed is not None and _same(options, source.parsed, folder)
    ]
    return sorted(found, key=lambda reader: not reader.wholly)


def _same(one: BaseModel, other: BaseModel, folder: Path) -> bool:
    known = {*PLACES, *SUBJECTS}.intersection(type(one).model_fields)
    if not known:  # nothing tells what it reads
        return _all(one) == _all(other)
    if any(_place(one, name, folder) != _place(other, name, folder) for name in PLACES):
        return False
    ours, theirs = _subjects(one), _subjects(other)
    return bool(ours & theirs) or not (ours or theirs)


def _place(options: BaseModel, name: str, folder: Path) -> Any:
    value = getattr(options, name, None)
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if not isinstance(value, str):
        return value
    field = type(options).model_fields[name]
    if ON_DISK in field.metadata:
        return os.path.normpath(placed(value, folder))
    return _plain_address(value) if re.match(r"https?://", value, re.IGNORECASE) else value.strip()


def _plain_address(url: str) -> str:
    """An address as two people may write it: the same with or without https, www and the stroke at its end."""
    host, _, rest = re.sub(r"^https?://(www\.)?", "", url.strip(), flags=re.IGNORECASE).partition("/")
    return f"{host.lower()}/{rest.partition('#')[0]}".rstrip("/")


def _subjects(options: BaseModel) -> set[tuple[str, str]]:
    given: Sequence[tuple[str, Any]] = [(name, getattr(options, name, None) or ()) for name in SUBJECTS]
    return {(name, str(value).strip("@#/").casefold()) for name, values in given for value in values}


def _all(options: BaseModel) -> dict[str, Any]:
    model = type(options)
    return {name: getattr(options, name) for name in model.model_fields if not is_secret(model, name)}
