"""Options given as texts, and back to TOML values."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import Field, SecretStr

from connectors.contract import Options
from monitor.config.given import credentials, is_secret, missing, parsed, storable, values_of


class Wide(Options):
    """Options of every shape."""

    client_id: str = Field(description="Whose.")
    client_secret: SecretStr = Field(description="The secret.")
    app_id: str = Field(description="Which app.")
    year: str = "2026"
    number: int | None = None
    live: bool = False
    places: tuple[str, ...] = ("all",)
    tags: frozenset[str] | None = None
    columns: Mapping[str, str] = Field(default_factory=dict)
    path: Path | None = None
    every: timedelta | None = None
    token: SecretStr | None = None


NEEDED = {"client_id": "me", "client_secret": "s3cret", "app_id": "77"}


def test_texts_are_taken_by_the_shape_of_their_option() -> None:
    texts = ["places=a, b", "places=c", 'tags=["x,y"]', "columns.text=Review", "columns.id=Nr", "year=1999", "number=5"]
    assert values_of(Wide, texts) == {
        "places": ["a", "b", "c"],
        "tags": ["x,y"],
        "columns": {"text": "Review", "id": "Nr"},
        "year": "1999",
        "number": "5",
    }
    assert values_of(Wide, ["columns={ text = 'Review' }"]) == {"columns": {"text": "Review"}}
    assert values_of(Wide, ['columns={"text": "Review"}', 'tags=["x"]']) == {
        "columns": {"text": "Review"},
        "tags": ["x"],
    }
    assert values_of(Wide, ["app_id=a=b", "unknown=1"]) == {"app_id": "a=b", "unknown": "1"}


@pytest.mark.parametrize("texts", [["year"], ["=1"], ["year=1", "year=2"]])
def test_a_text_that_is_no_option_or_comes_twice_is_refused(texts: list[str]) -> None:
    with pytest.raises(ValueError, match="; "):
        values_of(Wide, texts)


def test_faults_say_how_to_give_what_is_missing_and_which_key_was_meant() -> None:
    faults = parsed(Wide, {"client_idd": "me", "client_secret": "s3cret", "app_id": "1"}, "wide")
    assert isinstance(faults, list)
    assert sorted(map(str, faults)) == [
        "wide.client_id: missing; give --option client_id=...",
        'wide.client_idd: not a known key; did you mean "client_id"?',
    ]


def test_a_secret_that_is_too_short_is_told_so_in_plain_words() -> None:
    class Guarded(Options):
        secret: SecretStr = Field(min_length=8, description="What is signed with.")

    faults = parsed(Guarded, {"secret": "short"}, "webhook")
    assert isinstance(faults, list)
    assert list(map(str, faults)) == ["webhook.secret: is too short; give 8 characters or more"]


def test_what_is_required_and_what_is_secret_is_known() -> None:
    assert missing(Wide, {"app_id": "1"}) == ["client_id", "client_secret"]
    assert [name for name in Wide.model_fields if is_secret(Wide, name)] == ["client_secret", "token"]


def test_an_account_holds_the_secrets_and_whose_they_are_and_not_the_subject() -> None:
    assert credentials(Wide) == ["client_id", "client_secret", "token"]


def test_options_are_stored_with_their_own_types_and_only_those_that_were_given() -> None:
    texts = ["number=5", "live=true", "places=a,b", "path=data/x.csv", "year=1999"]
    given = NEEDED | values_of(Wide, texts)
    options = parsed(Wide, given, "wide")
    assert isinstance(options, Wide)
    assert storable(options, given) == {
        "client_id": "me",
        "app_id": "77",
        "number": 5,
        "live": True,
        "places": ["a", "b"],
        "path": "data/x.csv",
        "year": "1999",
    }


def test_references_are_stored_as_they_were_given() -> None:
    given = NEEDED | {"client_secret": "env:SECRET", "app_id": "env:APP", "places": ["file:/p"]}
    options = parsed(Wide, NEEDED | {"places": ["x"]}, "wide")
    assert isinstance(options, Wide)
    assert storable(options, given) == given
