"""Asking GitHub: its REST API and its GraphQL API, with their limits, and refusals by fate."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from connectors.asking import said
from connectors.contract import Context, from_epoch
from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, SourceError, Unavailable
from connectors.github_options import GitHubOptions
from connectors.http import MAX_RETRY_AFTER, Answer, fate_of, host_of, retry_after

API = "https://api.github.com"
ENTERPRISE = "/api/v3"
"""How the address of an Enterprise Server's REST API ends; its GraphQL API lies beside it."""
MAX_REDIRECTS = 3
SECONDARY_WAIT = timedelta(minutes=1)
"""GitHub asks for at least a minute where it names no time."""


@dataclass(frozen=True, slots=True)
class Found:
    """What GraphQL found. ``missing``: paths of what is not there; ``faults``: the types of all other errors."""

    data: Mapping[str, Any]
    missing: frozenset[tuple[str, ...]]
    faults: Sequence[str]


class Wire:
    """One source's way to GitHub. It stops asking where GitHub said that no request is left."""

    def __init__(self, options: GitHubOptions, context: Context) -> None:
        self._base = (options.base_url or API).rstrip("/")
        self._context = context
        self._spent: dict[str, datetime] = {}
        token = options.token.get_secret_value().strip() if options.token else ""
        self._headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.signed_in = bool(token)

    def get(self, path: str, params: Mapping[str, str | int] | None = None, *, etag: str | None = None) -> Answer:
        """The answer: a good one, or 304 where ``etag`` still holds. Raises a fate.

        Redirects (a renamed repository) are followed on the same host only, since the token goes along.
        """
        headers = {
            "Accept": "application/vnd.github.text+json",
            "X-GitHub-Api-Version": "2022-11-28",
            **({"If-None-Match": etag} if etag and etag.isascii() and etag.isprintable() else {}),
        }
        url = f"{self._base}/{path}" + (f"?{urlencode(params)}" if params else "")
        for _ in range(MAX_REDIRECTS + 1):
            answer = self._once("GET", url, headers, "search" if path.startswith("search/") else "core")
            if answer.status not in (301, 302, 303, 307, 308):
                return self._judged(answer)
            url = _target(url, answer)
        raise Unavailable("GitHub: redirects without end; trying again later")

    def ask(self, query: str, variables: Mapping[str, Any]) -> Found:
        """What a GraphQL query finds. Raises a fate where it finds nothing for another reason than that it is not there."""
        body = json.dumps({"query": query, "variables": dict(variables)}).encode()
        url = f"{self._base.removesuffix(ENTERPRISE)}/{'api/' if self._base.endswith(ENTERPRISE) else ''}graphql"
        headers = {"Content-Type": "application/json"}
        answer = self._judged(self._once("POST", url, headers, "graphql", body))
        return _found(answer, self._context.now())

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], resource: str, content: bytes | None = None
    ) -> Answer:
        until = self._spent.get(resource)
        if until is not None and until > self._context.now():
            raise RateLimited("GitHub: no request is left for now", until - self._context.now())
        answer = self._context.http.send(method, url, headers={**headers, **self._headers}, content=content)
        if answer.headers.get("x-ratelimit-remaining", "").strip() == "0":
            now = self._context.now()
            self._spent[resource] = now + (_until_reset(answer, now) or timedelta(0))
        return answer

    def _judged(self, answer: Answer) -> Answer:
        if 200 <= answer.status < 300 or answer.not_modified:
            return answer
        raise refusal(answer, self._context.now())


def refusal(answer: Answer, now: datetime) -> SourceError:
    """The fate that GitHub's refusal means. A limit that is reached is a 403 or a 429, a missing right a 403 too."""
    host = host_of(answer.url)
    words = str(said(answer).get("message", "")).lower()
    if answer.status == 429 or (answer.status == 403 and _is_limit(answer, words)):
        wait = retry_after(answer.headers, now) or _until_reset(answer, now) or SECONDARY_WAIT
        return RateLimited(f"{host}: answered {answer.status}, asked too often", wait)
    if answer.status == 403:
        return AccessDenied(f"{host}: answered 403, access refused; look at the token and its rights")
    if answer.status in (410, 451):
        return NotThere(f"{host}: answered {answer.status}, this is turned off or taken down; look at repositories")
    if 300 <= answer.status < 400:
        return Unavailable(f"{host}: answered {answer.status}; trying again later")
    return fate_of(answer.status, answer.headers, host, now)


def _is_limit(answer: Answer, words: str) -> bool:
    spent = answer.headers.get("x-ratelimit-remaining", "").strip() == "0"
    return spent or "retry-after" in answer.headers or "rate limit" in words or "abuse" in words


def _until_reset(answer: Answer, now: datetime) -> timedelta | None:
    """How long until requests are allowed again; ``None`` if unknown, as where one of the clocks is wrong."""
    if answer.headers.get("x-ratelimit-remaining", "").strip() != "0":
        return None
    try:
        wait = from_epoch(float(answer.headers["x-ratelimit-reset"])) - now
    except (KeyError, ValueError):
        return None
    return min(wait, MAX_RETRY_AFTER) if wait > timedelta(0) else None


def _target(url: str, answer: Answer) -> str:
    try:
        target = urljoin(url, answer.headers.get("location", ""))
        same = urlsplit(target)[:2] == urlsplit(url)[:2]
    except ValueError:
        same = False
    if not same:
        raise Unavailable("GitHub: a redirect to another host, which is not followed; trying again later")
    return target


def _found(answer: Answer, now: datetime) -> Found:
    body = answer.json()
    if not isinstance(body, Mapping):
        raise Unavailable("GitHub: the answer is no object; trying again later")
    data, errors = body.get("data"), body.get("errors")
    errors = [error for error in errors if isinstance(error, Mapping)] if isinstance(errors, list) else []
    missing = frozenset(_path(error) for error in errors if error.get("type") == "NOT_FOUND")
    faults = [str(error.get("type", ""))[:60] for error in errors if error.get("type") != "NOT_FOUND"]
    if "RATE_LIMITED" in faults or "RATE_LIMIT" in faults:
        raise RateLimited("GitHub: asked GraphQL too often", _until_reset(answer, now) or SECONDARY_WAIT)
    if not isinstance(data, Mapping):
        raise _fault_of(faults)
    return Found(data, missing, faults)


def _path(error: Mapping[str, Any]) -> tuple[str, ...]:
    path = error.get("path")
    return tuple(map(str, path)) if isinstance(path, list) else ()


def fault_in(found: Found) -> SourceError:
    """The fate of a query that did not find what it asked for."""
    if found.missing and not found.faults:
        return NotThere("GitHub: there is no such repository, or the token may not see it; look at repositories")
    return _fault_of(found.faults)


def _fault_of(faults: Sequence[str]) -> SourceError:
    if any(fault in ("FORBIDDEN", "INSUFFICIENT_SCOPES", "SAML_ENFORCEMENT") for fault in faults):
        return AccessDenied("GitHub: the token may not see this; look at its rights")
    if any("CURSOR" in fault for fault in faults):
        return Malformed("GitHub: it does not take the place to go on from")
    told = f" ({', '.join(fault for fault in faults if fault.isidentifier())})" if any(faults) else ""
    return Unavailable(f"GitHub: GraphQL gives no answer{told}; trying again later")


def whole_seconds(at: float) -> str:
    """A moment as GitHub's parameters want it."""
    try:
        return from_epoch(math.floor(at)).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        return "1970-01-01T00:00:00Z"
