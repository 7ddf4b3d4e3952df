"""Which channel gets what, and when: brands, tags, quiet hours by the local clock, messages an hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from monitor.config.channels import Channel
from monitor.routing import for_brands, held_until, narrowed, quiet_until, routes
from tests.unit import digest_reports as made

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


class Item(NamedTuple):
    brand: str
    tags: tuple[str, ...] = ()


def channel(name: str = "c", **given: Any) -> Channel:
    return Channel.model_validate({"name": name, **given})


def at(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


# --- which


def test_items_go_to_the_channels_of_their_brand_and_tag_and_equal_lots_go_together() -> None:
    items = [Item("A"), Item("B", ("urgent",)), Item("A", ("urgent", "press"))]
    channels = [
        channel("all"), channel("every"), channel("a", brands=["A"]), channel("tagged", tags=["urgent", "x"]),
        channel("both", brands=["A"], tags=["press"]), channel("none", brands=["C"]),
    ]  # fmt: skip
    assert routes(channels, items) == [
        (["all", "every"], items),
        (["a"], [items[0], items[2]]),
        (["tagged"], [items[1], items[2]]),
        (["both"], [items[2]]),
    ]


def test_what_is_about_no_brand_in_particular_is_for_all() -> None:
    channels = [channel("all"), channel("a", brands=["A"]), channel("b", brands="B")]
    assert for_brands(channels, ["A"]) == ["all", "a"]
    assert for_brands(channels, ["A", "B"]) == for_brands(channels, []) == ["all", "a", "b"]


def test_a_digest_is_cut_to_a_channel_s_brands_and_their_competitors() -> None:
    report = made.everything()
    assert narrowed(report, channel()) == report
    kept = {one.brand for one in narrowed(report, channel(brands=["Larkspur"])).brands}
    assert kept == {"Larkspur", *(one.brand for one in report.brands if "Larkspur" in one.competitor_of)}
    assert narrowed(report, channel(brands=["Nobody"])).brands == []


# --- when


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        ("22:00-07:00", "2026-11-20 21:59", None),
        ("22:00-07:00", "2026-11-20 22:00", "2026-11-21 07:00"),
        ("22:00-07:00", "2026-11-21 03:00", "2026-11-21 07:00"),
        ("22:00-07:00", "2026-11-21 07:00", None),
        ("12:00 - 13:30", "2026-11-21 13:29", "2026-11-21 13:30"),
        ("12:00-13:30", "2026-11-21 13:30", None),
        ("22:00-02:30", "2026-03-28 23:00", "2026-03-29 03:00"),  # 02:30 does not exist on that day
        ("22:00-07:00", "2026-10-25 00:30", "2026-10-25 07:00"),  # a night of ten hours
    ],
)
def test_quiet_hours_go_by_the_local_clock(hours: str, now: str, until: str | None) -> None:
    assert quiet_until(hours, at(now), BERLIN) == (at(until) if until else None)


@pytest.mark.parametrize("zone_name", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_every_moment_of_a_year_is_either_loud_or_ends_in_loudness(zone_name: str) -> None:
    zone, now = ZoneInfo(zone_name), datetime(2026, 1, 1, tzinfo=UTC)
    quiet = 0
    while now.year == 2026:
        until = quiet_until("22:00-07:00", now, zone)
        quiet += until is not None
        assert until is None or (now < until <= now + 10 * HOUR and quiet_until("22:00-07:00", until, zone) is None)
        now += 37 * MINUTE
    assert 0.36 < quiet * 37 / (365 * 24 * 60) < 0.39


@pytest.mark.parametrize("bad", ["22-7", "22:00", "24:00-07:00", "07:00-07:00", ""])
def test_hours_that_are_none_are_refused(bad: str) -> None:
    with pytest.raises(ValidationError, match=r'write "22:00-07:00"'):
        channel(quiet_hours=bad)


def test_further_messages_of_an_hour_wait_until_there_is_room() -> None:
    now, two = at("2026-11-20 12:00"), channel(max_per_hour=2)
    sent = [now - 70 * MINUTE, now - 50 * MINUTE, now - 10 * MINUTE]
    assert held_until(two, "rule", False, now, BERLIN, sent) == now + 10 * MINUTE
    assert held_until(two, "alert", False, now + 10 * MINUTE, BERLIN, sent) is None
    assert held_until(channel(max_per_hour=3), "rule", False, now, BERLIN, sent) is None


@pytest.mark.parametrize(
    ("kind", "urgent", "quiet", "full"),
    [("rule", False, True, True), ("alert", False, True, True), ("alert", True, False, False),
     ("digest", False, True, False), ("test", False, False, False)],
)  # fmt: skip
def test_digests_never_wait_for_the_number_of_others_and_what_is_urgent_waits_for_nothing(
    kind: str, urgent: bool, quiet: bool, full: bool
) -> None:
    night, noon = at("2026-11-20 23:00"), at("2026-11-20 12:00")
    one = channel(max_per_hour=1, quiet_hours="22:00-07:00")
    assert held_until(one, kind, urgent, night, BERLIN, []) == (at("2026-11-21 07:00") if quiet else None)
    assert held_until(one, kind, urgent, noon, BERLIN, [noon]) == (noon + HOUR if full else None)
