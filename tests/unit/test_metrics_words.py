"""Terms of texts, and which of them tell one set from another."""

from __future__ import annotations

import random
from collections.abc import Sequence
from math import comb, isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.metrics.words import Text, _upper_tail, stem, telling, terms_of

WORDS = [f"{a}{b}{c}" for a in "bdfg" for b in "aeiou" for c in ("ntor", "lmet", "rkos", "ssip")]


def texts(bodies: Sequence[str], start: int = 0) -> list[Text]:
    """Each by an author of its own."""
    return [Text(start + number, start + number, terms_of([body])) for number, body in enumerate(bodies)]


def made_up(seed: int, count: int, *also: str, share: float = 0.0, start: int = 0) -> list[Text]:
    """Texts of ten words, all alike by chance; a ``share`` of them says ``also``."""
    source = random.Random(seed)
    bodies = [" ".join(source.choices(WORDS, k=10)) for _ in range(count)]
    return texts([f"{body}. {' '.join(also)}" if source.random() < share else body for body in bodies], start)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("The battery drains", {"battery", "drains", "battery drains"}),
        ("It's great! Battery. Drains", {"battery", "drains"}),
        ("sync is not working", {"sync", "working", "not working"}),
        ("see https://acme.example/battery @battery #battery", set()),
        ("Akku leer, sehr schlecht", {"akku", "leer", "schlecht", "akku leer"}),
        ("", set()),
    ],
)
def test_terms_are_words_and_neighbours_that_say_what_it_is_about(text: str, shown: set[str]) -> None:
    assert set(terms_of([text]).values()) == shown


def test_a_brands_own_words_are_no_terms() -> None:
    assert set(terms_of(["Acme's battery, acme battery"], frozenset({"acme"})).values()) == {"battery"}


def test_a_phrase_does_not_run_from_title_to_text() -> None:
    assert "battery charger" not in terms_of(["battery", "charger"]).values()


def test_the_forms_of_a_word_are_one_term() -> None:
    assert stem("crashes") == stem("crashing") == stem("crash")
    found = telling(
        texts(["crash today", "crashes badly", "it crashes", "crashes here"] * 5), texts(["lovely light"] * 20, 100)
    )
    assert [term.shown for term in found if term.clear] == ["crashes"]


def test_a_word_said_on_one_side_only_is_found_with_who_said_it() -> None:
    found = telling(made_up(1, 100, "battery", share=0.3), made_up(2, 100, start=1_000))
    clear = [term for term in found if term.clear]
    assert [term.shown for term in clear] == ["battery"]
    assert clear[0].clusters == len(clear[0].ids) > 20
    assert clear[0].others == 0


def test_nobody_makes_a_driver_alone() -> None:
    flood = [Text(number, number % 2, terms_of(["battery drains"])) for number in range(60)]
    found = telling([*flood, *made_up(1, 60, start=100)], made_up(2, 60, start=1_000))
    assert not {"battery", "drains", "battery drains"} & {term.shown for term in found}


def test_a_word_gives_way_to_the_phrase_it_stands_in() -> None:
    found = telling(made_up(1, 100, "customer", "service", share=0.3), made_up(2, 100, start=1_000))
    assert [term.shown for term in found if term.clear] == ["customer service"]


def test_where_nothing_differs_a_clear_term_is_rare() -> None:
    called = sum(
        any(term.clear for term in telling(made_up(seed, 60), made_up(seed + 10_000, 60, start=1_000)))
        for seed in range(100)
    )
    assert called <= 8


def test_sets_that_say_one_thing_only_can_be_compared() -> None:
    assert [term.shown for term in telling(texts(["battery"] * 9), texts(["charger"] * 9, 100))] == ["battery"]
    assert telling(texts(["battery"] * 9), texts(["battery"] * 9, 100)) == []


def test_sets_without_texts_tell_nothing() -> None:
    assert telling([], made_up(1, 10)) == telling(made_up(1, 10), []) == []


@given(st.integers(1, 60).flatmap(lambda m: st.tuples(st.integers(0, m), st.just(m))), st.floats(0.02, 0.98))
def test_the_upper_tail_is_the_binomials(counts: tuple[int, int], share: float) -> None:
    y, m = counts
    exact = [comb(m, k) * share**k * (1 - share) ** (m - k) for k in range(m + 1)]
    assert isclose(_upper_tail(y, m, share), sum(exact[y + 1 :]) + exact[y] / 2, rel_tol=1e-6, abs_tol=1e-12)
