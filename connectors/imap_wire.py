"""A mailbox over IMAP, read and never changed; the only file that knows imaplib. Every way of failing becomes a fate.

The library believes what a server says: a length of ten gigabytes, or one byte a minute. So its reads go through a stream that
has an end in time and in bytes.
"""

from __future__ import annotations

import base64
import imaplib
import io
import re
import socket
import ssl
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import date
from typing import Any, Final

from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, SourceError, Unavailable
from connectors.imap_options import ImapOptions, Security
from connectors.mail_parse import Letter, arrived_at

MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
GOODBYE_SECONDS: Final = 1.0
LONGEST_LINE: Final = 16 * 1024 * 1024
"""The numbers of two million mails."""
_SLACK_BYTES: Final = 1024 * 1024
_BROKEN: Final = (imaplib.IMAP4.error, OSError, EOFError, ValueError, LookupError, TypeError, AttributeError)
"""What imaplib raises when a server does not speak IMAP: it takes answers apart without looking first."""
_CODES: Final[Mapping[str, type[SourceError]]] = {
    **dict.fromkeys(("AUTHENTICATIONFAILED", "AUTHORIZATIONFAILED", "EXPIRED", "PRIVACYREQUIRED"), AccessDenied),
    **dict.fromkeys(("NOPERM", "CONTACTADMIN", "ALERT"), AccessDenied),
    **dict.fromkeys(("NONEXISTENT", "TRYCREATE"), NotThere),
    **dict.fromkeys(("UNAVAILABLE", "SERVERBUG", "INUSE"), Unavailable),
    **dict.fromkeys(("LIMIT", "OVERQUOTA", "THROTTLED"), RateLimited),
    **dict.fromkeys(("CANNOT", "BADCHARSET", "CLIENTBUG", "PARSE"), Malformed),
}
_CODE: Final = re.compile(rb"\[([A-Z-]{1,40})")
_UID: Final = re.compile(rb"\bUID (\d{1,10})\b")
_ARRIVED: Final = re.compile(rb'\bINTERNALDATE "([^"]{10,40})"')
_SIZE: Final = re.compile(rb"\bRFC822\.SIZE (\d{1,15})\b")
_WHOLE: Final = re.compile(rb'\bBODY\[\](?:<\d+>)? (?:NIL|"((?:[^"\\]|\\.)*)")')


class _Limits:
    """How long and how much the answer to the command under way may be."""

    def __init__(self, read_seconds: float, total_seconds: float) -> None:
        self._read_seconds, self._total_seconds = read_seconds, total_seconds
        self.begin(_SLACK_BYTES)

    def begin(self, most_bytes: int, seconds: float | None = None) -> None:
        self._end = time.monotonic() + (seconds or self._total_seconds)
        self._bytes_left = most_bytes

    def seconds(self) -> float:
        """How long the next wait may be; ``TimeoutError`` when the time is over."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time for the whole answer is over")
        return min(left, self._read_seconds)

    def take(self, count: int) -> int:
        self._bytes_left -= count
        if self._bytes_left < 0:
            raise OSError("more was sent than was asked for")
        return count

    def allow(self, size: int) -> None:
        """``OSError`` where so much cannot be in what is left; asked before there is room made for it."""
        if size > self._bytes_left + io.DEFAULT_BUFFER_SIZE:
            raise OSError("more is announced than was asked for")


class _Stream(io.RawIOBase):
    def __init__(self, sock: socket.socket, limits: _Limits) -> None:
        self._sock, self._limits = sock, limits

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._limits.seconds())
        return self._limits.take(self._sock.recv_into(buffer))


class _Imap(imaplib.IMAP4):
    """imaplib's client, over a stream with limits."""

    def __init__(
        self, host: str, port: int, limits: _Limits, tls: ssl.SSLContext | None, connect_seconds: float
    ) -> None:
        self._limits, self._tls, self._connect_seconds = limits, tls, connect_seconds
        super().__init__(host, port)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        self.host, self.port = host, port
        self.sock = socket.create_connection((host, port), timeout=self._connect_seconds)
        try:
            if self._tls is not None:
                self.sock = self._tls.wrap_socket(self.sock, server_hostname=host)
        except BaseException:
            self.sock.close()
            raise
        self.file = self.sock.makefile("rb")

    @property
    def file(self) -> Any:
        """What imaplib reads from: whenever it opens the socket anew, a fresh stream with limits, and nothing left over."""
        return self._stream

    @file.setter
    def file(self, opened: Any) -> None:
        opened.close()
        self._stream = io.BufferedReader(_Stream(self.sock, self._limits))

    def read(self, size: int) -> bytes:
        self._limits.allow(size)
        return self._stream.read(size)

    def readline(self) -> bytes:
        return self._stream.readline(LONGEST_LINE)


