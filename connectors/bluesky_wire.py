"""Bluesky's XRPC over the shared HTTP client: signing in, asking with and without, and every refusal by its fate.

A sign-in lets the server name the host on which the account lives. Only a host that is to be expected is followed: whoever
gets the token can act as the account.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from urllib.parse import urlencode

from connectors.asking import said
from connectors.bluesky_options import ENTRYWAY, BlueskyOptions
from connectors.contract import Context, from_epoch
from connectors.errors import AccessDenied, NotThere, RateLimited, SourceError, Unavailable
from connectors.http import MAX_RETRY_AFTER, Answer, fate_of, host_of, retry_after

PUBLIC = "https://public.api.bsky.app"
HOSTED = ".host.bsky.network"
"""Where the accounts live that sign in at bsky.social."""
SIGN_IN = "com.atproto.server.createSession"
PASSWORDS = "https://bsky.app/settings/app-passwords"
WORN_OUT = frozenset({"ExpiredToken", "InvalidToken", "AuthMissing"})
MISSING = frozenset({"AccountTakedown", "AccountDeactivated", "ActorNotFound", "RepoNotFound", "RepoTakendown"})

Params = Sequence[tuple[str, str | int]]


class TokenRefused(Exception):
    """The token is not taken (any more); a new one may be."""


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in: its token, and the host that takes it."""

    token: str = field(repr=False)
    base: str


@dataclass(slots=True)
class Drawer:
    """Keeps the session of one account. Bluesky allows some hundred sign-ins a day, so a session outlives the pull."""

    session: Session | None = None


class Xrpc:
    """What is asked of Bluesky: JSON, or one of the fates."""

    def __init__(self, options: BlueskyOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._service = (options.base_url or options.service).rstrip("/")
        self._public = (options.base_url or PUBLIC).rstrip("/")
        self._resume_at: dict[str, datetime] = {}

    def public(self, method: str, params: Params) -> object:
        """Asks without a sign-in."""
        return self._get(self._public, method, params, {}).json()

    def signed(self, method: str, params: Params) -> object:
        """Asks as the account. A token that is refused before its time is replaced once."""
        try:
            return self._with_token(method, params)
        except TokenRefused:
            self._drawer().session = None
        try:
            return self._with_token(method, params)
        except TokenRefused as error:
            raise AccessDenied(f"bsky.app: refuses a new token; look at the app password ({PASSWORDS})") from error

    def _with_token(self, method: str, params: Params) -> object:
        drawer = self._drawer()
        if drawer.session is None:
            drawer.session = self._sign_in()
        session = drawer.session
        return self._get(session.base, method, params, {"Authorization": f"Bearer {session.token}"}).json()

    def _drawer(self) -> Drawer:
        return _drawer(self._service, self._options.identifier or "", _fingerprint(self._password))

    @property
    def _password(self) -> str:
        secret = self._options.app_password
        return "" if secret is None else secret.get_secret_value().strip()

    def _sign_in(self) -> Session:
        body = json.dumps({"identifier": (self._options.identifier or "").strip(), "password": self._password}).encode()
        url = f"{self._service}/xrpc/{SIGN_IN}"
        answer = self._context.http.send("POST", url, headers={"Content-Type": "application/json"}, content=body)
        if not _is_good(answer):
            raise fate_of_sign_in(answer, self._context.now())
        told = answer.json()
        token = told.get("accessJwt") if isinstance(told, Mapping) else None
        if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]+", token):
            raise Unavailable(f"{host_of(url)}: the sign-in brought no token; trying again later")
        return Session(token, home_of(told, self._service))

    def _get(self, base: str, method: str, params: Params, headers: Mapping[str, str]) -> Answer:
        self._refuse_while_limited(base)
        answer = self._context.http.send("GET", f"{base}/xrpc/{method}?{urlencode(params)}", headers=headers)
        self._note_limits(base, answer)
        if _is_good(answer):
            return answer
        if headers and (answer.status == 401 or _word(answer) in WORN_OUT):
            raise TokenRefused
        raise fate_of_answer(answer, self._context.now(), signed_in=bool(headers))

    def _note_limits(self, base: str, answer: Answer) -> None:
        left, wait = answer.headers.get("ratelimit-remaining"), _reset(answer.headers, self._context.now())
        if left == "0" and wait is not None:
            self._resume_at[base] = self._context.now() + wait

    def _refuse_while_limited(self, base: str) -> None:
        end = self._resume_at.get(base)
        if end is not None and end > self._context.now():
            wait = end - self._context.now()
            raise RateLimited("bsky.app: no requests are left in this window; going on when it ends", wait)


