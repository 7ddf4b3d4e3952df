"""Google Play, by the Play Developer API: the last week's reviews of one's own apps, with replies. Needs a service account."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import parse_qs, urlsplit

from pydantic import BeforeValidator, Field, SecretStr

from connectors.asking import ask, said
from connectors.contract import (
    Capabilities,
    Context,
    Cursor,
    Gap,
    JsonValue,
    Options,
    Page,
    Plugin,
    Scope,
    from_epoch,
)
from connectors.entries import leaf_of
from connectors.errors import RateLimited, SourceError
from connectors.googleplay_parse import Listing, listing_of, refusal_of, review_of
from connectors.googletoken import Tokens
from connectors.http import Answer, retry_after
from connectors.leafing import Leaf, Place, Sweep, leaf_through

API = "https://androidpublisher.googleapis.com"
SCOPE = "https://www.googleapis.com/auth/androidpublisher"
WEEK = timedelta(days=7)
"""The API gives what was written or edited within the last week; nothing older, ever."""
OVERLAP = timedelta(days=2).total_seconds()
"""Re-read below the watermark: replies and votes come later and do not change a review's time."""
REVIEWS_A_PAGE = 100

_PACKAGE = re.compile(r"[A-Za-z]\w*(?:\.[A-Za-z]\w*)+", re.ASCII)


def _package(value: object) -> str:
    given = str(value).strip()
    name = _linked(given) or given
    if len(name) > 200 or not _PACKAGE.fullmatch(name):
        raise ValueError(f'{given[:80]!r} is no app; write its package name, such as "com.example.app"')
    return name


def _linked(link: str) -> str | None:
    try:
        parts = urlsplit(link)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or parts.hostname != "play.google.com":
        return None
    names = parse_qs(parts.query).get("id") if parts.path == "/store/apps/details" else None
    return names[0] if names else None


class GooglePlayOptions(Options):
    package: Annotated[str, BeforeValidator(_package)] = Field(
        description='Which of your apps: its package name, such as "com.example.app", or its address in the store.'
    )
    service_account: SecretStr = Field(
        description="The contents of the service account's key file (JSON), as the Google Cloud console makes it."
    )


class GooglePlay:
    """Leafs through the reviews; the cursor holds one sweep and when the list was last asked for."""

    def __init__(self, options: GooglePlayOptions, context: Context) -> None:
        self._options = options
        self._context = context
        self._base = (options.base_url or API).rstrip("/")
        plain_host = urlsplit(options.base_url).netloc if options.base_url else None
        self._tokens = Tokens(options.service_account, SCOPE, context.http, context.now, plain_host=plain_host)

    def check(self) -> None:
        self._listing(None, 1)

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        sweep = Sweep.from_json((cursor or {}).get("sweep"), since=since.timestamp())
        now = self._context.now()
        gap = _gap((cursor or {}).get("asked"), since, now)
        for leaf, after in leaf_through(sweep, OVERLAP, self._leaf):
            yield Page(leaf.items, {"sweep": after.to_json(), "asked": now.timestamp()}, leaf.skipped, gap)
            gap = None

    def close(self) -> None:
        self._context.http.close()

    def _leaf(self, at: Place, _sweep: Sweep) -> Leaf:
        listing = self._listing(None if at is None else str(at), REVIEWS_A_PAGE)
        following = listing.next if listing.next != at else None
        package = self._options.package
        return leaf_of(
            listing.reviews,
            lambda review: review_of(review, package),
            id_key="reviewId",
            following=following,
            now=self._context.now(),
        )

    def _listing(self, token: str | None, count: int) -> Listing:
        params: dict[str, str | int] = {"maxResults": count, **({"token": token} if token is not None else {})}
        url = f"{self._base}/androidpublisher/v3/applications/{self._options.package}/reviews"
        headers = {"Authorization": f"Bearer {self._tokens.token()}"}
        return listing_of(ask(self._context.http, url, params, headers=headers, judge=self._judge).json())

    def _judge(self, answer: Answer) -> SourceError | None:
        if answer.status == 401:
            self._tokens.forget()
        fate = refusal_of(said(answer), answer.status)
        if answer.status == 429 or isinstance(fate, RateLimited):
            wait = retry_after(answer.headers, self._context.now())
            return RateLimited("Google Play: the project's requests are spent", wait)
        return fate


def _gap(asked: JsonValue, since: datetime, now: datetime) -> Gap | None:
    """What lies between the last pull and the week that the API shows is not to be had any more."""
    sound = isinstance(asked, int | float) and not isinstance(asked, bool) and 0 < asked < 10**11
    last = from_epoch(asked) if sound else since  # type: ignore[arg-type]
    if last >= now - WEEK:
        return None
    return Gap("Google Play gives only reviews of the last week", last, now - WEEK)


def _recognise(link: str) -> Mapping[str, JsonValue] | None:
    name = _linked(link.strip())
    return {"package": name} if name and _PACKAGE.fullmatch(name) else None


PLUGIN = Plugin(
    name="googleplay",
    title="Google Play (your own apps' reviews)",
    platform="googleplay",
    options=GooglePlayOptions,
    open=GooglePlay,
    capabilities=Capabilities(
        scope=Scope.SUBJECT,
        backfill=False,
        ratings=True,
        replies=True,
        needs_credentials=True,
        minimum_interval=timedelta(minutes=10),
    ),
    recognise=_recognise,
    notes="Google's official API for your own apps: the last week's reviews with text. Google's API terms apply.",
)
