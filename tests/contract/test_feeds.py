from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest
from pydantic import ValidationError

from connectors.contract import MAX_ID, Item
from connectors.errors import NotThere
from connectors.feeds import PLUGIN, FeedOptions, discover
from connectors.feeds_items import prefix_of
from connectors.testing import Case, ContractSuite
from connectors.testing.platform import NOW
from connectors.testing.suite import Pulls
from tests.fakes.feeds import PATH, SECRET, URL, FakeAtom, FakeFeed, FakeJsonFeed, rss

ONE_DOCUMENT: Mapping[str, str] = {
    "a_repeated_page_token_ends": "a feed is one document: it has no pages, so no page token can repeat",
}


class TestRss(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeFeed, not_applicable=ONE_DOCUMENT)


class TestAtom(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeAtom, not_applicable=ONE_DOCUMENT)


class TestJsonFeed(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeJsonFeed, not_applicable=ONE_DOCUMENT)


@pytest.fixture
def fake() -> Iterator[FakeFeed]:
    fake = FakeFeed()
    yield fake
    fake.close()


@pytest.fixture
def pulls(fake: FakeFeed) -> Pulls:
    return Pulls(Case(plugin=PLUGIN, fake=FakeFeed), fake)


def brought(pulls: Pulls, fake: FakeFeed, document: bytes | str, content_type: str = "application/xml") -> list[Item]:
    fake.document = document if isinstance(document, bytes) else document.encode()
    fake.content_type = content_type
    return pulls.pull()


def one(pulls: Pulls, fake: FakeFeed, entry: str, extra: str = "") -> Item:
    (item,) = brought(pulls, fake, rss("A blog", [entry], extra))
    return item


class TestPolling:
    def test_an_unchanged_feed_is_asked_for_conditionally_and_brings_nothing(
        self, pulls: Pulls, fake: FakeFeed
    ) -> None:
        fake.publish(3)
        assert len(pulls.pull()) == 3
        assert pulls.pull() == []
        assert "if-none-match" in fake.loopback.requests[-1].headers

    def test_a_feed_cut_off_is_read_again_in_full(self, pulls: Pulls, fake: FakeFeed) -> None:
        fake.publish(3)
        whole = fake.body()
        half = whole[: whole.rindex(b"<description>") + 20]
        assert len(brought(pulls, fake, half)) == 2
        assert [entry.what for page in pulls.pages for entry in page.skipped] == ["entry 3"]
        fake.document = None
        pulls.pull()
        assert "if-none-match" not in fake.loopback.requests[-1].headers
        assert set(pulls.stored) == fake.expected()

    def test_a_permanent_move_is_remembered(self, pulls: Pulls, fake: FakeFeed) -> None:
        fake.publish(2)
        fake.moved_to = "/new/feed"
        pulls.pull()
        fake.publish(1)
        pulls.pull()
        assert [request.path for request in fake.loopback.requests] == [PATH, "/new/feed", "/new/feed"]
        assert set(pulls.stored) == fake.expected()

    def test_a_new_address_that_fails_falls_back_to_the_configured_one(self, pulls: Pulls, fake: FakeFeed) -> None:
        fake.publish(2)
        fake.moved_to = "/new/feed"
        pulls.pull()
        fake.moved_to, fake.gone = None, {"/new/feed"}
        fake.publish(1)
        pulls.pull()
        assert set(pulls.stored) == fake.expected()
        assert pulls.cursor is not None
        assert pulls.cursor["moved_to"] is None

    def test_a_feed_that_moves_keeps_its_ids_also_where_they_are_relative(self, pulls: Pulls, fake: FakeFeed) -> None:
        fake.document = rss("A blog", ["<guid>7</guid><title>a</title>", "<link>/posts/8</link><title>b</title>"])
        before = {item.external_id: item.url for item in pulls.pull()}
        fake.moved_to = "/elsewhere/feed"
        pulls.cursor = {**(pulls.cursor or {}), "etag": None}
        assert {item.external_id for item in pulls.pull()} == set(before)
        assert f"{fake.base_url}/posts/8" in before.values()

    def test_a_feed_that_is_gone_is_not_there(self, pulls: Pulls, fake: FakeFeed) -> None:
        fake.gone = {PATH}
        with pytest.raises(NotThere, match="410"):
            pulls.pull()

    def test_another_address_in_the_options_starts_anew(self, pulls: Pulls, fake: FakeFeed) -> None:
        fake.publish(2)
        pulls.pull()
        assert pulls.cursor is not None
        pulls.cursor = {**pulls.cursor, "address": prefix_of("https://other.example/feed")}
        assert len(pulls.pull()) == 2

    def test_many_entries_come_in_pages_of_which_the_last_has_the_cursor(self, pulls: Pulls, fake: FakeFeed) -> None:
        entries = [f"<guid>{number}</guid><title>t</title>" for number in range(1_100)]
        assert len(brought(pulls, fake, rss("A blog", entries))) == 1_100
        assert [len(page.items) for page in pulls.pages] == [500, 500, 100]
        assert [page.cursor is None for page in pulls.pages] == [True, True, False]

    def test_more_entries_than_are_read_give_a_gap(self, pulls: Pulls, fake: FakeFeed) -> None:
        entries = [f"<guid>{number}</guid>" for number in range(5_003)]
        assert len(brought(pulls, fake, rss("A blog", entries))) == 5_000
        gap = pulls.pages[-1].gap
        assert gap is not None
        assert gap.missing == 3

    def test_the_memory_of_a_feed_stays_bounded(self, pulls: Pulls, fake: FakeFeed) -> None:
        for round_ in range(5):
            brought(pulls, fake, rss("A blog", [f"<guid>{round_}-{number}</guid>" for number in range(400)]))
        assert pulls.cursor is not None
        known = pulls.cursor["known"]
        assert isinstance(known, Mapping)
        assert len(known) == 1_000


