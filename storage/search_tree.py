"""PURE  What is looked for -> a form that every full-text index can answer: no negation without something to take it from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from storage.words import Sought, is_in, sought

MAX_WORDS: Final = 1_000
"""Words in one search at most."""
MAX_PHRASE: Final = 100
"""Words in one phrase at most."""
MAX_DEPTH: Final = 60
"""How deep a tree may nest; what is left of it (AND in AND is one) only half as deep."""


class SearchError(ValueError):
    """Nothing can be looked for so; the message says why and what to do."""


class Unbounded(SearchError):
    """A search that is true of texts that hold none of its words."""


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase as typed; with ``prefix`` its last word may go on."""

    text: str
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class Not:
    child: Tree


@dataclass(frozen=True, slots=True)
class And:
    children: tuple[Tree, ...]


@dataclass(frozen=True, slots=True)
class Or:
    children: tuple[Tree, ...]


Tree: TypeAlias = Term | Not | And | Or


@dataclass(frozen=True, slots=True)
class All:
    parts: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Any:
    parts: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Except:
    """What fits ``base`` and not ``minus``."""

    base: Match
    minus: Match


Match: TypeAlias = Sought | All | Any | Except


def matching(tree: Tree | str) -> Match:
    """``tree`` made answerable; a text stands for its words in a row. ``SearchError`` where that cannot be."""
    match, negated = _solved(Term(tree) if isinstance(tree, str) else tree, 0)
    if negated:
        raise Unbounded("only says what must not be there; add a word that must")
    if _count(match) > MAX_WORDS:
        raise SearchError(f"has more than {MAX_WORDS:,} words; leave some out")
    if _depth(match) > MAX_DEPTH // 2:
        raise SearchError(f"is nested deeper than {MAX_DEPTH // 2} levels; simplify it")
    return match


def goes_on(match: Match) -> bool:
    """Is the beginning of a word looked for?"""
    return match.prefix if isinstance(match, Sought) else any(map(goes_on, _parts(match)))


def holds(match: Match, words: list[str]) -> bool:
    """Is it true of an item with these words, as :func:`storage.words.words_of` gives them? What an index must answer."""
    match match:
        case Sought():
            return is_in(match, words)
        case All(parts):
            return all(holds(part, words) for part in parts)
        case Any(parts):
            return any(holds(part, words) for part in parts)
        case Except(base, minus):
            return holds(base, words) and not holds(minus, words)


def _solved(tree: Tree, depth: int) -> tuple[Match, bool]:
    """(match, negated): what the tree finds, or all but what it finds."""
    if depth > MAX_DEPTH:
        raise SearchError(f"is nested deeper than {MAX_DEPTH} levels; simplify it")
    match tree:
        case Term():
            return _sought(tree), False
        case Not(child):
            match, negated = _solved(child, depth + 1)
            return match, not negated
        case And(children):
            return _joined([_solved(child, depth + 1) for child in children])
        case Or(children):  # not (not a and not b)
            turned = ((match, not negated) for match, negated in (_solved(child, depth + 1) for child in children))
            match, negated = _joined(list(turned))
            return match, not negated


def _joined(parts: Sequence[tuple[Match, bool]]) -> tuple[Match, bool]:
    """All of these at once."""
    if not parts:
        raise SearchError("joins nothing; name a word")
    positive = [match for match, negated in parts if not negated]
    negative = [match for match, negated in parts if negated]
    if not positive:
        return _any(negative), True
    return (Except(_all(positive), _any(negative)), False) if negative else (_all(positive), False)


def _all(parts: Iterable[Match]) -> Match:
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, All) else (part,))]
    return flat[0] if len(flat) == 1 else All(_deepest_first(flat))


def _any(parts: Iterable[Match]) -> Match:
    flat = [inner for part in parts for inner in (part.parts if isinstance(part, Any) else (part,))]
    return flat[0] if len(flat) == 1 else Any(_deepest_first(flat))


def _deepest_first(parts: Sequence[Match]) -> tuple[Match, ...]:
    """SQLite's parser remembers all that stands before a parenthesis."""
    return tuple(sorted(parts, key=_depth, reverse=True))


def _sought(term: Term) -> Sought:
    found = sought(term.text, prefix=term.prefix)
    if not found.words:
        raise SearchError("has a term without letter, digit or emoji; leave it out")
    if len(found.words) > MAX_PHRASE:
        raise SearchError(f"has a phrase of more than {MAX_PHRASE} words; shorten it")
    return found


def _parts(match: Match) -> tuple[Match, ...]:
    match match:
        case Sought():
            return ()
        case Except(base, minus):
            return base, minus
        case All(parts) | Any(parts):
            return parts


def _count(match: Match) -> int:
    return len(match.words) if isinstance(match, Sought) else sum(map(_count, _parts(match)))


def _depth(match: Match) -> int:
    return 0 if isinstance(match, Sought) else 1 + max(map(_depth, _parts(match)))


# ------------------------------------------------------------------------------------------------- as they are written


def fts5(match: Match) -> str:
    """As SQLite's full-text index takes it."""
    match match:
        case Sought(words, prefix):
            return f'"{" ".join(words)}"{" *" if prefix else ""}'
        case All(parts):
            return f"({' AND '.join(map(fts5, parts))})"
        case Any(parts):
            return f"({' OR '.join(map(fts5, parts))})"
        case Except(base, minus):
            return f"({fts5(base)} NOT {fts5(minus)})"


def tsquery(match: Match) -> str:
    """As PostgreSQL reads a ``tsquery``."""
    match match:
        case Sought(words, prefix):
            return f"({' <-> '.join(map(quoted, words))}{':*' if prefix else ''})"
        case All(parts):
            return f"({' & '.join(map(tsquery, parts))})"
        case Any(parts):
            return f"({' | '.join(map(tsquery, parts))})"
        case Except(base, minus):
            return f"({tsquery(base)} & !{tsquery(minus)})"


def tsvector(words: Sequence[str], gap: str) -> str:
    """As PostgreSQL reads a ``tsvector``: each word with its position, none for gaps."""
    return " ".join(f"'{word}':{at}" for at, word in enumerate(words, 1) if word != gap)


def quoted(word: str) -> str:
    """A word holds letters, digits, emoji and ``#@_`` alone: nothing in it could end the quotation."""
    return f"'{word}'"
