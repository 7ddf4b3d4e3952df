"""Settings: what is in effect, without secrets; the check; tokens for programs."""

from __future__ import annotations

import re

import pytest

from storage import tokens
from tests.web.serving import Dashboard


def test_the_configuration_is_shown(read_only: Dashboard) -> None:
    text = read_only.get("/settings").text
    assert all(f"<h3>[{table}]</h3>" in text for table in ("monitor", "brands", "sources", "scoring", "web"))
    assert "larkspur seeds" in text


def test_the_check_names_every_source_and_channel(read_only: Dashboard) -> None:
    text = read_only.submit("/settings/check").text
    found = re.search(r'<table id="findings">.*?</table>', text, re.DOTALL)
    assert found is not None
    settings = read_only.app.settings
    assert found[0].count("<tr>") == 2 + len(settings.enabled_sources) + len(settings.channels)
    assert "works" in found[0]


def test_a_token_is_made_shown_once_and_removed(dashboard: Dashboard) -> None:
    made = dashboard.submit("/settings/tokens", {"name": "robot", "rights": "write", "brand": "Larkspur"}).text
    found = re.search(r'id="made">(smt_[\w-]+)<', made)
    assert found is not None
    kept = tokens.tokens(dashboard.app.database)
    assert [(one.name, one.may_write, one.brands) for one in kept] == [("robot", True, ["Larkspur"])]
    later = dashboard.get("/settings").text
    assert found[1] not in later
    assert "robot" in later
    assert "works no more" in dashboard.submit("/settings/tokens", {"name": "robot", "do": "remove"}).text
    assert tokens.tokens(dashboard.app.database) == []


@pytest.mark.parametrize("name", ["", "x" * 101, "line\nbreak"])
def test_a_token_needs_a_name(dashboard: Dashboard, name: str) -> None:
    assert "1 to 100 characters" in dashboard.submit("/settings/tokens", {"name": name}).text


def test_two_tokens_of_one_name_are_refused(dashboard: Dashboard) -> None:
    dashboard.submit("/settings/tokens", {"name": "robot"})
    assert "remove it first" in dashboard.submit("/settings/tokens", {"name": "robot"}).text


def test_a_token_for_a_brand_that_is_gone_is_not_one_for_all(dashboard: Dashboard) -> None:
    text = dashboard.submit("/settings/tokens", {"name": "robot", "brand": "Nobody"}, 422).text
    assert "there are: Larkspur" in text
    assert tokens.tokens(dashboard.app.database) == []
