"""Keywords at the terminal: what they do, tried, made so and taken back; faults are shown with their place."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Home
from tests.e2e.desk import CONFIG, Desk, desk, ids, on_the_terminal


@pytest.fixture
def fresh(home: Home, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(home.folder)
    return desk(home)


def test_an_exclusion_is_tried_adopted_and_taken_back_and_five_are_marked(fresh: Desk) -> None:
    file = fresh.home.folder / "config.toml"
    before = file.read_text(encoding="utf-8")
    trial = fresh.json("keywords", "try", "--exclude", "vegetable")
    assert (trial["excluded"], trial["would_count"], trial["after"]["social"]["total"]) == (37, 63, 63)
    tried = fresh.run("keywords", "try", "--exclude", "vegetable")
    assert "37 of 100 that count would count no more, 0 would come back; all 100 stored items were looked at" in tried
    assert "of 63 then" in tried
    assert "nothing was changed" in tried
    assert on_the_terminal(fresh) == 100

    assert "100 counted, 63 count now" in fresh.run("keywords", "exclude", "vegetable", "--brand", "Fresh")
    assert on_the_terminal(fresh) == 63
    assert file.read_text(encoding="utf-8") == before.replace("exclude = []", 'exclude = ["vegetable"]')
    (rules,) = fresh.json("keywords")["brands"]
    assert [(one["text"], one["items"], one["counted"], one["alone"]) for one in rules["rules"]] == [
        ("fresh", 100, 63, 63),
        ("vegetable", 37, 0, 37),
    ]
    assert 'words of Fresh: "fresh" 100; not "vegetable" 37 (37 by it alone)' in fresh.run("check")

    undone = fresh.json("keywords", "exclude", "vegetable", "--undo")
    assert (undone["words"], undone["history"]["changed"]) == (["vegetable"], 37)
    assert file.read_text(encoding="utf-8") == before
    assert on_the_terminal(fresh) == 100

    fresh.json("mark", *ids(fresh, "--search", "vegetable")[:5], "not-about-us")
    assert on_the_terminal(fresh) == 95


def test_check_says_what_a_rematch_would_change(fresh: Desk) -> None:
    file = fresh.home.folder / "config.toml"
    file.write_text(CONFIG.format(exclude=["vegetable"]), encoding="utf-8")
    assert "decided anew now, 63 would count: 0 more, 37 no longer; run: sentiment-monitor rematch" in fresh.run(
        "check"
    )
    (told,) = fresh.json("check")["keywords"]
    assert (told["counting"], told["would_count"], told["no_longer_counted"]) == (100, 63, 37)
    assert told["extent"]["complete"] is True


def test_faults_are_shown_with_their_place_and_change_nothing(fresh: Desk) -> None:
    home, file = fresh.home, fresh.home.folder / "config.toml"
    searched = home.run("items", "--search", "fresh AND (carrots", code=2).stderr
    assert searched.splitlines()[1:3] == ["  fresh AND (carrots", "            ^"]
    tried = home.run("keywords", "try", "--query", "fresh OR", code=2).stderr
    assert tried.splitlines()[1:3] == ["  fresh OR", "        ^"]
    assert "say what is to be tried" in home.run("keywords", "try", code=2).stderr
    assert 'no brand "Stale"' in home.run("keywords", "exclude", "x", "--brand", "Stale", code=2).stderr
    before = file.read_bytes()
    assert "reads like an expression" in home.run("keywords", "exclude", "a OR b", code=2).stderr
    assert file.read_bytes() == before
    file.write_text(file.read_text(encoding="utf-8").replace('keywords = ["fresh"]', "query = 'fresh AND \"x'"))
    faults = home.run("check", "--offline", code=2).stderr.splitlines()
    assert faults[0].startswith("brands.Fresh.query: this quotation mark is never closed")
    assert faults[1:3] == ['  fresh AND "x', "            ^"]
