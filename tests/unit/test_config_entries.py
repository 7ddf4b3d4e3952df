"""A new source as entries: the secrets apart from what may be read."""

from __future__ import annotations

from typing import Any

from connectors.reddit_options import RedditOptions
from monitor.config.entries import Entries, NewSource, entries_of

GIVEN = {"client_id": "me", "client_secret": "s3cret", "subreddits": ["python"]}


def _entries(given: dict[str, Any], *, account: str | None = None, accounts: tuple[str, ...] = ()) -> Entries:
    new = NewSource("reddit-acme", "reddit", "Acme", given, "10m", account)
    options = RedditOptions.model_validate({"client_id": "me", "client_secret": "s3cret", **given})
    return entries_of(new, options, accounts, lambda wanted: f"{wanted}_9")


def test_credentials_make_an_account_and_the_secret_is_only_referred_to() -> None:
    made = _entries(GIVEN)
    assert made.account == {
        "name": "reddit-main",
        "type": "reddit",
        "options": {"client_id": "me", "client_secret": "env:REDDIT_CLIENT_SECRET_9"},
    }
    assert made.source == {
        "name": "reddit-acme",
        "type": "reddit",
        "account": "reddit-main",
        "brand": "Acme",
        "every": "10m",
        "options": {"subreddits": ["python"]},
    }
    assert made.secrets == {"REDDIT_CLIENT_SECRET_9": "s3cret"}


def test_a_second_account_has_a_name_of_its_own() -> None:
    made = _entries(GIVEN, accounts=("reddit-main",))
    assert made.account is not None
    assert made.account["name"] == made.source["account"] == "reddit-main-2"


def test_an_account_that_lends_its_credentials_is_named_and_not_written_again() -> None:
    made = _entries({"subreddits": ["python"]}, account="mine")
    assert (made.account, made.secrets) == (None, {})
    assert made.source["account"] == "mine"


def test_a_secret_given_by_reference_stays_where_it_is() -> None:
    made = _entries(GIVEN | {"client_secret": "env:MINE"})
    assert made.account is not None
    assert made.account["options"]["client_secret"] == "env:MINE"
    assert made.secrets == {}


def test_no_secret_shows_in_the_values_that_hold_it() -> None:
    new = NewSource("n", "reddit", "Acme", GIVEN)
    assert "s3cret" not in repr(new) + repr(_entries(GIVEN))
