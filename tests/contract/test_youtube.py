from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import (
    Connector,
    CountsFollowers,
    Kind,
    Refreshes,
    Remembers,
    RequestBudget,
    ShowsQueries,
    Unlimited,
)
from connectors.errors import AccessDenied, NotThere, RateLimited, SourceError, Unavailable
from connectors.testing import Case, ContractSuite
from connectors.testing.platform import NOW
from connectors.testing.suite import SINCE, LimitedBudget, Pulls
from connectors.youtube import PLUGIN
from connectors.youtube_wire import until_midnight
from tests.fakes.youtube import FILM, OWN, FakeChannel, FakeUploads, FakeYouTube

SEARCH = Case(plugin=PLUGIN, fake=FakeYouTube)
CHANNEL = Case(plugin=PLUGIN, fake=FakeChannel)
UPLOADS = Case(plugin=PLUGIN, fake=FakeUploads, kind=Kind.POST)


class TestYouTube(ContractSuite):
    case = SEARCH


class TestYouTubeChannel(ContractSuite):
    case = CHANNEL


class TestYouTubeUploads(ContractSuite):
    case = UPLOADS


class With(Pulls):
    """Pulls with options beside or instead of the fake's own."""

    def __init__(self, fake: FakeYouTube, **options: Any) -> None:
        super().__init__(SEARCH, fake)
        self.options = {"base_url": fake.base_url, **fake.options(), **options}

    def open(self, budget: RequestBudget | None = None) -> Connector:
        options = PLUGIN.options.model_validate(self.options)
        return PLUGIN.open(options, self.context(budget or Unlimited()))


@pytest.fixture
def fake() -> Iterator[FakeYouTube]:
    fake = FakeYouTube()
    yield fake
    fake.close()


@pytest.fixture
def channel() -> Iterator[FakeChannel]:
    fake = FakeChannel()
    yield fake
    fake.close()


def asked(fake: FakeYouTube, resource: str) -> list[Mapping[str, str]]:
    return [request.query for request in fake.loopback.requests if request.path == f"/{resource}"]


# --- units


def test_a_day_of_pulls_never_spends_more_than_it_may(fake: FakeYouTube) -> None:
    pulls = With(fake, search_hours=0, daily_units=2_000, reserve_units=300)
    fake.publish(20)
    waits = []
    for minutes in range(0, 18 * 60, 20):  # NOW is four in the morning in California
        pulls.now = NOW + timedelta(minutes=minutes)
        try:
            pulls.pull()
        except RateLimited as error:
            waits.append(error.retry_after)
    assert fake.units <= 1_700
    assert fake.units > 1_500
    assert waits[0] == until_midnight(NOW + timedelta(minutes=20 * (54 - len(waits))))


def test_units_count_anew_after_midnight_in_california(fake: FakeYouTube) -> None:
    pulls = With(fake, daily_units=200, reserve_units=50)
    pulls.pull()
    with pytest.raises(RateLimited):
        pulls.pull()
    spent = fake.units
    pulls.now = NOW + timedelta(hours=20)
    pulls.pull()
    assert fake.units > spent


def test_a_search_is_in_the_ledger_before_it_is_made(fake: FakeYouTube) -> None:
    pulls = With(fake)
    pulls.pull(pages=1)
    assert fake.units == 0
    assert pulls.cursor is not None
    assert pulls.cursor["ledger"] == {"day": "2026-11-01", "spent": 100, "drawn": 0}


def test_a_spent_ledger_asks_nothing(channel: FakeChannel) -> None:
    pulls = With(channel, daily_units=200, reserve_units=100)
    pulls.cursor = {"ledger": {"day": "2026-11-01", "spent": 100, "drawn": 0}}
    with pytest.raises(RateLimited):
        pulls.pull()
    assert channel.units == 0


def test_comments_go_on_when_no_search_can_be_paid(channel: FakeChannel) -> None:
    channel.publish(3)
    pulls = With(channel, query="acme", daily_units=1_000, reserve_units=10)
    pulls.cursor = {"ledger": {"day": "2026-11-01", "spent": 950}}
    pulls.pull()
    assert channel.expected() <= set(pulls.stored)
    assert asked(channel, "search") == []


def test_without_hours_the_searches_are_spread_over_the_day(fake: FakeYouTube) -> None:
    pulls = With(fake, search_hours=None, daily_units=10_000)
    for minutes in range(0, 18 * 60, 5):
        pulls.now = NOW + timedelta(minutes=minutes)
        pulls.pull()
    assert 20 <= len(asked(fake, "search")) <= 60


