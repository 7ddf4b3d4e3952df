import math
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from monitor.scoring import (
    DEFAULT,
    STOCK,
    FaultyScoring,
    Label,
    Profile,
    Scorable,
    ScoringOptions,
    build_profile,
    score_batch,
)
from monitor.scoring.entries import value_fault, word_fault
from monitor.scoring.lexicon import acts_on_others, lexicon_of, overlay
from monitor.scoring.vader import polarity_scores, stock_lexicon


def label_of(body: str, profile: Profile, *brand_words: str) -> Label | None:
    return score_batch([Scorable(body=body, brand_words=frozenset(brand_words))], profile)[0].label


def compound_of(body: str, profile: Profile, *brand_words: str) -> float | None:
    return score_batch([Scorable(body=body, brand_words=frozenset(brand_words))], profile)[0].compound


# --- The three kinds


@given(st.text(min_size=1).filter(lambda text: not text.isspace()))
def test_stock_labels_any_text_as_vadersentiment_does(text: str) -> None:
    compound = polarity_scores(text)["compound"]
    expected = "positive" if compound >= 0.05 else "negative" if compound <= -0.05 else "neutral"
    (scored,) = score_batch([Scorable(body=text)], replace(STOCK, language_gate=False))
    assert (scored.compound, scored.label) == (compound, expected)


@pytest.mark.parametrize("compound", [0.05, 0.0499, 0.0, -0.0499, -0.05])
def test_stock_thresholds_are_vaders_own(compound: float) -> None:
    expected = "positive" if compound >= 0.05 else "negative" if compound <= -0.05 else "neutral"
    assert STOCK.label(compound) == expected


def test_stock_scores_the_body_and_the_title_only_where_there_is_no_body() -> None:
    both, title_alone = score_batch([Scorable(title="awful", body="good"), Scorable(title="awful")], STOCK)
    assert (both.label, title_alone.label) == ("positive", "negative")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("@united please help", "neutral"),
        ("the app doesn't work", "negative"),
        ("it worked", "neutral"),
        ("no response from support", "negative"),
        ("what a joke, I want a refund", "negative"),
        ("crashes all the time", "negative"),
        ("I don’t like it", "negative"),
        ("No!", "negative"),
        ("👍", "positive"),
        ("delivered 🙄", "negative"),
        ("love it❤️", "positive"),
        ("1 star", "negative"),
        ("reliable and fast", "positive"),
    ],
)
def test_default_reads_product_talk(text: str, label: str) -> None:
    assert label_of(text, DEFAULT) == label


def test_default_reads_the_title_too() -> None:
    assert score_batch([Scorable(title="Terrible", body="I bought it in May.")], DEFAULT)[0].label == "negative"


def test_a_long_text_is_the_mean_of_its_sentences() -> None:
    praise, complaint = "The room was wonderful and lovely.", "The staff were rude."
    long = f"{praise} " + f"{complaint} " * 20
    whole = compound_of(long, replace(DEFAULT, sentence_wise=False))
    mean = compound_of(long, DEFAULT)
    assert whole is not None
    assert mean is not None
    assert whole < -0.95
    parts = [compound_of(part, DEFAULT) or 0.0 for part in [praise] + [complaint] * 20]
    assert mean == pytest.approx(sum(parts) / 21, abs=1e-4)


def test_fragments_do_not_dilute_the_mean() -> None:
    complaint = "The staff were rude and the room was dirty and nobody cared about us at all, ever. "
    assert compound_of(complaint * 5 + "So... Now. Yet. " * 10, DEFAULT) == compound_of(complaint * 5, DEFAULT)


def test_a_long_text_is_cut() -> None:
    praise_at_the_end = "x " * DEFAULT.max_chars + "wonderful" if DEFAULT.max_chars else ""
    assert label_of(praise_at_the_end, replace(DEFAULT, language_gate=False)) == "neutral"


# --- Brand words


