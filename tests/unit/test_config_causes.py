"""Of what follows from a fault, only the cause is told."""

from __future__ import annotations

from typing import Any

import pytest

from monitor.config import ConfigError, parse

BRAND = {"name": "Acme"}


def faults(**tables: Any) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse({"brands": [BRAND], **tables})
    return [str(fault) for fault in caught.value.faults]


def test_what_refers_to_a_faulty_source_or_account_is_not_called_wrong_besides() -> None:
    alert = {"name": "quiet", "kind": "source_silent", "sources": ["s"]}
    rule = {"name": "r", "when": "source == 's'"}
    assert faults(sources=[{"name": "s"}], alerts=[alert], rules=[rule]) == ["sources.s.type: missing; add type = ..."]
    reading = {"name": "s", "type": "reddit", "brand": "Acme", "account": "main"}
    assert faults(accounts=[{"name": "main"}], sources=[reading]) == ["accounts.main.type: missing; add type = ..."]


def test_a_name_that_stands_twice_is_offered_once() -> None:
    told = faults(brands=[BRAND, BRAND], sources=[{"name": "s", "type": "hackernews", "brand": "Zzz"}])
    assert told[1:] == ['sources.s.brand: no brand "Zzz"; there are: Acme']
