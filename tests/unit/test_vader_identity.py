"""The analyser says bit for bit what vaderSentiment says, of every text and with every table."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from vaderSentiment.vaderSentiment import BOOSTER_DICT, NEGATE, SPECIAL_CASES, SentimentIntensityAnalyzer

from monitor.scoring.vader import Analyzer, polarity_scores


class Oracle(SentimentIntensityAnalyzer):
    """vaderSentiment itself, with tables of choice; it also keeps the words' values it summed up last."""

    def __init__(self, lexicon: dict[str, float], emojis: dict[str, str]) -> None:
        self.lexicon = lexicon
        self.emojis = emojis
        self.values: list[float] = []

    def score_valence(self, sentiments: list[float], text: str) -> Any:
        self.values = list(sentiments)
        return super().score_valence(sentiments, text)


PACKAGE = SentimentIntensityAnalyzer()
STOCK = Oracle(PACKAGE.lexicon, PACKAGE.emojis)
ANALYZER = Analyzer()

# --- Texts in which every rule has its chance

RULE_WORDS = """no No NO nor or kind of kind-of at AT very VERY least never so SO this this, without doubt but But BUT
    but, the shit bomb bad ass badass bus stop yeah right kiss of death to die for beating heart just enough sort
    not NOT n't xn't""".split()  # noqa: SIM905 - a list of fifty literals reads worse
PHRASES = [phrase for phrase in (*SPECIAL_CASES, *BOOSTER_DICT) if " " in phrase]
PHRASES += ["at least", "very least", "never so", "never this", "without doubt", "without a doubt", "kind of"]
PLAIN_WORDS = ["the", "a", "I", "phone", "Phone", "PHONE", "1", "é", "漢字", "İ", "ΑΣ", "\u212aind", "bu\u017f", "ﬁne"]
FRAGMENTS = [
    "\x00",
    "\ud83d",
    "\udc4d",
    "\ufe0f",
    "\u200d",
    "\u200b",
    "’",
    "n’t",
    "😀",
    "👍",
    "❤️",
    "😡😡",
    "👩‍👩‍👦",
    "©",
]

one_of_the_lexicon = st.sampled_from(list(STOCK.lexicon))
words = st.one_of(
    st.sampled_from(RULE_WORDS),
    st.sampled_from(RULE_WORDS),
    st.sampled_from(PHRASES),
    st.sampled_from(PHRASES).map(str.upper),
    one_of_the_lexicon,
    one_of_the_lexicon.map(str.upper),
    one_of_the_lexicon.map(str.capitalize),
    st.sampled_from(["good", "great", "bad", "GOOD", "Bad", "horrible"]),
    st.sampled_from([*NEGATE, *BOOSTER_DICT]),
    st.sampled_from([*NEGATE, *BOOSTER_DICT]).map(str.upper),
    st.sampled_from(PLAIN_WORDS),
    st.sampled_from(FRAGMENTS),
    st.sampled_from(list(STOCK.emojis)),
    st.text(max_size=4),
)
marks = st.one_of(
    st.just(""),
    st.just(""),
    st.sampled_from([*"!?.,'\"-#@*:", "!!!", "???", "!!!!!", "?????", ":)", ":D", "...", "\ufe0f"]),
)
gaps = st.one_of(
    st.just(" "),
    st.just(" "),
    st.sampled_from(["", "  ", "\t", "\n", "\r\n", "\xa0", "\u2028", "\u3000", "\x1c", "\x85"]),
)
pieces = st.tuples(marks, words, marks, gaps).map("".join)
texts = st.one_of(
    st.lists(pieces, max_size=14).map("".join),
    st.lists(pieces, max_size=14).map("".join),
    st.lists(pieces, max_size=5).map(lambda parts: "".join(parts).upper()),
    st.text(max_size=80),
    st.text(alphabet="abdgnotusw'!? \t😀👍é\ud83d\x00", max_size=60),
)

# --- Tables other than the package's

LEXICONS = [
    {},
    STOCK.lexicon,
    {word: value for word, value in STOCK.lexicon.items() if word not in ("no", "kind", "good", "doubt", "bomb")},
]
FEW_WORDS = ["good", "bad", "no", "nor", "or", "least", "at", "very", "not", "never", "so", "this", "without", "doubt"]
FEW_WORDS += ["but", "kind", "of", "the", "bomb", "to", "die", "for", "just", "enough", "x", "X", "GOOD", "NOT", "VERY"]
VALUES = [0, 1, -1, True, 0.0, -0.0, 2.0, -2.0, 4.0, 0.5, 1.5, 3.0, 0.733, -0.733, 0.293, 5e-324, 1e9, -1e9]
values = st.one_of(st.sampled_from(VALUES), st.floats(-5, 5))
tables = st.dictionaries(
    st.one_of(
        st.sampled_from([word.lower() for word in (*RULE_WORDS, *PLAIN_WORDS, *FRAGMENTS)]),
        st.sampled_from([*NEGATE, *BOOSTER_DICT, "good", "great", "bad", "horrible", "GOOD", "good !", ":)", "!!!"]),
        st.text(min_size=1, max_size=3),
    ),
    values,
    max_size=25,
)
descriptions = st.one_of(
    st.sampled_from(["good", "very bad", " GOOD ", "", " ", "!", "?!?", "\tbut\n", "no", "😀", "least"]),
    st.text(max_size=5),
)
emoji_tables = st.dictionaries(
    st.one_of(st.sampled_from([*"😀👍❤©éaBn!'?", " ", "\t", "\u2028", "\x00", "\ud83d", "❤️", "no"]), st.characters()),
    descriptions,
    max_size=8,
)


