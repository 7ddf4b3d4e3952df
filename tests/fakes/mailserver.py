"""A real mail server on loopback, with STARTTLS and log-in, that refuses what a test tells it to."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from threading import Thread
from typing import Any

from aiosmtpd.smtp import MISSING, SMTP, AuthResult

CERTIFICATE = Path(__file__).with_name("localhost-cert.pem")
"""Made for these tests: of "localhost", signed by itself, until 2120."""
CUT = "cut"
"""An answer to QUIT: the connection ends."""
DROP = "drop"
"""A mood: the connection ends instead of an answer."""
KEY = Path(__file__).with_name("localhost-key.pem")


@dataclass(frozen=True, slots=True)
class Mail:
    """What the server took."""

    sender: str
    recipients: Sequence[str]
    raw: bytes
    user: str | None

    @property
    def message(self) -> EmailMessage:
        found = message_from_bytes(self.raw, policy=policy.default)
        assert isinstance(found, EmailMessage)
        return found

    @property
    def id(self) -> str:
        return str(self.message["Message-ID"])


class MailServer:
    """Takes mail at ``localhost:port``. ``answers``: what it says instead of yes to MAIL, RCPT, DATA, QUIT or AUTH.

    ``accounts`` (user -> password) makes it ask for a log-in; ``tls``: "starttls", "tls" or "none".
    """

    def __init__(self, *, tls: str = "starttls", accounts: dict[str, str] | None = None) -> None:
        self.mails: list[Mail] = []
        self.answers: dict[str, str] = {}
        self.refused: dict[str, str] = {}
        """Recipients that are refused, with the answer they get."""
        self.taken: Callable[[], object] = lambda: None
        """Called when a mail has been taken, before its sender is told."""
        self.passed: Callable[[], object] = lambda: None
        """Called at each step: a connection, a log-in, a sender, a recipient, a mail, a goodbye."""
        self.mood: Callable[[], str] = lambda: "250"
        """What it does with a mail: takes it ("250"), answers otherwise, or drops the connection (:data:`DROP`)."""
        self.delay = 0.0
        """Seconds that it takes to think about a mail."""
        self._tls, self._accounts = tls, accounts
        logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # the server's own log tells passwords
        self._loop = asyncio.new_event_loop()
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(listener.getsockname()[1])
        outer = _context() if tls == "tls" else None
        self._server = self._loop.run_until_complete(self._loop.create_server(self._session, sock=listener, ssl=outer))
        self._thread = Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._server.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def _session(self) -> SMTP:
        self.passed()
        return SMTP(
            self,
            loop=self._loop,
            hostname="localhost",
            tls_context=_context() if self._tls == "starttls" else None,
            auth_required=self._accounts is not None,
            authenticator=self._log_in,
        )

    def _log_in(self, _server: Any, _session: Any, _envelope: Any, _method: Any, given: Any) -> AuthResult:
        self.passed()
        if "AUTH" in self.answers:
            return AuthResult(success=False, handled=False, message=self.answers["AUTH"])
        user, password = given.login.decode(), given.password.decode()
        known = (self._accounts or {}).get(user) == password
        message = None if known else f"535 5.7.8 no, {user}, {password} is not it"  # some servers do repeat it
        return AuthResult(success=known, handled=False, auth_data=user, message=message)

    async def handle_MAIL(
        self, _server: Any, _session: Any, envelope: Any, address: str, options: Sequence[str]
    ) -> str:
        self.passed()
        envelope.mail_from = address
        return self.answers.get("MAIL", "250 OK")

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, options: Sequence[str]
    ) -> str:
        self.passed()
        refusal = self.refused.get(address) or self.answers.get("RCPT")
        if refusal is None:
            envelope.rcpt_tos.append(address)
        return refusal or "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        if "DATA" in self.answers:
            return self.answers["DATA"]
        await asyncio.sleep(self.delay)
        mood = self.mood()
        if mood == DROP:
            server.transport.abort()
        if mood != "250":
            return mood
        self.mails.append(Mail(envelope.mail_from, tuple(envelope.rcpt_tos), envelope.content, session.auth_data))
        self.taken()
        self.passed()
        return "250 taken"

    async def handle_QUIT(self, server: Any, _session: Any, _envelope: Any) -> Any:
        self.passed()
        if self.answers.get("QUIT") == CUT:
            server.transport.abort()
        return self.answers.get("QUIT", MISSING)


def _context() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(CERTIFICATE, KEY)
    return context
