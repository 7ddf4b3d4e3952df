"""The sources' page: how each is, what its last pulls were, and what can be asked of it."""

from __future__ import annotations

import re
import shutil
from html import escape, unescape
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from monitor.app import build
from monitor.config import parse
from storage import sources
from tests.web.serving import Dashboard, served


def test_every_source_is_shown_with_its_state_and_its_pulls(read_only: Dashboard) -> None:
    text = read_only.get("/sources").text
    names = [state.name for state in sources.states(read_only.app.database)]
    assert names
    assert all(f'href="/sources/{name}"' in text for name in names)
    assert "1 last pulls: 1 good, 0 failed" in text


def test_a_source_has_a_page_with_its_log(read_only: Dashboard) -> None:
    text = read_only.get("/sources/forum").text
    assert "Last good pull" in text
    assert "under way" not in text


def test_a_source_that_is_not_there_is_not_found(read_only: Dashboard) -> None:
    read_only.get("/sources/nowhere", 404)


def test_a_source_is_paused_with_a_reason_and_resumed(dashboard: Dashboard) -> None:
    asked = {"source": "forum", "do": "pause", "reason": "too loud"}
    assert "rests until somebody resumes it" in dashboard.submit("/sources?to=/sources/forum", asked).text
    page = dashboard.get("/sources/forum").text
    assert "too loud" in page
    assert 'value="resume"' in page
    assert "goes on" in dashboard.submit("/sources", {"source": "forum", "do": "resume"}).text
    assert 'value="pull"' in dashboard.get("/sources/forum").text


def test_a_source_is_due_at_once_when_it_is_to_be_pulled_now(dashboard: Dashboard) -> None:
    said = dashboard.submit("/sources", {"source": "forum", "do": "pull"}).text
    assert "is due, but no daemon runs" in said
    state = next(one for one in sources.states(dashboard.app.database) if one.name == "forum")
    assert state.next_run_at <= dashboard.app.now()


@pytest.mark.parametrize("view", ["brand=Jotwick&window=7d", "brand=Jotwick&since=2026-01-02T00:00Z&until=2026-02-01"])
def test_brand_and_window_stay_through_what_is_done_with_a_source(dashboard: Dashboard, view: str) -> None:
    page = dashboard.get(f"/sources?{view}").text
    to = re.search(r'action="(/sources\?to=[^"]+)"', page)
    assert to is not None
    after = dashboard.submit(unescape(to[1]), {"source": "forum", "do": "resume"})
    kept = parse_qs(urlsplit(str(after.url)).query)
    assert kept["brand"] == ["Jotwick"]
    assert kept.get("window") == (["7d"] if "window" in view else None)
    assert kept.get("since", [""])[0][:10] == ("" if "window" in view else "2026-01-02")
    assert f'href="/overview?{escape(urlencode(kept, doseq=True))}"' in after.text


def test_a_source_can_be_tested(dashboard: Dashboard) -> None:
    assert "forum: works" in dashboard.submit("/sources", {"source": "forum", "do": "test"}).text


@pytest.mark.parametrize("asked", [{"source": "nowhere", "do": "pull"}, {"source": "forum", "do": "explode"}, {}])
def test_what_cannot_be_done_is_said(dashboard: Dashboard, asked: dict[str, str]) -> None:
    assert 'class="notice bad"' in dashboard.submit("/sources", asked).text


def test_nobody_is_sent_to_another_site_afterwards(dashboard: Dashboard) -> None:
    answer = dashboard.submit("/sources?to=//evil.example/", {"source": "forum", "do": "pull"})
    assert answer.url.host == "127.0.0.1"


def test_a_source_that_is_sent_to_shows_where_and_is_neither_pulled_nor_tested(
    tmp_path: Path, migrated_file: Path
) -> None:
    url = f"sqlite:///{shutil.copyfile(migrated_file, tmp_path / 'store.db')}"
    hook = {"name": "shop", "type": "webhook", "brand": "Acme", "options": {"token": "t" * 32}}
    resting = {"name": "a quiet one", "type": "hackernews", "brand": "Acme", "enabled": False}
    data = {"monitor": {"database": url}, "brands": [{"name": "Acme"}], "sources": [resting, hook]}
    app = build(parse(data))
    with served(app) as dashboard:
        page, one, rests = (
            dashboard.get(path).text for path in ("/sources", "/sources/shop", "/sources/a%20quiet%20one")
        )
    app.close()
    assert page.index(">shop<") < page.index(">a quiet one<")
    for text in (page, one):
        assert "/api/v1/sources/shop/items, with the token in Authorization" in text
        assert 'value="pause"' in text
        assert 'value="pull"' not in text + rests
        assert 'value="test"' not in text + rests
