"""VADER's scores, bit for bit those of vaderSentiment, in time linear in the length of the text.

The lexicon, the emoji table, the word lists and the constants stay vaderSentiment's own; this is the only module
that imports it. What differs is the way: each distinct token is looked at once and remembered, most words are told
apart as saying nothing, and only words of the lexicon look at their neighbours, in constant time each.

Source of every rule: ``SentimentIntensityAnalyzer`` of vaderSentiment 3.3.2 (Hutto & Gilbert, 2014), its oddities
included: they are part of the score.
"""

from __future__ import annotations

import math
import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from heapq import heappop, heappush
from importlib.metadata import version
from itertools import compress
from types import MappingProxyType
from typing import Final

from vaderSentiment import vaderSentiment as stock  # noqa: N813 - the module, not the word in capitals

from monitor.scoring.spelling import Emojis, Remembered
from monitor.scoring.trace import Effect, EffectKind, Firing, Trace, TracedWord

__all__ = [
    "VERSION",
    "Analyzer",
    "Effect",
    "Trace",
    "TracedWord",
    "polarity_scores",
    "stock_emojis",
    "stock_lexicon",
]

VERSION: Final = f"vaderSentiment {version('vaderSentiment')}"


class Analyzer:
    """vaderSentiment's analyser, quicker. Immutable after construction, thread-safe, picklable.

    ``lexicon`` (lower-case word to finite value) and ``emojis`` (character to description) replace the package's own.
    A word of value 0 is still a word of the lexicon: capitals, "very" and "not" act on it. To make a word say
    nothing, leave it out. Raises ``ValueError`` for a value that is not finite.
    """

    __slots__ = ("_emojis", "_given", "_vocabulary")

    def __init__(self, lexicon: Mapping[str, float] | None = None, emojis: Mapping[str, str] | None = None) -> None:
        self._given = (None if lexicon is None else dict(lexicon), None if emojis is None else dict(emojis))
        self._vocabulary = _Vocabulary(stock_lexicon() if lexicon is None else lexicon)
        self._emojis = Emojis(stock_emojis() if emojis is None else emojis)

    def __reduce__(self) -> tuple[type[Analyzer], tuple[dict[str, float] | None, dict[str, str] | None]]:
        return Analyzer, self._given

    def polarity_scores(self, text: str) -> dict[str, float]:
        """``neg``, ``neu``, ``pos`` (shares, 3 decimals) and ``compound`` (-1 to 1, 4 decimals).

        All four are 0 for a text without words. Raises ``TypeError`` for anything but a ``str``.
        """
        text = self._spelt_out(text)
        reading = _Reading(text, self._vocabulary)
        values = reading.values()
        return _scores(values, len(reading.tokens), _punctuation(text) if values else 0.0)

    def compound(self, text: str, tokens: list[str] | None = None) -> float:
        """Only ``polarity_scores(text)["compound"]``, quicker. ``tokens``: ``text.split()``, where that is at hand."""
        spelt_out = self._spelt_out(text)
        if spelt_out is not text:
            tokens = None
        values = _Reading(spelt_out, self._vocabulary, tokens=tokens).values()
        return _compound(_raw_sum(values, _punctuation(spelt_out))) if values else 0.0

    def trace(self, text: str) -> Trace:
        """The same scores with their reasons, word by word."""
        text = self._spelt_out(text)
        reading = _Reading(text, self._vocabulary, fired={})
        values = reading.values()
        punctuation = _punctuation(text)
        return Trace(
            words=tuple(reading.traced()),
            punctuation=punctuation,
            raw_sum=_raw_sum(values, punctuation),
            **_scores(values, len(reading.tokens), punctuation),
        )

    def _spelt_out(self, text: str) -> str:
        if not isinstance(text, str):
            raise TypeError(f"text: {type(text).__name__} cannot be scored; give a str")
        return self._emojis.spelt_out(text)


def polarity_scores(text: str) -> dict[str, float]:
    """Scores by the package's own lexicon; see ``Analyzer.polarity_scores``."""
    return _stock_analyzer().polarity_scores(text)


@cache
def stock_lexicon() -> Mapping[str, float]:
    """The package's lexicon (about 7,500 words, -4 to 4), read once; a read-only view."""
    return MappingProxyType(stock.SentimentIntensityAnalyzer().lexicon)


