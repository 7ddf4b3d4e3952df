"""What holds for every page: who is answered, with which headers, and what a browser makes of it."""

from __future__ import annotations

import re
from html import unescape

import pytest
from playwright.sync_api import Page, expect

from monitor.web.page import NAVIGATION
from tests.web.serving import Dashboard


def test_the_first_page_leads_to_the_overview(read_only: Dashboard) -> None:
    answer = read_only.get("/")
    assert answer.url.path == "/overview"
    assert "<h1>" in answer.text


def test_every_answer_carries_the_policy(read_only: Dashboard) -> None:
    for path, status in (("/overview", 200), ("/nothing", 404), ("/api/v1/nothing", 404)):
        headers = read_only.get(path, status).headers
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert (headers["cache-control"], headers["x-frame-options"]) == ("no-store", "DENY")


def test_a_name_that_is_not_ours_is_not_answered(read_only: Dashboard) -> None:
    answer = read_only.get("/overview", 421, headers={"Host": "rebound.example"})
    assert "Larkspur" not in answer.text
    assert "public_url" in answer.json()["detail"]


def test_charts_are_drawn_without_breaking_the_policy(read_only: Dashboard, page: Page) -> None:
    page.goto(f"{read_only.url}/overview")
    expect(page.locator("figure.chart[data-drawn] canvas").first).to_be_visible()


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        ("/topics?brand=Jotwick&window=7d", "brand=Jotwick&window=7d"),
        ("/sources?brand=Jotwick&window=7d", "brand=Jotwick&window=7d"),
        ("/sources?brand=Nobody&window=5y", ""),
    ],
)
def test_pages_lead_to_each_other_with_the_brand_and_the_window_in_view(
    read_only: Dashboard, page: str, kept: str
) -> None:
    links = re.findall(r'<li><a href="(/[^"]*)"', read_only.get(page).text)
    assert len(links) == len(NAVIGATION)
    assert {unescape(link).partition("?")[2] for link in links} == {kept}
    assert all(read_only.get(unescape(link)) for link in links)


@pytest.mark.parametrize("path", ["/topics", "/items", "/authors"])
@pytest.mark.parametrize(("since", "until"), [("2026-11-20T10:15", "2026-11-20T14:00"), ("2026-11-18", "2026-11-20")])
def test_a_window_of_hours_stays_as_it_is_in_the_forms_of_its_page(
    read_only: Dashboard, path: str, since: str, until: str
) -> None:
    text = read_only.get(path, params={"brand": "Larkspur", "since": since, "until": until}).text
    kind = "datetime-local" if "T" in since else "date"
    assert f'<input type="{kind}" name="since" value="{since}"' in text
    assert f'<input type="{kind}" name="until" value="{until}"' in text
