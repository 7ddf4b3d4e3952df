"""One way to Reddit's servers: the shared HTTP client, Reddit's own limits, and every refusal by its fate."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from connectors.contract import Context
from connectors.errors import AccessDenied, NotThere, RateLimited, SourceError, Unavailable
from connectors.http import Answer, fate_of, host_of, retry_after

TOKEN_PATH = "/api/v1/access_token"  # noqa: S105  an address, not a token
WINDOW = timedelta(minutes=10)
"""Reddit counts requests over this long; a limit that names no end is waited out so long at most."""
APPS = "https://www.reddit.com/prefs/apps"


class TokenRefused(Exception):
    """The access token is not taken (any more); a new one may be."""


class Wire:
    """Sends a request and brings its answer if that is good; else raises its fate, or :class:`TokenRefused`.

    Once Reddit says that no requests are left, the next one is refused here with the time to wait; nothing ever sleeps.
    ``signed_in``: whether Reddit gave a token, so that what is refused now is a place, not the credentials.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._resume_at: datetime | None = None
        self.signed_in = False

    def send(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> Answer:
        self._refuse_while_limited()
        for_token = urlsplit(url).path.endswith(TOKEN_PATH)
        self.signed_in = self.signed_in or not for_token
        answer = self._context.http.send(method, url, headers=headers, content=content)
        self._resume_at = _resume_at(answer.headers, self._context.now())
        if answer.status == 401 and not for_token:
            raise TokenRefused
        fate = fate_of_answer(answer, self._context.now(), for_token=for_token)
        if fate is not None:
            raise fate
        return answer

    def _refuse_while_limited(self) -> None:
        left = None if self._resume_at is None else self._resume_at - self._context.now()
        if left is not None and left > timedelta(0):
            raise RateLimited("reddit.com: no requests are left in this window; going on when it ends", left)


def fate_of_answer(answer: Answer, now: datetime, *, for_token: bool) -> SourceError | None:
    """What an answer of Reddit means; ``None`` if it is a good one."""
    if answer.status in range(200, 300):
        return None
    if answer.status == 429:
        wait = retry_after(answer.headers, now) or _reset(answer.headers)
        return RateLimited("reddit.com: answered 429, asked too often", wait)
    if for_token:
        return _fate_of_sign_in(answer, now)
    said = f"{_subject(answer.url)}: answered {answer.status}{_reason(answer)}"
    if answer.status in (301, 302, 303, 307, 308):
        return _fate_of_redirect(answer, said)
    if answer.status in (403, 451):
        return AccessDenied(f"{said}: private, quarantined or closed to this app; take it out or ask for access")
    if answer.status in (404, 410):
        return NotThere(f"{said}: there is no such subreddit (any more); look at its spelling in subreddits")
    return fate_of(answer.status, answer.headers, _subject(answer.url), now)


def _fate_of_sign_in(answer: Answer, now: datetime) -> SourceError:
    if answer.status in (400, 401, 403):
        return AccessDenied(
            f"reddit.com: answered {answer.status} to the sign-in; look at client_id and client_secret ({APPS}), "
            "and whether Reddit has approved the app"
        )
    if answer.status in range(300, 400):
        return Unavailable(f"{host_of(answer.url)}: the sign-in is redirected elsewhere; trying again later")
    return fate_of(answer.status, answer.headers, host_of(answer.url), now)


def _fate_of_redirect(answer: Answer, said: str) -> SourceError:
    """Reddit leads from a subreddit that does not exist to a search for its name."""
    if urlsplit(answer.headers.get("location", "")).path.startswith("/login"):
        return AccessDenied(f"{said} and leads to the sign-in; look at the app's rights ({APPS})")
    return NotThere(f"{said} and leads elsewhere: there is no such subreddit; look at its spelling in subreddits")


def _subject(url: str) -> str:
    found = re.search(r"/(r/[^/]+)/", urlsplit(url).path)
    return found.group(1) if found else host_of(url)


def _reason(answer: Answer) -> str:
    """Reddit's own word for a refusal, such as ``private``, ``banned`` or ``quarantined``."""
    try:
        data = json.loads(answer.body)
    except (ValueError, RecursionError):
        return ""
    reason = data.get("reason") if isinstance(data, Mapping) else None
    return f" ({reason})" if isinstance(reason, str) and re.fullmatch(r"\w{1,40}", reason) else ""


def _resume_at(headers: Mapping[str, str], now: datetime) -> datetime | None:
    remaining = _number(headers.get("x-ratelimit-remaining"))
    return now + (_reset(headers) or WINDOW) if remaining is not None and remaining < 1 else None


def _reset(headers: Mapping[str, str]) -> timedelta | None:
    seconds = _number(headers.get("x-ratelimit-reset"))
    return None if seconds is None else min(max(timedelta(seconds=seconds), timedelta(seconds=1)), WINDOW)


def _number(value: str | None) -> float | None:
    """A header's number, whole or not; ``None`` without a sensible one."""
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if abs(number) < 1e9 else None
