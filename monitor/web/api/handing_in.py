"""Webhook in: items that others send to a source. It is signed by its sender, so it needs no token."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from monitor import pushing
from monitor.web.answers import PREFIX, Answer, problems
from monitor.web.guards import Here
from monitor.web.problems import Refused

router = APIRouter(prefix=PREFIX, tags=["sources"])
BODY: Final[dict[str, Any]] = {
    "requestBody": {
        "description": "Items as the source's options say, such as a JSON array of objects.",
        "required": True,
        "content": {"application/json": {"schema": {}, "example": [{"id": "1", "text": "Larkspur is great"}]}},
    }
}


class HandedIn(Answer):
    """What came of it."""

    source: str
    seen: int = Field(description="Items that were read.")
    new: int
    changed: int
    unmatched: int = Field(description="Items that name no brand.")
    skipped: int
    skips: Sequence[tuple[str, str]] = Field(description="The first that were left out: what, and why.")
    repeated: bool = Field(description="It was sent before; all this was told then.")


@router.post("/sources/{name:path}/items", openapi_extra=BODY, responses=problems(404, 409, 429))
async def hand_in(
    request: Request,
    house: Here,
    name: Annotated[
        str, Path(description="A source of type webhook.", min_length=1, max_length=200, examples=["shop"])
    ],
) -> HandedIn:
    """Hand items in to a source. Signature and form are those of the source's options (docs/connectors/webhook.md)."""
    if "\0" in name:
        raise Refused(404, "there is no such source; look at the address it is sent to")
    body = await request.body()
    headers = {key.lower(): value for key, value in request.headers.items()}
    return await run_in_threadpool(_handed, house, name, body, headers)


def _handed(house: Any, name: str, body: bytes, headers: dict[str, str]) -> HandedIn:
    try:
        return HandedIn.model_validate(pushing.hand_in(house.app, name, body, headers))
    except pushing.Refused as error:
        wait = {"Retry-After": "60"} if error.status in (429, 503) else None
        raise Refused(error.status, str(error), wait) from error