def assert_equal_to_stock(analyzer: Analyzer, oracle: Oracle, text: str) -> None:
    expected = oracle.polarity_scores(text)
    assert repr(analyzer.polarity_scores(text)) == repr(expected)
    assert analyzer.compound(text) == expected["compound"]


def assert_trace_adds_up(analyzer: Analyzer, oracle: Oracle, text: str) -> None:
    trace = analyzer.trace(text)
    scores = {"neg": trace.neg, "neu": trace.neu, "pos": trace.pos, "compound": trace.compound}
    assert scores == oracle.polarity_scores(text)
    assert [word.value for word in trace.words] == oracle.values
    for word in trace.words:
        parts = word.base + sum(effect.delta for effect in word.effects)
        assert math.isclose(word.value, parts, rel_tol=1e-9, abs_tol=1e-6)
    total = sum(word.value for word in trace.words)
    direction = (total > 0) - (total < 0)
    assert trace.raw_sum == total + direction * trace.punctuation
    assert round(trace.raw_sum / math.sqrt(trace.raw_sum**2 + 15), 4) == trace.compound


@settings(max_examples=500, deadline=None)
@given(texts)
def test_every_text_scores_as_in_stock(text: str) -> None:
    assert_equal_to_stock(ANALYZER, STOCK, text)


@pytest.mark.parametrize(
    "text",
    [
        "no bad nor good",
        "no bad or good",
        "no bad and good",
        "least good at",
        "least good very",
        "LEAST Good the least at most",
    ],
)
def test_a_rare_turn_scores_as_in_stock(text: str) -> None:
    assert_equal_to_stock(ANALYZER, STOCK, text)
    assert_trace_adds_up(ANALYZER, STOCK, text)


@settings(max_examples=400, deadline=None)
@given(texts)
def test_every_trace_adds_up_to_what_stock_sums_up(text: str) -> None:
    assert_trace_adds_up(ANALYZER, STOCK, text)


@settings(max_examples=200, deadline=None)
@given(st.lists(texts, min_size=1, max_size=4), st.sampled_from(LEXICONS), tables)
def test_every_lexicon_scores_as_in_stock(
    some: list[str], lexicon: dict[str, float], changes: dict[str, float]
) -> None:
    lexicon = lexicon | changes
    analyzer, oracle = Analyzer(lexicon), Oracle(lexicon, STOCK.emojis)
    for text in some:
        assert_equal_to_stock(analyzer, oracle, text)
        assert_trace_adds_up(analyzer, oracle, text)


@settings(max_examples=130, deadline=None)
@given(st.lists(texts, min_size=1, max_size=4), emoji_tables)
def test_every_emoji_table_scores_as_in_stock(some: list[str], emojis: dict[str, str]) -> None:
    analyzer, oracle = Analyzer(None, emojis), Oracle(STOCK.lexicon, emojis)
    for text in some:
        assert_equal_to_stock(analyzer, oracle, text)


@settings(max_examples=700, deadline=None)
@given(st.lists(st.sampled_from(FEW_WORDS), max_size=8).map(" ".join), st.sets(st.sampled_from(FEW_WORDS)))
@example("no very good", {"no", "very"})
def test_rule_words_that_are_in_the_lexicon_score_as_in_stock(text: str, known: set[str]) -> None:
    lexicon = dict.fromkeys(sorted(known), 1.5) | {"good": 2.0, "bad": -2.0}
    assert_trace_adds_up(Analyzer(lexicon, {}), Oracle(lexicon, {}), text)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c", "d", "e", "x", "but"]), max_size=30), st.booleans())
def test_but_confuses_equal_values_exactly_as_stock_does(parts: list[str], but_feels: bool) -> None:
    # Halves and one-and-a-halves of one another: changing one word makes it equal to the next.
    lexicon = {"a": 2.0, "b": 1.0, "c": 4.0, "d": 3.0, "e": 1.5} | ({"but": 2.0} if but_feels else {})
    assert_trace_adds_up(Analyzer(lexicon, {}), Oracle(lexicon, {}), " ".join(parts))


# --- Recorded texts

RECORDED = {
    "airline_tweets/Tweets.csv": ("text",),
    "musical_instruments/reviews.csv": ("summary", "reviewText"),
    "play_moniepoint/reviews.csv": ("content",),
    "vader/tweets_GroundTruth.txt": (),
    "vader/amazonReviewSnippets_GroundTruth.txt": (),
}


def recorded_texts(path: Path, columns: tuple[str, ...]) -> Iterator[str]:
    with path.open(encoding="utf-8", newline="") as file:
        if columns:
            for row in csv.DictReader(file):
                yield from (row[column] for column in columns)
        else:
            for line in file:
                yield line.rstrip("\r\n").split("\t", 2)[2]


@pytest.mark.recorded
@pytest.mark.parametrize(("name", "columns"), RECORDED.items(), ids=RECORDED)
def test_recorded_texts_score_as_in_stock(name: str, columns: tuple[str, ...]) -> None:
    folder = os.environ.get("RECORDED_DATA")
    if not folder:
        pytest.skip("recorded data not present")
    compared = 0
    for text in recorded_texts(Path(folder) / "data" / name, columns):
        assert polarity_scores(text) == STOCK.polarity_scores(text)
        compared += 1
    assert compared > 3000
