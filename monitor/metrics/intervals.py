"""PURE  How sure a figure is: intervals for scores, shares and means, in pure Python.

The Wald interval (estimate plus or minus z standard errors) is nowhere in here: for scores its real coverage is 0.74 at
n = 5 and 0.90 at n = 20.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from statistics import NormalDist
from typing import Any

from monitor.metrics.roots import root
from monitor.metrics.sentiment import Tally

LEVEL = 0.95
SLACK = 1e-9
"""By how much, of n, counts divided by a design effect may miss n through rounding."""


@dataclass(frozen=True, slots=True)
class Interval:
    """``low <= figure <= high``, in the figure's own unit."""

    low: float
    high: float


def score_interval(tally: Tally, deff: float | None = 1.0, level: float = LEVEL) -> Interval | None:
    """The interval of ``tally.score``, in [-1, 1]; ``deff`` is what :func:`design_effect` says of the same items.

    ``None`` without a labelled item, and where the design effect is unknown (one cluster only). Source: METRICS 2.3.
    """
    if deff is None:
        return None
    return tango(tally.positive / deff, tally.negative / deff, tally.n / deff, level)


def tango(positive: float, negative: float, n: float, level: float = LEVEL) -> Interval | None:
    """Tango's score interval of ``(positive - negative) / n``, in [-1, 1]; ``None`` when ``n`` is 0.

    Counts need not be whole (they may be divided by a design effect). ``ValueError`` for counts below 0 or above ``n``.
    Real coverage at 95 %, exact, n from 5 to 60: at least .89 for shares in steps of .05 and .95 on average; it dips to .83
    in the corners, where an item that differs is expected less than once. Source: METRICS 2.3.
    """
    if positive < 0 or negative < 0 or positive + negative > n * (1 + SLACK):
        raise ValueError(f"{positive} positive and {negative} negative of {n}: counts must lie between 0 and n")
    if n == 0:
        return None
    z = _z(level)
    return Interval(_lower_end(positive, negative, n, z), -_lower_end(negative, positive, n, z))


def design_effect(labels_by_cluster: Mapping[Any, Collection[int]]) -> float | None:
    """By how much clustering inflates the variance of the score, at least 1; ``None`` with fewer than two clusters.

    ``labels_by_cluster``: per cluster (an author, items of nearly the same text joined) its labels as 1, 0 or -1.
    Source: METRICS 2.3.
    """
    clusters = [(sum(labels), len(labels)) for labels in labels_by_cluster.values() if labels]
    if len(clusters) < 2:
        return None
    n = sum(size for _, size in clusters)
    score = sum(net for net, _ in clusters) / n
    polar = sum(sum(map(abs, labels)) for labels in labels_by_cluster.values())
    simple = polar - n * score * score
    if simple <= SLACK:
        return 1.0
    clustered = sum((net - size * score) ** 2 for net, size in clusters) * len(clusters) / (len(clusters) - 1)
    return max(1.0, clustered / simple)


def mover(now: float, now_interval: Interval, before: float, before_interval: Interval) -> Interval:
    """The interval of ``now - before`` from the intervals of both, which must be independent. Source: METRICS 2.4."""
    delta = now - before
    down = sqrt((now - now_interval.low) ** 2 + (before_interval.high - before) ** 2)
    up = sqrt((now_interval.high - now) ** 2 + (before - before_interval.low) ** 2)
    return Interval(delta - down, delta + up)


def wilson(count: float, n: float, level: float = LEVEL) -> Interval | None:
    """Wilson's score interval of the share ``count / n``, in [0, 1]; ``None`` when ``n`` is 0.

    Counts need not be whole. ``ValueError`` for a count below 0 or above ``n``.
    Source: Wilson 1927, Journal of the American Statistical Association 22, 209-212.
    """
    if count < 0 or count > n * (1 + SLACK):
        raise ValueError(f"{count} of {n}: the count must lie between 0 and n")
    if n == 0:
        return None
    share, z = min(1.0, count / n), _z(level)
    centre = (count + z * z / 2) / (n + z * z)
    half = z * sqrt(n * share * (1 - share) + z * z / 4) / (n + z * z)
    return Interval(min(share, max(0.0, centre - half)), max(share, min(1.0, centre + half)))


@lru_cache(maxsize=16)
def _z(level: float) -> float:
    return NormalDist().inv_cdf((1 + level) / 2)


def _lower_end(b: float, c: float, n: float, z: float) -> float:
    """The root of ``T(d) = z`` in [-1, S]; the upper end is its mirror. Multiplied out, since T is 0/0 at both ends."""
    if c >= n:
        return -1.0  # the missing root
    if b >= n or b == c == 0:  # where the variance vanishes at S, the root has a closed form
        return (b - z * z) / (n + z * z)

    def excess(d: float) -> float:
        return b - c - n * d - z * sqrt(n * _variance(b, c, n, d))

    return root(excess, -1.0, (b - c) / n)


def _variance(b: float, c: float, n: float, d: float) -> float:
    """``2 q + d (1 - d)``: the variance of one item's label if the true score were ``d``, fitted to the counts.

    For a negative ``d`` positive and negative change places, so that nothing is ever subtracted from its like.
    """
    if d < 0:
        b, c, d = c, b, -d
    spread = d * (1 - d)
    linear = (2 * n - b + c) * d - b - c
    discriminant = sqrt(linear * linear + 8 * n * c * spread)
    q = 2 * c * spread / (linear + discriminant) if linear > 0 else (discriminant - linear) / (4 * n)
    return 2 * q + spread
