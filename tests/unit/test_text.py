from __future__ import annotations

import html
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.text import MAX_MARKUP, plain_text

LONG = 400_000
SECONDS = 3
"""Generous: what is linear takes a fifth of a second, what is quadratic takes minutes."""


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        (None, None),
        ("", None),
        ("  \n ", None),
        ("plain", "plain"),
        ("a  b\t c", "a b c"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("It&#x27;s &quot;AI&quot; &amp; more", 'It\'s "AI" & more'),
        ("caf&eacute; &#233; &euro;5 &nbsp;!", "café é €5 !"),
        ("a &lt;b&gt; c", "a <b> c"),
        ("<b>bold</b> and <i class='x'>not</i>", "bold and not"),
        ("one<br>two<br/>three<BR />four", "one\ntwo\nthree\nfour"),
        ("first<p>second<p>third", "first\n\nsecond\n\nthird"),
        ("<p>first</p>\n\n\n<p>second</p>", "first\n\nsecond"),
        ("<ul><li>a</li><li>b</li></ul>", "a\n\nb"),
        ("<div>a</div><div>b</div>", "a\n\nb"),
        ("a<!-- hidden > still -->b", "ab"),
        ("a<!-->b", "ab"),
        ("a<!doctype html>b<?xml version='1.0'?>c", "abc"),
        ("a<script>if (a < b) document.write('<p>evil</p>')</script>b", "ab"),
        ("a<SCRIPT type=x>evil</ScRiPt >b", "ab"),
        ("a<style>p { color: red }</style>b", "ab"),
        ("<head><title>T</title></head><body>b</body>", "b"),
        ("<html><head><title>T<body>b", "b"),
        ("a<svg><text>no</text></svg>b<svg/>c", "abc"),
        ("a<noscript>no<noscript>no</noscript>no</noscript>b", "ab"),
        ("a</script>b</svg>c", "abc"),
        ('<a title="a > b" href=x>link</a>', "link"),
        ("<a title='say \"no\" > yes'>link</a>", "link"),
        ('<a title="never closed>link</a> and more', "link and more"),
        ("I <3 you", "I <3 you"),
        ("a < b > c", "a < b > c"),
        ("1<2, 3>2 <b>yes</b>", "1<2, 3>2 yes"),
        ("x <y", "x <y"),
        ('cut off <a href="https://acme.exam', "cut off"),
        ("<", "<"),
        ("a<", "a<"),
        ("a</", "a</"),
        ("<>", "<>"),
        ("</>", "</>"),
        ("a<b", "a<b"),
        ("a&", "a&"),
        ("&#0;&#xD800;&#9999999999;", "\ufffd\ufffd\ufffd"),
        ("<pre><code>curl -v\n  https://x</code></pre>", "curl -v\nhttps://x"),
    ],
)
def test_markup_becomes_what_a_reader_sees(markup: str | None, text: str | None) -> None:
    assert plain_text(markup) == text


def test_what_follows_the_cap_is_cut_off() -> None:
    assert plain_text("x" * (MAX_MARKUP + 5)) == "x" * MAX_MARKUP


UNITS = [
    "<",
    "<a",
    "<a ",
    "<a/",
    "<a\n=",
    "<a b=c ",
    '<a b="',
    "<a b='<",
    "<a b=\"x\" c='y' ",
    "<!",
    "<!-",
    "<!--",
    "<!-->",
    "<!doctype ",
    "<![CDATA[",
    "<?",
    "</",
    "</a",
    "<script>",
    "<script ",
    "<script></scrip",
    "<style><",
    "<svg>",
    "</svg>",
    "<head>",
    "<b>",
    "<p>",
    "</b>",
    "<br/>",
    "= ",
    "='",
    "&",
    "&#",
    "&#9",
    "&amp",
    "&a;",
    "\n",
    "\n \n",
    " ",
    "\r",
]


@pytest.mark.parametrize("end", ["", ">", '">-->x</script>'])
@pytest.mark.parametrize("unit", UNITS)
def test_hostile_markup_is_read_in_linear_time(unit: str, end: str) -> None:
    markup = unit * (LONG // len(unit) - 1) + end
    started = time.monotonic()
    plain_text(markup)
    assert time.monotonic() - started < SECONDS


def test_a_hundred_thousand_nested_tags_hide_nothing() -> None:
    assert plain_text("<i>" * 50_000 + "x" + "</i>" * 50_000) == "x"


def test_many_kinds_of_hidden_tags_are_read_in_linear_time() -> None:
    started = time.monotonic()
    plain_text("<svg>" * 40_000 + "</head>" * 20_000 + "</noscript>" * 5_000)
    assert time.monotonic() - started < SECONDS


def test_a_number_of_a_thousand_digits_is_no_error() -> None:
    assert plain_text("a&#" + "9" * 10_000 + ";b") == "a\ufffdb"


@given(st.text(alphabet="<>/!-?=\"'& ;#abpscript\n", max_size=200))
def test_anything_is_read_without_error(markup: str) -> None:
    text = plain_text(markup)
    assert text is None or text == text.strip() != ""


words = st.text(alphabet="abcdeäß<>&\"'", min_size=1, max_size=8)
tags = st.sampled_from(["b", "i", "a href='x>y'", 'span title="1 > 0"', "em", "u"])


@given(st.recursive(words, lambda inner: st.tuples(tags, st.lists(inner, max_size=4)), max_leaves=20))
def test_sound_markup_keeps_every_letter_of_its_text(tree: object) -> None:
    markup, expected = _rendered(tree)
    assert (plain_text(markup) or "") == expected


def _rendered(tree: object) -> tuple[str, str]:
    """The tree as HTML and as text."""
    if isinstance(tree, str):
        return html.escape(tree), tree
    assert isinstance(tree, tuple)
    tag, children = tree
    inner = [_rendered(child) for child in children]
    name = tag.split()[0]
    return f"<{tag}>{''.join(part[0] for part in inner)}</{name}>", "".join(part[1] for part in inner)
