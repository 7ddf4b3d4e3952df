"""The first configuration: sound whatever it is made of, and its hints are sound too."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from monitor.config import Settings, parse
from monitor.config.starter import Starter, slug, text_of

FULL = Starter(
    brand="Acme",
    keywords=["acme", "acme phone"],
    exclude=["acme cartoon"],
    competitors=["Rival", "Rival", "Acme"],
    feeds=["https://www.blog.example/feed.xml", "https://blog.example/other.xml"],
    apps=[{"app_id": "310633997", "countries": ["de"]}],
    timezone="Europe/Berlin",
    folder="out",
)


def _settings(text: str, folder: Path) -> Settings:
    return parse(tomllib.loads(text), folder / "config.toml")


@pytest.mark.parametrize(
    "starter",
    [
        FULL,
        Starter(brand="A"),
        Starter(brand='Quote " and \\ back'),
        Starter(brand="アクメ"),
        Starter(brand="Nothing", hackernews=False),
    ],
)
def test_what_is_written_is_sound_and_says_what_was_meant(starter: Starter, tmp_path: Path) -> None:
    settings = _settings(text_of(starter), tmp_path)
    assert settings.brands[0].name == starter.brand
    assert settings.brands[0].keywords == list(starter.keywords or [starter.brand])
    assert settings.monitor.timezone == starter.timezone
    assert [digest.name for digest in settings.digests] == ["daily", "weekly"]


def test_rivals_are_brands_and_searches_serve_them_too_but_an_app_is_the_brands_own(tmp_path: Path) -> None:
    settings = _settings(text_of(FULL), tmp_path)
    assert [brand.name for brand in settings.brands] == ["Acme", "Rival"]
    assert settings.brands[0].competitors == ["Rival"]
    served = {source.name: source.served for source in settings.sources}
    assert served == {
        "hackernews": ["Acme", "Rival"],
        "blog-example": ["Acme", "Rival"],
        "blog-example-2": ["Acme", "Rival"],
        "app-store": ["Acme"],
    }


def test_every_section_says_what_it_is_for() -> None:
    lines = text_of(FULL).split("\n")
    for table in ("[monitor]", "[[brands]]", "[[sources]]", "[[digests]]", "[[channels]]"):
        assert lines[lines.index(table) - 1].startswith("# "), table


def test_the_hints_are_sound_once_they_are_uncommented(tmp_path: Path) -> None:
    keys = ("REDDIT_CLIENT_ID", "REDDIT_CLIENT_SECRET", "SMTP_PASSWORD")
    (tmp_path / "secrets.env").write_text("".join(f"{key}=x\n" for key in keys))
    lines, hint = [], False
    for line in text_of(FULL).split("\n"):
        hint = line.startswith("# [[") or (hint and line.startswith("#"))
        lines.append(line.removeprefix("#").strip() if hint else line)
    settings = _settings("\n".join(lines), tmp_path)
    assert settings.source("reddit").parsed.client_secret.get_secret_value() == "x"
    assert settings.channel("mail").type == "email"


def test_reddit_is_never_the_first_thing_proposed() -> None:
    assert all(source.type != "reddit" for source in _settings(text_of(FULL), Path()).sources)


@pytest.mark.parametrize(("text", "made"), [("Acme & Co.", "acme-co"), ("  ", ""), ("Ölé!", "ölé")])
def test_a_slug_holds_letters_and_digits_only(text: str, made: str) -> None:
    assert slug(text) == made
