"""What becomes of the entries of feeds, and of documents that are no feeds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.contract import Item, Kind
from connectors.errors import NotThere, SourceError, Unavailable
from connectors.feeds import PLUGIN
from connectors.testing import Case
from connectors.testing.platform import NOW
from connectors.testing.suite import Pulls
from tests.fakes.feeds import URL, FakeFeed, rss


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


class TestDates:
    def test_an_entry_without_a_date_keeps_the_time_at_which_it_was_first_seen(
        self, pulls: Pulls, fake: FakeFeed
    ) -> None:
        first = one(pulls, fake, "<guid>1</guid><title>t</title>")
        pulls.now = NOW + timedelta(days=2)
        again = one(pulls, fake, "<guid>1</guid><title>changed</title>")
        assert first.published_at == again.published_at == NOW
        assert first.attributes["dated"] == "first seen"

    @pytest.mark.parametrize("date", ["Mon, 01 Jan 0001 00:00:00 GMT", "Tue, 05 Nov 2030 10:00:00 GMT", "soon"])
    def test_an_absurd_date_counts_as_none(self, pulls: Pulls, fake: FakeFeed, date: str) -> None:
        assert one(pulls, fake, f"<guid>1</guid><pubDate>{date}</pubDate>").published_at == NOW

    def test_an_entry_that_changes_its_date_keeps_the_first(self, pulls: Pulls, fake: FakeFeed) -> None:
        one(pulls, fake, "<guid>1</guid><pubDate>Sun, 25 Oct 2026 10:00:00 +0200</pubDate>")
        again = one(pulls, fake, "<guid>1</guid><pubDate>Sat, 31 Oct 2026 10:00:00 +0200</pubDate>")
        assert again.published_at == datetime(2026, 10, 25, 8, tzinfo=UTC)

    def test_an_edit_shows_as_updated(self, pulls: Pulls, fake: FakeFeed) -> None:
        document = (
            '<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><entry><id>1</id>'
            "<updated>2026-10-30T10:00:00.5+01:00</updated></entry></feed>"
        )
        (first,) = brought(pulls, fake, document)
        (second,) = brought(pulls, fake, document.replace("10-30", "10-31"))
        assert first.updated_at is None
        assert second.published_at == first.published_at == datetime(2026, 10, 30, 9, tzinfo=UTC)
        assert second.updated_at == datetime(2026, 10, 31, 9, tzinfo=UTC)


class TestContent:
    def test_the_content_is_preferred_to_the_summary_and_comes_without_markup(
        self, pulls: Pulls, fake: FakeFeed
    ) -> None:
        item = one(
            pulls,
            fake,
            "<guid>1</guid><description>Short</description><c:encoded xmlns:c='http://purl.org/rss/1.0/modules/content/'>"
            "<![CDATA[<p>It <b>works</b> &amp; shines</p><script>x()</script>]]></c:encoded>",
        )
        assert item.text == "It works & shines"

    def test_plain_text_with_an_angle_keeps_it(self, pulls: Pulls, fake: FakeFeed) -> None:
        document = (
            '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>t</title><entry><id>1</id>'
            "<title type='text'>List&lt;String&gt; &amp; more</title></entry></feed>"
        )
        (item,) = brought(pulls, fake, document)
        assert item.title == "List<String> & more"
        assert item.language == "de"

    def test_counts_categories_author_and_place_arrive(self, pulls: Pulls, fake: FakeFeed) -> None:
        item = one(
            pulls,
            fake,
            "<guid>1</guid><author>jane@blog.example (Jane Doe)</author><category>phones</category>"
            "<category>tests</category><s:comments xmlns:s='http://purl.org/rss/1.0/modules/slash/'>12</s:comments>",
            "<language>en-us</language>",
        )
        assert item.counts.comments == 12
        assert item.counts.likes is None
        assert item.attributes["categories"] == "phones, tests"
        assert item.author is not None
        assert item.author.name == "Jane Doe"
        assert (item.place, item.language) == ("A blog", "en-us")

    def test_a_mail_address_is_not_kept(self, pulls: Pulls, fake: FakeFeed) -> None:
        item = one(pulls, fake, "<guid>1</guid><author>jane@blog.example</author>")
        assert item.author is not None
        assert item.author.name == "jane"
        assert "@" not in item.author.id

    def test_replies_are_counted_as_comments(self, pulls: Pulls, fake: FakeFeed) -> None:
        document = (
            '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:thr="http://purl.org/syndication/thread/1.0"><title>t</title>'
            "<entry><id>1</id><thr:total>5</thr:total></entry></feed>"
        )
        (item,) = brought(pulls, fake, document)
        assert item.counts.comments == 5

    def test_a_publisher_stands_beside_the_title_only_in_googles_feed(self, pulls: Pulls, fake: FakeFeed) -> None:
        entry = (
            "<guid>1</guid><title>Acme - a story - The Paper</title><source url='https://p.example'>The Paper</source>"
        )
        elsewhere = one(pulls, fake, entry)
        google = one(pulls, fake, entry, "<link>https://news.google.com/search?q=acme</link>")
        assert (elsewhere.title, elsewhere.place) == ("Acme - a story - The Paper", "A blog")
        assert (google.title, google.place) == ("Acme - a story", "The Paper")

    def test_kind_and_place_are_as_configured(self, fake: FakeFeed) -> None:
        class Own(FakeFeed):
            def options(self) -> Mapping[str, Any]:
                return {"url": URL, "kind": "post", "place": "Our blog"}

        own = Own()
        try:
            own.publish(1)
            (item,) = Pulls(Case(plugin=PLUGIN, fake=Own, kind=Kind.POST), own).pull()
        finally:
            own.close()
        assert (item.kind, item.place) == (Kind.POST, "Our blog")

    def test_a_link_that_is_no_web_address_is_left_out(self, pulls: Pulls, fake: FakeFeed) -> None:
        assert one(pulls, fake, "<guid>1</guid><link>javascript:alert(1)</link>").url is None

    @pytest.mark.parametrize(
        ("charset", "declared", "content_type"),
        [
            ("utf-8", "", "application/xml"),
            ("utf-8", "iso-8859-1", "text/xml; charset=iso-8859-1"),
            ("cp1252", "iso-8859-1", "application/xml"),
            ("cp1252", "", "text/xml; charset=windows-1252"),
            ("cp1252", "bogus", "text/xml"),
            ("utf-16", "utf-16", "application/xml"),
            ("utf-16-be", "utf-16", "application/xml"),
            ("utf-32", "utf-32", "application/xml"),
            ("gb18030", "gb2312", "application/xml"),
            ("utf-8-sig", "utf-8", "text/html"),
        ],
    )
    def test_odd_encodings_survive(
        self, pulls: Pulls, fake: FakeFeed, charset: str, declared: str, content_type: str
    ) -> None:
        declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
        document = declaration + rss("A blog", ["<guid>1</guid><title>Café für €5</title>"]).decode()
        (item,) = brought(pulls, fake, document.encode(charset), content_type)
        assert item.title == "Café für €5"


class TestWhatIsNoFeed:
    def test_a_web_page_that_names_its_feed_says_which_address_to_use(self, pulls: Pulls, fake: FakeFeed) -> None:
        page = '<!doctype html><html><head><link rel="alternate" type="application/rss+xml" href="/the/feed"></head></html>'
        with pytest.raises(NotThere, match=r'set url = "http://127\.0\.0\.1:\d+/the/feed"'):
            brought(pulls, fake, page, "text/html")

    @pytest.mark.parametrize(
        "document", ["", "{}", "[1]", '{"items": [', "<note><to>x</to></note>", "busy", "<html></html>"]
    )
    def test_what_is_not_a_feed_is_tried_again_later(self, pulls: Pulls, fake: FakeFeed, document: str) -> None:
        with pytest.raises(Unavailable, match="not a feed"):
            brought(pulls, fake, document)

    @pytest.mark.parametrize("prolog", ["", "<!-- <rss> -->", '<?xml version="1.0" encoding="utf-16"?>'])
    @pytest.mark.parametrize("name", ["a", "% a"])
    def test_a_document_that_defines_entities_is_refused(
        self, pulls: Pulls, fake: FakeFeed, prolog: str, name: str
    ) -> None:
        bomb = f'{prolog}<!DOCTYPE rss [<!ENTITY {name} "{"x" * 1000}"><!ENTITY b "&a;&a;">]>'
        document = bomb + rss("A blog", ["<guid>1</guid><title>&b;</title>"]).decode()
        with pytest.raises(Unavailable, match="entities"):
            brought(pulls, fake, document.encode("utf-16" if "utf-16" in prolog else "utf-8"))

    def test_an_entity_hidden_by_an_encoding_is_refused(self, pulls: Pulls, fake: FakeFeed) -> None:
        document = '<!DOCTYPE rss [<!ENTITY a "xx">]>' + rss("A blog", ["<title>&a;</title>"]).decode()
        declared = b'<?xml version="1.0" encoding="utf-7"?>' + document.encode("utf-7")
        with pytest.raises(Unavailable):
            brought(pulls, fake, declared)

    def test_an_article_about_entities_is_read(self, pulls: Pulls, fake: FakeFeed) -> None:
        item = one(pulls, fake, "<guid>1</guid><description><![CDATA[Write <!ENTITY a 'b'> so]]></description>")
        assert item.text is not None

    def test_a_heap_of_namespaces_is_refused(self, pulls: Pulls, fake: FakeFeed) -> None:
        document = "<rss version='2.0'>" + "".join(f'<a xmlns:n{n}="u{n}">' for n in range(300))
        with pytest.raises(Unavailable, match="namespaces"):
            brought(pulls, fake, document)

    def test_a_body_that_is_a_path_opens_no_file(self, pulls: Pulls, fake: FakeFeed) -> None:
        with pytest.raises(SourceError):
            brought(pulls, fake, "/etc/hosts")


def test_an_id_that_is_no_address_is_not_taken_for_the_link(pulls: Pulls, fake: FakeFeed) -> None:
    assert one(pulls, fake, "<guid>4711</guid><title>t</title>").url is None


def test_an_id_that_is_an_address_is_the_link(pulls: Pulls, fake: FakeFeed) -> None:
    assert one(pulls, fake, "<guid>https://blog.example/7</guid><title>t</title>").url == "https://blog.example/7"
