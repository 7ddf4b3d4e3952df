"""What goes into a scorer and what comes out of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol


class Label(StrEnum):
    """How an item feels about the brand. An item without a label is *unscored*, never neutral."""

    POSITIVE = "positive"
    NEUTRAL = "neutral"
    NEGATIVE = "negative"


@dataclass(frozen=True, slots=True)
class Text:
    """One text to score: title and body as the platform gave them (plain text, not HTML).

    ``brand_words``: the lower-case words of the brand's own name and keywords, which say nothing about feeling.
    """

    body: str | None
    title: str | None = None
    brand_words: frozenset[str] = frozenset()


class Sentiment(NamedTuple):
    """What a scorer says of one text: its label, and VADER's compound in [-1, 1] (or the scorer's equivalent)."""

    label: Label
    compound: float


class Scorer(Protocol):
    """Labels texts. Thread-safe, picklable by its profile, deterministic for one ``version``.

    ``version`` names everything that decides a label (package, lexicon, settings); it is stored with each label.
    """

    @property
    def name(self) -> str: ...

    @property
    def version(self) -> str: ...

    def score(self, texts: Sequence[Text]) -> Sequence[Sentiment | None]:
        """One answer per text, in order; ``None`` where there is nothing to score (no words at all)."""
        ...
