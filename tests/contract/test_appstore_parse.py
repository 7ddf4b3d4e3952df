from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.appstore import PLUGIN, AppStoreOptions
from connectors.appstore_parse import Entry, app_of, listing_of_json, listing_of_xml, review_of
from connectors.errors import Unavailable
from tests.fakes.appstore import APP_ID


def test_pacific_time_becomes_utc() -> None:
    item = review_of(Entry(id="1", updated="2026-09-14T23:24:23-07:00", rating="3"), "us", None)
    assert item.published_at == datetime(2026, 9, 15, 6, 24, 23, tzinfo=UTC)
    assert item.published_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ({"id": None}, "no id"),
        ({"id": "tag:apple"}, "no id"),
        ({"updated": None}, "no sound time"),
        ({"updated": "yesterday"}, "no sound time"),
        ({"updated": "2026-09-14T23:24:23"}, "no sound time"),
        ({"updated": "0001-01-01T00:00:00+07:00"}, "no sound time"),
        ({"rating": None}, "no rating"),
        ({"rating": "0"}, "no rating"),
        ({"rating": "6"}, "no rating"),
    ],
)
def test_a_damaged_review_is_refused_with_its_reason(damage: dict[str, Any], reason: str) -> None:
    sound = {"id": "1", "updated": "2026-09-14T23:24:23-07:00", "rating": "3"}
    with pytest.raises(ValueError, match=reason):
        review_of(Entry(**(sound | damage)), "us", None)


def test_without_a_name_the_place_is_the_country_s_store() -> None:
    assert review_of(Entry(id="1", updated="2026-09-14T23:24:23Z", rating="3"), "de", None).place == "App Store (DE)"


def test_a_review_without_an_author_has_none() -> None:
    entry = Entry(id="1", updated="2026-09-14T23:24:23Z", rating="3")
    assert review_of(entry, "de", None).author is None


# --- options and links


@pytest.mark.parametrize(
    "given",
    [APP_ID, int(APP_ID), f"id{APP_ID}", f" {APP_ID} ", f"https://apps.apple.com/us/app/acme-phones/id{APP_ID}?mt=8"],
)
def test_an_app_is_named_by_digits_or_link(given: object) -> None:
    assert AppStoreOptions.model_validate({"app_id": given}).app_id == APP_ID


@pytest.mark.parametrize("given", ["", "acme", "com.acme.phone", "id", "-5", "12.5", "1" * 16, "https://acme.example"])
def test_what_is_no_app_id_is_refused_with_a_remedy(given: str) -> None:
    with pytest.raises(ValidationError, match=r"digits after /id in the app's apps\.apple\.com link"):
        AppStoreOptions.model_validate({"app_id": given})


def test_countries_are_put_in_lower_case() -> None:
    assert AppStoreOptions.model_validate({"app_id": APP_ID, "countries": ["US", "de "]}).countries == ("us", "de")


@pytest.mark.parametrize(
    ("countries", "message"),
    [(["usa"], "two letters"), (["germany"], "two letters"), ([""], "two letters"), (["uk"], "write 'gb'"), ([], "1")],
)
def test_what_is_no_country_is_refused(countries: list[str], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        AppStoreOptions.model_validate({"app_id": APP_ID, "countries": countries})


@pytest.mark.parametrize(
    ("link", "country"),
    [
        (f"https://apps.apple.com/de/app/acme/id{APP_ID}", "de"),
        (f"https://apps.apple.com/GB/app/acme-for-phones/id{APP_ID}?platform=iphone&l=en", "gb"),
        (f"https://apps.apple.com/app/id{APP_ID}", "us"),
        (f"https://itunes.apple.com/fr/app/id{APP_ID}?mt=8", "fr"),
        (f"https://apps.apple.com/jp/app/%E3%82%A2/id{APP_ID}#see-all/reviews", "jp"),
    ],
)
def test_a_link_to_an_app_is_recognised(link: str, country: str) -> None:
    assert PLUGIN.recognise(link) == {"app_id": APP_ID, "countries": [country]}
    AppStoreOptions.model_validate(PLUGIN.recognise(link))


@pytest.mark.parametrize(
    "link",
    [
        "https://apps.apple.com/us/developer/acme/id310633997",
        "https://music.apple.com/us/album/acme/310633997",
        "https://example.com/?u=https://apps.apple.com/us/app/id1",
        "https://apps.apple.com.evil.example/us/app/id1",
        "",
    ],
)
def test_other_links_are_not(link: str) -> None:
    assert PLUGIN.recognise(link) is None


# --- hostile answers


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html></html>",
        b"\xff\xfe<\x00f\x00",
        b'<!DOCTYPE feed [<!ENTITY a "b">]><feed xmlns="http://www.w3.org/2005/Atom">&a;</feed>',
        b'<feed xmlns="http://www.w3.org/2005/Atom"><entry>',
    ],
)
def test_xml_that_is_no_sound_feed_is_unavailable(body: bytes) -> None:
    with pytest.raises(Unavailable):
        listing_of_xml(body)


@pytest.mark.parametrize("answer", [None, [], {}, {"feed": None}, {"feed": []}, "feed"])
def test_json_that_is_no_feed_is_unavailable(answer: object) -> None:
    with pytest.raises(Unavailable):
        listing_of_json(answer)


@pytest.mark.parametrize("answer", [None, [], {}, {"results": None}])
def test_json_that_is_no_lookup_is_unavailable(answer: object) -> None:
    with pytest.raises(Unavailable):
        app_of(answer)


@pytest.mark.parametrize("entry", [None, 7, "x", [], {}, {"id": 7, "author": [], "link": ["x"], "title": {"label": 3}}])
def test_an_entry_of_any_shape_is_skipped_and_counted(entry: object) -> None:
    listing = listing_of_json({"feed": {"entry": [entry], "link": [None, {"attributes": 3}]}})
    with pytest.raises(ValueError, match="no id"):
        review_of(listing.entries[0], "us", None)
