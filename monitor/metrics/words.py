"""PURE  Terms that tell one set of texts from another: weighted log-odds with an informative Dirichlet prior.

A term is a word or two neighbouring words, whatever their endings (Porter's stems for English); what is counted is in how many
clusters (authors, equal texts) it occurs, so that nobody makes a driver alone. Source: METRICS 6; Monroe, Colaresi, Quinn 2008,
Political Analysis 16, 372-403.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import exp, lgamma, log, log1p, sqrt
from typing import Any, Final, NamedTuple

from monitor.metrics.change import ALPHA, control
from monitor.metrics.stopwords import MERE_LIKING, NEGATIONS, STOP_WORDS

LEAST_AUTHORS: Final = 3
PRIOR_SHARE: Final = 0.1
PRIOR_MOST: Final = 500.0
"""The prior weighs as much as a tenth of the smaller set, and at most as much as so many terms."""
SWALLOWED: Final = 0.75
"""A word is left out for a phrase that holds it in so large a part of its clusters."""
HALF: Final = 0.5
"""Occurrences of all other terms at least: a set may say one thing only."""
MOST_TEXT: Final = 20_000

_WORD: Final = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_BREAK: Final = re.compile(r"[.!?;:,()\[\]\"“”\n\r|/…—–]|https?://\S+|www\.\S+|[@#]\w+")


class Text(NamedTuple):
    """A text by its terms (stem -> as it stands there), and the cluster it is in."""

    id: int
    cluster: int
    terms: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Term:
    """A term that stands for one set against another. ``p`` is after control of false discoveries, one-sided.

    ``clear``: chance alone does not explain it; else it is only said more often here.
    ``ids`` are the texts of the one set that hold it, ``clusters`` how many clusters those are, ``others`` how many texts
    of the other set hold it.
    """

    stem: str
    shown: str
    z: float
    p: float
    ids: tuple[int, ...]
    clusters: int
    others: int
    clear: bool


def terms_of(fields: Iterable[str | None], left_out: Set[str] = frozenset()) -> dict[str, str]:
    """The terms of an item: stem -> as written, in lower case. Phrases do not run over punctuation.

    Stop words, words of mere liking ("great", "awful": every praise holds them) and ``left_out`` (the brand's words) are
    no terms, and in no phrase; but "not working" is one.
    """
    found: dict[str, str] = {}
    for field in fields:
        for run in _runs((field or "")[:MOST_TEXT]):
            for stem, shown in _of_run(run, left_out):
                found.setdefault(stem, shown)
    return found


def telling(
    one: Sequence[Text], other: Sequence[Text], *, least: int = LEAST_AUTHORS, alpha: float = ALPHA
) -> list[Term]:
    """The terms said more often in ``one`` than in ``other``, in at least ``least`` of its clusters: first the clear ones
    (those called keep the false discovery rate under ``alpha``), each part with the most telling first.
    """
    here, there = _clusters(one), _clusters(other)
    n_here, n_there = here.total(), there.total()
    if not n_here or not n_there:
        return []
    scale = _Scale(n_here, n_there, min(PRIOR_MOST, PRIOR_SHARE * min(n_here, n_there)))
    counts = {stem: (clusters, there[stem]) for stem, clusters in here.items() if clusters >= least}
    tested = _testable(counts, scale, alpha)
    adjusted = control([scale.p(*counts[stem]) for stem in tested])
    p_values = dict(zip(tested, adjusted, strict=True))
    judged = {stem: (scale.z(*both), p_values.get(stem, 1.0)) for stem, both in counts.items()}
    return _told({stem: found for stem, found in judged.items() if found[0] > 0}, one, other, here, alpha)


@dataclass(frozen=True, slots=True)
class _Scale:
    """Term occurrences in both sets, and the weight of the prior."""

    here: int
    there: int
    prior: float

    def z(self, y_here: int, y_there: int) -> float:
        """The log-odds ratio over its standard error. Source: Monroe et al. 2008, equations 15-22."""
        share = (y_here + y_there) / (self.here + self.there)
        here, there = y_here + self.prior * share, y_there + self.prior * share
        delta = log(here / max(HALF, self.here + self.prior - here))
        delta -= log(there / max(HALF, self.there + self.prior - there))
        return delta / sqrt(1 / here + 1 / there)

    def p(self, y_here: int, y_there: int) -> float:
        """How often chance alone would put so many of the term's occurrences here (one-sided, mid-p).

        Given all its occurrences, those here are binomial. The normal approximation of the log-odds has no say where a term
        is missing on one side, which is where it matters most (34 against 0 came to z = 1.5).
        """
        return _upper_tail(y_here, y_here + y_there, self.here / (self.here + self.there))


def _testable(counts: Mapping[str, tuple[int, int]], scale: _Scale, alpha: float) -> list[str]:
    """The terms that occur often enough to be called at all: the others would only cost the rest their power.

    Source: Tarone 1990, Biometrics 46, 515-522; with false discovery control Gilbert 2005, Applied Statistics 54, 143-158.
    """
    best = {stem: scale.p(sum(both), 0) for stem, both in counts.items()}
    ascending = sorted(best.values())
    for k in range(1, len(best) + 1):
        if bisect_right(ascending, alpha / k) <= k:
            return sorted(stem for stem, p in best.items() if p <= alpha / k)
    return []


def _upper_tail(y: int, m: int, share: float) -> float:
    """P(Y > y) + P(Y = y) / 2 for a binomial Y of ``m`` trials; the terms fall fast, and are summed until they do not count."""
    log_term = lgamma(m + 1) - lgamma(y + 1) - lgamma(m - y + 1) + y * log(share) + (m - y) * log1p(-share)
    term = exp(log_term)
    tail, odds = term / 2, share / (1 - share)
    for k in range(y, m):
        term *= (m - k) / (k + 1) * odds
        tail += term
        if term < tail * 1e-12:
            break
    return min(1.0, tail)


def _told(
    judged: Mapping[str, tuple[float, float]],
    one: Sequence[Text],
    other: Sequence[Text],
    here: Mapping[str, int],
    alpha: float,
) -> list[Term]:
    holding, elsewhere, shown = _holding(one, judged), _holding(other, judged), _shown(one, judged)
    terms = [
        Term(stem, shown[stem], z, p, tuple(holding[stem]), here[stem], len(elsewhere[stem]), p < alpha)
        for stem, (z, p) in judged.items()
    ]
    phrases: dict[str, list[Term]] = defaultdict(list)
    for term in terms:
        for word in term.stem.split(" ") if " " in term.stem else ():
            phrases[word].append(term)
    kept = [term for term in terms if not _swallowed(term, phrases.get(term.stem, ()))]
    return sorted(kept, key=lambda term: (not term.clear, -term.z, term.stem))


def _swallowed(term: Term, phrases: Iterable[Term]) -> bool:
    """Is the word little more than a part of a phrase that is as clear?"""
    return any(phrase.clear >= term.clear and phrase.clusters >= SWALLOWED * term.clusters for phrase in phrases)


def _clusters(texts: Iterable[Text]) -> Counter[str]:
    """In how many clusters each stem is said."""
    groups: dict[int, list[Text]] = defaultdict(list)
    for text in texts:
        groups[text.cluster].append(text)
    counts = Counter[str]()
    for first, *rest in groups.values():
        counts.update(first.terms.keys() if not rest else set(first.terms).union(*(text.terms for text in rest)))
    return counts


def _holding(texts: Iterable[Text], stems: Collection[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {stem: [] for stem in stems}
    for text in texts:
        for stem in text.terms:
            if stem in found:
                found[stem].append(text.id)
    return found


def _shown(texts: Iterable[Text], stems: Collection[str]) -> dict[str, str]:
    """Each stem as it is written most often."""
    forms: dict[str, Counter[str]] = {stem: Counter() for stem in stems}
    for text in texts:
        for stem, form in text.terms.items():
            if stem in forms:
                forms[stem][form] += 1
    return {stem: min(counts, key=lambda form: (-counts[form], form)) for stem, counts in forms.items()}


# --------------------------------------------------------------------------------------------------- terms


def _runs(text: str) -> Iterator[list[str]]:
    """Words without punctuation between them."""
    for part in _BREAK.split(text):
        words = _WORD.findall(part.lower().replace("’", "'"))
        if words:
            yield words


def _of_run(words: Sequence[str], left_out: Set[str]) -> Iterator[tuple[str, str]]:
    telling = [_tells(word, left_out) for word in words]
    for word, tells in zip(words, telling, strict=True):
        if tells:
            yield stem(word), word
    for (first, tells_first), (second, tells_second) in pairwise(zip(words, telling, strict=True)):
        if tells_second and (tells_first or first in NEGATIONS):
            yield f"{stem(first)} {stem(second)}", f"{first} {second}"


def _tells(word: str, left_out: Set[str]) -> bool:
    base = word.removesuffix("'s")
    return (
        len(base) > 1
        and base not in STOP_WORDS
        and word not in STOP_WORDS
        and base not in MERE_LIKING
        and base not in left_out
    )


@lru_cache(maxsize=20_000)
def stem(word: str) -> str:
    """What the forms of an English word have in common; other words come back nearly as they are."""
    base: str = _stemmer().stemWord(word.removesuffix("'s"))
    return base


@lru_cache(maxsize=1)
def _stemmer() -> Any:
    from snowballstemmer import stemmer

    return stemmer("english")
