"""Words to exclude: those that tell what is not about us, and no others."""

from __future__ import annotations

import math

import pytest

from monitor import marking
from monitor.suggesting import log_odds, suggest, telling
from storage.tables import ITEM
from tests.fakes.storing import Shop, item
from tests.unit.test_rescoring import app_of


def test_the_log_odds_are_those_of_the_smoothed_table() -> None:
    assert log_odds(4, 5, 0, 95) == pytest.approx(math.log(4.5 / 1.5) - math.log(0.5 / 95.5))
    assert log_odds(3, 6, 3, 6) == 0


def test_words_that_are_everywhere_or_rare_are_not_suggested() -> None:
    marked = [{"carrot", "fresh", "the"}] * 3 + [{"leek", "fresh", "the"}] * 2
    counted = [{"phone", "fresh", "the"}] * 60
    assert [one.word for one in telling(marked, counted, never={"fresh"})] == ["carrot"]


def test_no_word_is_suggested_of_fewer_than_three_items() -> None:
    assert telling([{"carrot"}] * 2, [{"phone"}] * 60, never=()) == []


def test_neither_grammar_nor_praise_and_blame_are_suggested(shop: Shop) -> None:
    app = app_of(shop.database)
    shop.pull(*(item(f"garden {n}", text=f"Acme: the awful leeks of them, no {n}") for n in range(5)))
    shop.pull(*(item(f"phone {n}", text="Acme makes phones") for n in range(20)))
    marking.mark(app, [row["id"] for row in shop.rows(ITEM) if "leeks" in row["text"]], "not_about_us")
    assert [one.word for one in suggest(app, "Acme").words] == ["leeks"]


def test_a_brand_is_suggested_words_of_its_own_marked_items_as_an_exclusion_finds_them(shop: Shop) -> None:
    app = app_of(shop.database)
    shop.pull(
        *(item(f"garden {n}", text=f"Acme grows #BigCarrots, no {n}") for n in range(3)),
        *(item(f"phone {n}", text="Acme makes phones") for n in range(20)),
        item("both", text="carrots by Acme"),
        item("post", kind="post", text="bigcarrots of Acme"),
        *(item(f"rival {n}", text="Rival sells turnips", brand_id=2) for n in range(3)),
    )
    chosen = [row["id"] for row in shop.rows(ITEM) if row["external_id"].startswith(("garden", "rival"))]
    marking.mark(app, chosen, "not_about_us")
    found = suggest(app, "Acme")
    assert (found.marked, found.counted) == (3, 21)
    assert [(one.word, one.marked, one.counted) for one in found.words] == [("bigcarrots", 3, 0), ("grows", 3, 0)]
