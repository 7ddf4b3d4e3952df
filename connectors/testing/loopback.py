"""A real HTTP server on loopback that answers like a platform and, when told so, fails like one."""

from __future__ import annotations

import json
import socket
import struct
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit


class Fault(StrEnum):
    """Ways in which a platform fails."""

    UNAUTHORISED = "401"
    FORBIDDEN = "403"
    NOT_FOUND = "404"
    TOO_MANY = "429"
    BROKEN = "500"
    BUSY = "503"
    RESET = "reset"
    HTML = "html"  # a web page with status 200 where data was expected
    CUT = "cut"  # the connection ends in the middle of the body
    HANG = "hang"  # no answer at all


@dataclass(frozen=True, slots=True)
class Request:
    """What the platform was asked. ``query`` keeps the last value of each name, ``pairs`` every one; headers are lower-case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    pairs: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Reply:
    """What the platform answers; the body takes ``seconds`` to come, in ten parts."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0

    @classmethod
    def of_json(cls, data: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
        return cls(json.dumps(data).encode(), status, {"Content-Type": "application/json", **(headers or {})})


RETRY_AFTER_SECONDS = 42


class Loopback:
    """Serves ``respond`` on 127.0.0.1 at a free port until closed; ``faults`` are used up first, one a request."""

    def __init__(self, respond: Callable[[Request], Reply]) -> None:
        self.requests: list[Request] = []
        self.faults: deque[Fault] = deque()
        self.closing = Event()
        self._respond = respond
        self._server = _Server(_handler(self), self.closing)
        self._thread = Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        if not self.closing.is_set():
            self.closing.set()
            with suppress(OSError):  # one more caller wakes the server, which looks at nothing while nobody calls
                socket.create_connection(("127.0.0.1", self._server.server_address[1]), timeout=1).close()
        self._thread.join()
        self._server.server_close()

    def _serve(self) -> None:
        while not self.closing.is_set():
            self._server.handle_request()

    def reply_to(self, request: Request) -> Reply:
        self.requests.append(request)
        return self._respond(request)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, handler: type[BaseHTTPRequestHandler], closing: Event) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self._closing = closing

    def verify_request(self, request: Any, client_address: Any) -> bool:
        return not self._closing.is_set()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no news."""


def _handler(loopback: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # or the body waits for the ACK of the head

        def do_GET(self) -> None:
            request = self._request()
            if loopback.faults:
                self._fail(loopback.faults.popleft(), request)
            else:
                self._send(loopback.reply_to(request))

        do_POST = do_GET

        def _request(self) -> Request:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            pairs = parse_qsl(parts.query, True)
            return Request(self.command, parts.path, dict(pairs), headers, body, pairs)

        def _send(self, reply: Reply, *, cut: bool = False) -> None:
            self.send_response(reply.status)
            for name, value in {"Content-Type": "text/plain", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self._write(reply.body[: len(reply.body) // 2] if cut else reply.body, reply.seconds)
            self.close_connection = self.close_connection or cut

        def _write(self, body: bytes, seconds: float) -> None:
            size = len(body) // 10 + 1 if seconds else len(body) or 1
            for start in range(0, len(body), size):
                loopback.closing.wait(seconds / 10)
                self.wfile.write(body[start : start + size])

        def _fail(self, fault: Fault, request: Request) -> None:
            if fault is Fault.RESET:
                self._reset()
            elif fault is Fault.HANG:
                loopback.closing.wait(30)
                self.close_connection = True
            elif fault is Fault.CUT:
                self._send(loopback.reply_to(request), cut=True)
            elif fault is Fault.HTML:
                self._send(Reply(b"<html><body>Please sign in</body></html>", 200, {"Content-Type": "text/html"}))
            else:
                extra = {"Retry-After": str(RETRY_AFTER_SECONDS)} if fault is Fault.TOO_MANY else {}
                self._send(Reply(b"<html>failed</html>", int(fault), {"Content-Type": "text/html", **extra}))

        def _reset(self) -> None:
            """Close with an RST instead of a FIN."""
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            self.connection.close()

        def log_message(self, format: str, *args: Any) -> None:
            """Keep the test's output clean."""

    return Handler
