"""PURE  How right the scorer is, by what people said of a random sample, and the score it would give without its errors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import sqrt
from statistics import NormalDist
from typing import Final

from monitor.metrics.intervals import LEVEL, Interval, wilson
from monitor.metrics.sentiment import Tally

LABELS: Final = ("positive", "neutral", "negative")
NOT_ABOUT_US: Final = "not_about_us"
ANSWERS: Final = (*LABELS, NOT_ABOUT_US)
"""What a person can say of an item."""
FEW: Final = 30
"""Under so many labels (for the agreement: items that both labelled) an interval is rough, and said to be."""
_SIGNS: Final = {"positive": 1, "neutral": 0, "negative": -1}


@dataclass(frozen=True, slots=True)
class Judged:
    """An item of a sample: the scorer's present label of its text, and what each person said of it (of ``ANSWERS``)."""

    label: str
    said: Mapping[str, str]

    @property
    def about_us(self) -> bool:
        """Unless more than half of those who looked say that it is not. Source: METRICS 2.5."""
        return 2 * sum(one == NOT_ABOUT_US for one in self.said.values()) <= len(self.said)

    @property
    def labels(self) -> list[str]:
        """The labels that people gave it; none of an item that is not about the brand."""
        return [one for one in self.said.values() if one != NOT_ABOUT_US] if self.about_us else []

    @property
    def error(self) -> float:
        """``y - f`` with the mean of the persons' labels as y; ``-f`` of an item that is not about the brand."""
        return self.truth - _SIGNS[self.label]

    @property
    def truth(self) -> float:
        signs = [_SIGNS[label] for label in self.labels]
        return sum(signs) / len(signs) if signs else 0.0


@dataclass(frozen=True, slots=True)
class Frame:
    """The population: the scorer's labels of what it read, and those that stars gave, whose error is 0 by definition."""

    text: Tally
    stars: Tally = field(default_factory=Tally)

    @property
    def all(self) -> Tally:
        return self.text + self.stars


@dataclass(frozen=True, slots=True)
class Audited:
    """The score without the scorer's errors, in [-1, 1], with its 95 % interval, from ``m`` items that people labelled."""

    score: float
    low: float
    high: float
    m: int


