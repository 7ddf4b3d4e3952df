"""PURE  How an audience feels: labels counted, and the scores made of those counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Tally:
    """How many items carry each label. Tallies add up: ``sum(tallies, Tally())``.

    ``unscored`` items count in volume and never in a score; ``uncounted`` ones (by reason) count nowhere.
    Source: METRICS 1, 2.
    """

    positive: int = 0
    negative: int = 0
    neutral: int = 0
    unscored: int = 0
    uncounted: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.positive + other.positive,
            self.negative + other.negative,
            self.neutral + other.neutral,
            self.unscored + other.unscored,
            _merged(self.uncounted, other.uncounted),
        )

    @property
    def n(self) -> int:
        """Items that have a label: what every score rests on. Source: METRICS 2."""
        return self.positive + self.negative + self.neutral

    @property
    def volume(self) -> int:
        """All counted items, labelled or not. Source: METRICS 1."""
        return self.n + self.unscored

    @property
    def score(self) -> float | None:
        """``(P - N) / n`` in [-1, 1]; ``None`` without a labelled item. Source: METRICS 2.1."""
        return _ratio(self.positive - self.negative, self.n)

    @property
    def shares(self) -> Shares | None:
        """Each label's share of the labelled items; ``None`` without one. Source: METRICS 2.1."""
        n = self.n
        return Shares(self.positive / n, self.neutral / n, self.negative / n) if n else None


@dataclass(frozen=True, slots=True)
class Shares:
    """Parts of the labelled items, in [0, 1]; they add up to 1."""

    positive: float
    neutral: float
    negative: float


@dataclass(frozen=True, slots=True)
class Variants:
    """Other scores of the same counts, shown on request and never as the headline; ``None`` where there is no data.

    ``polar`` and ``mean_compound`` lie in [-1, 1], ``positive_share`` in [0, 1], ``experience`` in [0, 100].
    """

    polar: float | None
    positive_share: float | None
    experience: float | None
    mean_compound: float | None


def variants(tally: Tally, mean_compound: float | None) -> Variants:
    """The named variants; ``mean_compound`` (the scorer's own, over the same items) is handed through. Source: METRICS 2.2."""
    polar_n = tally.positive + tally.negative
    score = tally.score
    return Variants(
        polar=_ratio(tally.positive - tally.negative, polar_n),
        positive_share=_ratio(tally.positive, polar_n),
        experience=None if score is None else 50 * (1 + score),
        mean_compound=mean_compound,
    )


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _merged(one: Mapping[str, int], other: Mapping[str, int]) -> dict[str, int]:
    merged = dict(one)
    for reason, count in other.items():
        merged[reason] = merged.get(reason, 0) + count
    return merged
