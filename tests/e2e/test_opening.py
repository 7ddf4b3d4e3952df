"""Every number of a report opens onto its items, and these come to the number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.app import App
from monitor.formulas import FORMULAS, UNOPENED, formula_name, why_unopened
from monitor.leaves import Number, leaves
from monitor.opening import NotAFigure, open_figure
from monitor.report import build_report
from monitor.schedule import Window, span
from storage import listing
from tests.e2e.conftest import Home
from tests.fakes import samples
from tests.fakes.samples import NOW
from tests.fakes.storing import Shop, author, item


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("opening")


@pytest.fixture(scope="module")
def app(folder: Path, pulled_samples: Path) -> Iterator[App]:
    """The sample brands, pulled."""
    made = samples.opened(samples.copied(pulled_samples, folder))
    yield made
    made.close()


def week(app: App, days: float = 7) -> Window:
    return span(NOW - timedelta(days=days), NOW, app.settings.monitor.zone)


def numbers(app: App, brand: str, window: Window) -> Mapping[str, Number]:
    return leaves(build_report(app, [brand], window).brands[0], window)


@pytest.mark.parametrize(("brand", "days"), [("Larkspur", 7), ("Larkspur", 1.5), ("Pebblebox", 30)])
def test_every_number_opens_onto_items_that_come_to_it_or_says_why_not(app: App, brand: str, days: float) -> None:
    window = week(app, days)
    known = numbers(app, brand, window)
    opened = 0
    for path, value in known.items():
        told = open_figure(app, brand, window, path, lambda: known)
        assert told.value == value, path
        if told.wanted is None:
            assert isinstance(value, float) or re.search(UNOPENED_COUNTS, path), path
            continue
        opened += 1
        if told.made_of == "items":
            assert told.total == value, path
    assert opened > 300


UNOPENED_COUNTS = (
    r"^followers\.|\.standing\.|^top_items\.|\.examples\.|^authors\..+\.followers$|\.days$|^coverage\.gaps\.|\.audited\."
    r"|^alerts\.|\.expected\."
)
"""The counts that are not made of items."""


def test_the_items_listed_are_those_the_figure_counts(app: App) -> None:
    window = week(app)
    told = open_figure(app, "Larkspur", window, "social.negative")
    assert told.wanted is not None
    found = listing.items(app.database, told.wanted, limit=1_000)
    assert len(found) == told.total == told.value
    assert {(one.brand, one.kind, one.label, one.uncounted) for one in found} == {
        ("Larkspur", "mention", "negative", None)
    }
    assert all(window.start <= one.published_at < window.end for one in found)


def test_a_sum_lists_the_items_for_which_it_is_known(app: App) -> None:
    told = open_figure(app, "Larkspur", week(app), "engagement.mentions.likes")
    assert told.wanted is not None
    found = listing.items(app.database, told.wanted, limit=1_000)
    assert all(one.likes is not None for one in found)
    assert sum(one.likes or 0 for one in found) == told.value
    assert told.made_of == "likes of items"


def test_every_reason_for_not_counting_opens(app: App) -> None:
    window = week(app, 70)
    for path in ("social.uncounted.excluded", "by_source.sample-reddit.social.uncounted.excluded"):
        told = open_figure(app, "Larkspur", window, path)
        assert told.wanted is not None
        found = listing.items(app.database, told.wanted)
        assert {one.uncounted for one in found} == {"excluded"}
        assert told.value == len(found) == numbers(app, "Larkspur", window)[path]


@pytest.mark.parametrize(
    "path",
    ["", "social", "social.negatve", "breakdowns.shop.x.volume", "series.2026-01-01.volume", "topics.rain.volume",
     "competitors.Pebblebox.mentions", "drivers.negative.no such word", "reviews.rating.histogram.6", "followers.x.count"],
)  # fmt: skip
def test_what_is_no_figure_is_refused_with_what_comes_near(app: App, path: str) -> None:
    with pytest.raises(NotAFigure, match=r"there are: |it goes from "):
        open_figure(app, "Larkspur", week(app), path)


def test_every_formula_has_a_sentence_and_every_reason_a_use() -> None:
    assert all(one.sentence.endswith(".") and one.version >= 1 for one in FORMULAS.values())
    used = {name for name in FORMULAS if why_unopened(name)}
    assert all(any(why_unopened(name) == UNOPENED[reason] for name in used) for reason in UNOPENED)


def test_a_name_may_hold_dots_and_what_looks_like_a_figure() -> None:
    assert formula_name("breakdowns.place.v1.2 social.total.reviews.total") == "sentiment.total"
    assert formula_name("topics.a.b.volume") == "volume.both"
    assert formula_name("nothing.here") is None


# ------------------------------------------------------------------------------------------------- both stores


def test_each_new_filter_holds_on_every_store(shop: Shop) -> None:
    from storage.records import ItemFilter

    later = NOW - timedelta(days=2, hours=2)
    first = [
        item("a", author_id=1, likes=5, star_cell=4, stars=40_000, rating_value=4.0, kind="review"),
        item("b", author_id=2, reply_text="thanks", kind="review"),
        item("c", label=None, unscored="language", language="de"),
    ]
    shop.pull(*first, authors=[author(1, followers=10), author(2)])
    shop.pull(item("a", author_id=1, likes=9, star_cell=4, stars=40_000, rating_value=4.0, kind="review"))
    ids = {row.external_id: row.id for row in listing.items(shop.database, ItemFilter())}

    def found(**given: object) -> set[str]:
        return {row.external_id for row in listing.items(shop.database, ItemFilter(**given))}  # type: ignore[arg-type]

    assert found(ids=[ids["a"], ids["c"], 7]) == {"a", "c"}
    assert found(ids=[]) == set()
    assert found(ids=list(range(100, 70_100))) == set()
    assert found(author_id=2) == {"b"}
    assert found(known=("likes",)) == found(known=("rating",)) == found(known=("stars",)) == found(star_cell=4) == {"a"}
    assert found(known=("author",)) == {"a", "b"}
    assert found(known=("followers",)) == {"a"}
    assert found(known=("reply",)) == {"b"}
    assert found(unknown=("reply",), kinds=("review",)) == {"a"}
    assert found(unscored="language") == {"c"}
    assert found(grown=("likes", later, NOW + timedelta(hours=1))) == {"a"}
    assert found(grown=("likes", NOW + timedelta(hours=1), NOW + timedelta(hours=2))) == set()
    assert found(grown=("shares", later, NOW)) == set()


# ------------------------------------------------------------------------------------------------- on the command line


@pytest.fixture(scope="module")
def home(app: App, folder: Path) -> Home:
    return Home(folder)


WINDOW = ("--since", "2026-11-08", "--until", "2026-11-22")


def test_a_figure_is_listed_page_by_page(home: Home) -> None:
    asked = ("items", "--brand", "Larkspur", *WINDOW, "--figure", "drivers.negative.update.items", "-n", "10")
    first = home.json(*asked)
    second = home.json(*asked, "--after", first["next"])
    assert first["total"] == second["total"] == first["value"] > 20
    assert (first["figure"], first["formula"]["name"]) == ("drivers.negative.update.items", "driver.items")
    assert not {one["id"] for one in first["items"]} & {one["id"] for one in second["items"]}
    said = home.run(*asked[:-2], "-n", "1").stdout
    assert said.startswith(f"drivers.negative.update.items = {first['value']}: Items of this side with the term.")


def test_a_figure_without_items_says_what_it_is_made_of(home: Home) -> None:
    path = "followers.larkspur-posts/larkspur.notes.count"
    told = home.json("items", "--brand", "Larkspur", *WINDOW, "--figure", path)
    assert told["items"] == []
    assert "readings of the account's follower count" in told["why"]
    assert told["value"] > 4_000


def test_a_figure_goes_with_one_brand_and_no_other_filter(home: Home) -> None:
    said = home.run("items", "--figure", "social.total", code=2).stderr
    assert "name it with --brand: Larkspur, Jotwick" in said
    said = home.run("items", "--figure", "social.total", "-b", "Larkspur", "--label", "negative", code=2).stderr
    assert "says itself which items" in said
    said = home.run("items", "--figure", "social.all", "-b", "Larkspur", code=2).stderr
    assert 'no figure "social.all"' in said


def test_the_parts_of_a_report_have_commands_of_their_own(home: Home) -> None:
    asked = ("--brand", "Larkspur", *WINDOW)
    whole = home.json("scores", *asked)["brands"][0]
    for command in ("authors", "drivers", "topics", "followers"):
        told = home.json(command, *asked)["brands"]
        assert told == [{"brand": "Larkspur", command: whole[command]}]
        plain = home.run(command, *asked).stdout
        assert "Larkspur" in plain
        assert not re.search(r"(?i)tango|deff|mid-p|fdr|z =|p =", plain)
    for dimension in ("source", "place", "country", "app_version", "language"):
        plain = home.run("scores", *asked, "--by", dimension).stdout
        groups = whole["breakdowns"][dimension]
        assert all(group["name"] in plain for group in groups), dimension
    assert "sync" in home.run("scores", *asked, "--by", "topic").stdout


def test_one_author_has_a_history(home: Home) -> None:
    whole = home.json("authors", "--brand", "Larkspur", *WINDOW)["brands"][0]["authors"]
    chosen = whole["rising"][0]
    told = home.json("authors", chosen["id"], "--brand", "Larkspur", *WINDOW)
    assert (told["items"], told["total"]) == (chosen["items"], chosen["total"])
    assert told["engagement"] == chosen["engagement"]
    assert sum(month["items"] for month in told["months"]) == told["items"]
    assert {one["author"] for one in told["newest"]} == {chosen["name"]}
    ever = home.json("authors", chosen["name"])
    assert ever["items"] >= told["items"]
    assert "no likely range" in home.run("authors", chosen["id"]).stdout
    assert "nobody is called" in home.run("authors", "nobody at all", code=2).stderr


def test_a_window_of_a_century_is_refused(home: Home) -> None:
    assert "14,610 days at most" in home.run("scores", "--since", "40000d", code=2).stderr
