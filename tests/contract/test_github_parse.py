from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import Author, Counts, Item, Kind
from connectors.github import PLUGIN
from connectors.github_options import GitHubOptions, streams
from connectors.github_parse import Reading, batch_of, comment_of, issue_of

SITE = "https://github.com/Acme/App"


def issue(**changes: Any) -> dict[str, Any]:
    sound = {
        "number": 12,
        "title": "Acme crashes",
        "body_text": "It hurts.",
        "html_url": f"{SITE}/issues/12",
        "user": {"login": "ana", "type": "User"},
        "created_at": "2026-10-01T08:00:00Z",
        "updated_at": "2026-10-02T08:00:00Z",
        "comments": 4,
        "reactions": {"total_count": 5},
        "author_association": "CONTRIBUTOR",
        "state": "closed",
        "state_reason": "not_planned",
        "labels": [{"name": "bug"}, {"name": "crash"}],
    }
    return sound | changes


def comment(**changes: Any) -> dict[str, Any]:
    sound = {"id": 99, "html_url": f"{SITE}/issues/12#issuecomment-99"}
    return (
        {key: value for key, value in issue().items() if key not in ("number", "title", "comments")} | sound | changes
    )


def read(row: Any, **how: Any) -> Item:
    item = issue_of(row, Reading(**how))
    assert item is not None
    return item


def test_an_issue_becomes_an_item() -> None:
    assert read(issue()) == Item(
        external_id="acme/app#12",
        kind=Kind.MENTION,
        published_at=datetime(2026, 10, 1, 8, tzinfo=UTC),
        updated_at=datetime(2026, 10, 2, 8, tzinfo=UTC),
        title="Acme crashes",
        text="It hurts.",
        url=f"{SITE}/issues/12",
        author=Author("ana", "ana"),
        counts=Counts(likes=5, comments=4),
        place="acme/app",
        attributes={
            "type": "issue",
            "state": "closed",
            "state_reason": "not_planned",
            "labels": "bug, crash",
            "association": "contributor",
        },
    )


def test_a_comment_becomes_an_item_of_its_thread() -> None:
    item = comment_of(comment(), Reading(titles={"acme/app#12": "Acme crashes"}))
    assert item is not None
    assert (item.external_id, item.title, item.parent_title) == ("acme/app#12/comment/99", None, "Acme crashes")
    assert item.counts == Counts(likes=5)
    assert item.attributes == {"type": "comment", "association": "contributor"}


def test_one_identity_however_the_repository_is_written() -> None:
    other = issue(html_url="https://github.com/acme/APP/issues/12")
    without = issue(html_url=None, url="https://api.github.com/repos/ACME/app/issues/12")
    assert read(other).external_id == read(without).external_id == "acme/app#12"


@pytest.mark.parametrize("user", [None, {"login": "ghost"}])
def test_an_account_that_is_gone_is_nobody(user: Any) -> None:
    assert read(issue(user=user)).author is None


def test_a_bot_is_told() -> None:
    assert read(issue(user={"login": "renovate[bot]", "type": "Bot"})).attributes["author_type"] == "bot"


def test_what_was_never_changed_has_no_later_time() -> None:
    assert read(issue(updated_at="2026-10-01T08:00:00Z")).updated_at is None


def test_markdown_stays_but_for_what_a_template_comments_out() -> None:
    row = issue(body="<!-- Please search first\n-->\n**Acme** is `List<T>` &amp; slow\n<!-- unfinished")
    del row["body_text"]
    assert read(row).text == "**Acme** is `List<T>` &amp; slow"


@pytest.mark.parametrize(
    "name", ["body_text", "reactions", "comments", "labels", "state", "author_association", "updated_at"]
)
def test_a_null_is_unknown_and_no_fault(name: str) -> None:
    assert read(issue(**{name: None})).external_id == "acme/app#12"


def test_an_issue_is_a_pull_request_only_where_that_leads_somewhere() -> None:
    assert issue_of(issue(pull_request={"html_url": None, "diff_url": None}), Reading()) is not None
    assert issue_of(issue(pull_request={"html_url": f"{SITE}/pull/12"}), Reading()) is None


