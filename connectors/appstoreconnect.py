"""App Store Connect: every review of one's own apps, from all countries, with the owner's replies. Needs an API key of Apple's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr

from connectors.appstoreconnect_parse import Listing, cursor_of, listing_of, refusal_of, review_of
from connectors.asking import ask, said
from connectors.contract import Capabilities, Context, Cursor, Gap, Options, Page, Plugin, Scope, from_epoch
from connectors.entries import leaf_of
from connectors.errors import AccessDenied, RateLimited, SourceError
from connectors.http import Answer, retry_after
from connectors.leafing import Leaf, Place, Sweep, leaf_through
from connectors.signing import signed_token

API = "https://api.appstoreconnect.apple.com"
AUDIENCE = "appstoreconnect-v1"
OVERLAP = timedelta(days=3).total_seconds()
"""Re-read below the watermark: reviews show up late, and replies come after them without changing their time."""
REVIEWS_A_PAGE = 200
TOKEN_LIFE = timedelta(minutes=15)
"""Apple takes tokens that live 20 minutes at most."""
TOKEN_SPARE = timedelta(minutes=2)
QUOTA_WINDOW = timedelta(hours=1)
"""The 3,600 requests are counted over a rolling hour."""

_LINK = re.compile(r"https?://(?:apps|itunes)\.apple\.com/\S*?/id(\d{1,15})(?!\d)", re.IGNORECASE)
_SPENT = re.compile(r"user-hour-rem:\s*0(?!\d)")


def _app_id(value: object) -> str:
    given = str(value).strip()
    link = _LINK.match(given)
    digits = link.group(1) if link else given
    if not re.fullmatch(r"[1-9][0-9]{0,14}", digits):
        raise ValueError(
            f"{given[:80]!r} is no app id; take the digits after /id in the app's address in the App Store"
        )
    return digits


class AppStoreConnectOptions(Options):
    app_id: Annotated[str, BeforeValidator(_app_id)] = Field(
        description="Which of your apps: its Apple ID, the digits after /id in its App Store address, or the whole address."
    )
    key_id: str = Field(
        pattern=r"^[A-Za-z0-9]{4,40}$",
        description="The id of the API key: App Store Connect, Users and Access, Integrations.",
    )
    issuer_id: str | None = Field(
        default=None,
        pattern=r"^[A-Fa-f0-9-]{16,40}$",
        description="The issuer id shown above the keys; leave it out with an individual key, which has none.",
    )
    private_key: SecretStr = Field(
        description="The key itself: the contents of the .p8 file, which Apple lets you download once."
    )


class AppStoreConnect:
    """Leafs through the reviews down to what is known; the cursor holds one sweep."""

    def __init__(self, options: AppStoreConnectOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._base = (options.base_url or API).rstrip("/")
        self._token: tuple[str, datetime] | None = None

    def check(self) -> None:
        self._listing(None, 1)

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        sweep = Sweep.from_json((cursor or {}).get("sweep"), since=since.timestamp())
        for leaf, after in leaf_through(sweep, OVERLAP, self._leaf):
            yield Page(leaf.items, {"sweep": after.to_json()}, leaf.skipped, _gap(leaf, after))

    def close(self) -> None:
        self._context.http.close()

    def _leaf(self, at: Place, _sweep: Sweep) -> Leaf:
        listing = self._listing(None if at is None else str(at), REVIEWS_A_PAGE)
        following = cursor_of(listing.next, urlsplit(self._base).netloc) if listing.next else None
        leaf = leaf_of(
            listing.reviews,
            lambda review: review_of(review, self._options.app_id, listing.replies),
            id_key="id",
            following=following if following != at else None,
            now=self._context.now(),
        )
        return replace(leaf, cut=listing.next is not None and following is None)

    def _listing(self, token: str | None, limit: int) -> Listing:
        params: dict[str, str | int] = {"sort": "-createdDate", "limit": limit, "include": "response"}
        if token is not None:
            params["cursor"] = token
        url = f"{self._base}/v1/apps/{self._options.app_id}/customerReviews"
        return listing_of(ask(self._context.http, url, params, headers=self._headers(), judge=self._judge).json())

    def _headers(self) -> Mapping[str, str]:
        now = self._context.now()
        if self._token is None or self._token[1] <= now + TOKEN_SPARE:
            self._token = (self._signed(now), now + TOKEN_LIFE)
        return {"Authorization": f"Bearer {self._token[0]}"}

    def _signed(self, now: datetime) -> str:
        issuer = self._options.issuer_id
        claims: dict[str, str | int] = {
            **({"iss": issuer} if issuer else {"sub": "user"}),
            "iat": int(now.timestamp()),
            "exp": int((now + TOKEN_LIFE).timestamp()),
            "aud": AUDIENCE,
        }
        key = self._options.private_key.get_secret_value()
        try:
            return signed_token(claims, key, algorithm="ES256", key_id=self._options.key_id)
        except ValueError as error:
            fact = f"App Store Connect: private_key holds {error}"
            raise AccessDenied(f"{fact}; give the whole contents of the .p8 file") from None

    def _judge(self, answer: Answer) -> SourceError | None:
        if answer.status == 429:
            spent = _SPENT.search(answer.headers.get("x-rate-limit", ""))
            wait = retry_after(answer.headers, self._context.now()) or (QUOTA_WINDOW if spent else None)
            return RateLimited("App Store Connect: the key's requests of this hour are spent", wait)
        return refusal_of(said(answer)) if 400 <= answer.status < 500 else None


def _gap(leaf: Leaf, sweep: Sweep) -> Gap | None:
    if not leaf.cut:
        return None
    until = None if leaf.last is None else from_epoch(leaf.last)
    return Gap("App Store Connect names a next page elsewhere, which is not opened", from_epoch(sweep.floor), until)


PLUGIN = Plugin(
    name="appstoreconnect",
    title="App Store Connect (your own apps' reviews)",
    platform="appstoreconnect",
    options=AppStoreConnectOptions,
    open=AppStoreConnect,
    capabilities=Capabilities(
        scope=Scope.SUBJECT, ratings=True, replies=True, needs_credentials=True, minimum_interval=timedelta(minutes=5)
    ),
    notes="Apple's official API for your own apps; 3,600 requests an hour and key. Apple's Developer Agreement applies.",
)
