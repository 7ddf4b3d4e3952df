"""PURE  A described API -> the next request: places filled in, links to the next page taken only where they stay with it."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit

from connectors.contract import from_epoch
from connectors.http_json_options import PLACE, HttpJsonOptions
from connectors.http_json_walk import TOKEN, Place
from connectors.tidy import digest

Values: TypeAlias = Mapping[str, "str | int | None"]
_OWN = "{own}"
"""Stands in a kept link for a value of the options, which may be a secret."""
_NEXT = re.compile(r"""\brel\s*=\s*"?[^";]{0,100}\bnext\b""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """One request: its whole address, and what is sent with POST."""

    url: str
    body: Any = None


@dataclass(frozen=True, slots=True)
class Turn:
    """What is asked for: ``since`` in seconds since 1970, and the page."""

    term: str | None
    since: float
    at: Place


def asked(options: HttpJsonOptions, turn: Turn) -> Asked:
    """The request for one page."""
    if options.paging == "link" and isinstance(turn.at, str):
        return Asked(_with_own(options, turn.at))
    values = _values(options, turn)
    parts = urlsplit(options.url)
    path = PLACE.sub(lambda found: quote(str(_blank(values[found[1]])), safe=""), parts.path)
    pairs = [(name, value) for name, text in _pairs(options) if (value := _filled(text, values)) is not None]
    query = urlencode(pairs, errors="replace")
    address = f"{origin_of(options)}{path}"
    return Asked(f"{address}?{query}" if query else address, _body(options.body, values))


def headers_of(options: HttpJsonOptions) -> dict[str, str]:
    """What is sent with every request, credentials among it."""
    headers = {"Accept": "application/json", **options.headers}
    if options.token is not None:
        headers["Authorization"] = f"Bearer {options.token.get_secret_value()}"
    if options.username is not None and options.password is not None:
        pair = f"{options.username}:{options.password.get_secret_value()}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    if options.api_key is not None:
        headers[options.api_key_header] = options.api_key.get_secret_value()
    return headers


def origin_of(options: HttpJsonOptions) -> str:
    """Scheme and host, or what stands for them."""
    parts = urlsplit(options.url)
    return (options.base_url or f"{parts.scheme}://{parts.netloc}").rstrip("/")


def prefix_of(options: HttpJsonOptions) -> str:
    """What the ids begin with: the host and a mark of the path (in which a key may stand), so that two APIs' ids never meet."""
    if options.prefix is not None:
        return options.prefix
    parts = urlsplit(options.url)
    return f"{parts.hostname}@{digest(parts.path.rstrip('/'))[:8]}:"


def _values(options: HttpJsonOptions, turn: Turn) -> Values:
    number = turn.at if isinstance(turn.at, int) else 1
    return {
        "term": turn.term,
        "since": _written(turn.since, options.since_format),
        "page": (1 if options.page_start is None else options.page_start) + number - 1,
        "offset": (options.page_start or 0) + (number - 1) * (options.page_size or 0),
        "cursor": turn.at if isinstance(turn.at, str) else None,
    }


def _written(seconds: float, since_format: str) -> str | int:
    if since_format == "epoch":
        return int(seconds)
    if since_format == "epoch_ms":
        return int(seconds) * 1000
    try:
        at = from_epoch(max(0, int(seconds)))
    except ValueError:
        at = datetime(1970, 1, 1, tzinfo=UTC)
    return at.strftime("%Y-%m-%dT%H:%M:%SZ" if since_format == "iso8601" else since_format)


def _filled(text: str, values: Values) -> str | int | None:
    """The text with its places filled in; ``None`` where it is one place alone and that has no value."""
    alone = PLACE.fullmatch(text)
    return values[alone[1]] if alone else PLACE.sub(lambda found: str(_blank(values[found[1]])), text)


def _blank(value: str | int | None) -> str | int:
    return "" if value is None else value


def _pairs(options: HttpJsonOptions) -> list[tuple[str, str]]:
    """What the address asks and the params, places not filled in."""
    pairs = parse_qsl(urlsplit(options.url).query, keep_blank_values=True)
    for name, given in options.params.items():
        pairs += [(name, _as_text(value)) for value in (given if isinstance(given, list) else [given])]
    return pairs


def _as_text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _body(template: Any, values: Values) -> Any:
    """The body with its places filled in; what has no value is left out."""
    if isinstance(template, str):
        return _filled(template, values)
    if isinstance(template, Mapping):
        filled = {name: _body(value, values) for name, value in template.items()}
        return {name: value for name, value in filled.items() if value is not None}
    if isinstance(template, list):
        return [_body(value, values) for value in template]
    return template


# --------------------------------------------------------------------------------------------- links to the next page


class Astray(ValueError):
    """A link to the next page that leads away from the API."""


def kept_link(options: HttpJsonOptions, link: str, answered_at: str) -> str | None:
    """A link to the next page as it is kept: path and query, without values that the options told; ``None`` if it is too
    long to be one. :class:`Astray` where it leads to another host, which is not to see our credentials."""
    if len(link) > TOKEN:
        return None
    try:
        whole = urlsplit(urljoin(answered_at, link.strip()))
        home = {urlsplit(address).hostname for address in (options.url, origin_of(options))}
        astray = whole.scheme not in ("http", "https") or whole.hostname not in home
    except ValueError:
        raise Astray("the link to the next page is none") from None
    if astray:
        raise Astray("the link to the next page leads to another host; it is not followed")
    own = {(name, text) for name, text in _pairs(options) if not PLACE.search(text)}
    pairs = [(n, _OWN if (n, v) in own else v) for n, v in parse_qsl(whole.query, keep_blank_values=True)]
    return f"{whole.path}?{urlencode(pairs, errors='replace')}"


def _with_own(options: HttpJsonOptions, link: str) -> str:
    """The whole address of a kept link."""
    path, _, query = link.partition("?")
    own = dict(_pairs(options))
    pairs = [(n, own.get(n, "") if v == _OWN else v) for n, v in parse_qsl(query, keep_blank_values=True)]
    address = f"{origin_of(options)}/{path.lstrip('/')}"
    return f"{address}?{urlencode(pairs, errors='replace')}" if pairs else address


def next_in_header(headers: Mapping[str, str]) -> str | None:
    """The next page's link in the header ``Link``."""
    for part in re.split(r",\s*(?=<)", headers.get("link", "")[:20_000])[:20]:
        link, end, told = part.strip().removeprefix("<").partition(">")
        if end and _NEXT.search(told):
            return link
    return None


def shown_query(options: HttpJsonOptions) -> Sequence[str]:
    """What is asked for where there is no term, without what may be secret."""
    return [f"what {urlsplit(options.url).hostname} lists"]