@pytest.mark.parametrize("brand", ["best", "total", "never", "hell"])
def test_a_brand_word_says_nothing_whether_it_feels_or_acts(brand: str) -> None:
    neutral = "acmecorp"
    for text in ("I fly {} to Rome", "{} good service", "so {} bad", "{}'s rude crew", "{}!!! #{}"):
        assert compound_of(text.replace("{}", brand), DEFAULT, brand) == compound_of(
            text.replace("{}", neutral), DEFAULT, neutral
        )


def test_a_brand_of_two_words_falls_silent_only_as_a_whole() -> None:
    assert label_of("I went to Best Buy", DEFAULT, "best buy") == "neutral"
    assert label_of("the best store", DEFAULT, "best buy") == "positive"


def test_stock_knows_no_brand_words() -> None:
    assert label_of("Best Buy", STOCK, "best", "buy") == "positive"


# --- The overlay


def test_the_overlay_is_sound() -> None:
    laid = overlay()
    for word, value in laid.values.items():
        assert word_fault(word) is None, word
        assert value_fault(value) is None, word
        assert word in stock_lexicon() or not acts_on_others(word), word
    for word in laid.neutral:
        assert word in stock_lexicon(), f"{word} says nothing anyway"
    assert laid.values.keys().isdisjoint(laid.neutral)


def test_every_entry_of_the_overlay_changes_something() -> None:
    assert [word for word, value in overlay().values.items() if stock_lexicon().get(word) == value] == []


def test_the_overlay_can_be_left_out() -> None:
    assert lexicon_of(replace(DEFAULT, overlay=False)) == dict(stock_lexicon())


# --- A user's own


def test_own_entries_beat_the_overlay_and_vader() -> None:
    own = build_profile(ScoringOptions(lexicon={"sick": 2.0, "refund": 1.5, "🐛": -2.0}, neutral_words=("killer",)))
    assert label_of("that is sick", DEFAULT) == "negative"
    assert label_of("that is sick", own) == "positive"
    assert label_of("a refund", own) == "positive"
    assert label_of("found a🐛", own) == "negative"
    assert label_of("killer app", own) == "neutral"
    assert own.name == "own"


def test_a_neutral_word_may_be_one_that_negates() -> None:
    own = build_profile(ScoringOptions(neutral_words=("never",)))
    assert label_of("Never good", own) == "positive"


def test_no_options_are_the_default_and_stock_is_stock() -> None:
    assert build_profile(ScoringOptions()) == DEFAULT
    assert build_profile(ScoringOptions(profile="stock")) == STOCK


def test_steps_of_the_pipeline_do_not_make_a_profile_ones_own_but_change_its_version() -> None:
    without_stars = build_profile(ScoringOptions(stars=False))
    assert without_stars.name == "default"
    assert without_stars.version != DEFAULT.version


def test_every_fault_of_the_options_is_named_at_once() -> None:
    with pytest.raises(ValidationError) as caught:
        ScoringOptions.model_validate(
            {
                "lexicon": {"Sick": 2, "fed up": -1, "bad": -9, "ok": "fine", "nice!!": 1, "x": math.nan, "yes": True},
                "neutral_words": ["OK"],
                "positive_at": 2,
                "languages": {"DE": "german"},
                "unknown": 1,
            }
        )
    message = str(caught.value)
    for subject in (
        "'Sick'",
        "'fed up'",
        "-9",
        "'fine'",
        "'nice!!'",
        "nan",
        "True",
        "'OK'",
        "positive_at",
        "'DE'",
        "unknown",
    ):
        assert subject in message


def test_a_word_is_not_both_valued_and_neutral() -> None:
    with pytest.raises(ValidationError, match="'sick' stands in lexicon and in neutral_words"):
        ScoringOptions(lexicon={"sick": 1.0}, neutral_words=("sick",))


