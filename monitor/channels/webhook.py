"""Messages to a web address, signed."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from pydantic import SecretStr

from connectors.errors import SourceError, Unavailable
from connectors.http import Answer, HttpClient, host_of, retry_after
from monitor.channels.letter import Letter, Passing, Permanent
from monitor.config.models import WebhookChannel

HEADER: Final = "X-Sentiment-Monitor"
PASSING_STATUSES: Final = (408, 425, 429)
"""HTTP answers below 500 that may be another the next time."""


def post(channel: WebhookChannel, letter: Letter) -> None:
    """The report as JSON, with ``Idempotency-Key``, time and (where there is a secret) signature in its headers."""
    body = letter.render("json").encode()
    answer = sent(channel.url, body, _signed(channel, letter, body), f"channels.{channel.name}.url")
    _judge(channel, answer, letter.at)


def sent(address: SecretStr, body: bytes, headers: Mapping[str, str], place: str) -> Answer:
    """The answer to a post, whatever its status. The address was named by the owner, and may lie on a private network."""
    url = address.get_secret_value()
    http = HttpClient(trusted=frozenset({urlsplit(url).hostname or ""}))
    try:
        return http.send("POST", url, headers=headers, content=body)
    except Unavailable as error:
        raise Passing(str(error)) from error
    except SourceError as error:
        raise Permanent(f"{error} ({place})") from error
    finally:
        http.close()


def _signed(channel: WebhookChannel, letter: Letter, body: bytes) -> dict[str, str]:
    stamp = str(int(letter.at.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": letter.key,
        f"{HEADER}-Event": letter.event,
        f"{HEADER}-Digest": letter.name,
        f"{HEADER}-Timestamp": stamp,
    }
    if channel.secret is not None:
        secret = channel.secret.get_secret_value().encode()
        digest = hmac.new(secret, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        headers[f"{HEADER}-Signature"] = f"sha256={digest}"
    return headers


def _judge(channel: WebhookChannel, answer: Answer, now: datetime) -> None:
    """Only 200s are a yes. Redirects are not followed: what is signed for one address is not for another."""
    status, place = answer.status, f"channels.{channel.name}"
    fact = f"{host_of(answer.url)}: answered {status}"
    if 200 <= status < 300:
        return
    if status in PASSING_STATUSES or status >= 500:
        raise Passing(f"{fact}; trying again later", retry_after(answer.headers, now))
    if 300 <= status < 400:
        raise Permanent(f"{fact}, a redirect, which is not followed; write where it leads to into {place}.url")
    if status in (401, 403):
        raise Permanent(f"{fact}, access refused; look at {place}.url and secret")
    raise Permanent(f"{fact}, it does not take this; look at {place}.url")
