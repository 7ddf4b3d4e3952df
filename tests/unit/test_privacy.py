"""What is personal is taken out of texts and authors, and what only looks like it stays."""

from __future__ import annotations

import time
from typing import Any

import pytest

from connectors.contract import Author, Item, Kind, Reply
from monitor.privacy import OPEN, Privacy, applied, hashed_author, key_of, names_of, redacted, unnamed
from tests.fakes.storing import NOW

BOTH = frozenset({"email", "phone"})
KEY = key_of("a secret")

PHONES = [
    "+49 30 1234567",
    "+49 (0) 30 1234567",
    "+49 (0)151 / 23 45 67 89",
    "+4915123456789",
    "(+49) 151 23456789",
    "0049 151 23456789",
    "00491512345678",
    "030 1234567",
    "030/1234567",
    "030-12 34 56 78",
    "0171 1234567",
    "0171/1234567",
    "(030) 123 456-78",
    "01512345678",
    "+44 20 7946 0958",
    "020 7946 0958",
    "(020) 7946 0958",
    "07700 900123",
    "07700900123",
    "+1 555 123 4567",
    "+1 (555) 123-4567",
    "+1.555.123.4567",
    "(555) 123-4567",
    "555-123-4567",
    "555.123.4567",
    "555 123 4567",
    "1-800-555-1234",
    "1 800 555 1234",
    "06 12 34 56 78",
    "06.12.34.56.78",
    "+33 6 12 34 56 78",
    "+33 (0)6 12 34 56 78",
    "+39 347 123 4567",
    "06 1234 5678",
    "+34 612 345 678",
    "(11) 91234-5678",
    "+55 11 91234-5678",
    "8 (912) 345-67-89",
    "8 912 345 67 89",
    "+7 912 345-67-89",
    "98765 43210",
    "+91 98765 43210",
    "+91-9876543210",
    "138 0013 8000",
    "+86 138 0013 8000",
    "03-1234-5678",
    "090-1234-5678",
    "+81 3-1234-5678",
    "0475 12 34 56",
    "079 123 45 67",
    "044 123 45 67",
    "0412 345 678",
    "1300 123 456",
    "+61 412 345 678",
    "+45 12 34 56 78",
    "+48 512 345 678",
    "+31 6 12345678",
    "06-12345678",
    "010-1234-5678",
    "+972 50-123-4567",
    "0532 123 45 67",
]
NOT_PHONES = [
    "version 10.0.19045.3803",
    "v2.10.345.6789",
    "2.0.1",
    "0.12.345.6789",
    "1.800.555",
    "192.168.100.200",
    "10.0.0.1:8080",
    "2026-11-20",
    "2026-11-20 08:15:30",
    "2026-11-20T08:15:30Z",
    "20.11.2026",
    "20.11.2026 08:15",
    "01.02.2026 - 03.04.2026",
    "11/20/2026",
    "01/02/2026",
    "20261120",
    "1234567890",
    "5551234567",
    "178234998123",
    "1,234,567,890",
    "1 234 567 890",
    "100 200 300",
    "10 020 300",
    "$1,299.00",
    "1299.00 EUR",
    "EUR 1299.00",
    "€ 1.299.000,00",
    "0.123456789",
    "3.14159265358979",
    "99.999999 %",
    "order 0301234567",
    "order no. 030-1234567",
    "Ticket #0301234567",
    "Bestellnummer 0301234567",
    "#0301234567",
    "ISBN 978-3-16-148410-0",
    "978-3-16-148410-0",
    "https://forum.example/t/0301234567",
    "https://x.example/i/status/1234567890123456789?id=0301234567",
    "550e8400-e29b-41d4-a716-446655440000",
    "iPhone 15 128",
    "4 5 6 7 8 9 10",
    "from 1990 to 2026",
    "1990-2026",
    "10:30-12:45",
    "24/7",
    "1920x1080",
    "50-60",
    "12-24-36",
    "it has 16 GB and 512 GB",
    "score 555-12",
    "call 911",
    "90210",
    "90210-1234",
    "2026 11 20 08 15",
    "+100 points",
    "+1",
    "A+ 12345",
    "1e10",
    "2001:0db8:85a3:0000:0000:8a2e:0370:7334",
]


@pytest.mark.parametrize("number", PHONES)
@pytest.mark.parametrize("around", ["{}", "reach us at {} today.", "({})", "no answer:{}, never", "Tel.: {}", "{}\n{}"])
def test_a_telephone_number_is_taken_out(number: str, around: str) -> None:
    expected = around.replace("{}", "[phone]")
    assert redacted(around.replace("{}", number), BOTH) == expected


@pytest.mark.parametrize("text", NOT_PHONES)
@pytest.mark.parametrize("around", ["{}", "see {} there", "see {}."])
def test_what_only_looks_like_a_number_stays(text: str, around: str) -> None:
    assert redacted(around.replace("{}", text), BOTH) == around.replace("{}", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("call me at 5551234567", "call me at [phone]"),
        ("Tel. 123456", "Tel. [phone]"),
        ("phone: 555-1234", "phone: [phone]"),
        ("WhatsApp 612 345 678!", "WhatsApp [phone]!"),
        ("\U0001f4de 612345678", "\U0001f4de [phone]"),
        ("Ruf an unter 4711 0815", "Ruf an unter [phone]"),
        ("0171 1234567 24/7", "[phone] 24/7"),
        ("since 2023 0171 1234567", "since 2023 [phone]"),
        ("0171 1234567, 030/7654321", "[phone], [phone]"),
        ("https://wa.me/491512345678", "[phone]"),
        ("tel:+491512345678", "[phone]"),
        ("phone 2026-11-20", "phone 2026-11-20"),
    ],
)
def test_what_stands_around_a_number_tells_and_stays(text: str, expected: str) -> None:
    assert redacted(text, BOTH) == expected


