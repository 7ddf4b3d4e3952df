"""PURE  What each type of source brings, needs and can be told, in words: from the plugins and their option models."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from connectors import registry
from connectors.contract import Capabilities, Plugin, Scope, Tried
from monitor.config.given import credentials, is_secret

TRIED: Final[dict[Tried, str]] = {
    "live": "tried against the live platform",
    "recorded": "tried against answers of the platform that others recorded, never against the live platform",
    "made up": "tried against answers made up from the platform's documentation, never against real ones",
}
_BRINGS: Final = {
    Scope.SEARCH: "what a search finds: what names the brand counts",
    Scope.STREAM: "all that is said in a place: what names the brand counts",
    Scope.SUBJECT: "what is about one subject (an app, a place, an account): all of it counts",
}
_UNITS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


@dataclass(frozen=True, slots=True)
class Option:
    """One option: its type in words, and its default as the configuration writes it (``None``: there is none)."""

    name: str
    type: str
    default: str | None
    needed: bool
    secret: bool
    meaning: str


@dataclass(frozen=True, slots=True)
class Card:
    """A type of source, in words. ``can`` and ``limits`` are sentences."""

    name: str
    title: str
    brings: str
    needs: str
    credentials: Sequence[str]
    can: Sequence[str]
    limits: Sequence[str]
    notes: str
    tried: str
    tried_words: str
    options: Sequence[Option]


def cards() -> list[Card]:
    """Every type that can be loaded, by name."""
    return [card_of(plugin) for plugin in registry.plugins()]


def card(name: str) -> Card:
    """One type. ``UnknownConnector`` or ``BrokenConnector`` where there is none."""
    return card_of(registry.plugin(name))


def card_of(plugin: Plugin[Any]) -> Card:
    """What a plugin says of itself, in words."""
    options = [option(plugin, key, field) for key, field in plugin.options.model_fields.items()]
    options.sort(key=lambda one: (not one.needed, one.name == "base_url"))
    return Card(
        name=plugin.name,
        title=plugin.title,
        brings=_BRINGS[plugin.capabilities.scope],
        needs=_needs(plugin, options),
        credentials=credentials(plugin.options),
        can=_can(plugin.capabilities),
        limits=_limits(plugin.capabilities),
        notes=plugin.notes,
        tried=plugin.tried_on or plugin.tried,
        tried_words=f"tried against {plugin.tried_on}" if plugin.tried_on else TRIED[plugin.tried],
        options=options,
    )


def option(plugin: Plugin[Any], name: str, field: FieldInfo) -> Option:
    """One option of a plugin's model."""
    return Option(
        name=field.alias or name,
        type=type_words(field.annotation),
        default=None if field.is_required() else _default(field),
        needed=field.is_required(),
        secret=is_secret(plugin.options, name),
        meaning=field.description or "",
    )


def _needs(plugin: Plugin[Any], options: Sequence[Option]) -> str:
    held = credentials(plugin.options)
    needed = [one.name for one in options if one.needed and one.name not in held]
    asked = f"; {', '.join(needed)}" if needed else ""
    if plugin.capabilities.needs_credentials:
        return f"credentials ({', '.join(held) or 'see its page'}){asked}"
    better = f" ({', '.join(held)} may be given)" if held else ""
    return f"no credentials{better}{asked}"


def _can(able: Capabilities) -> list[str]:
    told = {
        "reaches into the past as far as first_fetch says": able.backfill,
        "brings ratings": able.ratings,
        "reads the counts of known items again, and notices what was deleted": able.refresh,
        "counts followers": able.followers,
        "reads the platform's own overall rating": able.standing,
        "takes what is sent to it": able.push,
    }
    cannot = (
        []
        if able.backfill or not able.pull
        else ["cannot reach into the past: shows what there is from the first pull on"]
    )
    return [words for words, so in told.items() if so] + cannot


def _limits(able: Capabilities) -> list[str]:
    return (
        [f"is read at most every {_length(able.minimum_interval)}"]
        if able.pull
        else ["is never read: others send to it"]
    )


def _length(interval: timedelta) -> str:
    seconds = int(interval.total_seconds())
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    return f"{seconds // size} {unit}s" if seconds != size else unit


# --------------------------------------------------------------------------------------------------- types in words


def type_words(annotation: Any) -> str:
    """What an option's value is, in words: ``text``, ``list of text``, ``"a" or "b"``."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return type_words(inner[0])
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(type_words(one) for one in inner if one is not NoneType))
    if origin is Literal:
        return " or ".join(json.dumps(one) for one in inner)
    if origin in (list, tuple, set, frozenset) or _is_sequence(origin):
        return f"list of {type_words(inner[0])}"
    if origin is not None:
        return "table"
    return _NAMES.get(annotation, "text")


_NAMES: Final[dict[Any, str]] = {
    SecretStr: "secret",
    bool: "true or false",
    int: "whole number",
    float: "number",
    timedelta: "duration",
    dict: "table",
}


def _is_sequence(origin: Any) -> bool:
    return isinstance(origin, type) and issubclass(origin, Sequence)


def _default(field: FieldInfo) -> str | None:
    value = field.get_default(call_default_factory=True)
    if value is None or (isinstance(value, list | tuple | dict | set | frozenset) and not value):
        return None
    return json.dumps(value, default=str, ensure_ascii=False)
