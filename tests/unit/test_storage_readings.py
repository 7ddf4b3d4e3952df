"""Followers and standings: written on change, and no older reading replaces a newer one."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from storage import queries, sources
from storage.tables import FOLLOWER_READING, STANDING_READING
from tests.fakes.storing import NOW, Shop

HOUR = timedelta(hours=1)


def read(shop: Shop, *readings: tuple[int, datetime], account: str = "acme", name: str = "north") -> None:
    claim = shop.claimed(name)
    for count, at in readings:
        sources.save_follower_reading(shop.database, claim, account, count, at)
    sources.give_back(shop.database, claim)


def kept(shop: Shop) -> list[tuple[Any, ...]]:
    return [(row["count"], row["at"], row["last_seen"]) for row in shop.rows(FOLLOWER_READING)]


def test_an_unchanged_count_only_moves_last_seen(shop: Shop) -> None:
    read(shop, (100, NOW), (100, NOW + HOUR), (120, NOW + 2 * HOUR), (100, NOW + 3 * HOUR))
    assert kept(shop) == [
        (100, NOW, NOW + HOUR),
        (120, NOW + 2 * HOUR, NOW + 2 * HOUR),
        (100, NOW + 3 * HOUR, NOW + 3 * HOUR),
    ]


def test_a_reading_that_comes_late_changes_nothing(shop: Shop) -> None:
    read(shop, (100, NOW), (100, NOW + 2 * HOUR))
    before = kept(shop)
    read(shop, (90, NOW - HOUR), (90, NOW), (90, NOW + HOUR), (90, NOW + 2 * HOUR))
    assert kept(shop) == before


def test_the_count_at_a_time_is_the_last_one_known_then(shop: Shop) -> None:
    read(shop, (100, NOW), (130, NOW + 2 * HOUR))
    read(shop, (7, NOW + HOUR), account="acme help")
    read(shop, (5, NOW), name="south")
    assert queries.followers(shop.database, NOW - HOUR) == []
    at = NOW + HOUR
    found = [("north", "acme", 100, NOW), ("north", "acme help", 7, at), ("south", "acme", 5, NOW)]
    assert queries.followers(shop.database, at) == found
    assert queries.followers(shop.database, NOW + 3 * HOUR)[0] == ("north", "acme", 130, NOW + 2 * HOUR)


def test_a_standing_is_written_when_any_part_of_it_changes(shop: Shop) -> None:
    claim = shop.claimed()
    values = {"mean": 4.25, "worst": 1.0, "best": 5.0, "count": 1_000}
    for change, at in (
        ({}, NOW),
        ({}, NOW + HOUR),
        ({"count": 1_001}, NOW + 2 * HOUR),
        ({"mean": None}, NOW + 3 * HOUR),
    ):
        sources.save_standing_reading(shop.database, claim, "app " * 100, values | change, at)
    assert [(row["mean"], row["count"]) for row in shop.rows(STANDING_READING)] == [
        (4.25, 1_000),
        (4.25, 1_001),
        (None, 1_000),
    ]
    ((source, place, *rest),) = queries.standings(shop.database, NOW + HOUR)
    assert (source, len(place), rest) == ("north", 200, [4.25, 1.0, 5.0, 1_000, NOW + HOUR])
