"""PURE  What a person types to find items -> the store's tree of words."""

from __future__ import annotations

import re
from typing import Final

from monitor import query as queries
from monitor.query import And, Not, Or, Query, QueryError, Term
from storage import search_tree
from storage.search_tree import SearchError, Unbounded


def search_of(text: str) -> search_tree.Tree:
    """The tree of a search like ``battery AND NOT charger``. ``QueryError``, which shows the place, where nothing can be
    looked for so: a fault in it, only words that must not be there, too deep, too long."""
    tree = _translated(queries.parse(text))
    try:
        search_tree.matching(tree)
    except Unbounded as error:
        raise QueryError(str(error), text, _first_not(text)) from error
    except SearchError as error:
        raise QueryError(str(error), text, 0) from error
    return tree


def _translated(tree: Query) -> search_tree.Tree:
    match tree:
        case Term(text, prefix):
            return search_tree.Term(text, prefix)
        case Not(child):
            return search_tree.Not(_translated(child))
        case And(children):
            return search_tree.And(tuple(map(_translated, children)))
        case Or(children):
            return search_tree.Or(tuple(map(_translated, children)))


def _first_not(text: str) -> int:
    found = next((found for found in _QUOTED_OR_NOT.finditer(text) if found[0] == "NOT"), None)
    return found.start() if found else 0


_QUOTED_OR_NOT: Final = re.compile(r'["“”„‟«»＂][^"“”„‟«»＂]*["“”„‟«»＂]|(?<![^\s()（）])NOT(?![^\s()（）"“”„‟«»＂])')
