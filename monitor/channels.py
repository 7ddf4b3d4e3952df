"""How a digest leaves the house: as files, by mail, to a webhook. One bit of every error matters: will it pass?"""

from __future__ import annotations

import hashlib
import hmac
import os
import smtplib
import ssl
import tempfile
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from connectors.errors import RateLimited, SourceError, Unavailable
from connectors.http import HttpClient
from monitor.config.models import ChannelSettings, EmailChannel, FileChannel, Table, WebhookChannel
from monitor.digest import DigestView, render, subject
from monitor.figures import Report

SMTP_SECONDS: Final = 30
HEADER: Final = "X-Sentiment-Monitor"


class Passing(Exception):
    """The channel does not take it now; later it may."""


class Permanent(Exception):
    """The channel will never take it; somebody must act."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A report to be sent. ``key`` is equal over all tries, so that a receiver can drop repeats."""

    report: Report
    view: DigestView
    key: str
    at: datetime

    def name(self) -> str:
        """``NAME-PERIOD``, fit for a file."""
        period = self.report.window.label or f"{self.at:%Y-%m-%d}"
        return f"{self.view.name}-{period.replace(':', '').replace('..', '_')}"


def send(channel: ChannelSettings | Table, letter: Letter) -> None:
    """Send a letter. Raises :class:`Passing` or :class:`Permanent`; messages never hold a secret."""
    match channel:
        case FileChannel():
            write_files(channel, letter)
        case EmailChannel():
            send_mail(channel, letter)
        case WebhookChannel():
            post(channel, letter)
        case _:
            raise Permanent(f"channels: type {type(channel).__name__} cannot send")


# -------------------------------------------------------------------------------------------------- files


def write_files(channel: FileChannel, letter: Letter) -> None:
    """``FOLDER/NAME-PERIOD.FORMAT``, each replaced whole, so that nobody ever reads half a digest."""
    try:
        channel.folder.mkdir(parents=True, exist_ok=True)
        for form in channel.formats:
            _replace(channel.folder / f"{letter.name()}.{form}", render(letter.report, form, letter.view))
    except OSError as error:
        raise Passing(
            f"{channel.folder}: cannot be written ({error.strerror}); look at rights and free space"
        ) from error


def _replace(path: Path, text: str) -> None:
    handle, partial = tempfile.mkstemp(dir=path.parent, prefix=".digest-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(partial).chmod(0o644)
        Path(partial).replace(path)
    except BaseException:
        Path(partial).unlink(missing_ok=True)
        raise


# --------------------------------------------------------------------------------------------------- mail


def message_of(channel: EmailChannel, letter: Letter) -> EmailMessage:
    """The mail: a text part that reads well on its own, and the HTML."""
    message = EmailMessage()
    message["Subject"] = subject(letter.report, letter.view)
    message["From"] = channel.sender
    message["To"] = ", ".join(channel.to)
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{letter.key}@{parseaddr(channel.sender)[1].rpartition('@')[2] or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(render(letter.report, "txt", letter.view))
    message.add_alternative(render(letter.report, "html", letter.view), subtype="html")
    return message


def send_mail(channel: EmailChannel, letter: Letter) -> None:
    """By SMTP, encrypted unless ``security = "none"``; certificates are verified."""
    message = message_of(channel, letter)
    try:
        with _connected(channel) as server:
            if channel.username is not None and channel.password is not None:
                server.login(channel.username, channel.password.get_secret_value())
            server.send_message(message)
    except smtplib.SMTPAuthenticationError as error:
        raise Permanent(f"{channel.host}: user name or password refused; mend channels.{channel.name}") from error
    except smtplib.SMTPRecipientsRefused as error:
        codes = {code for code, _ in error.recipients.values()}
        raise _judged(channel, min(codes, default=550), "the recipients were refused") from error
    except smtplib.SMTPResponseException as error:
        raise _judged(channel, error.smtp_code, "the server did not take the mail") from error
    except smtplib.SMTPNotSupportedError as error:
        fact = "the server offers no such encryption or login"
        raise Permanent(f"{channel.host}: {fact}; look at channels.{channel.name}.security") from error
    except ssl.SSLCertVerificationError as error:
        raise Permanent(
            f"{channel.host}: its certificate is not valid; look at channels.{channel.name}.host"
        ) from error
    except (smtplib.SMTPException, OSError) as error:
        raise Passing(f"{channel.host}: cannot be reached ({type(error).__name__})") from error


def _connected(channel: EmailChannel) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if channel.security == "tls":
        return smtplib.SMTP_SSL(channel.host, channel.port, timeout=SMTP_SECONDS, context=context)
    server = smtplib.SMTP(channel.host, channel.port, timeout=SMTP_SECONDS)
    if channel.security == "starttls":
        try:
            server.starttls(context=context)
        except BaseException:
            server.close()
            raise
    return server


def _judged(channel: EmailChannel, code: int, fact: str) -> Passing | Permanent:
    text = f"{channel.host}: {fact} ({code})"
    return Permanent(f"{text}; look at channels.{channel.name}") if code >= 500 else Passing(text)


# ------------------------------------------------------------------------------------------------- webhook


def post(channel: WebhookChannel, letter: Letter) -> None:
    """The report as JSON, with ``Idempotency-Key``, time and (where there is a secret) signature in its headers."""
    url = channel.url.get_secret_value()
    host = urlsplit(url).hostname
    body = render(letter.report, "json", letter.view).encode()
    http = HttpClient(trusted=frozenset({host} if host else ()))
    try:
        http.post(url, body, headers=_signed(channel, letter, body))
    except (Unavailable, RateLimited) as error:
        raise Passing(str(error)) from error
    except SourceError as error:
        raise Permanent(f"{error} (channels.{channel.name})") from error
    finally:
        http.close()


def _signed(channel: WebhookChannel, letter: Letter, body: bytes) -> dict[str, str]:
    stamp = str(int(letter.at.timestamp()))
    headers = {"Idempotency-Key": letter.key, f"{HEADER}-Timestamp": stamp, f"{HEADER}-Event": "digest"}
    if channel.secret is not None:
        secret = channel.secret.get_secret_value().encode()
        digest = hmac.new(secret, f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
        headers[f"{HEADER}-Signature"] = f"sha256={digest}"
    return headers
