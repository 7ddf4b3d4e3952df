"""Words and their values: VADER's lexicon, the project's overlay of it, and what a profile adds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Literal

from monitor.scoring import clean
from monitor.scoring.phrases import Phrases, is_joined, words_of

if TYPE_CHECKING:
    from monitor.scoring.profile import Profile
    from monitor.scoring.vader import Analyzer

Origin = Literal["vader", "overlay", "own"]


@dataclass(frozen=True, slots=True)
class Overlay:
    """What is laid over VADER's lexicon: words with another value, words that say nothing, and the same of phrases."""

    version: str
    values: Mapping[str, float]
    neutral: frozenset[str]
    phrases: Mapping[str, float]
    neutral_phrases: frozenset[str]


@cache
def overlay() -> Overlay:
    """The project's own overlay for product and service talk, read once from ``overlay.tsv`` and ``phrases.tsv``."""
    entries = _entries_of("overlay.tsv")
    version = entries.pop("!version")
    return Overlay(version, *_parted(entries), *_parted(_entries_of("phrases.tsv")))


def _entries_of(name: str) -> dict[str, str]:
    lines = files("monitor.scoring").joinpath(name).read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines if line and not line.startswith("#"))


def _parted(entries: Mapping[str, str]) -> tuple[dict[str, float], frozenset[str]]:
    """The values of the entries that have one, and those that say nothing."""
    neutral = frozenset(word for word, value in entries.items() if value == "none")
    return {word: float(value) for word, value in entries.items() if word not in neutral}, neutral


def lexicon_of(profile: Profile) -> dict[str, float]:
    """The words that say something under the profile, and their values. Own entries beat the overlay's."""
    from monitor.scoring.vader import stock_lexicon

    lexicon = dict(stock_lexicon())
    if profile.overlay:
        lexicon = {word: value for word, value in lexicon.items() if word not in overlay().neutral}
        lexicon.update(overlay().values)
        lexicon.update(words_of(overlay().phrases))
    lexicon.update(profile.lexicon)
    for word in profile.neutral_words:
        lexicon.pop(word, None)
    return lexicon


@lru_cache(maxsize=16)
def phrases_of(profile: Profile) -> Phrases | None:
    """The overlay's phrases but for those with a word of the profile's own, which beats them; ``None`` without any."""
    if not profile.overlay:
        return None
    own = {word for word, _ in profile.lexicon} | set(profile.neutral_words)
    phrases = (*overlay().phrases, *overlay().neutral_phrases)
    return Phrases(phrase for phrase in phrases if own.isdisjoint(phrase.split()))


def emojis_of(profile: Profile) -> dict[str, str]:
    """The emoji that VADER spells out: those that the profile gives no value, nor calls neutral."""
    from monitor.scoring.vader import stock_emojis

    own = {word for word, _ in profile.lexicon} | set(profile.neutral_words)
    if profile.overlay:
        own |= overlay().values.keys() | overlay().neutral
    return {sign: words for sign, words in stock_emojis().items() if sign not in own}


def origin_of(word: str, profile: Profile) -> Origin:
    """Where the value of a lower-case word comes from."""
    if any(word == own for own, _ in profile.lexicon):
        return "own"
    return "overlay" if is_joined(word) or (profile.overlay and word in overlay().values) else "vader"


def silenced_by(word: str, profile: Profile) -> Literal["overlay", "own"] | None:
    """What keeps a lower-case word from saying what VADER takes it to say, if anything does."""
    if word in profile.neutral_words:
        return "own"
    neutral = overlay().neutral | overlay().neutral_phrases
    is_neutral = profile.overlay and word in neutral and origin_of(word, profile) != "own"
    return "overlay" if is_neutral else None


@lru_cache(maxsize=16)
def analyzer_of(profile: Profile) -> Analyzer:
    """VADER with the profile's words."""
    from monitor.scoring.vader import Analyzer

    if not (profile.overlay or profile.lexicon or profile.neutral_words):
        return Analyzer()
    return Analyzer(lexicon_of(profile), emojis_of(profile))


# --- Words that must fall silent in one text: the brand's own, and the profile's that act on others

_FEELING: Final = "good"


def acts_on_others(word: str) -> bool:
    """Whether a lower-case word changes what stands by it: it negates ("never"), stresses ("total") or turns ("but")."""
    analyzer = _deaf_analyzer()
    plain = analyzer.compound(_FEELING)
    places = (word, f"{word} x", f"x x {word}")
    return any(analyzer.compound(f"{before} {_FEELING}") != plain for before in places)


@cache
def _deaf_analyzer() -> Analyzer:
    """One that knows a single word, so that what else changes the score acts on it."""
    from monitor.scoring.vader import Analyzer

    return Analyzer({_FEELING: 1.0}, {})


@lru_cache(maxsize=512)
def silence_of(profile: Profile, brand_words: frozenset[str]) -> re.Pattern[str] | None:
    """What finds the words to be silenced in a text about the brand; ``None`` when no word of it says anything.

    A brand word of several words ("best buy") falls silent only as a whole.
    """
    analyzer = analyzer_of(profile)
    words = {word for word in profile.neutral_words if acts_on_others(word)}
    if profile.brand_words_neutral:
        words |= {word for word in brand_words if any(_says(part, analyzer) for part in word.split())}
        words |= {word for word in brand_words if _holds_a_phrase(word, profile)}
    return clean.silencing(frozenset(words))


def _holds_a_phrase(words: str, profile: Profile) -> bool:
    """Whether a brand of several words ("game changer") is, or has in it, a phrase that would count."""
    phrases = phrases_of(profile)
    return phrases is not None and is_joined(phrases.joined(words))


def _says(word: str, analyzer: Analyzer) -> bool:
    return analyzer.compound(word) != 0 or acts_on_others(word)
