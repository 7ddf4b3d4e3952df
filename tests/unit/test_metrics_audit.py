"""The audited score finds the truth that the raw one misses, and says no more than a sample can."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import sqrt
from pathlib import Path
from random import Random
from statistics import mean, stdev

import pytest

from monitor.metrics.audit import (
    Agreement,
    Frame,
    Judged,
    Share,
    accuracy,
    agreement,
    agreements,
    audited_score,
    confusion,
    precision,
    recall,
    relevance,
)
from monitor.metrics.intervals import tango
from monitor.metrics.sentiment import Tally

SIGNS = {"positive": 1, "neutral": 0, "negative": -1}
ERRORS = {
    "positive": {"positive": 0.85, "neutral": 0.12, "negative": 0.03},
    "neutral": {"positive": 0.30, "neutral": 0.62, "negative": 0.08},
    "negative": {"positive": 0.22, "neutral": 0.28, "negative": 0.50},
}
"""A scorer that sees the good side: by the true label, how often it says what."""


def tally(labels: Sequence[str]) -> Tally:
    found = Counter(labels)
    return Tally(found["positive"], found["negative"], found["neutral"])


def judged(*pairs: tuple[str, str], times: int = 1) -> list[Judged]:
    """Items by (the scorer's label, Ann's)."""
    return [Judged(label, {"Ann": said}) for label, said in pairs] * times


def world(random: Random, size: int) -> list[tuple[str, str]]:
    """(scorer's label, true label) of a population."""
    truth = random.choices(list(SIGNS), (0.25, 0.30, 0.45), k=size)
    return [(random.choices(list(ERRORS[one]), list(ERRORS[one].values()))[0], one) for one in truth]


def covered(population: Sequence[tuple[str, str]], samples: int, size: int = 200) -> tuple[int, bool]:
    """In how many seeded samples the audited interval holds the population's true score, and whether the raw one does."""
    truth = mean(SIGNS[one] for _, one in population)
    frame = Frame(tally([label for label, _ in population]))
    raw = tango(frame.text.positive, frame.text.negative, frame.text.n)
    assert raw is not None
    held = 0
    for seed in range(samples):
        found = audited_score(frame, judged(*Random(seed).sample(population, size)))
        assert found is not None
        held += found.low <= truth <= found.high
    return held, raw.low <= truth <= raw.high


def test_the_audited_interval_holds_the_truth_that_the_raw_one_misses() -> None:
    held, raw_holds = covered(world(Random(1), 5_000), 100)
    assert not raw_holds
    assert held >= 93


def test_it_keeps_its_level_over_many_worlds_and_samples() -> None:
    results = [covered(world(Random(seed), 2_000), 40) for seed in range(25)]
    assert sum(held for held, _ in results) >= 0.94 * 1_000
    assert not any(raw for _, raw in results)


def test_the_formula_by_hand() -> None:
    said = judged(("positive", "negative"), ("positive", "positive"), ("neutral", "negative"), ("negative", "negative"))
    frame = Frame(Tally(positive=60, negative=10, neutral=30))
    errors = [-2, 0, -1, 0]
    score = 0.50 + mean(errors)
    variance = (0.70 - 0.50**2) / 100 + stdev(errors) ** 2 / 4
    found = audited_score(frame, said)
    assert found is not None
    assert found.score == pytest.approx(score)
    assert found.m == 4
    assert found.low == pytest.approx(max(-1, score - 1.959964 * sqrt(variance)))
    assert found.high == pytest.approx(score + 1.959964 * sqrt(variance))


def test_the_worked_example_of_the_docs() -> None:
    """The page's numbers are these."""
    said = [
        *judged(("positive", "positive"), times=70),
        *judged(("positive", "negative"), times=30),
        *judged(("neutral", "neutral"), times=50),
        *judged(("negative", "negative"), times=50),
    ]
    found = audited_score(Frame(Tally(positive=500, negative=250, neutral=250)), said)
    raw = tango(500, 250, 1000)
    assert found is not None
    assert raw is not None
    shown = [f"{value:+.2f}".replace("-", "−") for value in (raw.low, raw.high, found.score, found.low, found.high)]
    page = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    example = page.partition("## Audited score")[2].partition("\n## ")[0]
    text = " ".join(example.split())
    assert f"S = +0.25 (likely {shown[0]} to {shown[1]})" in text
    assert f"{shown[2]} (likely {shown[3]} to {shown[4]})" in text
    assert "30 of them positive though they are negative" in text


def test_stars_have_no_error() -> None:
    said = judged(("positive", "negative"), ("positive", "positive"), times=10)
    texts, stars = Tally(positive=100), Tally(negative=300)
    found = audited_score(Frame(texts, stars), said)
    alone = audited_score(Frame(texts), said)
    assert found is not None
    assert alone is not None
    assert alone.score == pytest.approx(0.0)
    assert found.score == pytest.approx((100 * 0.0 - 300) / 400)
    assert found.high - found.low < alone.high - alone.low


def test_what_is_not_about_the_brand_leaves_the_population() -> None:
    """A third of the population is noise that the scorer calls positive; the rest it labels rightly."""
    said = [
        *judged(("positive", "not_about_us"), times=50),
        *judged(("positive", "positive"), times=25),
        *judged(("negative", "negative"), times=75),
    ]
    found = audited_score(Frame(Tally(positive=750, negative=750)), said)
    assert found is not None
    assert found.score == pytest.approx((250 - 750) / 1_000)
    assert found.low < found.score < found.high
    assert relevance(said) == Share(100, 150)
    assert accuracy(confusion(said)) == Share(100, 100)


def test_it_covers_where_much_is_not_about_the_brand() -> None:
    random = Random(3)
    population = [(label, "not_about_us" if random.random() < 0.25 else true) for label, true in world(random, 4_000)]
    truth = mean(SIGNS[true] for _, true in population if true in SIGNS)
    frame, held = Frame(tally([label for label, _ in population])), 0
    for seed in range(200):
        found = audited_score(frame, judged(*Random(seed).sample(population, 200)))
        assert found is not None
        held += found.low <= truth <= found.high
    assert held >= 186


def test_a_sample_without_an_error_does_not_claim_that_there_is_none() -> None:
    frame = Frame(Tally(positive=50_000, negative=50_000))
    found = audited_score(frame, judged(("positive", "positive"), ("negative", "negative"), times=50))
    assert found is not None
    assert found.score == 0
    assert found.high == pytest.approx(1.96 * sqrt(1 / 100**2 + 1 / 100_000), rel=0.01)


@pytest.mark.parametrize(
    ("frame", "said"),
    [
        (Frame(Tally(positive=5)), []),
        (Frame(Tally(positive=5)), judged(("positive", "positive"))),
        (Frame(Tally()), judged(("positive", "positive"), times=9)),
        (Frame(Tally(positive=5)), judged(("positive", "not_about_us"), times=9)),
        (Frame(Tally(positive=5)), [Judged("positive", {})] * 9),
    ],
)
def test_where_nothing_can_be_said_nothing_is(frame: Frame, said: list[Judged]) -> None:
    assert audited_score(frame, said) is None


def test_recall_precision_and_accuracy_come_from_one_table() -> None:
    cells = confusion(judged(("positive", "positive"), ("positive", "neutral"), ("negative", "negative"), times=10))
    assert cells["neutral"] == {"positive": 10, "neutral": 0, "negative": 0}
    assert accuracy(cells) == Share(20, 30)
    assert recall(cells)["neutral"] == Share(0, 10)
    assert precision(cells)["positive"] == Share(10, 20)
    interval = precision(cells)["positive"].interval
    assert interval is not None
    assert (round(interval.low, 3), round(interval.high, 3)) == (0.299, 0.701)
    assert precision(cells)["neutral"].share is None


def test_an_item_on_which_two_persons_differ_counts_once() -> None:
    both = [Judged("positive", {"Ann": "positive", "Bob": "negative"})] * 4
    assert accuracy(confusion(both)) == Share(2, 4)
    assert both[0].error == -1
    torn = Judged("positive", {"Ann": "neutral", "Bob": "not_about_us"})
    assert torn.about_us
    assert torn.labels == ["neutral"]
    assert not Judged("positive", {"Ann": "neutral", "Bob": "not_about_us", "Cyd": "not_about_us"}).about_us


def test_kappa_by_hand() -> None:
    """Cohen's own kind of table: 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no."""
    answers = [
        *[("positive", "positive")] * 20,
        *[("positive", "negative")] * 5,
        *[("negative", "positive")] * 10,
        *[("negative", "negative")] * 15,
    ]
    found = agreement(("Ann", "Bob"), answers)
    assert found.share == pytest.approx(0.7)
    assert found.kappa is not None
    assert found.kappa == pytest.approx(0.4)
    assert found.interval is not None
    assert not found.is_rough
    error = _jackknife(answers)
    assert found.interval.high - found.kappa == pytest.approx(1.96 * error, rel=0.05)


def _jackknife(answers: Sequence[tuple[str, str]]) -> float:
    without = [agreement(("Ann", "Bob"), [*answers[:at], *answers[at + 1 :]]).kappa or 0 for at in range(len(answers))]
    n, middle = len(answers), mean(without)
    return sqrt((n - 1) / n * sum((one - middle) ** 2 for one in without))


def test_kappa_of_one_and_the_same_answer_is_not_known() -> None:
    assert agreement(("Ann", "Bob"), [("positive", "positive")] * 5) == Agreement(("Ann", "Bob"), 5, 1.0, None, None)


def test_only_what_both_looked_at_is_compared() -> None:
    said = [
        Judged("neutral", {"Ann": "neutral", "Bob": "neutral"}),
        Judged("neutral", {"Ann": "negative", "Bob": "neutral", "Cyd": "negative"}),
        Judged("neutral", {"Ann": "positive"}),
    ]
    assert [(one.persons, one.n, one.share) for one in agreements(said)] == [
        (("Ann", "Bob"), 2, 0.5),
        (("Ann", "Cyd"), 1, 1.0),
        (("Bob", "Cyd"), 1, 0.0),
    ]
