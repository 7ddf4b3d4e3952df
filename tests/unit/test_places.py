"""Relative paths of a configuration go by its folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors.places import folder_of, placed, placed_address, rewritten
from monitor.config import load

HERE = Path("/etc/acme")


@pytest.mark.parametrize(
    ("address", "there"),
    [
        ("sqlite:///var/x.db?timeout=5", "sqlite:////etc/acme/var/x.db?timeout=5"),
        ("sqlite:////var/x.db", "sqlite:////var/x.db"),
        ("sqlite:///:memory:", "sqlite:///:memory:"),
        ("sqlite+pysqlite:///x.db", "sqlite+pysqlite:////etc/acme/x.db"),
        ("postgresql+psycopg://u:p%3F@h/d?sslrootcert=ca.pem", "postgresql+psycopg://u:p%3F@h/d?sslrootcert=/etc/acme/ca.pem"),
        ("postgresql://h/d?sslrootcert=system&sslkey=/k", "postgresql://h/d?sslrootcert=system&sslkey=/k"),
        ("no address", "no address"),
    ],
)  # fmt: skip
def test_files_in_an_address_lie_beside_the_configuration(address: str, there: str) -> None:
    assert placed_address(address, HERE) == there


def test_a_folder_that_an_address_cannot_name_is_refused() -> None:
    with pytest.raises(ValueError, match="rename that folder"):
        placed_address("sqlite:///x.db", Path("/a?b"))


def test_whole_paths_and_those_of_the_user_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    assert placed("/x", HERE) == Path("/x")
    assert placed("~/x", HERE) == Path("/home/ann/x")
    assert placed("x", HERE) == HERE / "x"


@pytest.mark.parametrize(
    ("typed", "written"),
    [("x.csv", "/home/x.csv"), ("../etc/acme/in/x.csv", "in/x.csv"), ("/y.csv", "/y.csv"), ("~/z.csv", "~/z.csv"),
     ("sqlite:///s.db", "sqlite:////home/s.db")],
)  # fmt: skip
def test_what_is_typed_elsewhere_is_written_as_the_configuration_sees_it(typed: str, written: str) -> None:
    assert rewritten(typed, Path("/home"), HERE) == written
    assert rewritten(typed, HERE, HERE) == typed


def test_every_path_of_a_configuration_lies_beside_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    (home / "brands").mkdir(parents=True)
    (home / "words.tsv").write_text("zapf\t2.5\n", encoding="utf-8")
    (home / "brands" / "more.toml").write_text(
        '[[channels]]\nname = "more"\ntype = "file"\nfolder = "out"\n', encoding="utf-8"
    )
    (home / "config.toml").write_text(
        """
[monitor]
include = ["brands/*.toml"]
[[brands]]
name = "Acme"
[[digests]]
name = "daily"
schedule = "daily at 08:00"
logo = "logo.png"
templates = "templates"
[[channels]]
name = "files"
type = "file"
[[channels]]
name = "mail"
type = "email"
host = "mail.example"
ca_file = "ca.pem"
from = "a@example.org"
to = "b@example.org"
[scoring]
lexicon_file = "words.tsv"
""",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    settings = load(Path("home/config.toml"))
    files, mail, more = settings.channels
    assert settings.folder == folder_of(Path("home/config.toml")) == home
    assert settings.monitor.database == f"sqlite:///{home}/var/monitor.db"
    assert (settings.digests[0].logo, settings.digests[0].templates) == (home / "logo.png", home / "templates")
    assert (files.folder, more.folder) == (home / "var/digests", home / "out")  # type: ignore[union-attr]
    assert mail.ca_file == home / "ca.pem"  # type: ignore[union-attr]
    assert dict(settings.scoring.lexicon)["zapf"] == 2.5
