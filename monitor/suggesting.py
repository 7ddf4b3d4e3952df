"""Which words to exclude, learned from the items that people called not about us."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from monitor.app import App
from monitor.finding import Page
from monitor.judging import judge
from monitor.matching import Keywords, Verdict, decide
from monitor.metrics.stopwords import MERE_LIKING, STOP_WORDS
from storage import marks
from storage.marks import Seen
from storage.reasons import NOT_ABOUT_US

LEAST: Final = 3
"""In so many marked items a word must stand."""
SAMPLE: Final = 20_000
"""The newest so many marked items, and counted ones, are looked at."""
LONGEST: Final = 40
CLEAR: Final = 1.0
"""The log-odds that a word must reach."""

NEVER: Final = STOP_WORDS | MERE_LIKING
"""Never suggested: grammar says nothing of what a text is about, and to exclude praise or blame would bend the score."""

_WORD: Final = re.compile(r"[^\W\d_][^\W_]{2,}")


@dataclass(frozen=True, slots=True)
class Telling:
    """A word that tells marked items from counted ones: in how many of each it stands, and its smoothed log-odds ratio."""

    word: str
    marked: int
    counted: int
    log_odds: float


@dataclass(frozen=True, slots=True)
class Suggested:
    """Words to exclude, the most telling first; how many marked and counted items were looked at."""

    brand: str
    marked: int
    counted: int
    words: tuple[Telling, ...]


def suggest(app: App, brand: str, limit: int = 10) -> Suggested:
    """Words that stand in what people called not about this brand, and hardly in what counts.

    Only items that keywords can exclude are looked at.
    """
    watched, speaks = app.brands[brand], judge(app)
    marked = [one for one in marks.marked(app.database, watched.id, NOT_ABOUT_US, SAMPLE) if speaks.heeds_words(one)]
    counted = [one for one in marks.counted(app.database, watched.id, SAMPLE) if speaks.heeds_words(one)]
    never = watched.words | NEVER
    found = telling([words_of(one) for one in marked], [words_of(one) for one in counted], never)
    exact = (_as_exclusion(word, marked, counted) for word in found[: 3 * limit])
    return Suggested(brand, len(marked), len(counted), tuple(_best(exact))[:limit])


def telling(
    marked: Sequence[Collection[str]], counted: Sequence[Collection[str]], never: Collection[str]
) -> list[Telling]:
    """Words in at least ``LEAST`` marked texts whose odds there are clearly higher, the most telling first.

    The log-odds ratio with half an item added to each cell (Haldane, Anscombe); ``never``: words not to be suggested.
    """
    there, here = _texts_with(marked), _texts_with(counted)
    found = (
        Telling(word, n, here[word], log_odds(n, len(marked), here[word], len(counted)))
        for word, n in there.items()
        if n >= LEAST and word not in never and len(word) <= LONGEST
    )
    return list(_best(found))


def log_odds(n: int, of: int, m: int, among: int) -> float:
    """Of being in ``n`` of ``of`` against ``m`` of ``among``; above 0 where it is commoner in the first."""
    return math.log((n + 0.5) / (of - n + 0.5)) - math.log((m + 0.5) / (among - m + 0.5))


def words_of(item: Seen) -> frozenset[str]:
    """The words of an item's title and text, as keywords see them: folded, without the paths of addresses."""
    return words_in("\n".join(part for part in item.said if part))


def words_in(text: str) -> frozenset[str]:
    """The words of a text, as keywords see them."""
    return frozenset(_WORD.findall(Page(text, case_sensitive=False).folded))


def _best(found: Iterable[Telling]) -> Iterator[Telling]:
    clear = (one for one in found if one.marked >= LEAST and one.log_odds >= CLEAR)
    yield from sorted(clear, key=lambda one: (-one.log_odds, -one.marked, one.word))


def _as_exclusion(found: Telling, marked: Sequence[Seen], counted: Sequence[Seen]) -> Telling:
    """The same, counted as an exclusion would catch items."""
    keywords = Keywords.compile([found.word])
    n, m = _caught(marked, keywords), _caught(counted, keywords)
    return Telling(found.word, n, m, log_odds(n, len(marked), m, len(counted)))


def _caught(items: Sequence[Seen], keywords: Keywords) -> int:
    return sum(decide(item.said, keywords).verdict is Verdict.COUNTED for item in items)


def _texts_with(texts: Iterable[Collection[str]]) -> Counter[str]:
    return Counter(word for words in texts for word in words)
