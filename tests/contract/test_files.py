from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.contract import Item, Kind
from connectors.files import PLUGIN
from connectors.testing import Case, ContractSuite
from tests.fakes.files import (
    HEADER,
    FakeFiles,
    FakeFolder,
    FakeJson,
    FakeJsonLines,
    FakeTsv,
    Make,
    Source,
    maker,
    rows,
    texts,
)

NO_NETWORK: Mapping[str, str] = {
    "errors": "a file is read from the disk: there is no server that could answer with an error",
    "small_budget": "reading a file takes no requests, so no budget of requests can end",
    "hang": "there is no server that could keep silent",
    "a_repeated_page_token_ends": "a file has no page tokens",
}


class TestCsv(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeFiles, many=1200, kind=Kind.REVIEW, not_applicable=NO_NETWORK)


class TestTsv(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeTsv, many=1200, not_applicable=NO_NETWORK)


class TestJsonLines(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeJsonLines, many=1200, not_applicable=NO_NETWORK)


class TestJson(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeJson, many=1200, not_applicable=NO_NETWORK)


class TestFolder(ContractSuite):
    case = Case(plugin=PLUGIN, fake=FakeFolder, many=1200, kind=Kind.REVIEW, not_applicable=NO_NETWORK)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return maker(tmp_path)


def dumped(written: list[dict[str, str]], kind: str) -> str:
    if kind == "json":
        return json.dumps({"count": len(written), "reviews": written}, ensure_ascii=False)
    if kind == "jsonl":
        return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in written)
    table = io.StringIO()
    writer = csv.DictWriter(table, ["id", "text", "date"])
    writer.writeheader()
    writer.writerows(written)
    return table.getvalue()


