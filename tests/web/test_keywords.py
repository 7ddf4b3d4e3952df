"""Keywords: an exclusion tried, adopted and taken back; what cannot be is said with what to do."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from monitor import marking
from monitor.app import App, build
from monitor.config import load
from monitor.samples.demo import demo_settings
from monitor.web.following import Busy, Follower
from storage import listing
from storage.records import ItemFilter
from tests.web.axe import assert_usable_by_all
from tests.web.serving import Dashboard, served

HOSTILE = '<img src=x onerror="alert(1)">'


def counted(dashboard: Dashboard) -> int:
    return listing.count_items(dashboard.app.database, ItemFilter(brand="Larkspur"))


def config(dashboard: Dashboard) -> Path:
    assert dashboard.app.settings.path is not None
    return dashboard.app.settings.path


def expected(dashboard: Dashboard, words: str) -> str:
    """The mark of the configuration that a trial's form carries."""
    found = re.search(r'name="expected" value="(\w+)"', dashboard.get(f"/keywords/trial?exclude={words}").text)
    assert found is not None
    return found[1]


def test_an_exclusion_is_tried_adopted_and_taken_back(dashboard: Dashboard, page: Page) -> None:
    before, file = counted(dashboard), config(dashboard)
    written = file.read_text(encoding="utf-8")
    page.goto(f"{dashboard.url}/keywords?brand=Larkspur")
    page.get_by_label("Words or phrases").fill("sync")
    page.get_by_role("button", name="Try it").click()
    trial = page.locator("#trial")
    expect(trial.locator(".headline")).to_contain_text(f"of {before} items that count would count no more")
    caught = int(re.findall(r"\d+", trial.locator(".headline").inner_text())[0])
    now, then = (side.inner_text() for side in trial.locator(".sides").first.locator(".figure").all())
    assert (caught > 0, now != then) == (True, True)
    assert counted(dashboard) == before
    assert_usable_by_all(page)

    trial.get_by_role("button", name="Adopt it").click()
    expect(page.get_by_role("status").first).to_contain_text(f"{before} items counted, {before - caught} count now")
    assert counted(dashboard) == before - caught
    assert '"garden", "sync"]' in file.read_text(encoding="utf-8")
    expect(page.locator("#rules").get_by_role("row").filter(has_text="sync")).to_contain_text("excludes")

    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("status").first).to_contain_text("no longer excluded")
    assert (counted(dashboard), file.read_text(encoding="utf-8")) == (before, written)


def test_without_script_the_trial_and_the_counts_are_on_the_page(read_only: Dashboard) -> None:
    text = read_only.get("/keywords?brand=Larkspur&exclude=sync&whole=1").text
    assert "items that count would count no more" in text
    assert re.search(r"All \d+ stored items were looked at", text)
    assert 'value="sync"' in text
    assert "data-load" not in text


def test_each_example_leads_to_its_item(read_only: Dashboard) -> None:
    found = re.search(r'href="(/items/\d+)"', read_only.get("/keywords/trial?brand=Larkspur&exclude=sync").text)
    assert found is not None
    assert "sync" in read_only.get(found[1]).text.casefold()


def test_several_words_are_tried_at_once_and_each_is_counted(read_only: Dashboard) -> None:
    text = read_only.get("/keywords/trial?brand=Larkspur&exclude=sync,+battery").text
    assert "<dt>By word</dt>" in text
    assert "<bdi>battery</bdi>" in text


def test_an_exclusion_may_be_tried_without(dashboard: Dashboard) -> None:
    text = dashboard.get("/keywords/trial?brand=Larkspur&keep=garden").text
    assert re.search(r"; \d+ would come back", text)
    before = counted(dashboard)
    dashboard.submit("/keywords/adopt?brand=Larkspur", {"exclude": "garden", "undo": "1"})
    assert counted(dashboard) > before
    assert '"garden"' not in config(dashboard).read_text(encoding="utf-8")


def test_a_faulty_query_shows_its_place(read_only: Dashboard) -> None:
    text = read_only.get("/keywords/trial?brand=Larkspur&query=larkspur+AND+(").text
    assert '<pre tabindex="0">larkspur AND (\n             ^</pre>' in text


