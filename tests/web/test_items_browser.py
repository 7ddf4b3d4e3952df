"""Items as a reader meets them: by mouse, by keys, without script, on a phone, and with texts that mean harm."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from storage import listing
from storage.records import ItemFilter
from tests.web.axe import assert_usable_by_all
from tests.web.serving import Dashboard
from tests.web.test_items import ids_of, number, rewrite
from tests.web.test_items_acts import BRAND, newest, now

LIST = f"/mentions?brand={BRAND}"


def test_a_reader_searches_asks_why_and_corrects_by_keys(dashboard: Dashboard, page: Page) -> None:
    page.goto(dashboard.url + LIST)
    page.keyboard.press("/")
    page.keyboard.type("sync")
    page.keyboard.press("Enter")
    expect(page.locator(".chips .chip")).to_have_text("says: sync × (take this filter off)")
    page.get_by_role("checkbox", name="negative", exact=True).check()
    expect(page.locator(".chips .chip")).to_have_count(2)
    page.keyboard.press("j")
    first = page.locator(".item").first
    expect(first).to_be_focused()
    page.keyboard.press("e")
    for table in first.locator(".why-body table").all():
        values = [number(one) for one in table.locator("[data-value]").all_text_contents()]
        assert sum(values) == pytest.approx(number(table.locator("[data-sum]").inner_text()), abs=0.001)
    expect(first.locator(".why-body")).to_contain_text("so the text is negative")
    page.keyboard.press("p")
    expect(page.locator("#toast")).to_contain_text(
        re.compile(r"labelled positive \(was negative\); score of mentions [+−]?[\d.]+ → ")
    )
    expect(first.locator(".chip.good")).to_have_text("corrected by you")
    page.goto(dashboard.url + LIST + "&q=sync&label=positive")
    expect(page.locator(".item", has=page.locator(".chip.good")).locator("summary .label").first).to_have_text(
        "positive"
    )


def test_keys_wait_while_a_field_is_written_in_and_are_told(dashboard: Dashboard, page: Page) -> None:
    page.goto(dashboard.url + LIST)
    page.get_by_role("button", name="Keys").click()
    expect(page.get_by_role("dialog")).to_contain_text("not about us, and back")
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    page.keyboard.press("t")
    page.keyboard.type("pxd1")
    page.keyboard.press("Enter")
    expect(page.locator("#toast")).to_contain_text("1 item tagged “pxd1”")
    found = now(dashboard.app, newest(dashboard.app)[0].id)
    assert (found.label_by, found.uncounted) == ("text", None)
    page.keyboard.press("Control+d")
    page.keyboard.press("x")
    expect(page.locator(".item").first).to_contain_text("not counted: not about the brand")
    expect(page.locator("#suggestions")).to_contain_text("No word to exclude stands out yet")


def test_what_is_ticked_is_marked_together(dashboard: Dashboard, page: Page) -> None:
    page.goto(dashboard.url + LIST)
    for box in page.locator(".pick input").all()[:2]:
        box.check()
    expect(page.locator("#with-ticked summary")).to_contain_text(": 2")
    page.locator("#with-ticked").get_by_role("button", name="Not about us").click()
    expect(page.locator("#toast")).to_contain_text("2 items marked as not about the brand")
    expect(page.locator(".item .chip.warn", has_text="not counted")).to_have_count(2)
    assert listing.count_items(dashboard.app.database, ItemFilter(brand=BRAND, uncounted="not_about_us")) == 2


HARM: dict[str, dict[str, Any]] = {
    "script": {
        "title": "<script>window.harmed=1</script>",
        "text": '<img src=x onerror="window.harmed=1"><svg onload=window.harmed=1>',
    },
    "link": {
        "url": "javascript:window.harmed=1",
        "text": '"><a href="javascript:window.harmed=1">x</a>',
        "place": "<b>r/</b>",
    },
    "style": {
        "text": "</p><style>body{display:none}</style><link rel=stylesheet href=//evil.example>",
        "author_name": "</bdi><h1>",
    },
    "turned": {
        "title": "\u202egnp.exe\u202c \u2066x",
        "text": "שלום " * 40 + "\u202e" + "abc",
        "author_name": "\u202enimda",
    },
    "long": {"title": "T" * 5_000, "text": "W" * 1_000_000, "place": "P" * 200, "author_name": "A" * 200},
    "marks": {"text": "Z" + "\u0301" * 3_000, "url": "https://user:pw@evil.example/", "parent_title": "<i>"},
}


def test_hostile_texts_run_nothing_and_the_page_holds(
    dashboard: Dashboard, context: BrowserContext, page: Page
) -> None:
    found = newest(dashboard.app, len(HARM))
    for item, said in zip(found, HARM.values(), strict=True):
        rewrite(dashboard.app, item.id, **said)
    page.set_viewport_size({"width": 390, "height": 844})
    for address in (LIST, *(f"/items/{item.id}" for item in found)):
        page.goto(dashboard.url + address)
        assert page.evaluate("[window.harmed ?? 0, document.documentElement.scrollWidth]") == [0, 390]
        expect(page.locator(".page-items, .page-mentions").first).to_be_visible()
        assert page.locator('a[href^="javascript"], .items script, .items style, .items img').count() == 0
        assert page.locator('a[href*="evil.example"]').count() == 0
    assert "\u202e" not in page.content()
    long = dashboard.get(f"/items/{found[4].id}")
    assert len(long.content) < 200_000


def test_without_script_everything_is_done_by_forms(dashboard: Dashboard, context: BrowserContext) -> None:
    assert context.browser is not None
    bare = context.browser.new_context(java_script_enabled=False)
    page = bare.new_page()
    page.goto(f"{dashboard.url}{LIST}&label=negative")
    first = page.locator(".item").first
    item = int((first.get_attribute("data-id")) or 0)
    first.get_by_role("button", name="Correct the label to neutral").click()
    expect(page.locator(".notice.good")).to_contain_text("labelled neutral (was negative); score of mentions")
    assert page.url.endswith(f"{LIST}&label=negative#item-{item}")
    page.locator(".why summary").first.click()
    page.get_by_role("link", name="See word by word why").first.click()
    expect(page.locator("#why")).to_contain_text("so the text is negative")
    page.get_by_role("button", name="Mark as done").click()
    expect(page.locator(".item .chip.good")).to_have_text("done")
    bare.close()


def test_nothing_keeps_anybody_from_using_the_pages(read_only: Dashboard, page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 900})
    item = ids_of(read_only.get(f"/reviews?brand={BRAND}&window=all&order=newest").text)[0]
    for address in (f"/reviews?brand={BRAND}&q=the&label=negative", f"/items/{item}"):
        page.goto(read_only.url + address)
        for summary in page.locator("details > summary").all()[:9]:
            if summary.is_visible():
                summary.click()
        page.wait_for_load_state("networkidle")
        assert_usable_by_all(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
