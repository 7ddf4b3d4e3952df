"""Nobody is kept from using a page: what axe-core says of every one of them, light and dark, wide and narrow."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page

from monitor.samples.demo import audit
from tests.web.axe import Eye
from tests.web.doors import door
from tests.web.everything import documents, settled
from tests.web.serving import Dashboard

pytestmark = pytest.mark.long

FRAMED = "/preview"
"""Documents within a page: their own words, in a frame."""


@pytest.mark.timeout(300)  # every page, twice
def test_axe_finds_nothing_on_any_page(read_only: Dashboard, page: Page) -> None:
    seen = {path: faults(read_only, path, page) for path in documents(read_only) if not path.endswith(FRAMED)}
    assert len(seen) > 15
    assert {path: found for path, found in seen.items() if found} == {}


def test_axe_finds_nothing_where_samples_are_labelled(dashboard: Dashboard, page: Page) -> None:
    audit(dashboard.app)
    assert faults(dashboard, "/audit/1", page) == []


def faults(dashboard: Dashboard, path: str, page: Page) -> list[str]:
    page.goto(dashboard.url + path)
    settled(page)
    return Eye(page).faults()


def test_axe_finds_nothing_where_one_signs_in(tmp_path: Path, migrated_file: Path, page: Page) -> None:
    with door(tmp_path, migrated_file) as dashboard:
        page.goto(f"{dashboard.url}/login")
        assert Eye(page).faults() == []
