"""People's words in the store: what they change, what stays, and that nobody who writes at the same time undoes them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import timedelta
from random import Random
from threading import Event
from typing import Any

import pytest
from sqlalchemy import event

from monitor import marking
from monitor.rematching import rematch
from monitor.rescoring import rescore
from monitor.scoring import DEFAULT, STOCK
from storage import marks, mutes
from storage.engine import Database, open_database
from storage.erasure import ASKED, erase
from storage.marks import Corrected, Decided, Marked
from storage.people_tables import MARK, MUTE, TAG
from storage.reasons import Mute
from storage.tables import CORRECTION, ITEM
from storage.verify import verify
from tests.fakes.storing import NOW, OLD, Shop, author, crash_everywhere, dump, item
from tests.unit.test_rescoring import app_of, scored

LATER = NOW + timedelta(hours=1)
ANN = Mute("Ann (forum)", author_id=1)
SITE = Mute("spam.example", site="spam.example")


def number(shop: Shop, external_id: str = "a") -> int:
    return int(shop.row(ITEM, external_id=external_id)["id"])


def reasons(shop: Shop) -> dict[str, str | None]:
    return {row["external_id"]: row["uncounted"] for row in shop.rows(ITEM)}


def decided(shop: Shop, *, excluded: bool | None) -> list[Decided]:
    ids = [row["id"] for row in shop.rows(ITEM)]
    return [Decided(found, excluded) for found in marks.items_of(shop.database, ids)]


def erase_all(shop: Shop) -> None:
    ids = [row["id"] for row in shop.rows(ITEM)]
    shop.database.write(lambda connection: erase(connection, ids, NOW, reason=ASKED))


# --- corrections


def test_a_correction_beats_the_scorer_and_says_who(shop: Shop) -> None:
    shop.pull(item("a"), item("b"))
    assert marks.correct(shop.database, number(shop), "negative", "Ann", LATER) == Corrected(
        "positive", "negative", "person"
    )
    row = shop.row(ITEM, external_id="a")
    assert (row["label"], row["label_by"], row["scorer_label"], row["text_label"]) == (
        "negative",
        "person",
        "positive",
        "positive",
    )
    assert shop.row(CORRECTION)["by"] == "Ann"
    assert verify(shop.database) == []


def test_a_second_correction_replaces_the_first(shop: Shop) -> None:
    shop.pull(item("a"))
    for label in ("negative", "neutral"):
        marks.correct(shop.database, number(shop), label, label, LATER)
    assert (shop.row(CORRECTION)["label"], shop.row(CORRECTION)["by"]) == ("neutral", "neutral")
    assert verify(shop.database) == []


def test_a_correction_outlives_edits_and_its_taking_back_shows_the_new_label(shop: Shop) -> None:
    shop.pull(item("a"))
    marks.correct(shop.database, number(shop), "neutral", None, LATER)
    shop.pull(item("a", text="I hate it", label="negative", text_label="negative", compound=-5_000))
    assert shop.row(ITEM)["label"] == "neutral"
    taken = marks.take_back(shop.database, number(shop), LATER, stars_first=True)
    assert taken == Corrected("neutral", "negative", "text")
    assert shop.rows(CORRECTION) == []
    assert verify(shop.database) == []


@pytest.mark.parametrize("stars", [None, "positive", "negative"])
@pytest.mark.parametrize("text", ["I love it, great", "I hate it", None, "a table"])
@pytest.mark.parametrize("profile", [DEFAULT, STOCK])
def test_taking_back_leaves_the_item_as_if_nobody_had_spoken(shop: Shop, stars: str, text: str, profile: Any) -> None:
    shop.pull(scored("a", text, profile, rating_label=stars))
    before = dump(shop, ITEM, without=["changed_at"])
    app = app_of(shop.database, profile)
    marking.correct(app, number(shop), "neutral", "Ann")
    marking.correct(app, number(shop), None)
    assert dump(shop, ITEM, without=["changed_at"]) == before
    assert verify(shop.database) == []


def test_taking_back_what_was_not_said_changes_nothing(shop: Shop) -> None:
    shop.pull(item("a"))
    before = dump(shop, ITEM)
    taken = marks.take_back(shop.database, number(shop), LATER, stars_first=True)
    assert taken == Corrected("positive", "positive", "text")
    assert dump(shop, ITEM) == before


def test_an_unscored_item_can_be_labelled(shop: Shop) -> None:
    nothing = dict.fromkeys(("label", "label_by", "text_label", "compound"))
    shop.pull(item("a", unscored="language", **nothing))
    marks.correct(shop.database, number(shop), "positive", None, LATER)
    assert verify(shop.database) == []
    assert marks.take_back(shop.database, number(shop), LATER, stars_first=True) == Corrected("positive", None, None)
    assert verify(shop.database) == []


def test_of_an_erased_item_nothing_is_said(shop: Shop) -> None:
    shop.pull(item("a"))
    known = decided(shop, excluded=True)
    erase_all(shop)
    before, (row,) = dump(shop, ITEM), shop.rows(ITEM)
    assert marks.correct(shop.database, row["id"], "neutral", None, LATER) is None
    assert marks.mark(shop.database, [row["id"]], "not_about_us", None, LATER) == Marked(left=(row["id"],))
    assert marks.tag(shop.database, [row["id"]], "shop", None, LATER) == Marked(left=(row["id"],))
    assert marks.settle(shop.database, known, LATER) == marks.Settled()
    assert dump(shop, ITEM, CORRECTION, MARK, TAG) == [*before, [], [], []]


# --- marks and tags


def test_what_is_not_about_us_stays_so_whatever_is_brought(shop: Shop) -> None:
    shop.pull(item("a", likes=3, published_at=NOW), item("b"))
    assert marks.mark(shop.database, [number(shop)], "not_about_us", "Ann", LATER) == Marked(done=1)
    assert marks.mark(shop.database, [number(shop)], "not_about_us", "Bob", LATER) == Marked(already=1)
    shop.pull(item("a", text="edited", likes=9, counted_at=LATER, published_at=NOW), at=LATER)
    assert reasons(shop) == {"a": "not_about_us", "b": None}
    assert shop.row(MARK)["by"] == "Ann"
    assert verify(shop.database) == []


@pytest.mark.parametrize(("excluded", "reason"), [(True, "excluded"), (False, None), (None, None)])
def test_taking_a_mark_back_restores_what_matching_says(shop: Shop, excluded: bool | None, reason: str | None) -> None:
    shop.pull(item("a", likes=3, published_at=NOW))
    marks.mark(shop.database, [number(shop)], "not_about_us", None, LATER)
    assert marks.unmark(shop.database, decided(shop, excluded=excluded), "not_about_us", LATER) == Marked(done=1)
    assert reasons(shop) == {"a": reason}
    assert shop.rows(MARK) == []
    assert verify(shop.database) == []


def test_an_item_comes_back_only_when_the_last_reason_has_gone(shop: Shop) -> None:
    app = app_of(shop.database)
    shop.pull(item("a", author_id=1, text="nothing"), authors=[author(1)])
    marking.mark(app, [number(shop)], "not_about_us")
    marking.mute(app, ANN)
    assert reasons(shop) == {"a": "not_about_us"}
    marking.unmark(app, [number(shop)], "not_about_us")
    assert reasons(shop) == {"a": "muted"}
    marking.unmute(app, ANN)
    assert reasons(shop) == {"a": "excluded"}
    shop.pull(item("a", author_id=1, text="Acme"), authors=[author(1)])
    assert reasons(shop) == {"a": None}


def test_a_decision_about_words_that_have_changed_is_not_carried_out(shop: Shop) -> None:
    shop.pull(item("a"))
    marks.mark(shop.database, [number(shop)], "not_about_us", None, LATER)
    old = decided(shop, excluded=True)
    shop.pull(item("a", text="edited"))
    assert marks.unmark(shop.database, old, "not_about_us", LATER) == Marked(overtaken=(number(shop),))
    assert marks.settle(shop.database, old, LATER).overtaken == (number(shop),)
    assert reasons(shop) == {"a": "not_about_us"}


def test_done_and_tags_change_no_figure_but_tell_caches(shop: Shop) -> None:
    shop.pull(item("a"), item("b"))
    ids = [number(shop, "a"), number(shop, "b"), 999]
    before = dump(shop, ITEM)
    assert marks.mark(shop.database, ids, "done", None, LATER) == Marked(done=2, left=(999,))
    assert marks.tag(shop.database, ids[:1], "shop", None, LATER) == Marked(done=1)
    assert marks.tag(shop.database, ids, "shop", None, LATER) == Marked(done=1, already=1, left=(999,))
    assert marks.tags(shop.database) == [("shop", 2)]
    assert marks.untag(shop.database, ids, "shop") == Marked(done=2, left=(999,))
    assert marks.tags(shop.database) == []
    assert marks.unmark(shop.database, decided(shop, excluded=True), "done", LATER) == Marked(done=2)
    assert dump(shop, ITEM) == before
    assert verify(shop.database) == []


# --- mutes


def test_what_a_muted_author_or_site_brings_is_stored_as_muted(shop: Shop) -> None:
    shop.pull(item("before", author_id=1), authors=[author(1), author(2)])
    assert mutes.mute(shop.database, ANN, NOW)
    assert not mutes.mute(shop.database, ANN, NOW)
    assert mutes.mute(shop.database, SITE, NOW)
    shop.pull(
        item("ann", author_id=1, uncounted="excluded", likes=2, published_at=NOW),
        item("bob", author_id=2),
        item("site", url="https://www.spam.example/1"),
        item("else", url="https://example/spam.example"),
        authors=[author(1), author(2)],
    )
    assert reasons(shop) == {"before": None, "ann": "muted", "bob": None, "site": "muted", "else": None}
    assert verify(shop.database) == []


def test_an_item_that_moves_to_a_muted_site_or_away_from_it_follows(shop: Shop) -> None:
    mutes.mute(shop.database, SITE, NOW)
    shop.pull(item("a", url="https://spam.example/1", uncounted="excluded"))
    assert reasons(shop) == {"a": "muted"}
    shop.pull(item("a", url="https://talk.example/1", uncounted="excluded"))
    assert reasons(shop) == {"a": "excluded"}
    shop.pull(item("a", url="https://spam.example/1"))
    assert reasons(shop) == {"a": "muted"}
    assert verify(shop.database) == []


def test_muting_reaches_what_is_stored_and_its_taking_back_asks_the_keywords(shop: Shop) -> None:
    app = app_of(shop.database)
    words = {"plain": "Acme it is", "unnamed": "something else", "marked": "Acme, too"}
    shop.pull(*(item(name, text=text, author_id=1) for name, text in words.items()), authors=[author(1)])
    marking.mark(app, [number(shop, "marked")], "not_about_us")
    assert marking.mute(app, ANN) == marking.Muted(fresh=True, items=3, changed=2)
    assert reasons(shop) == {"plain": "muted", "unnamed": "muted", "marked": "not_about_us"}
    assert marking.unmute(app, ANN) == marking.Muted(fresh=True, items=3, changed=2)
    assert reasons(shop) == {"plain": None, "unnamed": "excluded", "marked": "not_about_us"}
    assert shop.rows(MUTE) == []
    assert verify(shop.database) == []


def test_a_page_on_its_way_does_not_slip_past_a_mute(shop: Shop, database_url: str) -> None:
    shop.pull(item("old", author_id=1, text="Acme"), authors=[author(1)])
    claim, app, other = shop.claimed(), app_of(shop.database), Shop(open_database(database_url))
    stored, go_on = Event(), Event()

    @event.listens_for(other.database.engine, "commit")
    def pause(_: object) -> None:
        stored.set()
        go_on.wait(10)

    with ThreadPoolExecutor(2) as pool:
        page = pool.submit(other.save, claim, item("new", author_id=1, text="Acme"), authors=[author(1)])
        assert stored.wait(10)
        muting = pool.submit(marking.mute, app, ANN)
        assert not wait([muting], timeout=0.3).done  # it lets the page go first
        go_on.set()
        page.result()
        assert muting.result() == marking.Muted(fresh=True, items=2, changed=2)
    other.database.close()
    assert reasons(shop) == {"old": "muted", "new": "muted"}
    assert verify(shop.database) == []


# --- crashes, and many at once


@pytest.mark.parametrize("what", ["correct", "mark", "mute", "unmute", "rematch"])
def test_a_crash_at_any_statement_leaves_every_sum_right_and_the_act_can_be_done_again(shop: Shop, what: str) -> None:
    app = app_of(shop.database)
    rows = [item(f"{n}", text="Acme" if n % 2 else "else", author_id=1, likes=n, published_at=NOW) for n in range(4)]
    shop.pull(*rows, authors=[author(1)])
    if what == "unmute":
        marking.mute(app, ANN)
    acts: dict[str, Callable[[], object]] = {
        "correct": lambda: marking.correct(app, 1, "negative"),
        "mark": lambda: marking.mark(app, [1, 2, 3], "not_about_us"),
        "mute": lambda: marking.mute(app, ANN),
        "unmute": lambda: marking.unmute(app, ANN),
        "rematch": lambda: rematch(app, size=2),
    }
    assert crash_everywhere(shop.database, acts[what], lambda: _sound(shop)) > 3
    assert {
        "correct": [None] * 4,
        "mark": ["not_about_us"] * 3 + [None],
        "mute": ["muted"] * 4,
        "unmute": ["excluded", None, "excluded", None],
        "rematch": ["excluded", None, "excluded", None],
    }[what] == [row["uncounted"] for row in shop.rows(ITEM)]
    _sound(shop)


def _sound(shop: Shop) -> None:
    assert verify(shop.database) == []


def test_correcting_rescoring_matching_and_ingesting_the_same_items_at_once(
    database_url: str, database: Database
) -> None:
    shop = Shop(database)
    words = ("Acme, I love it", "Please help, the refund from Acme never came", "Acme is awful", "nothing")
    names = [f"{n:02}" for n in range(24)]

    def page(round_: int) -> list[Any]:
        given = {"counted_at": NOW + timedelta(minutes=20 * round_), "author_id": 1}
        return [
            scored(name, words[(n + round_) % 3], STOCK, likes=round_, published_at=OLD + timedelta(minutes=n), **given)
            for n, name in enumerate(names)
        ]

    shop.save(claim := shop.claimed(), *page(0), authors=[author(1)])
    numbers = [number(shop, name) for name in names]

    def at_work(act: Callable[[Any, int, Random], object], rounds: int) -> None:
        own = open_database(database_url)
        random = Random(rounds)
        for round_ in range(1, rounds + 1):
            act(app_of(own, (STOCK, DEFAULT)[round_ % 2]), round_, random)
        own.close()

    def ingest(app: Any, round_: int, _: Random) -> None:
        at = NOW + timedelta(minutes=20 * round_)
        Shop(app.database).save(claim, *page(round_), authors=[author(1)], at=at)

    acts: list[tuple[Callable[[Any, int, Random], object], int]] = [
        (lambda app, n, random: marking.correct(app, random.choice(numbers), ("negative", None)[n % 2]), 40),
        (lambda app, n, random: rescore(app, workers=1, size=7), 8),
        (lambda app, n, random: rematch(app, size=5), 9),
        (lambda app, n, random: (marking.mute, marking.unmute)[n % 2](app, ANN), 6),
        (
            lambda app, n, random: (marking.mark, marking.unmark)[n % 2](
                app, random.sample(numbers, 5), "not_about_us"
            ),
            12,
        ),
        (ingest, 15),
    ]
    with ThreadPoolExecutor(len(acts)) as pool:
        for done in [pool.submit(at_work, *act) for act in acts]:
            done.result()
    assert verify(database) == []
    corrected = {row["item_id"]: row["label"] for row in shop.rows(CORRECTION)}
    for row in shop.rows(ITEM):
        assert (row["label_by"] == "person") == (row["id"] in corrected)
        assert row["label"] == corrected.get(row["id"], row["scorer_label"])
    marked = {row["item_id"] for row in shop.rows(MARK)}
    assert {row["id"] for row in shop.rows(ITEM) if row["uncounted"] == "not_about_us"} == marked
    muted = bool(shop.rows(MUTE))
    assert all((row["uncounted"] == "muted") == muted for row in shop.rows(ITEM) if row["id"] not in marked)
