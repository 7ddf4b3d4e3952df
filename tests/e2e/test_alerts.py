"""Alerts over simulated weeks: what is told, once, when, and to whom."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import select

from monitor import delivery
from monitor.alerting import Watch, evaluate, replay
from monitor.app import App, build
from monitor.config import parse
from monitor.daemon import pull_now, run_once
from monitor.report import build_report
from monitor.samples.demo import demo_settings
from monitor.schedule import span
from storage import alerts
from storage.alerts import StoredEpisode
from storage.people_tables import NOTICE
from storage.tables import DELIVERY
from tests.fakes.mailserver import MailServer
from tests.fakes.newsroom import by_file, by_mail

START = datetime(2026, 9, 7, 0, 30, tzinfo=UTC)
DAY = timedelta(days=1)
USUAL = (12, 14, 11, 13, 12, 9, 10)


class World:
    """A brand with a file of reviews that grows day by day; the clock is the test's."""

    def __init__(self, folder: Path, database: str, *channels: Any, **alert: Any) -> None:
        self.folder, self.now = folder, START
        self.file = folder / "reviews.json"
        self.rows: list[dict[str, Any]] = []
        self.write()
        chosen = channels or (by_file(folder / "out", formats=["txt", "json"]),)
        self.data: dict[str, Any] = {
            "monitor": {"database": database, "first_fetch": "1y"},
            "brands": [{"name": "Acme"}],
            "sources": [
                {
                    "name": "reviews",
                    "type": "files",
                    "brand": "Acme",
                    "match": "all",
                    "options": {"path": str(self.file)},
                }
            ],
            "alerts": [{"name": "spike", "kind": "volume", **alert}],
            "channels": list(chosen),
        }
        self.apps: list[App] = []
        self.app = self.start()

    def start(self) -> App:
        self.apps.append(build(parse(self.data), now=lambda: self.now))
        return self.apps[-1]

    def write(self) -> None:
        """Publish what has been said by now."""
        said = [row for row in self.rows if row["date"] <= self.now.isoformat()]
        self.file.write_text(json.dumps(said), encoding="utf-8")

    def day(self, number: int, count: int | None = None, rating: int = 4, words: str = "fine") -> None:
        """What is said on a day: reviews spread over it."""
        for each in range(USUAL[number % 7] if count is None else count):
            at = START.replace(hour=0, minute=0) + number * DAY + each * (DAY / 200)
            text = f"Number {number} {each} is {words} to use"
            row = {
                "id": f"{number}-{each}",
                "text": text,
                "date": at.isoformat(),
                "rating": rating,
                "author": f"a{number}.{each}",
            }
            self.rows.append(row)

    def live(self, first: int, last: int, counts: dict[int, int] | None = None, **given: Any) -> None:
        """Days go by, each read and judged half an hour after its end."""
        for number in range(first, last):
            self.day(number, (counts or {}).get(number), **(given if number in (counts or {}) else {}))
            self.now = START + (number + 1) * DAY
            self.look()

    def look(self) -> int:
        if self.file.exists():
            self.write()
        pull_now(self.app, ["reviews"], Event())
        queued = evaluate(self.app)
        delivery.deliver_due(self.app)
        return queued

    def episodes(self) -> list[StoredEpisode]:
        return list(reversed(alerts.episodes(self.app.database)))

    def notices(self) -> list[dict[str, Any]]:
        query = select(NOTICE).order_by(NOTICE.c.id)
        return self.app.database.read(lambda connection: [dict(row) for row in connection.execute(query).mappings()])

    def titles(self) -> list[str]:
        return [notice["body"]["title"] for notice in self.notices()]

    def states(self) -> list[str]:
        query = select(DELIVERY.c.state).order_by(DELIVERY.c.id)
        return self.app.database.read(lambda connection: list(connection.execute(query).scalars()))


Open = Callable[..., World]


@contextmanager
def worlds(folder: Path, url: str) -> Iterator[Open]:
    made: list[World] = []

    def open_(*channels: Any, **alert: Any) -> World:
        made.append(World(folder, url, *channels, **alert))
        return made[-1]

    yield open_
    for world in made:
        for app in world.apps:
            app.close()


@pytest.fixture
def opened(tmp_path: Path, migrated_file: Path) -> Iterator[Open]:
    with worlds(tmp_path, f"sqlite:///{shutil.copyfile(migrated_file, tmp_path / 'store.db')}") as open_:
        yield open_


@pytest.fixture
def opened_anywhere(tmp_path: Path, database_url: str) -> Iterator[Open]:
    """On every kind of store, for what only the store can promise."""
    with worlds(tmp_path, database_url) as open_:
        yield open_


