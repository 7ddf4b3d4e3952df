"""``rescore``, ``explain`` and ``evaluate`` as a person runs them, and a scorer of another package."""

from __future__ import annotations

import os
import shutil
import sqlite3
from importlib.resources import files
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from monitor.app import build
from monitor.daemon import pull_now
from monitor.samples.demo import demo_settings
from monitor.scoring import DEFAULT, STOCK, Profile
from storage.engine import open_database
from storage.verify import verify
from tests.e2e.conftest import Home

ALL = ("--since", "20w")
"""More than the sample data's ten weeks."""
LABELS = ("positive", "neutral", "negative", "unscored")


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The sample items, pulled under each profile."""
    return {name: pulled(tmp_path_factory.mktemp(name), profile) for name, profile in PROFILES.items()}


PROFILES = {"stock": STOCK, "default": DEFAULT}


def pulled(folder: Path, profile: Profile) -> Path:
    settings = demo_settings(folder).model_copy(update={"scoring": profile})
    app = build(settings)
    try:
        pull_now(app, [source.name for source in settings.sources], Event())
    finally:
        app.close()
    return folder / "monitor.db"


def configured(home: Home, scoring: str = "", store: Path | None = None) -> Home:
    """The sample brands, with these lines in the table ``scoring``, on a copy of ``store``."""
    text = files("monitor.samples").joinpath("demo.toml").read_text(encoding="utf-8")
    text = text.replace("[monitor]", '[monitor]\ndatabase = "sqlite:///monitor.db"')
    home.write(f"{text}\n[scoring]\n{scoring}\n")
    if store is not None:
        shutil.copyfile(store, home.folder / "monitor.db")
    return home


def scored(report: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """A report's scores and counts by (brand, kind), where there are items."""
    found = {}
    for brand in report["brands"]:
        for name, kind in (("social", "mention"), ("reviews", "review")):
            figures = {key: brand[name][key] for key in ("score", *LABELS)}
            if any(figures[label] for label in LABELS):
                found[brand["brand"], kind] = figures
    return found


def told(result: Any, when: str) -> dict[tuple[str, str], dict[str, Any]]:
    return {(one["brand"], one["kind"]): one[when] for one in result["scores"]}


def labels(store: Path) -> dict[tuple[str, str], tuple[Any, ...]]:
    """What a store says of each item, by brand and id."""
    query = "SELECT brand.name, external_id, label, label_by, scorer_label, text_label, compound, scorer, unscored "
    with sqlite3.connect(store) as connection:
        rows = connection.execute(f"{query} FROM item JOIN brand ON brand.id = brand_id").fetchall()
    return {(row[0], row[1]): row[2:] for row in rows}


# --- rescore


def test_rescoring_makes_the_history_what_the_new_profile_says(home: Home, stores: dict[str, Path]) -> None:
    configured(home, 'profile = "default"', stores["stock"])
    store = home.folder / "monitor.db"
    before, stored = scored(home.json("scores", *ALL)), labels(store)
    foretold = home.json("rescore", "--dry-run")
    assert labels(store) == stored == labels(stores["stock"])

    done = home.json("rescore")
    assert done == {**foretold, "dry_run": False}
    assert done["rescored"] == done["outdated"] == len(stored) > 900
    assert 20 < done["changed"] < 300
    assert told(done, "before") == before
    assert told(done, "after") == scored(home.json("scores", *ALL)) != before
    assert home.run("rescore").stdout.startswith("every label is up to date")
    assert labels(store) == labels(stores["default"])
    database = open_database(f"sqlite:///{store}")
    assert verify(database) == []
    database.close()


def test_a_faulty_call_of_rescore_says_what_is_wrong(home: Home, stores: dict[str, Path]) -> None:
    configured(home, store=stores["default"])
    assert 'no brand "Nobody"' in home.run("rescore", "--brand", "Nobody", code=2).stderr
    configured(home, 'scorer = "gloom"')
    assert "scorer 'gloom' is not installed; known are vader" in home.run("rescore", code=2).stderr


# --- explain


