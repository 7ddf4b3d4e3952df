"""Rescoring held to this: whatever labelled the history before, afterwards it is as if the present settings always had."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from monitor.app import App, watched
from monitor.config import parse
from monitor.rescoring import Rescored, ScoreMoved, outdated, rescore
from monitor.scoring import DEFAULT, STOCK, Label, Profile, Scorable, score_batch
from storage import queries, relabel
from storage.engine import Database, open_database
from storage.records import ItemValues
from storage.tables import ITEM, METADATA, REVISION, ROLLUP, SCALE
from storage.verify import verify
from tests.fakes.storing import NOW, OLD, Shop, dump, item

GERMAN = "Die Lieferung kam zu spät und niemand hat auf meine Nachricht geantwortet."
SPLIT = "Please help, the refund never came"
"""Positive by stock, negative by default."""
TEXTS = [
    SPLIT,
    "Acme is the best phone",
    "I love it, great",
    "a table",
    "crashes 🙄",
    "@nice",
    GERMAN,
    None,
]
BRANDS = ("Acme", "Rival")


def app_of(database: Database, profile: Profile = DEFAULT, names: Sequence[str] = BRANDS) -> App:
    """The program on a store, configured to score by ``profile``."""
    brands = [{"name": name, "keywords": [name.lower()]} for name in names]
    sources = [{"name": "north", "type": "sample", "brands": list(names), "options": {"stream": "forum"}}]
    configured = parse({"brands": brands, "sources": sources}).model_copy(update={"scoring": profile})
    ids = {name: number for number, name in enumerate(BRANDS, start=1)}
    known = {brand.name: watched(brand, ids[brand.name]) for brand in configured.brands}
    return App(configured, database, lambda: NOW, "me", known, NOW)


def scored(external_id: str, text: str | None, profile: Profile = STOCK, **given: Any) -> ItemValues:
    """An item as a pull under ``profile`` stores it."""
    stars = given.get("rating_label")
    brand = given.get("brand_id", 1)
    words = frozenset({BRANDS[brand - 1].lower()})
    (found,) = score_batch([Scorable(given.get("title"), text, stars and Label(stars), None, words)], profile)
    labels = {
        "label": found.label,
        "label_by": found.by,
        "text_label": found.text_label,
        "compound": None if found.compound is None else round(found.compound * SCALE),
        "scorer": found.scorer,
        "unscored": found.unscored,
        "language": found.language,
    }
    return item(external_id, text=text, **labels, **given)


def correct(shop: Shop, external_id: str, label: str) -> None:
    """A person's word."""
    by_person = update(ITEM).where(ITEM.c.external_id == external_id).values(label=label, label_by="person")
    shop.database.write(lambda connection: connection.execute(by_person))
    verify(shop.database, repair=True)


def history(shop: Shop, count: int = 12) -> None:
    """Items labelled by stock that default labels otherwise, each in a slot of its own."""
    shop.pull(*(scored(f"{n:03}", SPLIT, published_at=OLD + timedelta(minutes=15 * n)) for n in range(count)))


def everything(shop: Shop) -> list[list[dict[str, Any]]]:
    return dump(shop, *METADATA.sorted_tables)


# --- As if it had always been so

items = st.fixed_dictionaries(
    {
        "text": st.sampled_from(TEXTS),
        "title": st.sampled_from([None, "Refund", "Great"]),
        "brand_id": st.sampled_from([1, 2]),
        "kind": st.sampled_from(["mention", "review", "post"]),
        "rating_label": st.sampled_from([None, None, "positive", "negative"]),
        "uncounted": st.sampled_from([None, None, None, "excluded", "duplicate"]),
        "published_at": st.sampled_from([OLD, OLD + timedelta(minutes=1), OLD + timedelta(hours=5)]),
    }
)


@contextmanager
def store(empty: Path) -> Iterator[Shop]:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "store.db"
        shutil.copyfile(empty, file)
        database = open_database(f"sqlite:///{file}")
        try:
            yield Shop(database)
        finally:
            database.close()


