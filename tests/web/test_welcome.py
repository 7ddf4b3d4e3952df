"""The first run: what to do next, and what a link would bring before anything is stored."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import format_datetime
from pathlib import Path

import pytest

from connectors.testing import Reply
from monitor.app import build
from monitor.config import load
from monitor.web import access
from storage import listing, tokens
from storage.records import ItemFilter
from tests.unit.http_world import World
from tests.web.serving import Dashboard, served

EMPTY = """
[monitor]
database = "sqlite:///{folder}/monitor.db"
[[brands]]
name = "Acme"
"""


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Dashboard]:
    """The dashboard of somebody who has just begun: a brand, no source, no item."""
    (tmp_path / "config.toml").write_text(EMPTY.format(folder=tmp_path), encoding="utf-8")
    app = build(load(tmp_path / "config.toml"))
    with served(app) as dashboard:
        yield dashboard
    app.close()


def test_with_nothing_stored_the_first_page_says_what_to_do(fresh: Dashboard) -> None:
    answer = fresh.get("/")
    assert answer.url.path == "/welcome"
    assert "Nothing is stored yet" in answer.text
    assert "Watched: <strong>Acme</strong>" in answer.text


def test_every_page_can_be_opened_with_nothing_stored(fresh: Dashboard) -> None:
    for page in (
        "overview",
        "items",
        "mentions",
        "reviews",
        "topics",
        "authors",
        "competitors",
        "audit",
        "sources",
        "settings",
    ):
        fresh.get(f"/{page}")
        fresh.get(f"/{page}?whole=1")


@pytest.mark.parametrize(
    "link", ["", "just words", "/etc/passwd", "sqlite:///etc/passwd", "file:///etc/passwd", "javascript:alert(1)"]
)
def test_what_is_no_link_is_refused_and_no_file_is_read(fresh: Dashboard, link: str) -> None:
    text = fresh.submit("/welcome", {"link": link}, 422).text
    assert "root:" not in text
    assert 'class="notice bad"' in text


FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Acme news</title>
<item><guid>1</guid><title>Acme is great</title><description>I love it, wonderful!</description><pubDate>{day}</pubDate></item>
<item><guid>2</guid><title>Acme is awful</title><description>&lt;script&gt;alert(1)&lt;/script&gt;It broke, terrible.</description><pubDate>{day}</pubDate></item>
</channel></rss>"""


@pytest.fixture
def feed(fresh: Dashboard) -> Iterator[str]:
    """A feed on this machine, which its owner may name."""
    body = FEED.format(day=format_datetime(fresh.app.now()))
    world = World()
    world.replies["/feed.xml"] = Reply(body.encode(), 200, {"Content-Type": "application/rss+xml"})
    yield world.url("/feed.xml")
    world.close()


def test_a_link_shows_what_it_would_bring_and_nothing_is_stored(fresh: Dashboard, feed: str) -> None:
    text = fresh.submit("/welcome", {"link": feed, "keyword": "acme"}).text
    assert "1 positive, 0 neutral, 1 negative of 2" in text
    assert "<script>alert" not in text
    assert f"sentiment-monitor add {feed}" in text
    assert listing.count_items(fresh.app.database, ItemFilter(uncounted="all")) == 0


def test_whoever_looks_from_elsewhere_reads_no_private_network(tmp_path: Path, feed: str) -> None:
    (tmp_path / "far.toml").write_text(EMPTY.format(folder=tmp_path / "far"), encoding="utf-8")
    app = build(load(tmp_path / "far.toml"))
    tokens.keep_password(app.database, access.hashed("correct horse"))
    with served(app, host="0.0.0.0") as far:
        far.client.post("/login", data={"password": "correct horse"})
        text = far.submit("/welcome", {"link": feed}, 422).text
    app.close()
    assert "Acme is great" not in text
    assert "it cannot be read" in text
