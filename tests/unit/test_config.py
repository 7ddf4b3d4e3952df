"""A wrong configuration lists everything that is wrong with it, each with place and remedy."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from monitor.config import ConfigError, load, parse

SOUND = """
[[brands]]
name = "Acme"

[[sources]]
name = "news"
type = "feeds"
brand = "Acme"
every = "1h30m"
options = { url = "https://acme.example/feed.xml" }

[[digests]]
name = "daily"
schedule = "daily at 08:00"
channels = ["files"]

[[channels]]
name = "files"
type = "file"
"""


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse(tomllib.loads(text))
    return [str(fault) for fault in caught.value.faults]


def test_a_sound_configuration_is_read() -> None:
    settings = parse(tomllib.loads(SOUND))
    assert settings.source("news").every == timedelta(minutes=90)
    assert settings.source("news").parsed.url == "https://acme.example/feed.xml"
    assert settings.source("news").served == ["Acme"]
    assert settings.monitor.timezone == "UTC"


def test_all_faults_come_at_once_each_with_its_place_and_remedy() -> None:
    found = faults("""
[monitor]
timezone = "Europe/Berln"
databse = "sqlite:///x.db"

[[brands]]
name = "Acme"
keywrods = ["acme"]
competitors = ["Rvial"]

[[brands]]
name = "Rival"

[[sources]]
name = "news"
type = "feed"
brand = "Acme"

[[sources]]
name = "hn"
type = "hackernews"
brand = "Acne"
every = "5"
options = { storys = true }

[[digests]]
name = "daily"
schedule = "daily at 25:00"
channels = ["mail"]

[[channels]]
name = "hook"
type = "webook"
""")
    wanted = {
        "monitor.timezone": "Europe/Berlin",
        "monitor.databse": 'did you mean "database"?',
        "brands.Acme.keywrods": 'did you mean "keywords"?',
        "sources.news.type": 'did you mean "feeds"?',
        "sources.hn.every": "",
        "sources.hn.brand": 'no brand "Acne"; did you mean "Acme"?',
        "sources.hn.options.storys": 'did you mean "stories"?',
        "brands.Acme.competitors": 'no brand "Rvial"; did you mean "Rival"?',
        "digests.daily.channels": "there are: hook",
        "channels.hook.type": 'did you mean "webhook"?',
        "digests.daily.schedule": "",
    }
    for place, remedy in wanted.items():
        fitting = [line for line in found if line.startswith(f"{place}:") and remedy in line]
        assert fitting, f"{place} is not among:\n" + "\n".join(found)
    assert all("; " in line for line in found)
    assert len(found) == len(wanted)


def test_names_that_refer_to_nothing_are_named_with_what_was_probably_meant() -> None:
    found = faults(SOUND.replace('brand = "Acme"', 'brand = "Amce"').replace('["files"]', '["fils"]'))
    assert 'sources.news.brand: no brand "Amce"; did you mean "Acme"?' in found
    assert 'digests.daily.channels: no channel "fils"; did you mean "files"?' in found


def test_a_missing_secret_names_its_variable() -> None:
    text = SOUND.replace(
        'options = { url = "https://acme.example/feed.xml" }', 'options = { url = "env:ACME_FEED_URL" }'
    )
    (line,) = faults(text)
    assert line.startswith("sources.news.options.url: the variable ACME_FEED_URL is not set; export ACME_FEED_URL=")


def test_secrets_are_read_from_the_file_beside_the_configuration(tmp_path: Path) -> None:
    (tmp_path / "secrets.env").write_text("# ours\nexport ACME_FEED_URL='https://secret.example/feed'\n")
    (tmp_path / "config.toml").write_text(SOUND.replace("https://acme.example/feed.xml", "env:ACME_FEED_URL"))
    assert load(tmp_path / "config.toml").source("news").parsed.url == "https://secret.example/feed"


def test_secrets_are_read_from_a_file_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "hook").write_text("s3cret\n")
    channel = '\n[[channels]]\nname = "hook"\ntype = "webhook"\nurl = "https://hook.example"\nsecret = "file:hook"\n'
    (tmp_path / "config.toml").write_text(SOUND + channel)
    settings = load(tmp_path / "config.toml")
    assert settings.channel("hook").secret.get_secret_value() == "s3cret"  # type: ignore[union-attr]
    assert "s3cret" not in repr(settings)


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no such file; .*init.*demo"):
        load(tmp_path / "config.toml")


def test_a_folder_and_what_is_not_text_are_told_as_what_they_are(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r": is a folder; name the file in it"):
        load(tmp_path)
    (tmp_path / "config.toml").write_bytes(b"#\xff\xfe")
    with pytest.raises(ConfigError, match=r": is not text in UTF-8 \(byte 2\); save it as UTF-8"):
        load(tmp_path / "config.toml")


def test_what_is_not_toml_is_named_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[monitor]\ntimezone = Europe\n")
    with pytest.raises(ConfigError, match=r"is not TOML: .*line 2"):
        load(tmp_path / "config.toml")


def test_an_interval_shorter_than_the_platform_allows_is_refused() -> None:
    (line,) = faults(SOUND.replace('every = "1h30m"', 'every = "1s"'))
    assert line.startswith("sources.news.every: is shorter than")


def test_a_faulty_query_shows_the_place() -> None:
    (line,) = faults(SOUND.replace('name = "Acme"\n', 'name = "Acme"\nquery = "acme AND (phone"\n', 1))
    assert line.startswith("brands.Acme.query: ")


def test_every_faulty_word_of_the_lexicon_is_named() -> None:
    found = faults(SOUND + '\n[scoring]\nlexicon = { sick = 9.0, "two words" = 1.0 }\n')
    assert any("sick" in line for line in found)
    assert any("two words" in line for line in found)


def test_two_of_one_name_are_refused() -> None:
    (line,) = faults(SOUND + '\n[[brands]]\nname = "Acme"\n')
    assert line == 'brands.Acme: the name "Acme" is used more than once in brands; give each its own'


def test_a_table_that_should_be_a_list_says_how_it_is_written() -> None:
    found = faults('[brands]\nname = "Acme"\n')
    assert "brands: is one table, and needs to be a list; write [[brands]] instead of [brands]" in found


def test_a_faulty_or_missing_name_hides_no_other_fault_of_its_entry() -> None:
    found = faults(
        SOUND
        + """
[[digests]]
name = "a/b"
schedule = "61 8 * * *"
brands = ["Zed"]
channels = ["nowhere"]

[[rules]]
when = "rating <="
channels = ["nowhere"]
"""
    )
    places = [fault.partition(": ")[0] for fault in found]
    assert set(places) == {
        "digests.a/b.name",
        "digests.a/b.schedule",
        "digests.a/b.brands",
        "digests.a/b.channels",
        "rules[1].name",
        "rules[1].channels",
        "rules[1].when",
    }


@pytest.mark.parametrize("address", ["mysql://user:s3cret@host/name", "var/monitor.db", "s3cret"])
def test_a_database_that_nothing_can_open_is_a_fault_that_does_not_show_its_password(address: str) -> None:
    (fault,) = faults(SOUND + f'\n[monitor]\ndatabase = "{address}"\n')
    assert fault.startswith(
        "monitor.database: neither the address of an SQLite file nor of a PostgreSQL server; write "
    )
    assert "s3cret" not in fault


def test_what_refers_to_a_faulty_channel_is_not_called_wrong_besides() -> None:
    (fault,) = faults(SOUND.replace('type = "file"', 'type = "carrier pigeon"'))
    assert fault.startswith("channels.files.type: ")
