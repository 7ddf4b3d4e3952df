"""What axe finds on a page: rules by which nobody is kept from using it."""

from __future__ import annotations

from typing import Any, Final, Literal

from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Page


def assert_usable_by_all(page: Page) -> None:
    """The page as it stands breaks no rule of axe."""
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


class Eye:
    """Looks at one page twice: at the whole of it light and wide, and dark and narrow at what colour and width change."""

    def __init__(self, page: Page) -> None:
        self._page = page
        page.evaluate(Axe().axe_script)
        page.evaluate(
            "document.querySelectorAll('li.item:nth-child(n+5)').forEach((one) => one.remove())"
        )  # as the first ones

    def faults(self) -> list[str]:
        """Each rule that is broken, with the elements."""
        return self._look("light", 1280, {}) + self._look("dark", 390, {"runOnly": CHANGED})

    def _look(self, scheme: Literal["light", "dark"], width: int, rules: dict[str, Any]) -> list[str]:
        self._page.emulate_media(color_scheme=scheme)
        self._page.set_viewport_size({"width": width, "height": 900})
        told = self._page.evaluate(LOOK, {"resultTypes": ["violations"], **rules})
        return [f"{scheme} {width}: {rule}: {elements}" for rule, elements in told]


CHANGED: Final = [
    "color-contrast",
    "link-in-text-block",
    "scrollable-region-focusable",
    "nested-interactive",
    "label",
    "link-name",
    "button-name",
]
LOOK: Final = """(options) => axe.run(document, options).then((found) => found.violations.map((rule) =>
  [rule.id, rule.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(" | ")]))"""
