"""Asking X's API version 2: its refusals, and what reading may cost in a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from functools import cache
from threading import Lock
from urllib.parse import urlencode

from pydantic import SecretStr

from connectors.asking import said
from connectors.contract import Context, Cursor, JsonValue, from_epoch
from connectors.entries import whole
from connectors.errors import AccessDenied, NotThere, RateLimited, SourceError, Unavailable
from connectors.http import MAX_RETRY_AFTER, Answer, fate_of, host_of
from connectors.tidy import digest

API = "https://api.x.com"


class Wire:
    """One source's way to the API."""

    def __init__(self, base_url: str | None, bearer_token: SecretStr, context: Context) -> None:
        self._base = (base_url or API).rstrip("/")
        self._token = bearer_token
        self._context = context

    def ask(self, path: str, params: Mapping[str, str | int]) -> Answer:
        """The answer, whatever it says. Raises only what keeps an answer from coming."""
        headers = {"Authorization": f"Bearer {self._token.get_secret_value().strip()}"}
        address = f"{self._base}{path}" + (f"?{urlencode(params)}" if params else "")
        return self._context.http.send("GET", address, headers=headers)

    def refused(self, answer: Answer) -> SourceError | None:
        """The fate that a refusal means, ``None`` of a good answer."""
        return refusal(answer, self._context.now())

    def get(self, path: str, params: Mapping[str, str | int]) -> object:
        """What a good answer says. Raises a fate."""
        answer = self.ask(path, params)
        refused = self.refused(answer)
        if refused is not None:
            raise refused
        return answer.json()

    def rereads(self) -> Purse:
        """What reading posts again has cost today, as far as this process and the cursors it has seen know."""
        return _rereads(self._base, digest(self._token.get_secret_value()))

    def recall(self, cursor: Cursor | None, names: tuple[str, ...]) -> None:
        """Learn from a cursor what was spent by other processes, too."""
        seconds, now = whole((cursor or {}).get("followers_at")), self._context.now()
        self.rereads().catch_up(Purse.of(cursor, "rereads"), now)
        asked = self._asked(names)
        if seconds is not None and seconds <= now.timestamp() and (not asked or asked[0].timestamp() < seconds):
            asked[:] = [from_epoch(seconds)]

    def memory(self, names: tuple[str, ...], ahead: int) -> dict[str, JsonValue]:
        """What :meth:`recall` goes by; ``ahead``: posts that are about to be read again."""
        asked, rereads = self._asked(names), self.rereads().to_json(ahead, self._context.now())
        return {"rereads": rereads, "followers_at": int(asked[0].timestamp()) if asked else None}

    def is_due(self, names: tuple[str, ...], every: timedelta) -> bool:
        """Was this not asked about these accounts within ``every``, as far as is known? Then it is asked now."""
        last, now = self._asked(names), self._context.now()
        if last and now - last[0] < every:
            return False
        last[:] = [now]
        return True

    def _asked(self, names: tuple[str, ...]) -> list[datetime]:
        return _last_asked(self._base, digest(self._token.get_secret_value()), names)


@dataclass(slots=True)
class Purse:
    """How many posts were read on a UTC day. They are put down before they are asked for, so that no crash forgets them."""

    day: str = ""
    spent: int = 0
    _lock: Lock = field(default_factory=Lock, repr=False)

    @classmethod
    def of(cls, cursor: Cursor | None, name: str = "spent") -> Purse:
        held = (cursor or {}).get(name)
        state = held if isinstance(held, Mapping) else {}
        day = state.get("day")
        return cls(day if isinstance(day, str) else "", whole(state.get("posts")) or 0)

    def to_json(self, ahead: int = 0, now: datetime | None = None) -> dict[str, JsonValue]:
        """``ahead``: posts that are about to be put down, ``now``."""
        with self._lock:
            if ahead and now is not None:
                self._begin(now)
            return {"day": self.day, "posts": self.spent + ahead}

    def catch_up(self, other: Purse, now: datetime) -> None:
        """Learn what another has put down for today, if that is more."""
        with self._lock:
            self._begin(now)
            if other.day == self.day:
                self.spent = max(self.spent, other.spent)

    def take(self, wanted: int, *, least: int, limit: int, now: datetime) -> int:
        """Put down what may be read at most: ``least`` to ``wanted``; ``RateLimited`` until tomorrow if that is too much."""
        with self._lock:
            self._begin(now)
            left = limit - self.spent
            if left < least:
                raise RateLimited("X: the day's posts are read; more would cost more than is allowed", _tomorrow(now))
            taken = min(wanted, left)
            self.spent += taken
            return taken

    def settle(self, taken: int, read: int, now: datetime) -> None:
        """Of what was put down so much was read indeed."""
        with self._lock:
            day = self.day
            self._begin(now)
            self.spent += read if self.day != day else read - taken

    def _begin(self, now: datetime) -> None:
        """A new day, a full purse; a clock that was set back makes no new day."""
        today = now.astimezone(UTC).date().isoformat()
        if self.day < today or len(self.day) != len(today):
            self.day, self.spent = today, 0