def test_a_spike_is_told_once_and_its_end_once(opened_anywhere: Open, tmp_path: Path) -> None:
    world = opened_anywhere()
    world.live(0, 40, {35: 60, 36: 70}, words="terribly broken syncing", rating=1)
    first, last = world.titles()
    assert first.startswith("Acme: ")
    assert "times the usual: 60 mentions and reviews on Mon 12 Oct, usually about" in first
    assert last.startswith("Acme: usual again since Wed 14 Oct, 00:00 (")
    assert "70 mentions and reviews on Tue 13 Oct" in last
    (episode,) = world.episodes()
    assert (episode.begun_at, episode.ended_at) == (day(35), day(37))
    body = world.notices()[0]["body"]
    assert body["total"] == 60
    assert len(body["items"]) == 5
    assert any("syncing" in line for line in body["lines"])
    assert body["figures"]["alerts"][0]["seen"] == 60
    written = sorted((tmp_path / "out").glob("alert-spike-*.txt"))
    assert len(written) == 2
    assert "syncing" in written[0].read_text(encoding="utf-8")
    assert world.states() == ["sent", "sent"]


def day(number: int) -> datetime:
    return START.replace(hour=0, minute=0) + number * DAY


def test_a_day_that_still_runs_is_told_as_soon_as_it_is_enough(opened: Open) -> None:
    world = opened()
    world.live(0, 35)
    world.day(35, 60)
    world.now = day(35) + timedelta(hours=2)
    assert world.look() == 0
    world.now = day(35) + timedelta(hours=6)
    assert world.look() == 1
    assert world.look() == 0
    (episode,) = world.episodes()
    assert (episode.begun_at, episode.ended_at) == (day(35), None)


def test_what_was_there_before_the_first_start_is_found_and_not_sent(opened: Open) -> None:
    world = opened()
    for number in range(60):
        world.day(number, 70 if number >= 56 else None)
    world.now = START + 60 * DAY
    assert world.look() == 0
    (episode,) = world.episodes()
    assert (episode.begun_at, episode.ended_at, episode.figures["told"]) == (day(56), None, "history")
    world.live(60, 64, {60: 70})
    assert world.notices() == []
    (episode,) = world.episodes()
    assert episode.ended_at == day(61)
    world.live(64, 67, {65: 80})
    assert len(world.notices()) == 2


def test_after_downtime_what_began_and_ended_is_one_message(opened: Open) -> None:
    world = opened()
    world.live(0, 40)
    for number in range(40, 48):
        world.day(number, 70 if number in (42, 43) else None)
    world.now = START + 48 * DAY
    world.app = world.start()
    assert world.look() == 1
    (notice,) = world.notices()
    assert notice["body"]["figures"]["alerts"][0]["state"] == "over"
    assert any(line.startswith("usual again since Wed 21 Oct") for line in notice["body"]["lines"])


def test_several_daemons_tell_once(opened_anywhere: Open) -> None:
    world = opened_anywhere()
    world.live(0, 35)
    other = world.start()
    world.day(35, 70)
    world.now = START + 36 * DAY
    world.write()
    pull_now(world.app, ["reviews"], Event())
    assert sorted(evaluate(app) for app in (world.app, other)) == [0, 1]
    assert len(world.notices()) == len(world.episodes()) == 1


def test_quiet_hours_hold_a_message_until_they_are_over(opened: Open) -> None:
    world = opened(quiet_hours="22:00-07:00")
    world.live(0, 36, {35: 70})
    assert (world.now.hour, world.states()) == (0, ["queued"])
    world.now = world.now.replace(hour=6, minute=59)
    assert delivery.deliver_due(world.app) == 0
    world.now += timedelta(minutes=1)
    assert delivery.deliver_due(world.app) == 1


def test_what_is_snoozed_is_told_afterwards_if_it_lasts(opened: Open) -> None:
    world = opened()
    world.live(0, 35)
    alerts.snooze_alert(world.app.database, "spike", START + 37 * DAY + timedelta(hours=1))
    world.live(35, 37, {35: 70, 36: 70})
    assert world.notices() == []
    assert len(world.episodes()) == 1
    world.live(37, 38, {37: 70})
    assert len(world.titles()) == 1


def test_alerts_that_fire_at_once_share_a_message(opened: Open) -> None:
    world = opened()
    more = [{"name": "complaints", "kind": "negative_volume"}, {"name": "stars", "kind": "rating_drop"}]
    world.data["alerts"] += more
    world.app = world.start()
    world.live(0, 36, {35: 70}, rating=1)
    (notice,) = world.notices()
    assert notice["name"] == "alerts"
    assert notice["body"]["title"].endswith("(and 2 more)")
    assert [one["kind"] for one in notice["body"]["figures"]["alerts"]] == ["volume", "negative_volume", "rating_drop"]


