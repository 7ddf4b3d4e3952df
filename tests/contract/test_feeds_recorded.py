"""Every recorded feed goes through the connector: no exception but the fates, no entry lost or doubled."""

from __future__ import annotations

import io
import json
import os
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import feedparser
import pytest

from connectors.contract import Item
from connectors.errors import SourceError
from connectors.feeds import PLUGIN
from connectors.testing import Case
from connectors.testing.suite import Pulls
from tests.fakes.feeds import FakeFeed

pytestmark = pytest.mark.recorded
FOLDERS = ("rss", "googlenews")
TYPES = {".json": "application/json", ".atom": "application/atom+xml", ".rss": "application/rss+xml"}


def documents() -> list[Path]:
    root = os.environ.get("RECORDED_DATA")
    if root is None:
        pytest.skip("recorded data not present")
    paths = (path for folder in FOLDERS for path in sorted((Path(root) / "payloads" / folder).iterdir()))
    return [path for path in paths if path.name not in ("index.json", "README.md")]


@dataclass(frozen=True)
class Outcome:
    """What two pulls of one document brought; ``refused`` if it came to a fate."""

    path: Path
    first: list[Item]
    stored: dict[str, Item]
    stored_again: dict[str, Item]
    refused: bool = False


@pytest.fixture(scope="module")
def outcomes() -> Iterator[list[Outcome]]:
    fake = FakeFeed()
    yield [outcome(fake, path) for path in documents()]
    fake.close()


def outcome(fake: FakeFeed, path: Path) -> Outcome:
    fake.document = path.read_bytes()
    fake.content_type = TYPES.get(path.suffix, "application/xml")
    pulls = Pulls(Case(plugin=PLUGIN, fake=FakeFeed), fake)
    try:
        first = pulls.pull()
    except SourceError:
        return Outcome(path, [], {}, {}, refused=True)
    stored = dict(pulls.stored)
    assert pulls.cursor is not None
    pulls.cursor = {**pulls.cursor, "etag": None}  # else the answer is 304
    pulls.pull()
    return Outcome(path, first, stored, pulls.stored)


def distinct(path: Path) -> int:
    """How many different entries the document holds that carry anything, counted without the connector."""
    body = path.read_bytes()
    if path.suffix == ".json":
        entries: list[dict[str, Any]] = json.loads(body)["items"]
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            entries = feedparser.parse(io.BytesIO(body)).entries
    told = ((bare(dict.get(entry, "id")), *(bare(dict.get(entry, name)) for name in TELLING)) for entry in entries)
    return len({values[0] or values for values in told if any(values)})


def bare(value: Any) -> str:
    """A value without markup: an entry that is nothing but a picture carries nothing to read."""
    parts = value if isinstance(value, list) else [value or ""]
    texts = (part.get("value") or part.get("href") or "" if isinstance(part, dict) else str(part) for part in parts)
    return re.sub(r"(?s)<svg.*</svg>|<[^>]*>", "", " ".join(texts)).strip()


TELLING = ("link", "links", "url", "title", "summary", "content", "description", "content_html", "content_text")


def test_every_entry_gives_exactly_one_item(outcomes: list[Outcome]) -> None:
    read = [outcome for outcome in outcomes if not outcome.refused]
    for outcome in read:
        assert len(outcome.first) == len(outcome.stored) == distinct(outcome.path), outcome.path.name
    assert len(read) >= 290
    assert sum(len(outcome.first) for outcome in read) >= 500


def test_a_second_pull_adds_and_changes_nothing(outcomes: list[Outcome]) -> None:
    assert [outcome.path.name for outcome in outcomes if outcome.stored_again != outcome.stored] == []


def test_only_what_is_no_whole_feed_is_refused(outcomes: list[Outcome]) -> None:
    assert {outcome.path.name for outcome in outcomes if outcome.refused} <= {
        "xml_testdata_iso88591.xml",  # a note
        "feedparser_illformed_rss_empty_document.xml",
        "allthis-partial.json",  # ends in the middle of a text
    }


def test_the_publishers_of_google_news_are_told_from_the_titles(outcomes: list[Outcome]) -> None:
    found = next(outcome for outcome in outcomes if outcome.path.name == "c_search_en.xml")
    entries = feedparser.parse(io.BytesIO(found.path.read_bytes())).entries
    assert [item.place for item in found.first] == [entry.source.title for entry in entries]
    assert [f"{item.title} - {item.place}" for item in found.first] == [entry.title for entry in entries]
