"""Asking Stack Exchange's API: its limits, its waits and its refusals, which all come as HTTP 400."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from connectors.asking import ask, said
from connectors.contract import Context, JsonValue, from_epoch
from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, SourceError, Unavailable
from connectors.http import MAX_RETRY_AFTER, Answer, host_of
from connectors.stackexchange_options import StackExchangeOptions

API = "https://api.stackexchange.com/2.3"
EVERYTHING = "every method"
"""In whose name the wait for the next day's quota is kept."""
_SECONDS = re.compile(r"(\d{1,9}) seconds?")


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of an answer."""

    rows: Sequence[Any]
    has_more: bool


class Wire:
    """One source's way to the API. What it is told to wait for, it waits for: a request before that is not sent."""

    def __init__(self, options: StackExchangeOptions, context: Context) -> None:
        self._base = (options.base_url or API).rstrip("/")
        self._context = context
        self._key = options.key.get_secret_value().strip() if options.key else ""
        self._until: dict[str, datetime] = {}

    def get(self, path: str, params: Mapping[str, str | int], *, ids: Sequence[int] = ()) -> Listing:
        """One page of ``path``, in which ``{ids}`` stands for the ids. Raises a fate."""
        self._heed(path)
        url = f"{self._base}/{path.replace('{ids}', ';'.join(map(str, ids)))}"
        secret = {"key": self._key} if self._key else {}
        body = ask(self._context.http, url, {**params, **secret}, judge=refusal).json()
        if not isinstance(body, Mapping) or not isinstance(body.get("items"), list):
            raise Unavailable("Stack Exchange: the answer is no listing; trying again later")
        self._note(path, body)
        return Listing(body["items"], body.get("has_more") is True)

    def waits(self) -> Mapping[str, JsonValue]:
        """What is still to be waited for, for the cursor; in seconds since 1970."""
        now = self._context.now()
        return {path: until.timestamp() for path, until in self._until.items() if until > now}

    def resume(self, waits: object) -> None:
        """Go on waiting for what a cursor holds, but no longer than a day, whatever it holds."""
        latest = self._context.now() + MAX_RETRY_AFTER
        for path, until in waits.items() if isinstance(waits, Mapping) else ():
            if isinstance(until, int | float) and not isinstance(until, bool) and 0 < until <= latest.timestamp():
                self._until[str(path)] = from_epoch(until)

    def _heed(self, path: str) -> None:
        now = self._context.now()
        if any(self._until.get(name, now) > now for name in (path, self._quota)):
            raise RateLimited(
                "Stack Exchange: it asks to wait before the next request", max(self._until.values()) - now
            )

    def _note(self, path: str, body: Mapping[str, Any]) -> None:
        now = self._context.now()
        backoff, left = body.get("backoff"), body.get("quota_remaining")
        if isinstance(backoff, int | float) and not isinstance(backoff, bool) and backoff > 0:
            longest = MAX_RETRY_AFTER.total_seconds()
            self._until[path] = now + timedelta(seconds=math.ceil(min(backoff, longest)))
        if isinstance(left, int) and not isinstance(left, bool) and left <= 0:
            self._until[self._quota] = _next_day(now)

    @property
    def _quota(self) -> str:
        """A key that is added later has a quota of its own."""
        return f"{EVERYTHING}, with a key" if self._key else EVERYTHING


def _next_day(now: datetime) -> datetime:
    """When quotas begin anew: midnight UTC."""
    return datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)


def refusal(answer: Answer) -> SourceError | None:
    """The fate that a refusal's ``error_id`` means; ``None`` where it has none and the status must do."""
    body, host = said(answer), host_of(answer.url)
    number, words = body.get("error_id"), str(body.get("error_message", ""))
    if number == 502:
        return RateLimited(f"{host}: asked too often, or the day's quota is spent; a free key raises it", _told(words))
    if number in (500, 503):
        return Unavailable(f"{host}: out of order (error {number}); trying again later")
    if number in (401, 402, 403, 405, 406) or (number == 400 and "key" in words.split(" ")[0]):
        return AccessDenied(f"{host}: refuses access (error {number}); look at the key")
    if number == 400 and "site" in words.lower():
        return NotThere(f"{host}: there is no such site; look at the option site")
    if isinstance(number, int):
        return Malformed(f"{host}: does not take this request (error {number}); look at the source's options")
    return None


def _told(words: str) -> timedelta | None:
    found = _SECONDS.search(words)
    return min(timedelta(seconds=int(found[1])), MAX_RETRY_AFTER) if found else None
