"""``sources`` says how each source is, in words a person understands."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from datetime import timedelta

import pytest

from monitor.app import owner_name, utc_now
from monitor.health import Health, health_of_sources
from storage import sources
from storage.budgets import take
from storage.health import note_reading
from storage.ingest import save_page
from storage.records import Claim, GapValues, Outcome, PageValues
from storage.sources import SourceEntry
from tests.e2e.conftest import Home
from tests.fakes.newsroom import Newsroom, Open

ELSEWHERE = "web-2:4711:abcdef01"


def health(room: Newsroom, name: str = "reviews") -> Health:
    return next(one for one in health_of_sources(room.app) if one.name == name)


def claimed(room: Newsroom, owner: str = "me") -> Claim:
    lease = timedelta(minutes=5) + max(timedelta(0), room.now - utc_now())
    found = sources.claim_source(room.app.database, owner, {"reviews": room.now}, room.now, lease, only_due=False)
    assert found is not None
    return found


def failed(room: Newsroom, fate: str, error: str, *, paused: str | None = None, waiting: bool = False) -> Health:
    """A pull that ended badly; it is tried again in ten minutes."""
    outcome = Outcome(room.now + timedelta(minutes=10), fate, error, paused, waiting)
    sources.finish_pull(room.app.database, claimed(room), outcome, room.now)
    return health(room)


def test_a_source_that_was_just_read_is_fine_and_tells_its_numbers(newsroom_anywhere: Open) -> None:
    room = newsroom_anywhere()
    assert (health(room).state, health(room).words) == ("waiting", "not read yet")
    room.pull()
    found = health(room)
    assert (found.state, found.words) == ("fine", "fine")
    assert found.last_pull is not None
    assert {key: found.last_pull[key] for key in ("ok", "seen", "new", "changed", "skipped")} == {
        "ok": True,
        "seen": 2,
        "new": 2,
        "changed": 0,
        "skipped": 0,
    }
    assert found.newest_item_at is not None
    assert f"{found.newest_item_at:%Y-%m-%dT%H:%M}" == "2026-11-19T11:00"


def test_a_source_that_nobody_reads_is_late(newsroom: Open) -> None:
    room = newsroom()
    room.pull()
    room.later(hours=3)
    assert health(room).state == "late"
    assert health(room).words == "late by 2 h; is the daemon running?; read up to 20 Nov 08:00"
    room.later(days=3)
    assert health(room).words.startswith("late by 3 days; ")


def test_a_source_that_was_never_read_says_so_when_it_is_late(newsroom: Open) -> None:
    room = newsroom()
    room.later(minutes=40)
    assert health(room).words == "not read yet, late by 40 min; is the daemon running?"


def test_where_others_are_read_the_daemon_is_not_asked_for(newsroom: Open) -> None:
    room = newsroom()
    room.pull()
    room.data["sources"].append({**room.data["sources"][0], "name": "more"})
    room.app = room.start()
    room.later(hours=2)
    assert "is the daemon running?" in health(room).words
    room.pull()
    room.later(minutes=1)
    assert health(room, "more").words == "not read yet, late by 2 h; others are being read: raise workers, or wait"


def test_who_reads_a_source_is_named(newsroom: Open) -> None:
    room = newsroom()
    claim = claimed(room, ELSEWHERE)
    found = health(room)
    assert (found.state, found.words) == ("pulling", "being read now by web-2:4711")
    assert found.held_by == ELSEWHERE
    assert found.held_until is not None
    sources.give_back(room.app.database, claim)
    assert health(room).held_by is None
    claim = claimed(room, f"{socket.gethostname()[:40]}:99:abcdef01")
    assert health(room).words == "being read now by this machine, process 99"
    sources.give_back(room.app.database, claim)
    claimed(room, room.app.owner)
    assert health(room).words == "being read now by this process"


def test_an_owner_s_name_is_as_the_words_expect_it() -> None:
    host, pid, token = owner_name().rsplit(":", 2)
    assert host == socket.gethostname()[:40]
    assert pid.isdigit()
    assert token


@pytest.mark.parametrize(
    ("fate", "error", "state", "words"),
    [
        ("ratelimited", "asked too often", "limited", "waiting until 20 Nov 08:10: asked too often"),
        (
            "unavailable",
            "host: cannot be reached; trying again later",
            "retrying",
            "host: cannot be reached; trying again",
        ),
        (
            "store",
            "the disk is full; free some space",
            "store",
            "read, but the store refused it: the disk is full; free",
        ),
    ],
)
def test_what_went_wrong_is_said_with_when_it_is_tried_again(
    newsroom: Open, fate: str, error: str, state: str, words: str
) -> None:
    found = failed(newsroom(), fate, error)
    assert (found.state, found.error) == (state, error)
    assert found.words.startswith(words)
    assert "20 Nov 08:10" in found.words
    assert found.next_run_at is not None


def test_repeated_failures_are_counted(newsroom: Open) -> None:
    room = newsroom()
    for _ in range(3):
        found = failed(room, "unavailable", "host: answered 503; trying again later")
    assert found.state == "failing"
    assert found.words == "failed 3 times in a row: host: answered 503; trying again at 20 Nov 08:10"


@pytest.mark.parametrize(
    ("fate", "state", "words"),
    [
        (
            "accessdenied",
            "refused",
            "paused, access refused: host: answered 401; mend that, then restart the daemon or pull",
        ),
        (
            "notthere",
            "not_there",
            "paused, not there: host: answered 401; mend that, then restart the daemon or pull it once",
        ),
    ],
)
def test_a_pause_names_its_remedy(newsroom: Open, fate: str, state: str, words: str) -> None:
    found = failed(newsroom(), fate, "host: answered 401", paused="host: answered 401")
    assert found.state == state
    assert found.words.startswith(words)
    assert found.next_run_at is None


def test_a_gap_is_told_for_a_week(newsroom: Open) -> None:
    room = newsroom()
    day = timedelta(days=1)
    claim = claimed(room)
    for since, missing in ((2 * day, 30), (day, 10)):
        gap = GapValues(
            room.now - since, room.now - since + timedelta(hours=1), "the platform shows 1,000 at most", missing
        )
        save_page(room.app.database, claim, PageValues(gap=gap), room.now)
    sources.finish_pull(room.app.database, claim, Outcome(room.now + timedelta(minutes=10)), room.now)
    found = health(room)
    assert found.words == "fine; a gap of about 40 items since 18 Nov 08:00"
    assert found.gap is not None
    assert found.gap.missing == 40
    room.later(days=9)
    assert health(room).gap is None


def test_readings_that_fail_are_said_until_they_work_again(newsroom_anywhere: Open) -> None:
    room = newsroom_anywhere()
    room.pull()
    (state,) = sources.states(room.app.database)
    note_reading(room.app.database, state.id, "followers", "host: answered 403; trying again later", room.now)
    room.later(minutes=5)
    note_reading(room.app.database, state.id, "followers", "host: answered 403; trying again later", room.now)
    assert health(room).words == "fine; followers not read since 20 Nov 08:00: host: answered 403"
    note_reading(room.app.database, state.id, "followers", None, room.now)
    assert health(room).readings == []


def test_a_resting_an_imported_and_a_foreign_source_are_told_apart(newsroom: Open) -> None:
    room = newsroom()
    entries = [SourceEntry(name, "files", "files") for name in ("import old.csv", "theirs")]
    for entry in entries:
        sources.ensure(room.app.database, entry, room.now)
    room.data["sources"][0]["enabled"] = False
    room.app = room.start()
    room.later(days=1)
    assert {one.name: one.state for one in health_of_sources(room.app)} == {
        "import old.csv": "imported",
        "reviews": "resting",
        "theirs": "elsewhere",
    }
    sources.retire(room.app.database, [])
    assert health(room, "theirs").state == "gone"


def test_a_spent_budget_is_told_with_whose_it_is(newsroom_anywhere: Open) -> None:
    room = newsroom_anywhere()
    room.data["sources"][0]["requests"] = ["2/1h", "10/1d"]
    room.app = room.start()
    limits = health(room).budget
    for _ in range(2):
        assert take(room.app.database, "source reviews", [one.limit for one in limits]) is None
    found = health(room)
    assert [one.units for one in found.budget] == [0, 8]
    assert found.budget_of == 'source "reviews"'
    error = 'the request budget of source "reviews" is spent (2/1h, 10/1d)'
    found = failed(room, "ratelimited", error, waiting=True)
    assert (found.state, found.failures) == ("limited", 0)
    assert found.words == f"waiting until 20 Nov 08:10: {error}"


CONFIG = """
[[brands]]
name = "Acme"
[[sources]]
name = "drawer"
type = "files"
brand = "Acme"
requests = "5/1h"
options = { path = "posts.csv", kind = "mention" }
"""


@pytest.fixture
def drawer(write_config: Callable[[str], Home]) -> Home:
    home = write_config(CONFIG)
    (home.folder / "posts.csv").write_text("id,date,text\n1,2026-11-01,The acme phone is lovely\n", encoding="utf-8")
    return home


def test_every_form_of_the_command_prints_one_document(drawer: Home) -> None:
    drawer.run("db", "upgrade")
    assert drawer.json("sources", "--healthy") == {"healthy": True}
    drawer.run("pull")
    (found,) = drawer.json("sources")["sources"]
    assert found["last_pull"]["new"] == 1
    assert found["budget"] == [{"requests": 5, "seconds": 3600, "spent": 0, "left": 5, "wait_seconds": None}]
    assert drawer.json("sources", "drawer") == drawer.json("sources", "show", "drawer")
    assert len(drawer.json("sources", "drawer")["pulls"]) == 1


def test_what_is_left_of_a_budget_is_printed(drawer: Home) -> None:
    drawer.run("pull")
    assert "5 of 5 left in 1h" in " ".join(drawer.run("sources").stdout.split())
    assert drawer.json("check")["tried"][1]["budget"] == 'source "drawer": 5 of 5 left in 1h'


def test_the_daemon_has_no_document_to_print(drawer: Home) -> None:
    done = drawer.run("run", "--json", code=2)
    assert done.stdout == ""
    assert "add --once" in done.stderr


def test_the_types_are_listed_and_told_one_by_one(home: Home) -> None:
    listed = home.json("sources", "types")["types"]
    assert {"reddit", "steam", "feeds", "sample"} <= {one["name"] for one in listed}
    (steam,) = home.json("sources", "types", "steam")["types"]
    assert steam["options"][0] | {"meaning": ""} == {
        "name": "app_id",
        "type": "text",
        "default": None,
        "needed": True,
        "secret": False,
        "meaning": "",
    }
    assert steam["tried"] == "made up"
    shown = home.run("sources", "types", "steam").stdout
    assert "needs no credentials; app_id" in shown
    assert "never against real ones" in shown
    assert 'no type "nope"' in home.run("sources", "types", "nope", code=2).stderr
    assert json.loads(home.run("sources", "types", "reddit", "--json").stdout)["types"][0]["credentials"] == [
        "client_id",
        "client_secret",
    ]
