"""Messages by mail."""

from __future__ import annotations

import base64
import re
import smtplib
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from threading import Event, Thread
from typing import Any, Final

from monitor.channels.letter import Letter, Passing, Permanent
from monitor.config.models import EmailChannel

_PICTURE: Final = re.compile(r'src="data:image/(png|jpeg|gif);base64,([A-Za-z0-9+/=]+)"')
SMTP_SECONDS: Final = 30.0
"""How long a mail server may take for each step; for all of them it has four times as long."""


def message_of(channel: EmailChannel, letter: Letter) -> EmailMessage:
    """The mail: a text part that reads well on its own, and the HTML. All of it in seven bits, which every server takes."""
    message = EmailMessage()
    message["Subject"] = letter.subject
    message["From"] = channel.sender
    message["To"] = ", ".join(channel.to)
    message["Date"] = format_datetime(letter.at)
    message["Message-ID"] = f"<{letter.key}@{_domain(channel.sender)}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.render("txt"), cte="quoted-printable")
    html, pictures = _with_pictures(letter)
    message.add_alternative(html, subtype="html", cte="quoted-printable")
    for number, (kind, content) in enumerate(pictures):
        _html_part(message).add_related(content, "image", kind, cid=f"<{_picture(letter, number)}>")
    for one in letter.attachments():
        main, _, sub = one.kind.partition("/")
        message.add_attachment(one.content, main, sub, filename=one.name)
    return message


def _with_pictures(letter: Letter) -> tuple[str, list[tuple[str, bytes]]]:
    """The HTML with its pictures taken out, to be parts of the mail: programs show no ``data:`` addresses."""
    pictures: list[tuple[str, bytes]] = []

    def taken(found: re.Match[str]) -> str:
        pictures.append((found[1], base64.b64decode(found[2])))
        return f'src="cid:{_picture(letter, len(pictures) - 1)}"'

    return _PICTURE.sub(taken, letter.render("html")), pictures


def _picture(letter: Letter, number: int) -> str:
    return f"picture-{number}-{letter.key[:16]}@sentiment-monitor"


def _html_part(message: EmailMessage) -> EmailMessage:
    return next(part for part in message.walk() if part.get_content_type() == "text/html")


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
