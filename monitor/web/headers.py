"""What every answer carries, and whom nothing is answered: policy, caching, hosts, sizes. Plain ASGI, since it stands before everything."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.config.web import WebSettings
from monitor.web.guards import is_known_host

LOG = logging.getLogger("sentiment_monitor.web")

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self';"
    " frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
ALWAYS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
HTTPS_ALONE: Final = {"Strict-Transport-Security": "max-age=31536000"}
"""For who is reached by https: ``[web] public_url`` says so."""

LARGEST_BODY: Final = 10 * 1024 * 1024
LARGEST_FROM_STRANGERS: Final = 16 * 1024
"""What may be sent to where one signs in."""
LONGEST_PATH: Final = 2_000
"""Characters; a number in it of more digits than Python reads would be a bug of ours."""
BODY_SECONDS: Final = 60.0
"""How long a body may take to arrive."""
AT_ONCE: Final = 100
"""Requests that are answered at the same time."""


class Guarded:
    """Answers only to our own names, to so many at once, to bodies of bearable size; adds the headers that an answer does not set itself."""

    def __init__(
        self, app: ASGIApp, site: FastAPI, *, body_seconds: float = BODY_SECONDS, at_once: int = AT_ONCE
    ) -> None:
        self._app, self._site = app, site
        self._body_seconds, self._at_once = body_seconds, at_once
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        sending = _Sending(send, self._site.state.house.settings.web)
        refusal = self._refusal(scope)
        if refusal is not None:
            await refusal(scope, receive, sending)
            return
        self._under_way += 1
        try:
            await self._app(scope, _Receiving(receive, _largest(scope), self._body_seconds), sending)
        except Exception as error:
            await _fail(scope, receive, sending, error)
        finally:
            self._under_way -= 1

    def _refusal(self, scope: Scope) -> JSONResponse | None:
        headers = Headers(scope=scope)
        house, is_local = self._site.state.house, self._site.state.is_local
        if not is_known_host(house, headers.get("host", ""), is_local=is_local):
            return _refuse(421, _UNKNOWN_HOST)
        if self._under_way >= self._at_once:
            return _refuse(503, "too many ask at once; try again in a moment", {"Retry-After": "2"})
        if _size(headers) > _largest(scope):
            return _refuse(413, _too_large(_largest(scope)))
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            return _refuse(422, "the address holds a NUL character; leave it out")
        if len(scope["path"]) > LONGEST_PATH:
            return _refuse(414, f"the address has more than {LONGEST_PATH:,} characters; shorten it")
        return None


_UNKNOWN_HOST: Final = (
    "this dashboard does not go by that name; name it in the configuration: [web] hosts or public_url"
)


def _largest(scope: Scope) -> int:
    return LARGEST_FROM_STRANGERS if scope["path"] == "/login" else LARGEST_BODY


def _too_large(largest: int) -> str:
    return f"the body is larger than {largest:,} bytes; send it in parts"


def _size(headers: Headers) -> int:
    told = headers.get("content-length", "0")
    return int(told) if told.isdecimal() and len(told) < 16 else 0


def _refuse(status: int, detail: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    content = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return JSONResponse(content, status, headers, media_type="application/problem+json")


async def _fail(scope: Scope, receive: Receive, sending: _Sending, error: Exception) -> None:
    """Bugs are told of and answered further in; what comes here has either been so, or happened while doing so."""
    if sending.begun:
        return
    LOG.error("bug while answering %s %s", scope["method"], scope["path"][:200], exc_info=error)
    await _refuse(500, "something went wrong here; the log of the program says what")(scope, receive, sending)


class _Receiving:
    """A request's body as it arrives: no larger and no slower than can be borne, whatever it said of its size."""

    def __init__(self, receive: Receive, largest: int, seconds: float) -> None:
        self._receive, self._largest = receive, largest
        self._seen = 0
        self._is_whole = False
        self._until = asyncio.get_running_loop().time() + seconds

    async def __call__(self) -> Message:
        if self._is_whole:
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError as error:
            raise HTTPException(408, "the body took too long to arrive; send it again") from error
        self._seen += len(message.get("body", b""))
        if self._seen > self._largest:
            raise HTTPException(413, _too_large(self._largest))
        self._is_whole = not message.get("more_body", False)
        return message


class _Sending:
    """An answer on its way. ``begun``: its status has been sent."""

    def __init__(self, send: Send, web: WebSettings) -> None:
        self._send = send
        is_https = web.public_url is not None and web.public_url.startswith("https:")
        self._added = ALWAYS | HTTPS_ALONE if is_https else ALWAYS
        self.begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            headers = MutableHeaders(scope=message)
            for name, value in self._added.items():
                headers.setdefault(name, value)
        await self._send(message)
