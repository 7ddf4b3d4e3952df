"""What happened when, from three places, and the scores before and after it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from monitor.annotations import Noted, noted, sides
from monitor.app import App, build
from monitor.config import Settings, parse
from monitor.digest import DigestView, render, words
from monitor.report import build_report
from monitor.samples import story
from monitor.schedule import Window, span, trailing
from storage import annotations as stored
from tests.fakes import samples
from tests.fakes.samples import NOW

BERLIN = ZoneInfo("Europe/Berlin")
RELEASE = datetime(2026, 11, 14, 10, tzinfo=UTC)
"""Nine days before the end of the day, as the sample data tell it."""
WEEK = span(NOW - timedelta(days=7), NOW, BERLIN)


def lengths(one: Noted, now: datetime = NOW) -> tuple[timedelta, timedelta] | None:
    found = sides(one, now, WEEK)
    return None if found is None else (found[0].length, found[1].length)


def test_as_many_days_before_as_after() -> None:
    days = timedelta(days=1)
    assert lengths(Noted(RELEASE, None, "release")) == (7 * days, 7 * days)
    assert lengths(Noted(NOW - timedelta(days=3, hours=5), None, "hotfix")) == (3 * days, 3 * days)
    assert lengths(Noted(NOW - timedelta(hours=23), None, "just now")) is None
    assert lengths(Noted(NOW + timedelta(days=2), None, "to come")) is None


def test_what_lasted_is_compared_over_as_long() -> None:
    days = timedelta(days=1)
    begun = NOW - timedelta(days=14)
    assert lengths(Noted(begun, begun + 10 * days, "fair")) == (10 * days, 10 * days)
    assert lengths(Noted(begun, begun + 90 * days, "sale")) == (14 * days, 14 * days)
    assert lengths(Noted(begun, begun + timedelta(hours=3), "outage")) == (7 * days, 7 * days)


def test_days_are_local_days_where_the_clocks_change() -> None:
    summer_ends = Noted(datetime(2026, 10, 24, tzinfo=BERLIN), None, "release")
    assert lengths(summer_ends) == (timedelta(days=7), timedelta(days=7, hours=1))


def test_the_line_is_drawn_at_the_quarter_of_an_hour() -> None:
    found = sides(Noted(RELEASE + timedelta(minutes=14), None, "release"), NOW, WEEK)
    assert found is not None
    assert found[0].end == found[1].start == RELEASE


# --- from where


@pytest.fixture(scope="module")
def app(pulled_samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """The sample brands, pulled; three things are written down by hand, two in the configuration."""
    folder = samples.copied(pulled_samples, tmp_path_factory.mktemp("annotations"))
    plain = samples.opened(folder)
    plain.close()
    made = build(_with_annotations(plain.settings), now=lambda: NOW)
    for text, brand in (("talk", "Larkspur"), ("fair", None), ("rival's talk", "Jotwick")):
        stored.add(made.database, text, NOW - timedelta(days=3), NOW, brand=brand)
    yield made
    made.close()


def _with_annotations(settings: Settings) -> Settings:
    entries = [
        {"text": "new price", "at": "2026-11-16", "brands": ["Larkspur"]},
        {"text": "old price", "at": "2026-06-16"},
    ]
    brands = [{"name": "Larkspur"}]
    found = parse({"brands": brands, "annotations": entries}).annotations
    return settings.model_copy(update={"annotations": found})


def told(app: App, brand: str, window: Window = WEEK) -> list[str]:
    return [one.text for one in build_report(app, [brand], window).brands[0].annotations]


def test_all_three_places_are_read_for_a_brand_and_a_window(app: App) -> None:
    assert {one.text for one in noted(app, "Larkspur")} == {
        "old price",
        "new price",
        "talk",
        "fair",
        "release 2.0",
        "hotfix 2.0.1",
    }
    assert told(app, "Larkspur") == ["release 2.0", "new price", "hotfix 2.0.1", "fair", "talk"]
    assert told(app, "Pebblebox") == ["fair"]
    assert "rival's talk" in told(app, "Jotwick")


def test_what_is_said_twice_is_told_once(app: App) -> None:
    added = stored.add(app.database, "release 2.0", RELEASE, NOW, brand="Larkspur")
    assert [one.text for one in noted(app, "Larkspur")].count("release 2.0") == 1
    stored.remove(app.database, added.id)


def test_the_sample_data_tell_of_what_they_have_told(app: App) -> None:
    known = datetime(2026, 11, 14, 10, tzinfo=UTC)
    assert noted(app, "Larkspur")[1] == Noted(known, None, "release 2.0", "Larkspur")
    early = {"shift_days": 326, "told": (known - timedelta(hours=1)).isoformat()}
    assert list(story.told("Larkspur", early)) == []
    assert list(story.told("Larkspur", {"shift_days": "x"})) == list(story.told("Larkspur", None)) == []


# --- beside the figures


def test_the_drop_stands_beside_the_release(app: App) -> None:
    report = build_report(app, ["Larkspur"], trailing(NOW, 30, BERLIN))
    (release,) = (one for one in report.brands[0].annotations if one.text == "release 2.0")
    assert release.at == RELEASE
    assert release.days == 7
    assert release.reviews is not None
    assert release.reviews.change.verdict == "down"
    change, before, after = release.reviews.change, release.reviews.before, release.reviews.after
    assert change.delta == pytest.approx((after.score or 0) - (before.score or 0))
    assert change.low is not None
    assert change.low < (change.delta or 0) < (change.high or 0) < 0
    window = span(RELEASE, RELEASE + timedelta(days=7), BERLIN)
    alone = build_report(app, ["Larkspur"], window).brands[0].reviews
    assert (after.positive, after.negative, after.neutral) == (alone.positive, alone.negative, alone.neutral)


def test_figures_from_rollups_alone_have_them_too(app: App) -> None:
    window = trailing(NOW, 30, BERLIN)
    quick = build_report(app, ["Larkspur"], window, items=False).brands[0].annotations
    whole = build_report(app, ["Larkspur"], window).brands[0].annotations
    assert [one.reviews and one.reviews.change.delta for one in quick] == [
        one.reviews and one.reviews.change.delta for one in whole
    ]


def test_the_digest_marks_the_day_and_claims_no_cause(app: App) -> None:
    report = build_report(app, ["Larkspur"], trailing(datetime(2026, 11, 22, tzinfo=BERLIN), 14, BERLIN))
    for form in ("txt", "md", "html"):
        text = render(report, form, DigestView(name="daily", zone=BERLIN))
        plain = " ".join(text.split())
        assert "Sat 14 Nov*" in plain.replace("\\", "")
        assert "release 2.0, Sat 14 Nov, 11:00; the 7 days before and after it: mentions" in plain
        assert words.NO_CAUSE in plain
    short = render(report, "txt", DigestView(name="daily", zone=BERLIN, detail="short"))
    assert "Release 2.0, Sat 14 Nov, 11:00" in " ".join(short.split())


def test_what_people_write_is_harmless_where_it_is_shown(app: App, tmp_path: Path) -> None:
    hostile = "\x1b[31m<script>alert(1)</script>\nrelease | `x`"
    added = stored.add(app.database, hostile, NOW - timedelta(days=4), NOW, brand="Pebblebox")
    report = build_report(app, ["Pebblebox"], WEEK)
    html = render(report, "html", DigestView(name="daily", zone=BERLIN))
    text = render(report, "txt", DigestView(name="daily", zone=BERLIN))
    stored.remove(app.database, added.id)
    assert "<script>alert" not in html
    assert "\x1b" not in text + html
