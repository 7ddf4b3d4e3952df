"""A real IMAP server on loopback with one folder, that fails as it is told and notes every command it gets."""

from __future__ import annotations

import base64
import re
import shlex
import socket
import ssl
import struct
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import format_datetime
from threading import Event, Thread
from typing import Any

from connectors.testing import FakePlatform, Fault, Request, Seed
from tests.fakes.mailserver import CERTIFICATE, KEY

USER, PASSWORD = "reviews@acme.example", 'pass "word\\ of mine'
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail in the folder; its number is its place in the list, plus one."""

    raw: bytes
    arrived: datetime


class Gone(Exception):
    """The connection ends here."""


class Mailserver:
    """Serves ``mails`` of ``folder``. ``faults`` are used up first, one a log-in.

    ``commands``: every command as it came, without log-ins; ``requests``: log-ins, searches and fetches. ``tell`` writes the
    answer to a FETCH of one mail.
    """

    def __init__(self, *, tls: str = "none", folder: str = "INBOX") -> None:
        self.mails: list[Mail] = []
        self.requests: list[Request] = []
        self.commands: list[str] = []
        self.faults: deque[Fault] = deque()
        self.closing = Event()
        self.uidvalidity = 7
        self.capabilities = "IMAP4rev1 AUTH=PLAIN" + (" STARTTLS" if tls == "starttls" else "")
        self.greeting = b"* OK ready\r\n"
        self.account = (USER, PASSWORD)
        self.answers: dict[str, bytes] = {}
        """What is said instead to LOGIN, EXAMINE, SEARCH or FETCH, with the tag in front."""
        self.before: dict[str, bytes] = {}
        """What is said before the answer to these, untagged."""
        self.seconds_a_byte = 0.0
        self.tell: Callable[[int, Mail, int], bytes] = told
        self.tls, self.folder = tls, folder
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self._open: list[socket.socket] = []
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"imap://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.closing.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _serve(self) -> None:
        while not self.closing.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(connection)
            Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        session = None
        with suppress(OSError, Gone):
            session = Session(self, connection)
            session.run()
        (session.sock if session else connection).close()


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE, KEY)
    return context


def told(number: int, mail: Mail, most: int) -> bytes:
    """The usual answer to a FETCH."""
    body = mail.raw[:most]
    head = f'* {number} FETCH (UID {number} INTERNALDATE "{internal(mail.arrived)}" RFC822.SIZE {len(mail.raw)}'
    return f"{head} BODY[]<0> {{{len(body)}}}\r\n".encode() + body + b")\r\n"


def internal(at: datetime) -> str:
    return f"{at.day:>2}-{MONTHS[at.month - 1]}-{at:%Y %H:%M:%S} +0000"


class Session:
    """One connection."""

    def __init__(self, server: Mailserver, sock: socket.socket) -> None:
        self.server, self.sock = server, sock
        self._fault: Fault | None = None
        if server.tls == "tls":
            self.sock = _context().wrap_socket(sock, server_side=True)
        self._file = self.sock.makefile("rb")

    def run(self) -> None:
        self._send(self.server.greeting)
        while line := self._file.readline():
            tag, _, rest = line.decode().strip().partition(" ")
            word, _, args = rest.partition(" ")
            if word.upper() == "UID":
                word, _, args = args.partition(" ")
            self._answer(tag, word.upper(), args)

    def _answer(self, tag: str, word: str, args: str) -> None:
        server = self.server
        if word not in ("LOGIN", "AUTHENTICATE"):
            server.commands.append(f"{word} {args}".strip())
        if word in ("LOGIN", "AUTHENTICATE", "SEARCH", "FETCH"):
            server.requests.append(Request("IMAP", word, {}, {}, b""))
        self._send(server.before.get(word, b""))
        if word in server.answers:
            self._send(tag.encode() + b" " + server.answers[word] + b"\r\n")
            return
        handler = getattr(self, f"_{word.lower()}", None)
        self._send(f"{tag} BAD what?\r\n".encode() if handler is None else handler(tag, args))
        if word == "STARTTLS":
            self.sock = _context().wrap_socket(self.sock, server_side=True)
            self._file = self.sock.makefile("rb")
        if word == "LOGOUT":
            raise Gone

    def _capability(self, tag: str, _: str) -> bytes:
        return f"* CAPABILITY {self.server.capabilities}\r\n{tag} OK done\r\n".encode()

    def _starttls(self, tag: str, _: str) -> bytes:
        return f"{tag} OK begin\r\n".encode()

    def _logout(self, tag: str, _: str) -> bytes:
        return f"* BYE see you\r\n{tag} OK done\r\n".encode()

    def _login(self, tag: str, args: str) -> bytes:
        return self._let_in(tag, tuple(shlex.split(args)))

    def _authenticate(self, tag: str, _: str) -> bytes:
        self._send(b"+ \r\n")
        _, user, password = base64.b64decode(self._file.readline()).decode().split("\0")
        return self._let_in(tag, (user, password))

    def _let_in(self, tag: str, given: tuple[str, ...]) -> bytes:
        self._fault = self.server.faults.popleft() if self.server.faults else None
        match self._fault:
            case Fault.UNAUTHORISED:
                return f"{tag} NO [AUTHENTICATIONFAILED] no, {given[0]}, {given[1]} is not it\r\n".encode()
            case Fault.BUSY:
                return f"{tag} NO [UNAVAILABLE] later\r\n".encode()
            case Fault.BROKEN:
                self._send(b"* BYE something broke\r\n")
                raise Gone
            case Fault.HTML:
                self._send(b"<html><body>Please sign in</body></html>\r\n")
                raise Gone
            case Fault.HANG:
                self.server.closing.wait(30)
                raise Gone
            case Fault.RESET:
                self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                raise Gone
        known = given == self.server.account
        return f"{tag} {'OK welcome' if known else 'NO [AUTHENTICATIONFAILED] no'}\r\n".encode()

    def _examine(self, tag: str, args: str) -> bytes:
        if self._fault is Fault.FORBIDDEN:
            return f"{tag} NO [NOPERM] not for you\r\n".encode()
        if self._fault is Fault.NOT_FOUND or shlex.split(args) != [self.server.folder]:
            return f"{tag} NO [NONEXISTENT] no such folder\r\n".encode()
        server = self.server
        said = [
            f"{len(server.mails)} EXISTS",
            f"OK [UIDVALIDITY {server.uidvalidity}] numbers",
            f"OK [UIDNEXT {len(server.mails) + 1}] next",
        ]
        return "".join(f"* {one}\r\n" for one in said).encode() + f"{tag} OK [READ-ONLY] opened\r\n".encode()

    def _search(self, tag: str, args: str) -> bytes:
        found = [
            number
            for number, mail in enumerate(self.server.mails, 1)
            if matches(args, number, mail, len(self.server.mails))
        ]
        return f"* SEARCH {' '.join(map(str, found))}".rstrip().encode() + f"\r\n{tag} OK done\r\n".encode()

    def _fetch(self, tag: str, args: str) -> bytes:
        numbers, most = args.split(" ")[0], int((re.search(r"<0\.(\d+)>", args) or ["", "0"])[1])
        answer = b"".join(
            self.server.tell(number, self.server.mails[number - 1], most) for number in map(int, numbers.split(","))
        )
        if self._fault is Fault.CUT:
            self._send(answer[: len(answer) // 2])
            raise Gone
        return answer + f"{tag} OK done\r\n".encode()

    def _send(self, answer: bytes) -> None:
        if not self.server.seconds_a_byte:
            self.sock.sendall(answer)
            return
        for number in range(len(answer)):
            if self.server.closing.wait(self.server.seconds_a_byte):
                raise Gone
            self.sock.sendall(answer[number : number + 1])


def matches(criteria: str, number: int, mail: Mail, last: int) -> bool:
    """The searches that are needed here, evaluated from the left."""
    words = deque(shlex.split(criteria))

    def one() -> bool:
        match words.popleft():
            case "UID":
                low = int(words.popleft().partition(":")[0])
                return number >= low or number == last  # "*" is the last mail, whatever stands before it
            case "SINCE":
                day, month, year = words.popleft().split("-")
                return (mail.arrived.year, mail.arrived.month, mail.arrived.day) >= (
                    int(year),
                    MONTHS.index(month) + 1,
                    int(day),
                )
            case "OR":
                first, second = one(), one()
                return first or second
            case "FROM" | "SUBJECT" as name:
                head = mail.raw.partition(b"\r\n\r\n")[0].decode(errors="replace")
                found = re.search(rf"(?im)^{name}: (.*)$", head)
                return words.popleft().lower() in (found[1].lower() if found else "")
            case other:
                raise AssertionError(f"search for {other}")

    results = []
    while words:
        results.append(one())
    return all(results)


class FakeMailbox(FakePlatform):
    """A mailbox into which every seed arrives as a mail, when it was written."""

    page_size = 20
    faults: Mapping[Fault, str] = {
        fault: fate for fault, fate in FakePlatform.faults.items() if fault is not Fault.TOO_MANY
    }  # type: ignore[misc]

    def __init__(self, **how: Any) -> None:
        self.seeds: list[Seed] = []
        self.more_likes: Counter[int] = Counter()
        self.repeat_last_page = False
        self.server = Mailserver(**how)
        self.loopback = self.server  # type: ignore[assignment]

    def options(self) -> Mapping[str, Any]:
        return {"host": "127.0.0.1", "user": USER, "password": PASSWORD}

    def secrets(self) -> tuple[str, ...]:
        return (PASSWORD, base64.b64encode(f"\0{USER}\0{PASSWORD}".encode()).decode())

    def external_id(self, seed: Seed) -> str:
        return f"{seed.number}.{int(seed.at.timestamp())}@mail.example"

    def publish(
        self, count: int = 1, *, at: datetime | None = None, every: timedelta = timedelta(minutes=7)
    ) -> list[Seed]:
        new = super().publish(count, at=at, every=every)
        self.server.mails += [self._mail(seed) for seed in new]
        return new

    def damage(self, seed: Seed) -> None:
        number = self.seeds.index(seed)
        super().damage(seed)
        self.server.mails[number] = self._mail(self.seeds[number])

    def _mail(self, seed: Seed) -> Mail:
        kind = "multipart/mixed; boundary=nowhere" if seed.damaged else "text/plain; charset=utf-8"
        return mail(
            f"{seed.text}\r\n", seed.at, Message_ID=f"<{self.external_id(seed)}>", Content_Type=kind, MIME_Version="1.0"
        )


def mail(body: str | bytes, at: datetime, **headers: str) -> Mail:
    """A mail that was written and arrived ``at``; ``headers`` with ``_`` for ``-``."""
    usual = {"From": "Ana <ana@mail.example>", "To": USER, "Subject": "A review", "Date": format_datetime(at)}
    named = {**usual, **{name.replace("_", "-"): value for name, value in headers.items()}}
    head = "".join(f"{name}: {value}\r\n" for name, value in named.items() if value)
    return Mail(head.encode() + b"\r\n" + (body.encode() if isinstance(body, str) else body), at)