def test_every_fault_that_shows_when_all_is_put_together_is_named_at_once(tmp_path: Path) -> None:
    file = tmp_path / "own.tsv"
    file.write_text("# own words\nslay\t2\nslay\t2\nmid\n\nSick\t1\nbad\tvery\nlit\t5\nfine\t1\n", encoding="utf-8")
    options = ScoringOptions(
        lexicon={"fine": 2.0, "never": -1.0},
        lexicon_file=file,
        positive_at=-0.5,
        negative_below=0.5,
        scorer="nowhere",
        languages={"de": "neither"},
    )
    with pytest.raises(FaultyScoring) as caught:
        build_profile(options)
    faults = "\n".join(caught.value.faults)
    for expected in (
        f"{file}:3: 'slay' stands on line 2 too",
        f"{file}:4: has 1 columns",
        f"{file}:6: 'Sick' has upper-case letters",
        f"{file}:7: 'bad' has the value 'very'",
        f"{file}:8: 'lit' has the value 5",
        "'fine' has the value 1 in lexicon_file and 2 in lexicon",
        "'never' negates or stresses",
        "negative_below is 0.5 and positive_at -0.5",
        "scorer 'nowhere' is not installed",
        "scorer 'neither' is not installed",
    ):
        assert expected in faults
    assert len(caught.value.faults) == 10


def test_a_lexicon_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "own.tsv"
    file.write_text("\ufeff# own words\nslay\t2\n❤️\t-1\n", encoding="utf-8")
    assert build_profile(ScoringOptions(lexicon_file=file)).lexicon == (("slay", 2.0), ("❤", -1.0))


@pytest.mark.parametrize("name", ["missing.tsv", "latin.tsv"])
def test_a_lexicon_file_that_cannot_be_read_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / "latin.tsv").write_bytes("schön\t2\n".encode("latin-1"))
    with pytest.raises(FaultyScoring, match=name):
        build_profile(ScoringOptions(lexicon_file=tmp_path / name))


def test_the_options_have_a_json_schema() -> None:
    assert "neutral_words" in ScoringOptions.model_json_schema()["properties"]


# --- Versions


def test_a_version_names_the_package_the_profile_and_a_hash() -> None:
    package, named = DEFAULT.version.split("/")
    assert package == "vader-3.3.2"
    assert named.startswith("default-")


def test_equal_settings_have_equal_versions_in_whatever_order_they_are_given() -> None:
    one = build_profile(ScoringOptions(lexicon={"a": 1, "b": 2.0}, neutral_words=("c", "d")))
    other = build_profile(ScoringOptions(lexicon={"b": 2, "a": 1.0}, neutral_words=("d", "c", "c")))
    assert one == other
    assert one.version == other.version


def test_every_setting_is_part_of_the_version() -> None:
    changed = [
        replace(DEFAULT, positive_at=0.2),
        replace(DEFAULT, negative_below=-0.2),
        replace(DEFAULT, overlay=False),
        replace(DEFAULT, sentence_wise=False),
        replace(DEFAULT, max_chars=None),
        replace(DEFAULT, lexicon=(("slay", 2.0),)),
        replace(DEFAULT, neutral_words=("slay",)),
        replace(DEFAULT, language_gate=False),
        replace(DEFAULT, languages=(("de", "german"),)),
    ]
    assert len({profile.version for profile in [DEFAULT, *changed]}) == len(changed) + 1


def test_another_process_finds_the_same_version() -> None:
    program = "from monitor.scoring import DEFAULT; print(DEFAULT.version)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == DEFAULT.version


def test_a_profile_survives_pickling_and_scores_the_same() -> None:
    own = build_profile(ScoringOptions(lexicon={"slay": 2.0}))
    copy = pickle.loads(pickle.dumps(own))
    assert copy == own
    assert label_of("slay", copy) == "positive"


def test_importing_the_package_loads_neither_vader_nor_the_language_detector() -> None:
    program = (
        "import sys, monitor.scoring; "
        "print([name for name in ('vaderSentiment', 'pycld2', 'pydantic') if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
