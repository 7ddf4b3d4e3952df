"""A fake of Google News' search by RSS: at most 100 articles of the last hours or days, not in order."""

from __future__ import annotations

import re
from datetime import timedelta
from email.utils import format_datetime
from typing import ClassVar
from xml.sax.saxutils import escape

from connectors.testing import FakePlatform, Reply, Request, Seed
from connectors.testing.platform import NOW

LIMIT = 100


class FakeGoogleNews(FakePlatform):
    """Every seed is an article of one publisher."""

    ceiling: ClassVar[int | None] = LIMIT
    paged: ClassVar[bool] = False

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW

    def external_id(self, seed: Seed) -> str:
        return f"CBMi{seed.number:06d}"

    def respond(self, request: Request) -> Reply:
        span = re.search(r" when:(\d+)([hd])$", request.query.get("q", ""))
        if request.path != "/rss/search" or span is None or not {"hl", "gl", "ceid"} <= set(request.query):
            return Reply(b"not found", 404)
        oldest = self.now - timedelta(hours=int(span[1]) * (24 if span[2] == "d" else 1))
        found = [seed for seed in self.newest_first() if seed.at >= oldest][:LIMIT]
        entries = "".join(map(self._entry, sorted(found, key=lambda seed: seed.number % 7)))
        feed = (
            '<?xml version="1.0" encoding="UTF-8" standalone="yes"?><rss version="2.0"><channel>'
            "<title>acme - Google News</title><link>https://news.google.com/search?q=acme</link>"
            f"<language>en-US</language>{entries}</channel></rss>"
        )
        return Reply(feed.encode(), 200, {"Content-Type": "application/xml; charset=utf-8"})

    def _entry(self, seed: Seed) -> str:
        link = f"https://news.google.com/rss/articles/{self.external_id(seed)}?oc=5"
        title = escape(f"{seed.text} - The Daily Planet")
        date = "some day" if seed.damaged else format_datetime(seed.at, usegmt=True)
        return (
            f'<item><title>{title}</title><link>{link}</link><guid isPermaLink="false">{self.external_id(seed)}</guid>'
            f"<pubDate>{date}</pubDate><description>&lt;a href='{link}'&gt;{title}&lt;/a&gt;</description>"
            '<source url="https://planet.example">The Daily Planet</source></item>'
        )
