"""Topics, authors, competitors: what is read from the window's items, behind a page that comes at once."""

from __future__ import annotations

import re
from html import unescape

import pytest

from tests.web.serving import Dashboard


@pytest.mark.parametrize("page", ["topics", "authors", "competitors"])
def test_a_page_comes_without_its_items_and_names_where_they_are(read_only: Dashboard, page: str) -> None:
    text = read_only.get(f"/{page}?brand=Larkspur&window=30d").text
    part = re.search(r'data-load="([^"]+)"', text)
    assert part is not None
    fragment = read_only.get(part[1].replace("&amp;", "&")).text
    assert "<html" not in fragment
    assert "<table" in fragment
    whole = read_only.get(f"/{page}?brand=Larkspur&window=30d&whole=1").text
    assert "data-load" not in whole
    assert whole.count("<table") >= fragment.count("<table")


def test_a_driver_leads_to_exactly_its_complaints(read_only: Dashboard) -> None:
    fragment = read_only.get("/topics/items?brand=Larkspur&window=30d").text
    term, said = re.findall(
        r'<a href="(/items\?[^"]*drivers\.negative[^"]*)">[^<]*</a></strong> <span class="quiet">(\d+) negative',
        fragment,
    )[0]
    opened = read_only.get(term.replace("&amp;", "&")).text
    assert re.search(rf"\b{said} items\b", opened)


def test_an_author_of_a_unique_name_is_opened_at_once(read_only: Dashboard) -> None:
    answer = read_only.get("/authors?brand=Larkspur&who=tag_goblin")
    assert re.fullmatch(r"/authors/\d+", answer.url.path)
    assert "tag_goblin" in answer.text
    assert "Month by month" in answer.text


@pytest.mark.parametrize("number", ["999999999999", "99999999999999999999999999", "-1"])
def test_an_author_who_is_not_there_is_not_found(read_only: Dashboard, number: str) -> None:
    read_only.get(f"/authors/{number}?brand=Larkspur", 404)


def test_a_brand_without_competitors_says_how_to_name_them(read_only: Dashboard) -> None:
    assert "competitors = [" in read_only.get("/competitors?brand=Pebblebox").text


@pytest.mark.parametrize("page", ["/competitors", "/competitors/items"])
def test_the_share_of_voice_stands_once(read_only: Dashboard, page: str) -> None:
    whole = "&whole=1" if page == "/competitors" else ""
    text = read_only.get(f"{page}?brand=Larkspur&window=90d{whole}").text
    assert text.count("share of voice among the competitors") == 1


def test_competitors_are_shown_with_their_ranges_and_the_verdict(read_only: Dashboard) -> None:
    text = read_only.get("/competitors?brand=Larkspur&window=30d&whole=1").text
    assert "clearly behind" in text
    assert "share of voice" in text


@pytest.mark.parametrize(
    "wrong", ["brand=Nobody", "window=5y", "since=later", "since=2026-11-10&until=2026-11-01", "since=9999-99-99"]
)
def test_what_makes_no_sense_is_said(read_only: Dashboard, wrong: str) -> None:
    text = read_only.get(f"/topics?{wrong}", 422).text
    assert "Unprocessable" in text


def test_an_authors_items_are_as_many_as_their_page_says(read_only: Dashboard) -> None:
    text = read_only.get("/authors?brand=Larkspur&who=tag_goblin").text
    found = re.findall(r'<a href="(/items\?[^"]+author=[^"]+)">(\d+)</a>', text)
    assert found
    for address, count in found:
        assert re.search(rf"\b{count} items?\b", read_only.get(unescape(address)).text)


def test_looking_for_an_author_keeps_the_window(read_only: Dashboard) -> None:
    form = re.search(
        r'<form [^>]*action="/authors" role="search">.*?</form>', read_only.get("/authors?window=7d").text, re.DOTALL
    )
    assert form is not None
    assert '<input type="hidden" name="window" value="7d">' in form[0]
