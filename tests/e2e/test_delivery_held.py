"""Channels that rest at night or take only so much, and that get what is theirs: by brand and by tag."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from monitor import delivery, notices
from monitor.notices import Notice
from monitor.schedule import period_before
from storage import outbox
from storage.tables import DELIVERY
from tests.fakes.newsroom import DAILY, Newsroom, Open, by_file, by_hook
from tests.unit.http_world import World

NIGHT = datetime(2026, 11, 20, 22, 30, tzinfo=UTC)  # half past eleven in Berlin
SEVEN = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)


def notify(room: Newsroom, kind: notices.Kind, *names: str, channel: str = "files", **given: Any) -> None:
    """Queue a notice of each name."""
    for name in names:
        notice = Notice(title=f"TITLE-{name}", **given)
        room.app.database.write(
            lambda connection, name=name, notice=notice: notices.queue(  # type: ignore[misc]
                connection, kind, name, notice, [channel], None, room.now
            )
        )


def states(room: Newsroom) -> list[str]:
    return [row["state"] for row in room.rows(DELIVERY)]


def test_at_night_everything_waits_for_the_morning_but_what_is_urgent(newsroom: Open, tmp_path: Path) -> None:
    room = newsroom(by_file(tmp_path / "out", formats=["txt"], quiet_hours="22:00-07:00"))
    room.digest()
    room.now = NIGHT
    notify(room, "rule", "bad-review")
    notify(room, "alert", "many")
    notify(room, "alert", "very-many", urgent=True)
    assert delivery.deliver_due(room.app) == 1
    assert states(room) == ["queued", "queued", "queued", "sent"]
    held = [row for row in room.rows(DELIVERY) if row["state"] == "queued"]
    assert {(row["attempts"], row["next_try_at"], row["error"]) for row in held} == {(0, SEVEN, None)}
    room.now = SEVEN - timedelta(seconds=1)
    assert delivery.deliver_due(room.app) == 0
    room.now = SEVEN
    assert delivery.deliver_due(room.app) == 3


def test_further_messages_of_an_hour_wait_and_none_is_lost_and_digests_do_not_wait(
    newsroom_anywhere: Open, tmp_path: Path
) -> None:
    room = newsroom_anywhere(by_file(tmp_path / "out", formats=["txt"], max_per_hour=3))
    names = [f"rule-{number}" for number in range(8)]
    notify(room, "rule", *names)
    assert delivery.deliver_due(room.app) == 3
    room.digest()
    assert delivery.deliver_due(room.app) == 1  # the digest
    begun, left = room.now, [3]
    while "queued" in states(room):
        room.later(minutes=10)
        left.append(delivery.deliver_due(room.app))
    assert sum(left) == len(names)
    assert timedelta(hours=2) <= room.now - begun < timedelta(hours=3)
    assert {row["attempts"] for row in room.rows(DELIVERY)} == {1}
    sent = sorted(row["sent_at"] for row in room.rows(DELIVERY) if row["digest_id"] is None)
    assert all(b - a >= timedelta(hours=1) for a, b in zip(sent, sent[3:], strict=False))


def two_brands(room: Newsroom) -> None:
    """A second brand with the same source's reviews."""
    room.data["brands"] = [{"name": "Acme"}, {"name": "Bolt"}]
    source = room.data["sources"][0]
    source.pop("brand", None)
    source["brands"] = ["Acme", "Bolt"]
    room.app = room.start()


def test_a_digest_is_cut_to_a_channel_s_brands_and_not_sent_where_there_is_none(newsroom: Open, web: World) -> None:
    channels = [by_hook(web.url(f"/{name}"), name=name) for name in ("all", "acme", "none")]
    room = newsroom(*channels)
    two_brands(room)
    room.data["channels"][1]["brands"], room.data["channels"][2]["brands"] = ["Acme"], ["Coil"]
    room.data["brands"].append({"name": "Coil"})
    room.data["digests"] = [{**DAILY, "brands": ["Acme", "Bolt"], "channels": ["all", "acme", "none"]}]
    room.app = room.start()
    room.digest()
    assert delivery.deliver_due(room.app) == 2
    sent = {request.path: [one["brand"] for one in json.loads(request.body)["brands"]] for request in web.requests}
    assert sent == {"/all": ["Acme", "Bolt"], "/acme": ["Acme"]}


def test_a_channel_whose_brands_have_changed_since_gets_nothing_of_others(newsroom: Open, web: World) -> None:
    room = newsroom(by_hook(web.url("/hook")))
    room.digest()
    room.data["brands"].append({"name": "Coil"})
    room.data["channels"][0]["brands"] = ["Coil"]
    room.app = room.start()
    assert delivery.deliver_due(room.app) == 0
    assert (room.delivery["state"], web.requests) == ("failed", [])
    assert "channels.hook.brands: none of them is in this digest" in room.delivery["error"]


def test_a_test_is_a_digest_marked_as_one_and_listed_as_one(newsroom: Open, web: World) -> None:
    room = newsroom(by_hook(web.url("/hook")), quiet := by_file(Path("unused"), quiet_hours="00:00-23:59"))
    assert quiet
    assert room.pull() is None
    window = period_before(room.now, "day", room.app.settings.monitor.zone)
    number = delivery.queue_test(room.app, "daily", window, "hook")
    assert delivery.deliver_one(room.app, number)
    (request,) = web.requests
    assert request.headers["x-sentiment-monitor-event"] == "test"
    body = json.loads(request.body)
    assert (body["test"], body["window"]["label"]) == (True, "2026-11-19")
    row = outbox.delivery_row(room.app.database, number)
    assert (row["kind"], row["digest"], row["state"]) == ("test", "daily", "sent")
    assert outbox.archive(room.app.database) == []
