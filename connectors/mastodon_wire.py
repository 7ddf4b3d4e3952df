"""A Mastodon server through Mastodon.py and the shared HTTP client, and every refusal by its fate.

Mastodon.py knows the addresses and their parameters and signs the requests; its session is ours, so that it never sleeps,
follows no proxy, no ``.netrc`` and no redirect, and stays within the source's time-outs, sizes and budget. It is shown no
answer: it would mend damage silently, put times into the machine's own zone, and quote texts in its errors. The answers are
read here, as they came.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import mastodon
import requests

from connectors.contract import Context
from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, SourceError, Unavailable
from connectors.http import USER_AGENT, Answer, fate_of, host_of, retry_after
from connectors.mastodon_options import MastodonOptions
from connectors.mastodon_parse import followers_of, id_of

PAGE_SIZE = 40
IDS_A_REQUEST = 20
"""What a server gives at once."""
LONGEST_WAIT = timedelta(hours=1)
A_VERSION = "4.3.0"
"""Named to Mastodon.py, which would ask the server otherwise; what a server cannot do it says itself."""


class Gone(NotThere):
    """The server says in its own words that there is no such thing; a page that is merely missing does not."""


class Client:
    """What is asked of a server: raw JSON, or one of the fates."""

    def __init__(self, options: MastodonOptions, context: Context) -> None:
        self._courier = Courier(options, context)
        self._host = options.host
        self._api = Api(
            api_base_url=(options.base_url or options.server).rstrip("/"),
            session=self._courier,
            user_agent=USER_AGENT,
            ratelimit_method="throw",
            mastodon_version=A_VERSION,
            version_check_mode="created",
        )
        if options.access_token is not None:
            # Not to the constructor, which takes a token that is also a file's name for that file.
            self._api.access_token = options.access_token.get_secret_value().strip()

    def tagged(self, tag: str, above: int, limit: int = PAGE_SIZE) -> object:
        """Statuses with this hashtag, those that follow upon the id ``above``."""
        return self._asked(lambda: self._api.timeline_hashtag(tag, min_id=above, limit=limit))

    def posted(self, account: int, above: int, *, boosts: bool) -> object:
        """What this account posted, following upon the id ``above``."""
        return self._asked(
            lambda: self._api.account_statuses(account, exclude_reblogs=not boosts, min_id=above, limit=PAGE_SIZE)
        )

    def found(self, query: str, bounds: tuple[int, int | None], offset: int, limit: int = PAGE_SIZE) -> object:
        """Statuses that the full-text search finds between two ids, newest first."""
        answer = self._asked(
            lambda: self._api.search_v2(
                query,
                resolve=False,
                result_type="statuses",
                min_id=bounds[0],
                max_id=bounds[1],
                offset=offset,
                limit=limit,
                exclude_unreviewed=False,
            )
        )
        return answer.get("statuses") if isinstance(answer, Mapping) else answer

    def account(self, name: str) -> tuple[int, int | None]:
        """An account's number on this server, and its followers; ``NotThere`` where the server does not know it."""
        try:
            answer = self._asked(lambda: self._api.account_lookup(name))
        except Gone as error:
            raise NotThere(f"{self._host}: knows no account @{name}; look at its spelling in accounts") from error
        try:
            return id_of(answer), followers_of(answer)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise Unavailable(f"{self._host}: the answer is no account; trying again later") from error

    def statuses(self, ids: Sequence[int]) -> object:
        """These statuses, at most :data:`IDS_A_REQUEST`; what is gone is left out."""
        try:
            return self._asked(lambda: self._api.statuses(list(ids)))
        except (NotThere, Malformed):  # Mastodon before 4.3 gives one at a time
            return [found for number in ids if (found := self._status(number)) is not None]

    def close(self) -> None:
        self._courier.close()

    def _status(self, number: int) -> object | None:
        try:
            found: object = self._asked(lambda: self._api.status(number))
        except Gone:
            return None
        return found

    def _asked(self, call: Callable[[], object]) -> Any:
        self._courier.forget()
        try:
            call()
        except mastodon.MastodonError as error:
            gave_up = type(error).__name__
        else:
            gave_up = "nothing was sent"
        if self._courier.failure is not None:
            raise self._courier.failure
        if self._courier.answer is None:
            raise Unavailable(f"{self._host}: Mastodon.py gave up ({gave_up}); trying again later")
        return self._courier.answer.json()


