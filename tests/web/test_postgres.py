"""The pages over a store on PostgreSQL: the same as over a file."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path

from monitor.app import build
from monitor.samples.demo import demo_settings
from storage import copying
from storage.engine import open_database
from tests.web.everything import documents
from tests.web.serving import Dashboard, served

ASKED = (
    "/items?q=battery+AND+NOT+charg*&window=all&language=en&order=engaged",
    "/items?attribute=country%3DIN&min_stars=2&uncounted=all&order=negative",
    "/items?author=tag_goblin&place=r/notetaking&done=0&min_engagement=1&order=positive",
    "/reviews?unanswered=1&tag=none&window=90d",
    "/authors?who=tag_goblin",
    "/overview?since=2030-01-01&until=2031-01-01",
)


def test_every_page_comes_from_postgresql_with_its_parts(
    sampled: Path, read_only: Dashboard, postgres_database: str
) -> None:
    settings = demo_settings(sampled)
    source, target = open_database(settings.monitor.database), open_database(postgres_database)
    copying.copy(source, target)
    for one in (source, target):
        one.close()
    elsewhere = settings.monitor.model_copy(update={"database": postgres_database})
    app = build(settings.model_copy(update={"monitor": elsewhere}))
    with served(app) as dashboard:
        pages = [*documents(read_only), *ASKED]
        assert len(pages) > 20
        parts = {part for page in pages for part in re.findall(r'data-load="([^"]+)"', dashboard.get(page).text)}
        assert len(parts) > 5
        for part in sorted(parts):
            assert "<html" not in dashboard.get(unescape(part)).text
    app.close()
