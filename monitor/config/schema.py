"""PURE  The configuration as a JSON Schema, with the options of every installed connector, for editors and checkers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from connectors import registry
from connectors.contract import Plugin
from monitor.config.models import AccountSettings, Settings, SourceSettings
from monitor.scoring import ScoringOptions

DIALECT = "https://json-schema.org/draft/2020-12/schema"
REFERENCE = r"^(env|file):|\{brand\.[A-Za-z_][\w-]*\}"
"""Stands for a value that is told elsewhere."""
OPTIONAL = ("monitor", "scoring", "privacy", "web")
"""Tables with a default for everything."""


def schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of ``config.toml``. Connectors that cannot be loaded are left out."""
    plugins = list(registry.plugins())
    models: list[type[BaseModel]] = [Settings, ScoringOptions, AccountSettings, SourceSettings]
    models += [plugin.options for plugin in plugins]
    refs, made = models_json_schema([(model, "validation") for model in models], schema_generator=_AsWritten)
    defs: dict[str, Any] = made["$defs"]
    at = {model: _name(refs[model, "validation"]) for model in models}
    top = defs.pop(at[Settings])
    _tell_types(defs[at[SourceSettings]], defs[at[AccountSettings]], plugins, at)
    for plugin in plugins:
        _make_partial(defs[at[plugin.options]])
    properties = {name: part for name, part in top["properties"].items() if name != "path"}
    return {
        "$schema": DIALECT,
        "title": "Configuration of Sentiment Monitor",
        "type": "object",
        "properties": properties | {"scoring": {"$ref": f"#/$defs/{at[ScoringOptions]}"}},
        "required": [name for name in top["required"] if name not in OPTIONAL],
        "additionalProperties": False,
        "$defs": defs,
    }


def _tell_types(
    source: dict[str, Any], account: dict[str, Any], plugins: Sequence[Plugin[Any]], at: Mapping[type[BaseModel], str]
) -> None:
    """Say which options go with which type; those that are required may stand in the account that a source names."""
    names = {"type": "string", "enum": [plugin.name for plugin in plugins]}
    for table in (source, account):
        table["properties"]["type"] = names
        table["allOf"] = [_if_type(plugin, {"$ref": f"#/$defs/{at[plugin.options]}"}) for plugin in plugins]
    source["allOf"] += [
        {"if": _is(plugin, {"not": {"required": ["account"]}}), "then": _with_options({"required": needed}, needed)}
        for plugin in plugins
        if (needed := [name for name, field in plugin.options.model_fields.items() if field.is_required()])
    ]


def _if_type(plugin: Plugin[Any], options: dict[str, Any]) -> dict[str, Any]:
    return {"if": _is(plugin, {}), "then": _with_options(options, [])}


def _is(plugin: Plugin[Any], also: dict[str, Any]) -> dict[str, Any]:
    return {"properties": {"type": {"const": plugin.name}}, "required": ["type"], **also}


def _with_options(options: dict[str, Any], needed: Sequence[str]) -> dict[str, Any]:
    return {"properties": {"options": options}, **({"required": ["options"]} if needed else {})}


def _make_partial(options: dict[str, Any]) -> None:
    """Required options may come from an account, and any of them as a reference: ``env:NAME``, ``file:/path``, ``{brand.key}``."""
    options.pop("required", None)
    options["properties"] = {name: _or_reference(part) for name, part in options.get("properties", {}).items()}


def _or_reference(part: dict[str, Any]) -> dict[str, Any]:
    if part.get("type") == "string" and not {"pattern", "enum", "const"} & part.keys():
        return part
    about: dict[str, Any] = {key: part.pop(key) for key in ("title", "description", "default") if key in part}
    return {**about, "anyOf": [part, {"type": "string", "pattern": REFERENCE}]}


def _name(ref: Mapping[str, Any]) -> str:
    return str(ref["$ref"]).removeprefix("#/$defs/")


class _AsWritten(GenerateJsonSchema):
    """Values as the file has them: a duration is a text such as ``10m``, and where a list is wanted one text will do."""

    def timedelta_schema(self, schema: core_schema.TimedeltaSchema) -> JsonSchemaValue:
        return {"type": "string", "pattern": r"^\s*\d", "examples": ["10m", "1h30m", "2d"]}

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        inner = super().function_before_schema(schema)
        return {"anyOf": [{"type": "string"}, inner]} if schema["schema"]["type"] == "list" else inner

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """TOML has no null: what is not known is left out."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        return {key: part for key, part in made.items() if key != "default" or part is not None}
