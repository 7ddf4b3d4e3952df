"""The JSON Schema says what the configuration may hold."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from connectors import registry
from monitor.config.load import TABLES
from monitor.config.models import CHANNEL_TYPES, SourceSettings
from monitor.config.schema import REFERENCE, schema
from monitor.schedule import parse_duration


@pytest.fixture(scope="module")
def made() -> dict[str, Any]:
    return schema()


def _branches(made: dict[str, Any], table: str) -> list[dict[str, Any]]:
    branches: list[dict[str, Any]] = made["$defs"][table]["allOf"]
    return branches


def test_it_knows_exactly_the_tables_that_are_read(made: dict[str, Any]) -> None:
    assert set(made["properties"]) == set(TABLES)
    assert made["required"] == ["brands"]
    assert made["additionalProperties"] is False


def test_every_reference_leads_somewhere_and_it_is_json(made: dict[str, Any]) -> None:
    text = json.dumps(made)
    for name in re.findall(r'"#/\$defs/([^"]+)"', text):
        assert name in made["$defs"]


def test_it_has_every_key_of_a_source_and_no_inner_one(made: dict[str, Any]) -> None:
    assert set(made["$defs"]["SourceSettings"]["properties"]) == set(SourceSettings.model_fields)
    assert made["$defs"]["SourceSettings"]["additionalProperties"] is False


def test_each_type_of_source_and_account_has_its_own_options(made: dict[str, Any]) -> None:
    for table in ("SourceSettings", "AccountSettings"):
        assert made["$defs"][table]["properties"]["type"]["enum"] == registry.names()
        of_type = {
            branch["if"]["properties"]["type"]["const"]: branch["then"]["properties"]["options"]["$ref"]
            for branch in _branches(made, table)
            if "$ref" in branch["then"]["properties"]["options"]
        }
        assert set(of_type) == set(registry.names())
        for name, ref in of_type.items():
            options = made["$defs"][ref.removeprefix("#/$defs/")]
            assert set(options["properties"]) == set(registry.plugin(name).options.model_fields)
            assert options["additionalProperties"] is False
            assert "required" not in options


def test_what_is_required_may_come_from_an_account_but_not_from_nowhere(made: dict[str, Any]) -> None:
    needed = {
        branch["if"]["properties"]["type"]["const"]: branch["then"]["properties"]["options"]["required"]
        for branch in _branches(made, "SourceSettings")
        if branch["if"].get("not") == {"required": ["account"]}
    }
    assert needed["reddit"] == ["client_id", "client_secret"]
    assert needed["feeds"] == ["url"]
    assert "hackernews" not in needed


def test_every_type_of_channel_is_there_by_its_constant(made: dict[str, Any]) -> None:
    kinds = {
        definition["properties"]["type"]["const"]
        for name, definition in made["$defs"].items()
        if name.endswith("Channel")
    }
    assert kinds == set(CHANNEL_TYPES)
    assert "from" in made["$defs"]["EmailChannel"]["properties"]


def test_durations_are_texts_as_the_file_has_them(made: dict[str, Any]) -> None:
    every = made["$defs"]["SourceSettings"]["properties"]["every"]
    assert every["type"] == "string"
    for example in every["examples"]:
        assert re.match(every["pattern"], example)
        assert parse_duration(example)


def test_one_name_will_do_where_a_list_of_names_is_wanted(made: dict[str, Any]) -> None:
    keywords = made["$defs"]["BrandSettings"]["properties"]["keywords"]
    assert {"type": "string"} in keywords["anyOf"]


def test_an_option_of_any_type_may_be_a_reference(made: dict[str, Any]) -> None:
    stories = made["$defs"]["HackerNewsOptions"]["properties"]["stories"]
    assert {"type": "string", "pattern": REFERENCE} in stories["anyOf"]
    assert stories["description"] == "Bring stories."
