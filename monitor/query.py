"""PURE  Keyword expressions and searches: text -> tree.

``acme AND (phone OR tablet) NOT "acme corp"`` -- words, "phrases" and parentheses; NOT binds tightest, then AND (also
where terms merely stand side by side), then OR; a trailing ``*`` finds every word that begins so. Operators are upper
case: ``and``, ``or``, ``not`` are words like any other.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

MAX_LENGTH: Final = 10_000
"""Characters in a query at most."""
MAX_DEPTH: Final = 50
"""How deep parentheses and NOT may nest."""
MAX_TERMS: Final = 500
"""Words and phrases in a query at most."""


@dataclass(frozen=True, slots=True)
class Term:
    """One word or phrase as typed, white space folded; ``prefix``: a ``*`` followed; ``phrase``: it stood in quotes."""

    text: str
    prefix: bool = False
    phrase: bool = False

    def __post_init__(self) -> None:
        if not is_searchable(self.text):
            raise ValueError(f"term {self.text!r}: has no letter or digit to look for")


@dataclass(frozen=True, slots=True)
class Not:
    child: Query


@dataclass(frozen=True, slots=True)
class And:
    """All of ``children``, of which there are at least two."""

    children: tuple[Query, ...]

    def __post_init__(self) -> None:
        _require_two(self.children)


@dataclass(frozen=True, slots=True)
class Or:
    """Any of ``children``, of which there are at least two."""

    children: tuple[Query, ...]

    def __post_init__(self) -> None:
        _require_two(self.children)


Query: TypeAlias = Term | Not | And | Or


class QueryError(ValueError):
    """A query that cannot be read: ``message``, ``position`` (characters from its start) and the ``query`` itself.

    ``str`` gives the message and, below it, the place with a caret under it.
    """

    def __init__(self, message: str, query: str, position: int) -> None:
        super().__init__(message, query, position)
        self.message = message
        self.query = query
        self.position = position

    @property
    def rendering(self) -> str:
        """Two lines: the query around the place, and a caret under the place in a font of fixed width."""
        start = max(0, self.position - _SHOWN)
        before = _printable(self.query[start : self.position])
        after = _printable(self.query[self.position : self.position + _SHOWN])
        lead = "…" if start else ""
        rest = "…" if self.position + _SHOWN < len(self.query) else ""
        return f"{lead}{before}{after}{rest}\n{' ' * _columns(lead + before)}^"

    def __str__(self) -> str:
        indented = "\n".join(f"  {line}" for line in self.rendering.split("\n"))
        return f"{self.message}\n{indented}"


def parse(query: str) -> Query:
    """The tree of ``query``, AND within AND and OR within OR flattened; ``QueryError`` where it cannot be read."""
    if len(query) > MAX_LENGTH:
        raise QueryError(f"longer than {MAX_LENGTH:,} characters; shorten it", query, MAX_LENGTH)
    tokens = list(_tokens(query))
    terms = [token for token in tokens if token.kind == "term"]
    if len(terms) > MAX_TERMS:
        raise QueryError(f"more than {MAX_TERMS} words and phrases; leave some out", query, terms[MAX_TERMS].at)
    return _Parser(query, tokens).whole()


def render(tree: Query) -> str:
    """``tree`` as a query: ``parse(render(tree)) == tree`` for every tree that ``parse`` gave."""
    match tree:
        case Term():
            return _render_term(tree)
        case Not(child):
            return f"NOT {_render_within(child, And, Or)}"
        case And(children):
            return " AND ".join(_render_within(child, And, Or) for child in children)
        case Or(children):
            return " OR ".join(_render_within(child, Or) for child in children)


def evaluate(tree: Query, matches: Callable[[Term], bool]) -> bool:
    """Is ``tree`` true where ``matches`` says which terms are there?"""
    match tree:
        case Term():
            return matches(tree)
        case Not(child):
            return not evaluate(child, matches)
        case And(children):
            return all(evaluate(child, matches) for child in children)
        case Or(children):
            return any(evaluate(child, matches) for child in children)


def is_unbounded(tree: Query) -> bool:
    """Is ``tree`` true of texts that hold none of its terms (``NOT acme``)? No search can be made of such a query."""
    return evaluate(tree, lambda _term: False)


def terms(tree: Query, *, positive: bool = True) -> Iterator[Term]:
    """The terms that speak for a match, in order; those that speak against one with ``positive=False``.

    A term under an even number of NOTs speaks for it.
    """
    match tree:
        case Term():
            if positive:
                yield tree
        case Not(child):
            yield from terms(child, positive=not positive)
        case And(children) | Or(children):
            for child in children:
                yield from terms(child, positive=positive)


def positive_terms(tree: Query) -> list[str]:
    """The texts of the terms that are not under NOT, each once, in order, without quotes and ``*``."""
    return distinct(term.text for term in terms(tree))


def covering_terms(tree: Query) -> list[str]:
    """The fewest terms of which every match holds at least one: what to ask of a platform that finds single terms.

    ``acme AND (phone OR tablet)`` needs ``acme`` alone. Empty if there are none (``is_unbounded``).
    """
    return distinct(_cover(tree, positive=True) or ())


def distinct(texts: Iterator[str] | Sequence[str]) -> list[str]:
    """Each text once, in order, whatever its case."""
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(text.casefold(), text)
    return list(first.values())


def is_searchable(text: str) -> bool:
    """Does ``text`` hold anything to look for: a letter, a digit, an emoji?"""
    return any(char.isalnum() or is_pictograph(char) for char in text)


def is_pictograph(char: str) -> bool:
    """Is ``char`` an emoji or a sign like one? The marks of law beside a name (®) are none."""
    return unicodedata.category(char) == "So" and char not in "©®℗™℠Ⓡ"


def _cover(tree: Query, *, positive: bool) -> list[str] | None:
    match tree:
        case Term(text):
            return [text] if positive else None
        case Not(child):
            return _cover(child, positive=not positive)
        case And(children) | Or(children):
            covers = [_cover(child, positive=positive) for child in children]
    known = [cover for cover in covers if cover is not None]
    if isinstance(tree, And) == positive:  # NOT turns each into the other
        return min(known, key=len, default=None)
    return [text for cover in known for text in cover] if len(known) == len(covers) else None


def _require_two(children: tuple[Query, ...]) -> None:
    if len(children) < 2:
        raise ValueError(f"AND and OR join at least two terms, not {len(children)}")


# --- Reading ---------------------------------------------------------------------------------------------------------

_OPERATORS: Final = frozenset({"AND", "OR", "NOT"})
# Word processors turn quotes into typographic ones, East Asian keyboards parentheses into wide ones.
_QUOTES: Final = '"“”„‟«»＂'
# Neither databases nor terminals bear control characters and lone surrogates: they part words like blanks.
_BLANKS: Final = r"\s\x00-\x1f\x7f-\x9f\ud800-\udfff"
_BLANK_RUN: Final = re.compile(f"[{_BLANKS}]+")
_TOKEN: Final = re.compile(
    rf"[(（]|[)）]|[{_QUOTES}](?P<phrase>[^{_QUOTES}]*+)(?P<end>[{_QUOTES}])?(?P<star>(?<=[{_QUOTES}])\*)?"
    rf"|(?P<word>[^{_BLANKS}()（）{_QUOTES}]++)"
)
_SHOWN: Final = 40
"""Characters of a faulty query shown on either side of the fault."""


class _Token(NamedTuple):
    kind: str
    """``term``, ``(``, ``)`` or an operator."""
    at: int
    term: Term | None = None


def _tokens(query: str) -> Iterator[_Token]:
    for found in _TOKEN.finditer(query):
        if found["word"] in _OPERATORS:
            yield _Token(found["word"], found.start())
        elif found["word"] is not None:
            yield _Token("term", found.start(), _word(query, found))
        elif found["phrase"] is not None:
            yield _Token("term", found.start(), _phrase(query, found))
        else:
            yield _Token("(" if found[0] in "(（" else ")", found.start())


def _word(query: str, found: re.Match[str]) -> Term:
    word = found["word"]
    if word[0] in "-−–" and len(word.rstrip("*")) > 1:
        raise QueryError(f"a minus leaves nothing out here; write NOT {word[1:]}", query, found.start())
    if word[0] == "*" and word.strip("*"):
        raise QueryError(
            f'a * stands at the end of a word; if it is part of the name, write "{word}"', query, found.start()
        )
    return _term(word.removesuffix("*"), query, found.start(), prefix=word.endswith("*"), phrase=False)


def _phrase(query: str, found: re.Match[str]) -> Term:
    if found["end"] is None:
        raise QueryError("this quotation mark is never closed", query, found.start())
    text = _BLANK_RUN.sub(" ", found["phrase"]).strip()
    return _term(text, query, found.start(), prefix=bool(found["star"]), phrase=True)


def _term(text: str, query: str, at: int, *, prefix: bool, phrase: bool) -> Term:
    if not is_searchable(text):
        raise QueryError("there is no letter or digit here to look for", query, at)
    return Term(text, prefix, phrase)


class _Parser:
    """Recursive descent over the tokens of one query; every level of nesting counts towards ``MAX_DEPTH``."""

    def __init__(self, query: str, tokens: Sequence[_Token]) -> None:
        self._query = query
        self._tokens = tokens
        self._next = 0

    def whole(self) -> Query:
        tree = self._any(depth=0)
        if self._kind() is not None:
            raise self._error("this parenthesis closes nothing; leave it out", self._tokens[self._next].at)
        return tree

    def _any(self, depth: int) -> Query:
        children = [self._all(depth)]
        while self._take("OR"):
            children.append(self._all(depth))
        return _join(Or, children)

    def _all(self, depth: int) -> Query:
        children = [self._one(depth)]
        while self._take("AND") or self._kind() in ("NOT", "(", "term"):
            children.append(self._one(depth))
        return _join(And, children)

    def _one(self, depth: int) -> Query:
        if depth > MAX_DEPTH:
            raise self._error(f"nested deeper than {MAX_DEPTH} levels; simplify it", self._tokens[self._next - 1].at)
        if self._take("NOT"):
            return Not(self._one(depth + 1))
        if self._take("("):
            return self._closed(self._next - 1, depth)
        if self._kind() == "term":
            self._next += 1
            term = self._tokens[self._next - 1].term
            assert term is not None
            return term
        raise self._gap()

    def _closed(self, opened: int, depth: int) -> Query:
        if self._kind() is None:
            raise self._error("this parenthesis is never closed", self._tokens[opened].at)
        tree = self._any(depth + 1)
        if not self._take(")"):
            raise self._error("this parenthesis is never closed", self._tokens[opened].at)
        return tree

    def _kind(self) -> str | None:
        return self._tokens[self._next].kind if self._next < len(self._tokens) else None

    def _take(self, kind: str) -> bool:
        taken = self._kind() == kind
        self._next += taken
        return taken

    def _gap(self) -> QueryError:
        """A term ought to stand here: what is there instead."""
        before = self._tokens[self._next - 1] if self._next else None
        here = self._tokens[self._next] if self._kind() is not None else None
        if before is not None and before.kind in _OPERATORS:
            return self._error(f"{before.kind} needs a word or phrase after it", before.at)
        if here is None:
            return self._error("there is nothing to look for; write a word", 0)
        if here.kind in _OPERATORS:
            return self._error(f"{here.kind} needs a word or phrase before it", here.at)
        if before is None:
            return self._error("this parenthesis closes nothing; leave it out", here.at)
        return self._error("there is nothing between these parentheses", before.at)

    def _error(self, message: str, at: int) -> QueryError:
        return QueryError(message, self._query, at)


def _join(kind: type[And | Or], children: Sequence[Query]) -> Query:
    flat: list[Query] = []
    for child in children:
        flat.extend(child.children if isinstance(child, kind) else (child,))
    return flat[0] if len(flat) == 1 else kind(tuple(flat))


# --- Writing ---------------------------------------------------------------------------------------------------------


def _render_within(child: Query, *parenthesised: type[And | Or]) -> str:
    return f"({render(child)})" if isinstance(child, parenthesised) else render(child)


def _render_term(term: Term) -> str:
    star = "*" if term.prefix else ""
    if term.phrase or not _is_plain_word(term):
        # Quotation marks part words like any punctuation, so a blank finds the same.
        text = re.sub(f"[{_QUOTES}]", " ", term.text)
        return f'"{text}"{star}'
    return term.text + star


def _is_plain_word(term: Term) -> bool:
    found = _TOKEN.fullmatch(term.text)
    if found is None or found["word"] is None or term.text[0] in "*-−–":
        return False
    return term.prefix or not (term.text.endswith("*") or term.text in _OPERATORS)


def _printable(text: str) -> str:
    return "".join(char if char.isprintable() else " " for char in text)


def _columns(text: str) -> int:
    """Columns of a terminal that ``text`` takes: East Asian wide characters two, combining ones none."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text
    )
