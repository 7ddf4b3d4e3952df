"""The sample data as a source, and what the store makes of it, against the files read independently."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import func, select

from connectors.contract import Context, Item, Kind, Page, Unlimited
from connectors.http import HttpClient
from monitor.app import App
from monitor.report import build_report
from monitor.samples import END, PLUGIN, SampleOptions
from monitor.schedule import span
from storage.tables import COUNT_HISTORY, REVISION
from tests.fakes import samples
from tests.fakes.samples import NOW

SHIFT = datetime(2026, 11, 23, tzinfo=UTC) - END
FILES = Path(__file__).parents[2] / "monitor" / "samples"


def records(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (FILES / f"{name}.jsonl").read_text(encoding="utf-8").splitlines()]


def told(record: dict[str, Any], now: datetime = NOW) -> bool:
    return datetime.fromisoformat(record["at"]) + SHIFT <= now


def pages(stream: str, subject: str | None = None, cursor: Any = None, now: datetime = NOW) -> list[Page]:
    log = logging.getLogger("connectors.test")
    context = Context((), lambda: now, Event(), HttpClient(), log, Unlimited())
    connector = PLUGIN.open(SampleOptions.model_validate({"stream": stream, "subject": subject}), context)
    return list(connector.fetch(cursor, now - timedelta(days=90)))


def last_seen(found: list[Page]) -> dict[str, Item]:
    return {item.external_id: item for page in found for item in page.items}


def test_every_item_told_so_far_comes_shifted_by_whole_days() -> None:
    items = last_seen(pages("reddit"))
    assert set(items) == {record["id"] for record in records("reddit") if told(record)}
    for record in records("reddit"):
        if told(record):
            assert items[record["id"]].published_at == datetime.fromisoformat(record["at"]) + SHIFT


def test_a_second_pull_adds_nothing_even_days_later() -> None:
    cursor = json.loads(json.dumps(pages("playstore", "Larkspur")[-1].cursor))
    assert last_seen(pages("playstore", "Larkspur", cursor)) == {}
    assert last_seen(pages("playstore", "Larkspur", cursor, NOW + timedelta(days=3))) == {}


def test_stopping_after_any_page_and_going_on_loses_nothing() -> None:
    whole = last_seen(pages("mastodon"))
    cursor, stored = None, dict[str, Item]()
    for _ in range(200):
        found = pages("mastodon", cursor=cursor)
        for page in found[:9]:
            stored |= {item.external_id: item for item in page.items}
            cursor = page.cursor or cursor
        if not last_seen(found):
            break
    assert stored == whole


def test_an_edited_review_ends_as_its_last_version() -> None:
    edited = next(record for record in records("appstore") if record.get("edits"))
    last = edited["edits"][-1]
    item = last_seen(pages("appstore", edited["brand"]))[edited["id"]]
    assert item.text == last["text"]
    assert item.rating is not None
    assert item.rating.value == last["rating"]["value"]
    assert item.updated_at == datetime.fromisoformat(last["at"]) + SHIFT
    assert item.published_at == datetime.fromisoformat(edited["at"]) + SHIFT


def test_own_posts_are_posts_of_the_subject_only() -> None:
    items = last_seen(pages("social_own", "Jotwick"))
    assert {item.kind for item in items.values()} == {Kind.POST}
    assert set(items) == {r["id"] for r in records("social_own") if r["brand"] == "Jotwick" and told(r)}


def test_the_forum_s_day_without_an_answer_is_a_gap() -> None:
    (gap,) = [page.gap for page in pages("forum") if page.gap]
    (record,) = records("gaps")
    assert gap.since == datetime.fromisoformat(record["start"]) + SHIFT
    assert gap.until == datetime.fromisoformat(record["end"]) + SHIFT


# ------------------------------------------------------------------------------- the figures, counted independently


@pytest.fixture(scope="module")
def app(pulled_samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    app = samples.opened(samples.copied(pulled_samples, tmp_path_factory.mktemp("samples")))
    yield app
    app.close()


def test_review_figures_are_those_of_the_files(app: App) -> None:
    window = span(NOW - timedelta(days=9), NOW + timedelta(minutes=15), app.settings.monitor.zone)
    figures = build_report(app, ["Larkspur"], window).brands[0].reviews
    stars = Counter(
        round((record["edits"][-1] if record.get("edits") else record)["rating"]["value"])
        for stream in ("appstore", "playstore")
        for record in records(stream)
        if record["brand"] == "Larkspur" and told(record)
        if NOW - timedelta(days=9) <= datetime.fromisoformat(record["at"]) + SHIFT
    )
    positive, negative, n = stars[4] + stars[5], stars[1] + stars[2], stars.total()
    assert figures.rating.histogram == {str(cell): stars[cell] for cell in range(1, 6)}
    assert (figures.positive, figures.neutral, figures.negative, figures.total) == (positive, stars[3], negative, n)
    assert figures.score == pytest.approx((positive - negative) / n)
    assert figures.rating.mean == pytest.approx(sum(cell * count for cell, count in stars.items()) / n)


def test_own_engagement_is_that_of_the_files(app: App) -> None:
    window = span(NOW - timedelta(days=70), NOW + timedelta(minutes=15), app.settings.monitor.zone)
    own = build_report(app, ["Larkspur"], window).brands[0].engagement.own
    mine = [r for r in records("social_own") if r["brand"] == "Larkspur" and told(r)]
    assert own.posts == len(mine)
    assert own.likes == sum(_latest(record, 1) or 0 for record in mine)
    assert own.shares == sum(_latest(record, 2) or 0 for record in mine)


def _latest(record: dict[str, Any], place: int) -> int | None:
    """The last known value of a count at the pull's time."""
    at = datetime.fromisoformat(record["at"]) + SHIFT
    known = [r[place] for r in record.get("counts", ()) if at + timedelta(hours=r[0]) <= NOW and r[place] is not None]
    return known[-1] if known else None


def test_followers_are_the_last_reading_and_its_change(app: App) -> None:
    window = span(NOW - timedelta(days=7), NOW, app.settings.monitor.zone)
    figures = build_report(app, ["Jotwick"], window).brands[0].followers
    series = [r for r in records("followers") if r["brand"] == "Jotwick"]
    at = {datetime.fromisoformat(r["at"]) + SHIFT: r["count"] for r in series}
    end = max(moment for moment in at if moment <= NOW)
    start = max(moment for moment in at if moment <= NOW - timedelta(days=7))
    assert [(one.count, one.change) for one in figures] == [(at[end], at[end] - at[start])]


def test_growth_and_revisions_are_kept(app: App) -> None:
    with app.database.readonly.connect() as connection:
        assert connection.execute(select(func.count()).select_from(COUNT_HISTORY)).scalar_one() > 1000
        edits = sum(len(r.get("edits", ())) for stream in ("appstore", "playstore") for r in records(stream))
        assert connection.execute(select(func.count()).select_from(REVISION)).scalar_one() == edits