@cache
def stock_emojis() -> Mapping[str, str]:
    """The package's emoji and their descriptions, read once; a read-only view."""
    return MappingProxyType(stock.SentimentIntensityAnalyzer().emojis)


@cache
def _stock_analyzer() -> Analyzer:
    return Analyzer()


# --- From values to scores


def _scores(values: Sequence[float], word_count: int, punctuation: float) -> dict[str, float]:
    """``values`` are those of the words that feel; every other word counts as neutral."""
    if not values:
        return {"neg": 0.0, "neu": 1.0 if word_count else 0.0, "pos": 0.0, "compound": 0.0}
    positive, negative, neutral = _sums(values, word_count)
    if positive > negative:
        positive += punctuation
    elif positive < negative:
        negative += punctuation
    total = positive + negative + neutral
    return {
        "neg": round(negative / total, 3) if negative else 0.0,  # rounding takes longer than asking
        "neu": round(neutral / total, 3) if neutral else 0.0,
        "pos": round(positive / total, 3) if positive else 0.0,
        "compound": _compound(_raw_sum(values, punctuation)),
    }


def _sums(values: Sequence[float], word_count: int) -> tuple[float, float, int]:
    """Weights of the positive and negative words, each 1 above its value's size, and the number of the others."""
    positive = negative = 0.0
    for value in values:
        if value > 0:
            positive += value + 1
        elif value < 0:
            negative += 1 - value
    return positive, negative, word_count - len(values) + values.count(0.0)


def _raw_sum(values: Iterable[float], punctuation: float) -> float:
    total = float(sum(values))
    return total + punctuation if total > 0 else total - punctuation if total < 0 else total


def _compound(raw_sum: float) -> float:
    return round(float(stock.normalize(raw_sum)), 4)


def _punctuation(text: str) -> float:
    rules = stock.SentimentIntensityAnalyzer
    return float(rules._amplify_ep(text) + rules._amplify_qm(text))


# --- Words, each by itself

_NEGATIONS: Final = frozenset(stock.NEGATE)
_AMPLIFIERS: Final = frozenset({"so", "this"})
_PHRASES: Final = [phrase.split(" ") for phrase in (*stock.SPECIAL_CASES, *stock.BOOSTER_DICT) if " " in phrase]
_OPENINGS: Final = frozenset((words[0], words[1]) for words in _PHRASES)
_SECONDS: Final = frozenset(words[1] for words in _PHRASES)
_ACTING: Final = frozenset({"no", "least", *_AMPLIFIERS, *_NEGATIONS, *_SECONDS, *stock.BOOSTER_DICT})

_TURNING: Final = frozenset({"but", *(words[0] for words in _PHRASES)})  # more depends on what follows


@dataclass(slots=True)  # never changed; a frozen one takes three times as long to make
class _Word:
    """What VADER's rules want to know of a token, for itself and as a neighbour."""

    text: str
    lower: str
    base: float
    is_known: bool  # in the lexicon: as a neighbour it neither boosts nor negates
    is_upper: bool
    is_quiet: bool  # feels something, and changes only when a word before it acts
    acts: bool  # on a word that feels, after it
    boosts: bool
    negates: bool
    is_second: bool  # in some phrase that has a value of its own


class _Vocabulary(Remembered[_Word | None]):
    """Tokens as VADER reads them; ``None`` for one that neither feels nor acts."""

    def __init__(self, lexicon: Mapping[str, float]) -> None:
        super().__init__()
        self._lexicon = {word: _finite(word, value) for word, value in lexicon.items()}
        self._telling = frozenset({"but", *_ACTING, *self._lexicon})

    def read(self, token: str) -> _Word | None:
        text = _stripped(token)
        lower = text.lower()
        if lower not in self._telling and "n't" not in lower:
            return None
        base = self._lexicon.get(lower)
        boosts = lower in stock.BOOSTER_DICT
        negates = lower in _NEGATIONS or "n't" in lower
        acts = negates or lower in _ACTING
        feels = base is not None and not boosts
        is_upper = text.isupper()
        is_quiet = feels and not (acts or is_upper or lower in _TURNING)
        own = base if base is not None and feels else 0.0
        is_second = lower in _SECONDS
        return _Word(text, lower, own, base is not None, is_upper, is_quiet, acts, boosts, negates, is_second)