def refusal(answer: Answer, now: datetime) -> SourceError | None:
    """The fate that an answer means, ``None`` of a good one. Errors about single posts or authors are no refusal."""
    host, body = host_of(answer.url), said(answer) if answer.status >= 400 else {}
    if 200 <= answer.status < 300:
        return _limit_within(answer, host)
    if answer.status in range(300, 400):
        return Unavailable(f"{host}: answered {answer.status}, a redirect, which X does not give; trying again later")
    words = f"{body.get('title', '')} {body.get('type', '')} {body.get('detail', '')}"
    if answer.status == 402 or "CreditsDepleted" in words.replace(" ", ""):
        return AccessDenied(f"{host}: the credits are spent; add credits in X's developer console")
    if answer.status == 429 or _has_code(body, 88):
        return _too_often(answer, now, whole_month="UsageCapExceeded" in words.replace(" ", ""))
    if answer.status == 403 and "client-not-enrolled" in str(body.get("reason", "")):
        return AccessDenied(f"{host}: the app belongs to no project; attach it to one in X's developer console")
    if answer.status == 404:
        return NotThere(f"{host}: answered 404, there is nothing at this address; look at base_url")
    return fate_of(answer.status, answer.headers, host, now)


def _limit_within(answer: Answer, host: str) -> SourceError | None:
    """Old parts of X say with status 200 that it was asked too often."""
    if len(answer.body) > 2000 or not _has_code(said(answer), 88):
        return None
    return RateLimited(f"{host}: asked too often")


def _too_often(answer: Answer, now: datetime, *, whole_month: bool) -> RateLimited:
    host = host_of(answer.url)
    if whole_month:
        return RateLimited(
            f"{host}: the month's posts are read; raise the cap in X's developer console", MAX_RETRY_AFTER
        )
    fate = fate_of(429, answer.headers, host, now)
    wait = fate.retry_after if isinstance(fate, RateLimited) else None
    return RateLimited(f"{host}: answered 429, asked too often", wait if wait is not None else _reset(answer, now))


def _reset(answer: Answer, now: datetime) -> timedelta | None:
    """The wait until the moment (in seconds since 1970) that ``x-rate-limit-reset`` names."""
    said_at = answer.headers.get("x-rate-limit-reset", "")
    if not said_at.isascii() or not said_at.isdigit() or len(said_at) > 12:
        return None
    wait = timedelta(seconds=int(said_at) - int(now.timestamp()))
    return min(max(wait, timedelta(0)), MAX_RETRY_AFTER)


def _has_code(body: Mapping[str, object], code: int) -> bool:
    errors = body.get("errors")
    return isinstance(errors, list) and any(
        isinstance(error, Mapping) and error.get("code") == code for error in errors
    )


def _tomorrow(now: datetime) -> timedelta:
    midnight = datetime.combine(now.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
    return midnight - now


@cache
def _rereads(_base: str, _fingerprint: str) -> Purse:
    return Purse()


@cache
def _last_asked(_base: str, _fingerprint: str, _names: tuple[str, ...]) -> list[datetime]:
    return []
