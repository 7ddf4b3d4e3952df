"""The small reads that monitoring makes, on both databases."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection, event

from storage import gauges, outbox, sources
from storage.engine import Database
from storage.records import Outcome
from tests.fakes.storing import NOW, OLD, Shop, item

QUARTER = timedelta(minutes=15)


def test_items_are_counted_by_label_and_by_why_they_do_not_count(shop: Shop) -> None:
    shop.pull(
        item("a"),
        item("b", label="negative", published_at=NOW - timedelta(days=900)),
        item("c", kind="review", label=None, label_by=None, unscored="language"),
        item("d", uncounted="excluded"),
        item("e", brand_id=2),
    )
    found = {key: count for key, count in gauges.items(shop.database).items() if count}
    assert found == {
        ("Acme", "mention", "positive"): 1,
        ("Acme", "mention", "negative"): 1,
        ("Acme", "review", "unscored"): 1,
        ("Acme", "mention", "excluded"): 1,
        ("Rival", "mention", "positive"): 1,
    }


def test_moods_are_those_between_two_quarters_of_an_hour(shop: Shop) -> None:
    start = OLD.replace(minute=0, second=0, microsecond=0)
    ends = [timedelta(minutes=15), timedelta(hours=7), timedelta(days=3), timedelta(days=70, hours=5, minutes=45)]
    for number, end in enumerate(ends):
        shop.pull(item(f"last {number}", published_at=start + end - timedelta(seconds=1)))
        shop.pull(item(f"next {number}", published_at=start + end, label="negative"), name="south")
    shop.pull(item("before", published_at=start - timedelta(seconds=1)))
    for number, end in enumerate(ends):
        moods = gauges.moods(shop.database, start, start + end)["Acme", "mention"]
        assert (moods["positive"], moods["negative"]) == (number + 1, number)


def test_nothing_is_read_of_nothing(shop: Shop) -> None:
    assert gauges.items(shop.database) == {}
    assert gauges.moods(shop.database, OLD, NOW) == {}
    assert gauges.waiting(shop.database) == (dict.fromkeys(gauges.STATES, 0), None)


def test_pulls_are_counted_for_ever_and_of_late(shop: Shop) -> None:
    for at, fate in ((NOW - timedelta(days=3), None), (NOW, None), (NOW, "unavailable")):
        claim = shop.claimed()
        sources.finish_pull(shop.database, claim, Outcome(at, fate, fate and "down"), at)
    found = gauges.pulls(shop.database, NOW - timedelta(days=1))
    assert (found["north"].finished, found["south"].finished) == (3, 0)
    assert (found["north"].good, found["north"].bad) == (2, 1)  # all three were begun at once
    assert found["north"].seconds is not None
    assert found["south"].seconds is None
    assert gauges.pulls(shop.database, NOW + timedelta(days=1))["north"].bad == 0


def test_what_waits_to_be_sent_is_counted_and_its_age_known(database: Database) -> None:
    def queue(connection: Connection) -> None:
        for number in range(3):
            at = NOW + timedelta(hours=number)
            outbox.queue_notice(connection, "test", "x", None, {}, {"files": f"key {number}"}, at)

    database.write(queue)
    due = outbox.claim_delivery(database, "me", ["files"], NOW, timedelta(minutes=5))
    assert due is not None
    outbox.mark_failed(database, due, "no such folder")
    states, oldest = gauges.waiting(database)
    assert (states, oldest) == ({"queued": 2, "claimed": 0, "failed": 1}, NOW + timedelta(hours=1))


def test_a_store_looks_writable_without_being_written_to(database: Database) -> None:
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    gauges.answers(database)
    assert gauges.looks_writable(database)
    assert not [one for one in statements if not one.lstrip().upper().startswith(("SELECT", "PRAGMA", "SET", "BEGIN"))]
