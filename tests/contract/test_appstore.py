from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from connectors.appstore import PLUGIN, AppStore
from connectors.contract import Author, Item, Kind, Rating, ShowsStanding
from connectors.errors import Malformed, NotThere, RateLimited, SourceError, Unavailable
from connectors.testing import Case, ContractSuite
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


@pytest.mark.parametrize("cursor", [{}, {"countries": 3}, {"countries": {"us": {"floor": "x"}}}, {"app": 3}])
def test_a_damaged_cursor_begins_anew(pulls: Pulls, fake: FakeAppStore, cursor: dict[str, Any]) -> None:
    fake.publish(70)
    pulls.cursor = cursor
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def _floor(pulls: Pulls) -> object:
    return pulls.cursor["countries"]["us"]["floor"]  # type: ignore[index, call-overload]
