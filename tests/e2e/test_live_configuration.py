"""Daemons whose configuration changes, or differs from that of another on the same store, as processes of their own."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import pytest

from connectors.testing.loopback import Loopback, Reply, Request
from tests.e2e.conftest import Home
from tests.e2e.forking import Forked

HEAD = """
[monitor]
database = "{folder}"
include = ["more/*.toml"]
[[brands]]
name = "Larkspur"
keywords = ["larkspur"]
"""
FEED = """
[[sources]]
name = "slow"
type = "feeds"
brand = "Larkspur"
options = {{ url = "{url}" }}
"""
OTHER = """
[[sources]]
name = "forum"
type = "feeds"
brand = "Larkspur"
options = {{ url = "{url}/fast" }}
"""
NEWS = b"""<rss version="2.0"><channel><title>News</title>
<item><guid>1</guid><title>Larkspur at last</title><pubDate>Mon, 02 Nov 2026 10:00:00 GMT</pubDate></item>
</channel></rss>"""


class Told:
    """What a process says, as it comes."""

    def __init__(self, process: Forked) -> None:
        self.process = process
        self.text = ""
        Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        for line in self.process.stderr or ():
            self.text += line

    def waits_for(self, words: str) -> None:
        until(lambda: words in self.text, lambda: self.text)


def until(what: Callable[[], object], or_say: Callable[[], str]) -> None:
    end = time.monotonic() + 40
    while not what():
        assert time.monotonic() < end, or_say()
        time.sleep(0.05)


@contextmanager
def daemon(home: Home, *arguments: str) -> Iterator[Told]:
    process = home.start("run", *arguments)
    try:
        told = Told(process)
        told.waits_for(" running sources=")
        yield told
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 0, told.text
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def feed() -> Iterator[tuple[Loopback, Event, Event]]:
    """A feed that answers once it may, whether it was asked, and whether it may; its other address, /fast, answers at once."""
    asked, may = Event(), Event()

    def answer(request: Request) -> Reply:
        if request.path != "/fast":
            asked.set()
            may.wait(60)
        return Reply(NEWS, headers={"Content-Type": "application/rss+xml"})

    server = Loopback(answer)
    yield server, asked, may
    may.set()
    server.close()


def state(home: Home, name: str, *arguments: str) -> dict[str, Any]:
    found = home.json("sources", *arguments)["sources"]
    return next(one for one in found if one["name"] == name)


def test_a_daemon_takes_up_its_new_configuration_without_losing_a_pull_and_heeds_people(
    home: Home, feed: tuple[Loopback, Event, Event]
) -> None:
    server, asked, may = feed
    forum = OTHER.format(url=server.url)
    config = HEAD.format(folder="sqlite:///store.db") + FEED.format(url=server.url)
    home.write(config)
    (home.folder / "more").mkdir()
    with daemon(home) as told:
        assert asked.wait(20)
        home.write(config.replace('["larkspur"]', '["larkspur", "lark"]'))
        (home.folder / "more" / "forum.toml").write_text(forum)
        told.waits_for("configuration taken up: keywords of Larkspur changed, source forum added")
        told.waits_for("pulled source=forum")
        may.set()
        told.waits_for("pulled source=slow pages=1 seen=1 new=1")  # by the settings that it began with
        home.run("sources", "pause", "forum", "--reason", "they move", "--by", "ann")
        (home.folder / "more" / "forum.toml").write_text("[[sources]]\nname = ")
        told.process.send_signal(signal.SIGHUP)
        told.waits_for("more/forum.toml: is not TOML")
        (home.folder / "other.toml").write_text(config.replace("include", "#") + forum)
        found = home.json("sources", "--config", "other.toml")
        assert "more/forum.toml: is not TOML" in found["daemons"][0]["fault"]
        assert [one["words"][:28] for one in found["sources"]] == ["paused by ann: they move; to", "fine"]
        (home.folder / "more" / "forum.toml").write_text(forum)
        told.process.send_signal(signal.SIGHUP)
        told.waits_for("configuration taken up: nothing that the program shows has changed")
        before = told.text.count("pulled source=forum")
        home.run("sources", "resume", "forum")
        until(lambda: told.text.count("pulled source=forum") > before, lambda: told.text)
    assert told.text.count("more/forum.toml: is not TOML") == 1
    assert home.json("sources")["daemons"] == []


def test_two_daemons_that_differ_say_so_and_neither_puts_the_other_s_sources_to_rest(
    home: Home, database_url: str, feed: tuple[Loopback, Event, Event]
) -> None:
    other = OTHER.format(url=feed[0].url)
    head = HEAD.format(folder=database_url)
    home.write(head + other)
    (home.folder / "two.toml").write_text(head.replace('["larkspur"]', '["lark"]') + other.replace('"forum"', '"news"'))
    with daemon(home) as first:
        first.waits_for("pulled source=forum")
        with daemon(home, "--config", "two.toml") as second:
            words = "it has other keywords for Larkspur, does not read news, also reads forum"
            second.waits_for(words)
            second.waits_for("pulled source=news")
            found = home.json("sources")
            assert {one["name"]: one["state"] for one in found["sources"]} == {"forum": "fine", "news": "elsewhere"}
            shown = home.run("sources").stderr
            assert "has other keywords for Larkspur, does not read forum, also reads news" in shown
    assert state(home, "news")["state"] == "elsewhere"


def test_a_source_is_added_to_the_file_of_its_brand(home: Home) -> None:
    home.write(HEAD.format(folder="sqlite:///store.db"))
    theirs = home.folder / "more" / "rival.toml"
    theirs.parent.mkdir()
    theirs.write_text('# theirs\n[[brands]]\nname = "Rival"\n# the end\n')
    (home.folder / "drop.csv").write_text("id,text,published_at\n1,Rival again,2026-11-19T10:00:00Z\n")
    added = home.json("add", "drop.csv", "--brand", "Rival", "--name", "drop", "--yes")
    assert added["file"] == "more/rival.toml"
    assert theirs.read_text().startswith('# theirs\n[[brands]]\nname = "Rival"\n')
    assert (home.folder / "config.toml").read_text() == HEAD.format(folder="sqlite:///store.db")
    assert home.json("check", "--offline")["files"] == [{"file": "more/rival.toml", "brands": 1, "sources": 1}]
    assert "[[sources]] # more/rival.toml:" in home.run("config", "show").stdout
