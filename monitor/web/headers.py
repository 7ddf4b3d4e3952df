"""What every answer carries, and whom nothing is answered: policy, caching, hosts. Plain ASGI, since it stands before everything."""

from __future__ import annotations

from typing import Final

from fastapi import FastAPI
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monitor.web.guards import is_known_host

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self';"
    " frame-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; manifest-src 'self'"
)
_ALWAYS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
LARGEST_BODY: Final = 10 * 1024 * 1024


class Guarded:
    """Answers only to our own names and to bodies of bearable size; adds the headers that an answer does not set itself."""

    def __init__(self, app: ASGIApp, site: FastAPI) -> None:
        self._app, self._site = app, site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        house, is_local = self._site.state.house, self._site.state.is_local
        if not is_known_host(house, headers.get("host", ""), is_local=is_local):
            await _refuse(421, _UNKNOWN_HOST)(scope, receive, _with_headers(send))
        elif _size(headers) > LARGEST_BODY:
            await _refuse(413, f"the body is larger than {LARGEST_BODY:,} bytes; send it in parts")(
                scope, receive, _with_headers(send)
            )
        else:
            await self._app(scope, receive, _with_headers(send))


_UNKNOWN_HOST: Final = (
    "this dashboard does not go by that name; name it in the configuration: [web] hosts or public_url"
)


def _size(headers: Headers) -> int:
    told = headers.get("content-length", "0")
    return int(told) if told.isdecimal() and len(told) < 16 else 0


def _refuse(status: int, detail: str) -> JSONResponse:
    content = {"type": "about:blank", "title": "Refused", "status": status, "detail": detail}
    return JSONResponse(content, status, media_type="application/problem+json")


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _ALWAYS.items():
                headers.setdefault(name, value)
        await send(message)

    return sending
