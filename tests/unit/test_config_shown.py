"""The settings in effect, without a secret."""

from __future__ import annotations

import json
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config import parse
from monitor.config.shown import duration, shown, without_password
from monitor.schedule import parse_duration

CONFIG = """
[monitor]
database = "postgresql+psycopg://monitor:s3cret-db@db.example/monitor"

[[brands]]
name = "Acme"

[[accounts]]
name = "reddit-main"
type = "reddit"
options = { client_id = "env:SHOWN_ID", client_secret = "s3cret-inline" }

[[sources]]
name = "reddit"
type = "reddit"
account = "reddit-main"
brand = "Acme"
every = "1h30m"
options = { subreddits = ["python"] }

[[sources]]
name = "blog"
type = "feeds"
brand = "Acme"
options = { url = "https://blog.example/feed?token=s3cret-token" }

[[digests]]
name = "daily"
schedule = "daily at 08:00"

[[channels]]
name = "hook"
type = "webhook"
url = "https://hook.example/s3cret-path"
secret = "env:SHOWN_HOOK"

[[channels]]
name = "mail"
type = "email"
host = "smtp.example.org"
username = "monitor"
password = "s3cret-mail"
from = "a@example.org"
to = "b@example.org"
"""


@pytest.fixture
def made(tmp_path: Path) -> dict[str, object]:
    (tmp_path / "secrets.env").write_text("SHOWN_ID=s3cret-id\nSHOWN_HOOK=s3cret-hook\n")
    return shown(parse(tomllib.loads(CONFIG), tmp_path / "config.toml"))


def test_no_secret_is_shown_wherever_it_came_from(made: dict[str, object]) -> None:
    assert "s3cret" not in json.dumps(made)
    assert json.dumps(made).count("***") >= 8


def test_what_is_in_effect_is_shown_with_its_defaults(made: dict[str, object]) -> None:
    sources = made["sources"]
    assert isinstance(sources, list)
    assert sources[0]["every"] == "1h30m"
    assert sources[0]["options"]["subreddits"] == ["python"]
    assert sources[0]["options"]["client_id"] == "***"
    assert sources[0]["options"]["posts"] is True
    assert sources[1]["options"]["url"] == "https://blog.example/***"
    assert made["monitor"] == {
        "timezone": "UTC",
        "database": "postgresql+psycopg://monitor:***@db.example/monitor",
        "workers": 4,
        "first_fetch": "30d",
        "refresh": "7d",
        "keep": "0s",
        "keep_log": "180d",
        "lease": "2m",
        "duplicates": "count",
        "executor": "processes",
        "log_level": "info",
        "sleep": True,
    }


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("sqlite:///var/monitor.db", "sqlite:///var/monitor.db"),
        ("postgresql+psycopg://u:a/b@c@host/db", "postgresql+psycopg://u:***@host/db"),
        (
            "postgresql+psycopg://host:5432/db?user=u&password=x",
            "postgresql+psycopg://host:5432/db?user=u&password=***",
        ),
        ("postgresql+psycopg://u@host/db", "postgresql+psycopg://u@host/db"),
    ],
)
def test_a_database_address_is_shown_without_its_password(url: str, safe: str) -> None:
    assert without_password(url) == safe


@pytest.mark.parametrize("text", ["0s", "45s", "1h30m", "2d", "30d", "1d1h1m1s"])
def test_a_duration_is_shown_as_it_can_be_written(text: str) -> None:
    assert duration(parse_duration(text)) == text
    assert parse_duration(duration(timedelta(days=10, seconds=61))) == timedelta(days=10, seconds=61)
