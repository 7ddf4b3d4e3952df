"""What is said of each type of source comes from its plugin and its option model, and the pages say the same."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Literal

import pytest
from pydantic import BaseModel, Field, SecretStr

from connectors import registry
from connectors.contract import Capabilities, Plugin, Scope
from monitor.catalogue import Card, Option, card, card_of, cards, type_words

ROOT = Path(__file__).parents[2]


class Wishes(BaseModel):
    place: str = Field(description="Where.")
    token: SecretStr | None = Field(default=None, description="A key.")
    kinds: tuple[Literal["a", "b"], ...] = Field(default=("a",), description="Which.")
    hours: float | None = Field(default=None, description="How long.")
    base_url: str | None = Field(default=None, description="Elsewhere.")
    deep: bool = Field(default=True, description="Whether.")


PLUGIN = Plugin(
    name="wish",
    title="Wishes",
    platform="wish",
    options=Wishes,
    open=lambda _options, _context: pytest.fail("nothing is opened"),
    capabilities=Capabilities(Scope.STREAM, backfill=False, followers=True, minimum_interval=timedelta(minutes=90)),
    tried="live",
)


def test_a_card_says_what_a_plugin_says_in_words() -> None:
    told = card_of(PLUGIN)
    assert told.needs == "no credentials (token may be given); place"
    assert told.can == [
        "counts followers",
        "cannot reach into the past: shows what there is from the first pull on",
    ]
    assert told.limits == ["is read at most every 90 minutes"]
    assert told.tried_words == "tried against the live platform"


def test_options_are_told_with_type_default_and_meaning_what_is_needed_first() -> None:
    assert list(card_of(PLUGIN).options) == [
        Option("place", "text", None, needed=True, secret=False, meaning="Where."),
        Option("token", "secret", None, needed=False, secret=True, meaning="A key."),
        Option("kinds", 'list of "a" or "b"', '["a"]', needed=False, secret=False, meaning="Which."),
        Option("hours", "number", None, needed=False, secret=False, meaning="How long."),
        Option("deep", "true or false", "true", needed=False, secret=False, meaning="Whether."),
        Option("base_url", "text", None, needed=False, secret=False, meaning="Elsewhere."),
    ]


@pytest.mark.parametrize(
    ("annotation", "words"),
    [
        (str | None, "text"),
        (int | str, "whole number or text"),
        (dict[str, str], "table"),
        (list[int], "list of whole number"),
        (timedelta, "duration"),
        (list[str] | dict[str, int], "list of text or table"),
    ],
)
def test_types_are_told_in_words(annotation: object, words: str) -> None:
    assert type_words(annotation) == words


@pytest.mark.parametrize("told", cards(), ids=lambda told: told.name)
def test_every_type_is_told_whole_and_as_json(told: Card) -> None:
    assert told.brings
    assert told.notes
    assert all(option.meaning and option.type for option in told.options)
    assert json.dumps([option.default for option in told.options])


def test_no_built_in_connector_claims_to_have_been_tried_live() -> None:
    """None could be: no platform can be reached from where they were made. A database of one's own is no such platform."""
    recorded = {name for name in registry.BUILT_IN if card(name).tried == "recorded"}
    assert {card(name).tried for name in registry.BUILT_IN if name != "sql"} == {"recorded", "made up"}
    assert {"reddit", "mastodon", "youtube", "github"} <= recorded
    assert recorded.isdisjoint({"wordpress", "trustpilot", "googleplay", "google_business", "gdelt", "lemmy"})


def test_the_connectors_pages_are_up_to_date() -> None:
    script = ROOT / "docs" / "make_reference.py"
    command = [sys.executable, str(script), "--check", "connectors"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
