"""Copies of one text count as the user chooses: whatever comes first, whoever decides, and whatever becomes of the first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from threading import Barrier, Thread
from typing import Any

import pytest

from connectors.contract import Item, Kind
from monitor import likeness, marking
from monitor.app import App
from monitor.metrics.likeness import alike, keys, sketches
from monitor.normalise import bare_text
from monitor.rematching import Rematched, rematch
from storage import retention
from storage.engine import open_database
from storage.likeness import copies_known
from storage.party_tables import LIKENESS, LIKENESS_KEY
from storage.reasons import Mute
from storage.tables import ITEM
from storage.verify import verify
from tests.fakes.copying import ONCE, PER_AUTHOR, RELEASE, app_on, brought, left_out, number, said
from tests.fakes.storing import NOW, Crash, Shop, crash_at


def unchanged_by_a_rematch(app: App) -> bool:
    before = [(row["id"], row["uncounted"]) for row in Shop(app.database).rows(ITEM)]
    done = rematch(app)
    after = [(row["id"], row["uncounted"]) for row in Shop(app.database).rows(ITEM)]
    return done.changed == 0 and before == after and verify(app.database) == []


def test_without_a_choice_every_copy_counts_and_nothing_is_kept_beside(shop: Shop) -> None:
    app = app_on(shop)
    brought(app, said("a", RELEASE), said("b", f"RT @x: {RELEASE}", hours=1))
    assert left_out(shop) == []
    assert shop.rows(LIKENESS) == shop.rows(LIKENESS_KEY) == []


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (1, 3, 0, 2), (2, 0, 3, 1)])
def test_the_first_published_counts_whatever_comes_first(shop: Shop, order: Iterable[int]) -> None:
    app = app_on(shop, ONCE)
    family = [
        said("a", RELEASE),
        said("b", f"RT @news: {RELEASE} https://t.co/x", hours=2),
        said("c", f"{RELEASE[:70]}…", hours=3),
        said("d", f"{RELEASE.replace('three hundred', '300')} Read more", hours=4),
    ]
    for each in order:
        brought(
            app, family[each], said(f"other {each}", f"Acme number {each} is something else altogether, is it not?")
        )
    assert left_out(shop) == ["b", "c", "d"]
    known = copies_known(shop.database, [number(shop, one) for one in "bcd"])
    assert set(known.values()) == {number(shop, "a")}
    assert unchanged_by_a_rematch(app)


def test_of_one_page_one_copy_counts(shop: Shop) -> None:
    brought(app_on(shop, ONCE), *(said(str(n), RELEASE, author=f"u{n}", hours=n) for n in range(5)))
    assert left_out(shop) == ["1", "2", "3", "4"]
    assert verify(shop.database) == []


def test_each_author_counts_once_where_that_is_chosen(shop: Shop) -> None:
    app = app_on(shop, PER_AUTHOR)
    brought(app, said("a", RELEASE, author="x"), said("b", RELEASE, author="y", hours=1), said("e", RELEASE, hours=1))
    brought(app, said("c", f"{RELEASE} again", author="x", hours=2), said("d", RELEASE, hours=3), name="second")
    assert left_out(shop) == ["c"]
    assert unchanged_by_a_rematch(app)


def test_what_is_too_short_is_a_copy_of_its_authors_own_words_alone(shop: Shop) -> None:
    app = app_on(shop, ONCE)
    brought(app, said("a", "Great Acme!", author="x"), said("b", "great  acme!", author="y", hours=1))
    brought(app, said("c", "Great Acme! https://t.co/x", author="x", hours=2), said("d", "Great Acme!", hours=3))
    brought(app, said("e", "Great Acme app!", author="x", hours=4))
    assert left_out(shop) == ["c"]
    assert unchanged_by_a_rematch(app)


def test_the_choice_of_a_source_beats_its_brands_and_that_the_programs(shop: Shop) -> None:
    app = app_on(shop, ONCE, brand={"duplicates": "count"}, second=ONCE)
    brought(app, said("a", RELEASE), said("b", RELEASE, hours=1))
    brought(app, said("c", RELEASE, hours=2), name="second")
    assert left_out(shop) == ["c"]
    assert unchanged_by_a_rematch(app)


def test_brands_and_kinds_are_apart_and_own_posts_are_no_copies(shop: Shop) -> None:
    app = app_on(shop, ONCE)
    text = f"{RELEASE}, says a rival"
    brought(app, said("a", text), said("b", text, kind=Kind.REVIEW, hours=1))
    brought(app, *(said(f"p{n}", RELEASE, kind=Kind.POST, hours=n) for n in range(2)))
    assert left_out(shop) == []


def test_a_text_counts_again_after_thirty_days_of_silence(shop: Shop) -> None:
    app = app_on(shop, ONCE)
    brought(app, *(said(str(n), RELEASE, hours=24 * days) for n, days in enumerate((0, 29, 58.9, 89.1))))
    assert left_out(shop) == ["1", "2"]
    assert unchanged_by_a_rematch(app)


# ------------------------------------------------------------------------------------------------- what becomes of the first


def three(shop: Shop) -> App:
    app = app_on(shop, ONCE)
    brought(app, said("a", RELEASE, author="x"), said("b", RELEASE, author="y", hours=1), said("c", RELEASE, hours=2))
    assert left_out(shop) == ["b", "c"]
    return app


def test_where_the_first_is_not_about_us_the_next_one_counts_until_that_is_taken_back(shop: Shop) -> None:
    app = three(shop)
    marking.mark(app, [number(shop, "a")], "not_about_us")
    assert left_out(shop) == ["c"]
    assert unchanged_by_a_rematch(app)
    marking.unmark(app, [number(shop, "a")], "not_about_us")
    assert left_out(shop) == ["b", "c"]
    assert unchanged_by_a_rematch(app)


def test_where_the_first_is_muted_the_next_one_counts_until_that_is_taken_back(shop: Shop) -> None:
    app = three(shop)
    mute = Mute("x", author_id=shop.row(ITEM, external_id="a")["author_id"])
    marking.mute(app, mute)
    assert left_out(shop) == ["c"]
    marking.unmute(app, mute)
    assert left_out(shop) == ["b", "c"]
    assert unchanged_by_a_rematch(app)


def test_where_the_first_says_something_else_now_the_next_one_counts(shop: Shop) -> None:
    app = three(shop)
    edited = said("a", "Acme has nothing to say today, and that is that", author="x")
    brought(app, replace(edited, updated_at=NOW))
    assert left_out(shop) == ["c"]
    assert unchanged_by_a_rematch(app)


def test_what_is_edited_into_a_copy_counts_no_more(shop: Shop) -> None:
    app = app_on(shop, ONCE)
    brought(app, said("a", RELEASE), said("b", "Acme has nothing to say today, and that is that", hours=1))
    brought(app, replace(said("b", RELEASE, hours=1), updated_at=NOW))
    assert left_out(shop) == ["b"]
    assert unchanged_by_a_rematch(app)


def test_excluding_the_first_lets_the_next_one_count_at_once(shop: Shop) -> None:
    three(shop)
    strict = app_on(shop, ONCE, brand={"exclude": ["never said"]})
    assert rematch(strict).changed == 0
    brought(strict, replace(said("a", f"{RELEASE} never said", author="x"), updated_at=NOW))
    assert left_out(shop) == ["c"]
    lenient = app_on(shop, ONCE)
    assert rematch(lenient).changed == 2
    assert left_out(shop) == ["b", "c"]
    assert unchanged_by_a_rematch(lenient)


@pytest.mark.parametrize("asked", [True, False])
def test_an_erased_first_goes_on_counting_so_its_copies_do_not(shop: Shop, asked: bool) -> None:
    app = three(shop)
    if asked:
        retention.erase_asked(shop.database, [number(shop, "a")], [], NOW, what="item", by=None)
    else:
        assert sum(retention.prune(shop.database, 1, NOW - timedelta(days=60) + timedelta(minutes=1), NOW)) == 1
    likeness.settle(app)
    assert left_out(shop) == ["b", "c"]
    assert unchanged_by_a_rematch(app)
    assert len({row["item_id"] for row in shop.rows(LIKENESS_KEY)}) == 2, "what was erased left keys behind"
    brought(app, said("d", RELEASE, hours=5))
    assert left_out(shop) == ["b", "c", "d"]


def test_an_erased_first_that_did_not_count_leads_nobody(shop: Shop) -> None:
    app = three(shop)
    marking.mark(app, [number(shop, "a")], "not_about_us")
    retention.erase_asked(shop.database, [number(shop, "a")], [], NOW, what="item", by=None)
    assert left_out(shop) == ["c"]
    assert unchanged_by_a_rematch(app)


def test_copies_of_an_erased_copy_still_hang_on_the_first(shop: Shop) -> None:
    app = app_on(shop, ONCE)
    for hours, name in ((2, "c"), (1, "b"), (0, "a")):  # c is found to be a copy of b, b of a
        brought(app, said(name, RELEASE, hours=hours))
    retention.erase_asked(shop.database, [number(shop, "b")], [], NOW, what="item", by=None)
    assert copies_known(shop.database, [number(shop, "c")]) == {number(shop, "c"): number(shop, "a")}
    marking.mark(app, [number(shop, "a")], "not_about_us")
    assert "c" not in left_out(shop)


# ------------------------------------------------------------------------------------------------- a changed choice


def shifted(done: Rematched) -> dict[tuple[str | None, str | None], int]:
    return {(shift.before, shift.after): shift.count for shift in done.shifts}


def test_a_rematch_applies_a_changed_choice_to_what_was_stored_before(shop: Shop) -> None:
    brought(app_on(shop), *(said(str(n), RELEASE, author=f"u{n % 2}", hours=n) for n in range(4)))
    once = app_on(shop, ONCE)
    assert shifted(rematch(once, dry_run=True)) == {(None, "duplicate"): 3}
    assert left_out(shop) == []
    assert shifted(rematch(once)) == {(None, "duplicate"): 3}
    assert left_out(shop) == ["1", "2", "3"]
    assert shifted(rematch(app_on(shop, PER_AUTHOR))) == {("duplicate", None): 1}
    assert left_out(shop) == ["2", "3"]
    assert shifted(rematch(app_on(shop))) == {("duplicate", None): 2}
    assert shop.rows(LIKENESS) == shop.rows(LIKENESS_KEY) == []
    assert verify(shop.database) == []


def test_a_rematch_decides_as_the_definition_says_whatever_the_order_of_arrival(shop: Shop) -> None:
    """Against every pair compared. What shares no key is not found to be alike; how rare that is, is measured elsewhere."""
    random, app = Random(7), app_on(shop, ONCE)
    words = RELEASE.split()
    found = []
    for n in range(60):
        text = " ".join(random.choice(["x", "y"]) if random.random() < 0.08 else word for word in words[: 20 - n % 7])
        found.append(said(f"{n:02}", f"Acme {text}", author=f"u{n % 3}", hours=random.randrange(24 * 50)))
    random.shuffle(found)
    for start in range(0, len(found), 7):
        brought(app, *found[start : start + 7], name=("first", "second")[start % 2])
    assert left_out(shop) == _by_definition(found)
    assert unchanged_by_a_rematch(app)


def _by_definition(items: list[Item]) -> list[str]:
    ordered = sorted(items, key=lambda item: (item.published_at, item.external_id))
    seen = sketches([bare_text(item.text) for item in ordered])
    known = [set(keys(sketch, "mention")) for sketch in seen]
    copies = [
        item.external_id
        for n, item in enumerate(ordered)
        if any(
            item.published_at - earlier.published_at <= timedelta(days=30)
            and known[n] & known[m]
            and alike(seen[n], seen[m])
            for m, earlier in enumerate(ordered[:n])
        )
    ]
    return sorted(copies)


# ------------------------------------------------------------------------------------------------- at once, and cut off


def test_two_programs_that_bring_copies_at_once_count_one(shop: Shop) -> None:
    apps = [
        replace(
            app_on(shop, ONCE),
            owner=f"d{n}",
            database=open_database(shop.database.engine.url.render_as_string(hide_password=False)),
        )
        for n in range(2)
    ]
    both = Barrier(2)

    def pull(app: App, name: str) -> None:
        for n in range(5):
            both.wait()
            text = f"{RELEASE} {n}"
            brought(app, said(f"{name} {n}", text, hours=n), name=name)

    threads = [Thread(target=pull, args=(app, name)) for app, name in zip(apps, ("first", "second"), strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    likeness.settle(apps[0])
    assert {row["due"] for row in shop.rows(LIKENESS)} == {None}
    assert left_out(shop) == _by_definition_of(shop)
    for app in apps:
        app.database.close()
    assert verify(shop.database) == []


def _by_definition_of(shop: Shop) -> list[str]:
    rows = [row for row in shop.rows(ITEM) if row["brand_id"] == 1]
    return _by_definition([Item(row["external_id"], Kind.MENTION, _at(row), text=row["text"]) for row in rows])


def _at(row: Mapping[str, Any]) -> datetime:
    at = row["published_at"]
    assert isinstance(at, datetime)
    return at


def test_what_a_crash_leaves_undecided_the_next_pull_decides(shop: Shop) -> None:
    app = app_on(shop, ONCE)
    brought(app, said("a", RELEASE))
    for n in range(1, 200, 3):
        try:
            with crash_at(shop.database, n):
                brought(app, said("b", RELEASE, hours=1))
        except Crash:
            shop.database.write(lambda connection: sources_freed(connection))
            continue
        break
    assert left_out(shop) == ["b"]
    assert verify(shop.database) == []


def sources_freed(connection: Any) -> None:
    from storage.tables import SOURCE

    connection.execute(SOURCE.update().values(lease_owner=None, lease_until=None))


# ------------------------------------------------------------------------------------------------- looking


def test_the_copies_of_an_item_are_found_whether_or_not_they_are_counted_once(shop: Shop) -> None:
    app = app_on(shop)
    brought(
        app,
        said("a", RELEASE),
        said("b", f"RT @x: {RELEASE}", hours=1),
        said("c", f"{RELEASE[:70]}…", hours=2),
        said("d", "Acme opens a new factory for its phones, and I do not like that one bit", hours=3),
        said("e", RELEASE, hours=24 * 31),
    )
    found = {one.external_id for one in likeness.copies_of(app, number(shop, "a"))}
    assert found == {"b", "c"}
    assert {one.external_id for one in likeness.copies_of(app, number(shop, "c"))} == {"a", "b"}
    assert likeness.copies_of(app, number(shop, "d")) == []
    assert likeness.copies_of(app, 999) == []