def test_a_quota_that_google_says_is_spent_ends_the_day(fake: FakeYouTube) -> None:
    fake.refuse["search"] = (403, "quotaExceeded")
    pulls = With(fake)
    with pytest.raises(RateLimited) as caught:
        pulls.pull()
    assert caught.value.retry_after == timedelta(hours=20)  # four in the morning in California
    fake.refuse.clear()
    before = fake.units
    pulls.options["daily_units"] = 1_000_000
    with pytest.raises(RateLimited):
        pulls.pull()
    assert fake.units == before


def test_midnight_in_california_heeds_summer_time() -> None:
    assert until_midnight(datetime(2026, 7, 1, 6, 0, tzinfo=UTC)) == timedelta(hours=1)
    assert until_midnight(datetime(2026, 12, 1, 6, 0, tzinfo=UTC)) == timedelta(hours=2)


@pytest.mark.parametrize("ledger", [None, 3, {}, {"day": 5, "spent": "x"}, {"day": "2026-11-01", "spent": -5}])
def test_a_damaged_ledger_begins_the_day_anew(fake: FakeYouTube, ledger: object) -> None:
    fake.publish(3)
    pulls = With(fake)
    pulls.cursor = {"ledger": ledger, "places": 7, "pending": [1], "found": {"x": 1}, "replies": {"a": "b"}}  # type: ignore[dict-item]
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


# --- refusals


@pytest.mark.parametrize(
    ("status", "reason", "fate"),
    [
        (403, "rateLimitExceeded", RateLimited),
        (403, "userRateLimitExceeded", RateLimited),
        (403, "dailyLimitExceeded", RateLimited),
        (400, "keyInvalid", AccessDenied),
        (400, "keyExpired", AccessDenied),
        (400, "API_KEY_INVALID", AccessDenied),
        (403, "accessNotConfigured", AccessDenied),
        (403, "ipRefererBlocked", AccessDenied),
        (400, "processingFailure", Unavailable),
        (403, "forbidden", AccessDenied),
        (503, "backendError", Unavailable),
    ],
)
def test_a_refusal_has_the_fate_of_its_reason(
    fake: FakeYouTube, status: int, reason: str, fate: type[SourceError]
) -> None:
    fake.refuse = {"search": (status, reason), "i18nLanguages": (status, reason)}
    for use in (lambda: With(fake).pull(), lambda: With(fake).open().check()):
        with pytest.raises(fate) as caught:
            use()
        assert type(caught.value) is fate


def test_a_video_without_comments_is_no_failure(channel: FakeChannel) -> None:
    channel.refuse["commentThreads"] = (403, "commentsDisabled")
    pulls = With(channel, channels=[], videos=[FILM])
    brought = pulls.pull()
    assert [item.external_id for item in brought] == [f"video:{FILM}"]
    assert not [page.gap for page in pulls.pages if page.gap]


def test_of_two_videos_the_one_that_is_gone_is_a_gap(channel: FakeChannel) -> None:
    channel.publish(2)
    channel.gone.add("film0000002")
    pulls = With(channel, channels=[], videos=[FILM, "film0000002"])
    pulls.pull()
    assert channel.expected() < set(pulls.stored)
    assert [page.gap.reason for page in pulls.pages if page.gap] == [
        "video film0000002: YouTube: there is no such channel, video or comment; look at channels and videos"
    ]


def test_a_video_that_does_not_exist_is_not_there(channel: FakeChannel) -> None:
    channel.gone.add(FILM)
    with pytest.raises(NotThere):
        With(channel, channels=[], videos=[FILM]).pull()


def test_a_handle_that_does_not_exist_is_not_there(channel: FakeChannel) -> None:
    for use in (
        lambda: With(channel, channels=["@nobody"]).pull(),
        lambda: With(channel, channels=["@nobody"]).open().check(),
    ):
        with pytest.raises(NotThere, match="@nobody"):
            use()


# --- searches


def test_beyond_five_hundred_videos_the_search_goes_on_from_the_last_one_s_time(fake: FakeYouTube) -> None:
    fake.publish(1_234, every=timedelta(minutes=20))
    pulls = With(fake)
    pulls.pull()
    assert set(pulls.stored) == fake.expected()


