"""For those who watch the program itself: does it answer, is it ready, how much is there."""

from __future__ import annotations

from typing import Any, Final, Literal

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import Field

from monitor.app import App
from monitor.parties import parties
from monitor.web import sight
from monitor.web.answers import Answer
from monitor.web.guards import Here, visitor
from monitor.web.house import House
from storage import gauges, schema
from storage.engine import StorageError

router = APIRouter(tags=["monitoring"])
METRICS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "Prometheus' text format.", "content": {"text/plain": {"schema": {"type": "string"}}}},
    403: {"description": "Forbidden", "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}},
}  # fmt: skip


class Healthy(Answer):
    status: Literal["ok", "failed"] = Field(examples=["ok"])


class Ready(Answer):
    """What has to be so before it is of use. A daemon that does not run is said, and does not make it unready."""

    status: Literal["ok", "failed"] = Field(examples=["ok"])
    schema_: Literal["ok", "failed"] = Field(alias="schema", description="The store's tables are this program's.")
    store: Literal["ok", "failed"] = Field(description="It can be read, and looks as if it could be written to.")
    configuration: Literal["ok", "faulty"] = Field(description="faulty: it goes on with the one before.")
    daemon: Literal["running", "none", "unknown"] = Field(description="Whether one runs on this store.")


@router.get(
    "/healthz", response_model=Healthy, responses={503: {"model": Healthy, "description": "The store cannot be read."}}
)
def read_health(house: Here) -> Response:
    """The process answers, and the store can be read."""
    try:
        gauges.answers(house.app.database)
    except StorageError:
        return JSONResponse({"status": "failed"}, 503)
    return JSONResponse({"status": "ok"})


@router.get("/readyz", response_model=Ready, responses={503: {"model": Ready, "description": "It is not ready."}})
def read_readiness(house: Here) -> Response:
    """The store's tables are this program's, it looks writable, the configuration is sound; and whether a daemon runs."""
    found = _readiness(house)
    return JSONResponse(found, 200 if found["status"] == "ok" else 503)


def _readiness(house: House) -> dict[str, str]:
    app = house.app
    try:
        tables, store = schema.version(app.database) == schema.HEAD, gauges.looks_writable(app.database)
        daemon = "running" if parties(app) else "none"
    except StorageError:
        tables, store, daemon = False, False, "unknown"
    return {
        "status": "ok" if tables and store else "failed",
        "schema": "ok" if tables else "failed",
        "store": "ok" if store else "failed",
        "configuration": "ok" if house.fault is None else "faulty",
        "daemon": daemon,
    }


@router.get("/metrics", response_class=Response, responses=METRICS)
def read_metrics(request: Request, house: Here) -> Response:
    """Numbers about the program for Prometheus; of the whole store, so not for tokens of some brands."""
    if not house.settings.web.open_metrics:
        sight.whole_store(visitor(request))
    return Response(_text(request, house.app), media_type=CONTENT_TYPE_LATEST)


def _text(request: Request, app: App) -> bytes:
    text: bytes = request.app.state.gauges.text(app)
    return text
