"""Whatever is done to the store, in whatever order, by whom, and wherever it is cut off: its sums are those of a plain model."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from monitor import likeness, marking
from monitor.app import App
from monitor.rematching import rematch
from monitor.rescoring import rescore
from monitor.scoring import Label
from storage import refreshing
from storage.engine import Database, open_database
from storage.erasure import ASKED, OLD, erase
from storage.reasons import Mute
from storage.refreshing import Reading
from storage.rollups import Key, bucket_of
from storage.tables import ITEM, ROLLUP
from storage.verify import verify
from tests.fakes.standing import Standing
from tests.fakes.storing import NOW, Crash, Shop, author, crash_at
from tests.unit.storage_model import BRANDS, HOSTS, LABELS, SUMS, TEXTS, Act, Model, Plain, Told

pytestmark = pytest.mark.long


class Store(RuleBasedStateMachine, Plain):
    """Two sources tell of items of two brands, two workers do what can be done, and may die at any statement."""

    opened: ClassVar[Any]  # opens a store of its own, as a context

    def __init__(self) -> None:
        super().__init__()
        self.stack = self.opened()
        url: str = self.stack.__enter__()
        self.workers = [Shop(_opened(url, number), brands=BRANDS) for number in range(2)]
        self.claims = {name: self.workers[0].claimed(name) for name in self.workers[0].names}
        self.now, self.words, self.profile = NOW, 0, 0
        self.world: list[Told] = []
        self.stored = {}
        self.muted = set()
        self.marked: set[str] = set()
        self.turn = 0

    def teardown(self) -> None:
        for shop in self.workers:
            shop.database.close()
        self.stack.__exit__(None, None, None)

    # --- the world

    @initialize()
    def some_items_are_there(self) -> None:
        for number, words in enumerate(TEXTS * 2):
            stars = Label("negative") if number % 4 == 3 else None
            self._appears(words, 1 + number % 2, number, 3 * number, number or None, stars, HOSTS[number % 4])
        self._do(self._pull("north"), 0)

    @rule(
        words=st.sampled_from(TEXTS),
        brand=st.sampled_from([1, 2]),
        who=st.integers(0, 3),
        hours=st.integers(0, 30),
        likes=st.none() | st.integers(0, 9),
        stars=st.sampled_from([None, None, Label("positive"), Label("negative")]),
        host=st.sampled_from(HOSTS),
    )
    def an_item_appears(self, words: str, brand: int, who: int, hours: int, likes: int, stars: Any, host: Any) -> None:
        self._appears(words, brand, who, hours, likes, stars, host)

    def _appears(
        self, words: str, brand: int, who: int, hours: int, likes: int | None, stars: Label | None, host: str | None
    ) -> None:
        kind = "review" if stars else ("post" if len(self.world) % 7 == 6 else "mention")
        at = self.now - timedelta(hours=hours)
        name = f"item {len(self.world)}"
        self.world.append(Told(name, brand, kind, at, words, who % 4 or None, host, likes, stars))

    @rule(which=st.integers(0, 99), words=st.sampled_from(TEXTS), host=st.sampled_from(HOSTS))
    def an_author_edits(self, which: int, words: str, host: str | None) -> None:
        told = self.world[which % len(self.world)]
        told.text, told.host = words, host

    @rule(which=st.integers(0, 99), likes=st.none() | st.integers(0, 50))
    def a_count_changes(self, which: int, likes: int | None) -> None:
        self.world[which % len(self.world)].likes = likes

    @rule(minutes=st.integers(1, 900))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule(words=st.sampled_from([0, 1, 2]))
    def the_configuration_changes(self, words: int) -> None:
        self.words = words

    # --- what is done to the store

    WHICH = st.integers(0, 5)  # few, so that what is done to one meets
    CRASH = st.sampled_from([0, 0, 0, 1, 2, 3, 5, 7, 9, 12, 16, 21])

    @rule(name=st.sampled_from(["north", "south"]), crash=CRASH)
    def a_source_is_pulled(self, name: str, crash: int) -> None:
        self._do(self._pull(name), crash)

    @rule(crash=CRASH)
    def it_is_rescored_by_the_other_profile(self, crash: int) -> None:
        self.profile = 1 - self.profile
        self._do(self._rescore(), crash)

    @rule(words=st.sampled_from([0, 1, 2]), crash=CRASH)
    def it_is_matched_anew(self, words: int, crash: int) -> None:
        self.words = words
        self._do(self._rematch(), crash)

    @rule(which=WHICH, label=st.sampled_from([*LABELS, None]), crash=CRASH)
    def a_person_corrects(self, which: int, label: str | None, crash: int) -> None:
        self._do(self._correct(which, label), crash)

    @rule(which=WHICH, undo=st.booleans(), crash=CRASH)
    def a_person_says_not_about_us(self, which: int, undo: bool, crash: int) -> None:
        self._do(self._mark(which, undo=undo), crash)

    @rule(
        subject=st.sampled_from([1, 2, "spam.example", "talk.example"]),
        brand=st.sampled_from([None, None, 1]),
        undo=st.booleans(),
        crash=CRASH,
    )
    def an_author_or_site_is_muted(self, subject: int | str, brand: int | None, undo: bool, crash: int) -> None:
        self._do(self._mute(subject, brand, undo=undo), crash)

    @rule(which=st.integers(0, 99), crash=CRASH)
    def an_item_is_tagged_and_done(self, which: int, crash: int) -> None:
        def does(app: App, _: Shop) -> None:
            marking.tag(app, [self._number(which)], "shop")
            marking.mark(app, [self._number(which)], "done")
            marking.untag(app, [self._number(which)], "shop")

        self._do(Act(does, lambda: None), crash)

    @rule(name=st.sampled_from(["north", "south"]), crash=CRASH)
    def counts_are_read_again(self, name: str, crash: int) -> None:
        self._do(self._refresh(name), crash)

    @rule(which=st.integers(0, 99), reason=st.sampled_from([ASKED, OLD]), crash=CRASH)
    @precondition(lambda self: sum(not one.erased for one in self.stored.values()) > 4)
    def an_item_is_erased(self, which: int, reason: str, crash: int) -> None:
        """One that leads no copies: what becomes of those is told by examples."""
        if not any(self._copies(other, self._item(which)) for other in self._alive()):
            self._do(self._erase(which, reason), crash)

    @rule(
        first=st.integers(0, 99), second=st.sampled_from(["pull", "rescore", "rematch"]), label=st.sampled_from(LABELS)
    )
    def two_work_at_once(self, first: int, second: str, label: str) -> None:
        """Acts that come to the same whoever is first."""
        one = [
            lambda: self._correct(first, label),
            lambda: self._correct(first, None),
            lambda: self._mark(first, undo=False),
            lambda: self._mark(first, undo=True),
            lambda: self._mute(1 + first % 2, None, undo=first % 3 == 0),
        ][first % 5]()
        other = {"pull": lambda: self._pull("north"), "rescore": self._rescore, "rematch": self._rematch}[second]()
        self._at_once(one, other)
        one.means()
        other.means()
        self._is_right()

    # --- acts

    def _pull(self, name: str) -> Act:
        page = [told for told in map(replace, self.world) if self._brings(name, told)]
        values = [self._values(told, name) for told in page]
        people = [author(number) for number in (1, 2, 3)]
        at = self.now

        def means() -> None:
            for told in page:
                self._seen(told, name, at)

        def does(app: App, shop: Shop) -> None:
            shop.save(self.claims[name], *values, authors=people, at=at, likeness=likeness.keys_of(app, values))
            likeness.settle(app)

        return Act(does, means)

    def _seen(self, told: Told, name: str, at: datetime) -> None:
        source = self.claims[name].source_id
        known = self.stored.get(told.external_id)
        if known is None:
            known = Model(replace(told), source, self._label(told), None)
            known.reason = self._reason(known, told)
            if at - told.published_at <= timedelta(hours=24) and told.likes:
                known.growth[bucket_of(at)] += told.likes
            self.stored[told.external_id] = known
        elif not known.erased:
            if known.source == source:
                self._edited(known, told)
            self._grown(known, told.likes, at)

    def _edited(self, known: Model, told: Told) -> None:
        before, edited = known.said, known.said.text != told.text
        known.said = replace(told, likes=before.likes)
        if edited:
            known.scored = self._label(told)
        if edited or self._is_muted(known) != (known.reason == "muted"):
            known.reason = self._reason(known, told)

    def _grown(self, known: Model, likes: int | None, at: datetime) -> None:
        before = known.said.likes
        if likes is not None and likes != before:
            known.said.likes = likes
            if before is not None:
                known.growth[bucket_of(at)] += likes - before

    def _rescore(self) -> Act:
        def means() -> None:
            for known in self._alive():
                known.scored = self._label(known.said)

        return Act(lambda app, _: rescore(app, workers=1, size=4), means)

    def _rematch(self) -> Act:
        def means() -> None:
            for known in self._alive():
                known.reason = self._reason(known, known.said)

        return Act(lambda app, _: rematch(app, size=4), means)

    def _correct(self, which: int, label: str | None) -> Act:
        known, number = self._item(which), self._number(which)

        def means() -> None:
            if not known.erased:
                known.person = label

        return Act(lambda app, _: marking.correct(app, number, label, "Ann"), means)

    def _mark(self, which: int, *, undo: bool) -> Act:
        known, number = self._item(which), self._number(which)

        def means() -> None:
            if known.erased or undo != (known.reason == "not_about_us"):
                return
            known.reason = None if undo else "not_about_us"
            if undo:
                known.reason = self._reason(known, known.said)

        def does(app: App, _: Shop) -> None:
            if undo:
                marking.unmark(app, [number], "not_about_us")
            else:
                marking.mark(app, [number], "not_about_us", "Ann")

        return Act(does, means)

    def _mute(self, subject: int | str, brand: int | None, *, undo: bool) -> Act:
        who, site = (subject, None) if isinstance(subject, int) else (None, subject)
        if who is not None and not any(known.said.author == who for known in self._alive()):
            who, site = None, "talk.example"  # an author of whom nothing is left is not known any more
        wanted = Mute("somebody", brand, who, site)

        def means() -> None:
            (self.muted.discard if undo else self.muted.add)((brand, who, site))
            for known in self._alive():
                if known.reason != "not_about_us" and self._is_muted(known) != (known.reason == "muted"):
                    known.reason = self._reason(known, known.said)

        return Act(lambda app, _: (marking.unmute if undo else marking.mute)(app, wanted), means)

    def _refresh(self, name: str) -> Act:
        counts = {told.external_id: told.likes for told in self.world}
        readings = [Reading(external_id, {"likes": likes}) for external_id, likes in counts.items()]
        at = self.now

        def means() -> None:
            for known in self._alive():
                if known.source == self.claims[name].source_id:
                    self._grown(known, counts[known.said.external_id], at)

        def does(_: App, shop: Shop) -> None:
            refreshing.save_readings(shop.database, self.claims[name], readings, at)

        return Act(does, means)

    def _erase(self, which: int, reason: str) -> Act:
        known, number = self._item(which), self._number(which)
        at = self.now

        def means() -> None:
            known.erased = True

        return Act(lambda _, shop: shop.database.write(lambda c: erase(c, [number], at, reason=reason)), means)

    # --- doing

    def _do(self, act: Act, crash: int) -> None:
        """Do it, by the workers in turn; ``crash`` before the statement of that number first (0: not at all)."""
        self.turn += 1
        shop = self.workers[self.turn % 2]
        if crash:
            with crash_at(shop.database, crash):
                try:
                    act.does(self._app(shop), shop)
                except Crash:
                    assert verify(self.workers[0].database) == []
        act.does(self._app(shop), shop)
        act.means()
        self._is_right()

    def _at_once(self, one: Act, other: Act) -> None:
        with ThreadPoolExecutor(2) as pool:
            acts = zip((one, other), self.workers, strict=True)
            for done in [pool.submit(act.does, self._app(shop), shop) for act, shop in acts]:
                done.result()

    def _is_right(self) -> None:
        shop = self.workers[0]
        assert verify(shop.database) == []
        self._learn_numbers()
        self._find_copies()
        found = {
            Key(*(row[name] for name in Key._fields)): {name: row[name] for name in SUMS if row[name]}
            for row in shop.rows(ROLLUP)
        }
        assert {key: sums for key, sums in found.items() if sums} == self._expected()

    def _learn_numbers(self) -> None:
        """Of items that are new; the ids of erased ones are others by then."""
        if all(known.number for known in self.stored.values()):
            return
        numbers = {row["external_id"]: row["id"] for row in self.workers[0].rows(ITEM)}
        for name, known in self.stored.items():
            known.number = known.number or numbers[name]


def _opened(url: str, worker: int) -> Database:
    return replace(_engine(url, worker), found=[])


@cache
def _engine(url: str, _worker: int) -> Database:
    """Kept, since putting every statement into SQL anew takes as long as the store itself."""
    return open_database(url)


# ------------------------------------------------------------------------------------------------- on both back ends


def run(opened: Callable[[], Any], examples: int, steps: int) -> None:
    class Run(Store):
        pass

    Run.opened = staticmethod(opened)
    health = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    Run.TestCase.settings = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=health,
        derandomize=True,
        database=None,
    )
    Run.TestCase("runTest").debug()


def test_an_sqlite_store_is_right_after_anything(migrated_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "store"

    @contextmanager
    def opened() -> Iterator[str]:
        folder.mkdir()
        shutil.copyfile(migrated_file, folder / "store.db")
        yield f"sqlite:///{folder}/store.db"
        shutil.rmtree(folder)

    run(opened, examples=18, steps=40)


def test_a_postgresql_store_is_right_after_anything(postgres_standing: Standing) -> None:
    run(postgres_standing.as_made, examples=5, steps=30)
