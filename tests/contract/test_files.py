from __future__ import annotations

import json
import logging
import os
import tracemalloc
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from pydantic import ValidationError

from connectors.contract import Context, Cursor, Item, Kind, Page, Unlimited
from connectors.errors import AccessDenied, Malformed, NotThere, SourceError
from connectors.files import PLUGIN, FileOptions, Files, open_file
from connectors.http import HttpClient
from connectors.testing import Case, ContractSuite
from connectors.testing.platform import NOW
from tests.fakes.files import FakeFiles, FakeFolder, FakeJson, FakeJsonLines, FakeTsv

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


class Source:
    """A source over files as the daemon drives it: pages are stored with their cursor, the next pull goes on."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.options = FileOptions(path=str(path), **options)
        self.cursor: Cursor | None = None
        self.stored: dict[str, Item] = {}
        self.pages: list[Page] = []
        self.now = NOW

    def open(self) -> Files:
        log = logging.getLogger("connectors.test")
        return Files(self.options, Context((), lambda: self.now, Event(), HttpClient(), log, Unlimited()))

    def pull(self, pages: int = 10_000) -> list[Item]:
        brought: list[Item] = []
        for number, page in enumerate(self.open().fetch(self.cursor, NOW), 1):
            self.pages.append(page)
            brought.extend(page.items)
            self.cursor = json.loads(json.dumps(page.cursor))
            if number == pages:
                break
        self.stored.update((item.external_id, item) for item in brought)
        return brought

    @property
    def skipped(self) -> list[tuple[str, str]]:
        return [(entry.what, entry.why) for page in self.pages for entry in page.skipped]


Make = Callable[..., Source]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Write a file and make a source of it."""

    def of(content: str | bytes, name: str = "reviews.csv", **options: Any) -> Source:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return Source(path, **options)

    return of


def texts(items: list[Item]) -> list[str | None]:
    return [item.text for item in items]


HEADER = "text,date\n"


def rows(*names: str) -> str:
    return "".join(f"{name},2026-10-{number:02}\n" for number, name in enumerate(names, 1))


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
        source = make(HEADER + "".join(f"t{number},2026-10-01\n" for number in range(1_700)))
        brought = [source.pull(pages=1) for _ in range(4)]
        assert [len(items) for items in brought] == [500, 500, 500, 200]
        assert len(source.stored) == 1_700

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

    def test_a_last_row_without_a_line_end_waits_until_the_file_rests(self, make: Make) -> None:
        source = make(HEADER + rows("a") + "b,2026-10-02")
        assert texts(source.pull()) == ["a"]
        assert texts(source.pull()) == ["b"]
        assert source.pull() == []

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