def test_each_keyword_is_a_search_and_names_are_kept_together(fake: FakeYouTube) -> None:
    connector = With(fake).open()
    assert isinstance(connector, ShowsQueries)
    assert list(connector.queries()) == ["acme"]
    own = With(fake, query="acme -cartoon").open()
    assert isinstance(own, ShowsQueries)
    assert list(own.queries()) == ["acme -cartoon"]


def test_with_channels_nothing_is_searched_unless_a_query_is_given(channel: FakeChannel) -> None:
    With(channel).pull()
    assert asked(channel, "search") == []
    With(channel, query="acme").pull()
    assert len(asked(channel, "search")) == 1


def test_a_found_video_comes_whole_with_its_counts(fake: FakeYouTube) -> None:
    fake.publish(1)
    (item,) = With(fake).pull()
    assert (item.title, item.counts.views, item.counts.likes, item.counts.comments) == ("A film", 12, 3, 2)
    assert (item.place, item.language, item.kind) == ("Someone", "en", Kind.MENTION)
    assert item.url == "https://www.youtube.com/watch?v=v0000000001"


def test_comments_on_found_videos_come_if_asked_for_and_not_with_every_pull(fake: FakeYouTube) -> None:
    fake.publish(2)
    fake.comments = list(fake.seeds)
    pulls = With(fake, found_comments=True)
    assert {item.external_id for item in pulls.pull()} == {
        "video:v0000000001",
        "video:v0000000002",
        "comment:Ugx00000001",
        "comment:Ugx00000002",
    }
    fake.loopback.requests.clear()
    pulls.pull()
    assert asked(fake, "commentThreads") == []
    pulls.now = NOW + timedelta(hours=7)
    pulls.pull()
    assert len(asked(fake, "commentThreads")) == 2


def test_a_found_video_that_is_gone_is_followed_no_more(fake: FakeYouTube) -> None:
    fake.publish(1)
    pulls = With(fake, found_comments=True)
    pulls.pull()
    assert pulls.cursor is not None
    assert list(pulls.cursor["found"]) == ["v0000000001"]  # type: ignore[arg-type]
    fake.gone.add("v0000000001")
    pulls.now = NOW + timedelta(hours=7)
    pulls.pull()
    assert pulls.cursor["found"] == {}


# --- comments


def test_replies_beyond_those_shown_are_asked_for(channel: FakeChannel) -> None:
    channel.publish(2)
    channel.replies = 130
    pulls = With(channel)
    pulls.pull()
    assert len(pulls.stored) == 2 + 2 * 130
    assert len(asked(channel, "comments")) == 4


def test_replies_that_were_read_are_asked_for_again_only_when_there_are_more(channel: FakeChannel) -> None:
    channel.publish(2)
    channel.replies = 5
    pulls = With(channel)
    pulls.pull()
    channel.loopback.requests.clear()
    pulls.pull()
    assert asked(channel, "comments") == []
    channel.replies = 6
    pulls.pull()
    assert len(asked(channel, "comments")) == 2
    assert len(pulls.stored) == 14


def test_replies_that_are_read_by_a_later_pull_know_their_film(channel: FakeChannel) -> None:
    channel.publish(1)
    channel.replies = 5
    pulls = With(channel)
    pulls.pull(pages=2)
    brought = pulls.pull(pages=1)
    assert {item.parent_title for item in brought} == {"The film"}
    assert len(brought) == 5


def test_replies_survive_a_small_budget(channel: FakeChannel) -> None:
    channel.publish(5)
    channel.replies = 7
    pulls = With(channel)
    for _ in range(10):
        try:
            pulls.pull(budget=LimitedBudget(3))
        except RateLimited:
            continue
    assert len(pulls.stored) == 5 + 5 * 7


def test_a_comment_knows_its_film_and_its_link(channel: FakeChannel) -> None:
    channel.publish(1)
    (item,) = With(channel).pull()
    assert (item.parent_title, item.place) == ("The film", "Acme")
    assert item.url == f"https://www.youtube.com/watch?v={FILM}&lc=Ugx00000001"
    assert (item.counts.likes, item.counts.comments) == (4, 0)
    assert item.author is not None
    assert (item.author.id, item.author.name) == ("UCcccccccccccccccccccccc", "@someone")


def test_what_the_brand_itself_says_is_an_own_post(channel: FakeChannel) -> None:
    channel.publish(1)
    (item,) = With(channel, channels=["UCcccccccccccccccccccccc"], comments=True).pull()
    assert item.kind is Kind.POST


