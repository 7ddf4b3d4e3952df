"""Exclusions adopted: the file keeps all but the words, the history follows, and what cannot be done leaves all as it was."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from monitor import marking
from monitor.adopting import AdoptError, adopt, fingerprint, undo, would_catch
from monitor.config import load
from monitor.report import build_report
from monitor.schedule import span
from monitor.suggesting import suggest
from storage.engine import Database, open_database
from storage.listing import count_items
from storage.records import ItemFilter
from storage.tables import ITEM
from storage.verify import verify
from tests.fakes.fresh import CONFIG, VEGETABLES, excluding, fresh, opened
from tests.fakes.storing import NOW, Shop


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database, brands=("Fresh", "Rival"))


@pytest.fixture
def migrated(migrated_file: Path, tmp_path: Path) -> Iterator[Shop]:
    """On SQLite alone: what is proven of the file needs no second back end."""
    store = open_database(f"sqlite:///{shutil.copyfile(migrated_file, tmp_path / 'store.db')}")
    yield Shop(store, brands=("Fresh", "Rival"))
    store.close()


def counted(shop: Shop, folder: Path) -> int:
    """How many items of Fresh count: the list, the report and its score's n say the same, and every sum is proven."""
    app = opened(shop, folder)
    window = span(NOW.replace(day=1), NOW, app.settings.monitor.zone)
    brand = build_report(app, ["Fresh"], window, items=True).brands[0]
    listed = count_items(shop.database, ItemFilter(brand="Fresh"))
    assert listed == brand.volume.mentions == brand.social.total + brand.social.unscored
    assert verify(shop.database) == []
    return listed


def test_the_story_of_fresh(shop: Shop, tmp_path: Path) -> None:
    app, file = fresh(shop, tmp_path), tmp_path / "config.toml"
    assert counted(shop, tmp_path) == 100

    trial = would_catch(app, "Fresh", ["vegetable"])
    assert (trial.excluded, trial.would_count) == (37, 63)
    assert counted(shop, tmp_path) == 100

    done = adopt(app, "Fresh", ["vegetable"])
    assert (done.file, done.words, done.history.changed) == (file, ("vegetable",), 37)
    assert counted(shop, tmp_path) == 63
    assert would_catch(done.app, "Fresh", ["vegetable"]).excluded == 0

    back = undo(done.app, "Fresh", ["vegetable"])
    assert (back.words, back.history.changed) == (("vegetable",), 37)
    assert counted(shop, tmp_path) == 100

    garden = [row["id"] for row in shop.rows(ITEM) if "vegetable" in row["text"]]
    assert marking.mark(back.app, garden[:5], "not_about_us").done == 5
    assert counted(shop, tmp_path) == 95
    found = [(one.word, one.marked, one.counted) for one in suggest(back.app, "Fresh").words]
    assert found == [("market", 5, 32), ("vegetable", 5, 32)]


def test_words_are_suggested_that_tell_and_none_that_are_everywhere(shop: Shop, tmp_path: Path) -> None:
    app = fresh(shop, tmp_path)
    garden = [row["id"] for row in shop.rows(ITEM) if "vegetable" in row["text"]]
    marking.mark(app, garden[:30], "not_about_us")
    words = {one.word: (one.marked, one.counted) for one in suggest(app, "Fresh").words}
    assert words["vegetable"] == (30, 7)
    assert words.keys() == {"vegetable", "market", *VEGETABLES}


def test_only_the_list_of_that_brand_is_touched_in_the_file(shop: Shop, tmp_path: Path) -> None:
    app, file = fresh(shop, tmp_path, 'exclude = ["x"] # no'), tmp_path / "config.toml"
    file.chmod(0o640)
    adopt(app, "Fresh", ["fresh salad", "vegetable"])
    before = CONFIG.format(more='exclude = ["x"] # no').splitlines()
    after = file.read_text(encoding="utf-8").splitlines()
    (line,) = set(after) - set(before)
    assert line == 'exclude = ["fresh salad", "vegetable"]'
    assert [one for one in after if one != line] == before
    assert after.index(line) == before.index('keywords = ["fresh"]  # not much of a name') + 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o640
    assert [one.name for one in tmp_path.iterdir() if one.name.startswith(".")] == []
    undo(app, "Fresh", ["fresh salad", "vegetable"])
    assert file.read_text(encoding="utf-8").splitlines() == [one if one != line else "exclude = []" for one in after]


