"""Connections that neither come nor go: a request's head has its time, a reader has to take what it asked for."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any, Final

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from monitor.web.headers import ALWAYS

LOG = logging.getLogger("sentiment_monitor.web")
HEAD_SECONDS: Final = 20.0
"""From the connection, or from the last answer, to the end of the next request's head."""
TAKE_SECONDS: Final = 60.0
"""How long a reader may take nothing of an answer that is on its way."""
CONNECTIONS: Final = 400
"""Held at the same time; further ones are closed."""


class Patient(H11Protocol):
    """uvicorn's connection, which ends those that hold it without using it."""

    head_seconds: float = HEAD_SECONDS
    take_seconds: float = TAKE_SECONDS
    connections_at_most: int = CONNECTIONS
    _head: asyncio.TimerHandle | None = None
    _taking: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        if len(self.connections) > self.connections_at_most:
            LOG.warning("more than connections=%d at once: one is closed", self.connections_at_most)
            transport.abort()
            return
        self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        _cancel(self._head)
        _cancel(self._taking)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._is_idle:
            _cancel(self._head)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._is_idle:
            self._await_head()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._taking = self.loop.call_later(self.take_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        _cancel(self._taking)
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """What is no HTTP gets the answer, and the headers, that all get."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            content = {
                "type": "about:blank",
                "title": "Bad Request",
                "status": 400,
                "detail": "this is no sound request of HTTP",
            }
            headers = {**ALWAYS, "Content-Type": "application/problem+json", "Connection": "close"}
            head = h11.Response(status_code=400, headers=list(headers.items()), reason=b"Bad Request")
            for event in (head, h11.Data(data=json.dumps(content).encode()), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    @property
    def _is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _await_head(self) -> None:
        _cancel(self._head)
        self._head = self.loop.call_later(self.head_seconds, self._give_up)

    def _give_up(self) -> None:
        if self._is_idle:
            self.transport.abort()


def _cancel(timer: asyncio.TimerHandle | None) -> None:
    if timer is not None:
        timer.cancel()
