"""Which items name a brand, and which of them do not count."""

from __future__ import annotations

import pickle
import re
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.matching import Decision, Keywords, Verdict, brand_words, decide, excluded_by
from monitor.query import QueryError


def names(keyword: str, text: str, *, case_sensitive: bool = False) -> bool:
    keywords = Keywords.compile([keyword], case_sensitive=case_sensitive)
    return decide((None, text), keywords).verdict is Verdict.COUNTED


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        # alone, whatever stands around it
        ("acme", "I like ACME."),
        ("acme", "acme"),
        ("acme", "(acme)"),
        ("acme", "Acme's phone"),
        ("acme", "Acme’s phone"),
        ("acme", "Acmeʼs phone"),
        ("acme", "l'acme"),
        ("acme", "an acme-like toy"),
        ("acme", "non–acme"),
        ("acme", "my_acme_file"),
        ("acme", "Acme™ and Acme®"),
        ("acme", "Acme\u200bphone"),
        ("acme", "ac\u00adme"),
        ("acme", "acmeology, acme"),
        ("acme", "info@acme.example"),
        ("Acme!", "acme"),
        ("acme", "😀acme😀"),
        # hashtags and handles
        ("acme", "#acme"),
        ("acme", "＃ａｃｍｅ"),
        ("acme", "#AcmePhone"),
        ("acme", "#ACMEPhone"),
        ("acme", "#TeamAcme"),
        ("acme", "#MyAcmePhone"),
        ("acme", "#acme_phone"),
        ("acme", "#acme2026"),
        ("acme", "ß #AcmePhone"),
        ("larkspur", "#LarkspurApp"),
        ("larkspur", "#ÜberLarkspurApp"),
        ("acme", "@acme"),
        ("acme", "@acme_support:"),
        ("acme", "@AcmeSupport"),
        ("youtube", "#YouTubeMusic"),
        ("iphone15", "#iPhone15"),
        ("virgin america", "@VirginAmerica"),
        ("virgin america", "@virginamerica hello"),
        ("virgin america", "#TeamVirginAmerica"),
        ("virgin america", "#virgin_america"),
        # phrases
        ("acme phone", "acme   phone"),
        ("acme phone", "acme\n\tphone"),
        ("acme phone", "acme-phone"),
        ("acme phone", "Acme: “phone”"),
        ("acme phone", "acme 😀 phone"),
        ("acme-phone", "acme phone"),
        ("  acme   phone ", "acme phone"),
        ('"acme phone"', "acme phone"),
        ("ana ana", "xana ana ana"),
        ("mcdonald's", "McDonald’s"),
        ("node.js", "Node.js"),
        # prefixes
        ("acme*", "acmeology"),
        ("acme*", "acme"),
        ("acme ph*", "acme phones"),
        ("acme *", "acmeology"),
        # signs
        ("c++", "C++ is"),
        ("c++", "C++11"),
        ("at&t", "AT&T"),
        ("at&t", "at & t"),
        ("c#", "in C#."),
        (".net", "ASP.NET"),
        ("$acme", "buy $ACME"),
        ("@acme", "thanks @acme!"),
        ("@acme", "谢谢@acme"),
        ("#acme", "##Acme"),
        ("toys r us", "Toys “R” Us"),
        ("acme + phone", "acme + phone"),
        ("acme + phone", "acme+phone"),
        ("🍎", "the 🍎 store"),
        # URLs
        ("acme", "https://acme.example/x"),
        ("acme", "see www.acme.example"),
        ("acme", "https://shop.acme.example"),
        ("acme", "https://x.example/a，acme"),
        # case and form
        ("straße", "STRASSE"),
        ("istanbul", "İSTANBUL"),
        ("İş bankası", "IŞ BANKASI"),
        ("acme", "𝗔𝗰𝗺𝗲"),
        ("ﬁdo", "FIDO"),
        ("cafe\u0301", "CAFÉ"),
        ("ΟΔΟΣ", "οδος"),
        # scripts
        ("лада", "«Лада»"),
        ("小米", "我买了小米手机"),
        ("小米 手机", "小米手机"),
        ("小米 手机", "小米 的 小米、手机"),
        ("acme", "我用acme手机"),
        ("acme手机", "买acme手机吧"),
        ("ソニー", "新しいソニーの製品"),
        ("ソニー", "ｿﾆｰ"),
        ("กรุงไทย", "ธนาคารกรุงไทยดีมาก"),
        ("삼성", "삼성은 좋다"),
        ("삼성", "삼성"),
        ("acme", "acme는 좋다"),
        ("google", "חיפשתי בGoogle"),
        ("जियो", "जियो अच्छा है"),
        ("سامسونج", "هاتف سامسونج."),
    ],
)
def test_a_text_names_the_brand(keyword: str, text: str) -> None:
    assert names(keyword, text)


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("acme", ""),
        ("acme", "acmeology"),
        ("acme", "acmes"),
        ("acme", "pacme"),
        ("acme", "acme2"),
        ("acme", "2acme"),
        ("acme", "acmé"),
        ("acme", "acme\u0301"),
        ("acme", "ac me"),
        # camel case is no boundary outside a tag, nor are small letters in one
        ("acme", "AcmePhone"),
        ("acme", "#acmephone"),
        ("acme", "#other AcmePhone"),
        ("acme", "@acme2026"),
        ("acme", "#macmeeting #MacMeeting"),
        ("acme", "#ACMEPHONE"),
        ("acme phone", "acmephone"),
        ("acme phone", "#acmephones"),
        ("acme phone", "acme the phone"),
        ("acme phone", "phone acme"),
        ("acme phone", "acme phones"),
        ("acme phone", "acme"),
        ("acme*", "pacme"),
        # signs
        ("c++", "c"),
        ("c++", "objc++"),
        ("at&t", "at t"),
        ("at&t", "look at tea"),
        (".net", "net"),
        ("$acme", "acme"),
        ("@acme", "acme"),
        ("@acme", "info@acme.example"),
        ("#acme", "@acme"),
        ("acme + phone", "acme phone"),
        ("🍎", "🍏"),
        # URLs
        ("acme", "https://x.example/acme"),
        ("acme", "https://x.example/?q=acme#acme"),
        ("acme", "www.x.example/acme"),
        ("acme", "https://medium.example/@acme/post"),
        ("acme", "https://acmeology.example"),
        # accents and scripts
        ("cafe", "café"),
        ("лад", "лада"),
        ("小米手", "小米"),
        ("กา", "กี"),
        ("ท", "ที"),
        ("삼성", "최삼성"),
        ("कर", "करी"),
        ("कर दो", "करी दो"),
        ("acme", "acmeologie手机"),
    ],
)
def test_a_text_does_not_name_the_brand(keyword: str, text: str) -> None:
    assert not names(keyword, text)