class Api(mastodon.Mastodon):
    """Mastodon.py without the question that it puts to the server before each timeline."""

    def timeline_is_available(self, *_args: Any, **_kwargs: Any) -> bool:
        return True


class Courier(requests.Session):
    """Mastodon.py's way to the network, which is ours. It keeps the answer, or what went wrong, and hands on an empty one."""

    def __init__(self, options: MastodonOptions, context: Context) -> None:
        super().__init__()
        self._context = context
        self._signed_in = options.access_token is not None
        self._resume_at: datetime | None = None
        self.answer: Answer | None = None
        self.failure: Exception | None = None

    def forget(self) -> None:
        self.answer, self.failure = None, None

    def request(self, method: Any, url: Any, **kwargs: Any) -> requests.Response:  # type: ignore[override]
        prepared = requests.Request(
            method, url, headers=kwargs.get("headers"), params=kwargs.get("params"), auth=kwargs.get("auth")
        ).prepare()
        try:
            self.answer = self._sent(method, str(prepared.url), {k: str(v) for k, v in prepared.headers.items()})
        except Exception as error:  # Mastodon.py makes every one a network error: it is kept here and raised again
            self.failure = error
            raise
        return _empty()

    def _sent(self, method: str, url: str, headers: Mapping[str, str]) -> Answer:
        self._refuse_while_limited()
        answer = self._context.http.send(method, url, headers=headers)
        now = self._context.now()
        self._resume_at = _resume_at(answer.headers, now)
        fate = fate_of_answer(answer, now, signed_in=self._signed_in)
        if fate is not None:
            raise fate
        return answer

    def _refuse_while_limited(self) -> None:
        left = None if self._resume_at is None else self._resume_at - self._context.now()
        if left is not None and left > timedelta(0):
            raise RateLimited("Mastodon: no requests are left in this window; going on when it ends", left)


def fate_of_answer(answer: Answer, now: datetime, *, signed_in: bool) -> SourceError | None:
    """What an answer of a server means; ``None`` if it is a good one."""
    host, status = host_of(answer.url), answer.status
    if status in range(200, 300):
        return None
    if status == 429:
        return RateLimited(
            f"{host}: answered 429, asked too often", retry_after(answer.headers, now) or _reset(answer.headers, now)
        )
    if status in range(300, 400):
        return _fate_of_redirect(answer, host)
    if status in (401, 403) or (status == 422 and not signed_in):
        return AccessDenied(f"{host}: answered {status}, {_REFUSED[signed_in]}")
    if status in (404, 410) and _says_so(answer):
        return Gone(f"{host}: answered {status}, there is no such thing (any more)")
    return fate_of(status, answer.headers, host, now)


_REFUSED = {
    True: "the access token is not (or no longer) allowed to do this; make a new one under Preferences, Development",
    False: "it shows this only to who is signed in; give an access_token, or ask another server",
}


def _fate_of_redirect(answer: Answer, host: str) -> SourceError:
    target = host_of(answer.headers.get("location", ""))
    if target in ("address", host):
        return Unavailable(f"{host}: leads in a circle; trying again later")
    return NotThere(f"{host}: the server has moved to {target}; write that as server")


def _says_so(answer: Answer) -> bool:
    try:
        said = json.loads(answer.body)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, Mapping) and "error" in said


def _resume_at(headers: Mapping[str, str], now: datetime) -> datetime | None:
    try:
        none_left = int(headers.get("x-ratelimit-remaining", "")) < 1
    except ValueError:
        return None
    wait = _reset(headers, now) if none_left else None
    return None if wait is None else now + wait


def _reset(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long until the window ends, which is told as a time, or as seconds since 1970."""
    told = headers.get("x-ratelimit-reset", "")
    try:
        end = datetime.fromtimestamp(int(told), UTC) if told.isdigit() else datetime.fromisoformat(told)
        wait = (end if end.tzinfo else end.replace(tzinfo=UTC)) - now
    except (ValueError, OverflowError, OSError):
        return None
    return min(max(wait, timedelta(seconds=1)), LONGEST_WAIT)


def _empty() -> requests.Response:
    response = requests.Response()
    response.status_code, response.encoding = 200, "utf-8"
    response._content = b"{}"
    return response
