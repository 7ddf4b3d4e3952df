"""Copies are decided rightly whoever else writes meanwhile, and wherever it is cut off; what does not fit is found and mended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update

from connectors.contract import Page
from monitor import likeness, marking
from monitor.app import App
from monitor.collect import page_values
from monitor.rematching import rematch
from storage import arrivals, copies, ingest, marks, retention, sources
from storage import likeness as likeness_of_items
from storage.copies import Like
from storage.copies_proof import CopiesProof, verify_copies
from storage.engine import open_database
from storage.party_tables import LIKENESS, LIKENESS_KEY
from storage.records import Claim
from storage.schema import upgrade
from storage.tables import ITEM
from storage.verify import verify
from tests.fakes.copying import ONCE, PER_AUTHOR, RELEASE, app_on, brought, left_out, number, said
from tests.fakes.storing import LEASE, NOW, Shop, crash_everywhere


def test_what_does_not_fit_is_found_and_mended(shop: Shop) -> None:
    app = app_on(shop, ONCE)
    brought(app, said("a", RELEASE), said("b", RELEASE, hours=1), said("c", "Acme is something else altogether"))
    assert verify_copies(shop.database) == CopiesProof(astray=0, keys=0)
    of_b = update(LIKENESS).where(LIKENESS.c.item_id == number(shop, "b")).values(copy_of=None)
    one_key = delete(LIKENESS_KEY).where(LIKENESS_KEY.c.item_id == number(shop, "a"))
    kept = shop.rows(LIKENESS_KEY)
    shop.database.write(lambda connection: (connection.execute(of_b), connection.execute(one_key)))
    assert verify_copies(shop.database, repair=True) == CopiesProof(astray=1, keys=1)
    likeness.settle(app)
    assert verify_copies(shop.database).is_right
    assert shop.rows(LIKENESS_KEY) == kept
    assert left_out(shop) == ["b"]


def test_a_dry_run_changes_neither_what_is_known_of_copies_nor_what_is_still_to_be_decided(shop: Shop) -> None:
    app = app_on(shop, ONCE)
    brought(app, said("a", RELEASE, author="x"), said("b", RELEASE, hours=1), said("c", RELEASE, author="x", hours=2))
    shop.database.write(lambda connection: likeness_of_items.doubt(connection, [number(shop, "c")]))
    changed = app_on(shop, PER_AUTHOR)
    rematch(changed, dry_run=True)
    assert [row["due"] is None for row in shop.rows(LIKENESS)] == [True, True, False]
    assert verify_copies(shop.database).is_right
    marking.mark(changed, [number(shop, "a")], "not_about_us")
    assert left_out(shop) == []


def test_a_rematch_that_is_cut_off_anywhere_leaves_nothing_that_does_not_fit(shop: Shop) -> None:
    brought(app_on(shop), said("a", RELEASE), said("b", RELEASE, hours=1))
    once = app_on(shop, ONCE)

    def is_whole() -> None:
        assert verify_copies(shop.database).is_right
        assert verify(shop.database) == []

    crash_everywhere(shop.database, lambda: rematch(once), is_whole)
    assert left_out(shop) == ["b"]


class Meanwhile:
    """A choice during which somebody else does something: after what is compared was read, before anything is written."""

    def __init__(self, chosen: likeness.Choice, does: Callable[[], object]) -> None:
        self._chosen, self._does, self.done = chosen, does, False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._chosen, name)

    def copied(self, item: Like, earlier: Sequence[Like]) -> int | None:
        if earlier and not self.done:
            self.done = True
            self._does()
        return self._chosen.copied(item, earlier)


@pytest.fixture
def served(postgres_database: str) -> Iterator[Shop]:
    """A store whose server lets several write at once."""
    database = open_database(postgres_database)
    upgrade(database)
    yield Shop(database)
    database.close()


def settled_while(app: App, does: Callable[[], object]) -> None:
    """Two copies, of which it is decided while somebody does something."""
    chosen = Meanwhile(likeness.choice(app, "Acme"), does)
    while copies.settle(app.database, 1, chosen, NOW) is not None:
        pass
    assert chosen.done


def two_undecided(shop: Shop) -> App:
    app = app_on(shop, ONCE)
    brought(app, said("a", RELEASE), said("b", RELEASE, hours=1))
    shop.database.write(lambda connection: likeness_of_items.doubt(connection, [number(shop, "b")]))
    return app


@pytest.mark.parametrize("gone", ["marked", "erased before it counted", "edited"])
def test_what_happens_to_the_first_while_its_copies_are_decided_is_heeded(served: Shop, gone: str) -> None:
    app = two_undecided(served)
    other = replace(app, database=open_database(served.database.engine.url.render_as_string(hide_password=False)))
    first = number(served, "a")

    def happens() -> None:
        if gone == "edited":
            claim = sources.claim_source(other.database, "them", {"first": NOW}, NOW, LEASE, only_due=False)
            assert isinstance(claim, Claim)
            edited = page_values(
                other, other.settings.source("first"), claim, Page([said("a", "Acme, all else")], None)
            )
            ingest.save_page(other.database, claim, edited, NOW)
        else:
            marks.mark(other.database, [first], "not_about_us", None, NOW)
        if gone == "erased before it counted":
            retention.erase_asked(other.database, [first], [], NOW, what="item", by=None)

    settled_while(app, happens)
    other.database.close()
    assert left_out(served) == []
    assert verify(served.database) == []


def test_what_is_edited_while_it_is_decided_about_is_decided_again(served: Shop) -> None:
    app = two_undecided(served)
    other = replace(app, database=open_database(served.database.engine.url.render_as_string(hide_password=False)))

    def happens() -> None:
        claim = sources.claim_source(other.database, "them", {"first": NOW}, NOW, LEASE, only_due=False)
        assert isinstance(claim, Claim)
        edited = page_values(
            other, other.settings.source("first"), claim, Page([said("b", "Acme, all else", hours=1)], None)
        )
        ingest.save_page(other.database, claim, edited, NOW)

    settled_while(app, happens)
    other.database.close()
    assert left_out(served) == []
    assert {row["due"] for row in served.rows(LIKENESS)} == {None}


def test_no_rule_sees_an_item_of_which_it_is_not_decided_whether_it_is_a_copy(shop: Shop) -> None:
    app = app_on(shop, ONCE)
    claim = sources.claim_source(app.database, app.owner, {"first": NOW}, NOW, LEASE, only_due=False)
    assert isinstance(claim, Claim)
    page = page_values(app, app.settings.source("first"), claim, Page([said("a", RELEASE), said("b", RELEASE)], None))
    ingest.save_page(app.database, claim, replace(page, arrivals_since=NOW - timedelta(days=90)), NOW)
    assert arrivals.any_waiting(app.database)
    assert arrivals.waiting(app.database) == []
    likeness.settle(app)
    assert [one.item.uncounted for one in arrivals.waiting(app.database)] == [None, "duplicate"]


def test_a_key_that_everybody_has_is_looked_at_twice_at_most(shop: Shop) -> None:
    app = app_on(shop, ONCE)
    brought(app, *(said(f"{n:03}", RELEASE, hours=n * 24) for n in range(60)))
    with shop.database.readonly.begin() as connection:
        held = dict(Counter(row["key"] for row in shop.rows(LIKENESS_KEY)))
        buckets = [row["bucket"] for row in shop.rows(ITEM)]
        everywhere = {key for key, count in held.items() if count > 1}
        assert likeness_of_items.shared(connection, 1, [*held, 5], buckets) == everywhere
        assert likeness_of_items.shared(connection, 1, held, [max(buckets) + 96 * 31]) == set()
