"""A connector without its entry in the suite fails it."""

from __future__ import annotations

import importlib
import pkgutil
from typing import Any

from connectors import registry
from connectors.testing import ContractSuite, PushSuite
from tests import contract


def test_every_built_in_connector_has_its_entry_in_the_suite() -> None:
    for module in pkgutil.iter_modules(contract.__path__):
        importlib.import_module(f"tests.contract.{module.name}")
    cased = {suite.case.plugin.name for suite in _all_below(ContractSuite) if hasattr(suite, "case")}
    sent_to = {suite.push.plugin.name for suite in _all_below(PushSuite) if hasattr(suite, "push")}
    assert {name for name in registry.BUILT_IN if registry.plugin(name).capabilities.pull} <= cased
    assert {name for name in registry.BUILT_IN if registry.plugin(name).capabilities.push} <= sent_to


def test_every_connector_says_what_a_person_needs_to_know() -> None:
    for name in registry.names():
        plugin = registry.plugin(name)
        assert plugin.name == name
        assert plugin.title
        assert plugin.notes
        for option, field in plugin.options.model_fields.items():
            assert field.description, f"{name}.{option} is not explained"


def _all_below(suite: type[Any]) -> list[type[Any]]:
    return [below for child in suite.__subclasses__() for below in (child, *_all_below(child))]
