"""What a link, a file or a name means, and what would come from it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.contract import Kind
from connectors.errors import AccessDenied, Unavailable
from connectors.hackernews import HackerNewsOptions
from connectors.testing import Fault, Reply, Request
from connectors.testing.loopback import Loopback
from monitor.matching import Keywords
from monitor.preview import NotUnderstood, Preview, Target, look, understand
from tests.fakes.appstore import APP_ID, FakeAppStore
from tests.fakes.feeds import rss
from tests.fakes.hackernews import FakeHackerNews

NOW = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
FEED = rss("A blog", ["<guid>1</guid><title>Acme is great</title><pubDate>Sat, 31 Oct 2026 12:00:00 GMT</pubDate>"])


def now() -> datetime:
    return NOW


class Site:
    """A web site: paths and what they answer (body, content type)."""

    def __init__(self) -> None:
        self.pages: dict[str, tuple[bytes, str]] = {}
        self.loopback = Loopback(self._respond)

    def _respond(self, request: Request) -> Reply:
        body, content_type = self.pages.get(request.path, (b"", ""))
        return Reply(body, 200, {"Content-Type": content_type}) if body else Reply(b"none", 404)

    def page(self, *feeds: str) -> str:
        """Publish a page that announces these feeds; its address."""
        links = "".join(f'<link rel="alternate" type="application/rss+xml" href="{feed}">' for feed in feeds)
        self.pages["/"] = (f"<!doctype html><html><head>{links}</head></html>".encode(), "text/html")
        return f"{self.loopback.url}/"


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.loopback.close()


@pytest.fixture
def news() -> Iterator[FakeHackerNews]:
    fake = FakeHackerNews()
    yield fake
    fake.close()


def _look(target: Target, **how: object) -> Preview:
    return look(target, target.plugin.options.model_validate(target.options), now, **how)  # type: ignore[arg-type]


def _of_news(fake: FakeHackerNews, **how: object) -> Preview:
    target = understand("hackernews", now).plus({"base_url": fake.base_url})
    return _look(target, **how)


# ------------------------------------------------------------------------------------------ what is meant


def test_a_name_is_that_connector() -> None:
    assert understand(" hackernews ", now) == Target(understand("hackernews", now).plugin)


@pytest.mark.parametrize(
    ("link", "connector", "options"),
    [
        ("https://apps.apple.com/de/app/x/id310633997", "appstore", {"app_id": "310633997", "countries": ["de"]}),
        ("apps.apple.com/us/app/x/id7", "appstore", {"app_id": "7", "countries": ["us"]}),
        ("https://hn.algolia.com/?q=acme", "hackernews", {"query": "acme"}),
        ("https://www.reddit.com/r/python", "reddit", {"subreddits": ["python"]}),
        ("https://blog.example/feed.xml", "feeds", {"url": "https://blog.example/feed.xml"}),
    ],
)
def test_a_link_is_what_its_connector_says_it_is(link: str, connector: str, options: object) -> None:
    target = understand(link, now)
    assert (target.plugin.name, target.options) == (connector, options)


def test_a_file_or_folder_is_read_by_the_files_connector(tmp_path: Path) -> None:
    file = tmp_path / "reviews.csv"
    file.write_text("text\nfine\n")
    assert understand(str(file), now).options == {"path": str(file)}
    assert understand(str(tmp_path), now).plugin.name == "files"


def test_a_feed_in_a_file_is_told_where_it_is_read_from(tmp_path: Path) -> None:
    (tmp_path / "feed.xml").write_bytes(FEED)
    with pytest.raises(NotUnderstood, match=r"a feed is read from its address, not from a file; give its link"):
        understand(str(tmp_path / "feed.xml"), now)


def test_a_page_is_asked_for_the_feeds_it_announces(site: Site) -> None:
    target = understand(site.page("/a.xml", "https://other.example/b.xml"), now)
    assert (target.plugin.name, target.options) == ("feeds", {"url": f"{site.loopback.url}/a.xml"})
    assert target.note is not None
    assert "names 1 more: https://other.example/b.xml" in target.note


def test_a_feed_behind_an_address_that_does_not_look_like_one_is_found(site: Site) -> None:
    site.pages["/news"] = (FEED, "application/rss+xml")
    target = understand(f"{site.loopback.url}/news", now)
    assert target.options == {"url": f"{site.loopback.url}/news"}
    assert [one.row.title for one in _look(target).items] == ["Acme is great"]


def test_a_feed_that_a_page_announces_on_another_private_host_is_not_opened(site: Site) -> None:
    port = site.loopback.url.rpartition(":")[2]
    site.pages["/a.xml"] = (FEED, "application/rss+xml")
    target = understand(site.page(f"http://127.0.0.2:{port}/a.xml"), now)
    with pytest.raises(Unavailable, match="not a public address"):
        _look(target)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("hackernew", 'did you mean "hackernews"'),
        ("???", "no link, no file and no connector; give a link"),
        ("missing.csv", "there is no such file"),
        ("", "one of: "),
    ],
)
def test_what_is_not_understood_is_told_what_is(text: str, words: str) -> None:
    with pytest.raises(NotUnderstood) as caught:
        understand(text, now)
    assert words in str(caught.value)


def test_a_page_of_json_is_told_how_it_is_described(site: Site) -> None:
    site.pages["/reviews"] = (b'{"data": [{"id": 1}]}', "application/json")
    with pytest.raises(NotUnderstood, match="sentiment-monitor try http_json -o url=LINK"):
        understand(f"{site.loopback.url}/reviews", now)


@pytest.mark.parametrize("text", ["postgresql://me:hunter2@host/shop", "sqlite:///shop.db", "var/shop.sqlite3"])
def test_a_database_is_told_how_it_is_described(text: str) -> None:
    with pytest.raises(NotUnderstood, match="sentiment-monitor try sql -o url=") as caught:
        understand(text, now)
    assert "hunter2" not in str(caught.value)


def test_a_page_without_a_feed_is_not_understood(site: Site) -> None:
    with pytest.raises(NotUnderstood, match="announces no feed"):
        understand(site.page(), now)


# --------------------------------------------------------------------------------------------- a first look


def test_the_newest_come_first_and_no_more_than_wanted(news: FakeHackerNews) -> None:
    news.publish(12)
    preview = _of_news(news, keywords=Keywords.compile(["acme"]), limit=5)
    times = [one.row.published_at for one in preview.items]
    assert len(times) == 5
    assert times == sorted(times, reverse=True)
    assert times[0] == NOW - timedelta(minutes=10)
    assert preview.more
    assert preview.queries == ("acme",)


def test_what_would_not_count_says_why_and_is_not_in_the_score(news: FakeHackerNews) -> None:
    news.publish(3)
    words = Keywords.compile(["acme"], exclude=["number 2"])
    preview = _of_news(news, keywords=words, limit=10)
    why = {one.row.external_id[-1]: one.uncounted for one in preview.items}
    assert why == {"1": None, "2": 'excluded by "number 2"', "3": None}
    assert preview.sentiment.total == 2
    other = _of_news(news, keywords=Keywords.compile(["rival"]))
    assert {one.uncounted for one in other.items} == {"does not name the brand"}
    assert other.sentiment.score is None


def test_a_source_that_counts_all_leaves_nothing_out(news: FakeHackerNews) -> None:
    news.publish(3)
    keywords = Keywords.compile(["rival"])
    assert [one.uncounted for one in _of_news(news, keywords=keywords).items] == ["does not name the brand"] * 3
    assert [one.uncounted for one in _of_news(news, keywords=keywords, match="all").items] == [None] * 3


def test_every_item_is_labelled_or_says_why_not(news: FakeHackerNews) -> None:
    news.publish(4)
    preview = _of_news(news, keywords=Keywords.compile(["acme"]))
    assert all(one.scored.label or one.scored.unscored for one in preview.items)


def test_a_malformed_item_is_told_with_its_reason(news: FakeHackerNews) -> None:
    news.damage(news.publish(2)[0])
    preview = _of_news(news, keywords=Keywords.compile(["acme"]))
    assert len(preview.items) == 1
    ((what, why),) = preview.skipped
    assert what.startswith("hit ")
    assert why


def test_all_of_a_subject_counts_whether_it_names_the_brand_or_not() -> None:
    fake = FakeAppStore()
    fake.publish(3)
    try:
        options = {"app_id": APP_ID, "base_url": fake.base_url}
        preview = _look(understand("appstore", now).plus(options), keywords=Keywords.compile(["rival"]))
        assert [one.uncounted for one in preview.items] == [None] * 3
        assert {one.row.kind for one in preview.items} == {Kind.REVIEW}
    finally:
        fake.close()


def test_a_file_is_read_to_its_last_line_even_without_a_new_line(tmp_path: Path) -> None:
    file = tmp_path / "reviews.csv"
    file.write_text("date,text,rating\n2020-01-01,I love it,5\n2020-01-02,terrible,1")
    preview = _look(understand(str(file), now))
    assert [one.scored.label for one in preview.items] == ["negative", "positive"]
    assert preview.sentiment.score == 0


def test_a_search_without_a_word_to_search_for_says_so(news: FakeHackerNews) -> None:
    with pytest.raises(NotUnderstood, match="give --keyword"):
        _of_news(news)
    assert news.loopback.requests == []


def test_a_refusal_reaches_the_caller_by_its_fate(news: FakeHackerNews) -> None:
    news.fail(Fault.FORBIDDEN)
    with pytest.raises(AccessDenied):
        _of_news(news, keywords=Keywords.compile(["acme"]))


def test_options_of_the_users_own_are_added_and_their_hosts_may_be_private(news: FakeHackerNews) -> None:
    target = understand("https://hn.algolia.com/?q=acme", now)
    assert target.plus({"base_url": news.base_url}).named == {"hn.algolia.com", "127.0.0.1"}
    assert HackerNewsOptions.model_validate(target.options).query == "acme"


def test_what_others_would_send_is_shown_without_a_signature() -> None:
    target = understand("webhook", now)
    body = b'[{"text": "I love it", "rating": 5}, {"id": 2}]'
    found = look(target, target.plugin.options(), now, sent=body)
    assert [(one.row.text, one.scored.label) for one in found.items] == [("I love it", "positive")]
    assert [what for what, _ in found.skipped] == ["item 2"]
    assert not look(target, target.plugin.options(), now).items
    with pytest.raises(NotUnderstood, match="nobody sends to it"):
        look(understand("hackernews", now), HackerNewsOptions(query="acme"), now, sent=body)
