"""Asking Google Business Profile, which is three APIs, with access tokens got for a person's refresh token."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from urllib.parse import urlencode

from pydantic import SecretStr

from connectors.asking import ask, said
from connectors.contract import Context
from connectors.entries import whole
from connectors.errors import AccessDenied, SourceError, Unavailable
from connectors.google_business_parse import Listing, answer_says, listing_of, refusal_of
from connectors.http import Answer, fate_of, host_of
from connectors.tidy import digest

TOKENS = "https://oauth2.googleapis.com"
ACCOUNTS = "https://mybusinessaccountmanagement.googleapis.com/v1"
LOCATIONS = "https://mybusinessbusinessinformation.googleapis.com/v1"
REVIEWS = "https://mybusiness.googleapis.com/v4"
SPARE = timedelta(minutes=2)
"""A token is renewed so long before it ends."""
PAGES_AT_MOST = 100


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a person who may see the locations has granted to an app."""

    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr

    @property
    def fingerprint(self) -> str:
        return digest("\n".join([self.client_id, *self._secrets()]))

    def form(self) -> bytes:
        secret, token = self._secrets()
        form = {"client_id": self.client_id, "client_secret": secret, "refresh_token": token}
        return urlencode({**form, "grant_type": "refresh_token"}).encode()

    def _secrets(self) -> tuple[str, str]:
        return self.client_secret.get_secret_value().strip(), self.refresh_token.get_secret_value().strip()


@dataclass(slots=True)
class Drawer:
    """Where a token lies until it ends."""

    token: str = ""
    ends: datetime | None = None


class Wire:
    """One source's way to the APIs. Secrets go to the token's host alone, which is never taken from an answer."""

    def __init__(self, base_url: str | None, credentials: Credentials, context: Context) -> None:
        self._base = base_url.rstrip("/") if base_url else None
        self._credentials = credentials
        self._context = context
        self._drawer = _drawer(self._base or TOKENS, credentials.fingerprint)

    def accounts(self) -> Iterator[Listing]:
        return self._pages(self._base or ACCOUNTS, "accounts", "accounts", {"pageSize": 20})

    def locations(self, account: str) -> Iterator[Listing]:
        params: dict[str, str | int] = {"pageSize": 100, "readMask": "name,title,metadata"}
        return self._pages(self._base or LOCATIONS, f"{account}/locations", "locations", params)

    def reviews(self, location: str, token: str | None, count: int) -> Listing:
        params: dict[str, str | int] = {"pageSize": count, "orderBy": "updateTime desc"}
        page = {"pageToken": token} if token else {}
        return listing_of(self._get(self._base or REVIEWS, f"{location}/reviews", {**params, **page}), "reviews")

    def _pages(self, base: str, path: str, key: str, params: Mapping[str, str | int]) -> Iterator[Listing]:
        token: str | None = None
        for _ in range(PAGES_AT_MOST):
            page = {"pageToken": token} if token else {}
            listing = listing_of(self._get(base, path, {**params, **page}), key)
            yield listing
            if listing.next is None or listing.next == token:
                return
            token = listing.next

    def _get(self, base: str, path: str, params: Mapping[str, str | int]) -> object:
        """A token that is refused is asked for anew, once."""
        held = self._drawer.token
        try:
            return self._asked(f"{base}/{path}", params)
        except AccessDenied:
            if not held or self._drawer.token:
                raise
            return self._asked(f"{base}/{path}", params)

    def _asked(self, url: str, params: Mapping[str, str | int]) -> object:
        headers = {"Authorization": f"Bearer {self._token()}"}
        return ask(self._context.http, url, params, headers=headers, judge=self._judge).json()

    def _judge(self, answer: Answer) -> SourceError | None:
        if answer.status == 401:
            self._drawer.token = ""
        return refusal_of(said(answer), answer.status)

    def _token(self) -> str:
        now = self._context.now()
        drawer = self._drawer
        if not drawer.token or drawer.ends is None or drawer.ends <= now + SPARE:
            drawer.token, drawer.ends = self._renewed(now)
        return drawer.token

    def _renewed(self, now: datetime) -> tuple[str, datetime]:
        url = f"{self._base or TOKENS}/token"
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = self._context.http.send("POST", url, headers=headers, content=self._credentials.form())
        if answer.status in (400, 401, 403):
            remedy = "look at client_id and client_secret, and let the app be granted access again"
            raise AccessDenied(f"{host_of(url)}: no token for the refresh token ({answer_says(answer)}); {remedy}")
        if not 200 <= answer.status < 300:
            raise fate_of(answer.status, answer.headers, host_of(url), now)
        body = answer.json()
        token = body.get("access_token") if isinstance(body, Mapping) else None
        if not isinstance(token, str) or not token or not token.isascii() or not token.isprintable():
            raise Unavailable(f"{host_of(url)}: the answer holds no token; trying again later")
        seconds = whole(body.get("expires_in")) or 0
        return token, now + timedelta(seconds=min(seconds, 86_400))


@cache
def _drawer(_host: str, _fingerprint: str) -> Drawer:
    """One for everyone with the same grant, so that not every pull asks for a token."""
    return Drawer()
