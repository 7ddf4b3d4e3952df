"""Digests on a real store: planned once, built when their sources are read or waited for long enough, by one of several."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import update

from connectors.testing import Reply, Request
from connectors.testing.loopback import Loopback
from monitor import delivery, digests
from monitor.app import App
from monitor.coverage import PATIENCE, coverage_of
from monitor.digests import LEASE
from monitor.quotes import with_words, without_words
from monitor.report import build_report
from monitor.schedule import parse_period
from storage import outbox
from storage.leases import LeaseLost
from storage.records import DigestDue, Planned
from storage.tables import DELIVERY, ITEM, ROLLUP, ROLLUP_SPAN
from tests.fakes.newsroom import DAILY, REVIEWS, Open

BERLIN_MIDNIGHT = datetime(2026, 11, 19, 23, 0, tzinfo=UTC)


def gaps(row: dict[str, Any]) -> list[dict[str, Any]]:
    """What a stored digest says was missing."""
    (brand,) = row["report"]["brands"]
    found: list[dict[str, Any]] = brand["coverage"]["gaps"]
    assert brand["coverage"]["complete"] is (not found and not brand["coverage"]["unread"])
    return found


def unread(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Which sources a stored digest calls never read."""
    (brand,) = row["report"]["brands"]
    found: list[dict[str, Any]] = brand["coverage"]["unread"]
    return found


def time(text: str) -> datetime:
    return datetime.fromisoformat(text)


# --- planning


def test_the_first_start_gives_one_digest_of_each_name(newsroom: Open) -> None:
    weekly = {"name": "weekly", "schedule": "weekly on monday", "period": "week"}
    hourly = {"name": "hourly", "schedule": "hourly", "period": "hour", "catch_up": "each"}
    room = newsroom(digests=[DAILY, weekly, hourly])
    digests.plan(room.app)
    assert {row["name"]: row["period"] for row in room.digests} == {
        "daily": "2026-11-19", "weekly": "2026-W46", "hourly": "2026-11-20T07",
    }  # fmt: skip


def test_planning_again_changes_nothing(newsroom_anywhere: Open) -> None:
    room = newsroom_anywhere()
    digests.plan(room.app)
    before = room.digests
    for app in (room.app, room.start()):
        digests.plan(app)
    assert room.digests == before


def test_of_two_that_plan_at_once_one_does_it(newsroom_anywhere: Open) -> None:
    room = newsroom_anywhere()
    digests.plan(room.app)
    last = outbox.last_planned(room.app.database, "daily")
    assert last is not None
    room.later(days=1)
    digests.plan(room.app)
    room.later(days=1)
    stale = Planned(room.now, "2026-11-20..2026-11-21", last.end, last.end + timedelta(days=2))
    assert outbox.plan_digest(room.app.database, "daily", stale, last) is False
    assert [row["period"] for row in room.digests] == ["2026-11-19", "2026-11-20"]


def test_after_downtime_missed_days_come_as_one_digest(newsroom: Open) -> None:
    room = newsroom()
    room.digest()
    room.later(days=3, hours=5)
    room.digest()
    assert [row["period"] for row in room.digests] == ["2026-11-19", "2026-11-20..2026-11-22"]
    window = room.digests[1]["report"]["window"]
    assert (window["start"], window["end"]) == ("2026-11-19T23:00:00Z", "2026-11-22T23:00:00Z")
    assert delivery.deliver_due(room.app) == 2
    assert {path.name for path in (room.folder / "out").iterdir()} == {
        "daily-2026-11-19.txt", "daily-2026-11-20_2026-11-22.txt",
    }  # fmt: skip


def test_or_each_by_itself(newsroom: Open) -> None:
    room = newsroom(digests=[{**DAILY, "catch_up": "each"}])
    room.digest()
    room.later(days=3)
    assert room.pull() is None
    digests.plan(room.app)
    assert digests.build_due(room.app) == 3
    assert [row["period"] for row in room.digests] == ["2026-11-19", "2026-11-20", "2026-11-21", "2026-11-22"]
    assert {row["state"] for row in room.digests} == {"built"}


# --- waiting


