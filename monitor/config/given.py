"""PURE  Options given as texts (``key=value``) -> values for a connector's own model, and back to TOML values."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, SecretStr, ValidationError

from monitor.config.faults import Fault, faults_of, keys_of

Shape = Literal["plain", "list", "table"]
LOGINS = frozenset({"username", "user", "login", "identifier", "email"})
"""What goes with a secret, whatever the secret is called."""


def values_of(model: type[BaseModel], texts: Sequence[str]) -> dict[str, Any]:
    """What ``key=value`` texts give ``model``; ``ValueError`` for a text that is none, or a key given twice.

    A list is ``key=a,b``, the key given again, or TOML; a table is ``key.inner=value``, TOML or JSON. Types are left to the model.
    """
    values: dict[str, Any] = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not sign or not key.strip():
            raise ValueError(f'"{text}": is no option; write key=value')
        _add(values, model, key.strip(), value)
    return values


def parsed(model: type[BaseModel], values: Mapping[str, Any], place: str) -> BaseModel | list[Fault]:
    """The options as the connector's model, or what is wrong with them."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        return [_to_be_given(fault) for fault in faults_of(error, place, keys_of(model))]


def missing(model: type[BaseModel], values: Mapping[str, Any]) -> list[str]:
    """The required options that are not given."""
    return [name for name, field in model.model_fields.items() if field.is_required() and name not in values]


def is_secret(model: type[BaseModel], key: str) -> bool:
    """Is this option one that nobody may see?"""
    field = model.model_fields.get(key)
    return field is not None and SecretStr in _types(field.annotation)


def is_reference(value: Any) -> bool:
    """Does the value say where a secret is, instead of telling it?"""
    return isinstance(value, str) and (
        value.startswith("env:") or (value.startswith("file:") and not value.startswith("file://"))
    )


def refers(value: Any) -> bool:
    """Is there a reference in the value, however deep?"""
    if isinstance(value, Mapping):
        return any(refers(entry) for entry in value.values())
    return any(refers(entry) for entry in value) if isinstance(value, list | tuple) else is_reference(value)


def credentials(model: type[BaseModel]) -> list[str]:
    """The options that an account holds: the secrets, and what names whose they are (``client_id`` for ``client_secret``)."""
    secrets = [name for name in model.model_fields if is_secret(model, name)]
    first_words = {name.split("_")[0] for name in secrets if "_" in name}
    return [
        name
        for name, field in model.model_fields.items()
        if name in secrets or name in LOGINS or (field.is_required() and name.split("_")[0] in first_words)
    ]


def storable(options: BaseModel, values: Mapping[str, Any]) -> dict[str, Any]:
    """The given options as TOML values of their own types; references stay, what is given as a secret is left out."""
    model = type(options)
    plain = {name for name in values if name in model.model_fields and not is_secret(model, name)}
    typed = options.model_dump(mode="json", include=plain)
    kept = {name: value if refers(value) else typed.get(name, value) for name, value in values.items()}
    return {name: v for name, v in kept.items() if v is not None and (name in plain or is_reference(v))}


def _add(values: dict[str, Any], model: type[BaseModel], key: str, text: str) -> None:
    table, _, inner = key.partition(".")
    if inner and _shape_of(model, table) == "table":
        values.setdefault(table, {})[inner] = text
    elif _shape_of(model, key) == "list":
        values.setdefault(key, []).extend(_listed(text))
    elif key in values:
        raise ValueError(f'"{key}": is given twice; leave one out')
    else:
        values[key] = _toml(text, {}) if _shape_of(model, key) == "table" else text


def _listed(text: str) -> list[Any]:
    found = _toml(text, None) if text.lstrip().startswith("[") else None
    return list(found) if isinstance(found, list) else [entry.strip() for entry in text.split(",") if entry.strip()]


def _toml(text: str, otherwise: Any) -> Any:
    """The text as a TOML value, or as JSON, which differs in its tables."""
    with suppress(ValueError, RecursionError):
        return tomllib.loads(f"value = {text}")["value"]
    with suppress(ValueError, RecursionError):
        return json.loads(text)
    return otherwise


def _shape_of(model: type[BaseModel], key: str) -> Shape:
    field = model.model_fields.get(key)
    return "plain" if field is None else _shape(field.annotation)


def _shape(annotation: Any) -> Shape:
    for kind in _types(annotation):
        if isinstance(kind, type) and issubclass(kind, Mapping):
            return "table"
        if (
            isinstance(kind, type)
            and issubclass(kind, Sequence | set | frozenset)
            and not issubclass(kind, str | bytes)
        ):
            return "list"
    return "plain"


def _types(annotation: Any) -> list[Any]:
    """The types that a field may have, without what they hold."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _types(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [kind for part in get_args(annotation) for kind in _types(part)]
    return [origin or annotation]


def _to_be_given(fault: Fault) -> Fault:
    key = fault.place.rpartition(".")[2]
    return replace(fault, remedy=f"give --option {key}=...") if fault.fact == "missing" else fault
