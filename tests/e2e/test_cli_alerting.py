"""``alerts`` on the command line, over the example configuration."""

from __future__ import annotations

from tests.e2e.conftest import Home, Round


def test_the_example_shows_its_story_and_sends_none_of_it(first_round: Round) -> None:
    example = first_round.home
    listed = example.json("alerts", "list")["alerts"]
    assert {(one["name"], one["subject"], one["found_in_history"], one["told"]) for one in listed} >= {
        ("complaints", "Larkspur", True, False)
    }
    number = next(one["id"] for one in listed if one["name"] == "complaints")
    assert "negative items on" in example.run("alerts", "list").stdout
    assert "alert:" in example.run("scores", "--since", "30d", "--brand", "Larkspur").stdout
    assert [one for one in example.json("deliveries")["deliveries"] if one["kind"] == "alert"] == []

    replayed = example.json("alerts", "replay", "complaints")["replay"]
    assert [len(one["fired"]) for one in replayed] == [1]
    assert 0 < replayed[0]["false_alarms_a_year"] < 1
    looser = example.json("alerts", "replay", "complaints", "--alpha", "0.2")["replay"]
    assert looser[0]["false_alarms_a_year"] >= replayed[0]["false_alarms_a_year"]
    assert "by chance alone about" in example.run("alerts", "replay").stdout

    assert "seen to by ann" in example.run("alerts", "ack", str(number), "--by", "ann").stderr
    assert next(one for one in example.json("alerts", "list")["alerts"] if one["id"] == number)["acknowledged"]
    assert "no messages until" in example.run("alerts", "snooze", "spike", "--for", "2d").stderr
    assert example.json("alerts", "snooze", str(number))["snoozed"] == str(number)


def test_what_cannot_be_asked_is_said(example: Home) -> None:
    example.run("db", "upgrade")
    assert 'no alert "spke"; there are: spike, complaints' in example.run("alerts", "replay", "spke", code=2).stderr
    assert "alert 99: is not there" in example.run("alerts", "ack", "99", code=1).stderr
    assert "alert 99: is not there" in example.run("alerts", "snooze", "99", code=1).stderr
    assert "is no chance" in example.run("alerts", "replay", "--alpha", "2", code=2).stderr
    assert "not understood" in example.run("alerts", "snooze", "spike", "--for", "soon", code=2).stderr
    assert "no alert has fired" in example.run("alerts", "list").stderr
