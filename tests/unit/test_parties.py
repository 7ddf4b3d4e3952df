"""Where two configurations differ, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitor.config import Settings, parse
from monitor.parties import Party, change_words, difference_words, differences, parts_of, party_words

BASE: Mapping[str, Any] = {
    "brands": [{"name": "Acme", "keywords": ["acme"]}, {"name": "Rival"}],
    "sources": [{"name": "news", "type": "feeds", "brand": "Acme", "options": {"url": "https://x.example/a"}}],
    "digests": [{"name": "daily", "schedule": "daily at 08:00"}],
}
NEWS = BASE["sources"][0]
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def settings(**given: Any) -> Settings:
    return parse({**BASE, **given})


@pytest.mark.parametrize(
    ("given", "words", "changed"),
    [
        ({}, "", ""),
        (
            {"brands": [{"name": "Acme", "keywords": ["acme", "akme"]}, {"name": "Rival"}]},
            "has other keywords for Acme",
            "keywords of Acme changed",
        ),
        (
            {"brands": [{**BASE["brands"][0], "competitors": ["Rival"]}, {"name": "Rival"}]},
            "has other settings for the brand Acme",
            "brand Acme changed",
        ),
        ({"brands": BASE["brands"][:1]}, "does not watch Rival", "brand Rival removed"),
        ({"brands": [*BASE["brands"], {"name": "New"}]}, "also watches New", "brand New added"),
        ({"sources": [{**NEWS, "every": "1h"}]}, "has other settings for the source news", "source news changed"),
        ({"sources": [{**NEWS, "enabled": False}]}, "does not read news", "source news removed"),
        ({"sources": [NEWS, {**NEWS, "name": "more"}]}, "also reads more", "source more added"),
        ({"digests": []}, "has no digest daily", "digest daily removed"),
        ({"scoring": {"positive_at": 0.2}}, "has other scoring settings", "scoring settings changed"),
        (
            {"monitor": {"timezone": "Europe/Berlin", "workers": 9, "database": "sqlite:///other.db"}},
            "has other settings of [monitor]",
            "settings of [monitor] changed",
        ),
        ({"monitor": {"workers": 9, "log_level": "debug"}, "web": {"enabled": False}}, "", ""),
    ],
)
def test_each_difference_has_its_words(given: Mapping[str, Any], words: str, changed: str) -> None:
    found = differences(parts_of(settings()), parts_of(settings(**given)))
    assert (difference_words(found), change_words(found)) == (words, changed)


def test_of_many_differences_the_first_are_named_and_the_rest_counted() -> None:
    many = [{**NEWS, "name": f"s{number}"} for number in range(9)]
    words = difference_words(differences(parts_of(settings(sources=[])), parts_of(settings(sources=many))))
    assert words.endswith("also reads s5 and 3 more differences")


def test_nothing_of_a_secret_gets_into_what_is_said_of_a_configuration() -> None:
    def hidden(token: str) -> Settings:
        return settings(sources=[{"name": "code", "type": "github", "brand": "Acme", "options": {"token": token}}])

    assert parts_of(hidden("s3cret-one")) == parts_of(hidden("s3cret-two"))
    assert "s3cret" not in json.dumps(parts_of(hidden("s3cret-one")))


def test_a_daemon_is_named_by_its_host_and_when_it_started() -> None:
    party = Party("web-2:4711:ab", "web-2", "4711", NOW - timedelta(hours=2), NOW, ())
    assert party_words(party, "here:1:cd", UTC, NOW) == "daemon on host web-2, started 10:00"
    assert party_words(party, "web-2:1:cd", UTC, NOW) == "daemon on this machine (process 4711), started 10:00"
    assert party_words(party, "here:1:cd", UTC, NOW + timedelta(days=1)) == "daemon on host web-2, started 20 Nov 10:00"
