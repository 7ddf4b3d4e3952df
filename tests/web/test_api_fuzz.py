"""Whatever is asked of the interface for programs, it answers as its description says; nothing makes it fail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.pytest.lazy import get_all_tests
from schemathesis.schemas import BaseSchema

from tests.web.two_brands import OWN, World, world

TEXT = (Path(__file__).parents[2] / "docs" / "openapi.json").read_text(encoding="utf-8")
for told, there in (("Larkspur", OWN), ('"reddit"', '"shop"'), ('"daily"', '"mine"'), ("30d", "7d")):
    TEXT = TEXT.replace(told, there)  # so that its examples are found in a small store
DESCRIPTION = {name: part for name, part in json.loads(TEXT).items() if name != "security"}  # a token goes with all
OPERATIONS = sorted(one["operationId"] for methods in DESCRIPTION["paths"].values() for one in methods.values())
load_all_checks()
SOUND: Any = CHECKS.get_by_names(
    [
        *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
        *("response_schema_conformance", "negative_data_rejection"),
    ]
)
EXAMPLES = 4


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("fuzzed")) as made:
        yield made


@pytest.fixture(scope="module")
def schema() -> BaseSchema:
    made = schemathesis.openapi.from_dict(DESCRIPTION)
    made.config.phases.coverage.unexpected_methods = set()
    return made


@pytest.fixture(scope="module")
def session(fuzzed: World) -> Iterator[requests.Session]:
    """A connection that is kept, by somebody who may do everything."""
    with requests.Session() as made:
        made.headers["Authorization"] = f"Bearer {fuzzed.token('fuzz', may_write=True)}"
        yield made


@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def is_described(case: Case[Any], fuzzed: World, session: requests.Session) -> None:
    answer = case.call(base_url=fuzzed.site.url, session=session)
    case.validate_response(answer, checks=SOUND)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_answer_is_a_described_one(
    operation: str, schema: BaseSchema, fuzzed: World, session: requests.Session
) -> None:
    """What to ask is thought out here: ``schema.parametrize`` does so in every process that only collects this file."""
    (asked,) = get_all_tests(
        schema=schema.include(operation_id=operation), test_func=is_described, settings=None, given_kwargs={}
    )
    asked.ok()[1](fuzzed=fuzzed, session=session)
