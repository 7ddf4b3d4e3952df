"""Processes that are killed at random moments lose nothing and double nothing."""

from __future__ import annotations

from multiprocessing import get_context
from multiprocessing.context import ForkServerContext, ForkServerProcess
from random import Random
from typing import Any

from sqlalchemy import text

from storage.engine import Database
from storage.tables import AUTHOR, COUNT_HISTORY, ITEM, PULL, REVISION, ROLLUP, SOURCE
from storage.verify import verify
from tests.e2e.pulling import PAGES, SOURCES, pull_all
from tests.fakes.storing import Shop, dump

KILLS = 12


def test_killed_processes_come_to_the_same_end_as_undisturbed_ones(database_url: str, database: Database) -> None:
    shop = Shop(database, names=SOURCES)
    killed = kill_and_replace(database_url, shop)
    assert killed > 3, "it was over too soon to disturb it"
    assert verify(database) == []
    assert {row["cursor"]["page"] for row in shop.rows(SOURCE)} == {PAGES}
    assert len([row for row in shop.rows(PULL) if row["ok"]]) == len(SOURCES)
    if database.is_sqlite:
        with database.engine.connect() as connection:
            assert connection.execute(text("PRAGMA integrity_check")).scalars().all() == ["ok"]
    disturbed = stored(shop)
    start_over(database)
    pull_all(database_url, "undisturbed")
    assert stored(shop) == disturbed


def kill_and_replace(url: str, shop: Shop) -> int:
    """Two processes at a time, one of which is killed every now and then; how many were killed before all was done."""
    context, random, killed = get_context("forkserver"), Random(20), 0
    context.set_forkserver_preload(["tests.e2e.pulling"])
    running = [started(context, url, number) for number in range(2)]
    while any(process.is_alive() for process in running):
        running[0].join(random.uniform(0.01, 0.15))
        if killed < KILLS:
            killed += running[0].is_alive()
            running[0].kill()
            running[0].join()
            running = [running[1], started(context, url, killed + 2)]
    assert {process.exitcode for process in running} == {0}
    return killed


def started(context: ForkServerContext, url: str, number: int) -> ForkServerProcess:
    process = context.Process(target=pull_all, args=(url, f"process {number}"), daemon=True)
    process.start()
    return process


def stored(shop: Shop) -> Any:
    """All that was pulled, without the numbers that rows were given in their order of coming."""
    names = {row["id"]: row["external_id"] for row in shop.rows(ITEM)}
    items, authors, *about_items, rollups = dump(shop, ITEM, AUTHOR, REVISION, COUNT_HISTORY, ROLLUP)
    for row in items:
        del row["id"]
    for row in rollups:
        del row["changes"]  # how often it was computed depends on who came first
    for row in (row for rows in about_items for row in rows):
        row["item"] = names[row.pop("item_id")]
        row.pop("id", None)
    by_name = [sorted(map(repr, rows)) for rows in (items, *about_items)]
    return by_name, authors, rollups


def start_over(database: Database) -> None:
    with database.engine.begin() as connection:
        for table in (REVISION, COUNT_HISTORY, ITEM, AUTHOR, ROLLUP):
            connection.execute(table.delete())
        connection.execute(SOURCE.update().values(cursor=None, next_run_at=SOURCE.c.reaches_back_to))
