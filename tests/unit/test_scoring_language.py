import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.scoring.language import Language, as_the_platform_says, is_checked, language_of

GERMAN = "Die Lieferung kam zu spät und niemand hat auf meine Nachricht geantwortet."
ENGLISH = "The delivery came too late and nobody has answered my message so far."


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (ENGLISH, Language("en", readable=True)),
        (GERMAN, Language("de", readable=False)),
        ("最高のアプリです。とても便利で使いやすいです", Language("ja", readable=False)),
        ("Muy mal servicio, el paquete nunca llegó a mi casa", Language("es", readable=False)),
        (f"\x00\x07{ENGLISH}\ud800\ufffe", Language("en", readable=True)),
        (f"\x00{GERMAN}\udfff", Language("de", readable=False)),
    ],
)
def test_a_text_of_some_length_is_recognised(text: str, language: Language) -> None:
    assert language_of(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "They told me that the parcel would come, but it has been with the neighbours for what feels like a year.",
        "WHAT IS THIS? This was not what they said, and it has been like that from the start, because of them!!!",
    ],
)
def test_what_is_plainly_english_is_english_whatever_its_platform_says(text: str) -> None:
    assert language_of(text, "de") == Language("en", readable=True)


def test_english_words_among_others_make_no_text_english() -> None:
    mixed = f"{GERMAN} They said: this is not what it was for. {GERMAN} {GERMAN}"
    assert language_of(mixed) == Language("de", readable=False)


def test_the_platform_is_not_believed_where_the_text_speaks_for_itself() -> None:
    assert language_of(ENGLISH, "de") == Language("en", readable=True)
    assert language_of(GERMAN, "en") == Language("de", readable=False)


@pytest.mark.parametrize("text", ["Great", "Nice app", "👍👍👍", "10/10", "😀" * 100, "1234567890 " * 20])
def test_a_short_text_has_the_benefit_of_the_doubt(text: str) -> None:
    assert language_of(text) == Language(None, readable=True)


@pytest.mark.parametrize(
    ("platform_language", "language"),
    [
        ("en-GB", Language("en", readable=True)),
        ("en_US", Language("en", readable=True)),
        ("DE", Language("de", readable=False)),
        ("pt-BR", Language("pt", readable=False)),
        ("und", Language(None, readable=True)),
        ("zxx", Language(None, readable=True)),
        ("", Language(None, readable=True)),
        (None, Language(None, readable=True)),
    ],
)
def test_the_platform_decides_where_the_text_is_too_short(platform_language: str | None, language: Language) -> None:
    assert language_of("Super!", platform_language) == language


@pytest.mark.parametrize("text", ["好", "Отлично", "สวย"])
def test_a_short_text_without_latin_letters_is_unreadable(text: str) -> None:
    assert not language_of(text).readable


def test_languages_are_checked_where_the_detector_is_installed() -> None:
    assert is_checked()


def test_unchecked_texts_keep_the_platforms_word() -> None:
    assert as_the_platform_says("de-AT") == Language("de", readable=True)


@given(st.text(), st.none() | st.text(max_size=5))
def test_no_text_breaks_the_gate(text: str, platform_language: str | None) -> None:
    language = language_of(text, platform_language)
    assert language.readable or language.code != "en"


def test_without_the_detector_every_text_is_readable_and_a_message_says_so_once() -> None:
    program = f"""
import logging, sys
logging.basicConfig(format="%(message)s")
sys.modules["pycld2"] = None  # as on a machine without its wheel
from monitor.scoring import DEFAULT, Scorable, score_batch
scored = score_batch([Scorable(body={GERMAN!r})] * 2, DEFAULT)
print([(one.label is None, one.unscored) for one in scored])
"""
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[(False, None), (False, None)]"
    assert found.stderr.count("language is unchecked") == 1
