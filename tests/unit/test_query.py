"""The language of keyword expressions and searches."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from monitor.query import (
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_TERMS,
    And,
    Not,
    Or,
    Query,
    QueryError,
    Term,
    covering_terms,
    evaluate,
    is_unbounded,
    parse,
    positive_terms,
    render,
    terms,
)

A, B, C, D = (Term(letter) for letter in "abcd")


@pytest.mark.parametrize(
    ("query", "tree"),
    [
        ("a", A),
        ("a b", And((A, B))),
        ("a AND b", And((A, B))),
        ("a OR b c", Or((A, And((B, C))))),
        ("a b OR c d", Or((And((A, B)), And((C, D))))),
        ("(a OR b) c", And((Or((A, B)), C))),
        ("NOT a b", And((Not(A), B))),
        ("NOT (a b)", Not(And((A, B)))),
        ("a NOT b", And((A, Not(B)))),
        ("a AND NOT b", And((A, Not(B)))),
        ("a NOT NOT b", And((A, Not(Not(B))))),
        ("a (b (c d))", And((A, B, C, D))),
        ("a OR (b OR (c OR d))", Or((A, B, C, D))),
        ("((a))", A),
        ('"a b"', Term("a b", phrase=True)),
        ('" a \n b "', Term("a b", phrase=True)),
        ("“a b” OR „c”", Or((Term("a b", phrase=True), Term("c", phrase=True)))),
        ("（a OR b） c", And((Or((A, B)), C))),
        ('a"b"c', And((A, Term("b", phrase=True), C))),
        ("a(b)c", And((A, B, C))),
        ("a*", Term("a", prefix=True)),
        ('"a b"*', Term("a b", prefix=True, phrase=True)),
        ('"a b*"', Term("a b*", phrase=True)),
        ("a* b", And((Term("a", prefix=True), B))),
        ("a**", Term("a*", prefix=True)),
        ("and or not", And((Term("and"), Term("or"), Term("not")))),
        ('"AND"', Term("AND", phrase=True)),
        ('"*NSYNC"', Term("*NSYNC", phrase=True)),
        ("M*A*S*H", Term("M*A*S*H")),
        ("ANDROID", Term("ANDROID")),
        ("AND*", Term("AND", prefix=True)),
        ("c++ at&t #acme", And((Term("c++"), Term("at&t"), Term("#acme")))),
        ("小米 OR 🍎", Or((Term("小米"), Term("🍎")))),
        ("a\x00b\ud800c", And((A, B, C))),
        (
            'acme AND (phone OR tablet) NOT "acme corp"',
            And((Term("acme"), Or((Term("phone"), Term("tablet"))), Not(Term("acme corp", phrase=True)))),
        ),
    ],
)
def test_not_binds_tightest_then_and_then_or(query: str, tree: Query) -> None:
    assert parse(query) == tree


@pytest.mark.parametrize(
    ("query", "message", "position"),
    [
        ("", "nothing to look for", 0),
        ("  \n ", "nothing to look for", 0),
        ("AND a", "AND needs a word or phrase before it", 0),
        ("a OR", "OR needs a word or phrase after it", 2),
        ("a AND OR b", "AND needs a word or phrase after it", 2),
        ("a NOT AND b", "NOT needs a word or phrase after it", 2),
        ("(a OR) b", "OR needs a word or phrase after it", 3),
        ("(AND a)", "AND needs a word or phrase before it", 1),
        ("NOT", "NOT needs a word or phrase after it", 0),
        ("a (b", "parenthesis is never closed", 2),
        ("a (", "parenthesis is never closed", 2),
        ("a b)", "parenthesis closes nothing", 3),
        (")", "parenthesis closes nothing", 0),
        ("a ()", "nothing between these parentheses", 2),
        ('a "b', "quotation mark is never closed", 2),
        ('a ""', "no letter or digit", 2),
        ('"a" - b', "no letter or digit", 4),
        ("a *", "no letter or digit", 2),
        ("a && b", "no letter or digit", 2),
        ("a -b", "write NOT b", 2),
        ("a *b", 'end of a word; if it is part of the name, write "\\*b"', 2),
        ("a" * (MAX_LENGTH + 1), "longer than 10,000 characters", MAX_LENGTH),
        ("a " * (MAX_TERMS + 1), "more than 500 words", 2 * MAX_TERMS),
        ("(" * 10_000, "nested deeper than 50 levels", MAX_DEPTH),
        ("NOT " * 2_000 + "a", "nested deeper than 50 levels", 4 * MAX_DEPTH),
        ("NOT(" * 1_000, "nested deeper than 50 levels", 2 * MAX_DEPTH),
    ],
)
def test_a_fault_is_named_with_its_place(query: str, message: str, position: int) -> None:
    with pytest.raises(QueryError, match=message) as caught:
        parse(query)
    assert caught.value.position == position
    assert caught.value.query == query


def test_a_caret_stands_under_the_fault() -> None:
    with pytest.raises(QueryError) as caught:
        parse("acme AND (phone OR")
    assert str(caught.value).splitlines()[1:] == ["  acme AND (phone OR", "  " + " " * 16 + "^"]


def test_the_caret_reckons_with_wide_characters_and_cuts_long_queries() -> None:
    with pytest.raises(QueryError) as caught:
        parse("小米 (手机")
    assert caught.value.rendering == "小米 (手机\n     ^"
    with pytest.raises(QueryError) as caught:
        parse("x " * 100 + "OR OR " + "y " * 100)
    line, caret = caught.value.rendering.splitlines()
    assert line[0] == line[-1] == "…"
    assert len(line) < 90
    assert line[caret.index("^") :].startswith("OR OR")


def test_a_fault_in_a_query_of_many_lines_is_shown_on_one() -> None:
    with pytest.raises(QueryError) as caught:
        parse("acme\nAND\t(phone")
    assert caught.value.rendering == "acme AND (phone\n         ^"


def test_a_query_may_nest_as_deep_as_the_limit() -> None:
    assert parse("(" * MAX_DEPTH + "a" + ")" * MAX_DEPTH) == A


def test_trees_that_mean_nothing_cannot_be_made() -> None:
    for make in (lambda: And((A,)), lambda: Or(()), lambda: Term(" "), lambda: Term("®")):
        with pytest.raises(ValueError):
            make()


@pytest.mark.parametrize(
    ("query", "positive", "covering"),
    [
        ("a", ["a"], ["a"]),
        ("a b", ["a", "b"], ["a"]),
        ("a OR b*", ["a", "b"], ["a", "b"]),
        ('acme AND (phone OR tablet) NOT "acme corp"', ["acme", "phone", "tablet"], ["acme"]),
        ("(phone OR tablet) acme", ["phone", "tablet", "acme"], ["acme"]),
        ("a NOT (b NOT c)", ["a", "c"], ["a"]),
        ("NOT (NOT a OR b)", ["a"], ["a"]),
        ("NOT NOT a", ["a"], ["a"]),
        ("a OR A", ["a"], ["a"]),
        ("NOT a", [], []),
        ("a OR NOT b", ["a"], []),
    ],
)
def test_a_platform_is_asked_for_what_speaks_for_a_match(query: str, positive: list[str], covering: list[str]) -> None:
    assert positive_terms(parse(query)) == positive
    assert covering_terms(parse(query)) == covering


@pytest.mark.parametrize(
    ("query", "unbounded"),
    [("a", False), ("a NOT b", False), ("NOT a", True), ("a OR NOT b", True), ("(a OR NOT b) c", False)],
)
def test_a_query_true_of_texts_without_its_terms_is_unbounded(query: str, unbounded: bool) -> None:
    assert is_unbounded(parse(query)) is unbounded


def trees() -> st.SearchStrategy[Query]:
    word = st.sampled_from(["a", "b", "c", "and", "C++", "éa", "米"])
    leaf = st.builds(Term, word, st.booleans(), st.booleans()) | st.builds(Term, st.just("a b"), phrase=st.just(True))
    some = st.deferred(trees)
    return st.one_of(leaf, leaf, st.builds(Not, some), st.builds(_and, some, some), st.builds(_or, some, some))


def _and(left: Query, right: Query) -> Query:
    return And((*_parts(left, And), *_parts(right, And)))


def _or(left: Query, right: Query) -> Query:
    return Or((*_parts(left, Or), *_parts(right, Or)))


def _parts(tree: Query, kind: type[And | Or]) -> tuple[Query, ...]:
    return tree.children if isinstance(tree, kind) else (tree,)


@given(trees())
def test_a_tree_survives_being_written_and_read(tree: Query) -> None:
    assert parse(render(tree)) == tree


HOSTILE = st.text(
    st.sampled_from(list('abAB *"“()（NOTADR-+\n\t\x00é米🍎’®')) | st.characters(exclude_categories=[]), max_size=60
)


@given(HOSTILE)
def test_any_text_is_read_or_refused_at_a_place_in_it(text: str) -> None:
    answer = _read(text)
    if isinstance(answer, QueryError):
        assert 0 <= answer.position <= len(text)
        assert answer.rendering.endswith("^")
    else:
        assert parse(render(answer)) == answer


@given(st.lists(st.sampled_from(["a", "b", "AND", "OR", "NOT", "(", ")", '"c d"', "e*"]), max_size=25))
def test_every_string_of_tokens_is_read_or_refused(tokens: list[str]) -> None:
    answer = _read(" ".join(tokens))
    assert isinstance(answer, QueryError) or parse(render(answer)) == answer


@given(HOSTILE)
def test_no_term_holds_what_a_database_refuses(text: str) -> None:
    answer = _read(text)
    found = [] if isinstance(answer, QueryError) else _all_terms(answer)
    assert not [char for term in found for char in term.text if char < " " or "\ud800" <= char <= "\udfff"]


def _read(text: str) -> Query | QueryError:
    try:
        return parse(text)
    except QueryError as error:
        return error


def _all_terms(tree: Query) -> list[Term]:
    return [*terms(tree), *terms(tree, positive=False)]


def _as_python(tree: Query) -> str:
    """The tree as a Python expression over the variables a, b, c."""
    match tree:
        case Term(text):
            return text
        case Not(child):
            return f"(not {_as_python(child)})"
        case And(children):
            return f"({' and '.join(map(_as_python, children))})"
        case Or(children):
            return f"({' or '.join(map(_as_python, children))})"


@given(
    st.recursive(
        st.sampled_from([A, B, C]),
        lambda some: some.map(Not) | st.builds(_and, some, some) | st.builds(_or, some, some),
    )
)
def test_evaluation_agrees_with_python_on_every_assignment(tree: Query) -> None:
    source = _as_python(tree)
    for truths in product((False, True), repeat=3):
        there = dict(zip("abc", truths, strict=True))
        assert evaluate(tree, lambda term: there[term.text]) == eval(source, {}, there)  # noqa: B023


@given(trees())
def test_every_match_holds_a_covering_term(tree: Query) -> None:
    assume(not is_unbounded(tree))
    names = list(dict.fromkeys(term.text.casefold() for term in _all_terms(tree)))
    covering = {text.casefold() for text in covering_terms(tree)}
    assume(len(names) <= 6)
    for truths in product((False, True), repeat=len(names)):
        there = {name for name, is_there in zip(names, truths, strict=True) if is_there}
        if evaluate(tree, lambda term: term.text.casefold() in there):  # noqa: B023
            assert there & covering