@pytest.mark.parametrize(
    ("keyword", "text", "named"),
    [
        ("Apple", "Apple's", True),
        ("Apple", "an apple", False),
        ("Apple", "APPLE", False),
        ("Apple", "#AppleWatch", True),
        ("Apple", "#applewatch", False),
        ("Apple", "Ａｐｐｌｅ", True),
        ("İş", "İş", True),
        ("İş", "iş", False),
    ],
)
def test_case_counts_where_the_brand_says_so(keyword: str, text: str, named: bool) -> None:
    assert names(keyword, text, case_sensitive=True) is named


# --- What is decided -------------------------------------------------------------------------------------------------

LISTS = Keywords.compile(["acme", "akme"], required=["phone", "tablet"], exclude=["toy", "cartoon*"])


@pytest.mark.parametrize(
    ("title", "text", "decision"),
    [
        (None, None, Decision(Verdict.NOT_NAMED)),
        (None, "a phone", Decision(Verdict.NOT_NAMED)),
        (None, "acme", Decision(Verdict.NOT_NAMED)),
        (None, "acme phone", Decision(Verdict.COUNTED)),
        (None, "akme tablet", Decision(Verdict.COUNTED)),
        ("acme", "a phone", Decision(Verdict.COUNTED)),
        (None, "an acme toy", Decision(Verdict.NOT_NAMED)),
        (None, "acme phone, a toy", Decision(Verdict.EXCLUDED, "toy")),
        ("toy", "acme phone", Decision(Verdict.EXCLUDED, "toy")),
        (None, "acme phone cartoons and toy", Decision(Verdict.EXCLUDED, "toy")),
        (None, "acme phone cartoons", Decision(Verdict.EXCLUDED, "cartoon*")),
        (None, "a toy", Decision(Verdict.NOT_NAMED)),
    ],
)
def test_an_item_needs_any_keyword_and_any_required_and_no_exclusion(
    title: str | None, text: str | None, decision: Decision
) -> None:
    assert decide((title, text), LISTS) == decision


