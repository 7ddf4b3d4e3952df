"""A configuration that changes while the daemon runs, and what people ask of it through the store."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event

import pytest

from monitor import steering
from monitor.app import App, build
from monitor.config import load
from monitor.daemon import run_once
from monitor.live import LiveFiles, swapped
from monitor.parties import Presence
from monitor.steering import CannotSteer
from storage import parties, sources
from storage.records import Outcome, SourceState

CONFIG = """
[monitor]
database = "sqlite:///{folder}/store.db"
include = ["brands/*.toml"]
[[brands]]
name = "Acme"
keywords = ["acme"]
[[sources]]
name = "drawer"
type = "files"
brand = "Acme"
options = {{ path = "{folder}/drop/*.csv", kind = "review" }}
[[sources]]
name = "shelf"
type = "files"
brand = "Acme"
options = {{ path = "{folder}/shelf/*.csv", kind = "review" }}
"""
Edit = Callable[[str, str], None]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "brands").mkdir()
    made = tmp_path / "config.toml"
    made.write_text(CONFIG.format(folder=tmp_path))
    return made


@pytest.fixture
def edit(file: Path) -> Edit:
    def edit(old: str, new: str) -> None:
        file.write_text(file.read_text().replace(old, new))

    return edit


@pytest.fixture
def app(file: Path) -> Iterator[App]:
    made = build(load(file))
    yield made
    made.close()


def state(app: App, name: str = "drawer") -> SourceState:
    return next(one for one in sources.states(app.database) if one.name == name)


# ------------------------------------------------------------------------------------------------------- the files


def test_files_that_stay_as_they_are_are_not_read_again(file: Path) -> None:
    files = LiveFiles(load(file))
    assert [files.look() for _ in range(3)] == [None, None, None]
    os.utime(file)
    assert [files.look() for _ in range(3)] == [None, None, None], "touched, and still the same"


def test_a_change_is_taken_up_once_it_has_settled(file: Path, edit: Edit) -> None:
    files = LiveFiles(load(file))
    edit('["acme"]', '["akme"]')
    assert files.look() is None, "it may still be written"
    found = files.look()
    assert found is not None
    assert found.brands[0].keywords == ["akme"]
    files.taken_up(found)
    assert [files.look() for _ in range(3)] == [None, None, None]


def test_who_asks_for_it_need_not_wait(file: Path, edit: Edit) -> None:
    files = LiveFiles(load(file))
    assert files.look(at_once=True) is None
    edit('["acme"]', '["akme"]')
    assert files.look(at_once=True) is not None


@pytest.mark.parametrize("name", ["brands/new.toml", "secrets.env"])
def test_new_included_files_and_secrets_are_noticed(file: Path, name: str) -> None:
    files = LiveFiles(load(file))
    (file.parent / name).write_text('brands = [{ name = "New" }]' if name.endswith("toml") else "KEY=value")
    assert files.look(at_once=True) is not None


def test_what_was_changed_before_the_daemon_came_to_look_is_noticed(file: Path, edit: Edit) -> None:
    settings = load(file)
    edit('["acme"]', '["akme"]')
    files = LiveFiles(settings)
    assert files.look(at_once=True) is not None


def test_a_faulty_file_is_said_once_and_mended_by_putting_back_what_was_there(
    file: Path, edit: Edit, caplog: pytest.LogCaptureFixture
) -> None:
    files = LiveFiles(load(file))
    edit("keywords", "keyword")
    assert [files.look() for _ in range(4)] == [None] * 4
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert said == [
        'brands.Acme.keyword: not a known key; did you mean "keywords"?',
        "configuration faulty, going on with the one before; see: sentiment-monitor check --offline",
    ]
    assert files.fault == said[0]
    edit("keyword ", "keywords ")
    found = files.look(at_once=True)
    assert found is not None
    files.taken_up(found)
    assert files.fault is None


# -------------------------------------------------------------------------------------------------------- the swap


def test_the_swap_says_what_changed_and_wakes_what_is_read_otherwise(
    app: App, file: Path, edit: Edit, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    later = app.now().replace(year=2100)
    for name in ("drawer", "shelf"):
        claim = sources.claim_source(app.database, "me", {name: app.now()}, app.now(), app.lease)
        assert claim is not None
        sources.finish_pull(app.database, claim, Outcome(later, "accessdenied", "no", "no"), app.now())
    edit("/drop/", "/desk/")
    edit('["acme"]', '["akme"]')
    fresh = swapped(app, load(file))
    assert fresh.brands["Acme"].keywords != app.brands["Acme"].keywords
    assert (fresh.owner, fresh.database, fresh.started_at) == (app.owner, app.database, app.started_at)
    assert (state(app).paused, state(app).next_run_at < later) == (None, True)
    assert state(app, "shelf").paused == "no", "nothing about it has changed"
    said = [record.getMessage() for record in caplog.records]
    assert "configuration taken up: keywords of Acme changed, source drawer changed" in said
    assert any("for those stored already run: sentiment-monitor rematch" in line for line in said)


def test_another_database_waits_for_a_restart(app: App, file: Path, edit: Edit) -> None:
    edit("store.db", "other.db")
    fresh = swapped(app, load(file))
    assert fresh.settings.monitor.database == app.settings.monitor.database
    assert fresh.settings.sheets.patterns == ["brands/*.toml"]


# ------------------------------------------------------------------------------------------------------- the others


def test_a_daemon_warns_of_another_once_for_each_configuration_that_it_has(
    app: App, file: Path, edit: Edit, caplog: pytest.LogCaptureFixture
) -> None:
    first = Presence(app)
    first.begin()
    edit('["acme"]', '["akme"]')
    other = build(load(file))
    second = Presence(other)
    second.begin()
    for _ in range(2):
        first.beat()
    words = [record.getMessage().partition("started ")[2][5:] for record in caplog.records]
    assert words == [", has another configuration: it has other keywords for Acme"] * 2
    second.serve(app_with(other, app))
    first.beat()
    second.end()
    assert [one.owner for one in parties.running(app.database)] == [app.owner]
    assert len(caplog.records) == 2, "they agree again"
    other.close()


def app_with(other: App, app: App) -> App:
    """The other program by the settings of the first."""
    return swapped(other, app.settings)


def test_what_another_running_daemon_reads_is_not_put_to_rest(app: App, file: Path, edit: Edit) -> None:
    theirs = Presence(app)
    theirs.begin()
    edit('name = "shelf"', 'name = "board"')
    other = build(load(file))
    run_once(other, Event())
    assert {one.name: one.active for one in sources.states(app.database)} == {
        "board": True,
        "drawer": True,
        "shelf": True,
    }
    theirs.end()
    run_once(other, Event())
    assert not state(app, "shelf").active
    other.close()


# -------------------------------------------------------------------------------------------------------- steering


def test_a_paused_source_is_left_out_of_a_round_until_it_is_resumed(app: App) -> None:
    steering.pause(app, "drawer", "ann", "they move")
    assert [one.source for one in run_once(app, Event())[0]] == ["shelf"]
    with pytest.raises(CannotSteer, match='drawer: is paused already, by ann \\("they move"\\)'):
        steering.pause(app, "drawer", "bob")
    with pytest.raises(CannotSteer, match="drawer: paused by ann; resume it first"):
        steering.pull_soon(app, "drawer")
    steering.resume(app, "drawer")
    with pytest.raises(CannotSteer, match="drawer: is not paused"):
        steering.resume(app, "drawer")
    assert {one.source for one in run_once(app, Event())[0]} == {"drawer", "shelf"}


@pytest.mark.parametrize(("by", "reason"), [("", "x"), ("two\nlines", ""), ("ann", "x" * 301)])
def test_who_and_why_are_one_line_each(app: App, by: str, reason: str) -> None:
    with pytest.raises(CannotSteer):
        steering.pause(app, "drawer", by, reason)
    assert state(app).paused is None


def test_asking_for_a_pull_says_what_becomes_of_it(app: App) -> None:
    assert steering.pull_soon(app, "drawer").outcome == "unattended"
    Presence(app).begin()
    claim = sources.claim_source(app.database, "me", {"drawer": app.now()}, app.now(), app.lease)
    assert claim is not None
    assert steering.pull_soon(app, "drawer").outcome == "running"
    later = app.now().replace(year=2100)
    sources.finish_pull(app.database, claim, Outcome(later, "ratelimited", "wait", waiting=True), app.now())
    assert steering.pull_soon(app, "drawer") == steering.Asked("waiting", later)
    claim = sources.claim_source(app.database, "me", {"shelf": app.now()}, app.now(), app.lease)
    assert claim is not None
    sources.finish_pull(app.database, claim, Outcome(later, "accessdenied", "no", "no"), app.now())
    assert steering.pull_soon(app, "shelf").outcome == "soon"
    assert (state(app, "shelf").paused, state(app, "shelf").next_run_at <= app.now()) == (None, True)
    with pytest.raises(CannotSteer, match='no source "desk"; there are: drawer, shelf'):
        steering.pull_soon(app, "desk")