def test_a_text_is_explained_without_any_configuration(home: Home) -> None:
    done = home.run("explain", "--text", "Please help: Best is not very GOOD, but it crashes", "--brand", "Best")
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines[0].startswith("label: negative, by its text (−0.")
    assert any(line.startswith('GOOD VADER +1.90 +0.73 in capitals, +0.29 with "very"') for line in lines)
    assert any(line.startswith('crashes overlay −1.90 −0.95 after "but" −2.85') for line in lines)
    assert "words made to say nothing: please (by the overlay), best (the brand's own)" in lines

    stock = home.json("explain", "--text", "United we stand", "--profile", "stock")
    assert (stock["item"], stock["profile"], stock["label"]) == (None, "stock", "positive")
    (sentence,) = stock["sentences"]
    assert [word["word"] for word in sentence["words"]] == ["United"]


def test_a_hostile_text_cannot_play_with_the_terminal(home: Home) -> None:
    done = home.run("explain", "--text", "good\x1b[2J\x07\u202e [red]bad[/red]\n\x9b31m awful")
    assert not set(done.stdout) & {"\x1b", "\x07", "\u202e", "\x9b"}
    assert "[red]bad[/red]" in done.stdout


def test_an_item_is_explained_with_its_stars_and_who_had_the_last_word(home: Home, stores: dict[str, Path]) -> None:
    configured(home, store=stores["default"])
    review = home.json("items", "--kind", "review", "--max-stars", "1", "--order", "positive", "-n", "1")["items"][0]
    found = home.json("explain", str(review["id"]))
    assert (found["item"]["id"], found["item"]["current"]) == (review["id"], True)
    assert (found["by"], found["rating_label"], found["text_label"]) == ("stars", "negative", "positive")
    assert [found[name] for name in ("label", "compound")] == [review[name] for name in ("label", "compound")]

    with sqlite3.connect(home.folder / "monitor.db") as store:
        store.execute("UPDATE item SET label = 'neutral', label_by = 'person' WHERE id = ?", (review["id"],))
        (unread,) = store.execute("SELECT id FROM item WHERE unscored = 'language' LIMIT 1").fetchone()
    shown = home.run("explain", str(review["id"]), "--profile", "stock").stdout
    assert "label: neutral, by a person, who has the last word; by itself the program says negative, by its" in shown
    assert "stars: 1 of 5 - negative" in shown
    assert "stored label: neutral, made by vader-" in shown
    assert "label: none (unscored): its language is not read" in home.run("explain", str(unread)).stdout


def test_what_cannot_be_explained_is_said(home: Home, stores: dict[str, Path]) -> None:
    configured(home, store=stores["default"])
    assert "there is no item 77777" in home.run("explain", "77777", code=1).stderr
    assert "one of the two" in home.run("explain", code=2).stderr
    assert 'no brand "Nobody"' in home.run("explain", "--text", "x", "--brand", "Nobody", code=2).stderr


# --- evaluate

FIGURES = {"profile", "n", "accuracy", "macro_f1", "recall", "score_true", "score", "score_error", "confusion"}
TEXTS = "text,label,shop\nI love it,positive,a\nthe refund never came,negative,a\nsick ride,positive,b\n"


def test_profiles_are_compared_without_any_configuration(home: Home) -> None:
    (home.folder / "labelled.csv").write_text(TEXTS)
    document = home.json("evaluate", "labelled.csv")
    assert [one["profile"] for one in document["profiles"]] == ["stock", "default"]
    assert [one["accuracy"] for one in document["profiles"]] == [pytest.approx(1 / 3), pytest.approx(2 / 3)]
    assert document.keys() == {"profiles"}
    assert all(one.keys() == FIGURES for one in document["profiles"])

    grouped = home.json("evaluate", "labelled.csv", "--group", "shop")["profiles"][1]
    assert grouped.keys() == FIGURES | {"groups"}
    assert [(one["group"], one["n"], one["score_error"]) for one in grouped["groups"]] == [("a", 2, 0), ("b", 1, -2)]
    shown = home.run("evaluate", "labelled.csv").stdout
    assert "labelled right" in shown
    assert "33.3 %" in shown


