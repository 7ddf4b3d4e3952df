"""How often the likely ranges hold and the tests err: exactly for independent items, by simulation for authors who repeat themselves.

docs/metrics.md prints these numbers; what it says is what is asserted here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

import numpy as np
import pytest

from monitor.metrics.change import change
from monitor.metrics.intervals import design_effect, score_interval, tango
from monitor.metrics.sentiment import Tally

Shares = tuple[float, float, float]
"""Of positive, negative and neutral items."""
MOODS: Sequence[Shares] = ((0.4, 0.3, 0.3), (0.6, 0.1, 0.3), (0.2, 0.2, 0.6))


# --- Independent items, exactly


@pytest.mark.parametrize("n", [80, 120, 200, 300])
def test_exact_coverage_is_at_least_89_percent_and_95_on_average_for_many_items_too(n: int) -> None:
    low, high = ends(n)
    grid = [(i / 20, j / 20) for i in range(21) for j in range(i, 21 - i)]  # the other half is its mirror
    covered = [exact_coverage(n, *shares, low, high) for shares in grid]
    assert min(covered) >= 0.89
    assert sum(covered) / len(covered) >= 0.945


def ends(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Both ends for every outcome, by positive and negative items; nothing is held by what cannot come out."""
    low, high = np.full((n + 1, n + 1), 2.0), np.full((n + 1, n + 1), -2.0)
    for b in range(n + 1):
        for c in range(min(b, n - b) + 1):
            found = tango(b, c, n)
            assert found is not None
            low[b, c], high[b, c] = found.low, found.high
            low[c, b], high[c, b] = -found.high, -found.low
    return low, high


def exact_coverage(n: int, positive: float, negative: float, low: np.ndarray, high: np.ndarray) -> float:
    """The chance that the interval holds the true score, summed over all outcomes of n items."""
    from scipy.stats import binom  # which takes seconds, and every process that tests collects this file

    true = positive - negative
    counts = np.arange(n + 1)
    first = binom.pmf(counts, n, positive)
    share = min(1.0, negative / (1 - positive)) if positive < 1 else 0.0
    rest = binom.pmf(counts[None, :], n - counts[:, None], share)
    held = (low - 1e-12 <= true) & (true <= high + 1e-12)
    return float((first[:, None] * np.nan_to_num(rest) * held).sum())


# --- Authors who repeat themselves


@dataclass(frozen=True)
class Crowd:
    """Items of one window: ``skew`` 0 lets all authors write alike often, 1 the k-th one 1/k as often as the first.

    ``opinion``: the smaller, the more each author keeps to one label (a Dirichlet's weight); ``None`` for no opinions.
    """

    authors: int
    skew: float
    opinion: float | None
    shares: Shares
    items: int = 200

    def window(self, random: Random) -> dict[int, list[int]]:
        """Labels by author."""
        weights = [(number + 1) ** -self.skew for number in range(self.authors)]
        found: dict[int, list[int]] = {}
        for author in random.choices(range(self.authors), weights, k=self.items):
            found.setdefault(author, []).append(0)
        return {author: random.choices((1, -1, 0), self._opinion(random), k=len(own)) for author, own in found.items()}

    def _opinion(self, random: Random) -> Sequence[float]:
        if self.opinion is None:
            return self.shares
        return [random.gammavariate(self.opinion * share, 1) + 1e-300 for share in self.shares]


@dataclass(frozen=True)
class Measured:
    """Shares of the simulated cases: ``widened`` and ``plain`` intervals that hold, and changes called of none."""

    widened: float
    plain: float
    called: float
    called_where_it_speaks: float


def measured(crowd: Crowd, rounds: int = 500) -> Measured:
    """The same every time: the cases are drawn from a seed."""
    random, true = Random(f"{crowd}"), crowd.shares[0] - crowd.shares[1]
    held = plain = spoke = called = 0
    for _ in range(rounds):
        now, before = crowd.window(random), crowd.window(random)
        deff = design_effect(now)
        held += holds(tally(now), deff, true)
        plain += holds(tally(now), 1.0, true)
        found = change(tally(now), tally(before), deff_now=deff, deff_before=design_effect(before))
        spoke += found.p is not None
        called += found.p is not None and found.p < 0.05
    return Measured(held / rounds, plain / rounds, called / rounds, called / max(1, spoke))


def tally(labels: dict[int, list[int]]) -> Tally:
    flat = [label for own in labels.values() for label in own]
    return Tally(flat.count(1), flat.count(-1), flat.count(0))


def holds(found: Tally, deff: float | None, true: float) -> bool:
    interval = score_interval(found, deff)
    return interval is not None and interval.low <= true <= interval.high


@pytest.mark.parametrize("shares", MOODS)
def test_where_authors_write_alike_often_the_widened_range_holds_and_the_test_keeps_its_size(shares: Shares) -> None:
    for crowd in (Crowd(20, 0, 2, shares), Crowd(200, 0, 0.5, shares), Crowd(20, 1, None, shares)):
        found = measured(crowd)
        assert 0.92 <= found.widened <= 0.985, crowd
        assert 0.015 <= found.called_where_it_speaks <= 0.085, crowd  # 500 draws of .05 stray by .02 at most


@pytest.mark.parametrize("shares", MOODS)
def test_where_a_few_opinionated_authors_write_most_the_range_holds_less_often(shares: Shares) -> None:
    for crowd in (
        Crowd(20, 1, 0.5, shares),
        Crowd(20, 1, 2, shares),
        Crowd(50, 1, 2, shares),
        Crowd(100, 1, 0.5, shares),
    ):
        found = measured(crowd)
        assert 0.86 <= found.widened <= 0.95, crowd
        assert found.plain < 0.7, crowd
        assert found.called <= 0.12, crowd
        assert found.called_where_it_speaks <= 0.30, crowd
