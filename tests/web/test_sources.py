"""The sources' page: how each is, what its last pulls were, and what can be asked of it."""

from __future__ import annotations

import pytest

from storage import sources
from tests.web.serving import Dashboard


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


def test_a_source_can_be_tested(dashboard: Dashboard) -> None:
    assert "forum: works" in dashboard.submit("/sources", {"source": "forum", "do": "test"}).text


@pytest.mark.parametrize("asked", [{"source": "nowhere", "do": "pull"}, {"source": "forum", "do": "explode"}, {}])
def test_what_cannot_be_done_is_said(dashboard: Dashboard, asked: dict[str, str]) -> None:
    assert 'class="notice bad"' in dashboard.submit("/sources", asked).text


def test_nobody_is_sent_to_another_site_afterwards(dashboard: Dashboard) -> None:
    answer = dashboard.submit("/sources?to=//evil.example/", {"source": "forum", "do": "pull"})
    assert answer.url.host == "127.0.0.1"
