from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest

from connectors.appstore import PLUGIN
from connectors.contract import Connector, Kind, Page
from connectors.errors import Unavailable
from connectors.testing import Case, Reply, Request
from connectors.testing.suite import Pulls
from tests.fakes.appstore import PATH, FakeAppStore

CASE = Case(plugin=PLUGIN, fake=FakeAppStore, kind=Kind.REVIEW)


def _recorded() -> list[tuple[str, int, bytes]]:
    folder = Path(os.environ.get("RECORDED_DATA", "/nowhere")) / "payloads" / "appstore"
    if not folder.is_dir():
        return []
    index = json.loads((folder / "index.json").read_text())
    rows = [row for row in index if "customerreviews" in row["path"]]
    return [(row["path"], row["status"], (folder / row["file"]).read_bytes()) for row in rows]


class Replay(FakeAppStore):
    """Serves one recorded body as the first page; its XML form has the same reviews, with times where it tells none."""

    def __init__(self, path: str, status: int, body: bytes) -> None:
        super().__init__()
        self._at = PATH.fullmatch(path)
        assert self._at
        self._body, self._status = body, status
        self.countries = [self._at[1]]

    def options(self) -> dict[str, Any]:
        assert self._at
        return {"app_id": self._at[3], "countries": self.countries}

    def entries(self) -> list[dict[str, Any]]:
        return json.loads(self._body)["feed"].get("entry", []) if self._status == 200 else []

    def expected(self) -> set[str]:
        return {entry["id"]["label"] for entry in self.entries()}

    def respond(self, request: Request) -> Reply:
        found = PATH.fullmatch(request.path)
        if found is None:
            return Reply.of_json({"resultCount": 1, "results": [{"trackName": "Something"}]})
        if self._status != 200:
            return Reply(self._body, self._status, {"Content-Type": "text/html"})
        if found[2] != "1":
            return Reply.of_json({"feed": {}}) if found[4] == "json" else _as_xml([])
        return Reply(self._body) if found[4] == "json" else _as_xml(self.entries())


def _as_xml(entries: list[dict[str, Any]]) -> Reply:
    rows = [
        f"<entry><updated>{entry.get('updated', {}).get('label') or f'2026-10-{28 - i:02}T10:00:00-07:00'}</updated>"
        f"<id>{entry['id']['label']}</id><title>{escape(entry['title']['label'])}</title>"
        f"<content type='text'>{escape(entry['content']['label'])}</content>"
        f"<im:rating>{entry['im:rating']['label']}</im:rating></entry>"
        for i, entry in enumerate(entries)
    ]
    names = "xmlns:im='http://itunes.apple.com/rss' xmlns='http://www.w3.org/2005/Atom'"
    return Reply(f"<feed {names}>{''.join(rows)}</feed>".encode())


@pytest.mark.recorded
def test_every_recorded_answer_goes_through() -> None:
    recorded = _recorded()
    if not recorded:
        pytest.skip("recorded data not present")
    seen = 0
    for path, status, body in recorded:
        replay = Replay(path, status, body)
        connector = Pulls(CASE, replay).open()
        try:
            pages = _pages(connector)
        finally:
            connector.close()
            replay.close()
        assert (pages is None) == (status != 200)
        brought = [item.external_id for page in pages or () for item in page.items]
        assert sorted(brought) == sorted(replay.expected())
        assert not [entry for page in pages or () for entry in page.skipped]
        seen += len(brought)
    assert seen > 0


def _pages(connector: Connector) -> list[Page] | None:
    """What a pull brings; ``None`` if the platform was unavailable."""
    try:
        return list(connector.fetch(None, datetime(2020, 1, 1, tzinfo=UTC)))
    except Unavailable:
        return None
