"""Who may pull a source, and until when."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from storage import sources
from storage.engine import Database, open_database
from storage.leases import LeaseLost
from storage.records import Outcome
from storage.sources import SourceEntry
from storage.tables import PULL, SOURCE
from tests.fakes.storing import LEASE, NOW, OLD, Shop, item

LATER = NOW + timedelta(minutes=10)
OVER = timedelta(0)
"""A lease that has ended as soon as it is given."""


def test_two_owners_never_hold_one_source(shop: Shop) -> None:
    assert shop.claim(owner="me") is not None
    assert shop.claim(owner="other") is None
    assert shop.claim(owner="me") is None


def test_a_claim_says_where_to_go_on_and_how_far_back(shop: Shop) -> None:
    shop.pull(item("a"), cursor={"page": [1, {"deep": None}]})
    claim = sources.claim_source(shop.database, "me", {"north": NOW, "south": NOW}, NOW, LEASE)
    assert claim is not None
    assert (claim.name, claim.cursor, claim.turn, claim.failures) == ("north", {"page": [1, {"deep": None}]}, 1, 0)
    assert claim.reaches_back_to == OLD, "the first pull's horizon stays"


def test_what_is_due_longest_comes_first(shop: Shop) -> None:
    sources.finish_pull(shop.database, shop.claimed("north"), Outcome(LATER), NOW)
    horizons = {"north": OLD, "south": OLD}
    claims = [sources.claim_source(shop.database, "me", horizons, LATER, LEASE) for _ in range(3)]
    assert [claim and claim.name for claim in claims] == ["south", "north", None]


def test_only_what_is_due_and_not_paused_is_claimed(shop: Shop) -> None:
    sources.finish_pull(shop.database, shop.claimed("north"), Outcome(LATER), NOW)
    sources.finish_pull(shop.database, shop.claimed("south"), Outcome(NOW, "accessdenied", "401", paused="401"), NOW)
    for name in ("north", "south"):
        assert shop.claim(name, only_due=True) is None
        assert shop.claim(name, only_due=False) is not None, "somebody asked for it"
    sources.release_all(shop.database, "me")


def test_a_source_that_one_daemon_s_configuration_lacks_is_still_pulled_by_another_s(shop: Shop) -> None:
    sources.retire(shop.database, ["south"])
    assert [state.active for state in sources.states(shop.database)] == [False, True]
    assert shop.claim("north") is not None
    assert [state.active for state in sources.states(shop.database)] == [True, True]


def test_a_lease_that_has_ended_is_taken_over_and_its_owner_refused(shop: Shop) -> None:
    zombie = shop.claim(owner="slow", lease=OVER)
    assert zombie is not None
    heir = shop.claimed(owner="quick")
    assert heir.fence == zombie.fence + 1
    for refused in (
        lambda: shop.save(zombie, item("a"), cursor={"stale": 1}),
        lambda: sources.finish_pull(shop.database, zombie, Outcome(LATER), NOW),
        lambda: sources.give_back(shop.database, zombie),
    ):
        with pytest.raises(LeaseLost, match="taken over"):
            refused()
    shop.save(heir, item("a"), cursor={"fresh": 1})
    assert shop.row(SOURCE, name="north")["cursor"] == {"fresh": 1}


def test_a_lease_that_has_ended_and_nobody_took_still_stands(shop: Shop) -> None:
    claim = shop.claim(lease=OVER)
    assert claim is not None
    assert shop.save(claim, item("a")).new == 1


def test_all_leases_of_an_owner_are_released_at_once_and_no_others(shop: Shop) -> None:
    mine = shop.claimed("north", owner="me")
    shop.claimed("south", owner="other")
    sources.release_all(shop.database, "me")
    with pytest.raises(LeaseLost):
        shop.save(mine, item("a"))
    assert shop.claim("south") is None
    assert shop.claim("north", owner="other") is not None


def test_a_pull_given_back_is_no_failure_and_still_due(shop: Shop) -> None:
    sources.give_back(shop.database, shop.claimed())
    claim = shop.claim(only_due=True)
    assert claim is not None
    assert (claim.failures, claim.turn) == (0, 0)
    assert [log["ok"] for log in shop.rows(PULL)] == [None, None]


def test_the_end_of_a_pull_is_written_into_health_and_log(shop: Shop) -> None:
    sources.finish_pull(shop.database, shop.claimed(), Outcome(LATER, "unavailable", "x" * 900, "y" * 900), LATER)
    bad = next(state for state in sources.states(shop.database) if state.name == "north")
    assert (bad.failures, bad.fate, bad.known_until, bad.last_begun_at) == (1, "unavailable", None, NOW)
    assert (bad.error, bad.paused, bad.lease_owner, bad.lease_until) == ("x" * 500, "y" * 500, None, None)
    sources.finish_pull(shop.database, shop.claimed(), Outcome(LATER), LATER)
    good = next(state for state in sources.states(shop.database) if state.name == "north")
    assert (good.failures, good.error, good.paused, good.known_until, good.last_success_at) == (
        0,
        None,
        None,
        NOW,
        LATER,
    )
    assert [(log["ok"], log["fate"], log["ended_at"]) for log in shop.rows(PULL)] == [
        (False, "unavailable", LATER),
        (True, None, LATER),
    ]


def test_paused_sources_are_resumed_at_the_next_start(shop: Shop) -> None:
    sources.finish_pull(shop.database, shop.claimed(), Outcome(LATER, "notthere", "404", "404"), NOW)
    sources.resume_all(shop.database, ["north", "south"], NOW)
    claim = shop.claim(only_due=True)
    assert claim is not None
    assert claim.failures == 0


# ----------------------------------------------------------------------------------- in step with the configuration


def test_what_leaves_the_configuration_rests_and_comes_back_with_its_cursor(shop: Shop) -> None:
    shop.pull(item("a"), cursor={"page": 2})
    entries = [SourceEntry("north", "forum", "forum"), SourceEntry("south", "forum", "forum")]
    assert sources.sync(shop.database, ["Acme"], entries[1:], NOW) == {"Acme": 1, "Rival": 2}
    assert [state.active for state in sources.states(shop.database)] == [True, True], "looking changes nothing"
    sources.retire(shop.database, ["south"])
    assert [state.active for state in sources.states(shop.database)] == [False, True]
    sources.sync(shop.database, ["Acme"], entries, NOW)
    assert shop.claimed().cursor == {"page": 2}


def test_a_renamed_source_keeps_everything(shop: Shop) -> None:
    shop.pull(item("a"), cursor={"page": 2})
    for _ in range(2):
        entries = [SourceEntry("west", "forum", "forum", was="north"), SourceEntry("south", "forum", "forum")]
        sources.sync(shop.database, ["Acme"], entries, NOW)
    assert [state.name for state in sources.states(shop.database)] == ["south", "west"]
    claim = shop.claimed("west")
    assert (claim.source_id, claim.cursor) == (1, {"page": 2})


def test_a_source_of_another_type_begins_anew_and_who_still_pulls_the_old_one_is_refused(shop: Shop) -> None:
    shop.pull(item("a"), cursor={"page": 2})
    sources.finish_pull(shop.database, shop.claimed(), Outcome(LATER, "accessdenied", "401", "401"), NOW)
    old = shop.claimed()
    sources.sync(shop.database, ["Acme"], [SourceEntry("north", "blog", "web")], LATER)
    with pytest.raises(LeaseLost):
        shop.save(old, item("b"), cursor={"page": 3})
    claim = sources.claim_source(shop.database, "me", {"north": NOW}, LATER, LEASE)
    assert claim is not None
    assert (claim.platform, claim.cursor, claim.failures, claim.reaches_back_to) == ("web", None, 0, NOW)


def test_an_imported_file_is_known_without_being_configured(shop: Shop) -> None:
    entry = SourceEntry("import old.csv", "files", "files")
    for _ in range(2):
        sources.ensure(shop.database, entry, NOW)
        sources.sync(shop.database, ["Acme"], [SourceEntry("north", "forum", "forum")], NOW)
        sources.retire(shop.database, ["north"])
    assert {state.name: state.active for state in sources.states(shop.database)} == {
        "import old.csv": True,
        "north": True,
        "south": False,
    }


# ------------------------------------------------------------------------------------------------------ several at once


def test_many_that_claim_at_once_get_each_source_exactly_once(database_url: str, database: Database) -> None:
    names = [f"source {number:02}" for number in range(24)]
    Shop(database, names=names)

    def claims(owner: str) -> list[str]:
        own = open_database(database_url)
        found = []
        while (claim := sources.claim_source(own, owner, dict.fromkeys(names, OLD), NOW, LEASE)) is not None:
            found.append(claim.name)
        own.close()
        return found

    with ThreadPoolExecutor(4) as pool:
        found = [name for part in pool.map(claims, "abcd") for name in part]
    assert sorted(found) == names
