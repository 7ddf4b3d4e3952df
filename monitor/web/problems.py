"""What went wrong, for people as a page and for programs as a problem document (RFC 9457)."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from monitor.web.asked import Unasked
from monitor.web.guards import NotAllowed, NotSignedIn, visitor
from monitor.web.page import render
from storage.engine import StorageError

LOG = logging.getLogger("sentiment_monitor.web")


class Problem(BaseModel):
    """A problem document. Source: RFC 9457."""

    type: str = Field(default="about:blank", examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=['no brand "Acme"; there are: Larkspur'])
    instance: str | None = Field(default=None, examples=["/api/v1/report"])


class Refused(Exception):
    """The request cannot be answered: with this status, for this reason."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, headers


def not_found(detail: str) -> Refused:
    return Refused(404, detail)


def handle(site: FastAPI) -> None:
    """Answer everything that can go wrong in one way."""
    site.add_exception_handler(NotSignedIn, _not_signed_in)
    site.add_exception_handler(NotAllowed, lambda request, error: answer(request, 403, str(error)))
    site.add_exception_handler(Unasked, lambda request, error: answer(request, 422, str(error)))
    site.add_exception_handler(Refused, _refused)
    site.add_exception_handler(StorageError, _store)
    site.add_exception_handler(RequestValidationError, _invalid)
    site.add_exception_handler(HTTPException, _http)
    site.add_exception_handler(ClientDisconnect, _gone)
    site.add_exception_handler(Exception, _bug)


def answer(request: Request, status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """A problem as a document to programs, as a page to people."""
    title, detail = HTTPStatus(status).phrase, detail.encode("utf-8", "replace").decode()
    if for_programs(request):
        problem = Problem(title=title, status=status, detail=detail[:2_000], instance=request.url.path[:500])
        content = problem.model_dump()
        return JSONResponse(content, status, headers=headers, media_type="application/problem+json")
    with suppress(NotSignedIn, NotAllowed, StorageError):
        visitor(request)
    return render(request, "error.html", status=status, headers=headers, title=title, detail=detail)


def for_programs(request: Request) -> bool:
    path = request.url.path
    wants_json = request.headers.get("accept", "").startswith(
        "application/json"
    )  # our own scripts; no browser by itself
    return wants_json or path.startswith("/api/") or path in ("/metrics", "/healthz", "/readyz")


def _not_signed_in(request: Request, _error: Exception) -> Response:
    if for_programs(request):
        return answer(request, 401, "who are you? send Authorization: Bearer TOKEN", {"WWW-Authenticate": "Bearer"})
    wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    back = f"?next={quote(wanted)}" if request.method == "GET" and wanted != "/" else ""
    return RedirectResponse(f"/login{back}", 303)


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return answer(request, error.status, error.detail, error.headers)


def _store(request: Request, error: Exception) -> Response:
    LOG.warning("the store did not answer: %s", error)
    why = f": {error}" if getattr(request.state, "visitor", None) else ""  # it names the store's place
    return answer(request, 503, f"the store cannot be read right now{why}", {"Retry-After": "5"})


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return answer(request, 422, "; ".join(_said(fault) for fault in error.errors()[:10]))


def _said(fault: Mapping[str, Any]) -> str:
    place = ".".join(str(part) for part in fault["loc"] if part not in ("query", "body", "path"))
    return f"{place or 'the request'}: {fault['msg']}"[:300]


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = error.detail if error.detail != HTTPStatus(error.status_code).phrase else _usual(error.status_code)
    return answer(request, error.status_code, detail, error.headers)


def _usual(status: int) -> str:
    return {404: "there is nothing at this address", 405: "this address does not take such a request"}.get(
        status, HTTPStatus(status).phrase
    )


def _gone(_request: Request, _error: Exception) -> Response:
    return Response(status_code=400)  # nobody is there to read it


def _bug(request: Request, error: Exception) -> Response:
    LOG.error("bug while answering %s %s", request.method, request.url.path[:200], exc_info=error)
    return answer(request, 500, "something went wrong here; the log of the program says what")
