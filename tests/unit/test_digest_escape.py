"""Other people's words cannot do more than be read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.digest import columns, escape


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("\x1b[31mred\x1b[0m \x9b1mbold", "red bold"),
        ("\x1b]0;new title\x07words", "words"),
        ("\x1b]8;;http://evil.example\x1b\\link", "link"),
        ("invoice\u202efdp.exe\u2066\u2069", "invoicefdp.exe"),
        ("one\r\nBcc: two\x0b\x0cthree\u2028four\x85five", "one Bcc: two three four five"),
        ("\x00a\x07b\x7fc", "abc"),
        ("lone \ud83d surrogate", "lone surrogate"),
        ("  much \t  room  ", "much room"),
        ("👩‍👩‍👧 ❤️ שלום مرحبا", "👩‍👩‍👧 ❤️ שלום مرحبا"),
        ("\x1b", None),
        ("", None),
        (None, None),
    ],
)
def test_cleaning_leaves_one_line_without_control_characters(text: str | None, left: str | None) -> None:
    assert escape.clean(text, 100) == left


def test_heaps_of_combining_marks_are_cut_down() -> None:
    assert escape.clean("Z" + "\u0335" * 200 + "a", 100) == "Z" + "\u0335" * 4 + "a"


@given(st.text(), st.integers(1, 50))
def test_cleaned_text_has_one_line_within_the_limit_and_stays_as_it_is(text: str, limit: int) -> None:
    once = escape.clean(text, limit)
    if once is not None:
        assert len(once) <= limit
        assert len(once.splitlines()) == 1
        assert escape.clean(once, limit) == once


def test_long_text_is_cut_between_words_with_an_ellipsis() -> None:
    assert escape.cap("the quick brown fox jumps", 18) == "the quick brown…"
    assert escape.cap("x" * 30, 10) == "x" * 9 + "…"
    assert escape.cap("short", 10) == "short"


@pytest.mark.parametrize("joined", ["👩‍👩‍👧", "👍🏽", "e\u0301", "❤️"])
def test_a_cut_never_tears_a_character(joined: str) -> None:
    text = "ab" + joined + "cdefgh"
    for limit in range(2, len(text)):
        kept = escape.cap(text, limit).removesuffix("…")
        assert kept in {"a", "ab", *(f"ab{joined}{'cdefgh'[:end]}" for end in range(6))}


@pytest.mark.parametrize(
    ("url", "target", "host"),
    [
        ("https://reddit.example/r/a?b=1&c=2#d", "https://reddit.example/r/a?b=1&c=2#d", "reddit.example"),
        ("HTTP://Example.ORG:8080/Path", "http://example.org:8080/Path", "example.org:8080"),
        ("https://example.org/a(b)'<>\"", "https://example.org/a%28b%29%27%3C%3E%22", "example.org"),
        ("https://example.org/grüße", "https://example.org/gr%C3%BC%C3%9Fe", "example.org"),
        ("https://раураl.example/", "https://xn--l-7sba6dbr.example/", "xn--l-7sba6dbr.example"),
        ("http://[2001:db8::1]:80/x", "http://[2001:db8::1]:80/x", "[2001:db8::1]:80"),
        ("https://example.org", "https://example.org", "example.org"),
        ("https://example.org/a%20b", "https://example.org/a%20b", "example.org"),
    ],
)
def test_a_link_shows_the_host_that_it_leads_to(url: str, target: str, host: str) -> None:
    assert escape.link(url) == escape.Link(target, host)


@pytest.mark.parametrize(
    "url",
    [
        None,
        "",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        " https://example.org",
        "data:text/html,<script>",
        "vbscript:x",
        "file:///etc/passwd",
        "//example.org/x",
        "/relative",
        "https:///nowhere",
        "https://bank.example@evil.example/",
        "https://good.example\\@evil.example/",
        "https://exa mple.org/",
        "https://example.org/\x00",
        "https://example.org/\u202egnp",
        "https://[::1",
        "https://example.org:port/",
        'https://evil"onclick=x.example/',
        "https://" + "a" * 2000,
    ],
)
def test_what_is_no_plain_web_address_is_no_link(url: str | None) -> None:
    assert escape.link(url) is None


@given(st.text())
def test_any_address_is_a_harmless_link_or_none(text: str) -> None:
    for url in (text, f"https://{text}", f"https://example.org/{text}"):
        found = escape.link(url)
        if found is not None:
            assert found.url.startswith(("http://", "https://"))
            assert found.url.isascii()
            assert not set(found.url) & set("<>\"'`() \\|\n")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("<!channel> & <@U1>", "&lt;!channel&gt; &amp; &lt;@U1&gt;"),
        ("@everyone and @here, @anna", "@\u200beveryone and @\u200bhere, @anna"),
        ("[a](b) ![c](d)", "\\[a\\](b) !\\[c\\](d)"),
        ("# title", "\\# title"),
        ("- item", "\\- item"),
        ("+ item", "\\+ item"),
        ("+0.18 and −0.21", "+0.18 and −0.21"),
        ("12. item", "12\\. item"),
        ("12.5 stars", "12.5 stars"),
        ("a | b `c` *d* _e_ ~~f~~ $g$", "a \\| b \\`c\\` \\*d\\* \\_e\\_ \\~\\~f\\~\\~ \\$g\\$"),
        ("in C #", "in C \\#"),
        ("a\\b", "a\\\\b"),
    ],
)
def test_markdown_shows_what_was_written(text: str, escaped: str) -> None:
    assert escape.markdown(text) == escaped


def test_a_markdown_link_keeps_its_parameters_from_being_read_as_letters() -> None:
    target = escape.Link("https://a.example/?a=1&copy;=2", "a.example")
    assert escape.markdown_link(target) == "[a.example](https://a.example/?a=1&copy%3B=2)"


def test_json_keeps_its_values_and_shows_no_control_character() -> None:
    values = ["\x9b31m", "\u202e", "\u2066", "\x7f", "plain ü"]
    document = escape.json_text(json.dumps(values, ensure_ascii=False))
    assert json.loads(document) == values
    assert not set(document) & set("\x9b\u202e\u2066\x7f")


@given(st.text(), st.integers(12, 90))
def test_wrapped_lines_fit_their_columns(text: str, width: int) -> None:
    cleaned = escape.clean(text, 280) or ""
    lines = columns.wrap(cleaned, "* ", "  ", width).split("\n")
    assert all(columns.width(line) <= width for line in lines)
    assert "".join("".join(lines).split()).startswith("*")


def test_wrapping_keeps_a_percent_sign_with_its_number_and_breaks_long_words() -> None:
    assert columns.wrap("of these 62 % agree", columns=11) == "of these\n62 % agree"
    assert columns.wrap("x" * 25, columns=10) == "x" * 10 + "\n" + "x" * 10 + "\n" + "x" * 5
    assert columns.wrap("東京" * 4, columns=8) == "東京東京\n東京東京"


def test_a_row_aligns_wide_letters_and_cuts_what_is_too_long() -> None:
    assert columns.row(["東京", "12"], [6, -4]) == "東京      12"
    assert columns.row(["abcdefgh", None, "1"], [5, 3, -2]) == "abcd…        1"
