"""Other people's tables go through the connector: no exception but the fates, no row lost or doubled."""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.contract import Kind
from tests.fakes.files import Source

pytestmark = pytest.mark.recorded

TABLES: Mapping[str, tuple[tuple[str, ...], Kind]] = {
    "payloads/import/reviews_comma.csv": (("id",), Kind.REVIEW),
    "payloads/import/reviews_cp1252.tsv": (("id",), Kind.REVIEW),
    "payloads/import/reviews.jsonl": (("id",), Kind.REVIEW),
    "payloads/import/reviews_array.json": (("id",), Kind.REVIEW),
    "data/airline_tweets/Tweets.csv": (("tweet_id",), Kind.MENTION),
    "data/play_moniepoint/reviews.csv": (("at", "score", "content"), Kind.REVIEW),
    "data/musical_instruments/reviews.csv": (
        ("overall", "summary", "reviewText", "unixReviewTime", "author_id"),
        Kind.REVIEW,
    ),
}
"""Each table with the columns that tell its rows apart, and what they are."""


def recorded(name: str) -> Path:
    root = os.environ.get("RECORDED_DATA")
    if root is None:
        pytest.skip("recorded data not present")
    return Path(root) / name


def at_rest(path: Path, **options: Any) -> Source:
    """A source that looks an hour after the file was last written, so that a last row without a line end is finished."""
    source = Source(path, **options)
    source.now = datetime.fromtimestamp(path.stat().st_mtime, UTC) + timedelta(hours=1)
    return source


def rows_of(path: Path) -> list[dict[str, Any]]:
    """The rows, read without the connector."""
    body = path.read_bytes()
    if path.suffix == ".json":
        return list(json.loads(body))
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in body.splitlines()]
    text = body.decode("cp1252" if "cp1252" in path.name else "utf-8")
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter="\t" if path.suffix == ".tsv" else ","))


@pytest.mark.parametrize("name", TABLES)
def test_every_row_gives_exactly_one_item(name: str) -> None:
    telling, kind = TABLES[name]
    path = recorded(name)
    source = at_rest(path)
    brought = source.pull()
    assert source.skipped == []
    assert len(source.stored) == len({tuple(str(row[column]).strip() for column in telling) for row in rows_of(path)})
    assert {item.kind for item in brought} == {kind}
    assert all(item.author or "play_moniepoint" in name for item in brought)
    assert source.pull() == []


@pytest.mark.parametrize("name", ["payloads/import/reviews.jsonl", "payloads/import/reviews_comma.csv"])
def test_texts_ratings_and_times_are_as_written(name: str) -> None:
    path = recorded(name)
    items = {item.external_id.partition(":")[2]: item for item in at_rest(path).pull()}
    for row in rows_of(path):
        item = items[row["id"]]
        assert item.rating is not None
        assert item.rating.value == float(row["rating"])
        assert item.published_at.isoformat() == row["created_at"]
        assert item.counts.likes == int(row["likes"])
        assert " ".join((item.text or "").split()) == " ".join(row["text"].split())


def test_bytes_of_windows_are_read_as_they_were_meant() -> None:
    path = recorded("payloads/import/reviews_cp1252.tsv")
    brought = {item.text for item in at_rest(path).pull()}
    assert brought == {row["text"].strip() for row in rows_of(path)}
    assert not any((text or "").isascii() for text in brought)


def test_a_table_without_header_and_times_is_read_with_named_columns() -> None:
    path = recorded("data/vader/tweets_GroundTruth.txt")
    source = at_rest(path, format="tsv", header=["id", "mean", "text"], attributes=["mean"])
    assert len(source.pull()) == 4_200
    assert source.skipped == []
