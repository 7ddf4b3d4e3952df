"""How the YouTube Data API is asked: the day's units, the key, and refusals by their reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from connectors.asking import ask, said
from connectors.contract import Context, JsonValue
from connectors.errors import AccessDenied, NotThere, RateLimited, SourceError, Unavailable
from connectors.http import Answer, retry_after
from connectors.youtube_options import YouTubeOptions

API = "https://www.googleapis.com/youtube/v3"
PACIFIC = ZoneInfo("America/Los_Angeles")
"""The day of the units begins at midnight here."""
A_WHILE = timedelta(minutes=1)

_GONE = frozenset(
    {"videoNotFound", "channelNotFound", "playlistNotFound", "commentThreadNotFound", "commentNotFound", "notFound"}
)
_KEY = frozenset({"keyInvalid", "keyExpired", "API_KEY_INVALID", "dailyLimitExceededUnreg"})
_NOT_ALLOWED = frozenset({"accessNotConfigured", "ipRefererBlocked", "SERVICE_DISABLED", "API_KEY_SERVICE_BLOCKED"})
_DAY_SPENT = frozenset({"quotaExceeded", "dailyLimitExceeded"})
_TOO_OFTEN = frozenset({"rateLimitExceeded", "userRateLimitExceeded", "RATE_LIMIT_EXCEEDED"})
_PASSING = frozenset({"processingFailure", "backendError", "internalError"})


class Gone(NotThere):
    """YouTube says that there is no such thing, and not merely that nothing is at this address."""


class CommentsDisabled(Gone):
    """The video is there; nobody may comment on it."""


class Ledger:
    """The units spent in a day (Pacific time): ``spent`` by pulls, ``drawn`` from the reserve by checks and by reading again.

    Before :meth:`load` only the reserve may be spent: what was spent is unknown.
    """

    def __init__(self, options: YouTubeOptions, context: Context) -> None:
        self._daily = options.daily_units
        self._reserve = options.reserve_units
        self._now = context.now
        self._day = self._today()
        self._spent = self._drawn = 0
        self._from_reserve = True

    def load(self, state: object) -> None:
        """Go on from what a cursor holds, and leave the reserve alone from now on; a damaged state is a new day."""
        held = state if isinstance(state, Mapping) else {}
        self._day, self._from_reserve = self._today(), False
        is_today = held.get("day") == self._day.isoformat()
        self._spent, self._drawn = (_units(held.get(name)) if is_today else 0 for name in ("spent", "drawn"))

    def draw_on_reserve(self) -> None:
        """From now on units come out of the reserve, so that what pulls may spend is left to them."""
        self._from_reserve = True

    def to_json(self, ahead: int = 0) -> Mapping[str, JsonValue]:
        """``ahead``: units that are about to be drawn from the reserve."""
        self._turn_the_page()
        return {"day": self._day.isoformat(), "spent": self._spent, "drawn": self._drawn + ahead}

    def affords(self, units: int) -> bool:
        self._turn_the_page()
        if self._from_reserve:
            return self._drawn + units <= self._reserve
        return self._spent + units <= self._daily - self._reserve

    def take(self, units: int) -> None:
        """Count units before they are spent; ``RateLimited`` until the next Pacific midnight if there are none left."""
        if not self.affords(units):
            raise self.spent()
        if self._from_reserve:
            self._drawn += units
        else:
            self._spent += units

    def exhaust(self) -> None:
        """YouTube itself says that nothing is left."""
        self._turn_the_page()
        self._spent, self._drawn = max(self._spent, self._daily), max(self._drawn, self._reserve)

    def spent(self) -> RateLimited:
        return RateLimited(
            f"YouTube: of {self._daily:,} units a day those that may be spent are; going on after midnight Pacific time",
            until_midnight(self._now()),
        )

    def _turn_the_page(self) -> None:
        if self._today() > self._day:
            self._day, self._spent, self._drawn = self._today(), 0, 0

    def _today(self) -> date:
        return self._now().astimezone(PACIFIC).date()


def _units(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def until_midnight(now: datetime) -> timedelta:
    """How long until the next Pacific midnight, when the units begin anew."""
    tomorrow = now.astimezone(PACIFIC).date() + timedelta(days=1)
    return datetime.combine(tomorrow, time(), PACIFIC).astimezone(now.tzinfo) - now


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of anything. ``next`` is its page token."""

    entries: Sequence[Any]
    next: str | None


class Api:
    """Asks, having counted the units first."""

    def __init__(self, options: YouTubeOptions, context: Context, ledger: Ledger) -> None:
        self._base = (options.base_url or API).rstrip("/")
        self._headers = {"X-Goog-Api-Key": options.api_key.get_secret_value()}
        self._context = context
        self._ledger = ledger

    def list(self, resource: str, params: Mapping[str, str | int | None], *, units: int = 1) -> Listing:
        """One page of ``resource``; ``units=0`` where they were counted already. Raises a fate."""
        self._ledger.take(units)
        given = {name: value for name, value in params.items() if value is not None}
        answer = ask(
            self._context.http, f"{self._base}/{resource}", given, headers=self._headers, judge=self._judge
        ).json()
        kind = answer.get("kind") if isinstance(answer, Mapping) else None
        entries = answer.get("items", []) if isinstance(kind, str) and kind.startswith("youtube#") else None
        if not isinstance(entries, list):
            raise Unavailable("YouTube: the answer is no list; trying again later")
        token = answer.get("nextPageToken")
        return Listing(entries, token if isinstance(token, str) and token else None)

    def _judge(self, answer: Answer) -> SourceError | None:
        reasons, message = _reasons(answer)
        if reasons & _DAY_SPENT or (reasons & _TOO_OFTEN and "per day" in message):
            self._ledger.exhaust()
            return self._ledger.spent()
        if reasons & _TOO_OFTEN:
            return RateLimited("YouTube: asked too often", retry_after(answer.headers, self._context.now()) or A_WHILE)
        return _fate(reasons)


def _fate(reasons: frozenset[str]) -> SourceError | None:
    if "commentsDisabled" in reasons:
        return CommentsDisabled("YouTube: this video does not take comments")
    if reasons & _GONE:
        return Gone("YouTube: there is no such channel, video or comment; look at channels and videos")
    if reasons & _KEY:
        return AccessDenied("YouTube: the key is not valid; look at api_key")
    if reasons & _NOT_ALLOWED:
        return AccessDenied(
            "YouTube: the key may not be used for this; enable the YouTube Data API v3 in its Google Cloud project, and"
            " look at the restrictions of the key"
        )
    if reasons & _PASSING:
        return Unavailable("YouTube: could not answer this time; trying again later")
    return None


def _reasons(answer: Answer) -> tuple[frozenset[str], str]:
    """Every reason that a refusal gives, in the older and the newer shape, and its message."""
    error = said(answer).get("error")
    if not isinstance(error, Mapping):
        return frozenset(), ""
    entries = [entry for name in ("errors", "details") for entry in _listed(error.get(name))]
    reasons = (entry.get("reason") for entry in entries if isinstance(entry, Mapping))
    return frozenset(reason for reason in reasons if isinstance(reason, str)), str(error.get("message"))


def _listed(value: object) -> Sequence[object]:
    return value if isinstance(value, list) else ()
