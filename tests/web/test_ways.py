"""A reader's ways across pages, on a desk and on a phone: from the overview to the sources, and away with the data."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from storage import listing
from storage.records import ItemFilter
from tests.web.serving import Dashboard


@pytest.mark.parametrize("width", [1280, 390])
def test_a_reader_tests_a_source_and_downloads_what_they_chose(
    dashboard: Dashboard, page: Page, width: int, tmp_path: Path
) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(f"{dashboard.url}/overview?brand=Larkspur&window=30d")
    follow(page, "Sources")
    source = page.locator(".source", has=page.get_by_role("heading", name="forum", exact=False)).first
    source.get_by_role("button", name="Test").click()
    expect(page.locator(".notice.good")).to_contain_text("forum: works")
    follow(page, "Reviews")
    page.goto(f"{dashboard.url}/reviews?brand=Larkspur&window=all&label=negative")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV").click()
    file = tmp_path / "chosen.csv"
    download.value.save_as(file)
    wanted = ItemFilter(brand="Larkspur", kinds=("review",), labels=("negative",))
    with file.open(encoding="utf-8-sig", newline="") as rows:
        assert len(list(csv.DictReader(rows))) == listing.count_items(dashboard.app.database, wanted) > 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def follow(page: Page, name: str) -> None:
    """Go to another page by the navigation, which a phone keeps in a menu."""
    if page.locator("#menu summary").is_visible():
        page.locator("#menu summary").click()
    page.locator("nav.main").get_by_role("link", name=name, exact=True).click()
