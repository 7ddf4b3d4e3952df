"""How a score came about, word by word."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, NamedTuple, Self

EffectKind = Literal["capitals", "booster", "negation", "never", "least", "idiom", "but"]


@dataclass(frozen=True, slots=True)
class Effect:
    """What one rule added to a word's value, and the words (as written) that made it apply."""

    kind: EffectKind
    cause: str
    delta: float


class Firing(NamedTuple):
    """A rule that applied to a word, the words that made it, and the word's value after it."""

    kind: EffectKind
    cause: str
    value: float


@dataclass(frozen=True, slots=True)
class TracedWord:
    """One word as written, emoji spelt out: ``value`` is ``base`` (0 outside the lexicon) plus all deltas."""

    word: str
    base: float
    effects: tuple[Effect, ...]
    value: float

    @classmethod
    def of(cls, word: str, base: float, firings: Sequence[Firing]) -> Self:
        """``firings`` in the order in which they applied; those that changed nothing are left out."""
        values = (base, *(firing.value for firing in firings))
        effects = tuple(
            Effect(firing.kind, firing.cause, after - before)
            for firing, (before, after) in zip(firings, pairwise(values), strict=True)
            if after != before
        )
        return cls(word, base, effects, values[-1])


@dataclass(frozen=True, slots=True)
class Trace:
    """How a score came about.

    ``raw_sum`` is the sum of the words' values, moved away from 0 by ``punctuation`` (never negative; no effect on a
    sum of 0); ``compound`` is its normalisation to [-1, 1]. ``neg``, ``neu`` and ``pos`` are shares of 1.
    """

    words: tuple[TracedWord, ...]
    punctuation: float
    raw_sum: float
    compound: float
    neg: float
    neu: float
    pos: float
