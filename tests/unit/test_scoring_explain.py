import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.scoring import (
    DEFAULT,
    STOCK,
    Explanation,
    Label,
    Profile,
    Scorable,
    ScoringOptions,
    Text,
    build_profile,
    explain,
    score_batch,
)

OWN = build_profile(ScoringOptions(lexicon={"slay": 2.5, "🦄": 1.0}, neutral_words=("cool", "never")))
PROFILES = [STOCK, DEFAULT, OWN, replace(DEFAULT, language_gate=False, sentence_wise=False)]

_WORDS = """good bad NOT not never no VERY kind of but refund crashes! slay 🦄 👍🏽 🙄 ❤️ @united united best total
thanks doesn't work isn’t least without doubt the bomb yeah right No! ok. so this :) https://x.example/ Five stars
terrible.Then GREAT!!! why??? cool . Gut schlecht und die Lieferung"""
texts = st.lists(st.sampled_from([*_WORDS.split(), "\n"]), max_size=120).map(" ".join) | st.text()


@given(
    body=texts | st.none(),
    title=texts | st.none(),
    brand=st.sampled_from([frozenset(), frozenset({"united", "best"}), frozenset({"total"}), frozenset({"the bomb"})]),
    profile=st.sampled_from(PROFILES),
    rating=st.none() | st.sampled_from(Label),
)
def test_an_explanation_has_the_scorers_label_and_parts_that_add_up(
    body: str | None, title: str | None, brand: frozenset[str], profile: Profile, rating: Label | None
) -> None:
    explained = explain(Text(body, title, brand), profile, rating_label=rating)
    (scored,) = score_batch([Scorable(title, body, rating, None, brand)], profile)
    for part in ("label", "by", "compound", "text_label", "language", "unscored", "scorer"):
        assert getattr(explained, part) == getattr(scored, part)
    assert_parts_add_up(explained)
    if scored.compound is not None:
        assert profile.label(mean_of(explained)) == scored.text_label
    json.dumps(explained.to_dict())


def assert_parts_add_up(explained: Explanation) -> None:
    for sentence in explained.sentences:
        for word in sentence.words:
            assert math.isclose(word.base + sum(change.delta for change in word.changes), word.value, abs_tol=1e-9)
        total = sum(word.value for word in sentence.words) + sentence.emphasis
        assert math.isclose(total, sentence.raw_sum, abs_tol=1e-9)
        assert math.isclose(total / math.sqrt(total * total + 15), sentence.compound, abs_tol=6e-5)


def mean_of(explained: Explanation) -> float:
    compounds = [sentence.compound for sentence in explained.sentences if sentence.counted]
    if len(explained.sentences) == 1:
        return explained.sentences[0].compound
    return round(sum(compounds) / len(compounds), 4) if compounds else 0.0


def test_rules_and_origins_are_named() -> None:
    explained = explain(Text("The app is not very GOOD, but it crashes"), DEFAULT)
    (sentence,) = explained.sentences
    good, crashes = sentence.words
    assert (good.word, good.base, good.origin) == ("GOOD", 1.9, "vader")
    assert {(change.kind, change.cause) for change in good.changes} == {
        ("capitals", "GOOD"),
        ("booster", "very"),
        ("negation", "not"),
        ("but", "but"),
    }
    assert (crashes.word, crashes.origin, [change.kind for change in crashes.changes]) == (
        "crashes",
        "overlay",
        ["but"],
    )


def test_words_made_silent_are_named_once_with_what_silenced_them() -> None:
    explained = explain(Text("Please, BEST Buy, please: cool it", None, frozenset({"best", "buy"})), OWN)
    assert [(one.word, one.by) for one in explained.silenced] == [
        ("please", "overlay"),
        ("best", "brand"),
        ("cool", "own"),
    ]


def test_what_is_shown_is_what_was_read_without_invisible_signs() -> None:
    explained = explain(Text("@united I like United’s best❤️ seats", None, frozenset({"united", "best"})), DEFAULT)
    (sentence,) = explained.sentences
    assert sentence.text == "I like United's best ❤  seats"
    assert [word.word for word in sentence.words] == ["like", "❤"]


def test_sentences_of_a_long_text_say_whether_they_count() -> None:
    explained = explain(Text("So... " + "The staff were rude to us all. " * 12), DEFAULT)
    assert [sentence.counted for sentence in explained.sentences] == [False] + [True] * 12


def test_stars_and_language_are_part_of_the_explanation() -> None:
    german = "Die Lieferung kam zu spät und niemand hat auf meine Nachricht geantwortet."
    explained = explain(Text(german), DEFAULT, rating_label=Label.NEGATIVE)
    assert (explained.label, explained.by, explained.rating_label) == ("negative", "stars", "negative")
    assert (explained.language, explained.sentences) == ("de", ())
    assert explain(Text(german), DEFAULT).unscored == "language"


def test_the_platforms_language_is_heard() -> None:
    assert explain(Text("Super!"), DEFAULT, platform_language="de").unscored == "language"


@pytest.mark.parametrize(("length", "cut"), [(20_000, False), (20_001, True)])
def test_a_cut_text_says_so(length: int, cut: bool) -> None:
    assert explain(Text("x" * length), replace(DEFAULT, language_gate=False)).cut is cut
