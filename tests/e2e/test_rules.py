"""Rules: what is new and caught is told once, whatever happens in between; what is old is not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from threading import Barrier, Thread

import pytest

from connectors.files_options import FileOptions
from monitor import delivery, firing
from monitor.app import App
from monitor.importing import import_file
from storage import mutes
from storage.reasons import Mute
from storage.tables import DELIVERY
from tests.e2e.conftest import ROOT, Home
from tests.e2e.forking import forker
from tests.e2e.test_run import wait_for
from tests.fakes.newsroom import Open
from tests.fakes.rulebook import ANGRY, Rulebook, review, ruled
from tests.fakes.storing import crash_everywhere

LOUD = {"name": "loud", "when": "words has 'broke'", "max_per_hour": 3}

# --- what is news


def test_what_the_first_pull_brings_fires_nothing(newsroom_anywhere: Open) -> None:
    book = ruled(newsroom_anywhere, {"name": "all", "when": "known(rating) or known(text)"})
    assert (book.firings, book.arrivals) == ([], 0)


def test_a_new_item_is_told_once_however_often_it_is_pulled(newsroom_anywhere: Open, tmp_path: Path) -> None:
    book = ruled(newsroom_anywhere)
    book.come(review("bad"), review("good", rating=5))
    assert book.act() == 1
    book.pull()
    assert book.act() == 0
    assert book.firings == [("angry", "1/5", 1)]
    assert delivery.deliver_due(book.room.app) == 1
    (file,) = (tmp_path / "out").iterdir()
    told = file.read_text(encoding="utf-8")
    assert "angry: review about Acme (reviews, 1 of 5 stars)" in told
    assert "when rating <= 2" in told
    assert "Title of bad" in told
    assert "good" not in told


def test_a_pull_s_items_come_in_one_notice(newsroom: Open) -> None:
    book = ruled(newsroom)
    book.come(*(review(f"r{number}a") for number in range(4)))
    assert book.act() == 1
    (body,) = book.bodies
    assert body["title"] == "angry: 4 items about Acme"
    assert (len(body["items"]), body["total"]) == (4, 4)
    assert body["figures"]["by_label"] == {"negative": 4}


def test_a_new_rating_fires_again_and_a_new_text_does_not(newsroom_anywhere: Open) -> None:
    book = ruled(newsroom_anywhere)
    book.come(review("bad", rating=2))
    book.act()
    book.change("bad", text="other words, and worse ones")
    assert book.act() == 0
    book.change("bad", rating=1)
    assert book.act() == 1
    assert [version for _, version, _ in book.firings] == ["1/5", "2/5"]
    assert "It was rated anew." in book.bodies[-1]["lines"]


def test_an_old_review_that_is_rated_anew_is_news(newsroom: Open) -> None:
    book = ruled(newsroom)
    book.change("r1", rating=1)
    assert book.act() == 1


def test_a_rating_that_was_given_before_fires_no_second_time(newsroom: Open) -> None:
    book = ruled(newsroom)
    book.come(review("bad", rating=1))
    book.act()
    for rating in (5, 1):
        book.change("bad", rating=rating)
        assert book.act() == 0


def test_only_the_last_of_several_ratings_counts(newsroom: Open) -> None:
    book = ruled(newsroom)
    book.come(review("bad", rating=1))
    book.change("bad", rating=5)
    assert book.arrivals == 2
    assert book.act() == 0
    assert (book.arrivals, book.firings) == (0, [])


@pytest.mark.parametrize(
    ("published", "fires"),
    [
        ("2026-11-20T06:59:00Z", False),  # before the source was first pulled
        ("2026-11-20T07:01:00Z", True),
        ("2026-11-21T07:59:00Z", False),  # 24 hours and a minute before it was found
        ("2026-11-21T08:01:00Z", True),
    ],
)
def test_what_was_published_long_ago_or_before_the_monitor_was_there_is_not_news(
    newsroom: Open, published: str, *, fires: bool
) -> None:
    book = ruled(newsroom)
    if published > "2026-11-21":
        book.room.later(days=2)
        assert book.room.now.isoformat() == "2026-11-22T08:00:30+00:00"
    book.come(review("late", published))
    assert book.act() == int(fires)


def test_a_source_that_is_read_rarely_has_news_as_old_as_two_of_its_intervals(newsroom: Open) -> None:
    room = newsroom()
    room.data["sources"][0]["every"] = "3d"
    book = Rulebook(room, ANGRY)
    room.later(days=6)
    book.come(review("five days old", "2026-11-21T08:00:00Z"), review("seven", "2026-11-20T07:30:00Z"))
    assert book.act() == 1
    assert len(book.firings) == 1


def test_an_import_fires_nothing(newsroom: Open, tmp_path: Path) -> None:
    book = ruled(newsroom)
    file = tmp_path / "more.csv"
    file.write_text("id,text,date,rating\nx1,it broke,2026-11-20T07:30:00Z,1\n", encoding="utf-8")
    options = FileOptions(path=str(file), kind="review")
    assert import_file(book.room.app, options, "Acme").new == 1
    assert (book.arrivals, book.act()) == (0, 0)


def test_a_new_rule_is_silent_about_what_came_before_it(newsroom_anywhere: Open) -> None:
    book = ruled(newsroom_anywhere)
    book.come(review("bad"))
    book.room.later(minutes=1)
    book.write(ANGRY, {"name": "broken", "when": "text has 'broke'"})
    assert book.act() == 1  # as if the program had been stopped between the pull and its rules
    assert [rule for rule, _, _ in book.firings] == ["angry"]
    book.come(review("worse", "2026-11-20T08:00:40Z"))
    assert book.act() == 2
    assert [rule for rule, _, _ in book.firings] == ["angry", "angry", "broken"]


def test_a_rule_that_was_away_is_new_when_it_comes_back(newsroom: Open) -> None:
    book = ruled(newsroom)
    book.come(review("bad"))
    book.room.later(minutes=1)
    book.write({**ANGRY, "enabled": False}, LOUD)
    book.write(ANGRY, LOUD)
    book.act()
    assert [rule for rule, _, _ in book.firings] == []


def test_without_rules_nothing_is_kept_for_them(newsroom: Open) -> None:
    book = ruled(newsroom, {**ANGRY, "enabled": False})
    book.come(review("bad"))
    assert (book.arrivals, book.act()) == (0, 0)


def test_what_is_not_counted_is_not_told(newsroom: Open) -> None:
    book = ruled(newsroom, {"name": "all", "when": "known(text)"})
    author = mutes.find_authors(book.room.app.database, "Marked-Author-Bob")[0][0]
    mutes.mute(book.room.app.database, Mute("Bob", author_id=author), book.room.now)
    muted = ("m1", "Title", "it broke", "2026-11-20T07:30:00Z", 1, "Marked-Author-Bob")
    book.come(muted)
    assert book.act() == 0


def test_own_posts_are_told_to_those_alone_who_ask_for_them(newsroom: Open) -> None:
    room = newsroom()
    room.data["sources"][0]["options"]["kind"] = "post"
    book = Rulebook(room, {"name": "all", "when": "known(text)"}, {"name": "own", "when": "kind == 'post'"})
    book.come(review("ours"))
    book.act()
    assert [rule for rule, _, _ in book.firings] == ["own"]


def test_a_rule_is_about_its_own_brands(newsroom: Open) -> None:
    brands = [{"name": "Acme"}, {"name": "Rival"}]
    book = ruled(newsroom, {**ANGRY, "brands": ["Rival"]}, {**ANGRY, "name": "ours", "brands": ["Acme"]}, brands=brands)
    book.come(review("bad"))
    book.act()
    assert [rule for rule, _, _ in book.firings] == ["ours"]


# --- not too many


def test_of_more_than_an_hour_may_tell_the_rest_comes_as_one_summary(newsroom_anywhere: Open) -> None:
    book = ruled(newsroom_anywhere, LOUD)
    book.come(*(review(f"a{number}") for number in range(2)))
    book.act()
    book.come(*(review(f"b{number}") for number in range(5)))
    assert book.act() == 1
    assert [body["total"] for body in book.bodies] == [2, 1]
    assert book.bodies[-1]["lines"][1] == ("3 in an hour are told at once; the rest, 4 so far, come together at 10:00.")
    assert book.act() == 0
    book.room.later(minutes=58)
    assert book.act() == 0
    book.room.later(minutes=2)
    assert book.act() == 1
    summary = book.bodies[-1]
    assert summary["title"] == "loud: 4 more between 09:00 and 10:00 about Acme"
    assert summary["lines"][1:] == ["By source: reviews 4.", "By label: negative 4."]
    assert (len(summary["items"]), summary["total"]) == (3, 4)
    assert book.act() == 0
    assert {notice for _, _, notice in book.firings} == {1, 2, 3}


def test_an_hour_that_begins_has_room_again(newsroom: Open) -> None:
    book = ruled(newsroom, LOUD)
    book.come(*(review(f"a{number}") for number in range(4)))
    book.act()
    book.room.later(hours=1)
    book.come(*(review(f"b{number}", "2026-11-20T08:30:00Z") for number in range(2)))
    assert book.act() == 2
    assert [body["title"] for body in book.bodies[1:]] == [
        "loud: 2 items about Acme", "loud: 1 more between 09:00 and 10:00 about Acme",
    ]  # fmt: skip


# --- once


def test_a_crash_anywhere_between_page_and_notice_loses_and_doubles_nothing(newsroom_anywhere: Open) -> None:
    book = ruled(newsroom_anywhere, ANGRY, LOUD)
    book.come(*(review(f"r{number}x") for number in range(5)))

    def all_is_told_or_nothing() -> None:
        left = (book.arrivals, len(book.firings), len(book.notices), len(book.room.rows(DELIVERY)))
        assert left in ((5, 0, 0, 0), (0, 10, 2, 2))

    assert crash_everywhere(book.room.app.database, book.act, all_is_told_or_nothing) > 5
    assert [body["total"] for body in book.bodies] == [5, 3]
    assert (len(book.firings), book.arrivals, len(book.room.rows(DELIVERY))) == (10, 0, 2)


def test_of_several_daemons_one_tells(newsroom_anywhere: Open) -> None:
    book = ruled(newsroom_anywhere, ANGRY, LOUD)
    apps = [book.room.start() for _ in range(4)]
    for turn in range(5):
        book.come(*(review(f"{turn} {number}") for number in range(3)))
        assert sum(all_at_once(apps)) == (2 if turn == 0 else 1)
    angry = [body for notice, body in zip(book.notices, book.bodies, strict=True) if notice["name"] == "angry"]
    assert sorted(number for body in angry for number in body["items"]) == sorted(
        {i for b in angry for i in b["items"]}
    )
    assert sum(body["total"] for body in angry) == 15
    assert sum(1 for rule, _, notice in book.firings if rule == "loud" and notice is None) == 12


def all_at_once(apps: Sequence[App]) -> list[int]:
    """How many notices each queued."""
    ready, queued = Barrier(len(apps)), list[int]()

    def act(app: App) -> None:
        ready.wait()
        queued.append(firing.act(app))

    threads = [Thread(target=act, args=(app,)) for app in apps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return queued


KILLED = """
import json, sys
from datetime import datetime
from monitor import firing
from monitor.app import build
from monitor.config import parse
data, now = json.loads(sys.stdin.read()), datetime.fromisoformat(sys.argv[1])
app = build(parse(data), now=lambda: now)
firing.AT_ONCE = 2
print("ready", flush=True)
while firing.act(app):
    pass