def test_a_digest_waits_for_its_sources_and_is_built_once_they_are_read(newsroom: Open) -> None:
    room = newsroom()
    digests.plan(room.app)
    assert digests.build_due(room.app) == 0
    assert room.pull() is None
    assert digests.build_due(room.app) == 1
    (row,) = room.digests
    assert gaps(row) == []
    assert row["report"]["brands"][0]["volume"]["reviews"] == len(REVIEWS)


def test_a_pull_begun_before_the_window_ended_is_not_enough(newsroom: Open) -> None:
    room = newsroom()
    room.now = BERLIN_MIDNIGHT - timedelta(minutes=30)
    assert room.pull() is None
    room.now = BERLIN_MIDNIGHT + timedelta(hours=8)
    room.app = room.start()  # nothing was running in the night
    digests.plan(room.app)
    for _ in range(3):
        assert digests.build_due(room.app) == 0
        room.later(minutes=4.9)
    room.now = BERLIN_MIDNIGHT + timedelta(hours=8) + PATIENCE
    assert digests.build_due(room.app) == 1
    (gap,) = gaps(room.digests[0])
    assert (gap["source"], time(gap["start"]), time(gap["end"])) == (
        "reviews", BERLIN_MIDNIGHT - timedelta(minutes=30), BERLIN_MIDNIGHT,
    )  # fmt: skip


def test_a_program_started_late_gives_its_sources_their_time(newsroom: Open) -> None:
    room = newsroom()
    room.later(hours=6)
    room.app = room.start()
    digests.plan(room.app)
    assert digests.build_due(room.app) == 0
    room.later(minutes=15)
    assert digests.build_due(room.app) == 1
    assert gaps(room.digests[0]) == []  # what was never watched has no gap
    assert unread(room.digests[0]) == [{"source": "reviews", "reason": None}]


def test_a_source_that_fails_is_not_waited_for_and_is_said(newsroom: Open) -> None:
    room = newsroom()
    room.now = BERLIN_MIDNIGHT - timedelta(minutes=5)
    assert room.pull() is None
    room.now = BERLIN_MIDNIGHT + timedelta(hours=8)
    room.file.unlink()
    assert room.pull() is not None
    digests.plan(room.app)
    assert digests.build_due(room.app) == 1
    (gap,) = gaps(room.digests[0])
    assert time(gap["start"]) == BERLIN_MIDNIGHT - timedelta(minutes=5)
    assert "reviews.json" in gap["reason"]


HOURLY = {"name": "hourly", "schedule": "hourly", "period": "hour"}
TEN_TO, FULL = datetime(2026, 11, 20, 6, 50, tzinfo=UTC), datetime(2026, 11, 20, 7, 0, tzinfo=UTC)


def test_what_failed_a_moment_ago_is_said_even_of_an_hour_just_over(newsroom: Open) -> None:
    room = newsroom(digests=[HOURLY])
    room.now = TEN_TO
    assert room.pull() is None
    room.now = FULL + timedelta(minutes=2)
    room.file.unlink()
    room.file.symlink_to(room.file)
    assert room.pull() == "unavailable"
    digests.plan(room.app)
    assert digests.build_due(room.app) == 1
    (gap,) = gaps(room.digests[0])
    assert (time(gap["start"]), time(gap["end"])) == (TEN_TO, FULL)


def test_a_source_that_rests_until_somebody_acts_is_not_waited_for_and_is_said(newsroom: Open) -> None:
    room = newsroom(digests=[HOURLY])
    room.now = TEN_TO - timedelta(minutes=5)
    assert room.pull() is None
    room.now = TEN_TO
    room.file.unlink()
    assert room.pull() == "notthere"
    room.now = FULL + timedelta(seconds=2)
    digests.plan(room.app)
    assert digests.build_due(room.app) == 1
    (gap,) = gaps(room.digests[0])
    assert (time(gap["start"]), time(gap["end"])) == (TEN_TO - timedelta(minutes=5), FULL)


def test_what_was_waited_for_in_vain_is_said_even_where_it_is_not_late_yet(newsroom: Open) -> None:
    room = newsroom(digests=[HOURLY])
    room.now = TEN_TO
    assert room.pull() is None
    room.app = room.start()
    room.now = FULL + PATIENCE
    digests.plan(room.app)
    assert digests.build_due(room.app) == 1
    (gap,) = gaps(room.digests[0])
    assert (gap["reason"], time(gap["start"]), time(gap["end"])) == ("not read since", TEN_TO, FULL)


