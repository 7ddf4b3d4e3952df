"""Alerts and rules: seen to, snoozed, replayed; expressions tried, with the place of what is wrong with them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from monitor.app import App, build
from monitor.rules import FIELDS as OF_RULES
from monitor.samples.demo import demo_settings
from monitor.web.pages.alerts import chance, length
from monitor.web.pages.alerts_rules import EXAMPLES, FIELDS
from storage import alerts as store
from storage import arrivals, listing
from storage.alerts import Begun
from storage.records import ItemFilter
from tests.web.axe import assert_usable_by_all
from tests.web.serving import Dashboard, served

RULES = """
[[rules]]
name = "unhappy"
when = "rating <= 2"
channels = ["files"]
"""


def opened(app: App, subject: str = "Larkspur", kind: str = "negative_volume") -> int:
    """An alert that is open; its number."""
    now = app.now()
    begun = now.replace(minute=0, second=0, microsecond=0) - timedelta(days=1)
    figures = {
        "start": begun.isoformat(), "end": (begun + timedelta(days=1)).isoformat(), "sources": ["reddit", "forum"],
        "seen": 12, "expected": 2.4, "low": 0, "high": 6, "p": 0.0002, "ratio": 5.0, "told": "no",
    }  # fmt: skip
    brand = app.brands["Larkspur"].id if kind != "source_silent" else None
    one = Begun("complaints", kind, brand, subject, begun, now, None, figures)
    assert store.apply(app.database, store.alert_state(app.database), [one], [], now)
    return store.episodes(app.database, open_only=True)[0].id


def episode(app: App, number: int) -> store.StoredEpisode:
    return next(one for one in store.episodes(app.database) if one.id == number)


def test_what_was_unusual_is_said_with_its_figures_and_leads_to_its_items(read_only: Dashboard) -> None:
    text = read_only.get("/alerts").text
    assert "Nothing is unusual right now." in text
    assert "found in the history, not sent" in text
    seen = re.search(r"<dt>Seen</dt><dd>(\d+)</dd>", text)
    link = re.search(r'href="(/items[^"]+)">The items on', text)
    assert seen is not None
    assert link is not None
    assert f"{seen[1]} items" in read_only.get(unescape(link[1])).text


def test_an_open_alert_is_seen_to_snoozed_and_woken(dashboard: Dashboard) -> None:
    app, number = dashboard.app, opened(dashboard.app)
    text = dashboard.get("/alerts").text
    assert text.index(f'id="alert-{number}"') < text.index('id="over"')
    assert "once in 5,000" in text
    assert "seen to." in dashboard.submit("/alerts", {"do": "ack", "episode": number}).text
    assert episode(app, number).acknowledged_at is not None

    assert "no messages until" in dashboard.submit("/alerts", {"do": "snooze", "episode": number, "for": "1h"}).text
    until = episode(app, number).snoozed_until
    assert until is not None
    assert timedelta(minutes=59) < until - app.now() <= timedelta(hours=1)
    assert "messages are sent again" in dashboard.submit("/alerts", {"do": "wake", "episode": number}).text
    assert "no messages until" not in dashboard.get("/alerts").text


def test_a_whole_alert_is_snoozed_until_a_day(dashboard: Dashboard) -> None:
    app = dashboard.app
    day = (app.now().astimezone(app.settings.monitor.zone) + timedelta(days=3)).date()
    dashboard.submit("/alerts", {"do": "snooze", "alert": "complaints", "for": "until", "until": day.isoformat()})
    until = store.alert_state(app.database).snoozed["complaints"]
    assert until.astimezone(app.settings.monitor.zone).isoformat()[:19] == f"{day}T00:00:00"
    assert "Send messages again" in dashboard.get("/alerts").text
    dashboard.submit("/alerts", {"do": "wake", "alert": "complaints"})
    assert "Send messages again" not in dashboard.get("/alerts").text


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 422), ({"do": "ack", "episode": "x"}, 422),
        ({"do": "snooze", "episode": "1"}, 422),
        ({"do": "snooze", "episode": "1", "for": "until", "until": "soon"}, 422),
        ({"do": "snooze", "episode": "1", "for": "until", "until": "2001-01-01"}, 422),
        ({"do": "snooze", "episode": "1", "for": "until", "until": "9999-12-31"}, 422),
        ({"do": "snooze", "alert": "nobody", "for": "1d"}, 422),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(read_only: Dashboard, fields: dict[str, str], status: int) -> None:
    read_only.submit("/alerts", fields, status)


def test_an_alert_that_is_not_there_is_not_found(dashboard: Dashboard) -> None:
    dashboard.submit("/alerts", {"do": "ack", "episode": "999"}, 404)
    dashboard.submit("/alerts", {"do": "snooze", "episode": "999", "for": "1d"}, 404)


def test_a_silent_source_leads_to_the_source(dashboard: Dashboard) -> None:
    opened(dashboard.app, "forum", "source_silent")
    assert 'href="/sources/forum">The source' in dashboard.get("/alerts").text


def test_hostile_names_stay_names(dashboard: Dashboard) -> None:
    opened(dashboard.app, "<script>alert(1)</script>")
    text = dashboard.get("/alerts").text
    assert "<script>alert" not in text
    assert "&lt;script&gt;alert" in text


def test_a_replay_says_when_an_alert_would_have_fired(read_only: Dashboard, page: Page) -> None:
    page.goto(f"{read_only.url}/alerts")
    page.get_by_role("button", name="Replay").click()
    found = page.locator("#replay tbody tr")
    expect(found).to_contain_text("1 time in")
    expect(found).to_contain_text("times a year")
    expect(found.get_by_role("link")).to_have_attribute("href", re.compile("/items.*label=negative"))
    page.get_by_text("What an expression may name").click()
    assert_usable_by_all(page)


@pytest.mark.parametrize(
    "query",
    ["replay=x", "replay=2999-01-01", "name=nobody", "since=x", "since=99y", "brand=Nobody", "when=" + "x" * 2_100],
)
def test_wrong_addresses_are_refused(read_only: Dashboard, query: str) -> None:
    read_only.get(f"/alerts?{query}", 422)


def test_an_expression_shows_what_it_would_have_caught(read_only: Dashboard) -> None:
    page = read_only.get("/alerts", params={"when": "rating <= 2", "since": "90d", "whole": "1"}).text
    caught = re.search(r"Would have caught (\d+) of", page)
    assert caught is not None
    wanted = ItemFilter(since=read_only.app.now() - timedelta(days=90), stars_at_most=2)
    assert int(caught[1]) == listing.count_items(read_only.app.database, wanted) > 0
    assert "data-load" not in page
    fewer = read_only.get("/alerts/trial", params={"when": "rating <= 2", "since": "90d", "brand": "Jotwick"}).text
    assert f"caught {caught[1]} of" not in fewer


def test_a_faulty_expression_shows_its_place(read_only: Dashboard) -> None:
    text = unescape(read_only.get("/alerts/trial", params={"when": "likes > 3 and ratng <= 2"}).text)
    assert 'no field "ratng"; did you mean "rating"?' in text
    assert "likes > 3 and ratng <= 2\n              ^" in text


@pytest.mark.parametrize("when", [example for example, _ in EXAMPLES])
def test_every_example_works(read_only: Dashboard, when: str) -> None:
    assert "Would have caught" in read_only.get("/alerts/trial", params={"when": when, "since": "7d"}).text


def test_every_field_that_an_expression_may_name_is_explained() -> None:
    assert FIELDS.keys() == OF_RULES.keys()


@pytest.fixture
def ruled(sample_app: App) -> Iterator[Dashboard]:
    """A dashboard whose configuration holds a rule."""
    path: Path | None = sample_app.settings.path
    assert path is not None
    path.write_text(path.read_text(encoding="utf-8") + RULES, encoding="utf-8")
    app = build(demo_settings(path.parent))
    with served(app) as made:
        yield made
    app.close()


def test_rules_are_shown_with_what_they_caught(ruled: Dashboard) -> None:
    item = listing.items(ruled.app.database, ItemFilter(stars_at_most=2), limit=1)[0]
    now = ruled.app.now()
    ruled.app.database.write(lambda connection: arrivals.fire(connection, "unhappy", [(item.id, "")], now))
    text = ruled.get("/alerts").text
    assert "rating &lt;= 2" in text
    assert "when=rating+%3C%3D+2" in text
    part = ruled.get("/alerts/firings").text
    assert "<bdi>unhappy</bdi> <strong>1</strong>" in part
    assert f'href="/items/{item.id}"' in part


def test_what_chance_brings_is_said_in_words() -> None:
    assert [chance(p) for p in (0.001, 0.00004, 1e-30)] == [
        "once in 1,000",
        "once in 25,000",
        "less than once in a million",
    ]
    lengths = [timedelta(days=1), timedelta(days=3), timedelta(hours=36), timedelta(hours=1), timedelta(minutes=30)]
    assert [length(one) for one in lengths] == ["a day", "3 days", "36 hours", "1 hour", "30 minutes"]


def test_a_link_with_a_window_long_ago_leads_to_the_alerts(read_only: Dashboard) -> None:
    text = read_only.get("/alerts?brand=Larkspur&since=2019-01-01&until=2019-02-01").text
    assert '<option value="30d" selected>' in text
