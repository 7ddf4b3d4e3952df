"""How a digest leaves the house: as files, by mail, to a webhook. One bit of every error matters: will it pass?"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final
from urllib.parse import urlsplit

from connectors.errors import SourceError, Unavailable
from connectors.http import Answer, HttpClient, host_of, retry_after
from monitor.config.models import ChannelSettings, EmailChannel, FileChannel, WebhookChannel
from monitor.config.tables import Table
from monitor.digest import DigestView, render, subject
from monitor.figures import Report

SMTP_SECONDS: Final = 30.0
"""How long a mail server may take for each step; for all of them it has four times as long."""
HEADER: Final = "X-Sentiment-Monitor"
PASSING_STATUSES: Final = (408, 425, 429)
"""HTTP answers below 500 that may be another the next time."""


class Passing(Exception):
    """The channel does not take it now; later it may: after ``retry_after``, where it says so."""

    def __init__(self, message: str, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


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
        period = self.view.period or f"{self.at:%Y-%m-%d}"
        return f"{self.view.name}-{period.replace(':', '').replace('..', '_')}"


def send(channel: ChannelSettings | Table, letter: Letter) -> str | None:
    """Send a letter; what was not taken of it, though the rest was.

    Raises :class:`Passing` or :class:`Permanent`; messages never hold a secret.
    """
    match channel:
        case FileChannel():
            write_files(channel, letter)
        case EmailChannel():
            return send_mail(channel, letter)
        case WebhookChannel():
            post(channel, letter)
        case _:
            raise Permanent(f"channels: type {type(channel).__name__} cannot send")
    return None


# -------------------------------------------------------------------------------------------------- files


def write_files(channel: FileChannel, letter: Letter) -> None:
    """``FOLDER/NAME-PERIOD.FORMAT``, each replaced whole, so that nobody ever reads half a digest."""
    texts = {form: render(letter.report, form, letter.view) for form in channel.formats}
    try:
        channel.folder.mkdir(parents=True, exist_ok=True)
        for form, text in texts.items():
            _replace(channel.folder / f"{letter.name()}.{form}", text, letter.key)
    except OSError as error:
        remedy = f"give the right to write it, free some space, or change channels.{channel.name}.folder"
        raise Passing(f"{channel.folder}: cannot be written ({error.strerror}); {remedy}") from error


def _replace(path: Path, text: str, key: str) -> None:
    partial = path.with_name(f".{path.name}.{key[:8]}.part")  # what a crash leaves, the next try takes over
    try:
        with partial.open("w", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except BaseException:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
        raise


# --------------------------------------------------------------------------------------------------- mail


def message_of(channel: EmailChannel, letter: Letter) -> EmailMessage:
    """The mail: a text part that reads well on its own, and the HTML. All of it in seven bits, which every server takes."""
    message = EmailMessage()
    message["Subject"] = subject(letter.report, letter.view)
    message["From"] = channel.sender
    message["To"] = ", ".join(channel.to)
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{letter.key}@{_domain(channel.sender)}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(render(letter.report, "txt", letter.view), cte="quoted-printable")
    message.add_alternative(render(letter.report, "html", letter.view), subtype="html", cte="quoted-printable")
    return message


def _domain(address: str) -> str:
    try:
        return parseaddr(address)[1].rpartition("@")[2].encode("idna").decode("ascii") or "localhost"
    except UnicodeError:
        return "localhost"


def send_mail(channel: EmailChannel, letter: Letter, step_seconds: float = SMTP_SECONDS) -> str | None:
    """By SMTP, encrypted unless ``security = "none"``; certificates are verified. Whom it was refused for, if not for all."""
    message = message_of(channel, letter)
    with _errors_judged(channel):
        server = _connected(channel, step_seconds)
        try:
            _log_in(channel, server)
            refused = _handed_over(channel, server, message)
            with suppress(OSError):  # the mail is taken, whatever the server says to a goodbye
                server.quit()
        finally:
            server.close()
    return "sent, but refused for " + _told(refused) if refused else None


def _connected(channel: EmailChannel, step_seconds: float) -> smtplib.SMTP:
    """A server that greeted, encrypted as wanted."""
    context = _trust(channel)
    if channel.security == "tls":
        return _EncryptedServer(channel.host, channel.port, timeout=step_seconds, context=context)
    server = _Server(channel.host, channel.port, timeout=step_seconds)
    if channel.security == "starttls":
        try:
            server.starttls(context=context)
        except BaseException as error:
            server.close()
            if isinstance(error, smtplib.SMTPNotSupportedError):
                fact = f"{channel.host}: the server offers no encryption by STARTTLS on port {channel.port}"
                raise Permanent(f"{fact}; look at channels.{channel.name}.security") from error
            raise
    return server


def _trust(channel: EmailChannel) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if channel.ca_file is not None:
        try:
            context.load_verify_locations(channel.ca_file)
        except OSError as error:
            fact = f"{channel.ca_file}: holds no certificate that can be read"
            raise Passing(f"{fact}; look at channels.{channel.name}.ca_file") from error
    return context


def _log_in(channel: EmailChannel, server: smtplib.SMTP) -> None:
    if channel.username is None or channel.password is None:
        return
    try:
        server.login(channel.username, channel.password.get_secret_value())
    except smtplib.SMTPException as error:
        if type(error) not in (smtplib.SMTPException, smtplib.SMTPNotSupportedError):
            raise
        fact = f"{channel.host}: the server offers no way to log in that this program knows"
        raise Permanent(f"{fact}; remove channels.{channel.name}.username and password") from error


def _handed_over(channel: EmailChannel, server: smtplib.SMTP, message: EmailMessage) -> Mapping[str, tuple[int, bytes]]:
    """Send it; the recipients that were refused, where others were not."""
    try:
        return server.send_message(message)
    except smtplib.SMTPNotSupportedError as error:
        fact = f"{channel.host}: the server takes no addresses with letters beyond ASCII"
        raise Permanent(f"{fact}; look at channels.{channel.name}.from and to") from error


class _Server(smtplib.SMTP):
    """Cuts the connection when all the steps together take too long: a server that trickles would hold up every digest."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self._ended = Event()
        super().__init__(*args, **options)

    def connect(self, host: str = "localhost", port: int = 0, source_address: Any = None) -> tuple[int, bytes]:
        Thread(target=self._watch, daemon=True, name="mail-watch").start()
        try:
            return super().connect(host, port, source_address)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        self._ended.set()
        super().close()

    def _watch(self) -> None:
        seconds = 4 * self.timeout
        while not self._ended.wait(seconds):
            seconds = 1.0  # it may not have been connected yet
            if self.sock is not None:
                with suppress(OSError):
                    self.sock.shutdown(socket.SHUT_RDWR)