def _finite(word: str, value: float) -> float:
    if not math.isfinite(value):
        raise ValueError(f"lexicon: the value of {word!r} is {value}; give a finite number")
    return float(value)


def _stripped(token: str) -> str:
    """Without the punctuation round it, unless that leaves so little that it may be an emoticon."""
    text = token.strip(string.punctuation)
    return text if len(text) > 2 else token


# --- Words among their neighbours

_BOOSTS: Final = ((1, 1.0), (2, 0.95), (3, 0.9))  # distance before the word, what is left of a booster there
_BEYOND: Final = (None, None, None)

_Span = tuple[int, int]  # from, to: positions relative to the word, as in a slice
_IDIOMS_UP_TO: Final[tuple[_Span, ...]] = ((-1, 1), (-2, 1), (-2, 0), (-3, 0), (-3, -1))
_IDIOMS_FROM: Final[tuple[_Span, ...]] = ((0, 2), (0, 3))
_BOOSTING_PHRASES: Final[tuple[_Span, ...]] = ((-3, -1), (-2, 0))


class _Reading:
    """The words of one text, and what each comes to feel among the three before and the two after it.

    ``fired``, when given, collects the rules that applied to the word at each position.
    """

    __slots__ = ("_fired", "_mixed", "_words", "tokens")

    def __init__(
        self,
        text: str,
        vocabulary: _Vocabulary,
        fired: dict[int, list[Firing]] | None = None,
        tokens: list[str] | None = None,
    ) -> None:
        self.tokens = text.split() if tokens is None else tokens
        # Nothing stands beyond the last word, nor (negative positions) before the first.
        self._words = [*map(vocabulary.__getitem__, self.tokens), *_BEYOND]
        self._fired = fired
        self._mixed: bool | None = None

    def values(self) -> list[float]:
        """The values of the words that feel, in their order."""
        words = self._words
        positions: list[int] = []
        values: list[float] = []
        but = None
        for i in compress(range(len(words)), words):
            word, one, two, three = words[i], words[i - 1], words[i - 2], words[i - 3]
            assert word is not None
            if word.is_quiet and not ((one and one.acts) or (two and two.acts) or (three and three.acts)):
                value = word.base
            else:
                if but is None and word.lower == "but":
                    but = i
                if word.boosts or not word.is_known:
                    continue
                value = self._among_neighbours(i, word)
            positions.append(i)
            values.append(value)
        return values if but is None else self._contrasted(values, positions, but)

    def traced(self) -> Iterator[TracedWord]:
        """Every word of the text, once ``values()`` has been asked for."""
        fired = self._fired or {}
        for i, token in enumerate(self.tokens):
            word = self._words[i]
            yield TracedWord.of(_stripped(token), word.base if word else 0.0, fired.get(i, ()))

    def _among_neighbours(self, i: int, word: _Word) -> float:
        if word.lower == "kind" and i + 1 < len(self.tokens) and self._lower(i + 1) == "of":
            return self._fire(i, "idiom", (0, 2), 0.0)
        value = self._after_no(i, word)
        if word.is_upper and self._is_mixed():
            value = self._fire(i, "capitals", (0, 1), value + stock.C_INCR if value > 0 else value - stock.C_INCR)
        for distance, share in _BOOSTS:
            near = self._words[i - distance]
            if near is None or near.is_known:
                continue
            if near.boosts:
                is_loud = near.is_upper and self._is_mixed()
                boost = stock.scalar_inc_dec(near.text, value, is_loud) * share
                value = self._fire(i, "booster", (-distance, 1 - distance), value + boost)
            if near.negates:
                value = self._negated(i, distance, near, value)
        third = self._words[i - 3]
        if i > 2 and not (third and third.is_known):
            value = self._phrased(i, self._amplified(i, value))
        return self._after_least(i, value)

    def _after_no(self, i: int, word: _Word) -> float:
        """A "no" negates what follows instead of feeling itself; this overrides all the word's own value."""
        value = word.base
        after = self._words[i + 1]
        if word.lower == "no" and after and after.is_known:
            value = self._fire(i, "negation", (1, 2), 0.0)
        for distance in (1, 2, 3):
            near = self._words[i - distance]
            if near and near.lower == "no" and (distance < 3 or self._lower(i - 1) in ("or", "nor")):
                return self._fire(i, "negation", (-distance, 1 - distance), word.base * stock.N_SCALAR)
        return value

    def _negated(self, i: int, distance: int, near: _Word, value: float) -> float:
        between = [self._lower(j) for j in range(i - distance + 1, i)]
        if distance == 3 and between[-1] in _AMPLIFIERS:
            return value  # amplified instead, see below
        if near.lower == "never" and between and between[0] in _AMPLIFIERS:
            return self._fire(i, "never", (-distance, 2 - distance), value * 1.25)
        if near.lower == "without" and "doubt" in between:
            return value
        return self._fire(i, "negation", (-distance, 1 - distance), value * stock.N_SCALAR)

    def _amplified(self, i: int, value: float) -> float:
        """Meant for "never so", but any "so" and "this" amplifies what stands fourth or later in a text."""
        near = self._words[i - 1]
        if near and near.lower in _AMPLIFIERS:
            return self._fire(i, "booster", (-1, 0), value * 1.25)
        return value

    def _phrased(self, i: int, value: float) -> float:
        if not self._touches_phrase(i):
            return value
        for span in _IDIOMS_UP_TO:
            if (phrase := self._phrase(i, span)) in stock.SPECIAL_CASES:
                value = self._fire(i, "idiom", span, float(stock.SPECIAL_CASES[phrase]))
                break
        for span in _IDIOMS_FROM:
            if (phrase := self._phrase(i, span)) in stock.SPECIAL_CASES:
                value = self._fire(i, "idiom", span, float(stock.SPECIAL_CASES[phrase]))
        for span in _BOOSTING_PHRASES:
            if (phrase := self._phrase(i, span)) in stock.BOOSTER_DICT:
                value = self._fire(i, "booster", span, value + stock.BOOSTER_DICT[phrase])
        return value

    def _after_least(self, i: int, value: float) -> float:
        near = self._words[i - 1]
        if not near or near.is_known or near.lower != "least":
            return value
        if i > 1 and self._lower(i - 2) in ("at", "very"):
            return value
        return self._fire(i, "least", (-1, 0), value * stock.N_SCALAR)

    def _contrasted(self, values: list[float], positions: list[int], but: int) -> list[float]:
        """Halves what stands before the first "but" and raises by half what stands after it.

        Yet each step changes the first word whose value *now* equals that of the word whose turn it is, and that
        may be another word. Of several equal values the first is found by a heap of positions for each value.
        """
        values = list(values)
        holders: dict[float, list[int]] = {}
        for k, value in enumerate(values):
            holders.setdefault(value, []).append(k)
        for value in values:
            k = heappop(holders[value])
            if positions[k] != but:
                values[k] = value * (0.5 if positions[k] < but else 1.5)
                self._fire(positions[k], "but", (but - positions[k], but - positions[k] + 1), values[k])
            heappush(holders.setdefault(values[k], []), k)
        return values

    def _fire(self, i: int, kind: EffectKind, span: _Span, value: float) -> float:
        if self._fired is not None:
            cause = " ".join(map(_stripped, self.tokens[i + span[0] : i + span[1]]))
            self._fired.setdefault(i, []).append(Firing(kind, cause, value))
        return value

    def _lower(self, i: int) -> str:
        word = self._words[i]
        return word.lower if word else _stripped(self.tokens[i]).lower()

    def _phrase(self, i: int, span: _Span) -> str | None:
        first, last = i + span[0], i + span[1]
        return " ".join(map(self._lower, range(first, last))) if last <= len(self.tokens) else None

    def _touches_phrase(self, i: int) -> bool:
        for j in (i - 2, i - 1, i, i + 1):
            word = self._words[j]
            if word and word.is_second and (self._lower(j - 1), word.lower) in _OPENINGS:
                return True
        return False

    def _is_mixed(self) -> bool:
        """Whether some word is not in capitals, asked where one is."""
        if self._mixed is None:
            self._mixed = not all(map(str.isupper, self.tokens))
        return self._mixed