QUERY = Keywords.compile(query='acme AND (phone OR tablet) NOT "acme corp" NOT (toy NOT robot)')


@pytest.mark.parametrize(
    ("text", "decision"),
    [
        ("acme", Decision(Verdict.NOT_NAMED)),
        ("acme phone", Decision(Verdict.COUNTED)),
        ("Acme Corp. makes a phone", Decision(Verdict.EXCLUDED, "acme corp")),
        ("Acme Corp.", Decision(Verdict.NOT_NAMED)),
        ("acme phone toy", Decision(Verdict.EXCLUDED, "toy")),
        ("acme phone toy robot", Decision(Verdict.COUNTED)),
    ],
)
def test_what_a_query_leaves_out_is_excluded_and_not_unnamed(text: str, decision: Decision) -> None:
    assert decide((text,), QUERY) == decision


def test_a_phrase_does_not_run_from_the_title_into_the_text() -> None:
    keywords = Keywords.compile(["acme phone"])
    assert decide(("New: Acme", "phone calls"), keywords).verdict is Verdict.NOT_NAMED
    assert decide(("New: Acme phone", None), keywords).verdict is Verdict.COUNTED


def test_a_query_may_stand_beside_required_words_and_exclusions() -> None:
    keywords = Keywords.compile(query="acme OR akme", required=["phone"], exclude=["toy"])
    assert decide(("akme phone",), keywords).verdict is Verdict.COUNTED
    assert decide(("akme",), keywords).verdict is Verdict.NOT_NAMED
    assert decide(("akme phone toy",), keywords) == Decision(Verdict.EXCLUDED, "toy")
    assert keywords.search_terms == ("acme", "akme")


def test_exclusions_apply_to_items_that_need_not_name_the_brand() -> None:
    assert excluded_by(("Great", "a toy for children"), LISTS) == "toy"
    assert excluded_by(("Great", None), LISTS) is None


def test_platforms_are_asked_for_the_keywords_as_written() -> None:
    keywords = Keywords.compile(["Acme", "ACME", "acme  phone", '"acme pro"', "larksp*"], exclude=["toy"])
    assert keywords.search_terms == ("Acme", "acme phone", "acme pro", "larksp")
    assert QUERY.search_terms == ("acme",)


