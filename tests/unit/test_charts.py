"""Charts say what the figures say, in pictures and in words, and draw nothing of other people's making."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from monitor.charts import Chart, charts_of
from monitor.charts.drawing import NotDrawn, draw
from monitor.figures import BrandFigures, Coverage, Gap, Report
from tests.unit.digest_reports import lively, report

BERLIN = ZoneInfo("Europe/Berlin")
PNG = b"\x89PNG\r\n\x1a\n"


def charts(made: Report) -> dict[str, Chart]:
    return {chart.name: chart for chart in charts_of(made.brands[0], made.window, BERLIN)}


def with_brand(made: Report, **change: Any) -> Report:
    brand: BrandFigures = made.brands[0].model_copy(update=change)
    return made.model_copy(update={"brands": [brand]})


def values(chart: Chart) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = chart.spec["data"]["values"]
    return found


def texts(node: Any) -> Iterator[str]:
    """Every string of a specification, by its place: values of data are data, the rest is grammar."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key != "data":
                yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)
    elif isinstance(node, str):
        yield node


def test_the_scores_are_those_of_the_series() -> None:
    made = report(lively())
    chart = charts(made)["score"]
    assert [row["score"] for row in values(chart)] == [day.social.score for day in made.brands[0].series]
    assert [row["low"] for row in values(chart)] == [day.social.low for day in made.brands[0].series]


def test_the_bars_are_the_days_labels() -> None:
    made = report(lively())
    rows = values(charts(made)["volume"])
    for number, day in enumerate(made.brands[0].series):
        drawn = {row["part"]: row["items"] for row in rows if row["index"] == number}
        assert drawn["positive"] == day.social.positive + day.reviews.positive
        assert drawn["negative"] == day.social.negative + day.reviews.negative


def test_stars_are_those_of_the_histogram() -> None:
    made = report(lively())
    rows = values(charts(made)["stars"])
    assert {row["stars"][0]: row["items"] for row in rows} == made.brands[0].reviews.rating.histogram


def test_followers_are_drawn_by_account_with_their_change() -> None:
    made = report(lively())
    rows = values(charts(made)["followers"])
    assert {row["items"] for row in rows} == {one.count for one in made.brands[0].followers}
    assert all(
        "(" in row["told"] for row, one in zip(rows, made.brands[0].followers, strict=True) if one.change is not None
    )


def test_what_was_not_read_is_drawn_and_told() -> None:
    made = report(lively())
    start = made.window.start
    gap = Gap(source="forum", start=start, end=start + timedelta(hours=12), reason="down")
    coverage = Coverage(complete=False, known_until=None, gaps=[gap])
    chart = charts(with_brand(made, coverage=coverage))["sources"]
    (missing,) = [row for row in values(chart) if row["state"] == "not read"]
    assert (missing["source"], missing["from"], missing["to"]) == ("forum", 0.0, 12.0)
    assert "forum was not read from" in chart.alt


def test_nothing_is_drawn_of_nothing() -> None:
    made = with_brand(
        report(lively()), series=[], by_source=[], followers=[], coverage=Coverage(complete=True, known_until=None)
    )
    rating = made.brands[0].reviews.rating.model_copy(update={"count": 0})
    reviews = made.brands[0].reviews.model_copy(update={"rating": rating})
    assert charts(with_brand(made, reviews=reviews)) == {}


def test_names_from_outside_are_data_and_no_part_of_the_grammar() -> None:
    hostile = "x' ? alert(1) : '<script>\u202e"
    made = report(lively())
    sources = [one.model_copy(update={"source": hostile}) for one in made.brands[0].by_source[:1]]
    start = made.window.start
    gap = Gap(source=hostile, start=start, end=start + timedelta(hours=2), reason="down")
    coverage = Coverage(complete=False, known_until=None, gaps=[gap])
    for chart in charts(with_brand(made, by_source=sources, coverage=coverage)).values():
        expressions = [text for text in texts(dict(chart.spec)) if "datum" in text or "height" in text]
        assert not any("alert" in text for text in expressions)
        assert "\u202e" not in json.dumps(dict(chart.spec), ensure_ascii=False) + chart.alt


def test_every_chart_says_in_words_what_it_shows() -> None:
    made = report(lively())
    found = charts(made)
    busiest = max(made.brands[0].series, key=lambda day: day.volume)
    assert f": {busiest.volume:,}" in found["volume"].alt
    assert all(chart.alt.endswith(".") and chart.title for chart in found.values())


def test_pictures_are_drawn_in_a_process_of_their_own() -> None:
    pictures = draw(charts_of(report(lively()).brands[0], report(lively()).window, BERLIN))
    assert [picture.chart.name for picture in pictures][:2] == ["score", "volume"]
    for picture in pictures:
        assert picture.png.startswith(PNG)
        assert picture.svg.startswith("<svg")
        assert "<script" not in picture.svg


def test_an_engine_that_takes_too_long_is_given_up() -> None:
    with pytest.raises(NotDrawn, match=r"more than 0\.01 s"):
        draw(charts_of(report(lively()).brands[0], report(lively()).window, BERLIN), seconds=0.01)


def test_what_cannot_be_drawn_says_so() -> None:
    with pytest.raises(NotDrawn, match="failed"):
        draw([Chart("x", "x", "x.", {"mark": 7})])


def test_days_are_local() -> None:
    made = report(lively())
    first = made.brands[0].series[0].start
    assert first == datetime.combine(first.astimezone(BERLIN).date(), datetime.min.time(), BERLIN).astimezone(UTC)
