"""What a person types becomes a tree of the store, or an error that shows the place."""

from __future__ import annotations

import pytest

from monitor.query import QueryError
from monitor.searching import search_of
from storage.search_tree import And, Not, Or, Term, matching


def test_a_search_becomes_a_tree_of_the_store() -> None:
    assert search_of("battery AND NOT charger") == And((Term("battery"), Not(Term("charger"))))
    assert search_of('"so good" OR charg*') == Or((Term("so good"), Term("charg", prefix=True)))
    assert search_of("bare words (a OR b)") == And((Term("bare"), Term("words"), Or((Term("a"), Term("b")))))


@pytest.mark.parametrize(
    ("text", "message", "column"),
    [
        ("NOT charger", "only says what must not be there; add a word that must", 0),
        ('"NOT x" OR NOT (y z)', "only says what must not be there", 11),
        ("a OR (b OR NOT c)", "only says what must not be there", 11),
        ("battery AND", "AND needs a word or phrase after it", 8),
        ("(battery", "this parenthesis is never closed", 0),
        ('"battery', "this quotation mark is never closed", 0),
        ("", "there is nothing to look for", 0),
        ("!!!", "no letter or digit", 0),
        ("東" * 101, "a phrase of more than 100 words", 0),
    ],
)
def test_a_faulty_search_is_shown_with_its_place(text: str, message: str, column: int) -> None:
    with pytest.raises(QueryError, match=message) as caught:
        search_of(text)
    assert caught.value.position == column


@pytest.mark.parametrize(
    "text",
    [
        "(" * 100_000,
        "(" * 5_000 + "a" + ")" * 5_000,
        "NOT " * 2_000 + "a",
        "a " * 5_000,
        " OR ".join("a" for _ in range(2_000)),
        "(a OR (b AND " * 24 + "c" + "))" * 24,
        "x" * 20_000,
    ],
)
def test_a_huge_search_is_refused_and_never_breaks_the_program(text: str) -> None:
    with pytest.raises(QueryError):
        search_of(text)


def test_as_deep_as_can_be_typed_can_be_asked() -> None:
    matching(search_of("(" * 50 + "a" + ")" * 50))
    matching(search_of("NOT " * 50 + "a"))
    matching(search_of("(a OR (b AND " * 15 + "c" + "))" * 15))
