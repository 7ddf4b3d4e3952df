"""Digests and deliveries as rows: once each, whatever stops in between."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest

from storage import outbox, sources
from storage.engine import Database, open_database
from storage.leases import LeaseLost
from storage.records import DeliveryDue, DigestDue, Planned
from storage.tables import DELIVERY, DIGEST
from tests.fakes.storing import LEASE, NOW, OLD, Shop

LATER = NOW + timedelta(minutes=10)
OVER = timedelta(0)
YESTERDAY = Planned(NOW, "2026-11-19", OLD, NOW)
CHANNELS = ["mail", "chat"]


@pytest.fixture
def built(shop: Shop) -> Shop:
    """A store with one digest, built and queued to two channels."""
    outbox.plan_digest(shop.database, "daily", YESTERDAY, None)
    outbox.save_digest(shop.database, claimed_digest(shop), {"figures": 1}, {"mail": "key-m", "chat": "key-c"}, NOW)
    return shop


def claimed_digest(shop: Shop, owner: str = "me", lease: timedelta = LEASE) -> DigestDue:
    (due,) = outbox.due_digests(shop.database, ["daily"])
    claimed = outbox.claim_digest(shop.database, due.id, owner, lease)
    assert claimed is not None
    return claimed


def claimed_delivery(shop: Shop, channels: list[str] = CHANNELS, lease: timedelta = LEASE) -> DeliveryDue:
    due = outbox.claim_delivery(shop.database, "me", channels, NOW, lease)
    assert due is not None
    return due


def states(shop: Shop) -> list[str]:
    return [shop.row(DIGEST)["state"], *(row["state"] for row in shop.rows(DELIVERY))]


def test_a_digest_planned_twice_is_one(shop: Shop) -> None:
    done = [outbox.plan_digest(shop.database, "daily", YESTERDAY, None) for _ in range(2)]
    assert (done, len(shop.rows(DIGEST))) == ([True, False], 1)
    assert outbox.last_planned(shop.database, "daily") == YESTERDAY
    today = replace(YESTERDAY, due_at=LATER)
    assert outbox.plan_digest(shop.database, "daily", today, YESTERDAY)
    assert outbox.plan_digest(shop.database, "weekly", today, None)
    assert [due.due_at for due in outbox.due_digests(shop.database, ["daily"])] == [NOW, LATER]


def test_a_digest_is_built_by_one_and_then_no_more(shop: Shop) -> None:
    outbox.plan_digest(shop.database, "daily", YESTERDAY, None)
    due = claimed_digest(shop)
    assert outbox.claim_digest(shop.database, due.id, "other", LEASE) is None
    outbox.save_digest(shop.database, due, {"figures": 1}, {"mail": "key"}, NOW)
    assert states(shop) == ["built", "queued"]
    assert outbox.due_digests(shop.database, ["daily"]) == []
    assert outbox.claim_digest(shop.database, due.id, "other", LEASE) is None


def test_a_digest_whose_builder_died_is_built_by_another_and_the_dead_one_refused(shop: Shop) -> None:
    outbox.plan_digest(shop.database, "daily", YESTERDAY, None)
    dead, heir = claimed_digest(shop, lease=OVER), claimed_digest(shop, owner="other")
    with pytest.raises(LeaseLost):
        outbox.save_digest(shop.database, dead, {"stale": 1}, {"mail": "old"}, NOW)
    assert shop.rows(DELIVERY) == []
    outbox.save_digest(shop.database, heir, {"figures": 1}, {"mail": "new"}, NOW)
    assert [row["key"] for row in shop.rows(DELIVERY)] == ["new"]


def test_a_digest_that_failed_rests_and_is_tried_again(shop: Shop) -> None:
    outbox.plan_digest(shop.database, "daily", YESTERDAY, None)
    due = claimed_digest(shop)
    outbox.fail_digest(shop.database, due, "x" * 900, timedelta(minutes=5))
    assert outbox.claim_digest(shop.database, due.id, "me", LEASE) is None, "it rests"
    assert (shop.row(DIGEST)["failures"], len(shop.row(DIGEST)["error"])) == (1, 500)


def test_a_digest_without_channels_is_done_when_built(shop: Shop) -> None:
    outbox.plan_digest(shop.database, "daily", YESTERDAY, None)
    outbox.save_digest(shop.database, claimed_digest(shop), {"figures": 0}, {}, NOW)
    assert states(shop) == ["sent"]


def test_a_delivery_carries_its_digest_and_is_claimed_once_per_channel(built: Shop) -> None:
    first, second = claimed_delivery(built), claimed_delivery(built)
    assert [(due.channel, due.key, due.attempts) for due in (first, second)] == [
        ("mail", "key-m", 1),
        ("chat", "key-c", 1),
    ]
    assert (first.name, first.period, first.start, first.end) == ("daily", "2026-11-19", OLD, NOW)
    assert first.content == {"figures": 1}
    assert outbox.claim_delivery(built.database, "other", CHANNELS, NOW, LEASE) is None


def test_only_known_channels_are_served(built: Shop) -> None:
    assert outbox.claim_delivery(built.database, "me", ["pager"], NOW, LEASE) is None
    assert claimed_delivery(built, ["chat"]).channel == "chat"


def test_the_last_delivery_that_ends_well_or_ill_ends_the_digest(built: Shop) -> None:
    outbox.mark_sent(built.database, claimed_delivery(built, ["mail"]), LATER)
    assert states(built) == ["built", "sent", "queued"]
    outbox.mark_failed(built.database, claimed_delivery(built, ["chat"]), "no such room")
    assert states(built) == ["sent", "sent", "failed"]
    assert [(row["error"], row["sent_at"]) for row in built.rows(DELIVERY)] == [(None, LATER), ("no such room", None)]
    assert outbox.claim_delivery(built.database, "me", CHANNELS, LATER, LEASE) is None


def test_a_delivery_that_was_not_taken_is_tried_again_in_its_time_with_the_same_key(built: Shop) -> None:
    outbox.mark_retry(built.database, claimed_delivery(built, ["mail"]), "busy", LATER)
    assert outbox.claim_delivery(built.database, "me", ["mail"], NOW, LEASE) is None
    again = outbox.claim_delivery(built.database, "me", ["mail"], LATER, LEASE)
    assert again is not None
    assert (again.key, again.attempts) == ("key-m", 2)
    assert states(built) == ["built", "claimed", "queued"]


def test_a_delivery_whose_sender_died_is_sent_again_with_the_same_key(built: Shop) -> None:
    dead, heir = claimed_delivery(built, ["mail"], OVER), claimed_delivery(built, ["mail"])
    assert (dead.key, heir.key, heir.attempts) == ("key-m", "key-m", 2)
    with pytest.raises(LeaseLost):
        outbox.mark_failed(built.database, dead, "late")
    outbox.mark_sent(built.database, heir, NOW, but="one address refused")
    assert built.row(DELIVERY, channel="mail")["error"] == "one address refused"


def test_a_stopping_process_leaves_its_deliveries_to_others(built: Shop) -> None:
    claimed_delivery(built, ["mail"])
    sources.release_all(built.database, "me")
    assert claimed_delivery(built, ["mail"]).attempts == 2


@pytest.fixture
def others(database_url: str) -> Iterator[list[Database]]:
    """The same store as two other processes see it."""
    found = [open_database(database_url) for _ in range(2)]
    yield found
    for database in found:
        database.close()


def test_two_deliveries_that_end_at_once_end_the_digest(built: Shop, others: list[Database]) -> None:
    last = None
    for number in range(10):
        planned = replace(YESTERDAY, due_at=NOW + timedelta(days=number))
        outbox.plan_digest(built.database, "often", planned, last)
        (due,) = outbox.due_digests(built.database, ["often"])
        claimed = outbox.claim_digest(built.database, due.id, "me", LEASE)
        assert claimed is not None
        outbox.save_digest(built.database, claimed, {}, {"a": "1", "b": "2"}, NOW)
        both = [claimed_delivery(built, [channel]) for channel in "ab"]
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(outbox.mark_sent, others, both, [NOW, NOW]))
        last = planned
    assert {row["state"] for row in built.rows(DIGEST) if row["name"] == "often"} == {"sent"}


def test_the_newest_deliveries_are_listed_first(built: Shop) -> None:
    assert [(row["channel"], row["digest"], row["state"]) for row in outbox.deliveries(built.database)] == [
        ("chat", "daily", "queued"),
        ("mail", "daily", "queued"),
    ]
    assert len(outbox.deliveries(built.database, limit=1)) == 1


def test_a_note_is_kept_and_replaced(shop: Shop) -> None:
    assert outbox.note(shop.database, "fingerprint") is None
    for value in ({"a": [1]}, "text"):
        outbox.keep_note(shop.database, "fingerprint", value)
        assert outbox.note(shop.database, "fingerprint") == value