class TestGrowing:
    def test_an_appended_file_goes_on_after_the_last_row(self, make: Make) -> None:
        source = make(HEADER + rows("a", "b"))
        assert texts(source.pull()) == ["a", "b"]
        with Path(source.options.path).open("a", encoding="utf-8") as file:
            file.write("c,2026-10-05\n")
        assert texts(source.pull()) == ["c"]

    def test_an_unchanged_file_is_not_read_again(self, make: Make) -> None:
        source = make(HEADER + rows("a", "b"))
        source.pull()
        before = source.cursor
        assert source.pull() == []
        assert source.cursor == before

    def test_a_replaced_file_is_read_anew_and_known_rows_keep_their_ids(self, make: Make) -> None:
        source = make(HEADER + rows("a", "b"))
        source.pull()
        Path(source.options.path).write_text(HEADER + "new,2026-10-09\n" + rows("a", "b"), encoding="utf-8")
        assert texts(source.pull()) == ["new", "a", "b"]
        assert len(source.stored) == 3

    def test_an_edit_in_the_middle_is_seen_even_if_the_file_grew_as_well(self, make: Make) -> None:
        source = make("id,text,date,stars\n1,a,2026-10-01,4\n2,b,2026-10-02,4\n")
        source.pull()
        Path(source.options.path).write_text(
            "id,text,date,stars\n1,a,2026-10-01,5\n2,b,2026-10-02,4\n3,c,2026-10-03,4\n", encoding="utf-8"
        )
        source.pull()
        assert [item.rating.value for item in source.stored.values() if item.rating] == [5, 4, 4]

    def test_a_truncated_file_is_read_anew(self, make: Make) -> None:
        source = make(HEADER + rows("a", "b", "c"))
        source.pull()
        Path(source.options.path).write_text(HEADER + rows("a"), encoding="utf-8")
        assert texts(source.pull()) == ["a"]
        assert len(source.stored) == 3

    def test_a_rotated_file_is_read_from_its_start(self, make: Make) -> None:
        source = make(HEADER + rows("a", "b"))
        source.pull()
        path = Path(source.options.path)
        path.rename(path.with_suffix(".1"))
        path.write_text(HEADER + rows("x", "y", "z"), encoding="utf-8")
        assert texts(source.pull()) == ["x", "y", "z"]

    def test_a_touched_file_brings_nothing_twice(self, make: Make) -> None:
        source = make(HEADER + rows("a", "b"))
        source.pull()
        os.utime(source.options.path, ns=(1, 1))
        source.pull()
        assert len(source.stored) == 2

    def test_a_pull_cut_off_after_any_page_goes_on_from_there(self, make: Make) -> None:
        source = make(HEADER + "".join(f"t{number},2026-10-01\n" for number in range(3_400)))
        brought = [source.pull(pages=1) for _ in range(4)]
        assert [len(items) for items in brought] == [1_000, 1_000, 1_000, 400]
        assert len(source.stored) == 3_400

    @pytest.mark.parametrize("name", ["log.csv", "log.jsonl", "log.json"])
    def test_a_file_written_byte_by_byte_gives_each_row_exactly_once(self, make: Make, name: str) -> None:
        content = {
            "log.csv": 'text,date\n"a ""b""\nc",2026-10-01\nd,2026-10-02\n"é, f",2026-10-03\n',
            "log.jsonl": '{"text": "a \\"b\\"\\nc", "date": "2026-10-01"}\n{"text": "d", "date": "2026-10-02"}\n'
            '{"text": "é, f", "date": "2026-10-03"}\n',
            "log.json": '[{"text": "a \\"b\\"\\nc", "date": "2026-10-01"}, {"text": "d", "date": "2026-10-02"},\n'
            '{"text": "é, f", "date": "2026-10-03"}]',
        }[name].encode()
        source = make(b"", name)
        brought: list[Item] = []
        for size in range(1, len(content) + 1):
            Path(source.options.path).write_bytes(content[:size])
            brought += source.pull()
        brought += source.pull()
        assert texts(brought) == ['a "b"\nc', "d", "é, f"]
        assert source.skipped == []

    @given(
        st.lists(st.text(alphabet='a",\n\\{[]}é日 ', min_size=1, max_size=8), max_size=12),
        st.lists(st.integers(0, 600), max_size=5),
        st.sampled_from(["csv", "jsonl", "json"]),
    )
    @settings(max_examples=60, deadline=None)
    def test_a_file_written_in_any_pieces_gives_the_rows_of_the_whole(
        self, cells: list[str], cuts: list[int], kind: str
    ) -> None:
        written = [{"id": f"{number}", "text": f"t{cell}", "date": "2026-10-01"} for number, cell in enumerate(cells)]
        content = dumped(written, kind).encode()
        with TemporaryDirectory() as folder:
            source = maker(Path(folder))(b"", f"log.{kind}")
            for size in [*sorted(cut for cut in cuts if cut < len(content)), len(content), len(content)]:
                Path(source.options.path).write_bytes(content[:size])
                source.pull()
            source.pull()
        assert {item.text for item in source.stored.values()} == {row["text"].strip() for row in written}
        assert len(source.stored) == len(written)
        assert source.skipped == []

    def test_a_last_row_without_a_line_end_waits_until_the_file_rests(self, make: Make) -> None:
        source = make(HEADER + rows("a") + "b,2026-10-02")
        assert texts(source.pull()) == ["a"]
        assert texts(source.pull()) == ["b"]
        assert source.pull() == []

    def test_a_file_that_rests_is_read_to_its_end_at_once(self, make: Make) -> None:
        source = make(HEADER + rows("a") + "b,2026-10-02")
        source.now += timedelta(minutes=2)
        assert texts(source.pull()) == ["a", "b"]

    def test_a_row_that_rested_half_written_is_read_again_when_it_is_finished(self, make: Make) -> None:
        source = make("id,date,text\n1,2026-10-01,half")
        source.pull()
        assert texts(source.pull()) == ["half"]
        with Path(source.options.path).open("a", encoding="utf-8") as file:
            file.write(" and whole\n2,2026-10-02,next\n")
        assert texts(source.pull()) == ["half and whole", "next"]
        assert len(source.stored) == 2

    def test_a_json_document_cut_short_is_told_once_it_rests(self, make: Make) -> None:
        source = make('[{"text": "a", "date": "2026-10-01"}, {"text": "b', "export.json")
        assert texts(source.pull()) == ["a"]
        assert source.skipped == []
        for _ in range(3):
            source.pull()
        assert [what for what, _ in source.skipped] == ["row 2"]

    def test_a_json_list_that_grows_goes_on_after_its_last_object(self, make: Make) -> None:
        source = make(
            '{"reviews": [{"text": "a", "date": "2026-10-01"}, {"text": "b", "date": "2026-10-01"}', "export.json"
        )
        assert texts(source.pull()) == ["a", "b"]
        with Path(source.options.path).open("a", encoding="utf-8") as file:
            file.write(', {"text": "c", "date": "2026-10-01"}]}')
        assert texts(source.pull()) == ["c"]

    def test_a_header_half_written_is_waited_for(self, make: Make) -> None:
        source = make("text,da")
        assert source.pull() == []
        Path(source.options.path).write_text(HEADER + rows("a"), encoding="utf-8")
        assert texts(source.pull()) == ["a"]

    def test_a_damaged_cursor_starts_anew(self, make: Make) -> None:
        source = make(HEADER + rows("a"))
        source.pull()
        assert source.cursor is not None
        source.cursor = {"address": source.cursor["address"], "files": {"reviews.csv": {"size": "x"}}}
        assert texts(source.pull()) == ["a"]


