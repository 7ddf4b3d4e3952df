"""Whatever is asked of the interface for programs, it answers as its description says; nothing makes it fail."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case
from schemathesis.checks import CHECKS, load_all_checks

from monitor.app import build
from monitor.samples.demo import demo_settings
from tests.web.serving import Dashboard, served

DESCRIPTION = json.loads((Path(__file__).parents[2] / "docs" / "openapi.json").read_text(encoding="utf-8"))
OPEN = {
    name: part for name, part in DESCRIPTION.items() if name != "security"
}  # on this machine alone, nobody asks for a token
SCHEMA = schemathesis.openapi.from_dict(OPEN)
load_all_checks()
SOUND = CHECKS.get_by_names(
    [
        *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
        *("response_schema_conformance", "negative_data_rejection"),
    ]
)
EXAMPLES = 12


@pytest.fixture(scope="module")
def fuzzed(sampled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dashboard]:
    """A dashboard that may be spoilt."""
    folder = tmp_path_factory.mktemp("fuzzed") / "copy"
    shutil.copytree(sampled, folder)
    app = build(demo_settings(folder))
    with served(app) as dashboard:
        yield dashboard
    app.close()


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_a_described_one(case: Case, fuzzed: Dashboard) -> None:
    answer = case.call(base_url=fuzzed.url)
    case.validate_response(answer, checks=SOUND)
