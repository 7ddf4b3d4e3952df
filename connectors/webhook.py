"""What other programs send: items in JSON, signed or with a token. Nothing is asked of anybody."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from connectors.contract import Capabilities, Context, Cursor, Delivery, Kind, Page, Plugin, Scope, from_epoch
from connectors.errors import AccessDenied, TooLarge
from connectors.http_json_paths import path_of
from connectors.mapped import clock_of
from connectors.tidy import digest
from connectors.webhook_options import WebhookOptions
from connectors.webhook_parse import Foreign, Shape, page_of

SIGNATURES_AT_MOST: Final = 5
"""In one header, for senders that sign with an old and a new secret."""
_LONGEST_KEY: Final = 150
_MILLISECONDS: Final = 100_000_000_000
"""Larger numbers are no seconds of ours."""


class Webhook:
    """Takes what is sent, once the signature or the token is right."""

    def __init__(self, options: WebhookOptions, context: Context) -> None:
        self._options = options
        self._context = context

    def check(self) -> None:
        """Can anybody send at all?"""
        if not self._options.secret and not self._options.token:
            raise AccessDenied(
                "neither secret nor token: nobody can send; set options.secret, as in env:WEBHOOK_SECRET"
            )

    def fetch(self, cursor: Cursor | None, since: datetime) -> Iterator[Page]:
        return iter(())

    def close(self) -> None:
        self._context.http.close()

    def accept(self, body: bytes, headers: Mapping[str, str]) -> Page:
        self._require_small(body)
        self.check()
        named = {name.lower(): value for name, value in headers.items()}
        if self._options.token is not None:
            self._require_token(named)
        else:
            self._require_signature(body, named)
        return self.read(body)

    def delivery(self, body: bytes, headers: Mapping[str, str]) -> Delivery:
        named = {name.lower(): value for name, value in headers.items()}
        key = named.get(self._options.id_name, "").strip()
        if len(key) > _LONGEST_KEY:
            key = digest(key)
        if self._options.token is not None or self._options.style == "github":
            return Delivery(key or None)
        return Delivery(key or None, hashlib.sha256(self._signed(body, named)).hexdigest())

    def read(self, body: bytes) -> Page:
        self._require_small(body)
        return page_of(body, self._shape(), self._context.now())

    def _shape(self) -> Shape:
        given = self._options
        prefix = given.sender or self._context.source
        return Shape(
            prefix=f"{prefix}:" if prefix else "",
            kind=None if given.kind is None else Kind(given.kind),
            worst=given.rating_worst,
            best=given.rating_best,
            zone=ZoneInfo(given.timezone),
            attributes=given.attributes,
            max_items=given.max_items,
            mapping=_mapping(given) if given.fields else None,
        )

    def _require_small(self, body: bytes) -> None:
        if len(body) > self._options.max_bytes:
            most = self._options.max_bytes
            raise TooLarge(f"a body of {len(body):,} bytes; send at most {most:,} at once, or raise max_bytes")

    def _require_token(self, headers: Mapping[str, str]) -> None:
        expected = self._options.token.get_secret_value() if self._options.token else ""
        given = headers.get(self._options.token_header.lower(), "").strip()
        scheme, _, rest = given.partition(" ")
        given = rest.strip() if scheme.lower() == "bearer" else given
        if not hmac.compare_digest(given.encode(errors="replace"), expected.encode()):
            raise AccessDenied(f"{self._options.token_header}: no token, or not the one of this source")

    def _require_signature(self, body: bytes, headers: Mapping[str, str]) -> None:
        name = self._options.signature_name
        given = [_bare(one) for one in headers.get(name, "").split(",")[:SIGNATURES_AT_MOST]]
        signed = self._signed(body, headers)
        expected = [hmac.new(secret, signed, hashlib.sha256).hexdigest().encode() for secret in self._options.secrets]
        fits = (hmac.compare_digest(one.encode(errors="replace"), right) for one in given for right in expected)
        if not any(fits):
            raise AccessDenied(f"{name}: no signature, or it does not fit; sign with the secret of this source")
        if self._options.style == "timestamped":
            self._require_recent(headers.get(self._options.timestamp_header.lower(), ""))

    def _signed(self, body: bytes, headers: Mapping[str, str]) -> bytes:
        """What the signature is made of."""
        if self._options.style == "github":
            return body
        return headers.get(self._options.timestamp_header.lower(), "").strip().encode(errors="replace") + b"." + body

    def _require_recent(self, stamp: str) -> None:
        name = self._options.timestamp_header
        try:
            number = int(stamp.strip()[:20])
            at = from_epoch(number / 1000 if number >= _MILLISECONDS else number)
        except ValueError as error:
            raise AccessDenied(f"{name}: is no number of seconds since 1970") from error
        if abs(self._context.now() - at) > timedelta(seconds=self._options.tolerance_seconds):
            raise AccessDenied(f"{name}: too far from now; sign anew for each try, and set the sender's clock")


def _mapping(options: WebhookOptions) -> Foreign:
    fields = {name: path_of(text) for name, text in options.fields.items()}
    return Foreign(path_of(options.items or "@"), fields, clock_of(options.time_format, options.timezone), options.html)


def _bare(signature: str) -> str:
    """The hexadecimal digits alone: ``sha256=AB12`` is ``ab12``."""
    return signature.strip().rpartition("=")[2].lower()


PLUGIN = Plugin(
    name="webhook",
    title="What is sent here",
    platform="webhook",
    options=WebhookOptions,
    open=Webhook,
    capabilities=Capabilities(
        scope=Scope.SUBJECT,
        backfill=False,
        ratings=True,
        replies=True,
        push=True,
        pull=False,
        needs_credentials=True,
        minimum_interval=timedelta(minutes=1),
    ),
    notes="Others send to POST /api/v1/sources/NAME/items of the dashboard, which must be reachable for them, by HTTPS.",
)