class TestGaps:
    def test_entries_that_scrolled_past_between_two_pulls_give_a_gap_with_its_bounds(
        self, pulls: Pulls, fake: FakeFeed
    ) -> None:
        old = fake.publish(3, at=NOW - timedelta(days=3))
        pulls.pull()
        fake.seeds.clear()
        new = fake.publish(3, at=NOW - timedelta(hours=1))
        fake.seeds = [*fake.seeds]
        document = fake.body().replace(b"2026:", b"2026:new-")
        brought(pulls, fake, document)
        gap = pulls.pages[-1].gap
        assert gap is not None
        assert (gap.since, gap.until) == (old[-1].at, new[0].at)

    def test_one_entry_already_known_means_no_gap(self, pulls: Pulls, fake: FakeFeed) -> None:
        fake.publish(3, at=NOW - timedelta(days=3))
        pulls.pull()
        fake.publish(100)
        pulls.pull()
        assert not any(page.gap for page in pulls.pages)

    def test_a_feed_that_renames_its_old_entries_gives_no_gap(self, pulls: Pulls, fake: FakeFeed) -> None:
        fake.publish(3)
        pulls.pull()
        brought(pulls, fake, fake.body().replace(b"2026:", b"2027:"))
        assert not any(page.gap for page in pulls.pages)


