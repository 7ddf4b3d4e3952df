"""The beginnings of a connector of one's own. That they pass their tests is shown in tests/e2e/test_own_connectors.py."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from monitor import scaffold


@pytest.mark.parametrize("name", ["a", "forum2", "my_forum", "abcdefghij_klmnopqrst_uvwxyz12"])
def test_a_good_name_has_no_fault(name: str) -> None:
    assert scaffold.fault_of(name) is None


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "a letter first"),
        ("My-Forum", "write my_forum"),
        ("my__forum", "write my_forum"),
        ("2forum", "write forum"),
        ("forüm", "small letters, digits"),
        ("../forum", "write forum"),
        ("forum\n", "write forum"),
        ("x" * 31, "has 31 characters, 30 are allowed"),
        ("class", "is a word of Python"),
        ("reddit", "is there already, built in"),
        ("sample", "is there already, brought by sentiment-monitor"),
    ],
)
def test_a_bad_name_is_told_with_what_to_do(name: str, words: str) -> None:
    fault = scaffold.fault_of(name)
    assert fault is not None
    assert words in fault


def test_the_files_are_written_under_the_name(tmp_path: Path) -> None:
    written = scaffold.write("my_forum", tmp_path / "new")
    assert sorted(str(path.relative_to(tmp_path / "new")) for path in written) == [
        ".gitignore",
        "README.md",
        "docs/my_forum.md",
        "pyproject.toml",
        "src/sentiment_monitor_my_forum/__init__.py",
        "src/sentiment_monitor_my_forum/connector.py",
        "src/sentiment_monitor_my_forum/options.py",
        "src/sentiment_monitor_my_forum/parse.py",
        "src/sentiment_monitor_my_forum/py.typed",
        "tests/fake_my_forum.py",
        "tests/test_my_forum.py",
    ]
    project = tomllib.loads((tmp_path / "new" / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["name"] == "sentiment-monitor-my-forum"
    assert project["entry-points"] == {
        "sentiment_monitor.connectors": {"my_forum": "sentiment_monitor_my_forum:PLUGIN"}
    }


def test_what_stands_already_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError):
        scaffold.write("my_forum", tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
