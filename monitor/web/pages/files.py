"""Our own style, script and pictures; the chart engine's script. Anybody may have them, and browsers keep them."""

from __future__ import annotations

import mimetypes
from functools import cache
from typing import Final

from fastapi import APIRouter
from fastapi.responses import Response

from monitor.web import bundle
from monitor.web.guards import Here
from monitor.web.page import STATIC
from monitor.web.problems import Refused, not_found

router = APIRouter(include_in_schema=False)
FOR_GOOD: Final = {"Cache-Control": "public, max-age=31536000, immutable"}


@router.get("/static/chart-engine.js")
def chart_engine(house: Here) -> Response:
    """The chart engine's script."""
    file = house.app.database.file
    folder = file.parent if file is not None else bundle.own_folder()
    try:
        content = bundle.engine(folder)
    except bundle.NoEngine as error:
        raise Refused(503, str(error)) from error
    return Response(content, media_type="text/javascript", headers={**FOR_GOOD, "Content-Encoding": "gzip"})


@router.get("/static/{name:path}")
def static_file(name: str) -> Response:
    """One of our own files."""
    if name not in _names():
        raise not_found("there is no such file")
    kind = mimetypes.guess_type(name)[0] or "application/octet-stream"
    return Response((STATIC / name).read_bytes(), media_type=kind, headers=FOR_GOOD)


@router.get("/favicon.ico")
def favicon() -> Response:
    return static_file("mark.svg")


@cache
def _names() -> frozenset[str]:
    return frozenset(str(file.relative_to(STATIC)) for file in STATIC.rglob("*") if file.is_file())
