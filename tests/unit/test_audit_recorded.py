"""Recorded tweets with known labels: the raw score misses the truth by far, the audited one of 200 labels does not."""

import pytest

from monitor.metrics.sentiment import Tally
from monitor.scoring import STOCK
from monitor.scoring.pipeline import Scorable, score_batch
from tests.unit.test_metrics_audit import covered, tally
from tests.unit.test_scoring_recorded import airline

pytestmark = pytest.mark.recorded


@pytest.fixture(scope="module")
def labels() -> list[tuple[str, str]]:
    """(stock VADER's label, the true one) of each tweet that has words."""
    rows = airline()
    scored = score_batch([Scorable(body=row.text) for row in rows], STOCK)
    return [(found.label.value, row.label.value) for found, row in zip(scored, rows, strict=True) if found.label]


def test_the_audited_score_of_the_airline_tweets_covers_the_truth(labels: list[tuple[str, str]]) -> None:
    held, raw_holds = covered(labels, 100)
    assert not raw_holds
    assert held >= 93
    raw, truth = tally([label for label, _ in labels]), tally([true for _, true in labels])
    assert _score(raw) - _score(truth) > 0.3


def _score(labels: Tally) -> float:
    assert labels.score is not None
    return labels.score
