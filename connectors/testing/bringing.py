"""The checks of what a connector brings: all of it, once, whole, and from wherever it was cut off."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from connectors.contract import Connector, CountsFollowers, Item, Refreshes, ShowsStanding
from connectors.errors import RateLimited, SourceError
from connectors.testing.platform import NOW, FakePlatform
from connectors.testing.pulls import PAGES_AT_MOST, Checks, CountingBudget, LimitedBudget, Pulls
from connectors.testing.telling import expect, expect_all, some


class BringsAll(Checks):
    """Items, identities, times, cursors and budgets."""

    def test_everything_published_arrives(self, pulls: Pulls, fake: FakePlatform) -> None:
        """A first pull brings everything since ``since``, over as many pages as it takes, as items of the case's kind."""
        fake.publish(self.case.many)
        pulls.pull()
        expect_all(pulls, fake, "A first pull brings everything that was published since then.")
        kinds = {item.kind for item in pulls.stored.values()}
        expect(kinds == {self.case.kind}, f"kinds: {some(kinds)} came, the case says {self.case.kind}")

    def test_ids_are_unique_and_stable(self, pulls: Pulls, fake: FakePlatform) -> None:
        """Reading the same again from the beginning gives the same ids to the same texts."""
        fake.publish(20)
        first = {item.external_id: item.text for item in pulls.pull()}
        pulls.cursor = None
        second = {item.external_id: item.text for item in pulls.pull()}
        expect(
            len(first) == 20,
            f"20 items were published, {len(first)} different ids came: some are shared, missing, or made anew",
        )
        moved = {name for name in first | second if first.get(name) != second.get(name)}
        expect(first == second, f"read twice, these ids stand for something else: {some(moved)}")

    def test_times_are_utc_and_true(self, pulls: Pulls, fake: FakePlatform) -> None:
        """``published_at`` is when the platform says it was published, as an aware time in UTC."""
        seeds = {fake.external_id(seed): seed.at for seed in fake.publish(5)}
        pulls.pull()
        expect_all(pulls, fake, "Everything published comes.")
        told = {key: item.published_at for key, item in pulls.stored.items()}
        wrong = [f"{key}: published {seeds[key]}, told {told[key]}" for key in seeds if told[key] != seeds[key]]
        expect(not wrong, f"published_at is not true: {some(wrong)}")
        expect(all(at.utcoffset() == timedelta(0) for at in told.values()), "published_at: must be in UTC")

    def test_texts_arrive_whole(self, pulls: Pulls, fake: FakePlatform) -> None:
        """Title and text together hold every word that was published."""
        seeds = fake.publish(3)
        pulls.pull()
        expect_all(pulls, fake, "Everything published comes.")
        for seed in seeds:
            item = pulls.stored[fake.external_id(seed)]
            held = f"{item.title or ''}\n{item.text or ''}"
            expect(seed.text in held, f"item {item.external_id}: {seed.text!r} was published, {held!r} came")

    def test_cursor_survives_json(self, pulls: Pulls, fake: FakePlatform) -> None:
        """A cursor is made of what JSON has: numbers, texts, lists, tables with text keys."""
        fake.publish(self.case.many)
        pulls.pull()
        cursors = [page.cursor for page in pulls.pages if page.cursor is not None]
        expect(
            cursors,
            "no page had a cursor: the next pull would begin anew for ever; give one with the last page at least",
        )
        for cursor in cursors:
            back = json.loads(json.dumps(cursor))
            expect(back == _jsonable(cursor), f"a cursor changes in JSON: {cursor!r} comes back as {back!r}")

    def test_stopping_after_any_page_loses_nothing(self, pulls: Pulls, fake: FakePlatform) -> None:
        """The law of cursors: storing every page up to here and resuming from this page's cursor loses nothing."""
        fake.publish(self.case.many)
        pulls.pull(pages=1)
        fake.publish(3, at=NOW)
        if self.applies("stopping_after_any_page"):
            pulls.until_settled(lambda: pulls.pull(pages=2))
        else:
            pulls.pull()
        expect_all(pulls, fake, "Resuming from a page's cursor loses nothing of what follows that page.")

    def test_a_small_budget_a_pull_still_completes(self, pulls: Pulls, fake: FakePlatform) -> None:
        """Three requests a pull: every pull comes further, until everything is there."""
        fake.publish(self.case.many)
        if not self.applies("small_budget"):
            pulls.pull()
            expect_all(pulls, fake, "Everything published comes.")
            return

        def limited() -> None:
            try:
                pulls.pull(budget=LimitedBudget(3))
            except RateLimited:
                return

        pulls.until_settled(limited)

    def test_every_request_is_taken_from_the_budget(self, pulls: Pulls, fake: FakePlatform) -> None:
        """Each request, of whatever capability, takes from the budget first; ``context.http`` does so by itself."""
        fake.publish(30)
        budget = CountingBudget()
        pulls.pull(budget=budget)
        connector = pulls.open(budget)
        connector.check()
        use_capabilities(connector, list(pulls.stored))
        connector.close()
        made = len(fake.loopback.requests)
        expect(made == budget.asked, f"{made} requests were made, {budget.asked} times the budget was asked")

    def test_a_spent_budget_ends_the_pull_and_loses_nothing(self, pulls: Pulls, fake: FakePlatform) -> None:
        """Nothing is asked once the budget is spent; its ``RateLimited`` leaves the connector as it is."""
        fake.publish(30)
        if self.applies("small_budget"):
            self._ends_without_asking(pulls, fake)
        pulls.pull()
        expect_all(pulls, fake, "After a pull without budget the next one brings everything.")

    def _ends_without_asking(self, pulls: Pulls, fake: FakePlatform) -> None:
        with pytest.raises(RateLimited) as caught:
            pulls.pull(budget=LimitedBudget(0))
        wait = caught.value.retry_after
        expect(wait == timedelta(seconds=1), f"the budget's own RateLimited must pass through; its wait became {wait}")
        asked = len(fake.loopback.requests)
        expect(not asked, f"{asked} requests were made although the budget was spent")

    def test_an_idle_second_run_adds_nothing(self, pulls: Pulls, fake: FakePlatform) -> None:
        """What is read twice is the same item, word for word."""
        fake.publish(30)
        pulls.pull()
        before = dict(pulls.stored)
        pulls.pull()
        changed = [key for key in pulls.stored if pulls.stored[key] != before.get(key)]
        expect(pulls.stored == before, f"nothing was published, but these were added or changed: {some(changed)}")

    def test_news_is_found_by_the_next_pull(self, pulls: Pulls, fake: FakePlatform) -> None:
        """The next pull brings what was published since."""
        fake.publish(30)
        pulls.pull()
        fake.publish(4, at=NOW + timedelta(minutes=20), every=timedelta(minutes=2))
        pulls.now = NOW + timedelta(minutes=30)
        pulls.pull()
        expect_all(pulls, fake, "The next pull brings what was published since.")

    def test_a_late_item_is_found(self, pulls: Pulls, fake: FakePlatform) -> None:
        """What appears late, ``late_by`` older than the newest, is found: re-read an overlap, or go by the time of indexing."""
        fake.publish(30)
        pulls.pull()
        fake.publish(1, at=fake.newest_first()[0].at - self.case.late_by)
        pulls.now = NOW + timedelta(minutes=5)
        pulls.pull()
        expect_all(pulls, fake, f"An item that appears {self.case.late_by} late is found: re-read an overlap.")

    def test_a_repeated_page_token_ends(self, pulls: Pulls, fake: FakePlatform) -> None:
        """A platform that gives the same page for ever does not hold the pull for ever."""
        fake.publish(self.case.many)
        fake.repeat_last_page = True
        pulls.pull(pages=PAGES_AT_MOST)
        many = (
            f"{len(pulls.pages)} pages were read of a platform that repeats itself; end where a page brings nothing new"
        )
        expect(len(pulls.pages) < PAGES_AT_MOST, many)


def use_capabilities(connector: Connector, ids: Sequence[str]) -> None:
    """Ask for all that a connector can tell beside its items, whether the fake can answer or not."""
    for asked in (
        connector.refresh(ids[:10]) if isinstance(connector, Refreshes) else (),
        connector.followers() if isinstance(connector, CountsFollowers) else (),
        connector.standing() if isinstance(connector, ShowsStanding) else (),
    ):
        with suppress(SourceError):
            list(asked)


def likes(item: Item) -> int:
    """How often it is liked; unknown counts as none here."""
    return item.counts.likes or 0


def _jsonable(value: Any) -> Any:
    """The value as JSON has it: tuples are lists, keys are strings."""
    if isinstance(value, Mapping):
        return {str(key): _jsonable(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_jsonable(entry) for entry in value]
    return value
