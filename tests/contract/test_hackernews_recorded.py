from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Page
from connectors.errors import RateLimited, SourceError, Unavailable
from connectors.hackernews import PLUGIN
from connectors.testing import Case, FakePlatform, Reply, Request
from connectors.testing.suite import Pulls

FATES: Mapping[int, type[SourceError]] = {429: RateLimited, 503: Unavailable}


@dataclass(frozen=True)
class Recorded:
    name: str
    path: str
    status: int
    body: bytes

    @property
    def hits(self) -> list[dict[str, Any]] | None:
        """The hits of a search; ``None`` for an error and for another kind of answer."""
        if self.status != 200:
            return None
        found: list[dict[str, Any]] | None = json.loads(self.body).get("hits")
        return found


class Replay(FakePlatform):
    """Answers the first page of a search with a recorded body and later ones with none."""

    def __init__(self, recorded: Recorded) -> None:
        super().__init__()
        self._recorded = recorded

    def respond(self, request: Request) -> Reply:
        first = request.query.get("page") == "0" and "<=" not in request.query.get("numericFilters", "")
        return Reply(self._recorded.body, self._recorded.status) if first else Reply.of_json({"hits": []})


def _recorded() -> list[Recorded]:
    folder = Path(os.environ.get("RECORDED_DATA", "/nowhere")) / "payloads" / "hackernews"
    if not folder.is_dir():
        pytest.skip("recorded data not present")
    rows = json.loads((folder / "index.json").read_text())
    return [Recorded(row["file"], row["path"], row["status"], (folder / row["file"]).read_bytes()) for row in rows]


def _pull(recorded: Recorded) -> list[Page] | SourceError:
    replay = Replay(recorded)
    connector = Pulls(Case(plugin=PLUGIN, fake=lambda: replay), replay).open()
    try:
        return list(connector.fetch(None, datetime(2006, 1, 1, tzinfo=UTC)))
    except SourceError as error:
        return error
    finally:
        connector.close()
        replay.close()


@pytest.mark.recorded
def test_every_hit_of_a_recorded_search_is_an_item_or_a_counted_skip() -> None:
    seen = 0
    for recorded in _recorded():
        if recorded.hits is None:
            continue
        pages = _pull(recorded)
        assert isinstance(pages, list)
        brought = Counter(item.external_id for page in pages for item in page.items)
        skipped = sum(len(page.skipped) for page in pages)
        assert set(brought.values()) <= {1}
        assert set(brought) <= {hit["objectID"] for hit in recorded.hits}
        assert len(brought) + skipped == len(recorded.hits)
        seen += len(brought)
    assert seen > 0


@pytest.mark.recorded
def test_no_sound_hit_of_a_recorded_search_is_skipped() -> None:
    for recorded in _recorded():
        pages = _pull(recorded) if recorded.hits is not None else []
        assert isinstance(pages, list)
        assert not [entry for page in pages for entry in page.skipped]


@pytest.mark.recorded
def test_no_item_of_a_recorded_search_shows_markup() -> None:
    for recorded in _recorded():
        pages = _pull(recorded) if recorded.hits is not None else []
        assert isinstance(pages, list)
        texts = [f"{item.title} {item.text}" for page in pages for item in page.items]
        assert not [text for text in texts if "<p>" in text or "&#x27;" in text or "&quot;" in text]


@pytest.mark.recorded
def test_every_other_recorded_answer_becomes_its_fate() -> None:
    for recorded in _recorded():
        if recorded.hits is None:
            assert type(_pull(recorded)) is FATES.get(recorded.status, Unavailable), recorded.name
