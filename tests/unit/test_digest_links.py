"""Figures of a digest lead to their items, where there is a dashboard."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.parse import parse_qs, urlsplit

import pytest

from monitor import digest
from monitor.digest.links import links
from monitor.formulas import formula_name
from tests.unit import digest_reports as made
from tests.unit import digest_telling as full
from tests.unit.digest_hostile import DASHBOARD, Outline, as_html, filled, view

BASE: Final = "https://monitor.example.org/watch"


def test_a_link_names_the_figure_the_brand_and_the_window() -> None:
    link = links(BASE, made.window()).to("Müller & Söhne", "drivers", "negative", "lost notes", "items")
    assert link is not None
    assert link.url == (
        f"{BASE}/items?figure=drivers.negative.lost+notes.items&brand=M%C3%BCller+%26+S%C3%B6hne"
        "&since=2026-11-08T23%3A00%3A00Z&until=2026-11-15T23%3A00%3A00Z"
    )
    assert link.host == "monitor.example.org"


@pytest.mark.parametrize("base", ["https://monitor.example.org/watch/", f"{BASE}?a=b", f"{BASE}#x"])
def test_the_dashboards_address_is_taken_without_what_follows_its_path(base: str) -> None:
    link = links(base, made.window()).to("Acme", "social", "total")
    assert link is not None
    assert link.url.startswith(f"{BASE}/items?figure=social.total&")


@pytest.mark.parametrize("base", [None, "", "javascript:alert(1)", "https://a@evil.example", "not an address"])
def test_without_a_plain_address_there_are_no_links(base: str | None) -> None:
    assert links(base, made.window()).to("Acme", "social", "total") is None


def test_of_a_name_that_is_too_long_there_is_no_link() -> None:
    assert links(BASE, made.window()).to("w" * 3000, "social", "total") is None


@pytest.mark.parametrize("detail", ["short", "full"])
@pytest.mark.parametrize("form", ["html", "md"])
def test_every_link_opens_a_figure_that_there_is(form: digest.Form, detail: digest.Detail) -> None:
    options = replace(made.VIEW, detail=detail, public_url=DASHBOARD)
    document = digest.render(made.report(full.telling()), form, options)
    asked = [parse_qs(urlsplit(link).query) for link in Outline(as_html(form, document)).figures]
    paths = {one["figure"][0] for one in asked}
    assert {"social.positive", "reviews.negative", "volume.mentions", "drivers.new.update.items"} <= paths
    assert {path for path in paths if formula_name(path) is None} == set()
    assert {one["brand"][0] for one in asked} == {"Larkspur"}


@pytest.mark.parametrize("form", ["html", "md"])
def test_without_a_dashboard_only_items_are_linked(form: digest.Form) -> None:
    outline = Outline(as_html(form, digest.render(made.report(full.telling()), form, made.VIEW)))
    assert outline.figures == []
    assert all("example" in link for link in outline.links)


@pytest.mark.parametrize("words", ["a&brand=b", "a#b", 'a" onclick="x', "[a](b)", "a)b", "a b", "x&amp;y"])
@pytest.mark.parametrize("form", ["html", "md"])
def test_hostile_names_stay_within_their_place_in_a_link(form: digest.Form, words: str) -> None:
    document = digest.render(filled(full.everything(), words), form, view("tame"))
    found = [parse_qs(urlsplit(link).query, strict_parsing=True) for link in Outline(as_html(form, document)).figures]
    assert found
    assert all(set(one) == {"figure", "brand", "since", "until"} and one["brand"] == [words] for one in found)


@pytest.mark.parametrize("detail", ["short", "full"])
def test_plain_text_names_one_address_under_which_a_brands_figures_open(detail: digest.Detail) -> None:
    options = replace(made.VIEW, detail=detail, public_url=DASHBOARD)
    document = digest.render(made.report(full.telling()), "txt", options)
    found = [line for line in document.splitlines() if line.startswith("http") and "/overview?" in line]
    assert [parse_qs(urlsplit(one).query)["brand"] for one in found] == [["Larkspur"]]
    assert "/overview?" not in digest.render(made.report(full.telling()), "txt", made.VIEW)
