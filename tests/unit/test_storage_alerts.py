"""Episodes as rows: one daemon at a time, each with its messages or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from storage import alerts, outbox
from storage.alerts import AlertState, Begun, Moved
from storage.people_tables import ALERT, NOTICE
from storage.tables import DELIVERY
from tests.fakes.storing import NOW, OLD, Shop, crash_everywhere

DAY = timedelta(days=1)
SPIKE = Begun("spike", "volume", 1, "Acme", OLD, OLD + DAY, None, {"seen": 62, "told": "yes"})


def begin(shop: Shop, *begun: Begun, moved: Sequence[Moved] = (), state: AlertState | None = None) -> bool:
    state = state or alerts.alert_state(shop.database)
    return alerts.apply(
        shop.database,
        state,
        begun,
        moved,
        NOW,
        lambda connection: outbox.queue_notice(connection, "alert", "spike", 1, {"title": "x"}, {"mail": "key"}, NOW),
    )


def test_an_episode_is_opened_extended_and_ended(shop: Shop) -> None:
    assert begin(shop, SPIKE)
    (found,) = alerts.episodes(shop.database, open_only=True)
    assert (found.name, found.brand, found.begun_at, found.fired_at) == ("spike", "Acme", OLD, NOW)
    assert found.figures == {"seen": 62, "told": "yes"}
    moved = Moved(found.id, NOW, NOW, {"seen": 90, "told": "yes"})
    assert begin(shop, moved=[moved])
    assert alerts.episodes(shop.database, open_only=True) == []
    (over,) = alerts.episodes(shop.database)
    assert (over.last_at, over.ended_at, over.figures["seen"]) == (NOW, NOW, 90)


def test_of_two_that_looked_at_the_same_state_one_acts(shop: Shop) -> None:
    seen = alerts.alert_state(shop.database)
    assert [begin(shop, SPIKE, state=seen) for _ in range(2)] == [True, False]
    assert [len(shop.rows(table)) for table in (ALERT, NOTICE, DELIVERY)] == [1, 1, 1]
    assert alerts.alert_state(shop.database).turn == 1


def test_an_episode_and_its_message_are_stored_together_or_not_at_all(shop: Shop) -> None:
    def check() -> None:
        assert [len(shop.rows(table)) for table in (ALERT, NOTICE, DELIVERY)] == [0, 0, 0]
        assert alerts.alert_state(shop.database).turn == 0

    assert crash_everywhere(shop.database, lambda: begin(shop, SPIKE), check) > 3
    assert [len(shop.rows(table)) for table in (ALERT, NOTICE, DELIVERY)] == [1, 1, 1]


def test_what_alerts_remember_comes_back_as_it_was(shop: Shop) -> None:
    state = AlertState(0, {"spike|volume": OLD}, {"spike|volume|Acme": NOW}, {"spike": NOW + DAY})
    assert alerts.apply(shop.database, state, [], [], NOW)
    assert alerts.alert_state(shop.database) == replace(state, turn=1)


def test_somebody_has_seen_to_it_first(shop: Shop) -> None:
    begin(shop, SPIKE)
    (found,) = alerts.episodes(shop.database)
    first = alerts.acknowledge(shop.database, found.id, "ann", NOW)
    later = alerts.acknowledge(shop.database, found.id, "bob", NOW + DAY)
    assert first == later
    assert first is not None
    assert (first.acknowledged_at, first.acknowledged_by) == (NOW, "ann")
    assert alerts.acknowledge(shop.database, 99, "ann", NOW) is None


def test_snoozing_overtakes_a_look_that_is_under_way(shop: Shop) -> None:
    begin(shop, SPIKE)
    (found,) = alerts.episodes(shop.database)
    seen = alerts.alert_state(shop.database)
    snoozed = alerts.snooze_episode(shop.database, found.id, NOW + DAY)
    assert snoozed is not None
    assert snoozed.snoozed_until == NOW + DAY
    assert not begin(shop, state=seen)
    alerts.snooze_alert(shop.database, "spike", NOW + DAY)
    assert alerts.alert_state(shop.database).snoozed == {"spike": NOW + DAY}
    assert alerts.snooze_episode(shop.database, 99, NOW) is None


def test_episodes_are_found_by_stretch_brand_and_name(shop: Shop) -> None:
    old = replace(SPIKE, begun_at=OLD - 9 * DAY, last_at=OLD - 8 * DAY, ended_at=OLD - 8 * DAY)
    other = replace(SPIKE, name="mood", brand_id=2, subject="Rival", last_at=OLD + DAY, ended_at=OLD + DAY)
    begin(shop, SPIKE, old, other)

    def found(**given: object) -> list[str]:
        return [f"{one.name} {one.begun_at:%d}" for one in alerts.episodes(shop.database, **given)]  # type: ignore[arg-type]

    assert found() == ["mood 17", "spike 17", "spike 08"]
    assert found(since=OLD) == ["mood 17", "spike 17"]
    assert found(until=OLD) == ["spike 08"]
    assert found(since=OLD + 2 * DAY) == ["spike 17"]
    assert found(brand="Rival") == ["mood 17"]
    assert found(names=["spike"], open_only=True) == ["spike 17"]
    assert found(limit=1) == ["mood 17"]
