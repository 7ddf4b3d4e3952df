"""Digests at the command line: any period again, in the browser, as a test to a channel, and those of the past."""

from __future__ import annotations

import json
import os
import re
import stat
from pathlib import Path

import pytest

from connectors.testing.loopback import Loopback, Reply, Request
from tests.e2e.conftest import Home

CONFIG = """
[monitor]
timezone = "Europe/Berlin"

[[brands]]
name = "Larkspur"

[[sources]]
name = "news"
type = "sample"
brand = "Larkspur"
options = {{ stream = "news" }}

[[digests]]
name = "daily"
schedule = "daily at 08:00"
channels = ["hook", "files"]

[[channels]]
name = "hook"
type = "webhook"
url = "{url}/hook?token=s3cret"

[[channels]]
name = "files"
type = "file"
folder = "out"
formats = ["txt"]
"""


class Hook:
    def __init__(self) -> None:
        self.status, self.taken = 200, list[Request]()
        self.server = Loopback(self._take)

    def _take(self, request: Request) -> Reply:
        self.taken.append(request)
        return Reply(status=self.status)


@pytest.fixture
def hook() -> Hook:
    return Hook()


@pytest.fixture
def run_home(home: Home, hook: Hook) -> Home:
    home.write(CONFIG.format(url=hook.server.url))
    home.run("run", "--once")
    return home


def test_a_test_goes_to_one_channel_marked_as_one(run_home: Home, hook: Hook) -> None:
    hook.taken.clear()
    assert "sent to hook" in run_home.run("digest", "daily", "--send-test", "hook").stdout
    (request,) = hook.taken
    assert request.headers["x-sentiment-monitor-event"] == "test"
    assert json.loads(request.body)["test"] is True
    run_home.run("digest", "daily", "--send-test", "files")
    (file,) = (run_home.folder / "out").glob("test-daily-*.txt")
    assert "This is a test: it was sent by hand" in file.read_text(encoding="utf-8")
    kinds = [(row["kind"], row["digest"], row["state"]) for row in run_home.json("deliveries")["deliveries"]]
    assert kinds[:2] == [("test", "daily", "sent")] * 2
    hook.status = 410
    refused = run_home.run("digest", "daily", "--send-test", "hook", code=1)
    assert "not sent: 127.0.0.1: answered 410" in refused.stderr
    assert "there are: hook, files" in run_home.run("digest", "--send-test", "nobody", code=2).stderr


def test_all_that_failed_is_sent_again_at_once(home: Home, hook: Hook) -> None:
    hook.status = 410
    home.write(CONFIG.format(url=hook.server.url))
    home.run("run", "--once")
    home.run("digest", "daily", "--send-test", "hook", code=1)
    refused = home.run("deliveries", "--retry-failed", code=1).stderr
    assert len(re.findall(r"delivery \d+: not sent", refused)) == 2
    hook.status = 200
    home.run("deliveries", "--retry-failed")
    assert {row["state"] for row in home.json("deliveries")["deliveries"]} == {"sent"}
    home.run("deliveries", "--retry-failed")  # none is left


def test_the_digests_that_were_built_are_listed_and_shown_as_they_were(run_home: Home) -> None:
    (row,) = run_home.json("digests", "list")["digests"]
    assert (row["name"], row["state"]) == ("daily", "sent")
    assert row["channels"] == {"hook": "sent", "files": "sent"}
    listed = run_home.run("digests", "list").stdout
    assert row["period"] in listed
    assert "hook sent, files sent" in listed
    (file,) = (run_home.folder / "out").glob("daily-*.txt")
    shown = run_home.run("digests", "show", str(row["id"])).stdout
    assert shown.strip() == file.read_text(encoding="utf-8").strip()
    assert run_home.run("digests", "show", str(row["id"]), "-f", "html").stdout.lstrip().startswith("<!DOCTYPE html>")
    assert run_home.json("digests", "show", str(row["id"]))["window"]["label"] == row["period"]
    assert "there is no digest" in run_home.run("digests", "show", "999", code=1).stderr


def test_a_preview_opens_the_browser_and_says_where_the_file_is(
    run_home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, seen = tmp_path / "browser", tmp_path / "seen"
    browser.write_text(f'#!/bin/sh\necho "$1" > "{seen}"\n', encoding="utf-8")
    browser.chmod(browser.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setitem(os.environ, "BROWSER", str(browser))
    printed = Path(run_home.run("digest", "daily", "--preview").stdout.strip())
    assert printed.read_text(encoding="utf-8").rstrip().endswith("</html>")
    assert seen.read_text(encoding="utf-8").strip() == printed.as_uri()
    seen.unlink()
    run_home.run("digest", "daily", "--preview", "--output", str(tmp_path / "here.html"))
    assert (tmp_path / "here.html").read_text(encoding="utf-8").lstrip().startswith("<!DOCTYPE html>")
    assert not seen.exists()


def test_any_past_period_is_built_again_as_known_now(run_home: Home) -> None:
    week = run_home.run("digest", "daily", "--period", "2026-W46").stdout
    assert "as known now" in week
    assert "Week 46: 9–15 November 2026" in week
    assert "as known now" not in run_home.run("digests", "show", "1").stdout
