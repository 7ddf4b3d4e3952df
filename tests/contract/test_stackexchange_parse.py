from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import Author, Item, Kind
from connectors.stackexchange import PLUGIN
from connectors.stackexchange_options import StackExchangeOptions, host_of_site, site_of
from connectors.stackexchange_parse import Reading, answer_of, items_of, question_of


def question(**changes: Any) -> dict[str, Any]:
    sound = {
        "question_id": 7,
        "title": "Acme &amp; &lt;T&gt;",
        "body": "<p>It <b>hurts</b></p><pre><code>x &lt; y</code></pre>",
        "owner": {"user_id": 22, "display_name": "Ana"},
        "creation_date": 1_790_841_600,
        "last_activity_date": 1_790_841_700,
    }
    return sound | changes


def read(row: dict[str, Any], site: str = "unix", **how: Any) -> Item:
    return question_of(row, Reading(site, **how))


def test_entities_and_markup_are_resolved() -> None:
    item = read(question())
    assert (item.title, item.text) == ("Acme & <T>", "It hurts\n\nx < y")
    assert item.published_at == datetime(2026, 10, 1, 8, tzinfo=UTC)


def test_without_a_link_one_is_made() -> None:
    assert read(question()).url == "https://unix.stackexchange.com/q/7"
    answer = {**question(answer_id=9), "question_id": 7}
    assert answer_of(answer, Reading("askubuntu")).url == "https://askubuntu.com/a/9"


@pytest.mark.parametrize(
    "owner",
    [None, {}, {"user_type": "does_not_exist", "display_name": "user7"}, {"user_type": "does_not_exist", "user_id": 7}],
)
def test_an_account_that_is_gone_is_nobody(owner: Any) -> None:
    assert read(question(owner=owner)).author is None


def test_an_author_s_number_is_of_the_site_and_the_name_has_its_entities_resolved() -> None:
    assert read(question(owner={"user_id": 3, "display_name": "A &amp; B"})).author == Author("unix/3", "A & B")
    assert read(question(owner={"user_id": 3})).author == Author("unix/3")


def test_own_accounts_are_told_by_number() -> None:
    assert read(question(), own=frozenset({"22"})).kind is Kind.POST
    assert read(question(), own=frozenset({"2"})).kind is Kind.MENTION


@pytest.mark.parametrize(
    "name", ["body", "owner", "last_activity_date", "last_edit_date", "tags", "score", "view_count", "link"]
)
def test_a_null_is_unknown_and_no_fault(name: str) -> None:
    assert read(question(**{name: None})).external_id == "unix/q/7"


@pytest.mark.parametrize(
    "damage",
    [
        {"question_id": None},
        {"question_id": "7"},
        {"question_id": 0},
        {"question_id": True},
        {"creation_date": None},
        {"creation_date": "yesterday"},
        {"creation_date": 1e30},
        {"creation_date": float("nan")},
        {"title": ["x"]},
        {"body": 7},
        {"owner": "Ana"},
        {"owner": {"user_id": "x"}},
    ],
)
def test_a_damaged_question_is_skipped_and_the_rest_stays(damage: dict[str, Any]) -> None:
    items, skipped = items_of([question(**damage), question(question_id=8)], question_of, Reading("unix"))
    assert [item.external_id for item in items] == ["unix/q/8"]
    assert len(skipped) == 1


# --- options and links


@pytest.mark.parametrize(
    ("given", "site", "host"),
    [
        ("stackoverflow", "stackoverflow", "stackoverflow.com"),
        ("StackOverflow.com", "stackoverflow", "stackoverflow.com"),
        ("https://stackoverflow.com/questions", "stackoverflow", "stackoverflow.com"),
        ("www.superuser.com", "superuser", "superuser.com"),
        ("es.stackoverflow.com", "es.stackoverflow", "es.stackoverflow.com"),
        ("meta.stackoverflow", "meta.stackoverflow", "meta.stackoverflow.com"),
        ("unix", "unix", "unix.stackexchange.com"),
        ("unix.stackexchange.com", "unix", "unix.stackexchange.com"),
        ("unix.meta.stackexchange.com", "unix.meta", "unix.meta.stackexchange.com"),
        ("mathoverflow.net", "mathoverflow.net", "mathoverflow.net"),
    ],
)
def test_a_site_has_one_name_however_it_is_written(given: str, site: str, host: str) -> None:
    assert StackExchangeOptions(site=given).site == site
    assert host_of_site(site_of(given)) == host


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"site": "a b"}, "no site"),
        ({"site": ""}, "no site"),
        ({"tagged": ["a b"]}, "no tag"),
        ({"tagged": [""]}, "no tag"),
        ({"tagged": ["a;;b"]}, "no tag"),
        ({"query": ""}, "query"),
        ({"questions": False, "answers": False}, "nothing would come"),
        ({"own": ["ana"]}, "no user"),
        ({"own": [True]}, "no user"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        StackExchangeOptions.model_validate(options)


@pytest.mark.parametrize(
    ("link", "options"),
    [
        ("https://stackoverflow.com/questions/tagged/acme-sdk", {"site": "stackoverflow", "tagged": ["acme-sdk"]}),
        ("https://stackoverflow.com/questions/tagged/c%2B%2B?tab=Newest", {"site": "stackoverflow", "tagged": ["c++"]}),
        (
            "https://stackoverflow.com/questions/tagged/acme+python",
            {"site": "stackoverflow", "tagged": ["acme;python"]},
        ),
        (
            "https://stackoverflow.com/questions/tagged/acme+or+rival",
            {"site": "stackoverflow", "tagged": ["acme", "rival"]},
        ),
        ("https://unix.stackexchange.com/tags/acme/info", {"site": "unix", "tagged": ["acme"]}),
        ("https://askubuntu.com/search?q=acme+phone", {"site": "askubuntu", "query": "acme phone"}),
        ("https://mathoverflow.net", {"site": "mathoverflow.net"}),
        ("https://superuser.com/questions", {"site": "superuser"}),
    ],
)
def test_a_link_to_a_site_a_tag_or_a_search_is_recognised(link: str, options: dict[str, Any]) -> None:
    assert PLUGIN.recognise(link) == options
    StackExchangeOptions.model_validate(options)


@pytest.mark.parametrize(
    "link",
    [
        "https://stackoverflow.com/questions/79000001/acme-sdk-hangs",
        "https://stackoverflow.com/users/22/ana",
        "https://stackoverflow.com/feeds/tag/acme",
        "https://stackoverflow.com/search",
        "https://stackoverflow.com.evil.example/questions/tagged/acme",
        "https://notstackoverflow.com/questions/tagged/acme",
        "https://stackexchange.com/sites",
        "ftp://stackoverflow.com/questions",
        "http://[",
        "",
    ],
)
def test_other_links_are_not_recognised(link: str) -> None:
    assert PLUGIN.recognise(link) is None
