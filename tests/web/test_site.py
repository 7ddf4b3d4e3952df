"""What holds for every page: who is answered, with which headers, and what a browser makes of it."""

from __future__ import annotations

from playwright.sync_api import Page, expect

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
