"""How rows are taken apart and what becomes of their cells."""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from connectors.contract import Kind
from connectors.testing.platform import NOW
from tests.fakes.files import (
    Make,
    maker,
    texts,
)


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return maker(tmp_path)


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
            *[
                ("★★★☆☆", 3.0, 5.0),
                ("★★★★", 4.0, 5.0),
                ("FIVE", 5.0, 5.0),
                ("true", 1.0, 1.0),
                ("no", 0.0, 1.0),
                ("3 stars", 3.0, 5.0),
            ],
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
        (first,) = source.pages[0].items
        source.now += timedelta(days=3)
        Path(source.options.path).write_text("text\nnew\na\n", encoding="utf-8")
        assert {item.published_at for item in source.pull()} == {first.published_at}

    def test_rows_without_a_time_can_be_given_one(self, make: Make) -> None:
        source = make("text,date\na,\n", undated="2026-01-01T00:00:00", timezone="Europe/Berlin")
        (item,) = source.pull()
        assert item.published_at == datetime(2025, 12, 31, 23, tzinfo=UTC)
