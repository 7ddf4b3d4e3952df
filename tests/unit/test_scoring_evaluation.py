import json
from dataclasses import replace
from pathlib import Path

import pytest

from monitor.scoring import DEFAULT, STOCK, Label
from monitor.scoring.evaluation import AmbiguousLabels, Row, evaluate, label_of, scale_of
from monitor.scoring.evaluation_files import Columns, FaultyFile, read_rows

POSITIVE, NEUTRAL, NEGATIVE = Label.POSITIVE, Label.NEUTRAL, Label.NEGATIVE

ROWS = [
    Row("good", POSITIVE, group="a"),
    Row("good", POSITIVE, group="a"),
    Row("good", NEGATIVE, group="a"),
    Row("awful", NEGATIVE, group="b"),
    Row("a table", NEGATIVE, group="b"),
    Row("a table", NEUTRAL, group="b"),
    Row(None, NEUTRAL),
]


def test_figures_follow_from_the_confusion() -> None:
    (found,) = evaluate(ROWS, [STOCK]).profiles
    assert found.confusion == {
        "positive": {"positive": 2, "neutral": 0, "negative": 0},
        "neutral": {"positive": 0, "neutral": 1, "negative": 0},
        "negative": {"positive": 1, "neutral": 1, "negative": 1},
    }
    assert (found.profile, found.version, found.n, found.unscored) == ("stock", STOCK.version, 6, 1)
    assert found.accuracy == pytest.approx(4 / 6)
    assert found.recall == {"positive": 1.0, "neutral": 1.0, "negative": pytest.approx(1 / 3)}
    assert found.macro_f1 == pytest.approx((4 / 5 + 2 / 3 + 2 / 4) / 3)
    assert found.score_true == pytest.approx(-1 / 6)
    assert found.score == pytest.approx(2 / 6)
    assert found.score_error == pytest.approx(3 / 6)


def test_groups_have_errors_of_their_own() -> None:
    (found,) = evaluate(ROWS, [STOCK]).profiles
    assert [(group.group, group.n, group.score_error) for group in found.groups] == [
        ("a", 3, pytest.approx(2 / 3)),
        ("b", 3, pytest.approx(1 / 3)),
    ]
    assert found.group_error == pytest.approx(1 / 2)


def test_stars_and_gate_are_off_but_the_version_is_the_profiles() -> None:
    german = Row("Die Lieferung kam zu spät und niemand hat geantwortet.", NEUTRAL)
    (found,) = evaluate([german], [DEFAULT]).profiles
    assert (found.n, found.version) == (1, DEFAULT.version)


def test_no_rows_give_no_figures() -> None:
    (found,) = evaluate([], [STOCK]).profiles
    assert (found.n, found.accuracy, found.macro_f1, found.score, found.score_error) == (0, None, None, None, None)


def test_several_profiles_stand_side_by_side_as_json() -> None:
    document = json.loads(json.dumps(evaluate(ROWS, [STOCK, DEFAULT]).to_dict()))
    assert [entry["profile"] for entry in document["profiles"]] == ["stock", "default"]
    assert {"n", "accuracy", "macro_f1", "recall", "score_true", "score", "score_error", "confusion"} <= document[
        "profiles"
    ][0].keys()


@pytest.mark.parametrize(
    ("column", "scale", "labels"),
    [
        (["Positive", " neg ", "NEU", "neutral"], "words", [POSITIVE, NEGATIVE, NEUTRAL, NEUTRAL]),
        (["1", "2", "3", "4.0", "5"], "stars", [NEGATIVE, NEGATIVE, NEUTRAL, POSITIVE, POSITIVE]),
        (["2.4", "2.5", "3.5"], "stars", [NEGATIVE, NEUTRAL, POSITIVE]),
        (["1", "0", "-1"], "signs", [POSITIVE, NEUTRAL, NEGATIVE]),
        (["-1", "1"], "signs", [NEGATIVE, POSITIVE]),
        (["1"], "stars", [NEGATIVE]),
        (["6", "0.5"], "stars", [None, None]),
        (["-1", "5"], "signs", [NEGATIVE, None]),
        (["good", "3", ""], "words", [None, None, None]),
    ],
)
def test_a_column_of_labels_is_read_by_its_scale(column: list[str], scale: str, labels: list[Label | None]) -> None:
    found = scale_of(column)
    assert found == scale
    assert [label_of(written, found) for written in column] == labels


