"""Words tried before they are adopted: what would count no more, what would come back, and what may be a mistake."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from monitor import marking
from monitor.config.models import BrandSettings
from monitor.keyword_trials import DOUBT_PERSON, DOUBT_WORDS, Change, Trial, would_catch
from monitor.matching import Verdict, decide
from monitor.query import QueryError
from monitor.rematching import rematch
from monitor.report import build_report
from monitor.schedule import span
from storage.engine import Database
from storage.tables import ITEM
from tests.fakes import copying
from tests.fakes.fresh import excluding, fresh, said
from tests.fakes.storing import NOW, Shop, dump


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database, brands=("Fresh", "Rival"))


def numbers(trial: Trial) -> tuple[int, int, int, int]:
    return trial.counting, trial.would_count, trial.excluded, trial.back


def test_an_exclusion_is_tried_and_nothing_is_changed(shop: Shop, tmp_path: Path) -> None:
    app = fresh(shop, tmp_path)
    before = dump(shop, ITEM)
    trial = would_catch(app, "Fresh", ["vegetable"])
    assert numbers(trial) == (100, 63, 37, 0)
    assert (trial.by_word, trial.by_source, trial.by_label) == ({"vegetable": 37}, {"north": 37}, {"neutral": 37})
    assert (trial.marked, trial.pending, trial.extent.complete) == (0, 0, True)
    assert len(trial.examples) == 20
    assert all("vegetable" in (one.text or "") and one.by == "vegetable" for one in trial.examples)
    assert dump(shop, ITEM) == before


def test_the_scores_are_those_of_the_report_before_and_after(shop: Shop, tmp_path: Path) -> None:
    app = fresh(shop, tmp_path)
    trial = would_catch(app, "Fresh", ["vegetable"])
    adopted = excluding(app, ["vegetable"])
    window = span(NOW - timedelta(days=10), NOW, app.settings.monitor.zone)
    for side in (trial.before, trial.after):
        social = build_report(app, ["Fresh"], window, items=True).brands[0].social
        told = {name: getattr(side.social, name) for name in ("score", "low", "high", "total", "positive", "deff")}
        assert told == {name: getattr(social, name) for name in told}
        rematch(adopted)
    assert (trial.before.social.total, trial.after.social.total) == (100, 63)
    assert trial.before.reviews.score is None


def test_near_copies_widen_the_interval_as_in_the_report(shop: Shop) -> None:
    app = copying.app_on(Shop(shop.database))
    glad = [copying.said(f"a{n}", f"{copying.RELEASE}. Love it {n}", author=f"a{n}") for n in range(8)]
    sorry = [copying.said(f"b{n}", f"Acme is awful {n}", author=f"b{n}") for n in range(8)]
    copying.brought(app, *glad, *sorry)
    window = span(NOW - timedelta(days=70), NOW, app.settings.monitor.zone)
    report = build_report(app, ["Acme"], window, items=True).brands[0].social
    assert report.deff is not None
    assert report.deff > 1
    assert would_catch(app, "Acme", ["nothing"]).before.social.deff == report.deff


def test_giving_an_exclusion_up_brings_items_back(shop: Shop, tmp_path: Path) -> None:
    app = excluding(fresh(shop, tmp_path), ["vegetable", "carrots"])
    rematch(app)
    assert numbers(would_catch(app, "Fresh", Change(keep=["carrots"]))) == (63, 63, 0, 0)
    assert numbers(would_catch(app, "Fresh", Change(keep=["carrots", "vegetable"]))) == (63, 100, 0, 37)
    swapped = would_catch(app, "Fresh", Change(keep=["vegetable"], exclude=["awful"]))
    assert numbers(swapped) == (63, 66, 21, 24)
    assert swapped.by_label == {"negative": 21}


def test_another_query_is_tried(shop: Shop, tmp_path: Path) -> None:
    app = fresh(shop, tmp_path)
    trial = would_catch(app, "Fresh", Change(query="fresh AND phone NOT awful"))
    assert numbers(trial) == (100, 42, 58, 0)
    assert trial.by_word == {"awful": 21}
    with pytest.raises(QueryError, match="never closed"):
        would_catch(app, "Fresh", Change(query="fresh AND (phone"))
    with pytest.raises(ValueError, match="no letter or digit"):
        would_catch(app, "Fresh", ["--"])


def test_what_people_marked_speaks_for_an_exclusion(shop: Shop, tmp_path: Path) -> None:
    app = fresh(shop, tmp_path)
    chosen = [row["id"] for row in shop.rows(ITEM) if "vegetable" in row["text"]][:5]
    marking.mark(app, chosen, "not_about_us")
    trial = would_catch(app, "Fresh", ["vegetable"])
    assert (numbers(trial), trial.marked) == ((95, 63, 32, 0), 5)


def test_words_not_yet_applied_are_told_apart(shop: Shop, tmp_path: Path) -> None:
    app = excluding(fresh(shop, tmp_path), ["carrots"])
    trial = would_catch(app, "Fresh", ["leeks"])
    assert (trial.excluded, trial.pending, trial.by_word) == (25, 13, {"carrots": 13, "leeks": 12})


def test_the_likeliest_mistakes_come_first(shop: Shop, tmp_path: Path) -> None:
    app = fresh(shop, tmp_path)
    shop.pull(said(200, "I love the new phone of Fresh, it tells a vegetable from a fruit, says caller 3"))
    shop.pull(said(201, "Fresh leeks from the vegetable market at dawn"))
    ids = {row["external_id"]: row["id"] for row in shop.rows(ITEM)}
    marking.correct(app, ids["i201"], "positive")
    first, second, third, *_ = would_catch(app, "Fresh", ["vegetable"]).examples
    assert (first.id, first.doubt) == (ids["i201"], DOUBT_PERSON)
    assert (second.id, second.doubt) == (ids["i200"], DOUBT_WORDS)
    assert third.doubt is None


def test_a_look_may_be_bounded(shop: Shop, tmp_path: Path) -> None:
    app = fresh(shop, tmp_path)
    shop.pull(*(said(n, "Fresh vegetable") for n in range(1_000, 2_000)))
    trial = would_catch(app, "Fresh", ["vegetable"], most=10)
    assert (trial.extent.looked_at, trial.extent.stored, trial.extent.complete) == (1_000, 1_100, False)
    assert trial.excluded == 937


def test_a_change_leaves_what_it_does_not_name() -> None:
    brand = BrandSettings(name="Acme", keywords=["acme"], exclude=["toy", "corp"], required=["phone"])
    other = Change(exclude=["toy", "film"], keep=["corp"]).of(brand)
    assert (other.exclude, other.keywords, other.required) == (["toy", "film"], ["acme"], ["phone"])
    queried = Change(query="acme OR akme").of(brand).compiled()
    assert decide(("akme phone",), queried).verdict is Verdict.COUNTED
    back = Change(keywords=["akme"]).of(Change(query="acme OR akme").of(brand))
    assert (back.query, back.keywords) == (None, ["akme"])
