"""The description of the interface for programs (OpenAPI 3.1): what FastAPI makes of the routes, with everything that can go wrong."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from monitor.web.answers import DETAILS, PROBLEM, problem
from monitor.web.problems import Problem

OPEN_TO_ALL: Final = ("/healthz", "/readyz")
"""What needs no token."""
SIGNED: Final = "hand_in"
"""What is signed by its sender instead."""
TAGS: Final = (
    ("report", "Every figure, and parts of them."),
    ("items", "What the figures are made of, one by one, and what people say of it."),
    ("trust", "How right the labels are, whom to leave out, which words to exclude."),
    ("sources", "What is read, how it goes, and what is handed in."),
    ("watching", "What is unusual, and rules on single items."),
    ("digests", "What is sent, and where it went."),
    ("monitoring", "For those who watch the program itself."),
)


def operation_id(route: APIRoute) -> str:
    """The name of the function that answers."""
    return route.name


def describe(site: FastAPI) -> None:
    """Let the site describe itself; made once, when it is first asked for."""

    def described() -> dict[str, Any]:
        if site.openapi_schema is None:
            site.openapi_schema = _made(site)
        return site.openapi_schema

    site.openapi = described  # type: ignore[method-assign]


def _made(site: FastAPI) -> dict[str, Any]:
    made = get_openapi(
        title=site.title, version=site.version, description=site.description, routes=site.routes,
        tags=[{"name": name, "description": words} for name, words in TAGS],
    )  # fmt: skip
    parts = made["components"]
    for name in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(name, None)
    parts["schemas"]["Problem"] = Problem.model_json_schema()
    parts["schemas"] = dict(sorted(parts["schemas"].items()))
    parts["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "description": _BEARER}}
    parts["responses"] = {_name(status): problem(status) for status in sorted(DETAILS)}
    made["security"] = [{"bearer": []}]
    for path, method, operation in _operations(made):
        _complete(path, method, operation)
    return made


_BEARER: Final = (
    "A token: `sentiment-monitor web token NAME`, with `--write` to change things, with `--brand` for some brands alone."
    " On this machine alone, with no password set, none is needed."
)


def _operations(made: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in made["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _complete(path: str, method: str, operation: dict[str, Any]) -> None:
    """Add what any route of its kind may answer."""
    answers: dict[str, Any] = operation["responses"]
    answers.pop("422", None)
    is_signed = operation["operationId"] == SIGNED
    if path in OPEN_TO_ALL or is_signed:
        operation["security"] = []
    common = {401, 422, 500, 503} if path not in OPEN_TO_ALL else set()
    if method != "get":
        common |= {403}
    if "requestBody" in operation:
        common |= {400, 413}
    if is_signed:
        common -= {403}
    told = {status: _short(status, answer) for status, answer in answers.items()}
    operation["responses"] = dict(sorted({**{str(status): _problem(status) for status in common}, **told}.items()))


def _short(status: str, answer: dict[str, Any]) -> dict[str, Any]:
    """A problem by its name; all else as it is."""
    return _problem(int(status)) if PROBLEM in answer.get("content", {}) else answer


def _problem(status: int) -> dict[str, Any]:
    return {"$ref": f"#/components/responses/{_name(status)}"}


def _name(status: int) -> str:
    """``NotFound``."""
    return HTTPStatus(status).phrase.title().replace(" ", "")
