"""Which audit speaks for which window, how a person goes through a sample, and what a report makes of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor import auditing
from monitor.app import App
from monitor.auditing import Sheet, audited, lenders
from monitor.digest import words
from monitor.report import build_report
from monitor.schedule import Window, span
from storage import audits
from storage.audits import Sample, Sampled
from storage.engine import open_database
from tests.fakes.storing import NOW, OLD, Shop, item
from tests.unit.test_rescoring import app_of

UTC = ZoneInfo("UTC")
WEEK = span(NOW - timedelta(days=7), NOW, UTC)


def sample(number: int, first: int, last: int, kind: str | None = None, *sources: str) -> Sample:
    """From so many days ago to so many days ago."""
    since, until = NOW - timedelta(days=first), NOW - timedelta(days=last)
    return Sample(number, "Acme", kind, sources, since, until, 100, 1, NOW, 50)


def best(*samples: Sample, kind: str = "mention", window: Window = WEEK) -> list[int]:
    return [one.id for one in lenders(samples, kind, window)]


def test_a_window_s_own_audit_goes_first_then_the_narrowest_around_it_then_the_latest_before_it() -> None:
    own, around, wide = sample(1, 7, 0), sample(2, 30, 0), sample(3, 90, 0)
    before, long_before = sample(4, 14, 7), sample(5, 60, 30)
    assert best(long_before, wide, before, own, around) == [1, 2, 3, 4, 5]


def test_what_lends_nothing() -> None:
    later, years_ago, some_sources, reviews = (
        sample(1, 3, -3),
        sample(2, 800, 400),
        sample(3, 7, 0, None, "north"),
        sample(4, 7, 0, "review"),
    )
    assert best(later, years_ago, some_sources, reviews) == []
    assert best(reviews, kind="review") == [4]


# --- labelling


def shown(number: int, **given: str | None) -> Sampled:
    values = {"title": None, "text": f"text {number}", "label": "neutral", **given}
    first = (number, number, "mention", "north", None, OLD, None)
    return Sampled(*first, values["title"], values["text"], values["label"])


def test_a_sheet_shows_what_is_open_goes_back_and_ends() -> None:
    items = [replace(shown(0), said={"Ann": "positive", "Bob": "neutral"}), *(shown(n) for n in range(1, 4))]
    sheet = Sheet.of(items, "Ann")
    assert (sheet.shown, sheet.done) == (items[1], 1)
    assert sheet.back()
    assert sheet.shown == items[0]
    assert not sheet.back()
    sheet.on()
    assert sheet.shown == items[1]
    sheet.said[1] = "neutral"
    sheet.on()
    sheet.on()
    assert sheet.shown == items[3]
    sheet.on()
    assert [sheet.shown] == [None]
    assert sheet.done == 2
    again = Sheet.of([replace(one, said={"Ann": "neutral"}) if one.id == 1 else one for one in items], "Ann")
    assert again.shown == items[2]


def test_a_sheet_leaves_out_what_cannot_be_read_and_what_has_left_the_frame() -> None:
    sheet = Sheet.of([shown(0, text=None), shown(1, label=None), shown(2)], "Ann")
    assert [one.id for one in sheet.items] == [2]


# --- reports


@pytest.fixture
def shop(tmp_path: Path, migrated_file: Path) -> Iterator[Shop]:
    file = tmp_path / "store.db"
    file.write_bytes(migrated_file.read_bytes())
    database = open_database(f"sqlite:///{file}")
    shop = Shop(database)
    texts = [item(f"m{n}", label="positive" if n % 2 else "negative", author_id=None) for n in range(60)]
    stars = {"kind": "review", "rating_label": "positive", "label_by": "stars"}
    shop.pull(*texts, *(item(f"r{n}", **stars) for n in range(10)))
    yield shop
    database.close()


def labelled(app: App, size: int, window: Window, *, right: bool = False) -> Sample:
    """A sample of which Ann says that everything called positive is negative."""
    drawn = auditing.draw(app, "Acme", window, size, 1)
    assert drawn is not None
    for one in audits.items(app.database, drawn.id):
        assert one.label is not None
        auditing.say(app, drawn, one, "Ann", one.label if right else "negative")
    return drawn


def test_a_report_shows_the_audited_score_beside_the_raw_one(shop: Shop) -> None:
    app = app_of(shop.database)
    drawn = labelled(app, 40, WEEK)
    found = build_report(app, ["Acme"], WEEK).brands[0]
    assert found.social.score == 0
    assert found.social.audited is not None
    assert found.social.audited.score == pytest.approx(-1, abs=0.25)
    assert found.social.audited.high < 0
    assert (found.social.audited.m, found.social.audited.sample) == (40, drawn.id)
    assert not found.social.audited.borrowed
    assert found.reviews.audited is None
    assert build_report(app, ["Acme"], WEEK, items=False).brands[0].social.audited is None
    assert "borrowed" not in words.checked(found.social.audited, UTC)


def test_a_narrower_window_borrows_the_error_and_says_so(shop: Shop) -> None:
    app = app_of(shop.database)
    labelled(app, 40, span(NOW - timedelta(days=30), NOW, UTC))
    found = audited(app, "Acme", "mention", WEEK)
    assert found is not None
    assert found.borrowed
    assert (found.since, found.until) == (NOW - timedelta(days=30), NOW)
    assert "borrowed from an audit of 21 October – 20 November 2026" in words.checked(found, UTC)
    assert audited(app, "Acme", "mention", span(NOW, NOW + timedelta(days=1), UTC)) is None


def test_too_few_labels_show_no_audited_score(shop: Shop) -> None:
    app = app_of(shop.database)
    labelled(app, auditing.LEAST - 1, WEEK)
    assert audited(app, "Acme", "mention", WEEK) is None


def test_stars_take_part_in_the_sample_s_own_report_without_an_error(shop: Shop) -> None:
    app = app_of(shop.database)
    found = auditing.report(app, labelled(app, 60, WEEK, right=True))
    assert (found.scores.raw.n, found.scores.by_stars, found.labelled) == (70, 10, 60)
    assert found.scores.audited is not None
    assert found.scores.audited.score == pytest.approx(found.scores.raw.score or 0)
    assert set(found.by_kind) == {"mention", "review"}
    assert found.accuracy.share == 1


def test_items_passed_over_are_told(shop: Shop) -> None:
    app = app_of(shop.database)
    drawn = auditing.draw(app, "Acme", WEEK, 10, 1)
    assert drawn is not None
    items = audits.items(app.database, drawn.id)
    for one in (items[0], items[3], items[5]):
        auditing.say(app, drawn, one, "Ann", "neutral")
    found = auditing.report(app, drawn)
    assert (found.labelled, found.passed_over) == (3, 3)


def test_a_rescored_history_is_judged_anew(shop: Shop) -> None:
    """The figure that was remembered is not taken for the present one."""
    app = app_of(shop.database)
    labelled(app, 60, WEEK)
    first = audited(app, "Acme", "mention", WEEK)
    shop.pull(*(item(f"n{n}", published_at=datetime(2026, 11, 18, tzinfo=UTC)) for n in range(60)))
    second = audited(app, "Acme", "mention", WEEK)
    assert first is not None
    assert second is not None
    assert second.score == pytest.approx(first.score + 0.5)