@cache
def _drawer(_service: str, _identifier: str, _fingerprint: str) -> Drawer:
    """One for each account; a new password is a new account."""
    return Drawer()


def _fingerprint(password: str) -> str:
    return hashlib.sha256(password.encode("utf-8", "replace")).hexdigest()


def home_of(told: Mapping[str, object], service: str) -> str:
    """Where the account lives: the host that its identity names, if that is to be expected; else where it signed in."""
    document = told.get("didDoc")
    entries = document.get("service") if isinstance(document, Mapping) else None
    for entry in entries if isinstance(entries, list) else []:
        endpoint = entry.get("serviceEndpoint") if isinstance(entry, Mapping) else None
        if isinstance(endpoint, str) and str(entry.get("id", "")).endswith("#atproto_pds"):
            return endpoint.rstrip("/") if _is_expected(endpoint.rstrip("/"), service) else service
    return service


def _is_expected(endpoint: str, service: str) -> bool:
    """The service itself, or for accounts that Bluesky hosts one of its machines."""
    hosted = service == ENTRYWAY and re.fullmatch(rf"https://[a-z0-9.-]+{re.escape(HOSTED)}", endpoint) is not None
    return endpoint == service or hosted


def fate_of_answer(answer: Answer, now: datetime, *, signed_in: bool = False) -> SourceError:
    """What a refusal means."""
    host, word = host_of(answer.url), _word(answer)
    if answer.status == 429:
        return _too_often(answer, now)
    if answer.status in range(300, 400):
        return Unavailable(f"{host}: leads elsewhere, which is not followed; trying again later")
    if signed_in and word in MISSING:
        return AccessDenied(f"{host}: the account that signs in is deactivated or locked; look at identifier")
    if answer.status in (400, 404) and (word in MISSING or _says_not_found(answer)):
        return NotThere(f"{host}: there is no such account (any more); look at its spelling in accounts")
    if answer.status in (401, 403):
        return AccessDenied(f"{host}: answered {answer.status}, refused; look at the account and its app password")
    return fate_of(answer.status, answer.headers, host, now)


def fate_of_sign_in(answer: Answer, now: datetime) -> SourceError:
    """What a refused sign-in means."""
    host, word = host_of(answer.url), _word(answer)
    if answer.status == 429:
        return _too_often(answer, now)
    if word == "AuthFactorTokenRequired":
        return AccessDenied(f"{host}: wants a code sent by mail; give an app password instead ({PASSWORDS})")
    if answer.status in (400, 401, 403):
        return AccessDenied(f"{host}: refuses the sign-in; look at identifier and app_password ({PASSWORDS})")
    return fate_of_answer(answer, now)


def _too_often(answer: Answer, now: datetime) -> RateLimited:
    wait = retry_after(answer.headers, now) or _reset(answer.headers, now)
    return RateLimited(f"{host_of(answer.url)}: answered 429, asked too often", wait)


def _is_good(answer: Answer) -> bool:
    return answer.status in range(200, 300)


def _word(answer: Answer) -> str:
    """Bluesky's own word for a refusal, such as ``ExpiredToken``."""
    word = said(answer).get("error")
    return word if isinstance(word, str) else ""


def _says_not_found(answer: Answer) -> bool:
    message = said(answer).get("message")
    return (
        isinstance(message, str)
        and re.match(r"(?:Error: )?(?:profile|actor) not found", message, re.IGNORECASE) is not None
    )


def _reset(headers: Mapping[str, str], now: datetime) -> timedelta | None:
    """How long until the window ends, which is told in seconds since 1970."""
    try:
        wait = from_epoch(int(headers.get("ratelimit-reset", ""))) - now
    except ValueError:
        return None
    return min(max(wait, timedelta(seconds=1)), MAX_RETRY_AFTER)