class _EncryptedServer(_Server, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""


@contextmanager
def _errors_judged(channel: EmailChannel) -> Iterator[None]:
    """What goes wrong in here is raised as :class:`Passing` or :class:`Permanent`, without the server's own words."""
    host, place = channel.host, f"channels.{channel.name}"
    try:
        yield
    except smtplib.SMTPRecipientsRefused as error:
        code = min(code for code, _ in error.recipients.values())
        raise _judged(code, f"{host}: all were refused: {_told(error.recipients)}", f"look at {place}.to") from error
    except smtplib.SMTPResponseException as error:
        fact, remedy = _refusal(error)
        raise _judged(error.smtp_code, f"{host}: {fact} ({_code(error)})", f"look at {place}{remedy}") from error
    except ssl.SSLCertVerificationError as error:
        fact = f"{host}: its certificate is not trusted ({error.verify_message})"
        raise Permanent(f"{fact}; look at {place}.host, or name its authority in {place}.ca_file") from error
    except ssl.SSLError as error:
        fact = f"{host}: encryption failed on port {channel.port}"
        raise Passing(f"{fact}; look at {place}.security and port (tls: 465, starttls: 587)") from error
    except OSError as error:
        raise Passing(f"{host}: {_reason(error)}; trying again later") from error


def _refusal(error: smtplib.SMTPResponseException) -> tuple[str, str]:
    """What was refused, and the keys to look at."""
    match error:
        case smtplib.SMTPAuthenticationError():
            return "user name or password refused", ".username and password"
        case smtplib.SMTPSenderRefused():
            return "the sender was refused", ".from"
        case _:
            return "the server did not take the mail", ""


def _judged(code: int, fact: str, remedy: str) -> Passing | Permanent:
    return Permanent(f"{fact}; {remedy}") if code >= 500 else Passing(f"{fact}; trying again later")


def _told(refused: Mapping[str, tuple[int, bytes]]) -> str:
    return ", ".join(f"{address} ({code})" for address, (code, _) in refused.items())


def _code(error: smtplib.SMTPResponseException) -> str:
    """``550 5.7.1``: the server's codes, without its words, which may quote the mail."""
    words = error.smtp_error.decode("ascii", "replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
    enhanced = re.match(r"[245]\.\d{1,3}\.\d{1,3}\b", words)
    return f"{error.smtp_code} {enhanced[0]}" if enhanced else str(error.smtp_code)


def _reason(error: OSError) -> str:
    match error:
        case TimeoutError():
            return "no answer in time"
        case socket.gaierror():
            return "no host of that name was found"
        case ConnectionRefusedError():
            return "nothing listens there"
        case smtplib.SMTPServerDisconnected() | ConnectionError():
            return "the connection ended"
        case _:
            return f"cannot be reached ({type(error).__name__})"


# ------------------------------------------------------------------------------------------------- webhook


def post(channel: WebhookChannel, letter: Letter) -> None:
    """The report as JSON, with ``Idempotency-Key``, time and (where there is a secret) signature in its headers."""
    url = channel.url.get_secret_value()
    body = render(letter.report, "json", letter.view).encode()
    http = HttpClient(trusted=frozenset({urlsplit(url).hostname or ""}))
    try:
        answer = http.send("POST", url, headers=_signed(channel, letter, body), content=body)
    except Unavailable as error:
        raise Passing(str(error)) from error
    except SourceError as error:
        raise Permanent(f"{error} (channels.{channel.name}.url)") from error
    finally:
        http.close()
    _judge(channel, answer, letter.at)


def _signed(channel: WebhookChannel, letter: Letter, body: bytes) -> dict[str, str]:
    stamp = str(int(letter.at.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": letter.key,
        f"{HEADER}-Event": "digest",
        f"{HEADER}-Digest": letter.view.name,
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