def test_a_query_is_tried_and_the_line_to_write_is_shown(read_only: Dashboard) -> None:
    text = read_only.get("/keywords/trial?brand=Larkspur&query=larkspur+NOT+sync").text
    assert "items that count would count no more" in text
    assert "query = &#34;larkspur NOT sync&#34;" in text
    assert "Adopt it" not in text


def test_a_word_without_letters_cannot_be_tried(read_only: Dashboard) -> None:
    assert "no letter or digit" in read_only.get("/keywords/trial?exclude=!!").text


def test_a_file_that_has_changed_since_the_trial_is_left_as_it_is(dashboard: Dashboard) -> None:
    mark, file = expected(dashboard, "sync"), config(dashboard)
    file.write_text(file.read_text(encoding="utf-8") + "\n# somebody was here\n", encoding="utf-8")
    text = dashboard.submit("/keywords/adopt", {"exclude": "sync", "expected": mark}, 409).text
    assert "has changed since it was looked at" in text
    assert "sync" not in file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "fields", [{}, {"exclude": " , "}, {"exclude": "x" * 201}, {"exclude": ",".join(map(str, range(21)))}]
)
def test_words_that_make_no_sense_are_refused(read_only: Dashboard, fields: dict[str, str]) -> None:
    read_only.submit("/keywords/adopt", fields, 422)


@pytest.mark.parametrize("query", ["exclude=" + "x" * 201, "query=" + "x" * 2001, "brand=Nobody"])
def test_wrong_addresses_are_refused(read_only: Dashboard, query: str) -> None:
    read_only.get(f"/keywords?{query}", 422)
    read_only.get("/keywords/trial", 422)


def test_hostile_words_stay_words(read_only: Dashboard) -> None:
    for address in ("/keywords", "/keywords/trial"):
        text = read_only.get(address, params={"exclude": HOSTILE, "adopted": HOSTILE}).text
        assert "<img src=x" not in text


@pytest.fixture
def bare(sampled: Path, tmp_path: Path) -> Iterator[Dashboard]:
    """A dashboard whose settings came from no file."""
    folder = tmp_path / "bare"
    shutil.copytree(sampled, folder, ignore=shutil.ignore_patterns("demo.toml"))
    app: App = build(demo_settings(folder))
    with served(replace(app, settings=app.settings.model_copy(update={"path": None}))) as made:
        yield made
    app.close()


def test_without_a_file_the_line_to_write_is_said(bare: Dashboard) -> None:
    text = bare.get("/keywords/trial?brand=Larkspur&exclude=sync").text
    assert "there is no file that this program may write" in text
    assert "&#34;garden&#34;, &#34;sync&#34;]" in text
    assert "Adopt it" not in text


def test_words_are_suggested_from_what_is_marked(dashboard: Dashboard) -> None:
    assert "Mark items" in dashboard.get("/keywords/suggested?brand=Larkspur").text
    found = listing.items(dashboard.app.database, ItemFilter(brand="Larkspur"), limit=1_000)
    those = [one.id for one in found if "sync" in (one.text or "") and one.kind == "mention"][:8]
    marking.mark(dashboard.app, those, "not_about_us")
    text = dashboard.get("/keywords/suggested?brand=Larkspur").text
    assert "/keywords?brand=Larkspur&amp;exclude=" in text
    assert "of 8 marked" in text


def test_the_pages_app_takes_up_what_was_adopted_at_once(dashboard: Dashboard) -> None:
    dashboard.submit("/keywords/adopt?brand=Jotwick", {"exclude": "sync, cloud"})
    assert load(config(dashboard)).brand("Jotwick").exclude == ["sync", "cloud"]
    assert "are excluded already" in dashboard.get("/keywords/trial?brand=Jotwick&exclude=sync,cloud").text


def test_of_two_changes_one_waits_and_nobody_longer_than_they_like(dashboard: Dashboard) -> None:
    follower, app = Follower(), dashboard.app
    assert follower.change(app, "Larkspur", ["sync"], None, undo=False, seconds=0).adopted is None
    under_way = follower.under_way(app)
    assert under_way is not None
    with pytest.raises(Busy, match="still follow the change before"):
        follower.change(app, "Jotwick", ["cloud"], None, undo=False, seconds=0)
    assert under_way.ended.wait(30)
    assert (follower.under_way(app), under_way.fault) == (None, None)
    assert under_way.adopted is not None
    assert counted(dashboard) == under_way.adopted.history.brands[0].counted_after
