"""``items``: searched, filtered, sorted and leafed through from the command line."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from tests.e2e.conftest import Home

COPIES = """
[monitor]
duplicates = "once"
"""
TWICE = """id,date,text,author,likes,comments,place,language
1,2026-11-01,the acme phone is on sale in every shop of the town,Ann,5,1,r/phones,en
2,2026-11-02,RT @ann: the acme phone is on sale in every shop of the town,Ben,5,1,r/phones,en
"""
CONFIG = """
[[brands]]
name = "Acme"
keywords = ["acme"]
[[brands]]
name = "Rival"
keywords = ["rival"]
[[sources]]
name = "drawer"
type = "files"
brands = ["Acme", "Rival"]
match = "keywords"
options = { path = "posts.csv", kind = "mention" }
[[sources]]
name = "shop"
type = "files"
brand = "Acme"
options = { path = "reviews.csv", kind = "review" }
"""
POSTS = """id,date,text,author,likes,comments,place,language
1,2024-03-01,acme battery died,Ann,5,1,r/phones,en
2,2026-11-01,acme battery and charger,Ben,50,2,r/phones,en
3,2026-11-02,acme und rival sind gut,Ann,0,0,r/de,de
4,2026-11-03,#AcmePhone rules,Cid,7,7,r/tea,en
"""
REVIEWS = """id,date,title,text,rating,reply,country
r1,2026-11-01,Bad,The lid broke,1,,DE
r2,2026-11-02,Fine,,4,,GB
r3,2026-11-03,Great,Love the lid,5,Thank you,DE
"""


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Home:
    folder: Path = tmp_path_factory.mktemp("items")
    (folder / "posts.csv").write_text(POSTS, encoding="utf-8")
    (folder / "reviews.csv").write_text(REVIEWS, encoding="utf-8")
    home = Home(folder)
    home.write(CONFIG)
    home.run("pull")
    return home


def found(home: Home, *arguments: str) -> set[str]:
    said = home.json("items", *arguments)
    assert said["total"] == len(said["items"])
    return {entry["external_id"].rpartition(":")[2] for entry in said["items"]}


def test_what_is_searched_is_found(stocked: Home) -> None:
    assert found(stocked, "--search", "battery AND NOT charger") == {"1"}
    assert found(stocked, "-s", "(battery OR #acmephone) acme*") == {"1", "2", "4"}
    assert found(stocked, "-s", '"the lid"') == {"r1", "r3"}


def test_a_faulty_search_is_shown_with_a_caret(stocked: Home) -> None:
    said = stocked.run("items", "--search", "NOT charger", code=2).stderr
    assert said == "--search: only says what must not be there; add a word that must\n  NOT charger\n  ^\n"
    said = stocked.run("items", "--search", "acme OR", code=2).stderr
    assert said.splitlines()[1:] == ["  acme OR", "       ^"]


def test_every_filter_is_an_option(stocked: Home) -> None:
    assert found(stocked, "--brand", "Rival") == {"3"}
    assert found(stocked, "--author", "ann", "--brand", "Acme") == {"1", "3"}
    assert found(stocked, "--place", "r/phones", "--min-likes", "6") == {"2"}
    assert found(stocked, "--min-engagement", "14") == {"2", "4"}
    assert found(stocked, "--min-comments", "7") == {"4"}
    assert found(stocked, "--language", "DE", "--brand", "Acme") == {"3"}
    assert found(stocked, "--attribute", "country=DE") == {"r1", "r3"}
    assert found(stocked, "--attribute", "country=DE", "--unanswered") == {"r1"}
    assert found(stocked, "--without-text") == {"r2"}
    assert found(stocked, "--with-text", "--kind", "review", "--min-stars", "5") == {"r3"}
    assert found(stocked, "--done") == found(stocked, "--tag", "press") == set()
    assert found(stocked, "--scorer", "nobody") == set()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--attribute", "country"), '--attribute: "country" names no value; write country=DE'),
        (("--brand", "Nobody"), '--brand: no brand "Nobody"'),
        (("--min-stars", "nan"), "--min-stars: nan is no number of stars"),
        (("--after", "x"), "--after: is no token"),
    ],
)
def test_a_mistake_is_named(stocked: Home, arguments: tuple[str, ...], why: str) -> None:
    assert why in stocked.run("items", *arguments, code=2).stderr


@pytest.mark.parametrize("order", ["newest", "oldest", "negative", "positive", "engaged", "unanswered"])
def test_pages_follow_each_other(stocked: Home, order: str) -> None:
    whole = stocked.json("items", "--order", order)
    assert (whole["next"], whole["total"], len(whole["items"])) == (None, 8, 8)
    first = stocked.json("items", "--order", order, "-n", "5")
    second = stocked.json("items", "--order", order, "-n", "5", "--after", first["next"])
    assert [*first["items"], *second["items"]] == whole["items"]
    assert second["next"] is None


def test_a_terminal_is_told_how_to_go_on_and_the_year_of_what_is_old(stocked: Home) -> None:
    shown = stocked.run("items", "--order", "oldest", "-n", "2")
    assert "01 Mar 2024" in shown.stdout
    assert "2 of 8 items" in shown.stdout
    token = stocked.json("items", "--order", "oldest", "-n", "2")["next"]
    assert shown.stderr == f"more: the same with --after {token}\n"
    assert "more" not in stocked.run("items").stderr


def test_csv_is_whole_and_told_apart_from_what_comes_next(stocked: Home) -> None:
    done = stocked.run("items", "--csv", "-n", "3")
    assert len(list(csv.reader(io.StringIO(done.stdout)))) == 4
    assert "more: the same with --after" in done.stderr


def test_the_proof_of_the_store_proves_the_search(stocked: Home) -> None:
    said = stocked.json("db", "verify")
    assert (said["search"]["right"], said["search"]["sampled"]) == (True, 8)
    assert "every item can be found by its words (8 looked for)" in stocked.run("db", "verify").stdout


def test_a_copy_says_of_what_it_is_one(home: Home) -> None:
    home.write(COPIES + CONFIG)
    (home.folder / "posts.csv").write_text(TWICE)
    (home.folder / "reviews.csv").write_text(REVIEWS)
    home.run("pull")
    first, copy = sorted(
        home.json("items", "--uncounted", "all", "--kind", "mention")["items"], key=lambda one: one["id"]
    )
    assert (first["copy_of"], copy["uncounted"], copy["copy_of"]) == (None, "duplicate", first["id"])
    assert f"(copy of {first['id']})" in home.run("items", "--uncounted", "duplicate").stdout
    assert f"not counted: a copy of item {first['id']}" in home.run("explain", str(copy["id"])).stdout
    assert "every copy that is left out is known to be one" in home.run("db", "verify").stdout
