"""The description of the interface for programs is complete, true, and the one that is committed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import jsonschema_rs
import pytest

from monitor.web.site import described
from tests.web.serving import Dashboard

ROOT: Final = Path(__file__).parents[2]
DESCRIBED: Final = json.loads((ROOT / "docs" / "openapi.json").read_text(encoding="utf-8"))
"""As it is committed, which spares every process that collects these tests the making of it."""
OPERATIONS: Final = [
    (f"{method.upper()} {path}", operation)
    for path, methods in DESCRIBED["paths"].items()
    for method, operation in methods.items()
]
OPERATION = pytest.mark.parametrize("operation", [one for _, one in OPERATIONS], ids=[name for name, _ in OPERATIONS])


def whole(schema: Any) -> dict[str, Any]:
    """A part of the description as a document of its own, its references kept."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "components": DESCRIBED["components"], **schema}


def is_valid(example: Any, schema: Any) -> bool:
    return jsonschema_rs.validator_for(whole(schema), validate_formats=True).is_valid(example)


def examples(part: Any) -> Iterator[tuple[Any, Any]]:
    """Every example with its schema, wherever it stands."""
    if isinstance(part, list):
        for one in part:
            yield from examples(one)
    if not isinstance(part, dict):
        return
    if isinstance(part.get("examples"), list):
        yield from (
            (one, {name: value for name, value in part.items() if name != "examples"}) for one in part["examples"]
        )
    if "example" in part and "schema" in part:
        yield part["example"], part["schema"]
    for name, one in part.items():
        if name not in ("examples", "example"):
            yield from examples(one)


def test_the_committed_description_is_current() -> None:
    assert described() == DESCRIBED, "run: python docs/make_openapi.py"
    assert DESCRIBED["openapi"].startswith("3.1")


def test_what_is_served_is_what_is_committed(read_only: Dashboard) -> None:
    assert read_only.get("/api/v1/openapi.json").json() == DESCRIBED


def test_every_example_fits_its_schema() -> None:
    found = list(examples(DESCRIBED))
    assert len(found) > 100
    assert [example for example, schema in found if not is_valid(example, schema)] == []


@OPERATION
def test_every_parameter_and_field_asked_for_is_described_by_words_or_an_example(operation: dict[str, Any]) -> None:
    for parameter in operation.get("parameters", []):
        assert parameter.get("description"), parameter["name"]
        assert parameter["schema"].get("examples"), parameter["name"]
    for body in operation.get("requestBody", {}).get("content", {}).values():
        assert body.get("example") or _fields_have_examples(body["schema"])


def _fields_have_examples(schema: dict[str, Any]) -> bool:
    one = next((part for part in schema.get("anyOf", []) if "$ref" in part), schema)
    model = DESCRIBED["components"]["schemas"][one["$ref"].rpartition("/")[2]]
    return all("examples" in field for field in model["properties"].values())


@OPERATION
def test_every_operation_says_what_it_does_and_what_can_go_wrong(operation: dict[str, Any]) -> None:
    assert operation["description"].endswith(".")
    assert operation["tags"][0] in {tag["name"] for tag in DESCRIBED["tags"]}
    errors = {status: answer for status, answer in operation["responses"].items() if status >= "400"}
    if operation["operationId"] not in ("read_health", "read_readiness"):
        assert {"401", "422", "500", "503"} <= set(errors)
        for answer in errors.values():
            told = DESCRIBED["components"]["responses"][answer["$ref"].rpartition("/")[2]]
            assert list(told["content"]) == ["application/problem+json"]


def test_names_of_operations_are_there_once_and_read_well() -> None:
    names = [operation["operationId"] for _, operation in OPERATIONS]
    assert len(names) == len(set(names))
    assert all(name.isidentifier() and "api_v1" not in name for name in names)


def test_everything_but_what_is_open_asks_for_a_token() -> None:
    assert DESCRIBED["security"] == [{"bearer": []}]
    assert DESCRIBED["components"]["securitySchemes"]["bearer"]["scheme"] == "bearer"
    unasked = {operation["operationId"] for _, operation in OPERATIONS if operation.get("security") == []}
    assert unasked == {"read_health", "read_readiness", "hand_in"}
