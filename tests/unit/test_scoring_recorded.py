"""How well the profiles label recorded texts whose labels are known; docs/scoring.md prints these figures."""

import csv
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from monitor.scoring import DEFAULT, STOCK, Label
from monitor.scoring.evaluation import Evaluated, Row, evaluate
from monitor.scoring.evaluation_files import Columns, read_rows

pytestmark = pytest.mark.recorded


def recorded(name: str) -> Path:
    folder = os.environ.get("RECORDED_DATA")
    if folder is None:
        pytest.skip("recorded data not present")
    return Path(folder) / "data" / name


def airline() -> list[Row]:
    return read_rows(recorded("airline_tweets/Tweets.csv"), Columns(label="airline_sentiment", group="airline"))


def instruments() -> list[Row]:
    return read_rows(recorded("musical_instruments/reviews.csv"), Columns(title="summary", label="overall"))


def app() -> list[Row]:
    return read_rows(recorded("play_moniepoint/reviews.csv"))


def vaders_tweets() -> list[Row]:
    with recorded("vader/tweets_GroundTruth.txt").open(encoding="utf-8", newline="") as file:
        records = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return [Row("\t".join(text), label_of_rating(float(mean))) for _, mean, *text in records]


def label_of_rating(mean: float) -> Label:
    return Label.POSITIVE if mean / 4 >= 0.05 else Label.NEGATIVE if mean / 4 <= -0.05 else Label.NEUTRAL


@cache
def evaluated(rows: Callable[[], list[Row]]) -> tuple[Evaluated, Evaluated]:
    stock, default = evaluate(rows(), [STOCK, DEFAULT]).profiles
    return stock, default


def accuracies(rows: Callable[[], list[Row]]) -> tuple[float, float]:
    stock, default = evaluated(rows)
    assert stock.accuracy is not None
    assert default.accuracy is not None
    return stock.accuracy, default.accuracy


def test_stock_has_the_published_accuracy() -> None:
    assert [round(accuracies(rows)[0], 3) for rows in (airline, instruments, app, vaders_tweets)] == [
        0.490,
        0.834,
        0.735,
        0.899,
    ]


def test_default_reads_brand_tweets_better() -> None:
    stock, default = evaluated(airline)
    assert stock.score_error is not None
    assert default.score_error is not None
    assert default.accuracy is not None
    assert default.accuracy >= 0.61
    assert stock.score_error > 0.65
    assert abs(default.score_error) <= 0.40
    assert default.group_error is not None
    assert default.group_error <= 0.40


@pytest.mark.parametrize("rows", [instruments, app])
def test_default_reads_reviews_no_worse(rows: Callable[[], list[Row]]) -> None:
    stock, default = accuracies(rows)
    assert default >= stock - 0.01


@pytest.mark.parametrize("rows", [instruments, app, airline])
def test_default_finds_more_of_the_complaints(rows: Callable[[], list[Row]]) -> None:
    stock, default = evaluated(rows)
    assert (default.recall["negative"] or 0) > (stock.recall["negative"] or 0) + 0.1
    assert (default.macro_f1 or 0) > (stock.macro_f1 or 0)


def test_default_costs_little_on_everyday_tweets() -> None:
    stock, default = accuracies(vaders_tweets)
    assert default >= stock - 0.03