@dataclass(frozen=True, slots=True)
class Share:
    """``count / n`` with its 95 % interval; ``None`` of nothing. Counts are not whole where several persons disagree."""

    count: float
    n: float

    @property
    def share(self) -> float | None:
        return self.count / self.n if self.n else None

    @property
    def interval(self) -> Interval | None:
        """Wilson's. Source: METRICS 2.5."""
        return wilson(self.count, self.n)


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far two persons agree over the ``n`` items that both looked at, beyond what chance alone makes them.

    ``share`` in [0, 1] is plain agreement. ``kappa`` in [-1, 1] is Cohen's, ``None`` where both always gave one and the
    same answer; its interval is ``None`` under two items and where it is not known.
    """

    persons: tuple[str, str]
    n: int
    share: float
    kappa: float | None
    interval: Interval | None

    @property
    def is_rough(self) -> bool:
        """Too few items for the interval to be taken at its word."""
        return self.n < FEW


def labelled(judged: Iterable[Judged]) -> list[Judged]:
    """Those of whom somebody has said something."""
    return [one for one in judged if one.said]


def audited_score(frame: Frame, judged: Iterable[Judged], level: float = LEVEL) -> Audited | None:
    """``mean_N(f) + mean_m(y - f)`` with variance ``Var(f) / N + Var(y - f) / m``. Source: METRICS 2.5.

    Stars: a stratum of error 0, so that the sample speaks for the share of the text-scored items only. Items called not
    about the brand leave the population: with r = 1 for the others and 0 for them, the numerator becomes
    ``mean_N(f) + mean_m(r y - f)``, the denominator ``mean_m(r)``, and the variance that of their ratio, linearised; where
    every r is 1 this is the formula above. ``Var(y - f)`` is never taken below that of a sample with a single error, so
    that a sample without one does not claim that there are none. ``None`` under two labelled items, without a population,
    and where nothing of the sample is about the brand.
    """
    seen = labelled(judged)
    m, texts, everything = len(seen), frame.text.n, frame.all
    if m < 2 or not everything.n:
        return None
    relevant = sum(one.about_us for one in seen) / m
    size = frame.stars.n + texts * relevant
    if not size:
        return None
    total = everything.positive - everything.negative + texts * sum(one.error for one in seen) / m
    score = total / size
    spread = max(_variance([one.error - score * one.about_us for one in seen]), 1 / m)
    variance = (everything.n * _label_variance(everything) + texts**2 * spread / m) / size**2
    half = NormalDist().inv_cdf((1 + level) / 2) * sqrt(variance)
    return Audited(_clipped(score), _clipped(score - half), _clipped(score + half), m)


# ------------------------------------------------------------------------------------------------- the scorer


def confusion(judged: Iterable[Judged]) -> dict[str, dict[str, float]]:
    """How often people said the first label and the scorer the second; an item counts once, however many looked at it."""
    found = {truth: dict.fromkeys(LABELS, 0.0) for truth in LABELS}
    for one in labelled(judged):
        for truth in one.labels:
            found[truth][one.label] += 1 / len(one.labels)
    return found


def accuracy(cells: Mapping[str, Mapping[str, float]]) -> Share:
    """Of the items about the brand, the share on which the scorer and people agree."""
    return Share(sum(cells[label][label] for label in LABELS), sum(sum(cells[truth].values()) for truth in LABELS))


def recall(cells: Mapping[str, Mapping[str, float]]) -> dict[str, Share]:
    """Per label that people gave: how much of it the scorer found."""
    return {label: Share(cells[label][label], sum(cells[label].values())) for label in LABELS}


def precision(cells: Mapping[str, Mapping[str, float]]) -> dict[str, Share]:
    """Per label that the scorer gave: how often people agree."""
    return {label: Share(cells[label][label], sum(cells[truth][label] for truth in LABELS)) for label in LABELS}


def relevance(judged: Iterable[Judged]) -> Share:
    """The share that is about the brand. Source: METRICS 2.5."""
    seen = labelled(judged)
    return Share(sum(one.about_us for one in seen), len(seen))


# ------------------------------------------------------------------------------------------------- two persons


def agreements(judged: Iterable[Judged]) -> list[Agreement]:
    """How far every two persons agree on the items that both looked at."""
    seen = labelled(judged)
    people = sorted({person for one in seen for person in one.said})
    pairs = {
        both: [(one.said[both[0]], one.said[both[1]]) for one in seen if {*both} <= one.said.keys()]
        for both in combinations(people, 2)
    }
    return [agreement(both, answers) for both, answers in pairs.items() if answers]


def agreement(persons: tuple[str, str], answers: Sequence[tuple[str, str]], level: float = LEVEL) -> Agreement:
    """Cohen's kappa ``(po - pe) / (1 - pe)`` with its large-sample interval; ``answers`` must not be empty.

    Source: Cohen 1960, Educational and Psychological Measurement 20, 37-46; the variance: Fleiss, Cohen, Everitt 1969,
    Psychological Bulletin 72, 323-327.
    """
    n = len(answers)
    cells = {pair: count / n for pair, count in Counter(answers).items()}
    one, other = _margins(cells)
    same = sum(share for (a, b), share in cells.items() if a == b)
    by_chance = sum(one[answer] * other[answer] for answer in ANSWERS)
    if 1 - by_chance < 1e-12:
        return Agreement(persons, n, same, None, None)
    kappa = (same - by_chance) / (1 - by_chance)
    if n < 2:
        return Agreement(persons, n, same, kappa, None)
    half = NormalDist().inv_cdf((1 + level) / 2) * sqrt(_kappa_variance(cells, same, by_chance) / n)
    return Agreement(persons, n, same, kappa, Interval(_clipped(kappa - half), _clipped(kappa + half)))


def _margins(cells: Mapping[tuple[str, str], float]) -> tuple[dict[str, float], dict[str, float]]:
    one, other = dict.fromkeys(ANSWERS, 0.0), dict.fromkeys(ANSWERS, 0.0)
    for (a, b), share in cells.items():
        one[a] += share
        other[b] += share
    return one, other


def _kappa_variance(cells: Mapping[tuple[str, str], float], same: float, by_chance: float) -> float:
    """n times the variance of kappa."""
    one, other = _margins(cells)
    agreed = sum(
        share * ((1 - by_chance) - (one[a] + other[a]) * (1 - same)) ** 2 for (a, b), share in cells.items() if a == b
    )
    apart = sum(share * (other[a] + one[b]) ** 2 for (a, b), share in cells.items() if a != b)
    rest = (same * by_chance - 2 * by_chance + same) ** 2
    return max(0.0, agreed + (1 - same) ** 2 * apart - rest) / (1 - by_chance) ** 4


# ------------------------------------------------------------------------------------------------- small parts


def _variance(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return sum((value - mean) ** 2 for value in values) / (len(values) - 1)


def _label_variance(tally: Tally) -> float:
    return (tally.positive + tally.negative) / tally.n - (tally.score or 0.0) ** 2


def _clipped(value: float) -> float:
    return max(-1.0, min(1.0, value))