class TestIdentity:
    def test_two_feeds_never_share_an_id(self) -> None:
        first, second = prefix_of("https://a.example/feed"), prefix_of("https://a.example/feed?page=2")
        assert first != second
        assert SECRET not in prefix_of(URL)

    def test_an_entry_without_an_id_is_known_by_its_link(self, pulls: Pulls, fake: FakeFeed) -> None:
        item = one(pulls, fake, "<title>t</title><link>https://blog.example/1</link>")
        assert item.external_id == f"{prefix_of(URL)}https://blog.example/1"

    def test_an_entry_without_id_and_link_is_known_by_what_it_says(self, pulls: Pulls, fake: FakeFeed) -> None:
        entries = ["<title>a</title>", "<title>b</title>", "<description>a</description>", "<title>a</title>"]
        first = brought(pulls, fake, rss("A blog", entries))
        second = brought(pulls, fake, rss("A blog", entries[::-1]))
        assert len(first) == 3
        assert {item.external_id for item in first} == {item.external_id for item in second}

    def test_ids_that_a_feed_gives_to_everything_are_not_trusted(self, pulls: Pulls, fake: FakeFeed) -> None:
        entries = [f"<guid>home</guid><title>t{n}</title><link>https://blog.example/{n}</link>" for n in range(3)]
        assert len({item.external_id for item in brought(pulls, fake, rss("A blog", entries))}) == 3
        later = brought(pulls, fake, rss("A blog", entries[1:2]))
        assert later[0].external_id in pulls.stored
        assert len(pulls.stored) == 3

    def test_a_very_long_id_is_shortened_and_stays_unique(self, pulls: Pulls, fake: FakeFeed) -> None:
        long = "x" * 2_000
        items = brought(pulls, fake, rss("A blog", [f"<guid>{long}{n}</guid>" for n in range(2)]))
        assert len({item.external_id for item in items}) == 2
        assert {len(item.external_id) for item in items} == {MAX_ID}


class TestOptions:
    @pytest.mark.parametrize("url", ["blog.example/feed", "file:///etc/passwd", "", "https://"])
    def test_an_address_that_is_not_of_the_web_is_refused(self, url: str) -> None:
        with pytest.raises(ValidationError, match="https://"):
            FeedOptions(url=url)

    def test_feed_links_of_readers_are_understood(self) -> None:
        assert FeedOptions(url="feed://blog.example/rss").url == "https://blog.example/rss"
        assert FeedOptions(url="feed:https://blog.example/rss").url == "https://blog.example/rss"

    def test_the_address_is_not_shown(self) -> None:
        assert SECRET not in repr(FeedOptions(url=URL))
        with pytest.raises(ValidationError) as caught:
            FeedOptions(url=URL.removeprefix("https://"))
        assert SECRET not in str(caught.value)

    @pytest.mark.parametrize(
        "link",
        [
            "https://blog.example/feed",
            "https://blog.example/feed/",
            "https://blog.example/comments/feed/",
            "https://blog.example/index.xml",
            "https://blog.example/atom.xml?x=1",
            "https://blog.example/?feed=rss2",
            "https://blog.example/feed.json",
            "https://forum.example/latest.rss",
            "https://news.google.com/rss/search?q=acme",
            "feed://blog.example/rss",
        ],
    )
    def test_a_link_to_a_feed_is_recognised(self, link: str) -> None:
        assert PLUGIN.recognise(link) == {"url": link}

    @pytest.mark.parametrize(
        "link",
        [
            "https://blog.example/",
            "https://blog.example/feedback",
            "https://a.example/sitemap.xml",
            "/tmp/a.xml",
            "acme",
        ],
    )
    def test_another_link_is_not(self, link: str) -> None:
        assert PLUGIN.recognise(link) is None

    def test_a_page_names_its_feeds(self) -> None:
        page = (
            "<head><base href='/blog/'><link rel='stylesheet' href='a.css'>"
            "<link rel='alternate' type='application/atom+xml' href='atom.xml'>"
            "<link rel='ALTERNATE' type='application/feed+json' href='https://cdn.example/feed.json'>"
            "<link rel='alternate' type='application/rss+xml' href='javascript:x'>"
            "<link rel='alternate' hreflang='de' href='/de'></head>"
        )
        assert discover(page, "https://a.example/x") == [
            "https://a.example/blog/atom.xml",
            "https://cdn.example/feed.json",
        ]