class TestRows:
    def test_rows_are_taken_apart_at_the_delimiter_they_have(self, make: Make) -> None:
        for delimiter in ",;\t|":
            source = make(f'text{delimiter}date\n"a{delimiter}b"{delimiter}2026-10-01\n')
            assert texts(source.pull()) == [f"a{delimiter}b"]

    def test_a_spreadsheets_hint_of_the_delimiter_is_obeyed(self, make: Make) -> None:
        assert texts(make("sep=;\ntext;date\na,b;2026-10-01\n").pull()) == ["a,b"]

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "shift_jis"])
    def test_encodings_survive(self, make: Make, encoding: str) -> None:
        word = "日本" if encoding == "shift_jis" else "café „gut“"
        configured = {"encoding": encoding} if encoding in ("utf-16-le", "shift_jis") else {}
        source = make(f"text,date\n{word},2026-10-01\n\n{word} 2,2026-10-02\n".encode(encoding), **configured)
        assert texts(source.pull()) == [word, f"{word} 2"]

    def test_a_line_that_is_not_utf_8_is_read_as_windows_and_noted(
        self, make: Make, caplog: pytest.LogCaptureFixture
    ) -> None:
        source = make("text,date\nnaïve,2026-10-01\n".encode() + "café €,2026-10-02\n".encode("cp1252"))
        assert texts(source.pull()) == ["naïve", "café €"]
        assert ["Windows-1252" in record.getMessage() for record in caplog.records] == [True]

    def test_old_line_ends_are_read(self, make: Make) -> None:
        assert texts(make("text,date\ra,2026-10-01\rb,2026-10-02\r").pull()) == ["a", "b"]
        assert texts(make("text,date\r\na,2026-10-01\r\n\r\nb,2026-10-02\r\n").pull()) == ["a", "b"]

    def test_a_malformed_row_is_skipped_by_its_number_without_its_text(self, make: Make) -> None:
        source = make(
            "text,date,stars\nfine,2026-10-01,5\nsecret,someday,5\nsecret,,5\nsecret,2026-10-01,9\n,2026-10-01,\n"
        )
        assert texts(source.pull()) == ["fine"]
        assert [what for what, _ in source.skipped] == ["row 3", "row 4", "row 5", "row 6"]
        assert not any("secret" in why for _, why in source.skipped)

    def test_a_stray_quotation_mark_costs_one_row(self, make: Make) -> None:
        source = make('text,date\na,2026-10-01\n"b,2026-10-02\nc,2026-10-03\n"d",2026-10-04\ne,2026-10-05\n')
        assert texts(source.pull()) == ["a", "c", "d", "e"]
        assert [what for what, _ in source.skipped] == ["row 3"]

    def test_quotation_marks_inside_a_cell_that_nobody_doubled_are_forgiven(self, make: Make) -> None:
        source = make('text,date\n"he said "good" to me",2026-10-01\n5" is "small",2026-10-02\nc,2026-10-03\n')
        assert texts(source.pull()) == ['he said good" to me"', '5" is "small"', "c"]

    def test_a_quotation_mark_that_is_never_closed_costs_one_row(self, make: Make) -> None:
        source = make('text,date\na,2026-10-01\n"b,2026-10-02\nc,2026-10-03\n')
        assert texts(source.pull()) == ["a"]
        assert texts(source.pull()) == ["c"]
        assert len(source.skipped) == 1

    def test_empty_rows_are_nothing(self, make: Make) -> None:
        source = make("text,date\n\n,,\n ,\na,2026-10-01\n\n")
        assert texts(source.pull()) == ["a"]

    def test_missing_cells_at_the_end_of_a_row_are_empty(self, make: Make) -> None:
        (item,) = make("text,date,author,likes\na,2026-10-01\n").pull()
        assert item.author is None
        assert item.counts.likes is None

    def test_a_file_without_a_header_takes_its_names_from_the_options(self, make: Make) -> None:
        source = make("7\t2026-10-01\tfine\n", "dump.tsv", header=["nr", "date", "text"], attributes=["nr"])
        (item,) = source.pull()
        assert (item.text, item.attributes["nr"]) == ("fine", "7")

    def test_markup_in_a_cell_is_taken_away_and_an_angle_is_kept(self, make: Make) -> None:
        source = make("text,date\n<p>good &amp; cheap</p>,2026-10-01\nI <3 it & a < b,2026-10-02\n")
        assert texts(source.pull()) == ["good & cheap", "I <3 it & a < b"]

    def test_rows_of_json_lines_that_are_no_objects_are_skipped(self, make: Make) -> None:
        source = make(
            '{"text": "a", "date": "2026-10-01"}\nnonsense\n[1]\n{"text": "b", "at": 1790000000}\n', "a.jsonl"
        )
        assert texts(source.pull()) == ["a", "b"]
        assert [what for what, _ in source.skipped] == ["row 2", "row 3"]

    def test_a_json_file_that_is_really_json_lines_is_read_as_such(self, make: Make) -> None:
        source = make('{"text": "a", "date": "2026-10-01"}\n{"text": "b", "date": "2026-10-01"}\n', "a.json")
        assert texts(source.pull()) == ["a", "b"]

    def test_the_list_of_a_json_document_can_be_named(self, make: Make) -> None:
        document = {
            "users": [{"name": "x"}],
            "data": {"reviews": [{"text": "a", "date": "2026-10-01"}]},
        }
        source = make(json.dumps(document), "a.json", records="reviews")
        assert texts(source.pull()) == ["a"]

    def test_a_long_json_value_across_chunks_is_read(self, make: Make) -> None:
        long = "é" * 700_000
        document = [{"text": long, "date": "2026-10-01"}, {"text": "b", "date": "2026-10-02"}]
        source = make(json.dumps(document, ensure_ascii=False), "a.json")
        assert [len(text or "") for text in texts(source.pull())] == [700_000, 1]

    def test_a_million_rows_would_fit_because_memory_stays_the_same(self, make: Make) -> None:
        line = "a review of the ordinary kind with some words in it,2026-10-01 10:00:00,5,someone\n"

        def peak(count: int) -> int:
            source = make("text,date,stars,author\n" + line * count)
            tracemalloc.start()
            for page in source.open().fetch(None, NOW):
                assert len(page.items) <= 500
            _, highest = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            return highest

        small = peak(2_000)
        assert peak(20_000) < small * 1.5


