"""The time before a source was first watched is neither a gap nor a zero; and what is usual is said only of what was watched."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from monitor import figures as f
from monitor.charts import figures as charts
from monitor.coverage import Reach
from monitor.digest import render, sentences, words
from monitor.schedule import span
from storage import queries, schema
from storage.engine import Database, StoreUnmade, open_database
from storage.records import GapValues
from tests.fakes.storing import NOW, Shop
from tests.unit import digest_reports as made

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WINDOW = span(made.START, made.START + made.WEEK, made.BERLIN)
BEGUN = made.START + 2 * DAY


def reach(**begun: object) -> Reach:
    return Reach(WINDOW, (), frozenset(begun), None, begun)  # type: ignore[arg-type]


# --- coverage


def test_before_the_watch_began_nothing_is_missing_but_nothing_is_complete() -> None:
    found = reach(news=BEGUN, forum=BEGUN + DAY)
    assert not found.has_gap(WINDOW.start, WINDOW.end)
    assert found.figures({}).complete
    assert found.complete_sources == set()
    assert [(one.source, one.start, one.end) for one in found.missing] == [
        ("news", WINDOW.start, BEGUN),
        ("forum", WINDOW.start, BEGUN + DAY),
    ]


def test_a_stretch_is_unwatched_until_the_first_source_is_watched() -> None:
    found = reach(news=BEGUN, forum=BEGUN + DAY)
    assert [found.is_unwatched(end) for end in (BEGUN - HOUR, BEGUN, BEGUN + HOUR)] == [True, True, False]
    assert not reach(news=BEGUN, files=None).is_unwatched(BEGUN)  # one brought all there ever was


def test_a_source_that_was_never_read_is_told_apart_from_gaps() -> None:
    found = Reach(WINDOW, (), frozenset({"news", "forum"}), None, {"news": None}, {"forum": "access denied"})
    told = found.figures({})
    assert (told.complete, told.gaps) == (False, [])
    assert told.unread == [f.Unread(source="forum", reason="access denied")]
    assert found.complete_sources == {"news"}
    assert Reach(WINDOW, (), frozenset({"forum"}), None, {}, {"forum": None}).is_unwatched(WINDOW.end)


def test_what_began_before_the_window_but_after_the_one_compared_is_named_apart() -> None:
    told = reach(news=WINDOW.start - DAY).figures({}, WINDOW.start - made.WEEK)
    assert [(one.source, one.in_window) for one in told.begun] == [("news", False)]
    assert reach(news=WINDOW.start - made.WEEK).figures({}, WINDOW.start - made.WEEK).begun == []


# --- words


def coverage(*begun: f.Begun, since: object = BEGUN, unread: tuple[f.Unread, ...] = ()) -> f.Coverage:
    return f.Coverage(
        complete=not unread, known_until=None, watched_since=since, begun=list(begun), unread=list(unread)
    )  # type: ignore[arg-type]


NEWS = f.Begun(source="news", since=BEGUN, in_window=True)
BLOG = f.Begun(source="blog", since=BEGUN + HOUR / 2, in_window=True)
FORUM = f.Begun(source="forum", since=BEGUN + DAY, in_window=True)


@pytest.mark.parametrize(
    ("known", "told"),
    [
        (coverage(NEWS), "watched since Wed 11 Nov, 00:00"),
        (coverage(NEWS, BLOG), "watched since Wed 11 Nov, 00:00"),
        (coverage(NEWS, FORUM), "watched since Wed 11 Nov, 00:00; forum since Thu 12 Nov, 00:00"),
        (coverage(FORUM, since=None), "forum watched since Thu 12 Nov, 00:00"),
        (coverage(f.Begun(source="news", since=BEGUN, in_window=False)), None),
    ],
)
def test_since_when_it_is_watched_is_said(known: f.Coverage, told: str | None) -> None:
    assert words.begun(known, made.BERLIN) == told


def watched_late() -> f.Report:
    """The lively brand of last week, watched since Wednesday; before that nothing came."""
    report = made.report(made.lively())
    brand = report.brands[0]
    change = made.change("sources changed", left_out=["news"], unwatched=["news"])
    series = [day.model_copy(update={"gap": False, "unwatched": day.start < BEGUN}) for day in brand.series]
    volume = brand.volume.model_copy(update={"expected": None, "watched_days": 5})
    late = brand.model_copy(
        update={
            "social": brand.social.model_copy(update={"change": change}),
            "volume": volume,
            "series": series,
            "coverage": coverage(NEWS),
        }
    )
    return report.model_copy(update={"brands": [late]})


@pytest.mark.parametrize("form", ["txt", "html", "md"])
def test_a_digest_of_a_time_partly_unwatched_says_so_and_calls_nothing_incomplete(form: str) -> None:
    told = " ".join(render(watched_late(), form, made.VIEW).split())  # type: ignore[arg-type]
    assert "atched since Wed 11 Nov, 00:00" in told
    assert "not comparable with the week before: not watched long enough" in told
    assert "too early to say what is usual: watched for 5 days" in told
    assert "not watched" in told
    assert "ncomplete" not in told


def test_charts_mark_what_was_not_watched_fainter_than_a_gap() -> None:
    report = watched_late()
    chart = charts.volume_chart(report.brands[0], report.window, made.BERLIN)
    assert chart is not None
    told = str(chart.spec)
    assert "not watched yet" in told
    assert "'gap', " not in told
    assert "nothing was watched yet from 9 Nov to 10 Nov" in chart.alt


def test_of_several_sources_the_one_never_read_is_named() -> None:
    known = coverage(unread=(f.Unread(source="forum", reason="answered 503"),), since=None)
    assert words.incomplete(known, made.BERLIN) == "incomplete: forum could not be read yet"
    assert words.unread(known.unread[0]) == "forum: never read yet (answered 503)"


@pytest.mark.parametrize(("days", "told"), [(0, "less than a day"), (1, "1 day"), (13, "13 days")])
def test_what_is_usual_is_not_said_too_early(days: int, told: str) -> None:
    volume = f.Volume(mentions=29, reviews=0, watched_days=days)
    assert sentences.usual(volume, complete=True) == f"too early to say what is usual: watched for {told}"


# --- storage


def test_what_a_first_pull_could_not_reach_is_known_by_source(shop: Shop) -> None:
    start = shop.claimed("north").reaches_back_to
    shop.pull(name="south", gap=GapValues(NOW, NOW + HOUR, "a quota"))
    assert queries.beginnings_missed(shop.database) == {}
    shop.pull(name="south", gap=GapValues(start, start + HOUR, "only the newest 250"))
    assert queries.beginnings_missed(shop.database) == {"south": [(start, start + HOUR)]}


@pytest.fixture(params=["sqlite", "postgresql"])
def unmade(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a database without tables."""
    return f"sqlite:///{tmp_path}/x.db" if request.param == "sqlite" else request.getfixturevalue("postgres_database")


def test_an_empty_database_is_left_empty_by_who_makes_none(unmade: str) -> None:
    database = open_database(unmade)
    try:
        with pytest.raises(StoreUnmade, match="there is no store"):
            schema.upgrade(database, make=False)
        assert schema.version(database) is None
    finally:
        database.close()


def test_a_store_that_is_there_is_brought_up_to_date(database: Database) -> None:
    assert schema.upgrade(database, make=False) == schema.HEAD
