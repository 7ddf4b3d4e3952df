"""Which connectors there are: built-ins and entry points, loaded lazily and one way."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from pydantic import BaseModel

from connectors.contract import Capabilities, JsonValue, Plugin

GROUP = "sentiment_monitor.connectors"

BUILT_IN: Mapping[str, str] = {
    name: f"connectors.{name}:PLUGIN"
    for name in (
        "appstore",
        "appstoreconnect",
        "bluesky",
        "discourse",
        "facebook_page",
        "feeds",
        "files",
        "gdelt",
        "github",
        "google_business",
        "googlenews",
        "googleplay",
        "hackernews",
        "http_json",
        "imap",
        "instagram",
        "lemmy",
        "mastodon",
        "reddit",
        "sql",
        "stackexchange",
        "steam",
        "trustpilot",
        "webhook",
        "woocommerce",
        "wordpress",
        "x",
        "youtube",
    )
}


RENAME: Final = "its makers have to rename it"
UPDATE: Final = "update or uninstall that package"
CHOOSE: Final = "uninstall all but one of them"


class UnknownConnector(LookupError):
    """No connector of that name is installed."""


class BrokenConnector(Exception):
    """A connector is installed but cannot be used; ``fault`` says why, ``remedy`` what to do, the message also whose it is."""

    def __init__(self, name: str, package: str, fault: str, remedy: str = UPDATE) -> None:
        super().__init__(f'connector "{name}" of {package}: {fault}')
        self.fault, self.remedy = fault, remedy


@dataclass(frozen=True, slots=True)
class Refused:
    """A connector of an installed package that is not used: whose, why, and what to do."""

    name: str
    package: str
    fault: str
    remedy: str

    def __str__(self) -> str:
        return f'connector "{self.name}" of {self.package}: {self.fault}; {self.remedy}'


def names() -> list[str]:
    """Every connector's name, built-ins and installed ones, sorted."""
    return sorted({*BUILT_IN, *_installed()})


@cache
def plugin(name: str) -> Plugin[Any]:
    """The plugin of that name. A built-in cannot be replaced by an installed package."""
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        found: Plugin[Any] = getattr(importlib.import_module(module), attribute)
        return found
    if name not in _installed():
        raise UnknownConnector(f'no connector "{name}"; there are: {", ".join(names())}')
    return _only(name, _installed()[name])


def plugins() -> Iterator[Plugin[Any]]:
    """Every connector that can be used, by name; what is broken is passed over."""
    for name in names():
        try:
            yield plugin(name)
        except BrokenConnector:
            continue


def package(name: str) -> str | None:
    """The installed package that brings this connector, with its version; ``None`` for a built-in."""
    found = () if name in BUILT_IN else _installed().get(name, ())
    return _packages(found) or None


def refused() -> list[Refused]:
    """What installed packages bring and cannot be used: it hurts nothing else, but somebody should know."""
    found: list[Refused] = []
    for name, points in sorted(_installed().items()):
        if name in BUILT_IN:
            fault = "has the name of a built-in connector, which is used instead"
            found += [Refused(name, _package(point), fault, RENAME) for point in points]
            continue
        try:
            plugin(name)
        except BrokenConnector as error:
            found.append(Refused(name, _packages(points), error.fault, error.remedy))
    return found


def recognised(link: str) -> Iterator[tuple[Plugin[Any], Mapping[str, JsonValue]]]:
    """Every connector that knows a pasted link, with the options it makes of it."""
    for known in plugins():
        try:
            options = known.recognise(link)
        except Exception:
            if known.name in BUILT_IN:
                raise
            continue  # another package's bug is no reason to understand no link at all
        if options is not None:
            yield known, options


@cache
def _installed() -> Mapping[str, Sequence[EntryPoint]]:
    """What installed packages bring, by name; a name that two of them bring has two entries."""
    found: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=GROUP):
        found.setdefault(point.name, []).append(point)
    return found


def _packages(points: Iterable[EntryPoint]) -> str:
    return " and ".join(map(_package, points))


def _package(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else point.value


def _only(name: str, points: Sequence[EntryPoint]) -> Plugin[Any]:
    whose = _packages(points)
    if len(points) > 1:
        raise BrokenConnector(name, whose, f"is brought {len(points)} times, so that none is used", CHOOSE)
    try:
        found: object = points[0].load()
    except (Exception, SystemExit) as error:  # whatever a foreign module does, the others go on
        raise BrokenConnector(name, whose, f"cannot be loaded: {type(error).__name__}: {error}") from error
    fault = _fault(name, found)
    if fault is not None or not isinstance(found, Plugin):
        raise BrokenConnector(name, whose, fault or "")
    return found


def _fault(name: str, found: object) -> str | None:
    """Why what could be loaded cannot be used; ``None`` where it can."""
    if not isinstance(found, Plugin):
        return "its entry point names no connectors.contract.Plugin"
    options, able, opener = _parts(found)
    if found.name != name:
        return f'calls itself "{found.name}"; entry point and Plugin.name must be the same'
    if not (isinstance(options, type) and issubclass(options, BaseModel)):
        return "its options are no pydantic model; derive them from connectors.contract.Options"
    if not isinstance(able, Capabilities) or not callable(opener):
        return "its capabilities or its open are not what connectors.contract.Plugin asks for"
    try:
        options.model_json_schema()
    except Exception as error:
        return f"its options have no JSON Schema: {type(error).__name__}"
    return None


def _parts(found: Plugin[Any]) -> tuple[object, object, object]:
    """What nobody has checked the types of."""
    return found.options, found.capabilities, found.open
