"""People's words on items and the history matched anew, as a person does it: every figure follows at once."""

from __future__ import annotations

from typing import Any

import pytest

from tests.e2e.conftest import Home
from tests.e2e.desk import Desk, configured, counted, desk, ids, on_the_terminal


@pytest.fixture
def fresh(home: Home, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.chdir(home.folder)
    return desk(home)


def shifts(result: Any) -> list[tuple[str | None, str | None, int]]:
    return [(shift["before"], shift["after"], shift["count"]) for shift in result["shifts"]]


def test_an_exclusion_is_previewed_applied_and_undone(fresh: Desk) -> None:
    assert counted(fresh) == 100
    configured(fresh.home, "vegetable")
    preview = fresh.json("rematch", "--dry-run")
    assert shifts(preview) == [(None, "excluded", 37)]
    assert [example["by"] for example in preview["shifts"][0]["examples"]] == ["vegetable"] * 3
    assert preview["brands"][0]["caught"] == {"vegetable": 37}
    assert (preview["brands"][0]["counted_before"], preview["brands"][0]["counted_after"]) == (100, 63)
    assert on_the_terminal(fresh) == 100

    assert fresh.json("rematch") == {**preview, "dry_run": False}
    assert counted(fresh) == on_the_terminal(fresh) == 63
    fresh.home.run("pull")
    assert shifts(fresh.json("rematch")) == []

    configured(fresh.home)
    printed = fresh.run("rematch")
    assert "63 counted, 100 count now" in printed
    assert "37 counted (before: excluded by keywords), such as" in printed
    assert counted(fresh) == 100


def test_what_is_marked_as_not_about_us_counts_no_more(fresh: Desk) -> None:
    five = ids(fresh, "--search", "carrots")[:5]
    assert fresh.json("mark", *five, "not-about-us", "--by", "Ann")["done"] == 5
    assert counted(fresh) == on_the_terminal(fresh) == 95
    fresh.home.run("pull")
    fresh.run("rematch")
    assert counted(fresh) == 95


def test_words_to_exclude_are_suggested_from_what_was_marked(fresh: Desk) -> None:
    assert fresh.json("marks", "suggest", "--brand", "Fresh")["words"] == []
    found = fresh.json("mark", "--where", "--search", "carrots", "not-about-us", "--dry-run")
    assert (found["chosen"], found["done"]) == (13, 0)
    assert counted(fresh) == 100
    assert fresh.json("mark", "--where", "--search", "carrots", "not-about-us")["done"] == 13
    assert counted(fresh) == 87
    words = fresh.json("marks", "suggest", "--brand", "Fresh")["words"]
    assert {word["word"]: (word["marked"], word["counted"]) for word in words}["vegetable"] == (13, 24)
    assert (words[0]["word"], words[0]["counted"]) == ("carrots", 0)
    assert fresh.json("mark", "--where", "--all", "not-about-us", "--undo")["done"] == 13
    assert counted(fresh) == 100


def test_a_site_or_an_author_is_muted_and_heard_again(fresh: Desk) -> None:
    assert fresh.json("mute", "--site", "https://garden.example/x")["changed"] == 37
    assert counted(fresh) == 63
    assert fresh.json("mute", "--author", "fan0", "--brand", "Fresh", "--by", "Ann")["changed"] == 7
    assert counted(fresh) == 56
    assert [mute["shown"] for mute in fresh.json("mute", "--list")["mutes"]] == ["garden.example", "fan0 (files)"]
    assert fresh.json("mute", "--site", "garden.example", "--undo")["changed"] == 37
    assert counted(fresh) == 93
    assert "nobody" in fresh.home.run("mute", "--author", "who", code=2).stderr


def test_a_correction_moves_the_score_and_can_be_taken_back(fresh: Desk) -> None:
    before = fresh.json("scores", "--since", "30d")["brands"][0]["social"]
    number = ids(fresh, "--label", "positive")[0]
    assert fresh.json("correct", number, "negative", "--by", "Ann")["before"] == "positive"
    after = fresh.json("scores", "--since", "30d")["brands"][0]["social"]
    assert (after["positive"], after["negative"]) == (before["positive"] - 1, before["negative"] + 1)
    assert fresh.json("correct", number, "none") == {
        "id": int(number),
        "before": "negative",
        "after": "positive",
        "label_by": "text",
    }
    again = fresh.json("scores", "--since", "30d")["brands"][0]["social"]
    assert again == before
    fresh.run("db", "verify")


def test_tags_are_counted(fresh: Desk) -> None:
    first, second = ids(fresh)[:2]
    fresh.run("tag", first, second, "for the shop")
    fresh.run("tag", first, "urgent")
    fresh.run("tag", second, "for the shop", "--remove")
    fresh.run("tag", second, "urgent")
    assert fresh.json("tags")["tags"] == [{"tag": "urgent", "items": 2}, {"tag": "for the shop", "items": 1}]


def test_all_that_a_filter_chooses_is_tagged_at_once(fresh: Desk) -> None:
    assert fresh.json("tag", "--where", "--search", "carrots", "garden", "--dry-run")["chosen"] == 13
    assert fresh.json("tags")["tags"] == []
    assert fresh.json("tag", "--where", "--search", "carrots OR leeks", "garden")["done"] == 25
    fresh.json("mark", "--where", "--tag", "garden", "--search", "leeks", "not-about-us")
    assert fresh.json("tags")["tags"] == [{"tag": "garden", "items": 25}]
    assert "25 items would no longer be tagged" in fresh.run("tag", "--where", "garden", "--remove", "--dry-run")
    assert fresh.json("tag", "--where", "garden", "--remove")["done"] == 25
    assert on_the_terminal(fresh) == 88


def test_faulty_calls_say_what_is_wrong(fresh: Desk) -> None:
    assert "end with not-about-us or done" in fresh.home.run("mark", "1", "silly", code=2).stderr
    assert "--where" in fresh.home.run("mark", "not-about-us", code=2).stderr
    assert "--where" in fresh.home.run("tag", "garden", code=2).stderr
    for command in (["mark", "--where", "done"], ["tag", "--where", "garden"]):
        assert "or --all for every one" in fresh.home.run(*command, code=2).stderr
    assert "--all: goes with" in fresh.home.run("mark", "--where", "--all", "--brand", "Fresh", "done", code=2).stderr
    assert "together with --where" in fresh.home.run("tag", "1", "garden", "--search", "x", code=2).stderr
    assert "is no number" in fresh.home.run("mark", "x", "done", code=2).stderr
    assert "not there" in fresh.home.run("mark", "99999", "done", code=1).stderr
    assert "not there" in fresh.home.run("correct", "99999", "neutral", code=1).stderr
    assert "is no host" in fresh.home.run("mute", "--site", "a b", code=2).stderr
    assert "253 characters at most" in fresh.home.run("mute", "--site", f"{'a.' * 200}example", code=2).stderr
    assert "--by: has 101 characters" in fresh.home.run("correct", "1", "neutral", "--by", "x" * 101, code=2).stderr


def test_a_time_that_is_none_is_told_with_its_option(fresh: Desk) -> None:
    for command in ("items", "scores"):
        for option in ("--since", "--until"):
            told = fresh.home.run(command, option, "2026-13-01", code=2).stderr
            assert told.startswith(f"{option}: time '2026-13-01': not understood")
