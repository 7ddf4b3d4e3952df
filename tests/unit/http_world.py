"""Servers on loopback that do as a test says."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event, Semaphore, Thread

from connectors.testing import Reply, Request
from connectors.testing.loopback import Loopback

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)

Behave = Callable[[socket.socket, Event], object]
"""What a raw server does with a connection, until the event is set."""


class World:
    """A loopback server whose answers a test writes down by path; it echoes what it was asked otherwise."""

    def __init__(self) -> None:
        self.replies: dict[str, Reply] = {}
        self.server = Loopback(self._respond)

    @property
    def requests(self) -> list[Request]:
        return self.server.requests

    def url(self, path: str = "/") -> str:
        return self.server.url + path

    def redirect(self, path: str, target: str, status: int = 302) -> None:
        self.replies[path] = Reply(b"", status, {"Location": target})

    def _respond(self, request: Request) -> Reply:
        echo = {"query": dict(request.query), "headers": dict(request.headers), "body": request.body.decode()}
        return self.replies.get(request.path) or Reply.of_json(echo)

    def close(self) -> None:
        self.server.close()


class RawServer:
    """Treats every connection, once something was asked, as ``behave`` says, then closes it and releases ``closed``."""

    def __init__(self, behave: Behave) -> None:
        self._behave = behave
        self._ended = Event()
        self.closed = Semaphore(0)
        self._listener = socket.create_server(("127.0.0.1", 0))
        Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/"

    def close(self) -> None:
        self._ended.set()
        self._listener.close()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with connection:
            try:
                connection.recv(65_536)
                self._behave(connection, self._ended)
            except OSError:
                pass  # the client went away
        self.closed.release()
