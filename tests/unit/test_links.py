"""``try LINK`` understands the links that people paste, and where it cannot, it says what to paste instead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any

import pytest

from connectors.http import HttpClient
from connectors.testing import Reply
from monitor.links import hint, readings, tidied
from monitor.preview import NotUnderstood, understand
from monitor.probing import probe
from tests.unit.http_world import World

APP = {"app_id": "1099568401"}
SUBREDDIT = {"subreddits": ["acme"]}
CHANNEL = {"channels": ["@acme"]}
VIDEO = {"videos": ["dQw4w9WgXcQ"]}
TOOT = {"server": "https://mastodon.social", "hashtags": [], "accounts": ["acme"]}
REPOSITORY = {"repositories": ["acme/app"]}
FORUM = {"forum": "https://community.acme.com"}
TEAM_FORTRESS = {"app_id": "440"}

UNDERSTOOD: list[tuple[str, str, dict[str, Any]]] = [
    ("https://apps.apple.com/de/app/home-assistant/id1099568401", "appstore", {**APP, "countries": ["de"]}),
    ("https://apps.apple.com/us/app/x/id1099568401?platform=iphone&see-all=reviews", "appstore", APP),
    ("apps.apple.com/app/id1099568401", "appstore", APP),
    ("https://itunes.apple.com/gb/app/x/id1099568401?mt=8&uo=4", "appstore", {**APP, "countries": ["gb"]}),
    ("https://www.apps.apple.com/de/app/x/id1099568401?l=en&utm_source=news", "appstore", APP),
    (
        "https://play.google.com/store/apps/details?id=com.acme.app&hl=de&gl=US",
        "googleplay",
        {"package": "com.acme.app"},
    ),
    ("play.google.com/store/apps/details?hl=en&id=com.acme.app", "googleplay", {"package": "com.acme.app"}),
    (
        "https://play.google.com/store/apps/details?id=com.acme.app&showAllReviews=true&utm_source=na#reviews",
        "googleplay",
        {"package": "com.acme.app"},
    ),
    ("market://details?id=com.acme.app", "googleplay", {"package": "com.acme.app"}),
    ("https://www.reddit.com/r/acme/", "reddit", SUBREDDIT),
    ("https://old.reddit.com/r/acme", "reddit", SUBREDDIT),
    ("https://np.reddit.com/r/acme/new/", "reddit", SUBREDDIT),
    ("https://new.reddit.com/r/acme/?f=flair&utm_source=share", "reddit", SUBREDDIT),
    ("https://m.reddit.com/r/acme/top/?t=week", "reddit", SUBREDDIT),
    ("reddit.com/r/acme", "reddit", SUBREDDIT),
    ("r/acme", "reddit", SUBREDDIT),
    ("/r/acme", "reddit", SUBREDDIT),
    ("https://www.reddit.com/r/acme/comments/1abc23/some_title/", "reddit", SUBREDDIT),
    ("https://www.reddit.com/r/acme/s/AbCdEf", "reddit", SUBREDDIT),
    ("https://www.reddit.com/search/?q=acme&type=link", "reddit", {"query": "acme"}),
    ("https://www.reddit.com/user/spez/", "reddit", {}),
    ("https://redd.it/1abc23", "reddit", {}),
    ("https://www.youtube.com/@acme", "youtube", CHANNEL),
    ("https://youtube.com/@acme/videos", "youtube", CHANNEL),
    ("https://m.youtube.com/@acme?si=abc", "youtube", CHANNEL),
    ("youtube.com/@acme", "youtube", CHANNEL),
    (
        "https://www.youtube.com/channel/UC_x5XG1OV2P6uZZ5FSM9Ttw",
        "youtube",
        {"channels": ["UC_x5XG1OV2P6uZZ5FSM9Ttw"]},
    ),
    ("https://www.youtube.com/watch?v=dQw4w9WgXcQ&t=10s&pp=abc", "youtube", VIDEO),
    ("https://youtu.be/dQw4w9WgXcQ?si=abc", "youtube", VIDEO),
    ("https://www.youtube.com/shorts/dQw4w9WgXcQ", "youtube", VIDEO),
    ("https://www.youtube.com/live/dQw4w9WgXcQ?feature=share", "youtube", VIDEO),
    ("https://music.youtube.com/watch?v=dQw4w9WgXcQ", "youtube", VIDEO),
    ("https://www.youtube.com/results?search_query=acme+phone", "youtube", {"query": "acme phone"}),
    ("https://mastodon.social/@acme", "mastodon", TOOT),
    ("https://mastodon.social/@acme/111111111111111111", "mastodon", TOOT),
    ("https://mastodon.social/web/@acme", "mastodon", TOOT),
    ("@acme@mastodon.social", "mastodon", TOOT),
    ("https://fosstodon.org/@acme", "mastodon", {**TOOT, "server": "https://fosstodon.org"}),
    ("https://hachyderm.io/tags/acme", "mastodon", {"server": "https://hachyderm.io", "hashtags": ["acme"]}),
    ("https://bsky.app/profile/acme.bsky.social", "bluesky", {"accounts": ["acme.bsky.social"]}),
    ("https://www.bsky.app/profile/acme.com?utm_source=x", "bluesky", {"accounts": ["acme.com"]}),
    ("https://bsky.app/profile/acme.com/post/3kabc", "bluesky", {"accounts": ["acme.com"]}),
    ("@acme.bsky.social", "bluesky", {"accounts": ["acme.bsky.social"]}),
    ("https://bsky.app/search?q=acme", "bluesky", {"query": "acme"}),
    ("https://bsky.app/hashtag/acme", "bluesky", {"query": "#acme"}),
    ("https://community.acme.com/t/how-to-do/123/5?u=sam", "discourse", FORUM),
    ("https://meta.discourse.org/latest", "discourse", {"forum": "https://meta.discourse.org"}),
    ("https://discourse.acme.com", "discourse", {"forum": "https://discourse.acme.com"}),
    ("https://lemmy.world/c/technology", "lemmy", {"server": "lemmy.world", "communities": ["technology@lemmy.world"]}),
    ("https://lemmy.world/c/technology@lemmy.ml", "lemmy", {"communities": ["technology@lemmy.ml"]}),
    ("https://programming.dev/c/rust?dataType=Post", "lemmy", {"server": "programming.dev"}),
    ("!technology@lemmy.world", "lemmy", {"server": "lemmy.world", "communities": ["technology@lemmy.world"]}),
    ("https://store.steampowered.com/app/440/Team_Fortress_2/?snr=1_7", "steam", TEAM_FORTRESS),
    ("https://steamcommunity.com/app/440/reviews/?browsefilter=toprated", "steam", TEAM_FORTRESS),
    ("s.team/a/440", "steam", TEAM_FORTRESS),
    ("steam://store/440", "steam", TEAM_FORTRESS),
    ("https://www.trustpilot.com/review/acme.com", "trustpilot", {"business_unit": "acme.com"}),
    ("https://de.trustpilot.com/review/acme.com?page=2&stars=1", "trustpilot", {"business_unit": "acme.com"}),
    ("https://www.trustpilot.com/evaluate/acme.com", "trustpilot", {"business_unit": "acme.com"}),
    ("https://github.com/acme/app", "github", REPOSITORY),
    ("https://www.github.com/acme/app?tab=readme-ov-file#readme", "github", REPOSITORY),
    ("https://github.com/acme/app/issues/12", "github", REPOSITORY),
    ("https://github.com/acme/app.git", "github", REPOSITORY),
    ("git@github.com:acme/app.git", "github", REPOSITORY),
    ("HTTPS://GitHub.com/acme/app", "github", REPOSITORY),
    (
        "https://stackoverflow.com/questions/tagged/python",
        "stackexchange",
        {"site": "stackoverflow", "tagged": ["python"]},
    ),
    (
        "https://diy.stackexchange.com/questions/tagged/paint?tab=Newest",
        "stackexchange",
        {"site": "diy", "tagged": ["paint"]},
    ),
    ("https://stackoverflow.com/questions/12345/how-to", "stackexchange", {"site": "stackoverflow"}),
    ("superuser.com", "stackexchange", {"site": "superuser"}),
    ("https://example.com/feed.xml", "feeds", {"url": "https://example.com/feed.xml"}),
    ("feed://example.com/rss", "feeds", {"url": "feed://example.com/rss"}),
    ("https://hn.algolia.com/?q=acme", "hackernews", {"query": "acme"}),
    ("https://news.ycombinator.com/item?id=1", "hackernews", {}),
    ("https://x.com/search?q=acme&src=typed_query&f=live", "x", {"query": "acme"}),
    ("https://mobile.twitter.com/hashtag/acme", "x", {"query": "#acme"}),
    ("https://www.instagram.com/explore/tags/acme/", "instagram", {"hashtags": ["acme"]}),
    (
        "https://news.google.com/search?q=%22acme%22&ceid=US:en",
        "googlenews",
        {"query": '"acme"', "editions": ["en-US"]},
    ),
]


@pytest.mark.parametrize(("text", "type_", "options"), UNDERSTOOD, ids=[text for text, _, _ in UNDERSTOOD])
def test_a_link_is_understood(text: str, type_: str, options: dict[str, Any]) -> None:
    target = understand(text, _now)
    assert target.plugin.name == type_
    assert {name: target.options.get(name) for name in options} == options


@pytest.mark.parametrize(
    "text",
    [
        "<https://github.com/acme/app>",
        '"https://github.com/acme/app"',
        "“https://github.com/acme/app”",
        "https://github.com/acme/app).",
        "(https://github.com/acme/app)",
        "https://github.com/acme/app,",
        "  https://github.com/acme/app \n",
    ],
)
def test_what_came_along_with_a_link_does_no_harm(text: str) -> None:
    assert understand(text, _now).options == REPOSITORY


def test_what_belongs_to_a_link_stays() -> None:
    assert tidied("https://en.example.org/wiki/Acme_(company)") == "https://en.example.org/wiki/Acme_(company)"
    assert tidied('https://x.com/search?q="acme phone"&f=live') == 'https://x.com/search?q="acme phone"&f=live'


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("https://www.reddit.com/r/acme/comments/1abc23/title/", "this is its subreddit"),
        ("https://news.ycombinator.com/item?id=1", "a search for your keywords"),
        ("https://stackoverflow.com/questions/12345/how-to", "this is its site"),
        ("https://bsky.app/profile/acme.com/post/3kabc", "this is the account"),
        ("https://mastodon.social/@acme/111111111111111111", "the account as a whole"),
    ],
)
def test_where_a_part_stands_for_the_whole_that_is_said(text: str, note: str) -> None:
    assert note in (understand(text, _now).note or "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("https://x.com/acme", "paste a search, such as https://x.com/search?q="),
        ("https://twitter.com/acme/status/1", "paste a search"),
        ("https://www.facebook.com/acme", "sentiment-monitor add facebook_page"),
        ("https://m.facebook.com/acme/posts/1", "only pages that you manage"),
        ("https://www.facebook.com/profile.php?id=1", "only pages that you manage"),
        ("https://www.instagram.com/acme/?igsh=abc", "sentiment-monitor add instagram"),
        ("https://www.google.com/maps/place/Acme+Cafe/@52.5,13.4,17z", "sentiment-monitor add google_business"),
        ("https://maps.app.goo.gl/abc", "sentiment-monitor add google_business"),
        ("https://github.com/acme", "paste the link to a repository"),
        ("https://lemmy.ml/post/123", "paste the link to a community"),
        ("https://play.google.com/store/apps/dev?id=5700", "paste the link to one app"),
        ("https://apps.apple.com/us/developer/acme/id123", "paste the link to one app"),
        ("https://store.steampowered.com/search/?term=acme", "paste the link to one app"),
        ("https://appstoreconnect.apple.com/apps/123/distribution", "sentiment-monitor add appstoreconnect"),
        ("https://www.trustpilot.com/categories/bank", "paste the link to a company"),
        ("https://www.tiktok.com/@acme", "there is no connector for it"),
        ("https://de.linkedin.com/company/acme/", "there is no connector for it"),
        ("https://www.amazon.co.uk/dp/B000", "sentiment-monitor import FILE"),
        ("https://www.yelp.com/biz/acme", "there is no connector for it"),
        ("https://t.me/acme", "there is no connector for it"),
    ],
)
def test_where_a_link_is_not_enough_it_is_said_what_is(text: str, said: str) -> None:
    with pytest.raises(NotUnderstood) as caught:
        understand(text, _now)
    assert said in str(caught.value)


def test_what_is_no_link_has_no_readings() -> None:
    for text in ("acme phone", "", "acme", "mailto:a@b.example", "ftp://example.org/x"):
        assert list(readings(tidied(text))) == []


def test_a_hint_is_for_that_host_alone() -> None:
    for link in (
        "https://notx.com/acme",
        "https://example.org/x.com/acme",
        "https://x.community.example/acme",
        "https://[::1",
    ):
        assert hint(link) is None


# ------------------------------------------------------------------------------- software that runs on any host


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.close()


def _asked(world: World, path: str) -> tuple[str, Any] | None:
    with closing(HttpClient(trusted=frozenset({"127.0.0.1"}))) as http:
        return probe(world.url(path), http)


def test_a_server_that_says_it_is_mastodon_is_taken_at_its_word(world: World) -> None:
    world.replies["/api/v2/instance"] = Reply.of_json({"domain": "social.acme.example", "version": "4.5.0"})
    home = world.url("")
    profile = ("mastodon", {"server": home, "hashtags": [], "accounts": ["acme"]})
    assert _asked(world, "/@acme") == profile
    assert _asked(world, "/@acme/1111") == profile
    assert _asked(world, "/tags/acme") == ("mastodon", {"server": home, "hashtags": ["acme"]})


def test_a_server_that_says_it_is_lemmy_is_taken_at_its_word(world: World) -> None:
    world.replies["/api/v3/site"] = Reply.of_json({"site_view": {"site": {"name": "Ours"}}})
    server = world.url("").removeprefix("http://")
    assert _asked(world, "/c/acme") == ("lemmy", {"server": server, "communities": [f"acme@{server}"]})
    assert _asked(world, "/c/acme@lemmy.ml") == ("lemmy", {"server": server, "communities": ["acme@lemmy.ml"]})


@pytest.mark.parametrize("path", ["/c/support/5", "/t/123", "/latest", "/tag/acme"])
def test_a_host_that_says_it_is_a_discourse_forum_is_taken_at_its_word(world: World, path: str) -> None:
    world.replies["/about.json"] = Reply.of_json({"about": {"title": "Acme's forum"}})
    assert _asked(world, path) == ("discourse", {"forum": world.url("")})


def test_a_host_that_says_nothing_of_the_kind_is_none(world: World) -> None:
    world.replies["/about.json"] = Reply(b"<html>about us</html>")
    for path in ("/@acme", "/tags/acme", "/c/acme", "/latest", "/blog/post"):
        assert _asked(world, path) is None
    assert "/blog/post" not in {request.path for request in world.requests}


def _now() -> datetime:
    return datetime(2026, 11, 1, tzinfo=UTC)
