"""Every example of docs/keywords.md is true: for keywords, and for searches on both kinds of store."""

from __future__ import annotations

import re
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

import pytest

from monitor.matching import Keywords, Verdict, decide
from monitor.query import Term
from monitor.searching import search_of
from storage.listing import items
from storage.records import ItemFilter
from storage.tables import ITEM
from tests.fakes.storing import Shop, item

PAGE = Path(__file__).parents[2] / "docs" / "keywords.md"


class Example(NamedTuple):
    keyword: str
    text: str
    named: bool
    found: bool


def examples() -> list[Example]:
    rows = re.findall(
        r"^\| `(.+?)` \| (.+?) \| (yes|no) \| (yes|no) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE
    )
    return [Example(keyword, text, named == "yes", found == "yes") for keyword, text, named, found in rows]


EXAMPLES = examples()


def as_query(keyword: str) -> str:
    """An entry of a list as an expression: its words are a phrase."""
    bare = keyword.removesuffix("*")
    return f'"{bare}"{"*" if keyword.endswith("*") else ""}' if " " in bare else keyword


def test_there_are_examples_of_each_kind() -> None:
    assert len(EXAMPLES) > 90
    assert {(one.named, one.found) for one in EXAMPLES} == {(True, True), (True, False), (False, True), (False, False)}


@pytest.mark.parametrize("one", EXAMPLES, ids=lambda one: f"{one.keyword} in {one.text}")
def test_a_keyword_names_the_brand_where_the_page_says_so(one: Example) -> None:
    for keywords in (Keywords.compile([one.keyword]), Keywords.compile(query=as_query(one.keyword))):
        assert (decide((None, one.text), keywords).verdict is Verdict.COUNTED) is one.named
        assert (decide((one.text, None), keywords).verdict is Verdict.COUNTED) is one.named
    excluding = Keywords.compile(["zzz"], exclude=[one.keyword])
    assert (decide(("zzz", one.text), excluding).verdict is Verdict.EXCLUDED) is one.named


def test_a_search_finds_what_the_page_says(shop: Shop) -> None:
    texts = list(dict.fromkeys(one.text for one in EXAMPLES))
    shop.pull(*(item(f"t{number}", text=text) for number, text in enumerate(texts)))
    numbers = {row["text"]: row["id"] for row in shop.rows(ITEM)}
    for keyword, group in groupby(sorted(EXAMPLES), key=lambda one: one.keyword):
        wanted = ItemFilter(search=search_of(as_query(keyword)))
        found = {one.id for one in items(shop.database, wanted, limit=1_000)}
        said = {one.text: numbers[one.text] in found for one in group}
        assert said == {one.text: one.found for one in EXAMPLES if one.keyword == keyword}, keyword


def test_an_entry_of_a_list_and_a_phrase_of_a_query_are_the_same_term() -> None:
    assert Keywords.compile(["acme phone"]).tree == Keywords.compile(query='"acme phone"').tree
    assert Keywords.compile(["acme*"]).tree == Keywords.compile(query="acme*").tree == Term("acme", prefix=True)
