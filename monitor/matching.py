"""PURE  Item x keywords -> counted, or why not.

What counts as naming a brand, in the item's title and text only (the title of the thread it stands in does not: a
reply says nothing of the brand by standing there):

- A term stands alone: ``acme`` is not in "acmeology" nor, being no plural, in "acmes"; it is in "Acme's", "acme-like",
  "info@acme.example". A trailing ``*`` lets the last word go on.
- Hashtags and handles cannot hold blanks: there a capital begins a word ("#AcmePhone" names ``acme``), in hashtags a
  digit too ("#acme2026"), and the words of a phrase may touch ("@acmephone" names ``acme phone``).
- White space and punctuation between a term's words stand for any run of them; signs (``&``, ``+``, ``#``, ``@``,
  ``$``, emoji ..., and the full stop of ``.NET``) must stand as written: ``c++``, ``at&t``, ``$ACME``, ``@acme``.
- Of a URL only its host can name a brand: paths and parameters are written for machines.
- Chinese, Japanese, Thai, Lao, Khmer and Burmese have no blanks: there a term is found anywhere. Korean hangs
  particles on its words: there a term may go on. A Latin word may touch a word of another script ("Acme는").
- Compatibility forms are folded (NFKC), accents are not; case is folded unless ``case_sensitive``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from monitor import query as queries
from monitor.finding import BARRIER, Page, Run, Sought, fold, runs, seek
from monitor.query import And, Not, Or, Query, Term


class Verdict(StrEnum):
    """What becomes of an item for one brand."""

    NOT_NAMED = "not_named"  # not stored for this brand
    COUNTED = "counted"
    EXCLUDED = "excluded"  # stored and not counted


@dataclass(frozen=True, slots=True)
class Decision:
    """``excluded_by``: the exclusion that was found first, as configured; only with ``EXCLUDED``."""

    verdict: Verdict
    excluded_by: str | None = None


@dataclass(frozen=True, slots=True)
class Keywords:
    """A brand's keywords, ready for use. Immutable, thread-safe, picklable.

    ``search_terms``: what to ask of a platform so that nothing is missed.
    """

    tree: Query
    search_terms: tuple[str, ...]
    case_sensitive: bool
    _sought: Mapping[Term, Sought]
    _needles: tuple[str, ...]
    _test: _Test

    @classmethod
    def compile(
        cls,
        keywords: Sequence[str] = (),
        *,
        required: Sequence[str] = (),
        exclude: Sequence[str] = (),
        case_sensitive: bool = False,
        query: str | None = None,
    ) -> Keywords:
        """Any of ``keywords`` (or ``query``), with any of ``required`` where there are some, without all of ``exclude``.

        ``case_sensitive`` holds for all of them. Raises ``QueryError`` for a faulty ``query``, ``ValueError`` for the rest.
        """
        named = _named(keywords, query)
        tree = _conjunction(named, _listed("required", required), _listed("exclude", exclude))
        searched = queries.covering_terms(named)
        sought = {term: seek(term, case_sensitive=case_sensitive) for term in _all_terms(tree)}
        needles = dict.fromkeys(sought[term].needle for term in queries.terms(named))
        return cls(tree, tuple(searched), case_sensitive, sought, tuple(needles), _test_of(tree, sought))


def decide(fields: Iterable[str | None], keywords: Keywords) -> Decision:
    """What becomes of an item whose title and text are ``fields``. Linear in their length.

    A phrase never runs from one field into the next; a keyword may stand in one and what is required in another.
    """
    text = _joined(fields)
    folded = fold(text, case_sensitive=keywords.case_sensitive)
    for needle in keywords._needles:
        if needle in folded:
            return _decide_closely(Page(text, case_sensitive=keywords.case_sensitive), keywords)
    return _NOT_NAMED


def excluded_by(fields: Iterable[str | None], keywords: Keywords) -> str | None:
    """The first exclusion found in ``fields``, for items that are about the brand by nature and need not name it."""
    page = Page(_joined(fields), case_sensitive=keywords.case_sensitive)
    return _first_exclusion(_Reading(page, keywords), keywords.tree)


def page_of(fields: Iterable[str | None], *, case_sensitive: bool) -> Page:
    """An item's title and text, made ready to be asked several times by :func:`holds`."""
    return Page(_joined(fields), case_sensitive=case_sensitive)


def holds(page: Page, keywords: Keywords) -> bool:
    """Is what ``keywords`` say true of this page? Both must be as sensitive to case."""
    return keywords._test.is_in(page)


def brand_words(keywords: Keywords, name: str) -> frozenset[str]:
    """The lower-case words of a brand's name and keywords, whole ("t-mobile") and in parts ("t", "mobile").

    Terms that only narrow a query down are left out: in ``acme AND (love OR hate)`` two words do say something.
    """
    words: set[str] = set()
    for text in (name, *keywords.search_terms):
        for chunk in text.lower().split():
            words.update(run for kind, run in runs(chunk) if kind is Run.WORD)
            words.add(_EDGES.sub("", chunk))
    return frozenset(words - {""})


# --- Deciding --------------------------------------------------------------------------------------------------------

