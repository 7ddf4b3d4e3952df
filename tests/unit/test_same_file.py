"""One file, read as a source and imported: its rows count once, whichever came first."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import func, select

from connectors.files import FileOptions
from monitor.app import App, build
from monitor.collect import pull
from monitor.config import parse
from monitor.importing import ImportFailed, import_file
from storage import sources
from storage.tables import ITEM
from tests.fakes.storing import LEASE

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROWS = "date,text\n2026-11-01,Acme is good\n2026-11-02,Acme is bad\n"
WITH_IDS = "id,date,text\n1,2026-11-01,Acme is good\n2,2026-11-02,Acme is bad\n"
Opens = Callable[..., App]


@pytest.fixture
def opens(tmp_path: Path, migrated_file: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Opens]:
    """Opens the program with a source of files, in a folder with ``inbox/survey.csv``."""
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(migrated_file, tmp_path / "store.db")
    (tmp_path / "inbox").mkdir()
    opened: list[App] = []

    def open_(options: Mapping[str, Any], rows: str = ROWS) -> App:
        Path("inbox/survey.csv").write_text(rows, encoding="utf-8")
        source = {"name": "survey", "type": "files", "brand": "Acme", "options": options}
        monitor = {"database": f"sqlite:///{tmp_path}/store.db"}
        data = {"monitor": monitor, "brands": [{"name": "Acme"}, {"name": "Rival"}], "sources": [source]}
        opened.append(build(parse(data), now=lambda: NOW))
        return opened[-1]

    yield open_
    for app in opened:
        app.close()


def pulled(app: App) -> int:
    claim = sources.claim_source(app.database, "me", {"survey": NOW}, NOW, LEASE, only_due=False)
    assert claim is not None
    return pull(app, claim, Event()).new


def imported(
    app: App, file: str = "inbox/survey.csv", brand: str = "Acme", *, anyway: bool = False, **options: Any
) -> int:
    found = FileOptions(path=str(Path(file).resolve()), **options)
    return import_file(app, found, brand, workers=1, anyway=anyway).new


def stored(app: App) -> int:
    return app.database.read(lambda connection: connection.execute(select(func.count()).select_from(ITEM)).scalar_one())


@pytest.mark.parametrize("path", ["inbox/survey.csv", "./inbox", "inbox/../inbox"])
@pytest.mark.parametrize("rows", [ROWS, WITH_IDS])
def test_a_file_that_a_source_reads_brings_nothing_new_when_it_is_imported(opens: Opens, path: str, rows: str) -> None:
    app = opens({"path": path}, rows)
    assert (pulled(app), imported(app), stored(app)) == (2, 0, 2)


@pytest.mark.parametrize("path", ["inbox/survey.csv", "inbox"])
def test_a_file_that_was_imported_brings_nothing_new_as_a_source(opens: Opens, path: str) -> None:
    app = opens({"path": path})
    assert (imported(app), pulled(app), stored(app)) == (2, 0, 2)


def test_a_copy_elsewhere_is_the_same_file(opens: Opens) -> None:
    app = opens({"path": "inbox"})
    shutil.copyfile("inbox/survey.csv", "download.csv")
    assert (pulled(app), imported(app, "download.csv"), stored(app)) == (2, 0, 2)


def test_what_only_one_of_them_has_read_comes_once(opens: Opens) -> None:
    app = opens({"path": "inbox/survey.csv"})
    assert pulled(app) == 2
    with Path("inbox/survey.csv").open("a") as file:
        file.write("2026-11-03,Acme is new\n")
    assert (imported(app), pulled(app), stored(app)) == (1, 0, 3)


def test_another_brand_and_another_file_have_rows_of_their_own(opens: Opens) -> None:
    app = opens({"path": "inbox/survey.csv"}, WITH_IDS)
    Path("other.csv").write_text(WITH_IDS.replace("good", "loud"), encoding="utf-8")
    assert (pulled(app), imported(app, brand="Rival"), imported(app, "other.csv")) == (2, 2, 2)


def test_an_import_reads_the_file_as_its_source_does(opens: Opens) -> None:
    app = opens({"path": "inbox", "columns": {"text": "said"}}, "date,text,said\n2026-11-01,x,Acme is good\n")
    assert (pulled(app), imported(app)) == (1, 0)


def test_reading_it_otherwise_is_refused_before_anything_is_stored_unless_insisted(opens: Opens) -> None:
    app = opens({"path": "inbox/survey.csv"})
    pulled(app)
    with pytest.raises(ImportFailed, match="the source survey reads it with other timezone, so its rows could count"):
        imported(app, timezone="Asia/Tokyo")
    assert (imported(app, timezone="Asia/Tokyo", anyway=True), stored(app)) == (2, 4)


def test_a_source_that_reads_an_imported_file_otherwise_says_so(opens: Opens, caplog: pytest.LogCaptureFixture) -> None:
    app = opens({"path": "inbox/survey.csv"})
    imported(app, timezone="Europe/Lisbon", identity="row", anyway=True)
    assert pulled(app) == 2
    assert "rows=2 of survey.csv#" in caplog.text
