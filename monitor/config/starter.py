"""PURE  The first configuration of somebody's own, as a text to be read: every section says what it is for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import tomlkit

from monitor.config.edit import block
from monitor.config.tables import slug as slug


@dataclass(frozen=True, slots=True)
class Starter:
    """What is watched, where, and where digests go. ``feeds`` are addresses, ``apps`` the options of App Store sources."""

    brand: str
    keywords: Sequence[str] = ()
    exclude: Sequence[str] = ()
    competitors: Sequence[str] = ()
    hackernews: bool = True
    feeds: Sequence[str] = ()
    apps: Sequence[Mapping[str, Any]] = ()
    timezone: str = "UTC"
    folder: str = "var/digests"


def text_of(starter: Starter) -> str:
    """The configuration as TOML."""
    sections = [
        _HEAD,
        _MONITOR.replace("{timezone}", _value(starter.timezone)),
        _BRANDS + "\n".join(block("brands", brand) for brand in _brands(starter)),
        _SOURCES + "\n".join(block("sources", source) for source in sources_of(starter)),
        _REDDIT.replace("{brand}", _value(starter.brand)),
        _DIGESTS,
        _CHANNELS.replace("{folder}", _value(starter.folder)),
        _EMAIL,
        _WEB,
    ]
    return "\n".join(sections)


def sources_of(starter: Starter) -> list[dict[str, Any]]:
    """The ``[[sources]]``, each under a name of its own."""
    taken: set[str] = set()
    found = []
    for source in _wanted(starter):
        name = free_name(source["name"], taken)
        taken.add(name)
        found.append(source | {"name": name})
    return found


def free_name(wanted: str, taken: set[str]) -> str:
    """``wanted``, or ``wanted-2`` and so on where that is taken."""
    names = (wanted if number == 1 else f"{wanted}-{number}" for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def _brands(starter: Starter) -> Iterator[dict[str, Any]]:
    rivals = [name for name in dict.fromkeys(starter.competitors) if name != starter.brand]
    own = {"name": starter.brand, "keywords": list(starter.keywords or [starter.brand]), "exclude": [*starter.exclude]}
    yield own | ({"competitors": rivals} if rivals else {})
    yield from ({"name": name, "keywords": [name]} for name in rivals)


def _wanted(starter: Starter) -> Iterator[dict[str, Any]]:
    names = [brand["name"] for brand in _brands(starter)]
    served = {"brand": names[0]} if len(names) == 1 else {"brands": names}
    if starter.hackernews:
        yield {"name": "hackernews", "type": "hackernews", **served, "every": "15m"}
    for url in starter.feeds:
        name = slug((urlsplit(url).hostname or "").removeprefix("www.")) or "feed"
        yield {"name": name, "type": "feeds", **served, "every": "30m", "options": {"url": url}}
    for app in starter.apps:
        yield {"name": "app-store", "type": "appstore", "brand": starter.brand, "every": "1h", "options": dict(app)}


def _value(text: str) -> str:
    return tomlkit.item(text).as_string()


_HEAD: Final = """\
# Sentiment Monitor. To try every source and channel named here: sentiment-monitor check
# Every key there is, and what it means: sentiment-monitor config schema
"""

_MONITOR: Final = """\
# The program as a whole: the time zone of days and schedules, and where everything is kept.
[monitor]
timezone = {timezone}
database = "sqlite:///var/monitor.db"
"""

_BRANDS: Final = """\
# What is watched, and the words that name it. What holds a word of "exclude" is kept, but not counted.
"""

_SOURCES: Final = """\
# What is read, and how often. To add one: sentiment-monitor add TYPE; to look before: sentiment-monitor try LINK
"""

_REDDIT: Final = """\
# Reddit wants an app of your own, made at https://www.reddit.com/prefs/apps. The easy way: sentiment-monitor add reddit
# By hand: put REDDIT_CLIENT_ID=... and REDDIT_CLIENT_SECRET=... into secrets.env beside this file, and uncomment:
#
# [[accounts]]
# name = "reddit-main"
# type = "reddit"
# options = { client_id = "env:REDDIT_CLIENT_ID", client_secret = "env:REDDIT_CLIENT_SECRET" }
#
# [[sources]]
# name = "reddit"
# type = "reddit"
# account = "reddit-main"
# brand = {brand}
# every = "10m"
# options = { subreddits = ["all"] }
"""

_DIGESTS: Final = """\
# What is sent, when, and where to; without "brands" it is about all of them.
[[digests]]
name = "daily"
schedule = "daily at 08:00"
period = "day"
channels = ["files"]

[[digests]]
name = "weekly"
schedule = "weekly on monday at 08:00"
period = "week"
detail = "full"
channels = ["files"]
"""

_CHANNELS: Final = """\
# Where digests go: as files into a folder.
[[channels]]
name = "files"
type = "file"
folder = {folder}
"""

_EMAIL: Final = """\
# By mail: put SMTP_PASSWORD=... into secrets.env, uncomment, and add "mail" to the channels of a digest:
#
# [[channels]]
# name = "mail"
# type = "email"
# host = "smtp.example.org"
# port = 587
# security = "starttls"
# username = "monitor@example.org"
# password = "env:SMTP_PASSWORD"
# from = "Sentiment Monitor <monitor@example.org>"
# to = ["you@example.org"]
"""

_WEB: Final = """\
# The dashboard: http://127.0.0.1:8350 while the daemon runs, for this machine alone.
[web]
enabled = true
"""