def test_comments_are_asked_for_as_plain_text_newest_first(channel: FakeChannel) -> None:
    With(channel).pull()
    (query,) = asked(channel, "commentThreads")
    assert (query["textFormat"], query["order"], query["allThreadsRelatedToChannelId"]) == ("plainText", "time", OWN)


# --- channels


def test_a_handle_is_resolved_once(channel: FakeChannel) -> None:
    pulls = With(channel, channels=["@acme"])
    pulls.pull()
    pulls.pull()
    assert len([query for query in asked(channel, "channels") if "forHandle" in query]) == 1
    assert asked(channel, "commentThreads")[0]["allThreadsRelatedToChannelId"] == OWN


def test_subscribers_are_the_followers_and_cost_one_unit_an_hour(channel: FakeChannel) -> None:
    pulls = With(channel)
    connector = pulls.open()
    assert isinstance(connector, CountsFollowers)
    pages = list(connector.fetch(None, NOW - timedelta(days=1)))
    assert [(one.account, one.count, one.at) for one in connector.followers()] == [(OWN, 1200, NOW)]
    again = pulls.open()
    assert isinstance(again, CountsFollowers)
    list(again.fetch(pages[-1].cursor, NOW - timedelta(days=1)))
    assert list(again.followers()) == []
    assert len(asked(channel, "channels")) == 1


def test_hidden_subscribers_are_unknown(channel: FakeChannel) -> None:
    channel.subscribers = None
    connector = With(channel).open()
    assert isinstance(connector, CountsFollowers)
    assert list(connector.followers()) == []


# --- refreshing


def test_counts_are_read_again_fifty_a_unit_and_what_is_gone_is_told(channel: FakeChannel) -> None:
    channel.publish(60)
    channel.gone |= {"Ugx00000007", "film0000009"}
    ids = [f"comment:Ugx{n:08d}" for n in range(1, 61)]
    connector = With(channel).open()
    assert isinstance(connector, Refreshes)
    found = {
        one.external_id: one
        for one in connector.refresh([*ids, "comment:Ugx00000001.r1", "video:film0000009", f"video:{FILM}"])
    }
    assert [key for key, one in found.items() if one.gone] == ["video:film0000009", "comment:Ugx00000007"]
    assert found["comment:Ugx00000001"].counts.likes == 4  # type: ignore[union-attr]
    assert found["comment:Ugx00000001.r1"].counts.likes == 4  # type: ignore[union-attr]
    assert found[f"video:{FILM}"].counts.views == 100  # type: ignore[union-attr]
    assert channel.units == 4


def test_a_web_page_in_the_place_of_an_answer_makes_nothing_gone(channel: FakeChannel) -> None:
    channel.refuse["videos"] = (404, "unknownPath")
    connector = With(channel).open()
    assert isinstance(connector, Refreshes)
    with pytest.raises(NotThere):
        list(connector.refresh([f"video:{FILM}"]))


def test_refreshing_spends_no_more_than_the_reserve(channel: FakeChannel) -> None:
    connector = With(channel, daily_units=200, reserve_units=10).open()
    assert isinstance(connector, Refreshes)
    with pytest.raises(RateLimited):
        list(connector.refresh([f"comment:Ugx{n:08d}" for n in range(1_000)]))
    assert channel.units == 10


def refreshed_in_a_pull(source: Pulls, ids: list[str]) -> None:
    """As the daemon does it: pages first, then counts, and what was spent is stored with the cursor."""
    connector = source.open()
    assert isinstance(connector, Refreshes)
    assert isinstance(connector, Remembers)
    list(connector.fetch(source.cursor, SINCE))
    try:
        list(connector.refresh(ids))
    finally:
        connector.close()
        source.cursor = json.loads(json.dumps(connector.remember()))


def test_what_refreshing_has_cost_is_known_to_whoever_goes_on_from_the_cursor(channel: FakeChannel) -> None:
    ids = [f"comment:Ugx{n:08d}" for n in range(1, 301)]
    source = With(channel, daily_units=200, reserve_units=10)
    refreshed_in_a_pull(source, ids)
    pulled, spent = channel.units, source.cursor
    assert spent is not None
    assert spent["ledger"] == {"day": "2026-11-01", "spent": pulled - 6, "drawn": 6}
    again = With(channel, daily_units=200, reserve_units=10)
    again.cursor = spent
    with pytest.raises(RateLimited):
        refreshed_in_a_pull(again, ids)
    assert again.cursor is not None
    assert again.cursor["ledger"]["drawn"] == 10  # type: ignore[index,call-overload]
    again.now += timedelta(days=1)
    refreshed_in_a_pull(again, ids)