"""


def test_killed_again_and_again_each_item_is_told_once(newsroom_anywhere: Open) -> None:
    book = ruled(newsroom_anywhere, {**ANGRY, "max_per_hour": 1000})
    book.come(*(review(f"{number} x") for number in range(60)))
    random, killed = Random(7), 0
    while book.arrivals:
        process = forker().start(
            KILLED, [book.room.now.isoformat()], ROOT, dict(os.environ), given=json.dumps(book.room.data)
        )
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        if killed < 3:
            try:
                process.wait(random.uniform(0.005, 0.05))
            except subprocess.TimeoutExpired:
                process.kill()
        killed += process.wait(60) == -signal.SIGKILL
        process.stdout.close()
    assert killed
    told = [number for body in book.bodies for number in body["items"]]
    assert (len(told), len(set(told)), sum(body["total"] for body in book.bodies)) == (60, 60, 60)
    assert len(book.firings) == 60
    assert all(notice is not None for _, _, notice in book.firings)
    assert len(book.room.rows(DELIVERY)) == len(book.notices)


# --- as a person has it

CONFIG = """
[[brands]]
name = "Acme"
[[sources]]
name = "reviews"
type = "files"
brand = "Acme"
match = "all"
options = { path = "reviews.csv" }
[[channels]]
name = "out"
type = "file"
formats = ["txt"]
[[rules]]
name = "angry"
when = "rating <= 2"
channels = ["out"]
[[rules]]
name = "resting"
when = "rating >= 4"
enabled = false
"""


@pytest.fixture
def shop_(home: Home) -> Home:
    home.write(CONFIG)
    grow(home, 0)
    home.run("run", "--once")
    return home


def grow(home: Home, number: int) -> None:
    file = home.folder / "reviews.csv"
    head = "id,text,date,rating\n" if number == 0 else file.read_text(encoding="utf-8")
    file.write_text(f"{head}n{number},it broke,{datetime.now(UTC).isoformat()},1\n", encoding="utf-8")


def told(home: Home) -> list[str]:
    folder = home.folder / "var/digests"
    return sorted(path.name for path in folder.glob("rule-angry-*.txt")) if folder.exists() else []


def test_one_round_tells_what_is_new(shop_: Home) -> None:
    assert told(shop_) == []
    grow(shop_, 1)
    shop_.run("run", "--once")
    shop_.run("run", "--once")
    assert len(told(shop_)) == 1


def test_rules_are_listed_tried_and_checked(shop_: Home) -> None:
    grow(shop_, 1)
    shop_.run("run", "--once")
    angry, resting = shop_.json("rules", "list")["rules"]
    assert (angry["name"], angry["when"], angry["channels"], angry["fired_30_days"]) == (
        "angry",
        "rating <= 2",
        ["out"],
        1,
    )
    assert (resting["name"], resting["enabled"]) == ("resting", False)
    assert "not enabled" in shop_.run("rules", "list").stdout

    (tried,) = shop_.json("rules", "test")["rules"]
    assert (tried["rule"], tried["caught"], tried["looked_at"], sum(tried["by_day"].values())) == ("angry", 2, 2, 2)
    assert [item["text"] for item in tried["examples"]] == ["it broke", "it broke"]
    (tried,) = shop_.json("rules", "test", "resting", "--since", "2d")["rules"]
    assert tried["caught"] == 0
    shown = shop_.run("rules", "test", "--when", "text has 'broke' and rating < 3").stdout
    assert "would have caught 2 of 2 items" in shown
    assert len(told(shop_)) == 1
    assert shop_.json("rules", "list")["rules"][0]["fired_30_days"] == 1

    checked = shop_.json("check")
    assert [(rule["name"], rule["caught_30_days"]) for rule in checked["rules"]] == [("angry", 2), ("resting", None)]
    said = shop_.run("check").stdout
    assert "rule angry: rating <= 2, to out; would have caught 2 of the last 30 days' items" in said


def test_faults_are_shown_with_their_place(shop_: Home) -> None:
    wrong = shop_.run("rules", "test", "--when", "ratng <= 2", code=2).stderr
    assert wrong.startswith('--when: no field "ratng"; did you mean "rating"?\n')
    assert wrong.splitlines()[1:] == ["  ratng <= 2", "  ^"]
    assert 'no rule "nobody"; there are: angry, resting' in shop_.run("rules", "test", "nobody", code=2).stderr
    shop_.write(CONFIG.replace("rating <= 2", "rating <= 'two'").replace('["out"]', '["outt"]'))
    faults = shop_.run("check", code=2).stderr
    assert 'rules.angry.channels: no channel "outt"; did you mean "out"?' in faults
    assert "rules.angry.when: rating is a number, 'two' is a text; compare like with like" in faults


def test_a_daemon_tells_within_seconds(shop_: Home) -> None:
    shop_.write(CONFIG.replace('match = "all"', 'match = "all"\nevery = "1m"'))
    daemon = shop_.start("run")
    try:
        grow(shop_, 1)
        shop_.run("pull", "reviews")
        wait_for(lambda: len(told(shop_)) == 1, daemon)
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.communicate(timeout=30)