@settings(max_examples=20, deadline=None)
@given(
    st.lists(items, max_size=12),
    st.sampled_from([(STOCK, DEFAULT), (DEFAULT, STOCK), (DEFAULT, replace(DEFAULT, stars=False))]),
    st.sets(st.integers(0, 11), max_size=3),
)
def test_the_history_is_as_if_the_new_settings_had_always_been(
    migrated_file: Path, drawn: Sequence[Mapping[str, Any]], profiles: tuple[Profile, Profile], persons: set[int]
) -> None:
    before, after = profiles
    found = []
    for first in (before, after):
        with store(migrated_file) as shop:
            shop.pull(*(scored(f"{n:02}", **given, profile=first) for n, given in enumerate(drawn)))
            for n in persons:
                correct(shop, f"{n:02}", "neutral")
            app = app_of(shop.database, after)
            rescore(app, size=3, progress=lambda _done, _total: assert_sound(shop))
            assert outdated(app) == 0
            assert_sound(shop)
            found.append(dump(shop, ITEM, ROLLUP, REVISION, without=["language", "changes"]))
    assert found[0] == found[1]


def assert_sound(shop: Shop) -> None:
    assert verify(shop.database) == []


# --- What it says of itself


def test_the_result_counts_labels_reasons_and_scores(shop: Shop) -> None:
    history(shop, 3)
    shop.pull(
        scored("german", GERMAN),
        scored("empty", None),
        scored("stars", SPLIT, kind="review", rating_label="positive"),
        scored("post", SPLIT, kind="post"),
        scored("out", SPLIT, uncounted="excluded"),
        scored("rival", "I love it", brand_id=2),
    )
    result = rescore(app_of(shop.database))
    assert (result.outdated, result.rescored, result.changed, result.overtaken, result.by_person) == (9, 9, 5, 0, 0)
    assert result.labels["positive"] == {"positive": 2, "neutral": 0, "negative": 5, "unscored": 0}
    assert result.labels["unscored"] == {"positive": 0, "neutral": 0, "negative": 0, "unscored": 2}
    assert result.unscored == {"language": 1, "no_text": 1}
    assert [(one.brand, one.kind, one.before.score, one.after.score) for one in result.scores] == [
        ("Acme", "mention", 1.0, -1.0),
        ("Acme", "review", 1.0, 1.0),
        ("Rival", "mention", 1.0, 1.0),
    ]
    assert result.scores[0].after.unscored == 2
    again = rescore(app_of(shop.database))
    assert (again.outdated, again.rescored, again.changed) == (0, 0, 0)
    assert [one.before for one in again.scores] == [one.after for one in result.scores]


def test_a_dry_run_says_the_same_and_writes_nothing(shop: Shop) -> None:
    history(shop)
    correct(shop, "003", "neutral")
    app, before = app_of(shop.database), everything(shop)
    foretold = rescore(app, dry_run=True)
    assert everything(shop) == before
    assert outdated(app) == foretold.outdated == 12
    assert replace(foretold, dry_run=False) == rescore(app)


def test_only_the_brand_and_time_asked_for_are_rescored(shop: Shop) -> None:
    history(shop, 2)
    shop.pull(scored("old", SPLIT, published_at=OLD - timedelta(days=9)), scored("rival", SPLIT, brand_id=2))
    result = rescore(app_of(shop.database), ["Acme"], OLD - timedelta(days=1))
    assert result.rescored == 2
    assert [(one.brand, one.before.n) for one in result.scores] == [("Acme", 2)]
    labels = {row["external_id"]: row["label"] for row in shop.rows(ITEM)}
    assert labels == {"000": "negative", "001": "negative", "old": "positive", "rival": "positive"}


def test_brands_that_left_the_configuration_keep_their_labels(shop: Shop) -> None:
    shop.pull(scored("rival", SPLIT, brand_id=2))
    app = app_of(shop.database, names=["Acme"])
    assert outdated(app) == 0
    assert rescore(app).rescored == 0
    assert shop.row(ITEM)["label"] == "positive"


# --- Whose word counts


def test_a_persons_label_stays_and_the_scorers_word_beside_it_is_new(shop: Shop) -> None:
    shop.pull(scored("a", SPLIT))
    correct(shop, "a", "neutral")
    result = rescore(app_of(shop.database))
    row = shop.row(ITEM)
    assert (row["label"], row["label_by"]) == ("neutral", "person")
    assert (row["scorer_label"], row["text_label"], row["scorer"]) == ("negative", "negative", DEFAULT.version)
    assert row["compound"] < 0
    assert (result.by_person, result.changed, result.scores[0].after.neutral) == (1, 0, 1)
    assert verify(shop.database) == []


def test_erased_items_are_not_touched(shop: Shop) -> None:
    history(shop, 2)
    erase(shop, "000")
    before = shop.row(ITEM, external_id="000")
    assert rescore(app_of(shop.database)).rescored == 1
    assert shop.row(ITEM, external_id="000") == before


def erase(shop: Shop, external_id: str) -> None:
    gone = update(ITEM).where(ITEM.c.external_id == external_id).values(title=None, text=None, erased_at=NOW)
    shop.database.write(lambda connection: connection.execute(gone))


