"""What axe finds on a page: rules by which nobody is kept from using it."""

from __future__ import annotations

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page


def assert_usable_by_all(page: Page) -> None:
    """The page as it stands breaks no rule of axe."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
