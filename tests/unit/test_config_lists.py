"""Words in a list of a configuration file: put in and taken out, and nothing else is touched."""

from __future__ import annotations

import tomllib
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.config.edit import NotEditable
from monitor.config.lists import with_words, without_words, words_in


def added(text: str, *words: str, name: str = "Fresh") -> str:
    return with_words(text, "brands", name, "exclude", words, ["keywords", "query"])


def taken(text: str, *words: str, name: str = "Fresh") -> str:
    return without_words(text, "brands", name, "exclude", words)


LAYOUTS = {
    "in a row": """
        # mine
        [[brands]]   # the first
        name = "Other"
        exclude = ["x"]

        [[brands]]
        name = "Fresh"   # a name
        keywords = ["fresh"]
        exclude = ["salad"]   # not these
        # before the next one
        [[sources]]
        name = "Fresh"
        exclude = ["y"]
        """,
    "on many lines": """
        [[brands]]
        name = "Fresh"
        exclude = [
            # food
            "salad",  # green
            "leek",
        ]
        # the end
        """,
    "in braces": """
        brands = [
          { name = "Other", exclude = [] },  # the other
          { name = "Fresh", exclude = ["salad"] },
        ]
        [monitor]
        """,
    "with windows' line ends": '[[brands]]\r\nname = "Fresh"\r\nexclude = ["salad"] # no\r\n\r\n[monitor]\r\n',
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_word_is_put_in_and_taken_out_and_the_file_is_as_it_was(layout: str) -> None:
    text = dedent(LAYOUTS[layout])
    more = added(text, "fresh salad")
    assert words_in(more, "brands", "Fresh", "exclude")[-1] == "fresh salad"
    assert all(line in more for line in text.splitlines() if "#" in line and "exclude" not in line)
    assert more.count("#") == text.count("#")
    assert taken(more, "fresh salad") == text


@pytest.mark.parametrize(
    ("before", "line_above"),
    [
        ('[[brands]]\nname = "Fresh"\nkeywords = ["fresh"]\n\n# next\n[[sources]]\n', 'keywords = ["fresh"]'),
        ('[[brands]]\n  name = "Fresh" # x\n  # last\n\n# next\n[monitor]\n', '  name = "Fresh" # x'),
        ('[[brands]]\nkeywords = [\n  "fresh",\n  "[[brands]]",\n]\nname = "Fresh"\n', "]"),
        ("[[brands]]\nname = \"Fresh\"\nquery = '''fresh\nNOT x'''\n", "NOT x'''"),
        ('[[brands]]\nname = "Other"\n[[brands]]\nname = "Fresh"', 'name = "Fresh"'),
    ],
)
def test_a_list_that_is_missing_is_written_below_the_keywords(before: str, line_above: str) -> None:
    after = added(before, "salad").splitlines()
    (at,) = (number for number, line in enumerate(after) if line.strip().startswith("exclude"))
    assert after[at - 1] == line_above
    assert after[at].strip() == 'exclude = ["salad"]'
    assert [line for line in after if "exclude" not in line] == before.splitlines()


def test_a_missing_list_in_braces_is_written_in_them() -> None:
    after = added('brands = [{ name = "Fresh" }]\n', "salad")
    assert tomllib.loads(after) == {"brands": [{"name": "Fresh", "exclude": ["salad"]}]}


def test_words_that_are_there_are_not_put_in_again_nor_missing_ones_taken_out() -> None:
    text = '[[brands]]\nname = "Fresh"\nexclude = [ "salad" ]\n'
    assert added(text, "salad") == text
    assert added(text, "a", "a").count('"a"') == 1
    assert taken(text, "leek") == text


def test_the_last_word_leaves_an_empty_list() -> None:
    assert taken('[[brands]]\nname = "Fresh"\nexclude = ["a"] # why\n', "a").splitlines()[-1] == "exclude = [] # why"


def test_a_brand_that_is_not_in_the_file_is_named() -> None:
    with pytest.raises(NotEditable, match='no entry "Rival"'):
        added('[[brands]]\nname = "Fresh"\n', "a", name="Rival")


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12), min_size=1, max_size=4))
def test_any_word_survives_being_written(words: list[str]) -> None:
    for text in ('[[brands]]\nname = "Fresh"\n', '[[brands]]\nname = "Fresh"\nexclude = ["salad"]\n'):
        known = words_in(text, "brands", "Fresh", "exclude")
        assert words_in(added(text, *words), "brands", "Fresh", "exclude") == list(dict.fromkeys([*known, *words]))