def test_late_items_of_long_ago_are_no_news(opened_anywhere: Open) -> None:
    world = opened_anywhere()
    world.live(0, 50)
    for each in range(90):
        at = day(30) + each * (DAY / 200)
        world.rows.append(
            {"id": f"late{each}", "text": f"late {each}", "date": at.isoformat(), "rating": 3, "author": "x"}
        )
    world.now += timedelta(minutes=30)
    assert world.look() == 0
    assert world.episodes() == []


def test_a_source_that_fails_or_brings_nothing_is_told_and_told_to_be_back(opened: Open) -> None:
    world = opened(kind="source_silent")
    world.live(0, 30)
    world.file.rename(world.folder / "away.json")
    for hours in (1, 5, 9, 10, 11):
        world.now = START + 30 * DAY + timedelta(hours=hours)
        world.look()
    (title,) = world.titles()
    assert title.startswith("reviews: not read since ")
    (world.folder / "away.json").rename(world.file)
    world.now += timedelta(hours=1)
    world.look()
    assert world.titles()[1].startswith("reviews: usual again since ")
    world.live(31, 34, {31: 0, 32: 0, 33: 0})
    assert "reviews: nothing" in world.titles()[2]


def test_the_mail_says_it_too(opened: Open) -> None:
    server = MailServer(accounts={"monitor": "s3cret-pass-word"})
    try:
        world = opened(by_mail(server))
        world.live(0, 36, {35: 70}, words="terribly broken", rating=1)
        (mail,) = server.mails
        assert mail.message["Subject"].startswith("Acme: ")
        assert "times the usual" in mail.message["Subject"]
    finally:
        server.close()


def test_a_replay_finds_what_was_told_and_changes_nothing(opened_anywhere: Open) -> None:
    world = opened_anywhere()
    world.live(0, 45, {35: 60, 40: 80})
    before = (world.episodes(), world.notices(), alerts.alert_state(world.app.database))
    (found,) = replay(world.app, world.app.settings.alerts, START)
    assert [one.begun_at for one in found.episodes] == [day(35), day(40)]
    assert [one.begun_at for one in before[0]] == [day(35), day(40)]
    assert found.judged > 20
    assert found.false_a_year is not None
    assert 0 < found.false_a_year < 0.4
    assert (world.episodes(), world.notices(), alerts.alert_state(world.app.database)) == before


def test_a_report_says_what_was_usual_and_what_was_not(opened: Open) -> None:
    world = opened()
    world.live(0, 40, {36: 70})
    brand = build_report(world.app, ["Acme"], span(day(35), day(40), world.app.settings.monitor.zone)).brands[0]
    (alert,) = brand.alerts
    assert (alert.since, alert.until, alert.state, alert.told) == (day(36), day(37), "over", True)
    assert "70 mentions and reviews on Tue 13 Oct" in alert.words
    expected = [one.expected for one in brand.series]
    assert all(one is not None and 8 < one.mean < 16 and one.low <= one.mean <= one.high for one in expected)
    assert brand.volume.expected is not None
    assert brand.volume.expected.mean == pytest.approx(sum(one.mean for one in expected if one))
    early = build_report(world.app, ["Acme"], span(day(5), day(8), world.app.settings.monitor.zone)).brands[0]
    assert (early.volume.expected, early.alerts) == (None, [])


def test_the_sample_story_is_found_and_nothing_is_sent(tmp_path: Path) -> None:
    app = build(demo_settings(tmp_path), now=lambda: datetime(2026, 11, 22, 12, tzinfo=UTC))
    try:
        run_once(app, Event())
        (found,) = alerts.episodes(app.database)
        assert (found.name, found.subject, found.figures["told"]) == ("complaints", "Larkspur", "history")
        (replayed,) = replay(app, app.settings.alerts, datetime(2026, 9, 1, tzinfo=UTC))
        assert [one.begun_at for one in replayed.episodes] == [found.begun_at]
        count = app.database.read(lambda connection: len(connection.execute(select(NOTICE)).all()))
        assert count == 0
    finally:
        app.close()


def test_the_daemon_looks_every_few_minutes_and_only_if_something_changed(opened_anywhere: Open) -> None:
    world = opened_anywhere()
    world.live(0, 35)
    watch = Watch(world.app)
    watch.look()
    turn = alerts.alert_state(world.app.database).turn
    world.day(35, 70)
    world.now = day(35) + timedelta(hours=10)
    world.write()
    pull_now(world.app, ["reviews"], Event())
    watch.look()
    assert len(world.notices()) == 1
    assert alerts.alert_state(world.app.database).turn > turn
    world.now += timedelta(minutes=1)
    watch.look()
    assert len(world.notices()) == 1
