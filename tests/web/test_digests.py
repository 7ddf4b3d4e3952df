"""Digests: shown as their readers see them, in a frame that can do nothing; tried, sent as a test, sent again."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from monitor import erasing
from monitor.app import App
from monitor.delivery import queue_test
from monitor.schedule import period_before
from storage import outbox
from storage.records import Planned
from tests.web.axe import assert_usable_by_all
from tests.web.serving import Dashboard

LEASE = timedelta(minutes=5)


def built(app: App, name: str = "daily") -> int:
    """The number of a digest that was built."""
    return int(outbox.archive(app.database, name)[0]["id"])


def failed(app: App, why: str = "no such box") -> int:
    """A delivery that failed for good."""
    number = queue_test(app, "daily", period_before(app.now(), "day", app.settings.monitor.zone), "files")
    due = outbox.claim_delivery(app.database, "me", ["files"], app.now(), LEASE, only=number)
    assert due is not None
    outbox.mark_failed(app.database, due, why)
    return number


def folder(app: App) -> Path:
    """Where the sample's only channel puts its files."""
    return Path(app.settings.channel("files").folder)  # type: ignore[union-attr]


def test_what_is_configured_is_said_in_words(read_only: Dashboard) -> None:
    text = read_only.get("/digests").text
    assert "every day at 08:00" in text
    assert "every Monday at 08:00" in text
    assert "Larkspur</bdi>, <bdi>Jotwick" in text
    assert "files</bdi>: sent" in text
    assert f'href="/digests/{built(read_only.app)}"' in text
    assert "Digests “weekly”" in read_only.get("/digests?name=weekly").text


def test_a_digest_is_shown_in_its_frame_as_its_readers_see_it(read_only: Dashboard, page: Page) -> None:
    page.goto(f"{read_only.url}/digests/{built(read_only.app)}")
    letter = page.frame_locator("iframe")
    heading = letter.get_by_role("heading", name="Larkspur")
    expect(heading).to_be_visible()
    expect(heading).to_have_css("font-family", re.compile("sans-serif"))  # its styles are let in
    assert_usable_by_all(page)
    page.goto(f"{read_only.url}/digests")
    assert_usable_by_all(page)


@pytest.mark.parametrize("address", ["/digests/{number}/preview", "/digests/now/preview?name=daily"])
def test_the_frame_can_do_nothing(read_only: Dashboard, address: str) -> None:
    headers = read_only.get(address.format(number=built(read_only.app))).headers
    policy = headers.get_list("content-security-policy")
    assert len(policy) == 1
    assert policy[0].startswith("sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:;")
    assert "frame-ancestors 'self'" in policy[0]
    assert headers["x-frame-options"] == "SAMEORIGIN"


@pytest.mark.parametrize(("form", "begins"), [("html", "<!doctype html>"), ("txt", ""), ("md", "#"), ("json", "{")])
def test_a_digest_may_be_taken_away(read_only: Dashboard, form: str, begins: str) -> None:
    answer = read_only.get(f"/digests/{built(read_only.app)}/as/{form}")
    assert answer.headers["content-disposition"].startswith('attachment; filename="daily-')
    assert answer.text.lower().startswith(begins)
    assert "Larkspur" in answer.text
    if form == "json":
        assert json.loads(answer.text)["brands"][0]["brand"] == "Larkspur"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/digests/999", 404), ("/digests/999/preview", 404), ("/digests/99999999999999999999", 404),
        ("/digests/1/as/exe", 422), ("/digests/now?name=nobody", 404), ("/digests/now?name=daily&of=never", 422),
        ("/digests/now", 422), ("/digests?n=x", 422), ("/digests/nobody", 404),
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_found(read_only: Dashboard, address: str, status: int) -> None:
    read_only.get(address, status)


def test_a_digest_that_waits_says_so(dashboard: Dashboard) -> None:
    now = dashboard.app.now()
    last = outbox.last_planned(dashboard.app.database, "daily")
    assert outbox.plan_digest(dashboard.app.database, "daily", Planned(now, "2026-11-30", now - LEASE, now), last)
    number = built(dashboard.app)
    assert "waits for its sources" in dashboard.get("/digests").text
    assert "not built yet" in dashboard.get(f"/digests/{number}").text
    dashboard.get(f"/digests/{number}/preview", 404)


def test_a_running_period_is_previewed_and_says_that_it_runs(read_only: Dashboard) -> None:
    text = read_only.get("/digests/now?name=daily&of=running").text
    assert "/digests/now/preview?name=daily&amp;of=running" in text
    assert "The period is still running." in read_only.get("/digests/now/preview?name=daily&of=running").text
    assert "still running" not in read_only.get("/digests/now/preview?name=daily").text


def test_a_test_is_sent_and_its_result_said(dashboard: Dashboard) -> None:
    before = len(list(folder(dashboard.app).iterdir()))
    said = dashboard.submit("/digests/test", {"name": "daily", "channel": "files"}).text
    assert "Sent to files." in said
    assert "Other messages" in said
    assert len(list(folder(dashboard.app).iterdir())) > before


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"name": "daily", "channel": "nowhere"}, 422),
        ({"name": "nobody", "channel": "files"}, 404),
        ({"name": "daily", "channel": "files", "of": "never"}, 422),
    ],
)
def test_a_test_to_nowhere_is_refused(read_only: Dashboard, fields: dict[str, str], status: int) -> None:
    read_only.submit("/digests/test", fields, status)


def test_a_failed_delivery_says_why_and_is_tried_again(dashboard: Dashboard) -> None:
    number = failed(dashboard.app, "<b>no such box</b>")
    text = dashboard.get("/digests").text
    assert "&lt;b&gt;no such box&lt;/b&gt;" in text
    assert f'name="delivery" value="{number}"' in text
    assert "Sent to files." in dashboard.submit("/digests/retry", {"delivery": number}).text
    assert outbox.delivery_row(dashboard.app.database, number)["state"] == "sent"
    assert "has not failed" in dashboard.submit("/digests/retry", {"delivery": number}).text


@pytest.mark.parametrize("told", ["", "x", "-1", "9" * 30])
def test_a_delivery_that_is_not_there_is_not_tried(read_only: Dashboard, told: str) -> None:
    assert "has not failed" in read_only.submit("/digests/retry", {"delivery": told, "to": "//evil.example"}).text


def test_what_was_erased_stays_erased(dashboard: Dashboard) -> None:
    number = built(dashboard.app, "weekly")
    row = outbox.stored_digest(dashboard.app.database, number)
    assert row is not None
    quoted = next(one for one in row["report"]["brands"][0]["top_items"]["negative"])
    words = dashboard.get(f"/digests/{number}/as/txt").text
    assert re.search("Erased", words) is None
    erasing.erase(dashboard.app, erasing.find(dashboard.app, [], [quoted["id"]]), by=None)
    assert "Erased" in dashboard.get(f"/digests/{number}/as/txt").text
