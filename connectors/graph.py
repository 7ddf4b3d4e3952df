"""Asking Meta's Graph API, for Facebook pages and Instagram: its pages, its refusals, and a token that never leaves."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from pydantic import SecretStr

from connectors.asking import said
from connectors.contract import Context
from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, SourceError, Unavailable
from connectors.http import MAX_RETRY_AFTER, Answer, fate_of, host_of

API = "https://graph.facebook.com/v25.0"
TOO_OFTEN = frozenset({4, 17, 32, 613, *range(80_000, 80_015)})
REFUSED = frozenset({3, 10, 102, 190, *range(200, 300)})
NOT_THERE = frozenset({100, 803})
OUT_OF_ORDER = frozenset({1, 2})
_OF_A_PAGE = ("after", "until", "__paging_token", "offset")
"""What of the next page's address is kept. The token in it is not, and the address itself is never opened."""
_USAGE = ("x-business-use-case-usage", "x-app-usage")


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of an answer; ``next``: the parameters that the next page is asked for with."""

    entries: Sequence[Any]
    next: str | None


class Graph:
    """One source's way to the API. The token travels in a header and to this host only."""

    def __init__(
        self, base_url: str | None, access_token: SecretStr, app_secret: SecretStr | None, context: Context
    ) -> None:
        self._base = (base_url or API).rstrip("/")
        self._token = access_token
        self._app_secret = app_secret
        self._context = context

    def listing(self, path: str, params: Mapping[str, str | int], at: str | None = None) -> Listing:
        """One page of ``path``, the first one or the one ``at`` which a listing named."""
        body = self.get(path, {**params, **dict(parse_qsl(at or ""))})
        entries = body.get("data")
        if not isinstance(entries, list):
            raise Unavailable("Graph API: the answer holds no data; trying again later")
        return Listing(entries, next_of(body.get("paging")))

    def get(self, path: str, params: Mapping[str, str | int]) -> Mapping[str, Any]:
        """What a good answer says. Raises a fate."""
        address = f"{self._base}/{path}?{urlencode({**params, **self._proof()})}"
        headers = {"Authorization": f"Bearer {self._token.get_secret_value().strip()}"}
        answer = self._context.http.send("GET", address, headers=headers)
        refused = refusal(answer, self._context.now())
        if refused is not None:
            raise refused
        body = answer.json()
        if not isinstance(body, Mapping):
            raise Unavailable("Graph API: the answer is no object; trying again later")
        return body

    def _proof(self) -> dict[str, str]:
        """Shows that whoever uses the token knows the app's secret, too."""
        if self._app_secret is None:
            return {}
        key, token = (secret.get_secret_value().strip() for secret in (self._app_secret, self._token))
        return {"appsecret_proof": hmac.new(key.encode(), token.encode(), hashlib.sha256).hexdigest()}


def next_of(paging: object) -> str | None:
    """The parameters of the next page, ``None`` without one."""
    following = paging.get("next") if isinstance(paging, Mapping) else None
    if not isinstance(following, str):
        return None
    try:
        asked = dict(parse_qsl(urlsplit(following).query))
    except ValueError:
        return None
    kept = {name: asked[name] for name in _OF_A_PAGE if re.fullmatch(r"[!-~]{1,2000}", asked.get(name, ""))}
    return urlencode(kept) or None


def refusal(answer: Answer, now: datetime) -> SourceError | None:
    """The fate that an answer means, ``None`` of a good one. A refusal may come with status 200."""
    host = host_of(answer.url)
    error = said(answer).get("error") if answer.status >= 400 or b'"error"' in answer.body[:300] else None
    code = error.get("code") if isinstance(error, Mapping) else None
    if isinstance(code, int) and not isinstance(code, bool):
        return _meant(code, answer, host) or _by_status(answer, host, now)
    if isinstance(error, Mapping) and answer.status < 300:
        return Unavailable(f"{host}: answered with an error; trying again later")
    return None if 200 <= answer.status < 300 else _by_status(answer, host, now)


def _meant(code: int, answer: Answer, host: str) -> SourceError | None:
    if code in TOO_OFTEN:
        return RateLimited(f"{host}: asked too often (error {code})", _regained(answer))
    if code in REFUSED:
        remedy = "look at the access token: its end, and its permissions"
        return AccessDenied(f"{host}: refuses access (error {code}); {remedy}")
    if code in NOT_THERE:
        remedy = "look at its number, and at the access token's permissions"
        return NotThere(f"{host}: shows nothing under this number (error {code}); {remedy}")
    if code in OUT_OF_ORDER:
        return Unavailable(f"{host}: out of order (error {code}); trying again later")
    if code == 18:
        return RateLimited(f"{host}: thirty hashtags were searched within seven days; no other one is", MAX_RETRY_AFTER)
    return None


def _by_status(answer: Answer, host: str, now: datetime) -> SourceError:
    if answer.status < 400:
        return Malformed(f"{host}: does not take this request; look at the source's options")
    return fate_of(answer.status, answer.headers, host, now)


def _regained(answer: Answer) -> timedelta | None:
    """The wait that the usage headers name, in minutes, the longest of all."""
    waits = [minutes for name in _USAGE for minutes in _minutes(answer.headers.get(name, ""))]
    return min(timedelta(minutes=max(waits)), MAX_RETRY_AFTER) if waits else None


def _minutes(header: str) -> list[int]:
    try:
        held = json.loads(header) if header else None
    except (ValueError, RecursionError):
        return []
    groups = held.values() if isinstance(held, Mapping) else ()
    entries = [entry for group in groups if isinstance(group, list) for entry in group if isinstance(entry, Mapping)]
    waits = [entry.get("estimated_time_to_regain_access") for entry in entries]
    return [wait for wait in waits if isinstance(wait, int) and not isinstance(wait, bool) and 0 < wait < 100_000]
