"""A program that sends to us: it signs as docs/connectors/webhook.md says, or does what it should not."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

SECRET = "a secret of the two of us"


def signature(secret: str, body: bytes, stamp: str | None = None) -> str:
    """The HMAC of the time and the body, or of the body alone."""
    signed = body if stamp is None else f"{stamp}.".encode() + body
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Sent:
    """A request, as far as it matters."""

    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def but(self, **headers: str) -> Sent:
        """The same with other headers; ``_`` stands for ``-``."""
        return Sent(self.body, {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}})


def signed(what: Any, at: datetime, key: str | None = None, secret: str = SECRET) -> Sent:
    """A signed request that holds ``what`` as JSON (bytes stay as they are)."""
    body = what if isinstance(what, bytes) else json.dumps(what).encode()
    stamp = str(int(at.timestamp()))
    named = {"Idempotency-Key": key} if key else {}
    return Sent(body, {"X-Timestamp": stamp, "X-Signature": signature(secret, body, stamp), **named})