@pytest.mark.parametrize(
    "damage",
    [
        {"number": None},
        {"number": "12"},
        {"number": True},
        {"number": 10**30},
        {"created_at": None},
        {"created_at": "yesterday"},
        {"created_at": "2026-10-01T08:00:00"},
        {"created_at": 7},
        {"title": ["x"]},
        {"user": "ana"},
        {"user": {"login": None}},
        {"reactions": [1]},
        {"html_url": "https://github.com/acme"},
        {"labels": 7},
    ],
)
def test_a_damaged_issue_is_skipped_and_the_rest_stays(damage: dict[str, Any]) -> None:
    batch = batch_of([issue(**damage), issue(number=13, html_url=f"{SITE}/issues/13")], issue_of, Reading())
    assert [item.external_id for item in batch.items] == ["acme/app#13"]
    assert len(batch.skipped) == 1


@pytest.mark.parametrize("broken", [None, 7, "x", [], {}])
def test_a_row_of_any_shape_is_skipped(broken: object) -> None:
    for read_ in (issue_of, comment_of):
        assert [entry.what for entry in batch_of([broken], read_, Reading()).skipped] == ["an entry without a number"]


# --- options and links


@pytest.mark.parametrize(
    "given",
    [
        "acme/app",
        " acme/app ",
        "acme/app.git",
        "https://github.com/acme/app",
        "https://github.com/acme/app.git",
        "http://www.github.com/acme/app/issues?q=is%3Aopen",
        "https://github.com/acme/app/issues/12#issuecomment-1",
        "https://github.com/acme/app/discussions/categories/ideas",
    ],
)
def test_a_repository_is_taken_by_name_or_link(given: str) -> None:
    assert GitHubOptions(repositories=(given,)).repositories == ("acme/app",)
    if "://" in given:
        assert PLUGIN.recognise(given) == {"repositories": ["acme/app"]}


@pytest.mark.parametrize(
    "given", ["acme", "acme/..", "acme/app/issues", "a b/c", "https://example.com/acme/app", "/", ""]
)
def test_what_is_no_repository_is_refused(given: str) -> None:
    with pytest.raises(ValidationError, match="owner/name"):
        GitHubOptions(repositories=(given,))


@pytest.mark.parametrize(
    "link",
    [
        "https://github.com/acme",
        "https://github.com/acme/app/releases.atom",
        "https://github.com/acme/app/commits.atom",
        "https://github.com/orgs/acme/repositories",
        "https://github.com/search?q=",
        "https://gist.github.com/acme/123",
        "https://github.com.evil.example/acme/app",
        "ftp://github.com/acme/app",
        "http://[",
        "",
    ],
)
def test_other_links_are_not_recognised(link: str) -> None:
    assert PLUGIN.recognise(link) is None


def test_a_link_to_a_search_is_recognised() -> None:
    link = "https://github.com/search?q=acme+phone&type=issues"
    assert PLUGIN.recognise(link) == {"query": "acme phone"}
    assert GitHubOptions.model_validate(PLUGIN.recognise(link)).searches


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"search": False}, "nothing would come"),
        ({"repositories": ["a/b"], "search": False, "query": "x"}, "search is turned off"),
        ({"repositories": ["a/b"], "kinds": ["discussions"]}, "need a token"),
        ({"repositories": ["a/b"], "kinds": []}, "kinds"),
        ({"repositories": ["a/b"], "kinds": ["stars"]}, "kinds"),
        ({"query": ""}, "query"),
    ],
)
def test_what_cannot_be_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        GitHubOptions.model_validate(options, strict=False)


def test_each_thing_is_read_once() -> None:
    options = GitHubOptions(repositories=("acme/app", "Acme/App"), search=True)
    keys = [stream.key for stream in streams(options, ("acme", '"acme"', '"', " "))]
    assert keys == ["issues acme/app", "comments acme/app", "search acme in:title,body is:issue"]