class TestIdentity:
    def test_identical_rows_without_an_id_are_one_item(self, make: Make) -> None:
        source = make(HEADER + "a,2026-10-01\na,2026-10-01\na,2026-10-02\n")
        assert len(source.pull()) == 2

    def test_identical_rows_can_be_told_apart_by_their_number(self, make: Make) -> None:
        assert len(make(HEADER + "a,2026-10-01\na,2026-10-01\n", identity="row").pull()) == 2

    def test_counts_that_changed_leave_a_row_the_same(self, make: Make) -> None:
        source = make("text,date,likes\na,2026-10-01,1\n")
        source.pull()
        Path(source.options.path).write_text("text,date,likes\na,2026-10-01,99\n", encoding="utf-8")
        (item,) = source.pull()
        assert item.external_id in source.stored
        assert len(source.stored) == 1

    def test_of_two_rows_with_one_id_the_later_counts(self, make: Make) -> None:
        (item,) = make("id,text,date\n1,old,2026-10-01\n1,new,2026-10-01\n").pull()
        assert item.text == "new"

    def test_two_sources_never_share_an_id(self, make: Make) -> None:
        first, second = make("id,text\n1,a\n", "a.csv"), make("id,text\n1,a\n", "b.csv")
        assert first.pull()[0].external_id != second.pull()[0].external_id

    def test_files_that_move_keep_their_ids_under_one_address(self, make: Make) -> None:
        first = make("id,text\n1,a\n", "a.csv", address="survey")
        second = make("id,text\n1,a\n", "b.csv", address="survey")
        assert first.pull()[0].external_id == second.pull()[0].external_id

    def test_exports_in_one_folder_that_overlap_give_each_row_once(self, make: Make, tmp_path: Path) -> None:
        make("id,text,date\n1,a,2026-10-01\n2,b,2026-10-02\n", "monday.csv")
        make("id,text,date\n2,b,2026-10-02\n3,c,2026-10-03\n", "tuesday.csv")
        source = Source(tmp_path)
        source.pull()
        assert len(source.stored) == 3


class TestFolderWatch:
    def test_only_regular_files_that_are_meant_are_read(self, make: Make, tmp_path: Path) -> None:
        make(HEADER + rows("a"), "a.csv")
        make(HEADER + rows("hidden"), ".a.csv.part.csv")
        make(HEADER + rows("locked"), "~$a.csv")
        make(HEADER + rows("other"), "notes.txt")
        (tmp_path / "folder.csv").mkdir()
        os.mkfifo(tmp_path / "pipe.csv")
        (tmp_path / "link.csv").symlink_to(tmp_path / "a.csv")
        source = Source(tmp_path)
        assert texts(source.pull()) == ["a"]
        assert source.skipped == []

    def test_a_pattern_chooses_files_and_may_reach_into_folders(self, make: Make, tmp_path: Path) -> None:
        (tmp_path / "deep").mkdir()
        make(HEADER + rows("a"), "deep/a.txt")
        make(HEADER + rows("b"), "b.csv")
        assert texts(Source(tmp_path, pattern="**/*.txt").pull()) == ["a"]

    def test_a_new_file_is_found_and_a_vanished_one_is_forgotten(self, make: Make, tmp_path: Path) -> None:
        make(HEADER + rows("a"), "a.csv")
        source = Source(tmp_path)
        source.pull()
        make(HEADER + rows("b"), "b.csv")
        (tmp_path / "a.csv").unlink()
        assert texts(source.pull()) == ["b"]
        assert source.cursor is not None
        files = source.cursor["files"]
        assert isinstance(files, Mapping)
        assert list(files) == ["b.csv"]

    def test_a_file_that_is_no_table_is_named_once_and_the_others_are_read(self, make: Make, tmp_path: Path) -> None:
        make('{"no": "list"', "a.json")
        make("alpha,beta\n1,2\n", "b.csv")
        make(HEADER + rows("c"), "c.csv")
        source = Source(tmp_path)
        for _ in range(4):
            source.pull()
        assert [item.text for item in source.stored.values()] == ["c"]
        assert [what for what, _ in source.skipped] == ["b.csv", "a.json"]

    def test_more_files_than_are_read_give_a_gap(self, make: Make, tmp_path: Path) -> None:
        for number in range(1_003):
            (tmp_path / f"{number:05}.csv").write_text("", encoding="utf-8")
        make(HEADER + rows("a"), "99999.csv")
        source = Source(tmp_path)
        assert texts(source.pull()) == ["a"]
        assert source.pages[-1].gap is not None
