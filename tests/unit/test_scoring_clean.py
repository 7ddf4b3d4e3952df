import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.scoring import DEFAULT, STOCK, Scorable, clean, score_batch


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("@united lost my bag", "lost my bag"),
        ("thanks @name@server.social!", "thanks !"),
        ("cc @somebody.bsky.social please", "cc please"),
        ("mail me@work.org please", "mail me@work.org please"),
        ("see https://x.example/a?b=c now", "see now"),
        ("WWW.example.com and www.example.com/x", "and"),
    ],
)
def test_handles_and_links_go_and_words_stay(typed: str, left: str) -> None:
    assert clean.without_handles_and_links(typed).split() == left.split()


@pytest.mark.parametrize(
    ("typed", "mended"),
    [
        ("I don’t “like” it", 'I don\'t "like" it'),
        ("so…slow", "so... slow"),
        ("nice—but dear", "nice - but dear"),
        ("No!", "No !"),
        ("ok, fine", "ok , fine"),
        ("No:D", "No:D"),
        ("good.The end", "good. The end"),
        ("booking.com and 3.5 and 1,000", "booking.com and 3.5 and 1,000"),
        ("Five stars", "5-star"),
        ("would give 0 stars!", "would give 0-star!"),
        ("😀great👍", "😀 great 👍"),
        ("❤️", "❤"),
        ("👍🏽", "👍"),
    ],
)
def test_what_vader_misreads_is_mended(typed: str, mended: str) -> None:
    assert clean.mended(typed).split() == mended.split()


def test_joined_emoji_count_once() -> None:
    family = "👨\N{ZERO WIDTH JOINER}👩\N{ZERO WIDTH JOINER}👧"
    assert clean.mended(f"our {family}s").split() == ["our", "👨", "s"]


@pytest.mark.parametrize(
    ("title", "body", "whole"),
    [
        ("Great", "It works", "Great\nIt works"),
        ("Great", None, "Great"),
        (None, "It works", "It works"),
        ("It works", "It works well", "It works well"),
        (None, None, ""),
        ("  ", " \n", ""),
    ],
)
def test_title_and_body_become_one_text(title: str | None, body: str | None, whole: str) -> None:
    assert clean.joined(title, body) == whole


def test_sentences_end_at_marks_and_line_breaks() -> None:
    assert clean.sentences("One. Two! Three?\n\nFour") == ["One.", "Two!", "Three?", "Four"]


def test_a_short_text_is_one_part_and_a_long_one_its_sentences() -> None:
    assert clean.parts("One. Two.") == ["One. Two."]
    assert len(clean.parts("One thing is this. " * 20)) == 20
    assert clean.parts("") == []


@given(st.text())
def test_sentences_lose_nothing_but_white_space(text: str) -> None:
    assert "".join("".join(clean.sentences(text)).split()) == "".join(text.split())


@given(st.text(alphabet=st.sampled_from("aN nok.!?,;:'’…👍❤\ufe0f\u200d🏽@/ \n5star")))
def test_mending_twice_changes_no_word(text: str) -> None:
    once = clean.mended(text)
    assert clean.mended(once).split() == once.split()


@pytest.mark.parametrize(
    "hostile",
    [
        "a" * 5_000_000,
        "😀" * 100_000,
        "." * 1_000_000,
        "no" + "!" * 1_000_000,
        "@" * 1_000_000,
        "@a.b" * 250_000,
        "https://" * 100_000,
        "not good, " * 100_000,
        "\n" * 1_000_000,
        "five " * 200_000 + "star",
        "\N{VARIATION SELECTOR-16}" * 1_000_000,
        "👨\N{ZERO WIDTH JOINER}" * 200_000,
        "\x00\ud800" * 200_000,
    ],
    ids=lambda text: ascii(text[:10]),
)
@pytest.mark.parametrize("profile", [STOCK, DEFAULT], ids=lambda profile: profile.name)
def test_a_hostile_text_does_not_stop_the_scorer(hostile: str, profile) -> None:  # type: ignore[no-untyped-def]
    before = time.perf_counter()
    score_batch([Scorable(title=hostile, body=hostile, brand_words=frozenset({"good", "a a"}))], profile)
    assert time.perf_counter() - before < 20