class Mailbox:
    """A folder, opened for reading. Every method raises a fate; messages never hold what a server said."""

    def __init__(self, options: ImapOptions, connect_seconds: float, read_seconds: float, total_seconds: float) -> None:
        self._options = options
        self._host, port, security = options.server
        self._limits = _Limits(read_seconds, total_seconds)
        with self._fates():
            tls = None if security == "none" else ssl.create_default_context(cafile=options.ca_file)
            outer = tls if security == "tls" else None
            self._imap = _Imap(self._host, port, self._limits, outer, connect_seconds)
        try:
            self._sign_in(security, tls)
            self._examine()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Say goodbye, without waiting long for an answer."""
        self._limits.begin(_SLACK_BYTES, GOODBYE_SECONDS)
        with suppress(*_BROKEN):
            self._imap.logout()
        with suppress(*_BROKEN):
            self._imap.shutdown()

    def search(self, above: int, since: date | None) -> list[int]:
        """The numbers of the mails above this one, ascending; ``since``: only those that arrived on this day or later."""
        criteria = [f"UID {above + 1}:*", *([f"SINCE {_day(since)}"] if since else [])]
        criteria += [*_any_of("FROM", self._options.sender), *_any_of("SUBJECT", self._options.subject)]
        found: set[int] = set()
        for answer in self._asked(LONGEST_LINE, "SEARCH", *criteria):
            if isinstance(answer, bytes):
                found.update(int(word) for word in answer.split() if word.isdigit() and len(word) <= 10)
        return sorted(number for number in found if number > above)  # "*" is the last mail, be it above or not

    def fetch(self, uids: Sequence[int]) -> list[Letter]:
        """These mails, as far as they are still there, none with more than ``max_kilobytes``."""
        most = self._options.max_kilobytes * 1024
        what = f"(UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.{most}>)"
        answers = self._asked((most + 16_384) * len(uids), "FETCH", ",".join(map(str, uids)), what)
        found = {letter.uid: letter for letter in _letters(answers)}
        return [found[uid] for uid in uids if uid in found]

    def _sign_in(self, security: Security, tls: ssl.SSLContext | None) -> None:
        user, password = self._options.user, self._options.password.get_secret_value()
        with self._fates():
            if security == "starttls" and tls is not None:
                if "STARTTLS" not in self._imap.capabilities:
                    raise Unavailable(
                        f"{self._host}: offers no STARTTLS, so the password was not sent; look at security"
                    )
                self._imap.sock.settimeout(self._limits.seconds())
                self._imap.starttls(tls)
            if self._imap.state == "AUTH":
                return
            self._limits.begin(_SLACK_BYTES)
            kind, data = self._given(user, password)
            if kind != "OK":
                raise self._refusal(data, AccessDenied, "refused user and password; look at user and password")

    def _given(self, user: str, password: str) -> tuple[str, Any]:
        """``LOGIN``, or ``AUTHENTICATE`` where it is not offered or cannot send these letters."""
        plain = "AUTH=PLAIN" in self._imap.capabilities
        try:
            if plain and (not f"{user}{password}".isascii() or "LOGINDISABLED" in self._imap.capabilities):
                return self._imap.authenticate("PLAIN", lambda _: f"\0{user}\0{password}".encode())
            return self._imap.login(_quoted(user), password)
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error as error:
            return "NO", [str(error).encode()]

    def _examine(self) -> None:
        with self._fates():
            kind, data = self._imap.select(_quoted(_utf7(self._options.folder)), readonly=True)
            if kind != "OK":
                why = f'has no folder "{self._options.folder}", or does not show it; look at folder'
                raise self._refusal(data, NotThere, why)
            validity, following = (_number(self._imap.response(name)) for name in ("UIDVALIDITY", "UIDNEXT"))
        if validity is None:
            raise Unavailable(f"{self._host}: does not tell UIDVALIDITY; trying again later")
        self.uidvalidity = validity
        self.last_uid = (following or 1) - 1
        """No mail that was there when the folder was opened has a higher number; 0 where that is not told."""

    def _asked(self, most_bytes: int, command: str, *args: str) -> list[Any]:
        with self._fates():
            self._limits.begin(most_bytes + _SLACK_BYTES)
            kind, data = self._imap.uid(command, *args)
            if kind != "OK":
                raise self._refusal(data, Malformed, f"refused {command}; look at sender and subject")
            return list(data or ())

    def _refusal(self, data: Any, otherwise: type[SourceError], why: str) -> SourceError:
        """The fate that the code in a refusal names."""
        said = b" ".join(one for one in data or () if isinstance(one, bytes))
        code = _CODE.search(said)
        fate = _CODES.get(code[1].decode(), otherwise) if code else otherwise
        if fate in (Unavailable, RateLimited):
            return fate(f"{self._host}: wants to be left alone for now; trying again later")
        return fate(f"{self._host}: {why}")

    @contextmanager
    def _fates(self) -> Iterator[None]:
        try:
            yield
        except ssl.SSLCertVerificationError as error:
            fact = f"{self._host}: its certificate is not trusted ({error.verify_message})"
            raise Unavailable(f"{fact}; look at host, or give ca_file") from None
        except TimeoutError:
            raise Unavailable(f"{self._host}: no answer in time; trying again later") from None
        except _BROKEN as error:  # "from None": a server may repeat the password in what it says
            raise Unavailable(f"{self._host}: {_broken(error)}; trying again later") from None


def _broken(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "name not resolved"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return "broke off, or does not speak IMAP"


def _letters(answers: Sequence[Any]) -> Iterator[Letter]:
    """Each answer to FETCH: a tuple (what stands before the literal, the literal), what follows it, or all in one line."""
    for number, answer in enumerate(answers):
        if isinstance(answer, tuple):
            behind = answers[number + 1] if number + 1 < len(answers) else b""
            yield from _letter(answer[0] + b" " + (behind if isinstance(behind, bytes) else b""), answer[1])
        elif isinstance(answer, bytes) and (whole := _WHOLE.search(answer)):
            yield from _letter(answer, re.sub(rb"\\(.)", rb"\1", whole[1] or b""))


def _letter(told: bytes, raw: bytes) -> Iterator[Letter]:
    uid, arrived, size = (pattern.search(told) for pattern in (_UID, _ARRIVED, _SIZE))
    if uid is not None:
        at = arrived_at(arrived[1].decode("ascii", "replace")) if arrived else None
        yield Letter(int(uid[1]), raw, at, int(size[1]) if size else len(raw))


def _number(response: tuple[str, Any]) -> int | None:
    values = [one for one in response[1] or () if isinstance(one, bytes) and one.isdigit() and len(one) <= 10]
    return int(values[-1]) if values else None


def _day(day: date) -> str:
    return f"{day.day}-{MONTHS[day.month - 1]}-{day.year}"


def _any_of(field: str, words: Sequence[str]) -> list[str]:
    """A search for mails that hold one of these; none where a word cannot be sent: those are looked at here."""
    if not words or not all(word.isascii() for word in words):
        return []
    return [*["OR"] * (len(words) - 1), *(f"{field} {_quoted(word)}" for word in words)]


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _utf7(folder: str) -> str:
    """A folder's name as IMAP writes it. Source: RFC 3501, 5.1.3."""
    plain = re.compile(r"[\x20-\x25\x27-\x7e]+|&|[^\x20-\x7e]+")

    def encoded(found: re.Match[str]) -> str:
        part = found[0]
        if part == "&":
            return "&-"
        if part.isascii():
            return part
        return f"&{base64.b64encode(part.encode('utf-16-be')).decode().rstrip('=').replace('/', ',')}-"

    return plain.sub(encoded, folder)