@pytest.mark.parametrize(
    "address",
    [
        "mabel@example.org",
        "mabel.thorn+news@mail.example.co.uk",
        "m_t%1@example-mail.com",
        "jürgen@exämple.de",
        "mabel (at) example.org",
        "mabel[at]example[dot]org",
        "mabel [at] example (dot) co (dot) uk",
        "MABEL@EXAMPLE.ORG",
    ],
)
@pytest.mark.parametrize("around", ["{}", "write to {}.", "<{}>", "mailto:{}", "a,{};b", "{}, {}"])
def test_a_mail_address_is_taken_out(address: str, around: str) -> None:
    assert redacted(around.replace("{}", address), BOTH) == around.replace("{}", "[email]")


@pytest.mark.parametrize(
    "text",
    [
        "@larkspur is great",
        "@mabel@forum.example said",
        "look @ this.thing",
        "5 @ 3.50",
        "a@b",
        "x@1.2",
        "price (at) shop",
        "https://forum.example/@mabel/1",
    ],
)
def test_a_handle_is_no_mail_address(text: str) -> None:
    assert redacted(text, BOTH) == text


def test_only_what_is_asked_for_is_taken_out() -> None:
    text = "mabel@example.org or 030 1234567"
    assert redacted(text, frozenset({"email"})) == "[email] or 030 1234567"
    assert redacted(text, frozenset({"phone"})) == "mabel@example.org or [phone]"
    assert redacted(None, BOTH) is None


@pytest.mark.parametrize(
    "text", ["a" * 20_000, "1 " * 10_000, "1" * 20_000, "+(" * 10_000, "a@" * 10_000, "a.(at)" * 3_000]
)
def test_a_hostile_text_takes_no_longer_than_a_long_one(text: str) -> None:
    begun = time.perf_counter()
    redacted(text, BOTH)
    assert time.perf_counter() - begun < 1


# ------------------------------------------------------------------------------------------------- authors


def told(**given: Any) -> Item:
    values: dict[str, Any] = {"external_id": "a", "kind": Kind.MENTION, "published_at": NOW, "text": "Well"}
    return Item(**{**values, **given})


def test_without_a_rule_nothing_is_changed() -> None:
    item = told(author=Author("mabel", "Mabel"), text="030 1234567")
    assert applied(item, "forum", OPEN) is item


def test_a_hashed_author_has_no_name_and_keeps_his_followers() -> None:
    item = told(
        author=Author("mabel", "Mabel Thorn", 12),
        url="https://forum.example/users/mabel/posts/1",
        place="u/mabel",
        attributes={"profile": "https://forum.example/mabel", "country": "de"},
    )
    stored = applied(item, "forum", Privacy(KEY))
    assert stored.author == Author(hashed_author("forum", "mabel", KEY), None, 12)
    assert "mabel" not in repr(stored).casefold()
    assert (stored.attributes, stored.url, stored.place) == ({"country": "de"}, "https://forum.example/users/", None)


def test_the_hash_is_the_same_for_the_same_author_and_key_only() -> None:
    known = hashed_author("forum", "mabel", KEY)
    assert known == hashed_author("forum", "mabel", KEY)
    others = [("forum", "mabe1", KEY), ("x", "mabel", KEY), ("forum", "mabel", key_of("another"))]
    assert known not in {hashed_author(*other) for other in others}


def test_an_item_without_an_author_stays_without() -> None:
    assert applied(told(), "forum", Privacy(KEY)).author is None


@pytest.mark.parametrize(
    ("author", "url", "left"),
    [
        (Author("1", "mabel"), "https://x.com/mabel/status/17", "https://x.com/i/status/17"),
        (Author("mabel@s.example"), "https://s.example/@mabel/17", "https://s.example/"),
        (
            Author("did:plc:abc", "mabel.example"),
            "https://b.example/profile/mabel.example/post/1",
            "https://b.example/profile/",
        ),
        (Author("did:plc:abc"), "https://b.example/profile/did:plc:abc/post/1", "https://b.example/profile/"),
        (Author("mabel"), "https://mabel.blog.example/1", None),
        (Author("mabel"), "https://forum.example/t/1?by=mabel#mabel", "https://forum.example/t/1"),
        (Author("mabel"), "https://forum.example/t/%6Dabel/1", "https://forum.example/t/"),
        (Author("mabel"), "https://forum.example/t/mabels-thread/1", "https://forum.example/t/mabels-thread/1"),
        (Author("7"), "https://forum.example/7", "https://forum.example/7"),
        (Author("mabel"), None, None),
        (Author("mabel"), "https://[broken/mabel", None),
    ],
)
def test_a_link_is_cut_where_it_names_its_author(author: Author, url: str | None, left: str | None) -> None:
    assert unnamed(url, names_of(author)) == left


def test_title_text_reply_and_thread_are_redacted() -> None:
    item = told(
        title="030 1234567", text="a@example.org", parent_title="030 1234567", reply=Reply("b@example.org", None)
    )
    stored = applied(item, "forum", Privacy(redact=BOTH))
    assert (stored.title, stored.text, stored.parent_title) == ("[phone]", "[email]", "[phone]")
    assert stored.reply == Reply("[email]", None)


def test_the_key_is_not_shown() -> None:
    assert repr(KEY) not in repr(Privacy(KEY))
