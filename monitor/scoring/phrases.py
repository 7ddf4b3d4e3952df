"""Several words that mean together what none of them says alone: they are joined, so that VADER reads them as one.

Pure, and linear in the number of words: one look at each pair tells most texts without a phrase.
"""

from __future__ import annotations

import string
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final

from monitor.scoring.spelling import Remembered

# Signs that no stored text holds, and in ASCII: a text of it is read faster. VADER takes every word with "n't" in it for a negation.
_JOINER: Final = "\x01"
_APOSTROPHE: Final = "\x02"
_GAP: Final = "*"
_GAP_WORDS: Final = 4

_Opening = tuple[str, str]
_Phrase = tuple[tuple[str, ...], str | None]  # its words, and the one that must follow soon


class Phrases:
    """Finds phrases of two and more lower-case words in texts: the leftmost, then the longest. Thread-safe.

    In a text ``'`` may be left out. ``can't thank * enough`` is "can't thank" where "enough" follows after at most
    four words.
    """

    __slots__ = ("_bare", "_by_opening", "_openings")

    def __init__(self, phrases: Iterable[str]) -> None:
        by_opening: dict[_Opening, set[_Phrase]] = {}
        for phrase in phrases:
            for words, follower in _spelt(phrase):
                by_opening.setdefault((words[0], words[1]), set()).add((words, follower))
        self._by_opening = {opening: sorted(found, key=_longest_first) for opening, found in by_opening.items()}
        self._openings = frozenset(by_opening)
        self._bare = _Bare()

    def joined(self, text: str) -> str:
        """The text with each phrase as one word; where there is one, white space is evened out."""
        return self.read(text)[0]

    def read(self, text: str) -> tuple[str, list[str]]:
        """The same, and its words."""
        words = text.split()
        bare = [*map(self._bare.__getitem__, words)]
        if self._openings.isdisjoint(zip(bare, bare[1:])):  # noqa: B905, RUF007 - this takes half the time of pairwise
            return text, words
        spans = [*self._spans(words, bare)]
        for first, end in reversed(spans):
            words[first:end] = [_as_one(words[first:end])]
        return " ".join(words) if spans else text, words

    def _spans(self, words: Sequence[str], bare: Sequence[str]) -> Iterator[tuple[int, int]]:
        free = 0
        for first, opening in enumerate(pairwise(bare)):
            if opening in self._openings and first >= free:
                length = _length(self._by_opening[opening], first, words, bare)
                if length:
                    free = first + length
                    yield first, free


def _length(phrases: Iterable[_Phrase], first: int, words: Sequence[str], bare: Sequence[str]) -> int:
    """How many words the phrase has that begins at a word; 0 where punctuation parts them, or others follow."""
    for phrase, follower in phrases:
        end = first + len(phrase)
        if (
            tuple(bare[first:end]) == phrase
            and (follower is None or follower in bare[end : end + _GAP_WORDS + 1])
            and _is_unbroken(words[first:end], phrase)
        ):
            return len(phrase)
    return 0


class _Bare(Remembered[str]):
    """Words as phrases have them: in lower case, without the punctuation round them."""

    def read(self, token: str) -> str:
        return token.lower().strip(string.punctuation)


def _is_unbroken(words: Sequence[str], phrase: Sequence[str]) -> bool:
    """Whether punctuation stands before the first word and after the last only."""
    lower = " ".join(words).lower()
    return lower.strip(string.punctuation) == " ".join(phrase)


def words_of(phrases: Mapping[str, float]) -> dict[str, float]:
    """The words that phrases become, as VADER looks them up, and their values."""
    return {_as_one(words): value for phrase, value in phrases.items() for words, _ in _spelt(phrase)}


def is_joined(word: str) -> bool:
    """Whether a word of a joined text is a phrase."""
    return _JOINER in word


def shown(text: str) -> str:
    """A joined text, or a word of it, as the reader knows it."""
    return text.replace(_JOINER, " ").replace(_APOSTROPHE, "'")


def _spelt(phrase: str) -> list[_Phrase]:
    """With apostrophes, and without where there are any."""
    return [_taken_apart(spelling) for spelling in {phrase, phrase.replace("'", "")}]


def _taken_apart(phrase: str) -> _Phrase:
    words = tuple(phrase.split())
    return (words[: words.index(_GAP)], words[-1]) if _GAP in words else (words, None)


def _longest_first(phrase: _Phrase) -> tuple[int, _Phrase]:
    words, follower = phrase
    return -len(words), (words, follower or "")


def _as_one(words: Sequence[str]) -> str:
    return _JOINER.join(words).replace("'", _APOSTROPHE)
