"""An audit as a person does it: draw, label at the terminal with a key an item, stop, go on, and read the report."""

from __future__ import annotations

import csv
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.e2e.conftest import Home
from tests.e2e.terminal import Terminal

NOW = datetime.now(UTC)
CONFIG = """
[monitor]
database = "sqlite:///monitor.db"
[[brands]]
name = "Acme"
[[sources]]
name = "forum"
type = "files"
brand = "Acme"
match = "all"
options = { path = "forum.csv" }
"""
HOSTILE = "Acme \x1b[2J\x1b]0;gone\x07 is great \u202eabc"
GOOD = "I love Acme, it is great, item {n}"


@pytest.fixture
def forum(home: Home) -> Home:
    """Forty posts: thirty that the scorer calls positive, nine negative ones, and a hostile one."""
    texts = [GOOD.format(n=n) for n in range(30)]
    texts += [f"I hate Acme, it is terrible, item {n}" for n in range(30, 39)] + [HOSTILE]
    with (home.folder / "forum.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "date", "text", "author"])
        for n, text in enumerate(texts):
            writer.writerow([f"i{n}", (NOW - timedelta(hours=30, minutes=n)).isoformat(), text, f"person{n}"])
    home.write(CONFIG)
    home.run("pull")
    return home


def typed(home: Home, keys: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Label with keys that come through a pipe."""
    label = home.start("audit", "label", *arguments, given=keys)
    out, err = label.communicate(100)
    assert label.returncode == 0, err
    return subprocess.CompletedProcess(arguments, 0, out, err)


def test_a_sample_is_labelled_at_a_terminal_left_and_gone_on_with(forum: Home) -> None:
    forum.run("audit", "sample", "-n", "5", "--seed", "1", "--since", "7d")
    terminal = forum.at_terminal("audit", "label", "--by", "Ann")
    terminal.answer("1/5", "n")
    terminal.answer("2/5", "b")
    terminal.answer("(you said: negative)", "p")
    terminal.answer("2/5", "\x1b[B")
    terminal.answer("q quit", "k")
    terminal.answer("press p, u, n, x, s, b or q", "s")
    terminal.answer("3/5", "x")
    terminal.answer("4/5", "q")
    assert terminal.end() == 0
    assert "2 labelled now, 2 of 5 in all by Ann" in terminal.screen
    assert "next: sentiment-monitor audit report 1" in terminal.screen
    for word in ("scorer", "stars", "+0."):
        assert word not in terminal.screen

    again = forum.at_terminal("audit", "label", "1", "--by", "Ann")
    again.answer("2/5", "u")
    again.answer("4/5", "n")
    again.answer("5/5", "n")
    assert again.end() == 0
    assert "all is labelled" in again.screen
    assert forum.json("audit", "list")["samples"][0]["said"] == {"Ann": 5}


def on_terminal(command: list[str], name: str, home: Home) -> subprocess.Popen[bytes]:
    with Path(name).open("r+b", buffering=0) as slave:
        return subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, cwd=home.folder, env=home.environment,
            start_new_session=True,
        )  # fmt: skip


def test_a_terminal_is_afterwards_as_it_was(forum: Home) -> None:
    forum.run("audit", "sample", "-n", "5", "--since", "7d")
    shell = ["sh", "-c", '"$@"; stty -a', "sh", *forum.command("audit", "label", "--by", "Ann")]
    terminal = Terminal(lambda name: on_terminal(shell, name, forum))
    terminal.answer("1/5", "p")
    terminal.answer("2/5", "\x04")
    terminal.end()
    assert " icanon" in terminal.screen
    assert " echo " in terminal.screen
    assert forum.json("audit", "list")["samples"][0]["said"] == {"Ann": 1}


def test_hostile_text_is_harmless_on_the_screen(forum: Home) -> None:
    forum.run("audit", "sample", "-n", "40", "--since", "7d")
    shown = typed(forum, "s" * 40).stderr
    assert "gone is great abc" in shown
    assert not {"\x1b", "\x07", "\u202e"} & set(shown)
    assert "what was skipped is left" in shown


def test_two_persons_label_by_piped_keys_and_the_report_tells(forum: Home) -> None:
    """Ann says that everything is negative but for the last one, which is not about Acme; Bob agrees on half."""
    drawn = forum.json("audit", "sample", "-n", "40", "--seed", "2", "--since", "7d", "--kind", "mention")
    assert (drawn["size"], drawn["frame"]) == (40, 40)
    assert "40 labelled now" in typed(forum, "n" * 39 + "x", "--by", "Ann").stdout
    typed(forum, "p\nn\n" * 10, "1", "--by", "Bob")
    found = forum.json("audit", "report", "1")
    assert found["sample"]["said"] == {"Ann": 40, "Bob": 20}
    assert found["raw"]["score"] == pytest.approx((31 - 9) / 40)
    assert found["raw"]["low"] > 0
    assert found["audited"]["high"] < 0
    assert found["audited"]["m"] == 40
    (agreed,) = found["agreements"]
    assert (agreed["persons"], agreed["n"], agreed["share"], agreed["few"]) == (["Ann", "Bob"], 20, 0.5, True)
    assert found["relevance"]["count"] == 39
    printed = forum.run("audit", "report").stdout
    assert "score by the scorer:" in printed
    assert "score without its errors:" in printed
    assert "Ann and Bob agree on 50 % of 20" in printed
    assert "about the brand: 98 %" in printed


def test_labels_change_no_figure_but_the_audited_one(forum: Home) -> None:
    before = forum.json("scores", "--since", "7d")["brands"][0]["social"]
    assert before["audited"] is None
    forum.json("audit", "sample", "-n", "40", "--since", "7d")
    typed(forum, "n" * 40, "--by", "Ann")
    after = forum.json("scores", "--since", "7d")["brands"][0]["social"]
    audited = after.pop("audited")
    before.pop("audited")
    assert after == before
    assert audited["score"] == pytest.approx(-1)
    assert audited["m"] == 40
    assert "checked by hand: score −1.00" in forum.run("scores", "--since", "7d").stdout
    narrower = forum.json("scores", "--since", "3d")["brands"][0]["social"]["audited"]
    assert narrower["borrowed"]
    assert "Checked by hand" in " ".join(forum.run("scores", "--since", "3d").stdout.split()).replace(
        "checked", "Checked"
    )
    assert Counter(item["label"] for item in forum.json("items", "--limit", "50")["items"])["positive"] == 31


def test_faulty_calls_say_what_is_wrong(forum: Home) -> None:
    assert "audit sample" in forum.run("audit", "label", code=1).stderr
    assert "audit sample" in forum.run("audit", "report", code=1).stderr
    assert (
        "no text was scored"
        in forum.run("audit", "sample", "--since", "2020-01-01", "--until", "2020-02-01", code=1).stderr
    )
    assert 'no brand "Nobody"' in forum.run("audit", "sample", "--brand", "Nobody", code=2).stderr
    assert 'no source "nowhere"' in forum.run("audit", "sample", "--source", "nowhere", code=2).stderr
    forum.run("audit", "sample", "-n", "3")
    assert "audit list" in forum.run("audit", "report", "9", code=2).stderr
    assert "audit label 1" in forum.run("audit", "report", "1", code=1).stderr
    assert "is empty" in forum.run("audit", "label", "--by", " \x07", code=2).stderr
    assert "nothing labelled yet" in forum.run("audit", "list").stdout