def test_a_round_on_demand_waits_for_nothing(newsroom: Open) -> None:
    room = newsroom()
    digests.plan(room.app)
    assert digests.build_due(room.app, patient=False) == 1
    assert unread(room.digests[0])


def test_what_was_not_read_of_a_past_day_is_a_gap_however_late_one_looks(newsroom: Open) -> None:
    room = newsroom()
    room.now = BERLIN_MIDNIGHT - timedelta(minutes=20)
    assert room.pull() is None
    day = parse_period("2026-11-19", room.app.settings.monitor.zone)
    room.now = BERLIN_MIDNIGHT + timedelta(minutes=1)
    assert coverage_of(room.app, "Acme", day).gaps == ()  # within its interval: it is about to be read
    for hours in (1, 24 * 7):
        room.now = BERLIN_MIDNIGHT + timedelta(hours=hours)
        (gap,) = coverage_of(room.app, "Acme", day).gaps
        assert (gap.start, gap.end) == (BERLIN_MIDNIGHT - timedelta(minutes=20), BERLIN_MIDNIGHT)
    assert room.pull() is None
    assert coverage_of(room.app, "Acme", day).gaps == ()


# --- building


@pytest.mark.parametrize(("when_empty", "sent"), [("skip", 0), ("say", 1)])
def test_a_day_without_anything_is_said_or_skipped(newsroom: Open, when_empty: str, sent: int) -> None:
    room = newsroom(digests=[{**DAILY, "when_empty": when_empty}], reviews=[])
    room.digest()
    assert delivery.deliver_due(room.app) == sent
    assert room.digests[0]["state"] == "sent"
    room.publish([("r3", None, "good", "2026-11-20T10:00:00Z", 5, "Ann")])
    room.later(days=1)
    room.digest()
    assert delivery.deliver_due(room.app) == 1


def test_a_day_on_which_nothing_could_be_read_is_never_skipped(newsroom: Open) -> None:
    room = newsroom(digests=[{**DAILY, "when_empty": "skip"}])
    room.file.unlink()
    assert room.pull() is not None
    digests.plan(room.app)
    assert digests.build_due(room.app) == 1
    assert delivery.deliver_due(room.app) == 1
    told = (room.folder / "out" / "daily-2026-11-19.txt").read_text(encoding="utf-8")
    assert "reviews: never read yet" in " ".join(told.split())


def test_a_builder_that_dies_is_followed_after_its_lease(newsroom_anywhere: Open) -> None:
    room = newsroom_anywhere()
    assert room.pull() is None
    digests.plan(room.app)
    (waiting,) = outbox.due_digests(room.app.database, ["daily"])
    dead = outbox.claim_digest(room.app.database, waiting.id, "dead", LEASE)
    assert dead is not None
    assert digests.build_due(room.app) == 0
    room.leases_run_out()
    assert digests.build_due(room.app) == 1
    with pytest.raises(LeaseLost):
        outbox.save_digest(room.app.database, dead, {}, {"files": "other"}, room.now)
    assert delivery.deliver_due(room.app) == 1


def test_a_digest_that_cannot_be_built_is_put_off_and_holds_up_no_other(newsroom_anywhere: Open) -> None:
    room = newsroom_anywhere(digests=[DAILY, {"name": "weekly", "schedule": "weekly on monday", "period": "week"}])
    assert room.pull() is None
    digests.plan(room.app)
    for table in (ROLLUP, ROLLUP_SPAN):
        impossible = update(table).values(positive=-5)
        room.app.database.write(lambda connection, statement=impossible: connection.execute(statement))  # type: ignore[misc]
    assert digests.build_due(room.app) == 1
    assert digests.build_due(room.app) == 0
    broken, built = room.digests
    assert (broken["state"], broken["failures"], built["state"]) == ("due", 1, "built")
    room.leases_run_out()
    assert digests.build_due(room.app) == 0
    assert room.digests[0]["failures"] == 2