def test_only_noughts_and_ones_are_not_guessed_at() -> None:
    with pytest.raises(AmbiguousLabels, match="only 0 and 1"):
        scale_of(["0", "1", "1"])


# --- Files


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", '\ufeffcontent,Stars,title\n"It, ""works""\nwell",5,Good\nNo,1,\n'),
        ("a.tsv", 'title\tsentiment\ttext\nGood\tpositive\tIt, ""works""\\nwell\n\tnegative\tNo\n'),
        ("a.jsonl", '{"text": "It works", "score": 5, "title": "Good"}\n\n{"text": "No", "score": 1, "title": null}\n'),
    ],
)
def test_rows_come_from_files_with_usual_column_names(tmp_path: Path, name: str, text: str) -> None:
    good, no = read_rows(written(tmp_path, name, text))
    assert (good.title, good.label, no.text, no.label) == ("Good", POSITIVE, "No", NEGATIVE)
    assert good.text is not None
    assert good.text.startswith("It")


def test_columns_can_be_named(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", "text,note,brand,mark\nx,y,acme,-1\nx,z,acme,0\n")
    rows = read_rows(file, Columns(text="note", label="mark", group="brand"))
    assert rows == [Row("y", NEGATIVE, group="acme"), Row("z", NEUTRAL, group="acme")]


def test_faulty_labels_are_named_by_row_and_column(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", "text,stars\ngood,5\nbad,6\nmeh,\nodd,0.2\n")
    with pytest.raises(FaultyFile) as caught:
        read_rows(file)
    assert caught.value.faults == (
        f"{file}: row 3, column 'stars': '6' is no label; give 1 to 5 stars",
        f"{file}: row 4, column 'stars': has no label; give 1 to 5 stars",
        f"{file}: row 5, column 'stars': '0.2' is no label; give 1 to 5 stars",
    )


@pytest.mark.parametrize(
    ("name", "text", "columns", "message"),
    [
        ("a.csv", "text,x\na,b\n", None, "no column of labels; name it .the file has text, x."),
        ("a.csv", "stars,x\n1,b\n", None, "no column of texts"),
        ("a.csv", "text,stars\na,1\n", Columns(text="body"), "column 'body' is not there; the file has text, stars"),
        ("a.csv", "text,stars\n", None, "holds no rows"),
        ("a.csv", "text,label\na,1\nb,0\n", None, "column 'label': labels are only 0 and 1"),
        ("a.jsonl", '{"text": "a", "stars": 1}\n{"text"\n', None, "row 2: is not JSON"),
        ("a.jsonl", "[1]\n", None, "row 1: is list"),
        ("a.xlsx", "", None, ".xlsx is not known; give a .csv"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(
    tmp_path: Path, name: str, text: str, columns: Columns | None, message: str
) -> None:
    with pytest.raises(FaultyFile, match=message):
        read_rows(written(tmp_path, name, text), columns)


def test_a_file_that_cannot_be_read_says_why(tmp_path: Path) -> None:
    with pytest.raises(FaultyFile, match="No such file"):
        read_rows(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes("text,stars\nschön,5\n".encode("latin-1"))
    with pytest.raises(FaultyFile, match="byte 14 is not UTF-8"):
        read_rows(tmp_path / "latin.csv")


def test_many_faults_are_counted_rather_than_shown(tmp_path: Path) -> None:
    file = written(tmp_path, "a.csv", "text,stars\n" + "x,9\n" * 50)
    with pytest.raises(FaultyFile, match="and 30 more"):
        read_rows(file)


def test_profiles_with_other_steps_judge_the_same() -> None:
    (with_steps, without) = evaluate(ROWS, [DEFAULT, replace(DEFAULT, stars=False, language_gate=False)]).profiles
    assert with_steps.confusion == without.confusion
