"""What a text is found under, and what is looked for."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.search_tree import And, Not, Or, SearchError, Term, Tree, Unbounded, fts5, holds, matching, tsquery
from storage.words import GAP, MAX_REPEATS, MAX_WORD, MAX_WORDS, Sought, document, sought, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The battery died!", "the battery died"),
        ("isn't, acme-like, Acme’s", "isn t acme like acme s"),
        ("naïve ÜBER Straße", "naive uber strasse"),
        ("e\u0301te\u0301 Smørrebrød Łódź", "ete smorrebrod lodz"),
        ("İstanbul ılık", "istanbul ilik"),
        ("ΣΊΣΥΦΟΣ", "σισυφοσ"),
        ("ёлка Мой", "елка мой"),
        ("ＡＣＭＥ ﬁne ½", "acme fine 1 2"),
        ("acme™ acme®", "acme acme"),
        ("東京タワー", "東 京 タ ワ ー"),
        ("ｶﾞｽ", "ガ ス"),
        ("ที่ดี", "ท ี ่ ด ี"),
        ("Acme는 15개 삼성은", "acme 는 15 개 삼성은"),
        ("Ту154", "ту154"),
        ("हिन्दी में", "हिन्दी में"),
        ("مُحَمَّد می\u200cخواهم", "محمد میخواهم"),
        ("no\u00adbreak zero\u200bwidth", "nobreak zero width"),
        ("so good 👍🏽!!❤️", "so good 👍 ❤"),
        ("👨‍👩‍👧 1️⃣", "👨 👩 👧 1"),
        ("snake_case a_b", "snake case a b"),
        ("info@acme.example", "info acme example"),
        ("#kettle", "kettle #kettle"),
        ("＃kettle", "kettle #kettle"),
        ("#AcmePhone", "acme phone #acmephone acmephone"),
        ("#ACMEPhone @acmeUK", "acme phone acme uk #acmephone acmephone @acmeuk acmeuk"),
        ("#acme2026 @acme2026", "acme 2026 acme2026 #acme2026 acme2026 @acme2026"),
        ("(@acme_phone)", "acme phone @acme_phone"),
        ("#東京", "東 京 #東京"),
        ("#हिन्दी", "हिन्दी #हिन्दी"),
        ("C#, a#b, # x, #_ ##q", "c a b x q #q"),
        ("https://medium.example/@ann/x-1", "https medium example ann x 1 @ann"),
        ("\x00NUL\x00'\"\\ *():&|!<->\ud800x", "nul x"),
        ("_ __ !!! …", ""),
    ],
)
def test_a_text_is_found_under_its_words(text: str, words: str) -> None:
    assert words_of(None, text) == words.split()


def test_no_phrase_runs_from_the_title_into_the_text() -> None:
    assert words_of("Battery", "died #x") == ["battery", GAP, "died", "x", "#x"]
    assert words_of("Battery", None) == ["battery"]
    assert words_of("!", "died") == ["died"]
    assert words_of(None, None) == []


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Battery", Sought(("battery",))),
        ("don't", Sought(("don", "t"))),
        ("c++", Sought(("c",))),
        ("東京", Sought(("東", "京"))),
        ("삼성", Sought(("삼성",), prefix=True)),
        ("#AcmePhone", Sought(("#acmephone",))),
        (" @a_B ", Sought(("@a_b",))),
        ("AcmePhone", Sought(("acmephone",))),
        ("love #AcmePhone", Sought(("love", "acme", "phone"))),
        ("info@acme", Sought(("info", "acme"))),
        ("#", Sought(())),
    ],
)
def test_what_is_looked_for_is_read_like_a_text(text: str, wanted: Sought) -> None:
    assert sought(text) == wanted


@given(*[st.none() | st.text() | st.text("ab#@_'. \n\x00é", max_size=40) | st.just("x" * (MAX_WORD + 1))] * 2)
def test_the_words_in_one_text_are_the_same_words(title: str | None, text: str | None) -> None:
    assert document(title, text).split() == words_of(title, text)


def test_what_is_too_much_for_an_index_is_left_out() -> None:
    assert words_of(None, "x" * 100_000) == ["x" * MAX_WORD]
    assert len(words_of("東" * 1_000, "京" * 20_000)) == MAX_WORDS
    often = words_of(None, "the cat " * 300)
    assert (often.count("the"), often.count(GAP), len(often)) == (MAX_REPEATS, 2 * (300 - MAX_REPEATS), 600)
    tags = words_of("#" + "x" * 5_000, " ".join(f"#t{number}" for number in range(20_000)))
    assert len(tags) == MAX_WORDS
    assert max(map(len, tags)) <= MAX_WORD


@pytest.mark.parametrize(
    "text", ["a" * 20_000, "#" * 20_000, "@A" * 10_000, "e" + "\u0301" * 20_000, "#" + "a_" * 9_000]
)
def test_reading_takes_time_in_proportion_to_the_text(text: str) -> None:
    begin = time.process_time()
    words_of(None, text)
    assert time.process_time() - begin < 0.5


LETTERS = "aBé東는ท️👍#@_ \x00'\"*:&1\ud800İǆﬀ️\u0301ﾞ"


@given(st.text(st.sampled_from(LETTERS) | st.characters()))
def test_words_are_words_whatever_the_text(text: str) -> None:
    for word in words_of(text, text):
        assert word == GAP or any(char.isalnum() or unicodedata.category(char) in ("So", "Mn", "Mc") for char in word)
        assert not set(word) & set(" \t\n\x00'\"\\*():&|!")
        word.encode()


@given(st.text(st.sampled_from(LETTERS)), st.text(st.sampled_from(LETTERS)), st.text(st.sampled_from(LETTERS)))
def test_what_is_in_a_text_is_found_in_it(before: str, said: str, after: str) -> None:
    wanted = sought(said)
    tag = said.strip()[:1] in "#@＃＠"
    if wanted.words and not tag:
        assert holds(wanted, words_of(None, f"{before} , {said} , {after}"))


# ------------------------------------------------------------------------------------------------------------ trees

A, B, C = Term("a"), Term("b"), Term("c")


@pytest.mark.parametrize(
    ("tree", "written"),
    [
        (A, '"a"'),
        (Not(Not(A)), '"a"'),
        (Term("a b", prefix=True), '"a b" *'),
        (And((A, Not(B))), '("a" NOT "b")'),
        (And((A, B, Not(B), Not(C))), '(("a" AND "b") NOT ("b" OR "c"))'),
        (And((A, Or((B, Not(C))))), '("a" NOT ("c" NOT "b"))'),
        (Not(Or((Not(A), B))), '("a" NOT "b")'),
        (Not(And((Not(A), Not(B)))), '("a" OR "b")'),
        (And((A, And((B, C)))), '("a" AND "b" AND "c")'),
        ('"a" OR b', '"a or b"'),
    ],
)
def test_negation_is_turned_into_taking_away(tree: Tree | str, written: str) -> None:
    assert fts5(matching(tree)) == written


def test_postgresql_is_asked_the_same() -> None:
    assert tsquery(matching(And((A, Not(Term("b c", prefix=True)))))) == "(('a') & !('b' <-> 'c':*))"


@pytest.mark.parametrize("tree", [Not(A), Or((A, Not(B))), And((Not(A), Not(B))), Not(And((A, B)))])
def test_only_what_must_not_be_there_is_nothing_to_look_for(tree: Tree) -> None:
    with pytest.raises(Unbounded, match="add a word that must"):
        matching(tree)


def nested(levels: int) -> Tree:
    tree: Tree = A
    for level in range(levels):
        tree = Or((B, tree)) if level % 2 else And((C, tree))
    return tree


def negated(levels: int) -> Tree:
    tree: Tree = A
    for _ in range(levels):
        tree = Not(tree)
    return tree


@pytest.mark.parametrize(
    ("tree", "why"),
    [
        (nested(31), "nested deeper than 30 levels"),
        (nested(500), "nested deeper than 60 levels"),
        (negated(100_000), "nested deeper than 60 levels"),
        (Or((A,) * 1_001), "more than 1,000 words"),
        (Term("a " * 101), "a phrase of more than 100 words"),
        (Term("東" * 101), "a phrase of more than 100 words"),
        (Term("!!!"), "without letter, digit or emoji"),
        (And(()), "joins nothing"),
    ],
)
def test_what_no_index_could_answer_is_refused(tree: Tree, why: str) -> None:
    with pytest.raises(SearchError, match=why):
        matching(tree)
