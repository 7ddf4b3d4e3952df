"""The checks of how a connector fails: by fate, without a word too many, in time; and of what it can do beside fetching."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import timedelta

import pytest
from pydantic import ValidationError

from connectors import errors
from connectors.contract import Item, Page, Refreshed, Refreshes, Unlimited
from connectors.errors import RateLimited, SourceError
from connectors.testing.bringing import likes
from connectors.testing.loopback import RETRY_AFTER_SECONDS, Fault
from connectors.testing.platform import NOW, FakePlatform
from connectors.testing.pulls import SINCE, Checks, Pulls
from connectors.testing.telling import expect, expect_all, expect_fate, some

SECONDS_AT_MOST = 15


class FailsByFate(Checks):
    """Faults, damage, ceilings, secrets, time, and capabilities."""

    @pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.HANG], ids=str)
    def test_each_error_maps_to_its_fate(self, pulls: Pulls, fake: FakePlatform, fault: Fault) -> None:
        """Each way of failing becomes the error that says what to do about it, and the next pull brings everything."""
        fake.publish(5)
        expected = fake.faults.get(fault)
        if expected is None:
            named = not self.applies("errors") or f"fault_{fault}" in self.case.not_applicable
            expect(named, f'{fault}: the fake names no fate for it; say why in not_applicable["fault_{fault}"]')
            return
        fake.fail(*[fault] * 12)
        error = expect_fate(pulls.pull, getattr(errors, expected), f"a platform that answers {fault}")
        if isinstance(error, RateLimited):
            asked = timedelta(seconds=RETRY_AFTER_SECONDS)
            expect(error.retry_after == asked, f"Retry-After said {asked}, retry_after is {error.retry_after}")
        fake.loopback.faults.clear()
        pulls.pull()
        expect_all(pulls, fake, f"Once the platform no longer answers {fault}, everything comes.")

    def test_one_bad_item_is_skipped_and_counted(self, pulls: Pulls, fake: FakePlatform) -> None:
        """A damaged item costs itself alone, and is told as ``Skipped`` with what and why, without its text."""
        seeds = fake.publish(10)
        fake.damage(seeds[4])
        pulls.pull()
        expect_all(pulls, fake, "One damaged item costs only itself.")
        skipped = [skipped for page in pulls.pages for skipped in page.skipped]
        expect(skipped, "an item was damaged, but no page says that one was skipped; put it into Page.skipped")
        expect(all(entry.what and entry.why for entry in skipped), "Skipped: needs both what and why")
        told = [entry for entry in skipped for seed in seeds if seed.text in f"{entry.what} {entry.why}"]
        expect(not told, "Skipped: tells the text of an item; name its id only")

    def test_a_ceiling_gives_a_gap(self, pulls: Pulls, fake: FakePlatform) -> None:
        """Where the platform would not give everything, a page says so; where it does, none claims otherwise."""
        if fake.ceiling is None:
            fake.publish(self.case.many)
            pulls.pull()
            gaps = [page.gap.reason for page in pulls.pages if page.gap]
            expect(not gaps, f"the platform has no ceiling, but a gap was told: {some(gaps)}")
            return
        fake.publish(5, at=NOW - timedelta(days=2))
        pulls.pull()
        fake.publish(fake.ceiling + 40, every=timedelta(seconds=30))
        pulls.pull()
        told = [page.gap for page in pulls.pages if page.gap]
        expect(told, f"{fake.ceiling + 40} were published, {fake.ceiling} are shown at most: a page must carry a Gap")
        expect(all(gap.reason for gap in told), "Gap: needs a reason")

    def test_an_unknown_option_is_refused(self) -> None:
        """A misspelt option is a fault of the configuration, not silence: derive from ``connectors.contract.Options``."""
        with pytest.raises(ValidationError, match="no_such_option"):
            self.case.plugin.options.model_validate({"no_such_option": 1})

    def test_secrets_show_nowhere(self, pulls: Pulls, fake: FakePlatform, caplog: pytest.LogCaptureFixture) -> None:
        """No secret stands in a repr, an error, the log or the cursor: options hold them as ``SecretStr``."""
        caplog.set_level(logging.DEBUG)
        fake.publish(3)
        with closing(pulls.open()) as connector:
            opened = repr(connector)
        shown = {
            "the connector's repr": opened,
            "the options' repr": repr(self.case.plugin.options.model_validate(dict(fake.options()))),
        }
        pulls.pull()
        for fault in fake.faults:
            fake.fail(*[fault] * 12)
            try:
                pulls.pull()
            except SourceError as error:
                shown[f"the error that {fault} becomes"] = f"{error} {error!r}"
            fake.loopback.faults.clear()
        shown["the log"] = "\n".join(record.getMessage() for record in caplog.records)
        shown["the cursor"] = json.dumps(pulls.cursor)
        places = [place for place, text in shown.items() if any(secret in text for secret in fake.secrets())]
        expect(not places, f"a secret stands in: {some(places)}")

    def test_texts_are_never_logged(self, pulls: Pulls, fake: FakePlatform, caplog: pytest.LogCaptureFixture) -> None:
        """What people wrote does not enter the log."""
        caplog.set_level(logging.INFO)
        seeds = fake.publish(3)
        pulls.pull()
        logged = [record.name for record in caplog.records for seed in seeds if seed.text in record.getMessage()]
        expect(not logged, f"the text of an item was logged by: {some(set(logged))}")

    def test_nothing_hangs_past_its_timeout(self, pulls: Pulls, fake: FakePlatform) -> None:
        """A platform that does not answer is given up in time, as ``Unavailable``."""
        fake.publish(3)
        if self.applies("hang"):
            fake.fail(*[Fault.HANG] * 12)
            started = time.monotonic()
            with pulls.impatient():
                expect_fate(pulls.pull, errors.Unavailable, "a platform that does not answer")
            took = time.monotonic() - started
            expect(took < SECONDS_AT_MOST, f"it took {took:.0f} s to give up; ask through context.http only")
            fake.loopback.faults.clear()
        pulls.pull()
        expect_all(pulls, fake, "Once the platform answers again, everything comes.")

    def test_a_stop_ends_the_pull(self, pulls: Pulls, fake: FakePlatform) -> None:
        """Once ``context.stop`` is set, no request is begun."""
        fake.publish(self.case.many)
        context = pulls.context(Unlimited())
        options = self.case.plugin.options.model_validate({"base_url": fake.base_url, **fake.options()})
        connector = self.case.plugin.open(options, context)
        pages = connector.fetch(None, SINCE)
        first = next(pages)
        context.stop.set()
        rest: list[Page] = []
        try:
            rest.extend(pages)
        except SourceError:
            pass
        finally:
            connector.close()
        expect(first.items or first.cursor is not None or rest, "the first page brought neither items nor a cursor")
        expect(len(rest) <= 2 or not fake.paged, f"{len(rest)} more pages were read after the program asked to stop")

    def test_what_is_read_again_has_its_new_counts_or_is_gone(self, pulls: Pulls, fake: FakePlatform) -> None:
        """``refresh`` tells new counts, and what was deleted as gone; it is there if and only if the plugin declares it."""
        seeds = fake.publish(8)
        pulls.pull()
        connector = pulls.open()
        declared, there = self.case.plugin.capabilities.refresh, isinstance(connector, Refreshes)
        expect(
            declared == there, f"Capabilities.refresh is {declared}, but refresh() is {'' if there else 'not '}there"
        )
        if not isinstance(connector, Refreshes):
            return
        liked, deleted, *others = [seed for seed in seeds if fake.can_be_read_again(seed)]
        fake.like(liked, 5)
        fake.take_down(deleted)
        names = [fake.external_id(seed) for seed in (liked, deleted, *others)]
        found = {one.external_id: one for one in connector.refresh(["of another platform", *names, "0"])}
        connector.close()
        if not self.applies("refresh"):
            expect(found == {}, f"refresh is said not to apply, but told of: {some(found)}")
            return
        _expect_told_anew(found, names, pulls.stored)

    def test_check_passes_on_a_healthy_platform_and_tells_a_sick_one(self, pulls: Pulls, fake: FakePlatform) -> None:
        """``check`` asks the platform something small, and fails with a fate where it does not answer."""
        fake.publish(1)
        with closing(pulls.open()) as connector:
            connector.check()
        sick = next((fault for fault in (Fault.BUSY, Fault.RESET) if fault in fake.faults), None)
        if sick is not None:
            fake.fail(*[sick] * 12)
            with closing(pulls.open()) as connector, pytest.raises(SourceError):
                connector.check()


def _expect_told_anew(found: Mapping[str, Refreshed], names: Sequence[str], stored: Mapping[str, Item]) -> None:
    liked, deleted, *others = names
    untold = [name for name in names if name not in found]
    expect(not untold, f"refresh() said nothing of: {some(untold)}")
    gone = found[deleted]
    expect(gone == Refreshed(deleted, None, gone=True), f"{deleted} was deleted, refresh() told {gone}")
    counts, before = found[liked].counts, likes(stored[liked])
    expect(
        counts is not None and counts.likes == before + 5, f"{liked}: had {before} likes and got 5, now told {counts}"
    )
    lost = [name for name in (liked, *others) if found[name].gone]
    expect(not lost, f"refresh() told as gone what is there: {some(lost)}")
    moved = [name for name in others if found[name].counts != stored[name].counts]
    expect(not moved, f"refresh() changed the counts of what nobody touched: {some(moved)}")
