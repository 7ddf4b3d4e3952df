"""The built-in scorer: VADER, with a profile's words, cleaning and thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from monitor.scoring import clean
from monitor.scoring.contract import Sentiment, Text
from monitor.scoring.lexicon import analyzer_of, phrases_of, silence_of
from monitor.scoring.profile import Profile

_WORDS_OF_A_STATEMENT: Final = 3


def prepared(title: str | None, body: str | None, profile: Profile) -> str:
    """The text as the profile wants it read; empty when there is nothing to score."""
    text = clean.joined(title, body) if profile.join_title else body or title or ""
    if profile.max_chars is not None:
        text = text[: profile.max_chars]
    if profile.strip_handles_and_urls:
        text = clean.without_handles_and_links(text)
    if profile.mend_quotes_and_emoji:
        text = clean.mended(text)
    return text if text and not text.isspace() else ""


def parts_of(text: str, brand_words: frozenset[str], profile: Profile) -> list[str]:
    """What VADER reads one by one: brand words silenced, a long text taken apart into its sentences, phrases joined."""
    parts, phrases = _unjoined(text, brand_words, profile), phrases_of(profile)
    return parts if phrases is None else [phrases.joined(part) for part in parts]


def _unjoined(text: str, brand_words: frozenset[str], profile: Profile) -> list[str]:
    silence = silence_of(profile, brand_words)
    if silence is not None:
        text = clean.silenced(text, silence)
    return clean.parts(text) if profile.sentence_wise else [text]


def mean_compound(parts: Sequence[str], compounds: Sequence[float]) -> float:
    """The mean over all parts that feel or are long enough to be a statement, rounded as VADER rounds."""
    if len(compounds) == 1:
        return compounds[0]
    counted = [compound for part, compound in zip(parts, compounds, strict=True) if counts(part, compound)]
    return round(sum(counted) / len(counted), 4) if counted else 0.0


def counts(part: str, compound: float) -> bool:
    """Whether a part enters the mean: "Well." or "So..." says nothing, and must not dilute what the others say."""
    return compound != 0 or len(part.split(None, _WORDS_OF_A_STATEMENT)) >= _WORDS_OF_A_STATEMENT


class VaderScorer:
    """The ``Scorer`` named ``vader``."""

    __slots__ = ("_analyzer", "_phrases", "_profile")

    name: Final = "vader"
    languages: Final = frozenset({"en"})

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._analyzer, self._phrases = analyzer_of(profile), phrases_of(profile)

    @property
    def version(self) -> str:
        return self._profile.version

    def score(self, texts: Sequence[Text]) -> list[Sentiment | None]:
        return [self._sentiment(text) for text in texts]

    def compound(self, text: str, brand_words: frozenset[str]) -> float | None:
        """The score of a prepared text; ``None`` where nothing in it speaks."""
        parts, phrases, read = _unjoined(text, brand_words, self._profile), self._phrases, self._analyzer.compound
        compounds = [read(part) if phrases is None else read(*phrases.read(part)) for part in parts]
        mean = mean_compound(parts, compounds) if parts else 0.0
        if mean == 0 and self._profile.mend_quotes_and_emoji and not clean.speaks(text):
            return None
        return mean

    def _sentiment(self, text: Text) -> Sentiment | None:
        cleaned = prepared(text.title, text.body, self._profile)
        compound = self.compound(cleaned, text.brand_words) if cleaned else None
        return None if compound is None else Sentiment(self._profile.label(compound), compound)