class TestItems:
    def test_every_field_arrives(self, make: Make) -> None:
        source = make(
            "reviewId,userName,userId,content,title,score,thumbsUpCount,at,updated_at,replyContent,repliedAt,appVersion,"
            "country,lang,link,shares,comments,views,kind,observed_at,verified,Order No\n"
            "g1,Jane,u7,Fine phone,Well,4,12,2026-10-01 10:00:00,2026-10-02,Thanks,2026-10-03,1.2,"
            'DE,de_DE,https://s.example/1,2,3,"1,234",mention,2026-10-05,true,77\n',
            timezone="Europe/Berlin",
            attributes=["Order No"],
        )
        (item,) = source.pull()
        assert item.external_id.endswith(":g1")
        assert (item.title, item.text, item.kind, item.language) == ("Well", "Fine phone", Kind.MENTION, "de-DE")
        assert item.published_at == datetime(2026, 10, 1, 8, tzinfo=UTC)
        assert item.updated_at == datetime(2026, 10, 1, 22, tzinfo=UTC)
        assert item.author is not None
        assert (item.author.id, item.author.name) == ("u7", "Jane")
        assert item.rating is not None
        assert (item.rating.value, item.rating.worst, item.rating.best) == (4, 1, 5)
        assert (item.counts.likes, item.counts.shares, item.counts.comments, item.counts.views) == (12, 2, 3, 1234)
        assert item.reply is not None
        assert (item.reply.text, item.reply.at) == ("Thanks", datetime(2026, 10, 2, 22, tzinfo=UTC))
        assert item.observed_at == datetime(2026, 10, 4, 22, tzinfo=UTC)
        assert item.attributes == {"app_version": "1.2", "country": "DE", "verified": "true", "order_no": "77"}
        assert item.url == "https://s.example/1"

    def test_columns_are_mapped_as_configured_whatever_their_case(self, make: Make) -> None:
        source = make(
            "text,Verdict,When,Points\ninternal,great,01/10/2026 08:30,9\n",
            columns={"text": "verdict", "published_at": "When", "rating": "points"},
            time_format="%d/%m/%Y %H:%M",
            rating_worst=0,
            rating_best=10,
        )
        (item,) = source.pull()
        assert (item.text, item.published_at) == ("great", datetime(2026, 10, 1, 8, 30, tzinfo=UTC))
        assert item.rating is not None
        assert (item.rating.value, item.rating.best) == (9, 10)
        assert item.kind is Kind.REVIEW

    def test_objects_inside_json_rows_are_reached_by_dots(self, make: Make) -> None:
        row = {
            "reviewer": {"displayName": "Jane"},
            "starRating": "FIVE",
            "comment": "ok",
            "createTime": "2026-10-01T10:00:00Z",
        }
        answer = {"reviewReply": {"comment": "thanks", "updateTime": "2026-10-02T10:00:00.123456Z"}}
        (item,) = make(json.dumps({"reviews": [row | answer]}), "reviews.json").pull()
        assert item.author is not None
        assert item.author.name == "Jane"
        assert item.rating is not None
        assert (item.rating.value, item.text, item.kind) == (5, "ok", Kind.REVIEW)
        assert item.reply is not None
        assert item.reply.text == "thanks"

    def test_comments_are_the_text_only_where_there_is_no_other(self, make: Make) -> None:
        assert texts(make("Date,Comments\n2026-10-01,nice\n").pull()) == ["nice"]
        (item,) = make("Date,Comments,Text\n2026-10-01,3,nice\n").pull()
        assert (item.text, item.counts.comments) == ("nice", 3)

    @pytest.mark.parametrize(
        "written",
        [
            "2026-10-01T08:30:00Z",
            "2026-10-01 08:30:00",
            "2026-10-01 01:30:00 -0700",
            "2026-10-01 08:30:00 UTC",
            "2026-10-01T10:30:00+02:00",
            "1790843400",
            "1790843400000",
            "1790843400.0",
            "01.10.2026 08:30",
            "2026/10/01 08:30",
            "Oct 01, 2026 08:30 AM",
            "Thu, 01 Oct 2026 08:30:00 GMT",
            "Thu Oct 01 08:30:00 +0000 2026",
        ],
    )
    def test_times_are_understood_as_people_write_them(self, make: Make, written: str) -> None:
        (item,) = make(f'text;date\na;"{written}"\n').pull()
        assert item.published_at == datetime(2026, 10, 1, 8, 30, tzinfo=UTC)

    def test_a_date_is_not_guessed_where_day_and_month_could_change_places(self, make: Make) -> None:
        source = make("text,date\na,10/01/2026\nb,31/12/2025\nc,12/31/2025\nd,03/03/2026\n")
        assert texts(source.pull()) == ["b", "c", "d"]
        assert source.stored.popitem()[1].published_at == datetime(2026, 3, 3, tzinfo=UTC)
        assert "time_format" in source.skipped[0][1]

    @pytest.mark.parametrize(
        ("written", "value", "best"),
        [
            *[("4", 4.0, 5.0), ("4.5", 4.5, 5.0), ('"4,5"', 4.5, 5.0), ("4/5", 4.0, 5.0), ("8 out of 10", 8.0, 10.0)],
            *[("★★★☆☆", 3.0, 5.0), ("★★★★", 4.0, 5.0), ("FIVE", 5.0, 5.0), ("3 stars", 3.0, 5.0)],
        ],
    )
    def test_ratings_are_understood_as_people_write_them(
        self, make: Make, written: str, value: float, best: float
    ) -> None:
        (item,) = make(f"text,date,rating\na,2026-10-01,{written}\n").pull()
        assert item.rating is not None
        assert (item.rating.value, item.rating.best) == (value, best)

    @pytest.mark.parametrize("written", ["", "n/a", "-", "None"])
    def test_no_rating_is_unknown_and_not_zero(self, make: Make, written: str) -> None:
        (item,) = make(f"text,date,rating\na,2026-10-01,{written}\n").pull()
        assert item.rating is None
        assert item.kind is Kind.REVIEW

    def test_a_table_without_times_has_the_time_of_its_first_reading(self, make: Make) -> None:
        source = make("text\na\n")
        source.pull()
        source.now = NOW + timedelta(days=3)
        Path(source.options.path).write_text("text\nnew\na\n", encoding="utf-8")
        assert {item.published_at for item in source.pull()} == {NOW}

    def test_rows_without_a_time_can_be_given_one(self, make: Make) -> None:
        source = make("text,date\na,\n", undated="2026-01-01T00:00:00", timezone="Europe/Berlin")
        (item,) = source.pull()
        assert item.published_at == datetime(2025, 12, 31, 23, tzinfo=UTC)


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


class TestFaults:
    def test_a_missing_file_is_named_as_configured(self) -> None:
        source = Source(Path("nowhere/reviews.csv"))
        with pytest.raises(NotThere, match=r"^nowhere/reviews\.csv: no such file or folder"):
            source.pull()
        with pytest.raises(NotThere):
            source.open().check()

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_a_file_that_may_not_be_read_is_denied(self, make: Make) -> None:
        source = make(HEADER)
        Path(source.options.path).chmod(0)
        with pytest.raises(AccessDenied, match="permissions"):
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