def test_the_configurations_own_profile_is_compared_too(home: Home) -> None:
    configured(home, "lexicon = { sick = 2.0 }\nstars = false")
    (home.folder / "labelled.csv").write_text(TEXTS)
    profiles = home.json("evaluate", "labelled.csv")["profiles"]
    assert [(one["profile"], one["accuracy"]) for one in profiles][2:] == [("own", 1.0)]
    configured(home, "stars = false")
    assert len(home.json("evaluate", "labelled.csv")["profiles"]) == 2


def test_a_file_that_cannot_be_judged_by_is_named_with_row_and_column(home: Home) -> None:
    (home.folder / "odd.csv").write_text("text,stars\ngood,5\nbad,7\n")
    assert "odd.csv: row 3, column 'stars': '7' is no label" in home.run("evaluate", "odd.csv", code=1).stderr
    assert "column 'body' is not there" in home.run("evaluate", "odd.csv", "--text-column", "body", code=2).stderr
    assert "does not exist" in home.run("evaluate", "none.csv", code=2).stderr


@pytest.mark.recorded
def test_airline_tweets_are_labelled_as_well_as_promised(home: Home) -> None:
    folder = os.environ.get("RECORDED_DATA")
    if folder is None:
        pytest.skip("recorded data not present")
    tweets = str(Path(folder) / "data/airline_tweets/Tweets.csv")
    columns = ("--label-column", "airline_sentiment", "--text-column", "text")
    stock, default = home.json("evaluate", tweets, *columns)["profiles"]
    assert default["n"] == 14_640
    assert default["accuracy"] >= 0.61 > stock["accuracy"]
    assert abs(default["score_error"]) <= 0.40 < stock["score_error"]


# --- A scorer of another package

SCORER = """
from monitor.scoring import Label, Sentiment

class Gloom:
    name = "gloom"
    version = "gloom-2"

    def score(self, texts):
        return [Sentiment(Label.NEGATIVE, -0.75) for _ in texts]

def gloom(profile):
    return Gloom()
"""


class HomeWithScorer(Home):
    """A machine where a package is installed that offers the scorer ``gloom``."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.packages = folder / "packages"
        metadata = self.packages / "gloom_scorer-2.0.dist-info"
        metadata.mkdir(parents=True)
        (self.packages / "gloom_scorer.py").write_text(SCORER)
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: gloom-scorer\nVersion: 2.0\n")
        (metadata / "entry_points.txt").write_text("[sentiment_monitor.scorers]\ngloom = gloom_scorer:gloom\n")

    @property
    def environment(self) -> dict[str, str]:
        found = super().environment
        return {**found, "PYTHONPATH": os.pathsep.join([found["PYTHONPATH"], str(self.packages)])}


def test_an_installed_scorer_labels_all_texts_or_one_language(tmp_path: Path, stores: dict[str, Path]) -> None:
    home = HomeWithScorer(tmp_path)
    configured(home, 'scorer = "gloom"', stores["default"])
    assert home.json("rescore")["rescored"] > 900
    by_text = [row for row in labels(home.folder / "monitor.db").values() if row[1] == "text"]
    assert {(row[0], row[4]) for row in by_text} == {("negative", -7500)}
    (version,) = {row[5] for row in by_text}
    assert version.startswith("gloom-2/default-")

    configured(home, 'languages = { de = "gloom" }')
    assert home.json("rescore", "--workers", "2")["outdated"] > 900
    items = home.json("items", *ALL, "--uncounted", "all", "-n", "10000")["items"]
    german = [item for item in items if item["language"] == "de" and item["label_by"] == "text"]
    assert {(item["label"], item["compound"]) for item in german} == {("negative", -0.75)}
    assert all(item["scorer"].startswith("gloom-2/default-") for item in german)
    english = {item["label"] for item in items if item["scorer"].startswith("vader-")}
    assert {"positive", "neutral", "negative"} <= english
    shown = home.run("explain", str(german[0]["id"])).stdout
    assert "by a scorer that does not tell its reasons" in shown


def test_a_new_item_goes_to_the_installed_scorer_when_it_is_pulled(tmp_path: Path) -> None:
    home = HomeWithScorer(tmp_path)
    configured(home, 'scorer = "gloom"').run("pull", "forum")
    assert {row[0] for row in labels(home.folder / "monitor.db").values()} == {"negative"}
