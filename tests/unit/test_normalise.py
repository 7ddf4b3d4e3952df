"""What of an item is stored, and in which form."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.contract import Author, Counts, Item, Kind, Rating, Reply
from monitor.normalise import MAX_COUNT, Row, capped, fingerprint, language_code, link, row_of

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def row(**fields: Any) -> Row:
    given_fields: dict[str, Any] = {"external_id": "1", "kind": Kind.REVIEW, "published_at": NOW - DAY} | fields
    return row_of(Item(**given_fields), NOW)


def test_a_full_item_becomes_a_full_row() -> None:
    item = Item(
        external_id="t3_1",
        kind=Kind.MENTION,
        published_at=NOW - 3 * DAY,
        updated_at=NOW - 2 * DAY,
        title="A title",
        text="A text",
        url="https://forum.example/1",
        language="en-GB",
        author=Author("u1", "Jane", 7),
        rating=Rating(7, worst=1, best=10),
        counts=Counts(-3, 2, 1, 0),
        reply=Reply("Thanks", NOW - DAY),
        place="r/acme",
        parent_title="A thread",
        attributes={"country": "DE"},
        observed_at=NOW - DAY,
    )
    assert row_of(item, NOW) == Row(
        external_id="t3_1",
        kind="mention",
        published_at=NOW - 3 * DAY,
        updated_at=NOW - 2 * DAY,
        title="A title",
        text="A text",
        url="https://forum.example/1",
        language="en",
        author_id="u1",
        author_name="Jane",
        author_followers=7,
        rating_value=7.0,
        rating_worst=1.0,
        rating_best=10.0,
        stars=1 + 4 * 6 / 9,
        star_cell=4,
        rating_label="positive",
        likes=-3,
        shares=2,
        comments=1,
        views=0,
        reply_text="Thanks",
        reply_at=NOW - DAY,
        place="r/acme",
        parent_title="A thread",
        attributes={"country": "DE"},
        observed_at=NOW - DAY,
        fingerprint=fingerprint("A title\nA text"),
    )


def test_what_an_item_does_not_say_is_unknown() -> None:
    bare = row()
    said = {name for name in Row._fields if getattr(bare, name) not in (None, {})}
    assert said == {"external_id", "kind", "published_at"}


# --- Text ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_text", "stored"),
    [
        ("a\x00b", "ab"),
        ("a\ud800b\udfff", "ab"),
        ("\ud83d\ude00 ok", "ok"),
        ("a\x07\x1b[31mb\x7f\x9b", "a[31mb"),
        ("a\tb\nc", "a\tb\nc"),
        ("a\r\nb\rc\x0bd\x0ce\x85f", "a\nb\nc\nd\ne\nf"),
        ("  a \n", "a"),
        ("", None),
        (" \x00\n", None),
        (None, None),
        ("<b>&amp;</b> '; --", "<b>&amp;</b> '; --"),
        ("é 小米 🍎\u200d", "é 小米 🍎\u200d"),
        ("x" * 20, "x" * 20),
        ("x" * 21, "x" * 19 + "…"),
        ("x" * 18 + "  yz", "x" * 18 + "…"),
    ],
)
def test_text_is_freed_of_what_databases_refuse_and_cut_visibly(given_text: str | None, stored: str | None) -> None:
    assert capped(given_text, 20) == stored


@pytest.mark.parametrize(
    ("field", "limit"), [("title", 1_000), ("text", 20_000), ("place", 200), ("parent_title", 1_000)]
)
def test_each_text_has_its_limit(field: str, limit: int) -> None:
    assert getattr(row(**{field: "x" * limit}), field) == "x" * limit
    assert getattr(row(**{field: "x" * (limit + 1)}), field) == "x" * (limit - 1) + "…"


def test_names_and_replies_have_their_limits() -> None:
    long = row(author=Author("u" * 501, "n" * 201), reply=Reply("r" * 20_001))
    assert long.author_id is not None
    assert long.author_name is not None
    assert long.reply_text is not None
    assert [len(long.author_id), len(long.author_name), len(long.reply_text)] == [500, 200, 20_000]


def test_an_identity_is_never_mended() -> None:
    assert row(external_id="feed:http://x.example/é#1").external_id == "feed:http://x.example/é#1"
    for identity in ("a\x00", "a\ud800", "a\x1b"):
        with pytest.raises(ValueError, match="external_id"):
            row(external_id=identity)


def test_the_first_thirty_attributes_that_say_something_are_kept() -> None:
    many = row(attributes={"empty": " ", "": "x", "k" * 101: "v" * 501} | {str(n): "x" for n in range(40)}).attributes
    assert len(many) == 30
    assert list(many)[:2] == ["k" * 99 + "…", "0"]
    assert many["k" * 99 + "…"] == "v" * 499 + "…"
    assert row(attributes={"country\x00": "D\x00E"}).attributes == {"country": "DE"}


@pytest.mark.parametrize(
    ("given_url", "stored"),
    [
        ("https://acme.example/a?b=c#d", "https://acme.example/a?b=c#d"),
        ("HTTP://acme.example", "HTTP://acme.example"),
        (" https://acme.example/a b\x00 ", "https://acme.example/a%20b"),
        ("https://米.example/小", "https://米.example/小"),
        ("https://[::1]/", "https://[::1]/"),
        ("https://x.example/" + "a" * 1_982, "https://x.example/" + "a" * 1_982),
        ("https://x.example/" + "a" * 1_983, None),
        ("https://[::1/", None),
        ("https://a\nb.example/", None),
        ("https:///path", None),
        ("https://", None),
        ("https://@/", None),
        ("javascript:alert(1)", None),
        ("java\x00script:alert(1)//https://x.example", None),
        ("data:text/html,x", None),
        ("ftp://x.example/", None),
        ("//x.example/", None),
        ("/a", None),
        ("", None),
        (None, None),
    ],
)
def test_only_links_to_the_web_are_kept_and_none_is_cut(given_url: str | None, stored: str | None) -> None:
    assert link(given_url) == stored
    assert row(url=given_url).url == stored


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("pt-BR", "pt"),
        ("pt_BR", "pt"),
        ("EN", "en"),
        (" de ", "de"),
        ("fil", "fil"),
        ("zh-Hant-TW", "zh"),
        ("english", None),
        ("x-pirate", None),
        ("und", None),
        ("e", None),
        ("12", None),
        ("", None),
        (None, None),
    ],
)
def test_a_language_is_its_primary_code(tag: str | None, code: str | None) -> None:
    assert language_code(tag) == code


# --- Ratings, numbers, times -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rating", "stars", "cell", "label"),
    [
        (Rating(5), 5.0, 5, "positive"),
        (Rating(4), 4.0, 4, "positive"),
        (Rating(3.5), 3.5, 4, "positive"),
        (Rating(3), 3.0, 3, "neutral"),
        (Rating(2), 2.0, 2, "negative"),
        (Rating(1), 1.0, 1, "negative"),
        (Rating(5, worst=0, best=10), 3.0, 3, "neutral"),
        (Rating(100, worst=0, best=100), 5.0, 5, "positive"),
        (Rating(1, worst=0, best=1), None, None, "positive"),
        (Rating(0, worst=0, best=1), None, None, "negative"),
    ],
)
def test_a_rating_is_kept_as_given_and_on_the_common_scale(
    rating: Rating, stars: float | None, cell: int | None, label: str
) -> None:
    stored = row(rating=rating)
    assert (stored.rating_value, stored.rating_worst, stored.rating_best) == (rating.value, rating.worst, rating.best)
    assert (stored.stars, stored.star_cell, stored.rating_label) == (stars, cell, label)


def test_counts_fit_the_store_and_only_likes_may_be_negative() -> None:
    huge = row(counts=Counts(2**70, 2**63, MAX_COUNT, 5), author=Author("u", followers=2**64))
    assert (huge.likes, huge.shares, huge.comments, huge.views) == (MAX_COUNT, MAX_COUNT, MAX_COUNT, 5)
    assert huge.author_followers == MAX_COUNT
    negative = row(counts=Counts(-(2**70), -1, -1, -1), author=Author("u", followers=-1))
    assert (negative.likes, negative.shares, negative.comments, negative.views) == (-MAX_COUNT, None, None, None)
    assert negative.author_followers is None


def test_an_item_from_the_far_future_is_refused() -> None:
    assert row(published_at=NOW + DAY).published_at == NOW + DAY
    with pytest.raises(ValueError, match="has not come yet"):
        row(published_at=NOW + DAY + timedelta(seconds=1))


def test_other_times_that_have_not_come_are_unknown() -> None:
    late = NOW + 2 * DAY
    stored = row(updated_at=late, reply=Reply("Thanks", late), observed_at=NOW + timedelta(seconds=1))
    assert (stored.updated_at, stored.reply_at, stored.observed_at) == (None, None, None)


def test_times_are_stored_in_the_zone_utc() -> None:
    stored = row(published_at=datetime(2026, 1, 5, tzinfo=ZoneInfo("Europe/London")))
    assert stored.published_at.tzinfo is UTC


# --- Fingerprints ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "same",
    [
        "acme broke my phone!",
        "  ACME  broke\nmy phone! ",
        "Ａcme broke my phone!",
        "@jane Acme broke my phone!",
        "RT @jane: Acme broke my phone!",
        "Acme broke my phone! https://t.example/a1b2",
        "Acme broke my phone! www.t.example/x @bob@social.example",
    ],
)
def test_reposts_have_the_fingerprint_of_their_original(same: str) -> None:
    assert fingerprint(same) == fingerprint("Acme broke my phone!")


@pytest.mark.parametrize("other", ["Acme broke my phone", "Acmé broke my phone!", "rt Acme broke my phone!"])
def test_other_texts_have_other_fingerprints(other: str) -> None:
    assert fingerprint(other) != fingerprint("Acme broke my phone!")


@pytest.mark.parametrize("text", [None, "", "  ", "@jane", "https://t.example/x", "RT @jane: @bob"])
def test_nothing_said_has_no_fingerprint(text: str | None) -> None:
    assert fingerprint(text) is None


def test_an_address_is_not_a_handle() -> None:
    assert fingerprint("mail a@acme.example") != fingerprint("mail a")


def test_a_fingerprint_has_32_hexadecimal_digits() -> None:
    found = fingerprint("Acme")
    assert found is not None
    assert len(found) == 32
    assert int(found, 16) > 0


def test_a_title_alone_has_a_fingerprint() -> None:
    assert row(title="Acme sold").fingerprint == row(text="acme sold").fingerprint == fingerprint("acme sold")


# --- Anything --------------------------------------------------------------------------------------------------------

_TEXT = st.none() | st.text(
    st.characters(exclude_categories=[]) | st.sampled_from(list("\x00\ud800@ \n:/")), max_size=50
)
_NUMBER = st.none() | st.integers()
_ITEMS = st.builds(
    Item,
    external_id=st.just("1"),
    kind=st.sampled_from(Kind),
    published_at=st.just(NOW),
    title=_TEXT,
    text=_TEXT,
    url=_TEXT | _TEXT.map(lambda path: f"https://x.example/{path}"),
    language=_TEXT,
    author=st.none() | st.builds(Author, _TEXT.map(str), _TEXT, _NUMBER),
    counts=st.builds(Counts, _NUMBER, _NUMBER, _NUMBER, _NUMBER),
    reply=st.none() | st.builds(Reply, _TEXT.map(str)),
    place=_TEXT,
    attributes=st.dictionaries(_TEXT.map(str), _TEXT.map(str), max_size=3),
)


@given(_ITEMS)
def test_no_value_holds_what_a_database_refuses(item: Item) -> None:
    stored = row_of(item, NOW)
    values = [getattr(stored, name) for name in Row._fields]
    texts = [value for value in (*values, *stored.attributes, *stored.attributes.values()) if isinstance(value, str)]
    assert all(text and "\x00" not in text and text.encode("utf-8") for text in texts)
    assert all(-(2**63) <= value < 2**63 for value in values if isinstance(value, int))


@given(_ITEMS)
def test_what_was_normalised_stays_as_it_is(item: Item) -> None:
    once = row_of(item, NOW)
    again = row(title=once.title, text=once.text, url=once.url, language=once.language, attributes=once.attributes)
    for name in ("title", "text", "url", "language", "attributes", "fingerprint"):
        assert getattr(again, name) == getattr(once, name)


@pytest.mark.parametrize("unit", ["@", "@.", "@a", "rt ", "www.", "\u0301\u0323", "\x00", " ", "\r", "https://"])
def test_a_megabyte_of_malice_is_stored_or_dropped(unit: str) -> None:
    stored = row(
        title=unit * (1_000_000 // len(unit)), text=unit * (1_000_000 // len(unit)), url="https://" + unit * 500
    )
    assert stored.text is None or len(stored.text) <= 20_000
