"""Every recorded answer of GitHub goes through the connector, whole and damaged, served by a loopback server."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import CountsFollowers, Item, Page, Refreshes
from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, SourceError, Unavailable
from connectors.testing import FakePlatform, Reply, Request
from tests.contract.github_source import Source
from tests.fakes.damaging import damaged_copies
from tests.fakes.github import FakeGitHub

pytestmark = pytest.mark.recorded

FATES = {AccessDenied, RateLimited, Unavailable, Malformed, NotThere}
LONG_AGO = datetime(2005, 1, 1, tzinfo=UTC)
TOKEN = "ghp_secret"
EVERYTHING: Mapping[str, Any] = {
    "repositories": ["acme/app"],
    "kinds": ["issues", "comments", "discussions"],
    "search": True,
    "pull_requests": True,
    "token": TOKEN,
}


@dataclass(frozen=True)
class Recorded:
    name: str
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def data(self) -> Any:
        return None if self.name.endswith(".txt") else json.loads(self.body)

    @property
    def reply(self) -> Reply:
        return Reply(self.body, self.status, self.headers)


class Replay(FakePlatform):
    """Answers everything the same."""

    def __init__(self) -> None:
        super().__init__()
        self.reply = Reply()

    def respond(self, request: Request) -> Reply:
        return self.reply


class Shelf(FakeGitHub):
    """A repository that holds recorded issues and comments."""

    def __init__(self, issues: list[Any], comments: list[Any]) -> None:
        super().__init__()
        self.issues, self.comments = issues, comments

    def respond(self, request: Request) -> Reply:
        return self._listing(request, self.comments if request.path.endswith("/comments") else self.issues)


@pytest.fixture
def replay() -> Iterator[Replay]:
    replay = Replay()
    yield replay
    replay.close()


def answers() -> list[Recorded]:
    folder = Path(os.environ.get("RECORDED_DATA", "/nowhere")) / "payloads" / "github"
    if not folder.is_dir():
        pytest.skip("recorded data not present")
    rows = json.loads((folder / "index.json").read_text())
    return [Recorded(row["file"], row["status"], _headers(row), (folder / row["file"]).read_bytes()) for row in rows]


def _headers(row: Any) -> dict[str, str]:
    return {name.title(): value for name, value in row["headers"].items() if name != "date"}


def rows_in(data: Any) -> Iterator[Any]:
    """Every issue, pull request and comment within an answer."""
    if isinstance(data, list):
        for entry in data:
            yield from rows_in(entry)
    elif isinstance(data, dict):
        if "html_url" in data and ("issue_url" in data or ("number" in data and "comments" in data)):
            yield data
        for key in ("items", "issue"):
            yield from rows_in(data.get(key))


def fetched(fake: FakePlatform, **options: Any) -> list[Page]:
    connector = Source(fake, **options).open()
    try:
        return list(connector.fetch(None, LONG_AGO))
    finally:
        connector.close()


def brought(pages: list[Page]) -> list[Item]:
    return [item for page in pages for item in page.items]


def test_no_recorded_issue_or_comment_is_lost_or_doubled() -> None:
    unique = {row["html_url"]: row for answer in answers() for row in rows_in(answer.data)}
    comments = [row for row in unique.values() if "issue_url" in row]
    issues = [row for row in unique.values() if "issue_url" not in row]
    shelf = Shelf(issues, comments)
    try:
        pages = fetched(shelf, pull_requests=True)
    finally:
        shelf.close()
    found = Counter(item.url for item in brought(pages))
    assert found == Counter(list(unique))
    assert not [entry for page in pages for entry in page.skipped]
    assert len({item.external_id for item in brought(pages)}) == len(unique) > 70


def test_recorded_pull_requests_are_told_from_issues() -> None:
    found = [row for answer in answers() for row in rows_in(answer.data) if "issue_url" not in row]
    rows = list({row["html_url"]: row for row in found}.values())
    plain = [row["html_url"] for row in rows if not (row.get("pull_request") or {}).get("html_url")]
    shelf = Shelf(rows, [])
    try:
        urls = [item.url for item in brought(fetched(shelf, kinds=["issues"]))]
    finally:
        shelf.close()
    assert sorted(map(str, urls)) == sorted(plain)
    assert 0 < len(plain) < len(rows)


def test_a_recorded_search_comes_through_as_it_is(replay: Replay) -> None:
    answer = next(answer for answer in answers() if "testSearchIssues" in answer.name)
    replay.reply = Reply(answer.body)
    items = brought(fetched(replay, query="compile", pull_requests=True))
    assert {item.url for item in items} == {row["html_url"] for row in answer.data["items"]}


def test_a_recorded_discussion_becomes_an_item(replay: Replay) -> None:
    answer = next(answer for answer in answers() if "RepositoryDiscussion.setUp" in answer.name)
    node = answer.data["data"]["node"]
    comment = node["answer"]
    info = {"hasPreviousPage": False, "startCursor": None}
    node = node | {"comments": {"totalCount": 2, "pageInfo": info, "nodes": [comment]}}
    listing = {"pageInfo": {"hasNextPage": False, "endCursor": None}, "nodes": [node]}
    replay.reply = Reply.of_json({"data": {"repository": {"discussions": listing}}})
    opening, reply = brought(fetched(replay, repositories=["PyGithub/PyGithub"], kinds=["discussions"], token=TOKEN))
    assert (opening.external_id, opening.url) == (f"pygithub/pygithub/discussion/{node['number']}", node["url"])
    assert (opening.title, opening.text, opening.counts.comments) == (node["title"], node["bodyText"], 2)
    assert (reply.text, reply.parent_title) == (comment["bodyText"], node["title"])


def test_every_recorded_answer_to_anything_is_pages_or_a_fate(replay: Replay) -> None:
    for answer in answers():
        replay.reply = answer.reply
        _asked_everything(replay, answer.name)


def test_recorded_limits_and_refusals_are_their_fates(replay: Replay) -> None:
    fates = {"primary": RateLimited, "secondary": RateLimited, "Xxx": NotThere, "422": Malformed, "503": Unavailable}
    seen = set()
    for answer in answers():
        if answer.status == 200:
            continue
        replay.reply = answer.reply
        with pytest.raises(SourceError) as caught:
            fetched(replay, repositories=["acme/app"])
        seen.add(type(caught.value))
        assert type(caught.value) in fates.values(), answer.name
    assert seen == set(fates.values())


def test_damaged_answers_never_raise_anything_but_the_fates(replay: Replay) -> None:
    for number, answer in enumerate(answers()):
        for body in damaged_copies(answer.body, 3, seed=number):
            replay.reply = Reply(body, answer.status, answer.headers)
            _asked_everything(replay, f"{answer.name}: {body[:200]!r}")


def test_damaged_discussions_never_raise_anything_but_the_fates(replay: Replay) -> None:
    answer = next(answer for answer in answers() if "RepositoryDiscussion.setUp" in answer.name)
    node = answer.data["data"]["node"]
    comment = node["answer"] | {"replies": {"totalCount": 1, "nodes": [node["answer"]], "pageInfo": {}}}
    info = {"hasPreviousPage": True, "startCursor": "x"}
    node = node | {"comments": {"totalCount": 2, "pageInfo": info, "nodes": [comment]}}
    listing = {"pageInfo": {"hasNextPage": True, "endCursor": "y"}, "nodes": [node]}
    whole = json.dumps({"data": {"repository": {"discussions": listing, "discussion": node}}}).encode()
    for body in damaged_copies(whole, 150):
        replay.reply = Reply(body)
        _survives(lambda: fetched(replay, **EVERYTHING, **{"query": "x"}), repr(body[:300]))


def _asked_everything(replay: Replay, what: str) -> None:
    connector = Source(replay, **EVERYTHING).open()
    assert isinstance(connector, Refreshes)
    assert isinstance(connector, CountsFollowers)
    for ask in (
        lambda: list(connector.fetch(None, LONG_AGO)),
        lambda: list(connector.refresh(["acme/app#1", "acme/app/discussion/2"])),
        lambda: list(connector.followers()),
        connector.check,
    ):
        _survives(ask, what)
    connector.close()


def _survives(ask: Any, what: str) -> None:
    assert _fate(ask) in {None, *FATES}, what


def _fate(ask: Any) -> type[SourceError] | None:
    try:
        ask()
    except SourceError as error:
        return type(error)
    return None
