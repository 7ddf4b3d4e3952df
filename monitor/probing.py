"""A link to an unknown host: is it a Mastodon server, a Lemmy server or a Discourse forum? Asked of the host itself."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from connectors.contract import JsonValue
from connectors.errors import SourceError
from connectors.http import HttpClient
from monitor.links import NOT_MASTODON

Options = Mapping[str, JsonValue]


@dataclass(frozen=True, slots=True)
class _Kind:
    """Software that many hosts run: which paths look like it, what it alone answers, and what its link means as options."""

    type: str
    path: re.Pattern[str]
    asked: str
    is_it: Callable[[Any], bool]
    options: Callable[[str, re.Match[str]], Options]


def probe(link: str, http: HttpClient) -> tuple[str, Options] | None:
    """The connector's name and options for a link into such a host; ``None`` where it is none, or does not say."""
    try:
        parts = urlsplit(link)
        home, path, host = f"{parts.scheme}://{parts.netloc}", unquote(parts.path).rstrip("/"), parts.hostname or ""
    except ValueError:
        return None
    for kind in _KINDS:
        found = kind.path.fullmatch(path)
        if found and not (kind.type == "mastodon" and NOT_MASTODON.fullmatch(host)) and _says_so(kind, home, http):
            return kind.type, kind.options(home, found)
    return None


def _says_so(kind: _Kind, home: str, http: HttpClient) -> bool:
    try:
        answer = http.get(home + kind.asked).json()
    except SourceError:
        return False
    return isinstance(answer, Mapping) and kind.is_it(answer)


def _mastodon(home: str, found: re.Match[str]) -> Options:
    if found["tag"]:
        return {"server": home, "hashtags": [found["tag"]]}
    return {"server": home, "hashtags": [], "accounts": [found["account"]]}


def _lemmy(home: str, found: re.Match[str]) -> Options:
    server = urlsplit(home).netloc
    name = found["community"]
    return {"server": server, "communities": [name if "@" in name else f"{name}@{server}"]}


_KINDS: Final = (
    _Kind(
        "mastodon",
        re.compile(r"(?:/web)?/@(?P<account>[\w.-]+(?:@[\w.-]+)?)(?:/\d+)?|/tags/(?P<tag>\w+)"),
        "/api/v2/instance",
        lambda said: isinstance(said.get("domain"), str) and "version" in said,
        _mastodon,
    ),
    _Kind(
        "lemmy",
        re.compile(r"/c/(?P<community>[\w.-]+(?:@[\w.:-]+)?)"),
        "/api/v3/site",
        lambda said: isinstance(said.get("site_view"), Mapping),
        _lemmy,
    ),
    _Kind(
        "discourse",
        re.compile(r"/(?:latest|top|new|categories)|/[ct]/\S+|/tags?/\S+"),
        "/about.json",
        lambda said: isinstance(said.get("about"), Mapping),
        lambda home, _found: {"forum": home},
    ),
)