_NOT_NAMED: Final = Decision(Verdict.NOT_NAMED)
_COUNTED: Final = Decision(Verdict.COUNTED)


def _joined(fields: Iterable[str | None]) -> str:
    return BARRIER.join([field for field in fields if field])


def _decide_closely(page: Page, keywords: Keywords) -> Decision:
    if keywords._test.is_in(page):
        return _COUNTED
    reading, tree = _Reading(page, keywords), keywords.tree
    if _would_match(tree, reading.holds, positive=True):
        return Decision(Verdict.EXCLUDED, _first_exclusion(reading, tree))
    return _NOT_NAMED


def _would_match(tree: Query, holds: Callable[[Term], bool], *, positive: bool) -> bool:
    """Is ``tree`` true if none of the terms that speak against a match is there?"""
    match tree:
        case Term():
            return positive and holds(tree)
        case Not(child):
            return not _would_match(child, holds, positive=not positive)
        case And(children):
            return all(_would_match(child, holds, positive=positive) for child in children)
        case Or(children):
            return any(_would_match(child, holds, positive=positive) for child in children)


def _first_exclusion(reading: _Reading, tree: Query) -> str | None:
    for term in queries.terms(tree, positive=False):
        if reading.holds(term):
            return f"{term.text}{'*' if term.prefix else ''}"
    return None


class _Reading:
    """One item's text against one brand's terms; each term is looked for once at most."""

    __slots__ = ("_known", "_page", "_sought")

    def __init__(self, page: Page, keywords: Keywords) -> None:
        self._page = page
        self._sought = keywords._sought
        self._known: dict[Term, bool] = {}

    def holds(self, term: Term) -> bool:
        known = self._known.get(term)
        if known is None:
            known = self._known[term] = self._sought[term].is_in(self._page)
        return known


class _Test(Protocol):
    """A query made ready: what ``queries.evaluate`` would say of its tree, without looking anything up."""

    def is_in(self, page: Page) -> bool: ...


@dataclass(frozen=True, slots=True)
class _None:
    part: _Test

    def is_in(self, page: Page) -> bool:
        return not self.part.is_in(page)


@dataclass(frozen=True, slots=True)
class _All:
    parts: tuple[_Test, ...]

    def is_in(self, page: Page) -> bool:
        for part in self.parts:  # noqa: SIM110 - for each item and brand; a generator takes three times as long
            if not part.is_in(page):
                return False
        return True


@dataclass(frozen=True, slots=True)
class _Any:
    parts: tuple[_Test, ...]

    def is_in(self, page: Page) -> bool:
        for part in self.parts:  # noqa: SIM110 - as above
            if part.is_in(page):
                return True
        return False


def _test_of(tree: Query, sought: Mapping[Term, Sought]) -> _Test:
    match tree:
        case Term():
            return sought[tree]
        case Not(child):
            return _None(_test_of(child, sought))
        case And(children):
            return _All(tuple(_test_of(child, sought) for child in children))
        case Or(children):
            return _Any(tuple(_test_of(child, sought) for child in children))


# --- Compiling -------------------------------------------------------------------------------------------------------


def _named(keywords: Sequence[str], query: str | None) -> Query:
    if query is not None and keywords:
        raise ValueError("query: stands beside keywords; leave one of them out")
    if query is None:
        tree = _listed("keywords", keywords)
        if tree is None:
            raise ValueError("keywords: none given; add the brand's name at least")
        return tree
    tree = queries.parse(query)
    if queries.is_unbounded(tree):
        raise ValueError("query: true of texts that hold none of its words; join a word by AND that must be there")
    return tree


def _listed(setting: str, texts: Sequence[str]) -> Query | None:
    if len(texts) > queries.MAX_TERMS:
        raise ValueError(f"{setting}: more than {queries.MAX_TERMS} entries; leave some out")
    listed = tuple(dict.fromkeys(_listed_term(setting, text) for text in texts))
    return Or(listed) if len(listed) > 1 else next(iter(listed), None)


def _listed_term(setting: str, text: str) -> Term:
    words = " ".join(text.split())
    bare = words.removesuffix("*").strip(' "“”„')
    if words == bare and _OPERATORS.search(words) and not words.isupper():
        raise ValueError(f"{setting}: {text!r} reads like an expression; give it as query, or put it in quotes")
    if words.startswith("*") and bare.strip("*"):
        raise ValueError(f"{setting}: {text!r} begins with a *, which stands at the end of a word; or put it in quotes")
    try:
        return Term(bare, prefix=words.endswith("*"), phrase=" " in bare or '"' in words)
    except ValueError as error:
        raise ValueError(f"{setting}: {text!r} has no letter or digit to look for; leave it out") from error


def _conjunction(named: Query, required: Query | None, exclude: Query | None) -> Query:
    parts = (named, required, Not(exclude) if exclude is not None else None)
    given = tuple(part for part in parts if part is not None)
    return And(given) if len(given) > 1 else named


def _all_terms(tree: Query) -> set[Term]:
    return {*queries.terms(tree), *queries.terms(tree, positive=False)}


_OPERATORS: Final = re.compile(r"\b(?:AND|OR|NOT)\b")
_EDGES: Final = re.compile(r"^[\W_]+|[\W_]+$")
