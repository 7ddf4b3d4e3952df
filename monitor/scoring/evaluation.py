"""How well profiles label texts whose labels are known. Pure; stars and language gate are off, since texts are judged."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Literal

from monitor.metrics.ratings import label_of_cell, star_cell
from monitor.scoring.contract import Label
from monitor.scoring.pipeline import Scorable, score_batch
from monitor.scoring.profile import Profile


@dataclass(frozen=True, slots=True)
class Row:
    """One text whose label is known; ``group`` is what errors are told apart by (a brand, a source)."""

    text: str | None
    label: Label
    title: str | None = None
    group: str | None = None
    brand_words: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class GroupError:
    """S of the rows of one group, by their own labels and by the profile's; ``score_error`` is the difference."""

    group: str
    n: int
    score_true: float
    score: float
    score_error: float


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What one profile made of the rows. Figures are ``None`` where there is nothing to divide by.

    ``n`` counts the rows scored, ``unscored`` those without a word. ``recall`` is by true label; ``macro_f1`` the mean
    of the F1 of the labels that occur. Scores are S (METRICS 2.1), ``score_error`` = ``score`` - ``score_true``.
    ``confusion`` counts by true label, then by the profile's.
    """

    profile: str
    version: str
    n: int
    unscored: int
    accuracy: float | None
    macro_f1: float | None
    recall: Mapping[str, float | None]
    score_true: float | None
    score: float | None
    score_error: float | None
    confusion: Mapping[str, Mapping[str, int]]
    groups: tuple[GroupError, ...]
    group_error: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One entry per profile, in the order asked for."""

    profiles: tuple[Evaluated, ...]

    def to_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return asdict(self)


def evaluate(rows: Sequence[Row], profiles: Iterable[Profile]) -> Evaluation:
    """Every profile's labels of the rows, held against the known ones."""
    return Evaluation(tuple(_evaluated(rows, profile) for profile in profiles))


_Pair = tuple[Label, Label]  # known, given


def _evaluated(rows: Sequence[Row], profile: Profile) -> Evaluated:
    given = _labels(rows, profile)
    scored = [(row, label) for row, label in zip(rows, given, strict=True) if label is not None]
    pairs = [(row.label, label) for row, label in scored]
    counts = Counter(pairs)
    true, score = _score(known for known, _ in pairs), _score(label for _, label in pairs)
    groups = tuple(_group_errors(scored))
    return Evaluated(
        profile=profile.name,
        version=profile.version,
        n=len(pairs),
        unscored=len(rows) - len(pairs),
        accuracy=_share(sum(known is label for known, label in pairs), len(pairs)),
        macro_f1=_mean(_f1s(counts)),
        recall={label.value: _recall(counts, label) for label in Label},
        score_true=true,
        score=score,
        score_error=None if score is None or true is None else score - true,
        confusion={known.value: {label.value: counts[known, label] for label in Label} for known in Label},
        groups=groups,
        group_error=_mean([abs(group.score_error) for group in groups]),
    )


def _labels(rows: Sequence[Row], profile: Profile) -> list[Label | None]:
    items = [Scorable(title=row.title, body=row.text, brand_words=row.brand_words) for row in rows]
    judged = replace(profile, stars=False, language_gate=False)
    return [scored.label for scored in score_batch(items, judged)]


def _group_errors(scored: Iterable[tuple[Row, Label]]) -> Iterable[GroupError]:
    by_group: dict[str, list[_Pair]] = {}
    for row, label in scored:
        if row.group is not None:
            by_group.setdefault(row.group, []).append((row.label, label))
    for group, pairs in sorted(by_group.items()):
        true, score = _score(known for known, _ in pairs), _score(label for _, label in pairs)
        assert true is not None
        assert score is not None
        yield GroupError(group, len(pairs), true, score, score - true)


_SIGN: Final = {Label.POSITIVE: 1, Label.NEUTRAL: 0, Label.NEGATIVE: -1}


def _score(labels: Iterable[Label]) -> float | None:
    """S = (P - N) / n. Source: METRICS 2.1."""
    return _mean([_SIGN[label] for label in labels])


def _recall(counts: Counter[_Pair], label: Label) -> float | None:
    return _share(counts[label, label], sum(counts[label, given] for given in Label))


def _f1s(counts: Counter[_Pair]) -> list[float]:
    f1s = []
    for label in Label:
        known = sum(counts[label, given] for given in Label)
        given = sum(counts[known_label, label] for known_label in Label)
        if known or given:
            f1s.append(2 * counts[label, label] / (known + given))
    return f1s


def _mean(values: Sequence[float]) -> float | None:
    return _share(sum(values), len(values))


def _share(part: float, whole: int) -> float | None:
    return part / whole if whole else None


# --- Labels as files write them

Scale = Literal["words", "stars", "signs"]

_WORDS: Final = {
    "positive": Label.POSITIVE,
    "pos": Label.POSITIVE,
    "negative": Label.NEGATIVE,
    "neg": Label.NEGATIVE,
    "neutral": Label.NEUTRAL,
    "neu": Label.NEUTRAL,
}
_SIGNS: Final = {1.0: Label.POSITIVE, 0.0: Label.NEUTRAL, -1.0: Label.NEGATIVE}
_SCALES: Final = {
    "words": "positive, neutral or negative (pos, neu, neg)",
    "stars": "1 to 5 stars",
    "signs": "-1, 0 or 1",
}


class AmbiguousLabels(ValueError):
    """The labels can be read in more than one way."""


def scale_of(labels: Iterable[str]) -> Scale:
    """How a column of labels is written; it takes the whole column, since "1" is one star or positive.

    Words where there is one; else stars where all numbers are above 0; else -1, 0 and 1. Raises ``AmbiguousLabels``
    for a column of only 0 and 1, where 0 may mean neutral or negative.
    """
    numbers = {_number(label) for label in labels if label.strip()}
    if None in numbers or not numbers:
        return "words"
    if all(number is not None and number > 0 for number in numbers):
        return "stars"
    if numbers <= {0.0, 1.0}:
        raise AmbiguousLabels("labels are only 0 and 1, where 0 may be neutral or negative; write positive or negative")
    return "signs"


def label_of(written: str, scale: Scale) -> Label | None:
    """The label, or ``None`` where the scale has none such. 4-5 stars are positive, 3 neutral, 1-2 negative."""
    if scale == "words":
        return _WORDS.get(written.strip().lower())
    number = _number(written)
    if number is None:
        return None
    if scale == "signs":
        return _SIGNS.get(number)
    return label_of_cell(star_cell(number)) if 1 <= number <= 5 else None


def described(scale: Scale) -> str:
    """What labels of the scale look like."""
    return _SCALES[scale]


def _number(written: str) -> float | None:
    try:
        return float(written)
    except ValueError:
        return None