# --- While others write, and after a crash


def test_a_text_that_changed_while_it_was_scored_is_not_overwritten(shop: Shop) -> None:
    history(shop, 8)
    edited = scored("003", "I love it now", DEFAULT, published_at=OLD + timedelta(minutes=45), updated_at=NOW)

    def meanwhile(done: int, _total: int) -> None:
        if done == 2:  # the next chunks have been read by now
            shop.pull(edited)
            erase(shop, "004")

    app = app_of(shop.database)
    result = rescore(app, size=2, workers=2, progress=meanwhile)
    assert (result.outdated, result.rescored, result.overtaken) == (8, 6, 2)
    row = shop.row(ITEM, external_id="003")
    assert (row["text"], row["label"]) == ("I love it now", "positive")
    assert shop.row(ITEM, external_id="004")["label"] == "positive"
    assert (outdated(app), verify(shop.database)) == (0, [])


def test_a_person_who_speaks_while_it_is_scored_is_heard(shop: Shop) -> None:
    history(shop, 1)
    scope = relabel.Scope([1])
    (chunk,) = relabel.outdated(shop.database, scope, [DEFAULT.version])
    correct(shop, "000", "neutral")
    new = relabel.NewLabel(chunk[0], "negative", "text", "negative", -5_000, "en", DEFAULT.version, None)
    (moved,) = relabel.relabel(shop.database, [new])
    assert (moved.before, moved.after, moved.by_person) == ("neutral", "neutral", True)
    assert shop.row(ITEM)["label"] == "neutral"
    assert verify(shop.database) == []


class Killed(Exception):
    pass


def test_a_run_cut_off_after_any_chunk_is_gone_on_with(shop: Shop) -> None:
    history(shop)
    app = app_of(shop.database)

    def cut_off(done: int, _total: int) -> None:
        assert verify(shop.database) == []
        raise Killed

    for left in (9, 6, 3, 0):
        with pytest.raises(Killed):
            rescore(app, size=3, progress=cut_off)
        assert outdated(app) == left
    assert rescore(app).scores[0].before.negative == 12


def test_readers_and_pulls_go_on_meanwhile(shop: Shop) -> None:
    history(shop, 60)
    app, ended = app_of(shop.database), Event()
    seen: list[int] = []
    window = (OLD - timedelta(days=30), NOW)

    def read() -> None:
        while not ended.is_set():
            sums = queries.sums_by_source(shop.database, "Acme", window)["north", "mention"]
            assert sums["positive"] + sums["negative"] >= 60
            seen.append(sums["negative"])

    def write() -> None:
        for n in range(15):
            shop.pull(
                scored(f"new {n}", "I love it", DEFAULT, published_at=OLD + timedelta(minutes=15 * n)), name="north"
            )

    threads = [Thread(target=read), Thread(target=write)]
    for thread in threads:
        thread.start()
    try:
        result = rescore(app, size=4)
        threads[1].join()
    finally:
        ended.set()
        threads[0].join()
    assert result.changed == 60
    assert seen == sorted(seen)
    assert (outdated(app), verify(shop.database)) == (0, [])
    assert len(shop.rows(ITEM)) == 75


def test_workers_and_this_process_say_the_same(shop: Shop) -> None:
    shop.pull(*(scored(f"{n}", text) for n, text in enumerate(TEXTS * 3)))
    app = app_of(shop.database)
    results: list[Rescored] = [rescore(app, dry_run=True, workers=workers, size=5) for workers in (1, 2)]
    assert results[0] == results[1]
    assert results[0].rescored == 24
    assert isinstance(results[0].scores[0], ScoreMoved)


@pytest.mark.parametrize("shown", [{"language": "de"}, {"text_label": "neutral"}, {"unscored": "language"}, {}])
def test_the_caches_learn_of_whatever_else_is_shown_of_an_item(shop: Shop, shown: Mapping[str, Any]) -> None:
    shop.pull(item("a", language="en"))
    ((one,),) = relabel.outdated(shop.database, relabel.Scope([1]), ["vader/2"])
    same = {"text_label": "positive", "compound": 6_000, "language": "en", "unscored": None}
    new = relabel.NewLabel(one, "positive", "text", scorer="vader/2", **{**same, **shown})
    before = shop.row(ROLLUP)["changes"]
    relabel.relabel(shop.database, [new])
    assert shop.row(ITEM)["scorer"] == "vader/2"
    assert (shop.row(ROLLUP)["changes"] > before) == bool(shown)