def test_keywords_survive_pickling() -> None:
    assert decide(("acme phone",), pickle.loads(pickle.dumps(LISTS))).verdict is Verdict.COUNTED


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "keywords: none given"),
        ({"keywords": ["acme"], "query": "acme"}, "stands beside keywords"),
        ({"keywords": [" "]}, "keywords: ' ' has no letter or digit"),
        ({"keywords": ["acme"], "exclude": ["--"]}, "exclude: '--' has no letter or digit"),
        ({"keywords": ["acme"], "required": ["*"]}, "required: '\\*' has no letter"),
        ({"keywords": ["x" * 201]}, "200 characters at most"),
        ({"query": "x" * 201}, "200 characters at most"),
        ({"keywords": ["acme OR rival"]}, "reads like an expression"),
        ({"keywords": ["*acme"]}, "keywords: '\\*acme' begins with a \\*"),
        ({"keywords": [str(n) for n in range(501)]}, "more than 500 entries"),
        ({"query": "NOT acme"}, "none of its words"),
        ({"query": "acme OR NOT phone"}, "none of its words"),
    ],
)
def test_keywords_that_cannot_serve_are_refused(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Keywords.compile(**settings)  # type: ignore[arg-type]


def test_a_faulty_query_names_its_place() -> None:
    with pytest.raises(QueryError, match="never closed"):
        Keywords.compile(query="(acme")


def test_upper_case_names_and_quoted_ones_are_no_expressions() -> None:
    assert names("LIFE AND STYLE", "Life and style")
    assert names('"Food AND Wine"', "food and wine")


def test_the_words_of_a_brand_are_those_of_its_name_and_keywords() -> None:
    keywords = Keywords.compile(["T-Mobile", "Larkspur App", "happ*"], required=["great"], exclude=["love"])
    assert brand_words(keywords, "Best Buy!") == {
        "best", "buy", "t-mobile", "t", "mobile", "larkspur", "app", "happ",
    }  # fmt: skip


def test_words_that_only_narrow_a_query_down_are_not_the_brands() -> None:
    assert brand_words(Keywords.compile(query="acme AND (love OR hate)"), "Acme") == {"acme"}


# --- Any text --------------------------------------------------------------------------------------------------------

_WORDS = st.text("aB1", min_size=1, max_size=2)
_TEXTS = st.text("aAbB1 -_.'\n", max_size=40)


def _slowly(keyword: list[str], text: str, *, prefix: bool) -> bool:
    """Word by word, for plain Latin text."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    sought = [word.lower() for word in keyword]
    windows = [words[at : at + len(sought)] for at in range(len(words) - len(sought) + 1)]
    if prefix:
        return any(window[:-1] == sought[:-1] and window[-1].startswith(sought[-1]) for window in windows)
    return sought in windows


@given(st.lists(_WORDS, min_size=1, max_size=3), _TEXTS, st.booleans())
@example(["a", "a", "b"], "a a a b", False)
def test_plain_text_is_matched_as_word_by_word(keyword: list[str], text: str, prefix: bool) -> None:
    written = " ".join(keyword) + ("*" if prefix else "")
    assert names(written, text) is _slowly(keyword, text, prefix=prefix)


@given(st.lists(_WORDS, min_size=1, max_size=3), st.lists(_WORDS, max_size=3), st.lists(_WORDS, max_size=3), _TEXTS)
def test_lists_are_decided_as_their_definition_says(
    keywords: list[str], required: list[str], exclude: list[str], text: str
) -> None:
    verdict = decide((text,), Keywords.compile(keywords, required=required, exclude=exclude)).verdict
    named, demanded, excluded = (
        any(_slowly([word], text, prefix=False) for word in words) for words in (keywords, required, exclude)
    )
    if not named or (required and not demanded):
        assert verdict is Verdict.NOT_NAMED
    else:
        assert verdict is (Verdict.EXCLUDED if excluded else Verdict.COUNTED)


_HOSTILE = st.text(
    st.sampled_from(list("aAß#@/:.w_小é\u0301İı\x00 &")) | st.characters(exclude_categories=[]), max_size=40
)


@given(_HOSTILE, _HOSTILE, st.booleans())
def test_any_keyword_and_any_text_are_decided_or_the_keyword_refused(
    keyword: str, text: str, case_sensitive: bool
) -> None:
    try:
        keywords = Keywords.compile([keyword], case_sensitive=case_sensitive)
    except ValueError:
        return
    assert isinstance(decide((text, keyword), keywords), Decision)


def _stays_a_word(char: str) -> bool:
    """Some presentation forms of marks count as letters and fold into a blank."""
    return unicodedata.normalize("NFKC", char).isalnum()


@given(st.text(st.characters(categories=["L", "N"]).filter(_stays_a_word), min_size=1, max_size=10))
def test_a_word_names_itself(word: str) -> None:
    assert names(word, f"x, {word}. x")


MEGABYTE = 1_000_000


@pytest.mark.parametrize(
    "unit",
    [
        "acme", "#acme", "@acme", "#xacme", "acme phoneX ", "www.", "https://", "acme\u0301", "ßacme", "acme_",
        "acme ", "\u0301\u0323", "ﷺ", "acmeacme手", "acme\x00", "a ", "(", "acme" + " " * 97,
    ],
)  # fmt: skip
def test_a_megabyte_of_malice_is_decided(unit: str) -> None:
    text = unit * (MEGABYTE // len(unit))
    keywords = Keywords.compile(["acme", "acme phone acme", "a a a a b", "acme* x"], exclude=["acme acme"])
    assert decide((text + " the end", "x acmes"), keywords).verdict in Verdict


def test_a_name_is_found_at_the_end_of_a_megabyte() -> None:
    assert names("acme phone", "é " * (MEGABYTE // 2) + "#AcmePhone")
