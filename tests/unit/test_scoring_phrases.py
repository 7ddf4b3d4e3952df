"""Phrases of several words are read as one word, and say what none of their words says alone."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.scoring import DEFAULT, STOCK, Profile, Scorable, ScoringOptions, Text, build_profile, explain, score_batch
from monitor.scoring.entries import value_fault, word_fault
from monitor.scoring.lexicon import acts_on_others, overlay
from monitor.scoring.phrases import Phrases, is_joined, shown, words_of

FEW = Phrases(["stay away", "stay away from", "can't wait", "can't thank * enough", "nothing but", "no more no less"])


def label_of(text: str, profile: Profile = DEFAULT) -> str | None:
    return score_batch([Scorable(body=text)], profile)[0].label


def found(text: str) -> list[str]:
    return [shown(word) for word in FEW.joined(text).split() if is_joined(word)]


@pytest.mark.parametrize(
    ("text", "phrases"),
    [
        ("stay away", ["stay away"]),
        ("STAY  Away!!!", ["STAY Away!!!"]),
        ('They say "stay away".', ['"stay away".']),
        ("stay away from it, stay away", ["stay away from", "stay away"]),
        ("I can't wait, I cant wait", ["can't wait,", "cant wait"]),
        ("can't thank you all enough!", ["can't thank"]),
        ("can't thank one two three four enough", ["can't thank"]),
        ("no more no less", ["no more no less"]),
    ],
)
def test_a_phrase_is_found_in_any_case_with_or_without_apostrophe(text: str, phrases: list[str]) -> None:
    assert found(text) == phrases


@pytest.mark.parametrize(
    "text",
    [
        "",
        "stay",
        "stay. Away",
        "stay, away",
        "stays away",
        "away stay",
        "can't thank",
        "can't thank one two three four five enough",
        "no more, no less",
    ],
)
def test_what_is_no_phrase_stays_as_it_is(text: str) -> None:
    assert FEW.joined(text) is text


@given(st.lists(st.sampled_from(["stay", "away", "from", "can't", "wait", "enough", "thank", "x", ",", "AWAY!"])))
def test_joining_loses_no_word(words: list[str]) -> None:
    assert shown(FEW.joined(" ".join(words))) == " ".join(words)


@given(st.text())
def test_any_text_can_be_joined(text: str) -> None:
    assert FEW.joined(text).split() == text.split()


# --- The overlay's


def test_the_overlays_phrases_are_sound() -> None:
    laid = overlay()
    assert laid.phrases.keys().isdisjoint(laid.neutral_phrases)
    for phrase in (*laid.phrases, *laid.neutral_phrases):
        assert len(phrase.split()) > 1, phrase
        assert phrase == " ".join(phrase.lower().split()), phrase
        assert all(word == "*" or word_fault(word.replace("'", "")) is None for word in phrase.split()), phrase
        assert "*" not in phrase or phrase.split()[-2] == "*", phrase
    for phrase, value in laid.phrases.items():
        assert value, phrase
        assert value_fault(value) is None, phrase


def test_no_phrase_negates_or_stresses_what_follows_it() -> None:
    laid = overlay()
    words = words_of({**laid.phrases, **dict.fromkeys(laid.neutral_phrases, 0.0)})
    assert [word for word in words if acts_on_others(word)] == []


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Can't recommend this place highly enough", "positive"),
        ("You cant go wrong with it", "positive"),
        ("Couldn’t be happier", "positive"),
        ("Don't waste your money", "negative"),
        ("Do not waste your time here", "negative"),
        ("Save your money and look elsewhere", "negative"),
        ("I've had nothing but trouble with it", "negative"),
        ("Nothing but good things to say", "positive"),
        ("Can't believe how good it is", "positive"),
        ("It fell apart within days", "negative"),
        ("Not a game changer", "negative"),
        ("It's a steal", "positive"),
        ("It would be nice to have dark mode", "neutral"),
    ],
)
def test_phrases_of_the_talk_are_understood(text: str, label: str) -> None:
    assert label_of(text) == label


def test_phrases_belong_to_the_overlay() -> None:
    assert label_of("Don't waste your money", replace(DEFAULT, overlay=False)) == "positive"
    assert label_of("Don't waste your money", STOCK) == "positive"


def test_an_own_word_beats_the_phrases_it_is_in() -> None:
    own = build_profile(ScoringOptions(lexicon={"wait": -1.0}, neutral_words=("steal",)))
    assert label_of("a long wait, but can't wait") == "positive"
    assert [word.word for word in explain(Text("I can't wait"), own).sentences[0].words] == ["wait"]
    assert label_of("a steal", own) == "neutral"


def test_an_explanation_shows_phrases_as_they_were_written() -> None:
    explained = explain(Text("Of course I CAN'T WAIT"), DEFAULT)
    (sentence,) = explained.sentences
    assert sentence.text == "Of course I CAN'T WAIT"
    assert [(word.word, word.base, word.origin) for word in sentence.words] == [("CAN'T WAIT", 1.5, "overlay")]
    assert [(one.word, one.by) for one in explained.silenced] == [("of course", "overlay")]


def test_a_brand_that_is_a_phrase_says_nothing() -> None:
    named = Scorable(body="We ate at Game Changer", brand_words=frozenset({"game changer"}))
    warned = Scorable(body="Stay away from Away", brand_words=frozenset({"away"}))
    assert [scored.label for scored in score_batch([named, warned], DEFAULT)] == ["neutral", "negative"]
