"""PURE  A new source as entries of the configuration: the source, the account it needs, and its secrets apart from both."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from monitor.config.given import credentials, is_reference, is_secret, storable
from monitor.config.starter import free_name


@dataclass(frozen=True, slots=True)
class NewSource:
    """What is to be added. ``given``: the options as the user gave them; ``account``: the one that lends it its own."""

    name: str
    type: str
    brand: str
    given: Mapping[str, Any] = field(repr=False)
    every: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True)
class Entries:
    """What goes into the files; ``account`` only where one is new, ``secrets`` by the variable that refers to each."""

    source: Mapping[str, Any]
    account: Mapping[str, Any] | None
    secrets: Mapping[str, str] = field(repr=False)


def entries_of(
    new: NewSource, options: BaseModel, accounts: Collection[str], free_variable: Callable[[str], str]
) -> Entries:
    """The entries for a new source. Its credentials make an account of their own, unless an account lends them.

    ``options`` are the sound options; ``accounts`` the names in use; ``free_variable`` finds a name that nothing uses.
    """
    secrets, references = _secrets(new, type(options), free_variable)
    values = storable(options, new.given) | references
    lent = credentials(type(options)) if new.account is None and _has_secret(type(options), values) else []
    kept = {key: value for key, value in values.items() if key not in lent}
    if not lent:
        return Entries(_source(new, new.account, kept), None, secrets)
    name = free_name(f"{new.type}-main", set(accounts))
    own = {key: value for key, value in values.items() if key in lent}
    return Entries(_source(new, name, kept), {"name": name, "type": new.type, "options": own}, secrets)


def _source(new: NewSource, account: str | None, options: Mapping[str, Any]) -> dict[str, Any]:
    entry = {"name": new.name, "type": new.type, "account": account, "brand": new.brand, "every": new.every}
    known = {key: value for key, value in entry.items() if value is not None}
    return known | ({"options": dict(options)} if options else {})


def _secrets(
    new: NewSource, model: type[BaseModel], free_variable: Callable[[str], str]
) -> tuple[dict[str, str], dict[str, str]]:
    """The secrets that were told in plain, by variable; and the reference that each option gets instead."""
    told = {key: value for key, value in new.given.items() if is_secret(model, key) and not is_reference(value)}
    variables = {key: free_variable(re.sub(r"\W", "_", f"{new.type}_{key}").upper()) for key in told}
    return (
        {variables[key]: str(value) for key, value in told.items()},
        {key: f"env:{variable}" for key, variable in variables.items()},
    )


def _has_secret(model: type[BaseModel], values: Mapping[str, Any]) -> bool:
    return any(is_secret(model, key) for key in values)