def test_a_stored_digest_holds_no_words_of_others_and_shows_them_when_sent(newsroom: Open) -> None:
    room = newsroom()
    room.digest()
    stored = json.dumps(room.digests[0]["report"])
    assert "MARKED" not in stored.upper()
    assert len(room.digests[0]["report"]["brands"][0]["top_items"]["positive"]) == 1
    assert delivery.deliver_due(room.app) == 1
    text = (room.folder / "out" / "daily-2026-11-19.txt").read_text(encoding="utf-8")
    assert all(mark in text for mark in ("MARKED-TEXT-ONE", "MARKED-TEXT-TWO", "Marked-Author-Ann"))


def test_what_is_erased_before_the_digest_leaves_is_not_in_it(newsroom: Open) -> None:
    room = newsroom()
    room.digest()
    gone = {"title": None, "text": None, "url": None, "author_name": None, "erased_at": room.now}
    erase = update(ITEM).where(ITEM.c.text.contains("MARKED-TEXT-TWO")).values(gone)
    room.app.database.write(lambda connection: connection.execute(erase))
    assert delivery.deliver_due(room.app) == 1
    text = (room.folder / "out" / "daily-2026-11-19.txt").read_text(encoding="utf-8")
    assert "MARKED-TEXT-ONE" in text
    assert "TWO" not in text
    assert "Bob" not in text


def test_a_report_comes_back_from_the_store_as_it_was(newsroom_anywhere: Open) -> None:
    room = newsroom_anywhere()
    assert room.pull() is None
    report = build_report(room.app, ["Acme"], parse_period("2026-11-19", room.app.settings.monitor.zone))
    assert with_words(room.app, without_words(report)) == report


# --- several daemons


class Hook:
    """A web server that takes digests and keeps their keys."""

    def __init__(self) -> None:
        self.server = Loopback(self._take)
        self.channel = {"name": "hook", "type": "webhook", "url": self.server.url + "/hook"}

    @property
    def keys(self) -> list[str]:
        return [request.headers["idempotency-key"] for request in self.server.requests]

    def _take(self, _request: Request) -> Reply:
        return Reply(b"", 204)


def test_two_daemons_on_one_store_build_and_send_each_digest_once(newsroom_anywhere: Open) -> None:
    hook = Hook()
    names = [{"name": f"d{number}", "schedule": "0 8 * * *"} for number in range(4)]
    room = newsroom_anywhere(hook.channel, digests=names)
    try:
        assert room.pull() is None
        built, sent, errors = work_together([room.app, room.start()])
        assert errors == []
        assert (built, sent) == (4, 4)
        assert len(set(hook.keys)) == len(hook.keys) == 4
        assert {row["state"] for row in room.digests} == {"sent"}
        assert {row["attempts"] for row in room.rows(DELIVERY)} == {1}
    finally:
        hook.server.close()


def work_together(apps: list[App]) -> tuple[int, int, list[Exception]]:
    """What the daemon's sending thread does, in as many threads at once; (built, sent, errors)."""
    together = Barrier(len(apps))
    built: list[int] = []
    sent: list[int] = []
    errors: list[Exception] = []

    def work(app: App) -> None:
        try:
            for _ in range(4):
                together.wait(30)
                digests.plan(app)
                built.append(digests.build_due(app))
                sent.append(delivery.deliver_due(app))
        except Exception as error:
            errors.append(error)
            together.abort()

    threads = [Thread(target=work, args=(app,)) for app in apps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(built), sum(sent), errors


def test_a_digest_that_left_the_configuration_is_still_delivered(newsroom: Open) -> None:
    room = newsroom()
    room.digest()
    room.data["digests"] = []
    assert delivery.deliver_due(room.start()) == 1
    assert room.digests[0]["state"] == "sent"


def test_a_window_is_the_one_that_was_planned_even_in_another_time_zone(newsroom: Open) -> None:
    room = newsroom()
    digests.plan(room.app)
    room.data["monitor"]["timezone"] = "America/New_York"
    (due,) = outbox.due_digests(room.app.database, ["daily"])
    assert isinstance(due, DigestDue)
    window = digests.window_of(room.start(), due)
    assert (window.start, window.end) == (BERLIN_MIDNIGHT - timedelta(days=1), BERLIN_MIDNIGHT)
    assert window.period is None