def test_what_refreshing_may_cost_at_most_can_be_put_down_before(channel: FakeChannel) -> None:
    connector = With(channel).open()
    assert isinstance(connector, Remembers)
    list(connector.fetch(None, SINCE))
    before = channel.units
    ahead = connector.remember(100)
    assert ahead is not None
    channel.refuse["commentThreads"] = (404, "commentThreadNotFound")  # then each is asked for by itself
    assert isinstance(connector, Refreshes)
    list(connector.refresh([f"comment:Ugx{n:08d}" for n in range(100)]))
    assert channel.units - before == 102 <= ahead["ledger"]["drawn"]  # type: ignore[index,call-overload,operator]


def test_refreshing_leaves_to_the_pulls_what_is_theirs(channel: FakeChannel) -> None:
    source = With(channel, daily_units=110, reserve_units=10)
    with pytest.raises(RateLimited):
        refreshed_in_a_pull(source, [f"comment:Ugx{n:08d}" for n in range(1, 1_001)])
    channel.publish(3)
    source.pull()
    assert len(source.stored) == 3


def test_after_a_refresh_nothing_but_the_ledger_has_changed(channel: FakeChannel) -> None:
    channel.publish(130)
    connector = With(channel).open()
    assert isinstance(connector, Refreshes)
    assert isinstance(connector, Remembers)
    *_, last = connector.fetch(None, SINCE)
    list(connector.refresh(["comment:Ugx00000001"]))
    after = connector.remember()
    assert last.cursor is not None
    assert after is not None
    assert {**after, "ledger": None} == {**last.cursor, "ledger": None}
    assert after["ledger"] != last.cursor["ledger"]


def test_who_has_fetched_nothing_remembers_nothing(channel: FakeChannel) -> None:
    connector = With(channel).open()
    assert isinstance(connector, Remembers)
    assert connector.remember() is None


# --- options and links


@pytest.mark.parametrize(
    "wrong",
    [{"channels": ["acme"]}, {"videos": ["x"]}, {"query": " "}, {"daily_units": 500, "reserve_units": 450}],
)
def test_options_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        PLUGIN.options.model_validate({"api_key": "k", **wrong})


@pytest.mark.parametrize(
    ("link", "options"),
    [
        ("https://www.youtube.com/watch?v=D-lhorsDlUQ&t=3s", {"videos": ["D-lhorsDlUQ"]}),
        ("https://youtu.be/D-lhorsDlUQ?si=x", {"videos": ["D-lhorsDlUQ"]}),
        ("https://m.youtube.com/shorts/D-lhorsDlUQ", {"videos": ["D-lhorsDlUQ"]}),
        (f"https://www.youtube.com/channel/{OWN}/videos", {"channels": [OWN]}),
        ("https://www.youtube.com/@acme/videos", {"channels": ["@acme"]}),
        ("https://www.youtube.com/results?search_query=acme+phone", {"query": "acme phone"}),
    ],
)
def test_a_link_is_recognised_and_its_options_are_good(link: str, options: dict[str, Any]) -> None:
    assert PLUGIN.recognise(link) == options
    PLUGIN.options.model_validate({"api_key": "k", **options})


@pytest.mark.parametrize(
    "link",
    [
        "https://www.youtube.com/",
        "https://www.youtube.com/feeds/videos.xml?channel_id=UCaaaaaaaaaaaaaaaaaaaaaa",
        "https://youtube.com.evil.example/watch?v=D-lhorsDlUQ",
        "ftp://youtu.be/D-lhorsDlUQ",
        "http://[",
        "",
    ],
)
def test_other_links_are_not(link: str) -> None:
    assert PLUGIN.recognise(link) is None


def test_a_link_in_the_options_is_as_good_as_an_id() -> None:
    options = PLUGIN.options.model_validate(
        {"api_key": "k", "videos": ["https://youtu.be/D-lhorsDlUQ"], "channels": ["https://youtube.com/@acme"]}
    )
    assert (options.videos, options.channels) == (("D-lhorsDlUQ",), ("@acme",))
