"""What was told, for showing: deliveries by their digest, firings by their rule."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Connection

from storage import arrivals, outbox, sendings
from storage.records import Planned
from tests.fakes.storing import LEASE, NOW, OLD, Shop, item


def test_the_deliveries_of_a_digest_are_found_by_it(shop: Shop) -> None:
    outbox.plan_digest(shop.database, "daily", Planned(NOW, "2026-11-19", OLD, NOW), None)
    (due,) = outbox.due_digests(shop.database, ["daily"])
    claimed = outbox.claim_digest(shop.database, due.id, "me", LEASE)
    assert claimed is not None
    outbox.save_digest(shop.database, claimed, {"figures": 1}, {"mail": "key-m", "chat": "key-c"}, NOW)
    sent = outbox.claim_delivery(shop.database, "me", ["mail"], NOW, LEASE)
    assert sent is not None
    outbox.mark_failed(shop.database, sent, "no such box")
    found = sendings.of_digests(shop.database, [due.id, due.id + 1])
    assert found.keys() == {due.id}
    assert [(one.channel, one.state, one.error) for one in found[due.id]] == [
        ("mail", "failed", "no such box"),
        ("chat", "queued", None),
    ]


def test_the_newest_firings_of_each_rule_come_newest_first(shop: Shop) -> None:
    shop.pull(*(item(f"i{number}") for number in range(3)))
    times = [("angry", number, timedelta(minutes=number)) for number in (1, 2, 3)] + [("loud", 1, timedelta(hours=1))]

    def fire(connection: Connection) -> None:
        for rule, number, later in times:
            arrivals.fire(connection, rule, [(number, "")], NOW + later)

    shop.database.write(fire)
    found = sendings.firings(shop.database, ["angry", "loud", "never"], 2)
    assert [(one.rule, one.item, one.told) for one in found] == [
        ("loud", 1, False),
        ("angry", 3, False),
        ("angry", 2, False),
    ]
