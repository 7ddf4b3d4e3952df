"""The configuration's files: replaced whole, secrets private, git told."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from monitor.config import ConfigError
from monitor.config.secrets import Secrets
from monitor.config.writing import free_variable, ignored_by_git, keep, read, replace

SOUND = '[[brands]]\nname = "Acme"\n'
FAULTY = SOUND + "[monitor]\nworkers = 0\n"


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_secrets_are_kept_in_a_file_that_only_its_owner_may_read(tmp_path: Path) -> None:
    keep(tmp_path / "config.toml", SOUND, {"KEY": "s3cret"})
    assert read(tmp_path / "secrets.env") == "KEY=s3cret\n"
    assert _mode(tmp_path / "secrets.env") == 0o600
    assert _mode(tmp_path / "config.toml") == 0o644


def test_secrets_go_behind_what_is_there_even_without_a_last_new_line(tmp_path: Path) -> None:
    (tmp_path / "secrets.env").write_text("# mine\nOLD=1")
    keep(tmp_path / "config.toml", SOUND, {"NEW": "2"})
    assert read(tmp_path / "secrets.env") == "# mine\nOLD=1\nNEW=2\n"
    assert _mode(tmp_path / "secrets.env") == 0o600


@pytest.mark.parametrize("secret", ["plain", " blanks around ", "'quoted'", '"', "#hash", "a=b", "ünïcode", "export X"])
def test_a_secret_is_read_again_as_it_was_given(tmp_path: Path, secret: str) -> None:
    keep(tmp_path / "config.toml", SOUND, {"THE_KEY_OF_THIS_TEST": secret})
    assert Secrets.beside(tmp_path).values["THE_KEY_OF_THIS_TEST"] == secret


def test_a_secret_of_several_lines_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="file:/path"):
        keep(tmp_path / "config.toml", SOUND, {"KEY": "two\nlines"})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("before", [None, "OLD=1\n"])
def test_a_faulty_configuration_leaves_both_files_as_they_were(tmp_path: Path, before: str | None) -> None:
    config, secrets = tmp_path / "config.toml", tmp_path / "secrets.env"
    config.write_text(SOUND)
    if before is not None:
        secrets.write_text(before)
    with pytest.raises(ConfigError):
        keep(config, FAULTY, {"KEY": "s3cret"})
    assert read(config) == SOUND
    assert (read(secrets) if secrets.exists() else None) == before
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_file_keeps_its_rights_and_a_link_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.toml", tmp_path / "config.toml"
    real.write_text("a = 1\r\n")
    real.chmod(0o640)
    link.symlink_to(real)
    replace(link, "b = 2\r\n")
    assert link.is_symlink()
    assert (real.read_bytes(), _mode(real)) == (b"b = 2\r\n", 0o640)


def test_a_variable_that_is_in_use_anywhere_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secrets.env").write_text("A_KEY=1\n")
    monkeypatch.setenv("A_KEY_2", "x")
    assert free_variable(tmp_path, "A_KEY") == "A_KEY_3"
    assert free_variable(tmp_path, "FREE_OF_ALL") == "FREE_OF_ALL"


def test_git_is_told_only_in_a_checkout_and_only_what_it_does_not_know(tmp_path: Path) -> None:
    assert ignored_by_git(tmp_path, ["secrets.env"]) is None
    (tmp_path / ".git").mkdir()
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / ".gitignore").write_text("/var\n*.pyc")
    assert ignored_by_git(inner, ["secrets.env", "var/"]) == inner / ".gitignore"
    assert read(inner / ".gitignore") == "/var\n*.pyc\nsecrets.env\n"
    assert ignored_by_git(inner, ["secrets.env", "var/"]) is None


def test_a_folder_that_is_none_is_an_error_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        replace(tmp_path / "file" / "config.toml", "")


def test_a_file_that_cannot_be_written_is_named_as_the_user_named_it(tmp_path: Path) -> None:
    file = tmp_path / "nowhere" / "config.toml"
    with pytest.raises(OSError, match="No such file") as caught:
        replace(file, SOUND)
    assert caught.value.filename == str(file)
