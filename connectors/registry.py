"""Which connectors there are: built-ins and entry points, loaded lazily and one way."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from connectors.contract import Plugin

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
        "instagram",
        "lemmy",
        "mastodon",
        "reddit",
        "stackexchange",
        "steam",
        "trustpilot",
        "woocommerce",
        "wordpress",
        "x",
        "youtube",
    )
}


class UnknownConnector(LookupError):
    """No connector of that name is installed."""


class BrokenConnector(Exception):
    """A connector is installed but cannot be loaded."""


def names() -> list[str]:
    """Every connector's name, built-ins and installed ones, sorted."""
    return sorted({*BUILT_IN, *_installed()})


@cache
def plugin(name: str) -> Plugin[Any]:
    """The plugin of that name. A built-in cannot be replaced by an installed package."""
    if name in BUILT_IN:
        module, _, attribute = BUILT_IN[name].partition(":")
        found: object = getattr(importlib.import_module(module), attribute)
    elif name in _installed():
        found = _load(_installed()[name])
    else:
        raise UnknownConnector(f'no connector "{name}"; there are: {", ".join(names())}')
    if not isinstance(found, Plugin):
        raise BrokenConnector(f'connector "{name}": its entry point names no connectors.contract.Plugin')
    return found


@cache
def _installed() -> Mapping[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


def _load(point: EntryPoint) -> object:
    try:
        return point.load()
    except Exception as error:
        raise BrokenConnector(f'connector "{point.name}" ({point.value}): cannot be loaded: {error}') from error
