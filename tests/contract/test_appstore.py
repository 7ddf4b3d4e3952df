from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import pytest
from pydantic import ValidationError

from connectors.appstore import PLUGIN, AppStore, AppStoreOptions
from connectors.appstore_parse import Entry, app_of, listing_of_json, listing_of_xml, review_of
from connectors.contract import Author, Connector, Item, Kind, Page, Rating, ShowsStanding
from connectors.errors import Malformed, NotThere, RateLimited, SourceError, Unavailable
from connectors.testing import Case, ContractSuite, Reply, Request
from connectors.testing.platform import NOW
from connectors.testing.suite import LimitedBudget, Pulls
from tests.fakes.appstore import APP_ID, APP_NAME, PATH, FakeAppStore

CASE = Case(plugin=PLUGIN, fake=FakeAppStore, kind=Kind.REVIEW)


class TestAppStore(ContractSuite):
    case = CASE


@pytest.fixture
def fake() -> Iterator[FakeAppStore]:
    fake = FakeAppStore()
    yield fake
    fake.close()


@pytest.fixture
def pulls(fake: FakeAppStore) -> Pulls:
    return Pulls(CASE, fake)


def asked(fake: FakeAppStore, form: str = "") -> list[tuple[str, int]]:
    """The pages asked for, in order: (country, number)."""
    found = [PATH.fullmatch(request.path) for request in fake.loopback.requests]
    return [(match[1], int(match[2])) for match in found if match and form in ("", match[4])]


def stranded(pulls: Pulls) -> list[str]:
    return [page.gap.reason for page in pulls.pages if page.gap]


# --- what a review becomes


def test_a_review_arrives_with_all_that_the_feed_tells(pulls: Pulls, fake: FakeAppStore) -> None:
    (seed,) = fake.publish(1)
    (item,) = pulls.pull()
    assert item == Item(
        external_id=fake.external_id(seed),
        kind=Kind.REVIEW,
        published_at=seed.at,
        updated_at=seed.at,
        title="Review 1",
        text=seed.text,
        url=f"https://itunes.apple.com/us/review?id={APP_ID}",
        author=Author("77", "someone"),
        rating=Rating(2),
        counts=item.counts,
        place=APP_NAME,
        attributes={"country": "US", "app_version": "8.0.9", "vote_count": "4"},
    )
    assert (item.counts.likes, item.counts.shares, item.counts.comments, item.counts.views) == (3, None, None, None)


