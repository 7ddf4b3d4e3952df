"""The main job as a person sees it: the example configuration, once, again, as a daemon, killed, and without internet."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.e2e.conftest import Home, Round
from tests.e2e.forking import Forked, forker

FORMS = {"html", "txt", "md", "json"}


def digest_files(home: Home) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (home.folder / "var/digests").iterdir()}


def wait_for(what: Callable[[], object], process: subprocess.Popen[str]) -> None:
    """Until ``what`` holds; a process that ends before is a failure."""
    end = time.monotonic() + 60
    while not what():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "not within a minute"
        time.sleep(0.05)


def test_one_round_writes_the_digests_and_a_second_adds_nothing(example: Home) -> None:
    first = example.json("run", "--once")
    assert sum(pull["new"] for pull in first["pulls"]) > 900
    assert first["digests"] == 2
    files = digest_files(example)
    assert {Path(name).suffix[1:] for name in files} == FORMS
    assert {name.split("-")[0] for name in files} == {"daily", "weekly"}
    assert len(files) == 8

    second = example.json("run", "--once")
    assert sum(pull["new"] + pull["changed"] for pull in second["pulls"]) == 0
    assert second["digests"] == 0
    assert digest_files(example) == files


def test_without_internet_the_rest_is_complete_and_what_was_never_read_is_said(first_round: Round) -> None:
    example, done = first_round.home, first_round.done
    fates = {pull["source"]: pull["fate"] for pull in done["pulls"]}
    real = {name for name in fates if name.startswith("home-assistant")}
    assert {fates[name] for name in real} == {"unavailable"}
    assert {fate for name, fate in fates.items() if name not in real} == {None}

    brands = {brand["brand"]: brand for brand in example.json("scores", "--since", "9d")["brands"]}
    assert brands["Home Assistant"]["coverage"]["complete"] is False
    assert {one["source"] for one in brands["Home Assistant"]["coverage"]["unread"]} == real
    assert brands["Home Assistant"]["social"]["score"] is None
    assert brands["Larkspur"]["coverage"]["complete"] is True
    states = {state["name"]: state["state"] for state in example.json("sources")["sources"]}
    assert {states[name] for name in real} == {"retrying"}


def test_the_story_is_told_by_the_figures(first_round: Round) -> None:
    example = first_round.home
    report = example.json("scores", "--since", "9d")
    larkspur, jotwick, pebblebox, _ = report["brands"]
    assert larkspur["reviews"]["change"]["verdict"] == "down"
    assert larkspur["reviews"]["rating"]["mean"] < 3 < jotwick["reviews"]["rating"]["mean"]
    assert pebblebox["social"]["change"]["verdict"] == "too few to tell"
    assert larkspur["social"]["unscored"] > 0
    assert larkspur["coverage"]["unscored_languages"]
    month = example.json("scores", "--since", "30d", "--brand", "Larkspur")["brands"][0]
    down = month["coverage"]["gaps"][0]
    assert down["source"] == "sample-forum"
    marked = [datetime.fromisoformat(day["start"]) for day in month["series"] if day["gap"]]
    assert marked[0] <= datetime.fromisoformat(down["start"]) < marked[0] + timedelta(days=1)
    assert len(marked) == 2  # a day in UTC touches two in Berlin
    assert month["social"]["uncounted"]["excluded"] > 0
    assert month["engagement"]["mentions"]["gained"]["likes"] > 0
    assert {account["account"] for account in month["followers"]} == {"@larkspur@social.example", "larkspur.notes"}
    assert all(account["change"] is not None for account in month["followers"])


def test_figures_agree_with_the_items_behind_them(first_round: Round) -> None:
    example = first_round.home
    day = f"{datetime.now(UTC) - timedelta(days=30):%Y-%m-%d}"
    window = ("--since", day, "--brand", "Larkspur")
    brand = example.json("scores", *window)["brands"][0]
    for label in ("positive", "negative", "neutral", "unscored"):
        listed = example.json("items", *window, "--kind", "mention", "--label", label, "--limit", "1000")
        assert len(listed["items"]) == listed["total"] == brand["social"][label]
    assert example.run("db", "verify").stdout.startswith("every figure is right\n")


def test_the_daemon_pulls_writes_digests_and_ends_cleanly_on_sigterm(example: Home) -> None:
    daemon = example.launch("run", "--log-format", "json")
    try:
        wait_for(lambda: len(list((example.folder / "var/digests").glob("*.html"))) == 2, daemon)
        begun = time.monotonic()
        daemon.send_signal(signal.SIGTERM)
        _, log = daemon.communicate(timeout=30)
        assert time.monotonic() - begun < 10
    finally:
        daemon.kill()
    assert daemon.returncode == 0
    events = [json.loads(line) for line in log.splitlines()]
    assert [event for event in events if event["message"].startswith("pulled source=sample-reddit")]
    assert not [event for event in events if "exception" in event]
    with sqlite3.connect(example.folder / "var/monitor.db") as store:
        assert store.execute("SELECT count(*) FROM source WHERE lease_owner IS NOT NULL").fetchone() == (0,)


PULL = """
import sys, threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from monitor.app import build
from monitor.daemon import horizons, pull_now
from monitor.samples.demo import demo_settings
app = build(demo_settings(Path(sys.argv[1])), now=lambda: datetime(2026, 11, 20, 15, tzinfo=UTC))
pull_now(app, list(horizons(app)), threading.Event())
"""


def figures(folder: Path) -> object:
    """Everything a report says of the sample brands, at the clock the pulls went by."""
    from monitor.app import build
    from monitor.report import build_report
    from monitor.samples.demo import demo_settings
    from monitor.schedule import trailing
    from storage import queries
    from storage.records import ItemFilter
    from storage.verify import verify

    now = datetime(2026, 11, 20, 15, tzinfo=UTC)
    app = build(demo_settings(folder), now=lambda: now)
    try:
        assert verify(app.database) == []
        report = build_report(app, ["Larkspur", "Jotwick", "Pebblebox"], trailing(now, 70, app.settings.monitor.zone))
        data = report.model_dump(mode="json")
        for brand in data["brands"]:
            brand.pop("top_items")  # of equals the first to come stands first
            for driver in (*brand["drivers"]["negative"], *brand["drivers"]["positive"], *brand["drivers"]["new"]):
                driver.pop("examples")
        every = ItemFilter(uncounted="all")
        stored = queries.items(app.database, every, limit=5000)
        assert len(stored) == queries.count_items(app.database, every) > 900
        return data, {(item.brand, item.external_id): replace(item, id=0) for item in stored}
    finally:
        app.close()


def test_a_pull_killed_again_and_again_ends_in_the_same_figures(home: Home) -> None:
    calm, stormy = home.folder / "calm", home.folder / "stormy"
    calm.mkdir()
    stormy.mkdir()
    assert pulling(home, calm).wait(100) == 0
    for pages in (3, 40, 90, 200):
        victim = pulling(home, stormy)
        wait_for_pages(stormy / "monitor.db", pages, victim)
        victim.kill()
        victim.wait()
        with sqlite3.connect(stormy / "monitor.db") as store:
            store.execute("UPDATE source SET lease_until = NULL")  # as if the leases had run out
    assert pulling(home, stormy).wait(100) == 0
    assert figures(stormy) == figures(calm)


def pulling(home: Home, folder: Path) -> Forked:
    return forker().start(PULL, [str(folder)], home.folder, home.environment)


def wait_for_pages(file: Path, pages: int, process: Forked) -> None:
    end = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < end:
        try:
            with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as store:
                if (store.execute("SELECT sum(pages) FROM pull").fetchone()[0] or 0) >= pages:
                    return
        except sqlite3.OperationalError:
            pass
        time.sleep(0.01)
