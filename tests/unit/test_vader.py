"""The promises of the analyser beside its equality with vaderSentiment (which has a file of its own)."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from math import isclose, nan

import pytest

from monitor.scoring import spelling
from monitor.scoring.vader import (
    VERSION,
    Analyzer,
    Effect,
    Trace,
    polarity_scores,
    stock_emojis,
    stock_lexicon,
)


@pytest.fixture(scope="module")
def analyzer() -> Analyzer:
    return Analyzer()


def effects(trace: Trace, word: str) -> list[tuple[str, str]]:
    return [(e.kind, e.cause) for traced in trace.words if traced.word == word for e in traced.effects]


def test_the_version_names_the_package_and_its_release() -> None:
    assert VERSION == "vaderSentiment 3.3.2"


def test_a_published_example_has_its_published_scores() -> None:
    assert polarity_scores("VADER is smart, handsome, and funny!") == {
        "neg": 0.0,
        "neu": 0.248,
        "pos": 0.752,
        "compound": 0.8439,
    }


@pytest.mark.parametrize("text", ["", " ", "\n\t\u2028\xa0"])
def test_a_text_without_words_has_four_zeros(analyzer: Analyzer, text: str) -> None:
    assert analyzer.polarity_scores(text) == {"neg": 0.0, "neu": 0.0, "pos": 0.0, "compound": 0.0}
    assert analyzer.compound(text) == 0.0
    assert analyzer.trace(text).words == ()


@pytest.mark.parametrize("score", [Analyzer.polarity_scores, Analyzer.compound, Analyzer.trace])
@pytest.mark.parametrize("text", [None, b"good", 1, ["good"]])
def test_what_is_not_text_is_refused_by_the_name_of_its_type(analyzer: Analyzer, score, text) -> None:
    with pytest.raises(TypeError, match=rf"text: {type(text).__name__} cannot be scored; give a str"):
        score(analyzer, text)


@pytest.mark.parametrize("value", [nan, float("inf")])
def test_a_lexicon_value_must_be_finite(value: float) -> None:
    with pytest.raises(ValueError, match=r"lexicon: the value of 'meh' is (nan|inf); give a finite number"):
        Analyzer({"meh": value})


def test_the_stock_tables_are_whole_and_read_only() -> None:
    assert len(stock_lexicon()) == 7506
    assert len(stock_emojis()) == 3570
    for table in (stock_lexicon(), stock_emojis()):
        with pytest.raises(TypeError):
            table["good"] = 0  # type: ignore[index]


def test_changing_the_mappings_afterwards_changes_no_score() -> None:
    lexicon, emojis = {"good": 2.0}, {"☂": "good"}
    analyzer = Analyzer(lexicon, emojis)
    before = analyzer.compound("good ☂")
    lexicon["good"], emojis["☂"] = -2.0, "bad"
    assert analyzer.compound("good ☂") == before
    assert pickle.loads(pickle.dumps(analyzer)).compound("good ☂") == before


@pytest.mark.parametrize(
    "analyzer", [Analyzer(), Analyzer({"quiet": 1.5, "but": 1.0}), Analyzer(None, {"☂": "awful weather"})]
)
def test_a_pickled_analyzer_scores_alike(analyzer: Analyzer) -> None:
    text = "Good and quiet, but ☂☂ NOT so great!!"
    again = pickle.loads(pickle.dumps(analyzer))
    assert again.polarity_scores(text) == analyzer.polarity_scores(text)
    assert again.trace(text) == analyzer.trace(text)


def test_the_package_s_own_tables_are_not_pickled(analyzer: Analyzer) -> None:
    assert len(pickle.dumps(analyzer)) < 200


HOSTILE = {
    "words": "the phone is VERY good but not so great this time " * 10_000,
    "capitals": "GOOD " * 100_000,
    "equal values round a but": "good " * 50_000 + "but " + "good bad " * 25_000,
    "emoji": "😀" * 10_000,
    "one token": "a" * 5_000_000,
    "one token of another script": "漢" * 5_000_000,
    "one token of punctuation": "!?" * 2_500_000,
    "one token among feelings": "x" * 5_000_000 + " of good no good nor good",
    "NUL": "\x00" * 1_000_000,
    "lone surrogates": "\ud83d" * 1_000_000,
    "words never seen before": " ".join(f"good{i}n't good" for i in range(50_000)),
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_ends_with_a_score_in_range(analyzer: Analyzer, text: str) -> None:
    scores = analyzer.polarity_scores(text)
    assert -1 <= scores["compound"] <= 1
    assert isclose(scores["neg"] + scores["neu"] + scores["pos"], 1, abs_tol=0.002)
    assert analyzer.compound(text) == scores["compound"]


def test_memory_of_tokens_is_bounded_in_number_and_in_length() -> None:
    class Lengths(spelling.Remembered[int]):
        def read(self, token: str) -> int:
            return len(token)

    lengths = Lengths()
    for i in range(spelling.REMEMBERED_TOKENS * 2 + 10):
        assert lengths[str(i)] == len(str(i))
        assert len(lengths) <= spelling.REMEMBERED_TOKENS
    assert lengths["x" * 1000] == 1000
    assert "x" * 1000 not in lengths


def test_threads_that_share_an_analyzer_agree_while_it_forgets() -> None:
    analyzer = Analyzer()
    # Each text brings 400 new tokens, so all of them together are more than is remembered.
    texts = [
        f"Thing{i} was NOT so good{'!' * (i % 5)}, but 😀 " + " ".join(f"w{i}_{j}" for j in range(400))
        for i in range(200)
    ]
    alone = [Analyzer().polarity_scores(text) for text in texts[:20]]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: [analyzer.polarity_scores(text) for text in texts], range(8)))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][:20] == alone


def test_a_trace_names_each_rule_with_the_words_that_made_it(analyzer: Analyzer) -> None:
    trace = analyzer.trace("The staff were not very HELPFUL, but at last I was never so happy!")
    assert effects(trace, "HELPFUL") == [
        ("capitals", "HELPFUL"),
        ("booster", "very"),
        ("negation", "not"),
        ("but", "but"),
    ]
    assert effects(trace, "happy") == [
        ("booster", "so"),
        ("never", "never so"),
        ("booster", "so"),
        ("but", "but"),
    ]
    assert trace.punctuation == pytest.approx(0.292)


@pytest.mark.parametrize(
    ("text", "word", "expected"),
    [
        ("least good", "good", [("least", "least")]),
        ("no good", "good", [("negation", "no")]),
        ("no good", "no", [("negation", "good")]),
        ("it was kind of nice", "kind", [("idiom", "kind of")]),
        ("this was kind of nice", "nice", [("booster", "kind of")]),
        ("kind of nice", "nice", []),
        ("it was sort of nice", "nice", [("booster", "sort of")]),
        ("it really was the bomb", "bomb", [("booster", "really"), ("idiom", "the bomb")]),
        ("it was all this good", "good", [("booster", "this")]),
    ],
)
def test_a_rule_shows_in_the_trace(analyzer: Analyzer, text: str, word: str, expected: list[tuple[str, str]]) -> None:
    assert effects(analyzer.trace(text), word) == expected


def test_a_trace_has_every_word_as_written_and_emoji_spelt_out(analyzer: Analyzer) -> None:
    trace = analyzer.trace('"Great" stuff👍 :)')
    assert [word.word for word in trace.words] == ["Great", "stuff", "thumbs", "up", ":)"]
    assert [word.base for word in trace.words] == [3.1, 0.0, 0.0, 0.0, 2.0]


def test_the_deltas_of_a_trace_are_those_of_its_rules(analyzer: Analyzer) -> None:
    (very, good) = analyzer.trace("very good").words
    assert (very.base, very.effects, very.value) == (0.0, (), 0.0)
    assert good.effects == (Effect("booster", "very", pytest.approx(0.293)),)
    assert good.value == pytest.approx(1.9 + 0.293)
