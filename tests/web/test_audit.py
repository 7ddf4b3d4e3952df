"""Audits: drawn, labelled by keys without the scorer's word in sight, counted."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.web.serving import Dashboard

VIEW = "brand=Larkspur&window=30d"


def drawn(dashboard: Dashboard, size: int = 40) -> str:
    """A fresh sample's address."""
    return dashboard.submit(f"/audit?{VIEW}", {"size": size}).url.path


def test_ten_items_labelled_by_keys_make_the_accuracy_known(dashboard: Dashboard, page: Page) -> None:
    page.goto(dashboard.url + drawn(dashboard, 12))
    for number in range(10):
        expect(page.locator(".sheet")).to_contain_text(f"{number} of 12 labelled")
        page.keyboard.press("pun"[number % 3])
    expect(page.locator(".sheet")).to_contain_text("10 of 12 labelled")
    expect(page.locator("#accuracy")).to_contain_text("of 10")
    expect(page.locator("#audited")).to_contain_text("by 10 labels")


def test_what_the_scorer_said_is_not_on_the_sheet(dashboard: Dashboard) -> None:
    text = dashboard.get(drawn(dashboard)).text
    assert 'class="label' not in text
    assert "Not about Larkspur" in text


def test_an_item_may_be_passed_over_and_come_back_to(dashboard: Dashboard) -> None:
    address = drawn(dashboard)
    first = re.search(r'name="item" value="(\d+)"', dashboard.get(address).text)
    second = re.search(r'name="item" value="(\d+)"', dashboard.get(f"{address}?at=1").text)
    assert first is not None
    assert second is not None
    assert first[1] != second[1]
    said = dashboard.submit(address, {"item": second[1], "answer": "negative"})
    assert "1 of 40 labelled" in said.text
    assert f'name="item" value="{first[1]}"' in said.text
    assert "1 item passed over" in dashboard.get(f"{address}/figures").text
    assert "You said: negative" in dashboard.get(f"{address}?at=1").text


@pytest.mark.parametrize(
    ("fields", "why"), [({"item": "0", "answer": "positive"}, "item: is not"), ({"answer": "great"}, "answer great")]
)
def test_wrong_words_are_refused(dashboard: Dashboard, fields: dict[str, str], why: str) -> None:
    assert why in dashboard.submit(drawn(dashboard), fields, 422).text


@pytest.mark.parametrize("size", ["0", "many", "-3", "10001", "9" * 30])
def test_a_sample_of_no_sensible_size_is_not_drawn(dashboard: Dashboard, size: str) -> None:
    dashboard.submit(f"/audit?{VIEW}", {"size": size}, 422)


@pytest.mark.parametrize("number", ["7", "0", str(2**40)])
def test_a_sample_that_is_not_there_is_not_found(read_only: Dashboard, number: str) -> None:
    read_only.get(f"/audit/{number}", 404)


def test_a_window_without_texts_gives_no_sample(dashboard: Dashboard) -> None:
    said = dashboard.submit("/audit?brand=Larkspur&since=2019-01-01&until=2019-02-01", {"size": 10})
    assert "No text was scored in this time" in said.text