def test_both_forms_of_the_feed_give_the_same_items(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.publish(60)
    from_json = {item.external_id: item for item in pulls.pull()}
    fake.undated, pulls.cursor = True, None
    assert {item.external_id: item for item in pulls.pull()} == from_json


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


# --- the feed's traps


def test_a_single_review_which_is_an_object_arrives(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.publish(1)
    assert len(pulls.pull()) == 1


def test_the_app_itself_as_first_entry_is_neither_an_item_nor_a_fault(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.publish(5)
    fake.old_shape = True
    assert len(pulls.pull()) == 5
    assert not [entry for page in pulls.pages for entry in page.skipped]
    assert not asked(fake, "xml")


def test_an_app_without_reviews_is_no_error(pulls: Pulls, fake: FakeAppStore) -> None:
    assert pulls.pull() == []
    assert not stranded(pulls)
    fake.publish(3)
    assert len(pulls.pull()) == 3


def test_reviews_without_times_take_them_from_the_xml_form(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.undated = True
    fake.publish(120)
    pulls.pull()
    assert set(pulls.stored) == fake.expected()
    assert asked(fake, "json") == [("us", 1)]
    assert asked(fake, "xml") == [("us", 1), ("us", 2), ("us", 3)]


def test_reviews_without_times_complete_on_a_small_budget(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.undated = True
    fake.publish(250)

    def limited() -> None:
        with pytest.raises(RateLimited):
            pulls.pull(budget=LimitedBudget(3))

    pulls.until_settled(limited)


def test_an_app_that_is_nowhere_is_not_there(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.sold_in = set()
    with pytest.raises(NotThere, match=APP_ID):
        pulls.open().check()
    with pytest.raises(NotThere, match="look at app_id and countries"):
        pulls.pull()


def test_check_passes_if_one_country_has_the_app(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.countries, fake.sold_in = ["fr", "de"], {"de"}
    pulls.open().check()


def test_an_empty_page_where_reviews_were_is_no_end(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.publish(60)
    pulls.pull()
    before = pulls.cursor
    fake.blank = {("us", 1), ("us", 2)}
    fake.links = False
    fake.publish(1, at=NOW)
    with pytest.raises(Unavailable, match="empty page"):
        pulls.pull()
    assert _floor(pulls) == before["countries"]["us"]["floor"]  # type: ignore[index, call-overload]
    fake.blank = set()
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_an_empty_page_before_the_last_is_no_end(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.publish(250)
    fake.blank = {("us", 3)}
    with pytest.raises(Unavailable, match="empty page"):
        pulls.pull()
    assert len(pulls.stored) == 100
    fake.blank = set()
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_an_empty_first_page_of_an_app_never_read_is_no_end_either(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.publish(250)
    fake.blank = {("us", 1)}
    with pytest.raises(Unavailable, match="empty page"):
        pulls.pull()


def test_a_feed_that_does_not_tell_its_pages_is_read_to_its_end(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.links = False
    fake.publish(100)
    pulls.pull()
    assert set(pulls.stored) == fake.expected()
    assert asked(fake, "json")[:3] == [("us", 1), ("us", 2), ("us", 3)]


def test_a_known_last_page_saves_a_request(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.publish(100)
    pulls.pull()
    assert asked(fake) == [("us", 1), ("us", 2)]


def test_a_deletion_between_two_pulls_loses_nothing(pulls: Pulls, fake: FakeAppStore) -> None:
    seeds = fake.publish(200)
    pulls.pull(pages=2)
    for seed in seeds[-30:]:
        fake.seeds.remove(seed)
    pulls.pull()
    assert fake.expected() <= set(pulls.stored)


def test_a_sweep_whose_page_vanished_begins_again(pulls: Pulls, fake: FakeAppStore) -> None:
    seeds = fake.publish(200)
    pulls.pull(pages=3)
    del fake.seeds[seeds[0].number - 1 : 140]
    pulls.pull()
    assert fake.expected() <= set(pulls.stored)
    assert asked(fake, "json")[3:] == [("us", 3), ("us", 1), ("us", 2)]


def test_an_edited_review_keeps_its_id_and_comes_again(pulls: Pulls, fake: FakeAppStore) -> None:
    seeds = fake.publish(120, every=timedelta(hours=5))
    pulls.pull()
    fake.seeds[0] = type(seeds[0])(1, NOW, "acme changed my mind")
    brought = {item.external_id: item for item in pulls.pull()}
    edited = brought[fake.external_id(fake.seeds[0])]
    assert (edited.text, edited.updated_at) == ("acme changed my mind", NOW)
    assert len(pulls.stored) == 120


def test_a_review_that_shows_up_two_days_late_is_found(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.publish(120, every=timedelta(hours=1))
    pulls.pull()
    fake.publish(1, at=NOW - timedelta(days=2))
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_a_quiet_pull_asks_for_one_page(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.publish(120, every=timedelta(hours=5))
    pulls.pull()
    fake.loopback.requests.clear()
    pulls.pull()
    assert len(fake.loopback.requests) == 1
    assert asked(fake) == [("us", 1)]


def test_reviews_older_than_the_first_pull_s_reach_stay_out(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.publish(5, at=NOW - timedelta(days=40))
    fake.publish(5)
    assert len(pulls.pull()) == 5
    assert len(pulls.pull()) == 5


def test_the_first_pull_tells_of_the_ceiling(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.publish(560, every=timedelta(minutes=5))
    pulls.pull()
    assert len(pulls.stored) == 500
    (gap,) = [page.gap for page in pulls.pages if page.gap]
    assert gap.reason == "Apple shows only the latest 500 reviews a country (US)"
    assert gap.until == min(item.published_at for item in pulls.stored.values())


def test_fewer_reviews_than_the_ceiling_give_no_gap(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.publish(499, every=timedelta(minutes=5))
    pulls.pull()
    assert len(pulls.stored) == 499
    assert not stranded(pulls)


def test_rereading_the_overlap_up_to_the_ceiling_gives_no_gap(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.publish(560, every=timedelta(minutes=5))
    pulls.pull()
    pulls.pages.clear()
    fake.publish(10, at=NOW, every=timedelta(minutes=1))
    pulls.pull()
    assert not stranded(pulls)


# --- several countries


def test_each_country_has_its_own_walk(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.countries = ["us", "de"]
    fake.publish(120)
    fake.abroad = dict.fromkeys(range(1, 120, 2), "de")
    pulls.pull()
    assert set(pulls.stored) == fake.expected()
    assert {item.attributes["country"] for item in pulls.stored.values()} == {"US", "DE"}
    assert set(pulls.cursor["countries"]) == {"us", "de"}  # type: ignore[index, arg-type]


@pytest.mark.parametrize("status", [403, 400, 404, 500])
def test_one_country_that_fails_leaves_the_others_alone(pulls: Pulls, fake: FakeAppStore, status: int) -> None:
    fake.countries = ["us", "de"]
    fake.publish(20)
    fake.abroad = {1: "de"}
    fake.refused = {"us": status}
    assert len(pulls.pull()) == 1
    (reason,) = stranded(pulls)
    assert reason.endswith("not read: US")
    fake.refused = {}
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_a_country_without_the_app_is_named(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.countries = ["us", "fr"]
    fake.publish(3)
    assert len(pulls.pull()) == 3
    assert [reason.split("; not read")[1] for reason in stranded(pulls)] == [": FR"]


@pytest.mark.parametrize(("status", "fate"), [(403, Unavailable), (400, Malformed), (404, NotThere)])
def test_the_fate_is_raised_when_every_country_fails(
    pulls: Pulls, fake: FakeAppStore, status: int, fate: type[SourceError]
) -> None:
    fake.countries = ["us", "de"]
    fake.refused = {"us": status, "de": status}
    with pytest.raises(fate):
        pulls.pull()


def test_too_many_requests_stop_the_whole_pull(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.countries = ["us", "de"]
    fake.publish(3)
    fake.refused = {"us": 429}
    with pytest.raises(RateLimited):
        pulls.pull()
    assert asked(fake) == [("us", 1)]


def test_a_network_that_is_down_is_not_asked_for_every_country(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.countries = ["us", "de", "jp", "fr", "gb", "at"]
    fake.refused = dict.fromkeys(fake.countries, 503)
    with pytest.raises(Unavailable):
        pulls.pull()
    assert [country for country, _ in asked(fake)] == ["us", "de", "jp"]


def test_the_next_pull_turns_first_to_the_countries_left_out(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.countries = ["fr", "gb", "at", "us"]
    fake.refused = dict.fromkeys(["fr", "gb", "at"], 503)
    fake.publish(3)
    with pytest.raises(Unavailable):
        pulls.pull()
    pulls.now = NOW + timedelta(minutes=30)
    assert len(pulls.pull()) == 3


@pytest.mark.parametrize("countries", [2, 3, 4, 5])
def test_no_country_is_cut_off_for_ever(pulls: Pulls, fake: FakeAppStore, countries: int) -> None:
    fake.countries = ["us", "de", "jp", "fr", "gb"][:countries]
    fake.sold_in = set(fake.countries)
    fake.publish(55 * countries)
    fake.abroad = {seed.number: fake.countries[seed.number % countries] for seed in fake.seeds}

    def limited() -> None:
        pulls.now += timedelta(minutes=30)
        with pytest.raises(RateLimited):
            pulls.pull(budget=LimitedBudget(3))

    pulls.until_settled(limited)


def test_a_country_named_twice_is_read_once(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.countries = ["us", "US"]
    fake.publish(3)
    pulls.pull()
    assert asked(fake) == [("us", 1)]


# --- the stars


def test_the_standing_is_told_for_each_country_that_has_the_app(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.countries = ["us", "fr", "de"]
    connector = pulls.open()
    assert isinstance(connector, ShowsStanding)
    readings = list(connector.standing())
    assert [reading.place for reading in readings] == ["Apple App Store (US)", "Apple App Store (DE)"]
    assert {(reading.mean, reading.count, reading.at) for reading in readings} == {(4.25, 1200, NOW)}


@pytest.mark.parametrize(
    ("stars", "expected"), [((0, 0), (None, 0)), (None, (None, None)), ((9.0, 3), (None, 3)), ((4.5, -1), (4.5, None))]
)
def test_unknown_stars_are_none(
    pulls: Pulls, fake: FakeAppStore, stars: tuple[float, int] | None, expected: tuple[float | None, int | None]
) -> None:
    fake.standing = stars
    connector = pulls.open()
    assert isinstance(connector, AppStore)
    (reading,) = connector.standing()
    assert (reading.mean, reading.count) == expected


def test_the_standing_of_an_app_that_is_nowhere_is_not_there(pulls: Pulls, fake: FakeAppStore) -> None:
    fake.sold_in = set()
    connector = pulls.open()
    assert isinstance(connector, AppStore)
    with pytest.raises(NotThere):
        list(connector.standing())


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


@pytest.mark.parametrize("cursor", [{}, {"countries": 3}, {"countries": {"us": {"floor": "x"}}}, {"app": 3}])
def test_a_damaged_cursor_begins_anew(pulls: Pulls, fake: FakeAppStore, cursor: dict[str, Any]) -> None:
    fake.publish(70)
    pulls.cursor = cursor
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def _floor(pulls: Pulls) -> object:
    return pulls.cursor["countries"]["us"]["floor"]  # type: ignore[index, call-overload]


# --- recorded answers


def _recorded() -> list[tuple[str, int, bytes]]:
    folder = Path(os.environ.get("RECORDED_DATA", "/nowhere")) / "payloads" / "appstore"
    if not folder.is_dir():
        return []
    index = json.loads((folder / "index.json").read_text())
    rows = [row for row in index if "customerreviews" in row["path"]]
    return [(row["path"], row["status"], (folder / row["file"]).read_bytes()) for row in rows]


class Replay(FakeAppStore):
    """Serves one recorded body as the first page; its XML form has the same reviews, with times where it tells none."""

    def __init__(self, path: str, status: int, body: bytes) -> None:
        super().__init__()
        self._at = PATH.fullmatch(path)
        assert self._at
        self._body, self._status = body, status
        self.countries = [self._at[1]]

    def options(self) -> dict[str, Any]:
        assert self._at
        return {"app_id": self._at[3], "countries": self.countries}

    def entries(self) -> list[dict[str, Any]]:
        return json.loads(self._body)["feed"].get("entry", []) if self._status == 200 else []

    def expected(self) -> set[str]:
        return {entry["id"]["label"] for entry in self.entries()}

    def respond(self, request: Request) -> Reply:
        found = PATH.fullmatch(request.path)
        if found is None:
            return Reply.of_json({"resultCount": 1, "results": [{"trackName": "Something"}]})
        if self._status != 200:
            return Reply(self._body, self._status, {"Content-Type": "text/html"})
        if found[2] != "1":
            return Reply.of_json({"feed": {}}) if found[4] == "json" else _as_xml([])
        return Reply(self._body) if found[4] == "json" else _as_xml(self.entries())


def _as_xml(entries: list[dict[str, Any]]) -> Reply:
    rows = [
        f"<entry><updated>{entry.get('updated', {}).get('label') or f'2026-10-{28 - i:02}T10:00:00-07:00'}</updated>"
        f"<id>{entry['id']['label']}</id><title>{escape(entry['title']['label'])}</title>"
        f"<content type='text'>{escape(entry['content']['label'])}</content>"
        f"<im:rating>{entry['im:rating']['label']}</im:rating></entry>"
        for i, entry in enumerate(entries)
    ]
    names = "xmlns:im='http://itunes.apple.com/rss' xmlns='http://www.w3.org/2005/Atom'"
    return Reply(f"<feed {names}>{''.join(rows)}</feed>".encode())


@pytest.mark.recorded
def test_every_recorded_answer_goes_through() -> None:
    recorded = _recorded()
    if not recorded:
        pytest.skip("recorded data not present")
    seen = 0
    for path, status, body in recorded:
        replay = Replay(path, status, body)
        connector = Pulls(CASE, replay).open()
        try:
            pages = _pages(connector)
        finally:
            connector.close()
            replay.close()
        assert (pages is None) == (status != 200)
        brought = [item.external_id for page in pages or () for item in page.items]
        assert sorted(brought) == sorted(replay.expected())
        assert not [entry for page in pages or () for entry in page.skipped]
        seen += len(brought)
    assert seen > 0


def _pages(connector: Connector) -> list[Page] | None:
    """What a pull brings; ``None`` if the platform was unavailable."""
    try:
        return list(connector.fetch(None, datetime(2020, 1, 1, tzinfo=UTC)))
    except Unavailable:
        return None
