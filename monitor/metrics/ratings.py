"""PURE  Ratings of reviews: brought to one scale, counted in stars, averaged with an interval."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import expm1, floor, isfinite, pi, sqrt
from statistics import NormalDist

from monitor.metrics.intervals import LEVEL, Interval
from monitor.scoring.contract import Label

WORST, BEST = 1.0, 5.0
STARS = (1, 2, 3, 4, 5)
PRIOR = 0.5
"""Ratings added to each star cell for the interval of a mean (Jeffreys' prior)."""


def common_scale(value: float, worst: float, best: float) -> float:
    """A rating on the scale 1..5: ``1 + 4 (value - worst) / (best - worst)``.

    ``ValueError`` where the scale is none, or the value not on it. Source: METRICS 3.
    """
    if not all(map(isfinite, (value, worst, best))) or not worst < best:
        raise ValueError(f"rating {value} on {worst}..{best}: not a scale")
    if not worst <= value <= best:
        raise ValueError(f"rating {value}: outside its scale {worst}..{best}")
    return WORST + (BEST - WORST) * (value - worst) / (best - worst)


def star_cell(r: float) -> int:
    """The star (1 to 5) of a rating on the common scale, rounded half up. Source: METRICS 3."""
    return min(5, max(1, floor(round(r, 9) + 0.5)))


def label_of_cell(cell: int) -> Label:
    """4-5 stars are positive, 3 neutral, 1-2 negative. Source: METRICS 3."""
    if cell == 3:
        return Label.NEUTRAL
    return Label.POSITIVE if cell > 3 else Label.NEGATIVE


def is_boolean(worst: float, best: float) -> bool:
    """Whether the scale is a yes or no (0..1), which has a label and counts in CSAT, and in no mean. Source: METRICS 3."""
    return worst == 0 and best == 1


@dataclass(frozen=True, slots=True)
class RatingTally:
    """Ratings added up on the common scale; addable. ``yes`` and ``no`` are booleans, which are in none of the others."""

    count: int = 0
    sum: float = 0.0
    sum_of_squares: float = 0.0
    cells: tuple[int, int, int, int, int] = (0, 0, 0, 0, 0)
    yes: int = 0
    no: int = 0

    @classmethod
    def of(cls, value: float, worst: float, best: float) -> RatingTally:
        """The tally of one rating as given. ``ValueError`` as :func:`common_scale`. Source: METRICS 3."""
        r = common_scale(value, worst, best)
        cell = star_cell(r)
        if is_boolean(worst, best):
            return cls(yes=int(cell > 3), no=int(cell <= 3))
        one, two, three, four, five = (int(cell == star) for star in STARS)
        return cls(1, r, r * r, (one, two, three, four, five))

    def __add__(self, other: RatingTally) -> RatingTally:
        one, two, three, four, five = (a + b for a, b in zip(self.cells, other.cells, strict=True))
        return RatingTally(
            self.count + other.count,
            self.sum + other.sum,
            self.sum_of_squares + other.sum_of_squares,
            (one, two, three, four, five),
            self.yes + other.yes,
            self.no + other.no,
        )

    @property
    def mean(self) -> float | None:
        """The mean in [1, 5]; ``None`` without a rating. Source: METRICS 3."""
        return min(BEST, max(WORST, self.sum / self.count)) if self.count else None

    @property
    def histogram(self) -> dict[int, int]:
        """Ratings by star. Source: METRICS 3."""
        return dict(zip(STARS, self.cells, strict=True))

    @property
    def answers(self) -> int:
        """What CSAT rests on: ratings and booleans."""
        return self.count + self.yes + self.no

    @property
    def csat(self) -> float | None:
        """The share of 4-5 stars (and of yes), in [0, 1]; ``None`` without an answer. Source: METRICS 3."""
        return (self.cells[3] + self.cells[4] + self.yes) / self.answers if self.answers else None

    @property
    def csat_as_written(self) -> float | None:
        """The net form: share of 3-5 stars minus share of 1-2, in [-1, 1]. Source: METRICS 3, variant ``as_written``."""
        if not self.answers:
            return None
        return (sum(self.cells[2:]) + self.yes - sum(self.cells[:2]) - self.no) / self.answers

    def interval(self, level: float = LEVEL) -> Interval | None:
        """The interval of the mean, in [1, 5]; ``None`` without a rating.

        Student's t after half a rating is added to each star (the interval always holds the mean). The plain t interval
        has no width when all ratings agree, and covers 0.20 to 0.90 of what it says at n = 10 and less than 0.93 at n = 50
        for the lopsided ratings that shops and stores have; this one covers .94 and more at every n measured (2 to 300).
        Source: METRICS 3; the prior is Jeffreys'.
        """
        mean = self.mean
        if mean is None:
            return None
        n = self.count + PRIOR * len(STARS)
        centre = (self.sum + PRIOR * sum(STARS)) / n
        squares = self.sum_of_squares + PRIOR * sum(star * star for star in STARS)
        half = t_quantile(n - 1, level) * sqrt(max(0.0, squares / n - centre**2) / (n - 1))
        return Interval(min(mean, max(WORST, centre - half)), max(mean, min(BEST, centre + half)))


def overall_csat(by_channel: Iterable[tuple[float | None, int]]) -> float | None:
    """CSAT by channel, weighted by the channel's share of items; channels without a CSAT have no weight.

    ``by_channel``: pairs of CSAT and number of items. Source: METRICS 3.
    """
    known = [(csat, items) for csat, items in by_channel if csat is not None]
    items = sum(items for _, items in known)
    return sum(csat * items for csat, items in known) / items if items else None


def t_quantile(df: float, level: float = LEVEL) -> float:
    """How far Student's t with ``df`` >= 2.5 strays from 0 with probability ``level``; relative error below 3e-5.

    Source: Hill 1970, Communications of the ACM 13, 619-620 (algorithm 396).
    """
    tails = 1 - level
    a = 1 / (df - 0.5)
    b = 48 / a**2
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * sqrt(a * pi / 2) * df
    y = (d * tails) ** (2 / df)
    return sqrt(df * (_near_normal(df, tails, a, b, c, d) if y > 0.05 + a else _far_out(df, d, y)))


def _near_normal(df: float, tails: float, a: float, b: float, c: float, d: float) -> float:
    x = NormalDist().inv_cdf(tails / 2)
    y = x * x
    if df < 5:
        c += 0.3 * (df - 4.5) * (x + 0.6)
    c = (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b + c
    y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
    return expm1(a * y * y)


def _far_out(df: float, d: float, y: float) -> float:
    correction = 1 / (((df + 6) / (df * y) - 0.089 * d - 0.822) * (df + 2) * 3) + 0.5 / (df + 4)
    return (correction * y - 1) * (df + 1) / (df + 2) + 1 / y
