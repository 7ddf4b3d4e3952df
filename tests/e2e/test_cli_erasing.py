"""Erasing, pruning and access requests, as a person does them."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Home

NOW = datetime.now(UTC).replace(microsecond=0)
TALK = ("the carrots were late", "their shop is nearby", "staff told me so", "I paid by card", "we had leeks")
CONFIG = """
[monitor]
database = "sqlite:///monitor.db"
first_fetch = "5y"
{monitor}
[[brands]]
name = "Fresh"
keywords = ["fresh"]
{brand}
[[sources]]
name = "forum"
type = "files"
brand = "Fresh"
match = "all"
options = {{ path = "forum.csv" }}
[[digests]]
name = "hourly"
schedule = "* * * * *"
period = "month"
channels = ["files"]
attach_items = true
[[channels]]
name = "files"
type = "file"
folder = "digests"
formats = ["txt", "json"]
{more}
"""


def configured(home: Home, monitor: str = "", brand: str = "", more: str = "") -> None:
    home.write(CONFIG.format(monitor=monitor, brand=brand, more=more))


@pytest.fixture
def fresh(home: Home) -> Home:
    """Twelve items by three authors, one every 25 days."""
    with (home.folder / "forum.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "date", "text", "author", "url", "rating"])
        for n in range(12):
            at = (NOW - timedelta(days=25 * n, hours=2)).isoformat()
            said = f"{TALK[n % 5]}, {TALK[(2 * n + 1 + n // 5) % 5]}"  # unlike all others: copies of what is erased stand alone
            text = f"Fresh is {'great' if n % 2 else 'awful'}, {said}, unmistakable{n}"
            writer.writerow([f"id-{n}", at, text, f"Grocer{n % 3}", f"https://talk.example/{n}", 1 + n % 5])
    configured(home)
    home.run("pull")
    return home


def figures(home: Home) -> Any:
    report = home.json("scores", "--since", "900d")
    return [
        {key: brand[key] for key in ("social", "reviews", "engagement", "volume", "series")}
        for brand in report["brands"]
    ]


def scores(value: Any) -> Any:
    """Figures but for what goes by authors: one who wrote before and after the edge is two from now on."""
    if isinstance(value, dict):
        return {key: scores(entry) for key, entry in value.items() if key not in ("low", "high", "deff", "reach")}
    return [scores(entry) for entry in value] if isinstance(value, list) else value


def bytes_of(home: Home) -> bytes:
    return b"".join(path.read_bytes() for path in home.folder.glob("monitor.db*") if not path.name.endswith("-shm"))


def test_an_author_is_erased_for_good_and_the_figures_stay(fresh: Home) -> None:
    before = figures(fresh)
    dry = fresh.run("db", "erase", "--author", "grocer1", "--dry-run").stdout
    assert "Grocer1 on files" in dry
    assert "Fresh, forum: 4 items" in dry
    assert b"unmistakable4" in bytes_of(fresh)
    done = fresh.run("db", "erase", "--author", "grocer1", "--yes", "--by", "Ada").stdout
    assert "erased 4 items; figures are as before" in done
    assert figures(fresh) == before
    fresh.run("db", "verify")
    for word in (b"unmistakable4", b"Grocer1", b"grocer1", b"talk.example/4", b"id-4"):
        assert word not in bytes_of(fresh), word
    assert b"unmistakable5" in bytes_of(fresh)


def test_neither_a_pull_nor_an_import_brings_it_back(fresh: Home) -> None:
    fresh.run("db", "erase", "--author", "Grocer1", "--yes")
    erased = fresh.json("items", "--since", "900d", "--limit", "100")
    (fresh.folder / "forum.csv").touch()
    fresh.run("pull")
    assert fresh.json("items", "--since", "900d", "--limit", "100") == erased
    assert fresh.json("db", "erase", "--log")["acts"][0]["items"] == 4
    assert fresh.run("db", "erase", "--author", "Grocer1", "--yes", code=1).stderr.startswith("--author: nobody")


def test_what_was_imported_and_erased_is_not_imported_again(fresh: Home) -> None:
    (fresh.folder / "more.csv").write_text("id,date,text,author\nm1,2026-01-05,Fresh and fine,Mabel Thorn\n")
    fresh.run("import", "more.csv", "--brand", "Fresh")
    fresh.run("db", "erase", "--author", "mabel thorn", "--yes")
    fresh.run("import", "more.csv", "--brand", "Fresh")
    assert b"Mabel" not in bytes_of(fresh)
    assert sum(row["count"] for row in fresh.json("db", "stats")["items"]) == 13


def test_the_log_names_nobody(fresh: Home) -> None:
    fresh.run("db", "erase", "--author", "Grocer1", "--yes", "--by", "Ada")
    (number,) = [row["id"] for row in fresh.json("items", "--since", "10d")["items"]]
    fresh.run("db", "erase", "--item", str(number), "--yes", "--by", "Bo")
    log = fresh.run("db", "erase", "--log").stdout
    assert "4 items of one author, by Ada" in log
    assert "1 items named one by one, by Bo" in log
    assert "Grocer" not in log
    assert len(fresh.json("db", "erase", "--log")["acts"]) == 2


def test_files_and_backups_out_of_reach_are_named(fresh: Home) -> None:
    fresh.run("run", "--once")
    (fresh.folder / "monitor.db.20260101T000000-1.bak").write_bytes(b"")
    files = sorted(str(path) for path in (fresh.folder / "digests").iterdir())
    quoted = [name for name in files if "unmistakable" in Path(name).read_text()]
    told = fresh.json("db", "erase", "--author", "Grocer0", "--author", "Grocer1", "--author", "Grocer2", "--yes")
    assert quoted
    assert told["out_of_reach"]["files"] == files
    assert told["out_of_reach"]["backups"] == [str(fresh.folder / "monitor.db.20260101T000000-1.bak")]
    fresh.run("import", "forum.csv", "--brand", "Fresh")
    shown = fresh.run("db", "erase", "--author", "Grocer1", "--dry-run").stdout
    assert "backups that hold them:" in shown
    assert "exports, copies and backups made elsewhere are not known here" in shown


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "db erase: whom or what?"),
        (["--item", "4711"], 1, "--item 4711: not there, or erased already"),
        (["--author", "Nobody"], 1, "--author: nobody of that name"),
        (["--author", "Grocer1", "--platform", "moon"], 1, "--author: nobody of that name"),
        (["--author", "Grocer1"], 2, "db erase: nobody is there to be asked"),
    ],
)
def test_what_cannot_be_erased_is_refused(fresh: Home, arguments: list[str], code: int, message: str) -> None:
    assert fresh.run("db", "erase", *arguments, code=code).stderr.startswith(message)


def test_on_a_terminal_it_asks_first(fresh: Home) -> None:
    for answer, code, left in (("n", 1, 12), ("y", 0, 8)):
        terminal = fresh.at_terminal("db", "erase", "--author", "Grocer1")
        terminal.answer("Erase 4 items for good?", answer)
        assert terminal.end() == code
        listed = fresh.json("items", "--since", "900d", "--limit", "100")["items"]
        assert sum(row["text"] is not None for row in listed) == left


def test_old_words_go_and_figures_stay(fresh: Home) -> None:
    before = figures(fresh)
    assert "every brand keeps its words for good" in fresh.run("db", "prune").stdout
    configured(fresh, monitor='keep = "170d"')
    assert "Fresh: 5 items before" in fresh.run("db", "prune", "--dry-run").stdout
    assert b"unmistakable11" in bytes_of(fresh)
    assert fresh.json("db", "prune")["brands"][0]["items"] == 5
    assert fresh.json("db", "prune")["brands"][0]["items"] == 0
    assert scores(figures(fresh)) == scores(before)
    fresh.run("db", "verify")
    (fresh.folder / "forum.csv").touch()
    fresh.run("pull")
    listed = fresh.json("items", "--since", "900d", "--limit", "100")["items"]
    assert [row["text"] is None for row in listed] == [False] * 7 + [True] * 5


def test_a_brand_may_keep_its_words_for_longer(fresh: Home) -> None:
    configured(fresh, monitor='keep = "170d"', brand="keep = false")
    assert fresh.json("db", "prune")["brands"] == []
    configured(fresh, monitor='keep = "170d"', brand='keep = "260d"')
    assert fresh.json("db", "prune")["brands"][0]["items"] == 1


def test_an_access_request_is_answered_with_everything(fresh: Home) -> None:
    (number,) = [row["id"] for row in fresh.json("items", "--since", "10d")["items"]]
    fresh.run("tag", str(number), "vip")
    fresh.run("correct", str(number), "neutral")
    told = json.loads(fresh.run("db", "export", "--author", "Grocer0", "--format", "json").stdout)
    assert [author["name"] for author in told["authors"]] == ["Grocer0"]
    assert len(told["items"]) == 4
    newest = told["items"][-1]
    assert (newest["brand"], newest["label"], newest["external_id"][-4:]) == ("Fresh", "neutral", "id-0")
    assert [tag["name"] for tag in newest["tags"]] == ["vip"]
    assert [correction["label"] for correction in newest["corrections"]] == ["neutral"]
    fresh.run("db", "export", "--author", "Grocer0", "--output", "grocer.json")
    assert len(json.loads((fresh.folder / "grocer.json").read_text())["items"]) == 4
    assert fresh.run("db", "export", "--format", "json", code=2).stderr.startswith("--format json: is for one author")
    assert fresh.run("db", "export", "--author", "Nobody", code=1).stderr.startswith("--author: nobody")


def test_hashed_authors_are_found_by_their_names(home: Home) -> None:
    (home.folder / "forum.csv").write_text(
        "id,date,text,author\n1,2026-11-01,Fresh! write to a@b.example or 030 1234567,Mabel\n2,2026-11-02,Fresh,Mabel\n"
    )
    configured(home, more='[privacy]\nauthors = "hashed"\nredact = ["email", "phone"]')
    home.run("pull")
    for word in (b"Mabel", b"a@b.example", b"030 1234567"):
        assert word not in bytes_of(home), word
    listed = home.json("items", "--since", "900d")["items"]
    assert [row["text"] for row in listed] == ["Fresh", "Fresh! write to [email] or [phone]"]
    assert {row["author"] for row in listed} == {None}
    told = json.loads(home.run("db", "export", "--author", "Mabel").stdout)
    assert len(told["items"]) == 2
    muted = home.json("mute", "--author", "Mabel")
    assert (muted["shown"].startswith("hashed:"), muted["changed"]) == (True, 2)
    configured(home)  # hashed no longer: what is stored so is found all the same
    assert home.json("db", "erase", "--author", "Mabel", "--yes")["items"] == 2
    configured(home, more='[privacy]\nauthors = "hashed"\nredact = ["email", "phone"]')
    checked = home.run("check", "--offline").stdout
    assert "privacy: authors as a hash; e-mail addresses and telephone numbers are taken out of texts" in checked


def test_the_check_names_how_long_words_are_kept(fresh: Home) -> None:
    assert "privacy:" not in fresh.run("check", "--offline").stdout
    configured(fresh, monitor='keep = "2y"', brand='keep = "90d"')
    assert "words are kept for 2y (Fresh: 90d)" in fresh.run("check", "--offline").stdout
