"""Which programs run on the store; which sources people have paused."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from storage import parties, sources
from storage.engine import Database
from storage.leases import clock
from storage.party_tables import DAEMON, TOKEN
from storage.records import Outcome, SourceState
from storage.sources import SourceEntry
from storage.tables import BRAND
from tests.fakes.storing import NOW, OLD, Shop

LATER = NOW + timedelta(hours=1)


def state(database: Database, name: str = "north") -> SourceState:
    return next(one for one in sources.states(database) if one.name == name)


def silent_for(database: Database, owner: str, length: timedelta) -> None:
    def work(connection: object) -> None:
        connection.execute(update(DAEMON).where(DAEMON.c.owner == owner).values(seen_at=clock(connection) - length))  # type: ignore[attr-defined,arg-type]

    database.write(work)


def owners(database: Database) -> list[str]:
    return [one.owner for one in parties.running(database)]


def test_who_announces_itself_is_running_until_it_leaves(database: Database) -> None:
    parties.announce(database, "b:1:x", LATER, {"parts": {"scoring": "1"}})
    parties.announce(database, "a:1:x", NOW, {})
    assert owners(database) == ["a:1:x", "b:1:x"]
    parties.announce(database, "b:1:x", LATER, {"parts": {"scoring": "2"}})
    found = parties.running(database)[1]
    assert (found.started_at, found.settings) == (LATER, {"parts": {"scoring": "2"}})
    parties.leave(database, "a:1:x")
    assert owners(database) == ["b:1:x"]


def test_who_is_silent_is_taken_for_gone_and_its_line_goes_with_the_next_that_comes(database: Database) -> None:
    for owner in ("gone", "held up", "here"):
        parties.announce(database, owner, NOW, {})
    silent_for(database, "gone", parties.FORGOTTEN + timedelta(seconds=5))
    silent_for(database, "held up", parties.STALE + timedelta(seconds=5))
    assert owners(database) == ["here"]
    parties.announce(database, "new", NOW, {})
    assert [parties.beat(database, owner) for owner in ("gone", "held up", "here")] == [False, True, True]
    assert owners(database) == ["held up", "here", "new"]


def test_what_a_person_paused_survives_a_pull_a_restart_and_leaving_the_configuration(shop: Shop) -> None:
    database = shop.database
    claim = shop.claimed()
    assert sources.pause(database, "north", "ann", "they move")
    sources.finish_pull(database, claim, Outcome(NOW), NOW)
    sources.resume_all(database, ["north", "south"], NOW)
    sources.retire(database, [])
    sources.sync(database, [], [SourceEntry("north", "forum", "forum")], NOW)
    sources.sync(database, [], [SourceEntry("north", "other", "other")], NOW)
    assert (state(database).paused, state(database).paused_by) == ("they move", "ann")
    assert shop.claim(only_due=True) is None
    assert sources.resume(database, "north", NOW)
    assert (state(database).paused, state(database).paused_by) == (None, None)
    assert shop.claim(only_due=True) is not None


def test_resuming_what_is_not_paused_and_pausing_what_is_not_there_say_so(shop: Shop) -> None:
    assert not sources.resume(shop.database, "north", NOW)
    assert not sources.pause(shop.database, "west", "ann", "why")


def test_a_pull_is_brought_forward_but_where_the_platform_asked_to_wait(shop: Shop) -> None:
    for name, fate in (("north", None), ("south", "ratelimited")):
        sources.finish_pull(shop.database, shop.claimed(name), Outcome(LATER, fate, fate, waiting=True), NOW)
    sources.bring_forward(shop.database, ["north", "south"], NOW)
    assert [state(shop.database, name).next_run_at for name in ("north", "south")] == [NOW, LATER]
    sources.bring_forward(shop.database, ["north"], LATER)
    assert state(shop.database).next_run_at == NOW, "what is due stays due"


def test_a_renamed_brand_stays_the_same_and_keys_to_it_still_fit(shop: Shop) -> None:
    ids = sources.sync(shop.database, ["Acme", "Rival"], [], NOW)
    token = {"name": "shop", "digest": "d", "may_write": False, "brands": ["Rival", "Acme"], "created_at": NOW}
    shop.database.write(lambda connection: connection.execute(TOKEN.insert().values(token)))
    found = sources.sync(shop.database, ["Acme Ltd", "Rival"], [], NOW, {"Acme Ltd": "Acme"})
    assert found == {"Acme Ltd": ids["Acme"], "Rival": ids["Rival"]}
    keys = shop.database.read(lambda connection: connection.execute(select(TOKEN.c.brands)).scalar())
    assert keys == ["Rival", "Acme Ltd"]
    sources.sync(shop.database, ["Acme Ltd", "Acme"], [], NOW, {"Acme Ltd": "Acme"})
    names = shop.database.read(
        lambda connection: list(connection.execute(select(BRAND.c.name).order_by(BRAND.c.id)).scalars())
    )
    assert names == ["Acme Ltd", "Rival", "Acme"], "a name that stands for another brand now is no rename"


def test_of_former_names_the_first_that_is_known_and_not_in_use_is_taken(shop: Shop) -> None:
    number = state(shop.database, "south").id
    entries = [
        SourceEntry("east", "forum", "forum", ["nowhere", "north", "south"]),
        SourceEntry("north", "forum", "forum"),
    ]
    sources.sync(shop.database, [], entries, NOW)
    assert state(shop.database, "east").id == number
    assert sources.claim_source(shop.database, "me", {"east": OLD}, NOW, timedelta(minutes=1)) is not None
