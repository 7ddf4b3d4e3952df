"""Every recorded answer of Stack Exchange goes through the connector, whole and damaged, served by a loopback server."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Counts, Item, Page, Refreshes
from connectors.errors import AccessDenied, Malformed, NotThere, RateLimited, SourceError, Unavailable
from connectors.testing import FakePlatform, Reply, Request
from tests.contract.stackexchange_source import Source
from tests.fakes.damaging import damaged_copies

pytestmark = pytest.mark.recorded

FATES = {AccessDenied, RateLimited, Unavailable, Malformed, NotThere}
LONG_AGO = datetime(2005, 1, 1, tzinfo=UTC)
PACKED = {"Content-Encoding": "gzip", "Content-Type": "application/json"}


@dataclass(frozen=True)
class Recorded:
    name: str
    path: str
    status: int
    body: bytes

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The questions or search results; none in an error and in another kind of answer."""
        found = json.loads(self.body).get("items", []) if "/search/" in self.path else []
        return list(found)


class Replay(FakePlatform):
    """Answers the first page of a listing with a recorded body, later ones with none, and posts by number in full."""

    def __init__(self) -> None:
        super().__init__()
        self.body, self.status, self.everywhere = b"{}", 200, False

    def respond(self, request: Request) -> Reply:
        if self.everywhere:
            return self._packed(self.body)
        parts = request.path.strip("/").split("/")
        if len(parts) == 2 and parts[0] != "search":
            return self._by_number(parts[0])
        again = "max" in request.query
        return self._packed(json.dumps({"items": []}).encode() if again else self.body)

    def _by_number(self, kind: str) -> Reply:
        rows = [row for row in json.loads(self.body)["items"] if (row["item_type"] == "answer") == (kind == "answers")]
        owner = {"user_id": 5, "display_name": "Ana"}
        return self._packed(json.dumps({"items": [row | {"owner": owner} for row in rows]}).encode())

    def _packed(self, body: bytes) -> Reply:
        return Reply(gzip.compress(body), self.status, PACKED)


@pytest.fixture
def replay() -> Iterator[Replay]:
    replay = Replay()
    yield replay
    replay.close()


def answers() -> list[Recorded]:
    folder = Path(os.environ.get("RECORDED_DATA", "/nowhere")) / "payloads" / "stackexchange"
    if not folder.is_dir():
        pytest.skip("recorded data not present")
    rows = json.loads((folder / "index.json").read_text())
    return [Recorded(row["file"], row["path"], row["status"], (folder / row["file"]).read_bytes()) for row in rows]


def fetched(replay: Replay, **options: Any) -> list[Page]:
    connector = Source(replay, **options).open()
    try:
        return list(connector.fetch(None, LONG_AGO))
    finally:
        connector.close()


def brought(pages: list[Page]) -> list[Item]:
    assert not [entry for page in pages for entry in page.skipped]
    return [item for page in pages for item in page.items]


def test_no_recorded_post_is_lost_or_doubled(replay: Replay) -> None:
    seen = 0
    for answer in answers():
        if answer.status != 200 or "/search/" not in answer.path:
            continue
        replay.body = answer.body
        items = brought(fetched(replay, answers="excerpts" in answer.path))
        numbers = [int(item.external_id.rpartition("/")[2]) for item in items]
        assert numbers == [row.get("answer_id") or row["question_id"] for row in answer.rows], answer.name
        assert not [item for item in items if "&quot;" in f"{item.title}{item.text}" or "<p>" in f"{item.text}"]
        seen += len(items)
    assert seen >= 3


def test_recorded_traps_are_read_aright(replay: Replay) -> None:
    answer = next(answer for answer in answers() if "advanced_page1" in answer.name)
    replay.body = answer.body
    first, second = brought(fetched(replay, answers=False))
    assert first.author is not None
    assert (first.author.name, first.author.id) == ("Ana & Co", "stackoverflow/22")
    assert first.title == "Acme SDK hangs on \"connect()\" 'forever'"
    assert first.counts == Counts(likes=-3, comments=2, views=910)
    assert first.attributes["reputation"] == "4521"
    assert second.author is None
    assert second.attributes["state"] == "closed"


def test_the_recorded_throttle_tells_when_to_come_back(replay: Replay) -> None:
    answer = next(answer for answer in answers() if answer.status == 400)
    replay.body, replay.status, replay.everywhere = answer.body, answer.status, True
    with pytest.raises(RateLimited) as caught:
        fetched(replay)
    assert caught.value.retry_after == timedelta(seconds=72_034)


def test_every_recorded_answer_to_anything_is_pages_or_a_fate(replay: Replay) -> None:
    replay.everywhere = True
    for answer in answers():
        replay.body, replay.status = answer.body, answer.status
        _asked_everything(replay, answer.name)


def test_damaged_answers_never_raise_anything_but_the_fates(replay: Replay) -> None:
    replay.everywhere = True
    for number, answer in enumerate(answers()):
        for body in damaged_copies(answer.body, 10, seed=number):
            replay.body, replay.status = body, answer.status
            _asked_everything(replay, f"{answer.name}: {body[:200]!r}")


def test_damaged_backoffs_and_quotas_never_raise_anything_but_the_fates(replay: Replay) -> None:
    replay.everywhere = True
    whole = json.dumps({"items": [], "has_more": True, "backoff": 10, "quota_remaining": 1}).encode()
    for body in damaged_copies(whole, 40):
        replay.body = body
        _asked_everything(replay, repr(body))


def _asked_everything(replay: Replay, what: str) -> None:
    for options in ({}, {"tagged": ["acme"]}, {"answers": False}):
        connector = Source(replay, **options).open()
        assert isinstance(connector, Refreshes)
        assert _fate(lambda connector=connector: list(connector.fetch(None, LONG_AGO))) in {None, *FATES}, what
        ids = ["stackoverflow/q/79000001", "stackoverflow/a/79000009"]
        assert _fate(lambda connector=connector, ids=ids: list(connector.refresh(ids))) in {None, *FATES}, what
        assert _fate(connector.check) in {None, *FATES}, what
        connector.close()


def _fate(ask: Any) -> type[SourceError] | None:
    try:
        ask()
    except SourceError as error:
        return type(error)
    return None