def test_doing_it_again_changes_nothing(shop: Shop, tmp_path: Path) -> None:
    app, file = fresh(shop, tmp_path), tmp_path / "config.toml"
    adopt(app, "Fresh", ["vegetable"])
    once, at = file.read_bytes(), file.stat().st_mtime_ns
    again = adopt(app, "Fresh", ["vegetable"])
    assert (again.words, again.history.changed) == ((), 0)
    assert (file.read_bytes(), file.stat().st_mtime_ns) == (once, at)
    assert undo(again.app, "Fresh", ["never was"]).words == ()


def test_a_history_left_behind_by_a_crash_follows_when_it_is_done_again(shop: Shop, tmp_path: Path) -> None:
    app = fresh(shop, tmp_path)
    adopt(app, "Rival", ["vegetable"])  # another brand: the history of Fresh stays
    file = tmp_path / "config.toml"
    file.write_text(file.read_text().replace('keywords = ["fresh"]', 'exclude = ["vegetable"]\nkeywords = ["fresh"]'))
    assert counted(shop, tmp_path) == 100
    assert adopt(app, "Fresh", ["vegetable"]).words == ()
    assert counted(shop, tmp_path) == 63


def test_a_file_that_has_changed_since_the_trial_is_left_alone(shop: Shop, tmp_path: Path) -> None:
    app, file = fresh(shop, tmp_path), tmp_path / "config.toml"
    seen = fingerprint(file)
    file.write_text(file.read_text() + "# an afterthought\n")
    before = file.read_bytes()
    with pytest.raises(AdoptError, match="has changed since it was looked at"):
        adopt(app, "Fresh", ["vegetable"], expected=seen)
    assert (file.read_bytes(), counted(shop, tmp_path)) == (before, 100)
    assert adopt(app, "Fresh", ["vegetable"], expected=fingerprint(file)).words == ("vegetable",)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--"], "no letter or digit to look for"),
        (["salad OR leek"], "reads like an expression"),
        ([" "], "name a word or a phrase"),
        ([], "name a word or a phrase"),
        (["x" * 300], "200 characters at most"),
    ],
)
def test_words_that_cannot_serve_are_refused_and_nothing_is_written(
    migrated: Shop, tmp_path: Path, words: list[str], message: str
) -> None:
    app, file = fresh(migrated, tmp_path), tmp_path / "config.toml"
    before = file.read_bytes()
    with pytest.raises(AdoptError, match=message):
        adopt(app, "Fresh", words)
    assert file.read_bytes() == before
    assert counted(migrated, tmp_path) == 100


@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        ("[[brands]\n", "is not TOML"),
        ('[[sources]]\nname = "x"\n', "sources.x.type: missing"),
        (None, "there is no such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_left_alone(
    migrated: Shop, tmp_path: Path, spoilt: str | None, message: str
) -> None:
    app, file = fresh(migrated, tmp_path), tmp_path / "config.toml"
    if spoilt is None:
        file.unlink()
    else:
        file.write_text(file.read_text() + spoilt)
    with pytest.raises(AdoptError, match=message):
        adopt(app, "Fresh", ["vegetable"])
    assert spoilt is None or file.read_text().endswith(spoilt)


def test_a_brand_in_an_included_file_is_edited_there(migrated: Shop, tmp_path: Path) -> None:
    fresh(migrated, tmp_path)
    file = tmp_path / "config.toml"
    text, part = file.read_text(), tmp_path / "fresh.toml"
    brand = '[[brands]]   # us\nname = "Fresh"\nkeywords = ["fresh"]  # not much of a name\n'
    assert brand in text
    part.write_text(brand)
    file.write_text(text.replace(brand, "").replace("[monitor]\n", '[monitor]\ninclude = ["*.toml"]\n'))
    first = file.read_bytes()
    done = adopt(opened(migrated, tmp_path), "Fresh", ["vegetable"])
    assert (done.file, done.history.changed, file.read_bytes()) == (part, 37, first)
    assert part.read_text() == brand + 'exclude = ["vegetable"]\n'
    assert counted(migrated, tmp_path) == 63


def test_two_who_adopt_at_once_both_have_their_words(migrated: Shop, tmp_path: Path) -> None:
    app, words = fresh(migrated, tmp_path), [f"word{n}" for n in range(8)]
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(lambda word: adopt(app, "Fresh", [word]), words))
    assert sorted(load(tmp_path / "config.toml").brand("Fresh").exclude) == words


def test_a_program_that_has_run_since_before_an_edit_goes_by_the_file(migrated: Shop, tmp_path: Path) -> None:
    app = fresh(migrated, tmp_path)
    adopt(app, "Fresh", ["carrots"])
    stale = excluding(app, [])
    assert adopt(stale, "Fresh", ["leeks"]).history.brands[0].counted_after == 75
