"""What the interface for programs is made of: its routers, its models, and how it says what can go wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, ConfigDict, Field

from monitor.web.guards import Reader
from monitor.web.problems import Refused

PREFIX: Final = "/api/v1"
PROBLEM: Final = "application/problem+json"
LARGEST: Final = 2**63 - 1
DETAILS: Final[Mapping[int, str]] = {
    400: "There was an error parsing the body",
    401: "who are you? send Authorization: Bearer TOKEN",
    403: "this token may read only; make one that may write: sentiment-monitor web token NAME --write",
    404: 'no brand "Acme"; there are: Larkspur, Jotwick, Pebblebox',
    409: "item 17: was erased; nothing is changed in it any more",
    413: "the body is larger than 10,485,760 bytes; send it in parts",
    422: "since is not before until; turn them round",
    429: "news: asked too often; try again later",
    500: "something went wrong here; the log of the program says what",
    503: "the store cannot be read right now: it is being written to",
}
"""An example of what is said with each status."""

Plain = Annotated[str, Field(pattern=r"^[^\x00]*$")]
"""Text as the store can keep it."""


class Answer(BaseModel):
    """What an answer is made of."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class Wish(BaseModel):
    """What a request's body is made of: strict about its fields and their types."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For a route's ``responses``: what it may answer beside what all routes may (see :mod:`monitor.web.description`)."""
    return {status: problem(status) for status in statuses}


def problem(status: int) -> dict[str, Any]:
    """A problem document as the description shows it."""
    phrase = HTTPStatus(status).phrase
    example = {"type": "about:blank", "title": phrase, "status": status, "detail": DETAILS[status]}
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"description": phrase, "content": {PROBLEM: {"schema": schema, "example": example}}}


# ----------------------------------------------------------------------------------------------------- routers


def api(tag: str) -> APIRouter:
    """A router whose every request is by somebody known, and asks for nothing that is not understood."""
    return APIRouter(prefix=PREFIX, tags=[tag], dependencies=[Depends(sound)])


def sound(request: Request, _visitor: Reader) -> None:
    """Refuse what no store can keep, and parameters that nothing would look at."""
    given = [*request.path_params.values(), *(value for _, value in request.query_params.multi_items())]
    if any("\0" in str(value) for value in given):
        raise Refused(422, "the address holds a NUL character; leave it out")
    known = _known(request)
    unknown = next((name for name in request.query_params if name not in known), None)
    if unknown is not None:
        raise Refused(422, f"{unknown[:40]}: is no parameter here; there are: {', '.join(sorted(known)) or 'none'}")


def _known(request: Request) -> set[str]:
    """The names of the query parameters of the route that is asked."""
    return {name for field in _fields(request.scope["route"].dependant) for name in _names(field)}


def _fields(dependant: Any) -> Iterator[Any]:
    """Its own, and those of all that it depends on."""
    yield from dependant.query_params
    for other in dependant.dependencies:
        yield from _fields(other)


def _names(field: Any) -> Iterable[str]:
    """A parameter's name; of a model the names of its fields."""
    model = field.field_info.annotation
    is_model = isinstance(model, type) and issubclass(model, BaseModel)
    return model.model_fields if is_model else [field.alias]
