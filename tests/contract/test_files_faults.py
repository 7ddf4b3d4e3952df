"""What goes wrong with files, and the ways to them besides a source."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import Kind
from connectors.errors import AccessDenied, Malformed, NotThere, SourceError
from connectors.files import PLUGIN, FileOptions, open_file
from connectors.testing.platform import NOW
from tests.fakes.files import (
    HEADER,
    Make,
    Source,
    maker,
    rows,
)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return maker(tmp_path)


NOBODY = 65_534


@contextmanager
def unprivileged() -> Iterator[None]:
    """Root may read everything: be somebody else for a moment."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


class TestFaults:
    def test_a_missing_file_is_named_as_configured(self) -> None:
        source = Source(Path("nowhere/reviews.csv"))
        with pytest.raises(NotThere, match=r"^nowhere/reviews\.csv: no such file or folder"):
            source.pull()
        with pytest.raises(NotThere):
            source.open().check()

    def test_a_file_that_may_not_be_read_is_denied(self, make: Make) -> None:
        source = make(HEADER)
        Path(source.options.path).chmod(0)
        with unprivileged(), pytest.raises(AccessDenied, match="permissions"):
            source.pull()

    def test_a_pipe_is_refused_at_once(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.csv")
        with pytest.raises(Malformed, match="neither a file nor a folder"):
            Source(tmp_path / "pipe.csv").pull()

    def test_a_table_without_text_says_which_columns_it_has(self, make: Make) -> None:
        with pytest.raises(Malformed, match=r"no column for text, title or rating \(columns: alpha, beta\)"):
            make("alpha,beta\n1,2\n").open().check()

    def test_a_configured_column_that_is_missing_is_named(self, make: Make) -> None:
        with pytest.raises(Malformed, match=r'no column "Review" .* columns\.text'):
            make(HEADER, columns={"text": "Review"}).pull()

    def test_a_first_row_that_is_somebodys_text_is_not_shown(self, make: Make) -> None:
        with pytest.raises(Malformed) as caught:
            make('1,"this is a very private opinion of somebody, whose name is not told"\n').pull()
        assert "private" not in str(caught.value)

    def test_json_without_a_list_is_refused(self, make: Make) -> None:
        with pytest.raises(Malformed, match="no list"):
            list(open_file(make('{\n"a": {"b": 1}\n}\n', "a.json").options.path))

    @pytest.mark.parametrize("name", ["a.csv", "a.json", "a.jsonl"])
    def test_bytes_that_are_no_table_come_to_a_fate_or_are_skipped(self, make: Make, name: str) -> None:
        noise = bytes((number * 7919) % 256 for number in range(5_000))
        source = make(noise, name)
        for _ in range(2):
            with suppress(SourceError):
                source.pull()
        assert source.stored == {}

    @pytest.mark.parametrize(
        "options",
        [
            {"columns": {"texts": "a"}},
            {"timezone": "Mars/Base"},
            {"encoding": "klingon"},
            {"pattern": "../*.csv"},
            {"rating_worst": 5, "rating_best": 1},
            {"delimiter": ";;"},
            {"path": ""},
        ],
    )
    def test_options_that_cannot_be_meant_are_refused(self, options: dict[str, Any]) -> None:
        with pytest.raises(ValidationError):
            FileOptions(**({"path": "a.csv"} | options))


class TestOpenFile:
    def test_a_finished_file_is_read_to_its_end_at_once(self, make: Make) -> None:
        path = make(HEADER + rows("a") + "b,2026-10-02").options.path
        assert [item.text for page in open_file(path) for item in page.items] == ["a", "b"]

    def test_importing_twice_from_anywhere_gives_the_same_ids(
        self, make: Make, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = Path(make(HEADER + rows("a")).options.path)
        monkeypatch.chdir(path.parent)
        ids = [{item.external_id for page in open_file(way) for item in page.items} for way in (path, Path(path.name))]
        assert ids[0] == ids[1]
        assert len(ids[0]) == 1

    def test_options_are_taken(self, make: Make) -> None:
        path = make("what\nfine\n").options.path
        options = FileOptions(path="x", columns={"text": "what"}, undated=NOW, kind="mention")
        (item,) = [item for page in open_file(path, options) for item in page.items]
        assert (item.text, item.published_at, item.kind) == ("fine", NOW, Kind.MENTION)


class TestRecognise:
    def test_a_file_that_is_there_is_recognised(self, make: Make) -> None:
        path = make(HEADER).options.path
        assert PLUGIN.recognise(path) == {"path": path}
        assert PLUGIN.recognise(Path(path).as_uri()) == {"path": path}

    @pytest.mark.parametrize(
        "link", ["nowhere.csv", "https://a.example/a.csv", "acme", "x" * 9_000 + ".csv", "\0.csv", "~x~y/a.csv"]
    )
    def test_anything_else_is_not(self, link: str) -> None:
        assert PLUGIN.recognise(link) is None
