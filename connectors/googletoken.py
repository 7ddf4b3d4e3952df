"""Access tokens of a Google service account: its key signs for itself, the token's address answers (RFC 7523)."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from pydantic import SecretStr

from connectors.asking import said
from connectors.entries import whole
from connectors.errors import AccessDenied, Unavailable
from connectors.http import Answer, HttpClient, fate_of, host_of
from connectors.signing import signed_token

GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ASSERTION_LIFE = timedelta(hours=1)
SPARE = timedelta(minutes=2)
"""A token is renewed so long before it ends."""

_DAY_SECONDS = 86_400
_REFUSALS = frozenset({"invalid_grant", "invalid_client", "invalid_scope", "unauthorized_client"})


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """What the file that Google makes for a service account says."""

    email: str
    private_key: str = field(repr=False)
    key_id: str | None
    token_uri: str


def service_account_of(document: str) -> ServiceAccount:
    """The account in the JSON that Google lets one download; ``ValueError`` says what is missing and shows nothing of it."""
    try:
        held = json.loads(document)
    except (ValueError, RecursionError):
        raise ValueError("is no JSON; give the whole contents of the service account's key file") from None
    if not isinstance(held, Mapping) or held.get("type") != "service_account":
        raise ValueError("is no service account's key; make one of the type JSON in the Google Cloud console")
    return ServiceAccount(
        _said(held, "client_email"),
        _said(held, "private_key"),
        held["private_key_id"] if isinstance(held.get("private_key_id"), str) else None,
        _said(held, "token_uri"),
    )


def _said(held: Mapping[str, Any], name: str) -> str:
    value = held.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"has no {name}; give the whole contents of the service account's key file")
    return value


class Tokens:
    """Keeps the token until it ends. It is asked for at the account's own address alone; no redirect is followed there."""

    def __init__(
        self, document: SecretStr, scope: str, http: HttpClient, now: Callable[[], datetime], *, plain_host: str | None
    ) -> None:
        """``document``: the key file's contents; ``plain_host``: a host (with its port) that may be asked without TLS."""
        self._document = document
        self._scope = scope
        self._http = http
        self._now = now
        self._plain_host = plain_host
        self._held: tuple[str, datetime] | None = None

    def token(self) -> str:
        now = self._now()
        if self._held is None or self._held[1] <= now + SPARE:
            self._held = self._asked(now)
        return self._held[0]

    def forget(self) -> None:
        """The platform no longer takes the token."""
        self._held = None

    def _asked(self, now: datetime) -> tuple[str, datetime]:
        account = self._account()
        form = urlencode({"grant_type": GRANT, "assertion": self._assertion(account, now)}).encode()
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return _token_of(self._http.send("POST", account.token_uri, headers=headers, content=form), now)

    def _account(self) -> ServiceAccount:
        try:
            account = service_account_of(self._document.get_secret_value())
            parts = urlsplit(account.token_uri)
        except ValueError as error:
            raise AccessDenied(f"service_account {error}") from None
        if parts.scheme != "https" and (self._plain_host is None or parts.netloc != self._plain_host):
            raise AccessDenied("service_account: its token_uri is no https address; take the file as Google made it")
        return account

    def _assertion(self, account: ServiceAccount, now: datetime) -> str:
        claims: dict[str, str | int] = {
            "iss": account.email,
            "scope": self._scope,
            "aud": account.token_uri,
            "iat": int(now.timestamp()),
            "exp": int((now + ASSERTION_LIFE).timestamp()),
        }
        try:
            return signed_token(claims, account.private_key, algorithm="RS256", key_id=account.key_id)
        except ValueError as error:
            raise AccessDenied(
                f"service_account: its private_key is {error}; take the file as Google made it"
            ) from None


def _token_of(answer: Answer, now: datetime) -> tuple[str, datetime]:
    """The token and when it ends."""
    host = host_of(answer.url)
    if answer.status in (400, 401, 403):
        error = said(answer).get("error")
        code = error if isinstance(error, str) and error in _REFUSALS else "refused"
        remedy = "look at service_account and at this machine's clock"
        raise AccessDenied(f"{host}: no token for the service account ({code}); {remedy}")
    if not 200 <= answer.status < 300:
        raise fate_of(answer.status, answer.headers, host, now)
    body = answer.json()
    held: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
    token = held.get("access_token")
    if not isinstance(token, str) or not re.fullmatch(r"[!-~]{1,8192}", token):
        raise Unavailable(f"{host}: the answer holds no token; trying again later")
    return token, now + timedelta(seconds=min(whole(held.get("expires_in")) or 0, _DAY_SECONDS))
